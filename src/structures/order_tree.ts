// hot path
/**
 * An ordered sequence of refs that knows the rank of each: a B+ tree whose inner nodes count what
 * lies below. The `Order` that it is given compares refs: by a number, the key, and where that is equal by more. Inner
 * nodes keep keys, so that most of the way down touches no ref's block.
 *
 * ```
 * leaf    u32 refs · u32 next leaf · u32 previous leaf · ref …                                 up to 64 refs
 * inner   u32 children · (u32 child, u32 first ref below it, u32 refs below it, f64 its key) …  up to 32 children
 * ```
 *
 * Nodes are blocks of the arena. A full node splits in half, at the right edge nine to one, since ascending
 * inserts never come back to what lies behind them. A leaf that falls under a quarter is merged into the leaf
 * before it, where both have the same parent and fill half a leaf at most; an empty node is freed.
 *
 * Invariants: leaves hold refs in ascending order and are linked in it; an inner node's firsts and counts are
 * those of its children; all leaves have one depth; no node but the root is empty.
 * Costs: `insert`, `remove`, `rankOf`, `at`, `countBefore` O(log n) comparisons and steps; 4 bytes a ref, 5 after
 * ascending inserts, 7 after random ones. Source: Bayer and McCreight, "Organization and Maintenance of Large Ordered Indices",
 * 1972; counts in nodes as in Knuth, TAOCP 3, 6.2.3.
 *
 * @module
 */
import { assert } from "../lib/assert.ts";
import type { Arena, Ref } from "./arena.ts";

/** The total order of the refs. */
export interface Order {
  /** A number, not NaN, that never falls from one ref to the next. */
  keyOf(ref: Ref): number;
  /** Of two refs with the same key: negative if `a` comes before `b`, positive if after. */
  compare(a: Ref, b: Ref): number;
}

/** A place in the order, given by what lies before it. */
export interface Bound {
  /** Whether `ref`, which has that key, lies before it. */
  isBefore(ref: Ref, key: number): boolean;
}

const LEAF_REFS = 64;
const CHILDREN = 32;
/** Words of a leaf before its refs. */
const LEAF_HEAD = 3;
const INNER_HEAD = 1;
/** Words of an inner node for a child, of which the last two are a key. */
const CHILD_WORDS = 5;
const KEY_WORD = 3;
const MAX_DEPTH = 16;
const TREE_OVERHEAD = 2800;

/** See the module's head. */
export class OrderTree {
  readonly #arena: Arena;
  readonly #order: Order;
  readonly #leafRefs: number;
  readonly #children: number;
  #root: Ref;
  /** Inner levels above the leaves. */
  #depth = 0;
  #count = 0;
  #arenaBytes = 0;
  // The path from the root to the leaf found last: nodes, and the index of the child taken in each.
  readonly #path = new Uint32Array(MAX_DEPTH + 1);
  readonly #taken = new Int32Array(MAX_DEPTH + 1);

  /** Smaller nodes are for tests. */
  constructor(arena: Arena, order: Order, leafRefs = LEAF_REFS, children = CHILDREN) {
    assert(leafRefs >= 4 && children >= 4, "a node that splits leaves two of some size");
    this.#arena = arena;
    this.#order = order;
    this.#leafRefs = leafRefs;
    this.#children = children;
    this.#root = this.#newLeaf();
  }

  get count(): number {
    return this.#count;
  }

  /** Memory outside the arena, in bytes. */
  get bytes(): number {
    return TREE_OVERHEAD;
  }

  get arenaBytes(): number {
    assert(this.#arenaBytes >= 0, "a count of bytes is not negative");
    return this.#arenaBytes;
  }

  /** Adds a ref that is not there. */
  insert(ref: Ref): void {
    assert(ref !== 0, "ref 0 means none");
    const leaf = this.#descend(ref);
    const words = this.#words(leaf);
    const base = baseOf(leaf);
    const count = words[base];
    assert(count < this.#leafRefs, "a leaf splits before it is full");
    const at = this.#lowerInLeaf(leaf, ref);
    assert(
      words[base + LEAF_HEAD + at] !== ref || at === count,
      "an added ref was missing",
    );
    words.copyWithin(base + LEAF_HEAD + at + 1, base + LEAF_HEAD + at, base + LEAF_HEAD + count);
    words[base + LEAF_HEAD + at] = ref;
    words[base] = count + 1;
    this.#count++;
    this.#countPath(1);
    if (at === 0) this.#firstChanged(ref);
    if (count + 1 === this.#leafRefs) this.#splitLeaf(leaf, at === count);
  }

  /**
   * Adds a ref that comes after all others. Building a tree of refs in their order takes a tenth of the time that way
   * that `insert` takes, since nothing is searched.
   */
  append(ref: Ref): void {
    const leaf = this.#descendLast();
    const words = this.#words(leaf);
    const base = baseOf(leaf);
    const count = words[base];
    if (count > 0) {
      const last = words[base + LEAF_HEAD + count - 1];
      const order = this.#order;
      const isAfter = this.#precedes(last, order.keyOf(last), ref, order.keyOf(ref));
      assert(isAfter, "a ref that is appended comes after all others");
    }
    words[base + LEAF_HEAD + count] = ref;
    words[base] = count + 1;
    this.#count++;
    this.#countPath(1);
    if (count + 1 === this.#leafRefs) this.#splitLeaf(leaf, true);
  }

  /**
   * Removes `count` refs from rank `from` on, which are there, leaf by leaf, and calls `visit` with each once it is
   * removed.
   */
  removeRange(from: number, count: number, visit: (ref: Ref) => void): void {
    assert(from >= 0 && count >= 0 && from + count <= this.#count, "the removed range exists");
    const removed = new Uint32Array(this.#leafRefs);
    for (let left = count; left > 0;) {
      const taken = this.#removeInLeaf(from, left, removed);
      for (let i = 0; i < taken; i++) visit(removed[i]);
      left -= taken;
    }
  }

  /** Removes refs from rank `from` on, `count` at most and all of one leaf, and puts them into `removed`. */
  #removeInLeaf(from: number, count: number, removed: Uint32Array): number {
    const leaf = this.#descendTo(from);
    const words = this.#words(leaf);
    const first = baseOf(leaf) + LEAF_HEAD;
    const size = words[first - LEAF_HEAD];
    const at = this.#offset;
    const taken = Math.min(count, size - at);
    for (let i = 0; i < taken; i++) removed[i] = words[first + at + i];
    words.copyWithin(first + at, first + at + taken, first + size);
    words[first - LEAF_HEAD] = size - taken;
    this.#count -= taken;
    this.#countPath(-taken);
    if (size === taken) this.#dropLeaf(leaf);
    else {
      if (at === 0) this.#firstChanged(words[first]);
      if (size - taken < this.#leafRefs >>> 2) this.#mergeLeaf(leaf);
    }
    return taken;
  }

  /** Removes a ref that is there. */
  remove(ref: Ref): void {
    assert(this.#count > 0, "the tree is not empty");
    const leaf = this.#descend(ref);
    const words = this.#words(leaf);
    const base = baseOf(leaf);
    const count = words[base];
    const at = this.#lowerInLeaf(leaf, ref);
    assert(words[base + LEAF_HEAD + at] === ref, "a ref that is removed is in the tree");
    words.copyWithin(base + LEAF_HEAD + at, base + LEAF_HEAD + at + 1, base + LEAF_HEAD + count);
    words[base] = count - 1;
    this.#count--;
    this.#countPath(-1);
    if (count === 1) return this.#dropLeaf(leaf);
    if (at === 0) this.#firstChanged(words[base + LEAF_HEAD]);
    if (count - 1 < this.#leafRefs >>> 2) this.#mergeLeaf(leaf);
  }

  /** Replaces `ref` by `next`, which has the same place in the order. */
  replace(ref: Ref, next: Ref): void {
    assert(next !== 0 && this.#count > 0, "the tree is not empty");
    const leaf = this.#descend(ref);
    const at = this.#lowerInLeaf(leaf, ref);
    assert(
      this.#words(leaf)[baseOf(leaf) + LEAF_HEAD + at] === ref,
      "a ref that is replaced is in the tree",
    );
    this.#words(leaf)[baseOf(leaf) + LEAF_HEAD + at] = next;
    if (at === 0) this.#firstChanged(next);
  }

  /**
   * Moves the nodes that are leaving their chunks, as far as they lie on the way to about `limit` refs from rank
   * `from` on. Returns the rank of the rest, plus 1; 0 if there is none.
   */
  relocate(from: number, limit: number): number {
    assert(from >= 0 && limit > 0, "nodes are moved from one on");
    let rank = from;
    do {
      const leaf = this.#count === 0
        ? this.#root
        : this.#descendTo(Math.min(rank, this.#count - 1));
      rank += this.#words(leaf)[baseOf(leaf)] - (this.#count === 0 ? 0 : this.#offset);
      for (let level = 0; level < this.#depth; level++) {
        this.#path[level] = this.#relocated(this.#path[level], level);
      }
      const moved = this.#relocated(leaf, this.#depth);
      if (moved !== leaf) this.#relink(moved, moved);
    } while (rank < this.#count && rank - from < limit);
    return rank < this.#count ? rank + 1 : 0;
  }

  /** The place of the node at `level` of the path, which is another one if it was leaving. */
  #relocated(node: Ref, level: number): Ref {
    assert(node !== 0, "ref 0 means none");
    if (!this.#arena.isLeaving(node)) return node;
    const next = this.#arena.copyOf(node);
    if (level === 0) this.#root = next;
    else this.#words(this.#path[level - 1])[this.#wordOf(level - 1)] = next;
    this.#arena.free(node);
    return next;
  }

  /** How many refs come before `ref`, which is there. */
  rankOf(ref: Ref): number {
    assert(this.#count > 0, "the tree is not empty");
    const leaf = this.#descend(ref);
    return this.#rankOfPath() + this.#lowerInLeaf(leaf, ref);
  }

  /** How many refs come before the bound. */
  countBefore(bound: Bound): number {
    let node = this.#root;
    let rank = 0;
    for (let level = 0; level < this.#depth; level++) {
      const words = this.#words(node);
      const base = baseOf(node);
      // Find the last child whose first ref lies before the bound: all refs of the children before it do so, too.
      let low = 0;
      let high = words[base] - 1;
      while (low < high) {
        const middle = (low + high + 1) >>> 1;
        const at = base + INNER_HEAD + CHILD_WORDS * middle;
        if (bound.isBefore(words[at + 1], this.#keyAt(node, at))) low = middle;
        else high = middle - 1;
      }
      for (let i = 0; i < low; i++) rank += words[base + INNER_HEAD + CHILD_WORDS * i + 2];
      node = words[base + INNER_HEAD + CHILD_WORDS * low];
    }
    const words = this.#words(node);
    const base = baseOf(node);
    let low = 0;
    let high = words[base];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const ref = words[base + LEAF_HEAD + middle];
      if (bound.isBefore(ref, this.#order.keyOf(ref))) low = middle + 1;
      else high = middle;
    }
    assert(rank + low <= this.#count, "no more refs come before than there are");
    return rank + low;
  }

  /** The first ref that does not come before the bound, or 0. */
  firstFrom(bound: Bound): Ref {
    const rank = this.countBefore(bound);
    assert(rank >= 0 && rank <= this.#count, "the rank is at most the number of refs");
    return rank < this.#count ? this.at(rank) : 0;
  }

  /** The ref with that rank, 0 to count − 1. */
  at(rank: number): Ref {
    this.seek(rank);
    return this.#words(this.#leaf)[baseOf(this.#leaf) + LEAF_HEAD + this.#offset];
  }

  /** The last ref of a tree that has some. */
  last(): Ref {
    assert(this.#count > 0, "a tree that has a last ref is not empty");
    let node = this.#root;
    for (let level = 0; level < this.#depth; level++) {
      const words = this.#words(node);
      const base = baseOf(node);
      node = words[base + INNER_HEAD + CHILD_WORDS * (words[base] - 1)];
    }
    const base = baseOf(node);
    const words = this.#words(node);
    assert(words[base] > 0, "a tree that has a last ref is not empty");
    return words[base + LEAF_HEAD + words[base] - 1];
  }

  /** Where `seek` ended. */
  #leaf: Ref = 0;
  #offset = 0;

  /** Begins a walk at that rank: `take` shows its refs, as long as nobody else uses the tree. */
  seek(rank: number): void {
    assert(rank >= 0 && rank < this.#count, "the rank is less than the number of refs");
    this.#leaf = this.#descendTo(rank);
  }

  /** Calls `visit` with `count` refs from rank `from` on, upwards or downwards. `visit` must not change the tree. */
  forEachFrom(from: number, count: number, isDownwards: boolean, visit: (ref: Ref) => void): void {
    assert(from >= 0, "the rank is not negative");
    if (count <= 0) return;
    this.seek(from);
    const refs = new Uint32Array(Math.min(count, LEAF_REFS));
    for (let left = count; left > 0; left -= refs.length) {
      const taken = this.take(refs, left, isDownwards);
      for (let i = 0; i < taken; i++) visit(refs[i]);
    }
  }

  /** Puts the walk's next refs, `count` at most, which are in the tree, into `out`; returns how many. */
  take(out: Uint32Array, count: number, isDownwards: boolean): number {
    assert(out.length > 0, "the result has room");
    const wanted = Math.min(count, out.length);
    let taken = 0;
    while (taken < wanted) {
      assert(this.#leaf !== 0, "a range ends within the tree");
      const words = this.#words(this.#leaf);
      const base = baseOf(this.#leaf);
      const first = base + LEAF_HEAD;
      if (isDownwards) {
        let at = first + this.#offset;
        while (taken < wanted && at >= first) out[taken++] = words[at--];
        this.#offset = at - first;
        if (at < first) this.#leaveDownwards(words[base + 2]);
      } else {
        let at = first + this.#offset;
        const end = first + words[base];
        while (taken < wanted && at < end) out[taken++] = words[at++];
        this.#offset = at - first;
        if (at === end) {
          this.#leaf = words[base + 1];
          this.#offset = 0;
        }
      }
    }
    return taken;
  }

  #leaveDownwards(previous: Ref): void {
    assert(this.#offset === -1, "a leaf is left at its beginning");
    this.#leaf = previous;
    if (previous !== 0) this.#offset = this.#words(previous)[baseOf(previous)] - 1;
  }

  /** Frees about `limit` nodes of a tree that is not used any more; returns whether all are freed. */
  release(limit: number): boolean {
    assert(limit > 0, "the limit is positive");
    for (let left = limit; left > 0 && this.#root !== 0; left--) {
      let node = this.#root;
      let parent = 0;
      for (let level = 0; level < this.#depth && !this.#isBare(node, level); level++) {
        parent = node;
        const words = this.#words(node);
        const base = baseOf(node);
        node = words[base + INNER_HEAD + CHILD_WORDS * (words[base] - 1)];
      }
      this.#freeNode(node);
      if (parent === 0) this.#root = 0;
      else this.#words(parent)[baseOf(parent)]--;
    }
    return this.#root === 0;
  }

  /** Whether an inner node's children are all freed. */
  #isBare(node: Ref, level: number): boolean {
    assert(level <= this.#depth, "no node lies below the leaves");
    return level < this.#depth && this.#words(node)[baseOf(node)] === 0;
  }

  // Finding leaves

  /** The leaf where `ref` is or belongs; records the path. */
  #descend(ref: Ref): Ref {
    assert(this.#root !== 0, "a tree that was freed is not used");
    const key = this.#order.keyOf(ref);
    let node = this.#root;
    for (let level = 0; level < this.#depth; level++) {
      const words = this.#words(node);
      const base = baseOf(node);
      let low = 0;
      let high = words[base] - 1;
      while (low < high) {
        const middle = (low + high + 1) >>> 1;
        const at = base + INNER_HEAD + CHILD_WORDS * middle;
        const first = words[at + 1];
        if (first === ref || this.#precedes(first, this.#keyAt(node, at), ref, key)) low = middle;
        else high = middle - 1;
      }
      assert(low >= 0 && low < words[base], "the path leads to a child");
      this.#path[level] = node;
      this.#taken[level] = low;
      node = words[base + INNER_HEAD + CHILD_WORDS * low];
    }
    return node;
  }

  /** The last leaf; records the path. */
  #descendLast(): Ref {
    let node = this.#root;
    for (let level = 0; level < this.#depth; level++) {
      const words = this.#words(node);
      const base = baseOf(node);
      const last = words[base] - 1;
      this.#path[level] = node;
      this.#taken[level] = last;
      node = words[base + INNER_HEAD + CHILD_WORDS * last];
    }
    return node;
  }

  /** The leaf that holds rank `rank`, which exists, at `#offset` behind its first ref; records the path. */
  #descendTo(rank: number): Ref {
    let node = this.#root;
    for (let level = 0; level < this.#depth; level++) {
      const words = this.#words(node);
      const first = baseOf(node) + INNER_HEAD;
      let child = 0;
      while (rank >= words[first + CHILD_WORDS * child + 2]) {
        rank -= words[first + CHILD_WORDS * child + 2];
        child++;
      }
      this.#path[level] = node;
      this.#taken[level] = child;
      node = words[first + CHILD_WORDS * child];
    }
    this.#offset = rank;
    return node;
  }

  /** Whether `one`, which has that key, comes before another. */
  #precedes(one: Ref, key: number, other: Ref, otherKey: number): boolean {
    assert(one !== 0 && other !== 0, "ref 0 means none");
    if (key !== otherKey) return key < otherKey;
    return this.#order.compare(one, other) < 0;
  }

  /** How many refs of the leaf come before `ref`. */
  #lowerInLeaf(leaf: Ref, ref: Ref): number {
    const key = this.#order.keyOf(ref);
    const words = this.#words(leaf);
    const first = baseOf(leaf) + LEAF_HEAD;
    assert(words[first - LEAF_HEAD] <= this.#leafRefs, "a leaf holds no more than it has room for");
    let low = 0;
    let high = words[first - LEAF_HEAD];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = words[first + middle];
      if (other === ref) return middle;
      if (this.#precedes(other, this.#order.keyOf(other), ref, key)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** How many refs come before the leaf at the end of the path. */
  #rankOfPath(): number {
    let rank = 0;
    for (let level = 0; level < this.#depth; level++) {
      const words = this.#words(this.#path[level]);
      const first = baseOf(this.#path[level]) + INNER_HEAD;
      for (let i = 0; i < this.#taken[level]; i++) rank += words[first + CHILD_WORDS * i + 2];
    }
    assert(rank <= this.#count, "no more refs come before than there are");
    return rank;
  }

  #countPath(change: number): void {
    assert(change !== 0, "the number of refs changes");
    for (let level = 0; level < this.#depth; level++) {
      this.#words(this.#path[level])[this.#wordOf(level) + 2] += change;
    }
  }

  /** The word where the child that was taken at `level` begins. */
  #wordOf(level: number): number {
    assert(level >= 0 && level < this.#depth, "the path has a node at each inner level");
    return baseOf(this.#path[level]) + INNER_HEAD + CHILD_WORDS * this.#taken[level];
  }

  /** Called when the leaf at the end of the path begins with another ref: corrects the nodes above it. */
  #firstChanged(ref: Ref): void {
    assert(ref !== 0, "a leaf begins with a ref");
    for (let level = this.#depth - 1; level >= 0; level--) {
      this.#setFirst(this.#path[level], this.#wordOf(level), ref);
      if (this.#taken[level] > 0) return;
    }
  }

  /** Stores the first ref below the child that begins at word `at` of `node`'s chunk. */
  #setFirst(node: Ref, at: number, ref: Ref): void {
    assert(ref !== 0, "ref 0 means none");
    const { words, view } = this.#arena.chunkOf(node);
    words[at + 1] = ref;
    view.setFloat64(4 * (at + KEY_WORD), this.#order.keyOf(ref), true);
  }

  /** The key of that first ref. */
  #keyAt(node: Ref, at: number): number {
    return this.#arena.chunkOf(node).view.getFloat64(4 * (at + KEY_WORD), true);
  }

  // Splits

  #splitLeaf(leaf: Ref, wasAppended: boolean): void {
    const words = this.#words(leaf);
    const base = baseOf(leaf);
    const count = words[base];
    assert(count === this.#leafRefs, "a leaf is split when it is full");
    const isRightEdge = wasAppended && words[base + 1] === 0;
    const kept = isRightEdge ? Math.floor(count * 0.9) : count >>> 1;
    assert(kept > 0 && kept < count, "both halves have refs");
    const right = this.#newLeaf();
    const target = this.#words(right);
    const own = baseOf(right);
    for (let i = kept; i < count; i++) {
      target[own + LEAF_HEAD + i - kept] = words[base + LEAF_HEAD + i];
    }
    target[own] = count - kept;
    target[own + 1] = words[base + 1];
    target[own + 2] = leaf;
    if (words[base + 1] !== 0) this.#words(words[base + 1])[baseOf(words[base + 1]) + 2] = right;
    words[base] = kept;
    words[base + 1] = right;
    this.#addChild(
      this.#depth - 1,
      right,
      target[own + LEAF_HEAD],
      count - kept,
      kept,
      isRightEdge,
    );
  }

  /** Adds a node after the child taken at `level`, which keeps `kept` refs. */
  #addChild(
    level: number,
    child: Ref,
    first: Ref,
    below: number,
    kept: number,
    isRightEdge: boolean,
  ): void {
    assert(child !== 0 && below > 0 && kept > 0, "no child is empty");
    if (level < 0) return this.#addRoot(child, first, below, kept);
    const node = this.#path[level];
    const words = this.#words(node);
    const base = baseOf(node);
    const count = words[base];
    assert(count < this.#children, "a node splits before it is full");
    words[this.#wordOf(level) + 2] = kept;
    const at = this.#wordOf(level) + CHILD_WORDS;
    words.copyWithin(at + CHILD_WORDS, at, base + INNER_HEAD + CHILD_WORDS * count);
    words[at] = child;
    this.#setFirst(node, at, first);
    words[at + 2] = below;
    words[base] = count + 1;
    if (count + 1 === this.#children) this.#splitInner(level, isRightEdge);
  }

  #addRoot(child: Ref, first: Ref, below: number, kept: number): void {
    assert(child !== this.#root, "a root has two different children");
    const root = this.#newInner();
    const words = this.#words(root);
    const base = baseOf(root);
    const old = this.#root;
    words[base] = 2;
    const at = base + INNER_HEAD;
    words[at] = old;
    this.#setFirst(root, at, this.#firstOf(old, this.#depth));
    words[at + 2] = kept;
    words[at + CHILD_WORDS] = child;
    this.#setFirst(root, at + CHILD_WORDS, first);
    words[at + CHILD_WORDS + 2] = below;
    this.#root = root;
    this.#depth++;
    assert(this.#depth < MAX_DEPTH, "a tree of 2^32 refs is not that deep");
  }

  #splitInner(level: number, isRightEdge: boolean): void {
    const node = this.#path[level];
    const words = this.#words(node);
    const base = baseOf(node);
    const count = words[base];
    const kept = isRightEdge ? Math.floor(count * 0.9) : count >>> 1;
    assert(kept > 0 && kept < count, "both halves have children");
    const right = this.#newInner();
    const target = this.#words(right);
    const own = baseOf(right);
    for (let i = 0; i < CHILD_WORDS * (count - kept); i++) {
      target[own + INNER_HEAD + i] = words[base + INNER_HEAD + CHILD_WORDS * kept + i];
    }
    target[own] = count - kept;
    words[base] = kept;
    this.#addChild(
      level - 1,
      right,
      target[own + INNER_HEAD + 1],
      this.#below(right),
      this.#below(node),
      isRightEdge,
    );
  }

  /** Refs below an inner node. */
  #below(node: Ref): number {
    const words = this.#words(node);
    const base = baseOf(node);
    let sum = 0;
    for (let i = 0; i < words[base]; i++) sum += words[base + INNER_HEAD + CHILD_WORDS * i + 2];
    assert(sum > 0, "no node is empty");
    return sum;
  }

  /** The first ref below a node with so many levels below it. */
  #firstOf(node: Ref, levels: number): Ref {
    assert(levels >= 0 && levels <= this.#depth, "the level is one of the tree");
    const words = this.#words(node);
    return levels > 0 ? words[baseOf(node) + INNER_HEAD + 1] : words[baseOf(node) + LEAF_HEAD];
  }

  // Merges

  /** Removes the leaf at the end of the path, which is empty. */
  #dropLeaf(leaf: Ref): void {
    assert(this.#words(leaf)[baseOf(leaf)] === 0, "a leaf that is dropped is empty");
    if (this.#depth === 0) return;
    this.#relink(leaf, 0);
    this.#freeNode(leaf);
    this.#removeChild(this.#depth - 1);
  }

  /** Makes the neighbours of a leaf point to its place, or, if that is 0, to each other. */
  #relink(leaf: Ref, place: Ref): void {
    const words = this.#words(leaf);
    const next = words[baseOf(leaf) + 1];
    const previous = words[baseOf(leaf) + 2];
    assert(next !== leaf && previous !== leaf, "a leaf has others beside it");
    if (next !== 0) this.#words(next)[baseOf(next) + 2] = place || previous;
    if (previous !== 0) this.#words(previous)[baseOf(previous) + 1] = place || next;
  }

  /** Removes the child taken at `level` of the path; its refs were removed or moved. */
  #removeChild(level: number): void {
    const node = this.#path[level];
    const words = this.#words(node);
    const base = baseOf(node);
    const count = words[base];
    assert(count > 0, "the node has children");
    const at = this.#wordOf(level);
    words.copyWithin(at, at + CHILD_WORDS, base + INNER_HEAD + CHILD_WORDS * count);
    words[base] = count - 1;
    if (count === 1) {
      this.#freeNode(node);
      if (level > 0) return this.#removeChild(level - 1);
      this.#root = this.#newLeaf();
      this.#depth = 0;
      return;
    }
    if (this.#taken[level] === 0 && level > 0) this.#firstOfPathChanged(level);
    this.#lowerRoot();
  }

  /** Called when the node at `level` of the path begins with another child: corrects the nodes above it. */
  #firstOfPathChanged(level: number): void {
    assert(level > 0, "a root has no parent that knows its first ref");
    const first = this.#words(this.#path[level])[baseOf(this.#path[level]) + INNER_HEAD + 1];
    for (let above = level - 1; above >= 0; above--) {
      this.#setFirst(this.#path[above], this.#wordOf(above), first);
      if (this.#taken[above] > 0) return;
    }
  }

  /** Replaces a root that has one child by that child. */
  #lowerRoot(): void {
    assert(this.#root !== 0, "a tree has a root");
    while (this.#depth > 0 && this.#words(this.#root)[baseOf(this.#root)] === 1) {
      const child = this.#words(this.#root)[baseOf(this.#root) + INNER_HEAD];
      this.#freeNode(this.#root);
      this.#root = child;
      this.#depth--;
    }
  }

  /** Merges the leaf at the end of the path, which is nearly empty, into the leaf before it, if that has room. */
  #mergeLeaf(leaf: Ref): void {
    const level = this.#depth - 1;
    if (level < 0 || this.#taken[level] === 0) return;
    const words = this.#words(leaf);
    const base = baseOf(leaf);
    const count = words[base];
    const before = words[base + 2];
    assert(before !== 0, "a leaf that is not the first has one before it");
    const target = this.#words(before);
    const own = baseOf(before);
    if (target[own] + count > this.#leafRefs >>> 1) return;
    for (let i = 0; i < count; i++) {
      target[own + LEAF_HEAD + target[own] + i] = words[base + LEAF_HEAD + i];
    }
    target[own] += count;
    assert(target[own] <= this.#leafRefs, "a leaf holds no more than it has room for");
    this.#words(this.#path[level])[this.#wordOf(level) - CHILD_WORDS + 2] = target[own];
    this.#relink(leaf, 0);
    this.#freeNode(leaf);
    this.#removeChild(level);
  }

  // Nodes

  #newLeaf(): Ref {
    const leaf = this.#alloc(4 * (LEAF_HEAD + this.#leafRefs));
    const words = this.#words(leaf);
    words.fill(0, baseOf(leaf), baseOf(leaf) + LEAF_HEAD);
    assert(leaf !== 0, "a leaf has a block");
    return leaf;
  }

  #newInner(): Ref {
    const node = this.#alloc(4 * (INNER_HEAD + CHILD_WORDS * this.#children));
    assert(node !== 0, "an inner node has a block");
    this.#words(node)[baseOf(node)] = 0;
    return node;
  }

  #alloc(size: number): Ref {
    assert(size > 0, "a node has words");
    const ref = this.#arena.alloc(size);
    this.#arenaBytes += this.#arena.blockSize(ref);
    return ref;
  }

  #freeNode(node: Ref): void {
    assert(node !== 0, "ref 0 means none");
    this.#arenaBytes -= this.#arena.blockSize(node);
    assert(this.#arenaBytes >= 0, "a count of bytes is not negative");
    this.#arena.free(node);
  }

  #words(node: Ref): Uint32Array {
    return this.#arena.chunkOf(node).words;
  }

  /** Throws if the invariants at the module's head do not hold. O(n). */
  verify(): void {
    const refs: Ref[] = [];
    const leaves: Ref[] = [];
    const count = this.#verifyNode(this.#root, 0, refs, leaves);
    assert(count === this.#count, "the count of refs is right");
    for (let i = 1; i < refs.length; i++) {
      const [one, other] = [refs[i - 1], refs[i]];
      const isBefore = this.#precedes(one, this.#order.keyOf(one), other, this.#order.keyOf(other));
      assert(isBefore, "refs ascend");
    }
    for (const [i, leaf] of leaves.entries()) {
      const words = this.#words(leaf);
      assert(words[baseOf(leaf) + 1] === (leaves[i + 1] ?? 0), "a leaf knows the next");
      assert(words[baseOf(leaf) + 2] === (leaves[i - 1] ?? 0), "a leaf knows the one before");
    }
  }

  #verifyNode(node: Ref, level: number, refs: Ref[], leaves: Ref[]): number {
    const words = this.#words(node);
    const base = baseOf(node);
    assert(words[base] > 0 || level === 0, "no node but the root is empty");
    if (level === this.#depth) {
      leaves.push(node);
      for (let i = 0; i < words[base]; i++) refs.push(words[base + LEAF_HEAD + i]);
      return words[base];
    }
    let sum = 0;
    for (let i = 0; i < words[base]; i++) {
      const at = base + INNER_HEAD + CHILD_WORDS * i;
      const first = refs.length;
      const below = this.#verifyNode(words[at], level + 1, refs, leaves);
      assert(words[at + 2] === below, "a node counts what lies below its children");
      assert(words[at + 1] === refs[first], "a node knows its children's first refs");
      assert(this.#keyAt(node, at) === this.#order.keyOf(refs[first]), "a node knows their keys");
      sum += below;
    }
    return sum;
  }
}

/** The word where a node begins in its chunk. */
function baseOf(node: Ref): number {
  return (node & 0x7fffff) << 1;
}
