/** Commands that take elements from one list and give them to another, or take them from one of several. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import { countedKeys } from "../engine/key_spec.ts";
import { Events } from "../keyspace/change_hooks.ts";
import { Type } from "../keyspace/entry.ts";
import { ListValue } from "../keyspace/list_value.ts";
import { Slice } from "../lib/slice.ts";
import { blockingTimeout, popCount } from "./counts.ts";
import { BufferSink } from "../persistence/byte_sink.ts";
import type { Args } from "../protocol/args.ts";
import { Errors } from "../protocol/errors.ts";
import { scratch } from "../lib/scratch.ts";

// scratch: lives for one call
const source = scratch(new ListValue());
// scratch: lives for one call
const target = scratch(new ListValue());
// scratch: lives for one call
const element = scratch(new Slice());
/** A copy of the element that is moved: the lists' own bytes may move when it is removed and added. */
// scratch: lives for one call
const moved = scratch(new BufferSink());

/** Whether argument `index` says RIGHT; anything but that or LEFT fails. */
export function isRight(args: Args, index: number): boolean {
  if (args.is(index, "RIGHT")) return true;
  if (!args.is(index, "LEFT")) args.fail(Errors.syntax);
  return false;
}

function lmove(call: Call): void {
  const { args } = call;
  const fromTail = isRight(args, 3);
  const toTail = isRight(args, 4);
  if (call.failed()) return;
  move(call, fromTail, toTail);
}

const rpoplpush = (call: Call): void => move(call, true, false);

/**
 * Moves an element from the list at argument 1 to that at argument 2. If there is none it waits for
 * `timeoutMs`, or replies null if that is negative.
 */
export function move(call: Call, fromTail: boolean, toTail: boolean, timeoutMs = -1): void {
  const { args, reply, db } = call;
  const exists = source.cursor.edit(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  if (!exists) {
    if (timeoutMs < 0 || !call.block(1, 1, Type.list, timeoutMs)) reply.nullBulk();
    return;
  }
  target.cursor.peek(db, args, 2);
  if (args.error !== null) return reply.error(args.error);

  source.at(fromTail ? source.count - 1 : 0, element);
  const size = element.length;
  moved.clear();
  moved.write(element.bytes, element.start, element.end);
  const isRotation = args.same(1, 2);
  if (isRotation) source.dropEnd(fromTail);
  const into = isRotation ? source : target;
  if (!isRotation) target.cursor.editOrCreate(db, args, 2);
  into.makeRoomFor(moved.bytes, 0, size);
  if (toTail) into.pushTail(moved.bytes, moved.view, 0, size);
  else into.pushHead(moved.bytes, moved.view, 0, size);
  into.cursor.changed(toTail ? Events.rpush : Events.lpush);
  if (!isRotation) source.dropEnd(fromTail);
  source.shrink();
  // One change with two events.
  source.cursor.changed(fromTail ? Events.rpop : Events.lpop, 0);
  reply.bulkIn(moved.bytes, moved.view, 0, size);
  if (timeoutMs >= 0) propagateMove(call);
}

/** Propagates the command that does not block: LMOVE for BLMOVE, RPOPLPUSH for BRPOPLPUSH. */
function propagateMove(call: Call): void {
  const { args } = call;
  const hasEnds = args.count === 6;
  const stream = call.rewrite(hasEnds ? 5 : 3)?.word(hasEnds ? "LMOVE" : "RPOPLPUSH");
  stream?.argument(args, 1).argument(args, 2);
  if (hasEnds) stream?.argument(args, 3).argument(args, 4);
}

/** LMPOP numkeys key [key …] LEFT|RIGHT [COUNT count] */
const lmpop = (call: Call): void => popFromFirst(call, 1, 0);

/**
 * Pops from the first list that exists: the number of keys is argument `at`. If there is none it waits for
 * the timeout at argument `timeoutAt`, which is checked last, or replies null if that is 0.
 */
export function popFromFirst(call: Call, at: number, timeoutAt: number): void {
  const { args, reply, db } = call;
  const numkeys = args.integerWithin(at, 1, Infinity, Errors.numkeysNotPositive);
  if (call.failed()) return;
  const first = at + 1;
  const where = first + numkeys;
  if (where >= args.count) return reply.error(Errors.syntax);
  const fromTail = isRight(args, where);
  const count = popCount(args, where + 1);
  const timeoutMs = timeoutAt === 0 ? -1 : blockingTimeout(call, timeoutAt);
  if (call.failed()) return;
  for (let i = first; i < where; i++) {
    const exists = source.cursor.edit(db, args, i);
    if (call.failed()) return;
    if (!exists) continue;
    reply.array(2);
    reply.bulk(args.bytesOf(i), args.start(i), args.end(i));
    const size = Math.min(count, source.count);
    popInto(call, size, fromTail);
    return void call.rewrite(3)?.word(fromTail ? "RPOP" : "LPOP").argument(args, i).integer(size);
  }
  if (timeoutMs < 0 || !call.block(first, where - 1, Type.list, timeoutMs)) reply.nullArray();
}

/** Pops `size` elements of `source` and replies with them. */
function popInto({ reply }: Call, size: number, fromTail: boolean): void {
  reply.array(size);
  source.takeEnds(fromTail, size, element, (one) => reply.bulkOf(one));
  source.shrink();
  source.cursor.changed(fromTail ? Events.rpop : Events.lpop, size);
}

/** Rows of the table: see engine/command.ts. */
export const listMoveCommands: readonly CommandSpec[] = [
  {
    name: "lmove",
    usage: "source:key destination:key wherefrom=(LEFT | RIGHT) whereto=(LEFT | RIGHT)",
    summary: "Moves an element from an end of one list to an end of another.",
    since: "6.2.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom,
    keys: [oneKey("RW access delete"), oneKey("RW insert", 2)],
    run: lmove,
  },
  {
    name: "rpoplpush",
    usage: "source:key destination:key",
    summary: "Moves the last element of a list to the head of another.",
    since: "1.2.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom,
    keys: [oneKey("RW access delete"), oneKey("RW insert", 2)],
    deprecatedSince: "6.2.0",
    replacedBy: "`LMOVE` with the `RIGHT` and `LEFT` arguments",
    run: rpoplpush,
  },
  {
    name: "lmpop",
    usage: "numkeys:integer {key}* where=(LEFT | RIGHT) [COUNT count:integer]",
    summary: "Removes and returns elements of the first list that has some.",
    since: "7.0.0",
    complexity: "O(N+M)",
    flags: Flag.write,
    keys: [countedKeys("RW access delete", 1)],
    run: lmpop,
  },
];
