import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Reply, ReplyError, TestServer } from "../support/harness.ts";

Deno.test("CONFIG SET changes all parameters or none", () => {
  const server = new TestServer();
  server.run("CONFIG SET timeout 30 loglevel verbose");
  assertEquals(server.run("CONFIG GET timeout"), ["timeout", "30"]);
  const error = server.run("CONFIG SET timeout 40 loglevel nosuch") as ReplyError;
  assertStringIncludes(error.message, "possibly related to argument 'loglevel'");
  assertEquals(server.run("CONFIG GET timeout"), ["timeout", "30"]);
});
Deno.test("CONFIG GET takes several globs and shows aliases", () => {
  const server = new TestServer();
  const found = server.run("CONFIG GET hash-max-*-entries port") as string[];
  assert(found.includes("hash-max-ziplist-entries"));
  assert(found.includes("port"));
});
Deno.test("every parameter that can be set accepts its own value", () => {
  const server = new TestServer();
  const all = server.run("CONFIG GET *") as string[];
  for (let i = 0; i < all.length; i += 2) {
    if (all[i] === "dir") continue;
    const reply = server.call("CONFIG", "SET", all[i], all[i + 1]);
    if (reply === "OK") continue;
    assertStringIncludes((reply as ReplyError).message, "can't set ", all[i]);
  }
});
Deno.test("CONFIG RESETSTAT sets the figures back", () => {
  const server = new TestServer();
  server.run("SET k v");
  server.run("NOSUCH");
  server.run("CONFIG RESETSTAT");
  const text = server.run("INFO commandstats") as string;
  assert(!text.includes("cmdstat_set:"));
  assertStringIncludes(server.run("INFO stats") as string, "total_error_replies:0");
});
Deno.test("INFO has every section, with true figures", () => {
  const server = new TestServer();
  server.run("MSET a 1 b 2");
  server.run("EXPIRE a 100");
  server.run("GET a");
  server.run("GET missing");
  const text = server.run("INFO everything") as string;
  for (
    const title of "Server Clients Memory Persistence Stats Replication CPU Keyspace".split(" ")
  ) {
    assertStringIncludes(text, `# ${title}\r\n`);
  }
  assertStringIncludes(text, "db0:keys=2,expires=1,");
  assertStringIncludes(text, "keyspace_hits:1");
  assertStringIncludes(text, "keyspace_misses:1");
  assertMatch(text, /cmdstat_get:calls=2,/);
});
Deno.test("an error is counted by its prefix and by its command", () => {
  const server = new TestServer();
  server.run("SET k hello");
  server.run("INCR k");
  server.run("GET");
  assertStringIncludes(server.run("INFO errorstats") as string, "errorstat_ERR:count=2");
  const text = server.run("INFO commandstats") as string;
  assertMatch(text, /cmdstat_incr:.*failed_calls=1/);
  assertMatch(text, /cmdstat_get:.*rejected_calls=1/);
});
Deno.test("COMMAND describes commands, subcommands and keys", () => {
  const server = new TestServer();
  const [info] = server.run("COMMAND INFO get") as Reply[][];
  assertEquals(info.slice(0, 2), ["get", 2]);
  assertEquals(server.run("COMMAND GETKEYS MSET a 1 b 2"), ["a", "b"]);
  assertEquals(server.run("COMMAND COUNT"), (server.run("COMMAND") as Reply[]).length);
  const docs = server.run("COMMAND DOCS set") as Reply[];
  assertEquals(docs[0], "set");
  assert((server.run("COMMAND LIST FILTERBY ACLCAT bitmap") as string[]).includes("setbit"));
});
Deno.test("SLOWLOG keeps what took longer than its threshold", () => {
  const server = new TestServer();
  server.run("CONFIG SET slowlog-log-slower-than 0");
  server.run("SET k v");
  const [entry] = server.run("SLOWLOG GET 1") as Reply[][];
  assertEquals(entry[3], ["SET", "k", "v"]);
  server.run("SLOWLOG RESET");
  server.run("CONFIG SET slowlog-log-slower-than -1");
  assertEquals((server.run("SLOWLOG LEN") as number) <= 1, true);
});
Deno.test("LATENCY HISTOGRAM counts the calls of a command", () => {
  const server = new TestServer();
  server.run("SET k v");
  server.run("SET k v");
  const [name, figures] = server.run("LATENCY HISTOGRAM set") as Reply[];
  assertEquals(name, "set");
  assertEquals((figures as Reply[]).slice(0, 2), ["calls", 2]);
});
Deno.test("LATENCY notes commands over its threshold", () => {
  const server = new TestServer();
  server.run("DEBUG SLEEP 0.009");
  assertEquals(server.run("LATENCY LATEST"), []);
  server.run("CONFIG SET latency-monitor-threshold 5");
  server.run("DEBUG SLEEP 0.004");
  server.run("DEBUG SLEEP 0.007");
  const [[event, , last, worst]] = server.run("LATENCY LATEST") as Reply[][];
  assertEquals([event, last, worst], ["command", 7, 7]);
  assertStringIncludes(server.run("LATENCY GRAPH command") as string, "high 7 ms");
  assertStringIncludes(server.run("LATENCY DOCTOR") as string, "latency spikes");
  assertEquals(server.run("LATENCY RESET command"), 1);
});
Deno.test("parameters reach what depends on them, when the server starts and by CONFIG SET", () => {
  const server = new TestServer({ directives: { "maxmemory-policy": "allkeys-lfu" } });
  server.run("SET k v");
  assertEquals(server.run("OBJECT FREQ k"), 5);
  server.run("CONFIG SET maxmemory-policy allkeys-lru slowlog-max-len 1 slowlog-log-slower-than 0");
  assert(server.run("OBJECT FREQ k") instanceof ReplyError);
  server.run("PING");
  assertEquals(server.run("SLOWLOG LEN"), 1);
  server.run("CONFIG SET loglevel nothing");
  server.run("DEBUG LOG unheard");
  assert(!server.logged.join("").includes("unheard"));
});
Deno.test("SAVE and DEBUG RELOAD write and read a file of the server's own", () => {
  using server = new TestServer();
  server.run("RPUSH list a b");
  assertEquals(server.run("SAVE"), "OK");
  server.run("DEL list");
  assertEquals(server.run("DEBUG RELOAD NOSAVE"), "OK");
  assertEquals(server.run("LRANGE list 0 -1"), ["a", "b"]);
});
Deno.test("MEMORY USAGE tells what a key takes", () => {
  const server = new TestServer();
  server.call("SET", "key:1", "x".repeat(32));
  assertEquals(server.run("MEMORY USAGE key:1"), 48);
  server.call("SET", "large", "x".repeat(100_000));
  assert((server.run("MEMORY USAGE large") as number) > 100_000);
  assert((server.run("MEMORY STATS") as Reply[]).length > 20);
  assertEquals(server.run("MEMORY PURGE"), "OK");
});
Deno.test("writes are refused beyond maxmemory, reads and removals go on", () => {
  const server = new TestServer();
  server.run("SET k v");
  server.run("CONFIG SET maxmemory 1");
  const refusal = new ReplyError("OOM command not allowed when used memory > 'maxmemory'.");
  assertEquals(server.run("SET k w"), refusal);
  assertEquals(server.run("GET k"), "v");
  assertEquals(server.run("DEL k"), 1);
});
Deno.test("with maxmemory a command does not visit the other clients, idle as they are", () => {
  const server = new TestServer();
  const idle = server.client();
  server.run("CONFIG SET maxmemory 100mb");
  server.engine.clients.values = () => {
    throw new Error("all clients are visited");
  };
  assertEquals(server.run("SET k v"), "OK");
  assertEquals(idle.run("GET k"), "v");
});
Deno.test("what a transaction has queued counts towards maxmemory at once", () => {
  const server = new TestServer();
  const queueing = server.client();
  server.run(`CONFIG SET maxmemory ${server.engine.usedBytes + 100_000}`);
  queueing.run("MULTI");
  const refusal = new ReplyError("OOM command not allowed when used memory > 'maxmemory'.");
  let count = 0;
  while (queueing.call("SET", "k", "x".repeat(10_000)) === "QUEUED") count++;
  assert(count >= 5 && count <= 10, `${count}`);
  assertEquals(server.run("SET k v"), refusal);
  queueing.run("DISCARD");
  assertEquals(server.run("SET k v"), "OK");
});
Deno.test("TIME, LASTSAVE, DBSIZE, LOLWUT and HELP answer", () => {
  const server = new TestServer();
  assertEquals(server.run("TIME"), ["1700000000", "0"]);
  assertEquals(server.run("LASTSAVE"), 1700000000);
  assertEquals(server.run("DBSIZE"), 0);
  assertStringIncludes(server.run("LOLWUT") as string, "Redis ver.");
  for (const name of "OBJECT CLIENT CONFIG COMMAND LATENCY MEMORY SLOWLOG DEBUG".split(" ")) {
    assert((server.run(`${name} HELP`) as string[]).length > 3, name);
  }
});
Deno.test("DEBUG is refused unless it is enabled", () => {
  const server = new TestServer();
  server.parameters.load({ name: "enable-debug-command", words: ["no"] });
  assertStringIncludes((server.run("DEBUG SLEEP 0") as ReplyError).message, "not allowed");
});
Deno.test("a command that throws answers an error and is logged, and the server goes on", () => {
  const server = new TestServer();
  Object.defineProperty(server.engine.commands.byName("echo"), "run", {
    value: () => {
      throw new Error("boom");
    },
  });
  assertStringIncludes((server.run("ECHO x") as ReplyError).message, "ERR internal error");
  assertStringIncludes(server.logged.join(""), "echo of client");
  assertEquals(server.run("PING"), "PONG");
});

Deno.test("the slow log shows a command's own arguments or none, never those of the next", () => {
  const server = new TestServer();
  const client = server.client();
  client.run("CONFIG SET slowlog-log-slower-than 10000");
  let now = 0;
  server.clock.monotonicUs = () => (now += 50_000);
  const encoder = new TextEncoder();
  client.send(encoder.encode("GET k\r\nAUTH secret\r\n"));
  client.raw();
  const value = "x".repeat(100_000);
  client.send(encoder.encode(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\n${value}\r\n`));
  client.raw();
  const entries = client.run("SLOWLOG GET") as [number, number, number, string[]][];
  const shown = entries.map(([, , , words]) => words);
  assertEquals(shown[0], ["SET", "k", `${value.slice(0, 128)}... (99872 more bytes)`]);
  assertEquals(shown.flat().includes("secret"), false);
  assert(shown.some((words) => words.length === 1 && words[0] === "get"));
});
