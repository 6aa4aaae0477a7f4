/**
 * What commands and the app ask of this room, when saves and rewrites are due, and whether writes are refused.
 * Snapshots are saver.ts, the append-only file is log_rewriter.ts, loading is restorer.ts. One job is under way at a time
 * (jobs.ts); a second one waits or is refused.
 */
import type { Parameters } from "../config/parameters.ts";
import { binaryOf } from "../config/words.ts";
import { assert } from "../lib/assert.ts";
import { failureText } from "../lib/system_error.ts";
import { type ErrorReply, errorReply, Errors } from "../protocol/errors.ts";
import type { AofLogOwner, SyncPolicy } from "./aof_log.ts";
import type { AppendOnlyFile } from "./append_only_file.ts";
import { DataDirectory } from "./data_directory.ts";
import { Jobs, type JobStart, type JobTime } from "./jobs.ts";
import { LogRewriter } from "./log_rewriter.ts";
import type { PersistenceParts } from "./parts.ts";
import { persistenceFields } from "./persistence_info.ts";
import { type LoadMode, Restorer } from "./restorer.ts";
import { Saver, type SnapshotContents } from "./saver.ts";

export class Persistence implements AofLogOwner {
  /** DEBUG AOF-FLUSH-SLEEP: the log waits so long before each write, in µs. */
  flushSleepUs = 0;
  readonly #parts: PersistenceParts;
  readonly #directory: DataDirectory;
  readonly #jobs: Jobs;
  readonly #saver: Saver;
  readonly #rewriter: LogRewriter;
  readonly #restorer: Restorer;
  #delayedSyncs = 0;

  constructor(parts: PersistenceParts) {
    this.#parts = parts;
    this.#directory = new DataDirectory(parts);
    this.#jobs = new Jobs(parts.log, parts.clock);
    this.#saver = new Saver(parts, this.#directory, this.#jobs, () => this.#setGate());
    this.#rewriter = new LogRewriter(
      parts,
      this.#directory,
      this.#jobs,
      this,
      () => this.#setGate(),
    );
    this.#restorer = new Restorer(parts, this.#directory);
    const { parameters } = parts;
    parameters.onChange("appendonly", () => this.#appendingSwitched());
    parameters.onChange("dir", () => this.#directoryChanged());
    parameters.onChange("appendfsync", () => {
      this.#rewriter.aof?.log?.policyChanged();
      this.#setGate();
      return null;
    });
    parameters.onChange("save", () => {
      this.#setGate();
      return this.#directory.saveChanged();
    });
    parameters.onChange("stop-writes-on-bgsave-error", () => {
      this.#setGate();
      return null;
    });
  }

  /** Bytes of changes that wait to be written to the log. */
  get logBytes(): number {
    return this.#rewriter.aof?.log?.pendingBytes ?? 0;
  }

  get #values(): Parameters["values"] {
    return this.#parts.parameters.values;
  }

  // For the log: AofLogOwner

  get policy(): SyncPolicy {
    const { appendfsync } = this.#values;
    return appendfsync === "always" || appendfsync === "no" ? appendfsync : "everysec";
  }

  get skipsSyncs(): boolean {
    return this.#values.noAppendfsyncOnRewrite && this.#jobs.current !== null;
  }

  get writesTimestamps(): boolean {
    return this.#values.aofTimestampEnabled;
  }

  nowMs(): number {
    return this.#parts.clock.nowMs();
  }

  statusChanged(failure: string | null): void {
    if (failure === null) {
      this.#parts.log.warning("AOF write error looks solved. The server can write again.");
    } else this.#parts.log.warning(`Error writing to the AOF file: ${failure}`);
    this.#setGate();
  }

  syncDelayed(): void {
    assert(this.#rewriter.aof !== null, "only a log is synced");
    this.#delayedSyncs++;
    this.#parts.log.notice(
      "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without " +
        "waiting for fsync to complete, this may slow down the server.",
    );
  }

  /** Why changes can't be written to the log; null if they can, or if there is no log. */
  get #logFailure(): string | null {
    return this.#rewriter.aof?.log?.failure ?? null;
  }

  #setGate(): void {
    const { gates } = this.#parts;
    const { stopWritesOnBgsaveError, save } = this.#values;
    gates.notDurable = null;
    if (this.#logFailure !== null) {
      gates.misconf = errorReply(
        binaryOf(`MISCONF Errors writing to the AOF file: ${this.#logFailure}`),
      );
      if (this.policy === "always") gates.notDurable = gates.misconf;
    } else if (!this.#saver.outcome.isFine && stopWritesOnBgsaveError && save !== "") {
      gates.misconf = Errors.misconf;
    } else gates.misconf = null;
    assert(
      gates.notDurable === null || gates.misconf !== null,
      "where reads are refused, writes are, too",
    );
  }

  #appendingSwitched(): string | null {
    const error = this.#rewriter.switched();
    this.#setGate();
    return error;
  }

  #directoryChanged(): string | null {
    const isInUse = this.#rewriter.aof !== null || this.#jobs.current !== null;
    return this.#directory.changed(isInUse);
  }

  // For the end of a turn of the event loop

  /** Whether changes are written to the append-only file. */
  get isAppending(): boolean {
    return this.#rewriter.aof !== null && this.#rewriter.aof.log !== null;
  }

  /** Writes the changes of this turn; returns whether replies may be sent. */
  commit(): boolean {
    this.#parts.stream.flush();
    return this.#rewriter.aof?.log?.isCommitted ?? true;
  }

  // Commands

  get lastSaveMs(): number {
    return this.#saver.lastSaveMs;
  }

  saveNow(): ErrorReply | null {
    return this.#saver.saveByCommand();
  }

  saveInBackground(time: JobTime): JobStart | ErrorReply {
    return this.#saver.saveInBackground(time);
  }

  rewriteLog(time: JobTime): JobStart | ErrorReply {
    return this.#rewriter.rewriteByCommand(time);
  }

  snapshotToFile(begun: () => void, contents: SnapshotContents): Promise<string> {
    return this.#saver.snapshotToFile(begun, contents);
  }

  flushed(): void {
    this.#saver.flushed();
  }

  fields(): [name: string, value: string | number][] {
    return persistenceFields({
      jobs: this.#jobs,
      saver: this.#saver,
      rewriter: this.#rewriter,
      restorer: this.#restorer,
      logFailure: this.#logFailure,
      delayedSyncs: this.#delayedSyncs,
      nowMs: () => this.nowMs(),
    });
  }

  /** DEBUG RELOAD. Refused while data are being loaded: it would save a part of them and load them a second time. */
  reload({ saves, ...mode }: LoadMode & { saves: boolean }): ErrorReply | null {
    if (this.#restorer.progress.isOn) return Errors.loading;
    if (saves && !this.#saver.saveNow()) return Errors.failed;
    return this.#loadNow(null, mode) ? null : Errors.reloadFailed;
  }

  /** DEBUG LOADAOF; refused as `reload`. */
  reloadLog(): ErrorReply | null {
    if (this.#restorer.progress.isOn) return Errors.loading;
    // The first base is still being written, so there is nothing to load.
    if (this.#rewriter.isWaiting) return Errors.rewriteInProgress;
    const aof = this.#rewriter.aof ?? this.#directory.newAof();
    this.#parts.stream.flush();
    if (aof.log?.finish() === false) return Errors.reloadLogFailed;
    if (aof.log === null && !this.#hasLog(aof)) return Errors.reloadLogFailed;
    const mode = { flushes: true, merges: false };
    return this.#loadNow(aof, mode) ? null : Errors.reloadLogFailed;
  }

  /** Reads the manifest; returns whether there is anything to load. */
  #hasLog(aof: AppendOnlyFile): boolean {
    assert(aof.log === null, "the manifest of a log that is written is known");
    try {
      return aof.read();
    } catch (error) {
      this.#parts.log.warning(failureText(error));
      return false;
    }
  }

  /** Loads at once, without appending anything to the log; returns whether that worked. */
  #loadNow(aof: AppendOnlyFile | null, mode: LoadMode): boolean {
    assert(!this.#restorer.progress.isOn, "data are loaded once at a time");
    const { stream } = this.#parts;
    this.#jobs.finishSnapshot();
    const appender = this.#rewriter.aof?.log ?? null;
    if (appender !== null) stream.removeTaker(appender);
    assert(this.#parts.keyspace.hooks.before === null, "no snapshot is under way while loading");
    const isFine = this.#restorer.loadNow(aof, mode);
    assert(!this.#restorer.progress.isOn, "what was loaded at once is loaded");
    this.#saver.nothingChanged();
    if (appender !== null) stream.addTaker(appender);
    return isFine;
  }

  // Start, time and end

  /** Before `start`: throws an error if another server uses the directory and either of them may write there. */
  lockDirectory(): void {
    this.#directory.lockAtStart();
  }

  /**
   * Loads the saved data, while clients are answered -LOADING, then continues appending. Throws an error that says what
   * can be done about it.
   */
  async start(): Promise<void> {
    assert(this.#rewriter.aof === null, "a server starts once");
    assert(this.#jobs.current === null, "nothing is saved before the start");
    const aof = this.#values.appendonly ? this.#directory.newAof() : null;
    aof?.read();
    this.#rewriter.aof = aof;
    const files = this.#restorer.filesOf(aof);
    if (files.length > 0) await this.#restorer.loadInSlices(files);
    // This comes before clients may write, so that the log has every change.
    if (aof !== null) this.#rewriter.startAppending(aof);
    if (files.length === 0) return;
    assert(this.#rewriter.aof === aof, "appending is not switched while loading");
    this.#restorer.end(aof);
    this.#saver.nothingChanged();
    assert(this.isAppending === (aof !== null), "a log that was loaded is appended to");
    assert(this.#saver.changes === 0, "what was loaded is no change");
  }

  /** Called ten times a second. */
  tick(): void {
    if (this.#restorer.progress.isOn) return;
    assert(!this.#parts.keyspace.isLoading, "nothing is saved of what is half loaded");
    this.#rewriter.tick();
    if (this.#jobs.current !== null) return;
    if (this.#rewriter.isWanted()) return void this.#rewriter.begin();
    if (this.#saver.isDue()) return void this.#saver.begin();
    if (this.#rewriter.isGrown()) this.#rewriter.begin();
  }

  /**
   * Before the server ends: writes what the log lacks, and saves if asked to (null: if there are save points). Returns
   * whether the server may end: that worked, or it is forced.
   */
  shutdown(save: boolean | null, isForced: boolean): boolean {
    const { log } = this.#parts;
    // A save now would replace the file by the part of it that has been loaded.
    if (this.#restorer.progress.isOn) return true;
    if (this.#rewriter.isWaiting) {
      log.warning(`Writing initial AOF${isForced ? ". Exit anyway." : ", can't exit"}`);
      if (!isForced) return false;
    }
    this.#jobs.cancel();
    assert(this.#parts.keyspace.hooks.before === null, "the last save is the only snapshot");
    const isLogged = this.#finishLog();
    if (save === false) return true;
    const isSaved = (save ?? this.#values.save !== "") ? this.#saveLast() : true;
    return (isLogged && isSaved) || isForced;
  }

  /** When the server has stopped: closes the log, and lets another server write in the directory. */
  close(): void {
    this.#jobs.cancel();
    const { aof } = this.#rewriter;
    if (aof !== null && aof.log !== null) this.#parts.stream.removeTaker(aof.log);
    aof?.close();
    assert(!this.isAppending, "nothing is written after the end");
    this.#directory.close();
  }

  #finishLog(): boolean {
    this.#parts.stream.flush();
    if (this.#rewriter.aof?.log?.finish() !== false) return true;
    this.#parts.log.warning("Error writing what is left to the AOF.");
    return false;
  }

  #saveLast(): boolean {
    const { log } = this.#parts;
    assert(this.#jobs.current === null, "no older snapshot replaces the last one");
    log.notice("Saving the final RDB snapshot before exiting.");
    if (this.#saver.saveNow()) return true;
    log.warning("Error trying to save the DB, can't exit.");
    return false;
  }
}
