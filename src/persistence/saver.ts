/** Snapshots in files of their own: SAVE, BGSAVE, save points, and the one that SYNC sends. */
import { Keyspace } from "../keyspace/keyspace.ts";
import { assert } from "../lib/assert.ts";
import { failureText, systemText } from "../lib/system_error.ts";
import { type ErrorReply, Errors } from "../protocol/errors.ts";
import type { DataDirectory } from "./data_directory.ts";
import { type Job, type Jobs, type JobStart, type JobTime, Outcome } from "./jobs.ts";
import type { PersistenceParts } from "./parts.ts";

/** How long after a failure the next attempt is made. */
const RETRY_MS = 5000;

/** What a snapshot for another server consists of. */
export interface SnapshotContents {
  readonly keys: boolean;
  readonly functions: boolean;
}

export class Saver {
  lastSaveMs: number;
  readonly outcome = new Outcome();
  /** `hooks.dirty` at the last save. */
  #savedDirty = 0;
  #isScheduled = false;
  readonly #parts: PersistenceParts;
  readonly #directory: DataDirectory;
  readonly #jobs: Jobs;
  readonly #ended: () => void;

  /** `ended` is called whenever an attempt has succeeded or failed. */
  constructor(parts: PersistenceParts, directory: DataDirectory, jobs: Jobs, ended: () => void) {
    this.#parts = parts;
    this.#directory = directory;
    this.#jobs = jobs;
    this.#ended = ended;
    this.lastSaveMs = parts.clock.nowMs();
  }

  /** The number of changes since the last save. */
  get changes(): number {
    const { dirty } = this.#parts.keyspace.hooks;
    assert(this.#savedDirty <= dirty, "no change is saved before it is made");
    return dirty - this.#savedDirty;
  }

  /** Called after loading: the data are those in the file. */
  nothingChanged(): void {
    this.#savedDirty = this.#parts.keyspace.hooks.dirty;
  }

  /** SAVE. */
  saveByCommand(): ErrorReply | null {
    if (this.#jobs.has("save")) return Errors.saveInProgress;
    return this.saveNow() ? null : Errors.failed;
  }

  /** Saves at once, whatever else is under way; returns whether that worked. */
  saveNow(): boolean {
    const { keyspace, log, clock } = this.#parts;
    const { rdbPath } = this.#directory;
    const startedMs = clock.nowMs();
    const { dirty } = keyspace.hooks;
    // A save under way writes older data. It is given up: its file must not replace this one later.
    if (this.#jobs.has("save")) this.#jobs.cancel();
    this.#jobs.finishSnapshot();
    assert(!this.#jobs.has("save"), "no older save is left that could replace this one");
    try {
      const temporary = `${this.#directory.path}/${this.#directory.temporaryName("save")}`;
      this.#directory.openWriter(rdbPath, temporary, false).runSync();
    } catch (error) {
      // As in Redis, writes are refused after a failed BGSAVE, but not after a failed SAVE.
      log.warning(`Error saving the DB to ${rdbPath}: ${systemText(error)}`);
      return false;
    }
    assert(keyspace.hooks.before === null, "a save that is done has ended its snapshot");
    log.notice("DB saved on disk");
    this.#saved(true, startedMs, dirty);
    return true;
  }

  #saved(isFine: boolean, startedMs: number, dirty: number): void {
    const { clock } = this.#parts;
    clock.refresh();
    assert(
      dirty <= this.#parts.keyspace.hooks.dirty,
      "a save knows no change that is still to come",
    );
    assert(dirty >= 0, "changes are counted upwards");
    assert(startedMs > 0, "what has ended has begun");
    if (isFine) {
      this.#savedDirty = dirty;
      this.lastSaveMs = clock.nowMs();
    }
    this.outcome.ended(isFine, startedMs, clock.nowMs());
    this.#ended();
  }

  /** BGSAVE. */
  saveInBackground(time: JobTime): JobStart | ErrorReply {
    if (this.#jobs.has("save")) return Errors.saveInProgress;
    if (this.#jobs.current !== null || time === "later") {
      if (time === "now") return Errors.saveWhileRewriting;
      this.#isScheduled = true;
      return "scheduled";
    }
    return this.begin() ? "started" : Errors.failed;
  }

  /** Begins to save in the background, where no other job may be under way; returns whether that worked. */
  begin(): boolean {
    assert(this.#jobs.current === null, "one job is under way at a time");
    const { keyspace, log, clock } = this.#parts;
    const directory = this.#directory;
    const startedMs = this.outcome.lastTryMs = clock.nowMs();
    this.#isScheduled = false;
    try {
      const temporary = `${directory.path}/${directory.temporaryName("bgsave")}`;
      assert(keyspace.hooks.before === null, "one snapshot is under way at a time");
      const writer = directory.openWriter(directory.rdbPath, temporary, false);
      const job: Job = { kind: "save", writer, startedMs, dirty: keyspace.hooks.dirty };
      void this.#jobs.run(job, (isFine) => this.#saved(isFine, startedMs, job.dirty));
      assert(this.#jobs.current === job, "what was begun is under way");
    } catch (error) {
      log.warning(`Failed opening the temp RDB file for saving: ${failureText(error)}`);
      this.#saved(false, startedMs, 0);
      return false;
    }
    log.notice("Background saving started");
    return true;
  }

  /** Whether a save in the background is due: it was scheduled, or a save point is reached. */
  isDue(): boolean {
    assert(this.#jobs.current === null, "only one who may begin asks what is due");
    const mayTry = this.outcome.isFine ||
      this.#parts.clock.nowMs() - this.outcome.lastTryMs > RETRY_MS;
    return mayTry && (this.#isScheduled || this.#isSavePoint());
  }

  #isSavePoint(): boolean {
    const { clock, log, parameters } = this.#parts;
    const { changes } = this;
    if (changes === 0) return false;
    const elapsed = (clock.nowMs() - this.lastSaveMs) / 1000;
    const { save } = parameters.values;
    const numbers = save.split(" ").map(Number);
    assert(save === "" || numbers.length % 2 === 0, "save points are pairs");
    assert(changes > 0, "changes are counted upwards");
    for (let i = 0; i + 1 < numbers.length; i += 2) {
      if (changes < numbers[i + 1] || elapsed <= numbers[i]) continue;
      log.notice(`${numbers[i + 1]} changes in ${numbers[i]} seconds. Saving...`);
      return true;
    }
    return false;
  }

  /** After FLUSHALL: gives up a save under way, and saves the empty keyspace if there are save points. */
  flushed(): void {
    assert(this.#parts.keyspace.keyCount === 0, "all keys are gone");
    if (this.#jobs.has("save")) this.#jobs.cancel();
    if (this.#parts.parameters.values.save !== "") this.saveNow();
  }

  /** Writes a snapshot to a file that the caller removes; `begun` is called at the instant whose data it contains. */
  async snapshotToFile(begun: () => void, contents: SnapshotContents): Promise<string> {
    const { clock, keyspace } = this.#parts;
    // While a script is suspended the data are half changed.
    while (this.#jobs.current !== null || keyspace.hooks.isForbidden) {
      await (keyspace.hooks.isForbidden ? keyspace.hooks.allowed() : this.#jobs.pause());
    }
    assert(this.#jobs.current === null, "one job is under way at a time");
    assert(keyspace.hooks.before === null, "one snapshot is under way at a time");
    const path = `${this.#directory.path}/${this.#directory.temporaryName("sync")}`;
    const source = contents.keys
      ? keyspace
      : new Keyspace(clock, keyspace.hasher, 1, keyspace.limits);
    assert(contents.keys || source.keyCount === 0, "a snapshot without keys has none");
    assert(contents.keys || source !== keyspace, "keys that are left out are another keyspace's");
    const functions = contents.functions ? this.#parts.functions.codes() : [];
    const writer = this.#directory.openWriter(path, `${path}.part`, false, source, functions);
    begun();
    const { dirty } = keyspace.hooks;
    let isFine = false;
    await this.#jobs.run({ kind: "sync", writer, startedMs: clock.nowMs(), dirty }, (fine) => {
      isFine = fine;
    });
    if (!isFine) throw new Error("the snapshot could not be written");
    return path;
  }
}
