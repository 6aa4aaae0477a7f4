import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Reply, ReplyError, TestServer } from "../support/harness.ts";

function pairs(reply: Reply): Record<string, string> {
  const flat = reply as string[];
  const found: Record<string, string> = {};
  for (let i = 0; i < flat.length; i += 2) found[flat[i]] = flat[i + 1];
  return found;
}

Deno.test("HSET counts new fields, HGET and HMGET read them", () => {
  const server = new TestServer();
  assertEquals(server.run("HSET h a 1 b 2"), 2);
  assertEquals(server.run("HSET h a 3 c 4"), 1);
  assertEquals(server.run("HGET h a"), "3");
  assertEquals(server.run("HGET h none"), null);
  assertEquals(server.run("HGET none a"), null);
  assertEquals(server.run("HMGET h a none b"), ["3", null, "2"]);
  assertEquals(server.run("HMGET none a b"), [null, null]);
  assertEquals(server.run("HLEN h"), 3);
  assertEquals(server.run("HSTRLEN h c"), 1);
  assertEquals(server.run("HEXISTS h c"), 1);
  assertEquals(server.run("HMSET h d 5"), "OK");
  assertEquals(server.run("HSETNX h d 6"), 0);
  assertEquals(server.run("HSETNX h e 6"), 1);
  assertEquals(pairs(server.run("HGETALL h")), { a: "3", b: "2", c: "4", d: "5", e: "6" });
  assertEquals(server.run("HKEYS h"), ["a", "b", "c", "d", "e"]);
  assertEquals(server.run("HVALS h"), ["3", "2", "4", "5", "6"]);
});

Deno.test("a hash goes with its last field", () => {
  const server = new TestServer();
  server.run("HSET h a 1 b 2");
  assertEquals(server.run("HDEL h a b c"), 2);
  assertEquals(server.run("EXISTS h"), 0);
  assertEquals(server.run("HDEL h a"), 0);
});

Deno.test("hash commands refuse other types, odd pairs and what is no number", () => {
  const server = new TestServer();
  server.run("SET s v");
  const wrong = new ReplyError(
    "WRONGTYPE Operation against a key holding the wrong kind of value",
  );
  for (
    const line of [
      "HSET s a 1",
      "HGET s a",
      "HGETALL s",
      "HDEL s a",
      "HINCRBY s a 1",
      "HSCAN s 0",
      "HRANDFIELD s",
      "HMGET s a",
    ]
  ) assertEquals(server.run(line), wrong);
  assertEquals(
    server.run("HSET h a"),
    new ReplyError("ERR wrong number of arguments for 'hset' command"),
  );
  assertEquals(
    server.run("HSET h a 1 b"),
    new ReplyError("ERR wrong number of arguments for 'hset' command"),
  );
  server.run("HSET h a x");
  assertEquals(server.run("HINCRBY h a 1"), new ReplyError("ERR hash value is not an integer"));
  assertEquals(server.run("HINCRBYFLOAT h a 1"), new ReplyError("ERR hash value is not a float"));
});

Deno.test("HINCRBY is exact to the ends of 64 bits and undoes nothing on overflow", () => {
  const server = new TestServer();
  assertEquals(server.run("HINCRBY h n 9223372036854775806"), 9223372036854775806n);
  assertEquals(server.run("HINCRBY h n 1"), 9223372036854775807n);
  assertEquals(
    server.run("HINCRBY h n 1"),
    new ReplyError("ERR increment or decrement would overflow"),
  );
  assertEquals(server.run("HGET h n"), "9223372036854775807");
  assertEquals(server.run("HINCRBYFLOAT h f 10.50"), "10.5");
  assertEquals(server.run("HINCRBYFLOAT h f 0.1"), "10.6");
});

Deno.test("a hash becomes a table at Redis's thresholds", () => {
  const server = new TestServer();
  for (let i = 0; i < 512; i++) server.run(`HSET many f${i} v`);
  assertEquals(server.run("OBJECT ENCODING many"), "listpack");
  server.run("HSET many f512 v");
  assertEquals(server.run("OBJECT ENCODING many"), "hashtable");
  server.run(`HSET long f ${"x".repeat(64)}`);
  assertEquals(server.run("OBJECT ENCODING long"), "listpack");
  server.run(`HSET long f ${"x".repeat(65)}`);
  assertEquals(server.run("OBJECT ENCODING long"), "hashtable");
  assertEquals(server.run("HGET long f"), "x".repeat(65));
  server.run("CONFIG SET hash-max-ziplist-entries 2");
  server.run("HSET few a 1 b 2 c 3");
  assertEquals(server.run("OBJECT ENCODING few"), "hashtable");
});

Deno.test("a hash does what a Map would, in every encoding", () => {
  const field = fc.integer({ min: 0, max: 40 }).map((n) => `f${n}`);
  const value = fc.oneof(
    fc.integer().map(String),
    fc.constantFrom("", "x", "y".repeat(64), "z".repeat(65), "w".repeat(40_000)),
  );
  const step = fc.oneof(
    fc.record({ what: fc.constant("set" as const), field, value }),
    fc.record({ what: fc.constant("del" as const), field, value: fc.constant("") }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.boolean(), (steps, small) => {
      const server = new TestServer();
      if (small) server.run("CONFIG SET hash-max-listpack-entries 8");
      const model = new Map<string, string>();
      for (const { what, field, value } of steps) {
        if (what === "set") {
          assertEquals(server.call("HSET", "h", field, value), model.has(field) ? 0 : 1);
          model.set(field, value);
        } else assertEquals(server.call("HDEL", "h", field), model.delete(field) ? 1 : 0);
      }
      assertEquals(pairs(server.run("HGETALL h")), Object.fromEntries(model));
      assertEquals(server.run("EXISTS h"), model.size === 0 ? 0 : 1);
      if (model.size > 0) {
        server.run("COPY h h2");
        server.run("DEL h");
        assertEquals(pairs(server.run("HGETALL h2")), Object.fromEntries(model));
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("HSCAN shows every field that stays, while the hash grows and shrinks", () => {
  const server = new TestServer();
  for (let i = 0; i < 600; i++) server.run(`HSET h stay${i} ${i}`);
  const seen = new Set<string>();
  let cursor = "0";
  let round = 0;
  do {
    const [next, found] = server.run(`HSCAN h ${cursor} COUNT 20`) as [string, string[]];
    for (let i = 0; i < found.length; i += 2) seen.add(found[i]);
    cursor = next;
    round++;
    for (let i = 0; i < 50; i++) {
      server.run(round % 2 === 0 ? `HDEL h go${round - 1}-${i}` : `HSET h go${round}-${i} x`);
    }
  } while (cursor !== "0");
  for (let i = 0; i < 600; i++) assert(seen.has(`stay${i}`), `stay${i} was shown`);
  const [, some] = server.run("HSCAN h 0 MATCH stay59? COUNT 100000") as [string, string[]];
  assertEquals(some.length, 20);
  assertEquals(server.run("HSCAN none 0"), ["0", []]);
  assertEquals(server.run("HSCAN h x"), new ReplyError("ERR invalid cursor"));
});

Deno.test("HRANDFIELD picks different fields, or repeats them if asked", () => {
  const server = new TestServer();
  assertEquals(server.run("HRANDFIELD h"), null);
  assertEquals(server.run("HRANDFIELD h 5"), []);
  for (const size of [10, 700]) {
    const all: string[] = [];
    for (let i = 0; i < size; i++) {
      server.run(`HSET h${size} f${i} ${i}`);
      all.push(`f${i}`);
    }
    assert(all.includes(server.run(`HRANDFIELD h${size}`) as string));
    for (const count of [1, 5, size - 1, size, size + 10]) {
      const found = server.run(`HRANDFIELD h${size} ${count}`) as string[];
      assertEquals(new Set(found).size, Math.min(count, size));
    }
    assertEquals((server.run(`HRANDFIELD h${size} -1000`) as string[]).length, 1000);
    const some = pairs(server.run(`HRANDFIELD h${size} 5 WITHVALUES`));
    for (const [field, value] of Object.entries(some)) assertEquals(field, `f${value}`);
  }
});

Deno.test("a hash of many fields is freed in slices and its memory comes back", () => {
  const server = new TestServer();
  const before = server.engine.keyspace.usedBytes;
  for (let i = 0; i < 5000; i++) server.run(`HSET h f${i} ${"v".repeat(i % 100)}`);
  server.run("UNLINK h");
  assertEquals(server.engine.keyspace.lazyFree.pending, 1);
  while (server.engine.keyspace.lazyFree.freeSome(() => true));
  assertEquals(server.engine.keyspace.usedBytes, before);
});
