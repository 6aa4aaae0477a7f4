// hot path
/**
 * Reads values into a database. A value whose format in the file is that in memory is copied as a whole, if the limits
 * in force allow; otherwise its elements are added one by one, as commands would.
 */
import { assert } from "../lib/assert.ts";
import type { Database } from "../keyspace/database.ts";
import { BloomValue } from "../keyspace/bloom_value.ts";
import { COLLECTION_INLINE_MAX, Encoding, Type } from "../keyspace/entry.ts";
import { LongPack } from "../keyspace/long_pack.ts";
import { HashValue } from "../keyspace/hash_value.ts";
import { ListValue } from "../keyspace/list_value.ts";
import { SetValue } from "../keyspace/set_value.ts";
import { ZsetValue } from "../keyspace/zset_value.ts";
import { Int64 } from "../lib/decimal.ts";
import { parseDouble } from "../lib/double_text.ts";
import { copyBytes } from "../lib/copy.ts";
import { compareBytes, Slice } from "../lib/slice.ts";
import { type Args, binaryText } from "../protocol/args.ts";
import { Intset, isIntset, READ_ONLY_INTSET } from "../structures/intset.ts";
import type { Ref } from "../structures/arena.ts";
import { isListpack, Listpack, LISTPACK_MAX_BYTES, READ_ONLY } from "../structures/listpack.ts";
import { BloomFilter } from "../structures/bloom_filter.ts";
import { walkZiplist, walkZipmap } from "./old_encodings.ts";
import {
  BLOOM_NAME,
  BLOOM_VERSION,
  ListNode,
  moduleId,
  moduleName,
  ModulePart,
  RdbType,
} from "./rdb_format.ts";
import { type RdbReader, Scratch } from "./rdb_reader.ts";
import { readStream } from "./stream_reader.ts";

const TWO_32 = 4294967296;
/** Scores in the oldest format: a length, or one of these. */
const TextScore = { negativeInfinity: 255, infinity: 254, notANumber: 253 } as const;

/** Called with something in the file that this server can't store. */
export type OnLoss = (what: string) => void;

export class ValueReader {
  /** The entry that `read` has made. */
  ref: Ref = 0;
  readonly #in: RdbReader;
  readonly #onLoss: OnLoss;
  readonly #list = new ListValue();
  readonly #set = new SetValue();
  readonly #zset = new ZsetValue();
  readonly #hash = new HashValue();
  readonly #bloom = new BloomValue();
  readonly #one = new Slice();
  readonly #other = new Slice();
  readonly #blob = new Slice();
  readonly #kept = new Scratch();
  readonly #pack = new Listpack(READ_ONLY);
  readonly #intset = new Intset(READ_ONLY_INTSET);
  readonly #integer = new Int64();
  /** Where the value goes: the key is argument 0, and missing in `#db`. */
  #db!: Database;
  #key!: Args;
  /** Whether the bytes come from an unknown writer (RESTORE) and are checked in full. */
  #isUntrusted = false;

  constructor(input: RdbReader, onLoss: OnLoss) {
    this.#in = input;
    this.#onLoss = onLoss;
  }

  /** Reads a value of that type to the missing key `key` of `db`. Returns whether there is one now. */
  read(type: number, db: Database, key: Args, isUntrusted: boolean): boolean {
    this.#db = db;
    this.#key = key;
    this.#isUntrusted = isUntrusted;
    assert(key.count === 1, "a value is read to one key");
    const reader = READERS[type];
    if (reader === undefined) return this.#in.source.fail(`Unknown RDB type ${type}`);
    this.ref = 0;
    const isThere = reader(this);
    assert(!isThere || this.ref !== 0, "what is there has an entry");
    return isThere;
  }

  /** The next string, copied so that it stays valid while others are read. */
  #keep(): Slice {
    this.#in.string(this.#one);
    this.#kept.keep(this.#one);
    assert(this.#one.bytes === this.#kept.bytes, "what is kept does not lie where others are read");
    return this.#one;
  }

  /** The next string, which contains several elements. */
  #readBlob(): Slice {
    this.#in.string(this.#blob);
    assert(this.#blob.start <= this.#blob.end, "a string does not end before it begins");
    assert(this.#blob.end <= this.#blob.bytes.length, "a string lies in its bytes");
    return this.#blob;
  }

  #broken(what: string): never {
    return this.#in.source.fail(`Invalid ${what}`);
  }

  string(): boolean {
    const value = this.#one;
    this.#in.string(value);
    const { bytes, view, start, end, length } = value;
    assert(length === end - start, "a string has the length that it says");
    this.ref = this.#db.strings.create(this.#key, 0, bytes, view, start, end);
    assert(this.ref !== 0, "a string has an entry");
    return true;
  }

  // Blobs

  /** Opens the next string, a listpack, to be read. */
  #openPack(): Listpack {
    const { bytes, view, start, end } = this.#readBlob();
    if (!isListpack(bytes, view, start, end)) this.#broken("listpack");
    this.#pack.open(bytes, view, start);
    assert(this.#pack.size === end - start, "a listpack that was checked fills its string");
    return this.#pack;
  }

  /** Makes the blob, whose format is that in memory, the key's value. */
  #adopt(type: number, encoding: number): boolean {
    const { bytes, start, end, length } = this.#blob;
    const db = this.#db;
    assert(length > 0, "what is adopted has a head");
    assert(end <= bytes.length, "what is adopted is at hand");
    if (length > COLLECTION_INLINE_MAX) {
      const long = new LongPack(encoding, bytes, start, length, length);
      this.ref = db.createObject(this.#key, 0, type, long);
      assert(this.ref !== 0, "an object has an entry");
      return true;
    }
    this.ref = db.createValue(this.#key, 0, type, encoding, length);
    const { entries } = db.keyspace;
    assert(entries.valueStart + length <= entries.bytes.length, "a value lies in its chunk");
    copyBytes(bytes, start, end, entries.bytes, entries.valueStart);
    return true;
  }

  /** Whether a listpack is within the limits: at most `entries` elements of at most `bytes` bytes each. */
  #fits(pack: Listpack, entries: number, bytes: number): boolean {
    assert(pack.count >= 0, "elements are counted upwards");
    assert(pack.size > 0, "a listpack that was checked has a head");
    if (pack.count > entries || pack.size > LISTPACK_MAX_BYTES) return false;
    const { count } = pack;
    // The whole is not longer than the limit of one element: no need to look at each.
    if (pack.size <= bytes) return count > 0;
    for (let at = pack.first(); at !== 0; at = pack.next(at)) {
      pack.read(at, this.#one);
      if (this.#one.length > bytes) return false;
    }
    return count > 0;
  }

  // Lists

  #beginList(): ListValue {
    this.#list.cursor.create(this.#db, this.#key, 0);
    assert(this.#list.count === 0, "a list is read to a new key");
    return this.#list;
  }

  #push({ bytes, view, start, end }: Slice): void {
    assert(end <= bytes.length, "an element lies in its bytes");
    this.#list.makeRoomFor(bytes, start, end);
    this.#list.pushTail(bytes, view, start, end);
  }

  #endList(): boolean {
    this.#list.cursor.accountMemory();
    const { count } = this.#list;
    this.ref = this.#list.cursor.ref;
    assert(this.ref !== 0, "a list that began has an entry");
    assert(count >= 0, "elements are counted upwards");
    this.#list.cursor.discard();
    return count > 0;
  }

  list(): boolean {
    this.#beginList();
    const announced = this.#in.length();
    for (let left = announced; left > 0; left--) {
      this.#in.string(this.#one);
      this.#push(this.#one);
    }
    assert(this.#list.count === announced, "as many elements are read as were announced");
    return this.#endList();
  }

  /** A list of `count` ziplists. */
  listZiplists(count: number): boolean {
    this.#beginList();
    for (let left = count; left > 0; left--) this.#pushZiplist();
    return this.#endList();
  }

  #pushZiplist(): void {
    const visit = (): boolean => {
      this.#push(this.#one);
      return true;
    };
    if (!walkZiplist(this.#readBlob(), this.#one, visit)) this.#broken("ziplist");
  }

  quicklist(): boolean {
    return this.listZiplists(this.#in.length());
  }

  quicklist2(): boolean {
    const list = this.#beginList();
    for (let left = this.#in.length(); left > 0; left--) {
      const kind = this.#in.length();
      if (kind === ListNode.plain) {
        this.#in.string(this.#one);
        if (this.#one.length === 0) this.#broken("quicklist node");
        this.#push(this.#one);
        continue;
      }
      if (kind !== ListNode.packed) this.#broken("quicklist node");
      const pack = this.#openPack();
      if (pack.count > 0) list.appendPack(pack);
    }
    return this.#endList();
  }

  // Sets

  /** Begins a set for `count` members, of which the first is `slice`. */
  #beginSet(count: number, { bytes, start, end }: Slice): void {
    assert(count > 0, "a set that begins has a first member");
    this.#set.expect(count, bytes, start, end);
    this.#set.cursor.create(this.#db, this.#key, 0);
    assert(this.#set.count === 0, "a set is read to a new key");
  }

  #add({ bytes, view, start, end }: Slice): void {
    if (!this.#set.add(bytes, view, start, end) && this.#isUntrusted) this.#broken("set");
  }

  #endSet(): boolean {
    assert(this.#set.count > 0, "no empty set is kept");
    this.#set.cursor.accountMemory();
    this.ref = this.#set.cursor.ref;
    assert(this.ref !== 0, "a set that began has an entry");
    return true;
  }

  set(): boolean {
    const count = this.#in.length();
    for (let i = 0; i < count; i++) {
      this.#in.string(this.#one);
      if (i === 0) this.#beginSet(count, this.#one);
      this.#add(this.#one);
    }
    assert(count === 0 || this.#set.count <= count, "no more members are read than announced");
    return count > 0 && this.#endSet();
  }

  intset(): boolean {
    const { bytes, view, start, end } = this.#readBlob();
    if (!isIntset(bytes, view, start, end)) this.#broken("intset");
    const set = this.#intset;
    set.open(bytes, view, start);
    assert(set.size === end - start, "an intset that was checked fills its string");
    const { limits } = this.#db.keyspace;
    if (set.count === 0) return false;
    if (set.count <= limits.setMaxIntsetEntries) return this.#adopt(Type.set, Encoding.intset);
    for (let i = 0; i < set.count; i++) {
      set.at(i, this.#integer);
      this.#one.setInt64(this.#integer.hi, this.#integer.lo);
      if (i === 0) this.#beginSet(set.count, this.#one);
      this.#add(this.#one);
    }
    return this.#endSet();
  }

  setListpack(): boolean {
    const pack = this.#openPack();
    const { limits } = this.#db.keyspace;
    const isSmall = this.#fits(pack, limits.setMaxListpackEntries, limits.setMaxListpackValue);
    if (isSmall) {
      if (this.#isUntrusted && hasTwins(pack, this.#one)) this.#broken("set");
      return this.#adopt(Type.set, Encoding.listpack);
    }
    const { count } = pack;
    for (let at = pack.first(); at !== 0; at = pack.next(at)) {
      pack.read(at, this.#one);
      if (at === pack.first()) {
        this.#beginSet(count, this.#one);
      }
      this.#add(this.#one);
    }
    assert(count === 0 || this.#set.count <= count, "no more members are read than announced");
    return count > 0 && this.#endSet();
  }

  // Sorted sets

  #beginZset(count: number): void {
    assert(count >= 0, "a count is not negative");
    this.#zset.cursor.create(this.#db, this.#key, 0);
    assert(this.#zset.count === 0, "a sorted set is read to a new key");
    this.#zset.makeRoom(count, 0);
  }

  #score({ bytes, view, start, end }: Slice, score: number): void {
    if (Number.isNaN(score)) this.#broken("score");
    assert(end <= bytes.length, "a member lies in its bytes");
    if (!this.#zset.set(bytes, view, start, end, score) && this.#isUntrusted) {
      this.#broken("sorted set");
    }
  }

  #endZset(): boolean {
    assert(this.#zset.count > 0, "no empty sorted set is kept");
    this.#zset.cursor.accountMemory();
    this.ref = this.#zset.cursor.ref;
    assert(this.ref !== 0, "a sorted set that began has an entry");
    return true;
  }

  zset(): boolean {
    return this.#zsetWith(() => this.#in.double());
  }

  zsetText(): boolean {
    return this.#zsetWith(() => this.#textScore());
  }

  #zsetWith(readScore: () => number): boolean {
    const count = this.#in.length();
    if (count === 0) return false;
    this.#beginZset(count);
    for (let left = count; left > 0; left--) {
      const member = this.#keep();
      this.#score(member, readScore());
    }
    assert(this.#zset.count <= count, "no more members are read than announced");
    return this.#endZset();
  }

  #textScore(): number {
    const length = this.#in.byte();
    if (length === TextScore.negativeInfinity) return -Infinity;
    if (length === TextScore.infinity) return Infinity;
    if (length === TextScore.notANumber) return NaN;
    const text = this.#other;
    this.#in.raw(length, text);
    assert(text.length === length, "a score is at hand whole");
    this.#in.source.at = text.end;
    return parseDouble(text.bytes, text.start, text.end);
  }

  zsetListpack(): boolean {
    const pack = this.#openPack();
    const { count } = pack;
    if (count % 2 !== 0) this.#broken("sorted set");
    if (count === 0) return false;
    const { limits } = this.#db.keyspace;
    const isSmall = this.#fits(
      pack,
      2 * limits.zsetMaxListpackEntries,
      limits.zsetMaxListpackValue,
    );
    if (isSmall && !this.#isUntrusted && this.#isOrdered(pack)) {
      return this.#adopt(Type.zset, Encoding.listpack);
    }
    this.#beginZset(count / 2);
    for (let at = pack.first(); at !== 0; at = pack.next(at)) {
      pack.read(at, this.#one);
      at = pack.next(at);
      this.#score(this.#one, this.#packScore(pack, at));
    }
    return this.#endZset();
  }

  #packScore(pack: Listpack, at: number): number {
    assert(at !== 0, "a member has its score");
    const text = this.#other;
    pack.read(at, text);
    return parseDouble(text.bytes, text.start, text.end);
  }

  #isOrdered(pack: Listpack): boolean {
    let before = -Infinity;
    let memberBefore = 0;
    for (let at = pack.first(); at !== 0; at = pack.next(at)) {
      const member = at;
      at = pack.next(at);
      const score = this.#packScore(pack, at);
      if (!(score >= before)) return false;
      if (score === before && memberBefore !== 0) {
        pack.read(memberBefore, this.#one);
        pack.read(member, this.#other);
        const { bytes, start, end } = this.#other;
        if (compareBytes(this.#one, bytes, start, end) >= 0) return false;
      }
      before = score;
      memberBefore = member;
    }
    return true;
  }

  zsetZiplist(): boolean {
    let isScore = false;
    this.#beginZset(0);
    const visit = (): boolean => {
      const { bytes, start, end } = this.#other;
      if (isScore) this.#score(this.#one, parseDouble(bytes, start, end));
      else this.#take();
      isScore = !isScore;
      return true;
    };
    if (!walkZiplist(this.#readBlob(), this.#other, visit) || isScore) this.#broken("ziplist");
    if (this.#zset.count > 0) return this.#endZset();
    this.#zset.cursor.discard();
    return false;
  }

  /** Keeps the current slice, which is the first of a pair. */
  #take(): void {
    const { bytes, view, start, end } = this.#other;
    this.#one.set(bytes, view, start, end);
    this.#kept.keep(this.#one);
    assert(this.#one.length === end - start, "what is kept is as long as before");
  }

  // Hashes

  #beginHash(): void {
    this.#hash.cursor.create(this.#db, this.#key, 0);
    assert(this.#hash.count === 0, "a hash is read to a new key");
  }

  #field(field: Slice, value: Slice): void {
    assert(field.end <= field.bytes.length, "a field lies in its bytes");
    assert(value.end <= value.bytes.length, "a value lies in its bytes");
    const isNew = this.#hash.set(
      field.bytes,
      field.view,
      field.start,
      field.end,
      value.bytes,
      value.view,
      value.start,
      value.end,
    );
    if (!isNew && this.#isUntrusted) this.#broken("hash");
  }

  #endHash(): boolean {
    this.#hash.cursor.accountMemory();
    this.ref = this.#hash.cursor.ref;
    assert(this.ref !== 0, "a hash that began has an entry");
    if (this.#hash.count > 0) return true;
    this.#hash.cursor.discard();
    return false;
  }

  hash(): boolean {
    const count = this.#in.length();
    this.#beginHash();
    for (let left = count; left > 0; left--) {
      const field = this.#keep();
      this.#in.string(this.#other);
      this.#field(field, this.#other);
    }
    assert(this.#hash.count <= count, "no more fields are read than announced");
    return this.#endHash();
  }

  /** A hash of Redis 7.4, whose fields have deadlines. */
  hashFieldExpiry(): boolean {
    this.#in.milliseconds();
    const count = this.#in.length();
    this.#beginHash();
    for (let left = count; left > 0; left--) {
      if (this.#in.length() > 0) this.#onLoss("expiry times of fields of hashes");
      const field = this.#keep();
      this.#in.string(this.#other);
      this.#field(field, this.#other);
    }
    assert(this.#hash.count <= count, "no more fields are read than announced");
    return this.#endHash();
  }

  hashListpackFieldExpiry(): boolean {
    this.#in.milliseconds();
    const pack = this.#openPack();
    if (pack.count % 3 !== 0) this.#broken("hash");
    this.#beginHash();
    for (let at = pack.first(); at !== 0; at = pack.next(at)) {
      pack.read(at, this.#one);
      at = pack.next(at);
      pack.read(at, this.#other);
      at = pack.next(at);
      assert(at !== 0, "a field has its time");
      if (!pack.isInteger(at)) this.#broken("hash");
      if (pack.readNumber(at) !== 0) this.#onLoss("expiry times of fields of hashes");
      this.#field(this.#one, this.#other);
    }
    return this.#endHash();
  }

  hashListpack(): boolean {
    const pack = this.#openPack();
    const { count } = pack;
    if (count % 2 !== 0) this.#broken("hash");
    if (count === 0) return false;
    const { limits } = this.#db.keyspace;
    const isSmall = this.#fits(
      pack,
      2 * limits.hashMaxListpackEntries,
      limits.hashMaxListpackValue,
    );
    if (isSmall && !this.#isUntrusted) return this.#adopt(Type.hash, Encoding.listpack);
    this.#beginHash();
    for (let at = pack.first(); at !== 0; at = pack.next(at)) {
      pack.read(at, this.#one);
      at = pack.next(at);
      assert(at !== 0, "a field has its value");
      pack.read(at, this.#other);
      this.#field(this.#one, this.#other);
    }
    assert(this.#hash.count <= count / 2, "no more fields are read than announced");
    return this.#endHash();
  }

  hashZiplist(): boolean {
    return this.#hashPairs((visit) => walkZiplist(this.#readBlob(), this.#other, visit));
  }

  hashZipmap(): boolean {
    return this.#hashPairs((visit) => walkZipmap(this.#readBlob(), this.#other, visit));
  }

  #hashPairs(walk: (visit: () => boolean) => boolean): boolean {
    let isValue = false;
    this.#beginHash();
    const visit = (): boolean => {
      if (isValue) this.#field(this.#one, this.#other);
      else this.#take();
      isValue = !isValue;
      return true;
    };
    if (!walk(visit) || isValue) this.#broken("hash");
    return this.#endHash();
  }

  // Streams and modules

  stream(version: number): boolean {
    this.ref = readStream(this.#in, version, this.#db, this.#key);
    return true;
  }

  module(): boolean {
    this.#in.length64(this.#integer);
    const { hi, lo } = this.#integer;
    const id = BigInt(hi >>> 0) * BigInt(TWO_32) + BigInt(lo >>> 0);
    if (id !== moduleId(BLOOM_NAME, BLOOM_VERSION)) {
      return this.#in.source.fail(
        `The RDB file contains module data I can't load: no matching module type '${
          moduleName(id)
        }'`,
      );
    }
    const capacity = this.#moduleNumber();
    const expansion = this.#moduleNumber();
    if (this.#in.length() !== ModulePart.double) this.#broken("Bloom filter");
    const errorRate = this.#in.double();
    if (!(errorRate > 0 && errorRate < 1)) this.#broken("Bloom filter");
    const filter = new BloomFilter(errorRate, capacity, expansion);
    const layers = this.#moduleNumber();
    if (layers === 0) this.#broken("Bloom filter");
    for (let left = layers; left > 0; left--) {
      const count = this.#moduleNumber();
      if (this.#in.length() !== ModulePart.string) this.#broken("Bloom filter");
      if (!filter.restoreLayer(this.#in.ownBytes(), count)) this.#broken("Bloom filter");
    }
    if (this.#in.length() !== ModulePart.end) this.#broken("Bloom filter");
    assert(filter.layers.length === layers, "as many layers are read as were announced");
    assert(this.#bloom.restored === null, "one filter is restored at a time");
    this.#bloom.restored = filter;
    this.#bloom.cursor.create(this.#db, this.#key, 0);
    this.#bloom.restored = null;
    this.ref = this.#bloom.cursor.ref;
    return true;
  }

  #moduleNumber(): number {
    if (this.#in.length() !== ModulePart.unsigned) this.#broken("Bloom filter");
    return this.#in.length();
  }

  listZiplist(): boolean {
    return this.listZiplists(1);
  }
}

/** Whether two elements are equal. */
function hasTwins(pack: Listpack, into: Slice): boolean {
  const seen = new Set<string>();
  for (let at = pack.first(); at !== 0; at = pack.next(at)) {
    pack.read(at, into);
    seen.add(binaryText(into.bytes, into.start, into.end));
  }
  return seen.size < pack.count;
}

/** By the type's byte. */
const READERS: Record<number, (reader: ValueReader) => boolean> = {
  [RdbType.string]: (reader) => reader.string(),
  [RdbType.list]: (reader) => reader.list(),
  [RdbType.set]: (reader) => reader.set(),
  [RdbType.zsetText]: (reader) => reader.zsetText(),
  [RdbType.hash]: (reader) => reader.hash(),
  [RdbType.zset]: (reader) => reader.zset(),
  [RdbType.module]: (reader) => reader.module(),
  [RdbType.hashZipmap]: (reader) => reader.hashZipmap(),
  [RdbType.listZiplist]: (reader) => reader.listZiplist(),
  [RdbType.setIntset]: (reader) => reader.intset(),
  [RdbType.zsetZiplist]: (reader) => reader.zsetZiplist(),
  [RdbType.hashZiplist]: (reader) => reader.hashZiplist(),
  [RdbType.listQuicklist]: (reader) => reader.quicklist(),
  [RdbType.stream]: (reader) => reader.stream(1),
  [RdbType.hashListpack]: (reader) => reader.hashListpack(),
  [RdbType.zsetListpack]: (reader) => reader.zsetListpack(),
  [RdbType.listQuicklist2]: (reader) => reader.quicklist2(),
  [RdbType.stream2]: (reader) => reader.stream(2),
  [RdbType.setListpack]: (reader) => reader.setListpack(),
  [RdbType.stream3]: (reader) => reader.stream(3),
  [RdbType.hashFieldExpiry]: (reader) => reader.hashFieldExpiry(),
  [RdbType.hashListpackFieldExpiry]: (reader) => reader.hashListpackFieldExpiry(),
};
