/** The server as a library, as tests of applications use it. */
import { assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { CommandError, startRespite } from "../../mod.ts";
import { freePort, Wire } from "../support/live.ts";

Deno.test("a server starts on a free port, answers clients, and leaves nothing open", async () => {
  await using server = await startRespite();
  assertNotEquals(server.port, 0);
  assertEquals(server.url, `redis://127.0.0.1:${server.port}`);
  const wire = await Wire.connect(server.port);
  assertEquals(await wire.roundTrip("SET greeting hello"), "+OK\r\n");
  assertEquals(await server.call("GET", "greeting"), "hello");
  wire.close();
});

Deno.test("two servers in one process have nothing in common", async () => {
  await using one = await startRespite();
  await using other = await startRespite({ now: 0 });
  await one.call("SET", "k", "one");
  assertEquals(await other.call("GET", "k"), null);
  one.advance(60_000);
  assertEquals(other.now, new Date(0));
});

Deno.test("replies become values, and errors are thrown", async () => {
  await using server = await startRespite();
  const call = server.call.bind(server);
  assertEquals(await call("INCRBY", "n", 2n ** 60n), 2n ** 60n);
  assertEquals(await call("HSET", "h", "a", 1, "b", "ä"), 2);
  assertEquals(await call("HGETALL", "h"), new Map([["a", "1"], ["b", "ä"]]));
  assertEquals(await call("ZADD", "z", 1.5, "m"), 1);
  assertEquals(await call("ZSCORE", "z", "m"), 1.5);
  assertEquals(await call("SMEMBERS", "none"), []);
  assertEquals(await call("SET", "bytes", Uint8Array.of(255, 0)), "OK");
  assertEquals(await call("STRLEN", "bytes"), 2);
  await assertRejects(() => call("LPUSH", "n", "x"), CommandError, "WRONGTYPE");
  assertEquals(await call("MULTI"), "OK");
  assertEquals(await call("LPUSH", "n", "x"), "QUEUED");
  const [failure] = await call("EXEC") as [CommandError];
  assertEquals(failure instanceof CommandError, true);
});

Deno.test("calls that are made at once are answered in their order", async () => {
  await using server = await startRespite();
  const numbers = Array.from({ length: 100 }, () => server.call("INCR", "n"));
  assertEquals(await Promise.all(numbers), Array.from({ length: 100 }, (_, i) => i + 1));
});

Deno.test("a test moves the clock: keys expire, idle time passes, ids follow, blocked clients time out", async () => {
  const start = Date.UTC(2030, 0, 1);
  await using server = await startRespite({ now: start });
  await server.call("SET", "short", "x", "EX", 10);
  await server.call("SET", "long", "x");
  assertEquals(await server.call("XADD", "s", "*", "f", "v"), `${start}-0`);
  server.advance(10_001);
  assertEquals(server.now, new Date(start + 10_001));
  assertEquals(await server.call("DBSIZE"), 2);
  assertEquals(await server.call("OBJECT", "IDLETIME", "long"), 10);
  assertEquals(await server.call("XADD", "s", "*", "f", "v"), `${start + 10_001}-0`);
  assertEquals(await server.call("TIME"), [`${(start + 10_001 - 1) / 1000}`, "1000"]);

  const wire = await Wire.connect(server.port);
  await wire.send("BLPOP jobs 30\r\n");
  await until(async () => String(await server.call("CLIENT", "LIST")).includes("cmd=blpop"));
  server.advance(31_000);
  assertEquals(await wire.read(), "*-1\r\n");
  wire.close();
  server.now = start;
  assertEquals(server.now, new Date(start));
});

Deno.test("a clock that was not set runs, and can be moved as well", async () => {
  await using server = await startRespite();
  await server.call("SET", "k", "v", "PX", 100_000);
  server.advance(100_001);
  assertEquals(await server.call("EXISTS", "k"), 0);
  assertEquals(server.now.getTime() - Date.now() > 90_000, true);
});

Deno.test("what has not one reply a call is refused, and takes no other call's reply", async () => {
  await using server = await startRespite();
  const refused = [["SUBSCRIBE", "c"], ["punsubscribe"], ["Monitor"], ["client", "REPLY", "off"]];
  for (const words of [...refused, [new TextEncoder().encode("ssubscribe"), "c"]]) {
    await assertRejects(() => server.call(...words), TypeError, "a connection of its own");
  }
  assertEquals(await server.call("PUBLISH", "c", "x"), 0);
  assertEquals(await server.call("CLIENT", "ID") === null, false);
});

Deno.test("a call that blocks waits for what comes", async () => {
  await using server = await startRespite();
  const waiting = server.call("BLPOP", "jobs", 0);
  const wire = await Wire.connect(server.port);
  await wire.roundTrip("RPUSH jobs work");
  assertEquals(await waiting, ["jobs", "work"]);
  wire.close();
});

Deno.test("a snapshot puts all keys, times to live and functions back, also into another server", async () => {
  await using server = await startRespite({ now: 1_000_000 });
  await server.call("SET", "k", "v", "EX", 100);
  await server.call("SELECT", 3);
  await server.call("ZADD", "z", 1, "a", 2, "b");
  await server.call("SELECT", 0);
  await server.call(
    "FUNCTION",
    "LOAD",
    "#!lua name=l\nredis.register_function('f', function() return 7 end)",
  );
  const snapshot = await server.snapshot();
  await server.flush();
  assertEquals(await server.call("DBSIZE"), 0);
  await server.call("SET", "other", "x");
  await server.restore(snapshot);
  assertEquals(await server.call("KEYS", "*"), ["k"]);
  assertEquals(await server.call("TTL", "k"), 100);
  assertEquals(await server.call("FCALL", "f", 0), 7);

  await using second = await startRespite({ now: 1_000_000 + 200_000 });
  await second.restore(snapshot);
  assertEquals(await second.call("EXISTS", "k"), 0);
  await second.call("SELECT", 3);
  assertEquals(await second.call("ZRANGE", "z", 0, -1), ["a", "b"]);
});

Deno.test("passwords and users are for clients on sockets, not for the owner", async () => {
  await using server = await startRespite({ config: { requirepass: "secret" } });
  assertEquals(await server.call("PING"), "PONG");
  await server.call("ACL", "SETUSER", "default", "off", "-@all");
  assertEquals(await server.call("SET", "k", "v"), "OK");
  const wire = await Wire.connect(server.port);
  assertEquals(await wire.roundTrip("GET k"), "-NOAUTH Authentication required.\r\n");
  wire.close();
});

Deno.test("an ACL file says from the start who may do what; the owner may load it again and goes on", async () => {
  const aclfile = `${await Deno.makeTempDir()}/users.acl`;
  await Deno.writeTextFile(aclfile, "user default on nopass\nuser owner on nopass ~* +get\n");
  await using server = await startRespite({ config: { aclfile } });
  const wire = await Wire.connect(server.port);
  const denied = "-NOPERM User default has no permissions to run the 'get' command\r\n";
  assertEquals(await wire.roundTrip("GET k"), denied);
  assertEquals(await wire.roundTrip("AUTH owner any"), "+OK\r\n");
  assertEquals(await wire.roundTrip("GET k"), "$-1\r\n");
  assertEquals(await server.call("ACL", "LOAD"), "OK");
  assertEquals(await server.call("ACL", "USERS"), ["default", "owner"]);
  assertEquals(await wire.read(), "");
  wire.close();
  await Deno.writeTextFile(aclfile, "user ann nosuch\n");
  await assertRejects(() => startRespite({ config: { aclfile } }), Error, "users.acl:1");
});

Deno.test("commands fail on demand: as often as one likes, by name and first argument", async () => {
  await using server = await startRespite();
  const fault = server.fail("set user:*", "error", { message: "LOADING busy", times: 2 });
  await assertRejects(() => server.call("SET", "user:1", "x"), CommandError, "LOADING busy");
  assertEquals(await server.call("SET", "other", "x"), "OK");
  await assertRejects(() => server.call("set", "user:2", "x"), CommandError);
  assertEquals(await server.call("SET", "user:1", "x"), "OK");
  assertEquals(fault.count, 2);
  {
    using _ = server.fail("config|*", "error");
    await assertRejects(
      () => server.call("CONFIG", "GET", "port"),
      CommandError,
      "ERR injected fault",
    );
  }
  assertNotEquals(await server.call("CONFIG", "GET", "port"), null);
  assertThrows(() => server.fail("nope", "error"), TypeError, "No command is called nope");
});

Deno.test("a connection is dropped on demand, after the replies before it", async () => {
  await using server = await startRespite();
  server.fail("get", "drop", { times: 1 });
  const wire = await Wire.connect(server.port);
  assertEquals(await wire.roundTrip("SET k v"), "+OK\r\n");
  await wire.send("GET k\r\nSET k w\r\n");
  assertEquals(await wire.read(), "");
  wire.close();
  assertEquals(await server.call("GET", "k"), "v");
  server.fail("get", "drop", { times: 1 });
  await assertRejects(() => server.call("GET", "k"), Error, "closed");
  assertEquals(await server.call("GET", "k"), "v");
});

Deno.test("a reply is late on demand, and what follows it waits", async () => {
  await using server = await startRespite();
  server.fail("incr", "delay", { ms: 30, times: 1 });
  const wire = await Wire.connect(server.port);
  await wire.send("INCR n\r\nINCR n\r\n");
  assertEquals(await server.call("GET", "n"), null);
  assertEquals(await wire.read(), ":1\r\n");
  assertEquals(await wire.read(), ":2\r\n");
  wire.close();
  server.fail("incr", "delay", { ms: 30 });
  assertEquals(await server.call("INCR", "n"), 3);
});

Deno.test("a call that is late when its connection is killed is not run any more", async () => {
  await using server = await startRespite();
  server.fail("incr", "delay", { ms: 20 });
  const killed = assertRejects(() => server.call("INCR", "n"), Error, "closed");
  const wire = await Wire.connect(server.port);
  await wire.roundTrip("CLIENT KILL TYPE normal SKIPME yes");
  await killed;
  await wire.send("INCR m\r\n");
  assertEquals(await wire.read(), ":1\r\n");
  assertEquals(await wire.roundTrip("GET n"), "$-1\r\n");
  wire.close();
});

Deno.test("a server that is closed while a reply is late, or a call waits, closes", async () => {
  const server = await startRespite();
  server.fail("incr", "delay", { ms: 100_000 });
  const late = assertRejects(() => server.call("INCR", "n"), Error, "closed");
  const wire = await Wire.connect(server.port);
  await wire.send("INCR n\r\n");
  await until(async () => await clientsOf(server.port) === 3);
  await server.close();
  await server.close();
  await late;
  assertEquals(await wire.read(), "");
  wire.close();
});

/** How many clients there are, the one that asks among them. */
async function clientsOf(port: number): Promise<number> {
  const wire = await Wire.connect(port);
  const reply = await wire.roundTrip("CLIENT LIST");
  wire.close();
  return reply.split("cmd=").length - 1;
}

/** Lets the event loop turn until `condition` holds. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!await condition()) await new Promise((resolve) => setTimeout(resolve));
}

Deno.test("config brings further ports, and its texts are in Unicode", async () => {
  const port = freePort();
  const config = { "dialect-port": `plain ${port}`, requirepass: "schlüssel" };
  await using server = await startRespite({ config });
  const wire = await Wire.connect(server.port);
  assertEquals(await wire.call("AUTH", "schl\xc3\xbcssel"), "+OK\r\n");
  wire.close();
  const older = await Wire.connect(port);
  await older.send("GET k\nEXIT\n");
  const reply = await new Response(older.conn.readable).text();
  assertEquals(reply, "NOAUTH Authentication required.\n");
  const taken = { "dialect-port": `plain ${port}` };
  await assertRejects(() => startRespite({ config: taken }), Error, "in use");
  await assertRejects(() => startRespite({ config: { "tls-port": "1" } }), Error, "tls-cert-file");
});

Deno.test("a directive or an address that is no good is refused", async () => {
  await assertRejects(() => startRespite({ config: { nope: "1" } }), Error, "nope");
  await assertRejects(() => startRespite({ config: { maxmemory: "x" } }), Error, "maxmemory");
  await using server = await startRespite();
  await assertRejects(() => startRespite({ port: server.port }), Error, "in use");
});

Deno.test("the log says which port was taken, and data can be kept in files", async () => {
  const dir = await Deno.makeTempDir();
  const lines: string[] = [];
  const options = { config: { dir, save: "3600 1" }, log: (line: string) => void lines.push(line) };
  {
    await using server = await startRespite(options);
    assertEquals(
      lines.some((line) => line.includes(`Listening on 127.0.0.1:${server.port}`)),
      true,
    );
    await server.call("SET", "k", "v");
  }
  {
    await using server = await startRespite(options);
    assertEquals(await server.call("GET", "k"), "v");
  }
  await Deno.remove(dir, { recursive: true });
});

Deno.test("SHUTDOWN closes the server, and nothing else of the process", async () => {
  const server = await startRespite();
  const wire = await Wire.connect(server.port);
  await wire.send("SHUTDOWN NOSAVE\r\n");
  assertEquals(await wire.read(), "");
  wire.close();
  await server.close();
});

Deno.test("who takes the log may call commands, which run after those that have written to it", async () => {
  const calls: Promise<unknown>[] = [];
  const log = (): void => void calls.push(server.call("INCR", "lines"));
  await using server = await startRespite({ log: (line) => line.includes(" # ") && log() });
  await server.call("SET", "k", "v");
  const script = "redis.log(redis.LOG_WARNING, 'heard') return redis.call('GET', KEYS[1])";
  const requests = [["MULTI"], ["GET", "k"], ["EVAL", script, 1, "k"], ["EXEC"]];
  const values = requests.map((words) => server.call(...words));
  assertEquals(await Promise.all(values), ["OK", "QUEUED", "QUEUED", ["v", "v"]]);
  assertEquals(await Promise.all(calls), [1]);
});

Deno.test("a time that is none is refused", async () => {
  await using server = await startRespite();
  assertThrows(() => server.advance(Infinity), RangeError, "no time");
  assertThrows(() => server.now = new Date("yesterday"), RangeError, "no time");
  await assertRejects(() => startRespite({ now: NaN }), RangeError);
});

Deno.test("a server whose files can't be read leaves nothing open, and the files as they are", async () => {
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(`${dir}/dump.rdb`, "REDIS0011 damaged");
  const config = { dir, save: "3600 1" };
  await assertRejects(() => startRespite({ config }), Error, "dump.rdb");
  assertEquals(await Deno.readTextFile(`${dir}/dump.rdb`), "REDIS0011 damaged");
  await Deno.remove(`${dir}/dump.rdb`);
  const server = await startRespite({ config });
  await server.close();
  await assertRejects(() => server.call("PING"), Error, "closed");
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a command that closes its connection is answered before, and what follows it is refused", async () => {
  await using server = await startRespite();
  assertEquals(await server.call("SET", "k", "v"), "OK");
  const quit = server.call("QUIT");
  assertEquals(await quit, "OK");
  assertEquals(await server.call("GET", "k"), "v");
  const id = await server.call("CLIENT", "ID");
  assertEquals(await server.call("CLIENT", "KILL", "ID", Number(id), "SKIPME", "no"), 1);
  assertEquals(await server.call("GET", "k"), "v");
});
