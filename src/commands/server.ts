/** Commands on the server as a whole: https://redis.io/docs/latest/commands/?group=server */
import type { Call } from "../engine/call.ts";
import { Errors } from "../protocol/errors.ts";

export function dbsize({ reply, db }: Call): void {
  reply.integer(db.size);
}

export function flushdb(call: Call): void {
  const async = readFlushMode(call);
  if (async === null) return;
  const { engine, db, reply } = call;
  engine.watchedKeys.databaseChanges(db, null);
  const removed = db.clear();
  finishFlush(call, removed, async);
  reply.ok();
}

export function flushall(call: Call): void {
  const async = readFlushMode(call);
  if (async === null) return;
  const { engine, reply } = call;
  let removed = 0;
  for (const db of engine.keyspace.databases) {
    engine.watchedKeys.databaseChanges(db, null);
    removed += db.size;
  }
  engine.keyspace.clear();
  finishFlush(call, removed, async);
  reply.ok();
}

/** A flush counts what it removed and is propagated in any case. */
function finishFlush({ engine }: Call, removed: number, async: boolean): void {
  engine.keyspace.hooks.dirty += Math.max(removed, 1);
  if (!async) engine.keyspace.lazyFree.slice(() => false);
}

/** Whether the entries are freed later; null after answering an error. */
function readFlushMode({ args, reply, engine }: Call): boolean | null {
  if (args.count === 1) return engine.parameters.values.lazyfreeLazyUserFlush;
  if (args.count === 2 && args.is(1, "ASYNC")) return true;
  if (args.count === 2 && args.is(1, "SYNC")) return false;
  reply.error(Errors.syntax);
  return null;
}

export function swapdb({ args, reply, engine }: Call): void {
  const one = args.integerOr(1, Errors.invalidFirstDb);
  const other = args.integerOr(2, Errors.invalidSecondDb);
  if (args.error !== null) return reply.error(args.error);
  const { databases } = engine.keyspace;
  if (databases[one] === undefined || databases[other] === undefined) {
    return reply.error(Errors.dbIndexOutOfRange);
  }
  engine.watchedKeys.databaseChanges(databases[one], databases[other]);
  engine.watchedKeys.databaseChanges(databases[other], databases[one]);
  if (one !== other) engine.keyspace.swap(one, other);
  engine.keyspace.hooks.dirty++;
  reply.ok();
}

export function time({ reply, engine }: Call): void {
  const microseconds = engine.clock.unixUs();
  reply.array(2);
  reply.bulkText(String(Math.floor(microseconds / 1e6)));
  reply.bulkText(String(Math.floor(microseconds % 1e6)));
}

export function lastsave({ reply, engine }: Call): void {
  reply.integer(Math.floor(engine.lastSaveMs / 1000));
}

export function monitor({ reply, client, engine }: Call): void {
  if (client.transaction.isOpen) return reply.error(Errors.notInTransaction);
  client.isMonitor = true;
  engine.monitors.add(client);
  reply.ok();
}

export function shutdown(call: Call): void {
  const { args, reply, engine } = call;
  const given = { save: false, nosave: false, now: false, force: false, abort: false };
  for (let i = 1; i < args.count; i++) {
    const word = args.text(i).toLowerCase();
    if (!(word in given)) return reply.error(Errors.syntax);
    given[word as keyof typeof given] = true;
  }
  const others = given.save || given.nosave || given.now || given.force;
  if ((given.abort && others) || (given.save && given.nosave)) return reply.error(Errors.syntax);
  if (given.abort) {
    if (!engine.host.abortShutdown()) return reply.error(Errors.noShutdown);
    return reply.ok();
  }
  const save = given.save ? true : given.nosave ? false : null;
  engine.host.shutdown({ now: given.now, force: given.force, save });
}

/** A picture in the spirit of the commands of Redis's releases, and our version. */
export function lolwut({ args, reply, engine }: Call): void {
  const numbers: number[] = [];
  const isVersioned = args.is(1, "VERSION") && args.count > 2;
  for (let i = isVersioned ? 3 : 1; i < args.count; i++) numbers.push(args.integer(i));
  if (isVersioned) args.integer(2);
  if (args.error !== null) return reply.error(args.error);
  const columns = Math.min(Math.max(numbers[0] ?? 33, 3), 160);
  const rows = Math.min(Math.max(numbers[1] ?? 9, 3), 60);
  const { version } = engine.host;
  reply.verbatim("txt", `${hills(columns, rows)}\nRespite, resting hills. Redis ver. ${version}\n`);
}

/** Hills under a sky: each column as high as two sines say. */
function hills(columns: number, rows: number): string {
  const phase = Math.random() * 2 * Math.PI;
  const lines: string[] = [];
  for (let row = rows; row > 0; row--) {
    let line = "";
    for (let x = 0; x < columns; x++) {
      const height = rows * (0.45 + 0.25 * Math.sin(x / 5 + phase) + 0.2 * Math.sin(x / 2.3));
      line += row > height + 1 ? " " : row > height ? "^" : "#";
    }
    lines.push(line.trimEnd());
  }
  return `${lines.join("\n")}\n`;
}
