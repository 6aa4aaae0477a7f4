// hot path
/**
 * Objects named by small integers, so that a block of the arena can refer to them: large values and
 * large collections live here. Index 0 is never used; freed indexes are used again, last first.
 *
 * Invariants: every index is in use or in the free list, once. Costs: all O(1).
 *
 * @module
 */
import { assert } from "../lib/assert.ts";

/** See the module's head. */
export class SideTable<T extends object> {
  readonly #values: (T | null)[] = [null];
  readonly #free: number[] = [];

  /** How many values are held. */
  get size(): number {
    return this.#values.length - 1 - this.#free.length;
  }

  /** Returns the index of `value`, at least 1. */
  add(value: T): number {
    const index = this.#free.pop() ?? this.#values.length;
    assert(index > 0, "index 0 is never used");
    this.#values[index] = value;
    return index;
  }

  get(index: number): T {
    assert(index > 0, "index 0 is never used");
    const value = this.#values[index];
    assert(value !== null && value !== undefined, "an index of the side table is in use");
    return value;
  }

  remove(index: number): void {
    assert(index > 0 && index < this.#values.length, "a freed index was in use");
    assert(this.#values[index] !== null, "an index of the side table is freed once");
    this.#values[index] = null;
    this.#free.push(index);
    if (this.size === 0) this.#shrink();
  }

  /** Empties the table; returns what it held. */
  takeAll(): T[] {
    const before = this.size;
    const taken: T[] = [];
    for (const value of this.#values) if (value !== null) taken.push(value);
    assert(taken.length === before, "every value is taken");
    this.#shrink();
    return taken;
  }

  verify(): void {
    assert(this.#values[0] === null, "index 0 is never used");
    assert(new Set(this.#free).size === this.#free.length, "an index is free once");
    for (const index of this.#free) assert(this.#values[index] === null, "a free index is empty");
    const empty = this.#values.reduce((count, value) => value === null ? count + 1 : count, 0);
    assert(empty === this.#free.length + 1, "every empty index is free");
  }

  #shrink(): void {
    assert(this.#values[0] === null, "index 0 is never used");
    this.#values.length = 1;
    this.#free.length = 0;
  }
}
