/** XREAD and XREADGROUP: entries of several streams after given ids, waiting for them if asked to. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag } from "../engine/command.ts";
import { keysAfter } from "../engine/key_spec.ts";
import { Events } from "../keyspace/change_hooks.ts";
import { Type } from "../keyspace/entry.ts";
import { StreamValue } from "../keyspace/stream_value.ts";
import { type Args, argsOf, binaryBytes } from "../protocol/args.ts";
import { blockInScript, Errors, noSuchKeyOrGroup, unbalancedStreams } from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import { type Consumer, type ConsumerGroup, isUnknown } from "../structures/consumer_groups.ts";
import type { Ref } from "../structures/arena.ts";
import { LAST_ID, StreamId } from "../structures/stream_id.ts";
import { LogCursor } from "../structures/stream_log.ts";
import { timeoutInMs } from "./counts.ts";
import { propagateConsumer, propagateDelivery, propagateGroup } from "./stream_propagation.ts";
import { readId, replyEntry, replyId } from "./stream_args.ts";
import { scratch } from "../lib/scratch.ts";

const DOLLAR = 0x24;
const GREATER = 0x3e;

// scratch: lives for one call
const stream = scratch(new StreamValue());
// scratch: lives for one call
const cursor = scratch(new LogCursor());
// scratch: lives for one call
const id = new StreamId();
// scratch: lives for one call
const pendingId = new StreamId();

/** What the arguments ask for. */
interface Request {
  /** Index of the first key. */
  first: number;
  /** How many streams. */
  count: number;
  /** Entries of each stream at most; 0: without limit. */
  limit: number;
  /** −1: do not wait; 0: for ever. */
  timeoutMs: number;
  /** A character a byte; null in XREAD. */
  group: string | null;
  consumer: string;
  isNoAck: boolean;
}

/** Reads the options up to the ids, which stay where they are. */
function readRequest(call: Call, isGroup: boolean): Request {
  const { args } = call;
  const request: Request = {
    first: 0,
    count: 0,
    limit: 0,
    timeoutMs: -1,
    group: null,
    consumer: "",
    isNoAck: false,
  };
  for (let at = 1; at < args.count && request.first === 0 && args.error === null; at++) {
    const more = args.count - at - 1;
    if (args.is(at, "BLOCK") && more > 0) {
      if (call.client.isScript) args.fail(blockInScript(args.binary(0)));
      request.timeoutMs = timeoutInMs(call, ++at);
    } else if (args.is(at, "COUNT") && more > 0) {
      request.limit = Math.max(args.integer(++at), 0);
    } else if (args.is(at, "STREAMS") && more > 0) request.first = at + 1;
    else if (args.is(at, "GROUP") && more > 1) {
      if (!isGroup) args.fail(Errors.groupOfXread);
      request.group = args.binary(at + 1);
      request.consumer = args.binary(at + 2);
      at += 2;
    } else if (args.is(at, "NOACK")) {
      if (!isGroup) args.fail(Errors.noackOfXread);
      request.isNoAck = true;
    } else args.fail(Errors.syntax);
  }
  if (args.error !== null) return request;
  if (request.first === 0) args.fail(Errors.syntax);
  else if ((args.count - request.first) % 2 !== 0) {
    args.fail(unbalancedStreams(isGroup ? "xreadgroup" : "xread", isGroup ? ">" : "$"));
  } else if (isGroup && request.group === null) args.fail(Errors.noGroupOption);
  request.count = (args.count - request.first) / 2;
  return request;
}

/** Fails `args` unless every key may be read: XREADGROUP needs its group in all of them. */
function check(call: Call, request: Request): void {
  const { args, db } = call;
  const { first, count, group } = request;
  for (let i = 0; i < count && args.error === null; i++) {
    // As in Redis, this look-up counts a hit or miss, and so does the one that reads.
    const exists = stream.cursor.read(db, args, first + i);
    if (args.error !== null) return;
    if (group !== null && (!exists || stream.group(group) === undefined)) {
      const key = args.binary(first + i);
      args.fail(noSuchKeyOrGroup(key, group, " in XREADGROUP with GROUP option"));
      return;
    }
    const at = first + count + i;
    if (args.isCharacter(at, DOLLAR)) {
      if (group !== null) args.fail(Errors.newestOfGroup);
    } else if (args.isCharacter(at, GREATER)) {
      if (group === null) args.fail(Errors.undeliveredOfXread);
    } else readId(args, at, id);
  }
}

function read(call: Call, isGroup: boolean): void {
  const { args, reply } = call;
  const request = readRequest(call, isGroup);
  if (args.error === null) check(call, request);
  if (args.error !== null) return reply.error(args.error);
  const { count, timeoutMs } = request;
  const begin = reply.mark();
  let shown = 0;
  // Deliveries are propagated one by one instead of this command.
  call.rewriteToNothing();
  for (let i = 0; i < count; i++) {
    const isShown = isGroup ? showForGroup(call, request, i) : showNewer(call, request, i);
    if (isShown) shown++;
  }
  if (shown > 0) {
    if (reply.resp === 2) reply.arrayFrom(begin, shown);
    else reply.mapFrom(begin, shown);
    return;
  }
  if (timeoutMs < 0 || !wait(call, request)) reply.nullArray();
}

const xread = (call: Call): void => read(call, false);
const xreadgroup = (call: Call): void => read(call, true);

/** Waits for one of the streams, with the ids that `$` stands for now. */
function wait(call: Call, { first, count, timeoutMs, group }: Request): boolean {
  const { args } = call;
  let hasNewest = false;
  for (let i = first + count; i < args.count; i++) {
    if (args.isCharacter(i, DOLLAR)) hasNewest = true;
  }
  if (hasNewest) call.args = withNewestIds(call, first, count);
  const waits = call.block(first, first + count - 1, Type.stream, timeoutMs, group !== null);
  call.args = args;
  return waits;
}

/** The same request with a plain id in the place of each `$`. */
function withNewestIds({ args, db }: Call, first: number, count: number): Args {
  const words: Uint8Array[] = [];
  for (let i = 0; i < args.count; i++) {
    if (i < first + count || !args.isCharacter(i, DOLLAR)) {
      words.push(args.copyOf(i));
      continue;
    }
    id.clear();
    if (stream.cursor.peek(db, args, i - count)) id.copy(stream.log.lastId);
    words.push(binaryBytes(id.toString()));
  }
  return argsOf(...words);
}

/** Answers a stream's name; its entries follow. */
function beginStream(reply: ReplyWriter, args: Args, index: number): void {
  if (reply.resp === 2) reply.array(2);
  reply.bulk(args.bytesOf(index), args.start(index), args.end(index));
}

/** Shows the entries of stream `i` after its id; returns whether there are some. */
function showNewer(
  { args, reply, db }: Call,
  { first, count, limit }: Request,
  i: number,
): boolean {
  const at = first + count + i;
  if (!stream.cursor.read(db, args, first + i) || args.isCharacter(at, DOLLAR)) return false;
  readId(args, at, id);
  if (!id.increment()) return false;
  cursor.seek(stream.log, id, LAST_ID, false);
  if (!cursor.next()) return false;
  beginStream(reply, args, first + i);
  const begin = reply.mark();
  let shown = 0;
  do {
    replyEntry(reply, cursor);
    shown++;
  } while (shown !== limit && cursor.next());
  reply.arrayFrom(begin, shown);
  return true;
}

/** As `showNewer`, for a group: entries that no consumer has got yet, or those pending for this consumer. */
function showForGroup(call: Call, request: Request, i: number): boolean {
  const { args, db } = call;
  const { first, count } = request;
  stream.cursor.readToEdit(db, args, first + i);
  const group = stream.group(request.group ?? "");
  if (group === undefined) return false;
  const consumer = consumerOf(call, request, i, group);
  const at = first + count + i;
  if (args.isCharacter(at, GREATER)) return deliver(call, request, i, group, consumer);
  readId(args, at, id);
  // In Redis, `>` is the last id of all.
  if (id.isMax) return deliver(call, request, i, group, consumer);
  showHistory(call, request, i, group, consumer);
  return true;
}

/**
 * The consumer that is named, made if there is none. As in Redis, it is propagated only with NOACK: otherwise XCLAIM makes
 * it when it gets its first entry.
 */
function consumerOf(call: Call, request: Request, i: number, group: ConsumerGroup): Consumer {
  const name = request.consumer;
  let consumer = group.consumer(name);
  if (consumer === undefined) {
    consumer = group.addConsumer(name, call.nowMs);
    stream.cursor.changedBeside(Events.xgroupCreateconsumer);
    if (request.isNoAck) propagateConsumer(call, request.first + i, group, consumer);
  }
  consumer.seenMs = call.nowMs;
  return consumer;
}

/** Shows entries after the group's last and makes them pending; returns whether there are some. */
function deliver(
  call: Call,
  { first, limit, isNoAck }: Request,
  i: number,
  group: ConsumerGroup,
  consumer: Consumer,
): boolean {
  const { args, reply, nowMs } = call;
  const { log } = stream;
  id.copy(group.lastId);
  if (!id.increment()) return false;
  cursor.seek(log, id, LAST_ID, false);
  if (!cursor.next()) return false;
  beginStream(reply, args, first + i);
  const begin = reply.mark();
  let shown = 0;
  do {
    const delivered = cursor.id;
    replyEntry(reply, cursor);
    shown++;
    group.lastId.copy(delivered);
    const { entriesRead } = group;
    if (!isUnknown(entriesRead) && !stream.hasGapsFrom(delivered)) entriesRead.increment();
    else stream.readAddedUpTo(delivered, entriesRead);
    if (isNoAck) continue;
    const ref = makePending(group, consumer, delivered, nowMs);
    propagateDelivery(call, first + i, group, ref);
  } while (shown !== limit && cursor.next());
  consumer.activeMs = nowMs;
  stream.cursor.changedBeside(null);
  // With each pending entry XCLAIM says the group's last id. Without them nothing else does.
  if (isNoAck) propagateGroup(call, first + i, group);
  reply.arrayFrom(begin, shown);
  return true;
}

/** Makes an entry pending. It may be pending already, if XGROUP SETID has moved the group's last id back. */
function makePending(
  group: ConsumerGroup,
  consumer: Consumer,
  delivered: StreamId,
  nowMs: number,
): Ref {
  const ref = group.pending.find(delivered);
  if (ref === 0) return group.add(delivered, consumer, nowMs);
  group.assign(ref, consumer);
  group.setDelivery(ref, nowMs);
  return ref;
}

/** Shows what is pending for the consumer after `id`; null for entries that were deleted. */
function showHistory(
  { args, reply, nowMs }: Call,
  { first, limit }: Request,
  i: number,
  group: ConsumerGroup,
  consumer: Consumer,
): void {
  beginStream(reply, args, first + i);
  const begin = reply.mark();
  let shown = 0;
  const { pending } = consumer;
  let rank = id.increment() ? pending.rankOf(id) : pending.count;
  cursor.seek(stream.log, id, LAST_ID, false);
  for (; rank < pending.count && (limit === 0 || shown < limit); rank++) {
    const ref = pending.at(rank);
    group.readId(ref, pendingId);
    shown++;
    if (cursor.advance(pendingId)) {
      replyEntry(reply, cursor);
      group.deliverAgain(ref, nowMs);
    } else {
      reply.array(2);
      replyId(reply, pendingId);
      reply.nullArray();
    }
  }
  stream.cursor.changedBeside(null);
  reply.arrayFrom(begin, shown);
}

/** Rows of the table: see engine/command.ts. */
export const streamReadCommands: readonly CommandSpec[] = [
  {
    name: "xread",
    usage: "[COUNT count:integer] [BLOCK milliseconds:integer] STREAMS streams=({key}* {id}*)",
    summary: "Returns the entries of streams after given ids, waiting for them.",
    since: "5.0.0",
    complexity: "Depends on the subcommand",
    flags: Flag.blocking | Flag.readonly,
    keys: [keysAfter("RO access", "STREAMS", 1, { last: -1, limit: 2 })],
    run: xread,
  },
  {
    name: "xreadgroup",
    usage:
      "GROUP group-block=(group consumer) [COUNT count:integer] [BLOCK milliseconds:integer] [NOACK] STREAMS streams=({key}* {id}*)",
    summary: "Returns entries of streams to a consumer of a group, waiting for them.",
    since: "5.0.0",
    complexity: "Depends on the subcommand",
    flags: Flag.blocking | Flag.write,
    keys: [keysAfter("RO access", "STREAMS", 4, { last: -1, limit: 2 })],
    run: xreadgroup,
  },
];
