// hot path
/**
 * Keys that have changed since it was emptied last, each once, with the number of who changed it last; they can be walked
 * in the order of their bytes, in which all keys with one prefix are neighbours.
 *
 * Costs: `add` one look-up in a table; `sort` O(n log n), and 4 bytes a key.
 *
 * @module
 */
import { assert } from "../lib/assert.ts";
import { compareBytes, Slice } from "../lib/slice.ts";
import type { Hasher } from "../lib/hash.ts";
import type { Arena, Ref } from "./arena.ts";
import { MemberTable } from "./member_table.ts";

const AUTHOR_BYTES = 8;
const NO_REFS = new Uint32Array(0);

/** See the module's head. */
export class ChangedKeys {
  readonly #keys: MemberTable;
  /** In the order of the keys' bytes, after `sort`. */
  #sorted: Uint32Array = NO_REFS;
  readonly #slice = new Slice();

  constructor(arena: Arena, hasher: Hasher) {
    this.#keys = new MemberTable(arena, hasher);
  }

  get count(): number {
    return this.#keys.count;
  }

  /** Notes that `author` has changed the key `bytes[start, end)`. */
  add(bytes: Uint8Array, view: DataView, start: number, end: number, author: number): void {
    assert(this.#sorted === NO_REFS, "no key is added between sort and clear");
    this.#keys.setScore(this.#keys.findOrAdd(bytes, view, start, end, AUTHOR_BYTES), author);
  }

  /** Prepares the walk over the keys; they are as they were until `clear`. */
  sort(): void {
    assert(this.#sorted === NO_REFS, "the keys of the last walk have been cleared");
    const sorted = new Uint32Array(this.count);
    let filled = 0;
    this.#keys.forEach((ref) => (sorted[filled++] = ref));
    assert(filled === sorted.length, "every key is sorted");
    this.#sorted = filled < 2 ? sorted : sorted.sort((a, b) => this.#keys.compareKeys(a, b));
  }

  #at(index: number): Ref {
    assert(index >= 0 && index < this.#sorted.length, "a key's index lies below the count");
    return this.#sorted[index];
  }

  /** Points `into` at the key with that index, in order. */
  key(index: number, into: Slice): void {
    this.#keys.key(this.#at(index), into);
  }

  /** Who has changed the key with that index last. */
  author(index: number): number {
    return this.#keys.score(this.#at(index));
  }

  /** The index of the first key that does not come before `prefix`: where those that begin so are. */
  firstFrom(prefix: Uint8Array): number {
    assert(this.#sorted.length === this.count, "the keys are sorted");
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      this.key(middle, this.#slice);
      if (compareBytes(this.#slice, prefix, 0, prefix.length) < 0) low = middle + 1;
      else high = middle;
    }
    assert(low <= this.count, "an index is at most the count");
    return low;
  }

  /** Whether the key with that index begins with `prefix`. */
  beginsWith(index: number, prefix: Uint8Array): boolean {
    this.key(index, this.#slice);
    const { bytes, start, end } = this.#slice;
    assert(start <= end, "a key does not end before it begins");
    if (end - start < prefix.length) return false;
    for (let i = 0; i < prefix.length; i++) if (bytes[start + i] !== prefix[i]) return false;
    return true;
  }

  /** Forgets the keys, which must have been sorted. */
  clear(): void {
    for (let i = 0; i < this.#sorted.length; i++) this.#keys.remove(this.#sorted[i]);
    this.#sorted = NO_REFS;
    assert(this.count === 0, "all keys were sorted");
  }
}
