import { assert, assertEquals, assertMatch } from "@std/assert";
import { Reader } from "../../src/engine/propagation.ts";
import { ManualClock } from "../../src/lib/clock.ts";
import { loadMachinery } from "../../src/scripting/machinery.ts";
import { ReplyError, TestServer } from "../support/harness.ts";
import { binaryBytes } from "../../src/protocol/args.ts";
import { requestOf } from "../support/requests.ts";

const lua = await loadMachinery();

/** Counts how often it is looked at. */
class CountingClock extends ManualClock {
  readings = 0;

  override monotonicUs(): number {
    this.readings++;
    return super.monotonicUs();
  }
}

function fresh(directives: Readonly<Record<string, string>> = {}): TestServer {
  return new TestServer({ lua, directives });
}

/** What redis-server 7.2.6 replies: the words of a request, the reply in RESP2 and, if it differs, in RESP3. */
type Recorded = [words: string[], resp2: string, resp3?: string];
const recorded: Recorded[] = Deno.readTextFileSync("tests/support/script_replies.jsonl")
  .split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));

for (const version of [2, 3]) {
  Deno.test(`Scripts get the replies of redis-server 7.2.6 in RESP${version}`, () => {
    const server = fresh();
    const client = server.client();
    if (version === 3) client.run("HELLO 3");
    const differences: string[] = [];
    for (const [words, resp2, resp3] of recorded) {
      const expected = version === 3 ? resp3 ?? resp2 : resp2;
      client.send(binaryBytes(requestOf(words)));
      const actual = client.raw();
      if (actual !== expected) {
        differences.push(`${words}\n  ${JSON.stringify(expected)}\n  ${JSON.stringify(actual)}`);
      }
    }
    assertEquals(differences.join("\n"), "");
  });
}

Deno.test("The first script waits until Lua is loaded; others go on meanwhile", async () => {
  const server = new TestServer();
  const [one, other] = [server.client(), server.client()];
  assertEquals(one.run(`EVAL "return 'ready'" 0`), undefined);
  assertEquals(other.run("PING"), "PONG");
  await server.engine.scripts?.load();
  await Promise.resolve();
  assertEquals(one.read(), "ready");
});

Deno.test("A script that can't be compiled is not cached, one that fails is", () => {
  const server = fresh();
  assertMatch(String((server.run(`EVAL "return (" 0`) as ReplyError).message), /^ERR Error comp/);
  server.run(`EVAL "error('x')" 0`);
  assertMatch(server.run("INFO memory") as string, /number_of_cached_scripts:1\r/);
});

Deno.test("A script's error leaves nothing behind", () => {
  const server = fresh();
  server.run("SET k v");
  assert(
    server.run(`EVAL "redis.call('SELECT', 3) redis.setresp(3) error('x')" 0`) instanceof
      ReplyError,
  );
  assertEquals(server.run("GET k"), "v");
  assertEquals(server.run(`EVAL "return {redis.call('GET', 'k'), redis.call('GET', 'none')}" 0`), [
    "v",
    null,
  ]);
  assertEquals(server.run(`EVAL "setfenv(0, {}) setfenv(1, {})" 0`), null);
  assertEquals(server.run(`EVAL "return type(redis)" 0`), "table");
});

Deno.test("The metatable of strings is read-only, too", () => {
  const server = fresh();
  const reply = server.run(`EVAL "getmetatable('').__index = nil" 0`) as ReplyError;
  assertMatch(reply.message, /^ERR user_script:1: Attempt to modify a readonly table/);
});

Deno.test("An error without a text ends the script, and not the server", () => {
  const server = fresh();
  const reply = server.run(`EVAL "error({})" 0`) as ReplyError;
  assertMatch(reply.message, /^ERR unknown error script: [0-9a-f]{40}, on @user_script:1\.$/);
});

Deno.test("math.random gives the numbers of redis-server 7.2.6 after a seed", () => {
  const server = fresh();
  const script =
    "math.randomseed(10) return {tostring(math.random()), math.random(1000), math.random(-5, 1000)}";
  assertEquals(server.call("EVAL", script, "0"), ["0.87885112309775", 796, 478]);
});

Deno.test("What a script changes is propagated as one transaction, and the script is not", () => {
  const server = fresh({ appendonly: "yes" });
  const propagated = server.listen();
  server.run(
    `EVAL "redis.call('SET', 'a', 1) redis.call('GET', 'a') redis.call('SPOP', 'none') redis.call('DEL', 'a')" 0`,
  );
  server.run(`EVAL "return redis.call('SET', 'b', 1)" 0`);
  server.run(`EVAL "redis.set_repl(redis.REPL_NONE) redis.call('SET', 'c', 1)" 0`);
  assertEquals(
    propagated().replaceAll(/\r\n(\$\d+\r\n)?/g, " ").replaceAll(/\*\d+ /g, "| "),
    "| MULTI | SELECT 0 | SET a 1 | DEL a | EXEC | SET b 1 ",
  );
});

/** A script that says who gets its commands, and what the log and the replicas get of it. As redis-server 7.2.6. */
const SENT_TO: readonly (readonly [script: string, log: string, replicas: string])[] = [
  [
    "call('set','a',1) set_repl(1) call('set','b',1) set_repl(2) call('set','c',1) set_repl(0) call('set','d',1)",
    "MULTI set a 1 set b 1 EXEC",
    "MULTI set a 1 set c 1 EXEC",
  ],
  ["set_repl(1) call('set','e',1)", "set e 1", ""],
  ["set_repl(2) call('set','e',1)", "", "set e 1"],
  ["set_repl(0) call('set','e',1)", "", ""],
  ["set_repl(1) call('set','e',1) call('set','f',1)", "MULTI set e 1 set f 1 EXEC", "MULTI EXEC"],
  ["set_repl(2) call('set','e',1) call('set','f',1)", "MULTI EXEC", "MULTI set e 1 set f 1 EXEC"],
  ["set_repl(2) call('lpop','list')", "", "lpop list"],
  [
    "set_repl(1) call('publish','c','1') set_repl(2) call('publish','c','2') set_repl(0) call('publish','c','3') set_repl(3) call('publish','c','4')",
    "MULTI EXEC",
    "MULTI publish c 2 publish c 4 EXEC",
  ],
  [
    "set_repl(0) call('get','old') set_repl(1) call('set','old2',2)",
    "MULTI DEL old DEL old2 set old2 2 EXEC",
    "MULTI DEL old DEL old2 EXEC",
  ],
];

Deno.test("redis.set_repl says who gets a script's commands, and keys that expire meanwhile are removed everywhere", () => {
  const server = fresh({ appendonly: "yes" });
  server.run("DEBUG SET-ACTIVE-EXPIRE 0");
  server.run("RPUSH list a b");
  for (const key of ["old", "old2"]) server.run(`SET ${key} v PX 10`);
  server.clock.advance(20);
  const heard = [server.listen(Reader.log), server.listen(Reader.replica)];
  server.run("SET first 1");
  let sent = heard.map((stream) => stream().length);
  for (const [script, ...expected] of SENT_TO) {
    server.call("EVAL", script.replaceAll(/(set_repl|call)/g, "redis.$1"), "0");
    const streams = heard.map((stream) => stream());
    const words = streams.map((stream, i) => {
      return stream.slice(sent[i]).replaceAll(/[*$]\d+\r\n/g, "").replaceAll("\r\n", " ").trimEnd();
    });
    assertEquals(words, expected, script);
    sent = streams.map((stream) => stream.length);
  }
});

Deno.test("redis.set_repl and redis.setresp leave fractions out, and refuse numbers that wrap to right ones", () => {
  const server = fresh();
  const isRight = (call: string): boolean => server.call("EVAL", `redis.${call}`, "0") === null;
  for (const number of ["3.9999", "2", "'3'"]) {
    assert(isRight(`setresp(${number})`) && isRight(`set_repl(${number})`), number);
  }
  for (const number of ["2^32+3", "2^53+2", "0/0", "1e300", "4"]) {
    assert(!isRight(`setresp(${number})`) && !isRight(`set_repl(${number})`), number);
  }
});

Deno.test("A script's commands are counted and timed beside it, and the slow log names the script alone", () => {
  const server = fresh({ "slowlog-log-slower-than": "0" });
  server.run(
    `EVAL "redis.call('SET', 'a', 1) redis.call('SET', 'a', 2) redis.pcall('LPUSH', 'a', 1)" 0`,
  );
  const info = server.run("INFO commandstats") as string;
  assertMatch(info, /cmdstat_set:calls=2,/);
  assertMatch(info, /cmdstat_lpush:calls=1,.*failed_calls=1/);
  assertMatch(info, /cmdstat_eval:calls=1,.*failed_calls=0/);
  assertMatch(server.run("INFO errorstats") as string, /errorstat_WRONGTYPE:count=1/);
  const slow = JSON.stringify(server.run("SLOWLOG GET 10"));
  assert(slow.includes("EVAL") && !slow.includes('"SET"'));
});

Deno.test("Short commands of a script share a reading of the clock, whichever they are", () => {
  const clock = new CountingClock(0);
  const server = new TestServer({ lua, clock });
  const readings = (line: string): number => {
    const before = clock.readings;
    server.run(line);
    return clock.readings - before;
  };
  const one = readings(`EVAL "redis.call('GET', 'a')" 0`);
  const many = "redis.call('GET', 'a') redis.call('HSET', 'h', 'f', 1) redis.call('LLEN', 'l')";
  assertEquals(readings(`EVAL "${many.repeat(4)}" 0`), one);
  const text = server.run(`EVAL "${many} return redis.call('INFO', 'commandstats')" 0`) as string;
  assertMatch(text, /cmdstat_get:calls=6,/);
  assertMatch(text, /cmdstat_hset:calls=5,/);
  assertMatch(text, /cmdstat_llen:calls=5,/);
});

Deno.test("A long reply in a script is counted with the time of the commands before it", () => {
  const server = fresh();
  server.run(
    `EVAL "redis.call('SET', 'a', string.rep('x', 100000)) redis.call('GET', 'b') redis.call('GET', 'a')" 0`,
  );
  assertMatch(server.run("INFO commandstats") as string, /cmdstat_get:calls=2,/);
  assertMatch(server.run("INFO commandstats") as string, /cmdstat_set:calls=1,/);
});

Deno.test("An error that a script passes on is counted once", () => {
  const server = fresh();
  server.run("SET a 1");
  server.run(`EVAL "return redis.call('LPUSH', 'a', 1)" 0`);
  server.run(`EVAL "return redis.pcall('LPUSH', 'a', 1)" 0`);
  server.run(`EVAL "return redis.error_reply('MINE x')" 0`);
  const info = server.run("INFO errorstats") as string;
  assertMatch(info, /errorstat_WRONGTYPE:count=2/);
  assertMatch(info, /errorstat_MINE:count=1/);
  assertMatch(server.run("INFO commandstats") as string, /cmdstat_eval:calls=3,.*failed_calls=3/);
});

Deno.test("MONITOR shows a script before the commands that it calls", () => {
  const server = fresh();
  const monitor = server.client();
  monitor.run("MONITOR");
  server.run(`EVAL "redis.call('SET', 'a', 1)" 0`);
  const lines = monitor.raw().split("\r\n").filter((line) => line !== "").map((line) =>
    line.slice(19)
  );
  assertEquals(lines, [
    `[0 127.0.0.1:50000] "EVAL" "redis.call('SET', 'a', 1)" "0"`,
    `[0 lua] "SET" "a" "1"`,
  ]);
});

Deno.test("Scripts run inside MULTI, and their commands do not block", () => {
  const server = fresh();
  server.run("MULTI");
  server.run(`EVAL "return redis.call('BLPOP', 'none', 0)" 0`);
  server.run(`EVAL "return redis.call('SET', 'k', ARGV[1])" 0 v`);
  server.run("GET k");
  assertEquals(server.run("EXEC"), [null, "OK", "v"]);
});

Deno.test("A script that wakes a waiting client is over before it is served", () => {
  const server = fresh();
  const waiting = server.client();
  waiting.run("BLPOP list 0");
  assertEquals(
    server.run(`EVAL "redis.call('RPUSH', 'list', 'a') return redis.call('LLEN', 'list')" 0`),
    1,
  );
  assertEquals(waiting.read(), ["list", "a"]);
});

Deno.test("Without memory a script's writes are refused, unless it has written or says allow-oom", () => {
  const server = fresh();
  server.run("SET k v");
  server.run("CONFIG SET maxmemory 1");
  const oom = /^OOM command not allowed when used memory > 'maxmemory'\. script: /;
  assertMatch((server.run(`EVAL "redis.call('SET', 'k', 1)" 0`) as ReplyError).message, oom);
  assertEquals(
    server.run(`EVAL "redis.call('DEL', 'k') return redis.call('SET', 'k', 1)" 0`),
    "OK",
  );
  assertEquals(
    server.call("EVAL", "#!lua flags=allow-oom\nreturn redis.call('SET', 'k', 1)", "0"),
    "OK",
  );
  assertEquals(
    (server.call("EVAL", "#!lua\nreturn 1", "0") as ReplyError).message,
    "OOM command not allowed when used memory > 'maxmemory'.",
  );
  assertEquals(
    server.call("EVAL", "#!lua flags=no-writes\nreturn redis.call('GET', 'k')", "0"),
    "1",
  );
});

Deno.test("The memory that a script took is given back when it is over", () => {
  const server = fresh();
  assertEquals(server.run(`EVAL "return #('x'):rep(50000000)" 0`), 50_000_000);
  // Its machine is dropped as a whole. When V8 frees that is up to V8.
  assertEquals(server.engine.scripts?.figures.luaBytes, 0);
  assertEquals(server.run(`EVAL "return 1" 0`), 1);
});

Deno.test("The memory that a script's arguments took is given back, too", () => {
  const server = fresh();
  const client = server.client();
  const request = requestOf(["EVAL", "return #ARGV[1]", "0", "x".repeat(40_000_000)]);
  client.send(new TextEncoder().encode(request));
  assertEquals(client.read(), 40_000_000);
  assertEquals(server.engine.scripts?.figures.luaBytes, 0);
});

Deno.test("When many scripts are cached, not every script is followed by a collection of garbage", () => {
  const server = fresh();
  const client = server.client();
  for (let i = 0; i < 12; i++) {
    const script = `return #'${i}${"x".repeat(4_000_000)}'`;
    client.send(new TextEncoder().encode(requestOf(["EVAL", script, "0"])));
    client.read();
  }
  const luaBytes = (): number => server.engine.scripts?.figures.luaBytes ?? 0;
  const before = luaBytes();
  assert(before > 32_000_000, `${before} bytes`);
  client.run(`EVAL "local t = {} for i = 1, 20000 do t[i] = i .. 'x' end return 1" 0`);
  assert(luaBytes() > before + 500_000, `${luaBytes() - before} bytes`);
});

Deno.test("SCRIPT FLUSH forgets all scripts, and the next ones run", () => {
  const server = fresh();
  const sha = server.run(`SCRIPT LOAD "return 5"`) as string;
  assertEquals(server.run(`EVALSHA ${sha} 0`), 5);
  assertEquals(server.run("SCRIPT FLUSH"), "OK");
  assertEquals(
    (server.run(`EVALSHA ${sha} 0`) as ReplyError).message,
    "NOSCRIPT No matching script. Please use EVAL.",
  );
  assertEquals(server.run(`EVAL "return 6" 0`), 6);
});
