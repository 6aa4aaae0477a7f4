// hot path
/** Sets: an intset, a listpack, or a table of members. */
import { Int64, parseInt64 } from "../lib/decimal.ts";
import type { Scratch } from "../lib/scratch.ts";
import { Slice } from "../lib/slice.ts";
import type { Ref } from "../structures/arena.ts";
import { EMPTY_INTSET_BYTES, Intset, type IntsetHome } from "../structures/intset.ts";
import { EMPTY_LISTPACK_BYTES, LISTPACK_MAX_BYTES } from "../structures/listpack.ts";
import { MemberTable, sampleMembers } from "../structures/member_table.ts";
import type { Args } from "../protocol/args.ts";
import type { Database } from "./database.ts";
import { Cursor } from "./cursor.ts";
import { Encoding, Type } from "./entry.ts";
import { HashTable } from "./hash_table.ts";

/** Called with a slice that is good until it returns. */
export type MemberVisitor = (member: Slice) => void;

/** The longest text of an integer that an intset holds. */
const INTEGER_TEXT_MAX = 20;
/** Most integers of an intset, as in Redis. */
const INTSET_MAX_INTEGERS = 1 << 30;

// scratch: lives for one call
const integer = new Int64();

/** A cursor over a set. */
export class SetValue implements IntsetHome, Scratch {
  readonly cursor: Cursor = new Cursor(Type.set, () => this.#create());
  readonly pack = this.cursor.pack;
  readonly #intset = new Intset(this);
  readonly #slice = new Slice();
  #expected = 1;
  #expectsIntegers = true;

  forget(): void {
    this.cursor.forget();
    this.#intset.forget();
    this.#slice.forget();
  }

  get #table(): MemberTable | null {
    const { object } = this.cursor;
    return object === null ? null : (object as HashTable).members;
  }

  /** A cursor on the value, whose encoding is `intset`. */
  get #ints(): Intset {
    this.#intset.open(this.pack.bytes, this.pack.view, this.pack.start);
    return this.#intset;
  }

  /**
   * Tells what will be added after the next `editOrCreate`: `size` members, of which the first is `bytes[start, end)`.
   * A set that it makes gets the encoding for them.
   */
  expect(size: number, bytes: Uint8Array, start: number, end: number): void {
    this.#expected = size;
    this.#expectsIntegers = isInteger(bytes, start, end);
  }

  #create(): Ref {
    const { db, args, index, entries } = this.cursor;
    const { limits } = db.keyspace;
    const size = this.#expected;
    if (this.#expectsIntegers && size <= limits.setMaxIntsetEntries) {
      const ref = db.createValue(args, index, Type.set, Encoding.intset, EMPTY_INTSET_BYTES);
      this.pack.open(entries.bytes, entries.view, entries.valueStart);
      this.#ints.writeEmpty();
      return ref;
    }
    if (size <= limits.setMaxListpackEntries) return this.cursor.createListpack();
    const table = new MemberTable(entries.arena, db.keyspace.hasher);
    return db.createObject(args, index, Type.set, new HashTable(table));
  }

  /** As `replace`, with a set that stays an intset as long as integers are added. */
  replaceByIntegers(db: Database, args: Args, index: number): void {
    this.#expected = 1;
    this.#expectsIntegers = true;
    this.cursor.replace(db, args, index);
  }

  /** Converts an existing set to a table, if what `expect` has announced exceeds the limits. */
  makeRoom(): void {
    const { limits } = this.cursor.db.keyspace;
    const most = this.cursor.encoding === Encoding.intset
      ? limits.setMaxIntsetEntries
      : limits.setMaxListpackEntries;
    if (this.#table === null && this.#expected > most) this.#toTable();
  }

  /** Whether so many members are too many for an intset and for a listpack. */
  isLong(count: number): boolean {
    const { limits } = this.cursor.db.keyspace;
    return count > limits.setMaxIntsetEntries && count > limits.setMaxListpackEntries;
  }

  /** Makes the set, which is new, a table with these members. */
  become(members: MemberTable): void {
    this.cursor.toObject(new HashTable(members));
  }

  // IntsetHome

  resizeIntset(set: Intset, size: number): void {
    this.cursor.resizeValue(size);
    set.open(this.pack.bytes, this.pack.view, this.pack.start);
  }

  get count(): number {
    if (this.#table !== null) return this.#table.count;
    return this.cursor.encoding === Encoding.intset ? this.#ints.count : this.pack.count;
  }

  has(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    if (this.#table !== null) return this.#table.find(bytes, view, start, end) !== 0;
    if (this.cursor.encoding === Encoding.intset) {
      return isInteger(bytes, start, end) && this.#ints.has(integer);
    }
    return this.pack.find(this.pack.first(), bytes, start, end) !== 0;
  }

  /** Adds a member; returns whether it is new. The bytes may not lie in the set itself. */
  add(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    if (this.cursor.encoding === Encoding.intset) {
      if (isInteger(bytes, start, end)) return this.#addInteger();
      this.#leaveIntset(end - start);
    }
    let table = this.#table;
    if (table === null) {
      if (this.pack.find(this.pack.first(), bytes, start, end) !== 0) return false;
      if (this.#fits(start, end)) {
        this.pack.append(bytes, start, end);
        return true;
      }
      table = this.#toTable();
    }
    const before = table.count;
    table.findOrAdd(bytes, view, start, end, 0);
    return table.count > before;
  }

  #addInteger(): boolean {
    const { limits } = this.cursor.db.keyspace;
    if (!this.#ints.add(integer)) return false;
    const most = Math.min(limits.setMaxIntsetEntries, INTSET_MAX_INTEGERS);
    if (this.#ints.count > most) this.#toTable();
    return true;
  }

  /** Converts the intset, which is about to get a member of `size` bytes that is no integer. */
  #leaveIntset(size: number): void {
    const { limits } = this.cursor.db.keyspace;
    const isShort = this.count < limits.setMaxListpackEntries &&
      size <= limits.setMaxListpackValue && this.#longestInteger() <= limits.setMaxListpackValue;
    if (isShort) this.#toListpack();
    else this.#toTable();
  }

  /** Digits of the longest integer: it is the first or the last. */
  #longestInteger(): number {
    const { count } = this.#ints;
    if (count === 0) return 0;
    this.#ints.at(0, integer);
    this.#slice.setInt64(integer.hi, integer.lo);
    const first = this.#slice.length;
    this.#ints.at(count - 1, integer);
    this.#slice.setInt64(integer.hi, integer.lo);
    return Math.max(first, this.#slice.length);
  }

  /** Whether the listpack may take one more member. */
  #fits(start: number, end: number): boolean {
    const { limits } = this.cursor.db.keyspace;
    const { pack } = this;
    return end - start <= limits.setMaxListpackValue &&
      pack.count < limits.setMaxListpackEntries &&
      pack.size + (end - start) <= LISTPACK_MAX_BYTES;
  }

  /** Removes a member; returns whether it was there. */
  remove(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    if (this.cursor.encoding === Encoding.intset) {
      return isInteger(bytes, start, end) && this.#ints.remove(integer);
    }
    const table = this.#table;
    if (table !== null) {
      const ref = table.find(bytes, view, start, end);
      if (ref !== 0) table.remove(ref);
      return ref !== 0;
    }
    const at = this.pack.find(this.pack.first(), bytes, start, end);
    if (at !== 0) this.pack.remove(at);
    return at !== 0;
  }

  /** Calls `visit` with every member. `visit` must not change the set. */
  forEach(visit: MemberVisitor): void {
    const slice = this.#slice;
    const table = this.#table;
    if (table !== null) {
      table.forEach((ref) => {
        table.key(ref, slice);
        visit(slice);
      });
    } else if (this.cursor.encoding === Encoding.intset) {
      for (let i = 0; i < this.#ints.count; i++) this.#showAt(i, visit);
    } else {
      const { pack } = this;
      for (let at = pack.first(); at !== 0; at = pack.next(at)) {
        pack.read(at, slice);
        visit(slice);
      }
    }
  }

  /** As DashTable.forEachFrom; a small set is visited whole. `visit` must not change the set. */
  forEachFrom(index: number, visit: MemberVisitor): number {
    const table = this.#table;
    if (table === null) {
      this.forEach(visit);
      return 0;
    }
    return table.forEachFrom(index, (ref) => {
      table.key(ref, this.#slice);
      visit(this.#slice);
    });
  }

  /** As DashTable.scan; a small set is visited whole. */
  scan(cursor: number, count: number, visit: MemberVisitor): number {
    const table = this.#table;
    if (table === null) {
      this.forEach(visit);
      return 0;
    }
    return table.scan(cursor, count, (ref) => {
      table.key(ref, this.#slice);
      visit(this.#slice);
    });
  }

  /** Points `into` at a member picked at random; the set is not empty. */
  random(into: Slice): void {
    if (this.#table !== null) this.#table.key(this.#table.randomRef(), into);
    else this.#readAt(Math.floor(Math.random() * this.count), into);
  }

  /** Calls `visit` with `wanted` different members picked at random; the set has at least as many. */
  sample(wanted: number, visit: MemberVisitor): void {
    const table = this.#table;
    if (table !== null) {
      sampleMembers(table, wanted, (ref) => {
        table.key(ref, this.#slice);
        visit(this.#slice);
      });
      return;
    }
    // All subsets are equally likely: Knuth's algorithm S.
    let left = this.count;
    for (let index = 0; wanted > 0; index++, left--) {
      if (Math.random() * left >= wanted) continue;
      this.#showAt(index, visit);
      wanted--;
    }
  }

  /** Removes `wanted` different members picked at random, and calls `visit` with each; the set has at least as many. */
  pop(wanted: number, visit: MemberVisitor): void {
    const table = this.#table;
    if (table !== null) {
      const refs: Ref[] = [];
      sampleMembers(table, wanted, (ref) => refs.push(ref));
      for (const ref of refs) {
        table.key(ref, this.#slice);
        visit(this.#slice);
        table.remove(ref);
      }
      return;
    }
    const indexes: number[] = [];
    let left = this.count;
    for (let index = 0; indexes.length < wanted; index++, left--) {
      if (Math.random() * left < wanted - indexes.length) indexes.push(index);
    }
    // From the last one down: removing one does not move those before it.
    for (const index of indexes.reverse()) {
      this.#showAt(index, visit);
      if (this.cursor.encoding === Encoding.intset) {
        this.#ints.at(index, integer);
        this.#ints.remove(integer);
      } else this.pack.remove(this.pack.at(index));
    }
  }

  #showAt(index: number, visit: MemberVisitor): void {
    this.#readAt(index, this.#slice);
    visit(this.#slice);
  }

  #readAt(index: number, into: Slice): void {
    if (this.cursor.encoding === Encoding.intset) {
      this.#ints.at(index, integer);
      into.setInt64(integer.hi, integer.lo);
    } else this.pack.read(this.pack.at(index), into);
  }

  /** Converts the intset to a listpack. */
  #toListpack(): void {
    const { count } = this.#ints;
    const values = Array.from({ length: count }, (_, i) => {
      const value = new Int64();
      this.#ints.at(i, value);
      return value;
    });
    this.cursor.resizeValue(EMPTY_LISTPACK_BYTES);
    this.cursor.setEncoding(Encoding.listpack);
    this.pack.writeEmpty();
    for (const value of values) {
      this.#slice.setInt64(value.hi, value.lo);
      this.pack.append(this.#slice.bytes, this.#slice.start, this.#slice.end);
    }
  }

  /** Converts the set, which lies inline, to a table. */
  #toTable(): MemberTable {
    const { keyspace } = this.cursor.db;
    const table = new MemberTable(keyspace.entries.arena, keyspace.hasher);
    this.forEach(({ bytes, view, start, end }) => table.findOrAdd(bytes, view, start, end, 0));
    this.cursor.toObject(new HashTable(table));
    return table;
  }
}

/** Whether `bytes[start, end)` is an integer's canonical text; then `integer` holds it. */
function isInteger(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start <= INTEGER_TEXT_MAX && parseInt64(bytes, start, end, integer);
}
