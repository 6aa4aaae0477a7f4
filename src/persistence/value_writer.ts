// hot path
/**
 * Writes values, each as the RDB type that is closest to its format in memory. Small values are written at once, large
 * collections by a generator that yields after every `ELEMENTS_A_STEP` elements and within long ones. The value must not
 * change before the generator has ended.
 */
import { Int64 } from "../lib/decimal.ts";
import { parseDouble } from "../lib/double_text.ts";
import { Slice } from "../lib/slice.ts";
import { Bloom } from "../keyspace/bloom_value.ts";
import { Encoding, type Entries, type HeapValue, Type } from "../keyspace/entry.ts";
import { LongPack } from "../keyspace/long_pack.ts";
import { HashTable } from "../keyspace/hash_table.ts";
import { Stream } from "../keyspace/stream_value.ts";
import { StringValue } from "../keyspace/values.ts";
import { SortedSet } from "../keyspace/zset_value.ts";
import { assert, unreachable } from "../lib/assert.ts";
import { offsetOf, type Ref } from "../structures/arena.ts";
import type { Consumer, ConsumerGroup, PendingList } from "../structures/consumer_groups.ts";
import { Intset, READ_ONLY_INTSET } from "../structures/intset.ts";
import { Listpack, READ_ONLY } from "../structures/listpack.ts";
import { Quicklist } from "../structures/quicklist.ts";
import { STREAM_ID_BYTES, StreamId } from "../structures/stream_id.ts";
import {
  BLOOM_NAME,
  BLOOM_VERSION,
  ListNode,
  moduleId,
  ModulePart,
  Opcode,
  RdbType,
} from "./rdb_format.ts";
import { finish, type Rest, stringInSteps, writeInSteps } from "./long_strings.ts";
import type { RdbWriter } from "./rdb_writer.ts";

/** The versions of RDB since which there are listpacks, and since which sets can be listpacks. */
const VERSION_LISTPACK = 10;
const VERSION_SET_LISTPACK = 11;
/** Elements between two pauses. */
const ELEMENTS_A_STEP = 256;
/** Objects with no more elements, or nodes, and no more bytes are written at once. */
const EFFORT_AT_ONCE = 64;
const BYTES_AT_ONCE = 128 * 1024;

/** The encoding of the open value. A listpack or intset in a buffer of its own counts as one in the entry. */
function packedEncoding(entries: Entries): number {
  if (entries.encoding !== Encoding.object) return entries.encoding;
  const object = entries.object();
  return object instanceof LongPack ? object.encoding : Encoding.object;
}

export class ValueWriter {
  readonly #out: RdbWriter;
  readonly #string = new StringValue();
  readonly #one = new Slice();
  readonly #pack = new Listpack(READ_ONLY);
  readonly #intset = new Intset(READ_ONLY_INTSET);

  constructor(out: RdbWriter) {
    this.#out = out;
  }

  /** Writes the byte for the open entry's type. */
  type(entries: Entries): void {
    const type = this.#typeOf(entries);
    assert(type < Opcode.slotInfo, "a type is no attribute of an entry");
    this.#out.sink.byte(type);
  }

  #typeOf(entries: Entries): number {
    const { version } = this.#out;
    const encoding = packedEncoding(entries);
    const isPacked = encoding === Encoding.listpack && version >= VERSION_LISTPACK;
    switch (entries.type) {
      case Type.string:
        return RdbType.string;
      case Type.list:
        return version >= VERSION_LISTPACK ? RdbType.listQuicklist2 : RdbType.list;
      case Type.set:
        if (encoding === Encoding.intset) return RdbType.setIntset;
        return isPacked && version >= VERSION_SET_LISTPACK ? RdbType.setListpack : RdbType.set;
      case Type.zset:
        return isPacked ? RdbType.zsetListpack : RdbType.zset;
      case Type.hash:
        return isPacked ? RdbType.hashListpack : RdbType.hash;
      case Type.stream:
        if (version >= VERSION_SET_LISTPACK) return RdbType.stream3;
        return version >= VERSION_LISTPACK ? RdbType.stream2 : RdbType.stream;
      default:
        assert(entries.type === Type.bloom, "every type has its own in a file");
        return RdbType.module;
    }
  }

  /**
   * Writes the open entry's value. Of a large collection it writes the beginning, and returns a generator for the rest. A
   * string is written at once, however long: see EntryWriter.hold.
   */
  value(entries: Entries): Rest | null {
    if (entries.type === Type.string) this.#writeString(entries);
    else if (entries.encoding === Encoding.object) {
      const object = entries.object();
      return this.#writeObject(object, entries.type);
    } else {
      const { type, encoding, bytes, view, valueStart } = entries;
      this.#writePack(type, encoding, bytes, view, valueStart);
    }
    return null;
  }

  #writePack(
    type: number,
    encoding: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
  ): void {
    if (encoding === Encoding.intset) {
      this.#intset.open(bytes, view, start);
      assert(this.#intset.count > 0, "no empty set is kept");
      assert(start + this.#intset.size <= bytes.length, "an intset lies in its bytes");
      this.#out.string(bytes, view, start, start + this.#intset.size);
    } else {
      this.#pack.open(bytes, view, start);
      assert(encoding === Encoding.listpack, "what is packed is one or the other");
      assert(this.#pack.count > 0, "no empty collection is kept");
      this.#writeListpack(type);
    }
  }

  *#longPack({ encoding, content, view }: LongPack, type: number): Rest {
    assert(content.length > 0, "no pack is without bytes");
    if (encoding === Encoding.intset) {
      this.#intset.open(content, view, 0);
      yield* this.#anyString(content, view, 0, this.#intset.size);
      return;
    }
    this.#pack.open(content, view, 0);
    if (this.#isWhole(type)) yield* this.#anyString(content, view, 0, this.#pack.size);
    else this.#writeListpack(type);
  }

  /** A string of any length. */
  *#anyString(bytes: Uint8Array, view: DataView, start: number, end: number): Rest {
    assert(start <= end, "a string does not end before it begins");
    assert(end <= bytes.length, "a string ends in its bytes");
    if (end - start > this.#out.atOnceMaxBytes) yield* stringInSteps(this.#out, bytes, start, end);
    else this.#out.string(bytes, view, start, end);
  }

  /** Whether listpacks of this type are written as they are, not element by element. */
  #isWhole(type: number): boolean {
    assert(type !== Type.string, "a string is no listpack");
    const { version } = this.#out;
    if (type === Type.list) return false;
    return version >= (type === Type.set ? VERSION_SET_LISTPACK : VERSION_LISTPACK);
  }

  #writeString(entries: Entries): void {
    if (entries.encoding === Encoding.int) {
      const { view, valueStart } = entries;
      const lo = view.getInt32(valueStart, true);
      if (this.#out.int32String(view.getInt32(valueStart + 4, true), lo)) return;
    }
    this.#string.read(entries);
    assert(this.#string.start <= this.#string.end, "a string does not end before it begins");
    assert(this.#string.end <= this.#string.bytes.length, "a string lies in its bytes");
    this.#out.stringOf(this.#string);
  }

  #writeListpack(type: number): void {
    const { version } = this.#out;
    const pack = this.#pack;
    if (type === Type.list) {
      if (version >= VERSION_LISTPACK) {
        this.#out.length(1);
        return this.#node(pack);
      }
      this.#out.length(pack.count);
      return this.#elements(pack);
    }
    if (this.#isWhole(type)) return this.#blob(pack);
    assert(type === Type.set || pack.count % 2 === 0, "fields and scores come in pairs");
    this.#out.length(type === Type.set ? pack.count : pack.count / 2);
    if (type === Type.zset) this.#scores(pack);
    else this.#elements(pack);
  }

  #blob(pack: Listpack): void {
    assert(pack.size > 0, "a listpack has a head");
    assert(pack.start + pack.size <= pack.bytes.length, "a listpack lies in its bytes");
    this.#out.string(pack.bytes, pack.view, pack.start, pack.start + pack.size);
  }

  #node(pack: Listpack): void {
    assert(pack.count > 0, "no node of a list is empty");
    this.#out.length(ListNode.packed);
    this.#blob(pack);
  }

  #elements(pack: Listpack): void {
    let left = pack.count;
    for (let at = pack.first(); at !== 0; at = pack.next(at)) {
      pack.read(at, this.#one);
      this.#out.stringOf(this.#one);
      left--;
    }
    assert(left === 0, "as many elements are written as were announced");
  }

  #scores(pack: Listpack): void {
    const slice = this.#one;
    for (let at = pack.first(); at !== 0; at = pack.next(at)) {
      pack.read(at, slice);
      this.#out.stringOf(slice);
      at = pack.next(at);
      assert(at !== 0, "a member has its score");
      pack.read(at, slice);
      this.#out.double(parseDouble(slice.bytes, slice.start, slice.end));
    }
  }

  #writeObject(object: HeapValue, type: number): Rest | null {
    const rest = this.#stepsOf(object, type);
    assert(object.effort >= 0, "an effort is a count");
    const bytes = object.bytes + object.arenaBytes;
    if (object.effort > EFFORT_AT_ONCE || bytes > BYTES_AT_ONCE) return rest;
    finish(rest);
    return null;
  }

  #stepsOf(object: HeapValue, type: number): Rest {
    if (object instanceof LongPack) return this.#longPack(object, type);
    if (object instanceof HashTable) return this.#table(object, type === Type.hash);
    if (object instanceof Quicklist) return this.#list(object);
    if (object instanceof SortedSet) return this.#zset(object);
    if (object instanceof Stream) return this.#stream(object);
    if (object instanceof Bloom) return this.#bloom(object);
    return unreachable("every object has a writer");
  }

  *#table({ members }: HashTable, hasValues: boolean): Rest {
    assert(members.count > 0, "no empty collection is kept");
    const slice = this.#one;
    const refs: Ref[] = [];
    let left = members.count;
    this.#out.length(left);
    let index = 0;
    do {
      index = members.forEachFrom(index, (ref) => void refs.push(ref));
      if (refs.length < ELEMENTS_A_STEP && index !== 0) continue;
      for (const ref of refs) {
        members.key(ref, slice);
        if (this.#isLong(slice)) yield* this.#inSteps(slice);
        else this.#out.stringOf(slice);
        if (!hasValues) continue;
        members.value(ref, slice);
        if (this.#isLong(slice)) yield* this.#inSteps(slice);
        else this.#out.stringOf(slice);
      }
      left -= refs.length;
      refs.length = 0;
      assert(left >= 0, "no more members are written than were announced");
      assert(members.count >= left, "no member goes while they are written");
      yield;
    } while (index !== 0);
    assert(left === 0, "as many members are written as were announced");
  }

  #isLong({ length }: Slice): boolean {
    return length > this.#out.atOnceMaxBytes;
  }

  #inSteps({ bytes, start, end }: Slice): Rest {
    return stringInSteps(this.#out, bytes, start, end);
  }

  *#list(list: Quicklist): Rest {
    const pack = this.#pack;
    const isWhole = this.#out.version >= VERSION_LISTPACK;
    assert(list.count > 0, "no empty collection is kept");
    assert(list.nodeCount <= list.count, "no node of a list is empty");
    this.#out.length(isWhole ? list.nodeCount : list.count);
    const { nodeCount } = list;
    for (let i = 0; i < nodeCount; i++) {
      assert(list.nodeCount === nodeCount, "a list does not change while it is written");
      list.openIn(i, pack);
      if (isWhole) {
        this.#out.length(ListNode.packed);
        yield* this.#anyString(pack.bytes, pack.view, pack.start, pack.start + pack.size);
      } else this.#elements(pack);
      yield;
    }
  }

  /** Members in descending order, as in Redis: its reader then inserts each at the front. */
  *#zset({ members, tree }: SortedSet): Rest {
    const member = this.#one;
    assert(tree.count > 0, "no empty collection is kept");
    assert(tree.count === members.count, "a member has one place in the order");
    const refs: Ref[] = [];
    this.#out.length(tree.count);
    for (let left = tree.count; left > 0;) {
      const count = Math.min(left, ELEMENTS_A_STEP);
      assert(left <= tree.count, "a collection does not change while it is written");
      tree.forEachFrom(left - 1, count, true, (ref) => void refs.push(ref));
      for (const ref of refs) {
        const score = members.keyAndScore(ref, member);
        if (this.#isLong(member)) yield* this.#inSteps(member);
        else this.#out.stringOf(member);
        this.#out.double(score);
      }
      refs.length = 0;
      left -= count;
      yield;
    }
  }

  *#stream({ log, groups }: Stream): Rest {
    const out = this.#out;
    const pack = this.#pack;
    const id = new StreamId();
    const idBytes = new Uint8Array(STREAM_ID_BYTES);
    const idView = new DataView(idBytes.buffer);
    const { nodeCount } = log;
    out.length(nodeCount);
    for (let rank = 0; rank < nodeCount; rank++) {
      assert(log.nodeCount === nodeCount, "a stream does not change while it is written");
      log.openNodeIn(rank, id, pack);
      id.write(idView, 0);
      out.plainString(idBytes, 0, STREAM_ID_BYTES);
      yield* this.#anyString(pack.bytes, pack.view, pack.start, pack.start + pack.size);
      yield;
    }
    out.length(log.count);
    this.#id(log.lastId);
    if (out.version >= VERSION_LISTPACK) {
      log.readFirstId(id);
      this.#id(id);
      this.#id(log.maxDeletedId);
      this.#count(log.added);
    }
    let left = groups?.count ?? 0;
    out.length(left);
    for (const group of groups?.all() ?? []) {
      yield* this.#group(group);
      left--;
    }
    assert(left === 0, "as many groups are written as were announced");
  }

  #id(id: StreamId): void {
    const view = new DataView(new ArrayBuffer(STREAM_ID_BYTES));
    id.write(view, 0);
    for (const at of [0, 8]) this.#out.length64(view.getUint32(at), view.getUint32(at + 4));
  }

  #count({ hi, lo }: Int64): void {
    this.#out.length64(hi, lo);
  }

  *#group(group: ConsumerGroup): Rest {
    const out = this.#out;
    out.textString(group.name);
    this.#id(group.lastId);
    if (out.version >= VERSION_LISTPACK) {
      this.#count(group.entriesRead);
    }
    yield* this.#pending(group.pending, group);
    const consumers = group.consumers();
    out.length(consumers.length);
    let left = group.pending.count;
    for (const consumer of consumers) {
      left -= consumer.pending.count;
      this.#consumer(consumer);
      yield* this.#pending(consumer.pending, null);
    }
    assert(left === 0, "a pending entry is one consumer's");
  }

  #consumer(consumer: Consumer): void {
    const out = this.#out;
    out.textString(consumer.name);
    out.milliseconds(consumer.seenMs);
    if (out.version >= VERSION_SET_LISTPACK) out.milliseconds(consumer.activeMs);
  }

  /** Ids of pending entries; for a group also the time and number of their deliveries. */
  *#pending(list: PendingList, group: ConsumerGroup | null): Rest {
    const out = this.#out;
    const deliveries = new Int64();
    out.length(list.count);
    const { count } = list;
    for (let rank = 0; rank < count; rank++) {
      assert(list.count === count, "pending entries do not change while they are written");
      const ref = list.at(rank);
      assert(ref !== 0, "a pending entry has a place");
      const at = offsetOf(ref);
      out.sink.write(list.arena.chunkOf(ref).bytes, at, at + STREAM_ID_BYTES);
      if (group !== null) {
        out.milliseconds(group.deliveredMs(ref));
        group.readDeliveries(ref, deliveries);
        this.#count(deliveries);
      }
      if (rank % ELEMENTS_A_STEP === ELEMENTS_A_STEP - 1) yield;
    }
  }

  /** A module's value: redis-server without that module refuses it, and knows how to skip it. */
  *#bloom({ filter }: Bloom): Rest {
    const out = this.#out;
    assert(filter.layers.length > 0, "a filter has a layer");
    assert(filter.errorRate > 0 && filter.errorRate < 1, "an error rate is a probability");
    const id = moduleId(BLOOM_NAME, BLOOM_VERSION);
    out.length64(Number(id >> 32n), Number(id & 0xffffffffn));
    this.#moduleNumber(filter.capacity);
    this.#moduleNumber(filter.expansion);
    out.length(ModulePart.double);
    out.double(filter.errorRate);
    this.#moduleNumber(filter.layers.length);
    for (const { count, bits } of filter.layers) {
      this.#moduleNumber(count);
      out.length(ModulePart.string);
      out.length(bits.length);
      yield* writeInSteps(out.sink, bits, 0, bits.length);
    }
    out.length(ModulePart.end);
  }

  #moduleNumber(value: number): void {
    this.#out.length(ModulePart.unsigned);
    this.#out.length(value);
  }
}
