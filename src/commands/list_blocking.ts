/** Commands that wait for a list to have elements. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, keyRange, oneKey } from "../engine/command.ts";
import { countedKeys } from "../engine/key_spec.ts";
import { Events } from "../keyspace/change_hooks.ts";
import { Type } from "../keyspace/entry.ts";
import { ListValue } from "../keyspace/list_value.ts";
import { Slice } from "../lib/slice.ts";
import { blockingTimeout } from "./counts.ts";
import { isRight, move, popFromFirst } from "./list_move.ts";
import { scratch } from "../lib/scratch.ts";

// scratch: lives for one call
const list = scratch(new ListValue());
// scratch: lives for one call
const element = scratch(new Slice());

/** BLPOP key [key …] timeout: the first list that has elements serves. */
function pop(call: Call, atTail: boolean): void {
  const { args, reply, db } = call;
  const last = args.count - 2;
  const timeoutMs = blockingTimeout(call, last + 1);
  if (call.failed()) return;
  for (let i = 1; i <= last; i++) {
    const exists = list.cursor.edit(db, args, i);
    if (call.failed()) return;
    if (!exists) continue;
    list.readEnd(atTail, element);
    reply.array(2);
    reply.bulk(args.bytesOf(i), args.start(i), args.end(i));
    reply.bulkOf(element);
    list.dropEnd(atTail);
    list.shrink();
    list.cursor.changed(atTail ? Events.rpop : Events.lpop);
    call.rewrite(2)?.word(atTail ? "RPOP" : "LPOP").argument(args, i);
    return;
  }
  if (!call.block(1, last, Type.list, timeoutMs)) reply.nullArray();
}

const blpop = (call: Call): void => pop(call, false);
const brpop = (call: Call): void => pop(call, true);

function blmove(call: Call): void {
  const { args } = call;
  const fromTail = isRight(args, 3);
  const toTail = isRight(args, 4);
  if (call.failed()) return;
  const timeoutMs = blockingTimeout(call, 5);
  if (!call.failed()) move(call, fromTail, toTail, timeoutMs);
}

function brpoplpush(call: Call): void {
  const timeoutMs = blockingTimeout(call, 3);
  if (!call.failed()) move(call, true, false, timeoutMs);
}
const blmpop = (call: Call): void => popFromFirst(call, 2, 1);

/** Rows of the table: see engine/command.ts. */
export const listBlockingCommands: readonly CommandSpec[] = [
  {
    name: "blpop",
    usage: "{key}* timeout:double",
    summary: "Removes and returns the first element of a list, waiting for one.",
    since: "2.0.0",
    complexity: "O(N)",
    flags: Flag.write | Flag.blocking,
    keys: [keyRange("RW access delete", 1, -2, 1)],
    run: blpop,
  },
  {
    name: "brpop",
    usage: "{key}* timeout:double",
    summary: "Removes and returns the last element of a list, waiting for one.",
    since: "2.0.0",
    complexity: "O(N)",
    flags: Flag.write | Flag.blocking,
    keys: [keyRange("RW access delete", 1, -2, 1)],
    run: brpop,
  },
  {
    name: "blmove",
    usage:
      "source:key destination:key wherefrom=(LEFT | RIGHT) whereto=(LEFT | RIGHT) timeout:double",
    summary: "Moves an element from one list to another, waiting for one.",
    since: "6.2.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.blocking,
    keys: [oneKey("RW access delete"), oneKey("RW insert", 2)],
    run: blmove,
  },
  {
    name: "brpoplpush",
    usage: "source:key destination:key timeout:double",
    summary: "Moves the last element of a list to the head of another, waiting for one.",
    since: "2.2.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.blocking,
    keys: [oneKey("RW access delete"), oneKey("RW insert", 2)],
    deprecatedSince: "6.2.0",
    replacedBy: "`BLMOVE` with the `RIGHT` and `LEFT` arguments",
    run: brpoplpush,
  },
  {
    name: "blmpop",
    usage: "timeout:double numkeys:integer {key}* where=(LEFT | RIGHT) [COUNT count:integer]",
    summary: "Removes and returns elements of the first list that has some, waiting for them.",
    since: "7.0.0",
    complexity: "O(N+M)",
    flags: Flag.write | Flag.blocking,
    keys: [countedKeys("RW access delete", 2)],
    run: blmpop,
  },
];
