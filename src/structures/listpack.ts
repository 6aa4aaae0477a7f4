// hot path
/**
 * A listpack: a list of strings and integers in one run of bytes, Redis's format byte for byte, so that
 * it is written to files and sent to replicas as it is.
 *
 * ```
 * u32 total bytes · u16 elements (65535: count them) · element … · 0xff
 *
 * element   encoding and data · its length again, backwards (for `previous`), 7 bits a byte
 *   0xxxxxxx            integer 0 to 127        1110xxxx +1  string of up to 4095 bytes
 *   10xxxxxx            string of up to 63      11110000 +4  string, u32 length
 *   110xxxxx +1         integer of 13 bits      11110001 to 11110100 +2 +3 +4 +8  int16, 24, 32, 64
 * ```
 *
 * The object is a cursor: `open` puts it on a listpack that lies anywhere, and its home gives room when
 * an edit needs it. Text that is the canonical form of a 64-bit integer is stored as an integer.
 * Costs: `first`, `last`, `next`, `previous` O(1); `at` and `find` O(n); edits move what stands behind.
 * Source: https://github.com/antirez/listpack/blob/master/listpack.md
 *
 * @module
 */
import { assert, unreachable } from "../lib/assert.ts";
import { Int64, parseInt64 } from "../lib/decimal.ts";
import { type Scratch, scratch } from "../lib/scratch.ts";
import { NO_BYTES, NO_VIEW, type Slice } from "../lib/slice.ts";
import { copyWords } from "../lib/copy.ts";

/** Who owns the bytes under a listpack. */
export interface ListpackHome {
  /**
   * The pack will grow to `size` bytes, or has shrunk to them. Gives it room, with its content, and opens
   * it again if that is elsewhere.
   */
  resize(pack: Listpack, size: number): void;
}

export const EMPTY_LISTPACK_BYTES = 7;
/** Collections that would need a longer one are stored otherwise, as in Redis. */
export const LISTPACK_MAX_BYTES = 1 << 30;
/** With so many elements the header doesn't tell their number any more. */
const COUNT_UNKNOWN = 65535;
const HEADER_BYTES = 6;
const END = 0xff;
/** No 64-bit integer has more characters. */
const INTEGER_TEXT_MAX = 20;
/** Most that an integer of one byte can be. */
const UINT7_MAX = 127;
/** Where four bytes at a time beat a loop over bytes. */
const WORDS_MIN_BYTES = 12;

/** How an element is stored; the last four by their first byte. */
const Kind = { uint7: 0, int13: 1, int16: 2, int24: 3, int32: 4, int64: 5, string: 6 } as const;
/** The greatest first byte of an element: an integer of eight bytes. */
const FIRST_MAX = 0xf4;
/** Bytes of the integers' encodings, by kind. */
const INTEGER_BYTES = Uint8Array.of(1, 2, 3, 4, 5, 9);

// What `classify` found out about the element that is to be written.
// scratch: lives for one call
let kind = 0;
// scratch: lives for one call
let encodedBytes = 0;
// scratch: lives for one call
const integer = new Int64();

// Where `beginAdding` goes on, and how many elements were added.
// scratch: lives for one call
let addedAt = 0;
// scratch: lives for one call
let addedCount = 0;

/** See the module's head. */
export class Listpack implements Scratch {
  bytes: Uint8Array = NO_BYTES;
  view: DataView = NO_VIEW;
  /** Where the header lies. */
  start = 0;
  readonly #home: ListpackHome;

  constructor(home: ListpackHome) {
    this.#home = home;
  }

  open(bytes: Uint8Array, view: DataView, start: number): void {
    assert(start >= 0 && start <= bytes.length, "a listpack begins within its bytes");
    this.bytes = bytes;
    this.view = view;
    this.start = start;
  }

  forget(): void {
    this.open(NO_BYTES, NO_VIEW, 0);
  }

  /** Writes an empty listpack of `EMPTY_LISTPACK_BYTES`. */
  writeEmpty(): void {
    assert(this.start + EMPTY_LISTPACK_BYTES <= this.bytes.length, "an empty listpack has room");
    this.view.setUint32(this.start, EMPTY_LISTPACK_BYTES, true);
    this.view.setUint16(this.start + 4, 0, true);
    this.bytes[this.start + HEADER_BYTES] = END;
  }

  /** Bytes in all. */
  get size(): number {
    return this.view.getUint32(this.start, true);
  }

  /** Elements. */
  get count(): number {
    const count = this.view.getUint16(this.start + 4, true);
    return count === COUNT_UNKNOWN ? this.#countAll() : count;
  }

  #countAll(): number {
    assert(this.bytes[this.start + this.size - 1] === END, "a listpack ends with its mark");
    let count = 0;
    for (let at = this.first(); at !== 0; at = this.next(at)) count++;
    return count;
  }

  // Positions are offsets from `start`; 0 is none.

  first(): number {
    assert(this.start + HEADER_BYTES < this.bytes.length, "a listpack lies within its bytes");
    return this.bytes[this.start + HEADER_BYTES] === END ? 0 : HEADER_BYTES;
  }

  last(): number {
    const end = this.size - 1;
    assert(
      end >= HEADER_BYTES && this.bytes[this.start + end] === END,
      "a listpack ends with its mark",
    );
    return end === HEADER_BYTES ? 0 : this.#before(end);
  }

  next(at: number): number {
    const next = at + this.#elementBytes(at);
    return this.bytes[this.start + next] === END ? 0 : next;
  }

  previous(at: number): number {
    assert(at >= HEADER_BYTES, "an element lies behind the header");
    return at === HEADER_BYTES ? 0 : this.#before(at);
  }

  /** The position of the element with that index; a negative one counts from the end. */
  at(index: number): number {
    assert(this.size >= EMPTY_LISTPACK_BYTES, "a listpack has a header and an end");
    if (index < 0) {
      let at = this.last();
      for (; at !== 0 && index < -1; index++) at = this.previous(at);
      return at;
    }
    const count = this.view.getUint16(this.start + 4, true);
    if (count !== COUNT_UNKNOWN) {
      if (index >= count) return 0;
      if (index > count >>> 1) return this.at(index - count);
    }
    let at = this.first();
    for (; at !== 0 && index > 0; index--) at = this.next(at);
    return at;
  }

  // Reading

  isInteger(at: number): boolean {
    return kindOf(this.bytes[this.start + at]) !== Kind.string;
  }

  /** Points `into` at the element's bytes, or at the digits of an integer. */
  read(at: number, into: Slice): void {
    assert(at >= HEADER_BYTES, "an element lies behind the header");
    if (this.isInteger(at)) {
      this.#readInteger(at, integer);
      into.setInt64(integer.hi, integer.lo);
    } else {
      const from = this.start + at;
      const start = from + this.#stringHeader(at);
      into.set(this.bytes, this.view, start, start + this.#stringLength(from));
    }
  }

  /** An element that is known to be an integer within ±2^53. */
  readNumber(at: number): number {
    assert(at >= HEADER_BYTES, "an element lies behind the header");
    const first = this.bytes[this.start + at];
    if (first <= UINT7_MAX) return first;
    assert(this.isInteger(at), "the element is an integer");
    this.#readInteger(at, integer);
    return integer.hi * 4294967296 + (integer.lo >>> 0);
  }

  /** Reads an element that is an integer. */
  readInt64(at: number, into: Int64): void {
    assert(at >= HEADER_BYTES, "an element lies behind the header");
    assert(this.isInteger(at), "the element is an integer");
    this.#readInteger(at, into);
  }

  #readInteger(at: number, into: Int64): void {
    const view = this.view;
    const from = this.start + at;
    const first = this.bytes[from];
    switch (kindOf(first)) {
      case Kind.uint7:
        into.lo = first;
        break;
      case Kind.int13:
        into.lo = (((first & 0x1f) << 8 | this.bytes[from + 1]) << 19) >> 19;
        break;
      case Kind.int16:
        into.lo = view.getInt16(from + 1, true);
        break;
      case Kind.int24:
        into.lo = (view.getUint16(from + 1, true) | this.bytes[from + 3] << 16) << 8 >> 8;
        break;
      case Kind.int32:
        into.lo = view.getInt32(from + 1, true);
        break;
      default:
        into.lo = view.getInt32(from + 1, true);
        into.hi = view.getInt32(from + 5, true);
        return;
    }
    into.hi = into.lo >> 31;
  }

  /** Whether the element is `bytes[start, end)`. */
  same(at: number, bytes: Uint8Array, start: number, end: number): boolean {
    assert(at >= HEADER_BYTES && start <= end, "the position and the range are valid");
    if (this.isInteger(at)) {
      if (end - start > INTEGER_TEXT_MAX || !parseInt64(bytes, start, end, wanted)) return false;
      this.#readInteger(at, integer);
      return integer.hi === wanted.hi && integer.lo === wanted.lo;
    }
    return this.#sameString(at, bytes, start, end);
  }

  /**
   * The position of the first element from `from` on that is `bytes[start, end)`, or 0; between two
   * comparisons `skip` elements are left out.
   */
  find(from: number, bytes: Uint8Array, start: number, end: number, skip = 0): number {
    assert(skip >= 0 && start <= end, "the number of skipped elements is not negative");
    const isInteger = end - start <= INTEGER_TEXT_MAX && parseInt64(bytes, start, end, wanted);
    for (let at = from; at !== 0; at = this.next(at)) {
      if (this.isInteger(at)) {
        if (isInteger) {
          this.#readInteger(at, integer);
          if (integer.hi === wanted.hi && integer.lo === wanted.lo) return at;
        }
      } else if (!isInteger && this.#sameString(at, bytes, start, end)) return at;
      for (let i = 0; i < skip && at !== 0; i++) at = this.next(at);
      if (at === 0) return 0;
    }
    return 0;
  }

  #sameString(at: number, bytes: Uint8Array, start: number, end: number): boolean {
    assert(start <= end, "the range does not end before it begins");
    const length = this.#stringLength(this.start + at);
    if (length !== end - start) return false;
    const own = this.start + at + this.#stringHeader(at);
    const mine = this.bytes;
    for (let i = 0; i < length; i++) if (mine[own + i] !== bytes[start + i]) return false;
    return true;
  }

  // Editing

  append(bytes: Uint8Array, start: number, end: number): void {
    assert(start <= end && end <= bytes.length, "an element lies within its bytes");
    classify(bytes, start, end);
    this.#append(bytes, start, end);
  }

  /** Appends the classified element. */
  #append(bytes: Uint8Array, start: number, end: number): void {
    const { size } = this;
    assert(this.bytes[this.start + size - 1] === END, "a listpack ends with its mark");
    const length = encodedBytes + backlenBytes(encodedBytes);
    this.#home.resize(this, size + length);
    const at = this.start + size - 1;
    this.#encode(at, bytes, start, end);
    writeBacklen(this.bytes, at + encodedBytes, encodedBytes);
    this.bytes[at + length] = END;
    this.view.setUint32(this.start, size + length, true);
    this.#countBy(1);
  }

  /** Makes room, once, for elements of at most `bytes` in all, which are added next. Call `endAdding` after the last. */
  beginAdding(bytes: number): void {
    assert(bytes > 0, "elements that are added take bytes");
    const { size } = this;
    this.#home.resize(this, size + bytes);
    addedAt = this.start + size - 1;
    assert(addedAt + bytes < this.bytes.length, "there is room for the element");
    addedCount = 0;
  }

  add(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    assert(addedAt > this.start && start <= end, "elements are added behind the header");
    classify(bytes, start, end);
    this.#encodeMeasured(addedAt, bytes, view, start, end);
    this.#added();
  }

  addNumber(value: number): void {
    assert(addedAt > this.start, "elements are added behind the header");
    if (value >= 0 && value <= UINT7_MAX) return this.#addUint7(value);
    classifyNumber(value);
    this.#addInteger();
  }

  addInt64(value: Int64): void {
    assert(addedAt > this.start, "elements are added behind the header");
    const { hi, lo } = value;
    if (hi === 0 && lo >= 0 && lo <= UINT7_MAX) return this.#addUint7(lo);
    integer.hi = hi;
    integer.lo = lo;
    classifyInteger();
    this.#addInteger();
  }

  #addUint7(value: number): void {
    this.bytes[addedAt] = value;
    this.bytes[addedAt + 1] = 1;
    addedAt += 2;
    addedCount++;
  }

  #addInteger(): void {
    assert(kind !== Kind.string, "an integer was classified");
    this.#encodeInteger(addedAt);
    this.bytes[addedAt + encodedBytes] = encodedBytes;
    this.#added();
  }

  #added(): void {
    assert(encodedBytes > 0, "an element was measured");
    addedAt += encodedBytes + backlenBytes(encodedBytes);
    addedCount++;
  }

  endAdding(): void {
    assert(addedCount > 0 && addedAt < this.bytes.length, "elements were added, and fit");
    this.bytes[addedAt] = END;
    this.view.setUint32(this.start, addedAt + 1 - this.start, true);
    this.#countBy(addedCount);
  }

  prepend(bytes: Uint8Array, start: number, end: number): void {
    assert(start <= end, "an element lies within its bytes");
    this.insert(HEADER_BYTES, bytes, start, end);
  }

  /** Inserts before the element at `at`; appends with 0. The bytes must not be the pack's own. */
  insert(at: number, bytes: Uint8Array, start: number, end: number): void {
    assert(at === 0 || at >= HEADER_BYTES, "an element is inserted behind the header");
    classify(bytes, start, end);
    this.#put(at === 0 ? this.size - 1 : at, 0, bytes, start, end);
    this.#countBy(1);
  }

  appendNumber(value: number): void {
    assert(Number.isSafeInteger(value), "a number is an integer within 2^53");
    classifyNumber(value);
    this.#append(NO_BYTES, 0, 0);
  }

  /** As `insert`, an integer within ±2^53. */
  insertNumber(at: number, value: number): void {
    assert(at === 0 || at >= HEADER_BYTES, "an element is inserted behind the header");
    classifyNumber(value);
    this.#put(at === 0 ? this.size - 1 : at, 0, NO_BYTES, 0, 0);
    this.#countBy(1);
  }

  replace(at: number, bytes: Uint8Array, start: number, end: number): void {
    assert(
      at >= HEADER_BYTES && this.bytes[this.start + at] !== END,
      "a replaced element lies before the end",
    );
    classify(bytes, start, end);
    this.#put(at, this.#elementBytes(at), bytes, start, end);
  }

  replaceNumber(at: number, value: number): void {
    assert(at >= HEADER_BYTES, "an element lies behind the header");
    const from = this.start + at;
    if (value >= 0 && value <= UINT7_MAX && this.bytes[from] <= UINT7_MAX) {
      this.bytes[from] = value;
      return;
    }
    classifyNumber(value);
    this.#put(at, this.#elementBytes(at), NO_BYTES, 0, 0);
  }

  /** Appends the element that `listpackEntryBytes` measured last, for which there is room. */
  appendMeasured(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const { size } = this;
    const length = encodedBytes + backlenBytes(encodedBytes);
    const at = this.start + size - 1;
    assert(at + length < this.bytes.length, "there is room for the element");
    this.#encodeMeasured(at, bytes, view, start, end);
    this.bytes[at + length] = END;
    this.view.setUint32(this.start, size + length, true);
    this.#countBy(1);
  }

  /** Writes the measured element, with its length behind it. */
  #encodeMeasured(
    at: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
  ): void {
    assert(encodedBytes > 0, "an element was measured");
    const length = end - start;
    if (kind === Kind.string && length >= WORDS_MIN_BYTES && length < 64) {
      this.bytes[at] = 0x80 | length;
      copyWords(view, start, end, this.view, at + 1);
      this.bytes[at + encodedBytes] = encodedBytes;
      return;
    }
    this.#encode(at, bytes, start, end);
    writeBacklen(this.bytes, at + encodedBytes, encodedBytes);
  }

  /**
   * Puts the element that `listpackEntryBytes` measured last in front, into the bytes before `start`, which must
   * be free: the header moves there, the elements stay. Returns by how many bytes.
   */
  pushFrontMeasured(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const { size } = this;
    const count = this.view.getUint16(this.start + 4, true);
    const length = encodedBytes + backlenBytes(encodedBytes);
    assert(this.start >= length, "there is room in front");
    this.start -= length;
    this.#setHeader(size + length, count + 1);
    this.#encodeMeasured(this.start + HEADER_BYTES, bytes, view, start, end);
    return length;
  }

  /** Removes the first element: `start` moves behind its bytes. Returns how many they are. */
  popFront(): number {
    assert(this.bytes[this.start + HEADER_BYTES] !== END, "the listpack is not empty");
    const { size } = this;
    const count = this.view.getUint16(this.start + 4, true);
    const length = this.#elementBytes(HEADER_BYTES);
    this.start += length;
    this.#setHeader(size - length, count - 1);
    return length;
  }

  /** Removes the last element; its bytes stay free. */
  popBack(): void {
    const last = this.last();
    assert(last !== 0, "the listpack is not empty");
    const count = this.view.getUint16(this.start + 4, true);
    this.bytes[this.start + last] = END;
    this.#setHeader(last + 1, count - 1);
  }

  /** Removes `count` elements from `at` on, or as many as there are; returns the position of the next element. */
  remove(at: number, count = 1): number {
    assert(at >= HEADER_BYTES && count >= 0, "removed elements lie behind the header");
    const size = this.size;
    let to = at;
    let removed = 0;
    while (removed < count && this.bytes[this.start + to] !== END) {
      to += this.#elementBytes(to);
      removed++;
    }
    this.#move(this.start + to, this.start + size, this.start + at);
    const now = size - (to - at);
    assert(now >= EMPTY_LISTPACK_BYTES, "header and end stay");
    this.view.setUint32(this.start, now, true);
    this.#countBy(-removed);
    this.#home.resize(this, now);
    return this.bytes[this.start + at] === END ? 0 : at;
  }

  /** Moves the elements from `at` on, which has that index, to `to`, which is empty. */
  split(at: number, index: number, to: Listpack): void {
    const tail = this.size - 1 - at;
    const moved = this.count - index;
    assert(to !== this && index >= 0 && moved >= 0, "elements are moved to another listpack");
    to.#home.resize(to, EMPTY_LISTPACK_BYTES + tail);
    // Includes the mark at the end.
    const from = this.bytes.byteOffset + this.start + at;
    to.bytes.set(new Uint8Array(this.bytes.buffer, from, tail + 1), to.start + HEADER_BYTES);
    to.#setHeader(EMPTY_LISTPACK_BYTES + tail, moved);
    this.bytes[this.start + at] = END;
    this.#setHeader(at + 1, index);
    this.#home.resize(this, at + 1);
  }

  #setHeader(size: number, count: number): void {
    assert(size >= EMPTY_LISTPACK_BYTES && count >= 0, "the size covers header and end");
    this.view.setUint32(this.start, size, true);
    this.view.setUint16(this.start + 4, Math.min(count, COUNT_UNKNOWN), true);
  }

  /** Replaces `old` bytes at `at` by the classified element. */
  #put(at: number, old: number, bytes: Uint8Array, start: number, end: number): void {
    assert(at >= HEADER_BYTES && at + old < this.size, "the replaced bytes lie before the end");
    const backlen = backlenBytes(encodedBytes);
    const delta = encodedBytes + backlen - old;
    const size = this.size;
    if (delta > 0) this.#home.resize(this, size + delta);
    const from = this.start + at;
    const behind = from + old;
    if (delta !== 0 && behind < this.start + size) {
      this.#move(behind, this.start + size, behind + delta);
    }
    this.#encode(from, bytes, start, end);
    writeBacklen(this.bytes, from + encodedBytes, encodedBytes);
    if (delta === 0) return;
    this.view.setUint32(this.start, size + delta, true);
    if (delta < 0) this.#home.resize(this, size + delta);
  }

  /** Moves `[from, end)` to `to`. For one byte, such as the mark at the end, a call of copyWithin would take longer. */
  #move(from: number, end: number, to: number): void {
    assert(from <= end && to >= this.start, "moved bytes stay in the listpack");
    if (end - from === 1) this.bytes[to] = this.bytes[from];
    else this.bytes.copyWithin(to, from, end);
  }

  #encode(at: number, bytes: Uint8Array, start: number, end: number): void {
    assert(encodedBytes > 0, "an element was measured");
    if (kind !== Kind.string) return this.#encodeInteger(at);
    const length = end - start;
    const own = this.bytes;
    if (length < 64) own[at++] = 0x80 | length;
    else if (length < 4096) {
      own[at++] = 0xe0 | (length >>> 8);
      own[at++] = length & 0xff;
    } else {
      own[at] = 0xf0;
      this.view.setUint32(at + 1, length, true);
      at += 5;
    }
    if (length <= 40) { for (let i = start; i < end; i++) own[at++] = bytes[i]; }
    else own.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, length), at);
  }

  #encodeInteger(at: number): void {
    assert(kind !== Kind.string, "an integer was classified");
    const own = this.bytes;
    const { lo, hi } = integer;
    switch (kind) {
      case Kind.uint7:
        own[at] = lo;
        return;
      case Kind.int13:
        own[at] = 0xc0 | ((lo >>> 8) & 0x1f);
        own[at + 1] = lo & 0xff;
        return;
      case Kind.int16:
        own[at] = 0xf1;
        this.view.setInt16(at + 1, lo, true);
        return;
      case Kind.int24:
        own[at] = 0xf2;
        this.view.setUint16(at + 1, lo & 0xffff, true);
        own[at + 3] = (lo >>> 16) & 0xff;
        return;
      case Kind.int32:
        own[at] = 0xf3;
        this.view.setInt32(at + 1, lo, true);
        return;
      default:
        own[at] = 0xf4;
        this.view.setInt32(at + 1, lo, true);
        this.view.setInt32(at + 5, hi, true);
    }
  }

  /** Notes in the header that elements came or went. */
  #countBy(change: number): void {
    const count = this.view.getUint16(this.start + 4, true);
    assert(count + change >= 0 || count === COUNT_UNKNOWN, "the count does not become negative");
    if (count === COUNT_UNKNOWN) {
      // There may be few enough again for the header to tell their number.
      const all = change < 0 ? this.#countAll() : COUNT_UNKNOWN;
      if (all < COUNT_UNKNOWN) this.view.setUint16(this.start + 4, all, true);
      return;
    }
    this.view.setUint16(this.start + 4, Math.min(count + change, COUNT_UNKNOWN), true);
  }

  /** The position of the element that ends at `end`. */
  #before(end: number): number {
    assert(end > HEADER_BYTES, "an element ends behind the header");
    let at = this.start + end - 1;
    let length = this.bytes[at] & 127;
    let factor = 128;
    while ((this.bytes[at] & 128) !== 0) {
      length += (this.bytes[--at] & 127) * factor;
      factor *= 128;
    }
    return at - length - this.start;
  }

  /** Bytes of the element at `at`, with the length behind it. */
  #elementBytes(at: number): number {
    const size = this.#encodedBytes(at);
    return size + backlenBytes(size);
  }

  /** Bytes of the element at `at`, without the length behind it. */
  #encodedBytes(at: number): number {
    const from = this.start + at;
    const found = kindOf(this.bytes[from]);
    return found === Kind.string
      ? this.#stringHeader(at) + this.#stringLength(from)
      : INTEGER_BYTES[found];
  }

  #stringHeader(at: number): number {
    const first = this.bytes[this.start + at];
    return first < 0xc0 ? 1 : first < 0xf0 ? 2 : 5;
  }

  #stringLength(from: number): number {
    const first = this.bytes[from];
    if (first < 0xc0) return first & 63;
    if (first < 0xf0) return (first & 15) << 8 | this.bytes[from + 1];
    return this.view.getUint32(from + 1, true);
  }

  /** Throws unless the bytes are a whole listpack. O(n). */
  verify(): void {
    assert(this.size >= EMPTY_LISTPACK_BYTES, "a listpack has a header and an end");
    const size = this.size;
    assert(this.bytes[this.start + size - 1] === END, "a listpack ends with its mark");
    let count = 0;
    let at = HEADER_BYTES;
    for (; this.bytes[this.start + at] !== END; count++) {
      assert(this.bytes[this.start + at] <= FIRST_MAX, "an element begins with a known encoding");
      const end = at + this.#encodedBytes(at);
      const next = at + this.#elementBytes(at);
      assert(next < size, "elements end before the mark");
      // Its first byte has no mark; with one it would be read on into the element, and might lead to the right place.
      const isWhole = (this.bytes[this.start + end] & 128) === 0;
      assert(isWhole && this.#before(next) === at, "a backward length leads to its element");
      at = next;
    }
    assert(at === size - 1, "the end mark is where the header says");
    const told = this.view.getUint16(this.start + 4, true);
    assert(told === COUNT_UNKNOWN || told === count, "the header tells the number of elements");
  }
}

/**
 * Whether `bytes[start, end)` is one whole listpack whose lengths are true, so that every element can be read. For
 * bytes from outside.
 */
export function isListpack(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
  assert(start <= end && end <= bytes.length, "the range lies within the bytes");
  if (end - start < EMPTY_LISTPACK_BYTES || view.getUint32(start, true) !== end - start) {
    return false;
  }
  inspected.open(bytes, view, start);
  try {
    inspected.verify();
    return true;
  } catch {
    return false;
  }
}

/** The home of listpacks that are only read. */
export const READ_ONLY: ListpackHome = { resize: () => unreachable("a pack that is read grows") };
// scratch: lives for one call
const inspected = scratch(new Listpack(READ_ONLY));

// scratch: lives for one call
const wanted = new Int64();

/** Bytes that `bytes[start, end)` takes as an element. */
export function listpackEntryBytes(bytes: Uint8Array, start: number, end: number): number {
  assert(start <= end, "an element lies within its bytes");
  classify(bytes, start, end);
  return encodedBytes + backlenBytes(encodedBytes);
}

function kindOf(first: number): number {
  if (first < 0x80) return Kind.uint7;
  if (first < 0xc0) return Kind.string;
  if (first < 0xe0) return Kind.int13;
  if (first <= 0xf0) return Kind.string;
  return Kind.int16 + first - 0xf1;
}

/** Finds out how `bytes[start, end)` will be stored. */
function classify(bytes: Uint8Array, start: number, end: number): void {
  const length = end - start;
  const first = bytes[start];
  const mayBeInteger = length > 0 && length <= INTEGER_TEXT_MAX &&
    (first === 0x2d || (first >= 0x30 && first <= 0x39));
  if (mayBeInteger && parseInt64(bytes, start, end, integer)) return classifyInteger();
  kind = Kind.string;
  encodedBytes = length + (length < 64 ? 1 : length < 4096 ? 2 : 5);
}

function classifyNumber(value: number): void {
  assert(Number.isSafeInteger(value), "a number is an integer within 2^53");
  integer.lo = value | 0;
  integer.hi = integer.lo === value ? integer.lo >> 31 : Math.floor(value / 4294967296);
  classifyInteger();
}

function classifyInteger(): void {
  const { hi, lo } = integer;
  if (hi !== lo >> 31) kind = Kind.int64;
  else if (lo >= 0 && lo <= UINT7_MAX) kind = Kind.uint7;
  else if (lo >= -4096 && lo <= 4095) kind = Kind.int13;
  else if (lo >= -32768 && lo <= 32767) kind = Kind.int16;
  else if (lo >= -8388608 && lo <= 8388607) kind = Kind.int24;
  else kind = Kind.int32;
  encodedBytes = INTEGER_BYTES[kind];
  assert(encodedBytes > 0, "an integer has bytes");
}

function backlenBytes(length: number): number {
  assert(length > 0, "an element has bytes");
  if (length <= 127) return 1;
  if (length < 16384) return 2;
  if (length < 2097152) return 3;
  return length < 268435456 ? 4 : 5;
}

/** Writes `length` so that it can be read from its last byte backwards. */
function writeBacklen(bytes: Uint8Array, at: number, length: number): void {
  const count = backlenBytes(length);
  assert(at + count <= bytes.length, "there is room for the length");
  let rest = length;
  for (let i = count - 1; i > 0; i--) {
    bytes[at + i] = (rest & 127) | 128;
    rest = Math.floor(rest / 128);
  }
  bytes[at] = rest;
}
