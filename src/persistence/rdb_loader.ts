/**
 * Loads an RDB file into a keyspace, entry by entry, so that the caller may pause in between. See
 * rdb_format.ts for the format.
 */
import { assert } from "../lib/assert.ts";
import type { Database } from "../keyspace/database.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { Args } from "../protocol/args.ts";
import { Int64 } from "../lib/decimal.ts";
import { Slice } from "../lib/slice.ts";
import type { FileSource } from "./file_source.ts";
import {
  Opcode,
  RDB_MAGIC,
  RDB_VERSION_CRC,
  RDB_VERSION_MAX,
  RDB_VERSION_MIN,
  RdbType,
} from "./rdb_format.ts";
import { RdbReader, Scratch } from "./rdb_reader.ts";
import { type OnLoss, ValueReader } from "./value_reader.ts";

const HEADER_BYTES = 9;
const CRC_BYTES = 8;
/** The longest string whose length takes one byte (six bits), with that byte. */
const SHORT_VALUE_BYTES = 65;
/** The least that a key takes in a file. */
const KEY_BYTES_MIN = 4;

export const NOT_READY = Symbol("not ready");

export interface LoadOptions {
  /** Expired keys are left out. */
  readonly dropsExpired: boolean;
  /** Whether the checksum at the end is compared. */
  readonly checksCrc: boolean;
  readonly onLoss: OnLoss;
  /**
   * Takes the source of a library of functions; returns why it can't be used, or null. `NOT_READY`: it must be given
   * again when the interpreter of functions is ready.
   */
  readonly onLibrary: (code: Uint8Array) => string | null | typeof NOT_READY;
  /** Nothing is kept: the file is only checked. */
  readonly discards?: boolean;
}

export class RdbLoader {
  /** The file's auxiliary fields, such as the server's version. */
  readonly aux = new Map<string, string>();
  keysLoaded = 0;
  keysExpired = 0;
  /** Counted only if `discards` is set. */
  keysWithDeadline = 0;
  readonly source: FileSource;
  readonly #in: RdbReader;
  readonly #keyspace: Keyspace;
  readonly #options: LoadOptions;
  readonly #values: ValueReader;
  readonly #key = new Args();
  readonly #keyBytes = new Scratch();
  readonly #slice = new Slice();
  readonly #version: number;
  #waiting: Uint8Array | null = null;
  #database = 0;
  readonly #deadline = new Int64();
  #hasDeadline = false;
  #idle = -1;
  #frequency = -1;

  /** Reads the header; throws if there is none. */
  constructor(source: FileSource, keyspace: Keyspace, options: LoadOptions) {
    this.source = source;
    this.#in = new RdbReader(source);
    this.#keyspace = keyspace;
    this.#options = options;
    this.#values = new ValueReader(this.#in, options.onLoss);
    this.#version = this.#readHeader();
  }

  #readHeader(): number {
    const { source } = this;
    source.need(HEADER_BYTES);
    let text = "";
    for (let i = 0; i < HEADER_BYTES; i++) text += String.fromCharCode(source.byte());
    assert(text.length === HEADER_BYTES, "a header is read whole");
    if (!text.startsWith(RDB_MAGIC)) source.fail("Wrong signature trying to load DB from file");
    const version = Number(text.slice(RDB_MAGIC.length));
    if (!(version >= RDB_VERSION_MIN && version <= RDB_VERSION_MAX)) {
      source.fail(`Can't handle RDB format version ${text.slice(RDB_MAGIC.length)}`);
    }
    return version;
  }

  /** Whether a library has been read that can't be used before the interpreter of functions is ready. */
  get isWaiting(): boolean {
    return this.#waiting !== null;
  }

  /** Reads up to the end of the next entry, or to a library that must wait; returns false at the end of the file. */
  next(): boolean {
    if (this.#waiting !== null) this.#library(this.#waiting);
    while (this.#waiting === null) {
      const code = this.#in.byte();
      if (code === Opcode.end) {
        this.#end();
        return false;
      }
      if (code < Opcode.slotInfo) {
        this.#entry(code);
        return true;
      }
      this.#attribute(code);
    }
    return true;
  }

  #attribute(code: number): void {
    const input = this.#in;
    assert(code >= Opcode.slotInfo, "a lower code is an entry's type");
    assert(code !== Opcode.end, "what ends the file is no attribute");
    if (code === Opcode.expireMs) this.#readDeadline(false);
    else if (code === Opcode.expireSeconds) this.#readDeadline(true);
    else if (code === Opcode.idle) this.#idle = input.length();
    else if (code === Opcode.frequency) this.#frequency = input.byte();
    else if (code === Opcode.selectDb) this.#select(input.length());
    else if (code === Opcode.resizeDb) {
      this.#reserve(input.length());
      input.length(); // those that expire
    } else if (code === Opcode.aux) this.aux.set(input.text(), input.text());
    else if (code === Opcode.function2) this.#library(input.ownBytes());
    else if (code === Opcode.slotInfo) { for (let i = 0; i < 3; i++) input.length(); }
    else if (code === Opcode.moduleAux) {
      this.source.fail("The RDB file contains module data I can't load");
    } else this.source.fail("Pre-release function format not supported");
  }

  #library(code: Uint8Array): void {
    const error = this.#options.onLibrary(code);
    this.#waiting = error === NOT_READY ? code : null;
    assert(this.#waiting === null || !this.#options.discards, "what is only checked needs no Lua");
    assert(error !== "", "a refusal says why");
    if (typeof error === "string") this.source.fail(`Failed creating the library: ${error}`);
  }

  #readDeadline(isSeconds: boolean): void {
    if (isSeconds) this.#deadline.setNumber(1000 * this.#in.uint32());
    else this.#in.deadline(this.#deadline);
    // A file says −1 where there is none.
    this.#hasDeadline = this.#deadline.hi >= 0;
  }

  #select(index: number): void {
    if (this.#keyspace.databases[index] === undefined) {
      this.source.fail(
        `Data file was created with a Redis server configured to handle more than ${this.#keyspace.databases.length} databases`,
      );
    }
    this.#database = index;
  }

  /** Makes room for the stated number of keys, but for no more than the rest of the file can hold. */
  #reserve(keys: number): void {
    if (this.#options.discards === true) return;
    const db = this.#keyspace.databases[this.#database];
    assert(keys >= 0, "a count is not negative");
    assert(this.source.left >= 0, "nothing is read beyond the end");
    db.reserve(Math.min(keys, Math.floor(this.source.left / KEY_BYTES_MIN)));
  }

  #entry(type: number): void {
    const db = this.#keyspace.databases[this.#database];
    const key = this.#key;
    const slice = this.#slice;
    assert(type < Opcode.slotInfo, "a higher code is no type");
    assert(db !== undefined, "a database that was selected exists");
    this.#in.string(slice);
    if (!this.#staysWhileRead(type)) this.#keyBytes.keep(slice);
    key.count = 0;
    key.error = null;
    key.use(slice.bytes, slice.view);
    key.push(slice.start, slice.end);
    if (db.removeQuietly(key, 0)) this.#options.onLoss("keys that are in the file twice");
    const isThere = this.#value(type, db, key);
    const ref = isThere ? this.#values.ref : 0;
    assert(isThere === (ref !== 0), "what is there has an entry");
    const isDue = this.#hasDeadline && this.#deadline.rounded < this.#keyspace.clock.nowMs();
    if (!isThere) this.#options.onLoss("empty keys");
    else if (this.#options.discards === true) {
      db.removeQuietly(key, 0);
      this.keysLoaded++;
      if (this.#hasDeadline) this.keysWithDeadline++;
      if (isDue) this.keysExpired++;
    } else if (isDue && this.#options.dropsExpired) {
      db.removeQuietly(key, 0);
      this.keysExpired++;
    } else {
      const access = this.#keyspace.accessRestored(this.#idle, this.#frequency);
      db.setRestored(ref, this.#hasDeadline ? this.#deadline : null, access);
      this.keysLoaded++;
    }
    this.#hasDeadline = false;
    this.#idle = this.#frequency = -1;
  }

  /** Reads the value of `key`; returns whether there is one. A damaged one leaves nothing. */
  #value(type: number, db: Database, key: Args): boolean {
    try {
      return this.#values.read(type, db, key, false);
    } catch (error) {
      db.removeQuietly(key, 0);
      throw error;
    }
  }

  /** Whether the key's bytes stay in place while its value is read: only if that is a short string already in memory. */
  #staysWhileRead(type: number): boolean {
    const { source } = this;
    assert(source.at <= source.end, "what was read was at hand");
    return type === RdbType.string && this.#slice.bytes === source.bytes &&
      source.end - source.at >= SHORT_VALUE_BYTES &&
      source.bytes[source.at] < SHORT_VALUE_BYTES - 1;
  }

  #end(): void {
    const { source } = this;
    if (this.#version < RDB_VERSION_CRC) return;
    const { lo, hi } = source.crc();
    source.need(CRC_BYTES);
    const storedLo = source.view.getInt32(source.at, true);
    const storedHi = source.view.getInt32(source.at + 4, true);
    source.at += CRC_BYTES;
    assert(source.at <= source.end, "the sum was at hand");
    const isAbsent = storedLo === 0 && storedHi === 0;
    if (!this.#options.checksCrc || isAbsent) return;
    if (storedLo !== lo || storedHi !== hi) {
      source.fail("CRC error: the sum at the end is not that of the file");
    }
  }
}
