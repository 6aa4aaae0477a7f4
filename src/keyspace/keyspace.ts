/**
 * All databases and what they share: the arena, the hooks, the clock, the counters.
 */
import type { Clock } from "../lib/clock.ts";
import type { Int64 } from "../lib/decimal.ts";
import type { Hasher } from "../lib/hash.ts";
import { Random } from "../lib/random.ts";
import { ChunkPool } from "../structures/chunk_pool.ts";
import { ChangeHooks } from "./change_hooks.ts";
import { Database } from "./database.ts";
import { Defragmenter } from "./defragmenter.ts";
import { Entries } from "./entry.ts";
import { LazyFree } from "./lazy_free.ts";
import { Limits } from "./limits.ts";
import type { Placement } from "./placement.ts";
import { Victims } from "./eviction.ts";

/** Figures of INFO stats that the keyspace counts itself. */
class KeyspaceStats {
  hits = 0;
  misses = 0;
  expired = 0;
  evicted = 0;
  /** Entries and collections that were freed in slices. */
  lazilyFreed = 0;
  /** Expiry passes that ran out of time with keys still due. */
  expiryTimeouts = 0;

  /** CONFIG RESETSTAT. */
  reset(): void {
    this.hits =
      this.misses =
      this.expired =
      this.evicted =
      this.lazilyFreed =
      this.expiryTimeouts =
        0;
  }
}

/** LFU: a counter that new keys start with, so that they are not evicted at once. */
const LFU_INITIAL = 5;
const SECONDS_24_BITS = 0xffffff;
const TWO_32 = 4294967296;

export class Keyspace {
  entries: Entries;
  readonly chunks = new ChunkPool();
  readonly hooks = new ChangeHooks(this);
  readonly stats = new KeyspaceStats();
  readonly databases: Database[] = [];
  readonly lazyFree: LazyFree;
  readonly defragmenter: Defragmenter;
  readonly victims: Victims;
  /** Whether maxmemory-policy counts frequency (LFU) instead of age (LRU). */
  frequencyPolicy = false;
  /** Whether maxmemory-policy looks at age at all. */
  recencyPolicy = false;
  lfuLogFactor = 10;
  lfuDecayMinutes = 1;
  /** The running client has asked with CLIENT NO-TOUCH that its reads do not update access times. */
  noTouch = false;
  /** Keys past their deadline are hidden, but not removed: while writes are paused, or on a replica. */
  keepExpired = false;
  /** A file is being loaded: no key expires, since the data are as they were when the file was written. */
  isLoading = false;

  /** The earliest deadline that a key was given since the timer last asked for all of them. */
  soonestNewDeadline = Infinity;

  /** The entries that a snapshot under way reads. */
  #held: Entries | null = null;
  /** The tables of these entries, if `clear` has replaced them. */
  #heldTables: readonly Placement[] = [];

  /** When the clock was looked at last, and that time's seconds and minutes as entries have them. */
  #lookedMs = -1;
  #secondsNow = 0;
  #minutesNow = 0;
  readonly #random = new Random();

  /** Bounds the nodes of lists, whatever list-max-listpack-size says: DEBUG sets it. */
  listNodeMaxBytes = Infinity;

  /** `limits` says at which sizes encodings change; the configuration may change it at any time. */
  constructor(
    readonly clock: Clock,
    readonly hasher: Hasher,
    count: number,
    readonly limits: Readonly<Limits> = new Limits(),
  ) {
    this.entries = new Entries(hasher, this.chunks);
    this.lazyFree = new LazyFree(this);
    this.defragmenter = new Defragmenter(this);
    for (let i = 0; i < count; i++) this.databases.push(new Database(i, this));
    this.victims = new Victims(this);
  }

  /** Whether keys past their deadline must not be removed now. */
  get mayNotExpire(): boolean {
    return this.keepExpired || this.isLoading;
  }

  /** Notes that a key gets this deadline, in Unix ms. */
  noteDeadline(deadline: Int64): void {
    const deadlineMs = deadline.rounded;
    if (deadlineMs < this.soonestNewDeadline) this.soonestNewDeadline = deadlineMs;
  }

  /** The earliest deadline of a key, or Infinity. */
  takeNextDeadline(): number {
    this.soonestNewDeadline = Infinity;
    let next = Infinity;
    for (const db of this.databases) next = Math.min(next, db.deadlines.next);
    return next;
  }

  /** Bytes of entries, values, tables and heaps: what used_memory counts of the data. */
  get usedBytes(): number {
    let bytes = this.entries.usedBytes;
    for (const db of this.databases) bytes += db.tableBytes;
    return bytes;
  }

  get keyCount(): number {
    let count = 0;
    for (const db of this.databases) count += db.size;
    return count;
  }

  /** The access field of a new entry. */
  accessOfNew(): number {
    if (!this.frequencyPolicy) return this.#seconds();
    return (this.#minutes() << 8) | LFU_INITIAL;
  }

  /** The access field after one more access. */
  accessOf(previous: number): number {
    return this.frequencyPolicy ? this.#countedAccess(previous) : this.#seconds();
  }

  #countedAccess(previous: number): number {
    const minutes = this.#minutes();
    let counter = this.#decayed(previous, minutes);
    if (counter < 255) {
      const base = Math.max(counter - LFU_INITIAL, 0);
      if ((this.#random.bits() >>> 0) * (base * this.lfuLogFactor + 1) < TWO_32) counter++;
    }
    return (minutes << 8) | counter;
  }

  /**
   * The access field of an entry that was idle for `idleSeconds`, or that has the access counter `frequency`, depending
   * on the policy. Returns −1 if that argument is −1: unknown.
   */
  accessRestored(idleSeconds: number, frequency: number): number {
    if ((this.frequencyPolicy ? frequency : idleSeconds) < 0) return -1;
    if (this.frequencyPolicy) return (this.#minutes() << 8) | frequency;
    return (this.#seconds() - idleSeconds) & SECONDS_24_BITS;
  }

  /** The logarithmic access counter, decayed by the minutes since the last access. */
  frequency(access: number): number {
    return this.#decayed(access, this.#minutes());
  }

  #decayed(access: number, minutes: number): number {
    const counter = access & 255;
    if (this.lfuDecayMinutes === 0) return counter;
    const elapsed = (minutes - (access >>> 8)) & 0xffff;
    return Math.max(counter - Math.floor(elapsed / this.lfuDecayMinutes), 0);
  }

  /** Seconds since the last access. */
  idleSeconds(access: number): number {
    return (this.#seconds() - access) & SECONDS_24_BITS;
  }

  /** A database outside `databases`: clients do not see the values that are read into it until they are moved. */
  get aside(): Database {
    this.#aside ??= new Database(-1, this);
    return this.#aside;
  }

  #aside: Database | null = null;

  /** Called by a snapshot that begins: the present entries stay readable until `release`, even after `clear`. */
  hold(): void {
    this.#held = this.entries;
  }

  get isHeld(): boolean {
    return this.#held !== null;
  }

  /** Called by the snapshot when it is over. */
  release(): void {
    const held = this.#held;
    const tables = this.#heldTables;
    this.#held = null;
    this.#heldTables = [];
    if (held !== null && held !== this.entries) this.#drop(held, tables);
  }

  /**
   * Empties all databases. The arena drops its chunks at once; the memory of values and tables outside it is freed in
   * slices afterwards. So the time depends on the number of chunks alone.
   */
  clear(): void {
    this.hooks.contentsChange(-1);
    const tables = this.lazyFree.forget();
    this.defragmenter.forget();
    const old = this.entries;
    const isHeld = this.#held === old;
    if (isHeld) this.entries = new Entries(this.hasher, this.chunks);
    this.#aside = null;
    for (const db of this.databases) if (!db.isFresh) tables.push(db.restart());
    if (isHeld) this.#heldTables = tables;
    else this.#drop(old, tables);
  }

  #drop(entries: Entries, tables: readonly Placement[]): void {
    this.lazyFree.addRemains(entries.clear());
    for (const table of tables) this.lazyFree.addRemains(table);
  }

  /** Exchanges the contents of two databases. */
  swap(one: number, other: number): void {
    if (one === other) return;
    this.hooks.contentsChange(one, other);
    this.hooks.contentsChange(other, one);
    this.databases[one].swap(this.databases[other]);
  }

  /** Throws if an invariant of the databases or of what they share does not hold. O(n). */
  verify(): void {
    this.entries.arena.verify();
    this.entries.objects.verify();
    for (const db of this.databases) db.verify();
  }

  #seconds(): number {
    this.#lookAtClock();
    return this.#secondsNow;
  }

  #minutes(): number {
    this.#lookAtClock();
    return this.#minutesNow;
  }

  /** Computes seconds and minutes anew if the clock has moved. */
  #lookAtClock(): void {
    const nowMs = this.clock.nowMs();
    if (nowMs === this.#lookedMs) return;
    this.#lookedMs = nowMs;
    this.#secondsNow = Math.floor(nowMs / 1000) & SECONDS_24_BITS;
    this.#minutesNow = Math.floor(nowMs / 60_000) & 0xffff;
  }
}
