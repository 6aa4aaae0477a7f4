// hot path
/**
 * Active defragmentation: gives memory back that is lost between the blocks of the arena. Only whole chunks of 64 MiB can go back
 * to the system. So the chunks that are used least are closed, and a walk over all keys moves the blocks in them elsewhere:
 * every block has one owner that refers to it. When the last block has left a chunk, the arena drops it.
 *
 *     tick      looks ten times a second whether enough is lost, chooses chunks and closes them
 *     slice     moves some blocks; the timer leaves pauses between slices, by the share of the processor that is allowed
 *     end       chunks that did not empty are opened again
 *
 * The chunks that are closed together hold a quarter of all bytes in use at most, or those of one chunk: until the first of them
 * is empty, what was moved takes memory in addition.
 *
 * Nothing is moved while a snapshot reads the entries, or while a script is suspended. Places that change between slices are
 * found again by cursors, as in SCAN; what escapes the walk is met by the next one.
 */
import { assert } from "../lib/assert.ts";
import { CHUNK_BYTES } from "../structures/chunk_pool.ts";
import type { Ref } from "../structures/arena.ts";
import type { Database } from "./database.ts";
import { Encoding, type HeapValue } from "./entry.ts";
import type { Keyspace } from "./keyspace.ts";

/** Keys, and elements of a large collection, that are visited between two looks at the clock. */
const KEYS_A_STEP = 64;
const ELEMENTS_A_STEP = 128;
/** A chunk of which a larger part is in use is left alone. */
const SPARSE = 0.8;

/** The directives: active-defrag-… */
export interface DefragSettings {
  readonly activedefrag: boolean;
  readonly activeDefragIgnoreBytes: number;
  /** Percent of what is in use. */
  readonly activeDefragThresholdLower: number;
  readonly activeDefragThresholdUpper: number;
  /** Percent of the processor's time. */
  readonly activeDefragCycleMin: number;
  readonly activeDefragCycleMax: number;
  readonly activeDefragMaxScanFields: number;
}

export class Defragmenter {
  /** Blocks of keys and of elements that were moved, and those that were looked at and stayed. */
  hits = 0;
  misses = 0;
  /** Keys of which something was moved, and others. */
  keyHits = 0;
  keyMisses = 0;
  /** Percent of the processor's time that it takes now; 0: nothing is being moved. */
  percent = 0;
  #dueUs = 0;
  #sinceUs = 0;
  #activeUs = 0;
  readonly #keyspace: Keyspace;
  readonly #found = new Uint32Array(16 * KEYS_A_STEP);
  #database = 0;
  #cursor = 0;
  /** Large collections that were met, and how far the first of them is done. */
  readonly #large: HeapValue[] = [];
  #largeCursor = 0;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  /** CONFIG RESETSTAT. */
  resetStatistics(): void {
    this.hits =
      this.misses =
      this.keyHits =
      this.keyMisses =
        0;
    this.#activeUs = 0;
    this.#sinceUs = this.#keyspace.clock.monotonicUs();
  }

  get isRunning(): boolean {
    return this.percent > 0;
  }

  /** When the next slice may begin (Clock.monotonicUs); Infinity while nothing may be moved: each tick looks again. */
  get dueUs(): number {
    return this.isRunning && !this.#mustWait ? this.#dueUs : Infinity;
  }

  /** Microseconds since this walk has begun; 0 without one. */
  get activeNowUs(): number {
    return this.isRunning ? this.#keyspace.clock.monotonicUs() - this.#sinceUs : 0;
  }

  /** As `activeNowUs`, of all walks. */
  get activeUs(): number {
    return this.#activeUs + this.activeNowUs;
  }

  /** Called ten times a second: begins if enough is lost; ends if it was switched off. */
  tick(values: DefragSettings): void {
    if (!values.activedefrag) {
      if (this.isRunning) this.#end();
      return;
    }
    const percent = this.#percentFor(values);
    if (this.isRunning) {
      // As in Redis, the share grows during a walk, and does not fall.
      if (percent > this.percent) this.percent = percent;
    } else if (percent > 0 && !this.#mustWait && this.#closeSparse()) this.#begin(percent);
  }

  #begin(percent: number): void {
    this.percent = percent;
    this.#sinceUs = this.#dueUs = this.#keyspace.clock.monotonicUs();
  }

  /** The share of the processor's time that is due for what is lost now; 0 if it is little. */
  #percentFor(values: DefragSettings): number {
    const { arena } = this.#keyspace.entries;
    const lost = arena.touchedBytes - arena.usedBytes;
    const share = lost / Math.max(arena.usedBytes, 1) * 100;
    const { activeDefragThresholdLower: lower, activeDefragThresholdUpper: upper } = values;
    if (lost < values.activeDefragIgnoreBytes || share < lower) return 0;
    const { activeDefragCycleMin: least, activeDefragCycleMax: most } = values;
    const part = upper > lower ? Math.min((share - lower) / (upper - lower), 1) : 1;
    return Math.max(Math.round(least + part * (most - least)), 1);
  }

  /** Whether refs that nobody walks over may be in use. */
  get #mustWait(): boolean {
    const { isHeld, isLoading, lazyFree, hooks } = this.#keyspace;
    return isHeld || isLoading || lazyFree.pending > 0 || hooks.isForbidden;
  }

  /** Closes the chunks that are used least; returns whether there are any. */
  #closeSparse(): boolean {
    const { arena } = this.#keyspace.entries;
    const sparse: { index: number; usedBytes: number; touchedBytes: number }[] = [];
    for (let index = 0; index < arena.chunks.length; index++) {
      const stats = arena.chunkStats(index);
      if (stats === null || stats.usedBytes > SPARSE * stats.touchedBytes) continue;
      sparse.push({ index, ...stats });
    }
    sparse.sort((a, b) => a.usedBytes - b.usedBytes);
    let left = Math.max(arena.usedBytes / 4, CHUNK_BYTES);
    let closed = 0;
    for (const { index, usedBytes } of sparse) {
      if (usedBytes > left) break;
      left -= usedBytes;
      arena.close(index);
      closed++;
    }
    return closed > 0;
  }

  /** Moves blocks until `isOver`. */
  slice(isOver: () => boolean, values: DefragSettings): void {
    const { clock } = this.#keyspace;
    const beganUs = clock.monotonicUs();
    if (!this.isRunning || this.#mustWait) return;
    do {
      if (this.#large.length > 0) this.#stepLarge();
      else if (this.#database < this.#keyspace.databases.length) this.#stepKeys(values);
      else {
        this.#end();
        break;
      }
    } while (!isOver());
    // What it remembers of a key lies where the key was.
    this.#keyspace.hasher.forget();
    const nowUs = clock.monotonicUs();
    this.#dueUs = nowUs + (nowUs - beganUs) * (100 / Math.max(this.percent, 1) - 1);
  }

  #stepKeys(values: DefragSettings): void {
    const db = this.#keyspace.databases[this.#database];
    let count = 0;
    this.#cursor = db.placement.table.scan(this.#cursor, KEYS_A_STEP, (ref) => {
      // What has no room here is met by the next walk.
      if (count < this.#found.length) this.#found[count++] = ref;
    });
    for (let i = 0; i < count; i++) {
      this.#relocate(db, this.#found[i], values.activeDefragMaxScanFields);
    }
    if (this.#cursor === 0) this.#database++;
  }

  #relocate(db: Database, ref: Ref, fieldsMax: number): void {
    const { entries } = db;
    const object = this.#objectOf(db, ref);
    const before = this.hits;
    this.#move(db, ref);
    if (object !== null) {
      if (object.effort > fieldsMax) this.#large.push(object);
      else this.#relocateAll(object);
    }
    if (this.hits > before) this.keyHits++;
    else this.keyMisses++;
    assert(entries === this.#keyspace.entries, "a walk is over when the entries are exchanged");
  }

  #objectOf({ entries }: Database, ref: Ref): HeapValue | null {
    entries.open(ref);
    if (entries.encoding !== Encoding.object) return null;
    const object = entries.object();
    return object.relocate === undefined ? null : object;
  }

  #move(db: Database, ref: Ref): void {
    if (!db.entries.arena.isLeaving(ref)) {
      this.misses++;
      return;
    }
    db.placement.relocate(ref);
    this.hits++;
  }

  #relocateAll(object: HeapValue): void {
    let cursor = 0;
    do cursor = this.#step(object, cursor); while (cursor !== 0);
  }

  #step(object: HeapValue, cursor: number): number {
    const { arena } = this.#keyspace.entries;
    const before = arena.copies;
    const next = object.relocate?.(cursor, ELEMENTS_A_STEP) ?? 0;
    const moved = arena.copies - before;
    this.hits += moved;
    this.misses += Math.max(Math.min(ELEMENTS_A_STEP, object.effort) - moved, 0);
    return next;
  }

  #stepLarge(): void {
    const object = this.#large[this.#large.length - 1];
    // One that was removed meanwhile is not accounted for any more: it is being freed.
    if (object.accountedBytes > 0) this.#largeCursor = this.#step(object, this.#largeCursor);
    else this.#largeCursor = 0;
    if (this.#largeCursor === 0) this.#large.pop();
  }

  /** The walk is over, or is given up. */
  #end(): void {
    this.#keyspace.entries.arena.reopen();
    this.forget();
  }

  /** All entries have gone, and their refs. */
  forget(): void {
    this.#activeUs += this.activeNowUs;
    this.percent = 0;
    this.#database = this.#cursor = this.#largeCursor = 0;
    this.#large.length = 0;
  }
}
