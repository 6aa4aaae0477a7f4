/** XPENDING, XCLAIM, XAUTOCLAIM: entries that were delivered and not acknowledged. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import { Events } from "../keyspace/change_hooks.ts";
import { StreamValue } from "../keyspace/stream_value.ts";
import { Int64 } from "../lib/decimal.ts";
import type { Args } from "../protocol/args.ts";
import {
  type ErrorReply,
  Errors,
  noSuchKeyOrGroup,
  unrecognizedClaim,
} from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import type { Ref } from "../structures/arena.ts";
import type { Consumer, ConsumerGroup, PendingList } from "../structures/consumer_groups.ts";
import { LAST_ID, StreamId } from "../structures/stream_id.ts";
import { LogCursor } from "../structures/stream_log.ts";
import { propagateDelivery, propagateGroup } from "./stream_propagation.ts";
import { readId, readRangeEnd, readRangeStart, replyEntry, replyId } from "./stream_args.ts";
import { scratch } from "../lib/scratch.ts";

/** XAUTOCLAIM looks at up to this many times COUNT pending entries. */
const ATTEMPTS_FACTOR = 10;
const COUNT_DEFAULT = 100;
/** The upper half of the least count of 16-byte ids whose bytes 63 bits can't count. */
const COUNT_HI_END = 0x08000000;
/** More ids than a process has addresses for. Redis, which reserves memory for all, may refuse less, as its machine is. */
const COUNT_MAX = 2 ** 43;

// scratch: lives for one call
const stream = scratch(new StreamValue());
// scratch: lives for one call
const cursor = scratch(new LogCursor());
// scratch: lives for one call
const id = new StreamId();
// scratch: lives for one call
const count = new Int64();
// scratch: lives for one call
const from = new StreamId();
// scratch: lives for one call
const to = new StreamId();

/**
 * The group that argument 2 names, once the cursor was bound to the stream at argument 1, if that exists; a missing group
 * or key fails `args`.
 */
function openGroup({ args }: Call, exists: boolean): ConsumerGroup | null {
  if (args.error !== null) return null;
  const group = exists ? stream.group(args.binary(2)) : undefined;
  if (group === undefined) args.fail(noSuchKeyOrGroup(args.binary(1), args.binary(2)));
  return group ?? null;
}

// XPENDING

/** XPENDING key group [[IDLE min-idle-time] start end count [consumer]] */
function xpending(call: Call): void {
  const { args, reply } = call;
  if (args.count === 3) return showSummary(call);
  const hasIdle = args.is(3, "IDLE");
  const first = hasIdle ? 5 : 3;
  // Words behind the last one that has a meaning are let pass, as in Redis.
  if (args.count < 6 || args.count > 9) return reply.error(Errors.syntax);
  const minIdleMs = hasIdle ? args.integer(4) : 0;
  if (args.count < first + 3) args.fail(Errors.syntax);
  if (args.error !== null) return reply.error(args.error);
  const limit = Math.max(args.integer(first + 2), 0);
  if (args.error === null) readRangeStart(args, first, from);
  if (args.error === null) readRangeEnd(args, first + 1, to);
  if (args.error !== null) return reply.error(args.error);
  const group = openGroup(call, stream.cursor.read(call.db, args, 1));
  if (group === null) return reply.error(args.error ?? Errors.syntax);
  let { pending } = group;
  if (args.count > first + 3) {
    const consumer = group.consumer(args.binary(first + 3));
    if (consumer === undefined) return reply.emptyArray();
    pending = consumer.pending;
  }
  showPending(call, group, pending, limit, minIdleMs);
}

/** How many are pending, the first and the last id, and how many for each consumer. */
function showSummary(call: Call): void {
  const { args, reply } = call;
  const group = openGroup(call, stream.cursor.read(call.db, args, 1));
  if (group === null) return reply.error(args.error ?? Errors.syntax);
  const { pending } = group;
  reply.array(4);
  reply.integer(pending.count);
  if (pending.count === 0) {
    reply.nullBulk();
    reply.nullBulk();
    return reply.nullArray();
  }
  group.readId(pending.at(0), id);
  replyId(reply, id);
  group.readId(pending.tree.last(), id);
  replyId(reply, id);
  const consumers = group.consumers().filter((consumer) => consumer.pending.count > 0);
  reply.array(consumers.length);
  for (const consumer of consumers) {
    reply.array(2);
    reply.bulkBinary(consumer.name);
    reply.bulkInteger(consumer.pending.count);
  }
}

/** Shows what is pending with ids `from` to `to`. */
function showPending(
  { reply, nowMs }: Call,
  group: ConsumerGroup,
  pending: PendingList,
  limit: number,
  minIdleMs: number,
): void {
  const begin = reply.mark();
  let shown = 0;
  for (let rank = pending.rankOf(from); rank < pending.count && shown < limit; rank++) {
    const ref = pending.at(rank);
    group.readId(ref, id);
    if (id.compare(to) > 0) break;
    const idleMs = Math.max(nowMs - group.deliveredMs(ref), 0);
    if (minIdleMs > 0 && idleMs < minIdleMs) continue;
    shown++;
    reply.array(4);
    replyId(reply, id);
    reply.bulkBinary(group.consumerOf(ref).name);
    reply.integer(idleMs);
    group.readDeliveries(ref, count);
    reply.int64(count);
  }
  reply.arrayFrom(begin, shown);
}

// XCLAIM

/** What XCLAIM's options ask for. */
interface Claim {
  /** Index of the first argument behind the ids. */
  end: number;
  minIdleMs: number;
  deliveredMs: number;
  /** Negative: one more than before. */
  retries: Int64;
  isForced: boolean;
  isJustId: boolean;
  /** Whether LASTID has changed the group and is still to be propagated: each entry that is propagated tells it, too. */
  hasLastId: boolean;
}

/** An integer, with an error of its own. */
function readInteger(args: Args, index: number, failure: ErrorReply): number {
  const value = args.integer(index);
  if (args.error !== null) args.error = failure;
  return value;
}

/** Reads what stands behind the ids; LASTID goes to `to`. */
function readClaim(args: Args, nowMs: number): Claim {
  const claim: Claim = {
    end: 5,
    minIdleMs: Math.max(readInteger(args, 4, Errors.claimMinIdle), 0),
    deliveredMs: nowMs,
    retries: new Int64(),
    isForced: false,
    isJustId: false,
    hasLastId: false,
  };
  claim.retries.setNumber(-1);
  while (
    claim.end < args.count &&
    id.parse(args.bytesOf(claim.end), args.start(claim.end), args.end(claim.end))
  ) claim.end++;
  for (let at = claim.end; at < args.count && args.error === null; at++) {
    const hasMore = at + 1 < args.count;
    if (args.is(at, "FORCE")) claim.isForced = true;
    else if (args.is(at, "JUSTID")) claim.isJustId = true;
    else if (args.is(at, "IDLE") && hasMore) {
      claim.deliveredMs = nowMs - readInteger(args, ++at, Errors.claimIdle);
    } else if (args.is(at, "TIME") && hasMore) {
      claim.deliveredMs = readInteger(args, ++at, Errors.claimTime);
    } else if (args.is(at, "RETRYCOUNT") && hasMore) {
      if (!args.int64(++at, claim.retries)) args.error = Errors.claimRetries;
    } else if (args.is(at, "LASTID") && hasMore) {
      readId(args, ++at, to);
      claim.hasLastId = true;
    } else args.fail(unrecognizedClaim(args.binary(at)));
  }
  // An entry can't have been delivered in the future or before 1970.
  if (claim.deliveredMs < 0 || claim.deliveredMs > nowMs) claim.deliveredMs = nowMs;
  return claim;
}

/** The consumer that argument 3 names, made if there is none. */
function openConsumer({ args, nowMs }: Call, group: ConsumerGroup): Consumer {
  const name = args.binary(3);
  let consumer = group.consumer(name);
  if (consumer === undefined) {
    consumer = group.addConsumer(name, nowMs);
    stream.cursor.changedBeside(Events.xgroupCreateconsumer);
  }
  consumer.seenMs = nowMs;
  return consumer;
}

/** XCLAIM key group consumer min-idle-time id … [IDLE ms] [TIME ms] [RETRYCOUNT n] [FORCE] [JUSTID] [LASTID id] */
function xclaim(call: Call): void {
  const { args, reply, nowMs } = call;
  const group = openGroup(call, stream.cursor.readToEdit(call.db, args, 1));
  if (group === null) return reply.error(args.error ?? Errors.syntax);
  const claim = readClaim(args, nowMs);
  if (args.error !== null) return reply.error(args.error);
  claim.hasLastId &&= to.compare(group.lastId) > 0;
  if (claim.hasLastId) {
    group.lastId.copy(to);
    stream.cursor.changedBeside(null);
  }
  call.rewriteToNothing();
  const consumer = openConsumer(call, group);
  const begin = reply.mark();
  let claimed = 0;
  for (let i = 5; i < claim.end; i++) {
    readId(args, i, id);
    if (!claimOne(call, group, consumer, claim)) continue;
    consumer.activeMs = nowMs;
    claimed++;
  }
  if (claimed > 0) stream.cursor.changedBeside(null, claimed);
  if (claim.hasLastId) propagateGroup(call, 1, group);
  reply.arrayFrom(begin, claimed);
}

/** Gives the entry `id` to the consumer and shows it; returns false if it can't be claimed. */
function claimOne(
  call: Call,
  group: ConsumerGroup,
  consumer: Consumer,
  claim: Claim,
): boolean {
  const { reply, nowMs } = call;
  let ref = group.pending.find(id);
  cursor.seek(stream.log, id, id, false);
  if (!cursor.next()) {
    // The entry was deleted from the stream: it is no longer pending for anybody.
    if (ref !== 0) {
      propagateDelivery(call, 1, group, ref);
      claim.hasLastId = false;
      group.remove(ref);
      stream.cursor.changedBeside(null);
    }
    return false;
  }
  if (ref === 0) {
    if (!claim.isForced) return false;
    ref = group.add(id, consumer, claim.deliveredMs);
  } else {
    if (nowMs - group.deliveredMs(ref) < claim.minIdleMs) return false;
    group.assign(ref, consumer);
  }
  if (claim.retries.hi >= 0) group.setDelivery(ref, claim.deliveredMs, claim.retries);
  else group.deliverAgain(ref, claim.deliveredMs, !claim.isJustId);
  propagateDelivery(call, 1, group, ref);
  claim.hasLastId = false;
  if (claim.isJustId) replyId(reply, id);
  else replyEntry(reply, cursor);
  return true;
}

// XAUTOCLAIM

/** XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID] */
function xautoclaim(call: Call): void {
  const { args, reply, db, nowMs } = call;
  // As in Redis, the key is looked up before the arguments are read: a miss is counted, and told, in any case.
  db.readUntouched(args, 1);
  const minIdleMs = Math.max(readInteger(args, 4, Errors.autoclaimMinIdle), 0);
  if (args.error === null) readRangeStart(args, 5, from);
  let limit = COUNT_DEFAULT;
  let isJustId = false;
  for (let at = 6; at < args.count && args.error === null; at++) {
    if (args.is(at, "COUNT") && at + 1 < args.count) {
      limit = args.integerWithin(++at, 1, Infinity, Errors.claimCount);
      if (args.int64(at, count) && count.hi >= COUNT_HI_END) args.fail(Errors.claimCount);
    } else if (args.is(at, "JUSTID")) isJustId = true;
    else args.fail(Errors.syntax);
  }
  if (args.error !== null) return reply.error(args.error);
  const group = openGroup(call, stream.cursor.edit(db, args, 1));
  if (group === null) return reply.error(args.error ?? Errors.syntax);
  if (limit >= COUNT_MAX) return reply.error(Errors.claimMemory);
  call.rewriteToNothing();
  const consumer = openConsumer(call, group);

  const claimed: Ref[] = [];
  const deleted: string[] = [];
  const { pending } = group;
  let rank = pending.rankOf(from);
  cursor.seek(stream.log, from, LAST_ID, false);
  let attempts = ATTEMPTS_FACTOR * limit;
  for (; rank < pending.count && attempts > 0; attempts--) {
    if (claimed.length + deleted.length >= limit) break;
    const ref = pending.at(rank);
    const isOld = nowMs - group.deliveredMs(ref) >= minIdleMs;
    group.readId(ref, id);
    if (isOld && !cursor.advance(id)) {
      // Whoever runs this finds the entry deleted, too, and no longer pending.
      propagateDelivery(call, 1, group, ref);
      group.remove(ref);
      deleted.push(id.toString());
      continue;
    }
    rank++;
    if (isOld) claimed.push(ref);
  }
  for (const ref of claimed) {
    group.assign(ref, consumer);
    group.deliverAgain(ref, nowMs, !isJustId);
    propagateDelivery(call, 1, group, ref);
  }
  if (claimed.length > 0) consumer.activeMs = nowMs;
  stream.cursor.changedBeside(null, claimed.length + deleted.length);

  id.clear();
  if (rank < pending.count) group.readId(pending.at(rank), id);
  reply.array(3);
  replyId(reply, id);
  showClaimed(reply, group, claimed, isJustId);
  reply.array(deleted.length);
  for (const text of deleted) reply.bulkText(text);
}

function showClaimed(
  reply: ReplyWriter,
  group: ConsumerGroup,
  claimed: Ref[],
  isJustId: boolean,
): void {
  reply.array(claimed.length);
  cursor.seek(stream.log, from, LAST_ID, false);
  for (const ref of claimed) {
    group.readId(ref, id);
    if (isJustId) replyId(reply, id);
    else if (cursor.advance(id)) replyEntry(reply, cursor);
  }
}

/** Rows of the table: see engine/command.ts. */
export const streamPendingCommands: readonly CommandSpec[] = [
  {
    name: "xpending",
    usage:
      "key group [filters=([IDLE min-idle-time:integer]@6.2.0 start end count:integer [consumer])]",
    summary: "Returns a group's entries that are not acknowledged.",
    since: "5.0.0",
    complexity: "O(N)",
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    tips: ["nondeterministic_output"],
    run: xpending,
  },
  {
    name: "xclaim",
    usage:
      "key group consumer min-idle-time {id}* [IDLE ms:integer] [TIME unix-time-milliseconds:unix-time] [RETRYCOUNT count:integer] [FORCE] [JUSTID] [LASTID lastid]",
    summary: "Gives entries that are not acknowledged to another consumer.",
    since: "5.0.0",
    complexity: "O(log N)",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW update")],
    tips: ["nondeterministic_output"],
    run: xclaim,
  },
  {
    name: "xautoclaim",
    usage: "key group consumer min-idle-time start [COUNT count:integer] [JUSTID]",
    summary: "Gives old entries that are not acknowledged to another consumer.",
    since: "6.2.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW delete")],
    tips: ["nondeterministic_output"],
    run: xautoclaim,
  },
];
