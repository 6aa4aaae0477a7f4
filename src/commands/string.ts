// hot path
/** Commands on strings: https://redis.io/docs/latest/commands/?group=string */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, keyRange, oneKey } from "../engine/command.ts";
import { Events } from "../keyspace/change_hooks.ts";
import { Encoding, Type } from "../keyspace/entry.ts";
import { KeyBatch } from "../keyspace/key_batch.ts";
import { addInt64, Int64, negateInt64 } from "../lib/decimal.ts";
import type { Args } from "../protocol/args.ts";
import { Errors, invalidExpireTime, wrongArity } from "../protocol/errors.ts";
import { Options } from "../protocol/options.ts";
import type { Ref } from "../structures/arena.ts";
import { readDeadline, setDeadline } from "./expire_times.ts";

const times = ["EX", "PX", "EXAT", "PXAT"];
// Each excludes the others. Given twice, the last one counts.
const timeOptions = times.map((word) => ({
  word,
  takes: 1 as const,
  excludes: times.filter((other) => other !== word),
}));
// scratch: lives for one call
const setOptions = new Options(
  { word: "NX", excludes: ["XX"] },
  { word: "XX" },
  { word: "GET" },
  { word: "KEEPTTL", excludes: times },
  ...timeOptions,
);
const SET_NX = 1;
const SET_XX = 2;
const SET_GET = 4;
const SET_KEEPTTL = 8;
const FIRST_TIME = 4;
const SET_PXAT = 1 << (FIRST_TIME + 3);

// scratch: lives for one call
const getexOptions = new Options(
  { word: "PERSIST", excludes: times },
  ...timeOptions,
);
const GETEX_PERSIST = 1;

const setexError = invalidExpireTime("setex");
const psetexError = invalidExpireTime("psetex");
const setError = invalidExpireTime("set");
const getexError = invalidExpireTime("getex");

// scratch: lives for one call
const keyBatch = new KeyBatch();
/** What a command with a time to live has read. */
// scratch: lives for one call
const deadline = new Int64();
// scratch: lives for one call
const delta = new Int64();
// scratch: lives for one call
const current = new Int64();

function get({ args, reply, db }: Call): void {
  const value = db.readString(args, 1);
  if (value !== null) return reply.bulkIn(value.bytes, value.view, value.start, value.end);
  if (args.error !== null) return reply.error(args.error);
  reply.nullBulk();
}

function set(call: Call): void {
  const { args, reply, db } = call;
  if (args.count === 3) {
    db.strings.setArgument(args, 1, 2, false, Events.set);
    return reply.ok();
  }
  setOptions.read(args, 3);
  if (args.error !== null) return reply.error(args.error);
  const given = setOptions.given;
  const hasDeadline = readGivenDeadline(call, setOptions, setError);
  if (call.failed()) return;

  const isThere = db.exists(args, 1);
  if ((given & SET_GET) !== 0 && !replyOld(call)) return;
  if (((given & SET_NX) !== 0 && isThere) || ((given & SET_XX) !== 0 && !isThere)) {
    if ((given & SET_GET) === 0) reply.nullBulk();
    return;
  }
  const keepTtl = (given & SET_KEEPTTL) !== 0;
  const ref = db.strings.setArgument(args, 1, 2, keepTtl, Events.set);
  if (hasDeadline) {
    db.deadlines.set(ref, deadline);
    db.notify(args, 1, Events.expire);
  }
  // With PXAT the command gives a point in time already, and is propagated as it is.
  if (hasDeadline) {
    if ((given & SET_PXAT) === 0) propagateSet(call, 2);
  } else if ((given & SET_GET) !== 0) propagateWithoutGet(call);
  if ((given & SET_GET) === 0) reply.ok();
}

/** Propagates SET with the value at argument `value` and with `deadline` as a point in time. */
function propagateSet(call: Call, value: number): void {
  const { args } = call;
  call.rewrite(5)?.word("SET").argument(args, 1).argument(args, value).word("PXAT").int64(deadline);
}

/** Propagates SET as it was sent, but for GET: nobody reads the answer. */
function propagateWithoutGet(call: Call): void {
  const { args } = call;
  let gets = 0;
  for (let i = 3; i < args.count; i++) if (args.is(i, "GET")) gets++;
  const stream = call.rewrite(args.count - gets);
  if (stream === null) return;
  for (let i = 0; i < args.count; i++) if (i < 3 || !args.is(i, "GET")) stream.argument(args, i);
}

/** Answers the string at argument 1, or null; false (and an error) if it is no string. */
function replyOld({ args, reply, db }: Call): boolean {
  const value = db.readString(args, 1);
  if (args.error !== null) {
    reply.error(args.error);
    return false;
  }
  if (value === null) reply.nullBulk();
  else reply.bulkIn(value.bytes, value.view, value.start, value.end);
  return true;
}

/** Reads what EX, PX, EXAT or PXAT asks for into `deadline`; false without one, or if it is refused. */
function readGivenDeadline(call: Call, options: Options, error: Uint8Array): boolean {
  const first = options === setOptions ? FIRST_TIME : 1;
  for (let i = 0; i < times.length; i++) {
    if ((options.given & (1 << (first + i))) === 0) continue;
    return readDeadline(call, options.value[first + i], i < 2, i % 2 === 0, error, deadline);
  }
  return false;
}

function setnx({ args, reply, db }: Call): void {
  if (db.exists(args, 1)) return reply.integer(0);
  db.strings.setArgument(args, 1, 2, false, Events.set);
  reply.integer(1);
}

function setex(call: Call): void {
  setWithTime(call, true, setexError);
}

function psetex(call: Call): void {
  setWithTime(call, false, psetexError);
}

function setWithTime(call: Call, seconds: boolean, error: Uint8Array): void {
  const { args, reply, db } = call;
  readDeadline(call, 2, true, seconds, error, deadline);
  if (call.failed()) return;
  const ref = db.strings.setArgument(args, 1, 3, false, Events.set);
  db.deadlines.set(ref, deadline);
  db.notify(args, 1, Events.expire);
  propagateSet(call, 3);
  reply.ok();
}

function getset(call: Call): void {
  if (!replyOld(call)) return;
  const { args, db } = call;
  db.strings.setArgument(args, 1, 2, false, Events.set);
  call.rewrite(3)?.word("SET").argument(call.args, 1).argument(call.args, 2);
}

function getdel(call: Call): void {
  if (!replyOld(call)) return;
  if (call.db.remove(call.args, 1)) call.rewrite(2)?.word("DEL").argument(call.args, 1);
}

function getex(call: Call): void {
  const { args, reply, db } = call;
  getexOptions.read(args, 2);
  if (args.error !== null) return reply.error(args.error);
  // The time is checked only if there is a string.
  const value = db.readString(args, 1);
  if (args.error !== null) return reply.error(args.error);
  if (value === null) return reply.nullBulk();
  readGivenDeadline(call, getexOptions, getexError);
  if (call.failed()) return;
  const given = getexOptions.given;
  reply.bulkIn(value.bytes, value.view, value.start, value.end);
  if (given === 0) return;
  if (given === GETEX_PERSIST) {
    if (!db.deadlines.persist(args, 1)) return;
    db.changed(args, 1, Events.persist);
    call.rewrite(2)?.word("PERSIST").argument(args, 1);
  } else setDeadline(call, deadline);
}

function mget({ args, reply, db }: Call): void {
  reply.array(args.count - 1);
  for (let i = 1; i < args.count; i++) {
    keyBatch.approach(db, args, i, 1);
    const value = db.readString(args, i);
    if (value === null) reply.nullBulk();
    else reply.bulkIn(value.bytes, value.view, value.start, value.end);
  }
  args.error = null; // MGET answers null for a value of another type.
}

const msetArity = wrongArity("mset");
const msetnxArity = wrongArity("msetnx");

function mset({ args, reply, db }: Call): void {
  if (args.count % 2 === 0) return reply.error(msetArity);
  for (let i = 1; i < args.count; i += 2) {
    keyBatch.approach(db, args, i, 2);
    db.strings.setArgument(args, i, i + 1, false, Events.set);
  }
  reply.ok();
}

function msetnx({ args, reply, db }: Call): void {
  if (args.count % 2 === 0) return reply.error(msetnxArity);
  for (let i = 1; i < args.count; i += 2) {
    if (db.exists(args, i)) return reply.integer(0);
  }
  for (let i = 1; i < args.count; i += 2) {
    db.strings.setArgument(args, i, i + 1, false, Events.set);
  }
  reply.integer(1);
}

function strlen({ args, reply, db }: Call): void {
  const value = db.readString(args, 1);
  if (args.error !== null) return reply.error(args.error);
  reply.integer(value === null ? 0 : value.length);
}

function incr(call: Call): void {
  delta.hi = 0;
  delta.lo = 1;
  add(call);
}

function decr(call: Call): void {
  delta.hi = -1;
  delta.lo = -1;
  add(call);
}

function incrby(call: Call): void {
  if (!call.args.int64(2, delta)) return call.reply.error(Errors.notAnInteger);
  add(call);
}

function decrby(call: Call): void {
  const { args, reply } = call;
  if (!args.int64(2, delta)) return reply.error(Errors.notAnInteger);
  if (!negateInt64(delta, delta)) return reply.error(Errors.decrementOverflow);
  add(call);
}

/** Adds `delta` to the integer at argument 1, which counts as 0 when it is missing. */
function add({ args, reply, db }: Call): void {
  const ref = db.find(args, 1);
  if (ref === 0) {
    current.hi = current.lo = 0;
  } else if (!readInteger(args, db, ref)) {
    return reply.error(args.error ?? Errors.notAnInteger);
  }
  if (!addInt64(current, delta.hi, delta.lo, current)) return reply.error(Errors.overflow);
  const isInPlace = ref !== 0 && db.keyspace.entries.encoding === Encoding.int;
  if (isInPlace) db.strings.replaceInt64(args, 1, current.hi, current.lo, Events.incrby);
  else db.strings.setInt64(args, 1, current.hi, current.lo, true, Events.incrby);
  reply.int64(current);
}

/** Reads the integer of entry `ref` into `current`; false (with a failure in `args`) if it is none. */
function readInteger(args: Call["args"], db: Call["db"], ref: Ref): boolean {
  const entries = db.keyspace.entries;
  entries.open(ref);
  if (entries.type !== Type.string) {
    args.fail(Errors.wrongType);
    return false;
  }
  if (entries.encoding !== Encoding.int) return db.strings.readInt64(current);
  current.lo = entries.view.getInt32(entries.valueStart, true);
  current.hi = entries.view.getInt32(entries.valueStart + 4, true);
  return true;
}

/** SET only reads the key when GET asks for the old value. */
function setFlags(args: Args): string {
  for (let i = 3; i < args.count; i++) if (args.is(i, "GET")) return "RW access update";
  return "OW update";
}

/** Rows of the table: see engine/command.ts. */
export const stringCommands: readonly CommandSpec[] = [
  {
    name: "get",
    usage: "key",
    summary: "Returns a string.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO access")],
    run: get,
  },
  {
    name: "set",
    usage:
      "key value [condition=(NX | XX)]@2.6.12 [GET]@6.2.0 [expiration=(EX seconds:integer@2.6.12 | PX milliseconds:integer@2.6.12 | EXAT unix-time-seconds:unix-time@6.2.0 | PXAT unix-time-milliseconds:unix-time@6.2.0 | KEEPTTL@6.0.0)]",
    summary:
      "Sets a string, whatever the key held; options make it conditional or give it a time to live.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom,
    keys: [
      oneKey("RW access update variable_flags", 1, {
        flagsOf: setFlags,
        notes: "GET makes it RW access",
      }),
    ],
    history: [["2.6.12", "EX, PX, NX and XX."], ["6.0.0", "KEEPTTL."], [
      "6.2.0",
      "GET, EXAT and PXAT.",
    ], ["7.0.0", "NX together with GET."]],
    run: set,
  },
  {
    name: "setnx",
    usage: "key value",
    summary: "Sets a string if its key is missing.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("OW insert")],
    deprecatedSince: "2.6.12",
    replacedBy: "`SET` with the `NX` argument",
    run: setnx,
  },
  {
    name: "setex",
    usage: "key seconds:integer value",
    summary: "Sets a string with a time to live in seconds.",
    since: "2.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom,
    keys: [oneKey("OW update")],
    deprecatedSince: "2.6.12",
    replacedBy: "`SET` with the `EX` argument",
    run: setex,
  },
  {
    name: "psetex",
    usage: "key milliseconds:integer value",
    summary: "Sets a string with a time to live in milliseconds.",
    since: "2.6.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom,
    keys: [oneKey("OW update")],
    deprecatedSince: "2.6.12",
    replacedBy: "`SET` with the `PX` argument",
    run: psetex,
  },
  {
    name: "getset",
    usage: "key value",
    summary: "Sets a string and returns the one before.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW access update")],
    deprecatedSince: "6.2.0",
    replacedBy: "`SET` with the `!GET` argument",
    run: getset,
  },
  {
    name: "getdel",
    usage: "key",
    summary: "Returns a string and removes its key.",
    since: "6.2.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW access delete")],
    run: getdel,
  },
  {
    name: "getex",
    usage:
      "key [expiration=(EX seconds:integer | PX milliseconds:integer | EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | PERSIST)]",
    summary: "Returns a string and sets, changes or removes its time to live.",
    since: "6.2.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW access update", 1, { notes: "It writes where it changes the time to live" })],
    run: getex,
  },
  {
    name: "mget",
    usage: "{key}*",
    summary: "Returns several strings at once; null for what is missing or of another type.",
    since: "1.0.0",
    complexity: "O(N)",
    isTimedByReply: true,
    flags: Flag.readonly | Flag.fast,
    keys: [keyRange("RO access", 1, -1, 1)],
    tips: ["request_policy:multi_shard"],
    run: mget,
  },
  {
    name: "mset",
    usage: "{data=(key value)}*",
    summary: "Sets several strings at once.",
    since: "1.0.1",
    complexity: "O(N)",
    flags: Flag.write | Flag.denyOom,
    keys: [keyRange("OW update", 1, -1, 2)],
    tips: ["request_policy:multi_shard", "response_policy:all_succeeded"],
    run: mset,
  },
  {
    name: "msetnx",
    usage: "{data=(key value)}*",
    summary: "Sets several strings at once if none of the keys exists.",
    since: "1.0.1",
    complexity: "O(N)",
    flags: Flag.write | Flag.denyOom,
    keys: [keyRange("OW insert", 1, -1, 2)],
    run: msetnx,
  },
  {
    name: "strlen",
    usage: "key",
    summary: "Returns the length of a string in bytes.",
    since: "2.2.0",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO")],
    run: strlen,
  },
  {
    name: "incr",
    usage: "key",
    summary: "Adds one to an integer; a missing key counts as 0.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW access update")],
    run: incr,
  },
  {
    name: "decr",
    usage: "key",
    summary: "Subtracts one from an integer; a missing key counts as 0.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW access update")],
    run: decr,
  },
  {
    name: "incrby",
    usage: "key increment:integer",
    summary: "Adds a number to an integer; a missing key counts as 0.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW access update")],
    run: incrby,
  },
  {
    name: "decrby",
    usage: "key decrement:integer",
    summary: "Subtracts a number from an integer; a missing key counts as 0.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW access update")],
    run: decrby,
  },
];
