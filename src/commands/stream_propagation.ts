/**
 * How reads of a group are propagated: which consumer got which entry when, and the group's last id. Running
 * XREADGROUP or XCLAIM again would record another time.
 */
import type { Call } from "../engine/call.ts";
import { Int64 } from "../lib/decimal.ts";
import { binaryBytes } from "../protocol/args.ts";
import type { Propagation } from "../engine/propagation.ts";
import type { Ref } from "../structures/arena.ts";
import type { Consumer, ConsumerGroup } from "../structures/consumer_groups.ts";
import { StreamId } from "../structures/stream_id.ts";
import { propagateId } from "./stream_args.ts";

// scratch: lives for one call
const id = new StreamId();
// scratch: lives for one call
const count = new Int64();

function propagateName(stream: Propagation, name: string): Propagation {
  const bytes = binaryBytes(name);
  return stream.bytes(bytes, 0, bytes.length);
}

/** Propagates a consumer that is new to the group of the stream at argument `key`. */
export function propagateConsumer(
  call: Call,
  key: number,
  group: ConsumerGroup,
  consumer: Consumer,
): void {
  const stream = call.rewrite(5);
  if (stream === null) return;
  stream.word("XGROUP").word("CREATECONSUMER").argument(call.args, key);
  propagateName(propagateName(stream, group.name), consumer.name);
}

/** Propagates a pending entry with its present state. */
export function propagateDelivery(call: Call, key: number, group: ConsumerGroup, ref: Ref): void {
  const stream = call.rewrite(14);
  if (stream === null) return;
  stream.word("XCLAIM").argument(call.args, key);
  propagateName(propagateName(stream, group.name), group.consumerOf(ref).name).word("0");
  group.readId(ref, id);
  propagateId(stream, id);
  stream.word("TIME").integer(group.deliveredMs(ref));
  group.readDeliveries(ref, count);
  stream.word("RETRYCOUNT").int64(count);
  stream.word("FORCE").word("JUSTID").word("LASTID");
  propagateId(stream, group.lastId);
}

/** Propagates the group's last id and its count of read entries. */
export function propagateGroup(call: Call, key: number, group: ConsumerGroup): void {
  const stream = call.rewrite(7);
  if (stream === null) return;
  propagateName(stream.word("XGROUP").word("SETID").argument(call.args, key), group.name);
  propagateId(stream, group.lastId);
  stream.word("ENTRIESREAD").int64(group.entriesRead);
}
