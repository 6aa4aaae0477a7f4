// hot path
/**
 * One database: key → entry, with deadlines. Commands read and write through it; it calls the two
 * change hooks, so that no command can forget them.
 *
 * A key is named by `bytes[start, end)` or, in what commands call most, by an argument's index. A key
 * past its deadline does not exist for any of these methods; it is removed when it is met.
 */
import { assert } from "../lib/assert.ts";
import { type Int64, parseInt64 } from "../lib/decimal.ts";
import { hashBytes, hashOnce, known } from "../lib/hash.ts";
import type { Args } from "../protocol/args.ts";
import { Errors } from "../protocol/errors.ts";
import { offsetOf, type Ref } from "../structures/arena.ts";
import { DashTable } from "../structures/dash_table.ts";
import { DeadlineHeap } from "../structures/deadline_heap.ts";
import { Events, type KeyEvent } from "./change_hooks.ts";
import { copyBytes, copyIn } from "../lib/copy.ts";
import {
  Encoding,
  Entries,
  EntryFlag,
  type HeapValue,
  LargeString,
  spareBytes,
  Type,
} from "./entry.ts";
import type { Keyspace } from "./keyspace.ts";
import {
  integerFound,
  isIntegerText,
  largeString,
  releaseValue,
  stringEncoding,
  StringValue,
} from "./values.ts";

const SLOT_BYTES = 4;
/** An object's index in the side table. */
const OBJECT_BYTES = 4;

/** See Database.contents. */
export interface DatabaseContents {
  readonly index: number;
  readonly entries: Entries;
  readonly table: DashTable;
  readonly heap: DeadlineHeap;
}

export class Database {
  #entries: Entries;
  #table: DashTable;
  #heap: DeadlineHeap;
  readonly #value = new StringValue();

  constructor(readonly index: number, readonly keyspace: Keyspace) {
    this.#entries = keyspace.entries;
    this.#table = new DashTable(this.#entries);
    this.#heap = this.#newHeap();
  }

  get size(): number {
    return this.#table.count;
  }

  /** Keys that have a deadline. */
  get expiringCount(): number {
    return this.#heap.size;
  }

  /** The earliest deadline in Unix ms, or Infinity. */
  get nextDeadline(): number {
    return this.#heap.minDeadline;
  }

  get tableBytes(): number {
    return this.#table.bytes + this.#heap.bytes;
  }

  get heapBytes(): number {
    return this.#heap.bytes;
  }

  /** Mean ms from now to the deadlines of some of the keys that have one: avg_ttl of INFO. */
  averageTtl(now: number): number {
    return Math.max(0, Math.floor(this.#heap.meanDeadline(64) - now));
  }

  // Looking keys up

  /** The entry named by argument `index`, or 0; leaves no trace in statistics or access times. */
  find(args: Args, index: number): Ref {
    return this.findKey(args.bytes, args.view, args.start(index), args.end(index));
  }

  /** As `find`, for a key that lies anywhere. */
  findKey(bytes: Uint8Array, view: DataView, start: number, end: number): Ref {
    // Hashed already: a pipeline of different keys. Otherwise one command after another often has the same key.
    const isHashed = known.is(view, start, end);
    let ref = isHashed ? 0 : this.#table.findAgain(bytes, view, start, end);
    if (ref === 0) {
      this.#hash = hashOnce(view, start, end, this.#entries.seed);
      ref = this.#table.find(this.#hash, bytes, view, start, end);
      if (ref === 0) return 0;
    }
    if (this.#entries.hasFlag(ref, EntryFlag.ttl) && this.#isDue(ref)) {
      if (!this.keyspace.keepExpired) this.#expire(ref);
      return 0;
    }
    return ref;
  }

  /** As `find` for a command that reads: counts the hit or miss and the access. */
  read(args: Args, index: number): Ref {
    const ref = this.peek(args, index);
    if (ref !== 0) this.touch(ref);
    return ref;
  }

  /** As `read` for a command that leaves no access time: EXISTS, TTL, TYPE. */
  peek(args: Args, index: number): Ref {
    const ref = this.find(args, index);
    if (ref === 0) {
      this.keyspace.stats.misses++;
      if (this.keyspace.hooks.wantsAll) this.alsoNotify(args, index, Events.missed);
      return 0;
    }
    this.keyspace.stats.hits++;
    return ref;
  }

  /** As `find` for a command that will change the entry: counts the access and opens nothing. */
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

  /** Whether the key at argument `index` is there, past its deadline and not yet removed. */
  isExpired(args: Args, index: number): boolean {
    const { bytes, view } = args;
    const hash = hashBytes(view, args.start(index), args.end(index), this.#entries.seed);
    const ref = this.#table.find(hash, bytes, view, args.start(index), args.end(index));
    return ref !== 0 && this.#entries.hasFlag(ref, EntryFlag.ttl) && this.#isDue(ref);
  }

  exists(args: Args, index: number): boolean {
    return this.find(args, index) !== 0;
  }

  /** The string at argument `index`, or null; another type fails `args`. Valid until the next call. */
  readString(args: Args, index: number): StringValue | null {
    const ref = this.read(args, index);
    return ref === 0 ? null : this.#stringAt(args, ref);
  }

  /** As `readString` for a command that goes on to write: no hit or miss is counted. */
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

  /** Reads the open entry, a string, as an integer; returns whether it is one. */
  readInt64(into: Int64): boolean {
    this.#value.read(this.#entries);
    return parseInt64(this.#value.bytes, this.#value.start, this.#value.end, into);
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

  // Writing strings

  /** Sets the string at argument `index` to argument `value`: as `setString`. */
  setArgument(args: Args, index: number, value: number, keepTtl: boolean, event: KeyEvent): Ref {
    const { bytes, view } = args;
    const start = args.start(value);
    return this.setString(args, index, bytes, view, start, args.end(value), keepTtl, event);
  }

  /**
   * Sets the string at argument `index` to `bytes[start, end)`, over which `view` is, whatever was there; integers
   * are stored as such. Its deadline goes unless `keepTtl`. `bytes` must not be the entry's own.
   */
  setString(
    args: Args,
    index: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    keepTtl: boolean,
    event: KeyEvent,
  ): Ref {
    if (isIntegerText(bytes, start, end)) {
      return this.setInt64(args, index, integerFound.hi, integerFound.lo, keepTtl, event);
    }
    const size = end - start;
    const isLarge = size > this.#entries.inlineMax(args.length(index));
    const ref = this.#place(args, index, isLarge ? 4 : size, keepTtl);
    if (isLarge) {
      this.#storeObject(Type.string, LargeString.of(bytes, start, end));
    } else {
      const entries = this.#entries;
      entries.setValueHeader(Type.string, stringEncoding(size), size);
      copyIn(bytes, view, start, end, entries.bytes, entries.view, entries.valueStart);
    }
    this.changed(args, index, event);
    return ref;
  }

  /** Sets the string at argument `index` to an integer. */
  setInt64(
    args: Args,
    index: number,
    hi: number,
    lo: number,
    keepTtl: boolean,
    event: KeyEvent,
  ): Ref {
    const ref = this.#place(args, index, 8, keepTtl);
    const entries = this.#entries;
    entries.setValueHeader(Type.string, Encoding.int, 8);
    entries.view.setInt32(entries.valueStart, lo, true);
    entries.view.setInt32(entries.valueStart + 4, hi, true);
    this.changed(args, index, event);
    return ref;
  }

  /** Changes the open entry, an integer found at argument `index`, in place. */
  replaceInt64(args: Args, index: number, hi: number, lo: number, event: KeyEvent): void {
    const entries = this.#entries;
    assert(entries.encoding === Encoding.int, "an integer is changed in place");
    this.keyspace.hooks.willChange(this.index, entries.ref);
    this.touch(entries.ref);
    entries.view.setInt32(entries.valueStart, lo, true);
    entries.view.setInt32(entries.valueStart + 4, hi, true);
    this.changed(args, index, event);
  }

  /**
   * Makes the string at argument `index` `length` bytes long, keeping what it holds and filling up with
   * zero bytes, and returns it for writing in place; encoded raw from now on. Creates a missing key.
   * The caller has checked the type, writes, and then calls `changed`.
   */
  editString(args: Args, index: number, length: number): StringValue {
    const ref = this.edit(args, index);
    const entries = this.#entries;
    if (ref === 0) return this.#createZeros(args, index, length);
    entries.open(ref);
    this.#value.read(entries);
    if (entries.encoding === Encoding.object) return this.#resizeLarge(length);
    if (entries.encoding !== Encoding.int && length <= entries.valueRoom()) {
      entries.bytes.fill(0, entries.valueEnd, entries.valueStart + length);
      entries.setValueHeader(Type.string, Encoding.raw, length);
    } else {
      this.#rebuildString(ref, length);
    }
    this.#value.read(entries);
    return this.#value;
  }

  #createZeros(args: Args, index: number, length: number): StringValue {
    const isLarge = length > this.#entries.inlineMax(args.length(index));
    this.#place(args, index, isLarge ? 4 : length, false);
    const entries = this.#entries;
    if (isLarge) this.#storeObject(Type.string, new LargeString(new Uint8Array(length), length));
    else {
      entries.setValueHeader(Type.string, Encoding.raw, length);
      entries.bytes.fill(0, entries.valueStart, entries.valueEnd);
    }
    this.#value.read(entries);
    return this.#value;
  }

  #resizeLarge(length: number): StringValue {
    const entries = this.#entries;
    const large = largeString(entries);
    large.resize(length);
    entries.book(large);
    this.#value.read(entries);
    return this.#value;
  }

  /** Moves the open string (its bytes are in `#value`) to a block or a buffer with more room. */
  #rebuildString(ref: Ref, length: number): void {
    const entries = this.#entries;
    const value = this.#value;
    const kept = Math.min(value.length, length);
    const keyLength = entries.keyEnd - entries.keyStart;
    if (length > entries.inlineMax(keyLength)) {
      const content = new Uint8Array(length + spareBytes(length));
      copyBytes(value.bytes, value.start, value.start + kept, content, 0);
      this.#grow(ref, 4);
      return this.#storeObject(Type.string, new LargeString(content, length));
    }
    const room = Math.min(length + (length >>> 1), entries.inlineMax(keyLength));
    const isOwn = value.bytes === entries.bytes;
    // An integer's text is in the scratch of `#value`; other bytes move with the block.
    this.#grow(ref, room);
    if (!isOwn) {
      copyBytes(value.bytes, value.start, value.start + kept, entries.bytes, entries.valueStart);
    }
    entries.bytes.fill(0, entries.valueStart + kept, entries.valueStart + length);
    entries.setValueHeader(Type.string, Encoding.raw, length);
  }

  /**
   * Finds or makes the entry at argument `index` with room for `size` bytes of value, releases the
   * value it had, and opens it. A block that is far too large is exchanged as well.
   */
  #place(args: Args, index: number, size: number, keepTtl: boolean): Ref {
    const entries = this.#entries;
    const ref = this.find(args, index);
    if (ref === 0) return this.#insert(args, index, Type.string, size);
    this.keyspace.hooks.willChange(this.index, ref);
    entries.open(ref);
    if (entries.encoding === Encoding.object) {
      releaseValue(entries, ref);
      entries.setValueHeader(entries.type, Encoding.embstr, 0);
    }
    if (!keepTtl && (entries.flags & EntryFlag.ttl) !== 0) {
      this.#dropDeadline(ref);
      entries.open(ref);
    }
    this.touch(ref);
    const room = entries.valueRoom();
    if (size <= room && size + 64 >= (room >>> 1)) return ref;
    entries.setValueHeader(entries.type, Encoding.embstr, 0);
    return this.#grow(ref, size);
  }

  #insert(args: Args, index: number, type: number, size: number): Ref {
    const entries = this.#entries;
    const hash = this.#hash;
    const ref = this.#create(
      args,
      index,
      type,
      Encoding.embstr,
      this.keyspace.accessOfNew(),
      size,
    );
    this.#table.insert(hash, ref);
    entries.open(ref);
    if (this.keyspace.hooks.wantsAll) this.alsoNotify(args, index, Events.created);
    return ref;
  }

  /** A new, unlinked entry with the key at argument `index` and room for `size` bytes of value. */
  #create(
    args: Args,
    index: number,
    type: number,
    encoding: number,
    access: number,
    size: number,
  ): Ref {
    const { bytes, view } = args;
    const start = args.start(index);
    const end = args.end(index);
    return this.#entries.create(type, encoding, access, bytes, view, start, end, size, size);
  }

  /** Moves the open entry to a block with room for `room` bytes of value; opens the new one. */
  #grow(ref: Ref, room: number): Ref {
    const entries = this.#entries;
    const hasTtl = (entries.flags & EntryFlag.ttl) !== 0;
    const headAndKey = entries.valueStart - entries.at;
    const used = entries.valueEnd - entries.at;
    const from = entries.bytes;
    const fromAt = entries.at;
    const slot = hasTtl ? entries.heapSlot(ref) : 0;
    const hash = entries.hashOf(ref);
    const next = entries.arena.alloc(headAndKey + room + (hasTtl ? SLOT_BYTES : 0));
    const chunk = entries.arena.chunkOf(next);
    const size = Math.min(used, headAndKey + room);
    copyBytes(from, fromAt, fromAt + size, chunk.bytes, offsetOf(next));
    this.#table.replace(hash, ref, next);
    if (hasTtl) {
      entries.setHeapSlot(next, slot);
      this.#heap.replaceRef(slot, next);
    }
    entries.arena.free(ref);
    entries.open(next);
    return next;
  }

  /** Makes `object` the value of the open entry, which has room for its index. */
  #storeObject(type: number, object: HeapValue): void {
    const entries = this.#entries;
    entries.setValueHeader(type, Encoding.object, OBJECT_BYTES);
    entries.view.setUint32(entries.valueStart, entries.objects.add(object), true);
    entries.book(object);
  }

  // Collections: what keyspace/cursor.ts needs

  /** Makes the key at argument `index`, which `find` has just not found, with `size` bytes of value; opens it. */
  createValue(args: Args, index: number, type: number, encoding: number, size: number): Ref {
    const ref = this.#insert(args, index, type, size);
    this.#entries.setValueHeader(type, encoding, size);
    return ref;
  }

  /** As `createValue`, a value that is an object. */
  createObject(args: Args, index: number, type: number, object: HeapValue): Ref {
    const ref = this.#insert(args, index, type, OBJECT_BYTES);
    this.#storeObject(type, object);
    return ref;
  }

  /** The entry `ref` is about to be changed: notes the access, tells the hook. */
  willEdit(ref: Ref): void {
    this.touch(ref);
    this.keyspace.hooks.willChange(this.index, ref);
  }

  /**
   * Makes the inline value of `ref` `size` bytes long, keeping what it holds as far as it fits; opens the
   * entry and returns its ref, which may be a new one.
   */
  resizeValue(ref: Ref, size: number): Ref {
    const entries = this.#entries;
    entries.open(ref);
    const { type, encoding } = entries;
    const room = entries.valueRoom();
    if (size > room || size + 64 < room >>> 1) ref = this.#grow(ref, size);
    entries.setValueHeader(type, encoding, size);
    return ref;
  }

  /** Puts `object` in the place of the value of `ref`, which lay inline; opens it and returns its ref. */
  replaceByObject(ref: Ref, object: HeapValue): Ref {
    const entries = this.#entries;
    entries.open(ref);
    const { type } = entries;
    entries.setValueHeader(type, Encoding.embstr, 0);
    const next = this.#grow(ref, OBJECT_BYTES);
    this.#storeObject(type, object);
    return next;
  }

  /** Puts an inline value of `size` bytes in the place of the object of `ref`; opens it, returns its ref. */
  replaceObject(ref: Ref, encoding: number, size: number): Ref {
    const entries = this.#entries;
    releaseValue(entries, ref);
    entries.open(ref);
    const { type } = entries;
    entries.setValueHeader(type, Encoding.embstr, 0);
    const next = this.#grow(ref, size);
    entries.setValueHeader(type, encoding, size);
    return next;
  }

  // What persistence needs

  /** Makes an empty database ready for so many keys. */
  reserve(keys: number): void {
    this.#table.reserve(keys);
  }

  /** Reads what `find` will read for so many hashes, and puts what it will find first into `refs`. */
  prefetch(hashes: Int32Array, refs: Uint32Array, count: number): void {
    this.#table.prefetch(hashes, refs, count);
    this.#entries.arena.prefetch(refs, count);
  }

  /** What the database consists of now; it stays so when the database is emptied or exchanged with another. */
  contents(): DatabaseContents {
    const table = this.#table;
    const heap = this.#heap;
    return { index: this.index, entries: this.#entries, table, heap };
  }

  /** Takes over the key at argument `index` of `other`, which has the same arena, in the place of its own. */
  takeFrom(other: Database, args: Args, index: number): void {
    const ref = other.find(args, index);
    assert(ref !== 0, "a key that is taken over exists");
    other.#unlink(ref);
    this.#adopt(ref, args, index, -1);
  }

  /** Gives a key that was restored its deadline and access field; −1 where there is none. */
  setRestored(ref: Ref, deadlineMs: number, access: number): void {
    assert(ref !== 0, "a key that was restored exists");
    if (access >= 0) this.#entries.setAccess(ref, access);
    if (deadlineMs >= 0) this.setDeadline(ref, deadlineMs);
  }

  /** Removes the key at argument `index` without telling anybody; returns whether it was there. */
  removeQuietly(args: Args, index: number): boolean {
    const ref = this.find(args, index);
    if (ref === 0) return false;
    this.discard(ref);
    return true;
  }

  // Removing, renaming, copying

  /** Removes the key at argument `index`; returns whether it was there. */
  remove(args: Args, index: number, event: KeyEvent = Events.del): boolean {
    const ref = this.find(args, index);
    if (ref === 0) return false;
    this.#removeEntry(ref, event);
    return true;
  }

  /** Moves the value and deadline at argument `from` to the key at argument `to`, which is replaced. */
  rename(args: Args, from: number, to: number): void {
    const source = this.find(args, from);
    assert(source !== 0, "a key that is renamed exists");
    this.keyspace.hooks.willChange(this.index, source);
    const deadline = this.deadline(source);
    const copy = this.#takeValue(source, args, to);
    this.#unlink(source);
    this.#entries.free(source);
    this.#adopt(copy, args, to, deadline);
    this.changed(args, from, Events.renameFrom);
    this.changed(args, to, Events.renameTo);
    this.keyspace.hooks.dirty--;
  }

  /** Copies the value and deadline at argument `from` to the key at argument `to` of `target`. */
  copy(args: Args, from: number, to: number, target: Database): void {
    const source = this.find(args, from);
    assert(source !== 0, "a key that is copied exists");
    const deadline = this.deadline(source);
    const entries = this.#entries;
    entries.open(source);
    const isObject = entries.encoding === Encoding.object;
    const copy = this.#takeValue(source, args, to);
    // Not where the value became an object only now, beside a key too long for it: that one is its own.
    if (isObject) {
      entries.open(copy);
      const clone = entries.object().clone();
      entries.view.setUint32(entries.valueStart, entries.objects.add(clone), true);
      entries.book(clone);
    }
    target.#adopt(copy, args, to, deadline);
    target.changed(args, to, Events.copyTo);
  }

  /** Moves the key at argument `index` to `target`, where it is missing. */
  moveTo(args: Args, index: number, target: Database): void {
    const ref = this.find(args, index);
    assert(ref !== 0, "a key that is moved exists");
    this.keyspace.hooks.willChange(this.index, ref);
    const deadline = this.deadline(ref);
    if (deadline >= 0) this.#dropDeadline(ref);
    this.#unlink(ref);
    target.#link(ref);
    if (deadline >= 0) target.setDeadline(ref, deadline);
    this.changed(args, index, Events.moveFrom);
    target.changed(args, index, Events.moveTo);
    this.keyspace.hooks.dirty--;
  }

  /** A new, unlinked entry with the key of argument `to` and the bytes of `source`'s value. */
  #takeValue(source: Ref, args: Args, to: number): Ref {
    const entries = this.#entries;
    entries.open(source);
    const { type, encoding } = entries;
    const size = entries.valueEnd - entries.valueStart;
    const inline = encoding !== Encoding.object && size > entries.inlineMax(args.length(to));
    assert(!inline || type === Type.string, "collections that lie inline fit beside every key");
    if (inline) return this.#takeLarge(args, to);
    const access = entries.access(source);
    const fromBytes = entries.bytes;
    const fromAt = entries.valueStart;
    const ref = this.#create(args, to, type, encoding, access, size);
    entries.open(ref);
    copyBytes(fromBytes, fromAt, fromAt + size, entries.bytes, entries.valueStart);
    return ref;
  }

  /** As `#takeValue` where the new key is too long for the open string to lie beside it. */
  #takeLarge(args: Args, to: number): Ref {
    const entries = this.#entries;
    const large = LargeString.of(entries.bytes, entries.valueStart, entries.valueEnd);
    const access = entries.access(entries.ref);
    const ref = this.#create(args, to, 0, Encoding.object, access, OBJECT_BYTES);
    entries.open(ref);
    this.#storeObject(Type.string, large);
    return ref;
  }

  /** Puts an unlinked entry in the place of whatever argument `index` names. */
  #adopt(ref: Ref, args: Args, index: number, deadline: number): void {
    const previous = this.find(args, index);
    if (previous !== 0) {
      this.keyspace.hooks.willChange(this.index, previous);
      this.discard(previous);
    }
    this.#link(ref);
    if (deadline >= 0) this.setDeadline(ref, deadline);
  }

  #removeEntry(ref: Ref, event: KeyEvent): void {
    const entries = this.#entries;
    this.keyspace.hooks.willChange(this.index, ref);
    entries.open(ref);
    const { keyBytes, keyStart, keyEnd } = entries;
    // The key's bytes stay readable until the block is used again, so the hook comes after.
    this.discard(ref);
    this.keyspace.hooks.changed(this.index, keyBytes, keyStart, keyEnd, event);
  }

  /** Removes an entry, such as one whose collection is empty: counts and tells nothing. */
  discard(ref: Ref): void {
    this.#unlink(ref);
    releaseValue(this.#entries, ref);
    this.#entries.free(ref);
  }

  #link(ref: Ref): void {
    this.#table.insert(this.#entries.hashOf(ref), ref);
  }

  #unlink(ref: Ref): void {
    if (this.#entries.hasFlag(ref, EntryFlag.ttl)) this.#dropDeadline(ref);
    this.#table.remove(this.#entries.hashOf(ref), ref);
  }

  // Deadlines

  /** The entry's deadline in Unix ms, or -1. */
  deadline(ref: Ref): number {
    if (!this.#entries.hasFlag(ref, EntryFlag.ttl)) return -1;
    return this.#heap.deadlineAt(this.#entries.heapSlot(ref));
  }

  /** Gives an entry a deadline in Unix ms; returns its ref, which may be a new one. */
  setDeadline(ref: Ref, deadlineMs: number): Ref {
    const entries = this.#entries;
    this.keyspace.noteDeadline(deadlineMs);
    if (entries.hasFlag(ref, EntryFlag.ttl)) {
      this.#heap.update(entries.heapSlot(ref), deadlineMs);
      return ref;
    }
    entries.open(ref);
    if (!entries.hasRoomForSlot()) {
      const size = entries.valueEnd - entries.valueStart;
      ref = this.#grow(ref, size + SLOT_BYTES);
    }
    entries.setFlag(ref, EntryFlag.ttl, true);
    this.#heap.push(ref, deadlineMs);
    return ref;
  }

  /** Gives the key at argument `index`, which exists, a deadline. The caller calls `changed`. */
  expireAt(args: Args, index: number, deadlineMs: number): void {
    const ref = this.edit(args, index);
    assert(ref !== 0, "a key that gets a deadline exists");
    this.setDeadline(ref, deadlineMs);
  }

  /** Takes the deadline of the key at argument `index` away; returns whether it had one. */
  persist(args: Args, index: number): boolean {
    const ref = this.edit(args, index);
    if (ref === 0 || !this.#entries.hasFlag(ref, EntryFlag.ttl)) return false;
    this.#dropDeadline(ref);
    return true;
  }

  /** Removes one key that is due at `now`; returns whether there was one. */
  expireNext(now: number): boolean {
    if (!(this.#heap.minDeadline < now)) return false;
    this.#expire(this.#heap.minRef);
    return true;
  }

  #isDue(ref: Ref): boolean {
    const { keyspace } = this;
    if (keyspace.isLoading) return false;
    return keyspace.clock.nowMs() > this.#heap.deadlineAt(this.#entries.heapSlot(ref));
  }

  /** Time has changed the data, nobody else: nothing is counted. */
  #expire(ref: Ref): void {
    this.keyspace.stats.expired++;
    this.#removeEntry(ref, Events.expired);
    this.keyspace.hooks.dirty--;
  }

  #dropDeadline(ref: Ref): void {
    this.#heap.removeAt(this.#entries.heapSlot(ref));
    this.#entries.setFlag(ref, EntryFlag.ttl, false);
  }

  // Walking

  /** SCAN's walk: see DashTable.scan. Keys past their deadline are removed instead of shown. */
  scan(cursor: number, count: number, visit: (ref: Ref) => void): number {
    const now = this.keyspace.clock.nowMs();
    const due: Ref[] = [];
    const next = this.#table.scan(cursor, count, (ref) => {
      const deadline = this.deadline(ref);
      if (deadline < 0 || deadline >= now) visit(ref);
      else due.push(ref);
    });
    if (!this.keyspace.keepExpired) { for (const ref of due) this.#expire(ref); }
    return next;
  }

  /** Calls `visit` with every entry; it may not change the database. */
  forEach(visit: (ref: Ref) => void): void {
    this.#table.forEach(visit);
  }

  /** A random key's entry, or 0 when there is none. */
  randomRef(): Ref {
    while (this.#table.count > 0) {
      const ref = this.#table.randomRef(Math.random);
      const deadline = this.deadline(ref);
      if (deadline < 0 || deadline >= this.keyspace.clock.nowMs()) return ref;
      if (this.keyspace.keepExpired) return 0;
      this.#expire(ref);
    }
    return 0;
  }

  // Whole databases

  /** Removes all keys and returns how many; their entries are freed later, in slices. */
  clear(): number {
    const count = this.#table.count;
    this.keyspace.lazyFree.add(this.#table);
    this.restart();
    return count;
  }

  /** Whether `table` is the one that this database has now. */
  hasTable(table: DashTable): boolean {
    return this.#table === table;
  }

  /** Lets go of the table; the arena is about to be dropped whole. */
  detach(): void {
    this.#table = new DashTable(this.#entries);
  }

  /** An empty table over the keyspace's present arena. */
  restart(): void {
    this.#entries = this.keyspace.entries;
    this.#table = new DashTable(this.#entries);
    this.#heap = this.#newHeap();
  }

  /** Exchanges contents with `other`. */
  swap(other: Database): void {
    [this.#table, other.#table] = [other.#table, this.#table];
    [this.#heap, other.#heap] = [other.#heap, this.#heap];
  }

  // Hooks

  /** The key at argument `index` has changed: counts it and tells the listeners. */
  changed(args: Args, index: number, event: KeyEvent): void {
    const hooks = this.keyspace.hooks;
    hooks.changed(this.index, args.bytes, args.start(index), args.end(index), event);
  }

  /** As `changed` without counting: a further event of one change, such as `expire` after `set`. */
  alsoNotify(args: Args, index: number, event: KeyEvent): void {
    const hooks = this.keyspace.hooks;
    hooks.notify(this.index, args.bytes, args.start(index), args.end(index), event);
  }

  #hash = 0;

  #newHeap(): DeadlineHeap {
    const entries = this.#entries;
    return new DeadlineHeap({ moved: (ref, slot) => entries.setHeapSlot(ref, slot) });
  }
}
