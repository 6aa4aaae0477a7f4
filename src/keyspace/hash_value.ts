// hot path
/** Hashes: a listpack of field, value, field, value …, or a table of members. */
import type { Scratch } from "../lib/scratch.ts";
import { Slice } from "../lib/slice.ts";
import type { Ref } from "../structures/arena.ts";
import { LISTPACK_MAX_BYTES } from "../structures/listpack.ts";
import { MemberTable, sampleMembers } from "../structures/member_table.ts";
import { Cursor } from "./cursor.ts";
import { Type } from "./entry.ts";
import { HashTable } from "./hash_table.ts";

/** Called with slices that are good until it returns. */
export type PairVisitor = (field: Slice, value: Slice) => void;

/** A cursor over a hash. */
export class HashValue implements Scratch {
  readonly cursor = new Cursor(Type.hash);
  readonly pack = this.cursor.pack;
  readonly #field = new Slice();
  readonly #value = new Slice();

  forget(): void {
    this.cursor.forget();
    this.#field.forget();
    this.#value.forget();
  }

  get #table(): MemberTable | null {
    const { object } = this.cursor;
    return object === null ? null : (object as HashTable).members;
  }

  /** Fields. */
  get count(): number {
    return this.#table === null ? this.pack.count >>> 1 : this.#table.count;
  }

  /** Points `into` at the value of the field `bytes[start, end)`; returns whether there is one. */
  get(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    into: Slice,
  ): boolean {
    const place = this.#find(bytes, view, start, end);
    if (place === 0) return false;
    if (this.#table === null) this.pack.read(this.pack.next(place), into);
    else this.#table.value(place, into);
    return true;
  }

  has(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    return this.#find(bytes, view, start, end) !== 0;
  }

  /** Where a field is: its position in the listpack, or its ref; 0 if it is not there. */
  #find(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    if (this.#table !== null) return this.#table.find(bytes, view, start, end);
    return this.pack.find(this.pack.first(), bytes, start, end, 1);
  }

  /**
   * Sets the field `bytes[start, end)` to `value[from, to)`; returns whether it is new. Neither may lie in the
   * hash itself.
   */
  set(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    value: Uint8Array,
    valueView: DataView,
    from: number,
    to: number,
  ): boolean {
    const { pack } = this;
    let table = this.#table;
    if (table === null) {
      const { limits } = this.cursor.db.keyspace;
      const isLong = Math.max(end - start, to - from) > limits.hashMaxListpackValue;
      const at = isLong ? 0 : pack.find(pack.first(), bytes, start, end, 1);
      if (isLong || !this.#fits(at !== 0, start, end, from, to)) table = this.#convert();
      else {
        if (at !== 0) pack.replace(pack.next(at), value, from, to);
        else {
          pack.append(bytes, start, end);
          pack.append(value, from, to);
        }
        return at === 0;
      }
    }
    const before = table.count;
    table.put(bytes, view, start, end, value, valueView, from, to);
    return table.count > before;
  }

  /** Whether the listpack may take the pair. */
  #fits(isKnown: boolean, start: number, end: number, from: number, to: number): boolean {
    const { limits } = this.cursor.db.keyspace;
    if (!isKnown && this.count >= limits.hashMaxListpackEntries) return false;
    return this.pack.size + (end - start) + (to - from) <= LISTPACK_MAX_BYTES;
  }

  /** Removes the field `bytes[start, end)`; returns whether it was there. */
  remove(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    const place = this.#find(bytes, view, start, end);
    if (place === 0) return false;
    if (this.#table === null) this.pack.remove(place, 2);
    else this.#table.remove(place);
    return true;
  }

  /** Calls `visit` with every pair. `visit` must not change the hash. */
  forEach(visit: PairVisitor): void {
    const field = this.#field;
    const value = this.#value;
    const table = this.#table;
    if (table !== null) {
      table.forEach((ref) => {
        table.key(ref, field);
        table.value(ref, value);
        visit(field, value);
      });
      return;
    }
    const { pack } = this;
    for (let at = pack.first(); at !== 0; at = pack.next(at)) {
      pack.read(at, field);
      at = pack.next(at);
      pack.read(at, value);
      visit(field, value);
    }
  }

  /** As DashTable.scan; a small hash is visited whole. */
  scan(cursor: number, count: number, visit: PairVisitor): number {
    const table = this.#table;
    if (table === null) {
      this.forEach(visit);
      return 0;
    }
    return table.scan(cursor, count, (ref) => {
      table.key(ref, this.#field);
      table.value(ref, this.#value);
      visit(this.#field, this.#value);
    });
  }

  /** Calls `visit` with one pair picked at random; the hash is not empty. */
  random(visit: PairVisitor): void {
    const table = this.#table;
    if (table === null) return this.#showAt(Math.floor(Math.random() * this.count), visit);
    const ref = table.randomRef();
    table.key(ref, this.#field);
    table.value(ref, this.#value);
    visit(this.#field, this.#value);
  }

  #showAt(index: number, visit: PairVisitor): void {
    const at = this.pack.at(2 * index);
    this.pack.read(at, this.#field);
    this.pack.read(this.pack.next(at), this.#value);
    visit(this.#field, this.#value);
  }

  /** Calls `visit` with `wanted` different pairs picked at random; the hash has at least as many. */
  sample(wanted: number, visit: PairVisitor): void {
    if (this.#table === null) this.#samplePack(wanted, visit);
    else this.#sampleTable(this.#table, wanted, visit);
  }

  /** Each pair is taken with the chance that makes all subsets equally likely: Knuth's algorithm S. */
  #samplePack(wanted: number, visit: PairVisitor): void {
    let left = this.count;
    for (let index = 0; wanted > 0; index++, left--) {
      if (Math.random() * left >= wanted) continue;
      this.#showAt(index, visit);
      wanted--;
    }
  }

  #sampleTable(table: MemberTable, wanted: number, visit: PairVisitor): void {
    const show = (ref: Ref): void => {
      table.key(ref, this.#field);
      table.value(ref, this.#value);
      visit(this.#field, this.#value);
    };
    sampleMembers(table, wanted, show);
  }

  /** Converts the listpack to a table. */
  #convert(): MemberTable {
    const { keyspace } = this.cursor.db;
    const table = new MemberTable(keyspace.entries.arena, keyspace.hasher);
    const field = this.#field;
    const value = this.#value;
    const { pack } = this;
    for (let at = pack.first(); at !== 0; at = pack.next(at)) {
      pack.read(at, field);
      at = pack.next(at);
      pack.read(at, value);
      table.put(
        field.bytes,
        field.view,
        field.start,
        field.end,
        value.bytes,
        value.view,
        value.start,
        value.end,
      );
    }
    this.cursor.toObject(new HashTable(table));
    return table;
  }
}
