/**
 * The consumer groups of a stream: who reads, how far the group is, and which entries were delivered but not
 * acknowledged.
 *
 * ```
 * pending entry   16-byte id · f64 delivered, Unix ms · i64 deliveries · u32 consumer
 * ```
 *
 * Deliveries and entries read are counted as Redis does it, in 64 bits: clients may set them to anything.
 * Pending entries are blocks of the arena, each in two order trees: its group's and its consumer's.
 * Costs: finding, adding, removing O(log pending); 40 bytes a pending entry and 10 to 14 of the trees.
 */
import { assert } from "../lib/assert.ts";
import { Int64 } from "../lib/decimal.ts";
import { type Arena, offsetOf, type Ref } from "./arena.ts";
import { OrderTree } from "./order_tree.ts";
import { SideTable } from "./side_table.ts";
import { STREAM_ID_BYTES, StreamId } from "./stream_id.ts";
import { IdOrder } from "./stream_log.ts";
import type { Hasher } from "../lib/hash.ts";
import { NameMap } from "./name_map.ts";

const DELIVERED = STREAM_ID_BYTES;
const DELIVERIES = STREAM_ID_BYTES + 8;
const CONSUMER = STREAM_ID_BYTES + 16;
const PENDING_BYTES = STREAM_ID_BYTES + 20;

const GROUP_OVERHEAD = 2500;
const CONSUMER_OVERHEAD = 1700;

const ONCE = Int64.of(1);

/** Marks `count`, of entries that a group has read, as unknown. */
export function setUnknown(count: Int64): void {
  count.set(-1, -1);
}

export function isUnknown(count: Int64): boolean {
  return count.hi === -1 && count.lo === -1;
}

/** Entries delivered and not acknowledged, by id: a group's, or a consumer's. */
export class PendingList {
  readonly tree: OrderTree;

  constructor(readonly arena: Arena, readonly order: IdOrder) {
    assert(order.arena === arena, "entries lie in the arena of their order");
    this.tree = new OrderTree(arena, order);
  }

  get count(): number {
    return this.tree.count;
  }

  /** How many come before `id`. */
  rankOf(id: StreamId): number {
    this.order.bound.copy(id);
    this.order.includesEqual = false;
    return this.tree.countBefore(this.order);
  }

  /** The one with that rank, 0 to count − 1. */
  at(rank: number): Ref {
    assert(rank >= 0 && rank < this.count, "the rank is less than the count");
    return this.tree.at(rank);
  }

  find(id: StreamId): Ref {
    const rank = this.rankOf(id);
    assert(rank <= this.count, "the rank is at most the count");
    if (rank === this.tree.count) return 0;
    const ref = this.tree.at(rank);
    return id.compareAt(this.arena.chunkOf(ref).view, offsetOf(ref)) === 0 ? ref : 0;
  }
}

/** A consumer reads for a group. */
export class Consumer {
  readonly pending: PendingList;
  /** When it last sent a command, in Unix ms. */
  seenMs: number;
  /** When it last got an entry, in Unix ms; −1 if never. */
  activeMs = -1;
  /** Its number in pending entries; the group gives it. */
  index = 0;

  constructor(
    /** One character for each byte. */
    readonly name: string,
    nowMs: number,
    order: IdOrder,
  ) {
    this.seenMs = nowMs;
    this.pending = new PendingList(order.arena, order);
  }
}

export class ConsumerGroup {
  readonly lastId = new StreamId();
  /** Entries read since the stream began, where that is known: see `isUnknown`. */
  readonly entriesRead = new Int64();
  readonly pending: PendingList;
  readonly #consumers: NameMap<Consumer>;
  readonly #byIndex = new SideTable<Consumer>();
  readonly #arena: Arena;
  readonly #count = new Int64();
  #pendingBytes = 0;

  /** `name` has one character for each byte. */
  constructor(readonly name: string, readonly order: IdOrder, hasher: Hasher) {
    this.#consumers = new NameMap(hasher);
    setUnknown(this.entriesRead);
    this.#arena = order.arena;
    this.pending = new PendingList(order.arena, order);
  }

  get consumerCount(): number {
    assert(this.#byIndex.size === this.#consumers.size, "every consumer has a number");
    return this.#consumers.size;
  }

  /** By name. */
  consumers(): Consumer[] {
    return sortedByName(this.#consumers.values());
  }

  consumer(name: string): Consumer | undefined {
    return this.#consumers.get(name);
  }

  addConsumer(name: string, nowMs: number): Consumer {
    assert(!this.#consumers.has(name), "a consumer that is added is new");
    const consumer = new Consumer(name, nowMs, this.order);
    consumer.index = this.#byIndex.add(consumer);
    assert(consumer.index > 0, "a consumer has a number");
    this.#consumers.set(name, consumer);
    assert(this.#consumers.size === this.#byIndex.size, "every consumer has a number");
    return consumer;
  }

  /** Removes a consumer with what is pending for it. */
  removeConsumer(consumer: Consumer): void {
    assert(consumer.index > 0, "a consumer has a number");
    assert(
      this.#consumers.get(consumer.name) === consumer,
      "a consumer that is removed is of this group",
    );
    while (consumer.pending.count > 0) this.remove(consumer.pending.tree.last());
    assert(consumer.pending.count === 0, "a removed consumer has no pending entries");
    consumer.pending.tree.release(1);
    this.#byIndex.remove(consumer.index);
    this.#consumers.delete(consumer.name);
    assert(!this.#consumers.has(consumer.name), "a consumer that was removed is gone");
  }

  // Pending entries

  /** Makes an entry pending, which was delivered once unless `deliveries` says how often. */
  add(id: StreamId, consumer: Consumer, deliveredMs: number, deliveries = ONCE): Ref {
    assert(deliveredMs === deliveredMs, "a delivery has a time");
    assert(
      this.#byIndex.get(consumer.index) === consumer,
      "an entry is pending for a consumer of this group",
    );
    const ref = this.#arena.alloc(PENDING_BYTES);
    this.#pendingBytes += this.#arena.blockSize(ref);
    const { view } = this.#arena.chunkOf(ref);
    const at = offsetOf(ref);
    id.write(view, at);
    view.setUint32(at + CONSUMER, consumer.index, true);
    this.setDelivery(ref, deliveredMs, deliveries);
    this.pending.tree.insert(ref);
    consumer.pending.tree.insert(ref);
    return ref;
  }

  remove(ref: Ref): void {
    assert(ref !== 0 && this.pending.count > 0, "an entry that is removed is pending");
    this.pending.tree.remove(ref);
    this.consumerOf(ref).pending.tree.remove(ref);
    this.#pendingBytes -= this.#arena.blockSize(ref);
    assert(this.#pendingBytes >= 0, "a count of bytes is not negative");
    this.#arena.free(ref);
  }

  /** Gives a pending entry to another consumer. */
  assign(ref: Ref, consumer: Consumer): void {
    assert(ref !== 0, "ref 0 means none");
    assert(
      this.#byIndex.get(consumer.index) === consumer,
      "an entry is given to a consumer of this group",
    );
    const owner = this.consumerOf(ref);
    if (owner === consumer) return;
    owner.pending.tree.remove(ref);
    this.#arena.chunkOf(ref).view.setUint32(offsetOf(ref) + CONSUMER, consumer.index, true);
    consumer.pending.tree.insert(ref);
  }

  consumerOf(ref: Ref): Consumer {
    assert(ref !== 0, "ref 0 means none");
    return this.#byIndex.get(
      this.#arena.chunkOf(ref).view.getUint32(offsetOf(ref) + CONSUMER, true),
    );
  }

  readId(ref: Ref, id: StreamId): void {
    assert(ref !== 0, "ref 0 means none");
    id.read(this.#arena.chunkOf(ref).view, offsetOf(ref));
  }

  deliveredMs(ref: Ref): number {
    assert(ref !== 0, "ref 0 means none");
    return this.#arena.chunkOf(ref).view.getFloat64(offsetOf(ref) + DELIVERED, true);
  }

  readDeliveries(ref: Ref, into: Int64): void {
    assert(into !== ONCE, "the constant is not written to");
    assert(ref !== 0, "ref 0 means none");
    const { view } = this.#arena.chunkOf(ref);
    const at = offsetOf(ref) + DELIVERIES;
    into.set(view.getInt32(at + 4, true), view.getInt32(at, true));
  }

  setDelivery(ref: Ref, deliveredMs: number, deliveries = ONCE): void {
    assert(ref !== 0 && deliveredMs === deliveredMs, "a delivery has an entry and a time");
    const { view } = this.#arena.chunkOf(ref);
    const at = offsetOf(ref);
    view.setFloat64(at + DELIVERED, deliveredMs, true);
    view.setInt32(at + DELIVERIES, deliveries.lo, true);
    view.setInt32(at + DELIVERIES + 4, deliveries.hi, true);
  }

  /** Notes another delivery; `isCounted` is false where only the id was asked for. */
  deliverAgain(ref: Ref, deliveredMs: number, isCounted = true): void {
    assert(ref !== 0, "ref 0 means none");
    assert(this.pending.count > 0, "an entry that is delivered again is pending");
    this.readDeliveries(ref, this.#count);
    if (isCounted) this.#count.increment();
    this.setDelivery(ref, deliveredMs, this.#count);
  }

  // Memory

  /** Moves entries that are leaving their chunks, `limit` at most from rank `from` on. */
  relocate(from: number, limit: number): void {
    assert(from >= 0 && from < this.pending.count, "there is an entry from which to move");
    const end = Math.min(from + limit, this.pending.count);
    for (let rank = from; rank < end; rank++) {
      const ref = this.pending.at(rank);
      if (!this.#arena.isLeaving(ref)) continue;
      const next = this.#arena.copyOf(ref);
      this.pending.tree.replace(ref, next);
      this.consumerOf(ref).pending.tree.replace(ref, next);
      this.#arena.free(ref);
    }
  }

  /** Those of its pending entries, and of its consumers', in no order. */
  *trees(): Generator<OrderTree> {
    yield this.pending.tree;
    for (const { pending } of this.#consumers.values()) yield pending.tree;
  }

  get bytes(): number {
    return GROUP_OVERHEAD + CONSUMER_OVERHEAD * this.#consumers.size;
  }

  /** O(consumers). */
  get arenaBytes(): number {
    assert(this.#pendingBytes >= 0, "a count of bytes is not negative");
    let sum = this.#pendingBytes + this.pending.tree.arenaBytes;
    for (const { pending } of this.#consumers.values()) sum += pending.tree.arenaBytes;
    return sum;
  }

  copyTo(twin: ConsumerGroup): void {
    assert(twin !== this && twin.consumerCount === 0, "a copy is made of an empty group");
    twin.lastId.copy(this.lastId);
    twin.entriesRead.copy(this.entriesRead);
    const id = new StreamId();
    for (const consumer of this.#consumers.values()) {
      const copy = twin.addConsumer(consumer.name, consumer.seenMs);
      copy.activeMs = consumer.activeMs;
      for (let rank = 0; rank < consumer.pending.count; rank++) {
        const ref = consumer.pending.at(rank);
        this.readId(ref, id);
        this.readDeliveries(ref, this.#count);
        twin.add(id, copy, this.deliveredMs(ref), this.#count);
      }
    }
    assert(twin.pending.count === this.pending.count, "a copy has all pending entries");
  }

  /** Frees about `limit` pending entries of a group that is not used any more; returns whether all are freed. */
  release(limit: number): boolean {
    assert(limit > 0, "the limit is positive");
    for (let left = limit; left > 0 && this.pending.count > 0; left--) {
      this.remove(this.pending.tree.last());
    }
    if (this.pending.count > 0) return false;
    assert(this.#pendingBytes === 0, "no pending entry is left");
    for (const consumer of this.#consumers.values()) consumer.pending.tree.release(1);
    this.#consumers.clear();
    return this.pending.tree.release(limit);
  }

  /** Throws unless every pending entry is in both its trees. O(n). */
  verify(): void {
    assert(this.#byIndex.size === this.#consumers.size, "every consumer has a number");
    this.pending.tree.verify();
    let sum = 0;
    for (const consumer of this.#consumers.values()) {
      consumer.pending.tree.verify();
      sum += consumer.pending.count;
    }
    assert(sum === this.pending.count, "a pending entry has one consumer");
  }
}

export class ConsumerGroups {
  readonly #groups: NameMap<ConsumerGroup>;
  readonly #order: IdOrder;
  readonly #hasher: Hasher;

  constructor(arena: Arena, hasher: Hasher) {
    this.#groups = new NameMap(hasher);
    this.#hasher = hasher;
    this.#order = new IdOrder(arena);
  }

  get count(): number {
    return this.#groups.size;
  }

  /** By name. */
  all(): ConsumerGroup[] {
    return sortedByName(this.#groups.values());
  }

  find(name: string): ConsumerGroup | undefined {
    return this.#groups.get(name);
  }

  add(name: string): ConsumerGroup {
    assert(!this.#groups.has(name), "a group that is added is new");
    const group = new ConsumerGroup(name, this.#order, this.#hasher);
    this.#groups.set(name, group);
    return group;
  }

  /** Removes a group; the caller releases its memory. */
  remove(group: ConsumerGroup): void {
    assert(this.#groups.get(group.name) === group, "a group that is removed is of this stream");
    this.#groups.delete(group.name);
    assert(!this.#groups.has(group.name), "a group that was removed is gone");
  }

  /**
   * Moves pending entries that are leaving their chunks, `limit` at most from place `from` on, counted over all groups; returns
   * the place of the rest, or −1. O(groups) beside those.
   */
  relocate(from: number, limit: number): number {
    assert(from >= 0 && limit > 0, "entries are moved from one on");
    let at = from;
    let end = 0;
    for (const group of this.#groups.values()) {
      const first = end;
      end += group.pending.count;
      if (at >= end) continue;
      const next = Math.min(from + limit, end);
      if (at < next) group.relocate(at - first, next - at);
      at = next;
      if (at < end) return at;
    }
    return -1;
  }

  /** The same for the nodes of the trees over them, in O(groups + consumers). An empty tree has a node, too. */
  relocateTrees(from: number, limit: number): number {
    assert(from >= 0 && limit > 0, "nodes are moved from one on");
    let at = from;
    let end = 0;
    for (const group of this.#groups.values()) {
      for (const tree of group.trees()) {
        const first = end;
        end += tree.count + 1;
        if (at >= end) continue;
        if (at >= from + limit) return at;
        const rest = tree.relocate(at - first, limit);
        if (rest > 0) return first + rest - 1;
        at = end;
      }
    }
    return -1;
  }

  /** Entries pending in all groups. O(groups). */
  get pendingCount(): number {
    let sum = 0;
    for (const group of this.#groups.values()) sum += group.pending.count;
    return sum;
  }

  /** O(groups). */
  get bytes(): number {
    let sum = 0;
    for (const group of this.#groups.values()) sum += group.bytes;
    return sum;
  }

  /** O(consumers). */
  get arenaBytes(): number {
    let sum = 0;
    for (const group of this.#groups.values()) sum += group.arenaBytes;
    return sum;
  }

  copyTo(twin: ConsumerGroups): void {
    assert(twin !== this && twin.count === 0, "a copy is made of no groups");
    for (const group of this.#groups.values()) group.copyTo(twin.add(group.name));
    assert(twin.count === this.count, "a copy has all groups");
    assert(twin.pendingCount === this.pendingCount, "a copy has all pending entries");
  }

  /** As ConsumerGroup.release, group by group. */
  release(limit: number): boolean {
    assert(limit > 0, "the limit is positive");
    for (const group of this.#groups.values()) {
      if (!group.release(limit)) return false;
      this.#groups.delete(group.name);
    }
    return true;
  }
}

function sortedByName<T extends { readonly name: string }>(items: Iterable<T>): T[] {
  return [...items].sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}
