/** What is written in the background, and what came of it. */
import type { RdbFileWriter } from "./rdb_file.ts";

/** What the log says of jobs. */
export const JOB_NAMES = {
  save: "Background saving",
  rewrite: "Background AOF rewrite",
  sync: "Snapshot for a replica",
} as const;

/** A file that is being written in the background. */
export interface Job {
  readonly kind: "save" | "rewrite" | "sync";
  readonly writer: RdbFileWriter;
  readonly startedMs: number;
  /** The count of changes that the file includes. */
  readonly dirty: number;
}

/** What became of the last attempts. */
export class Outcome {
  isFine = true;
  /** Seconds that the last one took; −1: there was none. */
  seconds = -1;
  count = 0;
  failures = 0;
  lastTryMs = 0;

  ended(isFine: boolean, startedMs: number, nowMs: number): void {
    this.isFine = isFine;
    this.seconds = Math.floor((nowMs - startedMs) / 1000);
    if (isFine) this.count++;
    this.failures = isFine ? 0 : this.failures + 1;
  }
}
