// hot path
/**
 * Which clients have read which keys: what a server must remember for client-side caching.
 *
 * A client is a number that `register` gives it. The keys lie in a member table, each once, with the numbers of its
 * readers as its value:
 *
 * ```
 * up to 32 readers   u32 · u32 · …         a multiple of 4 bytes
 * more               u32 index · u8 0      5 bytes: the index of a set of numbers in a side table
 * ```
 *
 * A client that goes leaves its number in the keys it has read, as it would take long to look for it in all of them. It is
 * taken out of a key when other readers need its place, or the key is forgotten. The number is given to another client
 * when no key has it any more.
 *
 * Invariants: every key has a reader; a reader is listed once a key; `itemCount` is the number of pairs of a key and a
 * reader, and `itemsOf` a number's share of it; a number is free if no client has it and no key names it.
 * Costs: `add` and `take` one look-up in the table, and a walk over up to 32 readers. Memory: 2 bytes a key, 4 a reader,
 * rounded up to 8, and 6 to 12 of the table: for a key with one reader 12 to 25 bytes beside the key. In a set of readers
 * 6 to 11 bytes each.
 *
 * @module
 */
import { assert } from "../lib/assert.ts";
import type { Hasher } from "../lib/hash.ts";
import { Slice } from "../lib/slice.ts";
import type { Arena, Ref } from "./arena.ts";
import { MemberTable } from "./member_table.ts";
import { NumberSet } from "./number_set.ts";
import { SideTable } from "./side_table.ts";

const READER_BYTES = 4;
/** A key with more readers has a set of them. */
const LISTED_MAX = 32;
const SET_VALUE_BYTES = 5;
const ROOM_MIN = 16;

/** Called with the number of a client that has read a key. */
export type ReaderVisitor = (reader: number) => void;

/** See the module's head. */
export class TrackingTable {
  readonly #arena: Arena;
  readonly #hasher: Hasher;
  #keys: MemberTable;
  readonly #sets = new SideTable<NumberSet>();
  #setBytes = 0;
  #itemCount = 0;
  /** By number, the keys that name it, and whether a client has it. */
  #itemsOf = new Float64Array(ROOM_MIN);
  #isTaken = new Uint8Array(ROOM_MIN);
  /** Numbers below this one have been given to clients. */
  #numberCount = 0;
  readonly #freeNumbers: number[] = [];
  readonly #slice = new Slice();
  /** The value of a key while it changes. */
  readonly #value = new Uint8Array(READER_BYTES * (LISTED_MAX + 1));
  readonly #valueView = new DataView(this.#value.buffer);

  /** The arena must be the table's own: `clear` empties it. */
  constructor(arena: Arena, hasher: Hasher) {
    this.#arena = arena;
    this.#hasher = hasher;
    this.#keys = new MemberTable(this.#arena, hasher);
  }

  get keyCount(): number {
    assert(this.#keys.count <= this.#itemCount, "every key has a reader");
    return this.#keys.count;
  }

  /** The number of pairs of a key and a client that has read it. */
  get itemCount(): number {
    assert(this.#itemCount >= this.#sets.size, "every set has a reader");
    return this.#itemCount;
  }

  /** Memory in bytes. */
  get bytes(): number {
    assert(this.#setBytes >= 0, "a count of bytes is not negative");
    return this.#arena.usedBytes + this.#keys.bytes + this.#setBytes;
  }

  /** A number for a client. */
  register(): number {
    const number = this.#freeNumbers.pop() ?? this.#numberCount++;
    if (number >= this.#isTaken.length) this.#growNumbers();
    assert(
      this.#isTaken[number] === 0 && this.#itemsOf[number] === 0,
      "a number that is given is free",
    );
    this.#isTaken[number] = 1;
    return number;
  }

  /** A client has gone: its number is free as soon as no key names it. */
  unregister(number: number): void {
    assert(this.#isTaken[number] === 1, "a number is given back once");
    this.#isTaken[number] = 0;
    if (this.#itemsOf[number] === 0) this.#freeNumbers.push(number);
  }

  #growNumbers(): void {
    const room = 2 * this.#isTaken.length;
    const itemsOf = new Float64Array(room);
    const isTaken = new Uint8Array(room);
    itemsOf.set(this.#itemsOf);
    isTaken.set(this.#isTaken);
    assert(room > this.#numberCount, "there is room for the number");
    this.#itemsOf = itemsOf;
    this.#isTaken = isTaken;
  }

  /** Notes that the client `reader` has read the key `bytes[start, end)`. Allocates nothing if it has done so before. */
  add(bytes: Uint8Array, view: DataView, start: number, end: number, reader: number): void {
    assert(this.#isTaken[reader] === 1, "a reader has a number");
    const keys = this.#keys;
    const slice = this.#slice;
    const before = keys.count;
    const ref = keys.findOrAdd(bytes, view, start, end, READER_BYTES);
    keys.value(ref, slice);
    if (keys.count !== before) slice.view.setUint32(slice.start, reader, true);
    else if (slice.length === SET_VALUE_BYTES) {
      if (!this.#addToSet(slice, reader)) return;
    } else {
      const value = slice.view;
      for (let at = slice.start; at < slice.end; at += READER_BYTES) {
        if (value.getUint32(at, true) === reader) return;
      }
      const size = this.#longerValue(slice, reader);
      keys.put(bytes, view, start, end, this.#value, this.#valueView, 0, size);
    }
    this.#itemCount++;
    this.#itemsOf[reader]++;
  }

  /** Adds a reader to the set whose index lies at `start`; returns whether it is new. */
  #addToSet({ view, start }: Slice, reader: number): boolean {
    const index = view.getUint32(start, true);
    const set = this.#sets.get(index);
    if (set.isFull && !set.has(reader)) {
      const fresh = this.#withoutGone(set);
      fresh.add(reader);
      this.#setBytes += fresh.bytes - set.bytes;
      this.#sets.remove(index);
      view.setUint32(start, this.#sets.add(fresh), true);
      return true;
    }
    assert(set.count > 0, "every key has a reader");
    return set.add(reader);
  }

  /** A set of those readers that are still there, with room for as many again. */
  #withoutGone(set: NumberSet): NumberSet {
    let left = 0;
    set.forEach((reader) => (left += this.#isTaken[reader]));
    let room = 2 * LISTED_MAX;
    while (room < 2 * left) room *= 2;
    const fresh = new NumberSet(room);
    set.forEach((reader) => {
      if (this.#isTaken[reader] === 1) fresh.add(reader);
      else this.#forget(reader);
    });
    assert(fresh.count === left && !fresh.isFull, "those who are there stay");
    return fresh;
  }

  /** Writes the value of a key that is to have one reader more, without those that have gone; returns its size. */
  #longerValue({ view, start, end }: Slice, reader: number): number {
    const value = this.#valueView;
    assert(start < end && (end - start) % READER_BYTES === 0, "a list has readers");
    let size = 0;
    for (let at = start; at < end; at += READER_BYTES) {
      const other = view.getUint32(at, true);
      if (this.#isTaken[other] === 0) {
        this.#forget(other);
        continue;
      }
      value.setUint32(size, other, true);
      size += READER_BYTES;
    }
    value.setUint32(size, reader, true);
    size += READER_BYTES;
    return size > READER_BYTES * LISTED_MAX ? this.#beginSet(size) : size;
  }

  /** Makes a set of the list that has been written; returns the size of the value that names it. */
  #beginSet(size: number): number {
    const set = new NumberSet(2 * LISTED_MAX);
    for (let i = 0; i < size; i += READER_BYTES) set.add(this.#valueView.getUint32(i, true));
    assert(set.count === LISTED_MAX + 1 && !set.isFull, "a reader is listed once");
    this.#setBytes += set.bytes;
    this.#valueView.setUint32(0, this.#sets.add(set), true);
    this.#value[READER_BYTES] = 0;
    return SET_VALUE_BYTES;
  }

  /**
   * Visits the clients that have read the key `bytes[start, end)`, also those that have gone, and forgets the key. The
   * visitor must not change the table. If it throws, the key is not forgotten.
   */
  take(bytes: Uint8Array, view: DataView, start: number, end: number, visit: ReaderVisitor): void {
    assert(start <= end, "a key does not end before it begins");
    const ref = this.#keys.find(bytes, view, start, end);
    if (ref === 0) return;
    this.#visitReaders(ref, visit);
    this.#visitReaders(ref, this.#forget);
    const slice = this.#slice;
    this.#keys.value(ref, slice);
    if (slice.length === SET_VALUE_BYTES) {
      const index = slice.view.getUint32(slice.start, true);
      this.#setBytes -= this.#sets.get(index).bytes;
      this.#sets.remove(index);
    }
    this.#keys.remove(ref);
  }

  readonly #forget = (reader: number): void => {
    this.#itemCount--;
    assert(this.#itemsOf[reader] > 0 && this.#itemCount >= 0, "what is forgotten was noted");
    if (--this.#itemsOf[reader] === 0 && this.#isTaken[reader] === 0) {
      this.#freeNumbers.push(reader);
    }
  };

  #visitReaders(ref: Ref, visit: ReaderVisitor): void {
    assert(ref !== 0, "ref 0 means none");
    this.#keys.value(ref, this.#slice);
    const { view, start, end } = this.#slice;
    if (end - start === SET_VALUE_BYTES) {
      return this.#sets.get(view.getUint32(start, true)).forEach(visit);
    }
    for (let at = start; at < end; at += READER_BYTES) visit(view.getUint32(at, true));
  }

  /** Points `into` at a key picked at random, of which there must be one. Valid until the table changes. */
  randomKey(into: Slice): void {
    const ref = this.#keys.randomRef();
    assert(ref !== 0, "a key is picked from a table that has one");
    this.#keys.key(ref, into);
  }

  /** Forgets all keys. Clients keep their numbers. */
  clear(): void {
    this.#keys.dispose();
    this.#arena.clear();
    this.#keys = new MemberTable(this.#arena, this.#hasher);
    this.#sets.takeAll();
    this.#setBytes = this.#itemCount = 0;
    this.#itemsOf.fill(0);
    this.#freeNumbers.length = 0;
    for (let number = this.#numberCount - 1; number >= 0; number--) {
      if (this.#isTaken[number] === 0) this.#freeNumbers.push(number);
    }
    assert(this.#freeNumbers.length <= this.#numberCount, "a number is free once");
  }

  /** Throws if the invariants at the module's head do not hold. O(n). */
  verify(): void {
    this.#keys.verify();
    this.#arena.verify();
    this.#sets.verify();
    const counts = new Float64Array(this.#itemsOf.length);
    const seen = new Set<number>();
    let items = 0;
    this.#keys.forEach((ref) => {
      seen.clear();
      this.#visitReaders(ref, (reader) => {
        assert(!seen.has(reader), "a reader is listed once a key");
        seen.add(reader);
        counts[reader]++;
      });
      assert(seen.size > 0, "every key has a reader");
      items += seen.size;
    });
    assert(items === this.#itemCount, "the count of items is right");
    const free = new Set(this.#freeNumbers);
    assert(free.size === this.#freeNumbers.length, "a number is free once");
    for (let number = 0; number < this.#numberCount; number++) {
      assert(counts[number] === this.#itemsOf[number], "the count of a number's items is right");
      const isFree = counts[number] === 0 && this.#isTaken[number] === 0;
      assert(isFree === free.has(number), "a number is free if nothing names it");
    }
  }
}
