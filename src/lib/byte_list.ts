// hot path
/**
 * A list of byte strings in one buffer, for commands that read all of them before they answer. Making 100,000 separate
 * arrays takes ten times as long, and collecting them again takes time.
 */
import { assert } from "./assert.ts";
import { copyIn } from "./copy.ts";
import type { Slice } from "./slice.ts";

const BYTES_MIN = 1024;
const ENDS_MIN = 64;
/** Where a missing string ends. */
const MISSING = -1;

export class ByteList {
  #bytes = new Uint8Array(BYTES_MIN);
  #view = new DataView(this.#bytes.buffer);
  /** Two for each string: where it begins and ends. */
  #bounds = new Float64Array(ENDS_MIN);
  #end = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Adds a copy of `slice`. */
  add({ bytes, view, start, end }: Slice): void {
    const at = this.#makeRoom(end - start);
    copyIn(bytes, view, start, end, this.#bytes, this.#view, at);
    this.#note(at, at + end - start);
  }

  /** Adds a missing string, which is not the same as an empty one. */
  addMissing(): void {
    this.#note(0, MISSING);
  }

  isMissing(index: number): boolean {
    return this.#bounds[2 * index + 1] === MISSING;
  }

  /** Points `into` at a string; it stays until more are added. */
  read(index: number, into: Slice): void {
    assert(index < this.#count, "the string is in the list");
    assert(this.#bounds[2 * index + 1] !== MISSING, "the string is not missing");
    const bounds = this.#bounds;
    into.set(this.#bytes, this.#view, bounds[2 * index], bounds[2 * index + 1]);
  }

  /** Compares two strings byte by byte and then by length: negative if the first comes first. */
  compare(one: number, other: number): number {
    const bytes = this.#bytes;
    const bounds = this.#bounds;
    let a = bounds[2 * one] | 0;
    let b = bounds[2 * other] | 0;
    const aSize = bounds[2 * one + 1] - a;
    const bSize = bounds[2 * other + 1] - b;
    const end = a + Math.min(aSize, bSize);
    for (; a < end; a++, b++) {
      const difference = bytes[a] - bytes[b];
      if (difference !== 0) return difference;
    }
    return aSize - bSize;
  }

  #note(start: number, end: number): void {
    if (2 * this.#count === this.#bounds.length) {
      const grown = new Float64Array(2 * this.#bounds.length);
      grown.set(this.#bounds);
      this.#bounds = grown;
    }
    this.#bounds[2 * this.#count] = start;
    this.#bounds[2 * this.#count + 1] = end;
    this.#count++;
  }

  /** Makes room for `size` bytes more; returns where they go. */
  #makeRoom(size: number): number {
    const at = this.#end;
    this.#end = at + size;
    if (this.#end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#end));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}

/**
 * The numbers from 0 to `count` − 1 in the order that `compare` gives; equal ones stay as they are. A merge sort over
 * typed arrays: `sort` of an array with a function takes five times as long.
 */
export function sortedIndexes(
  count: number,
  compare: (one: number, other: number) => number,
): Int32Array {
  let from: Int32Array = Int32Array.from({ length: count }, (_, i) => i);
  let to: Int32Array = new Int32Array(count);
  for (let start = 0; start < count; start += RUN) {
    sortRun(from, start, Math.min(start + RUN, count), compare);
  }
  for (let width = RUN; width < count; width *= 2) {
    for (let start = 0; start < count; start += 2 * width) {
      const middle = Math.min(start + width, count);
      merge(from, to, start, middle, Math.min(middle + width, count), compare);
    }
    [from, to] = [to, from];
  }
  return from;
}

const RUN = 8;

/** Insertion sort of `indexes[start, end)`. */
function sortRun(
  indexes: Int32Array,
  start: number,
  end: number,
  compare: (one: number, other: number) => number,
): void {
  for (let i = start + 1; i < end; i++) {
    const moved = indexes[i];
    let at = i;
    for (; at > start && compare(indexes[at - 1], moved) > 0; at--) indexes[at] = indexes[at - 1];
    indexes[at] = moved;
  }
}

/** Merges `from[start, middle)` and `from[middle, end)`, both in order, into `to`. */
function merge(
  from: Int32Array,
  to: Int32Array,
  start: number,
  middle: number,
  end: number,
  compare: (one: number, other: number) => number,
): void {
  let a = start;
  let b = middle;
  for (let at = start; at < end; at++) {
    const takesFirst = b === end || (a < middle && compare(from[a], from[b]) <= 0);
    to[at] = takesFirst ? from[a++] : from[b++];
  }
}
