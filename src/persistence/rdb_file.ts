/** Writes whole RDB files from a snapshot, in slices or at once, and loads them. */
import type { Keyspace } from "../keyspace/keyspace.ts";
import { assert } from "../lib/assert.ts";
import { FileSink } from "./file_sink.ts";
import { CorruptData } from "./byte_source.ts";
import { FileSource } from "./file_source.ts";
import { replaceFile, replaceFileSync, tryToRemove } from "./files.ts";
import { loadSome } from "./loading.ts";
import { type LoadOptions, RdbLoader } from "./rdb_loader.ts";
import { CommandEntryWriter, RdbEntryWriter, writeLibraryCommand } from "./entry_writer.ts";
import { RdbWriter } from "./rdb_writer.ts";
import { Snapshotter } from "./snapshotter.ts";

/** How long a slice of the walk takes; then other work gets a turn. */
const SLICE_US = 500;
/** The walk pauses while more than this waits to be written. */
const BACKLOG_MAX_BYTES = 2 * 1024 * 1024;

/** How files are written, and what their headers say. */
export interface RdbSettings {
  /** Whether it is an RDB; otherwise it consists of commands that restore the entries. */
  readonly isRdb: boolean;
  readonly version: number;
  readonly compresses: boolean;
  readonly withCrc: boolean;
  readonly syncsOften: boolean;
  /** How long each key takes at least, in µs. */
  readonly keyDelayUs: number;
  readonly aux: readonly (readonly [name: string, value: string])[];
  /** The source of libraries of functions. */
  readonly functions: Iterable<Uint8Array>;
  /** What precedes the commands in a file that is no RDB. */
  readonly head: string;
}

/** Writes one file. */
export class RdbFileWriter {
  readonly snapshot: Snapshotter;
  readonly #keyspace: Keyspace;
  readonly #path: string;
  readonly #temporary: string;
  readonly #file: Deno.FsFile;
  readonly #sink: FileSink;
  readonly #settings: RdbSettings;
  readonly #out: RdbWriter;
  #delayedKeys = 0;
  /** The file was given up. */
  isCancelled = false;

  /** Begins a snapshot that is written to `temporary` and then renamed to `path`. Throws if that can't be created. */
  constructor(keyspace: Keyspace, path: string, temporary: string, settings: RdbSettings) {
    assert(path !== temporary, "an unfinished file has another name");
    assert(settings.keyDelayUs >= 0, "a delay is not negative");
    this.#keyspace = keyspace;
    this.#path = path;
    this.#temporary = temporary;
    this.#settings = settings;
    this.#file = Deno.openSync(temporary, { write: true, create: true, truncate: true });
    const { version, compresses, withCrc, syncsOften, isRdb } = settings;
    this.#sink = new FileSink(this.#file, withCrc && isRdb, syncsOften);
    this.#out = new RdbWriter(this.#sink, version, compresses);
    if (isRdb) {
      this.#out.header(settings.aux);
      for (const code of settings.functions) this.#out.functionLibrary(code);
    } else {
      this.#sink.text(settings.head);
      for (const code of settings.functions) writeLibraryCommand(this.#sink, code);
    }
    this.snapshot = new Snapshotter(
      keyspace,
      this.#sink,
      (keyspace, sink) =>
        isRdb
          ? new RdbEntryWriter(keyspace, sink, version, compresses)
          : new CommandEntryWriter(sink, version, compresses),
    );
  }

  /** Writes everything in slices and renames the file; throws, leaving the old file, if that fails. */
  async run(): Promise<void> {
    try {
      await this.#walk();
      assert(this.snapshot.isOver, "a file is complete when its walk is");
      if (this.#settings.isRdb) this.#out.end(() => this.#sink.crc());
      await this.#sink.finish();
      this.#check();
      await replaceFile(this.#temporary, this.#path);
    } catch (error) {
      this.#giveUp();
      throw error;
    } finally {
      this.#file.close();
    }
  }

  async #walk(): Promise<void> {
    const { clock } = this.#keyspace;
    assert(!this.#sink.isSync, "what is written in slices is written beside the loop");
    for (;;) {
      // While a script is suspended the data are half changed.
      if (this.#keyspace.hooks.isForbidden) await this.#keyspace.hooks.allowed();
      const end = clock.monotonicUs() + SLICE_US;
      const isSlow = this.#settings.keyDelayUs > 0;
      if (!this.snapshot.slice(() => isSlow || clock.monotonicUs() >= end)) break;
      if (this.#sink.backlog > BACKLOG_MAX_BYTES) await this.#sink.drained();
      await new Promise((resolve) => setTimeout(resolve, 0));
      await this.#delay();
    }
  }

  /** rdb-key-save-delay: makes saving slow, for tests. */
  async #delay(): Promise<void> {
    const { written } = this.snapshot;
    const { keyDelayUs } = this.#settings;
    assert(written >= this.#delayedKeys, "keys are counted upwards");
    if (keyDelayUs <= 0) return;
    const until = performance.now() + keyDelayUs * (written - this.#delayedKeys) / 1000;
    this.#delayedKeys = written;
    while (performance.now() < until && !this.isCancelled) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** As `run`, synchronously. */
  runSync(): void {
    assert(this.#sink.backlog === 0, "what is written at once was not begun otherwise");
    assert(!this.isCancelled, "a file that was given up is not begun");
    try {
      this.#sink.isSync = true;
      this.snapshot.slice(() => false);
      assert(this.snapshot.isOver, "a file is complete when its walk is");
      if (this.#settings.isRdb) this.#out.end(() => this.#sink.crc());
      this.#sink.finishSync();
      this.#check();
      replaceFileSync(this.#temporary, this.#path);
    } catch (error) {
      this.#giveUp();
      throw error;
    } finally {
      this.#file.close();
    }
  }

  #check(): void {
    const { failure } = this.#sink;
    if (failure !== null) throw failure;
    assert(!this.isCancelled, "what is not wanted any more was discarded");
    assert(this.#sink.backlog === 0, "what is complete waits for no disk");
    assert(this.snapshot.written === this.snapshot.total, "all keys are in the file");
  }

  /** Removes the unfinished file and ends the snapshot. */
  #giveUp(): void {
    this.snapshot.abandon();
    assert(this.snapshot.isOver, "no snapshot is left of what was given up");
    // If that fails, the file stays until the next server starts: see removeTemporaryFiles.
    tryToRemove(this.#temporary);
  }

  /** Gives the file up; another snapshot may be begun at once. */
  cancel(): void {
    this.discard();
    this.#giveUp();
  }

  /** Gives the file up, but leaves the walk to mark the remaining entries in slices. */
  discard(): void {
    this.isCancelled = true;
    this.#sink.discard();
    assert(this.#sink.failure !== null, "what was given up does not take another's place");
  }
}

/** Loads one file. */
export class RdbFileLoader {
  readonly loader: RdbLoader;
  readonly #file: Deno.FsFile;

  constructor(readonly path: string, keyspace: Keyspace, options: LoadOptions) {
    this.#file = Deno.openSync(path, { read: true });
    const source = new FileSource(this.#file, options.checksCrc);
    this.loader = namingFile(this.path, "RDB", () => new RdbLoader(source, keyspace, options));
  }

  /** Bytes read, and bytes of the file. */
  get offset(): number {
    return this.loader.source.offset;
  }

  get size(): number {
    return this.loader.source.size;
  }

  get isWaiting(): boolean {
    return this.loader.isWaiting;
  }

  next(): boolean {
    assert(this.offset <= this.size, "nothing is read beyond the end");
    return this.loader.next();
  }

  /** Loads until `isOver` returns true; returns whether something is left. */
  slice(isOver: () => boolean): boolean {
    return namingFile(this.path, "RDB", () => loadSome(this, isOver));
  }

  close(): void {
    this.#file.close();
  }
}

/** Does `work`, which reads the file at `path`; an error about its bytes then names the file, too. */
export function namingFile<T>(path: string, kind: "RDB" | "append only", work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof CorruptData)) throw error;
    throw new DamagedFile(path, error.offset, error.message, kind);
  }
}

/** A file that can't be read to its end. */
export class DamagedFile extends Error {
  override name = "DamagedFile";
  constructor(
    readonly path: string,
    readonly offset: number,
    what: string,
    kind: "RDB" | "append only",
  ) {
    assert(offset >= 0, "an error says where");
    assert(what !== "", "an error says what is wrong");
    const remedy = kind === "RDB"
      ? "respite check-rdb <file> tells more"
      : "make a backup of your AOF file, then use respite check-aof --fix <filename.manifest>";
    super(
      `Bad file format reading the ${kind} file ${path} at offset ${offset} (${what}): ${remedy}`,
    );
  }
}
