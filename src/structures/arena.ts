// hot path
/**
 * Memory for blocks of 1 to 66,560 bytes, named by 32-bit references instead of JS objects.
 *
 * ```
 * ref     bits 31..23  chunk, 64 MiB each     } bits 31..15: slab number, 256 KiB each
 *         bits 22..0   offset in the chunk / 8 } bits 14..0: offset in the slab / 8
 * slab    one size class; blocks lie one after another; free ones form a list:
 *         the first u32 of a free block is the next free ref, 0 at the end
 * class   8-byte steps to 256, then 16 steps a doubling to 65,536, and 66,560
 * ```
 *
 * The state of the slabs is kept in arrays indexed by slab number, so that reading it touches no
 * block. Slabs of a class that have room form a doubly linked list; its head serves the next
 * allocation. A slab whose last block is freed goes back to the pool of all classes, except one
 * for each class, for a class of which one block is allocated and freed again and again.
 *
 * A chunk can be closed, so that it empties when its blocks are moved away: the slabs of closed chunks are in no list.
 *
 * Invariants: ref 0 is never handed out; a slab is in its class's list exactly while it has room;
 * `live` + free + never used = all blocks of a slab; at most one empty slab a class, no empty chunk.
 * Costs: `alloc` and `free` O(1), at times O(512) to find a slab or to take a chunk from the system;
 * internal waste ≤ 6.25 % above 128 bytes; 17 bytes of side arrays a slab. A chunk's pages cost
 * nothing until touched. Source: the idea of slab-local free lists is mimalloc's (Leijen et al.,
 * "Mimalloc: Free List Sharding in Action", 2019).
 *
 * @module
 */
import { assert } from "../lib/assert.ts";
import { copyIn } from "../lib/copy.ts";
import { Chunk, CHUNK_BYTES, ChunkPool, SMALL_BYTES } from "./chunk_pool.ts";

/** A block of the arena; 0 is none. Unsigned 32 bits. */
export type Ref = number;

const SLAB_BYTES = 2 ** 18;
const SLAB_UNITS = SLAB_BYTES / 8;
const SLABS_A_CHUNK = CHUNK_BYTES / SLAB_BYTES;
const MAX_CHUNKS = 512;

/** The largest block in bytes; what is larger lives outside the arena. */
export const MAX_BLOCK = 65_536 + 1024;

/** A word so far from a block's beginning lies, nearly always, in the block's second cache line. */
const SECOND_LINE = 14;

/** Size of a block of each class, in units of 8 bytes. */
const CLASS_UNITS = classUnits();
/** Class by size in units, rounded up. */
const CLASS_OF_UNITS = classOfUnits();

/** All 32 GiB that a reference can name are in use. */
export class ArenaFull extends RangeError {
  override name = "ArenaFull";
  constructor() {
    super("The arena is full: 32 GiB are in use");
  }
}

/** See `isNearlyFull`. */
const RESERVE_CHUNKS = 4;

/** Fills the empty places of `chunks`, so that all have one shape and reading a stale ref finds nothing. */
const NO_CHUNK = new Chunk(0);

export interface ArenaStats {
  /** Bytes of blocks in use. */
  usedBytes: number;
  /** Bytes of slabs that serve a class; what exceeds `usedBytes` is fragmentation. */
  slabBytes: number;
  /** Bytes of chunks; the untouched part of them takes no memory. */
  reservedBytes: number;
}

/** Offset of a block's first byte in its chunk. */
export function offsetOf(ref: Ref): number {
  return (ref & 0x7fffff) << 3;
}

/** The bytes that a block for `size` bytes takes. */
export function classSize(size: number): number {
  assert(size > 0 && size <= MAX_BLOCK, "a block has 1 to MAX_BLOCK bytes");
  return CLASS_UNITS[CLASS_OF_UNITS[(size + 7) >>> 3]] << 3;
}

/** See the module's head. */
export class Arena {
  /** By `ref >>> 23`. Read it through `chunkOf`; only the arena writes it. */
  readonly chunks: Chunk[];

  readonly #pool: ChunkPool;
  readonly #maxChunks: number;
  /** By chunk, 1 while it is closed: see `close`. */
  readonly #closed = new Uint8Array(MAX_CHUNKS);
  /** Slabs of a chunk that no class has; 0 where there is no chunk. */
  readonly #freeSlabs: Uint16Array;
  /** Blocks that `copyOf` has made. */
  copies = 0;
  #chunkCount = 0;
  #slabCount = 0;
  #usedBytes = 0;
  /** Takes what `prefetch` reads: V8 would leave out reads whose result is not used. */
  #read = 0;

  // By slab number. Arrays of zeros cost no memory until they are touched, so 0 means none in all.
  /** Class + 1; 0 for a slab in the pool. */
  readonly #classOf: Uint8Array;
  readonly #live: Uint16Array;
  readonly #freeHead: Uint32Array;
  /** Units from the slab's start to its first block that was never used. */
  readonly #bump: Uint16Array;
  /** Neighbours in the class's list of slabs with room, + 1. */
  readonly #next: Uint32Array;
  readonly #previous: Uint32Array;

  // By class: slab + 1.
  readonly #roomy = new Uint32Array(CLASS_UNITS.length);
  readonly #idle = new Uint32Array(CLASS_UNITS.length);

  /** Chunks come from `pool` and go there; `maxChunks` bounds the arena at that many times 64 MiB. */
  constructor(pool = new ChunkPool(), maxChunks = MAX_CHUNKS) {
    this.#pool = pool;
    assert(maxChunks > 0 && maxChunks <= MAX_CHUNKS, "an arena has 1 to 512 chunks");
    this.#maxChunks = maxChunks;
    // 512 even if fewer are allowed: V8 then drops the bounds check of `ref >>> 23`.
    this.chunks = new Array(MAX_CHUNKS).fill(NO_CHUNK);
    this.#freeSlabs = new Uint16Array(maxChunks);
    const slabs = maxChunks * SLABS_A_CHUNK;
    this.#classOf = new Uint8Array(slabs);
    this.#live = new Uint16Array(slabs);
    this.#freeHead = new Uint32Array(slabs);
    this.#bump = new Uint16Array(slabs);
    this.#next = new Uint32Array(slabs);
    this.#previous = new Uint32Array(slabs);
  }

  /** Bytes of all blocks in use, as rounded up to their classes. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Bytes of the chunks taken from the system. */
  get reservedBytes(): number {
    return this.#chunkCount * CHUNK_BYTES;
  }

  /** Whether there is so little left that a command with many elements might not get all that it needs: 256 MiB. */
  get isNearlyFull(): boolean {
    const spareChunks = this.#maxChunks - this.#chunkCount;
    if (spareChunks >= RESERVE_CHUNKS) return false;
    const spareSlabs = spareChunks * SLABS_A_CHUNK + this.#chunkCount * SLABS_A_CHUNK -
      this.#slabCount;
    return spareSlabs < RESERVE_CHUNKS * SLABS_A_CHUNK;
  }

  stats(): ArenaStats {
    return {
      usedBytes: this.#usedBytes,
      slabBytes: this.#slabCount * SLAB_BYTES,
      reservedBytes: this.reservedBytes,
    };
  }

  chunkOf(ref: Ref): Chunk {
    return this.chunks[ref >>> 23];
  }

  /**
   * A block of at least `size` bytes, 1 to MAX_BLOCK; what it holds is left over from earlier use.
   * Throws ArenaFull, having changed nothing.
   */
  alloc(size: number): Ref {
    assert(size > 0 && size <= MAX_BLOCK, "a block has 1 to MAX_BLOCK bytes");
    const sizeClass = CLASS_OF_UNITS[(size + 7) >>> 3];
    const units = CLASS_UNITS[sizeClass];
    const roomy = this.#roomy[sizeClass];
    const slab = roomy === 0 ? this.#openSlab(sizeClass) : roomy - 1;

    let ref = this.#freeHead[slab];
    let next = 0;
    if (ref !== 0) {
      next = this.chunks[ref >>> 23].words[(ref & 0x7fffff) << 1];
      this.#freeHead[slab] = next;
    } else {
      ref = ((slab << 15) | this.#bump[slab]) >>> 0;
      this.#bump[slab] += units;
    }
    if (next === 0 && this.#bump[slab] > SLAB_UNITS - units) this.#unlink(slab, sizeClass);
    if (this.#live[slab]++ === 0) this.#idle[sizeClass] = 0;
    this.#usedBytes += units << 3;
    return ref;
  }

  /** Reads the first cache lines of `count` blocks, so that the processor waits for all of them together; skips ref 0. */
  prefetch(refs: Uint32Array, count: number): void {
    assert(count <= refs.length, "there are `count` refs");
    let read = 0;
    for (let i = 0; i < count; i++) {
      const ref = refs[i];
      if (ref === 0) continue;
      const { words } = this.chunks[ref >>> 23];
      const at = (ref & 0x7fffff) << 1;
      read ^= words[at] ^ words[(at + SECOND_LINE) & 0xffffff];
    }
    this.#read = read;
  }

  /** Gives a block back. Freeing it twice is our mistake, which is noticed here only sometimes. */
  free(ref: Ref): void {
    const slab = ref >>> 15;
    const sizeClass = this.#classOf[slab] - 1;
    assert(ref !== 0 && sizeClass >= 0, "a freed block lies in a slab in use");
    const units = CLASS_UNITS[sizeClass];
    const bump = this.#bump[slab];
    const head = this.#freeHead[slab];
    assert((ref & 0x7fff) < bump && ref !== head, "a freed block is in use");
    const isFull = head === 0 && bump > SLAB_UNITS - units;
    if (isFull && this.#closed[slab >>> 8] === 0) this.#link(slab, sizeClass);
    this.chunks[ref >>> 23].words[(ref & 0x7fffff) << 1] = head;
    this.#freeHead[slab] = ref;
    this.#usedBytes -= units << 3;
    if (--this.#live[slab] === 0) this.#retire(slab, sizeClass);
  }

  /** The bytes that a block has, at least those it was asked for. */
  blockSize(ref: Ref): number {
    return CLASS_UNITS[this.#classOf[ref >>> 15] - 1] << 3;
  }

  /**
   * Gives every empty slab back and every empty chunk to the system, also those kept for the next allocation.
   * O(classes).
   */
  trim(): void {
    this.#closeIdleSlabs();
    this.#pool.release();
  }

  // Emptying chunks

  /** Bytes of chunks that may take memory: those that were ever touched. O(chunks). */
  get touchedBytes(): number {
    let bytes = 0;
    for (let i = 0; i < this.#maxChunks; i++) bytes += this.chunks[i].touchedBytes;
    assert(bytes <= this.reservedBytes, "what is touched lies in chunks");
    return bytes;
  }

  /** The bytes in use in a chunk, and those that may take memory; null where there is none. O(slabs). */
  chunkStats(index: number): { usedBytes: number; touchedBytes: number } | null {
    assert(index >= 0 && index < MAX_CHUNKS, "the index is one of a chunk");
    const chunk = this.chunks[index];
    if (chunk === NO_CHUNK) return null;
    let units = 0;
    for (let slab = index * SLABS_A_CHUNK; slab < (index + 1) * SLABS_A_CHUNK; slab++) {
      if (this.#classOf[slab] !== 0) {
        units += this.#live[slab] * CLASS_UNITS[this.#classOf[slab] - 1];
      }
    }
    return { usedBytes: 8 * units, touchedBytes: chunk.touchedBytes };
  }

  /**
   * Lets a chunk give no more blocks, so that it empties when those in it are moved away, and goes back to the system.
   * O(slabs of a chunk).
   */
  close(index: number): void {
    assert(this.chunks[index] !== NO_CHUNK && this.#closed[index] === 0, "an open chunk is closed");
    this.#closed[index] = 1;
    for (let slab = index * SLABS_A_CHUNK; slab < (index + 1) * SLABS_A_CHUNK; slab++) {
      const sizeClass = this.#classOf[slab] - 1;
      if (sizeClass < 0 || !this.#hasRoom(slab)) continue;
      this.#unlink(slab, sizeClass);
      if (this.#live[slab] > 0) continue;
      this.#idle[sizeClass] = 0;
      this.#closeSlab(slab);
      if (this.chunks[index] === NO_CHUNK) return;
    }
  }

  /** Opens the chunks that are closed and did not empty; returns how many. */
  reopen(): number {
    assert(this.#chunkCount <= this.#maxChunks, "there are no more chunks than may be");
    let count = 0;
    for (let index = 0; index < this.#maxChunks; index++) {
      if (this.#closed[index] === 0) continue;
      this.#closed[index] = 0;
      count++;
      for (let slab = index * SLABS_A_CHUNK; slab < (index + 1) * SLABS_A_CHUNK; slab++) {
        if (this.#classOf[slab] !== 0 && this.#hasRoom(slab)) {
          this.#link(slab, this.#classOf[slab] - 1);
        }
      }
    }
    return count;
  }

  /** Whether a block lies in a chunk that is closed, and is to be moved. */
  isLeaving(ref: Ref): boolean {
    assert(ref !== 0, "ref 0 means none");
    return this.#closed[ref >>> 23] === 1;
  }

  /** A copy of a block, of the same size. The caller makes its owner refer to it, and then frees the block. */
  copyOf(ref: Ref): Ref {
    assert(ref !== 0, "ref 0 means none");
    const size = this.blockSize(ref);
    const next = this.alloc(size);
    this.copies++;
    const source = this.chunks[ref >>> 23];
    const target = this.chunks[next >>> 23];
    const at = offsetOf(ref);
    copyIn(source.bytes, source.view, at, at + size, target.bytes, target.view, offsetOf(next));
    return next;
  }

  #hasRoom(slab: number): boolean {
    assert(this.#classOf[slab] !== 0, "a slab with room serves a class");
    const units = CLASS_UNITS[this.#classOf[slab] - 1];
    return this.#freeHead[slab] !== 0 || this.#bump[slab] <= SLAB_UNITS - units;
  }

  /** Frees all blocks at once, so that all refs become invalid, and gives all chunks back. O(slabs of the chunks). */
  clear(): void {
    assert(this.#usedBytes >= 0, "a count of bytes is not negative");
    let end = 0;
    for (let i = 0; i < this.#maxChunks; i++) {
      if (this.chunks[i] === NO_CHUNK) continue;
      this.#pool.give(this.chunks[i]);
      this.chunks[i] = NO_CHUNK;
      this.#freeSlabs[i] = 0;
      end = i + 1;
    }
    const slabs = end * SLABS_A_CHUNK;
    this.#classOf.fill(0, 0, slabs);
    this.#live.fill(0, 0, slabs);
    // The other arrays need no clearing: a slab's items are set when it gets a class.
    this.#roomy.fill(0);
    this.#idle.fill(0);
    this.#closed.fill(0);
    this.#chunkCount = this.#slabCount = this.#usedBytes = 0;
  }

  /** Throws if the invariants at the module's head do not hold. O(blocks ever used). */
  verify(): void {
    let usedBytes = 0;
    let slabCount = 0;
    const slabsOf = Array.from(CLASS_UNITS, (): number[] => []);
    for (let chunk = 0; chunk < this.#maxChunks; chunk++) {
      let inPool = 0;
      for (let i = 0; i < SLABS_A_CHUNK; i++) {
        const slab = chunk * SLABS_A_CHUNK + i;
        const sizeClass = this.#classOf[slab] - 1;
        if (sizeClass < 0) inPool++;
        else {
          usedBytes += this.#verifySlab(slab);
          slabsOf[sizeClass].push(slab);
        }
      }
      const exists = this.chunks[chunk] !== NO_CHUNK;
      assert(
        this.#freeSlabs[chunk] === (exists ? inPool : 0),
        "the count of a chunk's free slabs is right",
      );
      assert(exists || inPool === SLABS_A_CHUNK, "a slab in use lies in a chunk");
      slabCount += SLABS_A_CHUNK - inPool;
    }
    assert(usedBytes === this.#usedBytes, "bytes in use are the sum over slabs");
    assert(slabCount === this.#slabCount, "the count of slabs in use is right");
    assert(
      this.chunks.filter((chunk) => chunk !== NO_CHUNK).length === this.#chunkCount,
      "the count of chunks is right",
    );
    for (let sizeClass = 0; sizeClass < CLASS_UNITS.length; sizeClass++) {
      this.#verifyList(sizeClass, slabsOf[sizeClass]);
    }
  }

  /** Returns the bytes in use. */
  #verifySlab(slab: number): number {
    const sizeClass = this.#classOf[slab] - 1;
    const units = CLASS_UNITS[sizeClass];
    const first = firstUnit(slab);
    assert((this.#bump[slab] - first) % units === 0, "blocks lie one after another");
    const used = (this.#bump[slab] - first) / units;
    const isFree = new Uint8Array(used);
    let free = 0;
    for (let ref = this.#freeHead[slab]; ref !== 0; free++) {
      assert(ref >>> 15 === slab, "a free list stays in its slab");
      const position = ((ref & 0x7fff) - first) / units;
      assert(Number.isInteger(position), "a free block begins where blocks do");
      assert(position < used && isFree[position] === 0, "a block is freed once");
      isFree[position] = 1;
      ref = this.chunks[ref >>> 23].words[(ref & 0x7fffff) << 1];
    }
    assert(this.#live[slab] + free === used, "every block is in use or free");
    assert(
      this.#live[slab] > 0 ||
        (this.#idle[sizeClass] === slab + 1 && this.#closed[slab >>> 8] === 0),
      "a class keeps one empty slab",
    );
    return this.#live[slab] * units * 8;
  }

  /** `slabs` are those of the class. */
  #verifyList(sizeClass: number, slabs: readonly number[]): void {
    const listed = new Set<number>();
    let previous = 0;
    for (let link = this.#roomy[sizeClass]; link !== 0; link = this.#next[link - 1]) {
      assert(this.#classOf[link - 1] === sizeClass + 1, "a list holds slabs of its class");
      assert(this.#previous[link - 1] === previous, "links point both ways");
      assert(!listed.has(link - 1), "a list has an end");
      listed.add(link - 1);
      previous = link;
    }
    for (const slab of slabs) {
      const isListed = this.#hasRoom(slab) && this.#closed[slab >>> 8] === 0;
      assert(isListed === listed.has(slab), "exactly the slabs with room are listed");
    }
  }

  /** Takes a slab for a class from the lowest chunk that has one, so that high chunks can empty. */
  #openSlab(sizeClass: number): number {
    assert(sizeClass >= 0 && sizeClass < CLASS_UNITS.length, "a slab serves a class");
    let chunk = 0;
    while (chunk < this.#maxChunks && !this.#mayServe(chunk)) chunk++;
    if (chunk === this.#maxChunks) {
      // Rather than have no memory, stop emptying chunks.
      if (this.#chunkCount === this.#maxChunks && this.reopen() > 0) {
        const roomy = this.#roomy[sizeClass];
        return roomy !== 0 ? roomy - 1 : this.#openSlab(sizeClass);
      }
      chunk = this.#addChunk();
    }
    let slab = chunk * SLABS_A_CHUNK;
    while (this.#classOf[slab] !== 0) slab++;
    assert(slab < (chunk + 1) * SLABS_A_CHUNK, "a chunk that counts a free slab has one");

    this.chunks[chunk].touch((slab - chunk * SLABS_A_CHUNK + 1) * SLAB_BYTES);
    this.#freeSlabs[chunk]--;
    this.#slabCount++;
    this.#classOf[slab] = sizeClass + 1;
    this.#empty(slab);
    this.#link(slab, sizeClass);
    return slab;
  }

  #mayServe(chunk: number): boolean {
    assert(chunk >= 0 && chunk < MAX_CHUNKS, "the index is one of a chunk");
    return this.#freeSlabs[chunk] !== 0 && this.#closed[chunk] === 0;
  }

  /** Called when a slab's last block was freed: keeps the slab for its class, or gives it back to the pool. */
  #retire(slab: number, sizeClass: number): void {
    assert(
      this.#live[slab] === 0 && this.#classOf[slab] === sizeClass + 1,
      "a slab that empties served its class",
    );
    if (this.#closed[slab >>> 8] === 1) this.#closeSlab(slab);
    else if (this.#idle[sizeClass] === 0) {
      this.#idle[sizeClass] = slab + 1;
      this.#empty(slab);
    } else {
      this.#unlink(slab, sizeClass);
      this.#closeSlab(slab);
    }
    if (this.#usedBytes === 0 && this.#hasLargeChunks) this.#closeIdleSlabs();
  }

  /** Whether keeping the chunks of an arena without blocks would keep much memory. */
  get #hasLargeChunks(): boolean {
    return this.#chunkCount > 1 || this.chunks[0].touchedBytes > SMALL_BYTES;
  }

  #empty(slab: number): void {
    assert(this.#live[slab] === 0, "only a slab without blocks in use is emptied");
    this.#freeHead[slab] = 0;
    this.#bump[slab] = firstUnit(slab);
  }

  #closeSlab(slab: number): void {
    assert(
      this.#classOf[slab] !== 0 && this.#live[slab] === 0,
      "a slab that is closed is in use, and empty",
    );
    this.#classOf[slab] = 0;
    this.#slabCount--;
    const chunk = slab >>> 8;
    if (++this.#freeSlabs[chunk] === SLABS_A_CHUNK) this.#dropChunk(chunk);
  }

  #closeIdleSlabs(): void {
    for (let sizeClass = 0; sizeClass < CLASS_UNITS.length; sizeClass++) {
      const slab = this.#idle[sizeClass] - 1;
      if (slab < 0) continue;
      this.#idle[sizeClass] = 0;
      this.#unlink(slab, sizeClass);
      this.#closeSlab(slab);
    }
  }

  #addChunk(): number {
    const index = this.chunks.indexOf(NO_CHUNK);
    if (index < 0 || index >= this.#maxChunks) throw new ArenaFull();
    assert(this.#freeSlabs[index] === 0, "the place of a new chunk is empty");
    this.chunks[index] = this.#pool.take();
    this.#freeSlabs[index] = SLABS_A_CHUNK;
    this.#chunkCount++;
    return index;
  }

  #dropChunk(chunk: number): void {
    assert(this.chunks[chunk] !== NO_CHUNK, "a dropped chunk exists");
    assert(this.#freeSlabs[chunk] === SLABS_A_CHUNK, "only an empty chunk is dropped");
    this.#pool.give(this.chunks[chunk]);
    this.chunks[chunk] = NO_CHUNK;
    this.#closed[chunk] = 0;
    this.#freeSlabs[chunk] = 0;
    this.#chunkCount--;
  }

  #link(slab: number, sizeClass: number): void {
    const head = this.#roomy[sizeClass];
    assert(head !== slab + 1, "a slab is linked once");
    this.#previous[slab] = 0;
    this.#next[slab] = head;
    if (head !== 0) this.#previous[head - 1] = slab + 1;
    this.#roomy[sizeClass] = slab + 1;
  }

  #unlink(slab: number, sizeClass: number): void {
    const previous = this.#previous[slab];
    assert(
      previous !== 0 || this.#roomy[sizeClass] === slab + 1,
      "a slab that is unlinked is in its list",
    );
    const next = this.#next[slab];
    if (previous === 0) this.#roomy[sizeClass] = next;
    else this.#next[previous - 1] = next;
    if (next !== 0) this.#previous[next - 1] = previous;
  }
}

/** Slab 0 leaves its first unit out, since ref 0 means none. */
function firstUnit(slab: number): number {
  return slab === 0 ? 1 : 0;
}

function classUnits(): Uint16Array {
  const units: number[] = [];
  for (let size = 1; size <= 32; size++) units.push(size);
  for (let base = 32; base < 65_536 / 8; base *= 2) {
    for (let step = 1; step <= 16; step++) units.push(base + step * base / 16);
  }
  units.push(MAX_BLOCK / 8);
  return Uint16Array.from(units);
}

function classOfUnits(): Uint8Array {
  const classes = new Uint8Array(MAX_BLOCK / 8 + 1);
  let sizeClass = 0;
  for (let units = 1; units < classes.length; units++) {
    if (units > CLASS_UNITS[sizeClass]) sizeClass++;
    classes[units] = sizeClass;
  }
  return classes;
}
