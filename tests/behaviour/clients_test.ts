import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Reply, ReplyError, TestServer } from "../support/harness.ts";

Deno.test("HELLO 3 switches to RESP3 and describes the server", () => {
  const server = new TestServer();
  const greeting = server.run("HELLO 3 SETNAME me") as Map<Reply, Reply>;
  assertEquals(greeting.get("proto"), 3);
  assertEquals(greeting.get("role"), "master");
  assertEquals(server.run("CLIENT GETNAME"), "me");
  assertEquals(server.raw("GET missing"), "_\r\n");
});
Deno.test("clients are refused until they give the password", () => {
  const server = new TestServer();
  server.run("CONFIG SET requirepass secret");
  const client = server.client();
  assertEquals(client.run("GET k"), new ReplyError("NOAUTH Authentication required."));
  assertStringIncludes((client.run("AUTH wrong") as ReplyError).message, "WRONGPASS");
  assertEquals(client.run("AUTH secret"), "OK");
  assertEquals(client.run("GET k"), null);
});
Deno.test("CLIENT REPLY OFF, ON and SKIP choose what is answered", () => {
  const client = new TestServer().client();
  assertEquals(client.run("CLIENT REPLY OFF"), undefined);
  assertEquals(client.run("PING"), undefined);
  assertEquals(client.run("NOSUCH"), undefined);
  assertEquals(client.run("CLIENT REPLY ON"), "OK");
  assertEquals(client.run("CLIENT REPLY SKIP"), undefined);
  assertEquals(client.run("PING"), undefined);
  assertEquals(client.run("PING"), "PONG");
});
Deno.test("CLIENT REPLY SKIP is for a command that waits for the end of a pause, too", () => {
  const server = new TestServer();
  const writer = server.client();
  server.run("CLIENT PAUSE 1000 WRITE");
  writer.run("CLIENT REPLY SKIP");
  writer.run("SET k v");
  server.advance(1001);
  assertEquals(writer.run("PING"), "PONG");
  assertEquals(writer.read(), undefined);
});
Deno.test("CLIENT PAUSE WRITE lets writes wait and reads go on", () => {
  const server = new TestServer();
  const writer = server.client();
  server.run("CLIENT PAUSE 1000 WRITE");
  assertEquals(writer.run("SET k v"), undefined);
  assertEquals(server.run("GET k"), null);
  server.advance(1001);
  assertEquals(writer.read(), "OK");
  assertEquals(server.run("GET k"), "v");
});
Deno.test("CLIENT UNPAUSE ends a pause at once", () => {
  const server = new TestServer();
  const writer = server.client();
  server.run("CLIENT PAUSE 100000 WRITE");
  writer.run("SET k v");
  server.run("CLIENT UNPAUSE");
  assertEquals(writer.read(), "OK");
});
Deno.test("CLIENT KILL closes the clients that match and no others", () => {
  const server = new TestServer();
  const other = server.client();
  assertEquals(server.run(`CLIENT KILL ID ${other.client.id}`), 1);
  assert(other.isClosed);
  assertEquals(server.run(`CLIENT KILL ID ${other.client.id}`), 0);
});
Deno.test("CLIENT LIST and INFO show names, library and database", () => {
  const server = new TestServer();
  server.run("CLIENT SETNAME me");
  server.run("CLIENT SETINFO LIB-NAME tests");
  server.run("SELECT 3");
  const text = server.run("CLIENT INFO") as string;
  for (const field of ["name=me", "lib-name=tests", "db=3", "cmd=client|info", "resp=2"]) {
    assertStringIncludes(text, field);
  }
  assertEquals((server.run("CLIENT LIST") as string).trim().split("\n").length, 1);
});
Deno.test("CLIENT NO-TOUCH leaves access times as they are", () => {
  const server = new TestServer();
  server.run("SET k v");
  server.advance(5000);
  server.run("CLIENT NO-TOUCH ON");
  server.run("GET k");
  assertEquals(server.run("OBJECT IDLETIME k"), 5);
  server.run("CLIENT NO-TOUCH OFF");
  server.run("GET k");
  assertEquals(server.run("OBJECT IDLETIME k"), 0);
});
Deno.test("MONITOR shows what others run, without secrets", () => {
  const server = new TestServer();
  const monitor = server.client();
  monitor.run("MONITOR");
  server.run("SET k 'a b'");
  server.run("AUTH secret");
  server.run("CONFIG SET timeout 0");
  const text = monitor.raw();
  assertStringIncludes(text, '"SET" "k" "a b"');
  assert(!text.includes("secret"));
  assert(!text.includes("timeout"));
});
Deno.test("RESET brings a connection back to its first state", () => {
  const server = new TestServer();
  server.run("HELLO 3");
  server.run("SELECT 5");
  server.run("MULTI");
  assertEquals(server.run("RESET"), "RESET");
  assertStringIncludes(server.run("CLIENT INFO") as string, "db=0");
  assertEquals(server.raw("GET missing"), "$-1\r\n");
});
Deno.test("requests cut at every position are answered alike", () => {
  const request =
    "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nv\r\nlu\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING\r\n";
  const bytes = new TextEncoder().encode(request);
  for (let cut = 1; cut < bytes.length; cut++) {
    const client = new TestServer().client();
    client.send(bytes.subarray(0, cut));
    client.send(bytes.subarray(cut));
    assertEquals(client.raw(), "+OK\r\n$5\r\nv\r\nlu\r\n+PONG\r\n", `cut at ${cut}`);
  }
  const client = new TestServer().client();
  for (const byte of bytes) client.send(Uint8Array.of(byte));
  assertEquals(client.raw(), "+OK\r\n$5\r\nv\r\nlu\r\n+PONG\r\n");
});
Deno.test("bytes that break the protocol are answered with Redis's error", () => {
  const cases: [string, string][] = [
    ["*3\r\n$3\r\nSET\r\n$1\r\nk\r\nfoo\r\n", "expected '$', got 'f'"],
    ["*99999999999\r\n", "invalid multibulk length"],
    ["*1\r\n$-1\r\n", "invalid bulk length"],
    ["*1\r\n$2000000000\r\n", "invalid bulk length"],
    ["*1\r\n$abc\r\n", "invalid bulk length"],
    ['SET k "unbalanced\r\n', "unbalanced quotes in request"],
    ["x".repeat(70_000), "too big inline request"],
    [`*${"1".repeat(70_000)}`, "too big mbulk count string"],
    [`*1\r\n$${"1".repeat(70_000)}`, "too big bulk count string"],
  ];
  for (const [request, text] of cases) {
    const client = new TestServer().client();
    client.send(new TextEncoder().encode(request));
    assertEquals(client.raw(), `-ERR Protocol error: ${text}\r\n`);
    assert(client.isClosed);
  }
});
Deno.test("a large value arrives whole, whatever the pieces", () => {
  const client = new TestServer().client();
  const value = "x".repeat(300_000);
  const bytes = new TextEncoder().encode(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$300000\r\n${value}\r\n`);
  for (let at = 0; at < bytes.length; at += 7001) client.send(bytes.subarray(at, at + 7001));
  assertEquals(client.raw(), "+OK\r\n");
  assertEquals(client.run("STRLEN k"), 300_000);
});
