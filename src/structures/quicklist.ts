// hot path
/**
 * A long list: listpacks in a row, each in a block of the arena, bounded by the limit that
 * `list-max-listpack-size` sets. An element that exceeds the limit has a node for itself; a node that
 * exceeds a block of the arena lies in a buffer of its own.
 *
 * Call `settle` after editing a node through its pack: it drops a node that is empty
 * and splits one that is too large.
 *
 * The first node has free bytes before its listpack: LPUSH and LPOP move its header, not its elements.
 *
 * Invariants: no node is empty; a node above the limit has one element; `count` is the sum over nodes.
 * Costs: push and pop O(1); `locate` O(nodes); an object of some 60 bytes a node.
 *
 * @module
 */
import { detach } from "../lib/detach.ts";
import { assert } from "../lib/assert.ts";
import type { Slice } from "../lib/slice.ts";
import { Deque } from "./deque.ts";
import { type Arena, MAX_BLOCK, offsetOf, type Ref } from "./arena.ts";
import {
  EMPTY_LISTPACK_BYTES,
  Listpack,
  listpackEntryBytes,
  type ListpackHome,
} from "./listpack.ts";

/** Bytes of a node at most, for limits of -1 to -5. */
const NODE_BYTES = [4096, 8192, 16384, 32768, 65536];
/** Nodes whose limit counts elements have so many bytes at most. */
const COUNTED_NODE_BYTES = 8192;
const ELEMENTS_MAX = 32767;
/** Blocks of so many bytes are not worth exchanging for smaller ones. */
const SMALL_NODE_BYTES = 64;
const LONG_LIST_NODES = 16;
const NODE_OVERHEAD = 72;
const LIST_OVERHEAD = 1000;

/**
 * The limits of a node that a value of `list-max-listpack-size` stands for; `bytesMax` bounds its bytes
 * further.
 */
export function nodeLimits(fill: number, bytesMax: number): { bytes: number; elements: number } {
  assert(bytesMax > 0, "the limit is positive");
  if (fill >= 0) {
    const elements = Math.min(Math.max(fill, 1), ELEMENTS_MAX);
    return { bytes: Math.min(COUNTED_NODE_BYTES, bytesMax), elements };
  }
  const bytes = NODE_BYTES[Math.min(-fill, NODE_BYTES.length) - 1];
  return { bytes: Math.min(bytes, bytesMax), elements: Infinity };
}

class Node {
  ref: Ref = 0;
  /** Where the listpack lies if it is too large for the arena. */
  buffer: Uint8Array | null = null;
  /** Bytes of its place, in the arena or in the buffer. */
  room = 0;
  /** Free bytes before the listpack, for elements to come in front. */
  lead = 0;
  count = 0;
}

/** See the module's head. */
export class Quicklist implements ListpackHome {
  /** Whether the list would be a listpack, if that could lie inline. False from the second node on. */
  isListpack = false;
  accountedBytes = 0;
  /** Elements in all nodes. */
  count = 0;
  /** Points at the node that `open` was called for. */
  readonly pack = new Listpack(this);
  /** Where `locate` ended: the index of the node, and the element's index in it. */
  node = 0;
  offset = 0;
  readonly #other = new Listpack(this);
  readonly #arena: Arena;
  readonly #nodes = new Deque<Node>();
  /** The nodes that `pack` and `#other` point at. */
  #packNode: Node | null = null;
  #otherNode: Node | null = null;
  #bytesMax: number;
  #elementsMax: number;
  #arenaBytes = 0;
  #bufferBytes = 0;

  /** `fill` is the value of `list-max-listpack-size`; nodes have at most `bytesMax` bytes, whatever it says. */
  constructor(arena: Arena, readonly fill: number, readonly bytesMax: number = Infinity) {
    this.#arena = arena;
    const limits = nodeLimits(fill, bytesMax);
    this.#bytesMax = limits.bytes;
    this.#elementsMax = limits.elements;
    assert(this.#bytesMax > 0 && this.#elementsMax > 0, "the limits of a node are positive");
  }

  get encodingName(): string {
    return this.isListpack ? "listpack" : "quicklist";
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  get nodeCount(): number {
    return this.#nodes.length;
  }

  get bytes(): number {
    return this.#bufferBytes + NODE_OVERHEAD * this.#nodes.length + LIST_OVERHEAD;
  }

  get arenaBytes(): number {
    return this.#arenaBytes;
  }

  /** Nodes are freed one by one. */
  get effort(): number {
    assert(this.#nodes.length <= this.count, "no node is empty");
    return this.#nodes.length;
  }

  /** Points `pack` at node `index`. */
  open(index: number): void {
    this.#openPack(this.#nodes.at(index));
  }

  #openPack(node: Node): void {
    assert(node.ref !== 0 || node.buffer !== null, "a node lies in the arena or in a buffer");
    // Nothing to do: moving a node keeps the pack on it.
    if (node === this.#packNode) return;
    this.#packNode = node;
    this.#openNode(this.pack, node);
  }

  /** Points `into` at the first or the last element; there is one. */
  readEnd(atTail: boolean, into: Slice): void {
    assert(this.count > 0, "a list whose end is read has an element");
    this.open(atTail ? this.#nodes.length - 1 : 0);
    this.pack.read(atTail ? this.pack.last() : this.pack.first(), into);
  }

  /** Points another object's `pack` at node `index`, for reading. */
  openIn(index: number, pack: Listpack): void {
    assert(pack !== this.pack, "the list keeps its own pack where it is");
    this.#openNode(pack, this.#nodes.at(index));
  }

  /** Elements of node `index`. */
  countOf(index: number): number {
    assert(index >= 0, "the index is not negative");
    return this.#nodes.at(index).count;
  }

  /** Finds the element with that index, which exists: `node`, `offset`, and `pack` on the node. */
  locate(index: number): void {
    assert(index >= 0 && index < this.count, "an element that is sought exists");
    const nodes = this.#nodes;
    if (index < this.count >>> 1) {
      let node = 0;
      while (index >= nodes.at(node).count) index -= nodes.at(node++).count;
      this.node = node;
      this.offset = index;
    } else {
      let node = nodes.length - 1;
      let behind = this.count - 1 - index;
      while (behind >= nodes.at(node).count) behind -= nodes.at(node--).count;
      this.node = node;
      this.offset = nodes.at(node).count - 1 - behind;
    }
    this.open(this.node);
    assert(
      this.offset >= 0 && this.offset < this.countOf(this.node),
      "an element lies in its node",
    );
  }

  pushHead(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    assert(start <= end && end <= bytes.length, "an element lies within its bytes");
    const length = listpackEntryBytes(bytes, start, end);
    let node = this.#nodes.length === 0 ? null : this.#nodes.at(0);
    if (node === null || !this.#allows(node, length)) {
      if (node !== null) this.#tighten(node);
      node = this.#newNode();
      this.#insertNode(0, node);
      this.#openPack(node);
    }
    if (node.lead < length) this.#giveLead(node, length);
    node.lead -= this.pack.pushFrontMeasured(bytes, view, start, end);
    assert(node.lead >= 0 && node.lead + this.pack.size <= node.room, "a node stays in its place");
    node.count++;
    this.count++;
  }

  pushTail(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    assert(start <= end && end <= bytes.length, "an element lies within its bytes");
    const length = listpackEntryBytes(bytes, start, end);
    const nodes = this.#nodes;
    let node = nodes.length === 0 ? null : nodes.at(nodes.length - 1);
    if (node === null || !this.#allows(node, length)) {
      if (node !== null) this.#tighten(node);
      node = this.#newNode();
      this.#insertNode(nodes.length, node);
      this.#openPack(node);
    }
    const { size } = this.pack;
    if (node.lead + size + length > node.room) this.resize(this.pack, size + length);
    this.pack.appendMeasured(bytes, view, start, end);
    assert(node.lead + this.pack.size <= node.room, "a node stays in its place");
    node.count++;
    this.count++;
  }

  /** Removes the first element; the others stay where they are. */
  dropHead(): void {
    const node = this.#nodes.at(0);
    assert(this.count > 0 && node.count > 0, "a dropped element exists");
    this.count--;
    if (--node.count === 0) return this.#drop(0);
    this.open(0);
    node.lead += this.pack.popFront();
    this.#tightenEmptied(node);
  }

  /** Removes the last element. */
  dropTail(): void {
    const last = this.#nodes.length - 1;
    const node = this.#nodes.at(last);
    assert(this.count > 0 && node.count > 0, "a dropped element exists");
    this.count--;
    if (--node.count === 0) return this.#drop(last);
    this.open(last);
    this.pack.popBack();
    this.#tightenEmptied(node);
  }

  /** Whether a node may get an element of `length` bytes. Points `pack` at it. */
  #allows(node: Node, length: number): boolean {
    assert(length > 0 && node.count > 0, "neither the node nor the element is empty");
    if (node.count >= this.#elementsMax) return false;
    this.#openPack(node);
    return this.pack.size + length <= this.#bytesMax;
  }

  /** Moves the node at which `pack` points, so that `length` bytes are free before it, and more for elements to come. */
  #giveLead(node: Node, length: number): void {
    assert(node.lead < length, "the room before the node is too small");
    const { size } = this.pack;
    const most = Math.max(this.#bytesMax, size + length);
    const room = this.#isLong ? most : Math.min(2 * (size + length), most);
    this.#moveNode(node, this.pack, room, room - size);
  }

  /** Called when the node at which `pack` points has lost an element. */
  #tightenEmptied(node: Node): void {
    assert(node.count > 0, "a node that lost its last element is dropped");
    if (this.pack.size < node.room >>> 2 && this.#wastes(node)) this.#tighten(node);
  }

  /** Frees the unused room of a node that is not the first any more, or that is nearly empty. */
  #tighten(node: Node): void {
    this.#packNode = node;
    this.#openNode(this.pack, node);
    const { size } = this.pack;
    const spare = node.room - size;
    assert(spare >= 0, "a node stays in its place");
    if (node.lead > 0 || spare > size >>> 3) this.#moveNode(node, this.pack, size, 0);
  }

  /** Node `index` was edited through `pack`: counts it anew, drops or splits it if need be. */
  settle(index: number): void {
    const node = this.#nodes.at(index);
    this.open(index);
    const now = this.pack.count;
    assert(now >= 0, "the count is not negative");
    this.count += now - node.count;
    node.count = now;
    if (now === 0) this.#drop(index);
    else this.#splitLarge(index);
  }

  /** Drops node `index` with all its elements. */
  dropNode(index: number): void {
    this.count -= this.#nodes.at(index).count;
    assert(this.count >= 0, "the count is not negative");
    this.#drop(index);
  }

  #drop(index: number): void {
    assert(index >= 0 && index < this.#nodes.length, "a dropped node exists");
    this.#freeNode(this.#nodes.remove(index));
    this.#packNode = null;
  }

  #splitLarge(index: number): void {
    const node = this.#nodes.at(index);
    assert(node.count > 0, "a node that is split has elements");
    this.open(index);
    const isLarge = this.pack.size > this.#bytesMax || node.count > this.#elementsMax;
    if (!isLarge || node.count === 1) return;
    const half = node.count >>> 1;
    assert(half > 0 && half < node.count, "both halves have elements");
    const tail = this.#newNode();
    this.#otherNode = tail;
    this.#openNode(this.#other, tail);
    this.pack.split(this.pack.at(half), half, this.#other);
    tail.count = node.count - half;
    node.count = half;
    this.#insertNode(index + 1, tail);
    this.#splitLarge(index + 1);
    this.#splitLarge(index);
  }

  // Memory

  resize(pack: Listpack, size: number): void {
    assert(size > 0, "a listpack has a header and an end");
    const node = pack === this.pack ? this.#packNode : this.#otherNode;
    assert(node !== null, "the pack points at a node");
    const room = node.room;
    const needed = node.lead + size;
    if (needed <= room && (size > room >>> 2 || size > pack.size || !this.#wastes(node))) return;
    // A node that grows is likely to grow more; spare room is freed when another node follows it.
    let spare = 0;
    if (needed > room) spare = this.#isLong ? this.#bytesMax : Math.min(2 * size, this.#bytesMax);
    this.#moveNode(node, pack, Math.max(size, spare), 0);
  }

  /** Whether a node that is mostly empty should be moved to a smaller place. */
  #wastes(node: Node): boolean {
    assert(node.room >= node.lead, "a node stays in its place");
    if (node.room <= SMALL_NODE_BYTES) return false;
    const nodes = this.#nodes;
    return !this.#isLong || (node !== nodes.at(0) && node !== nodes.at(nodes.length - 1));
  }

  /** Whether the list has so many nodes that those at its ends may have their full room at once. */
  get #isLong(): boolean {
    return this.#nodes.length > LONG_LIST_NODES;
  }

  /** Moves a node to a place of at least `size` bytes, of which `lead` lie before its content; keeps as much as fits. */
  #moveNode(node: Node, pack: Listpack, size: number, lead: number): void {
    const { bytes, start } = pack;
    const kept = Math.min(pack.size, size);
    assert(lead >= 0 && lead + kept <= size, "the content that is kept fits");
    const content = new Uint8Array(bytes.buffer, bytes.byteOffset + start, kept);
    const { ref, buffer } = node;
    node.lead = lead;
    if (size > MAX_BLOCK) {
      node.buffer = new Uint8Array(size + (size >>> 3));
      node.ref = 0;
      node.room = node.buffer.length;
      this.#bufferBytes += node.room;
      node.buffer.set(content, lead);
    } else {
      node.buffer = null;
      this.#allocFor(node, size);
      this.#arena.chunkOf(node.ref).bytes.set(content, offsetOf(node.ref) + lead);
    }
    this.#freePlace(ref, buffer);
    assert(node.room >= size, "the place is as large as needed");
    this.#openNode(pack, node);
  }

  #openNode(pack: Listpack, node: Node): void {
    assert((node.ref === 0) === (node.buffer !== null), "a node lies in the arena or in a buffer");
    if (node.buffer !== null) {
      return pack.open(node.buffer, new DataView(node.buffer.buffer), node.lead);
    }
    const chunk = this.#arena.chunkOf(node.ref);
    pack.open(chunk.bytes, chunk.view, offsetOf(node.ref) + node.lead);
  }

  #insertNode(index: number, node: Node): void {
    assert(
      index >= 0 && index <= this.#nodes.length,
      "a node is inserted among the others or at the end",
    );
    this.#nodes.insert(index, node);
    if (this.#nodes.length > 1) this.isListpack = false;
  }

  #newNode(): Node {
    const node = new Node();
    this.#allocFor(node, EMPTY_LISTPACK_BYTES);
    assert(node.room >= EMPTY_LISTPACK_BYTES, "an empty listpack has room");
    this.#openNode(this.#other, node);
    this.#other.writeEmpty();
    return node;
  }

  #allocFor(node: Node, size: number): void {
    assert(size > 0 && size <= MAX_BLOCK, "a block has 1 to MAX_BLOCK bytes");
    node.ref = this.#arena.alloc(size);
    node.room = this.#arena.blockSize(node.ref);
    this.#arenaBytes += node.room;
  }

  #freeNode(node: Node): void {
    assert(node.ref !== 0 || node.buffer !== null, "a node lies in the arena or in a buffer");
    this.#freePlace(node.ref, node.buffer);
    if (node.buffer !== null) detach(node.buffer);
  }

  #freePlace(ref: Ref, buffer: Uint8Array | null): void {
    assert(ref === 0 || buffer === null, "a node lies in the arena or in a buffer");
    if (buffer !== null) this.#bufferBytes -= buffer.length;
    assert(this.#bufferBytes >= 0, "a count of bytes is not negative");
    if (ref === 0) return;
    this.#arenaBytes -= this.#arena.blockSize(ref);
    this.#arena.free(ref);
  }

  /** Appends a node with the elements of `source`. */
  adopt(source: Listpack): void {
    assert(source.count > 0 && source !== this.pack, "elements are taken over from another list");
    const node = this.#nodeOf(source);
    this.#insertNode(this.#nodes.length, node);
    this.count += node.count;
    this.#splitLarge(this.#nodes.length - 1);
  }

  /** A node with a copy of what `source` holds, in a place of just its size. */
  #nodeOf(source: Listpack): Node {
    const { size } = source;
    const node = new Node();
    const content = new Uint8Array(
      source.bytes.buffer,
      source.bytes.byteOffset + source.start,
      size,
    );
    if (size > MAX_BLOCK) {
      node.buffer = new Uint8Array(size);
      node.room = size;
      this.#bufferBytes += size;
      node.buffer.set(content);
    } else {
      this.#allocFor(node, size);
      this.#arena.chunkOf(node.ref).bytes.set(content, offsetOf(node.ref));
    }
    node.count = source.count;
    assert(node.count > 0, "no node is empty");
    return node;
  }

  /** Moves nodes that are leaving their chunks: see HeapValue. */
  relocate(cursor: number, limit: number): number {
    assert(cursor >= 0 && limit > 0, "nodes are moved from one on");
    const end = Math.min(cursor + limit, this.#nodes.length);
    for (let i = cursor; i < end; i++) {
      const node = this.#nodes.at(i);
      if (node.ref === 0 || !this.#arena.isLeaving(node.ref)) continue;
      const { ref } = node;
      node.ref = this.#arena.copyOf(ref);
      this.#arena.free(ref);
      // The packs point to where the node was.
      this.#packNode = this.#otherNode = null;
    }
    return end < this.#nodes.length ? end : 0;
  }

  clone(): Quicklist {
    const twin = new Quicklist(this.#arena, this.fill, this.bytesMax);
    twin.isListpack = this.isListpack;
    for (let i = 0; i < this.#nodes.length; i++) {
      this.open(i);
      twin.adopt(this.pack);
    }
    assert(twin.count === this.count, "a copy has all elements");
    return twin;
  }

  release(limit: number): boolean {
    assert(limit > 0, "the limit is positive");
    for (let left = limit; left > 0 && this.#nodes.length > 0; left--) {
      this.#freeNode(this.#nodes.remove(this.#nodes.length - 1));
    }
    return this.#nodes.length === 0;
  }

  /** Frees its memory outside the arena, when the arena and the list are not used any more. */
  dispose(): void {
    assert(this.#bufferBytes >= 0, "a count of bytes is not negative");
    if (this.#bufferBytes === 0) return;
    for (let i = 0; i < this.#nodes.length; i++) {
      const { buffer } = this.#nodes.at(i);
      if (buffer !== null) detach(buffer);
    }
  }

  /** Throws if the invariants at the module's head do not hold. O(n). */
  verify(): void {
    let count = 0;
    let arenaBytes = 0;
    let bufferBytes = 0;
    for (let i = 0; i < this.#nodes.length; i++) {
      const node = this.#nodes.at(i);
      this.open(i);
      this.pack.verify();
      assert(node.count > 0 && node.count === this.pack.count, "a node knows its elements");
      const isLarge = this.pack.size > this.#bytesMax || node.count > this.#elementsMax;
      assert(!isLarge || node.count === 1, "a large node has one element");
      count += node.count;
      const block = node.ref === 0 ? 0 : this.#arena.blockSize(node.ref);
      const buffer = node.buffer?.length ?? 0;
      assert(node.room === block + buffer, "a node knows its room");
      arenaBytes += block;
      bufferBytes += buffer;
    }
    assert(count === this.count, "the count of elements is right");
    assert(arenaBytes === this.#arenaBytes, "the count of bytes in blocks is right");
    assert(bufferBytes === this.#bufferBytes, "the count of bytes in buffers is right");
  }
}
