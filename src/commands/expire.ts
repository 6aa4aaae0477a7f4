/** Commands on the time that keys have to live. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import { Events } from "../keyspace/change_hooks.ts";
import { bigIntToInt64, Int64, int64ToBigInt } from "../lib/decimal.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import { readTime, setDeadline } from "./expire_times.ts";
import {
  type ErrorReply,
  Errors,
  invalidExpireTime,
  unsupportedOption,
} from "../protocol/errors.ts";

// scratch: lives for one call
const wanted = new Int64();
// scratch: lives for one call
const current = new Int64();

const NX = 1;
const XX = 2;
const GT = 4;
const LT = 8;
const EXPIRE_ERRORS: Record<ExpireName, ErrorReply> = {
  expire: invalidExpireTime("expire"),
  pexpire: invalidExpireTime("pexpire"),
  expireat: invalidExpireTime("expireat"),
  pexpireat: invalidExpireTime("pexpireat"),
};

function expire(call: Call): void {
  expireGeneric(call, true, true, "expire");
}

function pexpire(call: Call): void {
  expireGeneric(call, true, false, "pexpire");
}

function expireat(call: Call): void {
  expireGeneric(call, false, true, "expireat");
}

function pexpireat(call: Call): void {
  expireGeneric(call, false, false, "pexpireat");
}

type ExpireName = "expire" | "pexpire" | "expireat" | "pexpireat";

function expireGeneric(call: Call, relative: boolean, seconds: boolean, name: ExpireName): void {
  const { args, reply, db } = call;
  const conditions = readConditions(call);
  if (conditions < 0) return;
  readTime(call, 2, relative, seconds, EXPIRE_ERRORS[name], wanted);
  if (args.error !== null) return reply.error(args.error);

  const ref = db.find(args, 1);
  if (ref === 0 || !isMet(conditions, db.deadlines.read(ref, current))) return reply.integer(0);
  setDeadline(call, wanted, 3);
  reply.integer(1);
}

/** The bits of NX XX GT LT from argument 3 on; -1 after answering an error. */
function readConditions({ args, reply }: Call): number {
  let given = 0;
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, "NX")) given |= NX;
    else if (args.is(i, "XX")) given |= XX;
    else if (args.is(i, "GT")) given |= GT;
    else if (args.is(i, "LT")) given |= LT;
    else {
      reply.error(unsupportedOption(args.binary(i)));
      return -1;
    }
  }
  if ((given & NX) !== 0 && (given & (XX | GT | LT)) !== 0) {
    reply.error(Errors.expireNxConflict);
    return -1;
  }
  if ((given & GT) !== 0 && (given & LT) !== 0) {
    reply.error(Errors.expireGtLtConflict);
    return -1;
  }
  return given;
}

/** Whether `wanted` may replace `current`. A key without a deadline counts as one that lives for ever. */
function isMet(conditions: number, hasDeadline: boolean): boolean {
  if ((conditions & NX) !== 0 && hasDeadline) return false;
  if ((conditions & XX) !== 0 && !hasDeadline) return false;
  if ((conditions & GT) !== 0 && !(hasDeadline && current.isBefore(wanted))) return false;
  return (conditions & LT) === 0 || !hasDeadline || wanted.isBefore(current);
}

function ttl(call: Call): void {
  replyTime(call, true, true);
}

function pttl(call: Call): void {
  replyTime(call, true, false);
}

function expiretime(call: Call): void {
  replyTime(call, false, true);
}

function pexpiretime(call: Call): void {
  replyTime(call, false, false);
}

/** -2 for a missing key, -1 for one that lives for ever; seconds are rounded. */
function replyTime({ args, reply, db, nowMs }: Call, relative: boolean, seconds: boolean): void {
  const ref = db.readUntouched(args, 1);
  if (ref === 0) return reply.integer(-2);
  if (!db.deadlines.read(ref, current)) return reply.integer(-1);
  const deadline = current.rounded;
  if (deadline > Number.MAX_SAFE_INTEGER) return replyFarTime(reply, relative ? nowMs : 0, seconds);
  const ms = relative ? Math.max(0, deadline - nowMs) : deadline;
  reply.integer(seconds ? Math.floor((ms + 500) / 1000) : ms);
}

/** Replies how far `current`, which is beyond 2^53, lies after `base`. */
function replyFarTime(reply: ReplyWriter, base: number, seconds: boolean): void {
  const ms = int64ToBigInt(current) - BigInt(base);
  bigIntToInt64(seconds ? (ms + 500n) / 1000n : ms, current);
  reply.int64(current);
}

function persist({ args, reply, db }: Call): void {
  if (!db.deadlines.persist(args, 1)) return reply.integer(0);
  db.changed(args, 1, Events.persist);
  reply.integer(1);
}

/** Rows of the table: see engine/command.ts. */
export const expireCommands: readonly CommandSpec[] = [
  {
    name: "expire",
    usage: "key seconds:integer [condition=(NX | XX | GT | LT)]@7.0.0",
    summary: "Sets a key's time to live in seconds.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW update")],
    history: [["7.0.0", "NX, XX, GT and LT."]],
    run: expire,
  },
  {
    name: "expireat",
    usage: "key unix-time-seconds:unix-time [condition=(NX | XX | GT | LT)]@7.0.0",
    summary: "Sets the Unix time in seconds at which a key expires.",
    since: "1.2.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW update")],
    history: [["7.0.0", "NX, XX, GT and LT."]],
    run: expireat,
  },
  {
    name: "expiretime",
    usage: "key",
    summary: "Returns the Unix time in seconds at which a key expires.",
    since: "7.0.0",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO access")],
    run: expiretime,
  },
  {
    name: "persist",
    usage: "key",
    summary: "Takes a key's time to live away.",
    since: "2.2.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW update")],
    run: persist,
  },
  {
    name: "pexpire",
    usage: "key milliseconds:integer [condition=(NX | XX | GT | LT)]@7.0.0",
    summary: "Sets a key's time to live in milliseconds.",
    since: "2.6.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW update")],
    history: [["7.0.0", "NX, XX, GT and LT."]],
    run: pexpire,
  },
  {
    name: "pexpireat",
    usage: "key unix-time-milliseconds:unix-time [condition=(NX | XX | GT | LT)]@7.0.0",
    summary: "Sets the Unix time in milliseconds at which a key expires.",
    since: "2.6.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW update")],
    history: [["7.0.0", "NX, XX, GT and LT."]],
    run: pexpireat,
  },
  {
    name: "pexpiretime",
    usage: "key",
    summary: "Returns the Unix time in milliseconds at which a key expires.",
    since: "7.0.0",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO access")],
    run: pexpiretime,
  },
  {
    name: "pttl",
    usage: "key",
    summary: "Returns a key's time to live in milliseconds.",
    since: "2.6.0",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO access")],
    tips: ["nondeterministic_output"],
    history: [["2.8.0", "Returns -2 if there is no such key."]],
    run: pttl,
  },
  {
    name: "ttl",
    usage: "key",
    summary: "Returns a key's time to live in seconds.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO access")],
    tips: ["nondeterministic_output"],
    history: [["2.8.0", "Returns -2 if there is no such key."]],
    run: ttl,
  },
];
