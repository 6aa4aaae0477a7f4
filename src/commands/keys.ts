/** Commands on keys of any type: https://redis.io/docs/latest/commands/?group=generic */
import type { Call } from "../engine/call.ts";
import type { Database } from "../keyspace/database.ts";
import { globMatches } from "../lib/glob.ts";
import { TYPE_NAMES } from "../keyspace/entry.ts";
import { Errors } from "../protocol/errors.ts";
import { Options } from "../protocol/options.ts";

export function del({ args, reply, db }: Call): void {
  let removed = 0;
  for (let i = 1; i < args.count; i++) if (db.remove(args, i)) removed++;
  reply.integer(removed);
}

export function exists({ args, reply, db }: Call): void {
  let found = 0;
  for (let i = 1; i < args.count; i++) if (db.read(args, i) !== 0) found++;
  reply.integer(found);
}

export function touch(call: Call): void {
  // CLIENT NO-TOUCH does not apply to the command whose purpose it is.
  const { args, reply, db, engine } = call;
  engine.keyspace.noTouch = false;
  let found = 0;
  for (let i = 1; i < args.count; i++) if (db.read(args, i) !== 0) found++;
  engine.keyspace.noTouch = call.client.noTouch;
  reply.integer(found);
}

export function type({ args, reply, db }: Call): void {
  const ref = db.find(args, 1);
  reply.simple(ref === 0 ? "none" : TYPE_NAMES[db.keyspace.entries.typeOf(ref)]);
}

export function randomkey({ reply, db }: Call): void {
  const ref = db.randomRef();
  if (ref === 0) return reply.nullBulk();
  const entries = db.keyspace.entries;
  entries.open(ref);
  reply.bulk(entries.keyBytes, entries.keyStart, entries.keyEnd);
}

export function keys({ args, reply, db }: Call): void {
  const entries = db.keyspace.entries;
  const pattern = new Uint8Array(args.bytes.buffer, args.start(1), args.length(1));
  const isAll = pattern.length === 1 && pattern[0] === 0x2a;
  const mark = reply.mark();
  let count = 0;
  let cursor = 0;
  do {
    cursor = db.scan(cursor, 1024, (ref) => {
      entries.open(ref);
      const { keyBytes, keyStart, keyEnd } = entries;
      if (
        !isAll &&
        !globMatches(pattern, 0, pattern.length, keyBytes, keyStart, keyEnd, false)
      ) return;
      count++;
      reply.bulk(keyBytes, keyStart, keyEnd);
    });
  } while (cursor !== 0);
  reply.arrayFrom(mark, count);
}

export function rename(call: Call): void {
  const { args, reply, db } = call;
  if (db.find(args, 1) === 0) return reply.error(Errors.noSuchKey);
  if (!args.same(1, 2)) db.rename(args, 1, 2);
  reply.ok();
}

export function renamenx(call: Call): void {
  const { args, reply, db } = call;
  if (db.find(args, 1) === 0) return reply.error(Errors.noSuchKey);
  if (args.same(1, 2) || db.exists(args, 2)) return reply.integer(0);
  db.rename(args, 1, 2);
  reply.integer(1);
}

const copyOptions = new Options({ word: "DB", takes: 1 }, { word: "REPLACE" });
const COPY_DB = 1;
const COPY_REPLACE = 2;

export function copy(call: Call): void {
  const { args, reply, db } = call;
  copyOptions.read(args, 3);
  if (call.failed()) return;
  let target = db;
  if ((copyOptions.given & COPY_DB) !== 0) {
    const found = databaseAt(call, copyOptions.value[0]);
    if (found === null) return;
    target = found;
  }
  if (target === db && args.same(1, 2)) return reply.error(Errors.sameObject);
  if (db.read(args, 1) === 0) return reply.integer(0);
  if (target.exists(args, 2) && (copyOptions.given & COPY_REPLACE) === 0) return reply.integer(0);
  db.copy(args, 1, 2, target);
  reply.integer(1);
}

export function move(call: Call): void {
  const { args, reply, db } = call;
  const target = databaseAt(call, 2);
  if (target === null) return;
  if (target === db) return reply.error(Errors.sameObject);
  if (db.find(args, 1) === 0 || target.exists(args, 1)) return reply.integer(0);
  db.moveTo(args, 1, target);
  reply.integer(1);
}

/** The database whose index is argument `index`; null after answering that there is none. */
function databaseAt({ args, reply, engine }: Call, index: number): Database | null {
  const number = args.integer(index);
  if (args.error !== null) {
    reply.error(args.error);
    return null;
  }
  const db = engine.keyspace.databases[number];
  if (db !== undefined) return db;
  reply.error(Errors.dbIndexOutOfRange);
  return null;
}
