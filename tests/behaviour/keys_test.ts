import { assert, assertEquals } from "@std/assert";
import { type Reply, ReplyError, TestServer } from "../support/harness.ts";

/** All keys that a full SCAN returns. */
function scanAll(server: TestServer, options = ""): string[] {
  const found: string[] = [];
  let cursor = "0";
  do {
    const [next, keys] = server.run(`SCAN ${cursor} ${options}`) as [string, string[]];
    found.push(...keys);
    cursor = next;
  } while (cursor !== "0");
  return found;
}

Deno.test("a key with a deadline vanishes when its time has come, without being accessed", () => {
  const server = new TestServer();
  server.run("SET k v PX 100");
  server.advance(100);
  assertEquals(server.run("DBSIZE"), 1);
  server.advance(1);
  assertEquals(server.run("DBSIZE"), 0);
});
Deno.test("a key past its deadline does not exist, even if the timer is late", () => {
  const server = new TestServer();
  server.run("SET k v PX 100");
  server.advanceClock(101);
  assertEquals(server.run("GET k"), null);
  assertEquals(server.run("TTL k"), -2);
});
Deno.test("100,000 keys that expire at once are removed in slices", () => {
  const server = new TestServer();
  server.run("DEBUG POPULATE 100000");
  for (let i = 0; i < 100_000; i++) server.call("PEXPIRE", `key:${i}`, "1000");
  server.advance(1001);
  assertEquals(server.run("DBSIZE"), 0);
  assertEquals(server.engine.keyspace.entries.usedBytes, 0);
});
Deno.test("PERSIST and SET take a deadline away, KEEPTTL and APPEND keep it", () => {
  const server = new TestServer();
  server.run("SET k v EX 100");
  server.run("APPEND k more-and-more-and-more-and-more-and-more-and-more");
  assertEquals(server.run("TTL k"), 100);
  server.run("SET k w KEEPTTL");
  assertEquals(server.run("TTL k"), 100);
  server.run("PERSIST k");
  assertEquals(server.run("TTL k"), -1);
});
Deno.test("RENAME and COPY carry value and deadline", () => {
  const server = new TestServer();
  server.call("SET", "a", "x".repeat(100_000), "EX", "50");
  server.run("COPY a b");
  server.run("RENAME a c");
  assertEquals(server.run("EXISTS a"), 0);
  for (const key of ["b", "c"]) {
    assertEquals(server.run(`TTL ${key}`), 50);
    assertEquals(server.run(`STRLEN ${key}`), 100_000);
  }
  server.run("APPEND b tail");
  assertEquals(server.run("STRLEN c"), 100_000);
});
Deno.test("SCAN returns every key once while nothing changes", () => {
  const server = new TestServer();
  server.run("DEBUG POPULATE 5000");
  const keys = scanAll(server, "COUNT 100");
  assertEquals(new Set(keys).size, 5000);
  assertEquals(keys.length, 5000);
  assertEquals(scanAll(server, "MATCH key:1? COUNT 1000").sort().length, 10);
  assertEquals(scanAll(server, "TYPE list").length, 0);
});
Deno.test("SCAN returns what stays while other keys come and go", () => {
  const server = new TestServer();
  for (let i = 0; i < 500; i++) server.call("SET", `stays:${i}`, "1");
  const found = new Set<string>();
  let cursor = "0";
  let step = 0;
  do {
    const [next, keys] = server.run(`SCAN ${cursor} COUNT 20`) as [string, string[]];
    keys.forEach((key) => found.add(key));
    for (let i = 0; i < 200; i++) server.call("SET", `comes:${step}:${i}`, "1");
    if (step > 5) { for (let i = 0; i < 200; i++) server.call("DEL", `comes:${step - 5}:${i}`); }
    step++;
    cursor = next;
  } while (cursor !== "0");
  for (let i = 0; i < 500; i++) assert(found.has(`stays:${i}`), `stays:${i}`);
});
Deno.test("FLUSHALL gives all memory back, ASYNC in slices", () => {
  const server = new TestServer();
  server.run("DEBUG POPULATE 20000");
  server.run("FLUSHDB ASYNC");
  assertEquals(server.run("DBSIZE"), 0);
  server.run("SET other 1");
  server.advance(100);
  server.run("DEL other");
  assertEquals(server.engine.keyspace.entries.usedBytes, 0);
  server.run("DEBUG POPULATE 20000");
  server.run("FLUSHALL");
  assertEquals(server.engine.keyspace.entries.usedBytes, 0);
});
Deno.test("OBJECT IDLETIME counts from the last access, which TOUCH is and EXISTS is not", () => {
  const server = new TestServer();
  server.run("SET k v");
  server.advance(10_000);
  server.run("EXISTS k");
  assertEquals(server.run("OBJECT IDLETIME k"), 10);
  server.run("TOUCH k");
  assertEquals(server.run("OBJECT IDLETIME k"), 0);
});
Deno.test("databases are apart, and SWAPDB exchanges them for everybody", () => {
  const server = new TestServer();
  const other = server.client();
  server.run("SET k zero");
  other.run("SELECT 1");
  other.run("SET k one");
  assertEquals(server.run("GET k"), "zero");
  server.run("SWAPDB 0 1");
  assertEquals(server.run("GET k"), "one");
  assertEquals(other.run("GET k"), "zero");
});
Deno.test("RANDOMKEY returns a key that is there", () => {
  const server = new TestServer();
  assertEquals(server.run("RANDOMKEY"), null);
  server.run("SET only 1");
  assertEquals(server.run("RANDOMKEY"), "only");
});
Deno.test("KEYS refuses nothing and returns what matches", () => {
  const server = new TestServer();
  server.run("MSET one 1 two 2 three 3");
  assertEquals((server.run("KEYS t*") as Reply[]).length, 2);
  assertEquals(
    server.run("KEYS"),
    new ReplyError("ERR wrong number of arguments for 'keys' command"),
  );
});
Deno.test("KEYS leaves out keys past their deadline, and leaves them to the timer", () => {
  const server = new TestServer();
  server.run("DEBUG SET-ACTIVE-EXPIRE 0");
  server.run("SET k v PX 100");
  server.run("SET stays v");
  server.advanceClock(101);
  assertEquals([server.run("KEYS *"), server.run("DBSIZE")], [["stays"], 2]);
});
Deno.test("DEBUG POPULATE makes keys whose prefix is any bytes, and values of any size", () => {
  const server = new TestServer();
  server.call("DEBUG", "POPULATE", "11", Uint8Array.of(0xff, 0x3a), "9");
  assertEquals(server.call("GET", Uint8Array.of(0xff, 0x3a, 0x3a, 0x39)), "value:9\0\0");
  assertEquals(server.call("GET", Uint8Array.of(0xff, 0x3a, 0x3a, 0x31, 0x30)), "value:10\0");
  server.run("DEBUG POPULATE 2 short 3");
  server.run("DEBUG POPULATE 12 plain");
  assertEquals(server.run("MGET short:1 plain:1 plain:11"), ["val", "value:1", "value:11"]);
});
Deno.test("only a lone star shows the empty key among others", () => {
  const server = new TestServer();
  server.call("SET", "", "v");
  server.run("SET k v");
  assertEquals((server.run("KEYS *") as string[]).sort(), ["", "k"]);
  assertEquals(server.run("KEYS **"), ["k"]);
  assertEquals(server.call("KEYS", ""), [""]);
  const [, shown] = server.run("SCAN 0 MATCH *") as [string, string[]];
  assertEquals(shown.sort(), ["", "k"]);
  assertEquals(server.run("SCAN 0 MATCH **"), ["0", ["k"]]);
});
