/** What commands need of persistence. The app connects the two rooms: the engine itself writes no file. */
import type { ErrorReply } from "../protocol/errors.ts";

/** A line of INFO. */
export type PersistenceField = readonly [name: string, value: string | number];

/** How a save or rewrite in the background was begun. */
export type BackgroundStart = "started" | "scheduled";

/**
 * When it may begin: at once or not at all; at once, or as soon as no other job is under way; or after the present
 * command in any case, which EXEC wants.
 */
export type BackgroundTime = "now" | "soon" | "later";

/** What a snapshot for another server consists of. */
export interface SnapshotContents {
  readonly keys: boolean;
  readonly functions: boolean;
}

export interface PersistenceCalls {
  /** When the data were last saved, in Unix ms. */
  readonly lastSaveMs: number;
  /** Bytes of changes that wait to be written to the log: mem_aof_buffer. */
  readonly logBytes: number;
  /** SAVE; returns why it could not, or null. */
  saveNow(): ErrorReply | null;
  /** BGSAVE; with SCHEDULE the time is `soon`. */
  saveInBackground(time: BackgroundTime): BackgroundStart | ErrorReply;
  /** BGREWRITEAOF, for which `now` is `soon`. */
  rewriteLog(time: BackgroundTime): BackgroundStart | ErrorReply;
  /**
   * Writes a snapshot to a new file, which the caller removes, and resolves with its path. It waits for other saves;
   * `begun` is called at the instant whose data the snapshot contains.
   */
  snapshotToFile(begun: () => void, contents: SnapshotContents): Promise<string>;
  /**
   * DEBUG RELOAD: saves and empties as the options say, then loads; returns an error or null. `merges`: what is in memory may
   * be in the file, too, and is replaced.
   */
  reload(options: { saves: boolean; flushes: boolean; merges: boolean }): ErrorReply | null;
  /** DEBUG LOADAOF. */
  reloadLog(): ErrorReply | null;
  /** DEBUG AOF-FLUSH-SLEEP, in µs. */
  flushSleepUs: number;
  /** After FLUSHALL: gives up a save under way, and saves the empty keyspace if there are save points. */
  flushed(): void;
  /** Called ten times a second: begins saves and rewrites that are due. */
  tick(): void;
  /** INFO persistence. */
  fields(): PersistenceField[];
}
