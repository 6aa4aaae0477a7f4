// hot path
/** Commands on sets: https://redis.io/docs/latest/commands/?group=set */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import type { Propagation } from "../engine/propagation.ts";
import { Events } from "../keyspace/change_hooks.ts";
import { SetValue } from "../keyspace/set_value.ts";
import { Slice } from "../lib/slice.ts";
import type { Args } from "../protocol/args.ts";
import { Errors } from "../protocol/errors.ts";
import { mayRepeat, positiveCount, randomCount } from "./counts.ts";
import { isWanted, readCollectionScan } from "./scan.ts";
import { scratch } from "../lib/scratch.ts";

// scratch: lives for one call
const set = scratch(new SetValue());
// scratch: lives for one call
const target = scratch(new SetValue());
// scratch: lives for one call
const picked = scratch(new Slice());

function add(to: SetValue, args: Args, index: number): boolean {
  return to.add(args.bytesOf(index), args.viewOf(index), args.start(index), args.end(index));
}

function has(args: Args, index: number): boolean {
  return set.has(args.bytesOf(index), args.viewOf(index), args.start(index), args.end(index));
}

function sadd({ args, reply, db }: Call): void {
  set.expect(args.count - 2, args.bytesOf(2), args.start(2), args.end(2));
  if (!set.cursor.editOrCreate(db, args, 1)) return reply.error(Errors.wrongType);
  set.makeRoom();
  let added = 0;
  for (let i = 2; i < args.count; i++) if (add(set, args, i)) added++;
  if (added > 0) set.cursor.changed(Events.sadd, added);
  reply.integer(added);
}

function srem({ args, reply, db }: Call): void {
  if (!set.cursor.edit(db, args, 1)) {
    return args.error === null ? reply.integer(0) : reply.error(args.error);
  }
  let removed = 0;
  for (let i = 2; i < args.count && set.count > 0; i++) {
    if (set.remove(args.bytesOf(i), args.viewOf(i), args.start(i), args.end(i))) removed++;
  }
  if (removed > 0) set.cursor.changed(Events.srem, removed);
  reply.integer(removed);
}

function sismember({ args, reply, db }: Call): void {
  const isMember = set.cursor.read(db, args, 1) && has(args, 2);
  if (args.error !== null) return reply.error(args.error);
  reply.integer(isMember ? 1 : 0);
}

function smismember({ args, reply, db }: Call): void {
  const exists = set.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) reply.integer(exists && has(args, i) ? 1 : 0);
}

function scard({ args, reply, db }: Call): void {
  const exists = set.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  reply.integer(exists ? set.count : 0);
}

function smembers({ args, reply, db }: Call): void {
  const exists = set.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  reply.set(exists ? set.count : 0);
  if (exists) set.forEach((member) => reply.bulkOf(member));
}

/** SPOP is propagated as SREM of so many members each. */
const MEMBERS_A_COMMAND = 1024;

function spop(call: Call): void {
  const { args, reply, db } = call;
  if (args.count > 2) return popMany(call);
  if (!set.cursor.edit(db, args, 1)) {
    return args.error === null ? reply.nullBulk() : reply.error(args.error);
  }
  set.random(picked);
  reply.bulkOf(picked);
  call.rewrite(3)?.word("SREM").argument(args, 1).wordOf(picked);
  set.remove(picked.bytes, picked.view, picked.start, picked.end);
  set.cursor.changed(Events.spop);
}

function popMany(call: Call): void {
  const { args, reply, db } = call;
  if (args.count > 3) return reply.error(Errors.syntax);
  const count = positiveCount(args, 2);
  if (args.error !== null) return reply.error(args.error);
  const exists = set.cursor.edit(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  if (!exists || count === 0) return reply.set(0);
  const size = Math.min(count, set.count);
  reply.set(size);
  const isWhole = size === set.count;
  let popped = 0;
  let stream: Propagation | null = null;
  set.pop(size, (member) => {
    reply.bulkOf(member);
    if (isWhole) return;
    if (popped % MEMBERS_A_COMMAND === 0) {
      stream = call.rewrite(2 + Math.min(size - popped, MEMBERS_A_COMMAND));
      stream?.word("SREM").argument(args, 1);
    }
    stream?.wordOf(member);
    popped++;
  });
  set.cursor.changed(Events.spop, size);
  if (!isWhole) return;
  const isLazy = call.engine.parameters.values.lazyfreeLazyServerDel;
  call.rewrite(2)?.word(isLazy ? "UNLINK" : "DEL").argument(args, 1);
}

/** SRANDMEMBER key [count]: with a negative count a member may come more than once. */
function srandmember(call: Call): void {
  const { args, reply, db } = call;
  if (args.count > 3) return reply.error(Errors.syntax);
  const isOne = args.count === 2;
  const count = isOne ? 1 : randomCount(args, 2);
  if (args.error !== null) return reply.error(args.error);
  const exists = set.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  if (!exists) return isOne ? reply.nullBulk() : reply.emptyArray();
  if (!mayRepeat(call, count)) return reply.error(Errors.outOfRange);
  if (!isOne) reply.array(count < 0 ? -count : Math.min(count, set.count));
  if (isOne || count < 0) {
    for (let i = 0; i < Math.abs(count) && !reply.isOver; i++) {
      set.random(picked);
      reply.bulkOf(picked);
    }
  } else if (count >= set.count) {
    set.forEach((member) => reply.bulkOf(member));
  } else set.sample(count, (member) => reply.bulkOf(member));
}

function smove({ args, reply, db }: Call): void {
  const exists = set.cursor.edit(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  if (!exists) return reply.integer(0);
  target.cursor.edit(db, args, 2);
  if (args.error !== null) return reply.error(args.error);
  if (args.same(1, 2)) return reply.integer(has(args, 3) ? 1 : 0);
  if (!set.remove(args.bytesOf(3), args.viewOf(3), args.start(3), args.end(3))) {
    return reply.integer(0);
  }
  set.cursor.changed(Events.srem);
  target.expect(1, args.bytesOf(3), args.start(3), args.end(3));
  target.cursor.editOrCreate(db, args, 2);
  if (add(target, args, 3)) target.cursor.changed(Events.sadd);
  reply.integer(1);
}

function sscan(call: Call): void {
  const { reply } = call;
  const wanted = readCollectionScan(call, set.cursor);
  if (wanted === null) return;
  const begin = reply.mark();
  let count = 0;
  const next = set.scan(wanted.cursor, wanted.count, ({ bytes, start, end }) => {
    if (!isWanted(wanted, bytes, start, end)) return;
    reply.bulk(bytes, start, end);
    count++;
  });
  reply.arrayFrom(begin, count);
  reply.scanFrom(begin, next);
}

/** Rows of the table: see engine/command.ts. */
export const setCommands: readonly CommandSpec[] = [
  {
    name: "sadd",
    usage: "key {member}*",
    summary: "Adds members to a set, making it if it is missing.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW insert")],
    run: sadd,
  },
  {
    name: "srem",
    usage: "key {member}*",
    summary: "Removes members from a set.",
    since: "1.0.0",
    complexity: "O(N)",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW delete")],
    run: srem,
  },
  {
    name: "smembers",
    usage: "key",
    summary: "Returns all members.",
    since: "1.0.0",
    complexity: "O(N)",
    isTimedByReply: true,
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    tips: ["nondeterministic_output_order"],
    run: smembers,
  },
  {
    name: "sismember",
    usage: "key member",
    summary: "Tells whether something is a member.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO")],
    run: sismember,
  },
  {
    name: "smismember",
    usage: "key {member}*",
    summary: "Tells of several things whether they are members.",
    since: "6.2.0",
    complexity: "O(N)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO access")],
    run: smismember,
  },
  {
    name: "scard",
    usage: "key",
    summary: "Returns the number of members.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO")],
    run: scard,
  },
  {
    name: "spop",
    usage: "key [count:integer]@3.2.0",
    summary: "Removes and returns members picked at random.",
    since: "1.0.0",
    complexity: "Depends on the subcommand",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW access delete")],
    tips: ["nondeterministic_output"],
    run: spop,
  },
  {
    name: "srandmember",
    usage: "key [count:integer]@2.6.0",
    summary: "Returns members picked at random.",
    since: "1.0.0",
    complexity: "Depends on the subcommand",
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    tips: ["nondeterministic_output"],
    run: srandmember,
  },
  {
    name: "smove",
    usage: "source:key destination:key member",
    summary: "Moves a member from one set to another.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW access delete"), oneKey("RW insert", 2)],
    run: smove,
  },
  {
    name: "sscan",
    usage: "key cursor:integer [MATCH pattern] [COUNT count:integer]",
    summary: "Walks over the members of a set, a few at a time.",
    since: "2.8.0",
    complexity: "O(1)",
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    tips: ["nondeterministic_output"],
    run: sscan,
  },
];
