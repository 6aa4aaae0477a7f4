/** Reads streams, in any of the three formats. */
import { assert } from "../lib/assert.ts";
import type { Database } from "../keyspace/database.ts";
import { StreamValue } from "../keyspace/stream_value.ts";
import { Int64 } from "../lib/decimal.ts";
import type { Hasher } from "../lib/hash.ts";
import { Slice } from "../lib/slice.ts";
import type { Args } from "../protocol/args.ts";
import type { Consumer, ConsumerGroup } from "../structures/consumer_groups.ts";
import type { Ref } from "../structures/arena.ts";
import { isListpack, Listpack, READ_ONLY } from "../structures/listpack.ts";
import { NameMap } from "../structures/name_map.ts";
import { STREAM_ID_BYTES, StreamId } from "../structures/stream_id.ts";
import type { RdbReader } from "./rdb_reader.ts";
import { scratch } from "../lib/scratch.ts";

/** The format in which deleted entries are counted, and the one in which consumers' activity is noted. */
const FORMAT_COUNTS = 2;
const FORMAT_ACTIVITY = 3;

// scratch: lives for one call
const stream = scratch(new StreamValue());
// scratch: lives for one call
const pack = scratch(new Listpack(READ_ONLY));
// scratch: lives for one call
const slice = scratch(new Slice());
// scratch: lives for one call
const wide = new Int64();
// scratch: lives for one call
const other = new Int64();
// scratch: lives for one call
const id = new StreamId();

/** Reads a stream into the key at argument 0 of `key`, which must be missing in `db`; returns its entry. */
export function readStream(input: RdbReader, format: number, db: Database, key: Args): Ref {
  assert(key.count === 1, "a stream is read to one key");
  assert(format >= 1 && format <= FORMAT_ACTIVITY, "there are three formats");
  stream.cursor.create(db, key, 0);
  assert(stream.log.count === 0, "a stream is read to a new key");
  for (let left = input.length(); left > 0; left--) readNode(input);
  readCounters(input, format);
  for (let left = input.length(); left > 0; left--) readGroup(input, format);
  db.keyspace.entries.accountMemory(stream.stream);
  assert(stream.cursor.ref !== 0, "a stream that was read has an entry");
  return stream.cursor.ref;
}

function readNode(input: RdbReader): void {
  input.string(slice);
  if (slice.length !== STREAM_ID_BYTES) input.source.fail("Invalid stream node id");
  id.read(slice.view, slice.start);
  input.string(slice);
  const { bytes, view, start, end } = slice;
  if (!isListpack(bytes, view, start, end)) input.source.fail("Invalid stream listpack");
  pack.open(bytes, view, start);
  assert(pack.size === end - start, "a listpack that was checked fills its string");
  if (!stream.log.restoreNode(id, pack)) input.source.fail("Invalid stream node");
}

function readCounters(input: RdbReader, format: number): void {
  const { log } = stream;
  // Some versions of Redis wrote another number than there were entries; Redis reads that, too.
  if (input.length() > 0 && log.count === 0) input.source.fail("Invalid number of stream entries");
  readId(input, log.lastId);
  log.readTopId(id);
  if (id.compare(log.lastId) > 0) input.source.fail("Invalid last id of a stream");
  assert(log.count >= 0, "entries are counted upwards");
  log.added.setNumber(log.count);
  if (format < FORMAT_COUNTS) return;
  readId(input, id); // The first entry's id, which the log knows: not used.
  readId(input, log.maxDeletedId);
  input.length64(log.added);
}

function readId(input: RdbReader, into: StreamId): void {
  input.length64(wide);
  input.length64(other);
  into.setWords(wide.hi, wide.lo, other.hi, other.lo);
}

function readGroup(input: RdbReader, format: number): void {
  const name = input.text();
  if (stream.group(name) !== undefined) input.source.fail("Duplicated consumer group name");
  const group = stream.addGroup(name);
  assert(group.pending.count === 0, "a new group has no pending entries");
  readId(input, group.lastId);
  if (format < FORMAT_COUNTS) stream.readAddedUpTo(group.lastId, group.entriesRead);
  else input.length64(group.entriesRead);
  const pending = readPending(input, stream.cursor.entries.hasher);
  const announced = pending.size;
  for (let left = input.length(); left > 0; left--) readConsumer(input, format, group, pending);
  if (pending.size > 0) input.source.fail("A pending entry without consumer");
  assert(group.pending.count === announced, "a group has all of its pending entries");
}

/** When and how often a group's entry was delivered. */
interface Delivery {
  readonly deliveredMs: number;
  readonly deliveries: Int64;
}

/** By the id's text. */
function readPending(input: RdbReader, hasher: Hasher): NameMap<Delivery> {
  const pending = new NameMap<Delivery>(hasher);
  const count = input.length();
  for (let left = count; left > 0; left--) {
    readRawId(input);
    const deliveredMs = input.milliseconds();
    const text = id.toString();
    if (pending.has(text)) input.source.fail("Duplicated pending entry");
    const deliveries = new Int64();
    input.length64(deliveries);
    pending.set(text, { deliveredMs, deliveries });
  }
  assert(pending.size === count, "as many pending entries are read as were announced");
  return pending;
}

function readRawId(input: RdbReader): void {
  input.raw(STREAM_ID_BYTES, slice);
  assert(slice.length === STREAM_ID_BYTES, "an id is at hand whole");
  id.read(slice.view, slice.start);
  input.source.at = slice.end;
}

function readConsumer(
  input: RdbReader,
  format: number,
  group: ConsumerGroup,
  pending: NameMap<Delivery>,
): void {
  const name = input.text();
  if (group.consumer(name) !== undefined) input.source.fail("Duplicated stream consumer");
  const consumer: Consumer = group.addConsumer(name, input.milliseconds());
  consumer.activeMs = format >= FORMAT_ACTIVITY ? input.milliseconds() : consumer.seenMs;
  const count = input.length();
  for (let left = count; left > 0; left--) {
    readRawId(input);
    const delivery = pending.get(id.toString());
    if (delivery === undefined) {
      input.source.fail("Consumer entry not found in the group's pending entries");
    }
    pending.delete(id.toString());
    group.add(id, consumer, delivery.deliveredMs, delivery.deliveries);
  }
  assert(consumer.pending.count === count, "a consumer has as many entries as were announced");
}
