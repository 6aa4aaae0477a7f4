// hot path
/**
 * A set of 64-bit integers in one run of bytes, Redis's format: sorted, each in as few bytes (2, 4 or 8)
 * as the widest needs.
 *
 * ```
 * u32 bytes of an integer · u32 integers · integer …
 * ```
 *
 * The object is a cursor: `open` puts it on an intset that lies anywhere, and its home gives room when an
 * edit needs it. Integers come as an `Int64`. Costs: `has` O(log n), edits move what stands behind.
 * Source: the format is what redis-server writes into its files.
 *
 * @module
 */
import { assert, unreachable } from "../lib/assert.ts";
import type { Int64 } from "../lib/decimal.ts";
import { type Scratch, scratch } from "../lib/scratch.ts";
import { NO_BYTES, NO_VIEW } from "../lib/slice.ts";

/** Who owns the bytes under an intset: see ListpackHome. */
export interface IntsetHome {
  resizeIntset(set: Intset, size: number): void;
}

export const EMPTY_INTSET_BYTES = 8;
const HEADER_BYTES = 8;

/** Whether the intset at `start` has no members. */
export function isEmptyIntset(view: DataView, start: number): boolean {
  assert(start >= 0, "an intset begins within its bytes");
  return view.getUint32(start + 4, true) === 0;
}

/** See the module's head. */
export class Intset implements Scratch {
  view: DataView = NO_VIEW;
  bytes: Uint8Array = NO_BYTES;
  start = 0;
  readonly #home: IntsetHome;
  /** Where `#seek` ended: the index of the integer, or of the first greater one. */
  #index = 0;
  // The integer that was read last.
  #hi = 0;
  #lo = 0;

  constructor(home: IntsetHome) {
    this.#home = home;
  }

  open(bytes: Uint8Array, view: DataView, start: number): void {
    assert(start >= 0 && start <= bytes.length, "an intset begins within its bytes");
    this.bytes = bytes;
    this.view = view;
    this.start = start;
  }

  forget(): void {
    this.open(NO_BYTES, NO_VIEW, 0);
  }

  /** Writes an empty intset of `EMPTY_INTSET_BYTES`. */
  writeEmpty(): void {
    assert(this.start + EMPTY_INTSET_BYTES <= this.bytes.length, "an empty intset has room");
    this.view.setUint32(this.start, 2, true);
    this.view.setUint32(this.start + 4, 0, true);
  }

  get count(): number {
    return this.view.getUint32(this.start + 4, true);
  }

  /** Bytes in all. */
  get size(): number {
    assert(
      this.#width === 2 || this.#width === 4 || this.#width === 8,
      "integers have 2, 4 or 8 bytes",
    );
    return HEADER_BYTES + this.#width * this.count;
  }

  get #width(): number {
    return this.view.getUint32(this.start, true);
  }

  /** Reads the integer with that index, in ascending order. */
  at(index: number, into: Int64): void {
    assert(index >= 0 && index < this.count, "the index is less than the count");
    this.#read(index);
    into.hi = this.#hi;
    into.lo = this.#lo;
  }

  has(value: Int64): boolean {
    assert(this.#width > 0, "integers have a width");
    return widthOf(value) <= this.#width && this.#seek(value);
  }

  /** Adds an integer; returns whether it is new. */
  add(value: Int64): boolean {
    assert(this.count < 2 ** 31, "the number of members fits its field");
    const width = widthOf(value);
    if (width > this.#width) {
      this.#widen(width);
      // It lies outside the range of all others.
      this.#insert(value.hi < 0 ? 0 : this.count, value);
      return true;
    }
    if (this.#seek(value)) return false;
    this.#insert(this.#index, value);
    return true;
  }

  /** Removes an integer; returns whether it was there. */
  remove(value: Int64): boolean {
    if (!this.has(value)) return false;
    assert(this.#index < this.count, "an integer that is removed is there");
    const width = this.#width;
    const size = this.size;
    const from = this.start + HEADER_BYTES + width * this.#index;
    this.bytes.copyWithin(from, from + width, this.start + size);
    this.view.setUint32(this.start + 4, this.count - 1, true);
    this.#home.resizeIntset(this, size - width);
    return true;
  }

  #insert(index: number, value: Int64): void {
    assert(
      index >= 0 && index <= this.count,
      "an integer is inserted among the others or at the end",
    );
    const width = this.#width;
    assert(width >= widthOf(value), "the integer fits the width");
    const { size, count } = this;
    this.#home.resizeIntset(this, size + width);
    const from = this.start + HEADER_BYTES + width * index;
    this.bytes.copyWithin(from + width, from, this.start + size);
    this.view.setUint32(this.start + 4, count + 1, true);
    this.#write(index, width, value.hi, value.lo);
  }

  #widen(width: number): void {
    assert(width > this.#width, "the width never shrinks");
    const { count } = this;
    const narrow = this.#width;
    this.#home.resizeIntset(this, HEADER_BYTES + width * count);
    // From the last one down, since the wide ones overwrite the narrow ones.
    for (let i = count - 1; i >= 0; i--) {
      this.#readAs(i, narrow);
      this.#write(i, width, this.#hi, this.#lo);
    }
    this.view.setUint32(this.start, width, true);
  }

  #seek(value: Int64): boolean {
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      this.#read(middle);
      if (this.#hi === value.hi && this.#lo === value.lo) {
        this.#index = middle;
        return true;
      }
      const isLess = this.#hi === value.hi
        ? (this.#lo >>> 0) < (value.lo >>> 0)
        : this.#hi < value.hi;
      if (isLess) low = middle + 1;
      else high = middle - 1;
    }
    assert(
      low === high + 1 && low <= this.count,
      "a missing integer belongs between two neighbours",
    );
    this.#index = low;
    return false;
  }

  #read(index: number): void {
    assert(index >= 0, "the index is not negative");
    this.#readAs(index, this.#width);
  }

  #readAs(index: number, width: number): void {
    const at = this.start + HEADER_BYTES + width * index;
    assert(index >= 0 && at + width <= this.bytes.length, "an integer lies within the bytes");
    if (width === 8) {
      this.#lo = this.view.getInt32(at, true);
      this.#hi = this.view.getInt32(at + 4, true);
      return;
    }
    this.#lo = width === 2 ? this.view.getInt16(at, true) : this.view.getInt32(at, true);
    this.#hi = this.#lo >> 31;
  }

  #write(index: number, width: number, hi: number, lo: number): void {
    const at = this.start + HEADER_BYTES + width * index;
    assert(at + width <= this.bytes.length, "an integer lies within the bytes");
    if (width === 2) this.view.setInt16(at, lo, true);
    else this.view.setInt32(at, lo, true);
    if (width === 8) this.view.setInt32(at + 4, hi, true);
  }

  /** Throws unless the integers ascend. O(n). */
  verify(): void {
    assert(this.start + this.size <= this.bytes.length, "the intset lies within its bytes");
    for (let i = 1; i < this.count; i++) {
      this.#read(i - 1);
      const hi = this.#hi;
      const lo = this.#lo >>> 0;
      this.#read(i);
      assert(hi < this.#hi || (hi === this.#hi && lo < this.#lo >>> 0), "integers ascend");
    }
  }
}

/** Whether `view[start, end)` is one whole intset whose integers ascend. For bytes from outside. */
export function isIntset(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
  assert(start <= end && end <= bytes.length, "the range lies within the bytes");
  if (end - start < EMPTY_INTSET_BYTES) return false;
  const width = view.getUint32(start, true);
  const isWhole = (width === 2 || width === 4 || width === 8) &&
    view.getUint32(start + 4, true) * width === end - start - HEADER_BYTES;
  if (!isWhole) return false;
  inspected.open(bytes, view, start);
  try {
    inspected.verify();
    return true;
  } catch {
    return false;
  }
}

/** The home of intsets that are only read. */
export const READ_ONLY_INTSET: IntsetHome = {
  resizeIntset: () => unreachable("a set that is read grows"),
};
// scratch: lives for one call
const inspected = scratch(new Intset(READ_ONLY_INTSET));

/** The bytes that an integer needs in an intset. */
function widthOf({ hi, lo }: Int64): number {
  if (hi !== lo >> 31) return 8;
  return lo >= -32768 && lo <= 32767 ? 2 : 4;
}
