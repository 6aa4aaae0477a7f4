// hot path
/** Commands on hashes: https://redis.io/docs/latest/commands/?group=hash */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import { Events } from "../keyspace/change_hooks.ts";
import { HashValue, type PairVisitor } from "../keyspace/hash_value.ts";
import { addInt64, Int64, parseInt64, writeInt64 } from "../lib/decimal.ts";
import { addLongDoubles, longDoubleText, parseLongDouble } from "../lib/long_double.ts";
import { Slice } from "../lib/slice.ts";
import { type Args, binaryBytes, binaryText } from "../protocol/args.ts";
import { Errors, wrongArity } from "../protocol/errors.ts";
import { checkPairs, mayRepeat, randomCount } from "./counts.ts";
import { isWanted, readCollectionScan } from "./scan.ts";
import { scratch } from "../lib/scratch.ts";

// scratch: lives for one call
const hash = scratch(new HashValue());
// scratch: lives for one call
const found = scratch(new Slice());
// scratch: lives for one call
const current = new Int64();
// scratch: lives for one call
const delta = new Int64();
// scratch: lives for one call
const digits = new Uint8Array(24);
// scratch: lives for one call
const digitsView = new DataView(digits.buffer);

/** Puts `found` on the value of the field at argument `index`. */
function get(args: Args, index: number): boolean {
  return hash.get(
    args.bytesOf(index),
    args.viewOf(index),
    args.start(index),
    args.end(index),
    found,
  );
}

/** Sets the field at argument `field` to `bytes[start, end)`, over which `view` is; returns whether it is new. */
function set(
  args: Args,
  field: number,
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): boolean {
  const name = args.bytesOf(field);
  const nameView = args.viewOf(field);
  const from = args.start(field);
  return hash.set(name, nameView, from, args.end(field), bytes, view, start, end);
}

/** Sets the pairs from argument 2 on; returns how many are new, or -1 after answering an error. */
function setPairs({ args, reply, db, command }: Call): number {
  if (args.count % 2 !== 0) {
    reply.error(wrongArity(command?.name ?? ""));
    return -1;
  }
  if (!hash.cursor.editOrCreate(db, args, 1)) {
    reply.error(Errors.wrongType);
    return -1;
  }
  let added = 0;
  for (let i = 2; i < args.count; i += 2) {
    if (set(args, i, args.bytesOf(i + 1), args.viewOf(i + 1), args.start(i + 1), args.end(i + 1))) {
      added++;
    }
  }
  hash.cursor.changed(Events.hset, (args.count - 2) >>> 1);
  return added;
}

function hset(call: Call): void {
  const added = setPairs(call);
  if (added >= 0) call.reply.integer(added);
}

function hmset(call: Call): void {
  if (setPairs(call) >= 0) call.reply.ok();
}

function hsetnx({ args, reply, db }: Call): void {
  if (!hash.cursor.editOrCreate(db, args, 1)) return reply.error(Errors.wrongType);
  if (get(args, 2)) return reply.integer(0);
  set(args, 2, args.bytesOf(3), args.viewOf(3), args.start(3), args.end(3));
  hash.cursor.changed(Events.hset);
  reply.integer(1);
}

function hget({ args, reply, db }: Call): void {
  if (hash.cursor.read(db, args, 1) && get(args, 2)) {
    return reply.bulkOf(found);
  }
  if (args.error !== null) return reply.error(args.error);
  reply.nullBulk();
}

function hmget({ args, reply, db }: Call): void {
  const exists = hash.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    if (exists && get(args, i)) reply.bulkOf(found);
    else reply.nullBulk();
  }
}

function hexists({ args, reply, db }: Call): void {
  const exists = hash.cursor.read(db, args, 1) && get(args, 2);
  if (args.error !== null) return reply.error(args.error);
  reply.integer(exists ? 1 : 0);
}

function hstrlen({ args, reply, db }: Call): void {
  const exists = hash.cursor.read(db, args, 1) && get(args, 2);
  if (args.error !== null) return reply.error(args.error);
  reply.integer(exists ? found.length : 0);
}

function hlen({ args, reply, db }: Call): void {
  const exists = hash.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  reply.integer(exists ? hash.count : 0);
}

function hdel({ args, reply, db }: Call): void {
  if (!hash.cursor.edit(db, args, 1)) {
    return args.error === null ? reply.integer(0) : reply.error(args.error);
  }
  let removed = 0;
  for (let i = 2; i < args.count && hash.count > 0; i++) {
    if (hash.remove(args.bytesOf(i), args.viewOf(i), args.start(i), args.end(i))) removed++;
  }
  if (removed > 0) hash.cursor.changed(Events.hdel, removed);
  reply.integer(removed);
}

function hincrby({ args, reply, db }: Call): void {
  if (!args.int64(3, delta)) return reply.error(Errors.notAnInteger);
  if (!hash.cursor.editOrCreate(db, args, 1)) return reply.error(Errors.wrongType);
  current.hi = current.lo = 0;
  if (get(args, 2) && !parseInt64(found.bytes, found.start, found.end, current)) {
    return reply.error(Errors.hashNotAnInteger);
  }
  if (!addInt64(current, delta.hi, delta.lo, current)) {
    hash.cursor.discard();
    return reply.error(Errors.overflow);
  }
  set(args, 2, digits, digitsView, 0, writeInt64(current.hi, current.lo, digits, 0));
  hash.cursor.changed(Events.hincrby);
  reply.int64(current);
}

/** Adds in 80-bit floats, as INCRBYFLOAT does. */
function hincrbyfloat(call: Call): void {
  const { args, reply, db } = call;
  const increment = parseLongDouble(args.binary(3));
  if (increment === null) return reply.error(Errors.notAFloat);
  if (/inf|nan/i.test(args.binary(3))) return reply.error(Errors.incrementNotFinite);
  if (!hash.cursor.editOrCreate(db, args, 1)) return reply.error(Errors.wrongType);
  const text = get(args, 2) ? binaryText(found.bytes, found.start, found.end) : "0";
  const before = parseLongDouble(text);
  if (before === null) return reply.error(Errors.hashNotAFloat);
  const sum = addLongDoubles(before, increment);
  if (sum === null) {
    hash.cursor.discard();
    return reply.error(Errors.nanOrInfinity);
  }
  const bytes = binaryBytes(longDoubleText(sum));
  set(args, 2, bytes, new DataView(bytes.buffer), 0, bytes.length);
  hash.cursor.changed(Events.hincrbyfloat);
  call.rewrite(4)?.word("HSET").argument(args, 1).argument(args, 2).bytes(bytes, 0, bytes.length);
  reply.bulk(bytes, 0, bytes.length);
}

function hgetall({ args, reply, db }: Call): void {
  const exists = hash.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  reply.map(exists ? hash.count : 0);
  if (!exists) return;
  hash.forEach((field, value) => {
    reply.bulkOf(field);
    reply.bulkOf(value);
  });
}

function hkeys({ args, reply, db }: Call): void {
  const exists = hash.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  reply.array(exists ? hash.count : 0);
  if (exists) hash.forEach((field) => reply.bulkOf(field));
}

function hvals({ args, reply, db }: Call): void {
  const exists = hash.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  reply.array(exists ? hash.count : 0);
  if (exists) hash.forEach((_, value) => reply.bulkOf(value));
}

/** HRANDFIELD key [count [WITHVALUES]]: with a negative count a field may come more than once. */
function hrandfield(call: Call): void {
  const { args, reply, db } = call;
  if (args.count === 2) return randomField(call);
  const count = randomCount(args, 2);
  if (args.error !== null) return reply.error(args.error);
  const withValues = args.count > 3;
  if (args.count > 4 || (withValues && !args.is(3, "WITHVALUES"))) {
    return reply.error(Errors.syntax);
  }
  if (withValues) checkPairs(args, 2);
  if (args.error !== null) return reply.error(args.error);
  const exists = hash.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  if (!exists || count === 0) return reply.emptyArray();
  if (!mayRepeat(call, count)) return reply.error(Errors.outOfRange);

  const size = count < 0 ? -count : Math.min(count, hash.count);
  const isNested = withValues && reply.resp > 2;
  reply.array(withValues && !isNested ? 2 * size : size);
  const show: PairVisitor = (field, value) => {
    if (isNested) reply.array(2);
    reply.bulkOf(field);
    if (withValues) reply.bulkOf(value);
  };
  if (count < 0) { for (let i = 0; i < size && !reply.isOver; i++) hash.random(show); }
  else if (size === hash.count) hash.forEach(show);
  else hash.sample(size, show);
}

function randomField({ args, reply, db }: Call): void {
  if (hash.cursor.read(db, args, 1)) {
    return hash.random((field) => reply.bulkOf(field));
  }
  if (args.error !== null) return reply.error(args.error);
  reply.nullBulk();
}

function hscan(call: Call): void {
  const { reply } = call;
  const wanted = readCollectionScan(call, hash.cursor);
  if (wanted === null) return;
  const begin = reply.mark();
  let count = 0;
  const next = hash.scan(wanted.cursor, wanted.count, (field, value) => {
    if (!isWanted(wanted, field.bytes, field.start, field.end)) return;
    reply.bulkOf(field);
    reply.bulkOf(value);
    count += 2;
  });
  reply.arrayFrom(begin, count);
  reply.scanFrom(begin, next);
}

/** Rows of the table: see engine/command.ts. */
export const hashCommands: readonly CommandSpec[] = [
  {
    name: "hdel",
    usage: "key {field}*",
    summary: "Removes fields from a hash.",
    since: "2.0.0",
    complexity: "O(N)",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW delete")],
    run: hdel,
  },
  {
    name: "hexists",
    usage: "key field",
    summary: "Tells whether a hash has a field.",
    since: "2.0.0",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO")],
    run: hexists,
  },
  {
    name: "hget",
    usage: "key field",
    summary: "Returns the value of a field.",
    since: "2.0.0",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO access")],
    run: hget,
  },
  {
    name: "hgetall",
    usage: "key",
    summary: "Returns all fields and values.",
    since: "2.0.0",
    complexity: "O(N)",
    isTimedByReply: true,
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    tips: ["nondeterministic_output_order"],
    run: hgetall,
  },
  {
    name: "hincrby",
    usage: "key field increment:integer",
    summary: "Adds a number to the integer in a field; a missing one counts as 0.",
    since: "2.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW access update")],
    run: hincrby,
  },
  {
    name: "hincrbyfloat",
    usage: "key field increment:double",
    summary: "Adds a decimal number to the number in a field; a missing one counts as 0.",
    since: "2.6.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW access update")],
    run: hincrbyfloat,
  },
  {
    name: "hkeys",
    usage: "key",
    summary: "Returns all fields.",
    since: "2.0.0",
    complexity: "O(N)",
    isTimedByReply: true,
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    tips: ["nondeterministic_output_order"],
    run: hkeys,
  },
  {
    name: "hlen",
    usage: "key",
    summary: "Returns the number of fields.",
    since: "2.0.0",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO")],
    run: hlen,
  },
  {
    name: "hmget",
    usage: "key {field}*",
    summary: "Returns the values of several fields.",
    since: "2.0.0",
    complexity: "O(N)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO access")],
    run: hmget,
  },
  {
    name: "hmset",
    usage: "key {data=(field value)}*",
    summary: "Sets several fields.",
    since: "2.0.0",
    complexity: "O(N)",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW update")],
    deprecatedSince: "4.0.0",
    replacedBy: "`HSET` with multiple field-value pairs",
    run: hmset,
  },
  {
    name: "hrandfield",
    usage: "key [options=(count:integer [WITHVALUES])]",
    summary: "Returns fields picked at random.",
    since: "6.2.0",
    complexity: "O(N)",
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    tips: ["nondeterministic_output"],
    run: hrandfield,
  },
  {
    name: "hscan",
    usage: "key cursor:integer [MATCH pattern] [COUNT count:integer]",
    summary: "Walks over the fields of a hash, a few at a time.",
    since: "2.8.0",
    complexity: "O(1)",
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    tips: ["nondeterministic_output"],
    run: hscan,
  },
  {
    name: "hset",
    usage: "key {data=(field value)}*",
    summary: "Sets fields, making the hash if it is missing.",
    since: "2.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW update")],
    run: hset,
  },
  {
    name: "hsetnx",
    usage: "key field value",
    summary: "Sets a field unless it is there.",
    since: "2.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW insert")],
    run: hsetnx,
  },
  {
    name: "hstrlen",
    usage: "key field",
    summary: "Returns the length of a field's value.",
    since: "3.2.0",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO")],
    run: hstrlen,
  },
  {
    name: "hvals",
    usage: "key",
    summary: "Returns all values.",
    since: "2.0.0",
    complexity: "O(N)",
    isTimedByReply: true,
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    tips: ["nondeterministic_output_order"],
    run: hvals,
  },
];
