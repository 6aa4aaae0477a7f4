/** What commands need of the room that runs scripts. The app connects the two: the engine itself knows no Lua. */
import type { Args } from "../protocol/args.ts";
import type { ErrorReply } from "../protocol/errors.ts";
import type { Call } from "./call.ts";

/** INFO's and MEMORY STATS' figures, in bytes where not said otherwise. */
export interface ScriptFigures {
  /** What Lua's values take, and all of Lua's memory. */
  readonly luaBytes: number;
  /** Scripts in the cache, and their texts. */
  readonly scriptCount: number;
  readonly scriptBytes: number;
}

export interface RunningScript {
  /** Its SHA-1, or the function's name. */
  readonly name: string;
  readonly isFunction: boolean;
  readonly durationMs: number;
  /** The command that runs it. */
  readonly args: Args;
}

export interface ScriptCalls {
  /** Whether scripts can run at once. Lua is loaded when the first one comes. */
  readonly isLoaded: boolean;
  /** Loads Lua. Never rejects: if Lua can't be had, scripts answer why. */
  load(): Promise<void>;
  /** EVAL and EVAL_RO. */
  evalText(call: Call, isReadOnly: boolean): void;
  /** EVALSHA and EVALSHA_RO. */
  evalSha(call: Call, isReadOnly: boolean): void;
  /** What the script that argument 1 is, or names by its SHA-1, declares: bits of ScriptFlag. */
  declaredBy(args: Args, isSha: boolean): number;
  /** SCRIPT LOAD: puts the script at argument `index` into the cache; returns its SHA-1, or an error. */
  cacheScript(args: Args, index: number): string | ErrorReply;
  /** SCRIPT EXISTS. */
  hasScript(args: Args, index: number): boolean;
  /** The script or function that runs, or is suspended. */
  readonly running: RunningScript | null;
  /** SCRIPT KILL and FUNCTION KILL: ends the script that is suspended; returns why it can't be, or null. */
  kill(isFunction: boolean): ErrorReply | null;
  /** Bytes of Lua's values and of the scripts' texts. */
  readonly bytes: number;
  /** SCRIPT FLUSH. */
  flush(): void;
  readonly figures: ScriptFigures;
}
