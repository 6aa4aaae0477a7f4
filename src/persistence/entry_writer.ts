// hot path
/**
 * Writes entries with their keys: in the format of RDB files, or as commands that restore them, for the base of an
 * append-only file without RDB (aof-use-rdb-preamble no).
 */
import { assert } from "../lib/assert.ts";
import type { DatabaseContents } from "../keyspace/database.ts";
import { EntryFlag } from "../keyspace/entry.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { Slice } from "../lib/slice.ts";
import type { Ref } from "../structures/arena.ts";
import { BufferSink, type ByteSink } from "./byte_sink.ts";
import { PayloadWriter } from "./payload.ts";
import { RdbWriter } from "./rdb_writer.ts";
import { type Rest, ValueWriter } from "./value_writer.ts";

export interface EntryWriter {
  /** Begins a database, of which all entries follow. */
  beginDatabase(contents: DatabaseContents): void;
  /** Has the next entry preceded by its database, even if that is the last one named. */
  forgetDatabase(): void;
  /** Writes one entry. Of a large collection it writes the beginning, and returns a generator that writes the rest. */
  write(contents: DatabaseContents, ref: Ref): Rest | null;
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

  write({ index, entries, heap }: DatabaseContents, ref: Ref): Rest | null {
    assert(ref !== 0, "an entry has a place");
    const { out } = this;
    const keyspace = this.#keyspace;
    if (index !== this.#database) {
      this.#database = index;
      out.database(index);
    }
    if (entries.hasFlag(ref, EntryFlag.ttl)) out.deadline(heap.deadlineAt(entries.heapSlot(ref)));
    const access = entries.access(ref);
    if (keyspace.frequencyPolicy) out.frequency(keyspace.frequency(access));
    else if (keyspace.recencyPolicy) out.idle(keyspace.idleSeconds(access));
    assert(this.#database === index, "an entry follows its database");
    entries.open(ref);
    this.#values.type(entries);
    assert(entries.keyStart <= entries.keyEnd, "a key does not end before it begins");
    out.string(entries.keyBytes, entries.keyView, entries.keyStart, entries.keyEnd);
    return this.#values.value(entries);
  }
}

/** SELECT, and RESTORE for each entry. */
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

  write({ index, entries, heap }: DatabaseContents, ref: Ref): Rest | null {
    assert(ref !== 0, "an entry has a place");
    if (index !== this.#database) this.#select(index);
    const hasDeadline = entries.hasFlag(ref, EntryFlag.ttl);
    const deadline = hasDeadline ? heap.deadlineAt(entries.heapSlot(ref)) : 0;
    entries.open(ref);
    assert(this.#database === index, "an entry follows its database");
    this.#key.set(entries.keyBytes, entries.keyView, entries.keyStart, entries.keyEnd);
    this.#sink.text(`*5\r\n$7\r\nRESTORE\r\n`);
    this.#bytes(this.#key.bytes, this.#key.start, this.#key.end);
    this.#word(String(deadline));
    this.#buffer.clear();
    const rest = this.#payload.begin(entries);
    if (rest !== null) return this.#restOf(rest);
    this.#end();
    return null;
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
    assert(start <= end, "a word does not end before it begins");
    assert(end <= bytes.length, "a word lies in its bytes");
    this.#sink.text(`$${end - start}\r\n`);
    this.#sink.write(bytes, start, end);
    this.#sink.text("\r\n");
  }
}
