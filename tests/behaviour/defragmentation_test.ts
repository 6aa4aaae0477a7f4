/** Active defragmentation: what it moves stays what it was, whatever happens between its steps. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { binaryBytes } from "../../src/protocol/args.ts";
import { CHUNK_BYTES } from "../../src/structures/chunk_pool.ts";
import { randomCommands } from "../differential/commands.ts";
import { audit } from "../support/audit.ts";
import { TestServer } from "../support/harness.ts";

/** It moves what it can as soon as anything is lost, and takes large collections in many steps. */
const EAGER = {
  "activedefrag": "yes",
  "active-defrag-ignore-bytes": "1",
  "active-defrag-threshold-lower": "0",
  "active-defrag-max-scan-fields": "20",
};
/** Commands that wait, or that would be queued. */
const LEFT_OUT =
  /^(multi|exec|discard|watch|blpop|brpop|bl?mpop|blmove|bzpop|bzmpop|brpoplpush|xread)/;

/** One step: at most some keys, or a part of one collection. */
function step({ engine }: TestServer): void {
  const { keyspace: { defragmenter }, parameters: { values } } = engine;
  defragmenter.tick(values);
  defragmenter.slice(() => true, values);
}

/** Lets it work until it is done. */
function finish(server: TestServer): number {
  const { defragmenter } = server.engine.keyspace;
  let steps = 0;
  do {
    step(server);
    steps++;
  } while (defragmenter.isRunning && steps < 100_000);
  assert(!defragmenter.isRunning, "it comes to an end");
  return steps;
}

/** Keys of all types and encodings, of which every second one goes. */
function fill(server: TestServer, count: number): void {
  for (let i = 0; i < 2 * count; i++) {
    server.call("set", `string:${i}`, `value:${i}`);
    server.call("set", `expiring:${i}`, "x".repeat(i % 300), "ex", `${1000 + i}`);
    server.call("hset", `hash:${i}`, "field", `${i}`);
    server.call("set", `long key ${"x".repeat(40_000)}:${i % 3}`, "value");
    for (const collection of ["a", "b"]) {
      server.call("hset", `hash ${collection}`, `field:${i}`, `value:${i}`);
      server.call("hset", `hash of long ${collection}`, `${i % 9}`, "x".repeat(40_000 + i));
      server.call("sadd", `set ${collection}`, `member:${i}`);
      server.call("zadd", `zset ${collection}`, `${i * 7919 % 1000}`, `member:${i}`);
      server.call("rpush", `list ${collection}`, `element:${i}`.repeat(1 + i % 50));
      server.call("xadd", `stream ${collection}`, `${i + 1}-1`, "field", `value:${i}`);
    }
  }
  server.call("xgroup", "create", "stream a", "group", "0");
  for (const consumer of ["me", "you"]) {
    const half = `${count}`;
    server.call(
      "xreadgroup",
      "group",
      "group",
      consumer,
      "count",
      half,
      "streams",
      "stream a",
      ">",
    );
  }
  server.call("del", "hash b", "set b", "zset b", "list b", "stream b");
  for (let i = 0; i < 2 * count; i += 2) {
    server.call("del", `string:${i}`, `expiring:${i}`, `hash:${i}`);
    server.call("hdel", "hash a", `field:${i}`);
    server.call("srem", "set a", `member:${i}`);
    server.call("zrem", "zset a", `member:${i}`);
    server.call("xack", "stream a", "group", `${i + 1}-1`);
  }
}

Deno.test("all blocks of a sparse chunk are moved, and it goes back", () => {
  const server = new TestServer();
  fill(server, 300);
  const { keyspace } = server.engine;
  while (keyspace.lazyFree.freeSome(() => false));
  const digest = server.run("DEBUG DIGEST");
  const before = server.run("XPENDING 'stream a' group - + 10000");
  const { arena } = keyspace.entries;
  const touched = arena.touchedBytes;
  for (const [name, value] of Object.entries(EAGER)) server.call("config", "set", name, value);
  assert(finish(server) > 20);
  assertEquals(keyspace.chunks.spareBytes, touched, "the old chunk waits to be given back");
  assert(arena.touchedBytes < touched, `${arena.touchedBytes} of ${touched}`);
  assertEquals(arena.reservedBytes, CHUNK_BYTES);
  audit(server.server);
  assertEquals(server.run("DEBUG DIGEST"), digest);
  assertEquals(server.run("XPENDING 'stream a' group - + 10000"), before);
  for (let i = 1; i < 600; i += 2) {
    assertEquals(server.run(`GET string:${i}`), `value:${i}`);
    assertEquals(server.run(`ZRANK 'zset a' member:${i}`) !== null, true);
  }
  server.call("xadd", "stream a", "*", "field", "value");
  server.call("rpush", "list a", "more");
  server.call("lpush", "list a", "more");
  audit(server.server);
  const info = String(server.run("INFO all"));
  assertMatch(info, /active_defrag_running:0\r\n/);
  assertMatch(info, /active_defrag_hits:\d{4,5}\r\n/);
  assertMatch(info, /active_defrag_key_hits:\d{3,4}\r\n/);
  server.run("CONFIG RESETSTAT");
  assertMatch(String(server.run("INFO stats")), /active_defrag_hits:0\r\n/);
});

Deno.test("commands between its steps see and make what they would without it", () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const moving = new TestServer({ directives: EAGER });
  const still = new TestServer();
  for (const server of [moving, still]) fill(server, 50);
  const commands = randomCommands(seed);
  let begun = 0;
  for (let i = 0; i < 3000; i++) {
    const words = commands.next().value as string[];
    if (LEFT_OUT.test(words[0])) continue;
    const [one, other] = [moving, still].map((server) => server.call(...words.map(binaryBytes)));
    assertEquals(one, other, `${words.join(" ").slice(0, 200)} (seed ${seed})`);
    const { defragmenter, lazyFree } = moving.engine.keyspace;
    if (i % 5 === 0) { while (lazyFree.freeSome(() => false)); }
    const wasRunning = defragmenter.isRunning;
    step(moving);
    if (!wasRunning && defragmenter.isRunning) begun++;
    if (i % 100 === 0) audit(moving.server);
    if (i % 500 === 0) {
      const digests = [moving, still].map((server) => server.run("DEBUG DIGEST"));
      assertEquals(digests[0], digests[1], `after ${i} commands (seed ${seed})`);
    }
    if (i === 1500) { for (const server of [moving, still]) fill(server, 20); }
  }
  assert(begun > 3, `it began ${begun} times (seed ${seed})`);
  assert(moving.engine.keyspace.defragmenter.hits > 1000);
});

Deno.test("it waits while a snapshot reads the entries, and goes on afterwards", () => {
  const server = new TestServer({ directives: EAGER });
  fill(server, 300);
  const { keyspace } = server.engine;
  while (keyspace.lazyFree.freeSome(() => false));
  for (let i = 0; i < 5; i++) step(server);
  const { defragmenter } = keyspace;
  const { hits } = defragmenter;
  assert(hits > 0 && defragmenter.isRunning);
  assert(defragmenter.dueUs < Infinity);
  keyspace.hold();
  for (let i = 0; i < 100; i++) step(server);
  assertEquals(defragmenter.hits, hits);
  // Else the timer would run again and again for nothing.
  assertEquals(defragmenter.dueUs, Infinity);
  keyspace.release();
  assert(defragmenter.dueUs < Infinity);
  finish(server);
  assert(defragmenter.hits > hits);
  audit(server.server);
});

Deno.test("what empties the server in the middle of a walk ends it", () => {
  for (const command of ["FLUSHALL", "FLUSHDB", "FLUSHALL ASYNC", "DEBUG RELOAD", "SWAPDB 0 1"]) {
    const server = new TestServer({ directives: EAGER });
    fill(server, 100);
    while (server.engine.keyspace.lazyFree.freeSome(() => false));
    for (let i = 0; i < 40; i++) step(server);
    assert(server.engine.keyspace.defragmenter.isRunning, command);
    server.run(command);
    for (let i = 0; i < 500; i++) step(server);
    server.run("SET k v");
    audit(server.server);
    assertEquals(server.run("GET k"), "v");
  }
});

Deno.test("switching it off ends a walk, and the thresholds are asked", () => {
  const server = new TestServer({ directives: EAGER });
  fill(server, 300);
  while (server.engine.keyspace.lazyFree.freeSome(() => false));
  for (let i = 0; i < 5; i++) step(server);
  const { defragmenter } = server.engine.keyspace;
  assert(defragmenter.percent > 0);
  server.run("CONFIG SET activedefrag no");
  step(server);
  assertEquals(defragmenter.percent, 0);
  audit(server.server);
  server.run("CONFIG SET activedefrag yes active-defrag-ignore-bytes 1gb");
  step(server);
  assertEquals(defragmenter.percent, 0);
  server.run("CONFIG SET active-defrag-ignore-bytes 1 active-defrag-threshold-upper 1");
  server.run("CONFIG SET active-defrag-cycle-max 7");
  step(server);
  assertEquals(defragmenter.percent, 7);
});

Deno.test("elements that a small collection does not have are no misses", () => {
  const server = new TestServer({ directives: { ...EAGER, "hash-max-listpack-entries": "1" } });
  for (let i = 0; i < 100; i++) server.call("hset", `hash:${i}`, "a", "1", "b", "2", "c", "3");
  for (let i = 0; i < 1000; i++) server.call("set", `string:${i}`, "x".repeat(100));
  for (let i = 0; i < 1000; i++) server.call("del", `string:${i}`);
  finish(server);
  const { hits, misses } = server.engine.keyspace.defragmenter;
  assertEquals([hits, misses], [400, 0]);
});
