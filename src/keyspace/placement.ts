// hot path
/**
 * Where the entries of one database lie: the table and the deadline heap that point to their blocks, and the only code
 * that makes, moves, links or frees such a block.
 *
 * The memory that a change needs is allocated before anything is changed, so that a failed allocation leaves
 * the keyspace as it was. A ref may change whenever its block moves, so methods that move one return the new ref.
 *
 * Invariants: a ref in the table is an entry of this database, once for each key; a ref in the heap is in the table and
 * has the flag `ttl`; the entry's slot is where the heap has it. `verify` checks them.
 */
import { assert } from "../lib/assert.ts";
import type { Int64 } from "../lib/decimal.ts";
import { copyBytes } from "../lib/copy.ts";
import type { Args } from "../protocol/args.ts";
import { offsetOf, type Ref } from "../structures/arena.ts";
import { DashTable } from "../structures/dash_table.ts";
import { DeadlineHeap } from "../structures/deadline_heap.ts";
import {
  Encoding,
  type Entries,
  EntryFlag,
  type HeapValue,
  OBJECT_BYTES,
  type Releasable,
} from "./entry.ts";
import { releaseObjectAt, releaseValue } from "./values.ts";

const SLOT_BYTES = 4;

export class Placement implements Releasable {
  readonly table: DashTable;
  readonly heap: DeadlineHeap;
  readonly #freshBytes: number;

  constructor(readonly entries: Entries) {
    this.table = new DashTable(entries);
    this.heap = new DeadlineHeap({ moved: (ref, slot) => entries.setHeapSlot(ref, slot) });
    this.#freshBytes = this.bytes;
  }

  /** Memory of table and heap. */
  get bytes(): number {
    return this.table.bytes + this.heap.bytes;
  }

  /** Whether it is empty and takes no more memory than a new one. */
  get isFresh(): boolean {
    return this.table.count === 0 && this.bytes === this.#freshBytes;
  }

  /** Frees the memory of table and heap, about `limit` segments a call; the placement is not used any more. */
  release(limit: number): boolean {
    if (!this.table.release(limit)) return false;
    this.heap.release();
    return true;
  }

  // Making and removing entries

  /**
   * A new entry with the key at argument `index` and `size` bytes of value, which nothing points to yet. With
   * `hasDeadline` its block has room for a heap slot, so that `setDeadline` need not move it.
   */
  create(
    args: Args,
    index: number,
    type: number,
    encoding: number,
    access: number,
    size: number,
    hasDeadline: boolean,
  ): Ref {
    const bytes = args.bytesOf(index);
    const view = args.viewOf(index);
    const start = args.start(index);
    const end = args.end(index);
    assert(size >= 0, "a value's size is not negative");
    const room = hasDeadline ? size + SLOT_BYTES : size;
    return this.entries.create(type, encoding, access, bytes, view, start, end, size, room);
  }

  /** As `create`, for a value that is an object; opens the entry. */
  createObject(
    args: Args,
    index: number,
    type: number,
    access: number,
    object: HeapValue,
    hasDeadline: boolean,
  ): Ref {
    const { entries } = this;
    const encoding = Encoding.object;
    assert(object.accountedBytes === 0, "an object is the value of one entry");
    const ref = this.create(args, index, type, encoding, access, OBJECT_BYTES, hasDeadline);
    entries.open(ref);
    this.#storeObject(type, object);
    return ref;
  }

  /** Puts `ref`, whose key hashes to `hash` and is in no table, into the table. */
  link(hash: number, ref: Ref): void {
    assert(!this.entries.hasFlag(ref, EntryFlag.ttl), "an unlinked entry has no deadline");
    assert(hash === (hash | 0), "a hash is a signed integer of 32 bits");
    this.table.insert(hash, ref);
  }

  /** Takes `ref` out of table and heap; its block and value stay. */
  unlink(ref: Ref): void {
    this.table.remove(this.entries.hashOf(ref), ref);
    if (this.entries.hasFlag(ref, EntryFlag.ttl)) this.dropDeadline(ref);
    assert(!this.entries.hasFlag(ref, EntryFlag.ttl), "an unlinked entry has no deadline");
  }

  /** Unlinks an entry and frees its block and its value. */
  discard(ref: Ref): void {
    this.unlink(ref);
    releaseValue(this.entries, ref);
    this.entries.free(ref);
  }

  // Moving blocks and replacing values

  /**
   * Moves the open entry to a block with room for `room` bytes of value, keeping the first `kept` bytes of its value;
   * opens the entry there.
   */
  move(kept: number, room: number): Ref {
    const { entries } = this;
    const { ref, bytes, at } = entries;
    assert(kept <= room, "the bytes that are kept fit the room");
    const hasTtl = (entries.flags & EntryFlag.ttl) !== 0;
    const headAndKey = entries.valueStart - at;
    const slot = hasTtl ? entries.heapSlot(ref) : 0;
    const hash = entries.hashOf(ref);
    const next = entries.arena.alloc(headAndKey + room + (hasTtl ? SLOT_BYTES : 0));
    assert(next !== ref, "a moved entry has a new block");
    const chunk = entries.arena.chunkOf(next);
    copyBytes(bytes, at, at + headAndKey + kept, chunk.bytes, offsetOf(next));
    this.table.replace(hash, ref, next);
    if (hasTtl) {
      entries.setHeapSlot(next, slot);
      this.heap.replaceRef(slot, next);
    }
    entries.arena.free(ref);
    entries.open(next);
    return next;
  }

  /** Moves an entry to another block of the same size; opens nothing. */
  relocate(ref: Ref): void {
    const { entries } = this;
    const hash = entries.hashOf(ref);
    const next = entries.arena.copyOf(ref);
    this.table.replace(hash, ref, next);
    if (entries.hasFlag(next, EntryFlag.ttl)) this.heap.replaceRef(entries.heapSlot(next), next);
    entries.arena.free(ref);
  }

  /**
   * Frees the value of `ref` and gives it room for another of `size` bytes; opens the entry, whose value is then empty.
   * A block that is far too large is replaced as well.
   */
  replaceValue(ref: Ref, size: number): Ref {
    const { entries } = this;
    entries.open(ref);
    const { type, encoding } = entries;
    const object = encoding === Encoding.object ? entries.objectIndex() : 0;
    const room = entries.valueRoom();
    if (size > room || size + 64 < room >>> 1) ref = this.move(0, size);
    if (object !== 0) releaseObjectAt(entries, object);
    entries.setValueHeader(type, Encoding.embstr, 0);
    assert(entries.ref === ref && entries.valueRoom() >= size, "the open entry has the room");
    return ref;
  }

  /**
   * Makes the inline value of `ref` `size` bytes long, keeping what it holds as far as it fits; opens the
   * entry and returns its ref.
   */
  resizeValue(ref: Ref, size: number): Ref {
    const { entries } = this;
    entries.open(ref);
    const { type, encoding } = entries;
    assert(encoding !== Encoding.object, "only an inline value is resized");
    const room = entries.valueRoom();
    if (size > room || size + 64 < room >>> 1) {
      ref = this.move(Math.min(size, entries.valueEnd - entries.valueStart), size);
    }
    entries.setValueHeader(type, encoding, size);
    return ref;
  }

  /** Replaces the inline value of `ref` by `object`; opens the entry and returns its ref. */
  replaceByObject(ref: Ref, object: HeapValue): Ref {
    const { entries } = this;
    entries.open(ref);
    const { type, encoding } = entries;
    assert(encoding !== Encoding.object, "only an inline value is replaced by an object");
    const next = this.move(0, OBJECT_BYTES);
    this.#storeObject(type, object);
    return next;
  }

  /** Replaces the object of `ref` by an inline value of `size` bytes; opens the entry, returns its ref. */
  replaceObject(ref: Ref, encoding: number, size: number): Ref {
    const { entries } = this;
    entries.open(ref);
    const { type } = entries;
    const object = entries.objectIndex();
    assert(object > 0, "index 0 is never used");
    const next = this.move(0, size);
    releaseObjectAt(entries, object);
    entries.setValueHeader(type, encoding, size);
    return next;
  }

  /** Makes `object` the value of the open entry, which has none and room for an object's index. */
  storeObject(type: number, object: HeapValue): void {
    assert(this.entries.valueRoom() >= OBJECT_BYTES, "an object's index fits in its entry");
    this.#storeObject(type, object);
  }

  #storeObject(type: number, object: HeapValue): void {
    const { entries } = this;
    entries.setValueHeader(type, Encoding.object, OBJECT_BYTES);
    entries.view.setUint32(entries.valueStart, entries.objects.add(object), true);
    entries.accountMemory(object);
  }

  // Deadlines

  /** The entry's deadline in Unix ms, rounded beyond 2^53, or -1. */
  deadlineOf(ref: Ref): number {
    if (!this.entries.hasFlag(ref, EntryFlag.ttl)) return -1;
    return this.heap.deadlineAt(this.entries.heapSlot(ref));
  }

  /** Reads the entry's deadline exactly; returns whether it has one. */
  readDeadline(ref: Ref, out: Int64): boolean {
    return readDeadline(this, ref, out);
  }

  /** Gives an entry that is in the table a deadline in Unix ms; returns its ref, which may be a new one. */
  setDeadline(ref: Ref, deadline: Int64): Ref {
    const { entries } = this;
    if (entries.hasFlag(ref, EntryFlag.ttl)) {
      this.heap.update(entries.heapSlot(ref), deadline);
      return ref;
    }
    entries.open(ref);
    if (!entries.hasRoomForSlot()) {
      const size = entries.valueEnd - entries.valueStart;
      ref = this.move(size, size + SLOT_BYTES);
    }
    entries.setFlag(ref, EntryFlag.ttl, true);
    this.heap.push(ref, deadline);
    return ref;
  }

  /** Takes the deadline of an entry that has one away. */
  dropDeadline(ref: Ref): void {
    const slot = this.entries.heapSlot(ref);
    assert(this.entries.hasFlag(ref, EntryFlag.ttl), "only an entry with a deadline loses it");
    assert(this.heap.refAt(slot) === ref, "an entry's slot in the heap is its own");
    this.heap.removeAt(slot);
    this.entries.setFlag(ref, EntryFlag.ttl, false);
  }

  /** Throws if the invariants at the module's head do not hold. O(n). */
  verify(): void {
    const { entries, table, heap } = this;
    table.verify();
    heap.verify();
    let expiring = 0;
    table.forEach((ref) => {
      entries.open(ref);
      const { keyBytes, keyView, keyStart, keyEnd } = entries;
      const found = table.find(entries.hashOf(ref), keyBytes, keyView, keyStart, keyEnd);
      assert(found === ref, "a key is in the table once");
      if (!entries.hasFlag(ref, EntryFlag.ttl)) return;
      expiring++;
      assert(heap.refAt(entries.heapSlot(ref)) === ref, "an entry's slot in the heap is its own");
    });
    assert(heap.size === expiring, "the heap holds the entries with a deadline");
  }
}

/** See Placement.readDeadline; also for the parts of a placement that a database has left. */
export function readDeadline(
  { entries, heap }: { readonly entries: Entries; readonly heap: DeadlineHeap },
  ref: Ref,
  out: Int64,
): boolean {
  assert(ref !== 0, "an entry has a place");
  if (!entries.hasFlag(ref, EntryFlag.ttl)) return false;
  heap.readDeadline(entries.heapSlot(ref), out);
  return true;
}
