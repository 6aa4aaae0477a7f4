/** The directory of the data: the paths of its files, its lock, and the beginning of new files. */
import { assert } from "../lib/assert.ts";
import type { Parameters } from "../config/parameters.ts";
import { unicodeOf } from "../config/words.ts";
import { systemText } from "../lib/system_error.ts";
import { timestampLine } from "./aof_log.ts";
import { AppendOnlyFile } from "./append_only_file.ts";
import { DirectoryLock, removeTemporaryFiles, temporaryName } from "./files.ts";
import type { PersistenceParts } from "./parts.ts";
import { RdbFileWriter, type RdbSettings } from "./rdb_file.ts";

/** How often, and after which pauses, a lock that is to be shared is tried again. */
const LOCK_ATTEMPTS = 3;
const LOCK_PAUSE_MS = 20;

export class DataDirectory {
  readonly #parts: PersistenceParts;
  readonly #lock = new DirectoryLock();
  #temporaryCount = 0;

  constructor(parts: PersistenceParts) {
    this.#parts = parts;
  }

  get #values(): Parameters["values"] {
    return this.#parts.parameters.values;
  }

  get path(): string {
    return unicodeOf(this.#values.dir);
  }

  get rdbPath(): string {
    const name = unicodeOf(this.#values.dbfilename);
    assert(name !== "", "the configuration names the file");
    return `${this.path}/${name}`;
  }

  /** A name that no other file has, of this or an earlier job: two jobs must never remove each other's files. */
  temporaryName(kind: "save" | "bgsave" | "sync" | "rewriteaof-bg"): string {
    return temporaryName(kind, Deno.pid, ++this.#temporaryCount);
  }

  newAof(): AppendOnlyFile {
    const { appenddirname, appendfilename } = this.#values;
    return new AppendOnlyFile({
      parent: this.path,
      directoryName: unicodeOf(appenddirname),
      prefix: unicodeOf(appendfilename),
    });
  }

  /** Begins a snapshot that is written to a file; throws if the file can't be created. */
  openWriter(
    path: string,
    temporary: string,
    isAofBase: boolean,
    keyspace = this.#parts.keyspace,
    functions = this.#parts.functions.codes(),
  ): RdbFileWriter {
    assert(path !== temporary, "an unfinished file has another name");
    this.takeLock();
    return new RdbFileWriter(keyspace, path, temporary, this.#settings(isAofBase, functions));
  }

  #settings(isAofBase: boolean, functions: Iterable<Uint8Array>): RdbSettings {
    const { clock, version } = this.#parts;
    const values = this.#values;
    assert(version !== "", "a file says which version has written it");
    assert(clock.nowMs() > 0, "a file says when it was written");
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
      functions,
      head: values.aofTimestampEnabled ? timestampLine(clock.nowMs()) : "",
    };
  }

  /** Whether data are saved here without being asked to. */
  get #isWritten(): boolean {
    return this.#values.appendonly || this.#values.save !== "";
  }

  /** Before something is written. Fails where another server uses the directory. */
  takeLock(): void {
    if (!this.#lock.take(this.path, true)) throw new Error(this.#lockedText);
  }

  /**
   * A server that saves nothing shares the directory with others of its kind. One that saves wants it alone. Whoever is
   * alone removes files that a killed server has left unfinished. A read-only directory can't be locked, and that is fine until we must
   * save: it is only warned about.
   */
  lockAtStart(): void {
    const { path } = this;
    assert(!this.#parts.keyspace.isLoading, "a directory is locked before it is read");
    assert(this.#temporaryCount === 0, "the unfinished files are another server's");
    const isWritten = this.#isWritten;
    let isOurs = false;
    try {
      isOurs = this.#lock.take(path, isWritten);
      // Another server may be looking for such files, too, for which it must be alone for a moment.
      for (let i = 0; !isOurs && !isWritten && i < LOCK_ATTEMPTS; i++) {
        this.#parts.clock.sleep(LOCK_PAUSE_MS);
        isOurs = this.#lock.take(path, isWritten);
      }
      isOurs &&= this.#lock.ifAlone(path, () => {
        removeTemporaryFiles(path);
        removeTemporaryFiles(this.newAof().directory);
      });
    } catch (error) {
      if (isWritten) this.#warnReadOnly(error);
      return;
    }
    if (!isOurs) throw new Error(this.#lockedText);
  }

  /**
   * CONFIG SET dir; returns an error text or null. `isInUse`: a file is still being written in the old directory,
   * whose lock is therefore kept as well.
   */
  changed(isInUse: boolean): string | null {
    try {
      if (!this.#lock.take(this.path, this.#isWritten)) return this.#lockedText;
    } catch (error) {
      // As at the start.
      if (this.#isWritten) this.#warnReadOnly(error);
    }
    if (!isInUse) this.#lock.releaseOthers(this.path);
    return null;
  }

  /** CONFIG SET save; returns an error text or null. */
  saveChanged(): string | null {
    const isShared = this.#isWritten && this.#lock.holds(this.path);
    return isShared && !this.#lock.take(this.path, true) ? this.#lockedText : null;
  }

  /** Gives the lock up. */
  close(): void {
    this.#lock.release();
  }

  #warnReadOnly(error: unknown): void {
    this.#parts.log.warning(
      `Can't write in ${this.path}, where data are saved: ${systemText(error)}`,
    );
  }

  get #lockedText(): string {
    return `Another server uses ${this.path}, where only one may write: choose another dir, or stop that one`;
  }
}
