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
  /** The version of Redis that we are compatible with. */
  readonly version: string;
  usedBytes(): number;
}
