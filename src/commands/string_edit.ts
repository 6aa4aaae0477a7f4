// hot path
/** Commands on parts of strings: APPEND, SETRANGE, GETRANGE, and INCRBYFLOAT on their text. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import { Events } from "../keyspace/change_hooks.ts";
import { Type } from "../keyspace/entry.ts";
import { stringEncoding } from "../keyspace/values.ts";
import { copyBytes } from "../lib/copy.ts";
import { addLongDoubles, longDoubleText, parseLongDouble } from "../lib/long_double.ts";
import { binaryBytes, binaryText } from "../protocol/args.ts";
import { Errors } from "../protocol/errors.ts";

function append({ args, reply, db, engine }: Call): void {
  const ref = db.find(args, 1);
  if (!db.checkType(args, ref, Type.string)) return reply.error(Errors.wrongType);
  const size = args.length(2);
  if (ref === 0) {
    db.strings.setArgument(args, 1, 2, false, Events.append);
    return reply.integer(size);
  }
  const before = db.peekString(args, 1)?.length ?? 0;
  if (before + size > engine.parameters.values.protoMaxBulkLen) {
    return reply.error(Errors.stringTooLong);
  }
  const value = db.strings.edit(args, 1, before + size);
  copyBytes(args.bytesOf(2), args.start(2), args.end(2), value.bytes, value.start + before);
  db.changed(args, 1, Events.append);
  reply.integer(before + size);
}

function setrange({ args, reply, db, engine }: Call): void {
  const offset = args.integer(2);
  if (args.error !== null) return reply.error(args.error);
  if (offset < 0) return reply.error(Errors.offsetOutOfRange);
  const value = db.peekString(args, 1);
  if (args.error !== null) return reply.error(args.error);
  const size = args.length(3);
  const before = value === null ? 0 : value.length;
  if (size === 0) return reply.integer(before);
  if (offset + size > engine.parameters.values.protoMaxBulkLen) {
    return reply.error(Errors.stringTooLong);
  }
  const edited = db.strings.edit(args, 1, Math.max(before, offset + size));
  copyBytes(args.bytesOf(3), args.start(3), args.end(3), edited.bytes, edited.start + offset);
  db.changed(args, 1, Events.setrange);
  reply.integer(edited.length);
}

/** Replies with bytes `start` to `end`, both included; negative ones count from the end. */
function getrange({ args, reply, db }: Call): void {
  const start = args.integer(2);
  const end = args.integer(3);
  if (args.error !== null) return reply.error(args.error);

  const value = db.readString(args, 1);
  if (args.error !== null) return reply.error(args.error);
  if (value === null || (start < 0 && end < 0 && start > end)) return reply.emptyBulk();

  const first = Math.max(start < 0 ? value.length + start : start, 0);
  const last = Math.min(Math.max(end < 0 ? value.length + end : end, 0), value.length - 1);
  if (first > last) return reply.emptyBulk();
  reply.bulk(value.bytes, value.start + first, value.start + last + 1);
}

/** Adds in 80-bit floats, as Redis does: 0.1 + 0.2 is 0.3. */
function incrbyfloat(call: Call): void {
  const { args, reply, db } = call;
  const value = db.peekString(args, 1);
  if (args.error !== null) return reply.error(args.error);
  const current = parseLongDouble(
    value === null ? "0" : binaryText(value.bytes, value.start, value.end),
  );
  const increment = parseLongDouble(args.binary(2));
  if (current === null || increment === null) return reply.error(Errors.notAFloat);
  const sum = addLongDoubles(current, increment);
  if (sum === null) return reply.error(Errors.nanOrInfinity);
  const text = binaryBytes(longDoubleText(sum));
  const view = new DataView(text.buffer);
  // The sum stays text even if it is an integer: OBJECT ENCODING shows embstr, as in Redis.
  const encoding = stringEncoding(text.length);
  db.strings.setText(args, 1, text, view, true, Events.incrbyfloat, encoding);
  call.rewrite(4)?.word("SET").argument(args, 1).bytes(text, 0, text.length).word("KEEPTTL");
  reply.bulk(text, 0, text.length);
}

/** Rows of the table: see engine/command.ts. */
export const stringEditCommands: readonly CommandSpec[] = [
  {
    name: "append",
    usage: "key value",
    summary: "Adds bytes to the end of a string, which is made if it is missing.",
    since: "2.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW insert")],
    run: append,
  },
  {
    name: "setrange",
    usage: "key offset:integer value",
    summary:
      "Overwrites part of a string from a byte offset on, growing it with zero bytes if need be.",
    since: "2.2.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom,
    keys: [oneKey("RW update")],
    run: setrange,
  },
  {
    name: "getrange",
    usage: "key start:integer end:integer",
    summary: "Returns part of a string, by byte offsets.",
    since: "2.4.0",
    complexity: "O(N)",
    isTimedByReply: true,
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    run: getrange,
  },
  {
    name: "substr",
    usage: "key start:integer end:integer",
    summary: "Returns part of a string, by byte offsets: the old name of GETRANGE.",
    since: "1.0.0",
    complexity: "O(N)",
    isTimedByReply: true,
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    deprecatedSince: "2.0.0",
    replacedBy: "`GETRANGE`",
    run: getrange,
  },
  {
    name: "incrbyfloat",
    usage: "key increment:double",
    summary: "Adds a decimal number to a number; a missing key counts as 0.",
    since: "2.6.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW access update")],
    run: incrbyfloat,
  },
];
