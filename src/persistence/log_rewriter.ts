/** Switches the append-only file on and off, and rewrites it: on demand, and when it has grown. */
import { assert } from "../lib/assert.ts";
import type { Parameters } from "../config/parameters.ts";
import { failureText } from "../lib/system_error.ts";
import { type ErrorReply, Errors } from "../protocol/errors.ts";
import type { AofLogOwner } from "./aof_log.ts";
import type { AppendOnlyFile, Rewrite } from "./append_only_file.ts";
import type { DataDirectory } from "./data_directory.ts";
import { type Job, type Jobs, type JobStart, type JobTime, Outcome } from "./jobs.ts";
import type { PersistenceParts } from "./parts.ts";

/** How long after a failure the next attempt is made. */
const RETRY_MS = 5000;
/** After so many failures in a row, attempts become rarer. */
const FAILURES_MAX = 3;
const RETRY_RARELY_MS = 60_000;

export class LogRewriter {
  /** Null while appending is off. */
  aof: AppendOnlyFile | null = null;
  /** Appending was switched on; it begins with the next rewrite, which writes the base. */
  isWaiting = false;
  isScheduled = false;
  readonly outcome = new Outcome();
  readonly #parts: PersistenceParts;
  readonly #directory: DataDirectory;
  readonly #jobs: Jobs;
  readonly #owner: AofLogOwner;
  readonly #ended: () => void;

  /** `owner` is that of the logs that are opened; `ended` is called when an attempt is over. */
  constructor(
    parts: PersistenceParts,
    directory: DataDirectory,
    jobs: Jobs,
    owner: AofLogOwner,
    ended: () => void,
  ) {
    this.#parts = parts;
    this.#directory = directory;
    this.#jobs = jobs;
    this.#owner = owner;
    this.#ended = ended;
  }

  get #values(): Parameters["values"] {
    return this.#parts.parameters.values;
  }

  #nowMs(): number {
    return this.#parts.clock.nowMs();
  }

  /** BGREWRITEAOF. */
  rewriteByCommand(time: JobTime): JobStart | ErrorReply {
    if (this.#jobs.has("rewrite")) return Errors.rewriteInProgress;
    if (this.#jobs.current !== null || time === "later") {
      this.isScheduled = true;
      return "scheduled";
    }
    return this.begin() ? "started" : Errors.rewriteFailed;
  }

  /** Begins a rewrite in the background, where no other job may be under way; returns whether that worked. */
  begin(): boolean {
    assert(this.#jobs.current === null, "one job is under way at a time");
    const { log, stream, keyspace } = this.#parts;
    const startedMs = this.outcome.lastTryMs = this.#nowMs();
    this.isScheduled = false;
    const aof = this.aof ?? this.#directory.newAof();
    let rewrite: Rewrite | null = null;
    try {
      this.#directory.takeLock();
      if (aof.log === null) aof.read();
      stream.flush();
      // Pending changes must be in the old file: in the new one, loading would apply them to a base that contains them.
      assert(aof.log === null || this.aof === aof, "what is appended to is the log in use");
      if (aof.log?.catchUp() === false) {
        throw new Error(aof.log.failure ?? "the log is not written");
      }
      const isBeginning = this.isWaiting && aof.log === null;
      const begun = rewrite = aof.beginRewrite(
        this.#values.aofUseRdbPreamble,
        isBeginning ? this.#owner : null,
        this.#directory.temporaryName("rewriteaof-bg"),
      );
      if (isBeginning && aof.log !== null) stream.addTaker(aof.log);
      else stream.restart();
      const writer = this.#directory.openWriter(aof.basePathOf(rewrite), rewrite.temporary, true);
      const job: Job = { kind: "rewrite", writer, startedMs, dirty: keyspace.hooks.dirty };
      void this.#jobs.run(job, (isFine) => this.#completed(aof, begun, isFine, startedMs));
      assert(this.#jobs.current === job, "what was begun is under way");
    } catch (error) {
      assert(this.#jobs.current === null, "a job that did not begin is not under way");
      log.warning(`Can't rewrite the append only file: ${failureText(error)}`);
      if (rewrite !== null) this.#abandon(aof, rewrite);
      this.outcome.ended(false, this.#nowMs(), this.#nowMs());
      this.#ended();
      return false;
    }
    log.notice("Background append only file rewriting started");
    return true;
  }

  #completed(aof: AppendOnlyFile, rewrite: Rewrite, isFine: boolean, startedMs: number): void {
    const { log } = this.#parts;
    assert(this.#jobs.current === null, "a job that is completed is over");
    assert(!isFine || rewrite.firstSequence > 0, "sequences begin at 1");
    if (isFine) {
      try {
        aof.completeRewrite(rewrite);
        assert(aof.manifest.base !== null, "a log that is complete has a base");
        this.#removeHistory(aof);
        this.isWaiting = false;
      } catch (error) {
        log.warning(`Can't complete the AOF rewrite: ${failureText(error)}`);
        isFine = false;
      }
    }
    if (!isFine) this.#abandon(aof, rewrite);
    this.outcome.ended(isFine, startedMs, this.#nowMs());
    this.#ended();
  }

  /** Removes the replaced files. If that fails, it is tried again at the next tick. */
  #removeHistory(aof: AppendOnlyFile): void {
    if (this.#values.aofDisableAutoGc) return;
    try {
      aof.removeHistory();
    } catch (error) {
      this.#parts.log.verbose(`Can't remove old AOF files yet: ${failureText(error)}`);
    }
  }

  #abandon(aof: AppendOnlyFile, rewrite: Rewrite): void {
    const { log } = aof;
    assert(this.#jobs.current === null, "no base is given up while it is written");
    if (rewrite.unlisted !== null && log !== null) this.#parts.stream.removeTaker(log);
    aof.abandonRewrite(rewrite);
  }

  /** CONFIG SET appendonly; returns an error text or null. */
  switched(): string | null {
    if (!this.#values.appendonly) {
      this.#stop();
      return null;
    }
    if (this.aof !== null) return null;
    assert(!this.isWaiting, "nothing waits while appending is off");
    this.aof = this.#directory.newAof();
    this.isWaiting = true;
    if (this.#jobs.current !== null) this.isScheduled = true;
    else if (!this.begin()) {
      this.aof = null;
      this.isWaiting = false;
      return "Unable to turn on AOF. Check server logs.";
    }
    assert(this.isWaiting, "appending begins when the base is complete");
    return null;
  }

  #stop(): void {
    const { aof } = this;
    this.aof = null;
    this.isWaiting = this.isScheduled = false;
    if (this.#jobs.current?.kind === "rewrite") {
      this.#jobs.current.writer.discard();
      this.#parts.log.notice("Killing the AOF rewrite, which takes the place of a child process");
    }
    if (aof === null || aof.log === null) return;
    this.#parts.stream.removeTaker(aof.log);
    aof.log.finish();
    aof.close();
    assert(aof.log === null, "nothing is appended any more");
  }

  /** At the start of the server: continues the file that was loaded, or begins one. */
  startAppending(aof: AppendOnlyFile): void {
    assert(this.aof === aof, "the log that was loaded is appended to");
    assert(aof.log === null, "appending starts once");
    assert(this.#jobs.current === null, "nothing is saved before all is loaded");
    const { stream, log } = this.#parts;
    if (aof.manifest.files().length === 0) {
      const temporaryName = this.#directory.temporaryName("rewriteaof-bg");
      const rewrite = aof.beginRewrite(this.#values.aofUseRdbPreamble, null, temporaryName);
      const path = aof.basePathOf(rewrite);
      this.#directory.openWriter(path, rewrite.temporary, true).runSync();
      aof.completeRewrite(rewrite);
      log.notice(`Creating AOF base file ${rewrite.baseName} on server start`);
    }
    this.#removeHistory(aof);
    stream.addTaker(aof.open(this.#owner));
    assert(aof.log !== null, "appending has begun");
    assert(aof.manifest.incremental.length > 0, "what is appended to is listed");
  }

  /** Called ten times a second. */
  tick(): void {
    this.aof?.log?.tick();
    if (this.aof !== null) this.#removeHistory(this.aof);
  }

  /** Whether a requested rewrite is due: by BGREWRITEAOF, or to begin appending. */
  isWanted(): boolean {
    assert(!this.isWaiting || this.aof !== null, "a log that is to begin has its files");
    const isFirst = this.isWaiting && this.aof?.log === null;
    return (this.isScheduled || isFirst) && this.#mayBegin();
  }

  /** Whether the file has grown so much that a rewrite is due. */
  isGrown(): boolean {
    return this.#hasGrown() && this.#mayBegin();
  }

  #mayBegin(): boolean {
    const { failures, lastTryMs } = this.outcome;
    assert(failures >= 0, "failures are counted upwards");
    if (failures === 0) return true;
    const wait = failures < FAILURES_MAX ? RETRY_MS : RETRY_RARELY_MS;
    return this.#nowMs() - lastTryMs > wait;
  }

  #hasGrown(): boolean {
    const { autoAofRewritePercentage: percentage, autoAofRewriteMinSize } = this.#values;
    const { aof } = this;
    if (aof === null || aof.log === null || percentage === 0) return false;
    // `size` asks the file system about every file. That is left out while the sizes known here are too small anyway.
    if (aof.log.size + aof.baseSize <= autoAofRewriteMinSize) return false;
    const { size } = aof;
    if (size <= autoAofRewriteMinSize) return false;
    assert(aof.baseSize >= 0, "a size is not negative");
    const growth = 100 * size / Math.max(aof.baseSize, 1) - 100;
    if (growth < percentage) return false;
    this.#parts.log.notice(
      `Starting automatic rewriting of AOF on ${Math.floor(growth)}% growth`,
    );
    return true;
  }
}
