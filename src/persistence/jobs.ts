/** What is written in the background, one file at a time, and what came of it. */
import { assert } from "../lib/assert.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../observe/log.ts";
import { textOf } from "./parts.ts";
import type { RdbFileWriter } from "./rdb_file.ts";

/** What the log says of jobs. */
const JOB_NAMES = {
  save: "Background saving",
  rewrite: "Background AOF rewrite",
  sync: "Snapshot for a replica",
} as const;

/** How often one who waits for another's job looks whether it is over. */
const LOOK_EVERY_MS = 5;

/** A file that is being written in the background. */
export interface Job {
  readonly kind: "save" | "rewrite" | "sync";
  readonly writer: RdbFileWriter;
  readonly startedMs: number;
  /** The count of changes that the file includes. */
  readonly dirty: number;
}

/** The job that is under way. */
export class Jobs {
  current: Job | null = null;
  readonly #log: Log;
  readonly #clock: Clock;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Whether a job of that kind is under way. */
  has(kind: Job["kind"]): boolean {
    return this.current?.kind === kind;
  }

  /** Seconds that the job of that kind has taken so far; −1: there is none. */
  secondsOf(kind: Job["kind"]): number {
    const job = this.current;
    if (job === null || job.kind !== kind) return -1;
    return Math.floor((this.#clock.nowMs() - job.startedMs) / 1000);
  }

  /** Runs a job to its end; `ended` hears what came of it, unless it was given up. */
  async run(job: Job, ended: (isFine: boolean, job: Job) => void): Promise<void> {
    assert(this.current === null, "one job is under way at a time");
    const what = JOB_NAMES[job.kind];
    this.current = job;
    let isFine = true;
    try {
      await job.writer.run();
    } catch (error) {
      isFine = false;
      if (!job.writer.isCancelled) this.#log.warning(`${what} failed: ${textOf(error)}`);
    }
    if (this.current !== job) return;
    this.current = null;
    this.#clock.refresh();
    if (job.writer.isCancelled) return;
    ended(isFine, job);
    if (isFine) this.#log.notice(`${what} terminated with success`);
  }

  /** Resolves after a while, when the job that is under way may be over. */
  async pause(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }

  /** Takes the walk of the job's snapshot to its end: only one snapshot can be under way. */
  finishSnapshot(): void {
    this.current?.writer.snapshot.slice(() => false);
  }

  /** The file of the job, if there is one, is not wanted any more. */
  cancel(): void {
    const job = this.current;
    this.current = null;
    job?.writer.cancel();
    assert(this.current === null, "nothing begins by another's end");
  }
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
    assert(startedMs > 0, "what ends has begun");
    this.isFine = isFine;
    this.seconds = Math.floor((nowMs - startedMs) / 1000);
    if (isFine) this.count++;
    this.failures = isFine ? 0 : this.failures + 1;
  }
}
