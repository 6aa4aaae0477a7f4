/** Commands that take elements from the first of several sorted sets that has some, and wait for them. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, keyRange } from "../engine/command.ts";
import { countedKeys } from "../engine/key_spec.ts";
import { Type } from "../keyspace/entry.ts";
import { ZsetValue } from "../keyspace/zset_value.ts";
import { Errors } from "../protocol/errors.ts";
import { blockingTimeout, popCount } from "./counts.ts";
import { popInto } from "./sorted_set.ts";
import { scratch } from "../lib/scratch.ts";

// scratch: lives for one call
const zset = scratch(new ZsetValue());

/**
 * ZMPOP numkeys key [key …] MIN|MAX [COUNT count], with `numkeys` at argument `at`. If nothing is there it waits
 * for the timeout at argument `timeoutAt`, which is checked last, or replies null if that is 0.
 */
function popFromFirst(call: Call, at: number, timeoutAt: number): void {
  const { args, reply, db } = call;
  const numkeys = args.integerWithin(at, 1, Infinity, Errors.numkeysNotPositive);
  if (call.failed()) return;
  const first = at + 1;
  const where = first + numkeys;
  if (where >= args.count) return reply.error(Errors.syntax);
  const isMax = args.is(where, "MAX");
  if (!isMax && !args.is(where, "MIN")) args.fail(Errors.syntax);
  const count = popCount(args, where + 1);
  const timeoutMs = timeoutAt === 0 ? -1 : blockingTimeout(call, timeoutAt);
  if (call.failed()) return;
  for (let i = first; i < where; i++) {
    const exists = zset.cursor.edit(db, args, i);
    if (call.failed()) return;
    if (!exists) continue;
    const size = Math.min(count, zset.count);
    reply.array(2);
    reply.bulk(args.bytesOf(i), args.start(i), args.end(i));
    reply.array(size);
    popInto(call, zset, size, isMax, true);
    return propagatePop(call, i, isMax, size);
  }
  if (timeoutMs < 0 || !call.block(first, where - 1, Type.zset, timeoutMs)) reply.nullArray();
}

/** Propagates a command that names the one key and does not block. */
function propagatePop(call: Call, key: number, isMax: boolean, size: number | null): void {
  const stream = call.rewrite(size === null ? 2 : 3)?.word(isMax ? "ZPOPMAX" : "ZPOPMIN");
  stream?.argument(call.args, key);
  if (size !== null) stream?.integer(size);
}

const zmpop = (call: Call): void => popFromFirst(call, 1, 0);
const bzmpop = (call: Call): void => popFromFirst(call, 2, 1);

/** BZPOPMIN key [key …] timeout */
function pop(call: Call, isMax: boolean): void {
  const { args, reply, db } = call;
  const last = args.count - 2;
  const timeoutMs = blockingTimeout(call, last + 1);
  if (call.failed()) return;
  for (let i = 1; i <= last; i++) {
    const exists = zset.cursor.edit(db, args, i);
    if (call.failed()) return;
    if (!exists) continue;
    reply.array(3);
    reply.bulk(args.bytesOf(i), args.start(i), args.end(i));
    popInto(call, zset, 1, isMax, false);
    return propagatePop(call, i, isMax, null);
  }
  if (!call.block(1, last, Type.zset, timeoutMs)) reply.nullArray();
}

const bzpopmin = (call: Call): void => pop(call, false);
const bzpopmax = (call: Call): void => pop(call, true);

/** Rows of the table: see engine/command.ts. */
export const sortedSetPopCommands: readonly CommandSpec[] = [
  {
    name: "zmpop",
    usage: "numkeys:integer {key}* where=(MIN | MAX) [COUNT count:integer]",
    summary: "Removes and returns members of the first sorted set that has some.",
    since: "7.0.0",
    complexity: "O(K)",
    flags: Flag.write,
    keys: [countedKeys("RW access delete", 1)],
    acl: ["sortedset"],
    run: zmpop,
  },
  {
    name: "bzpopmin",
    usage: "{key}* timeout:double",
    summary: "Removes and returns the member with the lowest score, waiting for one.",
    since: "5.0.0",
    complexity: "O(log(N))",
    flags: Flag.write | Flag.fast | Flag.blocking,
    keys: [keyRange("RW access delete", 1, -2, 1)],
    acl: ["sortedset"],
    run: bzpopmin,
  },
  {
    name: "bzpopmax",
    usage: "{key}* timeout:double",
    summary: "Removes and returns the member with the highest score, waiting for one.",
    since: "5.0.0",
    complexity: "O(log(N))",
    flags: Flag.write | Flag.fast | Flag.blocking,
    keys: [keyRange("RW access delete", 1, -2, 1)],
    acl: ["sortedset"],
    run: bzpopmax,
  },
  {
    name: "bzmpop",
    usage: "timeout:double numkeys:integer {key}* where=(MIN | MAX) [COUNT count:integer]",
    summary: "Removes and returns members of the first sorted set that has some, waiting for them.",
    since: "7.0.0",
    complexity: "O(K)",
    flags: Flag.write | Flag.blocking,
    keys: [countedKeys("RW access delete", 2)],
    acl: ["sortedset"],
    run: bzmpop,
  },
];
