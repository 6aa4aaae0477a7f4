// hot path
/**
 * The members of a large set, hash or sorted set: a dash table over blocks of the arena.
 *
 * ```
 * u8 key length · u8 value length · [u16 key length] · [u16 value length] · key · value
 * ```
 *
 * A length of 255 or more is stored as 255 in its byte and in full in the u16. A part of more than 32 KiB lies in a
 * buffer of its own: its u16 is 65535, and the block holds a u32 instead of it, its index in the table's list of
 * buffers. A set's members have values of 0 bytes, those of a sorted set their score, a float64.
 *
 * Invariants: every block is in the table once; `arenaBytes` is the sum of their blocks.
 * Costs: those of the dash table; 2 bytes a member beside its bytes, rounded up to 8, and 6 to 12 of
 * the table.
 *
 * @module
 */
import { assert } from "../lib/assert.ts";
import { copyBytes, copyIn } from "../lib/copy.ts";
import { detach } from "../lib/detach.ts";
import type { Hasher } from "../lib/hash.ts";
import { compareBytes, NO_BYTES, NO_VIEW, sameBytes, Slice } from "../lib/slice.ts";
import { type Arena, offsetOf, type Ref } from "./arena.ts";
import { DashTable, type KeyLayout } from "./dash_table.ts";
import { SideTable } from "./side_table.ts";

const HEADER_BYTES = 2;
/** A length of so many bytes or more takes two bytes more. */
const LONG = 255;
const OUTSIDE = 65535;
const INSIDE_MAX = 32 * 1024;
const INDEX_BYTES = 4;
const SCORE_BYTES = 8;
/** Memory of the table's objects, and of the value that it is a part of, without its segments; measured. */
const TABLE_OVERHEAD = 2500;

/** A part that is too long for a block. */
class Outside {
  readonly view: DataView;
  constructor(readonly bytes: Uint8Array) {
    assert(bytes.byteOffset === 0, "the bytes begin where their buffer does");
    this.view = new DataView(bytes.buffer);
  }
}

/** See the module's head. */
export class MemberTable implements KeyLayout {
  readonly #arena: Arena;
  readonly #hasher: Hasher;
  #table: DashTable;
  #outside: SideTable<Outside> | null = null;
  #outsideBytes = 0;
  #arenaBytes = 0;
  readonly #one = new Slice();
  readonly #other = new Slice();
  /** Where `release` goes on. */
  #releaseNext = 0;
  #left = -1;

  constructor(arena: Arena, hasher: Hasher) {
    this.#arena = arena;
    this.#hasher = hasher;
    this.#table = new DashTable(this);
  }

  get count(): number {
    return this.#table.count;
  }

  /** Memory outside the arena, in bytes. */
  get bytes(): number {
    assert(this.#outsideBytes >= 0, "a count of bytes is not negative");
    return this.#table.bytes + this.#outsideBytes + TABLE_OVERHEAD;
  }

  /** Memory of its blocks in the arena, in bytes. */
  get arenaBytes(): number {
    assert(this.#arenaBytes >= 0, "a count of bytes is not negative");
    return this.#arenaBytes;
  }

  /** The member whose key is `bytes[start, end)`, or 0. */
  find(bytes: Uint8Array, view: DataView, start: number, end: number): Ref {
    assert(this.#left < 0, "a table that is being released is not used");
    return this.#table.find(this.#hasher.hashOnce(view, start, end), bytes, view, start, end);
  }

  /** Reads ahead the memory that `find` will need for `count` hashes; puts the first candidate for each into `refs`. */
  prefetch(hashes: Int32Array, refs: Uint32Array, count: number): void {
    assert(count <= refs.length && count <= hashes.length, "both arrays have `count` items");
    this.#table.prefetch(hashes, refs, count);
    this.#arena.prefetch(refs, count);
  }

  /**
   * The member whose key is `bytes[start, end)`, which is added where it is missing, with room for `valueSize` bytes of
   * value; the caller writes them with `setScore`. It is new if `count` has grown.
   */
  findOrAdd(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    valueSize: number,
  ): Ref {
    assert(valueSize >= 0 && this.#left < 0, "a member is added to a table in use");
    const hash = this.#hasher.hashOnce(view, start, end);
    const found = this.#table.find(hash, bytes, view, start, end);
    if (found !== 0) return found;
    const ref = this.#create(bytes, view, start, end, valueSize);
    this.#table.insert(hash, ref);
    return ref;
  }

  /** Makes an empty table ready for `count` members. */
  reserve(count: number): void {
    this.#table.reserve(count);
  }

  /**
   * Gives the member whose key is `bytes[start, end)`, which is added where it is missing, the value `value[from, to)`;
   * it is new if `count` has grown. The bytes must not be the table's own.
   */
  put(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    value: Uint8Array,
    valueView: DataView,
    from: number,
    to: number,
  ): void {
    assert(from <= to && to <= value.length, "a value lies within its bytes");
    // Allocate the buffer of a long value first: if that fails, nothing has changed.
    const outside = to - from > INSIDE_MAX ? this.#keep(value, from, to) : 0;
    const ref = this.findOrAdd(bytes, view, start, end, to - from);
    this.#setValue(ref, value, valueView, from, to, outside);
  }

  #create(
    bytes: Uint8Array,
    keyView: DataView,
    start: number,
    end: number,
    valueSize: number,
  ): Ref {
    assert(start <= end && end <= bytes.length, "a key lies within its bytes");
    const size = end - start;
    const keyAt = HEADER_BYTES + extraBytes(size) + extraBytes(valueSize);
    const ref = this.#alloc(keyAt + insideBytes(size) + insideBytes(valueSize));
    assert(
      this.#arena.blockSize(ref) >= keyAt + insideBytes(size) + insideBytes(valueSize),
      "a block has room for both parts",
    );
    const chunk = this.#arena.chunkOf(ref);
    const at = offsetOf(ref);
    const { view } = chunk;
    writeLengths(view, at, size, valueSize);
    if (size > INSIDE_MAX) view.setUint32(at + keyAt, this.#keep(bytes, start, end), true);
    else copyIn(bytes, keyView, start, end, chunk.bytes, view, at + keyAt);
    if (valueSize > INSIDE_MAX) {
      view.setUint32(at + keyAt + insideBytes(size), this.#keep(NO_BYTES, 0, 0), true);
    }
    return ref;
  }

  /** Sets a member's value; `outside` is the index of its buffer if it is long, otherwise 0. */
  #setValue(
    ref: Ref,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    outside: number,
  ): void {
    assert((outside !== 0) === (end - start > INSIDE_MAX), "exactly the long values have buffers");
    const size = end - start;
    this.#read(ref);
    if (this.#valueLength === OUTSIDE) this.#drop(this.#view.getUint32(this.#valueStart, true));
    const keyBytes = this.#valueStart - this.#keyStart;
    const before = this.#keyStart - offsetOf(ref);
    const keyAt = HEADER_BYTES + extraBytes(this.#keyLength) + extraBytes(size);
    const needed = keyAt + keyBytes + insideBytes(size);
    const room = this.#arena.blockSize(ref);
    const isOutside = this.#keyLength === OUTSIDE;
    const keySize = isOutside ? INSIDE_MAX + 1 : this.#keyLength;
    if (needed > room || needed + 64 < room >>> 1 || keyAt !== before) {
      ref = this.#move(ref, this.#keyStart, keyBytes, keyAt, needed);
    }
    const place = this.#arena.chunkOf(ref);
    const at = offsetOf(ref);
    writeLengths(place.view, at, keySize, size);
    const target = at + keyAt + keyBytes;
    if (size > INSIDE_MAX) place.view.setUint32(target, outside, true);
    else copyIn(bytes, view, start, end, place.bytes, place.view, target);
  }

  /** Moves a key's bytes to `keyAt` of another block of `size` bytes; the caller writes its lengths. */
  #move(ref: Ref, keyStart: number, keyBytes: number, keyAt: number, size: number): Ref {
    assert(keyAt + keyBytes <= size, "a key fits its new block");
    const hash = this.hashOf(ref);
    const next = this.#alloc(size);
    const target = this.#arena.chunkOf(next).bytes;
    const source = this.#arena.chunkOf(ref).bytes;
    copyBytes(source, keyStart, keyStart + keyBytes, target, offsetOf(next) + keyAt);
    this.#table.replace(hash, ref, next);
    this.#free(ref);
    return next;
  }

  // Where the parts of the block that was read last lie: absolute positions in its chunk.
  #view: DataView = NO_VIEW;
  #bytes: Uint8Array = NO_BYTES;
  #keyStart = 0;
  #valueStart = 0;
  /** OUTSIDE for a part in a buffer of its own. */
  #keyLength = 0;
  #valueLength = 0;

  #read(ref: Ref): void {
    assert(ref !== 0, "ref 0 means none");
    const chunk = this.#arena.chunkOf(ref);
    const { view } = chunk;
    let at = offsetOf(ref);
    let keyLength = view.getUint8(at);
    let valueLength = view.getUint8(at + 1);
    at += HEADER_BYTES;
    if (keyLength === LONG) {
      keyLength = view.getUint16(at, true);
      at += 2;
    }
    if (valueLength === LONG) {
      valueLength = view.getUint16(at, true);
      at += 2;
    }
    this.#view = view;
    this.#bytes = chunk.bytes;
    this.#keyStart = at;
    this.#keyLength = keyLength;
    this.#valueStart = at + (keyLength === OUTSIDE ? INDEX_BYTES : keyLength);
    this.#valueLength = valueLength;
  }

  /** Points `into` at a member's key. */
  key(ref: Ref, into: Slice): void {
    assert(ref !== 0, "ref 0 means none");
    const { bytes, view } = this.#arena.chunkOf(ref);
    const at = offsetOf(ref);
    const size = view.getUint8(at);
    // The usual case: both lengths are short.
    if (size < LONG && view.getUint8(at + 1) < LONG) {
      return into.set(bytes, view, at + HEADER_BYTES, at + HEADER_BYTES + size);
    }
    this.#read(ref);
    const start = this.#keyStart;
    const length = this.#keyLength;
    if (length === OUTSIDE) this.#readOutside(this.#view.getUint32(start, true), into);
    else into.set(this.#bytes, this.#view, start, start + length);
  }

  /** Points `into` at a member's value. */
  value(ref: Ref, into: Slice): void {
    assert(ref !== 0, "ref 0 means none");
    this.#read(ref);
    const start = this.#valueStart;
    const length = this.#valueLength;
    if (length === OUTSIDE) this.#readOutside(this.#view.getUint32(start, true), into);
    else into.set(this.#bytes, this.#view, start, start + length);
  }

  /** Points `into` at a member's key and returns its score, a value of 8 bytes. */
  keyAndScore(ref: Ref, into: Slice): number {
    assert(ref !== 0, "ref 0 means none");
    const { bytes, view } = this.#arena.chunkOf(ref);
    const start = offsetOf(ref) + HEADER_BYTES;
    const end = start + view.getUint8(start - HEADER_BYTES);
    if (end - start < LONG) {
      into.set(bytes, view, start, end);
      return view.getFloat64(end, true);
    }
    this.key(ref, into);
    return this.score(ref);
  }

  /** The score of a member whose value has 8 bytes. */
  score(ref: Ref): number {
    const { view } = this.#arena.chunkOf(ref);
    const at = offsetOf(ref);
    const keyLength = view.getUint8(at);
    // The usual case: both lengths are short.
    if (keyLength < LONG) return view.getFloat64(at + HEADER_BYTES + keyLength, true);
    this.#read(ref);
    return this.#view.getFloat64(this.#valueStart, true);
  }

  setScore(ref: Ref, score: number): void {
    assert(score === score, "a score is a number");
    this.#read(ref);
    assert(this.#valueLength === SCORE_BYTES, "a score has 8 bytes");
    this.#view.setFloat64(this.#valueStart, score, true);
  }

  /** Compares the keys of two members as bytes: negative if `a` comes first. */
  compareKeys(a: Ref, b: Ref): number {
    assert(a !== 0 && b !== 0, "ref 0 means none");
    this.key(a, this.#one);
    this.key(b, this.#other);
    const { bytes, start, end } = this.#other;
    return compareBytes(this.#one, bytes, start, end);
  }

  /** Unlinks a member and frees its block. */
  remove(ref: Ref): void {
    assert(ref !== 0 && this.count > 0, "a member that is removed is there");
    this.#table.remove(this.hashOf(ref), ref);
    this.#freeAll(ref);
  }

  /** As DashTable.scan. */
  scan(cursor: number, count: number, visit: (ref: Ref) => void): number {
    assert(count > 0 && cursor >= 0, "the count is positive, the cursor not negative");
    return this.#table.scan(cursor, count, visit);
  }

  /**
   * Moves the blocks that are leaving their chunks, about `limit` of them from `cursor` on, as in `scan`. `replaced` is called with
   * each while both blocks can be read, the old and the new one.
   */
  relocate(
    cursor: number,
    limit: number,
    replaced: ((ref: Ref, next: Ref) => void) | null,
  ): number {
    assert(limit > 0 && this.#left < 0, "members of a table in use are moved");
    const leaving: Ref[] = [];
    const next = this.#table.scan(cursor, limit, (ref) => {
      if (this.#arena.isLeaving(ref)) leaving.push(ref);
    });
    for (const ref of leaving) {
      const copy = this.#arena.copyOf(ref);
      replaced?.(ref, copy);
      this.#table.replace(this.hashOf(copy), ref, copy);
      this.#arena.free(ref);
    }
    return next;
  }

  forEach(visit: (ref: Ref) => void): void {
    this.#table.forEach(visit);
  }

  /** As DashTable.forEachFrom. */
  forEachFrom(index: number, visit: (ref: Ref) => void): number {
    assert(index >= 0, "the index is not negative");
    return this.#table.forEachFrom(index, visit);
  }

  randomRef(): Ref {
    assert(this.#left < 0, "a table that is being released is not used");
    return this.#table.randomRef();
  }

  /** Frees about `limit` members of a table that is not used any more; returns whether all are freed. */
  release(limit: number): boolean {
    assert(limit > 0, "the limit is positive");
    if (this.#left < 0) this.#left = this.#table.count;
    let freed = 0;
    while (freed < limit && this.#left > 0) {
      this.#releaseNext = this.#table.forEachFrom(this.#releaseNext, (ref) => {
        this.#free(ref);
        this.#left--;
        freed++;
      });
    }
    assert(this.#left >= 0, "members are freed once");
    if (this.#left > 0) return false;
    this.#disposeOutside();
    return this.#table.release(limit);
  }

  /** Frees its memory outside the arena, when the arena and the table are not used any more. */
  dispose(): void {
    assert(this.#left <= 0, "a table is freed in slices, or with its arena");
    this.#table.release(Infinity);
    this.#disposeOutside();
  }

  #disposeOutside(): void {
    for (const { bytes } of this.#outside?.takeAll() ?? []) detach(bytes);
  }

  /** An empty table with room for as many members. */
  emptyTwin(): MemberTable {
    const twin = new MemberTable(this.#arena, this.#hasher);
    twin.reserve(this.count);
    return twin;
  }

  /** A table with the same members in blocks of their own. */
  clone(): MemberTable {
    const twin = this.emptyTwin();
    this.#table.forEach((ref) => {
      twin.addCopy(this, ref);
    });
    assert(twin.count === this.count, "a copy has all members");
    return twin;
  }

  /** Adds a copy of the member `ref` of `from`, whose key is missing here; returns the copy. */
  addCopy(from: MemberTable, ref: Ref): Ref {
    assert(from !== this, "members are taken over from another table");
    const arena = this.#arena;
    const next = this.#alloc(arena.blockSize(ref));
    const source = arena.chunkOf(ref);
    const chunk = arena.chunkOf(next);
    const at = offsetOf(next);
    const start = offsetOf(ref);
    copyBytes(source.bytes, start, start + arena.blockSize(ref), chunk.bytes, at);
    this.#read(next);
    const valueStart = this.#valueStart;
    const hasValueOutside = this.#valueLength === OUTSIDE;
    if (this.#keyLength === OUTSIDE) this.#copyOutside(from, chunk.view, this.#keyStart);
    if (hasValueOutside) this.#copyOutside(from, chunk.view, valueStart);
    this.#table.insert(this.hashOf(next), next);
    return next;
  }

  #copyOutside(from: MemberTable, view: DataView, at: number): void {
    assert(from !== this, "parts are taken over from another table");
    const { bytes } = from.#outsideAt(view.getUint32(at, true));
    view.setUint32(at, this.#keep(bytes, 0, bytes.length), true);
  }

  // KeyLayout

  hashOf(ref: Ref): number {
    assert(ref !== 0, "ref 0 means none");
    this.#read(ref);
    const start = this.#keyStart;
    if (this.#keyLength !== OUTSIDE) {
      return this.#hasher.hash(this.#view, start, start + this.#keyLength);
    }
    const outside = this.#outsideAt(this.#view.getUint32(start, true));
    return this.#hasher.hash(outside.view, 0, outside.bytes.length);
  }

  matches(ref: Ref, bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    assert(ref !== 0, "ref 0 means none");
    const chunk = this.#arena.chunkOf(ref);
    const at = offsetOf(ref);
    const keyLength = chunk.view.getUint8(at);
    if (keyLength < LONG) {
      if (keyLength !== end - start) return false;
      const keyAt = at + HEADER_BYTES + (chunk.view.getUint8(at + 1) === LONG ? 2 : 0);
      return sameBytes(chunk.view, keyAt, view, start, keyLength);
    }
    return this.#matchesLong(ref, bytes, start, end);
  }

  #matchesLong(ref: Ref, bytes: Uint8Array, start: number, end: number): boolean {
    assert(start <= end, "a key lies within its bytes");
    this.#read(ref);
    let own = this.#bytes;
    let from = this.#keyStart;
    if (this.#keyLength === OUTSIDE) {
      own = this.#outsideAt(this.#view.getUint32(from, true)).bytes;
      from = 0;
      if (own.length !== end - start) return false;
    } else if (this.#keyLength !== end - start) return false;
    for (let i = start; i < end; i++) if (own[from++] !== bytes[i]) return false;
    return true;
  }

  /** Throws if the invariants at the module's head do not hold. O(n). */
  verify(): void {
    assert(this.#outsideBytes >= 0 && this.#left < 0, "a table that is verified is in use");
    this.#table.verify();
    let bytes = 0;
    this.#table.forEach((ref) => (bytes += this.#arena.blockSize(ref)));
    assert(bytes === this.#arenaBytes, "the count of bytes is right");
    this.#outside?.verify();
  }

  // Blocks and buffers

  #alloc(size: number): Ref {
    assert(size >= HEADER_BYTES, "a block has a head");
    const ref = this.#arena.alloc(size);
    assert(ref !== 0, "ref 0 means none");
    this.#arenaBytes += this.#arena.blockSize(ref);
    return ref;
  }

  #free(ref: Ref): void {
    this.#arenaBytes -= this.#arena.blockSize(ref);
    assert(this.#arenaBytes >= 0, "a count of bytes is not negative");
    this.#arena.free(ref);
  }

  #freeAll(ref: Ref): void {
    assert(ref !== 0, "ref 0 means none");
    if (this.#outside !== null) this.#dropParts(ref);
    this.#free(ref);
  }

  #dropParts(ref: Ref): void {
    assert(this.#outside !== null, "there are parts outside");
    this.#read(ref);
    if (this.#valueLength === OUTSIDE) this.#drop(this.#view.getUint32(this.#valueStart, true));
    if (this.#keyLength === OUTSIDE) this.#drop(this.#view.getUint32(this.#keyStart, true));
  }

  #keep(bytes: Uint8Array, start: number, end: number): number {
    assert(
      end - start > INSIDE_MAX || end === start,
      "a buffer is for a long part, or begins empty",
    );
    this.#outside ??= new SideTable();
    const own = new Uint8Array(end - start);
    copyBytes(bytes, start, end, own, 0);
    this.#outsideBytes += own.length;
    return this.#outside.add(new Outside(own));
  }

  #drop(index: number): void {
    this.#outsideBytes -= this.#outsideAt(index).bytes.length;
    assert(this.#outsideBytes >= 0, "a count of bytes is not negative");
    this.#outside?.remove(index);
  }

  #outsideAt(index: number): Outside {
    assert(index > 0, "index 0 means none");
    assert(this.#outside !== null, "there are parts outside");
    return this.#outside.get(index);
  }

  #readOutside(index: number, into: Slice): void {
    const outside = this.#outsideAt(index);
    assert(outside.bytes.length > 0, "a part outside is not empty");
    into.set(outside.bytes, outside.view, 0, outside.bytes.length);
  }
}

/** Shows `wanted` different members picked at random; the table has at least as many. */
export function sampleMembers(
  table: MemberTable,
  wanted: number,
  visit: (ref: Ref) => void,
): void {
  assert(wanted >= 0 && wanted <= table.count, "the table has as many members");
  const { count } = table;
  if (3 * wanted <= count) {
    const seen = new Set<Ref>();
    while (seen.size < wanted) {
      const ref = table.randomRef();
      if (seen.has(ref)) continue;
      seen.add(ref);
      visit(ref);
    }
    return;
  }
  // Many of them: shuffle the front of a list of all (Fisher and Yates).
  const refs = new Uint32Array(count);
  let filled = 0;
  table.forEach((ref) => (refs[filled++] = ref));
  for (let i = 0; i < wanted; i++) {
    const j = i + Math.floor(Math.random() * (count - i));
    const ref = refs[j];
    refs[j] = refs[i];
    refs[i] = ref;
    visit(ref);
  }
}

/** Bytes of a length beyond its first one. */
function extraBytes(size: number): number {
  assert(size >= 0, "a size is not negative");
  return size < LONG ? 0 : 2;
}

/** Bytes of a part in the block. */
function insideBytes(size: number): number {
  assert(size >= 0, "a size is not negative");
  return size > INSIDE_MAX ? INDEX_BYTES : size;
}

function writeLengths(view: DataView, at: number, keySize: number, valueSize: number): void {
  assert(keySize >= 0 && valueSize >= 0, "sizes are not negative");
  view.setUint8(at, Math.min(keySize, LONG));
  view.setUint8(at + 1, Math.min(valueSize, LONG));
  at += HEADER_BYTES;
  if (keySize >= LONG) {
    view.setUint16(at, keySize > INSIDE_MAX ? OUTSIDE : keySize, true);
    at += 2;
  }
  if (valueSize >= LONG) view.setUint16(at, valueSize > INSIDE_MAX ? OUTSIDE : valueSize, true);
}
