// hot path
/**
 * A hash table of references that grows and shrinks one segment at a time: extendible hashing.
 * It stores 32-bit refs only; the `KeyLayout` that it is given knows where a ref's key lies.
 *
 * ```
 * hash       31 … 22          17 … 10        9 … 0
 *            directory index  fingerprint    home (scaled to the segment's capacity)
 *            (top bits)
 *
 * directory  2^depth pointers to segments; a segment of depth d owns 2^(depth − d) neighbours
 * segment    capacity × u32 ref, capacity × u8 print (0 empty, 1 tombstone, else fingerprint)
 * ```
 *
 * The first segment grows from 64 slots to 1024; full segments of 1024 then split in two, each of
 * which takes about 0.05 ms, so no insert waits for a rehash of the table. Buddies that are nearly
 * empty merge, and the directory halves when no segment needs its last bit.
 *
 * Invariants: (1) between the home slot of a ref and its slot, in probing order, no slot is empty;
 * (2) refs + tombstones ≤ 85 % of a segment's slots, so every probe ends; (3) a segment owns exactly
 * the directory entries that begin with its prefix, and its refs' hashes begin so, too;
 * (4) the slot before an empty one is no tombstone.
 * Costs: `find` reads one run of prints, and a key for each equal print (1 in 254 is a false one);
 * 5 bytes a slot, 6 to 12 bytes a ref. Source: Fagin et al., "Extendible Hashing", 1979; segments
 * with fingerprints are those of Lu et al., "Dash", VLDB 2020, without its buckets.
 *
 * @module
 */
import { assert } from "../lib/assert.ts";
import { detach } from "../lib/detach.ts";
import { Random } from "../lib/random.ts";
import type { Ref } from "./arena.ts";

/** What a table needs to know of its refs. Hashes are 32 bits, signed or unsigned. */
export interface KeyLayout {
  hashOf(ref: Ref): number;
  matches(ref: Ref, bytes: Uint8Array, view: DataView, start: number, end: number): boolean;
}

const EMPTY = 0;
const TOMBSTONE = 1;
const FIRST_CAPACITY = 64;
const CAPACITY = 1024;
const HOMES = 1024;
/** Beyond it segments grow instead: 2^20 of them hold 600M refs, or hashes are badly skewed. */
const MAX_DEPTH = 20;
/** JS objects of one segment, measured: the object, two typed arrays, their buffer. */
const SEGMENT_OVERHEAD = 480;
const POINTER_BYTES = 8;

class Segment {
  readonly capacity: number;
  /** Most refs + tombstones that it takes. */
  readonly limit: number;
  readonly refs: Uint32Array;
  readonly prints: Uint8Array;
  depth: number;
  count = 0;
  tombstones = 0;

  constructor(capacity: number, depth: number) {
    assert((capacity & (capacity - 1)) === 0 && depth <= MAX_DEPTH, "a segment has 2^n slots");
    this.capacity = capacity;
    this.limit = Math.floor(0.85 * capacity);
    const buffer = new ArrayBuffer(5 * capacity);
    this.refs = new Uint32Array(buffer, 0, capacity);
    this.prints = new Uint8Array(buffer, 4 * capacity, capacity);
    this.depth = depth;
  }

  /** Memory in bytes. */
  get bytes(): number {
    assert(this.count + this.tombstones <= this.capacity, "no more slots are in use than exist");
    return 5 * this.capacity + SEGMENT_OVERHEAD;
  }

  /** Puts a ref that is absent into a slot that is not in use. */
  put(slot: number, hash: number, ref: Ref): void {
    assert(ref !== 0 && this.prints[slot] <= TOMBSTONE, "a ref is put into a slot that is free");
    if (this.prints[slot] === TOMBSTONE) this.tombstones--;
    this.prints[slot] = printOf(hash);
    this.refs[slot] = ref;
    this.count++;
  }

  /** The slot for a new ref with this hash. */
  vacancyFor(hash: number): number {
    assert(this.count < this.capacity, "a segment has a free slot");
    const mask = this.capacity - 1;
    let slot = homeOf(hash, this.capacity);
    while (this.prints[slot] > TOMBSTONE) slot = (slot + 1) & mask;
    return slot;
  }

  /** The slot of `ref`, which is present, or -1. */
  slotOf(hash: number, ref: Ref): number {
    assert(ref !== 0, "ref 0 means none");
    const mask = this.capacity - 1;
    let slot = homeOf(hash, this.capacity);
    while (this.prints[slot] !== EMPTY) {
      if (this.refs[slot] === ref) return slot;
      slot = (slot + 1) & mask;
    }
    return -1;
  }

  vacate(slot: number): void {
    assert(this.prints[slot] > TOMBSTONE && this.count > 0, "a slot that is vacated is in use");
    const mask = this.capacity - 1;
    this.refs[slot] = 0;
    this.count--;
    if (this.prints[(slot + 1) & mask] !== EMPTY) {
      this.prints[slot] = TOMBSTONE;
      this.tombstones++;
      return;
    }
    this.prints[slot] = EMPTY;
    // No probe needs the tombstones before an empty slot.
    let before = (slot - 1) & mask;
    while (this.prints[before] === TOMBSTONE) {
      this.prints[before] = EMPTY;
      this.tombstones--;
      before = (before - 1) & mask;
    }
  }

  wipe(): void {
    this.refs.fill(0);
    this.prints.fill(EMPTY);
    this.count = 0;
    this.tombstones = 0;
    assert(this.count === 0 && this.tombstones === 0, "a segment that was wiped is empty");
  }
}

/** How full the segments that `reserve` makes will become. */
const RESERVED_LOAD = 0.78;

// Hold the refs and hashes of segments that are being filled anew.
// scratch: lives for one call
let waitingRefs = new Uint32Array(2 * CAPACITY);
// scratch: lives for one call
let waitingHashes = new Int32Array(2 * CAPACITY);

/** See the module's head. */
export class DashTable {
  readonly #layout: KeyLayout;
  #directory: Segment[];
  /** Directory has 2^depth entries. */
  #depth = 0;
  /** How many segments of each depth there are; the directory halves when its depth has none. */
  readonly #segmentsOfDepth = new Uint32Array(MAX_DEPTH + 1);
  #segmentCount = 1;
  #segmentBytes: number;
  #count = 0;

  // Where the last `find` ended. Slot -1: none, because the table has changed since.
  #lastSegment: Segment;
  #lastSlot = -1;
  #lastHash = 0;
  #lastHit = false;

  /** Takes what `prefetch` reads: V8 would leave out reads whose result is not used. */
  #read = 0;
  readonly #random = new Random();

  constructor(layout: KeyLayout) {
    this.#layout = layout;
    const first = new Segment(FIRST_CAPACITY, 0);
    assert(first.bytes > 0, "a table has a segment");
    this.#directory = [first];
    this.#lastSegment = first;
    this.#segmentsOfDepth[0] = 1;
    this.#segmentBytes = first.bytes;
  }

  /** How many refs the table holds. */
  get count(): number {
    return this.#count;
  }

  get segmentCount(): number {
    return this.#segmentCount;
  }

  /** Memory of directory and segments, in bytes. */
  get bytes(): number {
    return this.#segmentBytes + POINTER_BYTES * this.#directory.length;
  }

  /**
   * The ref whose key is bytes `start` to `end`, or 0. Remembers where it ended, until the table changes: `insert` with
   * the same hash after a miss probes no more, and `findAgain` compares its key with the one that was found.
   */
  find(hash: number, bytes: Uint8Array, view: DataView, start: number, end: number): Ref {
    const segment = this.#segmentOf(hash);
    const refs = segment.refs;
    const prints = segment.prints;
    const mask = prints.length - 1;
    const print = printOf(hash);
    let slot = homeOf(hash, prints.length);
    let vacancy = -1;
    this.#lastSegment = segment;
    this.#lastHash = hash | 0;
    for (;;) {
      const found = prints[slot];
      if (found === print) {
        const ref = refs[slot];
        if (this.#layout.matches(ref, bytes, view, start, end)) {
          this.#lastSlot = slot;
          this.#lastHit = true;
          return ref;
        }
      } else if (found === EMPTY) {
        break;
      } else if (found === TOMBSTONE && vacancy < 0) vacancy = slot;
      slot = (slot + 1) & mask;
    }
    this.#lastSlot = vacancy < 0 ? slot : vacancy;
    this.#lastHit = false;
    return 0;
  }

  /** The ref that the last `find` found, if its key is this one; otherwise 0. Saves hashing the key. */
  findAgain(bytes: Uint8Array, view: DataView, start: number, end: number): Ref {
    if (!this.#lastHit || this.#lastSlot < 0) return 0;
    const ref = this.#lastSegment.refs[this.#lastSlot];
    return this.#layout.matches(ref, bytes, view, start, end) ? ref : 0;
  }

  /**
   * Reads the memory that `find` will need for `count` hashes, so that the processor waits for all of it together; puts
   * the first candidate for each into `refs`.
   */
  prefetch(hashes: Int32Array, refs: Uint32Array, count: number): void {
    assert(count <= hashes.length && count <= refs.length, "both arrays have `count` items");
    let read = 0;
    for (let i = 0; i < count; i++) {
      const hash = hashes[i];
      const { prints, refs: own } = this.#segmentOf(hash);
      const home = homeOf(hash, prints.length);
      read ^= prints[home] ^ own[home];
    }
    this.#read = read;
    for (let i = 0; i < count; i++) {
      const hash = hashes[i];
      const { prints, refs: own } = this.#segmentOf(hash);
      const mask = prints.length - 1;
      const print = printOf(hash);
      let slot = homeOf(hash, prints.length);
      while (prints[slot] !== print && prints[slot] !== EMPTY) slot = (slot + 1) & mask;
      refs[i] = own[slot];
    }
  }

  /** Whether `ref` is in the table, with a key of this hash or of one like it. */
  holds(hash: number, ref: Ref): boolean {
    assert(ref !== 0, "ref 0 means none");
    return this.#segmentOf(hash).slotOf(hash, ref) >= 0;
  }

  /** Adds a ref whose key is absent. */
  insert(hash: number, ref: Ref): void {
    assert(ref !== 0, "ref 0 means none");
    const isKnown = this.#lastSlot >= 0 && !this.#lastHit && this.#lastHash === (hash | 0);
    let segment = isKnown ? this.#lastSegment : this.#segmentOf(hash);
    let slot = isKnown ? this.#lastSlot : segment.vacancyFor(hash);
    if (segment.count + segment.tombstones >= segment.limit) {
      segment = this.#makeRoom(hash);
      slot = segment.vacancyFor(hash);
    }
    segment.put(slot, hash, ref);
    this.#count++;
    this.#lastSlot = -1;
  }

  /** Frees up to `limit` segments of a table that is not used any more; returns whether all are freed. */
  release(limit: number): boolean {
    assert(limit > 0, "the limit is positive");
    const directory = this.#directory;
    for (let left = limit; left > 0; left--) {
      const segment = directory.pop();
      if (segment === undefined) break;
      // The places of one segment are neighbours: free it with the last of them.
      if (directory.at(-1) !== segment) detach(segment.prints);
    }
    return directory.length === 0;
  }

  /** Makes an empty table ready for `count` refs, so that filling it splits hardly any segment. */
  reserve(count: number): void {
    assert(count >= 0, "the count is not negative");
    if (this.#count > 0 || count <= CAPACITY) return;
    const segments = count / (RESERVED_LOAD * CAPACITY);
    const depth = Math.min(Math.ceil(Math.log2(segments)), MAX_DEPTH);
    this.#depth = depth;
    this.#directory = [];
    this.#segmentsOfDepth.fill(0);
    this.#segmentCount = this.#segmentBytes = 0;
    for (let i = 0; i < 2 ** depth; i++) {
      const segment = new Segment(CAPACITY, depth);
      this.#directory.push(segment);
      this.#remember(segment);
    }
    this.#lastSlot = -1;
  }

  /** Replaces `oldRef`, which is present, by `newRef`, which has an equal key. */
  replace(hash: number, oldRef: Ref, newRef: Ref): void {
    const segment = this.#segmentOf(hash);
    const slot = segment.slotOf(hash, oldRef);
    assert(slot >= 0, "a replaced ref is in the table");
    assert(newRef !== 0, "ref 0 means none");
    segment.refs[slot] = newRef;
  }

  /** Removes `ref`, which is present. The block of its key must still be readable. */
  remove(hash: number, ref: Ref): void {
    assert(ref !== 0, "ref 0 means none");
    const segment = this.#segmentOf(hash);
    const slot = segment.slotOf(hash, ref);
    assert(slot >= 0, "a removed ref is in the table");
    this.#removeAt(segment, slot, hash);
  }

  clear(): void {
    assert(this.#directory.length > 0, "a table that was released is not used");
    const first = new Segment(FIRST_CAPACITY, 0);
    this.#directory = [first];
    this.#depth = 0;
    this.#segmentsOfDepth.fill(0);
    this.#segmentsOfDepth[0] = 1;
    this.#segmentCount = 1;
    this.#segmentBytes = first.bytes;
    this.#count = 0;
    this.#lastSegment = first;
    this.#lastSlot = -1;
  }

  /**
   * A ref picked at random, 0 if there is none. Segments are picked by their share of the hashes, slots evenly, so refs
   * have about equal chances.
   */
  randomRef(): Ref {
    assert(this.#directory.length > 0, "a table that was released is not used");
    if (this.#count === 0) return 0;
    const random = this.#random;
    for (;;) {
      const segment = this.#directory[random.below(this.#directory.length)];
      // In a table of one segment with one ref, 64 tries find it nearly always.
      for (let attempt = 0; attempt < 64 && segment.count > 0; attempt++) {
        const slot = random.below(segment.capacity);
        if (segment.prints[slot] > TOMBSTONE) return segment.refs[slot];
      }
      const slot = this.#nextInUse(segment, random.below(segment.capacity));
      if (slot >= 0) return segment.refs[slot];
    }
  }

  /**
   * Fills `out` with up to `n` different refs that lie together at a random place: cheap, and random
   * enough for eviction, since neighbours in a hash table have nothing in common. Returns how many.
   */
  sample(out: Uint32Array, n: number): number {
    const wanted = Math.min(n, this.#count, out.length);
    const last = this.#directory.length - 1;
    let filled = 0;
    let index = this.#random.bits() & last;
    let start = this.#random.bits();
    while (filled < wanted) {
      const segment = this.#directory[index];
      const mask = segment.capacity - 1;
      start &= mask;
      for (let i = 0; i <= mask && filled < wanted; i++) {
        const slot = (start + i) & mask;
        if (segment.prints[slot] > TOMBSTONE) out[filled++] = segment.refs[slot];
      }
      index = (this.#firstIndexOf(segment, index) + this.#spanOf(segment)) & last;
      start = 0;
    }
    assert(filled <= out.length, "the result has room");
    return filled;
  }

  /** Calls `visit` with every ref once, in the order of `scan`'s segments. `visit` must not change the table. */
  forEach(visit: (ref: Ref) => void): void {
    let index = 0;
    do index = this.forEachFrom(index, visit); while (index !== 0);
  }

  /**
   * Calls `visit` with the refs of one segment and returns where the next begins; 0 begins and ends. It looks at no
   * block, so `visit` may free what it is shown: for tables that are being freed.
   */
  forEachFrom(index: number, visit: (ref: Ref) => void): number {
    assert(index >= 0 && index < this.#directory.length, "the index lies within the directory");
    const segment = this.#directory[index];
    for (let slot = 0; slot < segment.capacity; slot++) {
      if (segment.prints[slot] > TOMBSTONE) visit(segment.refs[slot]);
    }
    const next = index + this.#spanOf(segment);
    return next === this.#directory.length ? 0 : next;
  }

  /**
   * Calls `visit` with about `count` refs from `cursor` on and returns the next cursor; 0 begins and ends. A ref that
   * is in the table from the first call to the last is shown at least once, whatever is inserted and removed between
   * calls, though segments split and merge. `visit` must not change the table.
   *
   * A cursor is (segment's prefix, a one bit, zeros: 32 bits) × 1024 + home: all hashes with smaller
   * prefixes were shown, and of the segment those with smaller homes. Homes mean the same at every
   * capacity. The one bit tells how long the prefix was, which matters if segments merged since.
   */
  scan(cursor: number, count: number, visit: (ref: Ref) => void): number {
    const marked = Math.floor(cursor / HOMES) | 0;
    let index = indexOf(marked & (marked - 1), 31 - this.#depth);
    assert(index < this.#directory.length, "a cursor names a place in the directory");
    let home = this.#isResumable(marked, this.#directory[index]) ? cursor % HOMES : 0;
    let left = Math.max(1, count);
    for (;;) {
      const segment = this.#directory[index];
      const first = this.#firstIndexOf(segment, index);
      const start = homeOf(home, segment.capacity);
      const end = scanEnd(segment, start, left);
      left -= this.#visitHomes(segment, start, end, visit);
      if (end < segment.capacity) {
        return this.#cursorAt(first) + end * HOMES / segment.capacity;
      }
      index = first + this.#spanOf(segment);
      home = 0;
      if (index === this.#directory.length) return 0;
      if (left <= 0) return this.#cursorAt(index);
    }
  }

  /** Throws if the invariants at the module's head do not hold. O(n). */
  verify(): void {
    assert(this.#directory.length === 2 ** this.#depth, "the directory has 2^depth entries");
    const ofDepth = new Uint32Array(MAX_DEPTH + 1);
    let count = 0;
    let bytes = 0;
    let segments = 0;
    for (let index = 0; index < this.#directory.length;) {
      const segment = this.#directory[index];
      const span = this.#spanOf(segment);
      assert(index % span === 0, "a segment's entries begin at its prefix");
      for (let i = index; i < index + span; i++) {
        assert(this.#directory[i] === segment, "a segment has all entries of its prefix");
      }
      this.#verifySegment(segment, index);
      ofDepth[segment.depth]++;
      count += segment.count;
      bytes += segment.bytes;
      segments++;
      index += span;
    }
    assert(
      count === this.#count && segments === this.#segmentCount,
      "the counts of refs and segments are right",
    );
    assert(bytes === this.#segmentBytes, "the count of bytes is right");
    assert(
      ofDepth.every((n, i) => n === this.#segmentsOfDepth[i]),
      "the counts by depth are right",
    );
    assert(ofDepth[this.#depth] > 0, "the directory is no deeper than its deepest segment");
  }

  #verifySegment(segment: Segment, index: number): void {
    const mask = segment.capacity - 1;
    let count = 0;
    let tombstones = 0;
    for (let slot = 0; slot < segment.capacity; slot++) {
      const print = segment.prints[slot];
      const next = segment.prints[(slot + 1) & mask];
      assert(print !== TOMBSTONE || next !== EMPTY, "no tombstone stands before an empty slot");
      if (print === TOMBSTONE) tombstones++;
      if (print <= TOMBSTONE) continue;
      count++;
      const hash = this.#layout.hashOf(segment.refs[slot]);
      assert(print === printOf(hash), "a print is its hash's");
      const owner = indexOf(hash, 31 - this.#depth);
      assert(this.#firstIndexOf(segment, owner) === index, "a ref lies where its hash says");
      assert(this.#directory[owner] === segment, "a ref lies where its hash says");
      for (let at = homeOf(hash, segment.capacity); at !== slot; at = (at + 1) & mask) {
        assert(segment.prints[at] !== EMPTY, "probing from home reaches a ref");
      }
    }
    assert(
      count === segment.count && tombstones === segment.tombstones,
      "the counts of slots are right",
    );
    assert(count + tombstones <= segment.limit, "a segment is at most 85 % full");
  }

  #segmentOf(hash: number): Segment {
    return this.#directory[indexOf(hash, 31 - this.#depth)];
  }

  /** How many directory entries point to a segment. */
  #spanOf(segment: Segment): number {
    assert(segment.depth <= this.#depth, "no segment is deeper than the directory");
    return 1 << (this.#depth - segment.depth);
  }

  /** The first directory entry of the segment that `index` points to. */
  #firstIndexOf(segment: Segment, index: number): number {
    return index & -this.#spanOf(segment);
  }

  /** Makes the segment for `hash` take one more ref, and returns it. */
  #makeRoom(hash: number): Segment {
    assert(this.#directory.length === 2 ** this.#depth, "the directory has 2^depth entries");
    for (;;) {
      const segment = this.#segmentOf(hash);
      if (segment.count + segment.tombstones < segment.limit) return segment;
      const index = indexOf(hash, 31 - this.#depth);
      if (segment.tombstones >= segment.capacity >>> 2) this.#respread(segment);
      else if (segment.capacity < CAPACITY || segment.depth === MAX_DEPTH) {
        this.#resize(segment, index, 2 * segment.capacity);
      } else this.#split(segment, index);
    }
  }

  /** Gives the upper half of a segment's hashes to a new segment. */
  #split(lower: Segment, index: number): void {
    assert(
      lower.depth < MAX_DEPTH && lower.capacity === CAPACITY,
      "a segment that splits has its full size",
    );
    if (lower.depth === this.#depth) {
      this.#doubleDirectory();
      index *= 2;
    }
    const first = this.#firstIndexOf(lower, index);
    const upper = new Segment(lower.capacity, lower.depth + 1);
    this.#forget(lower);
    lower.depth++;
    this.#remember(lower);
    this.#remember(upper);
    const span = this.#spanOf(upper);
    for (let i = first + span; i < first + 2 * span; i++) this.#directory[i] = upper;

    const waiting = this.#takeOut(lower, 0);
    for (let i = 0; i < waiting; i++) {
      const hash = waitingHashes[i];
      const isUpper = (hash >>> (32 - upper.depth)) & 1;
      const segment = isUpper === 1 ? upper : lower;
      segment.put(segment.vacancyFor(hash), hash, waitingRefs[i]);
    }
    assert(lower.count + upper.count === waiting, "no ref is lost");
  }

  #doubleDirectory(): void {
    assert(this.#depth < MAX_DEPTH, "the directory may become deeper");
    const doubled: Segment[] = [];
    for (const segment of this.#directory) doubled.push(segment, segment);
    this.#directory = doubled;
    this.#depth++;
  }

  #halveDirectory(): void {
    assert(
      this.#depth > 0 && this.#segmentsOfDepth[this.#depth] === 0,
      "no segment needs the last bit",
    );
    this.#directory = this.#directory.filter((_, index) => index % 2 === 0);
    this.#depth--;
  }

  /** Removes a segment's tombstones. */
  #respread(segment: Segment): void {
    assert(segment.tombstones > 0, "the segment has tombstones");
    this.#putBack(segment, this.#takeOut(segment, 0));
  }

  #resize(segment: Segment, index: number, capacity: number): void {
    assert(
      capacity >= FIRST_CAPACITY && segment.count < 0.85 * capacity,
      "the refs fit the new size",
    );
    const resized = new Segment(capacity, segment.depth);
    const first = this.#firstIndexOf(segment, index);
    const span = this.#spanOf(segment);
    const waiting = this.#takeOut(segment, 0);
    this.#putBack(resized, waiting);
    for (let i = first; i < first + span; i++) this.#directory[i] = resized;
    this.#forget(segment);
    this.#remember(resized);
  }

  /** Moves a segment's refs to `waitingRefs`, from `start` on; returns where they end. */
  #takeOut(segment: Segment, start: number): number {
    const taken = segment.count;
    if (start + segment.count > waitingRefs.length) {
      // Only segments that grew at MAX_DEPTH need more room. The copy keeps the refs taken out before.
      waitingRefs = copyOf(waitingRefs, new Uint32Array(2 * (start + segment.count)));
      waitingHashes = copyOf(waitingHashes, new Int32Array(waitingRefs.length));
    }
    let end = start;
    for (let slot = 0; slot < segment.capacity; slot++) {
      if (segment.prints[slot] <= TOMBSTONE) continue;
      const ref = segment.refs[slot];
      waitingRefs[end] = ref;
      waitingHashes[end++] = this.#layout.hashOf(ref);
    }
    segment.wipe();
    assert(end - start === taken, "every ref is taken out");
    return end;
  }

  #putBack(segment: Segment, waiting: number): void {
    assert(segment.count === 0 && waiting <= segment.limit, "refs are put into an empty segment");
    for (let i = 0; i < waiting; i++) {
      const hash = waitingHashes[i];
      segment.put(segment.vacancyFor(hash), hash, waitingRefs[i]);
    }
  }

  #removeAt(segment: Segment, slot: number, hash: number): void {
    assert(this.#count > 0, "the table is not empty");
    segment.vacate(slot);
    this.#count--;
    this.#lastSlot = -1;
    // Below 22 %: two that merge at 45 % leave half of a segment free, so they don't split again soon.
    if (segment.count < 0.22 * segment.capacity) this.#shrink(hash);
  }

  /** Merges the segment for `hash` with its buddy for as long as both are small. */
  #shrink(hash: number): void {
    for (;;) {
      const index = indexOf(hash, 31 - this.#depth);
      const segment = this.#directory[index];
      if (segment.depth === 0) {
        const isTooLarge = segment.count < 0.22 * segment.capacity;
        if (segment.capacity === FIRST_CAPACITY || !isTooLarge) return;
        this.#resize(segment, index, segment.capacity / 2);
        continue;
      }
      const first = this.#firstIndexOf(segment, index);
      const span = this.#spanOf(segment);
      const buddy = this.#directory[first ^ span];
      if (buddy.depth !== segment.depth) return;
      if (buddy.capacity !== CAPACITY || segment.capacity !== CAPACITY) return;
      if (segment.count + buddy.count >= 0.45 * CAPACITY) return;
      this.#merge(segment, buddy, Math.min(first, first ^ span));
    }
  }

  #merge(segment: Segment, buddy: Segment, first: number): void {
    assert(segment !== buddy && segment.depth === buddy.depth, "two of one depth merge");
    const waiting = this.#takeOut(buddy, this.#takeOut(segment, 0));
    this.#forget(segment);
    this.#forget(buddy);
    segment.depth--;
    this.#remember(segment);
    this.#putBack(segment, waiting);
    const span = this.#spanOf(segment);
    for (let i = first; i < first + span; i++) this.#directory[i] = segment;
    while (this.#depth > 0 && this.#segmentsOfDepth[this.#depth] === 0) this.#halveDirectory();
  }

  #remember(segment: Segment): void {
    assert(segment.depth <= MAX_DEPTH, "no segment is deeper than MAX_DEPTH");
    this.#segmentsOfDepth[segment.depth]++;
    this.#segmentCount++;
    this.#segmentBytes += segment.bytes;
  }

  #forget(segment: Segment): void {
    assert(this.#segmentsOfDepth[segment.depth] > 0, "a removed segment was counted");
    this.#segmentsOfDepth[segment.depth]--;
    this.#segmentCount--;
    this.#segmentBytes -= segment.bytes;
  }

  /**
   * Whether a walk may go on from a cursor's home. It may not when the cursor's segment has merged
   * with one behind it, whose first homes were not shown: then it begins the merged one anew.
   */
  #isResumable(marked: number, segment: Segment): boolean {
    const extra = Math.clz32(marked & -marked) - segment.depth;
    if (extra <= 0) return true;
    // Of the old segments that have merged into this one, the last one's prefix is this one's followed by ones.
    const tail = (marked << segment.depth) >>> (32 - extra);
    return tail === 2 ** extra - 1;
  }

  #cursorAt(index: number): number {
    assert(index < this.#directory.length, "a cursor names a place in the directory");
    const depth = this.#directory[index].depth;
    return (index * 2 ** (32 - this.#depth) + 2 ** (31 - depth)) * HOMES;
  }

  /** Calls `visit` with the refs whose home slots are `start` to `end`; returns how many. */
  #visitHomes(
    segment: Segment,
    start: number,
    end: number,
    visit: (ref: Ref) => void,
  ): number {
    assert(start >= 0 && end <= segment.capacity, "homes are slots");
    const mask = segment.capacity - 1;
    let visited = 0;
    if (start === 0 && end === segment.capacity) {
      // All of a segment's refs have their homes in it: no key needs to be hashed.
      for (let slot = 0; slot < end; slot++) {
        if (segment.prints[slot] <= TOMBSTONE) continue;
        visit(segment.refs[slot]);
        visited++;
      }
      return visited;
    }
    // On past the end, since refs from homes before it may lie there, but not around to the start.
    for (let i = start; i < start + segment.capacity; i++) {
      const slot = i & mask;
      if (i >= end && segment.prints[slot] === EMPTY) break;
      if (segment.prints[slot] <= TOMBSTONE) continue;
      const ref = segment.refs[slot];
      const home = homeOf(this.#layout.hashOf(ref), segment.capacity);
      if (home < start || home >= end) continue;
      visit(ref);
      visited++;
    }
    return visited;
  }

  /** The next slot in use from `start` on, around the end, or -1. */
  #nextInUse(segment: Segment, start: number): number {
    assert(start >= 0 && start < segment.capacity, "a search begins at a slot");
    const mask = segment.capacity - 1;
    for (let i = 0; i <= mask; i++) {
      if (segment.prints[(start + i) & mask] > TOMBSTONE) return (start + i) & mask;
    }
    return -1;
  }
}

/** Directory index: the top `31 - shift` bits; two shifts because `>>> 32` would be `>>> 0`. */
function indexOf(hash: number, shift: number): number {
  return (hash >>> 1) >>> shift;
}

/** Scales the low 10 bits to a capacity, so that home order is the same at every capacity. */
function homeOf(hash: number, capacity: number): number {
  return ((hash & (HOMES - 1)) * capacity) >>> 10;
}

/** Bits 10 to 17, squeezed into 2 to 255. */
function printOf(hash: number): number {
  return 2 + ((((hash >>> 10) & 255) * 254) >>> 8);
}

/** The home slot at which about `count` refs from `start` on have been passed. */
function scanEnd(segment: Segment, start: number, count: number): number {
  assert(start >= 0 && count > 0, "the walk begins at a slot and shows some refs");
  const step = Math.max(1, segment.capacity / HOMES);
  let slot = start;
  for (let left = count; slot < segment.capacity && left > 0;) {
    for (let i = 0; i < step; i++) if (segment.prints[slot++] > TOMBSTONE) left--;
  }
  return slot;
}

function copyOf<T extends Uint32Array | Int32Array>(from: T, to: T): T {
  assert(to.length >= from.length, "the target has room");
  to.set(from);
  return to;
}
