/**
 * The consumer groups of a stream: who reads, how far the group is, and which entries were delivered but not
 * acknowledged.
 *
 * ```
 * pending entry   16-byte id · f64 delivered, Unix ms · f64 deliveries · u32 consumer
 * ```
 *
 * Pending entries are blocks of the arena, each in two order trees: its group's and its consumer's.
 * Costs: finding, adding, removing O(log pending); 40 bytes a pending entry and 10 to 14 of the trees.
 */
import { type Arena, offsetOf, type Ref } from "./arena.ts";
import { OrderTree } from "./order_tree.ts";
import { SideTable } from "./side_table.ts";
import { STREAM_ID_BYTES, StreamId } from "./stream_id.ts";
import { IdOrder } from "./stream_log.ts";

const DELIVERED = STREAM_ID_BYTES;
const DELIVERIES = STREAM_ID_BYTES + 8;
const CONSUMER = STREAM_ID_BYTES + 16;
const PENDING_BYTES = STREAM_ID_BYTES + 20;

const GROUP_OVERHEAD = 900;
const CONSUMER_OVERHEAD = 500;

/** Nobody knows how many entries the group has read. */
export const UNKNOWN_READ = -1;

/** Entries delivered and not acknowledged, by id: a group's, or a consumer's. */
export class PendingList {
  readonly tree: OrderTree;

  constructor(readonly arena: Arena, readonly order: IdOrder) {
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
    return this.tree.at(rank);
  }

  find(id: StreamId): Ref {
    const rank = this.rankOf(id);
    if (rank === this.tree.count) return 0;
    const ref = this.tree.at(rank);
    return id.compareAt(this.arena.chunkOf(ref).view, offsetOf(ref)) === 0 ? ref : 0;
  }
}

/** One who reads for a group. */
export class Consumer {
  readonly pending: PendingList;
  /** When it last tried something, in Unix ms. */
  seenMs: number;
  /** When it last got something; −1 if never. */
  activeMs = -1;
  /** Its number in pending entries; the group gives it. */
  index = 0;

  constructor(
    /** A character a byte. */
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
  /** Entries read since the stream began, or `UNKNOWN_READ`. */
  entriesRead = UNKNOWN_READ;
  readonly pending: PendingList;
  readonly #consumers = new Map<string, Consumer>();
  readonly #byIndex = new SideTable<Consumer>();
  readonly #arena: Arena;
  #pendingBytes = 0;

  /** `name`: a character a byte. */
  constructor(readonly name: string, readonly order: IdOrder) {
    this.#arena = order.arena;
    this.pending = new PendingList(order.arena, order);
  }

  get consumerCount(): number {
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
    const consumer = new Consumer(name, nowMs, this.order);
    consumer.index = this.#byIndex.add(consumer);
    this.#consumers.set(name, consumer);
    return consumer;
  }

  /** Removes a consumer with what is pending for it. */
  removeConsumer(consumer: Consumer): void {
    while (consumer.pending.count > 0) this.remove(consumer.pending.tree.last());
    consumer.pending.tree.release(1);
    this.#byIndex.remove(consumer.index);
    this.#consumers.delete(consumer.name);
  }

  // Pending entries

  add(id: StreamId, consumer: Consumer, deliveredMs: number, deliveries: number): Ref {
    const ref = this.#arena.alloc(PENDING_BYTES);
    this.#pendingBytes += this.#arena.blockSize(ref);
    const { view } = this.#arena.chunkOf(ref);
    const at = offsetOf(ref);
    id.write(view, at);
    view.setFloat64(at + DELIVERED, deliveredMs, true);
    view.setFloat64(at + DELIVERIES, deliveries, true);
    view.setUint32(at + CONSUMER, consumer.index, true);
    this.pending.tree.insert(ref);
    consumer.pending.tree.insert(ref);
    return ref;
  }

  remove(ref: Ref): void {
    this.pending.tree.remove(ref);
    this.consumerOf(ref).pending.tree.remove(ref);
    this.#pendingBytes -= this.#arena.blockSize(ref);
    this.#arena.free(ref);
  }

  /** Gives a pending entry to another consumer. */
  assign(ref: Ref, consumer: Consumer): void {
    const owner = this.consumerOf(ref);
    if (owner === consumer) return;
    owner.pending.tree.remove(ref);
    this.#arena.chunkOf(ref).view.setUint32(offsetOf(ref) + CONSUMER, consumer.index, true);
    consumer.pending.tree.insert(ref);
  }

  consumerOf(ref: Ref): Consumer {
    return this.#byIndex.get(
      this.#arena.chunkOf(ref).view.getUint32(offsetOf(ref) + CONSUMER, true),
    );
  }

  readId(ref: Ref, id: StreamId): void {
    id.read(this.#arena.chunkOf(ref).view, offsetOf(ref));
  }

  deliveredMs(ref: Ref): number {
    return this.#arena.chunkOf(ref).view.getFloat64(offsetOf(ref) + DELIVERED, true);
  }

  deliveries(ref: Ref): number {
    return this.#arena.chunkOf(ref).view.getFloat64(offsetOf(ref) + DELIVERIES, true);
  }

  setDelivery(ref: Ref, deliveredMs: number, deliveries: number): void {
    const { view } = this.#arena.chunkOf(ref);
    view.setFloat64(offsetOf(ref) + DELIVERED, deliveredMs, true);
    view.setFloat64(offsetOf(ref) + DELIVERIES, deliveries, true);
  }

  // Memory

  get bytes(): number {
    return GROUP_OVERHEAD + CONSUMER_OVERHEAD * this.#consumers.size;
  }

  /** O(consumers). */
  get arenaBytes(): number {
    let sum = this.#pendingBytes + this.pending.tree.arenaBytes;
    for (const { pending } of this.#consumers.values()) sum += pending.tree.arenaBytes;
    return sum;
  }

  copyTo(twin: ConsumerGroup): void {
    twin.lastId.copy(this.lastId);
    twin.entriesRead = this.entriesRead;
    const id = new StreamId();
    for (const consumer of this.#consumers.values()) {
      const copy = twin.addConsumer(consumer.name, consumer.seenMs);
      copy.activeMs = consumer.activeMs;
      for (let rank = 0; rank < consumer.pending.count; rank++) {
        const ref = consumer.pending.at(rank);
        this.readId(ref, id);
        twin.add(id, copy, this.deliveredMs(ref), this.deliveries(ref));
      }
    }
  }

  /** Frees about `limit` pending entries of a group on its way out; returns whether all is gone. */
  release(limit: number): boolean {
    for (let left = limit; left > 0 && this.pending.count > 0; left--) {
      this.remove(this.pending.tree.last());
    }
    if (this.pending.count > 0) return false;
    for (const consumer of this.#consumers.values()) consumer.pending.tree.release(1);
    this.#consumers.clear();
    return this.pending.tree.release(limit);
  }

  /** Throws unless every pending entry is in both its trees. O(n). */
  verify(): void {
    this.pending.tree.verify();
    let sum = 0;
    for (const consumer of this.#consumers.values()) {
      consumer.pending.tree.verify();
      sum += consumer.pending.count;
    }
    if (sum !== this.pending.count) throw new Error("a pending entry has one consumer");
  }
}

export class ConsumerGroups {
  readonly #groups = new Map<string, ConsumerGroup>();
  readonly #order: IdOrder;

  constructor(arena: Arena) {
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
    const group = new ConsumerGroup(name, this.#order);
    this.#groups.set(name, group);
    return group;
  }

  /** Takes a group out; the caller releases it. */
  remove(group: ConsumerGroup): void {
    this.#groups.delete(group.name);
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
    for (const group of this.#groups.values()) group.copyTo(twin.add(group.name));
  }

  /** As ConsumerGroup.release, group by group. */
  release(limit: number): boolean {
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
