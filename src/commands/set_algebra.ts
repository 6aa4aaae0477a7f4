/** Intersections, unions and differences of sets. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, keyRange, oneKey } from "../engine/command.ts";
import { countedKeys } from "../engine/key_spec.ts";
import { Events, type KeyEvent } from "../keyspace/change_hooks.ts";
import { type MemberVisitor, SetValue } from "../keyspace/set_value.ts";
import { Slice } from "../lib/slice.ts";
import { Errors } from "../protocol/errors.ts";
import { MemberTable } from "../structures/member_table.ts";

/**
 * The sets at arguments `from` to `to`; null stands for a missing key. Answers WRONGTYPE and returns
 * null if a key is of another type.
 */
function setsAt({ args, reply, db }: Call, from: number, to: number): (SetValue | null)[] | null {
  const sets: (SetValue | null)[] = [];
  for (let i = from; i < to; i++) {
    const set = new SetValue();
    const exists = set.cursor.read(db, args, i);
    if (args.error !== null) {
      reply.error(args.error);
      return null;
    }
    sets.push(exists ? set : null);
  }
  return sets;
}

/** Visits the members that all of `sets` have, up to `limit` of them. */
function intersect(sets: readonly (SetValue | null)[], limit: number, visit: MemberVisitor): void {
  const present = sets.filter((set) => set !== null);
  if (present.length < sets.length) return;
  // Walks the smallest set and looks each member up in the others, the smaller ones first.
  const [first, ...others] = present.sort((one, other) => one.count - other.count);
  let found = 0;
  let at = 0;
  // Walks in steps, so that it can stop soon after the limit.
  do {
    at = first.forEachFrom(at, (member) => {
      if (found === limit) return;
      for (const other of others) if (!contains(other, member)) return;
      found++;
      visit(member);
    });
  } while (at !== 0 && found !== limit);
}

/** Visits the members that the first of `sets` has and no other. */
function subtract(sets: readonly (SetValue | null)[], visit: MemberVisitor): void {
  const [first, ...rest] = sets;
  if (first === null) return;
  const others = rest.filter((set) => set !== null).sort((one, other) => other.count - one.count);
  first.forEach((member) => {
    if (!others.some((set) => contains(set, member))) visit(member);
  });
}

/** Visits the members that any of `sets` has, each once. */
function unite(
  { db }: Call,
  sets: readonly (SetValue | null)[],
  visit: MemberVisitor,
): void {
  const seen = new MemberTable(db.keyspace.entries.arena, db.keyspace.hasher);
  for (const set of sets) {
    set?.forEach((member) => {
      const { bytes, view, start, end } = member;
      const before = seen.count;
      seen.findOrAdd(bytes, view, start, end, 0);
      if (seen.count > before) visit(member);
    });
  }
  seen.release(Infinity);
}

function contains(set: SetValue, { bytes, view, start, end }: Slice): boolean {
  return set.has(bytes, view, start, end);
}

type Operation = (
  call: Call,
  sets: readonly (SetValue | null)[],
  visit: MemberVisitor,
) => void;

const inter: Operation = (_, sets, visit) => intersect(sets, Infinity, visit);
const concatenate: Operation = (_, sets, visit) => {
  for (const set of sets) set?.forEach(visit);
};
const diff: Operation = (_, sets, visit) => subtract(sets, visit);

function answer(call: Call, operation: Operation): void {
  const { args, reply } = call;
  const sets = setsAt(call, 1, args.count);
  if (sets === null) return;
  const mark = reply.mark();
  let count = 0;
  operation(call, sets, ({ bytes, start, end }) => {
    reply.bulk(bytes, start, end);
    count++;
  });
  reply.setFrom(mark, count);
}

/** Puts the result in the place of whatever argument 1 names, which may be one of the sets. */
function store(call: Call, operation: Operation, event: KeyEvent): void {
  const { args, reply, db } = call;
  const sets = setsAt(call, 2, args.count);
  if (sets === null) return;
  const result = new MemberTable(db.keyspace.entries.arena, db.keyspace.hasher);
  operation(call, sets, ({ bytes, view, start, end }) => {
    result.findOrAdd(bytes, view, start, end, 0);
  });
  if (result.count === 0) db.removeAny(args, 1);
  else {
    const target = new SetValue();
    const member = new Slice();
    const { count } = result;
    target.replaceByIntegers(db, args, 1);
    if (target.isLong(count)) {
      target.become(result);
      target.cursor.changed(event);
      return reply.integer(count);
    }
    result.forEach((ref) => {
      result.key(ref, member);
      target.add(member.bytes, member.view, member.start, member.end);
    });
    target.cursor.changed(event);
  }
  reply.integer(result.count);
  result.release(Infinity);
}

const sinter = (call: Call): void => answer(call, inter);
const sunion = (call: Call): void => answer(call, unite);
const sdiff = (call: Call): void => answer(call, diff);
const sinterstore = (call: Call): void => store(call, inter, Events.sinterstore);
/** Members of several sets are visited several times here: adding them to the result removes duplicates. */
const sunionstore = (call: Call): void => store(call, concatenate, Events.sunionstore);
const sdiffstore = (call: Call): void => store(call, diff, Events.sdiffstore);

/** SINTERCARD numkeys key [key …] [LIMIT limit]: a limit of 0 is none. */
function sintercard(call: Call): void {
  const { args, reply } = call;
  const numkeys = args.integerWithin(1, 1, Infinity, Errors.numkeysNotPositive);
  if (args.error !== null) return reply.error(args.error);
  if (numkeys > args.count - 2) return reply.error(Errors.numkeysTooLarge);
  let limit = 0;
  for (let i = 2 + numkeys; i < args.count; i += 2) {
    if (!args.is(i, "LIMIT") || i + 1 === args.count) return reply.error(Errors.syntax);
    limit = args.integerWithin(i + 1, 0, Infinity, Errors.limitNegative);
    if (args.error !== null) return reply.error(args.error);
  }
  const sets = setsAt(call, 2, 2 + numkeys);
  if (sets === null) return;
  let count = 0;
  intersect(sets, limit === 0 ? Infinity : limit, () => count++);
  reply.integer(count);
}

/** Rows of the table: see engine/command.ts. */
export const setAlgebraCommands: readonly CommandSpec[] = [
  {
    name: "sinter",
    usage: "{key}*",
    summary: "Returns the members that all sets have.",
    since: "1.0.0",
    complexity: "O(N*M)",
    flags: Flag.readonly,
    keys: [keyRange("RO access", 1, -1, 1)],
    tips: ["nondeterministic_output_order"],
    run: sinter,
  },
  {
    name: "sintercard",
    usage: "numkeys:integer {key}* [LIMIT limit:integer]",
    summary: "Returns how many members all sets have.",
    since: "7.0.0",
    complexity: "O(N*M)",
    flags: Flag.readonly,
    keys: [countedKeys("RO access", 1)],
    run: sintercard,
  },
  {
    name: "sinterstore",
    usage: "destination:key {key}*",
    summary: "Stores the members that all sets have.",
    since: "1.0.0",
    complexity: "O(N*M)",
    flags: Flag.write | Flag.denyOom,
    keys: [oneKey("RW update"), keyRange("RO access", 2, -1, 1)],
    run: sinterstore,
  },
  {
    name: "sunion",
    usage: "{key}*",
    summary: "Returns the members of all sets together.",
    since: "1.0.0",
    complexity: "O(N)",
    flags: Flag.readonly,
    keys: [keyRange("RO access", 1, -1, 1)],
    tips: ["nondeterministic_output_order"],
    run: sunion,
  },
  {
    name: "sunionstore",
    usage: "destination:key {key}*",
    summary: "Stores the members of all sets together.",
    since: "1.0.0",
    complexity: "O(N)",
    flags: Flag.write | Flag.denyOom,
    keys: [oneKey("OW update"), keyRange("RO access", 2, -1, 1)],
    run: sunionstore,
  },
  {
    name: "sdiff",
    usage: "{key}*",
    summary: "Returns the members of the first set that no other has.",
    since: "1.0.0",
    complexity: "O(N)",
    flags: Flag.readonly,
    keys: [keyRange("RO access", 1, -1, 1)],
    tips: ["nondeterministic_output_order"],
    run: sdiff,
  },
  {
    name: "sdiffstore",
    usage: "destination:key {key}*",
    summary: "Stores the members of the first set that no other has.",
    since: "1.0.0",
    complexity: "O(N)",
    flags: Flag.write | Flag.denyOom,
    keys: [oneKey("OW update"), keyRange("RO access", 2, -1, 1)],
    run: sdiffstore,
  },
];
