// hot path
/**
 * A stream's entries, in ascending order of their ids: listpacks in nodes, under an order tree.
 *
 * ```
 * node    16-byte id of its first entry · u32 0, or index of the listpack outside · listpack
 *
 * listpack  live entries · deleted entries · n · field 1 … field n · 0   then for each entry
 *           flags · ms − first ms · seq − first seq ·
 *             [n · field · value …, or with SAME_FIELDS value …] · elements of the entry before this one
 * ```
 *
 * Node ids and listpacks are those of Redis's files byte for byte. Entries with the same fields' names
 * as the node's first entry do not repeat them. Entries are deleted by a flag; a node is removed with
 * its last live entry.
 * A node is a block of the arena, with room to grow while it is the last; a listpack of more than 60 KiB lies in
 * a buffer of its own.
 *
 * Invariants: ids ascend within a node and from node to node; `count` is the sum of the nodes' live entries;
 * no node is without a live entry; all ids are at most `lastId`.
 * Costs: `append` O(log nodes), reading O(log nodes + entries of a node). Source: the layout was seen in DUMP's
 * output and in https://github.com/redis/redis/blob/7.2/src/stream.h.
 *
 * @module
 */
import { assert } from "../lib/assert.ts";
import { detach } from "../lib/detach.ts";
import { Int64 } from "../lib/decimal.ts";
import { type Scratch, scratch } from "../lib/scratch.ts";
import { Slice } from "../lib/slice.ts";
import { type Arena, offsetOf, type Ref } from "./arena.ts";
import { EMPTY_LISTPACK_BYTES, Listpack, type ListpackHome } from "./listpack.ts";
import { type Bound, type Order, OrderTree } from "./order_tree.ts";
import { SideTable } from "./side_table.ts";
import { FIRST_ID, LAST_ID, STREAM_ID_BYTES, StreamId } from "./stream_id.ts";

const HEAD_BYTES = STREAM_ID_BYTES + 4;
const INSIDE_MAX = 60 * 1024;
/** What flags, id and the numbers of an entry take at most; and an element beside its bytes. */
const ENTRY_HEAD_BYTES = 64;
const ELEMENT_HEAD_BYTES = 10;
/** Smaller nodes are not worth a move for every entry. */
const ROOM_MIN = 128;
const LOG_OVERHEAD = 2300;

const EntryMark = { deleted: 1, sameFields: 2 } as const;

/** Blocks that begin with an id, in the order of these ids. */
export class IdOrder implements Order, Bound {
  /** What `isBefore` compares with. */
  readonly bound = new StreamId();
  /** Whether the bound itself lies before it. */
  includesEqual = false;

  constructor(readonly arena: Arena) {}

  /** The milliseconds, rounded where they exceed 53 bits. */
  keyOf(ref: Ref): number {
    const { view } = this.arena.chunkOf(ref);
    return view.getUint32(offsetOf(ref)) * 4294967296 + view.getUint32(offsetOf(ref) + 4);
  }

  compare(a: Ref, b: Ref): number {
    const one = this.arena.chunkOf(a).view;
    const other = this.arena.chunkOf(b).view;
    for (let i = 0; i < STREAM_ID_BYTES; i += 4) {
      const difference = one.getUint32(offsetOf(a) + i) - other.getUint32(offsetOf(b) + i);
      if (difference !== 0) return difference;
    }
    return 0;
  }

  isBefore(ref: Ref): boolean {
    assert(ref !== 0, "ref 0 means none");
    const order = this.bound.compareAt(this.arena.chunkOf(ref).view, offsetOf(ref));
    return order > 0 || (this.includesEqual && order === 0);
  }
}

/** A listpack too long for a block. */
class Outside {
  readonly view: DataView;
  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer);
  }
}

/** Fields and values of an entry that is to be added: field 0, value 0, field 1 … */
export interface EntrySource {
  /** Twice the number of fields. */
  readonly count: number;
  /** Bytes of all fields and values. */
  readonly size: number;
  read(index: number, into: Slice): void;
}

/** When a node is full; 0 is without limit. */
export interface NodeLimits {
  readonly streamNodeMaxBytes: number;
  readonly streamNodeMaxEntries: number;
}

/** See the module's head. */
export class StreamLog implements ListpackHome {
  /** Live entries. */
  count = 0;
  /** Entries ever added. Clients may set it to anything: it is counted in 64 bits. */
  readonly added = new Int64();
  readonly lastId = new StreamId();
  readonly maxDeletedId = new StreamId();
  readonly #arena: Arena;
  readonly #order: IdOrder;
  readonly tree: OrderTree;
  readonly #outside = new SideTable<Outside>();
  #outsideBytes = 0;
  #arenaBytes = 0;
  /** On the node that was opened last. */
  readonly pack = new Listpack(this);
  #node: Ref = 0;
  /** The last node, where it is known; 0 otherwise. */
  #last: Ref = 0;
  readonly #base = new StreamId();
  readonly #ms = new Int64();
  readonly #seq = new Int64();
  readonly #part = new Slice();
  // What `#readCounts` has read: live and deleted entries, and where the number of fields lies.
  #live = 0;
  #deleted = 0;
  #fieldsAt = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#order = new IdOrder(arena);
    this.tree = new OrderTree(arena, this.#order);
    assert(this.nodeCount === 0, "a log begins without nodes");
  }

  get nodeCount(): number {
    return this.tree.count;
  }

  /** Memory outside the arena, in bytes. */
  get bytes(): number {
    assert(this.#outsideBytes >= 0, "a count of bytes is not negative");
    return LOG_OVERHEAD + this.tree.bytes + this.#outsideBytes;
  }

  /** Memory of its blocks in the arena, in bytes. */
  get arenaBytes(): number {
    assert(this.#arenaBytes >= 0, "a count of bytes is not negative");
    return this.#arenaBytes + this.tree.arenaBytes;
  }

  // Nodes

  /** Points `pack` at the node with that rank, and sets `base` to its first entry's id. */
  openNode(rank: number, base: StreamId): void {
    assert(rank >= 0 && rank < this.nodeCount, "a node that is opened is there");
    this.#open(this.tree.at(rank));
    base.copy(this.#base);
  }

  /** The rank of the last node whose first entry is not after `id`; −1 if there is none. */
  rankBefore(id: StreamId): number {
    this.#order.bound.copy(id);
    this.#order.includesEqual = true;
    return this.tree.countBefore(this.#order) - 1;
  }

  #open(node: Ref): void {
    assert(node !== 0, "ref 0 means none");
    this.#node = node;
    this.#openIn(node, this.#base, this.pack);
  }

  /** As `openNode` with a pack of the caller's, for reading: the log's own pack stays where it is. */
  openNodeIn(rank: number, base: StreamId, pack: Listpack): void {
    assert(pack !== this.pack, "the log keeps its own pack where it is");
    this.#openIn(this.tree.at(rank), base, pack);
  }

  #openIn(node: Ref, base: StreamId, pack: Listpack): void {
    const { bytes, view } = this.#arena.chunkOf(node);
    const at = offsetOf(node);
    base.read(view, at);
    const index = view.getUint32(at + STREAM_ID_BYTES, true);
    if (index === 0) return pack.open(bytes, view, at + HEAD_BYTES);
    const outside = this.#outside.get(index);
    pack.open(outside.bytes, outside.view, 0);
  }

  /** Gives the open node's listpack room for `size` bytes. */
  resize(pack: Listpack, size: number): void {
    assert(this.#node !== 0 && size > 0, "a listpack that changes its size is in the open node");
    const needed = HEAD_BYTES + size;
    const isOutside = pack.bytes !== this.#arena.chunkOf(this.#node).bytes;
    if (isOutside) {
      if (size > pack.bytes.length) this.#growOutside(pack, Math.ceil(size * 1.5));
    } else if (size > INSIDE_MAX) this.#growOutside(pack, Math.ceil(size * 1.5));
    else if (needed > this.#arena.blockSize(this.#node)) {
      this.#move(pack, Math.min(Math.max(2 * needed, ROOM_MIN), HEAD_BYTES + INSIDE_MAX));
    }
  }

  /** Moves the listpack to a longer buffer. */
  #growOutside(pack: Listpack, size: number): void {
    assert(size >= pack.size, "the new buffer holds the content");
    const grown = new Outside(new Uint8Array(size));
    grown.bytes.set(new Uint8Array(pack.bytes.buffer, pack.start, pack.size));
    const view = this.#arena.chunkOf(this.#node).view;
    const at = offsetOf(this.#node) + STREAM_ID_BYTES;
    const index = view.getUint32(at, true);
    if (index !== 0) this.#dropOutside(index);
    view.setUint32(at, this.#outside.add(grown), true);
    this.#outsideBytes += size;
    pack.open(grown.bytes, grown.view, 0);
    if (index === 0) this.#move(pack, HEAD_BYTES);
  }

  #dropOutside(index: number): void {
    const { bytes } = this.#outside.get(index);
    this.#outsideBytes -= bytes.length;
    assert(this.#outsideBytes >= 0, "a count of bytes is not negative");
    this.#outside.remove(index);
    detach(bytes);
  }

  /** Moves the open node to a block of `size` bytes, with its listpack if that lies in it. */
  #move(pack: Listpack, size: number): void {
    const node = this.#node;
    const chunk = this.#arena.chunkOf(node);
    const isOutside = pack.bytes !== chunk.bytes;
    const used = isOutside ? HEAD_BYTES : HEAD_BYTES + pack.size;
    assert(used <= size, "a node fits its new block");
    const next = this.#arena.alloc(size);
    assert(next !== node, "a node moves to another block");
    const target = this.#arena.chunkOf(next);
    target.bytes.set(
      new Uint8Array(chunk.bytes.buffer, offsetOf(node), used),
      offsetOf(next),
    );
    this.tree.replace(node, next);
    this.#arenaBytes += this.#arena.blockSize(next) - this.#arena.blockSize(node);
    this.#arena.free(node);
    if (node === this.#last) this.#last = next;
    this.#node = next;
    if (!isOutside) pack.open(target.bytes, target.view, offsetOf(next) + HEAD_BYTES);
  }

  /** Appends a node that begins with `id`. It gets the room of the node before, since it will probably get as long. */
  #addNode(id: StreamId): void {
    const before = this.tree.count === 0 ? 0 : this.#arena.blockSize(this.tree.last());
    const node = this.#arena.alloc(Math.max(before, ROOM_MIN));
    this.#arenaBytes += this.#arena.blockSize(node);
    const { view } = this.#arena.chunkOf(node);
    id.write(view, offsetOf(node));
    view.setUint32(offsetOf(node) + STREAM_ID_BYTES, 0, true);
    this.tree.insert(node);
    this.#last = node;
    this.#open(node);
    this.pack.writeEmpty();
    assert(this.pack.count === 0, "a new node is empty");
  }

  #dropNode(): void {
    assert(this.#node !== 0 && this.nodeCount > 0, "a node that is dropped is open");
    this.tree.remove(this.#node);
    this.#freeNode(this.#node);
    if (this.#node === this.#last) this.#last = 0;
    this.#node = 0;
  }

  #freeNode(node: Ref): void {
    const index = this.#arena.chunkOf(node).view.getUint32(
      offsetOf(node) + STREAM_ID_BYTES,
      true,
    );
    if (index !== 0) this.#dropOutside(index);
    this.#arenaBytes -= this.#arena.blockSize(node);
    assert(this.#arenaBytes >= 0, "a count of bytes is not negative");
    this.#arena.free(node);
  }

  /** Moves nodes that are leaving their chunks, `limit` from rank `from` on; returns whether there are more. */
  relocate(from: number, limit: number): boolean {
    assert(from >= 0 && limit > 0, "nodes are moved from one on");
    const end = Math.min(from + limit, this.nodeCount);
    for (let rank = from; rank < end; rank++) {
      const node = this.tree.at(rank);
      if (!this.#arena.isLeaving(node)) continue;
      const next = this.#arena.copyOf(node);
      this.tree.replace(node, next);
      this.#arena.free(node);
      if (node === this.#last) this.#last = next;
      // The pack points to where the node was.
      if (node === this.#node) this.#node = 0;
    }
    return end < this.nodeCount;
  }

  // Adding

  /** Adds an entry whose id is after `lastId`. */
  append(id: StreamId, source: EntrySource, limits: NodeLimits): void {
    assert(source.count >= 2 && source.count % 2 === 0, "an entry has fields with values");
    assert(id.compare(this.lastId) > 0, "ids ascend");
    const { size } = source;
    const room = ENTRY_HEAD_BYTES + size + ELEMENT_HEAD_BYTES * source.count;
    if (!this.#openLastFor(size, limits)) this.#begin(id, source, room);
    const { pack } = this;
    const fields = source.count / 2;
    const isSame = this.#hasFields(source);
    pack.replaceNumber(pack.first(), this.#live + 1);
    const sizeBefore = pack.size;
    pack.beginAdding(room);
    pack.addNumber(isSame ? EntryMark.sameFields : 0);
    id.differenceTo(this.#base, this.#ms, this.#seq);
    pack.addInt64(this.#ms);
    pack.addInt64(this.#seq);
    if (!isSame) pack.addNumber(fields);
    for (let i = isSame ? 1 : 0; i < source.count; i += isSame ? 2 : 1) this.#add(source, i);
    pack.addNumber(3 + (isSame ? fields : 1 + 2 * fields));
    pack.endAdding();
    assert(pack.size <= sizeBefore + room, "an entry takes no more room than was made");
    this.lastId.copy(id);
    this.count++;
    this.added.increment();
  }

  #add(source: EntrySource, index: number): void {
    assert(index >= 0 && index < source.count, "the index is one of a field or value");
    const part = this.#part;
    source.read(index, part);
    this.pack.add(part.bytes, part.view, part.start, part.end);
  }

  /** Opens the last node; returns false if there is none with room for fields and values of `added` bytes. */
  #openLastFor(added: number, limits: NodeLimits): boolean {
    assert(added >= 0, "the size is not negative");
    if (this.tree.count === 0) return false;
    if (this.#node === 0 || this.#node !== this.#last) {
      this.#last = this.tree.last();
      this.#open(this.#last);
    }
    const { pack } = this;
    const { streamNodeMaxBytes, streamNodeMaxEntries } = limits;
    const size = pack.size + added;
    this.#readCounts();
    const isFull = size >= (streamNodeMaxBytes || NODE_BYTES_MAX) ||
      (streamNodeMaxEntries > 0 && this.#live + this.#deleted >= streamNodeMaxEntries);
    // A full node does not grow any more: free its spare room.
    if (isFull && pack.bytes === this.#arena.chunkOf(this.#node).bytes) {
      const needed = HEAD_BYTES + pack.size;
      if (this.#arena.blockSize(this.#node) > needed + (needed >> 3)) this.#move(pack, needed);
    }
    return !isFull;
  }

  /** Begins a node whose fields' names are those of `source`; they take `room` at most. */
  #begin(id: StreamId, source: EntrySource, room: number): void {
    assert(room > 0, "the room is positive");
    this.#addNode(id);
    const { pack } = this;
    pack.beginAdding(room);
    pack.addNumber(0);
    pack.addNumber(0);
    pack.addNumber(source.count / 2);
    for (let i = 0; i < source.count; i += 2) this.#add(source, i);
    pack.addNumber(0);
    pack.endAdding();
    this.#readCounts();
  }

  /** Reads what the open node begins with. */
  #readCounts(): void {
    const { pack } = this;
    const first = pack.first();
    const second = pack.next(first);
    this.#live = pack.readNumber(first);
    this.#deleted = pack.readNumber(second);
    assert(this.#live >= 0 && this.#deleted >= 0, "the counts are not negative");
    this.#fieldsAt = pack.next(second);
  }

  /** Whether the open node's fields, at `#fieldsAt`, are those of `source`. */
  #hasFields(source: EntrySource): boolean {
    assert(this.#fieldsAt > 0, "the node's fields were found");
    const { pack } = this;
    const part = this.#part;
    let at = this.#fieldsAt;
    if (pack.readNumber(at) !== source.count / 2) return false;
    for (let i = 0; i < source.count; i += 2) {
      at = pack.next(at);
      source.read(i, part);
      if (!pack.same(at, part.bytes, part.start, part.end)) return false;
    }
    return true;
  }

  // Removing

  /** Removes the entry with that id; returns whether it was there. */
  remove(id: StreamId): boolean {
    const cursor = removal;
    cursor.seek(this, id, id, false);
    if (!cursor.next()) return false;
    assert(this.count > 0, "the log is not empty");
    if (id.compare(this.maxDeletedId) > 0) this.maxDeletedId.copy(id);
    this.#delete(cursor.entryAt);
    return true;
  }

  /** Marks the entry at `at` of the open node as deleted. */
  #delete(at: number): void {
    assert(at > 0 && this.#node !== 0, "an entry that is deleted is in the open node");
    const { pack } = this;
    const first = pack.first();
    const live = pack.readNumber(first) - 1;
    assert(live >= 0 && this.count > 0, "the counts are not negative");
    this.count--;
    if (live === 0) return this.#dropNode();
    pack.replaceNumber(at, pack.readNumber(at) | EntryMark.deleted);
    // These two may change their sizes, which moves what stands behind.
    pack.replaceNumber(first, live);
    const deleted = pack.next(first);
    pack.replaceNumber(deleted, pack.readNumber(deleted) + 1);
  }

  /**
   * Removes entries from the front until `bound` keeps the first one; if `isRough` whole nodes only, of
   * at most `limit` entries in all (0: without limit). Returns how many were removed.
   */
  trim(bound: TrimBound, isRough: boolean, limit: number): number {
    assert(limit >= 0, "the limit is not negative");
    const before = this.count;
    while (this.count > 0) {
      this.#open(this.tree.at(0));
      const { pack } = this;
      const live = pack.readNumber(pack.first());
      assert(live > 0, "a node has live entries");
      if (limit > 0 && before - this.count + live > limit) break;
      if (bound.takesNode(this, live)) {
        this.count -= live;
        this.#dropNode();
        continue;
      }
      if (!isRough) this.#trimFirst(bound);
      break;
    }
    return before - this.count;
  }

  /** Removes entries of the first node, which keeps at least one. */
  #trimFirst(bound: TrimBound): void {
    assert(this.nodeCount > 0, "there is a node");
    while (this.count > 0) {
      removal.seek(this, FIRST_ID, LAST_ID, false);
      removal.next();
      if (!bound.takesEntry(this, removal.id)) return;
      this.#delete(removal.entryAt);
    }
  }

  /** Whether the last entry of the open node comes before `id`. */
  endsBefore(id: StreamId): boolean {
    assert(this.#node !== 0, "a node is open");
    const { pack } = this;
    let at = pack.last();
    for (let left = pack.readNumber(at); left > 0; left--) at = pack.previous(at);
    const last = removal.id;
    this.readId(at, this.#base, last);
    return last.compare(id) < 0;
  }

  /** Sets `id` to the id of the entry at `at` of the open node. */
  readId(at: number, base: StreamId, id: StreamId): void {
    assert(at > 0, "the position is not 0");
    const { pack } = this;
    const ms = pack.next(at);
    pack.readInt64(ms, this.#ms);
    pack.readInt64(pack.next(ms), this.#seq);
    id.setAfter(base, this.#ms, this.#seq);
  }

  /** Sets `id` to the first entry's id, or to 0-0 if there is none. */
  readFirstId(id: StreamId): void {
    removal.seek(this, FIRST_ID, LAST_ID, false);
    if (removal.next()) id.copy(removal.id);
    else id.clear();
  }

  /** Sets `id` to the last live entry's id, or to 0-0 if there is none. */
  readTopId(id: StreamId): void {
    removal.seek(this, FIRST_ID, LAST_ID, true);
    if (removal.next()) id.copy(removal.id);
    else id.clear();
  }

  // Whole logs

  /**
   * Adds a node as it was saved, behind the others: `pack`, which is not of this log, with `first`, the id of its
   * first entry. Returns false if it is not such a node: then the log is good for nothing but to be released. `count`
   * grows by its live entries.
   */
  restoreNode(first: StreamId, pack: Listpack): boolean {
    assert(pack !== this.pack, "a node that is added is not of this log");
    const live = nodeEntries(pack);
    if (live === 0) return false;
    if (this.tree.count > 0) {
      this.readTopId(restored);
      if (restored.compare(first) >= 0) return false;
      this.#order.bound.copy(first);
      this.#order.includesEqual = false;
      if (this.tree.countBefore(this.#order) < this.tree.count) return false;
    }
    this.#addNode(first);
    this.resize(this.pack, pack.size);
    const from = pack.bytes.byteOffset + pack.start;
    this.pack.bytes.set(new Uint8Array(pack.bytes.buffer, from, pack.size), this.pack.start);
    this.count += live;
    return this.#isAscendingFrom(first, live);
  }

  /** Whether the last node, which begins with `first`, has `live` live entries in the order of their ids. */
  #isAscendingFrom(first: StreamId, live: number): boolean {
    assert(live > 0, "a node has live entries");
    assert(this.tree.count > 0, "there is a last node");
    restored.copy(first);
    let seen = 0;
    // The cursor passes over ids before the first: then it shows fewer.
    removal.seek(this, first, LAST_ID, false);
    for (; removal.next(); seen++) {
      const order = removal.id.compare(restored);
      if (order < 0 || (order === 0 && seen > 0)) return false;
      restored.copy(removal.id);
    }
    return seen === live;
  }

  clone(): StreamLog {
    const twin = new StreamLog(this.#arena);
    for (let rank = 0; rank < this.tree.count; rank++) {
      this.openNode(rank, twin.#base);
      twin.#addNode(this.#base);
      const { pack } = this;
      twin.resize(twin.pack, pack.size);
      twin.pack.bytes.set(
        new Uint8Array(pack.bytes.buffer, pack.start, pack.size),
        twin.pack.start,
      );
    }
    twin.count = this.count;
    assert(twin.nodeCount === this.nodeCount, "a copy has all nodes");
    twin.added.copy(this.added);
    twin.lastId.copy(this.lastId);
    twin.maxDeletedId.copy(this.maxDeletedId);
    return twin;
  }

  /** Frees about `limit` nodes of a log that is not used any more; returns whether all are freed. */
  release(limit: number): boolean {
    assert(limit > 0, "the limit is positive");
    for (let left = limit; left > 0 && this.tree.count > 0; left--) {
      this.#node = this.tree.last();
      this.#dropNode();
    }
    return this.tree.count === 0 && this.tree.release(limit);
  }

  /** Frees its memory outside the arena, when the arena and the log are not used any more. */
  dispose(): void {
    for (const { bytes } of this.#outside.takeAll()) detach(bytes);
  }

  /** Throws unless the invariants at the module's head hold. O(n). */
  verify(): void {
    this.tree.verify();
    const cursor = new LogCursor();
    const from = new StreamId();
    cursor.seek(this, FIRST_ID, LAST_ID, false);
    let count = 0;
    while (cursor.next()) {
      assert(count === 0 || from.compare(cursor.id) < 0, "ids ascend");
      from.copy(cursor.id);
      count++;
    }
    assert(count === this.count, "the count is that of the live entries");
    assert(from.compare(this.lastId) <= 0, "no id is after the last");
    for (let rank = 0; rank < this.tree.count; rank++) {
      this.openNode(rank, from);
      this.pack.verify();
      assert(this.pack.readNumber(this.pack.first()) > 0, "a node has live entries");
    }
  }
}

/** Live entries of a node, 0 if its elements are not those of one. */
function nodeEntries(pack: Listpack): number {
  assert(pack.size >= EMPTY_LISTPACK_BYTES, "a listpack has a header and an end");
  const integerAt = (at: number): number => {
    if (at === 0 || !pack.isInteger(at)) return -1;
    return pack.readNumber(at);
  };
  const skip = (at: number, count: number): number => {
    for (let left = count; left > 0 && at !== 0; left--) at = pack.next(at);
    return at;
  };
  const first = pack.first();
  const live = integerAt(first);
  const deletedAt = skip(first, 1);
  const deleted = integerAt(deletedAt);
  const namesAt = skip(deletedAt, 1);
  const names = integerAt(namesAt);
  if (live < 1 || deleted < 0 || names < 1) return 0;
  const masterEnd = skip(namesAt, names + 1);
  if (integerAt(masterEnd) !== 0) return 0;
  let seenLive = 0;
  let seen = 0;
  for (let at = pack.next(masterEnd); at !== 0; seen++) {
    const mark = integerAt(at);
    const ms = skip(at, 1);
    const seq = skip(ms, 1);
    if (mark < 0 || ms === 0 || !pack.isInteger(ms) || seq === 0 || !pack.isInteger(seq)) return 0;
    const isSame = (mark & EntryMark.sameFields) !== 0;
    const countAt = skip(seq, 1);
    const fields = isSame ? names : integerAt(countAt);
    if (fields < 0) return 0;
    const lengthAt = isSame ? skip(countAt, fields) : skip(countAt, 2 * fields + 1);
    if (integerAt(lengthAt) !== 3 + (isSame ? fields : 1 + 2 * fields)) return 0;
    if ((mark & EntryMark.deleted) === 0) seenLive++;
    at = pack.next(lengthAt);
  }
  return seenLive === live && seen === live + deleted ? live : 0;
}

/** Without a limit a node ends here all the same. */
const NODE_BYTES_MAX = 2 ** 30;

/** Which entries are removed when a stream is trimmed. */
export interface TrimBound {
  /** Whether all `live` entries of the open node, which is the first, are removed. */
  takesNode(log: StreamLog, live: number): boolean;
  takesEntry(log: StreamLog, id: StreamId): boolean;
}

/**
 * Reads the live entries with ids from one to another, in either direction. The log must not change meanwhile.
 *
 * After `next` the cursor is on an entry: `id`, `fieldCount`, and `fieldCount` calls of `nextPair`.
 */
export class LogCursor implements Scratch {
  readonly id = new StreamId();
  fieldCount = 0;
  /** Where the entry begins in its node. */
  entryAt = 0;
  #log: StreamLog | null = null;
  readonly #base = new StreamId();
  readonly #from = new StreamId();
  readonly #to = new StreamId();
  #isReversed = false;
  #rank = 0;
  /** Where the next entry begins or, if reversed, its last element; 0 at the end of the node. */
  #at = 0;
  #isNodeOpen = false;
  #pairAt = 0;
  #nameAt = 0;

  forget(): void {
    this.#log = null;
  }

  seek(log: StreamLog, from: StreamId, to: StreamId, isReversed: boolean): void {
    this.#log = log;
    this.#from.copy(from);
    this.#to.copy(to);
    this.#isReversed = isReversed;
    this.#isNodeOpen = false;
    const rank = log.rankBefore(isReversed ? to : from);
    this.#rank = isReversed ? rank : Math.max(rank, 0);
    assert(this.#rank >= 0 || isReversed, "a walk upwards begins at a node");
  }

  /**
   * Goes to the entry with that id; returns false if there is none. Since `seek`, upwards, the log must not have changed.
   * If ids ascend from call to call, the entries of a node are read once, not up to the wanted one each time.
   */
  advance(id: StreamId): boolean {
    assert(this.#log !== null && !this.#isReversed, "the cursor walks upwards");
    this.#from.copy(id);
    this.#to.copy(id);
    const rank = Math.max(this.#log.rankBefore(id), 0);
    const isAhead = this.#isNodeOpen && rank === this.#rank && this.id.compare(id) < 0;
    if (!isAhead) {
      this.#rank = rank;
      this.#isNodeOpen = false;
    }
    return this.next();
  }

  /** Goes to the next entry; returns false at the end. */
  next(): boolean {
    const log = this.#log;
    if (log === null) return false;
    while (this.#rank >= 0 && this.#rank < log.nodeCount) {
      if (!this.#isNodeOpen) this.#openNode(log);
      // Another cursor may have opened another node meanwhile.
      else log.openNode(this.#rank, this.#base);
      while (this.#at !== 0) {
        const mark = this.#step(log);
        if (this.#isReversed ? this.id.compare(this.#to) > 0 : this.id.compare(this.#from) < 0) {
          continue;
        }
        if (this.#isReversed ? this.id.compare(this.#from) < 0 : this.id.compare(this.#to) > 0) {
          this.#rank = -1;
          return false;
        }
        if ((mark & EntryMark.deleted) === 0) return true;
      }
      this.#rank += this.#isReversed ? -1 : 1;
      this.#isNodeOpen = false;
    }
    return false;
  }

  #openNode(log: StreamLog): void {
    assert(this.#rank >= 0 && this.#rank < log.nodeCount, "a node that is opened is there");
    log.openNode(this.#rank, this.#base);
    const { pack } = log;
    this.#isNodeOpen = true;
    if (this.#isReversed) {
      this.#at = pack.last();
      return;
    }
    let at = pack.next(pack.next(pack.first()));
    for (let left = pack.readNumber(at) + 2; left > 0; left--) at = pack.next(at);
    this.#at = at;
  }

  /** Reads the entry at hand and moves on; returns its flags. */
  #step(log: StreamLog): number {
    assert(this.#at > 0, "the position is not 0");
    const { pack } = log;
    let at = this.#at;
    if (this.#isReversed) {
      for (let left = pack.readNumber(at); left > 0; left--) at = pack.previous(at);
      // The element before it is the length of the entry before, or the 0 that ends the node's names.
      const before = pack.previous(at);
      this.#at = pack.readNumber(before) === 0 ? 0 : before;
    }
    const mark = pack.readNumber(at);
    this.entryAt = at;
    log.readId(at, this.#base, this.id);
    const head = pack.next(pack.next(at));
    let elements: number;
    if ((mark & EntryMark.sameFields) !== 0) {
      const names = pack.next(pack.next(pack.first()));
      this.fieldCount = pack.readNumber(names);
      this.#nameAt = names;
      this.#pairAt = head;
      elements = this.fieldCount;
    } else {
      this.#pairAt = pack.next(head);
      this.fieldCount = pack.readNumber(this.#pairAt);
      this.#nameAt = 0;
      elements = 2 * this.fieldCount;
    }
    assert(this.fieldCount > 0, "an entry has fields");
    if (!this.#isReversed) {
      at = this.#pairAt;
      for (let left = elements + 2; left > 0; left--) at = pack.next(at);
      this.#at = at;
    }
    return mark;
  }

  /** Reads the entry's next field and value. */
  nextPair(field: Slice, value: Slice): void {
    assert(
      this.#pairAt > 0 && field !== value,
      "the cursor is on an entry, and the slices differ",
    );
    assert(this.#log !== null, "a cursor is on an entry");
    const { pack } = this.#log;
    if (this.#nameAt !== 0) {
      this.#nameAt = pack.next(this.#nameAt);
      pack.read(this.#nameAt, field);
    } else {
      this.#pairAt = pack.next(this.#pairAt);
      pack.read(this.#pairAt, field);
    }
    this.#pairAt = pack.next(this.#pairAt);
    pack.read(this.#pairAt, value);
  }
}

// scratch: lives for one call
const removal = scratch(new LogCursor());
// scratch: lives for one call
const restored = new StreamId();
