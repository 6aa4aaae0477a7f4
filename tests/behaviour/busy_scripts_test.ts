/** Scripts that run for longer than `busy-reply-threshold`: what others hear, and what must not happen meanwhile. */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { ManualClock } from "../../src/lib/clock.ts";
import { loadMachinery } from "../../src/scripting/machinery.ts";
import { type Reply, ReplyError, type TestClient, TestServer } from "../support/harness.ts";

const lua = await loadMachinery();
const LONG = "local n = 0 for i = 1, 5e5 do n = n + 1 end";
const BUSY =
  "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
const KILLED =
  /^ERR Script killed by user with SCRIPT KILL\.\.\. script: [0-9a-f]{40}, on @user_script:1\.$/;

/** Each look at this clock takes a millisecond. */
class TickingClock extends ManualClock {
  #us = 0;

  override monotonicUs(): number {
    return this.#us += 1000;
  }
}

function fresh(directives: Readonly<Record<string, string>> = {}): TestServer {
  return new TestServer({
    lua,
    clock: new TickingClock(1_700_000_000_000),
    directives: { "busy-reply-threshold": "5", ...directives },
  });
}

function messageOf(reply: Reply): string {
  if (reply instanceof ReplyError) return reply.message;
  throw new Error(`${reply} is no error`);
}

/** The words of a stream of commands, without what begins with no letter. */
function wordsOf(stream: string): string {
  return stream.split("\r\n").filter((word) => /^[A-Za-z]/.test(word)).join(" ");
}

/** The next reply of a client whose script is suspended. */
async function replyOf(client: TestClient): Promise<Reply> {
  for (;;) {
    const reply = client.client.blocked === null ? client.read() : undefined;
    if (reply !== undefined) return reply;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

for (
  const script of [
    "while true do end",
    "while true do pcall(function() while true do end end) end",
    "while true do local f = coroutine.wrap(function() while true do end end) pcall(f) end",
    "while true do ('x'):gsub('x', function() while true do end end) end",
  ]
) {
  Deno.test(`SCRIPT KILL ends ${script}`, async () => {
    const server = fresh();
    const [runs, other] = [server.client(), server.client()];
    assertEquals(runs.call("EVAL", script, "0"), undefined);
    assertEquals(messageOf(other.run("GET k")), BUSY);
    assertEquals(messageOf(other.run(`EVAL "return 1" 0`)), BUSY);
    assertEquals(other.run("SCRIPT KILL"), "OK");
    assertMatch(messageOf(await replyOf(runs)), KILLED);
    assertEquals(runs.run(`EVAL "return 1" 0`), 1);
    assertEquals(other.run("GET k"), null);
    assertEquals(messageOf(other.run("SCRIPT KILL")), "NOTBUSY No scripts in execution right now.");
  });
}

Deno.test("A script that takes long replies when it is over, and what its client has sent meanwhile runs then", async () => {
  const server = fresh();
  const [runs, other] = [server.client(), server.client()];
  assertEquals(
    runs.run(`EVAL "${LONG} redis.call('SET', 'k', n) return redis.call('GET', 'k')" 0`),
    undefined,
  );
  assertEquals(runs.run("GET k"), undefined);
  assertEquals(messageOf(other.run("GET k")), BUSY);
  assertEquals(await replyOf(runs), "500000");
  assertEquals(await replyOf(runs), "500000");
  assertEquals(other.run("GET k"), "500000");
  assertMatch(server.run("INFO commandstats") as string, /cmdstat_eval:calls=1,.*failed_calls=0/);
});

Deno.test("A script that has written can't be killed", async () => {
  const server = fresh();
  const [runs, other] = [server.client(), server.client()];
  runs.run(`EVAL "redis.call('SET', 'k', 1) ${LONG} redis.call('INCR', 'k')" 0`);
  assertMatch(
    messageOf(other.run("SCRIPT KILL")),
    /^UNKILLABLE Sorry the script already executed write/,
  );
  assertEquals(await replyOf(runs), null);
  assertEquals(other.run("GET k"), "2");
});

Deno.test("EXEC goes on behind a script that was suspended in it", async () => {
  const server = fresh({ appendonly: "yes" });
  const [runs, other] = [server.client(), server.client()];
  const propagated = server.listen();
  runs.run("SELECT 1");
  runs.run("MULTI");
  runs.run("SET a 1");
  for (const key of ["b", "c"]) runs.run(`EVAL "${LONG} return redis.call('SET', '${key}', n)" 0`);
  runs.run("INCR a");
  runs.send(new TextEncoder().encode("EXEC\r\n"));
  assertEquals(other.run("MULTI"), "OK");
  assertEquals(messageOf(other.run("SET x 1")), BUSY);
  assertMatch(messageOf(other.run("EXEC")), /^EXECABORT Transaction discarded because of: BUSY/);
  assertEquals(propagated(), "");
  assertEquals(await replyOf(runs), ["OK", "OK", "OK", 2]);
  assertEquals(runs.run("GET a"), "2");
  assertEquals(wordsOf(propagated()), "MULTI SELECT SET a SET b SET c INCR a EXEC");
});

Deno.test("What was complete before a script is propagated while that is suspended", async () => {
  const server = fresh({ appendonly: "yes" });
  const [runs, other] = [server.client(), server.client()];
  const propagated = server.listen();
  other.run("SET a 1");
  runs.run(`EVAL "redis.call('SET', 'b', 1) ${LONG} redis.call('SET', 'c', 1)" 0`);
  assertEquals(wordsOf(propagated()), "SELECT SET a");
  other.run("WATCH a");
  server.engine.propagation.endUnit();
  assertEquals(wordsOf(propagated()), "SELECT SET a");
  await replyOf(runs);
  assertEquals(wordsOf(propagated()), "SELECT SET a MULTI SET b SET c EXEC");
});

Deno.test("While a script is suspended no key expires, nobody is served, and no timer changes data", async () => {
  const server = fresh();
  const [runs, waiting, other] = [server.client(), server.client(), server.client()];
  server.run("SET k v PX 100");
  waiting.run("BLPOP list 1");
  runs.run(
    `EVAL "redis.call('RPUSH', 'list', 'a') ${LONG} return {redis.call('EXISTS', 'k'), redis.call('LLEN', 'list')}" 0`,
  );
  server.advance(5_000);
  assertEquals(other.run("WATCH k"), "OK");
  assertEquals(waiting.read(), undefined);
  assertEquals(server.engine.keyspace.keyCount, 2);
  assertEquals(await replyOf(runs), [1, 1]);
  assertEquals(waiting.read(), ["list", "a"]);
  server.advance(1);
  assertEquals(server.engine.keyspace.keyCount, 0);
});

Deno.test("A change by anybody else is a broken invariant while a script is suspended", async () => {
  const server = fresh();
  const runs = server.client();
  server.run("SET k v");
  runs.run(`EVAL "${LONG}" 0`);
  const { keyspace } = server.engine;
  assertThrows(
    () => keyspace.hooks.willChange(0, 0),
    Error,
    "nothing changes while a script is suspended",
  );
  await replyOf(runs);
  keyspace.hooks.willChange(0, 0);
});

Deno.test("A script goes on when its client has gone", async () => {
  const server = fresh();
  const runs = server.client();
  runs.run(`EVAL "redis.call('SET', 'a', 1) ${LONG} redis.call('SET', 'b', 1)" 0`);
  runs.client.transport.kill();
  while (server.engine.gates.busy !== null) await new Promise((resolve) => setTimeout(resolve, 1));
  await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(server.run("MGET a b"), ["1", "1"]);
});

Deno.test("SHUTDOWN is refused while a script is suspended, SHUTDOWN NOSAVE is not", async () => {
  const server = fresh();
  const [runs, other] = [server.client(), server.client()];
  runs.run("EVAL 'while true do end' 0");
  assertEquals(messageOf(other.run("SHUTDOWN")), BUSY);
  assertEquals(messageOf(other.run("SHUTDOWN SAVE")), BUSY);
  assertEquals(other.run("SHUTDOWN NOSAVE"), undefined);
  other.run("SCRIPT KILL");
  await replyOf(runs);
});

Deno.test("With busy-reply-threshold 0 no script is suspended", () => {
  const server = fresh({ "busy-reply-threshold": "0" });
  assertEquals(server.run(`EVAL "${LONG} return n" 0`), 500_000);
});

Deno.test("CLIENT REPLY OFF and SKIP hold for a script that was suspended", async () => {
  const server = fresh();
  const runs = server.client();
  runs.run("CLIENT REPLY SKIP");
  runs.run(`EVAL "${LONG} return 1" 0`);
  runs.run("PING");
  assertEquals(await replyOf(runs), "PONG");
  assertEquals(runs.run("PING"), "PONG");
});

Deno.test("Redis's clock stands still for a script, suspended or not", async () => {
  const server = fresh({ "busy-reply-threshold": "5" });
  const runs = server.client();
  runs.run(
    `EVAL "local a = redis.call('TIME') ${LONG} local b = redis.call('TIME') return {a, b}" 0`,
  );
  server.advanceClock(3000);
  const [before, after] = await replyOf(runs) as Reply[];
  assertEquals(before, after);
  assertEquals((server.run("TIME") as string[])[0], "1700000003");
});

const BUSY_FUNCTION = BUSY.replace("SCRIPT KILL", "FUNCTION KILL");

Deno.test("A function that takes long is shown by FUNCTION STATS, and only FUNCTION KILL ends it", async () => {
  const server = fresh();
  const [runs, other] = [server.client(), server.client()];
  const endless = "function() while true do pcall(function() while true do end end) end end";
  runs.call("FUNCTION", "LOAD", `#!lua name=x\nredis.register_function('f', ${endless})`);
  const engines = ["LUA", ["libraries_count", 1, "functions_count", 1]];
  for (let i = 0; i < 2; i++) {
    assertEquals(runs.call("FCALL", "f", "1", "k", "a\0b"), undefined);
    const [, running] = other.run("FUNCTION STATS") as [string, (string | string[])[]];
    assertEquals(running.slice(0, 4), ["name", "f", "command", ["FCALL", "f", "1", "k", "a\0b"]]);
    assertEquals([running[4], typeof running[5]], ["duration_ms", "number"]);
    for (const line of ["PING", "FUNCTION LIST", "FUNCTION FLUSH", "FCALL f 0", "SCRIPT KILL"]) {
      assertEquals(messageOf(other.run(line)), BUSY_FUNCTION, line);
    }
    assertEquals(other.run("FUNCTION KILL"), "OK");
    assertEquals(
      messageOf(await replyOf(runs)),
      "ERR Script killed by user with SCRIPT KILL... script: f, on @user_function:2.",
    );
    assertEquals(other.run("FUNCTION STATS"), ["running_script", null, "engines", engines]);
    assertEquals(other.run("FUNCTION LIST LIBRARYNAME y"), []);
  }
});

Deno.test("FUNCTION KILL and STATS while a script is suspended tell of SCRIPT KILL", async () => {
  const server = fresh();
  const [runs, other] = [server.client(), server.client()];
  assertEquals(runs.call("EVAL", "while true do end", "0"), undefined);
  assertEquals(messageOf(other.run("FUNCTION KILL")), BUSY);
  assertEquals(messageOf(other.run("FUNCTION STATS")), BUSY);
  assertEquals(other.run("SCRIPT KILL"), "OK");
  assertMatch(messageOf(await replyOf(runs)), KILLED);
});

Deno.test("A function inside EXEC is suspended, and the commands behind it run when it is over", async () => {
  const server = fresh();
  const [runs, other] = [server.client(), server.client()];
  runs.call(
    "FUNCTION",
    "LOAD",
    `#!lua name=x\nredis.register_function('f', function() ${LONG} return n end)`,
  );
  for (const line of ["MULTI", "SET k 1", "FCALL f 0", "FUNCTION FLUSH", "FCALL f 0", "SET k 2"]) {
    runs.run(line);
  }
  runs.send(new TextEncoder().encode("EXEC\r\n"));
  assertEquals(messageOf(other.run("GET k")), BUSY_FUNCTION);
  const replies = await replyOf(runs) as Reply[];
  assertEquals([...replies.slice(0, 3), replies[4]], ["OK", 500000, "OK", "OK"]);
  assertEquals(messageOf(replies[3]), "ERR Function not found");
  assertEquals(other.run("GET k"), "2");
});

Deno.test("A client that goes while its script is suspended leaves nothing behind, whatever follows in its transaction", async () => {
  const server = fresh();
  const [runs, other] = [server.client(), server.client()];
  runs.run("MULTI");
  runs.run(`EVAL "${LONG}" 0`);
  for (const line of ["SUBSCRIBE news", "CLIENT TRACKING ON BCAST"]) runs.run(line);
  runs.send(new TextEncoder().encode("EXEC\r\n"));
  server.server.hub.remove(runs.client);
  while (server.engine.suspension.client !== null) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertEquals(other.run("PUBSUB NUMSUB news"), ["news", 0]);
  assertEquals(server.engine.tracking, null);
});

Deno.test("A snapshot for a replica does not begin while a script is suspended", async () => {
  const server = fresh();
  const runs = server.client();
  runs.run(`EVAL "redis.call('INCR', 'k') ${LONG} redis.call('INCR', 'k') return 'done'" 0`);
  let begun = false;
  const path = server.engine.persistence?.snapshotToFile(
    () => begun = true,
    { keys: true, functions: true },
  );
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(begun, false);
  assertEquals(await replyOf(runs), "done");
  await Deno.remove(await path ?? "");
  assertEquals(begun, true);
});
