/**
 * A snapshot of all databases as they are at one instant, without a copy of them and without stopping: the walk goes
 * over the tables in slices, and what is about to change is written before.
 *
 * Every entry has a flag, its epoch. Beginning turns the epoch of new entries around, so that the older ones, which
 * belong to the snapshot, are known by theirs; one that was written gets the new epoch. `ChangeHooks.before` tells
 * which entry is about to change or to go. Tables that are emptied or exchanged meanwhile are walked as they were.
 *
 * A large collection is written over several slices. If it is about to change, its rest is written first; other
 * entries that are about to change meanwhile are kept aside until it is complete.
 *
 * Invariant: what is written is the keyspace of the instant in which the snapshot began.
 * Costs: a flag a key; `BufferSink` for what is kept aside, at most `ASIDE_MAX_BYTES` and one entry.
 */
import { type Entries, EntryFlag } from "../keyspace/entry.ts";
import type { DatabaseContents } from "../keyspace/database.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { assert } from "../lib/assert.ts";
import type { Ref } from "../structures/arena.ts";
import { BufferSink, type ByteSink } from "./byte_sink.ts";
import type { EntryWriter } from "./entry_writer.ts";
import { finish, type Rest } from "./value_writer.ts";

/** Keys that are written between two looks at the clock. */
const KEYS_A_STEP = 8;
/** Keys that are marked in one step where nothing is written. */
const MARKED_A_STEP = 1024;
/** With so much aside the large collection is written to its end. */
const ASIDE_MAX_BYTES = 1024 * 1024;

export class Snapshotter {
  /** Keys at the beginning, and those that were written. */
  readonly total: number;
  written = 0;
  readonly #keyspace: Keyspace;
  readonly #sink: ByteSink;
  readonly #writer: EntryWriter;
  readonly #aside = new BufferSink();
  readonly #asideWriter: EntryWriter;
  /** What is left to walk, the present one first. */
  readonly #contents: DatabaseContents[];
  #cursor = 0;
  #hasBegun = false;
  /** The large collection that is being written, and its entry. */
  #rest: Rest | null = null;
  #restRef: Ref = 0;
  #isOver = false;

  /** Begins: what the keyspace holds now is what will be written. */
  constructor(
    keyspace: Keyspace,
    sink: ByteSink,
    makeWriter: (keyspace: Keyspace, sink: ByteSink) => EntryWriter,
  ) {
    assert(keyspace.hooks.before === null, "one snapshot is under way at a time");
    this.#keyspace = keyspace;
    this.#sink = sink;
    this.#writer = makeWriter(keyspace, sink);
    this.#asideWriter = makeWriter(keyspace, this.#aside);
    this.total = keyspace.keyCount;
    this.#contents = keyspace.databases.filter((db) => db.size > 0).map((db) => db.contents());
    keyspace.entries.epoch ^= EntryFlag.epoch;
    keyspace.hooks.before = (database, ref) => this.#before(database, ref);
    keyspace.hold();
  }

  /** Writes until `isOver` says so; returns whether something is left. */
  slice(isOver: () => boolean): boolean {
    while (!this.#isOver) {
      if (this.#rest !== null) this.#writeOn();
      else this.#walk();
      if (isOver()) break;
    }
    return !this.#isOver;
  }

  #writeOn(): void {
    if (this.#rest?.next().done === true) this.#endRest();
  }

  /** The large collection is complete: what was kept aside follows it. */
  #endRest(): void {
    assert(this.#restRef !== 0, "what ends has begun");
    this.#rest = null;
    this.#restRef = 0;
    if (this.#aside.at === 0) return;
    this.#sink.write(this.#aside.bytes, 0, this.#aside.at);
    this.#aside.clear(ASIDE_MAX_BYTES);
    this.#asideWriter.forgetDatabase();
    this.#writer.forgetDatabase();
  }

  #walk(): void {
    const contents = this.#contents[0];
    if (contents === undefined) return this.#end();
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#writer.beginDatabase(contents);
    }
    this.#cursor = contents.table.scan(this.#cursor, KEYS_A_STEP, (ref) => {
      if (!this.#isOld(contents.entries, ref)) return;
      // The scan shows some more: they must wait for the large collection, as if they were to change.
      if (this.#rest === null) this.#write(contents, ref);
      else this.#keepAside(contents, ref);
    });
    if (this.#cursor !== 0) return;
    this.#contents.shift();
    this.#hasBegun = false;
  }

  /** Whether an entry belongs to the snapshot and was not yet written. */
  #isOld(entries: Entries, ref: Ref): boolean {
    return entries.hasFlag(ref, EntryFlag.epoch) !== (entries.epoch !== 0);
  }

  #write(contents: DatabaseContents, ref: Ref): void {
    assert(this.#rest === null && this.#aside.at === 0, "a collection is written in one piece");
    this.#mark(contents, ref);
    this.#rest = this.#writer.write(contents, ref);
    if (this.#rest !== null) this.#restRef = ref;
  }

  #keepAside(contents: DatabaseContents, ref: Ref): void {
    assert(this.#rest !== null && ref !== this.#restRef, "kept aside is what follows another");
    this.#mark(contents, ref);
    finish(this.#asideWriter.write(contents, ref));
    if (this.#aside.at > ASIDE_MAX_BYTES) this.#finishRest();
  }

  #mark({ entries }: DatabaseContents, ref: Ref): void {
    assert(this.#isOld(entries, ref), "an entry is written once");
    this.written++;
    entries.setFlag(ref, EntryFlag.epoch, entries.epoch !== 0);
  }

  #finishRest(): void {
    while (this.#rest !== null) this.#writeOn();
  }

  /** The hook: an entry is about to change or to go. */
  #before(database: number, ref: Ref): void {
    assert(!this.#isOver, "a snapshot that is over hears of no change");
    if (ref === this.#restRef) this.#finishRest();
    const { entries } = this.#keyspace;
    if (!this.#isOld(entries, ref)) return;
    const db = this.#keyspace.databases[database];
    const contents = this.#contents.find(({ table }) => db.hasTable(table));
    if (contents === undefined) return;
    if (this.#rest !== null) this.#keepAside(contents, ref);
    else {
      this.#write(contents, ref);
      this.#finishRest();
    }
    // Who changes it may have had it open.
    entries.open(ref);
  }

  /**
   * Ends it although entries are left to be written. They are marked as if they had been: unmarked, the next snapshot
   * would take them for newer than itself and leave them out. Tables that were emptied meanwhile are nobody's any more.
   */
  abandon(): void {
    if (this.#isOver) return;
    for (const contents of this.#contents) {
      if (this.#isInUse(contents)) this.#markAll(contents, this.#cursor);
      this.#cursor = 0;
    }
    this.#end();
  }

  #isInUse({ table }: DatabaseContents): boolean {
    return this.#keyspace.databases.some((db) => db.hasTable(table));
  }

  #markAll({ table, entries }: DatabaseContents, cursor: number): void {
    const isMarked = entries.epoch !== 0;
    do {
      cursor = table.scan(cursor, MARKED_A_STEP, (ref) => {
        entries.setFlag(ref, EntryFlag.epoch, isMarked);
      });
    } while (cursor !== 0);
  }

  #end(): void {
    assert(!this.#isOver, "a snapshot ends once");
    this.#isOver = true;
    assert(this.#aside.at === 0 || this.#rest !== null, "what was kept aside is written");
    this.#keyspace.hooks.before = null;
    this.#keyspace.release();
    this.#rest = null;
  }
}
