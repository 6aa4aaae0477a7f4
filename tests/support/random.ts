/** Chance from a seed, for tests that try many things. */
import { generator } from "../differential/commands.ts";

export class Random {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = generator(seed);
  }

  /** An integer from 0 to `limit` − 1. */
  below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  isLikely(chance: number): boolean {
    return this.#next() < chance;
  }

  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)];
  }
}
