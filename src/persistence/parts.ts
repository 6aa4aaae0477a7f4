/** What the classes of this room share: the rest of the server as they see it, and texts of failures. */
import type { Parameters } from "../config/parameters.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../observe/log.ts";
import type { ErrorReply } from "../protocol/errors.ts";
import type { AofTarget } from "./aof_loader.ts";

/** The stream of changes: see engine/propagation.ts. */
export interface ChangeStream {
  addTaker(taker: { take(bytes: Uint8Array, end: number): void }): void;
  removeTaker(taker: { take(bytes: Uint8Array, end: number): void }): void;
  flush(): void;
  restart(): void;
}

/** The libraries of functions, of which files hold the source. */
export interface FunctionLibraries {
  /** Whether libraries can be added. If not, whoever wants to waits for `prepare`. */
  readonly isReady: boolean;
  /** Loads the interpreter. */
  prepare(): Promise<void>;
  /** The source of each library. */
  codes(): Iterable<Uint8Array>;
  /** Adds the library with this source, in place of one of the same name if `replaces`; returns why it can't, or null. */
  add(code: Uint8Array, replaces: boolean): string | null;
  clear(): void;
}

export interface PersistenceParts {
  readonly parameters: Parameters;
  readonly keyspace: Keyspace;
  readonly clock: Clock;
  readonly log: Log;
  readonly gates: {
    loading: ErrorReply | null;
    misconf: ErrorReply | null;
    notDurable: ErrorReply | null;
  };
  readonly stream: ChangeStream;
  /** Runs the commands of the append-only file. */
  readonly target: AofTarget;
  readonly functions: FunctionLibraries;
  /** The version of Redis that we are compatible with. */
  readonly version: string;
  usedBytes(): number;
}
