/**
 * Frees the entries of emptied databases in slices, so that FLUSHDB ASYNC costs nothing at once.
 */
import type { DashTable } from "../structures/dash_table.ts";
import type { Ref } from "../structures/arena.ts";
import type { Entries } from "./entry.ts";
import { releaseValue } from "./values.ts";

/** What lazy freeing needs of the keyspace. */
interface Owner {
  readonly entries: Entries;
}

export class LazyFree {
  readonly #owner: Owner;
  #tables: { table: DashTable; next: number }[] = [];
  /** Entries still to be freed: lazyfree_pending_objects of INFO. */
  pending = 0;
  /** Entries freed so far: lazyfreed_objects of INFO. */
  freed = 0;

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  /** Takes over a table which nobody uses any more. */
  add(table: DashTable): void {
    if (table.count === 0) return;
    this.#tables.push({ table, next: 0 });
    this.pending += table.count;
  }

  /** Frees until `isOver` says so; returns whether something is left. */
  slice(isOver: () => boolean): boolean {
    const entries = this.#owner.entries;
    const free = (ref: Ref): void => {
      releaseValue(entries, ref);
      entries.free(ref);
      this.freed++;
      this.pending--;
    };
    while (this.#tables.length > 0) {
      const first = this.#tables[0];
      first.next = first.table.forEachFrom(first.next, free);
      if (first.next === 0) this.#tables.shift();
      if (isOver()) break;
    }
    return this.#tables.length > 0;
  }

  /** The arena itself is gone: nothing is left to free. */
  forget(): void {
    this.#tables = [];
    this.pending = 0;
  }
}
