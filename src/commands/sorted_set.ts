// hot path
/** Commands on members of sorted sets: https://redis.io/docs/latest/commands/?group=sorted-set */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import { Events } from "../keyspace/change_hooks.ts";
import { RangeBound, type ScoredVisitor, ZsetValue } from "../keyspace/zset_value.ts";
import { doubleText, text17 } from "../lib/double_text.ts";
import type { Args } from "../protocol/args.ts";
import { Errors, wrongArity } from "../protocol/errors.ts";
import { checkPairs, mayRepeat, positiveCount, randomCount } from "./counts.ts";
import { isWanted, readCollectionScan } from "./scan.ts";
import { scratch } from "../lib/scratch.ts";

// scratch: lives for one call
const zset = scratch(new ZsetValue());
// scratch: lives for one call
const pair = scratch(new RangeBound());
pair.by = "pair";

/** Options of ZADD, as bits. */
const Zadd = { nx: 1, xx: 2, gt: 4, lt: 8, ch: 16, incr: 32 } as const;
const NX = new TextEncoder().encode("NX");
const XX = new TextEncoder().encode("XX");
const GT = new TextEncoder().encode("GT");
const LT = new TextEncoder().encode("LT");
const CH = new TextEncoder().encode("CH");
const INCR = new TextEncoder().encode("INCR");

function scoreOf(args: Args, index: number): number {
  return zset.scoreOf(args.bytesOf(index), args.viewOf(index), args.start(index), args.end(index));
}

/** The bit of the option at argument `index`, 0 if it is none. */
function optionAt(args: Args, index: number): number {
  if (args.spells(index, NX)) return Zadd.nx;
  if (args.spells(index, XX)) return Zadd.xx;
  if (args.spells(index, GT)) return Zadd.gt;
  if (args.spells(index, LT)) return Zadd.lt;
  if (args.spells(index, CH)) return Zadd.ch;
  return args.spells(index, INCR) ? Zadd.incr : 0;
}

function zadd(call: Call): void {
  const { args, reply } = call;
  let options = 0;
  let first = 2;
  for (; first < args.count; first++) {
    const option = optionAt(args, first);
    if (option === 0) break;
    options |= option;
  }
  const pairs = args.count - first;
  if (pairs === 0 || pairs % 2 !== 0) return reply.error(Errors.syntax);
  const both = options & (Zadd.nx | Zadd.xx);
  if (both === (Zadd.nx | Zadd.xx)) return reply.error(Errors.zaddNxXx);
  const exclusive = options & (Zadd.nx | Zadd.gt | Zadd.lt);
  if ((exclusive & (exclusive - 1)) !== 0) return reply.error(Errors.zaddGtLtNx);
  if ((options & Zadd.incr) !== 0 && pairs > 2) return reply.error(Errors.zaddIncr);
  add(call, first, options);
}

function zincrby(call: Call): void {
  add(call, 2, Zadd.incr);
}

/** Adds the pairs of score and member from argument `first` on. */
function add({ args, reply, db }: Call, first: number, options: number): void {
  for (let i = first; i < args.count; i += 2) args.double(i);
  if (args.error !== null) return reply.error(args.error);
  const mustExist = (options & Zadd.xx) !== 0;
  const exists = mustExist ? zset.cursor.edit(db, args, 1) : zset.cursor.editOrCreate(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  const isIncrement = (options & Zadd.incr) !== 0;
  if (!exists) return isIncrement ? reply.nullBulk() : reply.integer(0);
  zset.makeRoom((args.count - first) >>> 1, args.length(first + 1));
  let added = 0;
  let updated = 0;
  let result = NaN;
  for (let i = first; i < args.count; i += 2) {
    const place = zset.find(
      args.bytesOf(i + 1),
      args.viewOf(i + 1),
      args.start(i + 1),
      args.end(i + 1),
    );
    const before = zset.scoreAt(place);
    const isNew = place === 0;
    let score = args.double(i);
    if (isIncrement && !isNew) score += before;
    if (score !== score) {
      zset.cursor.discard();
      return reply.error(Errors.scoreNan);
    }
    if (!isAllowed(options, isNew, before, score)) continue;
    result = score;
    if (isNew) added++;
    else if (score !== before) updated++;
    else continue;
    zset.put(
      args.bytesOf(i + 1),
      args.viewOf(i + 1),
      args.start(i + 1),
      args.end(i + 1),
      score,
      place,
    );
  }
  if (added + updated > 0) {
    zset.cursor.changed(isIncrement ? Events.zincr : Events.zadd, added + updated);
  } else zset.cursor.discard();
  if (!isIncrement) reply.integer((options & Zadd.ch) !== 0 ? added + updated : added);
  else if (result !== result) reply.nullBulk();
  else reply.double(result);
}

/** Whether the options let a member get a score. */
function isAllowed(options: number, isNew: boolean, before: number, score: number): boolean {
  if (isNew) return (options & Zadd.xx) === 0;
  if ((options & Zadd.nx) !== 0) return false;
  if ((options & Zadd.gt) !== 0 && score <= before) return false;
  return (options & Zadd.lt) === 0 || score < before;
}

function zrem({ args, reply, db }: Call): void {
  if (!zset.cursor.edit(db, args, 1)) {
    return args.error === null ? reply.integer(0) : reply.error(args.error);
  }
  let removed = 0;
  for (let i = 2; i < args.count && zset.count > 0; i++) {
    if (zset.remove(args.bytesOf(i), args.viewOf(i), args.start(i), args.end(i))) removed++;
  }
  if (removed > 0) zset.cursor.changed(Events.zrem, removed);
  reply.integer(removed);
}

function zcard({ args, reply, db }: Call): void {
  const exists = zset.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  reply.integer(exists ? zset.count : 0);
}

function zscore({ args, reply, db }: Call): void {
  const exists = zset.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  const score = exists ? scoreOf(args, 2) : NaN;
  if (score !== score) reply.nullBulk();
  else reply.double(score);
}

function zmscore({ args, reply, db }: Call): void {
  const exists = zset.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    const score = exists ? scoreOf(args, i) : NaN;
    if (score !== score) reply.nullBulk();
    else reply.double(score);
  }
}

function rank({ args, reply, db, command }: Call, isReversed: boolean): void {
  if (args.count > 4) return reply.error(wrongArity(command?.name ?? ""));
  const withScore = args.count === 4;
  if (withScore && !args.is(3, "WITHSCORE")) return reply.error(Errors.syntax);
  const exists = zset.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  let place = -1;
  if (exists) place = zset.rankOf(args.bytesOf(2), args.viewOf(2), args.start(2), args.end(2));
  if (place < 0) return withScore ? reply.nullArray() : reply.nullBulk();
  if (isReversed) place = zset.count - 1 - place;
  if (!withScore) return reply.integer(place);
  reply.array(2);
  reply.integer(place);
  reply.double(scoreOf(args, 2));
}

const zrank = (call: Call): void => rank(call, false);
const zrevrank = (call: Call): void => rank(call, true);

function pop(call: Call, isMax: boolean): void {
  const { args, reply, db } = call;
  if (args.count > 3) return reply.error(Errors.syntax);
  const hasCount = args.count === 3;
  const count = hasCount ? positiveCount(args, 2) : 1;
  if (args.error !== null) return reply.error(args.error);
  const exists = zset.cursor.edit(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  if (!exists || count === 0) return reply.emptyArray();
  const size = Math.min(count, zset.count);
  const isNested = hasCount && reply.resp > 2;
  reply.array(isNested ? size : 2 * size);
  popInto(call, zset, size, isMax, isNested);
}

/** Replies with `size` elements from an end, each a pair of its own if nested, and removes them. */
export function popInto(
  { reply }: Call,
  from: ZsetValue,
  size: number,
  isMax: boolean,
  isNested: boolean,
): void {
  const { count } = from;
  from.forEachFrom(isMax ? count - 1 : 0, size, isMax, (member, score) => {
    if (isNested) reply.array(2);
    reply.bulkOf(member);
    reply.double(score);
  });
  from.removeRange(isMax ? count - size : 0, size);
  from.cursor.changed(isMax ? Events.zpopmax : Events.zpopmin, size);
}

const zpopmin = (call: Call): void => pop(call, false);
const zpopmax = (call: Call): void => pop(call, true);

/** ZRANDMEMBER key [count [WITHSCORES]]: with a negative count a member may come more than once. */
function zrandmember(call: Call): void {
  const { args, reply, db } = call;
  const isOne = args.count === 2;
  const count = isOne ? 1 : randomCount(args, 2);
  if (args.error !== null) return reply.error(args.error);
  const withScores = args.count > 3;
  if (args.count > 4 || (withScores && !args.is(3, "WITHSCORES"))) {
    return reply.error(Errors.syntax);
  }
  if (withScores) checkPairs(args, 2);
  if (args.error !== null) return reply.error(args.error);
  const exists = zset.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  if (!exists || count === 0) return isOne ? reply.nullBulk() : reply.emptyArray();
  if (!mayRepeat(call, count)) return reply.error(Errors.outOfRange);
  const size = count < 0 ? -count : Math.min(count, zset.count);
  const isNested = withScores && reply.resp > 2;
  if (!isOne) reply.array(withScores && !isNested ? 2 * size : size);
  const show: ScoredVisitor = (member, score) => {
    if (isNested) reply.array(2);
    reply.bulkOf(member);
    if (withScores) reply.double(score);
  };
  if (isOne || count < 0) { for (let i = 0; i < size && !reply.isOver; i++) zset.random(show); }
  else if (size === zset.count) zset.forEachFrom(0, size, false, show);
  else zset.sample(size, show);
}

function zscan(call: Call): void {
  const { reply } = call;
  const wanted = readCollectionScan(call, zset.cursor);
  if (wanted === null) return;
  const begin = reply.mark();
  let count = 0;
  const next = zset.scan(wanted.cursor, wanted.count, ({ bytes, start, end }, score) => {
    if (!isWanted(wanted, bytes, start, end)) return;
    reply.bulk(bytes, start, end);
    // A small set holds texts of the usual form, which Redis shows as they are.
    reply.bulkText(zset.isLarge ? text17(score) : doubleText(score));
    count += 2;
  });
  reply.arrayFrom(begin, count);
  reply.scanFrom(begin, next);
}

/** ZQUERY key score name offset limit: from the first (score, name) that is not less, `offset` further on. */
function zquery({ args, reply, db }: Call): void {
  pair.score = args.double(2);
  const offset = args.integer(4);
  const limit = args.integer(5);
  if (args.error !== null) return reply.error(args.error);
  const exists = zset.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  if (!exists) return reply.nullArray();
  pair.member.set(args.bytesOf(3), args.viewOf(3), args.start(3), args.end(3));
  const from = zset.countBefore(pair) + offset;
  if (from < 0 || from >= zset.count || limit <= 0) return reply.emptyArray();
  const size = Math.min(limit, zset.count - from);
  reply.array(2 * size);
  zset.forEachFrom(from, size, false, (member, score) => {
    reply.bulkOf(member);
    reply.double(score);
  });
}

/** Rows of the table: see engine/command.ts. */
export const sortedSetCommands: readonly CommandSpec[] = [
  {
    name: "zadd",
    usage:
      "key [condition=(NX | XX)]@3.0.2 [comparison=(GT | LT)]@6.2.0 [change=CH]@3.0.2 [increment=INCR]@3.0.2 {data=(score:double member)}*",
    summary: "Adds members with scores to a sorted set, or changes their scores.",
    since: "1.2.0",
    complexity: "O(log(N))",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW update")],
    acl: ["sortedset"],
    run: zadd,
  },
  {
    name: "zincrby",
    usage: "key increment:integer member",
    summary: "Adds a number to a member's score; a missing one counts as 0.",
    since: "1.2.0",
    complexity: "O(log(N))",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW access update")],
    acl: ["sortedset"],
    run: zincrby,
  },
  {
    name: "zrem",
    usage: "key {member}*",
    summary: "Removes members.",
    since: "1.2.0",
    complexity: "O(M*log(N))",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW delete")],
    acl: ["sortedset"],
    run: zrem,
  },
  {
    name: "zcard",
    usage: "key",
    summary: "Returns the number of members.",
    since: "1.2.0",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO")],
    acl: ["sortedset"],
    run: zcard,
  },
  {
    name: "zscore",
    usage: "key member",
    summary: "Returns the score of a member.",
    since: "1.2.0",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO access")],
    acl: ["sortedset"],
    run: zscore,
  },
  {
    name: "zmscore",
    usage: "key {member}*",
    summary: "Returns the scores of several members.",
    since: "6.2.0",
    complexity: "O(N)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO access")],
    acl: ["sortedset"],
    run: zmscore,
  },
  {
    name: "zrank",
    usage: "key member [WITHSCORE]",
    summary: "Returns how many members come before one.",
    since: "2.0.0",
    complexity: "O(log(N))",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO access")],
    acl: ["sortedset"],
    run: zrank,
  },
  {
    name: "zrevrank",
    usage: "key member [WITHSCORE]",
    summary: "Returns how many members come after one.",
    since: "2.0.0",
    complexity: "O(log(N))",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO access")],
    acl: ["sortedset"],
    run: zrevrank,
  },
  {
    name: "zpopmin",
    usage: "key [count:integer]",
    summary: "Removes and returns the members with the lowest scores.",
    since: "5.0.0",
    complexity: "O(log(N)*M)",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW access delete")],
    acl: ["sortedset"],
    run: zpopmin,
  },
  {
    name: "zpopmax",
    usage: "key [count:integer]",
    summary: "Removes and returns the members with the highest scores.",
    since: "5.0.0",
    complexity: "O(log(N)*M)",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW access delete")],
    acl: ["sortedset"],
    run: zpopmax,
  },
  {
    name: "zrandmember",
    usage: "key [options=(count:integer [WITHSCORES])]",
    summary: "Returns members picked at random.",
    since: "6.2.0",
    complexity: "O(N)",
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    acl: ["sortedset"],
    tips: ["nondeterministic_output"],
    run: zrandmember,
  },
  {
    name: "zscan",
    usage: "key cursor:integer [MATCH pattern] [COUNT count:integer]",
    summary: "Walks over the members and scores, a few at a time.",
    since: "2.8.0",
    complexity: "O(1)",
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    acl: ["sortedset"],
    tips: ["nondeterministic_output"],
    run: zscan,
  },
  {
    name: "zquery",
    usage: "key score:double name offset:integer limit:integer",
    summary: "Returns members from a score and name on, skipping some.",
    since: "7.2.0",
    complexity: "O(log(N)+M)",
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    run: zquery,
  },
];
