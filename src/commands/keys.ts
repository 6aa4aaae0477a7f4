/** Commands on keys of any type: https://redis.io/docs/latest/commands/?group=generic */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, keyRange, oneKey } from "../engine/command.ts";
import type { Database } from "../keyspace/database.ts";
import { globMatches } from "../lib/glob.ts";
import { TYPE_NAMES } from "../keyspace/entry.ts";
import { copyKey, moveKey, renameKey } from "../keyspace/transfer.ts";
import { Errors } from "../protocol/errors.ts";

function del({ args, reply, db }: Call): void {
  let removed = 0;
  for (let i = 1; i < args.count; i++) if (db.remove(args, i)) removed++;
  reply.integer(removed);
}

function exists({ args, reply, db }: Call): void {
  let found = 0;
  for (let i = 1; i < args.count; i++) if (db.readUntouched(args, i) !== 0) found++;
  reply.integer(found);
}

function touch(call: Call): void {
  // CLIENT NO-TOUCH does not apply to TOUCH itself.
  const { args, reply, db, engine } = call;
  engine.keyspace.noTouch = false;
  let found = 0;
  for (let i = 1; i < args.count; i++) if (db.read(args, i) !== 0) found++;
  engine.keyspace.noTouch = call.client.noTouch;
  reply.integer(found);
}

function type({ args, reply, db }: Call): void {
  const ref = db.readUntouched(args, 1);
  reply.simpleBinary(ref === 0 ? "none" : TYPE_NAMES[db.keyspace.entries.typeOf(ref)]);
}

function randomkey({ reply, db }: Call): void {
  const ref = db.randomRef();
  if (ref === 0) return reply.nullBulk();
  const entries = db.keyspace.entries;
  entries.open(ref);
  reply.bulk(entries.keyBytes, entries.keyStart, entries.keyEnd);
}

function keys({ args, reply, db }: Call): void {
  const entries = db.keyspace.entries;
  const pattern = new Uint8Array(args.bytesOf(1).buffer, args.start(1), args.length(1));
  const isAll = pattern.length === 1 && pattern[0] === 0x2a;
  const mark = reply.mark();
  let count = 0;
  db.forEach((ref) => {
    // A key past its deadline is left out; removing it is left to the timer, as in Redis.
    if (db.isPastDeadline(ref)) return;
    entries.open(ref);
    const { keyBytes, keyStart, keyEnd } = entries;
    if (isAll || globMatches(pattern, 0, pattern.length, keyBytes, keyStart, keyEnd, false)) {
      count++;
      reply.bulkIn(keyBytes, entries.keyView, keyStart, keyEnd);
    }
  });
  reply.arrayFrom(mark, count);
}

function rename(call: Call): void {
  const { args, reply, db } = call;
  if (db.find(args, 1) === 0) return reply.error(Errors.noSuchKey);
  if (!args.same(1, 2)) renameKey(db, args, 1, 2);
  reply.ok();
}

function renamenx(call: Call): void {
  const { args, reply, db } = call;
  if (db.find(args, 1) === 0) return reply.error(Errors.noSuchKey);
  if (args.same(1, 2) || db.exists(args, 2)) return reply.integer(0);
  renameKey(db, args, 1, 2);
  reply.integer(1);
}

/** COPY source destination [DB index] [REPLACE]: each option is checked completely before the next one. */
function copy(call: Call): void {
  const { args, reply, db } = call;
  let target: Database | null = db;
  let replaces = false;
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, "REPLACE")) replaces = true;
    else if (args.is(i, "DB") && i + 1 < args.count) {
      target = databaseAt(call, ++i);
      if (target === null) return;
    } else return reply.error(Errors.syntax);
  }
  if (target === db && args.same(1, 2)) return reply.error(Errors.sameObject);
  if (db.read(args, 1) === 0) return reply.integer(0);
  if (target.exists(args, 2) && !replaces) return reply.integer(0);
  copyKey(db, args, 1, 2, target);
  reply.integer(1);
}

function move(call: Call): void {
  const { args, reply, db } = call;
  const target = databaseAt(call, 2);
  if (target === null) return;
  if (target === db) return reply.error(Errors.sameObject);
  if (db.find(args, 1) === 0 || target.exists(args, 1)) return reply.integer(0);
  moveKey(db, args, 1, target);
  reply.integer(1);
}

/** The database whose index is argument `index`; null after answering that there is none. */
function databaseAt({ args, reply, engine }: Call, index: number): Database | null {
  const number = args.int32(index);
  if (args.error !== null) {
    reply.error(args.error);
    return null;
  }
  const db = engine.keyspace.databases[number];
  if (db !== undefined) return db;
  reply.error(Errors.dbIndexOutOfRange);
  return null;
}

/** Rows of the table: see engine/command.ts. */
export const keyCommands: readonly CommandSpec[] = [
  {
    name: "copy",
    usage: "source:key destination:key [DB destination-db:integer] [REPLACE]",
    summary: "Copies a key's value and time to live to another key.",
    since: "6.2.0",
    complexity: "O(N)",
    flags: Flag.write | Flag.denyOom,
    keys: [oneKey("RO access"), oneKey("OW update", 2)],
    run: copy,
  },
  {
    name: "del",
    usage: "{key}*",
    summary: "Removes keys.",
    since: "1.0.0",
    complexity: "O(N)",
    flags: Flag.write,
    keys: [keyRange("RM delete", 1, -1, 1)],
    tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
    run: del,
  },
  {
    name: "exists",
    usage: "{key}*",
    summary: "Counts which of the keys exist.",
    since: "1.0.0",
    complexity: "O(N)",
    flags: Flag.readonly | Flag.fast,
    keys: [keyRange("RO", 1, -1, 1)],
    tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
    history: [["3.0.3", "Several keys."]],
    run: exists,
  },
  {
    name: "keys",
    usage: "pattern",
    summary: "Returns all keys that match a pattern.",
    since: "1.0.0",
    complexity: "O(N)",
    flags: Flag.readonly,
    acl: ["dangerous"],
    tips: ["request_policy:all_shards", "nondeterministic_output_order"],
    run: keys,
  },
  {
    name: "move",
    usage: "key db:integer",
    summary: "Moves a key to another database.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW access update")],
    run: move,
  },
  {
    name: "randomkey",
    usage: "",
    summary: "Returns a random key.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.readonly,
    tips: ["request_policy:all_shards", "response_policy:special", "nondeterministic_output"],
    run: randomkey,
  },
  {
    name: "rename",
    usage: "key newkey:key",
    summary: "Renames a key, replacing what has the new name.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.write,
    keys: [oneKey("RW access delete"), oneKey("OW update", 2)],
    run: rename,
  },
  {
    name: "renamenx",
    usage: "key newkey:key",
    summary: "Renames a key if nothing has the new name.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW access delete"), oneKey("OW insert", 2)],
    history: [["3.2.0", "The same name twice is no error."]],
    run: renamenx,
  },
  {
    name: "touch",
    usage: "{key}*",
    summary: "Counts which of the keys exist, and marks them as accessed.",
    since: "3.2.1",
    complexity: "O(N)",
    flags: Flag.readonly | Flag.fast,
    keys: [keyRange("RO", 1, -1, 1)],
    tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
    run: touch,
  },
  {
    name: "type",
    usage: "key",
    summary: "Returns the type of a key's value.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO")],
    run: type,
  },
  {
    name: "unlink",
    usage: "{key}*",
    summary: "Removes keys; large values are freed later.",
    since: "4.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.fast,
    keys: [keyRange("RM delete", 1, -1, 1)],
    tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
    run: del,
  },
];
