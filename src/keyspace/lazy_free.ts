/**
 * Frees the entries of emptied databases and the elements of large collections in slices, so that neither
 * FLUSHDB ASYNC nor DEL of a set of a million members stops the server.
 */
import type { Ref } from "../structures/arena.ts";
import type { Entries, Releasable } from "./entry.ts";
import type { Placement } from "./placement.ts";
import { releaseValue } from "./values.ts";

/** What lazy freeing needs of the keyspace; `lazilyFreed` counts entries and collections. */
interface Owner {
  readonly entries: Entries;
  readonly stats: { lazilyFreed: number };
  /** Whether a snapshot is reading the tables, which must not change then. */
  readonly isHeld: boolean;
}

/** Elements that are freed between two looks at the clock. */
const ELEMENTS_A_STEP = 1024;
/** Buffers that are given back between two looks at the clock. */
const REMAINS_A_STEP = 64;

export class LazyFree {
  readonly #owner: Owner;
  #tables: { placement: Placement; next: number }[] = [];
  #pendingEntries = 0;
  /** Memory outside an arena that was emptied, and tables whose entries are freed. */
  #remains: Releasable[] = [];

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  /** Entries and collections still to be freed: lazyfree_pending_objects of INFO. */
  get pending(): number {
    return this.#pendingEntries + this.#owner.entries.toFree.length;
  }

  /** Whether `freeSome` would free memory of the present arena. */
  get hasWork(): boolean {
    const { entries, isHeld } = this.#owner;
    return entries.toFree.length > 0 || (this.#tables.length > 0 && !isHeld);
  }

  /** Takes over the entries of a database that is not used any more. */
  add(placement: Placement): void {
    this.#tables.push({ placement, next: 0 });
    this.#pendingEntries += placement.table.count;
  }

  /** Takes over the memory that entries had outside an arena that was emptied. */
  addRemains(remains: Releasable): void {
    this.#remains.push(remains);
  }

  /** Frees until `isOver` says so; returns whether something is left. */
  freeSome(isOver: () => boolean): boolean {
    const { entries, stats } = this.#owner;
    const free = (ref: Ref): void => {
      releaseValue(entries, ref);
      entries.free(ref);
      stats.lazilyFreed++;
      this.#pendingEntries--;
    };
    while (this.#tables.length > 0 && !this.#owner.isHeld) {
      const first = this.#tables[0];
      first.next = first.placement.table.forEachFrom(first.next, free);
      if (first.next === 0) {
        this.#remains.push(first.placement);
        this.#tables.shift();
      }
      if (isOver()) return true;
    }
    return this.#releaseObjects(isOver) || this.#releaseRemains(isOver);
  }

  #releaseRemains(isOver: () => boolean): boolean {
    const remains = this.#remains;
    while (remains.length > 0) {
      if (remains[remains.length - 1].release(REMAINS_A_STEP)) remains.pop();
      if (isOver()) break;
    }
    return remains.length > 0;
  }

  #releaseObjects(isOver: () => boolean): boolean {
    const { entries: { toFree }, stats } = this.#owner;
    while (toFree.length > 0) {
      if (toFree[toFree.length - 1].release(ELEMENTS_A_STEP)) {
        toFree.pop();
        stats.lazilyFreed++;
      }
      if (isOver()) break;
    }
    return toFree.length > 0;
  }

  /**
   * Called before the arena is emptied, which frees all entries: returns the placements that still waited to be freed.
   */
  forget(): Placement[] {
    const left = this.#tables.map(({ placement }) => placement);
    this.#tables = [];
    this.#pendingEntries = 0;
    return left;
  }
}
