/** Commands on the server as a whole: https://redis.io/docs/latest/commands/?group=server */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag } from "../engine/command.ts";
import { Errors } from "../protocol/errors.ts";

function dbsize({ reply, db }: Call): void {
  reply.integer(db.size);
}

function flushdb(call: Call): void {
  const async = readFlushMode(call);
  if (async === null) return;
  const { db, reply } = call;
  const removed = db.clear();
  finishFlush(call, removed, async);
  reply.ok();
}

function flushall(call: Call): void {
  const async = readFlushMode(call);
  if (async === null) return;
  const { engine, reply } = call;
  const removed = engine.keyspace.keyCount;
  engine.keyspace.clear();
  // The entries are gone at once even with ASYNC; INFO counts them as lazily freed, as in Redis.
  if (async) engine.keyspace.stats.lazilyFreed += removed;
  finishFlush(call, removed, async);
  engine.persistence?.flushed();
  reply.ok();
}

/** A flush counts what it removed. One of an empty database changes nothing, but is propagated, as in Redis. */
function finishFlush(call: Call, removed: number, async: boolean): void {
  const { engine, args } = call;
  engine.keyspace.hooks.dirty += removed;
  const stream = call.rewrite(args.count);
  for (let i = 0; i < args.count; i++) stream?.argument(args, i);
  if (!async) engine.keyspace.lazyFree.freeSome(() => false);
}

/** Whether the entries are freed later; null after answering an error. */
function readFlushMode({ args, reply, engine }: Call): boolean | null {
  if (args.count === 1) return engine.parameters.values.lazyfreeLazyUserFlush;
  if (args.count === 2 && args.is(1, "ASYNC")) return true;
  if (args.count === 2 && args.is(1, "SYNC")) return false;
  reply.error(Errors.syntax);
  return null;
}

function swapdb({ args, reply, engine }: Call): void {
  const one = args.integerWithin(1, -(2 ** 31), 2 ** 31 - 1, Errors.invalidFirstDb);
  const other = args.integerWithin(2, -(2 ** 31), 2 ** 31 - 1, Errors.invalidSecondDb);
  if (args.error !== null) return reply.error(args.error);
  const { databases } = engine.keyspace;
  if (databases[one] === undefined || databases[other] === undefined) {
    return reply.error(Errors.dbIndexOutOfRange);
  }
  engine.keyspace.swap(one, other);
  engine.keyspace.hooks.dirty++;
  reply.ok();
}

function time({ reply, engine }: Call): void {
  const microseconds = engine.clock.unixUs();
  reply.array(2);
  reply.bulkText(String(Math.floor(microseconds / 1e6)));
  reply.bulkText(String(Math.floor(microseconds % 1e6)));
}

function monitor({ reply, client, engine }: Call): void {
  // EXEC and scripts can't wait for what would follow.
  if (engine.blocking.denied > 0) return reply.error(Errors.monitorDenied);
  client.isMonitor = true;
  engine.monitors.add(client);
  reply.ok();
}

function shutdown(call: Call): void {
  const { args, reply, engine } = call;
  const given = { save: false, nosave: false, now: false, force: false, abort: false };
  for (let i = 1; i < args.count; i++) {
    const word = args.binary(i).toLowerCase();
    if (!Object.hasOwn(given, word)) return reply.error(Errors.syntax);
    given[word as keyof typeof given] = true;
  }
  const others = given.save || given.nosave || given.now || given.force;
  if ((given.abort && others) || (given.save && given.nosave)) return reply.error(Errors.syntax);
  if (given.abort) {
    if (!engine.host.abortShutdown()) return reply.error(Errors.noShutdown);
    return reply.ok();
  }
  // Half of what the script does would be saved.
  if (engine.gates.busy !== null && !given.nosave) return reply.error(engine.gates.busy);
  const save = given.save ? true : given.nosave ? false : null;
  const isEnding = engine.host.shutdown({ now: given.now, force: given.force, save });
  if (!isEnding) reply.error(Errors.shutdownFailed);
}

/** A picture in the spirit of the commands of Redis's releases, and our version. */
function lolwut({ args, reply, engine }: Call): void {
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

/** Rows of the table: see engine/command.ts. */
export const serverCommands: readonly CommandSpec[] = [
  {
    name: "dbsize",
    usage: "",
    summary: "Returns the number of keys in the database.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.fast,
    acl: ["keyspace"],
    tips: ["request_policy:all_shards", "response_policy:agg_sum"],
    run: dbsize,
  },
  {
    name: "flushall",
    usage: "[flush-type=(ASYNC@4.0.0 | SYNC@6.2.0)]",
    summary: "Removes all keys of all databases.",
    since: "1.0.0",
    complexity: "O(N)",
    flags: Flag.write,
    acl: ["dangerous", "keyspace"],
    tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
    history: [["4.0.0", "ASYNC."], ["6.2.0", "SYNC."]],
    run: flushall,
  },
  {
    name: "flushdb",
    usage: "[flush-type=(ASYNC@4.0.0 | SYNC@6.2.0)]",
    summary: "Removes all keys of the database.",
    since: "1.0.0",
    complexity: "O(N)",
    flags: Flag.write,
    acl: ["dangerous", "keyspace"],
    tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
    history: [["4.0.0", "ASYNC."], ["6.2.0", "SYNC."]],
    run: flushdb,
  },
  {
    name: "lolwut",
    usage: "[VERSION version:integer]",
    summary: "Draws a picture and tells the version.",
    since: "5.0.0",
    complexity: "Depends on the subcommand",
    flags: Flag.readonly | Flag.fast,
    run: lolwut,
  },
  {
    name: "monitor",
    usage: "",
    summary: "Shows every command that the server runs, as it runs.",
    since: "1.0.0",
    complexity: "Depends on the subcommand",
    flags: Flag.admin | Flag.noScript | Flag.loading | Flag.stale,
    run: monitor,
  },
  {
    name: "shutdown",
    usage: "[save-selector=(NOSAVE | SAVE)] [NOW]@7.0.0 [FORCE]@7.0.0 [ABORT]@7.0.0",
    summary: "Ends the server.",
    since: "1.0.0",
    complexity: "O(N)",
    flags: Flag.admin | Flag.noScript | Flag.loading | Flag.stale | Flag.noMulti | Flag.allowBusy,
    history: [["7.0.0", "NOW, FORCE and ABORT."]],
    run: shutdown,
  },
  {
    name: "swapdb",
    usage: "index1:integer index2:integer",
    summary: "Exchanges two databases.",
    since: "4.0.0",
    complexity: "O(N)",
    flags: Flag.write | Flag.fast,
    acl: ["dangerous", "keyspace"],
    run: swapdb,
  },
  {
    name: "time",
    usage: "",
    summary: "Returns the server's time.",
    since: "2.6.0",
    complexity: "O(1)",
    flags: Flag.loading | Flag.stale | Flag.fast,
    tips: ["nondeterministic_output"],
    run: time,
  },
];
