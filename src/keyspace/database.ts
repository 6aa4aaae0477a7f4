// hot path
/**
 * One database: key → entry, with deadlines. Commands find keys through it; it calls the two change hooks, so that no
 * command can forget them. Writing strings is in strings.ts, moving keys to other names or databases in transfer.ts,
 * moving blocks in placement.ts.
 *
 * A key is named by `bytes[start, end)` or, in the methods that commands call most, by an argument's index. A key
 * past its deadline does not exist for any of these methods; the one that finds it removes it.
 */
import { assert } from "../lib/assert.ts";
import type { Int64 } from "../lib/decimal.ts";
import type { Hasher } from "../lib/hash.ts";
import type { Args } from "../protocol/args.ts";
import { Errors } from "../protocol/errors.ts";
import type { Ref } from "../structures/arena.ts";
import type { DashTable } from "../structures/dash_table.ts";
import type { DeadlineHeap } from "../structures/deadline_heap.ts";
import { Cause, Events, type KeyEvent } from "./change_hooks.ts";
import { type Entries, EntryFlag, type HeapValue, Type } from "./entry.ts";
import { KeyDeadlines } from "./key_deadlines.ts";
import type { Keyspace } from "./keyspace.ts";
import { Placement } from "./placement.ts";
import { Strings } from "./strings.ts";
import { StringValue } from "./values.ts";

/** See Database.contents. */
export interface DatabaseContents {
  readonly index: number;
  readonly entries: Entries;
  readonly table: DashTable;
  readonly heap: DeadlineHeap;
}

export class Database {
  readonly #hasher: Hasher;
  /** Where its entries lie; `clear`, `restart` and `swap` exchange it. */
  #placement: Placement;
  // Copies of its fields for what every command does: one pointer less to follow saves half a nanosecond.
  #entries: Entries;
  #table: DashTable;
  readonly strings: Strings;
  readonly deadlines: KeyDeadlines;
  readonly #value = new StringValue();

  constructor(readonly index: number, readonly keyspace: Keyspace) {
    this.#hasher = keyspace.hasher;
    this.#placement = new Placement(keyspace.entries);
    this.#entries = this.#placement.entries;
    this.#table = this.#placement.table;
    this.strings = new Strings(this);
    this.deadlines = new KeyDeadlines(this);
  }

  get placement(): Placement {
    return this.#placement;
  }

  get entries(): Entries {
    return this.#entries;
  }

  #use(placement: Placement): void {
    this.#placement = placement;
    this.#entries = placement.entries;
    this.#table = placement.table;
  }

  get size(): number {
    return this.#placement.table.count;
  }

  get tableBytes(): number {
    return this.#placement.bytes;
  }

  get heapBytes(): number {
    return this.#placement.heap.bytes;
  }

  // Looking keys up

  /** The entry named by argument `index`, or 0; leaves no trace in statistics or access times. */
  find(args: Args, index: number): Ref {
    return this.findKey(
      args.bytesOf(index),
      args.viewOf(index),
      args.start(index),
      args.end(index),
    );
  }

  /** As `find`, for a key in any buffer. */
  findKey(bytes: Uint8Array, view: DataView, start: number, end: number): Ref {
    const table = this.#table;
    const hasher = this.#hasher;
    // If the pipeline has hashed this key, use that. Otherwise try the key found last: consecutive commands often share one.
    let ref = hasher.isPrepared(view, start, end) ? 0 : table.findAgain(bytes, view, start, end);
    if (ref === 0) {
      ref = table.find(hasher.hashOnce(view, start, end), bytes, view, start, end);
      if (ref === 0) return 0;
    }
    if (this.isPastDeadline(ref)) {
      if (!this.keyspace.keepExpired) this.expire(ref);
      return 0;
    }
    return ref;
  }

  /** Whether an entry is past its deadline, so that it counts as missing. */
  isPastDeadline(ref: Ref): boolean {
    return this.#entries.hasFlag(ref, EntryFlag.ttl) && this.deadlines.isDue(ref);
  }

  /** As `find` for a command that reads: counts the hit or miss and the access. */
  read(args: Args, index: number): Ref {
    const ref = this.readUntouched(args, index);
    if (ref !== 0) this.touch(ref);
    return ref;
  }

  /** As `read` for a command that does not update the access time: EXISTS, TTL, TYPE. */
  readUntouched(args: Args, index: number): Ref {
    const ref = this.find(args, index);
    const { stats, hooks } = this.keyspace;
    if (ref === 0) {
      stats.misses++;
      if (hooks.wantsAll) this.notify(args, index, Events.missed);
      return 0;
    }
    stats.hits++;
    return ref;
  }

  /** As `readUntouched`, for a key in any buffer. */
  readKey(bytes: Uint8Array, view: DataView, start: number, end: number): Ref {
    const ref = this.findKey(bytes, view, start, end);
    const { stats, hooks } = this.keyspace;
    if (ref === 0) {
      stats.misses++;
      if (hooks.wantsAll) hooks.notify(this.index, bytes, start, end, Events.missed);
      return 0;
    }
    stats.hits++;
    return ref;
  }

  /** As `find` for a command that will change the entry: notes the access and calls `willChange`. */
  edit(args: Args, index: number): Ref {
    const ref = this.find(args, index);
    if (ref === 0) return 0;
    this.touch(ref);
    this.keyspace.hooks.willChange(this.index, ref);
    return ref;
  }

  /** Notes an access, for eviction and OBJECT IDLETIME. */
  touch(ref: Ref): void {
    const { keyspace } = this;
    if (keyspace.noTouch) return;
    const previous = keyspace.frequencyPolicy ? this.#entries.access(ref) : 0;
    this.#entries.setAccess(ref, keyspace.accessOf(previous));
  }

  /** Whether the key at argument `index` is past its deadline, but not yet removed. */
  isExpired(args: Args, index: number): boolean {
    const ref = this.findAny(args, index);
    return ref !== 0 && this.isPastDeadline(ref);
  }

  /** As `find`, but finds a key past its deadline, too. */
  findAny(args: Args, index: number): Ref {
    const bytes = args.bytesOf(index);
    const view = args.viewOf(index);
    const start = args.start(index);
    const end = args.end(index);
    return this.#table.find(this.#hasher.hashOnce(view, start, end), bytes, view, start, end);
  }

  exists(args: Args, index: number): boolean {
    return this.find(args, index) !== 0;
  }

  /** The string at argument `index`, or null; another type fails `args`. Valid until the next call. */
  readString(args: Args, index: number): StringValue | null {
    const ref = this.read(args, index);
    return ref === 0 ? null : this.#stringAt(args, ref);
  }

  /** As `readString` for a command that will write the key: no hit or miss is counted. */
  peekString(args: Args, index: number): StringValue | null {
    const ref = this.find(args, index);
    return ref === 0 ? null : this.#stringAt(args, ref);
  }

  /** Fails `args` if the entry is there and of another type than `type`; returns whether it may go on. */
  checkType(args: Args, ref: Ref, type: number): boolean {
    if (ref === 0 || this.#entries.typeOf(ref) === type) return true;
    args.fail(Errors.wrongType);
    return false;
  }

  #stringAt(args: Args, ref: Ref): StringValue | null {
    this.#entries.open(ref);
    if (this.#entries.type !== Type.string) {
      args.fail(Errors.wrongType);
      return null;
    }
    this.#value.read(this.#entries);
    return this.#value;
  }

  // Making entries and changing values: for strings.ts, cursor.ts and persistence

  /**
   * Makes the key at argument `index`, which is missing, with `size` bytes of value; opens its entry. It tells nobody:
   * what makes a key for a client's command calls `created`.
   */
  createValue(args: Args, index: number, type: number, encoding: number, size: number): Ref {
    const access = this.keyspace.accessOfNew();
    const ref = this.#placement.create(args, index, type, encoding, access, size, false);
    return this.#insert(ref, args, index);
  }

  /** As `createValue`, a value that is an object. */
  createObject(args: Args, index: number, type: number, object: HeapValue): Ref {
    const access = this.keyspace.accessOfNew();
    const ref = this.#placement.createObject(args, index, type, access, object, false);
    return this.#insert(ref, args, index);
  }

  #insert(ref: Ref, args: Args, index: number): Ref {
    this.link(ref, args, index, null);
    this.#entries.open(ref);
    return ref;
  }

  /**
   * Adds an entry that is in no table yet, under the key at argument `index`, which is missing, and gives it a deadline
   * if that is not null. The key is hashed here; what was looked up before has no influence.
   */
  link(ref: Ref, args: Args, index: number, deadline: Int64 | null): void {
    const bytes = args.bytesOf(index);
    const view = args.viewOf(index);
    const table = this.#table;
    const start = args.start(index);
    const end = args.end(index);
    const hash = this.#hasher.hashOnce(view, start, end);
    // A key past its deadline counts as missing, but is still in the table while writes are paused.
    const hidden = table.find(hash, bytes, view, start, end);
    if (hidden !== 0) {
      assert(this.deadlines.isDue(hidden), "a key that is added was missing or has expired");
      this.expire(hidden);
    }
    this.#placement.link(hash, ref);
    if (deadline !== null) this.deadlines.set(ref, deadline);
  }

  /** The entry `ref` is about to be changed: notes the access, tells the hook. */
  willEdit(ref: Ref): void {
    this.touch(ref);
    this.keyspace.hooks.willChange(this.index, ref);
  }

  /** Makes an empty database ready for so many keys. */
  reserve(keys: number): void {
    this.#placement.table.reserve(keys);
  }

  /** Reads ahead the memory that `find` will need for `count` hashes; puts the first candidate for each into `refs`. */
  prefetch(hashes: Int32Array, refs: Uint32Array, count: number): void {
    const { table, entries } = this.#placement;
    table.prefetch(hashes, refs, count);
    entries.arena.prefetch(refs, count);
  }

  /** The parts of the database as they are now: `clear` and `swap` give the database other parts. */
  contents(): DatabaseContents {
    const { entries, table, heap } = this.#placement;
    return { index: this.index, entries, table, heap };
  }

  /** Gives a key that was restored its deadline and access field; null and −1 where there is none. */
  setRestored(ref: Ref, deadline: Int64 | null, access: number): void {
    assert(ref !== 0, "a key that was restored exists");
    if (access >= 0) this.#entries.setAccess(ref, access);
    if (deadline !== null) this.deadlines.set(ref, deadline);
  }

  // Removing

  /** Removes the key at argument `index` without telling the listeners; returns whether it was there. */
  removeQuietly(args: Args, index: number): boolean {
    const ref = this.find(args, index);
    if (ref === 0) return false;
    this.#placement.discard(ref);
    return true;
  }

  /** Removes the key at argument `index`; returns whether it was there. */
  remove(args: Args, index: number): boolean {
    return this.#removeFor(this.find(args, index));
  }

  /** As `remove`, for a command that stores nothing: as in Redis, the key counts as removed by it even if it has expired. */
  removeAny(args: Args, index: number): boolean {
    return this.#removeFor(this.findAny(args, index));
  }

  #removeFor(ref: Ref): boolean {
    if (ref === 0) return false;
    this.keyspace.hooks.dirty++;
    this.#removeEntry(ref, Cause.command, Events.del);
    return true;
  }

  /** Removes a key past its deadline. No client has changed it, so the change is not counted as dirty. */
  expire(ref: Ref): void {
    this.keyspace.stats.expired++;
    this.#removeEntry(ref, Cause.expiry, Events.expired);
  }

  /** Removes a key because memory is needed: no client has changed it, as with `expire`. */
  evict(ref: Ref): void {
    this.keyspace.stats.evicted++;
    this.#removeEntry(ref, Cause.eviction, Events.evicted);
  }

  #removeEntry(ref: Ref, cause: number, event: KeyEvent): void {
    const { placement, index } = this;
    const { entries } = placement;
    const { hooks } = this.keyspace;
    hooks.willChange(index, ref);
    entries.open(ref);
    const { keyBytes, keyStart, keyEnd } = entries;
    // The key's bytes stay readable until the block is used again, so the hooks come after.
    placement.discard(ref);
    hooks.keyChanged(index, keyBytes, keyStart, keyEnd, cause);
    hooks.notify(index, keyBytes, keyStart, keyEnd, event);
  }

  // Walking

  /**
   * SCAN's walk: see DashTable.scan. Of the keys that `isWanted` lets through, those past their deadline are removed, and the
   * others shown.
   */
  scan(
    cursor: number,
    count: number,
    isWanted: (ref: Ref) => boolean,
    visit: (ref: Ref) => void,
  ): number {
    const found: Ref[] = [];
    const next = this.#table.scan(cursor, count, (ref) => {
      found.push(ref);
    });
    for (const ref of found) {
      if (!isWanted(ref)) continue;
      if (!this.isPastDeadline(ref)) visit(ref);
      else if (!this.keyspace.keepExpired) this.expire(ref);
    }
    return next;
  }

  /** Calls `visit` with every entry; it may not change the database. */
  forEach(visit: (ref: Ref) => void): void {
    this.#placement.table.forEach(visit);
  }

  /** A random key's entry, or 0 when there is none. */
  randomRef(): Ref {
    const { placement } = this;
    while (placement.table.count > 0) {
      const ref = placement.table.randomRef();
      const deadline = placement.deadlineOf(ref);
      if (deadline < 0 || deadline >= this.keyspace.clock.nowMs()) return ref;
      if (this.keyspace.keepExpired) return 0;
      this.expire(ref);
    }
    return 0;
  }

  // Whole databases

  /** Removes all keys and returns how many; their entries are freed later, in slices. */
  clear(): number {
    const count = this.size;
    this.keyspace.hooks.contentsChange(this.index);
    if (count > 0) this.keyspace.lazyFree.add(this.restart());
    return count;
  }

  /** Whether `table` is the one that this database has now. */
  hasTable(table: DashTable): boolean {
    return this.#placement.table === table;
  }

  /** Drops all entries and continues, empty, with the keyspace's present arena; returns the dropped placement. */
  restart(): Placement {
    const placement = this.#placement;
    this.#use(new Placement(this.keyspace.entries));
    return placement;
  }

  /** Whether it is empty and has no memory that `restart` would drop. */
  get isFresh(): boolean {
    return this.#placement.isFresh && this.#placement.entries === this.keyspace.entries;
  }

  /** Exchanges contents with `other`. */
  swap(other: Database): void {
    const own = this.#placement;
    this.#use(other.#placement);
    other.#use(own);
  }

  /** Throws if an invariant of what the database is made of does not hold. O(n). */
  verify(): void {
    assert(this.#entries === this.keyspace.entries, "databases share one arena");
    this.#placement.verify();
  }

  // Hooks

  /** The key at argument `index` has changed: counts it and tells those who must know, and what happened. */
  changed(args: Args, index: number, event: KeyEvent): void {
    const hooks = this.keyspace.hooks;
    hooks.changed(this.index, args.bytesOf(index), args.start(index), args.end(index), event);
  }

  /** The key at argument `index` was missing, and a command has made it. */
  created(args: Args, index: number): void {
    if (this.keyspace.hooks.wantsAll) this.notify(args, index, Events.created);
  }

  /** As `changed` for a change that is no event: PFCOUNT stores its estimate. */
  changedWithoutEvent(args: Args, index: number): void {
    const hooks = this.keyspace.hooks;
    hooks.dirty++;
    const bytes = args.bytesOf(index);
    hooks.keyChanged(this.index, bytes, args.start(index), args.end(index), Cause.command);
  }

  /** Tells an event alone: a further one of a change, such as `expire` after `set`, or one that is no change of the value. */
  notify(args: Args, index: number, event: KeyEvent): void {
    const hooks = this.keyspace.hooks;
    hooks.notify(this.index, args.bytesOf(index), args.start(index), args.end(index), event);
  }
}
