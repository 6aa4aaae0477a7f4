/** Client-side caching. The answers are those of redis-server 7.2.6; tests/differential/tracking_sessions.ts has more. */
import { assert, assertEquals } from "@std/assert";
import { bytesPerCall } from "../../src/lib/alloc.ts";
import { argsOf } from "../../src/protocol/args.ts";
import { loadMachinery, type MachineBuilder } from "../../src/scripting/machinery.ts";
import { ReplyError, type TestClient, TestServer } from "../support/harness.ts";

const encoder = new TextEncoder();

/** What a client receives for lines that are sent together, with | for a line's end. */
function said(client: TestClient, ...lines: string[]): string {
  client.send(encoder.encode(lines.map((line) => `${line}\r\n`).join("")));
  return heard(client);
}

/** What a client has received since, at the end of the turn. */
function heard(client: TestClient): string {
  client.client.engine.flushOthers();
  return client.raw().replaceAll("\r\n", "|");
}

/** The message that a key is not valid any more. */
function invalid(...keys: string[]): string {
  return `>2|$10|invalidate|*${keys.length}|${
    keys.map((key) => `$${key.length}|${key}|`).join("")
  }`;
}

const ALL_INVALID = ">2|$10|invalidate|_|";

/** A server, a client of RESP3 that tracks, and another client. */
function trackingPair(
  options = "",
  directives: Record<string, string> = {},
  lua: MachineBuilder | null = null,
): { server: TestServer; cache: TestClient; other: TestClient } {
  const server = new TestServer({ directives, ...lua === null ? {} : { lua } });
  const cache = server.client();
  cache.run("HELLO 3");
  assertEquals(cache.run(`CLIENT TRACKING ON ${options}`), "OK");
  return { server, cache, other: server.client() };
}

/** A figure of INFO. */
function figure(server: TestServer, name: string): string | undefined {
  return new RegExp(`^${name}:(.*)\r$`, "m").exec(`${server.run("INFO everything")}`)?.[1];
}

Deno.test("a client is told once when a key that it has read changes, and again when it has read it again", () => {
  const { cache, other } = trackingPair();
  assertEquals(said(cache, "GET k"), "_|");
  assertEquals(said(other, "SET k 1", "SET k 2"), "+OK|+OK|");
  assertEquals(heard(cache), invalid("k"));
  assertEquals(said(cache, "MGET k l"), "*2|$1|2|_|");
  other.run("MSET l 1 unread 1 k 1");
  assertEquals(heard(cache), invalid("l") + invalid("k"));
});
Deno.test("a client hears of its own change after the command's reply, and after all of a transaction's", () => {
  const { cache } = trackingPair();
  assertEquals(
    said(cache, "GET k", "SET k 1", "GET k", "SET k 2", "PING"),
    `_|+OK|${invalid("k")}$1|1|+OK|${invalid("k")}+PONG|`,
  );
  said(cache, "MULTI", "GET k", "SET k 3", "MGET k l", "FLUSHALL", "PING");
  assertEquals(
    said(cache, "EXEC"),
    `*5|$1|2|+OK|*2|$1|3|_|+OK|+PONG|${invalid("k")}${ALL_INVALID}`,
  );
});
Deno.test("a client that subscribes to keyspace events, too, hears of keys that it has changed itself last", () => {
  const { server, cache } = trackingPair();
  server.run("CONFIG SET notify-keyspace-events KA");
  said(cache, "SUBSCRIBE __keyspace@0__:a __keyspace@0__:b", "GET a", "GET b");
  const event = (key: string): string => `>3|$7|message|$16|__keyspace@0__:${key}|$3|set|`;
  const keys = invalid("a") + invalid("b");
  assertEquals(said(cache, "MSET a 1 b 1"), `+OK|${event("a")}${event("b")}${keys}`);
  said(cache, "GET a", "GET b", "MULTI", "SET a 2", "SET b 2");
  assertEquals(said(cache, "EXEC"), `*2|+OK|+OK|${event("a")}${event("b")}${keys}`);
});
Deno.test("HELLO 2 in a transaction takes back what it would have said of keys", () => {
  const { cache } = trackingPair();
  said(cache, "GET a", "MULTI", "SET a 1", "HELLO 2");
  assert(!said(cache, "EXEC", "PING").includes("invalidate"));
  said(cache, "HELLO 3", "GET a");
  assertEquals(said(cache, "SET a 2"), `+OK|${invalid("a")}`);
});
Deno.test("with NOLOOP a client does not hear of its own changes", () => {
  const { cache, other } = trackingPair("NOLOOP");
  assertEquals(said(cache, "GET k", "SET k 1", "GET k"), "_|+OK|$1|1|");
  other.run("SET k 2");
  assertEquals(heard(cache), invalid("k"));
});
Deno.test("a client that keys were read for before it switched tracking off and on is told of them", () => {
  const { server, cache, other } = trackingPair();
  said(cache, "GET k", "GET l", "CLIENT TRACKING OFF");
  other.run("SET k 1");
  assertEquals(heard(cache), "");
  said(cache, "CLIENT TRACKING ON");
  other.run("MSET k 1 l 1");
  assertEquals(heard(cache), invalid("l"));
  said(cache, "GET k", "RESET", "HELLO 3");
  assertEquals([figure(server, "tracking_clients"), figure(server, "tracking_total_keys")], [
    "0",
    "1",
  ]);
});
Deno.test("keys that expire are invalid at their time, for a client that reads one behind the reply", () => {
  const { server, cache, other } = trackingPair();
  other.run("SET k v PX 10");
  said(cache, "GET k");
  server.advance(20);
  assertEquals(heard(cache), invalid("k"));
  server.run("DEBUG SET-ACTIVE-EXPIRE 0");
  other.run("SET k v PX 10");
  said(cache, "MGET k l");
  server.advance(20);
  assertEquals(said(cache, "MGET l k l"), `*3|_|_|_|${invalid("k")}`);
});
Deno.test("keys of readers that wait are tracked when they begin to wait and when they are served", () => {
  const { cache, other } = trackingPair();
  assertEquals(said(cache, "XREAD BLOCK 0 STREAMS s $"), "");
  other.run("XADD s 1-1 f v");
  assertEquals(heard(cache), `${invalid("s")}%1|$1|s|*1|*2|$3|1-1|*2|$1|f|$1|v|`);
  other.run("XADD s 1-2 f v");
  assertEquals(heard(cache), invalid("s"));
  said(cache, "LRANGE to 0 -1", "BLMOVE from to LEFT LEFT 0");
  other.run("RPUSH from a");
  assertEquals(heard(cache), `$1|a|${invalid("to")}`);
});
Deno.test("a client whose command serves another one hears of what that one has changed, with NOLOOP as well", () => {
  const { cache, other } = trackingPair("NOLOOP");
  said(cache, "LRANGE to 0 -1");
  other.run("BLMOVE from to LEFT LEFT 0");
  assertEquals(said(cache, "RPUSH from a"), `:1|${invalid("to")}`);
});
Deno.test("FLUSHALL, FLUSHDB and DEBUG RELOAD make all keys invalid, and SWAPDB none", () => {
  const { server, cache, other } = trackingPair();
  for (const line of ["FLUSHALL", "FLUSHDB", "FLUSHDB ASYNC"]) {
    said(cache, "GET k");
    other.run(line);
    assertEquals(heard(cache), ALL_INVALID);
    other.run("SET k 1");
    assertEquals(heard(cache), "", line);
  }
  said(cache, "GET k");
  other.run("SWAPDB 0 1");
  assertEquals(heard(cache), "");
  assertEquals(other.run("DEBUG RELOAD"), "OK");
  assertEquals(heard(cache), ALL_INVALID);
  assertEquals(figure(server, "tracking_total_keys"), "0");
  server.server.persistence.close();
});
Deno.test("what a script reads is tracked for the client that runs it, and not the keys that it declares", async () => {
  const { cache, other } = trackingPair("", {}, await loadMachinery());
  const script = "redis.call('set','k',1) return redis.call('mget','k','l')";
  assertEquals(said(cache, `EVAL "${script}" 1 declared`), "*2|$1|1|_|");
  // A script has a client of its own; this one has read nothing.
  said(other, `EVAL "return redis.call('get','m')" 0`);
  other.run("MSET k 1 declared 1 l 1 m 1");
  assertEquals(heard(cache), invalid("k") + invalid("l"));
  assertEquals(said(cache, "GET k", `EVAL "${script}" 0`), `$1|1|*2|$1|1|$1|1|${invalid("k")}`);
});
Deno.test("with NOLOOP a client hears of what its scripts change in broadcast mode only, as in Redis", async () => {
  const { cache } = trackingPair("NOLOOP", {}, await loadMachinery());
  const script = `EVAL "redis.call('set','k',1) return 1" 0`;
  assertEquals(said(cache, "GET k", script), "_|:1|");
  said(cache, "CLIENT TRACKING OFF", "CLIENT TRACKING ON BCAST NOLOOP");
  assertEquals(said(cache, script), `:1|${invalid("k")}`);
});
Deno.test("OPTIN tracks the command or transaction after CLIENT CACHING YES, OPTOUT all but that after NO", () => {
  const { cache, other } = trackingPair("OPTIN");
  said(cache, "GET a", "CLIENT CACHING YES", "CLIENT ID", "GET b", "GET c");
  said(cache, "CLIENT CACHING YES", "NOSUCH", "GET d");
  said(cache, "CLIENT CACHING YES", "MULTI", "GET e", "GET f", "EXEC", "GET g");
  other.run("MSET a 1 b 1 c 1 d 1 e 1 f 1 g 1");
  assertEquals(heard(cache), invalid("b") + invalid("e") + invalid("f"));
  said(cache, "CLIENT TRACKING OFF", "CLIENT TRACKING ON OPTOUT");
  said(cache, "CLIENT CACHING NO", "GET a", "GET b");
  other.run("MSET a 1 b 1");
  assertEquals(heard(cache), invalid("b"));
});
Deno.test("in broadcast mode a client hears once a turn of the changed keys with each of its prefixes, in order", () => {
  const { cache, other } = trackingPair("BCAST PREFIX b PREFIX a:");
  assertEquals(
    said(other, "MSET b2 1 a:2 1 c 1 a 1", "SET b1 1", "DEL b2", "SET a:1 1", "PING"),
    "+OK|+OK|:1|+OK|+PONG|",
  );
  assertEquals(heard(cache), invalid("a:1", "a:2") + invalid("b1", "b2"));
  assertEquals(said(cache, "SET b1 1", "PING"), `+OK|+PONG|${invalid("b1")}`);
  assertEquals(said(cache, "CLIENT TRACKING OFF", "SET b1 1"), "+OK|+OK|");
  other.run("SET b1 1");
  assertEquals(heard(cache), "");
});
Deno.test("in broadcast mode with NOLOOP a client does not hear of keys that it has changed last", () => {
  const { server, cache, other } = trackingPair("BCAST NOLOOP");
  const third = server.client();
  said(third, "HELLO 3", "CLIENT TRACKING ON BCAST");
  assertEquals(said(cache, "SET a 1", "SET b 1"), "+OK|+OK|");
  assertEquals(heard(third), invalid("a", "b"));
  other.run("SET a 1");
  assertEquals(heard(cache), invalid("a"));
  // A key that expires has not been changed by the client.
  said(cache, "SET a 1 PX 10", "SET b 1");
  server.advance(20);
  assertEquals(heard(cache), invalid("a"));
});
Deno.test("REDIRECT tells another client: in RESP2 only while it has subscribed to something", () => {
  const server = new TestServer();
  const [cache, told, other] = [server.client(), server.client(), server.client()];
  cache.run(`CLIENT TRACKING ON REDIRECT ${told.client.id}`);
  cache.run("GET k");
  other.run("SET k 1");
  assertEquals(heard(told), "");
  said(told, "SUBSCRIBE __redis__:invalidate");
  cache.run("GET k");
  other.run("SET k 2");
  assertEquals(heard(told), "*3|$7|message|$20|__redis__:invalidate|*1|$1|k|");
  other.run("FLUSHALL");
  assertEquals(heard(told), "*3|$7|message|$20|__redis__:invalidate|$-1|");
  said(told, "UNSUBSCRIBE", "HELLO 3");
  said(cache, "MGET k l");
  // What it changes itself comes behind its reply, also if the keys are another client's.
  assertEquals(said(told, "MSET k 1 l 1"), `+OK|${invalid("k")}${invalid("l")}`);
  assertEquals(heard(cache), "");
});
Deno.test("a client is told that the one it redirects to has gone, once for each message that is lost", () => {
  const { server, cache, other } = trackingPair();
  const told = server.client();
  const { id } = told.client;
  said(cache, `CLIENT TRACKING ON REDIRECT ${id}`, "MGET k l");
  other.run(`CLIENT KILL ID ${id}`);
  assertEquals(heard(cache), "");
  other.run("MSET k 1 l 1");
  const broken = `>2|$21|tracking-redir-broken|:${id}|`;
  assertEquals(heard(cache), broken + broken);
  assertEquals(
    said(cache, "CLIENT TRACKINGINFO"),
    `%3|$5|flags|~2|$2|on|$15|broken_redirect|$8|redirect|:${id}|$8|prefixes|*0|`,
  );
  assert(`${cache.run("CLIENT INFO")}`.includes(" flags=tR "));
  assert(`${cache.run("CLIENT INFO")}`.includes(` redir=${id} `));
  said(cache, "CLIENT TRACKING ON");
  assert(`${cache.run("CLIENT INFO")}`.includes(" flags=t "));
});
Deno.test("CLIENT TRACKING refuses options that do not go together, and prefixes that overlap", () => {
  const server = new TestServer();
  const error = (line: string): string => (server.run(line) as ReplyError).message;
  assertEquals(
    error("CLIENT TRACKING ON PREFIX a"),
    "ERR PREFIX option requires BCAST mode to be enabled",
  );
  assertEquals(
    error("CLIENT TRACKING ON BCAST OPTIN"),
    "ERR OPTIN and OPTOUT are not compatible with BCAST",
  );
  assertEquals(
    error("CLIENT TRACKING ON OPTIN OPTOUT"),
    "ERR You can't specify both OPTIN mode and OPTOUT mode",
  );
  assertEquals(
    error("CLIENT TRACKING ON REDIRECT 999"),
    "ERR The client ID you want redirect to does not exist",
  );
  assertEquals(
    error("CLIENT TRACKING ON BCAST PREFIX ab PREFIX abc"),
    "ERR Prefix 'ab' overlaps with another provided prefix 'abc'. Prefixes for a single client must not overlap.",
  );
  server.run("CLIENT TRACKING ON BCAST PREFIX ab");
  assertEquals(
    error("CLIENT TRACKING ON BCAST PREFIX x PREFIX a"),
    "ERR Prefix 'a' overlaps with an existing prefix 'ab'. Prefixes for a single client must not overlap.",
  );
  assertEquals(
    error("CLIENT TRACKING ON"),
    "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.",
  );
});
Deno.test("messages pass CLIENT REPLY OFF and SKIP, but not RESP2", () => {
  const { cache, other } = trackingPair();
  assertEquals(said(cache, "CLIENT REPLY OFF", "GET k", "SET k 1", "GET k"), invalid("k"));
  other.run("SET k 2");
  assertEquals(heard(cache), invalid("k"));
  assertEquals(said(cache, "CLIENT REPLY ON", "GET k", "CLIENT REPLY SKIP"), "+OK|$1|2|");
  other.run("SET k 3");
  assertEquals(heard(cache), invalid("k"));
  assertEquals(said(cache, "PING", "PING"), "+PONG|");
  said(cache, "GET k", "HELLO 2");
  other.run("SET k 4");
  assertEquals(heard(cache), "");
});
Deno.test("beyond tracking-table-max-keys keys picked at random are said to be invalid, also to a client with NOLOOP", () => {
  const { server, cache } = trackingPair("NOLOOP", { "tracking-table-max-keys": "10" });
  for (let i = 0; i < 100; i++) said(cache, `GET key:${i}`);
  assertEquals(figure(server, "tracking_total_keys"), "10");
  const keys = Array.from({ length: 100 }, (_, i) => `other:${i}`);
  const message = said(cache, `MGET ${keys.join(" ")}`);
  assertEquals(message.split("invalidate").length - 1, 8);
  server.advance(100);
  assertEquals(heard(cache).split("invalidate").length - 1, 92);
  server.run("CONFIG SET tracking-table-max-keys 0");
  said(cache, `MGET ${keys.join(" ")}`);
  assert(Number(figure(server, "tracking_total_keys")) >= 100);
  said(cache);
  server.run("CONFIG SET tracking-table-max-keys 1");
  assertEquals(figure(server, "tracking_total_keys"), "1");
});
Deno.test("INFO and CLIENT LIST tell who tracks and what", () => {
  const { server, cache, other } = trackingPair();
  said(cache, "MGET a b");
  said(other, "HELLO 3", "CLIENT TRACKING ON BCAST PREFIX x PREFIX y");
  const names = ["clients", "total_keys", "total_items", "total_prefixes"];
  const figures = (): (string | undefined)[] =>
    names.map((name) => figure(server, `tracking_${name}`));
  assertEquals(figures(), ["2", "2", "2", "2"]);
  assert(`${other.run("CLIENT INFO")}`.includes(" flags=tB "));
  assert(`${other.run("CLIENT INFO")}`.includes(" redir=0 "));
  assert(`${server.run("CLIENT INFO")}`.includes(" redir=-1 "));
  server.run(`CLIENT KILL ID ${other.client.id}`);
  assertEquals(figures(), ["1", "2", "2", "0"]);
  server.run(`CLIENT KILL ID ${cache.client.id}`);
  assertEquals(figures(), ["0", "0", "0", "0"]);
  assertEquals(server.engine.tracking, null);
});
Deno.test("a client that goes twice, as one that is killed while it waits does, goes once", () => {
  const { server, cache, other } = trackingPair();
  said(cache, "GET k");
  server.server.hub.remove(cache.client);
  server.server.hub.remove(cache.client);
  assertEquals(other.run("SET k 1"), "OK");
  assertEquals(heard(cache), "");
});
Deno.test("the memory of tracked keys counts as used, and is given back when they are flushed", () => {
  const { server, cache, other } = trackingPair();
  const before = server.engine.usedBytes;
  const key = `k${"x".repeat(100_000)}`;
  said(cache, `GET ${key}`);
  assert(server.engine.usedBytes > before + 100_000);
  other.run("FLUSHALL");
  assert(server.engine.usedBytes < before + 50_000);
});
Deno.test("keys of any bytes and any length are tracked", () => {
  const { cache, other } = trackingPair();
  for (const key of [new Uint8Array(0), Uint8Array.of(0, 13, 10, 255), new Uint8Array(1 << 20)]) {
    cache.call("GET", key);
    other.call("SET", key, "v");
    const message = cache.raw();
    assertEquals(
      message.length,
      `>2  $10  invalidate  *1  $${key.length}  `.length + key.length + 2,
    );
  }
});
Deno.test("a tracked GET allocates nothing", () => {
  const { server, cache, other } = trackingPair();
  other.run("SET key:0000000001 value");
  const { client } = cache;
  const args = argsOf("GET", "key:0000000001");
  client.args.referTo(args, 0, 1);
  const get = (): void => {
    server.evaluator.execute(client);
    client.reply.rewind(0);
  };
  assertEquals(bytesPerCall(get), 0);
  assertEquals(figure(server, "tracking_total_items"), "1");
});
Deno.test("a change of a tracked key of another client, and reading it again, allocates nothing", () => {
  const { server, cache, other } = trackingPair();
  cache.client.args.referTo(argsOf("GET", "key:0000000001"), 0, 1);
  other.client.args.referTo(argsOf("SET", "key:0000000001", "value"), 0, 2);
  const both = (): void => {
    server.evaluator.execute(cache.client);
    server.evaluator.execute(other.client);
    cache.client.reply.rewind(0);
    other.client.reply.rewind(0);
  };
  assertEquals(bytesPerCall(both), 0);
});
