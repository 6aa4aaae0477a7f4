/** Loads the saved data: in slices while the server starts, or at once for DEBUG. */
import { assert } from "../lib/assert.ts";
import { failureText } from "../lib/system_error.ts";
import { Errors } from "../protocol/errors.ts";
import { AofFileLoader } from "./aof_loader.ts";
import type { AppendOnlyFile } from "./append_only_file.ts";
import type { DataDirectory } from "./data_directory.ts";
import { exists, sizeOf } from "./files.ts";
import { type FileLoading, loadInSlices, loadNow, LoadProgress } from "./loading.ts";
import type { PersistenceParts } from "./parts.ts";
import { RdbFileLoader } from "./rdb_file.ts";
import { type LoadOptions, NOT_READY, type RdbLoader } from "./rdb_loader.ts";

/** A file that is to be loaded; it is opened when the files before it are loaded. */
interface FileToLoad {
  readonly path: string;
  open(): FileLoading;
}

/** How data are loaded beside data in memory. */
export interface LoadMode {
  /** All data in memory are dropped first. */
  readonly flushes: boolean;
  /** What is in memory, too, is replaced. */
  readonly merges: boolean;
}

export class Restorer {
  readonly progress = new LoadProgress();
  keysLoaded = 0;
  keysExpired = 0;
  readonly #parts: PersistenceParts;
  readonly #directory: DataDirectory;
  /** Kinds of data that could not be loaded: each is logged once. */
  readonly #losses = new Set<string>();

  constructor(parts: PersistenceParts, directory: DataDirectory) {
    this.#parts = parts;
    this.#directory = directory;
  }

  /**
   * Loads files. Clients are answered -LOADING until `end` is called. Throws an error that says what can be done about
   * it.
   */
  async loadInSlices(files: readonly FileToLoad[]): Promise<void> {
    const { clock, log, parameters } = this.#parts;
    assert(files.length > 0, "there is something to load");
    this.#begin(files);
    const pace = {
      clock,
      log,
      keyDelayUs: () => parameters.values.keyLoadDelay,
      prepareScripts: () => this.#parts.functions.prepare(),
    };
    for (const [i, file] of files.entries()) {
      const loading = file.open();
      assert(loading.path === file.path, "the file that was listed is opened");
      await loadInSlices(loading, this.progress, pace);
      assert(this.progress.isOn, "loading goes on until the last file is loaded");
      this.#fileLoaded(loading, i === files.length - 1);
    }
  }

  /** Loads the append-only file, or without one the last save, at once; returns whether that worked. */
  loadNow(aof: AppendOnlyFile | null, { flushes, merges }: LoadMode): boolean {
    const { keyspace, log, functions } = this.#parts;
    let files: FileToLoad[];
    try {
      files = this.filesOf(aof, merges);
    } catch (error) {
      log.warning(failureText(error));
      return false;
    }
    if (flushes) {
      keyspace.clear();
      functions.clear();
    }
    this.#begin(files);
    let isFine = true;
    try {
      for (const file of files) {
        const loading = file.open();
        loadNow(loading, this.progress);
        this.#fileLoaded(loading, false);
      }
    } catch (error) {
      log.warning(failureText(error));
      isFine = false;
    }
    this.end(aof);
    return isFine;
  }

  /**
   * The files of the append-only file, in order, or without one the last save. `merges`: a library of functions in it may
   * take the place of one in memory.
   */
  filesOf(aof: AppendOnlyFile | null, merges = false): FileToLoad[] {
    const { keyspace, target } = this.#parts;
    if (aof === null) {
      const path = this.#directory.rdbPath;
      if (!exists(path)) return [];
      return [{ path, open: () => new RdbFileLoader(path, keyspace, this.#options(true, merges)) }];
    }
    return aof.manifest.files().map((file) => {
      const path = aof.pathOf(file);
      if (!exists(path)) {
        throw new Error(
          `Can't open the append log file ${file.name} for reading: No such file or directory`,
        );
      }
      const options = this.#options(false, merges);
      return { path, open: () => new AofFileLoader(path, keyspace, target, options) };
    });
  }

  #options(dropsExpired: boolean, merges: boolean): LoadOptions {
    return {
      dropsExpired,
      checksCrc: this.#parts.parameters.values.rdbchecksum,
      onLibrary: (code) => {
        const { functions } = this.#parts;
        assert(this.progress.isOn, "libraries are added while loading");
        return functions.isReady ? functions.add(code, merges) : NOT_READY;
      },
      onLoss: (what) => {
        if (this.#losses.has(what)) return;
        this.#losses.add(what);
        this.#parts.log.warning(`Not loaded: ${what}`);
      },
    };
  }

  #begin(files: readonly FileToLoad[]): void {
    const { gates, keyspace, clock } = this.#parts;
    assert(!this.progress.isOn && !keyspace.isLoading, "data are loaded once at a time");
    assert(keyspace.hooks.before === null, "no snapshot is taken of what is half loaded");
    assert(gates.loading === null, "clients are not kept out for another reason");
    let total = 0;
    for (const { path } of files) total += Math.max(sizeOf(path), 0);
    clock.refresh();
    this.progress.begin(clock.nowMs(), total);
    gates.loading = Errors.loading;
    keyspace.isLoading = true;
    this.keysLoaded = this.keysExpired = 0;
    this.#losses.clear();
  }

  #fileLoaded(loading: FileLoading, isLast: boolean): void {
    assert(this.progress.isOn, "a file is loaded while loading");
    if (loading instanceof RdbFileLoader) this.#count(loading.loader);
    if (!(loading instanceof AofFileLoader)) return;
    if (loading.rdb !== null) this.#count(loading.rdb);
    if (loading.isTruncated) this.#cutOff(loading, isLast);
  }

  #count({ keysLoaded, keysExpired }: RdbLoader): void {
    assert(keysLoaded >= 0, "keys are counted upwards");
    assert(keysExpired >= 0, "keys that have expired are counted upwards");
    this.keysLoaded += keysLoaded;
    this.keysExpired += keysExpired;
  }

  /** Handles a file that ends within a command: if that is allowed, cuts the incomplete command off. */
  #cutOff({ path, validTo }: AofFileLoader, isLast: boolean): void {
    const { log, parameters } = this.#parts;
    assert(validTo >= 0, "a position in a file is not negative");
    assert(validTo <= Math.max(sizeOf(path), 0), "a file is cut off, never made longer");
    if (!isLast || !parameters.values.aofLoadTruncated) {
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

  /** Ends loading: clients' commands run from now on. */
  end(aof: AppendOnlyFile | null): void {
    const { gates, keyspace, log, clock } = this.#parts;
    assert(this.progress.isOn, "what ends has begun");
    assert(keyspace.isLoading, "the keyspace is what was loaded");
    assert(keyspace.hooks.before === null, "no snapshot is taken of what is half loaded");
    const { startedMs } = this.progress;
    clock.refresh();
    this.progress.end();
    gates.loading = null;
    keyspace.isLoading = false;
    const seconds = ((clock.nowMs() - startedMs) / 1000).toFixed(3);
    log.notice(`DB loaded from ${aof === null ? "disk" : "append only file"}: ${seconds} seconds`);
  }
}
