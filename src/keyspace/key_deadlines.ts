// hot path
/**
 * When the keys of one database expire. A key past its deadline counts as missing at once, and is removed by the next
 * look-up or by the timer, which asks the heap for the next one that is due.
 */
import { assert } from "../lib/assert.ts";
import type { Int64 } from "../lib/decimal.ts";
import { type Args, binaryText } from "../protocol/args.ts";
import type { Ref } from "../structures/arena.ts";
import type { Database } from "./database.ts";
import { EntryFlag } from "./entry.ts";

/** Bytes of a key that the log shows. */
const NAME_BYTES_MAX = 128;

export class KeyDeadlines {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Keys that have a deadline. */
  get count(): number {
    return this.#db.placement.heap.size;
  }

  /** The earliest deadline in Unix ms, or Infinity. */
  get next(): number {
    return this.#db.placement.heap.minDeadline;
  }

  /** Mean ms from now to the deadlines of some of the keys that have one: avg_ttl of INFO. */
  averageTtl(now: number): number {
    return Math.max(0, Math.floor(this.#db.placement.heap.meanDeadline(64) - now));
  }

  /** The entry's deadline in Unix ms, rounded beyond 2^53, or -1. */
  of(ref: Ref): number {
    return this.#db.placement.deadlineOf(ref);
  }

  /** Reads the entry's deadline exactly; returns whether it has one. */
  read(ref: Ref, out: Int64): boolean {
    return this.#db.placement.readDeadline(ref, out);
  }

  /** Whether an entry that has a deadline is past it. While a file is being loaded, no entry is. */
  isDue(ref: Ref): boolean {
    const { keyspace, placement } = this.#db;
    if (keyspace.isLoading) return false;
    return keyspace.clock.nowMs() > placement.heap.deadlineAt(placement.entries.heapSlot(ref));
  }

  /** Gives an entry a deadline in Unix ms; returns its ref, which may be a new one. */
  set(ref: Ref, deadline: Int64): Ref {
    const { keyspace, placement } = this.#db;
    keyspace.noteDeadline(deadline);
    return placement.setDeadline(ref, deadline);
  }

  /** Gives the key at argument `index`, which exists, a deadline. The caller calls `changed`. */
  expireAt(args: Args, index: number, deadline: Int64): void {
    const ref = this.#db.edit(args, index);
    assert(ref !== 0, "a key that gets a deadline exists");
    this.set(ref, deadline);
  }

  /** Takes the deadline of the key at argument `index` away; returns whether it had one. */
  persist(args: Args, index: number): boolean {
    const db = this.#db;
    const ref = db.edit(args, index);
    if (ref === 0 || !db.placement.entries.hasFlag(ref, EntryFlag.ttl)) return false;
    db.placement.dropDeadline(ref);
    return true;
  }

  /**
   * Removes one key that is due at `now`; returns whether there was one. If an assertion fails meanwhile, the
   * deadline is removed all the same, so that the next call does not fail at the same key.
   */
  expireNext(now: number): boolean {
    const db = this.#db;
    const { heap } = db.placement;
    if (!(heap.minDeadline < now)) return false;
    const ref = heap.minRef;
    try {
      db.expire(ref);
    } catch (error) {
      if (heap.minRef === ref) heap.removeMin();
      throw new Error(`The key ${this.#nameOf(ref)} of database ${db.index} can't expire`, {
        cause: error,
      });
    }
    return true;
  }

  /** A key's name for the log, as far as it can still be read. */
  #nameOf(ref: Ref): string {
    const { entries } = this.#db.placement;
    entries.open(ref);
    const { keyBytes, keyStart, keyEnd } = entries;
    return JSON.stringify(
      binaryText(keyBytes, keyStart, Math.min(keyEnd, keyStart + NAME_BYTES_MAX)),
    );
  }
}
