/**
 * Saves, rewrites and loads: what happens when, what comes of it, and what INFO tells. One snapshot is under
 * way at a time; who comes second waits or is refused.
 */
import type { Parameters } from "../config/parameters.ts";
import { unicodeOf } from "../config/words.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../observe/log.ts";
import { type ErrorReply, errorReply, Errors } from "../protocol/errors.ts";
import { AofFileLoader, type AofTarget } from "./aof_loader.ts";
import { type AofLogOwner, type SyncPolicy, timestampLine } from "./aof_log.ts";
import { AppendOnlyFile, type Rewrite } from "./append_only_file.ts";
import { type Job, JOB_NAMES, Outcome } from "./jobs.ts";
import { DirectoryLock, exists, sizeOf } from "./files.ts";
import { type FileLoading, loadInSlices, loadNow, LoadProgress } from "./loading.ts";
import { RdbFileLoader, RdbFileWriter, type RdbSettings } from "./rdb_file.ts";
import type { LoadOptions, RdbLoader } from "./rdb_loader.ts";

/** After a failure the next attempt comes so much later. */
const RETRY_MS = 5000;
/** Failed rewrites in a row, after which attempts become rarer. */
const FAILURES_MAX = 3;
const RETRY_REWRITE_MS = 60_000;
/** How often one who waits for another's job looks whether it is over. */
const JOB_LOOK_MS = 5;

/** Who takes the stream of changes, and where it comes from. */
interface ChangeStream {
  addTaker(taker: { take(bytes: Uint8Array, end: number): void }): void;
  removeTaker(taker: { take(bytes: Uint8Array, end: number): void }): void;
  flush(): void;
  restart(): void;
}

interface DurabilityParts {
  readonly parameters: Parameters;
  readonly keyspace: Keyspace;
  readonly clock: Clock;
  readonly log: Log;
  readonly gates: { loading: ErrorReply | null; misconf: ErrorReply | null };
  readonly stream: ChangeStream;
  /** Runs the commands of the append-only file. */
  readonly target: AofTarget;
  /** The Redis that we are like. */
  readonly version: string;
  usedBytes(): number;
}

export class Durability implements AofLogOwner {
  lastSaveMs: number;
  readonly progress = new LoadProgress();
  readonly saves = new Outcome();
  readonly rewrites = new Outcome();
  readonly #parts: DurabilityParts;
  readonly #lock = new DirectoryLock();
  #aof: AppendOnlyFile | null = null;
  /** Appending was switched on and begins with the next rewrite. */
  #isWaitingForRewrite = false;
  #job: Job | null = null;
  #isSaveScheduled = false;
  #isRewriteScheduled = false;
  /** `hooks.dirty` at the last save. */
  #savedDirty = 0;
  #aofFailure: string | null = null;
  #delayedSyncs = 0;
  #syncs = 0;
  /** DEBUG AOF-FLUSH-SLEEP: the log waits so long before each write, in µs. */
  flushSleepUs = 0;
  /** Libraries of functions in what was loaded: they are kept, and written again. */
  #functions: readonly Uint8Array[] = [];
  #keysLoaded = 0;
  #keysExpired = 0;
  readonly #losses = new Set<string>();

  constructor(parts: DurabilityParts) {
    this.#parts = parts;
    this.lastSaveMs = parts.clock.nowMs();
    const { parameters } = parts;
    parameters.onChange("appendonly", () => this.#switchAppending());
    parameters.onChange("dir", () => this.#directoryChanged());
    for (const name of ["save", "stop-writes-on-bgsave-error"]) {
      parameters.onChange(name, () => {
        this.#setGate();
        return null;
      });
    }
  }

  get #values(): Parameters["values"] {
    return this.#parts.parameters.values;
  }

  get #directory(): string {
    return unicodeOf(this.#values.dir);
  }

  get #rdbPath(): string {
    return `${this.#directory}/${unicodeOf(this.#values.dbfilename)}`;
  }

  /** Changes that no save has seen. */
  get changes(): number {
    return this.#parts.keyspace.hooks.dirty - this.#savedDirty;
  }

  // What the log asks

  get policy(): SyncPolicy {
    const { appendfsync } = this.#values;
    return appendfsync === "always" || appendfsync === "no" ? appendfsync : "everysec";
  }

  get holdsSyncs(): boolean {
    return this.#values.noAppendfsyncOnRewrite && this.#job !== null;
  }

  get writesTimestamps(): boolean {
    return this.#values.aofTimestampEnabled;
  }

  nowMs(): number {
    return this.#parts.clock.nowMs();
  }

  statusChanged(failure: string | null): void {
    this.#aofFailure = failure;
    if (failure === null) {
      this.#parts.log.warning("AOF write error looks solved. The server can write again.");
    } else this.#parts.log.warning(`Error writing to the AOF file: ${failure}`);
    this.#setGate();
  }

  syncDelayed(): void {
    this.#delayedSyncs++;
    this.#parts.log.notice(
      "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without " +
        "waiting for fsync to complete, this may slow down the server.",
    );
  }

  #setGate(): void {
    const { gates } = this.#parts;
    const { stopWritesOnBgsaveError, save } = this.#values;
    if (this.#aofFailure !== null) {
      gates.misconf = errorReply(`MISCONF Errors writing to the AOF file: ${this.#aofFailure}`);
    } else if (!this.saves.isFine && stopWritesOnBgsaveError && save !== "") {
      gates.misconf = Errors.misconf;
    } else gates.misconf = null;
  }

  /** Whether what changes is written to the append-only file. */
  get isAppending(): boolean {
    return this.#aof !== null && this.#aof.log !== null;
  }

  /** Writes what has gathered; returns whether replies may go out. */
  commit(): boolean {
    this.#parts.stream.flush();
    return this.#aof?.log?.isCommitted ?? true;
  }

  // Saving

  #settings(isAofBase: boolean): RdbSettings {
    const { values } = this.#parts.parameters;
    const { clock, version } = this.#parts;
    return {
      isRdb: !isAofBase || values.aofUseRdbPreamble,
      version: values.rdbVersion,
      compresses: values.rdbcompression,
      withCrc: values.rdbchecksum,
      syncsOften: isAofBase ? values.aofRewriteIncrementalFsync : values.rdbSaveIncrementalFsync,
      keyDelayUs: values.rdbKeySaveDelay,
      aux: [
        ["redis-ver", version],
        ["redis-bits", "64"],
        ["ctime", String(Math.floor(clock.nowMs() / 1000))],
        ["used-mem", String(this.#parts.usedBytes())],
        ["aof-base", isAofBase ? "1" : "0"],
      ],
      functions: this.#functions,
      head: values.aofTimestampEnabled ? timestampLine(clock.nowMs()) : "",
    };
  }

  /** Begins to write a file, or says why it can't. */
  #openWriter(path: string, temporary: string, isAofBase: boolean): RdbFileWriter {
    this.#takeLock();
    return new RdbFileWriter(this.#parts.keyspace, path, temporary, this.#settings(isAofBase));
  }

  #takeLock(): void {
    if (!this.#lock.take(this.#directory)) throw new Error(lockedText(this.#directory));
  }

  #temporaryPath(kind: string): string {
    return `${this.#directory}/temp-${kind}${Deno.pid}.rdb`;
  }

  saveNow(): ErrorReply | null {
    if (this.#job?.kind === "save") return Errors.saveInProgress;
    return this.#save() ? null : Errors.failed;
  }

  /** Saves at once, whatever else is under way. */
  #save(): boolean {
    const { keyspace, log } = this.#parts;
    const startedMs = this.nowMs();
    const { dirty } = keyspace.hooks;
    // There is one snapshot at a time: that of a rewrite is taken to its end first.
    this.#job?.writer.snapshot.slice(() => false);
    try {
      this.#openWriter(this.#rdbPath, this.#temporaryPath("save-"), false).runSync();
    } catch (error) {
      log.warning(`Error saving the DB to ${this.#rdbPath}: ${textOf(error)}`);
      this.#saved(false, startedMs, dirty);
      return false;
    }
    log.notice("DB saved on disk");
    this.#saved(true, startedMs, dirty);
    return true;
  }

  #saved(isFine: boolean, startedMs: number, dirty: number): void {
    const { clock } = this.#parts;
    clock.refresh();
    if (isFine) {
      this.#savedDirty = dirty;
      this.lastSaveMs = clock.nowMs();
    }
    this.saves.ended(isFine, startedMs, clock.nowMs());
    this.#setGate();
  }

  saveInBackground(mayWait: boolean): "started" | "scheduled" | ErrorReply {
    if (this.#job?.kind === "save") return Errors.saveInProgress;
    if (this.#job !== null) {
      if (!mayWait) return Errors.saveWhileRewriting;
      this.#isSaveScheduled = true;
      return "scheduled";
    }
    return this.#beginSave() ? "started" : Errors.failed;
  }

  #beginSave(): boolean {
    const { keyspace, log } = this.#parts;
    this.saves.lastTryMs = this.nowMs();
    this.#isSaveScheduled = false;
    try {
      const writer = this.#openWriter(this.#rdbPath, this.#temporaryPath("bgsave-"), false);
      const { dirty } = keyspace.hooks;
      void this.#run({ kind: "save", writer, startedMs: this.nowMs(), dirty }, (isFine, job) => {
        this.#saved(isFine, job.startedMs, job.dirty);
      });
    } catch (error) {
      log.warning(`Failed opening the temp RDB file for saving: ${textOf(error)}`);
      this.#saved(false, this.nowMs(), 0);
      return false;
    }
    log.notice("Background saving started");
    return true;
  }

  /** Runs a job to its end; `ended` hears what came of it, unless it was given up. */
  async #run(job: Job, ended: (isFine: boolean, job: Job) => void): Promise<void> {
    const { log, clock } = this.#parts;
    const what = JOB_NAMES[job.kind];
    this.#job = job;
    let isFine = true;
    try {
      await job.writer.run();
    } catch (error) {
      isFine = false;
      if (!job.writer.isCancelled) log.warning(`${what} failed: ${textOf(error)}`);
    }
    if (this.#job !== job) return;
    this.#job = null;
    clock.refresh();
    if (job.writer.isCancelled) return;
    ended(isFine, job);
    if (isFine) log.notice(`${what} terminated with success`);
  }

  async snapshotToFile(begun: () => void): Promise<string> {
    while (this.#job !== null) await new Promise((resolve) => setTimeout(resolve, JOB_LOOK_MS));
    const path = this.#temporaryPath(`sync-${++this.#syncs}-`);
    const writer = this.#openWriter(path, `${path}.part`, false);
    begun();
    const { dirty } = this.#parts.keyspace.hooks;
    let isFine = false;
    await this.#run({ kind: "sync", writer, startedMs: this.nowMs(), dirty }, (fine) => {
      isFine = fine;
    });
    if (!isFine) throw new Error("the snapshot could not be written");
    return path;
  }

  // The append-only file

  #newAof(): AppendOnlyFile {
    const { appenddirname, appendfilename } = this.#values;
    return new AppendOnlyFile({
      parent: this.#directory,
      directoryName: unicodeOf(appenddirname),
      prefix: unicodeOf(appendfilename),
    });
  }

  rewriteLog(): "started" | "scheduled" | ErrorReply {
    if (this.#job?.kind === "rewrite") return Errors.rewriteInProgress;
    if (this.#job !== null) {
      this.#isRewriteScheduled = true;
      return "scheduled";
    }
    return this.#beginRewrite() ? "started" : Errors.rewriteFailed;
  }

  #beginRewrite(): boolean {
    const { log, stream, keyspace } = this.#parts;
    this.rewrites.lastTryMs = this.nowMs();
    this.#isRewriteScheduled = false;
    const aof = this.#aof ?? this.#newAof();
    let rewrite: Rewrite | null = null;
    try {
      this.#takeLock();
      if (aof.log === null) aof.read();
      stream.flush();
      const isBeginning = this.#isWaitingForRewrite && aof.log === null;
      rewrite = aof.beginRewrite(this.#values.aofUseRdbPreamble, isBeginning ? this : null);
      if (isBeginning && aof.log !== null) stream.addTaker(aof.log);
      else stream.restart();
      const writer = this.#openWriter(aof.basePathOf(rewrite), rewrite.temporary, true);
      const job: Job = {
        kind: "rewrite",
        writer,
        startedMs: this.nowMs(),
        dirty: keyspace.hooks.dirty,
      };
      const begun = rewrite;
      void this.#run(
        job,
        (isFine, { startedMs }) => this.#rewritten(aof, begun, isFine, startedMs),
      );
    } catch (error) {
      log.warning(`Can't rewrite the append only file: ${textOf(error)}`);
      if (rewrite !== null) this.#abandon(aof, rewrite);
      this.rewrites.ended(false, this.nowMs(), this.nowMs());
      return false;
    }
    log.notice("Background append only file rewriting started");
    return true;
  }

  #rewritten(aof: AppendOnlyFile, rewrite: Rewrite, isFine: boolean, startedMs: number): void {
    const { log } = this.#parts;
    if (isFine) {
      try {
        aof.completeRewrite(rewrite);
        this.#removeHistory(aof);
        this.#isWaitingForRewrite = false;
      } catch (error) {
        log.warning(`Can't complete the AOF rewrite: ${textOf(error)}`);
        isFine = false;
      }
    }
    if (!isFine) this.#abandon(aof, rewrite);
    this.rewrites.ended(isFine, startedMs, this.nowMs());
  }

  /** Removes what was replaced. Where the disk does not let it, it is tried again. */
  #removeHistory(aof: AppendOnlyFile): void {
    if (this.#values.aofDisableAutoGc) return;
    try {
      aof.removeHistory();
    } catch (error) {
      this.#parts.log.verbose(`Can't remove old AOF files yet: ${textOf(error)}`);
    }
  }

  #abandon(aof: AppendOnlyFile, rewrite: Rewrite): void {
    const { log } = aof;
    if (rewrite.unlisted !== null && log !== null) this.#parts.stream.removeTaker(log);
    aof.abandonRewrite(rewrite);
  }

  /** CONFIG SET appendonly. */
  #switchAppending(): string | null {
    if (this.#values.appendonly) {
      if (this.#aof !== null) return null;
      this.#aof = this.#newAof();
      this.#isWaitingForRewrite = true;
      if (this.#job !== null) this.#isRewriteScheduled = true;
      else if (!this.#beginRewrite()) {
        this.#aof = null;
        this.#isWaitingForRewrite = false;
        return "Unable to turn on AOF. Check server logs.";
      }
      return null;
    }
    this.#stopAppending();
    return null;
  }

  #stopAppending(): void {
    const aof = this.#aof;
    this.#aof = null;
    this.#isWaitingForRewrite = this.#isRewriteScheduled = false;
    if (this.#job?.kind === "rewrite") {
      this.#job.writer.discard();
      this.#parts.log.notice("Killing the AOF rewrite, which takes the place of a child process");
    }
    if (aof === null) return;
    if (aof.log !== null) {
      this.#parts.stream.removeTaker(aof.log);
      aof.log.finish();
      aof.close();
    }
    this.#aofFailure = null;
    this.#setGate();
  }

  #directoryChanged(): string | null {
    const wasWriting = this.#values.appendonly || this.#values.save !== "";
    if (wasWriting && !this.#lock.take(this.#directory)) return lockedText(this.#directory);
    return null;
  }

  // Time

  /** Several times a second. */
  tick(): void {
    if (this.progress.isOn) return;
    this.#aof?.log?.tick();
    if (this.#aof !== null) this.#removeHistory(this.#aof);
    if (this.#job !== null) return;
    if (this.#isRewriteScheduled && this.#mayRewrite()) return void this.#beginRewrite();
    if (this.#isWaitingForRewrite && this.#aof?.log === null && this.#mayRewrite()) {
      return void this.#beginRewrite();
    }
    const mayTry = this.saves.isFine || this.nowMs() - this.saves.lastTryMs > RETRY_MS;
    if (mayTry && (this.#isSaveScheduled || this.#isSavePoint())) return void this.#beginSave();
    if (this.#hasGrown() && this.#mayRewrite()) this.#beginRewrite();
  }

  #isSavePoint(): boolean {
    const { changes } = this;
    if (changes === 0) return false;
    const elapsed = (this.nowMs() - this.lastSaveMs) / 1000;
    const numbers = this.#values.save.split(" ").map(Number);
    for (let i = 0; i + 1 < numbers.length; i += 2) {
      if (changes < numbers[i + 1] || elapsed <= numbers[i]) continue;
      this.#parts.log.notice(`${numbers[i + 1]} changes in ${numbers[i]} seconds. Saving...`);
      return true;
    }
    return false;
  }

  #mayRewrite(): boolean {
    const { failures, lastTryMs } = this.rewrites;
    if (failures === 0) return true;
    const wait = failures < FAILURES_MAX ? RETRY_MS : RETRY_REWRITE_MS;
    return this.nowMs() - lastTryMs > wait;
  }

  #hasGrown(): boolean {
    const { autoAofRewritePercentage: percentage, autoAofRewriteMinSize } = this.#values;
    const aof = this.#aof;
    if (aof === null || aof.log === null || percentage === 0) return false;
    // The whole size is asked of the files' system only when the file that grows may be large enough.
    if (aof.log.size + aof.baseSize <= autoAofRewriteMinSize) return false;
    const { size } = aof;
    if (size <= autoAofRewriteMinSize) return false;
    const growth = 100 * size / Math.max(aof.baseSize, 1) - 100;
    if (growth < percentage) return false;
    this.#parts.log.notice(
      `Starting automatic rewriting of AOF on ${Math.floor(growth)}% growth`,
    );
    return true;
  }

  // Loading

  #loadOptions(dropsExpired: boolean): LoadOptions {
    return {
      dropsExpired,
      checksCrc: this.#values.rdbchecksum,
      onLoss: (what) => {
        if (this.#losses.has(what)) return;
        this.#losses.add(what);
        this.#parts.log.warning(`Not loaded: ${what}`);
      },
    };
  }

  /** Files to be loaded, in order, each opened when its turn has come. */
  #filesToLoad(aof: AppendOnlyFile | null): { path: string; open: () => FileLoading }[] {
    const { keyspace, target } = this.#parts;
    if (aof === null) {
      const path = this.#rdbPath;
      if (!exists(path)) return [];
      return [{ path, open: () => new RdbFileLoader(path, keyspace, this.#loadOptions(true)) }];
    }
    return aof.manifest.files().map((file) => {
      const path = aof.pathOf(file);
      if (!exists(path)) {
        throw new Error(
          `Can't open the append log file ${file.name} for reading: No such file or directory`,
        );
      }
      const options = this.#loadOptions(false);
      return { path, open: () => new AofFileLoader(path, keyspace, target, options) };
    });
  }

  /**
   * Loads what was saved while the server answers that it does, then goes on appending. Fails with what a person
   * can do about it.
   */
  async start(): Promise<void> {
    const { values } = this.#parts.parameters;
    if (values.appendonly || values.save !== "") this.#lockAtStart();
    if (values.appendonly) {
      this.#aof = this.#newAof();
      this.#aof.read();
    }
    const files = this.#filesToLoad(this.#aof);
    if (files.length > 0) {
      this.#beginLoading(files);
      for (const [i, file] of files.entries()) {
        const loading = file.open();
        await loadInSlices(loading, this.progress, {
          clock: this.#parts.clock,
          log: this.#parts.log,
          keyDelayUs: () => this.#values.keyLoadDelay,
        });
        this.#fileLoaded(loading, i === files.length - 1);
      }
      this.#endLoading();
    }
    if (this.#aof !== null) this.#appendTo(this.#aof);
  }

  /** A directory that may not be written to is none of two servers' business, until something must be saved. */
  #lockAtStart(): void {
    const directory = this.#directory;
    try {
      if (this.#lock.take(directory)) return;
    } catch (error) {
      const why = textOf(error);
      return this.#parts.log.warning(`Can't write in ${directory}, where data are saved: ${why}`);
    }
    throw new Error(lockedText(directory));
  }

  #beginLoading(files: readonly { path: string }[]): void {
    const { gates, keyspace, clock } = this.#parts;
    let total = 0;
    for (const { path } of files) total += Math.max(sizeOf(path), 0);
    clock.refresh();
    this.progress.begin(clock.nowMs(), total);
    gates.loading = Errors.loading;
    keyspace.isLoading = true;
    this.#keysLoaded = this.#keysExpired = 0;
    this.#functions = [];
    this.#losses.clear();
  }

  #fileLoaded(loading: FileLoading, isLast: boolean): void {
    if (loading instanceof RdbFileLoader) this.#countLoaded(loading.loader);
    if (!(loading instanceof AofFileLoader)) return;
    if (loading.rdb !== null) this.#countLoaded(loading.rdb);
    if (!loading.isTruncated) return;
    const { log } = this.#parts;
    const { path, validTo } = loading;
    if (!isLast || !this.#values.aofLoadTruncated) {
      throw new Error(
        `Unexpected end of file reading the append only file ${path} at offset ${validTo}. You can: ` +
          `1) Make a backup of your AOF file, then use respite check-aof --fix <filename.manifest>. ` +
          `2) Alternatively you can set the 'aof-load-truncated' configuration option to yes and ` +
          `restart the server.`,
      );
    }
    log.warning(`!!! Warning: short read while loading the AOF file ${path}!!!`);
    log.warning(`AOF ${path} loaded anyway because aof-load-truncated is enabled`);
    log.warning(`Truncating the AOF ${path} at offset ${validTo}`);
    Deno.truncateSync(path, validTo);
  }

  #countLoaded({ keysLoaded, keysExpired, functions }: RdbLoader): void {
    this.#keysLoaded += keysLoaded;
    this.#keysExpired += keysExpired;
    this.#functions = [...this.#functions, ...functions];
  }

  #endLoading(): void {
    const { gates, keyspace, log, clock } = this.#parts;
    const { startedMs } = this.progress;
    clock.refresh();
    this.progress.end();
    gates.loading = null;
    keyspace.isLoading = false;
    this.#savedDirty = keyspace.hooks.dirty;
    const seconds = ((clock.nowMs() - startedMs) / 1000).toFixed(3);
    log.notice(
      `DB loaded from ${this.#aof === null ? "disk" : "append only file"}: ${seconds} seconds`,
    );
  }

  /** Goes on with the append-only file that was loaded, or begins one. */
  #appendTo(aof: AppendOnlyFile): void {
    const { stream, log } = this.#parts;
    if (aof.manifest.files().length === 0) {
      const rewrite = aof.beginRewrite(this.#values.aofUseRdbPreamble, null);
      const path = aof.basePathOf(rewrite);
      this.#openWriter(path, rewrite.temporary, true).runSync();
      aof.completeRewrite(rewrite);
      log.notice(`Creating AOF base file ${rewrite.baseName} on server start`);
    }
    this.#removeHistory(aof);
    stream.addTaker(aof.open(this));
  }

  reload({ saves, flushes }: { saves: boolean; flushes: boolean }): ErrorReply | null {
    if (saves && !this.#save()) return Errors.failed;
    return this.#loadAtOnce(flushes, null) ? null : Errors.reloadFailed;
  }

  reloadLog(): ErrorReply | null {
    // The first base is not there yet: nothing could be loaded.
    if (this.#isWaitingForRewrite) return Errors.rewriteInProgress;
    const aof = this.#aof ?? this.#newAof();
    this.#parts.stream.flush();
    if (aof.log?.finish() === false) return Errors.reloadLogFailed;
    if (aof.log === null && !aof.read()) return Errors.reloadLogFailed;
    return this.#loadAtOnce(true, aof) ? null : Errors.reloadLogFailed;
  }

  /** Loads the append-only file, or without one the last save, at once; returns whether that worked. */
  #loadAtOnce(flushes: boolean, aof: AppendOnlyFile | null): boolean {
    const { keyspace, log, stream } = this.#parts;
    this.#job?.writer.snapshot.slice(() => false);
    const files = this.#filesToLoad(aof);
    const appender = this.#aof?.log ?? null;
    if (appender !== null) stream.removeTaker(appender);
    if (flushes) keyspace.clear();
    this.#beginLoading(files);
    let isFine = true;
    try {
      for (const file of files) {
        const loading = file.open();
        loadNow(loading, this.progress);
        this.#fileLoaded(loading, false);
      }
    } catch (error) {
      log.warning(textOf(error));
      isFine = false;
    }
    this.#endLoading();
    if (appender !== null) stream.addTaker(appender);
    return isFine;
  }

  // Commands

  flushed(): void {
    const job = this.#job;
    if (job?.kind === "save") {
      this.#job = null;
      job.writer.cancel();
    }
    if (this.#values.save === "") return;
    const { hooks } = this.#parts.keyspace;
    const { changes } = this;
    this.#save();
    // The change itself is counted afterwards, and is to be saved by the next save point, too.
    this.#savedDirty = hooks.dirty - changes;
  }

  /** The server ends: saves if asked to (null: if there are save points). Returns whether it may end. */
  shutdown(save: boolean | null): boolean {
    const { log, stream } = this.#parts;
    if (this.#isWaitingForRewrite) {
      log.warning("Writing initial AOF, can't exit");
      return false;
    }
    if (this.#job !== null) this.#job.writer.cancel();
    this.#job = null;
    if (this.progress.isOn) return true;
    stream.flush();
    if (this.#aof?.log?.finish() === false) log.warning("Writing initial data to disk failed");
    const isWanted = save ?? (this.#values.save !== "");
    if (!isWanted) return true;
    log.notice("Saving the final RDB snapshot before exiting.");
    if (this.#save()) return true;
    log.warning("Error trying to save the DB, can't exit.");
    return false;
  }

  // INFO

  fields(): [name: string, value: string | number][] {
    return [
      ...this.#loadingFields(),
      ...this.#saveFields(),
      ...this.#rewriteFields(),
      ...this.#aofSizeFields(),
    ];
  }

  #loadingFields(): [string, string | number][] {
    const job = this.#job;
    const { progress } = this;
    return [
      ["loading", progress.isOn ? 1 : 0],
      ["async_loading", 0],
      ...progress.isOn ? this.#progressFields() : [],
      ["current_cow_peak", 0],
      ["current_cow_size", 0],
      ["current_cow_size_age", 0],
      ["current_fork_perc", "0.00"],
      ["current_save_keys_processed", job?.writer.snapshot.written ?? 0],
      ["current_save_keys_total", job?.writer.snapshot.total ?? 0],
    ];
  }

  #progressFields(): [string, string | number][] {
    const { startedMs, totalBytes, loadedBytes } = this.progress;
    const share = totalBytes === 0 ? 100 : 100 * loadedBytes / totalBytes;
    return [
      ["loading_start_time", Math.floor(startedMs / 1000)],
      ["loading_total_bytes", totalBytes],
      ["loading_rdb_used_mem", 0],
      ["loading_loaded_bytes", loadedBytes],
      ["loading_loaded_perc", share.toFixed(2)],
      ["loading_eta_seconds", this.progress.etaSeconds(this.nowMs())],
    ];
  }

  #saveFields(): [string, string | number][] {
    const { saves } = this;
    return [
      ["rdb_changes_since_last_save", this.changes],
      ["rdb_bgsave_in_progress", this.#job?.kind === "save" ? 1 : 0],
      ["rdb_last_save_time", Math.floor(this.lastSaveMs / 1000)],
      ["rdb_last_bgsave_status", saves.isFine ? "ok" : "err"],
      ["rdb_last_bgsave_time_sec", saves.seconds],
      ["rdb_current_bgsave_time_sec", this.#jobSeconds("save")],
      ["rdb_saves", saves.count],
      ["rdb_last_cow_size", 0],
      ["rdb_last_load_keys_expired", this.#keysExpired],
      ["rdb_last_load_keys_loaded", this.#keysLoaded],
    ];
  }

  #jobSeconds(kind: Job["kind"]): number {
    const job = this.#job;
    return job?.kind === kind ? Math.floor((this.nowMs() - job.startedMs) / 1000) : -1;
  }

  #rewriteFields(): [string, string | number][] {
    const { rewrites } = this;
    return [
      ["aof_enabled", this.#aof === null ? 0 : 1],
      ["aof_rewrite_in_progress", this.#job?.kind === "rewrite" ? 1 : 0],
      ["aof_rewrite_scheduled", this.#isRewriteScheduled ? 1 : 0],
      ["aof_last_rewrite_time_sec", rewrites.seconds],
      ["aof_current_rewrite_time_sec", this.#jobSeconds("rewrite")],
      ["aof_last_bgrewrite_status", rewrites.isFine ? "ok" : "err"],
      ["aof_rewrites", rewrites.count],
      ["aof_rewrites_consecutive_failures", rewrites.failures],
      ["aof_last_write_status", this.#aofFailure === null ? "ok" : "err"],
      ["aof_last_cow_size", 0],
      ["module_fork_in_progress", 0],
      ["module_fork_last_cow_size", 0],
    ];
  }

  #aofSizeFields(): [string, string | number][] {
    const aof = this.#aof;
    if (aof === null) return [];
    return [
      ["aof_current_size", aof.size],
      ["aof_base_size", aof.baseSize],
      ["aof_pending_rewrite", this.#isWaitingForRewrite ? 1 : 0],
      ["aof_buffer_length", aof.log?.pendingBytes ?? 0],
      ["aof_pending_bio_fsync", aof.log?.pendingSyncs ?? 0],
      ["aof_delayed_fsync", this.#delayedSyncs],
    ];
  }
}

function lockedText(directory: string): string {
  return `Another server writes in ${directory}: choose another dir, or stop that one`;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
