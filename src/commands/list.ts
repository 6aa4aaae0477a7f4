// hot path
/** Commands on one list: https://redis.io/docs/latest/commands/?group=list */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import { Events } from "../keyspace/change_hooks.ts";
import { ListValue } from "../keyspace/list_value.ts";
import { Int64 } from "../lib/decimal.ts";
import { Slice } from "../lib/slice.ts";
import type { Args } from "../protocol/args.ts";
import { Errors, wrongArity } from "../protocol/errors.ts";
import { positiveCount } from "./counts.ts";
import { scratch } from "../lib/scratch.ts";

// scratch: lives for one call
const list = scratch(new ListValue());
// scratch: lives for one call
const element = scratch(new Slice());
// scratch: lives for one call
const wide = new Int64();

function push({ args, reply, db }: Call, atTail: boolean, onlyExisting: boolean): void {
  const exists = onlyExisting
    ? list.cursor.edit(db, args, 1)
    : list.cursor.editOrCreate(db, args, 1);
  if (!exists) return args.error === null ? reply.integer(0) : reply.error(args.error);
  list.makeRoom(2, args.count);
  for (let i = 2; i < args.count; i++) {
    if (atTail) list.pushTail(args.bytesOf(i), args.viewOf(i), args.start(i), args.end(i));
    else list.pushHead(args.bytesOf(i), args.viewOf(i), args.start(i), args.end(i));
  }
  reply.integer(list.count);
  list.cursor.changed(atTail ? Events.rpush : Events.lpush, args.count - 2);
}

const lpush = (call: Call): void => push(call, false, false);
const rpush = (call: Call): void => push(call, true, false);
const lpushx = (call: Call): void => push(call, false, true);
const rpushx = (call: Call): void => push(call, true, true);

function pop(call: Call, atTail: boolean): void {
  const { args, reply, db } = call;
  if (args.count > 2) return popMany(call, atTail);
  if (!list.cursor.edit(db, args, 1)) {
    return args.error === null ? reply.nullBulk() : reply.error(args.error);
  }
  list.readEnd(atTail, element);
  reply.bulkOf(element);
  list.dropEnd(atTail);
  list.shrink();
  list.cursor.changed(atTail ? Events.rpop : Events.lpop);
}

function popMany({ args, reply, db, command }: Call, atTail: boolean): void {
  if (args.count > 3) return reply.error(wrongArity(command?.name ?? ""));
  const count = positiveCount(args, 2);
  if (args.error !== null) return reply.error(args.error);
  if (!list.cursor.edit(db, args, 1)) {
    return args.error === null ? reply.nullArray() : reply.error(args.error);
  }
  if (count === 0) return reply.emptyArray();
  const size = Math.min(count, list.count);
  reply.array(size);
  list.takeEnds(atTail, size, element, (one) => reply.bulkOf(one));
  list.shrink();
  list.cursor.changed(atTail ? Events.rpop : Events.lpop, size);
}

const lpop = (call: Call): void => pop(call, false);
const rpop = (call: Call): void => pop(call, true);

function llen({ args, reply, db }: Call): void {
  const exists = list.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  reply.integer(exists ? list.count : 0);
}

/** LRANGE key start stop: both included, negative ones from the end. */
function lrange({ args, reply, db }: Call): void {
  const start = args.integer(2);
  const stop = args.integer(3);
  if (args.error !== null) return reply.error(args.error);
  const exists = list.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  const count = exists ? list.count : 0;
  const from = Math.max(start < 0 ? count + start : start, 0);
  const to = Math.min(stop < 0 ? count + stop : stop, count - 1);
  if (from > to) return reply.emptyArray();
  reply.array(to - from + 1);
  list.forEachRange(from, to, element, (one) => reply.bulkOf(one));
}

function lindex({ args, reply, db }: Call): void {
  const exists = list.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  if (!exists) return reply.nullBulk();
  const index = indexOf(args, 2);
  if (args.error !== null) return reply.error(args.error);
  if (index < 0) return reply.nullBulk();
  list.at(index, element);
  reply.bulkOf(element);
}

/** The index at argument `at`, negative ones from the end; -1 if it is out of range. */
function indexOf(args: Args, at: number): number {
  const wanted = args.integer(at);
  const index = wanted < 0 ? list.count + wanted : wanted;
  return index >= 0 && index < list.count ? index : -1;
}

function lset({ args, reply, db }: Call): void {
  if (!list.cursor.edit(db, args, 1)) return reply.error(args.error ?? Errors.noSuchKey);
  const index = indexOf(args, 2);
  if (args.error !== null) return reply.error(args.error);
  if (index < 0) return reply.error(Errors.indexOutOfRange);
  list.makeRoom(3, 4);
  list.set(index, args.bytesOf(3), args.start(3), args.end(3));
  list.shrink();
  list.cursor.changed(Events.lset);
  reply.ok();
}

function linsert({ args, reply, db }: Call): void {
  const isAfter = args.is(2, "AFTER");
  if (!isAfter && !args.is(2, "BEFORE")) return reply.error(Errors.syntax);
  if (!list.cursor.edit(db, args, 1)) {
    return args.error === null ? reply.integer(0) : reply.error(args.error);
  }
  list.makeRoom(4, 5);
  const wasFound = list.insert(
    args.bytesOf(3),
    args.start(3),
    args.end(3),
    isAfter,
    args.bytesOf(4),
    args.start(4),
    args.end(4),
  );
  if (!wasFound) return reply.integer(-1);
  list.cursor.changed(Events.linsert);
  reply.integer(list.count);
}

/** LREM key count element: 0 removes all, a negative count begins at the tail. */
function lrem({ args, reply, db }: Call): void {
  const count = args.integer(2);
  if (args.error !== null) return reply.error(args.error);
  if (!list.cursor.edit(db, args, 1)) {
    return args.error === null ? reply.integer(0) : reply.error(args.error);
  }
  const limit = count === 0 ? Infinity : Math.abs(count);
  const removed = list.removeMatches(
    args.bytesOf(3),
    args.start(3),
    args.end(3),
    limit,
    count < 0,
  );
  reply.integer(removed);
  if (removed === 0) return;
  list.shrink();
  list.cursor.changed(Events.lrem, removed);
}

function ltrim({ args, reply, db }: Call): void {
  const start = args.integer(2);
  const stop = args.integer(3);
  if (args.error !== null) return reply.error(args.error);
  if (!list.cursor.edit(db, args, 1)) {
    return args.error === null ? reply.ok() : reply.error(args.error);
  }
  const { count } = list;
  const from = Math.max(start < 0 ? count + start : start, 0);
  const to = Math.min(stop < 0 ? count + stop : stop, count - 1);
  const before = from > to ? count : from;
  const behind = from > to ? 0 : count - 1 - to;
  list.removeRange(count - behind, behind);
  list.removeRange(0, before);
  list.shrink();
  list.cursor.changed(Events.ltrim, before + behind);
  reply.ok();
}

/** What LPOS looks for: `count` matches (0: all) from match `rank` on, comparing at most `compareMax` elements. */
interface Sought {
  rank: number;
  count: number;
  compareMax: number;
  hasCount: boolean;
}

function lpos({ args, reply, db }: Call): void {
  const sought = readSought(args);
  if (args.error !== null) return reply.error(args.error);
  const exists = list.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  const { rank, hasCount, compareMax } = sought;
  const limit = sought.count === 0 ? Infinity : sought.count;
  const mark = reply.mark();
  let skip = Math.abs(rank) - 1;
  let found = 0;
  if (exists) {
    const visit = (index: number): boolean => {
      if (skip-- > 0) return true;
      reply.integer(index);
      return ++found < limit;
    };
    const most = compareMax === 0 ? Infinity : compareMax;
    list.forEachMatch(args.bytesOf(2), args.start(2), args.end(2), rank < 0, most, visit);
  }
  if (hasCount) reply.arrayFrom(mark, found);
  else if (found === 0) reply.nullBulk();
}

function readSought(args: Args): Sought {
  const sought = { rank: 1, count: 1, compareMax: 0, hasCount: false };
  for (let i = 3; i < args.count && args.error === null; i += 2) {
    if (i + 1 === args.count) args.fail(Errors.syntax);
    else if (args.is(i, "RANK")) {
      sought.rank = rankOf(args, i + 1);
    } else if (args.is(i, "COUNT")) {
      sought.count = args.integerWithin(i + 1, 0, Infinity, Errors.countNegative);
      sought.hasCount = true;
    } else if (args.is(i, "MAXLEN")) {
      sought.compareMax = args.integerWithin(i + 1, 0, Infinity, Errors.maxlenNegative);
    } else args.fail(Errors.syntax);
  }
  return sought;
}

function rankOf(args: Args, index: number): number {
  if (!args.int64(index, wide)) return 0;
  if (wide.isZero) return args.fail(Errors.rankZero);
  const isLeast = wide.hi === -0x80000000 && wide.lo === 0;
  return isLeast ? args.fail(Errors.randomCount) : wide.rounded;
}

/** Rows of the table: see engine/command.ts. */
export const listCommands: readonly CommandSpec[] = [
  {
    name: "lpush",
    usage: "key {element}*",
    summary: "Adds elements to the head of a list, making it if it is missing.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW insert")],
    run: lpush,
  },
  {
    name: "rpush",
    usage: "key {element}*",
    summary: "Adds elements to the tail of a list, making it if it is missing.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW insert")],
    run: rpush,
  },
  {
    name: "lpushx",
    usage: "key {element}*",
    summary: "Adds elements to the head of a list that exists.",
    since: "2.2.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW insert")],
    run: lpushx,
  },
  {
    name: "rpushx",
    usage: "key {element}*",
    summary: "Adds elements to the tail of a list that exists.",
    since: "2.2.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW insert")],
    run: rpushx,
  },
  {
    name: "lpop",
    usage: "key [count:integer]@6.2.0",
    summary: "Removes and returns the first elements.",
    since: "1.0.0",
    complexity: "O(N)",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW access delete")],
    run: lpop,
  },
  {
    name: "rpop",
    usage: "key [count:integer]@6.2.0",
    summary: "Removes and returns the last elements.",
    since: "1.0.0",
    complexity: "O(N)",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW access delete")],
    run: rpop,
  },
  {
    name: "llen",
    usage: "key",
    summary: "Returns the number of elements.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO")],
    run: llen,
  },
  {
    name: "lrange",
    usage: "key start:integer stop:integer",
    summary: "Returns the elements of a range of indexes.",
    since: "1.0.0",
    complexity: "O(S+N)",
    isTimedByReply: true,
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    run: lrange,
  },
  {
    name: "lindex",
    usage: "key index:integer",
    summary: "Returns the element with an index.",
    since: "1.0.0",
    complexity: "O(N)",
    isTimedByReply: true,
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    run: lindex,
  },
  {
    name: "lset",
    usage: "key index:integer element",
    summary: "Replaces the element with an index.",
    since: "1.0.0",
    complexity: "O(N)",
    flags: Flag.write | Flag.denyOom,
    keys: [oneKey("RW update")],
    run: lset,
  },
  {
    name: "linsert",
    usage: "key where=(BEFORE | AFTER) pivot element",
    summary: "Adds an element before or after another.",
    since: "2.2.0",
    complexity: "O(N)",
    flags: Flag.write | Flag.denyOom,
    keys: [oneKey("RW insert")],
    run: linsert,
  },
  {
    name: "lrem",
    usage: "key count:integer element",
    summary: "Removes elements that equal a value.",
    since: "1.0.0",
    complexity: "O(N+M)",
    flags: Flag.write,
    keys: [oneKey("RW delete")],
    run: lrem,
  },
  {
    name: "ltrim",
    usage: "key start:integer stop:integer",
    summary: "Removes all elements but those of a range.",
    since: "1.0.0",
    complexity: "O(N)",
    flags: Flag.write,
    keys: [oneKey("RW delete")],
    run: ltrim,
  },
  {
    name: "lpos",
    usage: "key element [RANK rank:integer] [COUNT num-matches:integer] [MAXLEN len:integer]",
    summary: "Returns the indexes of elements that equal a value.",
    since: "6.0.6",
    complexity: "O(N)",
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    run: lpos,
  },
];
