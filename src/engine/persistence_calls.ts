/** What commands ask of persistence, which the app plugs in: the engine itself writes no file. */
import type { ErrorReply } from "../protocol/errors.ts";

/** A line of INFO. */
export type PersistenceField = readonly [name: string, value: string | number];

/** What became of the wish to save or rewrite in the background. */
export type BackgroundStart = "started" | "scheduled";

export interface PersistenceCalls {
  /** When the data were last saved, in Unix ms. */
  readonly lastSaveMs: number;
  /** SAVE; returns why it could not, or null. */
  saveNow(): ErrorReply | null;
  /** BGSAVE, with SCHEDULE. */
  saveInBackground(mayWait: boolean): BackgroundStart | ErrorReply;
  /** BGREWRITEAOF. */
  rewriteLog(): BackgroundStart | ErrorReply;
  /**
   * Writes a snapshot to a file of its own, which the caller removes, and resolves with its path. `begun` is called in
   * the instant that it shows; it waits for other saves.
   */
  snapshotToFile(begun: () => void): Promise<string>;
  /** DEBUG RELOAD: saves and empties unless told otherwise, then loads; returns why it could not, or null. */
  reload(options: { saves: boolean; flushes: boolean }): ErrorReply | null;
  /** DEBUG LOADAOF. */
  reloadLog(): ErrorReply | null;
  /** DEBUG AOF-FLUSH-SLEEP, in µs. */
  flushSleepUs: number;
  /** FLUSHALL: what is being saved is not wanted any more, and the empty keyspace is saved if saves are wanted. */
  flushed(): void;
  /** Several times a second: what is due by time. */
  tick(): void;
  /** INFO persistence. */
  fields(): PersistenceField[];
}
