/** Files that are written in the background, one at a time, and their outcome. */
import { assert } from "../lib/assert.ts";
import type { Clock } from "../lib/clock.ts";
import { failureText } from "../lib/system_error.ts";
import type { Log } from "../observe/log.ts";
import type { RdbFileWriter } from "./rdb_file.ts";

/**
 * When a job may begin that a client asks for: at once or not at all; at once, or as soon as no other is under way; or
 * after the present command in any case.
 */
export type JobTime = "now" | "soon" | "later";

/** How it was begun. */
export type JobStart = "started" | "scheduled";

/** The jobs' names in the log. */
const JOB_NAMES = {
  save: "Background saving",
  rewrite: "Background AOF rewrite",
  sync: "Snapshot for a replica",
} as const;

/** How often a waiting save looks whether the job under way is over. */
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
    assert(job.startedMs > 0, "a job that is under way has begun");
    return Math.floor((this.#clock.nowMs() - job.startedMs) / 1000);
  }

  /** Runs a job to its end and calls `ended` with its outcome, unless it was given up. */
  async run(job: Job, ended: (isFine: boolean, job: Job) => void): Promise<void> {
    assert(this.current === null, "one job is under way at a time");
    assert(!job.writer.isCancelled, "a job that begins has not been given up");
    assert(job.dirty >= 0, "changes are counted upwards");
    const what = JOB_NAMES[job.kind];
    this.current = job;
    let isFine = true;
    try {
      await job.writer.run();
    } catch (error) {
      isFine = false;
      if (!job.writer.isCancelled) this.#log.warning(`${what} failed: ${failureText(error)}`);
    }
    if (this.current !== job) return;
    this.current = null;
    assert(!isFine || job.writer.snapshot.isOver, "a file is complete when its walk is");
    this.#clock.refresh();
    if (job.writer.isCancelled) return;
    ended(isFine, job);
    if (isFine) this.#log.notice(`${what} terminated with success`);
  }

  /** Resolves after a while; the caller then looks whether the job under way is over. */
  async pause(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }

  /** Completes the walk of the job's snapshot at once, since only one snapshot can be under way. */
  finishSnapshot(): void {
    const isLeft = this.current?.writer.snapshot.slice(() => false) ?? false;
    assert(!isLeft, "a walk that nothing stops comes to its end");
  }

  /** Gives up the job under way, if there is one, and its file. */
  cancel(): void {
    const job = this.current;
    this.current = null;
    job?.writer.cancel();
    assert(this.current === null, "nothing begins by another's end");
    assert(job === null || job.writer.isCancelled, "a job that was given up knows it");
  }
}

/** The results of the last attempts to save or rewrite. */
export class Outcome {
  isFine = true;
  /** Seconds that the last attempt took; −1 if there was none. */
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
    assert(isFine === (this.failures === 0), "failures are counted since the last success");
    assert(this.count >= 0, "successes are counted upwards");
  }
}
