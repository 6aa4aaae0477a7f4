// hot path
/** Lists: a listpack, or a quicklist of them. */
import type { Scratch } from "../lib/scratch.ts";
import type { Slice } from "../lib/slice.ts";
import { type Listpack, listpackEntryBytes } from "../structures/listpack.ts";
import { nodeLimits, Quicklist } from "../structures/quicklist.ts";
import { Cursor } from "./cursor.ts";
import { COLLECTION_INLINE_MAX, Encoding, Type } from "./entry.ts";

/** Called with a slice that is good until it returns. */
export type ElementVisitor = (element: Slice) => void;

/**
 * A cursor over a list. Walks go over segments: the nodes of a quicklist, or the one listpack of a
 * short list.
 */
export class ListValue implements Scratch {
  readonly cursor = new Cursor(Type.list);
  readonly pack = this.cursor.pack;

  forget(): void {
    this.cursor.forget();
  }

  get #list(): Quicklist | null {
    return this.cursor.object as Quicklist | null;
  }

  get count(): number {
    return this.#list === null ? this.pack.count : this.#list.count;
  }

  // Segments

  get #segments(): number {
    return this.#list === null ? 1 : this.#list.nodeCount;
  }

  #segment(index: number): Listpack {
    if (this.#list === null) return this.pack;
    this.#list.open(index);
    return this.#list.pack;
  }

  #countOf(index: number): number {
    return this.#list === null ? this.pack.count : this.#list.countOf(index);
  }

  /** Called when segment `index` was edited. */
  #settle(index: number): void {
    this.#list?.settle(index);
  }

  // Conversion

  /** Called before the arguments `from` to `to` are added: converts a short list that would become too long. */
  makeRoom(from: number, to: number): void {
    if (this.#list !== null) return;
    const { args } = this.cursor;
    let size = this.pack.size;
    let exact = size;
    for (let i = from; i < to; i++) {
      size += args.length(i);
      exact += args.length(i) + 10;
    }
    const limits = this.#limits();
    const isLong = size > limits.bytes || this.count + to - from > limits.elements;
    if (isLong || exact > COLLECTION_INLINE_MAX) this.#toQuicklist(!isLong);
  }

  /** As `makeRoom`, for one element in any buffer. */
  makeRoomFor(bytes: Uint8Array, start: number, end: number): void {
    if (this.#list !== null) return;
    const { pack } = this;
    const limits = this.#limits();
    const size = pack.size + end - start;
    const exact = pack.size + listpackEntryBytes(bytes, start, end);
    const isLong = size > limits.bytes || pack.count + 1 > limits.elements;
    if (isLong || exact > COLLECTION_INLINE_MAX) this.#toQuicklist(!isLong);
  }

  #limits(): { bytes: number; elements: number } {
    const { limits, listNodeMaxBytes } = this.cursor.db.keyspace;
    return nodeLimits(limits.listMaxListpackSize, listNodeMaxBytes);
  }

  /** `isListpack`: the list is within the limits of a listpack, and only too long to lie inline. */
  #toQuicklist(isListpack: boolean): void {
    const { limits, entries, listNodeMaxBytes } = this.cursor.db.keyspace;
    const list = new Quicklist(entries.arena, limits.listMaxListpackSize, listNodeMaxBytes);
    list.isListpack = isListpack;
    if (this.pack.count > 0) list.adopt(this.pack);
    this.cursor.toObject(list);
  }

  /** Appends the elements of `pack`, which belongs to another list. */
  appendPack(pack: Listpack): void {
    const { limits, entries, listNodeMaxBytes } = this.cursor.db.keyspace;
    if (this.#list === null && this.pack.count === 0) {
      const { bytes, elements } = this.#limits();
      const isLong = pack.size > bytes || pack.count > elements;
      if (!isLong && pack.size <= COLLECTION_INLINE_MAX) return this.cursor.copyPack(pack);
      const list = new Quicklist(entries.arena, limits.listMaxListpackSize, listNodeMaxBytes);
      list.isListpack = !isLong;
      this.cursor.toObject(list);
    } else if (this.#list === null) this.#toQuicklist(false);
    this.#list?.adopt(pack);
  }

  /** Converts a list that has shrunk to one node, at most half full, to a listpack. */
  shrink(): void {
    const list = this.#list;
    if (list === null || list.nodeCount !== 1) return;
    list.open(0);
    const { size, count } = list.pack;
    const limits = this.#limits();
    if (size > limits.bytes / 2 || count > limits.elements / 2) return;
    if (size > COLLECTION_INLINE_MAX) return;
    const content = new Uint8Array(size);
    content.set(new Uint8Array(list.pack.bytes.buffer, list.pack.start, size));
    this.cursor.toInline(Encoding.listpack, size);
    this.pack.bytes.set(content, this.pack.start);
  }

  // Ends

  pushHead(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const list = this.#list;
    if (list === null) this.pack.prepend(bytes, start, end);
    else list.pushHead(bytes, view, start, end);
  }

  pushTail(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const list = this.#list;
    if (list === null) this.pack.append(bytes, start, end);
    else list.pushTail(bytes, view, start, end);
  }

  /** Points `into` at the first or the last element; there is one. */
  readEnd(atTail: boolean, into: Slice): void {
    const list = this.#list;
    if (list !== null) return list.readEnd(atTail, into);
    const { pack } = this;
    pack.read(atTail ? pack.last() : pack.first(), into);
  }

  /** Removes the first or the last element. */
  dropEnd(atTail: boolean): void {
    if (this.#list !== null) {
      if (atTail) this.#list.dropTail();
      else this.#list.dropHead();
    } else this.pack.remove(atTail ? this.pack.last() : this.pack.first());
  }

  /** Calls `visit` with the `count` elements at an end, the outermost first, and removes them; there are so many. */
  takeEnds(atTail: boolean, count: number, into: Slice, visit: ElementVisitor): void {
    const list = this.#list;
    for (let left = count; left > 0;) {
      const node = atTail ? this.#segments - 1 : 0;
      const pack = this.#segment(node);
      const here = Math.min(left, this.#countOf(node));
      let at = atTail ? pack.last() : pack.first();
      for (let i = 0; i < here; i++) {
        pack.read(at, into);
        visit(into);
        at = atTail ? pack.previous(at) : pack.next(at);
      }
      left -= here;
      if (list === null) pack.remove(pack.at(atTail ? -here : 0), here);
      else if (here === list.countOf(node)) list.dropNode(node);
      else for (let i = 0; i < here; i++) this.dropEnd(atTail);
    }
  }

  // By index: 0 to count − 1

  /** Points `into` at the element with that index, which exists. */
  at(index: number, into: Slice): void {
    this.#locate(index).read(this.#position, into);
  }

  set(index: number, bytes: Uint8Array, start: number, end: number): void {
    this.#locate(index).replace(this.#position, bytes, start, end);
    this.#settle(this.#node);
  }

  #node = 0;
  /** The position that `#locate` found in the pack that it returned. */
  #position = 0;

  #locate(index: number): Listpack {
    const list = this.#list;
    if (list === null) {
      this.#node = 0;
      this.#position = this.pack.at(index);
      return this.pack;
    }
    list.locate(index);
    this.#node = list.node;
    this.#position = list.pack.at(list.offset);
    return list.pack;
  }

  /** Calls `visit` with the elements from index `from` to `to`, both included, which exist. */
  forEachRange(from: number, to: number, into: Slice, visit: ElementVisitor): void {
    let left = to - from + 1;
    let pack = this.#locate(from);
    let node = this.#node;
    for (let at = this.#position; left > 0; left--) {
      pack.read(at, into);
      visit(into);
      at = pack.next(at);
      if (at === 0 && left > 1) {
        pack = this.#segment(++node);
        at = pack.first();
      }
    }
  }

  /** Removes `count` elements from index `from` on, which exist. */
  removeRange(from: number, count: number): void {
    let left = count;
    while (left > 0) {
      const pack = this.#locate(from);
      const node = this.#node;
      const list = this.#list;
      const offset = list === null ? from : list.offset;
      const here = Math.min(left, this.#countOf(node) - offset);
      if (list !== null && here === this.#countOf(node)) list.dropNode(node);
      else {
        pack.remove(this.#position, here);
        this.#settle(node);
      }
      left -= here;
    }
  }

  // By value

  /** Removes up to `limit` elements that are `bytes[start, end)`; returns how many. */
  removeMatches(
    bytes: Uint8Array,
    start: number,
    end: number,
    limit: number,
    fromTail: boolean,
  ): number {
    let removed = 0;
    const step = fromTail ? -1 : 1;
    let node = fromTail ? this.#segments - 1 : 0;
    while (node >= 0 && node < this.#segments && removed < limit) {
      const nodes = this.#segments;
      const found = this.#removeIn(node, bytes, start, end, limit - removed, fromTail);
      removed += found;
      if (found > 0) this.#settle(node);
      const isGone = this.#segments < nodes;
      if (fromTail || !isGone) node += step;
      if (this.#list === null) break;
    }
    return removed;
  }

  #removeIn(
    node: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    limit: number,
    fromTail: boolean,
  ): number {
    const pack = this.#segment(node);
    let removed = 0;
    let at = fromTail ? pack.last() : pack.first();
    while (at !== 0 && removed < limit) {
      const before = fromTail ? pack.previous(at) : 0;
      if (pack.same(at, bytes, start, end)) {
        removed++;
        const next = pack.remove(at);
        at = fromTail ? before : next;
      } else at = fromTail ? before : pack.next(at);
    }
    return removed;
  }

  /** Calls `visit` with the index of each element that is `bytes[start, end)` until it returns false. */
  forEachMatch(
    bytes: Uint8Array,
    start: number,
    end: number,
    fromTail: boolean,
    compareMax: number,
    visit: (index: number) => boolean,
  ): void {
    let index = fromTail ? this.count - 1 : 0;
    const step = fromTail ? -1 : 1;
    let compared = 0;
    for (let n = 0; n < this.#segments; n++) {
      const pack = this.#segment(fromTail ? this.#segments - 1 - n : n);
      let at = fromTail ? pack.last() : pack.first();
      for (; at !== 0; at = fromTail ? pack.previous(at) : pack.next(at)) {
        if (compared++ === compareMax) return;
        if (pack.same(at, bytes, start, end) && !visit(index)) return;
        index += step;
      }
    }
  }

  /**
   * Inserts `bytes[start, end)` before or after the first element that is `pivot[from, to)`; returns whether there
   * is one.
   */
  insert(
    pivot: Uint8Array,
    from: number,
    to: number,
    isAfter: boolean,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    for (let node = 0; node < this.#segments; node++) {
      const pack = this.#segment(node);
      const at = pack.find(pack.first(), pivot, from, to);
      if (at === 0) continue;
      if (isAfter) pack.insert(pack.next(at), bytes, start, end);
      else pack.insert(at, bytes, start, end);
      this.#settle(node);
      return true;
    }
    return false;
  }
}
