/** XINFO: information on a stream, its groups and their consumers. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import { StreamValue } from "../keyspace/stream_value.ts";
import { Int64, subtractInt64 } from "../lib/decimal.ts";
import { Errors, noSuchGroup, unknownOrArity } from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import { type Consumer, type ConsumerGroup, isUnknown } from "../structures/consumer_groups.ts";
import { FIRST_ID, LAST_ID, StreamId } from "../structures/stream_id.ts";
import { LogCursor } from "../structures/stream_log.ts";
import { replyHelp } from "./help.ts";
import { replyEntry, replyId } from "./stream_args.ts";
import { scratch } from "../lib/scratch.ts";

const FULL_COUNT_DEFAULT = 10;

// scratch: lives for one call
const stream = scratch(new StreamValue());
// scratch: lives for one call
const cursor = scratch(new LogCursor());
// scratch: lives for one call
const id = new StreamId();
// scratch: lives for one call
const number = new Int64();
// scratch: lives for one call
const read = new Int64();

/** Opens the stream that argument 2 names; returns false after answering an error. */
function open({ args, reply, db }: Call): boolean {
  if (stream.cursor.read(db, args, 2)) return true;
  reply.error(args.error ?? Errors.noSuchKey);
  return false;
}

/** XINFO STREAM key [FULL [COUNT count]] */
function xinfoStream(call: Call): void {
  const { args, reply } = call;
  if (!open(call)) return;
  if (args.count === 3) return showStream(reply);
  const isKnown = args.is(3, "FULL") &&
    (args.count === 4 || (args.count === 6 && args.is(4, "COUNT")));
  if (!isKnown) return reply.error(unknownOrArity(args));
  let limit = FULL_COUNT_DEFAULT;
  if (args.count === 6) {
    limit = args.integer(5);
    if (limit < 0) limit = FULL_COUNT_DEFAULT;
  }
  if (args.error !== null) return reply.error(args.error);
  showFull(call, limit);
}

/** What both forms begin with: seven pairs. */
function showHead(reply: ReplyWriter): void {
  const { log } = stream;
  reply.bulkText("length");
  reply.integer(log.count);
  reply.bulkText("radix-tree-keys");
  reply.integer(log.nodeCount);
  // We have no radix tree: this counts the nodes of our index. Redis counts a root even for a small stream.
  reply.bulkText("radix-tree-nodes");
  reply.integer(log.nodeCount + 1);
  reply.bulkText("last-generated-id");
  replyId(reply, log.lastId);
  reply.bulkText("max-deleted-entry-id");
  replyId(reply, log.maxDeletedId);
  reply.bulkText("entries-added");
  reply.int64(log.added);
  reply.bulkText("recorded-first-entry-id");
  log.readFirstId(id);
  replyId(reply, id);
}

function showStream(reply: ReplyWriter): void {
  reply.map(10);
  showHead(reply);
  reply.bulkText("groups");
  reply.integer(stream.stream.groups?.count ?? 0);
  reply.bulkText("first-entry");
  showEnd(reply, false);
  reply.bulkText("last-entry");
  showEnd(reply, true);
}

/** The first entry or the last. */
function showEnd(reply: ReplyWriter, isLast: boolean): void {
  cursor.seek(stream.log, FIRST_ID, LAST_ID, isLast);
  if (cursor.next()) replyEntry(reply, cursor);
  else reply.nullBulk();
}

/** `limit`: of entries and of pending ones; 0 is without limit. */
function showFull(call: Call, limit: number): void {
  const { reply } = call;
  reply.map(9);
  showHead(reply);
  reply.bulkText("entries");
  const begin = reply.mark();
  let shown = 0;
  cursor.seek(stream.log, FIRST_ID, LAST_ID, false);
  while ((limit === 0 || shown < limit) && cursor.next()) {
    replyEntry(reply, cursor);
    shown++;
  }
  reply.arrayFrom(begin, shown);
  reply.bulkText("groups");
  const groups = stream.stream.groups?.all() ?? [];
  reply.array(groups.length);
  for (const group of groups) showFullGroup(reply, group, limit);
}

function showFullGroup(reply: ReplyWriter, group: ConsumerGroup, limit: number): void {
  reply.map(7);
  reply.bulkText("name");
  reply.bulkBinary(group.name);
  reply.bulkText("last-delivered-id");
  replyId(reply, group.lastId);
  showProgress(reply, group);
  reply.bulkText("pel-count");
  reply.integer(group.pending.count);
  reply.bulkText("pending");
  const { pending } = group;
  const count = limit === 0 ? pending.count : Math.min(pending.count, limit);
  reply.array(count);
  pending.tree.forEachFrom(0, count, false, (ref) => {
    reply.array(4);
    group.readId(ref, id);
    replyId(reply, id);
    reply.bulkBinary(group.consumerOf(ref).name);
    reply.integer(group.deliveredMs(ref));
    group.readDeliveries(ref, number);
    reply.int64(number);
  });
  reply.bulkText("consumers");
  reply.array(group.consumerCount);
  for (const consumer of group.consumers()) showFullConsumer(reply, group, consumer, limit);
}

function showFullConsumer(
  reply: ReplyWriter,
  group: ConsumerGroup,
  consumer: Consumer,
  limit: number,
): void {
  reply.map(5);
  reply.bulkText("name");
  reply.bulkBinary(consumer.name);
  reply.bulkText("seen-time");
  reply.integer(consumer.seenMs);
  reply.bulkText("active-time");
  reply.integer(consumer.activeMs);
  reply.bulkText("pel-count");
  reply.integer(consumer.pending.count);
  reply.bulkText("pending");
  const { pending } = consumer;
  const count = limit === 0 ? pending.count : Math.min(pending.count, limit);
  reply.array(count);
  pending.tree.forEachFrom(0, count, false, (ref) => {
    reply.array(3);
    group.readId(ref, id);
    replyId(reply, id);
    reply.integer(group.deliveredMs(ref));
    group.readDeliveries(ref, number);
    reply.int64(number);
  });
}

/** Two pairs: how many entries the group has read and has still to read, where that is known. */
function showProgress(reply: ReplyWriter, group: ConsumerGroup): void {
  reply.bulkText("entries-read");
  if (isUnknown(group.entriesRead)) reply.nullBulk();
  else reply.int64(group.entriesRead);
  reply.bulkText("lag");
  if (readLag(group, number)) reply.int64(number);
  else reply.nullBulk();
}

/**
 * Puts into `lag` how many entries the group has still to read; XSETID can make it negative. Returns false where it
 * is unknown.
 */
function readLag(group: ConsumerGroup, lag: Int64): boolean {
  const { log } = stream;
  lag.copy(log.added);
  if (lag.isZero) return true;
  read.copy(group.entriesRead);
  if (isUnknown(read) || stream.hasGapsFrom(group.lastId)) {
    stream.readAddedUpTo(group.lastId, read);
    if (isUnknown(read)) return false;
  }
  subtractInt64(log.added, read, lag);
  return true;
}

function xinfoGroups(call: Call): void {
  const { reply } = call;
  if (!open(call)) return;
  const groups = stream.stream.groups?.all() ?? [];
  reply.array(groups.length);
  for (const group of groups) {
    reply.map(6);
    reply.bulkText("name");
    reply.bulkBinary(group.name);
    reply.bulkText("consumers");
    reply.integer(group.consumerCount);
    reply.bulkText("pending");
    reply.integer(group.pending.count);
    reply.bulkText("last-delivered-id");
    replyId(reply, group.lastId);
    showProgress(reply, group);
  }
}

function xinfoConsumers(call: Call): void {
  const { args, reply, nowMs } = call;
  if (!open(call)) return;
  const group = stream.group(args.binary(3));
  if (group === undefined) return reply.error(noSuchGroup(args.binary(3), args.binary(2)));
  reply.array(group.consumerCount);
  for (const consumer of group.consumers()) {
    reply.map(4);
    reply.bulkText("name");
    reply.bulkBinary(consumer.name);
    reply.bulkText("pending");
    reply.integer(consumer.pending.count);
    reply.bulkText("idle");
    reply.integer(Math.max(nowMs - consumer.seenMs, 0));
    reply.bulkText("inactive");
    // As in Redis, this is negative after the clock was set back.
    reply.integer(consumer.activeMs < 0 ? -1 : nowMs - consumer.activeMs);
  }
}

function xinfoHelp(call: Call): void {
  replyHelp(call, [
    ["CONSUMERS <key> <groupname>", "Show the consumers of the group."],
    ["GROUPS <key>", "Show the groups of the stream."],
    ["STREAM <key> [FULL [COUNT <count>]", "Show what is known of the stream."],
  ]);
}

/** Rows of the table: see engine/command.ts. */
export const streamInfoCommands: readonly CommandSpec[] = [
  {
    name: "xinfo",
    usage: "",
    summary: "Tells what is known of streams.",
    since: "5.0.0",
    complexity: "Depends on the subcommand",
    flags: 0,
    subcommands: [
      {
        name: "consumers",
        usage: "key group",
        summary: "Returns the consumers of a group.",
        since: "5.0.0",
        complexity: "O(1)",
        flags: Flag.readonly,
        keys: [oneKey("RO access", 2)],
        tips: ["nondeterministic_output"],
        run: xinfoConsumers,
      },
      {
        name: "groups",
        usage: "key",
        summary: "Returns the groups of a stream.",
        since: "5.0.0",
        complexity: "O(1)",
        flags: Flag.readonly,
        keys: [oneKey("RO access", 2)],
        run: xinfoGroups,
      },
      {
        name: "help",
        usage: "",
        summary: "Lists the subcommands.",
        since: "5.0.0",
        complexity: "O(1)",
        flags: Flag.loading | Flag.stale,
        run: xinfoHelp,
      },
      {
        name: "stream",
        usage: "key [full-block=(FULL [COUNT count:integer])]",
        summary: "Returns what is known of a stream.",
        since: "5.0.0",
        complexity: "O(1)",
        flags: Flag.readonly,
        keys: [oneKey("RO access", 2)],
        run: xinfoStream,
      },
    ],
  },
];
