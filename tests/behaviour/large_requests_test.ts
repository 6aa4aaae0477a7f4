import { randomCommands } from "../differential/commands.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { joined } from "../../src/lib/joined.ts";
import { binaryBytes } from "../../src/protocol/args.ts";
import { type Reply, type TestClient, TestServer } from "../support/harness.ts";
import { dumped } from "../support/payload.ts";
import { requestOf } from "../support/requests.ts";

/** Around what gets a buffer of its own (32 KiB) and what does not lie inline (64 KiB). */
const SIZES = [32_767, 32_768, 40_000, 65_535, 65_536, 70_000, 300_000];

const decoder = new TextDecoder("latin1");

/** `size` letters, others for each seed. */
function letters(size: number, seed = 0): string {
  let text = "";
  for (let i = 0; text.length < size; i++) text += String.fromCharCode(97 + (i * 7 + seed) % 26);
  return text;
}

/** `size` characters of ASCII that no compression makes shorter. */
function noise(size: number): string {
  let text = "";
  let state = 1;
  while (text.length < size) {
    state = Math.imul(state, 1_664_525) + 1_013_904_223;
    text += String.fromCharCode(33 + ((state >>> 16) % 90));
  }
  return text;
}

function request(...words: string[]): Uint8Array {
  return binaryBytes(requestOf(words));
}

/** Sends a command in pieces, and reads its reply. */
function call(client: TestClient, piece: number, ...words: string[]): Reply {
  const bytes = request(...words);
  for (let at = 0; at < bytes.length; at += piece) client.send(bytes.subarray(at, at + piece));
  return client.read();
}

function usedBytes(server: TestServer): number {
  return server.engine.keyspace.usedBytes;
}

Deno.test("a large value is what was sent, however it was cut and whatever stands beside it", () => {
  const server = new TestServer();
  const client = server.client();
  for (const size of SIZES) {
    for (const piece of [1_000_000, 16_384, 4097]) {
      const value = letters(size, piece);
      assertEquals(call(client, piece, "SET", "k", value), "OK");
      assertEquals(client.run("GET k"), value);
      assertEquals(call(client, piece, "SET", "k", value, "EX", "100"), "OK");
      assertEquals(call(client, piece, "SETEX", "k", "100", value), "OK");
      assertEquals(call(client, piece, "GETSET", "k", value + "!"), value);
      assertEquals(client.run("GET k"), value + "!");
      const other = letters(size + 5, piece + 1);
      assertEquals(call(client, piece, "MSET", "a", value, "b", "short", "c", other), "OK");
      assertEquals(client.run("MGET a b c"), [value, "short", other]);
      assertEquals(call(client, piece, "ECHO", value), value);
    }
  }
  client.run("FLUSHALL");
  assertEquals(usedBytes(server), new TestServer().engine.keyspace.usedBytes);
});

Deno.test("what is taken over as a value is its own: later changes of one key touch no other", () => {
  const server = new TestServer();
  const client = server.client();
  const value = letters(70_000);
  for (let i = 0; i < 3; i++) call(client, 16_384, "SET", `k${i}`, value);
  client.run("APPEND k0 tail");
  client.run("SETRANGE k1 0 HEAD");
  client.run("COPY k2 k3");
  client.run("SETRANGE k2 10 middle");
  assertEquals(client.run("GET k0"), value + "tail");
  assertEquals(client.run("GET k1"), "HEAD" + value.slice(4));
  assertEquals(client.run("GET k2"), value.slice(0, 10) + "middle" + value.slice(16));
  assertEquals(client.run("GET k3"), value);
  call(client, 16_384, "SET", "k3", letters(80_000, 3));
  call(client, 16_384, "APPEND", "k3", letters(90_000, 4));
  assertEquals(client.run("GET k3"), letters(80_000, 3) + letters(90_000, 4));
  call(client, 16_384, "APPEND", "new", value);
  assertEquals(client.run("GET new"), value);
  call(client, 16_384, "SETRANGE", "new", "5", value);
  assertEquals(client.run("GET new"), value.slice(0, 5) + value);
});

Deno.test("every type takes large elements, and large keys and members are found again", () => {
  const server = new TestServer();
  const client = server.client();
  const [one, two] = [letters(40_000, 1), letters(100_000, 2)];
  const run = (...words: string[]): Reply => call(client, 16_384, ...words);
  assertEquals(run("RPUSH", "l", one, "x", two), 3);
  assertEquals(client.run("LRANGE l 0 -1"), [one, "x", two]);
  assertEquals(run("LINSERT", "l", "BEFORE", two, one), 4);
  assertEquals(run("LSET", "l", "1", two), "OK");
  assertEquals(run("LREM", "l", "0", one), 2);
  assertEquals(client.run("LRANGE l 0 -1"), [two, two]);
  assertEquals(run("HSET", "h", one, two, "f", one), 2);
  assertEquals(run("HGET", "h", one), two);
  assertEquals(run("HINCRBY", "h", two, "5"), 5);
  assertEquals(run("SADD", "s", one, two, one), 2);
  assertEquals(run("SMISMEMBER", "s", one, "x", two), [1, 0, 1]);
  assertEquals(run("ZADD", "z", "1", one, "2", two), 2);
  assertEquals(run("ZSCORE", "z", two), "2");
  assertEquals(run("XADD", "x", "1-1", one, two), "1-1");
  assertEquals(client.run("XRANGE x - +"), [["1-1", [one, two]]]);
  assertEquals(run("SET", one, two), "OK");
  assertEquals(run("GET", one), two);
  assertEquals(run("RENAME", one, two), "OK");
  assertEquals(run("EXISTS", one, two, two), 2);
  assertEquals(run("PFADD", "p", one, two), 1);
  assertEquals(run("DEL", two, "l", "h", "s", "z", "x", "p"), 7);
});

Deno.test("a pipeline behind a large argument is answered in order", () => {
  const client = new TestServer().client();
  const value = letters(100_000);
  const parts = [
    request("SET", "a", value),
    request("GET", "a"),
    request("APPEND", "a", value),
    request("STRLEN", "a"),
    request("PING"),
    request("SET", "b", letters(50_000)),
  ];
  const all = joined(parts);
  for (const piece of [all.length, 30_000, 16_384, 7777]) {
    client.run("FLUSHALL");
    for (let from = 0; from < all.length; from += piece) {
      client.send(all.subarray(from, from + piece));
    }
    const bulk = `$${value.length}\r\n${value}\r\n`;
    assertEquals(client.raw(), `+OK\r\n${bulk}:200000\r\n:200000\r\n+PONG\r\n+OK\r\n`);
  }
});

Deno.test("MULTI queues large arguments, and EXEC, DISCARD and a broken watch let go of them", () => {
  const server = new TestServer();
  const client = server.client();
  const [one, two] = [letters(100_000, 1), letters(120_000, 2)];
  client.run("MULTI");
  assertEquals(call(client, 16_384, "SET", "a", one), "QUEUED");
  assertEquals(client.run("GET a"), "QUEUED");
  assertEquals(call(client, 16_384, "APPEND", "a", two), "QUEUED");
  assertEquals(call(client, 16_384, "MSET", "b", two, "c", "short"), "QUEUED");
  assertStringIncludes(client.run("CLIENT INFO") as string, "QUEUED");
  const replies = client.run("EXEC") as Reply[];
  assertEquals(replies.slice(0, 4), ["OK", one, 220_000, "OK"]);
  assertEquals(client.run("MGET a b c"), [one + two, two, "short"]);
  client.run("MULTI");
  call(client, 16_384, "SET", "a", two);
  assertEquals(client.run("DISCARD"), "OK");
  client.run("WATCH a");
  client.run("MULTI");
  call(client, 16_384, "SET", "b", one);
  server.run("SET a other");
  assertEquals(client.run("EXEC"), null);
  assertEquals(client.run("MGET a b"), ["other", two]);
});

Deno.test("a MULTI of thousands runs each command with its own arguments", () => {
  const client = new TestServer().client();
  client.run("MULTI");
  const expected: Reply[] = [];
  for (let i = 0; i < 5000; i++) {
    client.run(`SET key:${i % 100} ${"v".repeat(i % 50)}${i}`);
    expected.push("OK");
  }
  client.run("MGET key:99 key:0");
  expected.push([`${"v".repeat(49)}4999`, "4900"]);
  assertStringIncludes(client.run("PING") as string, "QUEUED");
  expected.push("PONG");
  assertEquals(client.run("EXEC"), expected);
});

Deno.test("random commands in a MULTI answer as they do one by one, long ones among them", () => {
  const leftOut =
    /^(multi|exec|discard|watch|unwatch|blpop|brpop|b?lmpop|blmove|bzpop|bzmpop|brpop)/;
  for (const seed of [1, 2, 3]) {
    const one = new TestServer().client();
    const other = new TestServer().client();
    const commands = randomCommands(seed);
    const long = letters(40_000);
    other.run("MULTI");
    const expected: Reply[] = [];
    for (let i = 0; i < 1500; i++) {
      let words = commands.next().value as string[];
      if (leftOut.test(words[0])) words = ["SET", `long:${i % 3}`, long];
      else if (i % 50 === 0) words = ["MGET", ...Array.from({ length: 12 }, (_, n) => `long:${n}`)];
      else if (i % 70 === 0) words = ["SELECT", `${i % 2}`];
      expected.push(call(one, 16_384, ...words));
      call(other, 16_384, ...words);
    }
    assertEquals(other.run("EXEC"), expected);
    assertEquals(other.run("DEBUG DIGEST"), one.run("DEBUG DIGEST"));
  }
});

Deno.test("EXEC counts each of its commands, and the slow log names a slow one", () => {
  const server = new TestServer();
  const client = server.client();
  client.run("MULTI");
  for (const key of ["a", "b", "c", "d"]) client.run(`SET ${key} v`);
  client.run("INFO commandstats");
  client.run("DEBUG SLEEP 0.02");
  client.run("GET a");
  const replies = client.run("EXEC") as Reply[];
  assertStringIncludes(replies[4] as string, "cmdstat_set:calls=4,");
  assertStringIncludes(client.run("INFO commandstats") as string, "cmdstat_get:calls=1,");
  assertEquals((client.run("SLOWLOG GET") as Reply[][])[0][3], ["DEBUG", "SLEEP", "0.02"]);
});

/** A client whose commands a monitor, the slow log and the stream of changes show; `propagated` returns that stream's text. */
function observedServer(): {
  server: TestServer;
  client: TestClient;
  monitor: TestClient;
  propagated(): string;
} {
  const server = new TestServer();
  const client = server.client();
  const monitor = server.client();
  const chunks: string[] = [];
  const taker = {
    take: (bytes: Uint8Array, size: number) =>
      void chunks.push(decoder.decode(bytes.subarray(0, size))),
  };
  server.engine.propagation.addTaker(taker);
  monitor.run("MONITOR");
  client.run("CONFIG SET slowlog-log-slower-than 0");
  const propagated = (): string => {
    server.engine.propagation.flush();
    return chunks.join("");
  };
  return { server, client, monitor, propagated };
}

Deno.test("a large argument is propagated, shown by MONITOR and kept short by the slow log", () => {
  const { client, monitor, propagated } = observedServer();
  const value = letters(70_000);
  call(client, 16_384, "SET", "k", value);
  call(client, 16_384, "SET", "k", value, "PX", "1");
  const log = propagated();
  assertStringIncludes(log, `$1\r\nk\r\n$70000\r\n${value}\r\n`);
  assertStringIncludes(log, `$70000\r\n${value}\r\n$4\r\nPXAT`);
  assertStringIncludes(monitor.raw(), `"SET" "k" "${value}"\r\n`);
  const [[, , , words]] = client.run("SLOWLOG GET 1") as [[number, number, number, string[]]];
  assertEquals(words, ["SET", "k", `${value.slice(0, 128)}... (69872 more bytes)`, "PX", "1"]);
});

Deno.test("MSET that names a key twice is propagated and shown with all its values", () => {
  const { server, client, monitor, propagated } = observedServer();
  const [one, two] = [letters(70_000, 1), letters(80_000, 2)];
  const words = ["MSET", "k", one, "k", two, "k", "x"];
  assertEquals(call(client, 16_384, ...words), "OK");
  assertStringIncludes(propagated(), requestOf(words));
  assertStringIncludes(monitor.raw(), words.map((word) => `"${word}"`).join(" "));
  const [[, , , shown]] = client.run("SLOWLOG GET 1") as [[number, number, number, string[]]];
  assertEquals(shown[2], `${one.slice(0, 128)}... (69872 more bytes)`);
  assertEquals(shown[6], "x");
  assertEquals(client.run("GET k"), "x");
  client.run("MULTI");
  for (const value of [one, two]) call(client, 16_384, "SET", "k", value);
  client.run("APPEND k tail");
  client.run("DEL k");
  assertEquals(client.run("EXEC"), ["OK", "OK", 80_004, 1]);
  assertEquals(usedBytes(server), new TestServer().engine.keyspace.usedBytes);
});

Deno.test("a blocked client's large pipeline waits, and is answered after", () => {
  const server = new TestServer();
  const client = server.client();
  const value = letters(200_000);
  client.send(request("BLPOP", "l", "0"));
  const bytes = request("SET", "k", value);
  for (let at = 0; at < bytes.length; at += 10_000) client.send(bytes.subarray(at, at + 10_000));
  assertEquals(client.raw(), "");
  server.run("RPUSH l x");
  return Promise.resolve().then(() => {
    assertStringIncludes(client.raw(), "*2\r\n$1\r\nl\r\n$1\r\nx\r\n+OK\r\n");
    assertEquals(client.run("STRLEN k"), 200_000);
    assert(server.run("GET k") === value);
  });
});

Deno.test("DUMP compresses strings of megabytes, and RESTORE reads them", () => {
  const server = new TestServer();
  const client = server.client();
  const value = letters(3_000_000);
  call(client, 1_000_000, "SET", "k", value);
  client.send(request("DUMP", "k"));
  const bulk = client.client.reply.take();
  const payload = bulk.slice(bulk.indexOf(10) + 1, -2);
  assert(payload.length < 100_000, "26 letters again and again are short");
  assertEquals(client.call("RESTORE", "back", "0", payload), "OK");
  assertEquals(client.run("GET back"), value);
});

Deno.test("DUMP gives long strings that can't be compressed whole, alone and in collections", () => {
  const server = new TestServer();
  const client = server.client();
  const value = noise(100_000);
  const run = (...words: string[]): Reply => call(client, 1_000_000, ...words);
  run("SET", "string", value);
  run("RPUSH", "list", value, value);
  run("HSET", "hash", "f", value);
  run("XADD", "stream", "1-1", "f", value);
  for (const key of ["string", "list", "hash", "stream"]) {
    client.send(request("DUMP", key));
    const bulk = client.client.reply.take();
    assertEquals(
      client.call("RESTORE", `${key}2`, "0", bulk.slice(bulk.indexOf(10) + 1, -2)),
      "OK",
    );
  }
  assertEquals(client.run("GET string2"), value);
  assertEquals(client.run("LRANGE list2 0 -1"), [value, value]);
  assertEquals(client.run("HGET hash2 f"), value);
  assertEquals(client.run("XRANGE stream2 - +"), [["1-1", ["f", value]]]);
});

Deno.test("an argument of 2 GiB is refused, whatever proto-max-bulk-len says", () => {
  const client = new TestServer().client();
  client.run("CONFIG SET proto-max-bulk-len 10gb");
  client.send(new TextEncoder().encode(`*2\r\n$3\r\nGET\r\n$${2 ** 31}\r\n`));
  assertEquals(client.raw(), "-ERR Protocol error: invalid bulk length\r\n");
  assert(client.isClosed);
});

Deno.test("DUMP of a string of megabytes that can be compressed, and of one that can't, is restored", () => {
  const server = new TestServer();
  const random = new Uint8Array(3_000_000);
  let state = 1;
  for (let i = 0; i < random.length; i++) {
    state = Math.imul(state, 48271) + 7;
    random[i] = state >>> 16;
  }
  for (const [key, value] of Object.entries({ zeros: new Uint8Array(3_000_000), random })) {
    server.call("set", key, value);
    const payload = dumped(server, new TextEncoder().encode(key));
    assertEquals(server.call("restore", "again", "0", payload, "replace"), "OK");
    assertEquals(
      server.call("debug", "digest-value", "again"),
      server.call("debug", "digest-value", key),
    );
  }
});
