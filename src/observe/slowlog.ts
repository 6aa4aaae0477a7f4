/**
 * The last commands that took longer than `slowlog-log-slower-than` microseconds, newest first.
 */

/** Arguments kept of one entry, and bytes of each; the rest is counted, as Redis shows it. */
const ARGUMENTS_MAX = 32;
const ARGUMENT_BYTES_MAX = 128;

export interface SlowlogEntry {
  readonly id: number;
  /** Unix time in seconds. */
  readonly time: number;
  readonly microseconds: number;
  /** Byte strings (characters 0 to 255). */
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
    const args = entry.args.slice(0, ARGUMENTS_MAX).map(shorten);
    const more = entry.args.length - ARGUMENTS_MAX + 1;
    if (more > 1) args[ARGUMENTS_MAX - 1] = `... (${more} more arguments)`;
    this.#entries.unshift({ ...entry, args, id: this.#nextId++ });
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

function shorten(arg: string): string {
  if (arg.length <= ARGUMENT_BYTES_MAX) return arg;
  const more = arg.length - ARGUMENT_BYTES_MAX;
  return `${arg.slice(0, ARGUMENT_BYTES_MAX)}... (${more} more bytes)`;
}
