/**
 * Frees the entries of emptied databases and the elements of large collections in slices, so that neither
 * FLUSHDB ASYNC nor DEL of a set of a million members stops the server.
 */
import type { DashTable } from "../structures/dash_table.ts";
import type { Ref } from "../structures/arena.ts";
import type { Entries } from "./entry.ts";
import { releaseValue } from "./values.ts";

/** What lazy freeing needs of the keyspace; `lazilyFreed` counts entries and collections. */
interface Owner {
  readonly entries: Entries;
  readonly stats: { lazilyFreed: number };
  /** Tables stay as they are: a snapshot reads them. */
  readonly isHeld: boolean;
}

/** Elements that are freed between two looks at the clock. */
const ELEMENTS_A_STEP = 1024;

export class LazyFree {
  readonly #owner: Owner;
  #tables: { table: DashTable; next: number }[] = [];
  #pendingEntries = 0;

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  /** Entries and collections still to be freed: lazyfree_pending_objects of INFO. */
  get pending(): number {
    return this.#pendingEntries + this.#owner.entries.dying.length;
  }

  /** Takes over a table which nobody uses any more. */
  add(table: DashTable): void {
    if (table.count === 0) return;
    this.#tables.push({ table, next: 0 });
    this.#pendingEntries += table.count;
  }

  /** Frees until `isOver` says so; returns whether something is left. */
  slice(isOver: () => boolean): boolean {
    const { entries, stats } = this.#owner;
    const free = (ref: Ref): void => {
      releaseValue(entries, ref);
      entries.free(ref);
      stats.lazilyFreed++;
      this.#pendingEntries--;
    };
    while (this.#tables.length > 0 && !this.#owner.isHeld) {
      const first = this.#tables[0];
      first.next = first.table.forEachFrom(first.next, free);
      if (first.next === 0) this.#tables.shift();
      if (isOver()) return true;
    }
    return this.#releaseObjects(isOver);
  }

  #releaseObjects(isOver: () => boolean): boolean {
    const { entries: { dying }, stats } = this.#owner;
    while (dying.length > 0) {
      if (dying[dying.length - 1].release(ELEMENTS_A_STEP)) {
        dying.pop();
        stats.lazilyFreed++;
      }
      if (isOver()) break;
    }
    return dying.length > 0;
  }

  /** The arena itself is gone: nothing is left to free. */
  forget(): void {
    this.#tables = [];
    this.#pendingEntries = 0;
  }
}
