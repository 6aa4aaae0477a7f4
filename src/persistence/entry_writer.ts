// hot path
/**
 * Writes entries with their keys: in the format of RDB files, or as commands that restore them, for the base of an
 * append-only file without RDB (aof-use-rdb-preamble no).
 */
import { assert } from "../lib/assert.ts";
import { Int64, int64ToBigInt } from "../lib/decimal.ts";
import type { DatabaseContents } from "../keyspace/database.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { readDeadline } from "../keyspace/placement.ts";
import { Slice } from "../lib/slice.ts";
import type { Ref } from "../structures/arena.ts";
import { BufferSink, type ByteSink } from "./byte_sink.ts";
import { PayloadWriter } from "./payload.ts";
import { RdbType } from "./rdb_format.ts";
import { type HeldString, hold, type Rest, stringInSteps, writeInSteps } from "./long_strings.ts";
import { RdbWriter } from "./rdb_writer.ts";
import { ValueWriter } from "./value_writer.ts";

// scratch: lives for one call
const deadline = new Int64();

export interface EntryWriter {
  /** Begins a database, of which all entries follow. */
  beginDatabase(contents: DatabaseContents): void;
  /** Has the next entry preceded by its database, even if that is the last one named. */
  forgetDatabase(): void;
  /** Writes one entry. Of a large collection it writes the beginning, and returns a generator that writes the rest. */
  write(contents: DatabaseContents, ref: Ref): Rest | null;
  /**
   * If the entry is a long string, writes nothing yet, but returns a generator that writes all of it, as it is now: it
   * may change or be removed meanwhile. Otherwise null. A generator that is given up must be ended by `return`.
   */
  hold(contents: DatabaseContents, ref: Ref): Rest | null;
}

export class RdbEntryWriter implements EntryWriter {
  readonly out: RdbWriter;
  readonly #keyspace: Keyspace;
  readonly #values: ValueWriter;
  #database = -1;

  constructor(keyspace: Keyspace, sink: ByteSink, version: number, compresses: boolean) {
    this.#keyspace = keyspace;
    this.out = new RdbWriter(sink, version, compresses);
    this.#values = new ValueWriter(this.out);
  }

  beginDatabase({ index, table, heap }: DatabaseContents): void {
    assert(heap.size <= table.count, "keys that expire are some of all");
    assert(index >= 0, "a database has an index");
    this.#database = index;
    this.out.database(index);
    this.out.databaseSize(table.count, heap.size);
  }

  forgetDatabase(): void {
    this.#database = -1;
  }

  write(contents: DatabaseContents, ref: Ref): Rest | null {
    assert(ref !== 0, "an entry has a place");
    const { index, entries } = contents;
    const hasDeadline = readDeadline(contents, ref, deadline);
    this.#attributes(index, hasDeadline ? deadline : null, entries.access(ref));
    entries.open(ref);
    this.#values.type(entries);
    assert(entries.keyStart <= entries.keyEnd, "a key does not end before it begins");
    this.out.string(entries.keyBytes, entries.keyView, entries.keyStart, entries.keyEnd);
    return this.#values.value(entries);
  }

  hold(contents: DatabaseContents, ref: Ref): Rest | null {
    return hold(contents, ref, (held) => this.#held(contents.index, held));
  }

  *#held(index: number, { key, keyView, deadline, access, bytes, length }: HeldString): Rest {
    const { out } = this;
    this.#attributes(index, deadline, access);
    out.sink.byte(RdbType.string);
    out.string(key, keyView, 0, key.length);
    yield* stringInSteps(out, bytes, 0, length);
  }

  /** What precedes an entry's type. */
  #attributes(index: number, deadline: Int64 | null, access: number): void {
    const { out } = this;
    const keyspace = this.#keyspace;
    if (index !== this.#database) {
      this.#database = index;
      out.database(index);
    }
    if (deadline !== null) out.deadline(deadline);
    if (keyspace.frequencyPolicy) out.frequency(keyspace.frequency(access));
    else if (keyspace.recencyPolicy) out.idle(keyspace.idleSeconds(access));
    assert(this.#database === index, "an entry follows its database");
  }
}

/** FUNCTION LOAD with the source of a library. */
export function writeLibraryCommand(sink: ByteSink, code: Uint8Array): void {
  assert(code.length > 0, "a library has a source");
  sink.text(`*3\r\n$8\r\nFUNCTION\r\n$4\r\nLOAD\r\n`);
  writeWord(sink, code, 0, code.length);
}

function writeWord(sink: ByteSink, bytes: Uint8Array, start: number, end: number): void {
  assert(start <= end, "a word does not end before it begins");
  assert(end <= bytes.length, "a word lies in its bytes");
  sink.text(`$${end - start}\r\n`);
  sink.write(bytes, start, end);
  sink.text("\r\n");
}

/** SELECT, and RESTORE for each entry; SET for a long string, since the size of a payload is not known before its end. */
export class CommandEntryWriter implements EntryWriter {
  readonly #sink: ByteSink;
  readonly #payload: PayloadWriter;
  readonly #buffer = new BufferSink();
  readonly #key = new Slice();
  #database = -1;

  constructor(sink: ByteSink, version: number, compresses: boolean) {
    this.#sink = sink;
    this.#payload = new PayloadWriter(this.#buffer, version, compresses);
  }

  beginDatabase({ index }: DatabaseContents): void {
    this.#select(index);
  }

  forgetDatabase(): void {
    this.#database = -1;
  }

  #select(index: number): void {
    assert(index >= 0, "a database has an index");
    this.#database = index;
    this.#sink.text(`*2\r\n$6\r\nSELECT\r\n`);
    this.#word(String(index));
  }

  write(contents: DatabaseContents, ref: Ref): Rest | null {
    assert(ref !== 0, "an entry has a place");
    const { index, entries } = contents;
    if (index !== this.#database) this.#select(index);
    if (!readDeadline(contents, ref, deadline)) deadline.set(0, 0);
    entries.open(ref);
    assert(this.#database === index, "an entry follows its database");
    this.#key.set(entries.keyBytes, entries.keyView, entries.keyStart, entries.keyEnd);
    this.#sink.text(`*5\r\n$7\r\nRESTORE\r\n`);
    this.#bytes(this.#key.bytes, this.#key.start, this.#key.end);
    this.#word(String(int64ToBigInt(deadline)));
    this.#buffer.clear();
    const rest = this.#payload.begin(entries);
    if (rest !== null) return this.#restOf(rest);
    this.#end();
    return null;
  }

  hold(contents: DatabaseContents, ref: Ref): Rest | null {
    return hold(contents, ref, (held) => this.#held(contents.index, held));
  }

  *#held(index: number, { key, deadline, bytes, length }: HeldString): Rest {
    if (index !== this.#database) this.#select(index);
    assert(this.#database === index, "an entry follows its database");
    this.#sink.text(`*3\r\n$3\r\nSET\r\n`);
    this.#bytes(key, 0, key.length);
    this.#sink.text(`$${length}\r\n`);
    yield* writeInSteps(this.#sink, bytes, 0, length);
    this.#sink.text("\r\n");
    if (deadline === null) return;
    this.#sink.text(`*3\r\n$9\r\nPEXPIREAT\r\n`);
    this.#bytes(key, 0, key.length);
    this.#word(String(int64ToBigInt(deadline)));
  }

  *#restOf(rest: Rest): Rest {
    yield* rest;
    this.#end();
  }

  #end(): void {
    assert(this.#buffer.at > 0, "a payload has a value");
    const valueBytes = this.#buffer.at;
    this.#payload.end();
    assert(this.#buffer.at > valueBytes, "a payload has an end");
    this.#bytes(this.#buffer.bytes, 0, this.#buffer.at);
    this.#word("ABSTTL");
  }

  #word(text: string): void {
    assert(text !== "", "a word is not empty");
    this.#sink.text(`$${text.length}\r\n${text}\r\n`);
  }

  #bytes(bytes: Uint8Array, start: number, end: number): void {
    writeWord(this.#sink, bytes, start, end);
  }
}
