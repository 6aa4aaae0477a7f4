/**
 * A snapshot of all databases as they are at one instant, without copying them and without stopping the server: the walk
 * goes over the tables in slices, and an entry that is about to change is written before it does.
 *
 * Every entry has a one-bit flag, its epoch. When a snapshot begins, the epoch of new entries is flipped: entries with
 * the old one belong to the snapshot and are not written yet; writing an entry gives it the new epoch.
 * `ChangeHooks.before` is called with each entry that is about to change or to be removed. Tables that are emptied or
 * exchanged meanwhile are walked as they were.
 *
 * Long strings and large collections are written over several slices. A string is held meanwhile: it may change, since a
 * change goes to a copy. If a collection is about to change, its rest is written first. If other entries are about to
 * change meanwhile, strings are held and written later; the others are serialised into a buffer, which follows what is
 * being written. When that buffer is full, each change also writes as much of what is before it as it adds.
 *
 * Invariant: what is written is the keyspace of the instant in which the snapshot began.
 * Costs: a bit a key; a buffer that exceeds `ASIDE_MAX_BYTES` by no more bytes than are left of what is being written; long
 * strings that were changed or removed, until they are written.
 */
import { type Entries, EntryFlag } from "../keyspace/entry.ts";
import type { DatabaseContents } from "../keyspace/database.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { assert } from "../lib/assert.ts";
import type { Ref } from "../structures/arena.ts";
import { BufferSink, type ByteSink } from "./byte_sink.ts";
import type { EntryWriter } from "./entry_writer.ts";
import { finish, type Rest, STEP_BYTES } from "./long_strings.ts";

/** Keys that are written between two readings of the clock. */
const KEYS_A_STEP = 8;
/** Keys that are marked in one step after the file has been given up. */
const MARKED_A_STEP = 1024;
/** When the buffer has more bytes than this, changes help to write what is before it. */
const ASIDE_MAX_BYTES = 1024 * 1024;

export class Snapshotter {
  /** The number of keys at the beginning, and of those written so far. */
  readonly total: number;
  written = 0;
  readonly #keyspace: Keyspace;
  readonly #sink: ByteSink;
  readonly #writer: EntryWriter;
  readonly #aside = new BufferSink();
  readonly #asideWriter: EntryWriter;
  /** The databases that are left to walk, the present one first. */
  readonly #contents: DatabaseContents[];
  #cursor = 0;
  #hasBegun = false;
  /** What is being written over several slices, and long strings that are held to be written after it. */
  readonly #rests: Rest[] = [];
  /** The entry of the first of them, if that is a collection. */
  #restRef: Ref = 0;
  #isOver = false;

  /** Begins a snapshot of what the keyspace contains now. */
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
    assert(
      this.#contents.reduce((sum, { table }) => sum + table.count, 0) === this.total,
      "the tables have the keys that are counted",
    );
    keyspace.entries.epoch ^= EntryFlag.epoch;
    keyspace.hooks.before = (database, ref) => this.#before(database, ref);
    keyspace.hold();
  }

  /** Whether all is written, or the snapshot was given up. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Writes until `isOver` returns true; returns whether something is left. */
  slice(isOver: () => boolean): boolean {
    while (!this.#isOver) {
      if (this.#rests.length > 0) this.#writeOn();
      else this.#walk();
      if (isOver()) break;
    }
    return !this.#isOver;
  }

  #writeOn(): void {
    if (this.#rests[0]?.next().done === true) this.#endRest();
  }

  /** Called when the first rest is complete: appends the buffered entries. */
  #endRest(): void {
    assert(this.#rests.length > 0, "what ends was being written");
    this.#rests.shift();
    this.#restRef = 0;
    if (this.#aside.at === 0) return;
    this.#sink.write(this.#aside.bytes, 0, this.#aside.at);
    this.#aside.clear(ASIDE_MAX_BYTES);
    this.#asideWriter.forgetDatabase();
    this.#writer.forgetDatabase();
  }

  #walk(): void {
    const contents = this.#contents[0];
    if (contents === undefined) {
      assert(this.written === this.total, "as many keys are written as there were");
      return this.#end();
    }
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#writer.beginDatabase(contents);
    }
    const next = contents.table.scan(this.#cursor, KEYS_A_STEP, (ref) => {
      if (this.#rests.length === 0 && this.#isOld(contents.entries, ref)) this.#take(contents, ref);
    });
    // Something is written over several slices: the entries beside it are shown once more when it is complete.
    if (this.#rests.length > 0) return;
    this.#cursor = next;
    if (this.#cursor !== 0) return;
    this.#contents.shift();
    this.#hasBegun = false;
  }

  /** Whether an entry belongs to the snapshot and was not yet written. */
  #isOld(entries: Entries, ref: Ref): boolean {
    return entries.hasFlag(ref, EntryFlag.epoch) !== (entries.epoch !== 0);
  }

  /** Writes an entry, or the beginning of it, or holds it; or keeps it aside until what is being written is complete. */
  #take(contents: DatabaseContents, ref: Ref): void {
    assert(ref !== 0, "an entry has a place");
    this.#mark(contents, ref);
    const held = this.#writer.hold(contents, ref);
    if (held !== null) this.#rests.push(held);
    else if (this.#rests.length > 0) this.#keepAside(contents, ref);
    else {
      assert(this.#aside.at === 0, "what is kept aside follows another");
      const rest = this.#writer.write(contents, ref);
      if (rest === null) return;
      this.#rests.push(rest);
      this.#restRef = ref;
    }
  }

  #keepAside(contents: DatabaseContents, ref: Ref): void {
    assert(this.#rests.length > 0, "kept aside is what follows another");
    assert(ref !== this.#restRef, "what is being written is not kept aside");
    let paid = this.#aside.at;
    finish(this.#asideWriter.write(contents, ref));
    if (this.#aside.at <= ASIDE_MAX_BYTES) return;
    for (; paid < this.#aside.at; paid += STEP_BYTES) this.#writeOn();
  }

  #mark({ entries }: DatabaseContents, ref: Ref): void {
    assert(this.#isOld(entries, ref), "an entry is written once");
    this.written++;
    assert(this.written <= this.total, "no more keys are written than there were");
    entries.setFlag(ref, EntryFlag.epoch, entries.epoch !== 0);
  }

  /** Completes the collection that is being written. */
  #finishCollection(): void {
    while (this.#restRef !== 0) this.#writeOn();
    assert(this.#restRef === 0, "no collection is left");
  }

  /** The hook: called with an entry that is about to change or to be removed. */
  #before(database: number, ref: Ref): void {
    assert(!this.#isOver, "a snapshot that is over hears of no change");
    assert(ref !== 0, "an entry has a place");
    if (ref === this.#restRef) this.#finishCollection();
    const { entries } = this.#keyspace;
    if (!this.#isOld(entries, ref)) return;
    const db = this.#keyspace.databases[database];
    const contents = this.#contents.find(({ table }) => db.hasTable(table));
    if (contents === undefined) return;
    this.#take(contents, ref);
    if (ref === this.#restRef) this.#finishCollection();
    // Writing has opened other entries; the caller may rely on this one being open.
    entries.open(ref);
  }

  /**
   * Ends the snapshot before all entries are written. The others are marked as if they were: otherwise the next snapshot,
   * which flips the epoch again, would take them for newer than itself and leave them out. Tables that were emptied
   * meanwhile need no marks: nobody uses them any more.
   */
  abandon(): void {
    if (this.#isOver) return;
    for (const contents of this.#contents) {
      if (this.#isInUse(contents)) this.#markAll(contents, this.#cursor);
      this.#cursor = 0;
    }
    assert(this.written <= this.total, "no more keys are written than there were");
    this.#end();
  }

  #isInUse({ table }: DatabaseContents): boolean {
    return this.#keyspace.databases.some((db) => db.hasTable(table));
  }

  #markAll({ table, entries }: DatabaseContents, cursor: number): void {
    assert(cursor >= 0, "a walk goes on where it was");
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
    assert(this.#aside.at === 0 || this.#rests.length > 0, "what was kept aside is written");
    this.#keyspace.hooks.before = null;
    this.#keyspace.release();
    for (const rest of this.#rests) rest.return();
    this.#rests.length = 0;
  }
}
