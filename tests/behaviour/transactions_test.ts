import { assertEquals } from "@std/assert";
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
