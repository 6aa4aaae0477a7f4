/** A pipeline's requests are decoded, hashed and prefetched together: no reply may depend on that. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type TestClient, TestServer } from "../support/harness.ts";
import { requestOf } from "../support/requests.ts";

const KEYS = ["a", "b", "c"];
/** Collections are large from the third element on. */
const SETTINGS = [
  "set-max-listpack-entries 2",
  "set-max-intset-entries 2",
  "hash-max-listpack-entries 2",
  "zset-max-listpack-entries 2",
];

const name = fc.constantFrom(...KEYS, "member:1", "member:2", "member:3", "");
const key = fc.constantFrom(...KEYS);
const one = (command: string, ...words: fc.Arbitrary<string>[]) =>
  fc.tuple(fc.constant(command), key, ...words);
const member = fc.oneof(name, fc.nat(5).map(String));
const score = fc.constantFrom("1", "2.5", "-inf", "nan");
const command = fc.oneof(
  one("SET", member),
  one("GET"),
  one("INCR"),
  one("DEL"),
  one("PEXPIRE", fc.constantFrom("-1", "0", "1", "100000")),
  one("SADD", member),
  one("SREM", member),
  one("SISMEMBER", member),
  one("SMOVE", key, member),
  one("HSET", member, member),
  one("HGET", member),
  one("HDEL", member),
  one("ZADD", score, member),
  one("ZINCRBY", score, member),
  one("ZSCORE", member),
  one("ZREM", member),
  one("RPUSH", member),
  one("LPOP"),
  one("RENAME", key),
  fc.constantFrom(["PING"], ["MULTI"], ["EXEC"], ["FLUSHALL"], ["SELECT", "1"], [
    "SWAPDB",
    "0",
    "1",
  ]),
);
/** Runs of one command on one key, as benchmarks send them, and mixtures. */
const run = fc.tuple(one("SADD", member), fc.array(member, { minLength: 4, maxLength: 40 })).map((
  [[command, key], members],
) => members.map((member) => [command, key, member]));
const requests = fc.array(fc.oneof(command.map((words) => [words]), run), { maxLength: 40 })
  .map((parts) => parts.flat());

function server(): TestServer {
  const server = new TestServer();
  for (const setting of SETTINGS) assertEquals(server.run(`CONFIG SET ${setting}`), "OK");
  return server;
}

Deno.test("a pipeline's replies are those of its requests sent one by one", () => {
  fc.assert(
    fc.property(requests, (requests) => {
      const singly = server().client();
      const together = server().client();
      for (const words of requests) singly.send(new TextEncoder().encode(requestOf(words)));
      together.send(new TextEncoder().encode(requests.map(requestOf).join("")));
      assertEquals(together.raw(), singly.raw());
    }),
    { numRuns: 300 },
  );
});

/** Sends lines as one pipeline. */
function pipeline(client: TestClient, ...lines: string[]): void {
  const text = lines.map((line) => requestOf(line.split(" "))).join("");
  client.send(new TextEncoder().encode(text));
}

Deno.test("a client that blocks within a pipeline goes on with its rest, whoever pipelines meanwhile", async () => {
  const server = new TestServer();
  const [blocked, other] = [server.client(), server.client()];
  pipeline(blocked, "SET a 1", "SET b 2", "SET c 3", "BLPOP list 0", "GET a", "GET b", "GET c");
  assertEquals(blocked.raw(), "+OK\r\n".repeat(3));
  pipeline(other, "INCR a", "INCR b", "INCR c", "INCR a", "RPUSH list x");
  assertEquals(other.raw(), ":2\r\n:3\r\n:4\r\n:3\r\n:1\r\n");
  await Promise.resolve();
  assertEquals(
    blocked.raw(),
    "*2\r\n$4\r\nlist\r\n$1\r\nx\r\n$1\r\n3\r\n$1\r\n3\r\n$1\r\n4\r\n",
  );
});

Deno.test("a request that waits for a pause to end is the same then, whoever pipelines meanwhile", () => {
  const server = new TestServer();
  const [paused, other] = [server.client(), server.client()];
  server.run("SET x 1");
  pipeline(other, "CLIENT PAUSE 1000 WRITE");
  pipeline(paused, "GET x", "GET x", "GET x", "APPEND x 23", "GET x", "INCR x");
  assertEquals(paused.raw(), "$1\r\n1\r\n".repeat(3));
  pipeline(other, "GET y", "GET y", "GET y", "GET yy", "GET y", "GET y");
  server.advance(1001);
  assertEquals(paused.raw(), ":3\r\n$3\r\n123\r\n:124\r\n");
});
