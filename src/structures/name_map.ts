/**
 * A map from names that clients choose: groups, consumers, watched keys. JavaScript's own Map hashes strings under a
 * seed that is part of V8's snapshot and so the same in every process of one version of Deno: names that collide in it
 * can be computed beforehand. This one hashes them with the server's secret key.
 *
 * Names are strings of any characters. Those with one hash, hardly ever more than one, form a chain.
 * Costs: those of a Map of numbers, and the hash.
 *
 * @module
 */
import { assert } from "../lib/assert.ts";
import type { Hasher } from "../lib/hash.ts";

interface Entry<T> {
  readonly name: string;
  value: T;
  /** The next entry with the same hash. */
  next: Entry<T> | null;
}

export class NameMap<T> {
  readonly #hasher: Hasher;
  /** First entries of chains, by hash. */
  readonly #chains = new Map<number, Entry<T>>();
  #size = 0;

  constructor(hasher: Hasher) {
    this.#hasher = hasher;
  }

  get size(): number {
    return this.#size;
  }

  get(name: string): T | undefined {
    return this.#find(name)?.value;
  }

  has(name: string): boolean {
    return this.#find(name) !== null;
  }

  set(name: string, value: T): void {
    const hash = this.#hasher.hashText(name);
    const first = this.#chains.get(hash) ?? null;
    for (let entry = first; entry !== null; entry = entry.next) {
      if (entry.name !== name) continue;
      entry.value = value;
      return;
    }
    this.#chains.set(hash, { name, value, next: first });
    this.#size++;
    assert(this.#chains.size <= this.#size, "no chain is empty");
  }

  /** Removes a name; returns whether it was there. */
  delete(name: string): boolean {
    const hash = this.#hasher.hashText(name);
    let previous: Entry<T> | null = null;
    assert(this.#size >= 0, "the count is not negative");
    for (let entry = this.#chains.get(hash) ?? null; entry !== null; entry = entry.next) {
      if (entry.name !== name) {
        previous = entry;
        continue;
      }
      if (previous !== null) previous.next = entry.next;
      else if (entry.next !== null) this.#chains.set(hash, entry.next);
      else this.#chains.delete(hash);
      this.#size--;
      assert(this.#size >= this.#chains.size, "no chain is empty");
      return true;
    }
    return false;
  }

  clear(): void {
    this.#chains.clear();
    this.#size = 0;
  }

  /** All values. The one that was shown last may be deleted meanwhile, and no other. */
  *values(): IterableIterator<T> {
    for (const [, value] of this) yield value;
  }

  /** Names and values: see `values`. */
  *[Symbol.iterator](): IterableIterator<[name: string, value: T]> {
    for (const first of this.#chains.values()) {
      for (let entry: Entry<T> | null = first; entry !== null;) {
        const next: Entry<T> | null = entry.next;
        yield [entry.name, entry.value];
        entry = next;
      }
    }
  }

  /** Throws if a name lies in another chain than its hash's, or is not counted. O(n). */
  verify(): void {
    let count = 0;
    for (const [hash, first] of this.#chains) {
      const names = new Set<string>();
      for (let entry: Entry<T> | null = first; entry !== null; entry = entry.next) {
        assert(this.#hasher.hashText(entry.name) === hash, "a name lies in its hash's chain");
        assert(!names.has(entry.name), "a name is in its chain once");
        names.add(entry.name);
      }
      assert(names.size > 0, "no chain is empty");
      count += names.size;
    }
    assert(count === this.#size, "the count of names is right");
  }

  #find(name: string): Entry<T> | null {
    let entry = this.#chains.get(this.#hasher.hashText(name)) ?? null;
    while (entry !== null && entry.name !== name) entry = entry.next;
    return entry;
  }
}
