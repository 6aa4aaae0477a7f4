import { assert, assertEquals } from "@std/assert";
import { Errors } from "../../src/protocol/errors.ts";
import { ReplyError, TestServer } from "../support/harness.ts";

Deno.test("EXEC runs what MULTI has queued, errors included", () => {
  const server = new TestServer();
  for (const line of ["MULTI", "SET k hello", "INCR k", "GET k"]) server.run(line);
  assertEquals(server.run("EXEC"), [
    "OK",
    new ReplyError("ERR value is not an integer or out of range"),
    "hello",
  ]);
});
Deno.test("EXEC answers null when a watched key has changed", () => {
  const server = new TestServer();
  const other = server.client();
  server.run("SET k 1");
  server.run("WATCH k");
  other.run("SET k 2");
  server.run("MULTI");
  server.run("SET k 3");
  assertEquals(server.run("EXEC"), null);
  assertEquals(server.run("GET k"), "2");
});
Deno.test("EXEC answers null when a watched key has expired", () => {
  const server = new TestServer();
  server.run("SET k 1 PX 10");
  server.run("WATCH k");
  server.advance(20);
  server.run("MULTI");
  server.run("PING");
  assertEquals(server.run("EXEC"), null);
});
Deno.test("EXEC runs if a watched key had expired before WATCH", () => {
  const server = new TestServer();
  server.run("DEBUG SET-ACTIVE-EXPIRE 0");
  server.run("SET k 1 PX 10");
  server.advanceClock(20);
  server.run("WATCH k");
  server.run("MULTI");
  server.run("PING");
  assertEquals(server.run("EXEC"), ["PONG"]);
});
Deno.test("a command that can't be queued aborts the transaction", () => {
  const server = new TestServer();
  server.run("MULTI");
  server.run("NOSUCH");
  server.run("SET k v");
  assertEquals(
    server.run("EXEC"),
    new ReplyError("EXECABORT Transaction discarded because of previous errors."),
  );
  assertEquals(server.run("EXISTS k"), 0);
});
Deno.test("what EXEC runs is counted and logged by itself", () => {
  const server = new TestServer();
  server.run("CONFIG SET slowlog-log-slower-than 0");
  server.run("SLOWLOG RESET");
  server.run("MULTI");
  server.run("SET k v");
  server.run("EXEC");
  const names = (server.run("SLOWLOG GET") as unknown[][]).map((entry) =>
    (entry[3] as string[])[0]
  );
  assertEquals(names.filter((name) => name === "SET").length, 1);
});
Deno.test("EXEC of writes is refused beyond maxmemory, and ends the transaction", () => {
  const server = new TestServer();
  server.run("MULTI");
  server.run("SET k v");
  const other = server.client();
  other.run("CONFIG SET maxmemory 1");
  assertEquals(
    server.run("EXEC"),
    new ReplyError(
      "EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.",
    ),
  );
  assertEquals(server.run("PING"), "PONG");
});
Deno.test("CLIENT REPLY inside MULTI silences the replies that follow, or lets them through", () => {
  const server = new TestServer();
  const exec = (...lines: string[]): string => {
    for (const line of ["MULTI", ...lines]) server.run(line);
    return server.raw("EXEC");
  };
  assertEquals(exec("PING", "CLIENT REPLY OFF", "PING", "GET k"), "*4\r\n+PONG\r\n");
  assertEquals(server.raw("PING"), "");
  assertEquals(server.run("CLIENT REPLY ON"), "OK");
  assertEquals(
    exec("CLIENT REPLY OFF", "PING", "CLIENT REPLY ON", "PING"),
    "*4\r\n+OK\r\n+PONG\r\n",
  );
  assertEquals(exec("CLIENT REPLY SKIP", "PING"), "*2\r\n+PONG\r\n");
  assertEquals([server.raw("PING"), server.raw("PING")], ["", "+PONG\r\n"]);
  server.run("CLIENT REPLY OFF");
  assertEquals(exec("PING", "CLIENT REPLY ON", "PING"), "+OK\r\n+PONG\r\n");
});
Deno.test("MONITOR is refused inside EXEC", () => {
  const server = new TestServer();
  for (const line of ["MULTI", "MONITOR"]) server.run(line);
  assertEquals(server.run("EXEC"), [
    new ReplyError("ERR MONITOR isn't allowed for DENY BLOCKING client"),
  ]);
  assertEquals(server.raw("PING"), "+PONG\r\n");
});
Deno.test("CLIENT INFO inside EXEC shows the transaction", () => {
  const server = new TestServer();
  for (const line of ["MULTI", "CLIENT INFO", "PING"]) server.run(line);
  const [info] = server.run("EXEC") as [string];
  for (const field of ["flags=x", "multi=2", "cmd=exec"]) {
    assertEquals(info.includes(` ${field} `), true, field);
  }
  const after = String(server.run("CLIENT INFO"));
  for (const field of ["flags=N", "multi=-1", "cmd=client|info"]) {
    assertEquals(after.includes(` ${field} `), true, field);
  }
});
Deno.test("CLIENT LIST shows the command that was queued or refused last", () => {
  const server = new TestServer();
  const other = server.client();
  const shown = (line: string): string => {
    other.run(line);
    return / cmd=(\S+) .*\n$/.exec(String(server.run("CLIENT LIST")))?.[1] ?? "";
  };
  const lines = ["PING", "NOSUCH", "GET", "OBJECT NOSUCH", "MULTI", "OBJECT ENCODING k", "SAVE"];
  assertEquals(lines.map(shown), [
    "ping",
    "NULL",
    "get",
    "NULL",
    "multi",
    "object|encoding",
    "save",
  ]);
});
Deno.test("BGSAVE and BGREWRITEAOF inside EXEC begin after it", async () => {
  using server = new TestServer();
  for (const line of ["MULTI", "SET a 1", "BGSAVE", "SET b 2", "BGREWRITEAOF"]) server.run(line);
  assertEquals(server.run("EXEC"), [
    "OK",
    "Background saving scheduled",
    "OK",
    "Background append only file rewriting scheduled",
  ]);
  const isSaved = (): boolean => /rdb_saves:1/.test(String(server.run("INFO persistence")));
  while (!isSaved()) {
    server.advance(200);
    await new Promise((resolve) => setTimeout(resolve));
  }
});

Deno.test("PING fails when a save has failed, but not one that was queued before", () => {
  const server = new TestServer();
  server.run("MULTI");
  server.run("PING");
  server.engine.gates.misconf = Errors.internal;
  assertEquals(server.run("EXEC"), ["PONG"]);
  assert(server.run("PING") instanceof ReplyError);
});
