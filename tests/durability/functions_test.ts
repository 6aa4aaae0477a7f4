/** Libraries of functions in files: ours, and redis-server's. */
import { assert, assertEquals } from "@std/assert";
import { checkRdb } from "../../src/cli/check_rdb.ts";
import { binaryText } from "../../src/protocol/args.ts";
import { startRedis, startRespite, Wire } from "../support/live.ts";

const options = { sanitizeOps: false, sanitizeResources: false };

/** One library longer than a sink's piece, so that it is compressed and cut; and one with bytes of all kinds. */
const LONG = `#!lua name=long
-- ${"a long comment ".repeat(10_000)}
redis.register_function{function_name='long_f', callback=function() return 'long' end,
  flags={'no-writes', 'allow-oom'}, description='d'}`;
const BINARY = "#!lua name=binary\nredis.register_function('binary_f', function(keys, args)\n" +
  "  redis.call('set', keys[1], args[1]) return '\x00\xff' end)";

const F = "redis.register_function('f', function() end)";
const [LONG_REPLY, BINARY_REPLY] = ["$4\r\nlong\r\n", "$2\r\n\x00\xff\r\n"];

/** Reads until what has come is enough; `header` is the length of a snapshot with the line before it. */
async function readUntil(
  { conn }: Wire,
  isEnough: (text: string, header: number) => boolean,
): Promise<string> {
  let text = "";
  const buffer = new Uint8Array(65536);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error(`the connection ended after ${text.length} bytes`);
    text += binaryText(buffer, 0, count);
    const [line, size] = /^\$(\d+)\r\n/.exec(text) ?? ["", "0"];
    if (isEnough(text, line.length + Number(size)) && text !== "") return text;
  }
}

async function loadBoth(wire: Wire): Promise<void> {
  assertEquals(await wire.call("function", "load", LONG), "$4\r\nlong\r\n");
  assertEquals(await wire.call("function", "load", BINARY), "$6\r\nbinary\r\n");
}

/** Both libraries are there, and run. */
async function bothRun(wire: Wire): Promise<void> {
  assertEquals(await wire.call("fcall_ro", "long_f", "0"), LONG_REPLY);
  assertEquals(await wire.call("fcall", "binary_f", "1", "k", "v"), BINARY_REPLY);
  assertEquals(await wire.call("get", "k"), "$1\r\nv\r\n");
  const list = await wire.call("function", "list", "libraryname", "long", "withcode");
  assert(list.includes(`$${LONG.length}\r\n${LONG}\r\n`), "the source is whole");
}

/** The base of the append-only file. */
async function baseOf(dir: string): Promise<string> {
  for await (const { name } of Deno.readDir(`${dir}/appendonlydir`)) {
    if (!name.includes(".base.")) continue;
    const bytes = await Deno.readFile(`${dir}/appendonlydir/${name}`);
    return binaryText(bytes, 0, bytes.length);
  }
  throw new Error("there is no base");
}

function durable(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ...options, fn });
}

/** A server of ours in `dir`, and a connection to it. */
async function ours(dir: string, directives: Record<string, string> = {}) {
  const server = startRespite({ dir, ...directives });
  const wire = await Wire.connect(server.port);
  while ((await wire.roundTrip("ping")).startsWith("-LOADING")) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const stop = async (): Promise<void> => {
    wire.close();
    await server.stop();
  };
  return { wire, stop, server };
}

function newDirectory(): string {
  return Deno.makeTempDirSync();
}

durable("Libraries come back from an RDB, by SAVE, DEBUG RELOAD and after FLUSHALL", async () => {
  const dir = newDirectory();
  const first = await ours(dir);
  await loadBoth(first.wire);
  assertEquals(await first.wire.call("flushall"), "+OK\r\n");
  await bothRun(first.wire);
  assertEquals(await first.wire.call("debug", "reload"), "+OK\r\n");
  await bothRun(first.wire);
  const refused = "-ERR Error trying to load the RDB dump, check server logs.\r\n";
  assertEquals(await first.wire.call("debug", "reload", "noflush"), refused);
  assert(first.server.logged.some((line) => line.includes("Library 'long' already exists")));
  assertEquals(await first.wire.call("debug", "reload", "noflush", "merge"), "+OK\r\n");
  await bothRun(first.wire);
  await first.stop();
  const lines: string[] = [];
  assert(checkRdb(`${dir}/dump.rdb`, (line) => lines.push(line)) > 0, lines.join("\n"));
  assert(lines.includes("[info] 2 function libraries"), lines.join("\n"));
  // A server that has run no script loads Lua for the file.
  const second = await ours(dir);
  await bothRun(second.wire);
  await second.stop();
});

durable("Libraries come back from a log, with and without RDB preamble", async () => {
  for (const preamble of ["yes", "no"]) {
    const dir = newDirectory();
    const directives = { appendonly: "yes", "aof-use-rdb-preamble": preamble };
    const first = await ours(dir, directives);
    await loadBoth(first.wire);
    await first.wire.call(
      "function",
      "load",
      `#!lua name=x\n${F}`,
    );
    await first.wire.call("function", "delete", "x");
    assertEquals(await first.wire.call("debug", "loadaof"), "+OK\r\n");
    await bothRun(first.wire);
    await first.stop();
    const second = await ours(dir, directives);
    assertEquals(await second.wire.call("fcall", "f", "0"), "-ERR Function not found\r\n");
    await bothRun(second.wire);
    assert((await second.wire.call("bgrewriteaof")).startsWith("+Background"));
    while (!/aof_rewrite_in_progress:0/.test(await second.wire.call("info", "persistence"))) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await second.stop();
    const text = await baseOf(dir);
    assertEquals(text.includes("*3\r\n$8\r\nFUNCTION\r\n$4\r\nLOAD\r\n"), preamble === "no");
    const third = await ours(dir, directives);
    await bothRun(third.wire);
    await third.stop();
  }
});

durable("SYNC carries libraries, alone if only they are asked for, and their changes", async () => {
  const { wire, stop, server } = await ours(newDirectory());
  await loadBoth(wire);
  await wire.call("set", "a-key", "v");
  const cases: [filter: string | null, hasKeys: boolean, hasLibraries: boolean][] = [
    [null, true, true],
    ["functions", false, true],
    ["", false, false],
  ];
  for (const [filter, hasKeys, hasLibraries] of cases) {
    const replica = await Wire.connect(server.port);
    if (filter !== null) await replica.call("replconf", "rdb-only", "1");
    if (filter !== null) await replica.call("replconf", "rdb-filter-only", filter);
    await replica.send("SYNC\r\n");
    const snapshot = await readUntil(replica, ({ length }, header) => length >= header);
    assertEquals(snapshot.includes("a-key"), hasKeys, `${filter}`);
    assertEquals(snapshot.includes("#!lua"), hasLibraries, `${filter}`);
    if (filter === null) {
      await wire.call("function", "load", `#!lua name=y\n${F}`);
      await wire.call("function", "delete", "y");
      await wire.call("fcall", "binary_f", "1", "k", "w");
      const changes = await readUntil(replica, (text) => text.endsWith("$1\r\nk\r\n$1\r\nw\r\n"));
      const words = changes.split("\r\n").filter((word) => !/^[*$]\d+$/.test(word));
      const rest = "function delete y set k w".split(" ");
      assertEquals(words.slice(0, 4), ["SELECT", "0", "function", "load"]);
      assertEquals(words.slice(5, -1), rest);
    }
    replica.close();
  }
  await stop();
});

const probe = await startRedis();
const skips = probe === null ? " (skipped: redis-server is not installed)" : "";
await probe?.stop();

Deno.test({
  name: `redis-server reads our libraries and we read its${skips}`,
  ignore: probe === null,
  ...options,
  fn: async () => {
    const dir = newDirectory();
    const mine = await ours(dir);
    await loadBoth(mine.wire);
    assertEquals(await mine.wire.call("save"), "+OK\r\n");
    const dump = /^\$\d+\r\n([^]*)\r\n$/.exec(await mine.wire.call("function", "dump"))?.[1] ?? "";
    const redis = await startRedis(dir);
    if (redis === null) throw new Error("redis-server could be started before");
    const theirs = await redis.connect();
    await bothRun(theirs);
    assertEquals(await theirs.call("function", "restore", dump, "flush"), "+OK\r\n");
    await bothRun(theirs);
    const other = /^\$\d+\r\n([^]*)\r\n$/.exec(await theirs.call("function", "dump"))?.[1] ?? "";
    assertEquals(await mine.wire.call("function", "restore", other, "flush"), "+OK\r\n");
    await bothRun(mine.wire);
    assertEquals(await theirs.call("save"), "+OK\r\n");
    assertEquals(await mine.wire.call("debug", "reload", "nosave"), "+OK\r\n");
    await bothRun(mine.wire);
    theirs.close();
    await redis.stop();
    await mine.stop();
  },
});
