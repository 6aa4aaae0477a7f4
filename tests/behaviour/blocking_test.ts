import { assertEquals } from "@std/assert";
import { ReplyError, TestServer } from "../support/harness.ts";
import { startRespite, Wire } from "../support/live.ts";

const encoder = new TextEncoder();

Deno.test("those who wait are served in order of arrival", () => {
  const server = new TestServer();
  const one = server.client();
  const two = server.client();
  one.run("CLIENT SETNAME one");
  assertEquals(one.run("BLPOP l 0"), undefined);
  assertEquals(two.run("BRPOP other l 0"), undefined);
  assertEquals(server.run("INFO clients")?.toString().includes("blocked_clients:2"), true);
  server.run("RPUSH l a");
  assertEquals([one.read(), two.read()], [["l", "a"], undefined]);
  server.run("RPUSH l b c");
  assertEquals(two.read(), ["l", "c"]);
  assertEquals(server.run("LRANGE l 0 -1"), ["b"]);
  assertEquals(one.run("BLPOP l 0"), ["l", "b"]);
});

Deno.test("a transaction is over before anybody is served, and doesn't wait itself", () => {
  const server = new TestServer();
  const waiting = server.client();
  waiting.run("BLPOP l 0");
  server.run("MULTI");
  server.run("RPUSH l a");
  server.run("DEL l");
  server.run("BLPOP l 0");
  server.run("RPUSH l b");
  assertEquals(server.run("EXEC"), [1, 1, null, 1]);
  assertEquals(waiting.read(), ["l", "b"]);
});

Deno.test("serving one may make another key ready", () => {
  const server = new TestServer();
  const one = server.client();
  const two = server.client();
  two.run("BZPOPMIN z 0");
  one.run("BLMOVE a b LEFT RIGHT 0");
  const three = server.client();
  three.run("BLPOP b 0");
  server.run("RPUSH a x");
  assertEquals([one.read(), three.read()], ["x", ["b", "x"]]);
  server.run("ZADD z 1 m 2 n");
  assertEquals(two.read(), ["z", "m", "1"]);
});

Deno.test("a wait ends with null after its timeout, or when somebody ends it", () => {
  const server = new TestServer();
  const client = server.client();
  client.run("BLPOP l 0.5");
  server.advance(499);
  assertEquals(client.read(), undefined);
  server.advance(2);
  assertEquals(client.read(), null);
  const id = client.run("CLIENT ID");
  client.run("BLMPOP 0 1 l LEFT");
  assertEquals(server.run(`CLIENT UNBLOCK ${id} ERROR`), 1);
  assertEquals(client.read(), new ReplyError("UNBLOCKED client unblocked via CLIENT UNBLOCK"));
  assertEquals(server.run(`CLIENT UNBLOCK ${id}`), 0);
  client.run("BZMPOP 0 1 z MIN");
  assertEquals(server.run(`CLIENT UNBLOCK ${id}`), 1);
  assertEquals(client.read(), null);
});

Deno.test("a key of another type leaves those who wait for a list waiting", () => {
  const server = new TestServer();
  const client = server.client();
  client.run("BLPOP k 0");
  server.run("ZADD k 1 a");
  server.run("DEL k");
  assertEquals(client.read(), undefined);
  server.run("RPUSH from x");
  server.run("RENAME from k");
  assertEquals(client.read(), ["k", "x"]);
  client.run("BLPOP k 0");
  server.run("SELECT 1");
  server.run("RPUSH k y");
  assertEquals(client.read(), undefined);
  server.run("SWAPDB 0 1");
  assertEquals(client.read(), ["k", "y"]);
});

Deno.test("a client that goes is forgotten, and what it sent while waiting is answered in turn", async () => {
  const server = new TestServer();
  const gone = server.client();
  const client = server.client();
  gone.run("BLPOP l 0");
  client.send(encoder.encode("BLPOP l 0\r\nPING\r\n"));
  server.engine.removeClient(gone.client);
  server.run("RPUSH l a b");
  assertEquals(client.read(), ["l", "a"]);
  await Promise.resolve();
  assertEquals(client.read(), "PONG");
  assertEquals(server.run("LLEN l"), 1);
  assertEquals(server.engine.blocking.clientCount, 0);
  assertEquals(server.engine.blocking.keyCount, 0);
});

Deno.test("timeouts that are none are refused", () => {
  const server = new TestServer();
  for (
    const [line, text] of [
      ["BLPOP l x", "timeout is not a float or out of range"],
      ["BLPOP l -1", "timeout is negative"],
      ["BLPOP l 1e300", "timeout is out of range"],
      ["BLMPOP 0 0 l LEFT", "numkeys should be greater than 0"],
    ]
  ) assertEquals(server.run(line), new ReplyError(`ERR ${text}`));
});

Deno.test("over sockets: a pipeline goes on after a wait, and a lost client takes nothing", async () => {
  const server = startRespite();
  const one = await Wire.connect(server.port);
  const two = await Wire.connect(server.port);
  const three = await Wire.connect(server.port);
  const waiting = async (count: number): Promise<void> => {
    while (!(await three.roundTrip("INFO clients")).includes(`blocked_clients:${count}\r`));
  };
  await one.send("BLPOP l 0\r\n");
  await waiting(1);
  await two.send("BLPOP l 0\r\nPING\r\n");
  await waiting(2);
  one.close();
  await waiting(1);
  assertEquals(await three.roundTrip("RPUSH l a b"), ":2\r\n");
  assertEquals(await two.read(), "*2\r\n$1\r\nl\r\n$1\r\na\r\n");
  assertEquals(await two.read(), "+PONG\r\n");
  assertEquals(await three.roundTrip("LLEN l"), ":1\r\n");
  two.close();
  three.close();
  await server.stop();
});

Deno.test("over sockets: what follows a wait may be paused, wait again, or be closed", async () => {
  const server = startRespite();
  const one = await Wire.connect(server.port);
  const two = await Wire.connect(server.port);
  const waiting = async (count: number): Promise<void> => {
    while (!(await two.roundTrip("INFO clients")).includes(`blocked_clients:${count}\r`));
  };
  await one.send("PING\r\nBLPOP l 0\r\nSET k v\r\nBLPOP l 0\r\nPING\r\n");
  assertEquals(await one.read(), "+PONG\r\n");
  await waiting(1);
  // The element comes and the pause begins in one go: SET must wait for the pause to end.
  await two.send("MULTI\r\nRPUSH l a\r\nEXEC\r\nCLIENT PAUSE 100000 WRITE\r\n");
  for (const reply of ["+OK\r\n", "+QUEUED\r\n", "*1\r\n:1\r\n", "+OK\r\n"]) {
    assertEquals(await two.read(), reply);
  }
  assertEquals(await one.read(), "*2\r\n$1\r\nl\r\n$1\r\na\r\n");
  assertEquals(await two.roundTrip("GET k"), "$-1\r\n");
  assertEquals(await two.roundTrip("CLIENT UNPAUSE"), "+OK\r\n");
  assertEquals(await one.read(), "+OK\r\n");
  await waiting(1);
  assertEquals(await two.roundTrip("CLIENT KILL TYPE normal"), ":1\r\n");
  await waiting(0);
  assertEquals(await two.roundTrip("RPUSH l b"), ":1\r\n");
  assertEquals(await two.roundTrip("LLEN l"), ":1\r\n");
  one.close();
  two.close();
  await server.stop();
});

Deno.test("INFO counts waiting clients, their keys and deadlines; CLIENT LIST marks them", () => {
  const server = new TestServer();
  const one = server.client();
  const two = server.client();
  one.run("BLPOP a b 10");
  two.run("BLPOP a 0");
  const info = String(server.run("INFO clients"));
  for (
    const field of ["blocked_clients:2", "total_blocking_keys:2", "clients_in_timeout_table:1"]
  ) {
    assertEquals(info.includes(`${field}\r\n`), true, field);
  }
  const id = one.client.id;
  assertEquals(/ flags=b .* cmd=blpop /.test(String(server.run(`CLIENT LIST ID ${id}`))), true);
});

Deno.test("monitors see a blocking command once", () => {
  const server = new TestServer();
  const monitor = server.client();
  monitor.run("MONITOR");
  const client = server.client();
  client.run("BLPOP l 0");
  server.run("RPUSH l a");
  const seen = monitor.raw().split("\r\n").filter((line) => line.startsWith("+"));
  assertEquals(seen.map((line) => line.slice(line.indexOf('"'))), [
    '"BLPOP" "l" "0"',
    '"RPUSH" "l" "a"',
  ]);
});
Deno.test("a client that waits for a group's entries hears that the group is gone, not that its id was set", () => {
  const server = new TestServer();
  const waiting = server.client();
  server.run("XADD k 1-1 f v");
  server.run("XGROUP CREATE k g $");
  waiting.run("XREADGROUP GROUP g c BLOCK 0 STREAMS k >");
  server.run("XGROUP SETID k g 0");
  assertEquals(waiting.read(), undefined);
  server.run("XGROUP DESTROY k g");
  assertEquals(
    waiting.read(),
    new ReplyError(
      "NOGROUP No such key 'k' or consumer group 'g' in XREADGROUP with GROUP option",
    ),
  );
});
