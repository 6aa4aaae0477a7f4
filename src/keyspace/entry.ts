// hot path
/**
 * An entry: one key with its value, in one block of the arena.
 *
 *     offset  size  field
 *          0     4  type:4 | encoding:4 | access:24 (LRU seconds, or LFU minutes:16 | counter:8)
 *          4     4  flags:8 | key length:8 | value length:16
 *          8     4  key length, only if the 8 bits above say 255
 *          …     n  key
 *          …     m  value: inline bytes, an int64, or the index of an object in the side table
 *     end − 4    4  slot in the deadline heap, only if the flag `ttl` is set
 *
 * A value of more than 64 KiB, or a collection too large to lie inline, is a JS object of its own;
 * the entry then holds its index. A key of more than 32 KiB likewise: the block holds the index of
 * its bytes instead of them. Bytes are little-endian. Costs: 8 bytes beside key and value, rounded up
 * to the arena's size class (6 % at most).
 */
import { assert } from "../lib/assert.ts";
import { copyBytes, copyIn } from "../lib/copy.ts";
import { detach } from "../lib/detach.ts";
import type { Hasher } from "../lib/hash.ts";
import { sameBytes } from "../lib/slice.ts";
import { BulkBuffer } from "../protocol/bulk_buffer.ts";
import { Arena, MAX_BLOCK, offsetOf, type Ref } from "../structures/arena.ts";
import { ChunkPool } from "../structures/chunk_pool.ts";
import type { KeyLayout } from "../structures/dash_table.ts";
import type { MemberTable } from "../structures/member_table.ts";
import { SideTable } from "../structures/side_table.ts";

/** What a value is. The numbers are stored; their names are what TYPE answers. */
export const Type = {
  string: 0,
  list: 1,
  set: 2,
  zset: 3,
  hash: 4,
  stream: 5,
  bloom: 6,
} as const;
/** A Bloom filter has the name of the module's type. */
export const TYPE_NAMES = [
  "string",
  "list",
  "set",
  "zset",
  "hash",
  "stream",
  "MBbloom--",
] as const;

/**
 * How a value is stored. A new encoding also needs: its name below, the snapshot's writer, DEBUG
 * DIGEST (values.ts), MEMORY USAGE and, if it is an object, `HeapValue`.
 */
export const Encoding = { embstr: 0, int: 1, raw: 2, object: 3, listpack: 4, intset: 5 } as const;

/**
 * The longest listpack or intset that lies inline: it fits beside any key, so that RENAME never needs to
 * convert one. Longer ones get a buffer of their own: LongPack, or a quicklist.
 */
export const COLLECTION_INLINE_MAX = 32 * 1024;

/** Bytes of an inline value that stand for an object: its index in the side table. */
export const OBJECT_BYTES = 4;

export const EntryFlag = { ttl: 1, epoch: 2, keyOutside: 4 } as const;

/** Memory that is freed in slices, so that no slice takes long. */
export interface Releasable {
  /** Frees about `limit` elements; returns whether all are gone. */
  release(limit: number): boolean;
}

/** A value that is an object: a large string, or a collection too large to lie inline. */
export interface HeapValue extends Releasable {
  /** What OBJECT ENCODING answers. */
  readonly encodingName: string;
  /** Memory outside the arena, in bytes. O(1). */
  readonly bytes: number;
  /** Memory of its blocks in the arena, in bytes. O(1). */
  readonly arenaBytes: number;
  /** How many elements must be freed one by one. */
  readonly effort: number;
  /** Whether it is empty, so that its key must be removed. */
  readonly isEmpty: boolean;
  /** The table of its members, if it has one. */
  readonly members?: MemberTable;
  /** The bytes that `Entries.outsideBytes` includes for it; `Entries.accountMemory` sets this. */
  accountedBytes: number;
  /**
   * Moves its blocks that are leaving their chunks (Arena.isLeaving) to others: about `limit` elements from `cursor` on.
   * Returns the cursor of the rest; 0 begins and ends. Absent if it has no blocks.
   */
  relocate?(cursor: number, limit: number): number;
  /** A copy of the value in memory of its own. */
  clone(): HeapValue;
  /** Frees its memory outside the arena at once; the arena, with its blocks, was emptied before. */
  dispose(): void;
}

/**
 * How many spare bytes a string of `length` bytes gets when it grows. In proportion to its length: each growth copies
 * it, and 100 MB take 100 ms. What is spare takes no resident memory until it is written.
 */
export function spareBytes(length: number): number {
  return Math.max(Math.min(length, SPARE_BYTES), length >>> 1);
}

/** A string too large for the arena: `content[0, length)`, with room to grow behind, which holds zeros. */
export class LargeString implements HeapValue {
  readonly encodingName = "raw";
  readonly arenaBytes = 0;
  readonly effort = 1;
  readonly isEmpty = false;
  accountedBytes = 0;
  view: DataView;
  /** Knows who else reads the content: it was an argument, and may be one still, or a snapshot holds it. */
  #buffer: BulkBuffer | null;

  constructor(
    public content: Uint8Array,
    public length: number,
    buffer: BulkBuffer | null = null,
  ) {
    this.view = new DataView(content.buffer);
    this.#buffer = buffer;
    // The end of an argument's line.
    if (buffer !== null) content.fill(0, length);
  }

  get bytes(): number {
    return this.content.length + 64;
  }

  /**
   * Holds the present content for a reader that takes several turns of the event loop; it calls `letGo` in the end. A
   * change of the string goes to a copy meanwhile.
   */
  hold(): BulkBuffer {
    this.#buffer ??= BulkBuffer.ofValue(this.content);
    this.#buffer.hold();
    return this.#buffer;
  }

  /** Whether its content must not be changed in place. */
  get isHeld(): boolean {
    return this.#buffer?.isHeld === true;
  }

  /** Makes it `length` bytes long, new bytes being zero, and its content fit to be changed. */
  resize(length: number): void {
    const { content } = this;
    const isTooShort = length > content.length;
    if (isTooShort || this.isHeld) {
      this.content = new Uint8Array(isTooShort ? length + spareBytes(length) : content.length);
      copyBytes(content, 0, Math.min(this.length, length), this.content, 0);
      this.view = new DataView(this.content.buffer);
      this.#giveBack(content);
    } else if (length < this.length) content.fill(0, length, this.length);
    this.length = length;
  }

  clone(): LargeString {
    return LargeString.of(this.content, 0, this.length);
  }

  /** A copy of `bytes[start, end)`. */
  static of(bytes: Uint8Array, start: number, end: number): LargeString {
    const content = new Uint8Array(end - start);
    copyBytes(bytes, start, end, content, 0);
    return new LargeString(content, end - start);
  }

  release(): boolean {
    this.dispose();
    return true;
  }

  dispose(): void {
    this.#giveBack(this.content);
  }

  #giveBack(content: Uint8Array): void {
    if (this.#buffer === null) detach(content);
    else this.#buffer.giveBack();
    this.#buffer = null;
  }
}

const SPARE_BYTES = 1024 * 1024;
const HEADER_BYTES = 8;
const LONG_KEY = 255;
const KEY_INLINE_MAX = 32 * 1024;
const SLOT_BYTES = 4;
/** The value's length has 16 bits, of which 65,535 stays unused so that growth is noticed early. */
const VALUE_INLINE_MAX = 65534;
const OUTSIDE_KEY_BYTES = 4;

/**
 * Reads and writes entries. After `open(ref)` the fields say where that entry's key and value lie;
 * they are good until the next `open` or any allocation.
 */
export class Entries implements KeyLayout {
  readonly arena: Arena;
  /** Large strings and collections. */
  readonly objects = new SideTable<HeapValue>();
  readonly hasher: Hasher;
  /** Bytes of keys and values that live outside the arena. */
  outsideBytes = 0;
  /** The flag `epoch` of new entries. A snapshot inverts it as it begins: entries with the other value are older. */
  epoch = 0;
  /** Large collections whose entries were removed; lazy_free.ts frees them in slices. */
  readonly toFree: Releasable[] = [];

  ref: Ref = 0;
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(8));
  /** Where the entry's block begins. */
  at = 0;
  keyBytes: Uint8Array = this.bytes;
  keyView: DataView = this.view;
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  type = 0;
  encoding = 0;
  flags = 0;

  readonly #outsideKeys = new SideTable<Uint8Array>();

  /** The arena's chunks come from `chunks`. */
  constructor(hasher: Hasher, chunks = new ChunkPool()) {
    this.hasher = hasher;
    this.arena = new Arena(chunks);
  }

  /** Drops all entries at once, so that all refs become invalid; returns their memory outside the arena, to be freed. */
  clear(): Releasable {
    const remains = new Remains(this.objects.takeAll(), this.#outsideKeys.takeAll());
    this.arena.clear();
    this.outsideBytes = 0;
    this.toFree.length = 0;
    return remains;
  }

  /** Bytes in use by entries and their values. */
  get usedBytes(): number {
    return this.arena.usedBytes + this.outsideBytes;
  }

  open(ref: Ref): void {
    const chunk = this.arena.chunkOf(ref);
    const view = chunk.view;
    const at = offsetOf(ref);
    const head = view.getUint32(at, true);
    const word = view.getUint32(at + 4, true);
    this.ref = ref;
    // Compare first: writing a pointer costs V8's write barrier.
    if (this.view !== view) {
      this.bytes = chunk.bytes;
      this.view = view;
    }
    if (this.keyView !== view) {
      this.keyBytes = chunk.bytes;
      this.keyView = view;
    }
    this.at = at;
    this.type = head & 15;
    this.encoding = (head >>> 4) & 15;
    this.flags = word & 255;
    const keyLength = (word >>> 8) & 255;
    if (keyLength === LONG_KEY) {
      this.#openLongKey(view.getUint32(at + HEADER_BYTES, true));
    } else {
      this.keyStart = at + HEADER_BYTES;
      this.keyEnd = this.keyStart + keyLength;
      this.valueStart = this.keyEnd;
    }
    this.valueEnd = this.valueStart + (word >>> 16);
  }

  #openLongKey(length: number): void {
    const start = this.at + HEADER_BYTES + 4;
    if ((this.flags & EntryFlag.keyOutside) === 0) {
      this.keyStart = start;
      this.keyEnd = this.valueStart = start + length;
      return;
    }
    this.keyBytes = this.#outsideKeys.get(this.view.getUint32(start, true));
    this.keyView = new DataView(this.keyBytes.buffer);
    this.keyStart = 0;
    this.keyEnd = length;
    this.valueStart = start + OUTSIDE_KEY_BYTES;
  }

  /** A new entry without a value yet: room for `valueSize` bytes, which the caller fills after `open`. */
  create(
    type: number,
    encoding: number,
    access: number,
    keyBytes: Uint8Array,
    keyView: DataView,
    keyStart: number,
    keyEnd: number,
    valueSize: number,
    room: number,
  ): Ref {
    const keyLength = keyEnd - keyStart;
    if (keyLength > KEY_INLINE_MAX) {
      return this.#createOutside(type, encoding, access, keyBytes, keyStart, keyEnd, valueSize);
    }
    const keyAt = keyLength < LONG_KEY ? HEADER_BYTES : HEADER_BYTES + 4;
    const ref = this.arena.alloc(keyAt + keyLength + room);
    const chunk = this.arena.chunkOf(ref);
    const at = offsetOf(ref);
    const view = chunk.view;
    view.setUint32(at, type | (encoding << 4) | (access << 8), true);
    const shown = keyLength < LONG_KEY ? keyLength : LONG_KEY;
    view.setUint32(at + 4, this.epoch | (shown << 8) | (valueSize << 16), true);
    if (shown === LONG_KEY) view.setUint32(at + HEADER_BYTES, keyLength, true);
    copyIn(keyBytes, keyView, keyStart, keyEnd, chunk.bytes, view, at + keyAt);
    return ref;
  }

  #createOutside(
    type: number,
    encoding: number,
    access: number,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueSize: number,
  ): Ref {
    const size = keyEnd - keyStart;
    const own = new Uint8Array(size);
    copyBytes(keyBytes, keyStart, keyEnd, own, 0);
    this.outsideBytes += size;
    const ref = this.arena.alloc(HEADER_BYTES + 4 + OUTSIDE_KEY_BYTES + valueSize + SLOT_BYTES);
    const view = this.arena.chunkOf(ref).view;
    const at = offsetOf(ref);
    view.setUint32(at, type | (encoding << 4) | (access << 8), true);
    const flags = EntryFlag.keyOutside | this.epoch;
    view.setUint32(at + 4, flags | (LONG_KEY << 8) | (valueSize << 16), true);
    view.setUint32(at + HEADER_BYTES, size, true);
    view.setUint32(at + HEADER_BYTES + 4, this.#outsideKeys.add(own), true);
    return ref;
  }

  /** The object that is an entry's value, or null; also null if its key is long. */
  objectOf(ref: Ref): HeapValue | null {
    const view = this.arena.chunkOf(ref).view;
    const at = offsetOf(ref);
    const encoding = view.getUint8(at) >>> 4;
    const keyLength = view.getUint8(at + 5);
    if (encoding !== Encoding.object || keyLength === LONG_KEY) return null;
    return this.objects.get(view.getUint32(at + HEADER_BYTES + keyLength, true));
  }

  /** The largest value that lies inline beside a key of `keyLength` bytes. */
  inlineMax(keyLength: number): number {
    const key = keyLength > KEY_INLINE_MAX ? OUTSIDE_KEY_BYTES : keyLength;
    return Math.min(VALUE_INLINE_MAX, MAX_BLOCK - HEADER_BYTES - 4 - key - SLOT_BYTES);
  }

  /** Bytes that the open entry's block can give to its value, `inlineMax` at most. */
  valueRoom(): number {
    const block = this.at + this.arena.blockSize(this.ref) - this.valueStart;
    const room = (this.flags & EntryFlag.ttl) === 0 ? block : block - SLOT_BYTES;
    // The largest block is larger than a value may be, and must keep room for a later deadline.
    return Math.min(room, this.inlineMax(this.keyEnd - this.keyStart));
  }

  /** Sets type, encoding and value length of the open entry, whose value fits in its room. */
  setValueHeader(type: number, encoding: number, valueSize: number): void {
    assert(valueSize <= VALUE_INLINE_MAX, "an inline value fits its length field");
    const head = this.view.getUint32(this.at, true);
    this.view.setUint32(this.at, ((head & ~0xff) | type | (encoding << 4)) >>> 0, true);
    const word = this.view.getUint32(this.at + 4, true);
    this.view.setUint32(this.at + 4, ((word & 0xffff) | (valueSize << 16)) >>> 0, true);
    this.type = type;
    this.encoding = encoding;
    this.valueEnd = this.valueStart + valueSize;
  }

  setFlag(ref: Ref, flag: number, on: boolean): void {
    const view = this.arena.chunkOf(ref).view;
    const at = offsetOf(ref) + 4;
    const word = view.getUint32(at, true);
    view.setUint32(at, on ? word | flag : word & ~flag, true);
  }

  hasFlag(ref: Ref, flag: number): boolean {
    const view = this.arena.chunkOf(ref).view;
    return (view.getUint32(offsetOf(ref) + 4, true) & flag) !== 0;
  }

  typeOf(ref: Ref): number {
    return this.arena.chunkOf(ref).view.getUint32(offsetOf(ref), true) & 15;
  }

  /** The 24 bits that eviction reads: LRU seconds or LFU minutes and counter. */
  access(ref: Ref): number {
    return this.arena.chunkOf(ref).view.getUint32(offsetOf(ref), true) >>> 8;
  }

  setAccess(ref: Ref, access: number): void {
    const view = this.arena.chunkOf(ref).view;
    const at = offsetOf(ref);
    const head = view.getInt32(at, true);
    const next = (head & 0xff) | (access << 8);
    // Skip a write that changes nothing: it would make the cache line dirty.
    if (next !== head) view.setInt32(at, next, true);
  }

  /** The entry's place in the deadline heap; it has the flag `ttl`. */
  heapSlot(ref: Ref): number {
    const at = offsetOf(ref) + this.arena.blockSize(ref) - SLOT_BYTES;
    return this.arena.chunkOf(ref).view.getUint32(at, true);
  }

  setHeapSlot(ref: Ref, slot: number): void {
    const at = offsetOf(ref) + this.arena.blockSize(ref) - SLOT_BYTES;
    this.arena.chunkOf(ref).view.setUint32(at, slot, true);
  }

  /** Whether the open entry's block has room for a heap slot behind its value. */
  hasRoomForSlot(): boolean {
    return this.valueEnd + SLOT_BYTES <= this.at + this.arena.blockSize(this.ref);
  }

  /** The large value of the open entry, whose encoding is `object`. */
  object(): HeapValue {
    return this.objects.get(this.objectIndex());
  }

  /** The index in the side table of the open entry's value, whose encoding is `object`. */
  objectIndex(): number {
    assert(this.encoding === Encoding.object, "the value is an object");
    return this.view.getUint32(this.valueStart, true);
  }

  /** Updates `outsideBytes` after a change of `object`. */
  accountMemory(object: HeapValue): void {
    const { bytes } = object;
    this.outsideBytes += bytes - object.accountedBytes;
    object.accountedBytes = bytes;
  }

  /** Frees an entry's block and its key, if that lies outside. The caller frees the value. */
  free(ref: Ref): void {
    if (this.hasFlag(ref, EntryFlag.keyOutside)) {
      const view = this.arena.chunkOf(ref).view;
      const index = view.getUint32(offsetOf(ref) + HEADER_BYTES + 4, true);
      this.outsideBytes -= this.#outsideKeys.get(index).length;
      this.#outsideKeys.remove(index);
    }
    this.arena.free(ref);
  }

  // KeyLayout: what a dash table must know of its blocks.

  hashOf(ref: Ref): number {
    const view = this.arena.chunkOf(ref).view;
    const at = offsetOf(ref);
    const keyLength = view.getUint8(at + 5);
    if (keyLength === LONG_KEY) return this.#hashLong(ref);
    return this.hasher.hash(view, at + HEADER_BYTES, at + HEADER_BYTES + keyLength);
  }

  matches(ref: Ref, bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    const own = this.arena.chunkOf(ref).view;
    const at = offsetOf(ref);
    const length = end - start;
    const keyLength = own.getUint8(at + 5);
    if (keyLength === LONG_KEY) {
      return length >= LONG_KEY && this.#matchesLong(ref, bytes, start, end);
    }
    if (keyLength !== length) return false;
    return sameBytes(own, at + HEADER_BYTES, view, start, length);
  }

  #hashLong(ref: Ref): number {
    this.open(ref);
    return this.hasher.hash(this.keyView, this.keyStart, this.keyEnd);
  }

  #matchesLong(ref: Ref, bytes: Uint8Array, start: number, end: number): boolean {
    this.open(ref);
    if (this.keyEnd - this.keyStart !== end - start) return false;
    for (let i = 0; i < end - start; i++) {
      if (this.keyBytes[this.keyStart + i] !== bytes[start + i]) return false;
    }
    return true;
  }
}

/** Keys and values outside an arena that was emptied. */
class Remains implements Releasable {
  constructor(readonly objects: HeapValue[], readonly keys: Uint8Array[]) {}

  release(limit: number): boolean {
    const { objects, keys } = this;
    let left = limit;
    for (; left > 0 && keys.length > 0; left--) detachLast(keys);
    for (; left > 0 && objects.length > 0; left--) objects.pop()?.dispose();
    return keys.length + objects.length === 0;
  }
}

function detachLast(keys: Uint8Array[]): void {
  const key = keys.pop();
  if (key !== undefined) detach(key);
}
