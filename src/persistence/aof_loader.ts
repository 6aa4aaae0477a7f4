/** Loads one file of an append-only file: commands, an RDB, or an RDB with commands behind it. */
import { assert } from "../lib/assert.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { Args } from "../protocol/args.ts";
import { AofReader, TruncatedData } from "./aof_reader.ts";
import { FileSource } from "./file_source.ts";
import { RDB_MAGIC } from "./rdb_format.ts";
import { loadSome } from "./loading.ts";
import { DamagedFile, namingFile } from "./rdb_file.ts";
import { type LoadOptions, RdbLoader } from "./rdb_loader.ts";

/** Runs the commands that are read. */
export interface AofTarget {
  /** Begins a file: its commands start in database 0. */
  begin(): void;
  /** Ends it. */
  end(): void;
  /** Whether a command can be run; if not, it can be when the interpreter of scripts is ready. */
  isReadyFor(args: Args): boolean;
  /** Runs a command; returns an error text if there is no such command, else null. */
  apply(args: Args): string | null;
  /** Whether a MULTI is open. */
  readonly isInTransaction: boolean;
  /** Drops the commands queued since MULTI. */
  abandonTransaction(): void;
}

export class AofFileLoader {
  /** Offset up to which the file is whole. If it ends later, an incomplete command or transaction follows. */
  validTo = 0;
  isTruncated = false;
  readonly #file: Deno.FsFile;
  readonly #source: FileSource;
  readonly #reader: AofReader;
  readonly #target: AofTarget;
  #rdb: RdbLoader | null = null;

  constructor(
    readonly path: string,
    keyspace: Keyspace,
    target: AofTarget,
    options: LoadOptions,
  ) {
    this.#target = target;
    target.begin();
    assert(!target.isInTransaction, "a file begins outside of any transaction");
    this.#file = Deno.openSync(path, { read: true });
    const isRdb = beginsAsRdb(this.#file);
    this.#source = new FileSource(this.#file, isRdb && options.checksCrc);
    this.#reader = new AofReader(this.#source);
    assert(this.#source.offset === 0, "a file is read from its beginning");
    if (isRdb) {
      this.#rdb = namingFile(
        this.path,
        "append only",
        () => new RdbLoader(this.#source, keyspace, options),
      );
    }
  }

  get rdb(): RdbLoader | null {
    return this.#rdb;
  }

  get offset(): number {
    return this.#source.offset;
  }

  get size(): number {
    return this.#source.size;
  }

  /** Loads until `isOver` returns true; returns whether something is left. */
  slice(isOver: () => boolean): boolean {
    return namingFile(this.path, "append only", () => loadSome(this, isOver));
  }

  #hasRdb = true;
  /** The command that was read needs the interpreter of scripts, which is not ready. */
  #isCommandWaiting = false;

  get isWaiting(): boolean {
    return this.#isCommandWaiting || (this.#rdb?.isWaiting ?? false);
  }

  next(): boolean {
    assert(!this.isTruncated, "nothing is read behind the end");
    if (this.#rdb !== null && this.#hasRdb) {
      if (this.#rdb.next()) return true;
      this.#hasRdb = false;
      this.validTo = this.#source.offset;
      assert(this.validTo >= RDB_MAGIC.length, "an RDB has a head");
    }
    if (!this.#isCommandWaiting && !this.#nextCommand()) return false;
    assert(this.#reader.args.count > 0, "a command has a name");
    assert(this.#reader.commandOffset >= this.validTo, "what is valid was read before");
    this.#isCommandWaiting = !this.#target.isReadyFor(this.#reader.args);
    if (this.#isCommandWaiting) return true;
    assert(!this.isWaiting, "nothing waits while a command is run");
    const failure = this.#target.apply(this.#reader.args);
    if (failure !== null) {
      throw new DamagedFile(this.path, this.#reader.commandOffset, failure, "append only");
    }
    if (!this.#target.isInTransaction) this.validTo = this.#source.offset;
    assert(this.validTo <= this.#source.offset, "nothing is valid that was not read");
    return true;
  }

  /** Reads a command; returns false at the end of the file, even if that is within a command. */
  #nextCommand(): boolean {
    try {
      if (this.#reader.next()) return true;
      this.isTruncated = this.#target.isInTransaction;
    } catch (error) {
      if (!(error instanceof TruncatedData)) throw error;
      this.isTruncated = true;
    }
    if (this.#target.isInTransaction) this.#target.abandonTransaction();
    assert(!this.#target.isInTransaction, "an incomplete transaction is dropped");
    return false;
  }

  close(): void {
    this.#target.end();
    assert(!this.#target.isInTransaction, "a transaction ends with its file");
    this.#file.close();
  }
}

/** Whether a file begins with an RDB; it must be positioned at its beginning. */
export function beginsAsRdb(file: Deno.FsFile): boolean {
  const head = new Uint8Array(RDB_MAGIC.length);
  const count = file.readSync(head) ?? 0;
  file.seekSync(0, Deno.SeekMode.Start);
  assert(count <= head.length, "no more is read than there is room for");
  return count === head.length && String.fromCharCode(...head) === RDB_MAGIC;
}
