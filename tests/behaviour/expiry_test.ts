/** Keys that expire between two commands, whatever keys were looked up in between. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { argsOf } from "../../src/protocol/args.ts";
import { TestServer } from "../support/harness.ts";

Deno.test("a key that expired unseen is set again, after WATCH has looked at it", () => {
  const server = new TestServer();
  server.run("DEBUG SET-ACTIVE-EXPIRE 0");
  server.run("SET a 1 PX 50");
  server.run("GET other");
  server.run("WATCH a");
  server.advanceClock(200);
  assertEquals(server.run("SET a 2"), "OK");
  assertEquals(server.run("GET a"), "2");
  assertEquals(server.run("SET a 3"), "OK");
  assertEquals(server.run("KEYS *"), ["a"]);
  server.engine.keyspace.verify();
});

Deno.test("a key that expired unseen is set again, after SWAPDB has brought it", () => {
  const server = new TestServer();
  server.run("SELECT 1");
  server.run("SET a 1 PX 50");
  server.run("GET a");
  server.run("SWAPDB 0 1");
  server.run("SELECT 0");
  server.advanceClock(200);
  assertEquals(server.run("SET a 2"), "OK");
  assertEquals(server.run("GET a"), "2");
  assertEquals(server.run("DBSIZE"), 1);
  server.engine.keyspace.verify();
});

/** Commands that make a key of each type. */
const MAKERS: readonly string[] = [
  "SET a 2",
  "SETEX a 100 2",
  "APPEND a 2",
  "SETRANGE a 3 x",
  "INCR a",
  "SETBIT a 7 1",
  "LPUSH a x",
  "SADD a 1",
  "SADD a x",
  "ZADD a 1 x",
  "HSET a f v",
  "XADD a * f v",
  "PFADD a x",
  "BF.ADD a x",
  "RENAME b a",
  "COPY b a",
  "SUNIONSTORE a t",
  "ZUNIONSTORE a 1 t",
  "SORT t STORE a",
  "BITOP NOT a b",
  "LMOVE l a LEFT LEFT",
  "GEOADD a 1 1 x",
];

for (const maker of MAKERS) {
  Deno.test(`${maker} makes a key that had expired unseen, once`, () => {
    const server = new TestServer();
    server.run("DEBUG SET-ACTIVE-EXPIRE 0");
    for (const line of ["SET b 1", "SADD t 1 2", "RPUSH l 1 2"]) server.run(line);
    server.run("SET a 1 PX 50");
    server.run("GET other");
    server.run("WATCH a");
    server.run("UNWATCH");
    server.advanceClock(200);
    server.run(maker);
    assertEquals(server.run("EXISTS a"), 1);
    assertEquals((server.run("KEYS a") as string[]).length, 1);
    assertEquals(server.run("DEL a"), 1);
    server.engine.keyspace.verify();
    server.advance(1000);
  });
}

Deno.test("a hidden key past its deadline is replaced, not doubled, by what a pause lets through", () => {
  const server = new TestServer();
  server.run("SET a 1 PX 50");
  server.engine.keyspace.keepExpired = true;
  server.advanceClock(200);
  assertEquals(server.run("SET a 2"), "OK");
  assertEquals([server.run("GET a"), server.run("DBSIZE")], ["2", 1]);
  server.engine.keyspace.verify();
});

Deno.test("a key that can't be expired is logged with its name and what ran before, and the others expire", () => {
  const server = new TestServer();
  for (const key of ["a", "b", "c"]) server.run(`SET ${key} 1 PX 50`);
  server.run("GET a");
  // Simulates a bug: the key is no longer in the table, but still in the heap of deadlines.
  const { placement } = server.engine.keyspace.databases[0];
  const ref = server.engine.keyspace.databases[0].find(argsOf("b"), 0);
  placement.table.remove(placement.entries.hashOf(ref), ref);
  server.advance(100);
  assertEquals(server.run("DBSIZE"), 0);
  const line = server.logged.find((line) => line.includes("can't expire")) ?? "";
  assertStringIncludes(line, `The key "b" of database 0 can't expire`);
  assertStringIncludes(line, "a removed ref is in the table");
  assertStringIncludes(line, "set (client 1, database 0), get (client");
  server.run("SET d 1 PX 50");
  server.advance(100);
  assertEquals(server.run("DBSIZE"), 0);
  assertEquals(server.logged.filter((line) => line.includes("can't expire")).length, 1);
});
