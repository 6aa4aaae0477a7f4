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
/** So many bytes are an integer within 2^53. */
const KEY_BYTES = 6;
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

  /**
   * A number for each string, in the order of the strings: the bytes behind those that all begin with, as far as a
   * double holds them. Strings with equal numbers may differ behind those bytes. A missing string has −1.
   */
  prefixKeys(): Float64Array {
    const bytes = this.#bytes;
    const shared = this.#sharedBytes();
    const keys = new Float64Array(this.#count);
    for (let i = 0; i < this.#count; i++) {
      const end = this.#bounds[2 * i + 1];
      const start = this.#bounds[2 * i] + shared;
      let key = end === MISSING ? -1 : 0;
      // Short strings are filled up with zeros: they come before longer ones that begin alike.
      if (end !== MISSING) {
        for (let at = start; at < start + KEY_BYTES; at++) {
          key = key * 256 + (at < end ? bytes[at] : 0);
        }
      }
      keys[i] = key;
    }
    return keys;
  }

  /** With how many equal bytes all strings begin. */
  #sharedBytes(): number {
    const bytes = this.#bytes;
    let first = -1;
    let shared = 0;
    for (let i = 0; i < this.#count; i++) {
      const start = this.#bounds[2 * i];
      const end = this.#bounds[2 * i + 1];
      if (end === MISSING) continue;
      if (first < 0) {
        first = start;
        shared = end - start;
      }
      shared = Math.min(shared, end - start);
      let same = 0;
      while (same < shared && bytes[first + same] === bytes[start + same]) same++;
      shared = same;
    }
    return shared;
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
