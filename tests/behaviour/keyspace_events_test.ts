import { assertEquals } from "@std/assert";
import { Flag } from "../../src/engine/command.ts";
import { loadMachinery } from "../../src/scripting/machinery.ts";
import { ALL_EVENTS, type EventCase, eventOf, eventSections } from "../support/event_table.ts";
import { TestClient, TestServer } from "../support/harness.ts";

const lua = await loadMachinery();

/** A client that is told a server's keyspace events. */
class EventLog {
  readonly #client: TestClient;

  constructor(readonly server: TestServer, letters = ALL_EVENTS) {
    this.#client = server.client();
    server.client().run(`config set notify-keyspace-events ${letters}`);
    this.#client.run("psubscribe __key*__:*");
  }

  /** The events since the last call, as the table shows them; those of `__keyspace` channels in brackets. */
  takeAll(): string[] {
    const told: string[] = [];
    for (;;) {
      const message = this.#client.read();
      if (message === undefined) return told;
      const [, , channel, text] = message as string[];
      const [event, isOfKey] = eventOf(channel, text) ?? ["", false];
      told.push(isOfKey ? `(${event})` : event);
    }
  }

  /** As `takeAll`, each event once; it must have come on both channels. */
  take(): string {
    const told = this.takeAll();
    const events = told.filter((event) => !event.startsWith("("));
    assertEquals(told, events.flatMap((event) => [`(${event})`, event]));
    return events.join(", ");
  }
}

/** The lines of a case, each with the events that they cause. */
async function replay({ lines }: EventCase): Promise<string[]> {
  using server = new TestServer({ lua });
  const log = new EventLog(server);
  const client = server.client();
  const found: string[] = [];
  for (const { line } of lines) {
    if (line.startsWith("> ")) server.client().run(line.slice(2));
    else if (line.startsWith("wait ")) server.advance(Number(line.slice(5)));
    else run(server, client, line);
    // A client that was waiting goes on.
    await Promise.resolve();
    found.push(`${line} => ${log.take()}`);
  }
  return found;
}

function run(server: TestServer, client: TestClient, line: string): void {
  client.run(line);
  // A command that waits in vain ends after a while.
  if (client.client.blocked !== null) server.advance(20);
  client.raw();
}

for (const { title, cases } of eventSections()) {
  Deno.test(`commands cause Redis's keyspace events: ${title.toLowerCase()}`, async () => {
    for (const one of cases) {
      const expected = one.lines.map(({ line, events }) => `${line} => ${events}`);
      assertEquals(await replay(one), expected);
    }
  });
}

Deno.test("every command that writes has a line that says which events it causes", () => {
  const { engine } = new TestServer();
  const lines = eventSections().flatMap(({ cases }) => cases.flatMap((one) => one.lines));
  const used = lines.map(({ line }) => line.replace(/^> /, "").toLowerCase().split(" "));
  const missing = engine.commands.all().filter(({ flags, subcommands, fullName }) => {
    if ((flags & Flag.write) === 0 || subcommands !== null) return false;
    const words = fullName.split("|");
    return !used.some((line) => words.every((word, i) => line[i] === word));
  }).map(({ fullName }) => fullName);
  assertEquals(missing, []);
});

Deno.test("notify-keyspace-events chooses classes of events and channels", () => {
  const lines = ["set s 1", "rpush l a", "sadd t a", "hset h f v", "zadd z 1 a", "xadd x 1-1 f v"];
  const cases: readonly [string, string][] = [
    ["", ""],
    ["K", ""],
    ["E", ""],
    ["A", ""],
    ["KE", ""],
    ["K$", "(set s)"],
    ["E$", "set s"],
    ["Elg", "rpush l, del l, expire t"],
    ["Es", "sadd t"],
    ["Eh", "hset h"],
    ["Ez", "zadd z"],
    ["Et", "xadd x"],
    ["En", "new s, new l, new t, new h, new z, new x, new b"],
    ["Em", "keymiss nosuch"],
    ["Ex", "expired t"],
    ["Ed", "bf.add b"],
    ["Ee", ""],
    [
      "EA",
      "set s, rpush l, sadd t, hset h, zadd z, xadd x, del l, expire t, bf.add b, expired t",
    ],
  ];
  for (const [letters, expected] of cases) {
    const server = new TestServer();
    const log = new EventLog(server, letters === "" ? '""' : letters);
    for (const line of [...lines, "del l", "get nosuch", "pexpire t 1", "bf.add b x"]) {
      server.run(line);
    }
    server.advance(2);
    assertEquals(log.takeAll().join(", "), expected, letters);
  }
});

Deno.test("events that nobody has asked for, or listens to, are not told", () => {
  const server = new TestServer({ directives: { "notify-keyspace-events": "KEA" } });
  server.run("set k 1");
  const log = new EventLog(server, "KEA");
  server.run("set k 1");
  assertEquals(log.take(), "set k");
  server.run('config set notify-keyspace-events ""');
  server.run("set k 1");
  assertEquals(log.take(), "");
  server.run("config set notify-keyspace-events KEn");
  server.run("set k 1");
  server.run("set new 1");
  assertEquals(log.take(), "new new");
});

Deno.test("a key's end is told in the millisecond in which it comes, nobody need ask for the key", () => {
  const server = new TestServer();
  const log = new EventLog(server, "KEx");
  for (let i = 1; i <= 5; i++) server.run(`set k${i} v px ${10 * i}`);
  server.advance(10);
  assertEquals(log.take(), "");
  server.advance(1);
  assertEquals(log.take(), "expired k1");
  server.advance(30);
  assertEquals(log.take(), "expired k2, expired k3, expired k4");
  server.advanceClock(100);
  assertEquals(server.run("get k5"), null);
  assertEquals(log.take(), "expired k5");
});

Deno.test("what a client does is told to it behind the whole of its reply", () => {
  const server = new TestServer();
  const client = server.client();
  client.run("config set notify-keyspace-events KAm");
  client.run("hello 3");
  client.run("subscribe __keyspace@0__:k");
  const told = (event: string): string =>
    `>3\r\n$7\r\nmessage\r\n$16\r\n__keyspace@0__:k\r\n$${event.length}\r\n${event}\r\n`;
  const send = (line: string): string => {
    client.send(new TextEncoder().encode(`${line}\r\n`));
    return client.raw();
  };
  assertEquals(send("mget k k"), `*2\r\n_\r\n_\r\n${told("keymiss")}${told("keymiss")}`);
  client.run("multi");
  client.run("rpush k a");
  client.run("lpop k");
  assertEquals(
    send("exec"),
    `*2\r\n:1\r\n$1\r\na\r\n${told("rpush")}${told("lpop")}${told("del")}`,
  );
  assertEquals(send("client reply off"), "");
  assertEquals(send("set k 1"), told("set"));
  assertEquals(send("client reply on"), "+OK\r\n");
  assertEquals(send("del k"), `:1\r\n${told("del")}`);
  assertEquals(send("blpop k 0"), "");
  server.run("rpush k a");
  const popped = "*2\r\n$1\r\nk\r\n$1\r\na\r\n";
  assertEquals(client.raw(), `${told("rpush")}${popped}${told("lpop")}${told("del")}`);
});

/** Waits until a rewrite of the log is over. */
async function drained(server: TestServer): Promise<void> {
  while (!String(server.run("info persistence")).includes("aof_rewrite_in_progress:0")) {
    server.advance(100);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

Deno.test("data that are loaded are no events, but commands of the log are, as in Redis", async () => {
  using server = new TestServer({ directives: { appendonly: "yes" } });
  await server.server.persistence.start();
  server.run("set k 1");
  server.run(`set long ${"x".repeat(100_000)}`);
  server.run("sadd t a b");
  server.run("bgrewriteaof");
  const log = new EventLog(server);
  await drained(server);
  assertEquals(server.run("debug reload"), "OK");
  assertEquals(log.take(), "");
  server.run("rpush l a");
  assertEquals(log.take(), "new l, rpush l");
  assertEquals(server.run("debug loadaof"), "OK");
  assertEquals(log.take(), "new l, rpush l");
});

Deno.test("names of a megabyte are told whole, and leave no buffer of that size behind", () => {
  const server = new TestServer();
  const log = new EventLog(server);
  const key = "k".repeat(1024 * 1024);
  server.call("set", key, "v");
  assertEquals(log.take(), `new ${key}, set ${key}`);
  server.run("set k v");
  assertEquals(log.take(), "new k, set k");
});

Deno.test("a subscriber whose output grows beyond its limit is cut off by events, and the command goes on", () => {
  const server = new TestServer({
    directives: { "client-output-buffer-limit": "pubsub 2mb 0 0" },
  });
  const subscriber = server.client();
  server.run("config set notify-keyspace-events KEA");
  subscriber.run("psubscribe *");
  const key = "k".repeat(500_000);
  server.run("multi");
  for (let i = 0; i < 20; i++) server.call("rpush", key, "a");
  assertEquals((server.run("exec") as unknown[]).length, 20);
  assertEquals(subscriber.isClosed, true);
  assertEquals(server.call("llen", key), 20);
});
