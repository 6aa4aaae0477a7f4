// hot path
/**
 * A map from byte strings that clients choose (channels, patterns) to the items that bear them as names. It is looked up
 * by bytes where they lie: no string is made of them. As in NameMap, names are hashed with the server's secret key, and
 * those with one hash, hardly ever more than one, form a chain.
 *
 * @module
 */
import { assert } from "../lib/assert.ts";
import type { Hasher } from "../lib/hash.ts";
import { equalBytes } from "../lib/slice.ts";

/** What can lie in the map: its own object is the entry. */
export interface Named<T> {
  /** Its own copy of the bytes. */
  readonly name: Uint8Array;
  /** The next item with the same hash. Only the map changes it. */
  next: T | null;
}

export class BytesMap<T extends Named<T>> {
  readonly #hasher: Hasher;
  /** First items of chains, by hash. */
  readonly #chains = new Map<number, T>();
  #size = 0;

  constructor(hasher: Hasher) {
    this.#hasher = hasher;
  }

  get size(): number {
    assert(this.#size >= 0, "the count is not negative");
    return this.#size;
  }

  /** The item whose name is `bytes[start, end)`, or null. */
  get(bytes: Uint8Array, start: number, end: number): T | null {
    let item = this.#chains.get(this.#hasher.hashBytes(bytes, start, end)) ?? null;
    while (item !== null && !equalBytes(bytes, start, end, item.name)) item = item.next;
    return item;
  }

  /** Adds an item whose name is not there yet. */
  add(item: T): void {
    const { name } = item;
    assert(item.next === null, "an item is added once");
    const hash = this.#hasher.hashBytes(name, 0, name.length);
    item.next = this.#chains.get(hash) ?? null;
    this.#chains.set(hash, item);
    this.#size++;
    assert(this.#size >= this.#chains.size, "no chain is empty");
  }

  /** Removes an item, which must be there. */
  delete(item: T): void {
    const { name, next } = item;
    const hash = this.#hasher.hashBytes(name, 0, name.length);
    let before = this.#chains.get(hash) ?? null;
    if (before === item) {
      if (next === null) this.#chains.delete(hash);
      else this.#chains.set(hash, next);
    } else {
      while (before !== null && before.next !== item) before = before.next;
      assert(before !== null, "what is removed is there");
      before.next = next;
    }
    item.next = null;
    this.#size--;
    assert(this.#size >= this.#chains.size, "no chain is empty");
  }

  /** All items; none may be added or removed meanwhile. */
  *values(): IterableIterator<T> {
    for (const first of this.#chains.values()) {
      for (let item: T | null = first; item !== null; item = item.next) yield item;
    }
  }

  /** Throws if an item lies in another chain than its hash's, or is not counted. O(n). */
  verify(): void {
    let count = 0;
    for (const [hash, first] of this.#chains) {
      for (let item: T | null = first; item !== null; item = item.next) {
        const { name } = item;
        assert(this.#hasher.hashBytes(name, 0, name.length) === hash, "a name lies in its chain");
        assert(this.get(name, 0, name.length) === item, "a name is in its chain once");
        count++;
      }
    }
    assert(count === this.#size, "the count of names is right");
  }
}
