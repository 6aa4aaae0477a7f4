/** Unions, intersections and differences of sorted sets; plain sets count as well, with scores of 1. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import { countedKeys } from "../engine/key_spec.ts";
import { Events, type KeyEvent } from "../keyspace/change_hooks.ts";
import { Type } from "../keyspace/entry.ts";
import { SetValue } from "../keyspace/set_value.ts";
import { type ScoredVisitor, ZsetValue } from "../keyspace/zset_value.ts";
import { Slice } from "../lib/slice.ts";
import type { Args } from "../protocol/args.ts";
import { errorReply, Errors } from "../protocol/errors.ts";
import type { Ref } from "../structures/arena.ts";
import { MemberTable } from "../structures/member_table.ts";

const SCORE_BYTES = 8;

type Aggregate = (one: number, other: number) => number;

const AGGREGATES: Record<string, Aggregate> = {
  // +inf and -inf add up to 0, as in Redis.
  SUM: (one, other) => orZero(one + other),
  MIN: (one, other) => Math.min(one, other),
  MAX: (one, other) => Math.max(one, other),
};

function orZero(score: number): number {
  return score === score ? score : 0;
}

/** One of the sets that are combined. */
class Source {
  weight = 1;
  readonly #zset: ZsetValue | null;
  readonly #set: SetValue | null;

  constructor({ args, db }: Call, index: number) {
    const ref = db.find(args, index);
    const isSet = ref !== 0 && db.keyspace.entries.typeOf(ref) === Type.set;
    const set = new SetValue();
    const zset = new ZsetValue();
    this.#set = isSet && set.cursor.read(db, args, index) ? set : null;
    this.#zset = !isSet && zset.cursor.read(db, args, index) ? zset : null;
  }

  get count(): number {
    return this.#zset?.count ?? this.#set?.count ?? 0;
  }

  /** The weighted score of a member, NaN if it is not there. */
  scoreOf({ bytes, view, start, end }: Slice): number {
    if (this.#zset !== null) return this.#weighted(this.#zset.scoreOf(bytes, view, start, end));
    return this.#set?.has(bytes, view, start, end) ? this.weight : NaN;
  }

  has({ bytes, view, start, end }: Slice): boolean {
    if (this.#zset !== null) {
      const score = this.#zset.scoreOf(bytes, view, start, end);
      return score === score;
    }
    return this.#set?.has(bytes, view, start, end) ?? false;
  }

  forEach(visit: ScoredVisitor): void {
    const { weight } = this;
    this.#set?.forEach((member) => visit(member, weight));
    this.#zset?.forEachFrom(0, this.#zset.count, false, (member, score) => {
      visit(member, orZero(weight * score));
    });
  }

  #weighted(score: number): number {
    return score === score ? orZero(this.weight * score) : NaN;
  }
}

/** What a request asks for. */
interface Request {
  sources: Source[];
  aggregate: Aggregate;
  withScores: boolean;
  limit: number;
}

type Kind = "union" | "inter" | "diff";

/** Reads `numkeys` at argument `at`, the keys and the options; null after answering an error. */
function read(call: Call, kind: Kind, at: number, isCounting: boolean): Request | null {
  const { args, reply, command } = call;
  const numkeys = args.integer(at);
  if (call.failed()) return null;
  if (numkeys < 1) {
    const name = command?.name ?? "";
    reply.error(errorReply(`ERR at least 1 input key is needed for '${name}' command`));
    return null;
  }
  if (numkeys > args.count - at - 1) {
    reply.error(Errors.syntax);
    return null;
  }
  const sources: Source[] = [];
  for (let i = at + 1; i <= at + numkeys; i++) {
    sources.push(new Source(call, i));
    if (call.failed()) return null;
  }
  const request = { sources, aggregate: AGGREGATES.SUM, withScores: false, limit: 0 };
  for (let i = at + numkeys + 1; i < args.count && args.error === null;) {
    i = readOption(args, i, request, kind, at === 1, isCounting);
  }
  return call.failed() ? null : request;
}

/** Reads the option at argument `i`; returns the index of the next. */
function readOption(
  args: Args,
  i: number,
  request: Request,
  kind: Kind,
  isAnswered: boolean,
  isCounting: boolean,
): number {
  const left = args.count - i - 1;
  const combines = kind !== "diff" && !isCounting;
  if (combines && args.is(i, "WEIGHTS") && left >= request.sources.length) {
    for (const [n, source] of request.sources.entries()) {
      source.weight = weightAt(args, i + 1 + n);
    }
    return i + 1 + request.sources.length;
  }
  if (combines && args.is(i, "AGGREGATE") && left >= 1) {
    const aggregate = AGGREGATES[args.binary(i + 1).toUpperCase()];
    if (aggregate === undefined) args.fail(Errors.syntax);
    else request.aggregate = aggregate;
    return i + 2;
  }
  if (isAnswered && !isCounting && args.is(i, "WITHSCORES")) {
    request.withScores = true;
    return i + 1;
  }
  if (isCounting && args.is(i, "LIMIT") && left >= 1) {
    request.limit = args.integerWithin(i + 1, 0, Infinity, Errors.limitNegative);
    return i + 2;
  }
  args.fail(Errors.syntax);
  return i + 1;
}

function weightAt(args: Args, index: number): number {
  const { error } = args;
  const weight = args.double(index);
  if (error === null && args.error !== null) args.error = Errors.weightNotAFloat;
  return weight;
}

/** Members and their scores while they are combined. */
class Result {
  readonly members: MemberTable;
  readonly #slice = new Slice();

  constructor({ db }: Call) {
    this.members = new MemberTable(db.keyspace.entries.arena, db.keyspace.hasher);
  }

  add({ bytes, view, start, end }: Slice, score: number, aggregate: Aggregate): void {
    const { members } = this;
    const before = members.count;
    const ref = members.findOrAdd(bytes, view, start, end, SCORE_BYTES);
    const isNew = members.count > before;
    members.setScore(ref, isNew ? score : aggregate(members.score(ref), score));
  }

  /** Shows the members in order of score. */
  forEach(visit: ScoredVisitor): void {
    const { members } = this;
    const refs: Ref[] = [];
    members.forEach((ref) => refs.push(ref));
    refs.sort((a, b) => {
      const one = members.score(a);
      const other = members.score(b);
      if (one !== other) return one < other ? -1 : 1;
      return members.compareKeys(a, b);
    });
    for (const ref of refs) {
      members.key(ref, this.#slice);
      visit(this.#slice, members.score(ref));
    }
  }
}

function combine(call: Call, kind: Kind, { sources, aggregate }: Request): Result {
  const result = new Result(call);
  if (kind === "union") {
    for (const source of sources.toSorted((one, other) => one.count - other.count)) {
      source.forEach((member, score) => result.add(member, score, aggregate));
    }
  } else if (kind === "diff") {
    const [first, ...others] = sources;
    first.forEach((member, score) => {
      if (!others.some((other) => other.has(member))) result.add(member, score, aggregate);
    });
  } else {
    const [first, ...others] = sources.toSorted((one, other) => one.count - other.count);
    first.forEach((member, score) => {
      let sum = score;
      for (const other of others) {
        const next = other.scoreOf(member);
        if (next !== next) return;
        sum = aggregate(sum, next);
      }
      result.add(member, sum, aggregate);
    });
  }
  return result;
}

function answer(call: Call, kind: Kind): void {
  const { reply } = call;
  const request = read(call, kind, 1, false);
  if (request === null) return;
  const result = combine(call, kind, request);
  const { count } = result.members;
  const { withScores } = request;
  const isNested = withScores && reply.resp > 2;
  reply.array(withScores && !isNested ? 2 * count : count);
  result.forEach((member, score) => {
    if (isNested) reply.array(2);
    reply.bulkOf(member);
    if (withScores) reply.double(score);
  });
  result.members.release(Infinity);
}

/** The result replaces whatever argument 1 names, which may be one of the sources. */
function store(call: Call, kind: Kind, event: KeyEvent): void {
  const { args, reply, db } = call;
  const request = read(call, kind, 2, false);
  if (request === null) return;
  const result = combine(call, kind, request);
  const { count } = result.members;
  if (count === 0) db.removeAny(args, 1);
  else {
    const target = new ZsetValue();
    target.cursor.replace(db, args, 1);
    target.makeRoom(count, 0);
    result.forEach(({ bytes, view, start, end }, score) => {
      target.set(bytes, view, start, end, score);
    });
    target.cursor.changed(event);
  }
  result.members.release(Infinity);
  reply.integer(count);
}

/** ZINTERCARD numkeys key [key …] [LIMIT limit]: a limit of 0 is none. */
function zintercard(call: Call): void {
  const request = read(call, "inter", 1, true);
  if (request === null) return;
  const limit = request.limit === 0 ? Infinity : request.limit;
  const [first, ...others] = request.sources.toSorted((one, other) => one.count - other.count);
  let count = 0;
  first.forEach((member) => {
    if (count < limit && others.every((other) => other.has(member))) count++;
  });
  call.reply.integer(count);
}

const zunion = (call: Call): void => answer(call, "union");
const zinter = (call: Call): void => answer(call, "inter");
const zdiff = (call: Call): void => answer(call, "diff");
const zunionstore = (call: Call): void => store(call, "union", Events.zunionstore);
const zinterstore = (call: Call): void => store(call, "inter", Events.zinterstore);
const zdiffstore = (call: Call): void => store(call, "diff", Events.zdiffstore);

/** Rows of the table: see engine/command.ts. */
export const sortedSetStoreCommands: readonly CommandSpec[] = [
  {
    name: "zunion",
    usage:
      "numkeys:integer {key}* [WEIGHTS {weight:integer}*] [AGGREGATE aggregate=(SUM | MIN | MAX)] [WITHSCORES]",
    summary: "Returns the members of all sorted sets together.",
    since: "6.2.0",
    complexity: "O(N)",
    flags: Flag.readonly,
    keys: [countedKeys("RO access", 1)],
    acl: ["sortedset"],
    run: zunion,
  },
  {
    name: "zinter",
    usage:
      "numkeys:integer {key}* [WEIGHTS {weight:integer}*] [AGGREGATE aggregate=(SUM | MIN | MAX)] [WITHSCORES]",
    summary: "Returns the members that all sorted sets have.",
    since: "6.2.0",
    complexity: "O(N*K)",
    flags: Flag.readonly,
    keys: [countedKeys("RO access", 1)],
    acl: ["sortedset"],
    run: zinter,
  },
  {
    name: "zdiff",
    usage: "numkeys:integer {key}* [WITHSCORES]",
    summary: "Returns the members of the first sorted set that no other has.",
    since: "6.2.0",
    complexity: "O(L + (N-K)log(N))",
    flags: Flag.readonly,
    keys: [countedKeys("RO access", 1)],
    acl: ["sortedset"],
    run: zdiff,
  },
  {
    name: "zintercard",
    usage: "numkeys:integer {key}* [LIMIT limit:integer]",
    summary: "Returns how many members all sorted sets have.",
    since: "7.0.0",
    complexity: "O(N*K)",
    flags: Flag.readonly,
    keys: [countedKeys("RO access", 1)],
    acl: ["sortedset"],
    run: zintercard,
  },
  {
    name: "zunionstore",
    usage:
      "destination:key numkeys:integer {key}* [WEIGHTS {weight:integer}*] [AGGREGATE aggregate=(SUM | MIN | MAX)]",
    summary: "Stores the members of all sorted sets together.",
    since: "2.0.0",
    complexity: "O(N)",
    flags: Flag.write | Flag.denyOom,
    keys: [oneKey("OW update"), countedKeys("RO access", 2)],
    acl: ["sortedset"],
    run: zunionstore,
  },
  {
    name: "zinterstore",
    usage:
      "destination:key numkeys:integer {key}* [WEIGHTS {weight:integer}*] [AGGREGATE aggregate=(SUM | MIN | MAX)]",
    summary: "Stores the members that all sorted sets have.",
    since: "2.0.0",
    complexity: "O(N*K)",
    flags: Flag.write | Flag.denyOom,
    keys: [oneKey("OW update"), countedKeys("RO access", 2)],
    acl: ["sortedset"],
    run: zinterstore,
  },
  {
    name: "zdiffstore",
    usage: "destination:key numkeys:integer {key}*",
    summary: "Stores the members of the first sorted set that no other has.",
    since: "6.2.0",
    complexity: "O(L + (N-K)log(N))",
    flags: Flag.write | Flag.denyOom,
    keys: [oneKey("OW update"), countedKeys("RO access", 2)],
    acl: ["sortedset"],
    run: zdiffstore,
  },
];
