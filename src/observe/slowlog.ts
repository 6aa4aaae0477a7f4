/**
 * The last commands that took longer than `slowlog-log-slower-than` microseconds, newest first.
 */

export interface SlowlogEntry {
  readonly id: number;
  /** Unix time in seconds. */
  readonly time: number;
  readonly microseconds: number;
  /** Byte strings (characters 0 to 255), shortened. */
  readonly args: readonly string[];
  readonly address: string;
  readonly clientName: string;
}

export class Slowlog {
  #entries: SlowlogEntry[] = [];
  #nextId = 0;

  get length(): number {
    return this.#entries.length;
  }

  /** Adds an entry and drops the oldest beyond `maxLength`. */
  add(entry: Omit<SlowlogEntry, "id">, maxLength: number): void {
    this.#entries.unshift({ ...entry, id: this.#nextId++ });
    this.trim(maxLength);
  }

  trim(maxLength: number): void {
    if (this.#entries.length > maxLength) this.#entries.length = Math.max(maxLength, 0);
  }

  /** The newest `count` entries. */
  latest(count: number): readonly SlowlogEntry[] {
    return this.#entries.slice(0, count);
  }

  reset(): void {
    this.#entries = [];
  }
}
