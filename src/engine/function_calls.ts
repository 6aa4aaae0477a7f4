/** What commands need of the libraries of functions. The app connects the two: the engine itself runs no script. */
import type { Args } from "../protocol/args.ts";
import type { ErrorReply } from "../protocol/errors.ts";
import type { Call } from "./call.ts";

export interface LibraryFunction {
  readonly name: string;
  readonly description: string | null;
  /** Bits of ScriptFlag. */
  readonly flags: number;
}

export interface FunctionLibrary {
  readonly name: string;
  /** Its source with the first line, which names it. */
  readonly code: Uint8Array;
  readonly functions: readonly LibraryFunction[];
}

/** What FUNCTION RESTORE does where libraries of these names exist: refuse, drop all libraries first, or replace them. */
export type RestorePolicy = "append" | "flush" | "replace";

export interface FunctionCalls {
  /** Whether libraries can be loaded: the interpreter is there. */
  readonly isReady: boolean;
  /** By name, in the order in which they were loaded. */
  readonly libraries: ReadonlyMap<string, FunctionLibrary>;
  /** Functions of all libraries together. */
  readonly count: number;
  /** Bytes of sources and names. */
  readonly bytes: number;
  /** Bytes that the interpreter of functions takes. */
  readonly machineBytes: number;
  /**
   * Loads a library, in place of one of the same name if `replaces`; returns its name or an error. `isLimited`: it must do so
   * within half a second.
   */
  load(code: Uint8Array, replaces: boolean, isLimited: boolean): string | ErrorReply;
  /** Removes a library; returns whether there was one. */
  delete(name: string): boolean;
  /** Removes all libraries. */
  clear(): void;
  /** Loads all of these libraries, or none and returns an error. */
  restore(codes: readonly Uint8Array[], policy: RestorePolicy): ErrorReply | null;
  /** The function that argument `index` names, or null. */
  find(args: Args, index: number): LibraryFunction | null;
  /** Runs a function with `keyCount` keys, which stand from argument 3 on, and the arguments behind them. */
  run(call: Call, one: LibraryFunction, keyCount: number, isReadOnly: boolean): void;
}
