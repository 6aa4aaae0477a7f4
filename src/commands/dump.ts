/** DUMP and RESTORE: a value as bytes, and back. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import { Events } from "../keyspace/change_hooks.ts";
import { bigIntToInt64, Int64, int64ToBigInt } from "../lib/decimal.ts";
import { takeKey } from "../keyspace/transfer.ts";
import { BufferSink } from "../persistence/byte_sink.ts";
import { isPayload, PayloadReader, PayloadWriter } from "../persistence/payload.ts";
import { Args } from "../protocol/args.ts";
import { Errors } from "../protocol/errors.ts";
import { scratch } from "../lib/scratch.ts";

// scratch: lives for one call
const payload = scratch(new BufferSink());
// scratch: lives for one call
const payloadReader = scratch(new PayloadReader());
// scratch: lives for one call
const restoredKey = scratch(new Args());
// scratch: lives for one call
const deadline = new Int64();

function dump({ args, reply, db, engine }: Call): void {
  const ref = db.read(args, 1);
  if (ref === 0) return reply.nullBulk();
  const { rdbVersion, rdbcompression } = engine.parameters.values;
  const { entries } = db.keyspace;
  entries.open(ref);
  // What failed has left its beginning there.
  payload.clear();
  new PayloadWriter(payload, rdbVersion, rdbcompression, Infinity).write(entries);
  reply.bulk(payload.bytes, 0, payload.at);
  payload.clear(PAYLOAD_KEPT_BYTES);
}

const PAYLOAD_KEPT_BYTES = 64 * 1024;

/** What RESTORE's options ask for. */
interface RestoreOptions {
  replaces: boolean;
  isAbsolute: boolean;
  /** −1 if it is not given. */
  idleSeconds: number;
  frequency: number;
}

function readRestoreOptions(args: Args): RestoreOptions {
  const options = { replaces: false, isAbsolute: false, idleSeconds: -1, frequency: -1 };
  for (let at = 4; at < args.count && args.error === null; at++) {
    const hasMore = at + 1 < args.count;
    if (args.is(at, "REPLACE")) options.replaces = true;
    else if (args.is(at, "ABSTTL")) options.isAbsolute = true;
    else if (args.is(at, "IDLETIME") && hasMore && options.frequency < 0) {
      options.idleSeconds = args.integer(++at);
      if (args.error === null && options.idleSeconds < 0) args.fail(Errors.invalidIdleTime);
    } else if (args.is(at, "FREQ") && hasMore && options.idleSeconds < 0) {
      options.frequency = args.integer(++at);
      const isFine = options.frequency >= 0 && options.frequency <= 255;
      if (args.error === null && !isFine) args.fail(Errors.invalidFrequency);
    } else args.fail(Errors.syntax);
  }
  return options;
}

/** RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency] */
function restore(call: Call): void {
  const { args, reply, db, nowMs } = call;
  const options = readRestoreOptions(args);
  if (args.error !== null) return reply.error(args.error);
  if (!options.replaces && db.exists(args, 1)) return reply.error(Errors.busyKey);
  args.int64(2, deadline);
  if (args.error !== null) return reply.error(args.error);
  if (deadline.hi < 0) return reply.error(Errors.invalidTtl);
  if (!isPayload(args, 3, call.engine.skipsChecksums)) return reply.error(Errors.noPayload);
  const hasDeadline = !deadline.isZero;
  if (hasDeadline && !options.isAbsolute) {
    // As in Redis, a sum beyond 64 bits is a time in the past.
    bigIntToInt64(BigInt.asIntN(64, int64ToBigInt(deadline) + BigInt(nowMs)), deadline);
  }
  const isRestored = restoreTo(call, options, hasDeadline);
  if (!isRestored) return reply.error(Errors.badPayload);
  reply.ok();
}

/**
 * Reads the payload into a key of its own first, so that a damaged payload leaves the old key as it was. `deadline` is
 * that of the new key, if it has one.
 */
function restoreTo(call: Call, options: RestoreOptions, hasDeadline: boolean): boolean {
  const { args, db, nowMs } = call;
  const { keyspace } = db;
  const key = restoredKey;
  key.referTo(args, 1, 1);
  const own = keyspace.aside;
  if (!payloadReader.read(args, 3, own, key)) return false;
  if (hasDeadline && deadline.rounded <= nowMs && !keyspace.mayNotExpire) {
    own.removeQuietly(key, 0);
    if (!db.removeAny(args, 1)) return true;
    const isLazy = call.engine.parameters.values.lazyfreeLazyServerDel;
    call.rewrite(2)?.word(isLazy ? "UNLINK" : "DEL").argument(args, 1);
    return true;
  }
  takeKey(db, own, key, 0);
  const access = keyspace.accessRestored(options.idleSeconds, options.frequency);
  db.setRestored(db.find(args, 1), hasDeadline ? deadline : null, access);
  db.changed(args, 1, Events.restore);
  if (!hasDeadline || options.isAbsolute) return true;
  propagateRestore(call);
  return true;
}

/** Propagates RESTORE with `deadline`, a point in time. */
function propagateRestore(call: Call): void {
  const { args } = call;
  const stream = call.rewrite(args.count + 1)?.argument(args, 0).argument(args, 1);
  stream?.int64(deadline);
  for (let i = 3; i < args.count; i++) stream?.argument(args, i);
  stream?.word("ABSTTL");
}

/** Rows of the table: see engine/command.ts. */
export const dumpCommands: readonly CommandSpec[] = [
  {
    name: "dump",
    usage: "key",
    summary: "Returns a value as RESTORE takes it.",
    since: "2.6.0",
    complexity: "O(N)",
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    tips: ["nondeterministic_output"],
    run: dump,
  },
  {
    name: "restore",
    usage:
      "key ttl:integer serialized-value [REPLACE]@3.0.0 [ABSTTL]@5.0.0 [IDLETIME seconds:integer]@5.0.0 [FREQ frequency:integer]@5.0.0",
    summary: "Makes a key of what DUMP has returned.",
    since: "2.6.0",
    complexity: "O(N)",
    flags: Flag.write | Flag.denyOom,
    keys: [oneKey("OW update")],
    acl: ["dangerous"],
    history: [["3.0.0", "REPLACE."], ["5.0.0", "ABSTTL, IDLETIME and FREQ."]],
    run: restore,
  },
];
