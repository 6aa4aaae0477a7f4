/** maxmemory: which keys go under each policy, when, and who is told. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ManualClock } from "../../src/lib/clock.ts";
import { loadMachinery } from "../../src/scripting/machinery.ts";
import { type Reply, ReplyError, type TestClient, TestServer } from "../support/harness.ts";

const lua = await loadMachinery();
const OOM = "OOM command not allowed when used memory > 'maxmemory'.";
const VALUE = "x".repeat(1000);

/** With so many samples, each search sees all keys of a test: the approximations are exact. */
function fresh(policy: string, directives: Readonly<Record<string, string>> = {}): TestServer {
  return new TestServer({
    directives: { "maxmemory-policy": policy, "maxmemory-samples": "1000", ...directives },
  });
}

function fill(server: TestServer, prefix: string, count: number, ...options: string[]): void {
  for (let i = 0; i < count; i++) server.call("SET", `${prefix}:${i}`, VALUE, ...options);
}

/** Sets the limit `bytes` below what is in use, and runs the timer. */
function lower(server: TestServer, bytes: number): void {
  server.run(`CONFIG SET maxmemory ${server.engine.usedBytes - bytes}`);
  server.advance(1);
}

function stat(server: TestServer, name: string): number {
  const info = server.run("INFO everything") as string;
  return Number(new RegExp(`^${name}:(.*)$`, "m").exec(info)?.[1]);
}

function keys(server: TestServer, pattern = "*"): string[] {
  return (server.run(`KEYS ${pattern}`) as string[]).sort();
}

/** The words of a stream of commands. */
function wordsOf(stream: string): string {
  return stream.replaceAll(/[*$]\d+\r\n/g, "").replaceAll("\r\n", " ").trimEnd();
}

/** Enough is free, but for the buffers of the last replies, and nothing is broken. */
function verify(server: TestServer): void {
  const { values } = server.parameters;
  const excess = server.engine.usedBytes - values.maxmemory;
  assert(excess <= 32 * 1024, `${excess}`);
  server.engine.keyspace.verify();
}

for (const order of ["lru", "lfu", "random", "ttl"]) {
  Deno.test(`volatile-${order} evicts keys with a deadline only, and refuses writes when there are no more`, () => {
    const server = fresh(`volatile-${order}`);
    fill(server, "lasting", 50);
    fill(server, "brief", 50, "EX", "100");
    lower(server, 20_000);
    assertEquals(keys(server, "lasting:*").length, 50);
    const left = keys(server, "brief:*").length;
    assert(left >= 28 && left <= 31, `${left}`);
    assertEquals(stat(server, "evicted_keys"), 50 - left);
    verify(server);
    server.run("CONFIG SET maxmemory 1");
    server.advance(1);
    assertEquals([keys(server, "lasting:*").length, keys(server, "brief:*").length], [50, 0]);
    assertEquals(server.run("SET a b"), new ReplyError(OOM));
    assertEquals(server.run("GET lasting:1"), VALUE);
    assertEquals(server.run("DEL lasting:1"), 1);
    server.engine.keyspace.verify();
  });
}

for (const policy of ["allkeys-lru", "allkeys-lfu", "allkeys-random", "simple-first"]) {
  Deno.test(`${policy} evicts any key of any database, until none is left`, () => {
    const server = fresh(policy);
    fill(server, "lasting", 50);
    server.run("SELECT 9");
    fill(server, "brief", 50, "EX", "100");
    lower(server, 20_000);
    const left = stat(server, "db0:keys=50") || server.engine.keyspace.keyCount;
    assert(left >= 78 && left <= 81, `${left}`);
    verify(server);
    server.run("CONFIG SET maxmemory 1");
    server.advance(1);
    assertEquals(server.engine.keyspace.keyCount, 0);
    assertEquals(server.run("SET a b"), new ReplyError(OOM));
    assertEquals(stat(server, "evicted_keys"), 100);
    server.engine.keyspace.verify();
  });
}

Deno.test("noeviction evicts nothing", () => {
  const server = fresh("noeviction");
  fill(server, "k", 10);
  lower(server, 5000);
  assertEquals(server.run("SET a b"), new ReplyError(OOM));
  assertEquals(server.run("DBSIZE"), 10);
});

for (const prefix of ["allkeys", "volatile"]) {
  Deno.test(`${prefix}-lru evicts the keys that were used least recently`, () => {
    const server = fresh(`${prefix}-lru`);
    for (let i = 0; i < 60; i++) {
      server.run(`SELECT ${i % 3}`);
      server.call("SET", `k:${i}`, VALUE, "EX", "100000");
      server.advance(1000);
    }
    // The oldest are used once more; the next twenty are the oldest then.
    for (let i = 0; i < 20; i++) {
      server.run(`SELECT ${i % 3}`);
      server.run(i % 2 === 0 ? `GET k:${i}` : `APPEND k:${i} y`);
      server.advance(1000);
    }
    lower(server, 20 * 1030);
    const left: number[] = [];
    for (let db = 0; db < 3; db++) {
      server.run(`SELECT ${db}`);
      left.push(...keys(server).map((key) => Number(key.slice(2))));
    }
    left.sort((one, other) => one - other);
    assert(left.length >= 39 && left.length <= 41, `${left}`);
    assertEquals(left.slice(0, 20), Array.from({ length: 20 }, (_, i) => i));
    assertEquals(
      left.slice(20),
      Array.from({ length: left.length - 20 }, (_, i) => 80 - left.length + i),
    );
  });

  Deno.test(`${prefix}-lfu evicts the keys that were used least frequently`, () => {
    const server = fresh(`${prefix}-lfu`, { "lfu-log-factor": "0" });
    for (let i = 0; i < 40; i++) {
      server.call("SET", `k:${i}`, VALUE, "EX", "100000");
      for (let times = 0; times < i; times++) server.run(`GET k:${i}`);
    }
    assertEquals(server.run("OBJECT FREQ k:30"), 35);
    lower(server, 20 * 1030);
    const left = keys(server).map((key) => Number(key.slice(2)));
    assert(left.length >= 19 && left.length <= 21, `${left}`);
    assert(left.every((i) => i >= 40 - left.length), `${left}`);
    assertEquals(server.run("OBJECT FREQ k:30"), 35);
  });
}

Deno.test("what was used often long ago goes before what is used now (lfu-decay-time)", () => {
  const server = fresh("allkeys-lfu", { "lfu-log-factor": "0" });
  fill(server, "past", 20);
  for (let times = 0; times < 20; times++) for (let i = 0; i < 20; i++) server.run(`GET past:${i}`);
  server.advance(22 * 60_000);
  fill(server, "now", 20);
  assertEquals([server.run("OBJECT FREQ past:0"), server.run("OBJECT FREQ now:0")], [3, 5]);
  lower(server, 10 * 1030);
  assertEquals(keys(server, "now:*").length, 20);
});

Deno.test("volatile-ttl evicts in the order of deadlines, whatever their database", () => {
  const server = fresh("volatile-ttl", { "maxmemory-samples": "1" });
  server.run("CONFIG SET notify-keyspace-events Ee");
  const listener = server.client();
  listener.run("PSUBSCRIBE *");
  for (let i = 0; i < 50; i++) {
    server.run(`SELECT ${i % 5}`);
    server.call("SET", `k:${(i * 37) % 50}`, VALUE, "EX", `${1000 + ((i * 37) % 50)}`);
  }
  lower(server, 30 * 1030);
  const order: number[] = [];
  for (let heard = listener.read(); heard !== undefined; heard = listener.read()) {
    order.push(Number((heard as string[])[3].slice(2)));
  }
  assert(order.length >= 29 && order.length <= 31, `${order}`);
  assertEquals(order, order.map((_, i) => i));
});

Deno.test("a candidate that was used since it was seen is not evicted", () => {
  const server = fresh("allkeys-lru");
  fill(server, "k", 20);
  server.advance(10_000);
  fill(server, "new", 20);
  lower(server, 1030); // The pool has sixteen of the old ones now.
  server.run("CONFIG SET maxmemory 0");
  const old = keys(server, "k:*");
  server.advance(10_000);
  for (const key of old.slice(0, 10)) server.run(`GET ${key}`);
  lower(server, 5 * 1030);
  for (const key of old.slice(0, 10)) assertEquals(server.run(`EXISTS ${key}`), 1, key);
});

Deno.test("candidates that were removed, moved or made lasting meanwhile harm nobody", () => {
  for (
    const change of [
      "DEL $",
      "RENAME $ other",
      "PERSIST $",
      "APPEND $ y",
      "MOVE $ 3",
      "FLUSHALL",
      "SWAPDB 0 3",
    ]
  ) {
    const server = fresh("volatile-lru");
    fill(server, "k", 20, "EX", "1000");
    fill(server, "l", 20);
    server.advance(1000);
    lower(server, 1030);
    // What names no key is done once: a second SWAPDB would undo the first.
    const names = change.includes("$") ? keys(server, "k:*") : [""];
    for (const key of names) server.run(change.replace("$", key));
    fill(server, "l", 20);
    server.run("SELECT 3");
    fill(server, "m", 5, "EX", "1000");
    lower(server, 3 * 1030);
    server.engine.keyspace.verify();
    server.run("SELECT 0");
    assertEquals(server.run("EXISTS l:1 l:2"), 2, change);
  }
});

Deno.test("a write evicts before it runs, what it needs and no more", () => {
  const server = fresh("allkeys-lru");
  fill(server, "k", 100);
  server.run(`CONFIG SET maxmemory ${server.engine.usedBytes}`);
  for (let i = 0; i < 50; i++) {
    server.advance(1000);
    assertEquals(server.call("SET", `n:${i}`, VALUE), "OK");
  }
  const left = server.run("DBSIZE") as number;
  assert(left >= 99 && left <= 101, `${left}`);
  assertEquals(stat(server, "evicted_keys"), 150 - left);
});

Deno.test("evicted keys are events, are propagated alone, break WATCH, and are told before the reply", () => {
  for (const lazy of [false, true]) {
    const server = fresh("volatile-ttl", { "lazyfree-lazy-eviction": lazy ? "yes" : "no" });
    server.run("CONFIG SET notify-keyspace-events KEA");
    const [subscriber, tracker, watcher] = [server.client(), server.client(), server.client()];
    subscriber.run("SUBSCRIBE __keyevent@0__:evicted");
    server.call("SET", "k", VALUE, "EX", "100");
    tracker.run("HELLO 3");
    tracker.run("CLIENT TRACKING ON NOLOOP");
    tracker.run("GET k");
    watcher.run("WATCH k");
    watcher.run("MULTI");
    const heard = server.listen();
    const { usedBytes } = server.engine;
    server.engine.parameters.values.maxmemory = usedBytes - 10;
    tracker.send(new TextEncoder().encode("SET other v\r\n"));
    assertEquals(
      tracker.raw().replaceAll("\r\n", " "),
      ">2 $10 invalidate *1 $1 k +OK ",
    );
    assertEquals(subscriber.read(), ["message", "__keyevent@0__:evicted", "k"]);
    server.engine.parameters.values.maxmemory = 0;
    assertEquals(watcher.run("EXEC"), null);
    assertEquals(wordsOf(heard()), `SELECT 0 ${lazy ? "UNLINK" : "DEL"} k SET other v`);
    assertEquals([stat(server, "evicted_keys"), stat(server, "expired_keys")], [1, 0]);
    assertEquals(server.run("CONFIG RESETSTAT"), "OK");
    assertEquals(stat(server, "evicted_keys"), 0);
  }
});

Deno.test("a transaction evicts before it is queued and before EXEC, not between its commands", () => {
  const server = fresh("allkeys-random");
  fill(server, "k", 20);
  server.run("MULTI");
  server.run(`CONFIG SET maxmemory ${server.engine.usedBytes + 3000}`);
  for (let i = 0; i < 5; i++) server.call("SETRANGE", `new:${i}`, "3000", "x");
  server.run("DBSIZE");
  const replies = server.run("EXEC") as Reply[];
  assertEquals(replies.slice(-1), [25]);
  server.run("PING");
  assert(server.run("DBSIZE") as number < 22);
  verify(server);
});

Deno.test("a script evicts before it runs, and not between its commands", () => {
  const server = new TestServer({ lua, directives: { "maxmemory-policy": "allkeys-random" } });
  fill(server, "k", 20);
  server.run(`CONFIG SET maxmemory ${server.engine.usedBytes + 3000}`);
  const script =
    "for i = 1, 5 do redis.call('setrange', 'new:' .. i, 3000, 'x') end return redis.call('dbsize')";
  assertEquals(server.call("EVAL", script, "0"), 25);
  assertEquals(
    server.call(
      "EVAL",
      "return redis.call('exists', 'new:1', 'new:2', 'new:3', 'new:4', 'new:5')",
      "0",
    ) as number <= 5,
    true,
  );
  assert(server.run("DBSIZE") as number < 22);
});

Deno.test("scripts may write if keys could be evicted, and not if there were none", () => {
  const server = new TestServer({ lua, directives: { "maxmemory-policy": "volatile-lru" } });
  fill(server, "k", 10);
  fill(server, "v", 10, "EX", "100");
  lower(server, 3000);
  const script = "return redis.call('set', 'n', ARGV[1])";
  assertEquals(server.call("EVAL", script, "0", VALUE), "OK");
  server.run("CONFIG SET maxmemory 1");
  const refused = server.call("EVAL", script, "0", VALUE) as ReplyError;
  assertStringIncludes(refused.message, OOM);
  server.run("MULTI");
  server.call("EVAL", "return redis.pcall('set', 'n', 'x')", "0");
  assertMatch((server.run("EXEC") as ReplyError).message, /^OOM|EXECABORT/);
});

Deno.test("nothing is evicted, and no write refused, while clients are paused", () => {
  const server = fresh("allkeys-lru");
  const other = server.client();
  fill(server, "k", 10);
  server.run("CLIENT PAUSE 1000 WRITE");
  server.run("CONFIG SET maxmemory 1");
  server.advance(100);
  other.run("GET k:1");
  assertEquals(server.run("DBSIZE"), 10);
  server.advance(1000);
  other.run("PING");
  assertEquals(server.run("DBSIZE"), 0);
});

Deno.test("nothing is evicted while a script is suspended", async () => {
  class TickingClock extends ManualClock {
    #us = 0;
    override monotonicUs(): number {
      return this.#us += 1000;
    }
  }
  const server = new TestServer({
    lua,
    clock: new TickingClock(1_700_000_000_000),
    directives: { "busy-reply-threshold": "5", "maxmemory-policy": "allkeys-lru" },
  });
  const runs = server.client();
  fill(server, "k", 10);
  runs.run("MULTI");
  runs.call("EVAL", "local n = 0 for i = 1, 1e6 do n = n + 1 end return redis.call('dbsize')", "0");
  runs.run("DBSIZE");
  runs.send(new TextEncoder().encode("EXEC\r\n"));
  assert(runs.client.blocked !== null);
  server.parameters.values.maxmemory = 1;
  server.engine.eviction.limitChanged();
  server.advance(100);
  assertMatch((server.run("GET k:1") as ReplyError).message, /^BUSY/);
  assertEquals(server.run("DBSIZE") instanceof ReplyError, true);
  while (runs.client.blocked !== null) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(runs.read(), [10, 10]);
  server.advance(100);
  assertEquals(server.run("DBSIZE"), 0);
});

Deno.test("what is loaded is not evicted while it is loaded", () => {
  using server = fresh("allkeys-lru");
  fill(server, "k", 20);
  server.run("SAVE");
  server.parameters.values.maxmemory = 1;
  let most = 0;
  const listener = server.engine.keyspace.hooks.listenToEvents(
    (_db, _bytes, _start, _end, event) => {
      if (event.name === "evicted") most++;
    },
  );
  server.parameters.values.maxmemory = 0;
  assertEquals(server.run("DEBUG RELOAD NOSAVE"), "OK");
  listener();
  assertEquals([most, server.run("DBSIZE")], [0, 20]);
});

Deno.test("large collections are freed before more keys are evicted", () => {
  for (const lazy of ["yes", "no"]) {
    const server = fresh("allkeys-lru", { "lazyfree-lazy-eviction": lazy });
    for (let i = 0; i < 10; i++) {
      const members = Array.from({ length: 2000 }, (_, j) => `member:${i}:${j}`);
      server.call("SADD", `set:${i}`, ...members);
      server.advance(1000);
    }
    const each = server.engine.usedBytes / 10;
    server.parameters.values.maxmemory = Math.floor(server.engine.usedBytes - 2.5 * each);
    server.run("PING");
    assertEquals(server.run("DBSIZE"), 7, lazy);
    verify(server);
  }
});

Deno.test("evicting takes half a millisecond at once, the timer goes on, and no write is refused meanwhile", () => {
  class SteppingClock extends ManualClock {
    #us = 0;
    override monotonicUs(): number {
      return this.#us += 100;
    }
  }
  const server = new TestServer({
    clock: new SteppingClock(1_700_000_000_000),
    directives: { "maxmemory-policy": "allkeys-random" },
  });
  fill(server, "k", 1000);
  server.run("CONFIG SET maxmemory 100000");
  assertEquals(server.run("DBSIZE"), 1000 - 16 * 5);
  assertEquals(server.run("SET k:1 v"), "OK");
  assert(server.run("DBSIZE") as number > 500);
  assert(stat(server, "current_eviction_exceeded_time") > 0);
  server.advance(1);
  assertEquals(stat(server, "current_eviction_exceeded_time"), 0);
  assert(stat(server, "total_eviction_exceeded_time") > 0);
  verify(server);
  server.run("CONFIG RESETSTAT");
  assertEquals(stat(server, "total_eviction_exceeded_time"), 0);
});

Deno.test("evicting is an event of the latency monitor", () => {
  const server = fresh("allkeys-lru", { "latency-monitor-threshold": "1" });
  let us = 0;
  server.engine.clock.monotonicUs = () => us += 2000;
  fill(server, "k", 10);
  lower(server, 1500);
  const latest = server.run("LATENCY LATEST") as Reply[][];
  const names = latest.map(([name]) => name as string).filter((name) => name.startsWith("evict"));
  assertEquals(names.sort(), ["eviction-cycle", "eviction-del"]);
});

Deno.test("maxmemory-eviction-tenacity says how long evicting may take at once", () => {
  const server = fresh("allkeys-random", { "maxmemory-eviction-tenacity": "100" });
  const clock = server.engine.clock;
  let us = 0;
  clock.monotonicUs = () => us += 100_000;
  fill(server, "k", 500);
  server.parameters.values.maxmemory = server.engine.usedBytes - 400_000;
  server.run("PING");
  verify(server);
  server.run("CONFIG SET maxmemory-eviction-tenacity 0");
  server.parameters.values.maxmemory = 1;
  const before = server.engine.keyspace.keyCount;
  server.run("PING");
  assertEquals(server.engine.keyspace.keyCount, before - 16);
});

for (
  const [policy, isShare] of [["allkeys-lru", true], ["allkeys-random", true], [
    "allkeys-lfu",
    false,
  ], ["simple-first", false]] as const
) {
  Deno.test(`maxmemory-eviction-ratio and ${policy}: ${isShare ? "a share of all keys goes at once" : "no effect"}`, () => {
    const server = fresh(policy, { "maxmemory-eviction-ratio": "0.25" });
    fill(server, "k", 100);
    server.parameters.values.maxmemory = server.engine.usedBytes - 10;
    server.run("PING");
    assertEquals(server.run("DBSIZE"), isShare ? 75 : 99);
    fill(server, "n", 10);
    assertEquals(server.run("DBSIZE"), isShare ? 85 : 99);
    verify(server);
  });
}

Deno.test("a policy can be exchanged for another while the server runs", () => {
  const server = fresh("allkeys-lru");
  fill(server, "k", 100);
  lower(server, 5000);
  for (
    const policy of ["allkeys-lfu", "volatile-lfu", "volatile-ttl", "allkeys-random", "allkeys-lru"]
  ) {
    assertEquals(server.run(`CONFIG SET maxmemory-policy ${policy}`), "OK");
    assertStringIncludes(server.run("INFO memory") as string, `maxmemory_policy:${policy}`);
    if (policy.startsWith("volatile")) continue;
    fill(server, policy, 20);
    verify(server);
  }
  server.run("CONFIG SET maxmemory-policy noeviction maxmemory 1");
  assertEquals(server.call("SET", "more", VALUE), new ReplyError(OOM));
});

Deno.test("small integers are not said to be shared when the access time decides what is evicted", () => {
  const server = fresh("allkeys-lru");
  server.run("SET k 1");
  assertEquals(server.run("OBJECT REFCOUNT k"), 2147483647);
  server.run("CONFIG SET maxmemory 1gb");
  for (const policy of ["allkeys-lru", "volatile-lfu"]) {
    server.run(`CONFIG SET maxmemory-policy ${policy}`);
    assertEquals(server.run("OBJECT REFCOUNT k"), 1);
  }
  server.run("CONFIG SET maxmemory-policy allkeys-random");
  assertEquals(server.run("OBJECT REFCOUNT k"), 2147483647);
});

Deno.test("what a pipeline has given back before is not evicted once more", () => {
  const server = fresh("allkeys-lru");
  const client = server.client();
  fill(server, "k", 100);
  client.run("MULTI");
  client.call("SET", "queued", "x".repeat(200_000));
  server.parameters.values.maxmemory = server.engine.usedBytes + 50;
  // All of it is one batch: it fits the buffer of an idle client.
  const lines = ["DISCARD", ...Array.from({ length: 8 }, (_, i) => `SET n:${i} ${"x".repeat(40)}`)];
  client.send(new TextEncoder().encode(lines.map((line) => `${line}\r\n`).join("")));
  for (const _ of lines) assertEquals(client.read(), "OK");
  assertEquals(server.run("DBSIZE"), 108);
});

Deno.test("what maxmemory-eviction-ratio still owes is forgotten when limit or policy change", () => {
  for (const change of ["maxmemory 1gb", "maxmemory-policy allkeys-lfu"]) {
    const server = fresh("allkeys-lru", {
      "maxmemory-eviction-ratio": "0.5",
      "maxmemory-eviction-tenacity": "0",
    });
    fill(server, "k", 200);
    server.parameters.values.maxmemory = server.engine.usedBytes - 10;
    server.run("PING");
    assertEquals(server.run("DBSIZE"), 200 - 32);
    const [name, value] = change.split(" ");
    server.parameters.values.maxmemory = 0; // CONFIG SET would evict before it runs.
    assertEquals(
      server.run(`CONFIG SET maxmemory 500mb ${name === "maxmemory" ? "hz 11" : change}`),
      "OK",
    );
    if (name === "maxmemory") server.run(`CONFIG SET maxmemory ${value}`);
    server.advance(1);
    server.run("PING");
    assertEquals(server.run("DBSIZE"), 200 - 32, change);
  }
});

Deno.test("who waits for a key hears at once that the timer has evicted it", () => {
  const server = fresh("allkeys-lru");
  const waiting = server.client();
  server.run("XADD stream * f v");
  server.run("XGROUP CREATE stream g $");
  waiting.run("XREADGROUP GROUP g c BLOCK 0 STREAMS stream >");
  server.parameters.values.maxmemory = 1;
  server.engine.eviction.limitChanged();
  server.server.cron.run();
  assertMatch((waiting.read() as ReplyError).message, /^NOGROUP|^UNBLOCKED/);
});

Deno.test("if a key can't be evicted, that is logged, and reads go on", () => {
  const server = fresh("allkeys-lru");
  fill(server, "k", 5);
  server.engine.keyspace.databases[0].evict = () => {
    throw new Error("broken");
  };
  server.parameters.values.maxmemory = 1;
  assertEquals(server.run("GET k:1"), VALUE);
  assertEquals(server.run("SET a b"), new ReplyError(OOM));
  assertStringIncludes(server.logged.join("\n"), "Evicting keys failed");
});

Deno.test("a client that waits is served although keys must be evicted first", () => {
  const server = fresh("volatile-ttl");
  const waiting: TestClient = server.client();
  waiting.run("BLMOVE from to LEFT LEFT 0");
  fill(server, "k", 20, "EX", "100");
  server.parameters.values.maxmemory = server.engine.usedBytes - 100;
  const heard = server.listen();
  server.run("RPUSH from a");
  assertEquals(waiting.read(), "a");
  assertMatch(wordsOf(heard()), /^SELECT 0 DEL k:\d+ RPUSH from a LMOVE from to left left$/i);
});

Deno.test("the least recently used keys are found whatever year the clock says", () => {
  for (const year of [1700, 1970, 2100, 9999]) {
    const server = fresh("allkeys-lru");
    server.advanceClock(Date.UTC(year, 0, 1) - server.engine.clock.nowMs());
    fill(server, "old", 50);
    server.advance(10_000);
    fill(server, "new", 50);
    lower(server, 20 * 1030);
    verify(server);
    assertEquals(keys(server, "new*").length, 50, `${year}`);
  }
});
