// hot path
/**
 * Knows which entry is due next: a 4-ary min-heap of (deadline, ref) in typed arrays.
 *
 * ```
 * slot           0 … 2   3      4 … 7            8 … 11        …
 *                unused  least  children of 3    children of 4
 * children of s  4s − 8 … 4s − 5;  parent of s  (s >>> 2) + 2
 * chunk          65,536 slots: i64 deadline in Unix ms, u32 ref; the first grows from 64
 * ```
 *
 * The owner keeps the slot of each ref, which `moved` tells it, so that it can change or remove any
 * entry. Slot 0 is never used and may mean none. Chunks keep growth free of pauses: a doubling copy
 * at 4M entries would take over 10 ms.
 *
 * A deadline is a signed integer of 64 bits, as clients give it: those beyond 2^53 ms never come, but are shown and
 * saved. It is two words here, so that no double rounds it.
 *
 * Invariants: no deadline is before its parent's; `moved` was last called for a ref with its slot.
 * Costs: `minDeadline` O(1); `push`, `update`, `removeAt` O(log4 n), each step one `moved`; 12 bytes
 * an entry. The four children of a slot share one half of a cache line. Source: Johnson, "Priority
 * queues with update and finding minimum spanning trees", 1975.
 *
 * @module
 */
import { assert } from "../lib/assert.ts";
import type { Int64 } from "../lib/decimal.ts";
import { detach } from "../lib/detach.ts";
import { Random } from "../lib/random.ts";
import type { Ref } from "./arena.ts";

/** `moved` is called whenever the slot of a ref changes. It must not change the heap. */
export interface SlotKeeper {
  moved(ref: Ref, slot: number): void;
}

const FIRST_SLOT = 3;
const CHUNK_SLOTS = 65_536;
const SMALLEST_CHUNK_SLOTS = 64;
const SLOT_BYTES = 12;
const TWO_32 = 4294967296;

class HeapChunk {
  /** Two for each slot: the lower half of its deadline, then the upper half. */
  readonly words: Int32Array;
  readonly refs: Uint32Array;

  constructor(slots: number) {
    assert(
      slots >= SMALLEST_CHUNK_SLOTS && slots <= CHUNK_SLOTS,
      "a chunk has 64 to 65,536 slots",
    );
    this.words = new Int32Array(2 * slots);
    this.refs = new Uint32Array(slots);
  }
}

/** See the module's head. */
export class DeadlineHeap {
  readonly #keeper: SlotKeeper;
  #chunks: HeapChunk[] = [new HeapChunk(SMALLEST_CHUNK_SLOTS)];
  #capacity = SMALLEST_CHUNK_SLOTS;
  /** The slot after the last entry. */
  #end = FIRST_SLOT;
  readonly #random = new Random();

  constructor(keeper: SlotKeeper) {
    this.#keeper = keeper;
  }

  /** How many entries there are. */
  get size(): number {
    return this.#end - FIRST_SLOT;
  }

  /** Memory of the arrays. */
  get bytes(): number {
    return this.#capacity * SLOT_BYTES;
  }

  /** Unix ms, rounded beyond 2^53; Infinity when the heap is empty. */
  get minDeadline(): number {
    assert(this.#chunks.length > 0, "a heap that was released is not used");
    if (this.#end === FIRST_SLOT) return Infinity;
    const { words } = this.#chunks[0];
    return words[2 * FIRST_SLOT + 1] * TWO_32 + (words[2 * FIRST_SLOT] >>> 0);
  }

  /** The ref that is due first, 0 when the heap is empty. */
  get minRef(): Ref {
    return this.#end === FIRST_SLOT ? 0 : this.#chunks[0].refs[FIRST_SLOT];
  }

  /** Frees the memory of a heap that is not used any more. O(chunks). */
  release(): void {
    assert(this.#chunks.length > 0, "a heap is released once");
    for (const { words, refs } of this.#chunks) {
      detach(words);
      detach(refs);
    }
    this.#chunks.length = 0;
  }

  /** Rounded beyond 2^53, for comparisons with the clock; `readDeadline` is exact. */
  deadlineAt(slot: number): number {
    assert(this.#holds(slot), "the slot is in use");
    const { words } = this.#chunks[slot >>> 16];
    const at = 2 * (slot & 0xffff);
    return words[at + 1] * TWO_32 + (words[at] >>> 0);
  }

  readDeadline(slot: number, out: Int64): void {
    assert(this.#holds(slot), "the slot is in use");
    const { words } = this.#chunks[slot >>> 16];
    const at = 2 * (slot & 0xffff);
    out.set(words[at + 1], words[at]);
  }

  /** The mean of up to `samples` deadlines, evenly spread over the slots; 0 when empty. */
  meanDeadline(samples: number): number {
    assert(samples > 0, "the number of samples is positive");
    const count = Math.min(samples, this.size);
    let sum = 0;
    for (let i = 0; i < count; i++) {
      sum += this.deadlineAt(FIRST_SLOT + Math.floor(i * this.size / count));
    }
    return count === 0 ? 0 : sum / count;
  }

  refAt(slot: number): Ref {
    assert(this.#holds(slot), "the slot is in use");
    return this.#chunks[slot >>> 16].refs[slot & 0xffff];
  }

  /** A ref picked at random, 0 if there is none. */
  randomRef(): Ref {
    assert(this.#end >= FIRST_SLOT, "the entries begin at the first slot");
    return this.size === 0 ? 0 : this.refAt(FIRST_SLOT + this.#random.below(this.size));
  }

  /** Fills `out` with `n` refs picked at random, where the same may come twice; returns how many. */
  sample(out: Uint32Array, n: number): number {
    assert(n <= out.length, "the result has room");
    if (this.size === 0) return 0;
    for (let i = 0; i < n; i++) out[i] = this.randomRef();
    return n;
  }

  /** Adds an entry, tells its slot to the keeper and returns it. */
  push(ref: Ref, deadline: Int64): number {
    assert(ref !== 0, "an entry has a ref");
    assert(this.#end <= this.#capacity, "the slots in use lie within the capacity");
    if (this.#end === this.#capacity) this.#grow();
    const slot = this.#end++;
    const chunk = this.#chunks[slot >>> 16];
    setWords(chunk, slot, deadline.hi, deadline.lo);
    chunk.refs[slot & 0xffff] = ref;
    return this.#settleUp(slot);
  }

  /** Gives the entry another deadline; returns its new slot. */
  update(slot: number, deadline: Int64): number {
    assert(this.#holds(slot), "the slot is in use");
    const chunk = this.#chunks[slot >>> 16];
    const at = 2 * (slot & 0xffff);
    const { words } = chunk;
    const isLater = isBefore(words[at + 1], words[at], deadline.hi, deadline.lo);
    setWords(chunk, slot, deadline.hi, deadline.lo);
    return isLater ? this.#settleDown(slot) : this.#settleUp(slot);
  }

  /** Removes the entry. `moved` is called for the one that takes its slot, not for the removed one. */
  removeAt(slot: number): void {
    assert(this.#holds(slot), "the slot is in use");
    const last = --this.#end;
    if (slot !== last) {
      const isLater = this.#isLater(last, slot);
      this.#move(last, slot);
      if (isLater) this.#settleDown(slot);
      else this.#settleUp(slot);
    }
    if (this.#capacity > SMALLEST_CHUNK_SLOTS) this.#shrink();
  }

  /** Removes the entry that is due first; there is one. */
  removeMin(): void {
    assert(this.size > 0, "the heap is not empty");
    this.removeAt(FIRST_SLOT);
  }

  /** Replaces an entry's ref, whose block has moved to `ref`. */
  replaceRef(slot: number, ref: Ref): void {
    assert(ref !== 0, "an entry has a ref");
    assert(this.#holds(slot), "the slot is in use");
    this.#chunks[slot >>> 16].refs[slot & 0xffff] = ref;
  }

  /** Drops all entries without telling the keeper. */
  clear(): void {
    assert(this.#chunks.length > 0, "a heap that was released is not used");
    this.#chunks = [new HeapChunk(SMALLEST_CHUNK_SLOTS)];
    this.#capacity = SMALLEST_CHUNK_SLOTS;
    this.#end = FIRST_SLOT;
  }

  /** Throws if the order at the module's head does not hold. O(n). */
  verify(): void {
    for (let slot = FIRST_SLOT + 1; slot < this.#end; slot++) {
      const parent = (slot >>> 2) + 2;
      assert(!this.#isLater(parent, slot), "no child is due before its parent");
    }
    const slots = this.#chunks.reduce((sum, chunk) => sum + chunk.refs.length, 0);
    assert(slots === this.#capacity && this.#end <= slots, "the chunks hold all slots");
  }

  #holds(slot: number): boolean {
    return slot >= FIRST_SLOT && slot < this.#end;
  }

  #isLater(slot: number, other: number): boolean {
    assert(
      this.#holds(slot) || slot === this.#end,
      "an entry is compared, or the one removed last",
    );
    const { words } = this.#chunks[slot >>> 16];
    const at = 2 * (slot & 0xffff);
    const { words: others } = this.#chunks[other >>> 16];
    const otherAt = 2 * (other & 0xffff);
    return isBefore(others[otherAt + 1], others[otherAt], words[at + 1], words[at]);
  }

  /** Copies an entry onto another. */
  #move(from: number, to: number): void {
    assert(from !== to && this.#holds(to), "an entry is moved to another slot in use");
    const source = this.#chunks[from >>> 16];
    const target = this.#chunks[to >>> 16];
    const ref = source.refs[from & 0xffff];
    const at = 2 * (from & 0xffff);
    setWords(target, to, source.words[at + 1], source.words[at]);
    target.refs[to & 0xffff] = ref;
    this.#keeper.moved(ref, to);
  }

  /** Moves an entry up to where it belongs; returns its slot. */
  #settleUp(slot: number): number {
    assert(this.#holds(slot), "the entry is in the heap");
    const chunks = this.#chunks;
    const own = chunks[slot >>> 16].words;
    const hi = own[2 * (slot & 0xffff) + 1];
    const lo = own[2 * (slot & 0xffff)];
    const ref = chunks[slot >>> 16].refs[slot & 0xffff];
    assert(ref !== 0, "an entry has a ref");
    while (slot > FIRST_SLOT) {
      const parent = (slot >>> 2) + 2;
      const { words } = chunks[parent >>> 16];
      const at = 2 * (parent & 0xffff);
      if (!isBefore(hi, lo, words[at + 1], words[at])) break;
      this.#move(parent, slot);
      slot = parent;
    }
    setWords(chunks[slot >>> 16], slot, hi, lo);
    chunks[slot >>> 16].refs[slot & 0xffff] = ref;
    this.#keeper.moved(ref, slot);
    return slot;
  }

  /** Moves an entry down to where it belongs; returns its slot. */
  #settleDown(slot: number): number {
    assert(this.#holds(slot), "the entry is in the heap");
    const chunks = this.#chunks;
    const own = chunks[slot >>> 16].words;
    const hi = own[2 * (slot & 0xffff) + 1];
    const lo = own[2 * (slot & 0xffff)];
    const ref = chunks[slot >>> 16].refs[slot & 0xffff];
    for (;;) {
      const first = 4 * slot - 8;
      if (first >= this.#end) break;
      const least = this.#leastOf(first);
      const { words } = chunks[least >>> 16];
      const at = 2 * (least & 0xffff);
      if (!isBefore(words[at + 1], words[at], hi, lo)) break;
      this.#move(least, slot);
      slot = least;
    }
    setWords(chunks[slot >>> 16], slot, hi, lo);
    chunks[slot >>> 16].refs[slot & 0xffff] = ref;
    this.#keeper.moved(ref, slot);
    return slot;
  }

  /**
   * The sibling that is due first among up to four from `first` on, which never straddle two chunks:
   * `first` is a multiple of four.
   */
  #leastOf(first: number): number {
    assert((first & 3) === 0 && first < this.#end, "siblings begin at a multiple of four");
    const { words } = this.#chunks[first >>> 16];
    const end = Math.min(first + 4, this.#end);
    let least = first;
    let leastAt = 2 * (first & 0xffff);
    for (let slot = first + 1; slot < end; slot++) {
      const at = 2 * (slot & 0xffff);
      if (!isBefore(words[at + 1], words[at], words[leastAt + 1], words[leastAt])) continue;
      least = slot;
      leastAt = at;
    }
    return least;
  }

  #grow(): void {
    assert(this.#end === this.#capacity, "a heap grows when it is full");
    if (this.#capacity >= CHUNK_SLOTS) {
      this.#chunks.push(new HeapChunk(CHUNK_SLOTS));
      this.#capacity += CHUNK_SLOTS;
    } else this.#resizeFirst(2 * this.#capacity);
  }

  #shrink(): void {
    assert(this.#end < this.#capacity, "a heap that shrinks has free slots");
    if (this.#capacity > CHUNK_SLOTS) {
      // One and a half spare chunks, so that an entry coming and going at an edge costs nothing.
      if (this.#capacity - this.#end < 1.5 * CHUNK_SLOTS) return;
      this.#chunks.pop();
      this.#capacity -= CHUNK_SLOTS;
    } else if (4 * this.#end < this.#capacity) this.#resizeFirst(this.#capacity / 2);
  }

  #resizeFirst(slots: number): void {
    assert(slots >= this.#end && this.#chunks.length === 1, "the only chunk keeps its entries");
    const old = this.#chunks[0];
    const resized = new HeapChunk(slots);
    for (let slot = FIRST_SLOT; slot < this.#end; slot++) {
      resized.words[2 * slot] = old.words[2 * slot];
      resized.words[2 * slot + 1] = old.words[2 * slot + 1];
      resized.refs[slot] = old.refs[slot];
    }
    this.#chunks[0] = resized;
    this.#capacity = slots;
  }
}

/** Whether a deadline is before another one; lower halves are unsigned. */
function isBefore(hi: number, lo: number, otherHi: number, otherLo: number): boolean {
  return hi === otherHi ? lo >>> 0 < otherLo >>> 0 : hi < otherHi;
}

function setWords({ words }: HeapChunk, slot: number, hi: number, lo: number): void {
  assert(2 * (slot & 0xffff) < words.length, "the slot lies within the chunk");
  words[2 * (slot & 0xffff)] = lo;
  words[2 * (slot & 0xffff) + 1] = hi;
}
