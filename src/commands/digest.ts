/**
 * DEBUG DIGEST: SHA-1 sums of keys and values, combined by exclusive or where order does not matter. It
 * equals Redis's for equal data (seen by comparing with redis-server).
 */
import type { Call } from "../engine/call.ts";
import type { Database } from "../keyspace/database.ts";
import { Type } from "../keyspace/entry.ts";
import { HashValue } from "../keyspace/hash_value.ts";
import { ListValue } from "../keyspace/list_value.ts";
import { SetValue } from "../keyspace/set_value.ts";
import { BloomValue } from "../keyspace/bloom_value.ts";
import { StreamValue } from "../keyspace/stream_value.ts";
import { FIRST_ID, LAST_ID } from "../structures/stream_id.ts";
import { LogCursor } from "../structures/stream_log.ts";
import { ZsetValue } from "../keyspace/zset_value.ts";
import { shortText } from "../lib/double_text.ts";
import { hexText } from "../lib/hexadecimal.ts";
import { StringValue } from "../keyspace/values.ts";
import { sha1, SHA1_BYTES } from "../lib/sha1.ts";
import { Slice } from "../lib/slice.ts";
import type { Ref } from "../structures/arena.ts";

const encoder = new TextEncoder();
const DIGEST_BYTES = SHA1_BYTES;
/** Streams and the types of modules. */
const REDIS_TYPES: Record<number, number> = { [Type.stream]: 6, [Type.bloom]: 5 };

type MixValue = (db: Database, ref: Ref, own: Uint8Array) => void;

/** By the number of the type. */
const BY_TYPE: Record<number, MixValue> = {
  [Type.string]: mixString,
  [Type.list]: mixList,
  [Type.set]: mixSet,
  [Type.zset]: mixZset,
  [Type.hash]: mixHash,
  [Type.stream]: mixStream,
  [Type.bloom]: mixBloom,
};

function mixString(db: Database, _ref: Ref, own: Uint8Array): void {
  const value = new StringValue();
  value.read(db.keyspace.entries);
  mixSlice(own, value);
}

function mixList(db: Database, ref: Ref, own: Uint8Array): void {
  const list = new ListValue();
  list.cursor.openEntry(db, ref);
  list.forEachRange(0, list.count - 1, new Slice(), (element) => mixSlice(own, element));
}

function mixSet(db: Database, ref: Ref, own: Uint8Array): void {
  const set = new SetValue();
  set.cursor.openEntry(db, ref);
  set.forEach((member) => {
    sha1(member.bytes, member.start, member.end, sum);
    xorWith(own, sum);
  });
}

function mixZset(db: Database, ref: Ref, own: Uint8Array): void {
  const zset = new ZsetValue();
  zset.cursor.openEntry(db, ref);
  zset.forEachFrom(0, zset.count, false, (member, score) => {
    pair.fill(0);
    mixSlice(pair, member);
    mix(pair, encoder.encode(shortText(score)));
    xorWith(own, sumOf(pair));
  });
}

function mixHash(db: Database, ref: Ref, own: Uint8Array): void {
  const hash = new HashValue();
  hash.cursor.openEntry(db, ref);
  hash.forEach((field, value) => {
    pair.fill(0);
    mixSlice(pair, field);
    mixSlice(pair, value);
    xorWith(own, sumOf(pair));
  });
}

function mixStream(db: Database, ref: Ref, own: Uint8Array): void {
  const stream = new StreamValue();
  stream.cursor.openEntry(db, ref);
  const cursor = new LogCursor();
  const field = new Slice();
  const value = new Slice();
  cursor.seek(stream.log, FIRST_ID, LAST_ID, false);
  while (cursor.next()) {
    mix(own, encoder.encode(cursor.id.toString().replace("-", ".")));
    for (let i = 0; i < cursor.fieldCount; i++) {
      cursor.nextPair(field, value);
      mixSlice(own, field);
      mixSlice(own, value);
    }
  }
}

function mixBloom(db: Database, ref: Ref, own: Uint8Array): void {
  const bloom = new BloomValue();
  bloom.cursor.openEntry(db, ref);
  const { errorRate, capacity, expansion, layers } = bloom.filter;
  mix(own, encoder.encode(`${errorRate} ${capacity} ${expansion}`));
  for (const { bits, count } of layers) {
    mix(own, encoder.encode(`${count}`));
    mix(own, bits);
  }
}

export function digest({ reply, engine }: Call): void {
  const total = new Uint8Array(DIGEST_BYTES);
  const own = new Uint8Array(DIGEST_BYTES);
  for (const db of engine.keyspace.databases) {
    if (db.size === 0) continue;
    const { entries } = db.keyspace;
    const view = new DataView(new ArrayBuffer(4));
    view.setUint32(0, db.index);
    mix(total, new Uint8Array(view.buffer));
    db.forEach((ref) => {
      entries.open(ref);
      own.fill(0);
      mixRange(own, entries.keyBytes, entries.keyStart, entries.keyEnd);
      digestEntry(db, ref, own);
      xorWith(total, sumOf(own));
    });
  }
  reply.simple(hexText(total));
}

export function digestValue({ args, reply, db }: Call): void {
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    const own = new Uint8Array(DIGEST_BYTES);
    const ref = db.find(args, i);
    if (ref !== 0) digestEntry(db, ref, own);
    reply.simple(hexText(own));
  }
}

/** Mixes the value of `ref` and whether it expires into `own`. */
function digestEntry(db: Database, ref: Ref, own: Uint8Array): void {
  const { entries } = db.keyspace;
  entries.open(ref);
  // The type, as a big-endian 32-bit number: 0 for strings. Streams and modules have other numbers in Redis than here.
  const type = REDIS_TYPES[entries.type] ?? entries.type;
  typeBytes[3] = type;
  mix(own, typeBytes);
  const mixValue = BY_TYPE[entries.type];
  mixValue(db, ref, own);
  if (db.deadlines.of(ref) >= 0) xorWith(own, sumOf(EXPIRES));
}

// scratch: lives for one call
const typeBytes = new Uint8Array(4);
const EXPIRES = encoder.encode("!!expire!!");
// scratch: lives for one call
const pair = new Uint8Array(DIGEST_BYTES);
// scratch: lives for one call
const sum = new Uint8Array(DIGEST_BYTES);

/** digest = sha1(digest xor sha1(bytes)). */
function mix(own: Uint8Array, bytes: Uint8Array): void {
  mixRange(own, bytes, 0, bytes.length);
}

function mixSlice(own: Uint8Array, { bytes, start, end }: Slice): void {
  mixRange(own, bytes, start, end);
}

function mixRange(own: Uint8Array, bytes: Uint8Array, start: number, end: number): void {
  sha1(bytes, start, end, sum);
  xorWith(own, sum);
  sha1(own, 0, DIGEST_BYTES, own);
}

/** The sum of `bytes`, good until the next is taken. */
function sumOf(bytes: Uint8Array): Uint8Array {
  sha1(bytes, 0, bytes.length, sum);
  return sum;
}

function xorWith(own: Uint8Array, other: Uint8Array): void {
  for (let i = 0; i < DIGEST_BYTES; i++) own[i] ^= other[i];
}
