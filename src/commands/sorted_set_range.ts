/** Ranges of sorted sets: by rank, by score, by name. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import { Events, type KeyEvent } from "../keyspace/change_hooks.ts";
import type { Database } from "../keyspace/database.ts";
import { RangeBound, ZsetValue } from "../keyspace/zset_value.ts";
import { parseLenientDouble } from "../lib/double_text.ts";
import { Slice } from "../lib/slice.ts";
import type { Args } from "../protocol/args.ts";
import { Errors } from "../protocol/errors.ts";
import { scratch } from "../lib/scratch.ts";

// scratch: lives for one call
const zset = scratch(new ZsetValue());
// scratch: lives for one call
const target = scratch(new ZsetValue());
// scratch: lives for one call
const member = scratch(new Slice());
// scratch: lives for one call
const low = scratch(new RangeBound());
// scratch: lives for one call
const high = scratch(new RangeBound());

const LEFT_PARENTHESIS = 0x28;
const LEFT_BRACKET = 0x5b;
const MINUS = 0x2d;
const PLUS = 0x2b;

type RangeKind = "rank" | "score" | "lex";

/** A range, as the arguments tell it. */
interface Range {
  kind: RangeKind;
  isReversed: boolean;
  withScores: boolean;
  offset: number;
  /** Negative: without limit. */
  limit: number;
  /** Ranks; negative ones count from the end. */
  start: number;
  stop: number;
}

// Reading ranges

/** Reads a bound of a score; an exclusive one begins with a parenthesis. */
function readScore(args: Args, index: number, bound: RangeBound, isLow: boolean): void {
  const start = args.start(index);
  const isExclusive = args.length(index) > 0 && args.bytesOf(index)[start] === LEFT_PARENTHESIS;
  const bytes = args.bytesOf(index);
  const score = parseLenientDouble(bytes, isExclusive ? start + 1 : start, args.end(index));
  if (score !== score) args.fail(Errors.scoreRange);
  bound.by = "score";
  bound.score = score;
  bound.includesEqual = isLow === isExclusive;
}

/** Reads a bound of a name: - + [inclusive (exclusive. */
function readLex(args: Args, index: number, bound: RangeBound, isLow: boolean): void {
  const start = args.start(index);
  const first = args.length(index) === 0 ? 0 : args.bytesOf(index)[start];
  bound.by = "member";
  bound.infinite = 0;
  if (args.isCharacter(index, MINUS)) bound.infinite = -1;
  else if (args.isCharacter(index, PLUS)) bound.infinite = 1;
  else if (first !== LEFT_PARENTHESIS && first !== LEFT_BRACKET) args.fail(Errors.lexRange);
  bound.member.set(args.bytesOf(index), args.viewOf(index), start + 1, args.end(index));
  bound.includesEqual = isLow === (first === LEFT_PARENTHESIS);
}

/** Reads the bounds at arguments `min` and `max`. */
function readBounds(args: Args, kind: RangeKind, min: number, max: number): void {
  const read = kind === "lex" ? readLex : readScore;
  read(args, min, low, true);
  read(args, max, high, false);
}

/** What `readRange` has read last. */
// scratch: lives for one call
const asked: Range = {
  kind: "rank",
  isReversed: false,
  withScores: false,
  offset: 0,
  limit: -1,
  start: 0,
  stop: 0,
};

/**
 * Reads a range whose bounds are arguments `first` and `first + 1`, and the options behind them. What the command
 * itself does not fix (null), options may choose, once.
 */
function readRange(
  args: Args,
  first: number,
  kind: RangeKind | null,
  isReversed: boolean | null,
  mayShowScores: boolean,
): Range {
  const range = asked;
  range.kind = kind ?? "rank";
  range.isReversed = isReversed ?? false;
  range.withScores = false;
  range.offset = range.start = range.stop = 0;
  range.limit = -1;
  for (let i = first + 2; i < args.count && args.error === null; i++) {
    if (mayShowScores && args.is(i, "WITHSCORES")) range.withScores = true;
    else if (args.is(i, "LIMIT") && i + 2 < args.count) {
      range.offset = args.integer(i + 1);
      range.limit = args.integer(i + 2);
      i += 2;
    } else if (isReversed === null && !range.isReversed && args.is(i, "REV")) {
      range.isReversed = true;
    } else if (kind === null && range.kind === "rank" && args.is(i, "BYLEX")) range.kind = "lex";
    else if (kind === null && range.kind === "rank" && args.is(i, "BYSCORE")) range.kind = "score";
    else args.fail(Errors.syntax);
  }
  if (args.error !== null) return range;
  if (range.limit !== -1 && range.kind === "rank") args.fail(Errors.limitNeedsBy);
  else if (range.withScores && range.kind === "lex") args.fail(Errors.scoresOfLex);
  else if (range.kind === "rank") {
    range.start = args.integer(first);
    range.stop = args.integer(first + 1);
  } else if (range.isReversed) readBounds(args, range.kind, first + 1, first);
  else readBounds(args, range.kind, first, first + 1);
  return range;
}

// Where a range lies: ranks `from` to `to`, the latter not included

// scratch: lives for one call
let from = 0;
// scratch: lives for one call
let to = 0;

function locateRanks(start: number, stop: number): void {
  const { count } = zset;
  from = Math.max(start < 0 ? count + start : start, 0);
  to = Math.min(stop < 0 ? count + stop : stop, count - 1) + 1;
  if (to < from) to = from;
}

function locateBounds(): void {
  from = zset.countBefore(low);
  to = Math.max(zset.countBefore(high), from);
}

// scratch: lives for one call
let firstRank = 0;
// scratch: lives for one call
let rankCount = 0;

/** Finds the elements of a range of `zset`: `rankCount` of them from `firstRank` on. */
function locate(range: Range): void {
  if (range.kind === "rank") locateRanks(range.start, range.stop);
  else locateBounds();
  let count = to - from;
  let first = range.isReversed ? to - 1 : from;
  if (range.kind === "rank" && range.isReversed) first = zset.count - 1 - from;
  if (range.kind !== "rank") {
    const skipped = range.offset < 0 ? count : Math.min(range.offset, count);
    count -= skipped;
    first += range.isReversed ? -skipped : skipped;
    if (range.limit >= 0) count = Math.min(count, range.limit);
  }
  firstRank = first;
  rankCount = count;
}

function answerRange(
  { args, reply, db }: Call,
  kind: RangeKind | null,
  isReversed: boolean | null,
): void {
  const range = readRange(args, 2, kind, isReversed, true);
  if (args.error !== null) return reply.error(args.error);
  const exists = zset.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  if (!exists) return reply.emptyArray();
  locate(range);
  const { withScores } = range;
  const showsPairs = withScores && reply.resp > 2;
  reply.array(withScores && !showsPairs ? 2 * rankCount : rankCount);
  if (rankCount === 0) return;
  zset.walkFrom(firstRank, rankCount, range.isReversed);
  if (!withScores) return zset.answerWalk(reply);
  for (let left = rankCount; left > 0; left--) {
    zset.step(member);
    if (showsPairs) reply.array(2);
    reply.bulkOf(member);
    reply.double(zset.stepScore);
  }
}

const zrange = (call: Call): void => answerRange(call, null, null);
const zrevrange = (call: Call): void => answerRange(call, "rank", true);
const zrangebyscore = (call: Call): void => answerRange(call, "score", false);
const zrevrangebyscore = (call: Call): void => answerRange(call, "score", true);
const zrangebylex = (call: Call): void => answerRange(call, "lex", false);
const zrevrangebylex = (call: Call): void => answerRange(call, "lex", true);

function count({ args, reply, db }: Call, kind: RangeKind): void {
  readBounds(args, kind, 2, 3);
  if (args.error !== null) return reply.error(args.error);
  const exists = zset.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  if (!exists) return reply.integer(0);
  locateBounds();
  reply.integer(to - from);
}

const zcount = (call: Call): void => count(call, "score");
const zlexcount = (call: Call): void => count(call, "lex");

function removeRange({ args, reply, db }: Call, kind: RangeKind, event: KeyEvent): void {
  let start = 0;
  let stop = 0;
  if (kind === "rank") {
    start = args.integer(2);
    stop = args.integer(3);
  } else readBounds(args, kind, 2, 3);
  if (args.error !== null) return reply.error(args.error);
  const exists = zset.cursor.edit(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  if (!exists) return reply.integer(0);
  if (kind === "rank") locateRanks(start, stop);
  else locateBounds();
  const removed = to - from;
  zset.removeRange(from, removed);
  if (removed > 0) zset.cursor.changed(event, removed);
  reply.integer(removed);
}

const zremrangebyrank = (call: Call): void => removeRange(call, "rank", Events.zremrangebyrank);
const zremrangebyscore = (call: Call): void => removeRange(call, "score", Events.zremrangebyscore);
const zremrangebylex = (call: Call): void => removeRange(call, "lex", Events.zremrangebylex);

/** ZRANGESTORE dst src min max …: the range replaces whatever dst was, which may be src itself. */
function zrangestore({ args, reply, db }: Call): void {
  const range = readRange(args, 3, null, null, false);
  if (args.error !== null) return reply.error(args.error);
  const exists = zset.cursor.read(db, args, 2);
  if (args.error !== null) return reply.error(args.error);
  if (exists) locate(range);
  if (!exists || rankCount <= 0) {
    db.removeAny(args, 1);
    return reply.integer(0);
  }
  const count = rankCount;
  const from = range.isReversed ? firstRank - count + 1 : firstRank;
  if (zset.isLong(count)) {
    // The copy is complete before it replaces the destination, which may be the source.
    const copy = zset.rangeCopy(from, count);
    target.cursor.replace(db, args, 1);
    target.become(copy);
  } else storeShort(db, args, from, count);
  target.cursor.changed(Events.zrangestore);
  reply.integer(count);
}

/** Stores a few members, from rank `from` of `zset` on, by way of a copy. */
function storeShort(db: Database, args: Args, from: number, count: number): void {
  const members: Slice[] = [];
  const scores: number[] = [];
  zset.forEachFrom(from, count, false, (member, score) => {
    members.push(copyOf(member));
    scores.push(score);
  });
  target.cursor.replace(db, args, 1);
  for (const [i, { bytes, view, start, end }] of members.entries()) {
    target.set(bytes, view, start, end, scores[i]);
  }
}

function copyOf({ bytes, start, length }: Slice): Slice {
  const own = new Uint8Array(length);
  own.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, length));
  const copy = new Slice();
  copy.set(own, new DataView(own.buffer), 0, length);
  return copy;
}

/** Rows of the table: see engine/command.ts. */
export const sortedSetRangeCommands: readonly CommandSpec[] = [
  {
    name: "zrange",
    usage:
      "key start stop [sortby=(BYSCORE | BYLEX)]@6.2.0 [REV]@6.2.0 [LIMIT limit=(offset:integer count:integer)]@6.2.0 [WITHSCORES]",
    summary: "Returns members by rank, score or name.",
    since: "1.2.0",
    complexity: "O(log(N)+M)",
    isTimedByReply: true,
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    acl: ["sortedset"],
    run: zrange,
  },
  {
    name: "zrevrange",
    usage: "key start:integer stop:integer [WITHSCORES]",
    summary: "Returns members by rank, from the highest down.",
    since: "1.2.0",
    complexity: "O(log(N)+M)",
    isTimedByReply: true,
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    acl: ["sortedset"],
    deprecatedSince: "6.2.0",
    replacedBy: "`ZRANGE` with the `REV` argument",
    run: zrevrange,
  },
  {
    name: "zrangebyscore",
    usage:
      "key min:double max:double [WITHSCORES]@2.0.0 [LIMIT limit=(offset:integer count:integer)]",
    summary: "Returns members by score.",
    since: "1.0.5",
    complexity: "O(log(N)+M)",
    isTimedByReply: true,
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    acl: ["sortedset"],
    deprecatedSince: "6.2.0",
    replacedBy: "`ZRANGE` with the `BYSCORE` argument",
    run: zrangebyscore,
  },
  {
    name: "zrevrangebyscore",
    usage: "key max:double min:double [WITHSCORES] [LIMIT limit=(offset:integer count:integer)]",
    summary: "Returns members by score, from the highest down.",
    since: "2.2.0",
    complexity: "O(log(N)+M)",
    isTimedByReply: true,
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    acl: ["sortedset"],
    deprecatedSince: "6.2.0",
    replacedBy: "`ZRANGE` with the `REV` and `BYSCORE` arguments",
    run: zrevrangebyscore,
  },
  {
    name: "zrangebylex",
    usage: "key min max [LIMIT limit=(offset:integer count:integer)]",
    summary: "Returns members by name, where all scores are equal.",
    since: "2.8.9",
    complexity: "O(log(N)+M)",
    isTimedByReply: true,
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    acl: ["sortedset"],
    deprecatedSince: "6.2.0",
    replacedBy: "`ZRANGE` with the `BYLEX` argument",
    run: zrangebylex,
  },
  {
    name: "zrevrangebylex",
    usage: "key max min [LIMIT limit=(offset:integer count:integer)]",
    summary: "Returns members by name from the last down, where all scores are equal.",
    since: "2.8.9",
    complexity: "O(log(N)+M)",
    isTimedByReply: true,
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    acl: ["sortedset"],
    deprecatedSince: "6.2.0",
    replacedBy: "`ZRANGE` with the `REV` and `BYLEX` arguments",
    run: zrevrangebylex,
  },
  {
    name: "zcount",
    usage: "key min:double max:double",
    summary: "Returns how many members have scores in a range.",
    since: "2.0.0",
    complexity: "O(log(N))",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO access")],
    acl: ["sortedset"],
    run: zcount,
  },
  {
    name: "zlexcount",
    usage: "key min max",
    summary: "Returns how many members have names in a range, where all scores are equal.",
    since: "2.8.9",
    complexity: "O(log(N))",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO access")],
    acl: ["sortedset"],
    run: zlexcount,
  },
  {
    name: "zremrangebyrank",
    usage: "key start:integer stop:integer",
    summary: "Removes members by rank.",
    since: "2.0.0",
    complexity: "O(log(N)+M)",
    flags: Flag.write,
    keys: [oneKey("RW delete")],
    acl: ["sortedset"],
    run: zremrangebyrank,
  },
  {
    name: "zremrangebyscore",
    usage: "key min:double max:double",
    summary: "Removes members by score.",
    since: "1.2.0",
    complexity: "O(log(N)+M)",
    flags: Flag.write,
    keys: [oneKey("RW delete")],
    acl: ["sortedset"],
    run: zremrangebyscore,
  },
  {
    name: "zremrangebylex",
    usage: "key min max",
    summary: "Removes members by name, where all scores are equal.",
    since: "2.8.9",
    complexity: "O(log(N)+M)",
    flags: Flag.write,
    keys: [oneKey("RW delete")],
    acl: ["sortedset"],
    run: zremrangebylex,
  },
  {
    name: "zrangestore",
    usage:
      "dst:key src:key min max [sortby=(BYSCORE | BYLEX)] [REV] [LIMIT limit=(offset:integer count:integer)]",
    summary: "Stores a range of members under another key.",
    since: "6.2.0",
    complexity: "O(log(N)+M)",
    flags: Flag.write | Flag.denyOom,
    keys: [oneKey("OW update"), oneKey("RO access", 2)],
    acl: ["sortedset"],
    run: zrangestore,
  },
];
