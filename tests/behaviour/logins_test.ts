/** Whoever guesses passwords is slowed (engine/login_guard.ts), and nobody else. */
import { assertEquals } from "@std/assert";
import { ReplyError, type TestClient, TestServer } from "../support/harness.ts";
import { startRespite, Wire } from "../support/live.ts";

/** Failures that have no consequences. */
const FREE = 10;
const HOUR_MS = 3_600_000;
const encoder = new TextEncoder();

function protectedServer(): TestServer {
  return new TestServer({ directives: { requirepass: "secret", "enable-debug-command": "yes" } });
}

/** How many of `count` wrong passwords, sent at once, are answered by now. */
function guess(client: TestClient, count: number, line = "AUTH wrong"): number {
  client.send(encoder.encode(`${line}\r\n`.repeat(count)));
  return repliesOf(client);
}

/** How many replies have come since the last look; all of them are refusals of a password. */
function repliesOf(client: TestClient): number {
  let count = 0;
  for (;;) {
    const reply = client.read();
    if (reply === undefined) return count;
    assertEquals(reply instanceof ReplyError && reply.message.startsWith("WRONGPASS "), true);
    count++;
  }
}

/** After how many ms, in steps of the timer, the client is answered. */
function waitOf(server: TestServer, client: TestClient): number {
  for (let ms = 0;; ms += 100) {
    if (repliesOf(client) > 0) return ms;
    server.advance(100);
  }
}

Deno.test("ten wrong passwords are answered at once; after each further one the next waits longer, up to half a second", () => {
  const server = protectedServer();
  const client = server.client();
  assertEquals(guess(client, FREE), FREE);
  const waits = Array.from({ length: 8 }, () => {
    assertEquals(guess(client, 1), 0);
    return waitOf(server, client);
  });
  assertEquals(waits, [100, 200, 300, 400, 500, 500, 500, 500]);
});
Deno.test("wrong passwords that are sent at once are looked at one by one", () => {
  const server = protectedServer();
  const client = server.client();
  assertEquals(guess(client, 30), FREE);
  for (let i = FREE; i < 30; i++) {
    server.advance(500);
    assertEquals(repliesOf(client), 1);
  }
});
Deno.test("a right password waits as a wrong one does, and its client then waits for nothing", () => {
  const server = protectedServer();
  const client = server.client();
  guess(client, FREE + 6);
  for (let i = 0; i < 5; i++) server.advance(500);
  assertEquals(repliesOf(client), 5);
  const other = server.client();
  assertEquals(other.run("AUTH secret"), undefined);
  server.advance(400);
  assertEquals(other.read(), undefined);
  server.advance(100);
  assertEquals(other.read(), "OK");
  assertEquals(other.run("SET key value"), "OK");
});
Deno.test("a new connection from the address gains nothing, and other addresses wait for nothing", () => {
  const server = protectedServer();
  const places: [address: string, sameOrigin: string, other: string][] = [
    ["10.0.0.1:1000", "10.0.0.1:2000", "10.0.0.2:1000"],
    ["[2001:db8:0:7::1]:1000", "[2001:db8:0:7:8:9:a:b]:1000", "[2001:db8:0:8::1]:1000"],
    ["[2001:db8::1:0:0:1]:1000", "[2001:db8:0:0:1:2:3:4]:1000", "[2001:db8:1::1]:1000"],
    ["[::ffff:10.0.0.3]:1000", "10.0.0.3:1000", "[::ffff:10.0.0.4]:1000"],
    ["[::1]:1000", "[::1]:2000", "[1::]:1000"],
    ["/run/respite.sock:0", "/run/respite.sock:0", "/run/other.sock:0"],
  ];
  for (const [address, same, other] of places) {
    const authenticated = server.client({ address });
    assertEquals(authenticated.run("AUTH secret"), "OK");
    assertEquals(guess(server.client({ address }), FREE + 1), FREE);
    assertEquals(server.client({ address: same }).run("AUTH secret"), undefined, same);
    assertEquals(server.client({ address: other }).run("AUTH secret"), "OK", other);
    assertEquals(authenticated.run("PING"), "PONG", address);
  }
});
Deno.test("failures are forgotten, one a second", () => {
  const server = protectedServer();
  const client = server.client();
  guess(client, FREE + 1);
  server.advance(100);
  assertEquals(repliesOf(client), 1);
  // Eleven: the next one would wait for 200 ms, then 100, then not at all.
  server.advance(1000);
  assertEquals(server.client().run("AUTH secret"), undefined);
  server.advance(1000);
  assertEquals(server.client().run("AUTH secret"), "OK");
  // However many there were, a minute is enough.
  for (let i = 0; i < 100; i++) {
    guess(client, 1);
    server.advance(500);
  }
  server.advance(60_000);
  assertEquals(server.client().run("AUTH secret"), "OK");
  assertEquals(server.engine.logins.originCount, 0);
});
Deno.test("the system's clock may be set back or forward meanwhile", () => {
  const server = protectedServer();
  const client = server.client();
  guess(client, FREE + 1);
  server.advanceClock(-HOUR_MS);
  server.advance(100);
  assertEquals(repliesOf(client), 1);
});
Deno.test("CLIENT UNPAUSE ends no wait", () => {
  const server = protectedServer();
  const admin = server.client({ address: "10.0.0.9:1" });
  admin.run("AUTH secret");
  const client = server.client();
  guess(client, FREE + 1);
  admin.run("CLIENT PAUSE 1000 WRITE");
  admin.run("CLIENT UNPAUSE");
  assertEquals(client.read(), undefined);
  server.advance(100);
  assertEquals(repliesOf(client), 1);
});
Deno.test("HELLO with a password waits, and HELLO without one doesn't", () => {
  const server = protectedServer();
  const client = server.client();
  assertEquals(guess(client, FREE + 1, "HELLO 3 AUTH default wrong"), FREE);
  const other = server.client();
  assertEquals(other.run("HELLO 3") instanceof ReplyError, true);
  assertEquals(other.run("HELLO 3 AUTH default secret SETNAME me"), undefined);
  server.advance(500);
  assertEquals(other.read() instanceof ReplyError, false);
});
Deno.test("passwords in a transaction are counted when they are queued", () => {
  const server = protectedServer();
  const client = server.client();
  client.run("AUTH secret");
  client.run("MULTI");
  for (let i = 0; i < FREE; i++) assertEquals(client.run("AUTH wrong"), "QUEUED");
  assertEquals(client.run("AUTH wrong"), undefined);
  server.advance(100);
  assertEquals(client.read(), "QUEUED");
});
Deno.test("a client that goes while it waits leaves nothing behind", () => {
  const server = protectedServer();
  const client = server.client();
  guess(client, FREE + 1);
  client.client.transport.kill();
  server.advance(120_000);
  server.advance(100);
  assertEquals(server.engine.logins.originCount, 0);
  assertEquals(server.client().run("AUTH secret"), "OK");
});
Deno.test("the addresses that are remembered are bounded in number", () => {
  const server = protectedServer();
  for (let i = 0; i < 5000; i++) {
    const client = server.client({ address: `10.1.${i >> 8}.${i & 255}:1` });
    client.run("AUTH wrong");
    client.client.transport.kill();
  }
  assertEquals(server.engine.logins.originCount, 4096);
});
Deno.test("the log tells of it once in a while", () => {
  const server = protectedServer();
  guess(server.client({ address: "10.0.0.1:7" }), FREE + 50);
  const lines = server.logged.filter((line) => line.includes("10.0.0.1 keep failing"));
  assertEquals(lines.length, 1);
});
Deno.test({
  name: "over sockets: who guesses gets all answers in time, while others are served",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const ours = startRespite({ requirepass: "secret" });
    const other = await Wire.connect(ours.port);
    assertEquals(await other.roundTrip("auth secret"), "+OK\r\n");
    const wire = await Wire.connect(ours.port);
    await wire.send("auth wrong\r\n".repeat(FREE + 3));
    await wire.send("auth secret\r\nset key value\r\n");
    const answers: string[] = [];
    const reading = (async () => {
      for (let i = 0; i < FREE + 5; i++) answers.push(await wire.read());
    })();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assertEquals(await other.roundTrip("ping"), "+PONG\r\n");
    assertEquals(answers.length, FREE);
    await reading;
    assertEquals(answers.slice(FREE + 3), ["+OK\r\n", "+OK\r\n"]);
    wire.close();
    other.close();
    await ours.stop();
  },
});
