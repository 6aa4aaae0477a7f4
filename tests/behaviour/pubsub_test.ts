import { assert, assertEquals } from "@std/assert";
import { type Reply, TestServer } from "../support/harness.ts";
import { Kind } from "../../src/engine/pubsub.ts";

const MISPLACED =
  "only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context\r\n";

Deno.test("each channel that a client subscribes to is confirmed with the number of its subscriptions", () => {
  const server = new TestServer();
  assertEquals(
    server.raw("SUBSCRIBE a b a"),
    "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n" +
      "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:2\r\n",
  );
  assertEquals(server.raw("PSUBSCRIBE a*"), "*3\r\n$10\r\npsubscribe\r\n$2\r\na*\r\n:3\r\n");
  // Shard channels are counted apart.
  assertEquals(server.raw("SSUBSCRIBE s"), "*3\r\n$10\r\nssubscribe\r\n$1\r\ns\r\n:1\r\n");
  assertEquals(server.raw("UNSUBSCRIBE a x"), unsubscribed("a", 2) + unsubscribed("x", 2));
  assertEquals(server.raw("UNSUBSCRIBE"), unsubscribed("b", 1));
  assertEquals(server.raw("UNSUBSCRIBE"), "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:1\r\n");
  assertEquals(server.raw("PUNSUBSCRIBE"), "*3\r\n$12\r\npunsubscribe\r\n$2\r\na*\r\n:0\r\n");
  assertEquals(server.raw("SUNSUBSCRIBE s"), "*3\r\n$12\r\nsunsubscribe\r\n$1\r\ns\r\n:0\r\n");
  assertEquals(server.raw("SUNSUBSCRIBE"), "*3\r\n$12\r\nsunsubscribe\r\n$-1\r\n:0\r\n");
  assertEquals(server.raw("GET k"), "$-1\r\n");
  assertEquals(
    server.raw("SUBSCRIBE"),
    "-ERR wrong number of arguments for 'subscribe' command\r\n",
  );
});

function unsubscribed(channel: string, count: number): string {
  return `*3\r\n$11\r\nunsubscribe\r\n$1\r\n${channel}\r\n:${count}\r\n`;
}

Deno.test("a message goes to the subscribers of its channel, then to those of each pattern that matches", () => {
  const server = new TestServer();
  const [one, other] = [server.client(), server.client()];
  one.run("SUBSCRIBE news.a");
  one.run("PSUBSCRIBE news.*");
  one.raw();
  other.run("HELLO 3");
  other.run("PSUBSCRIBE n?ws.[a-c]");
  assertEquals(server.run("PUBLISH news.a hello"), 3);
  assertEquals(
    one.raw(),
    "*3\r\n$7\r\nmessage\r\n$6\r\nnews.a\r\n$5\r\nhello\r\n" +
      "*4\r\n$8\r\npmessage\r\n$6\r\nnews.*\r\n$6\r\nnews.a\r\n$5\r\nhello\r\n",
  );
  assertEquals(
    other.raw(),
    ">4\r\n$8\r\npmessage\r\n$11\r\nn?ws.[a-c]\r\n$6\r\nnews.a\r\n$5\r\nhello\r\n".replace(
      "$11",
      "$10",
    ),
  );
  assertEquals(server.run("PUBLISH news.z hello"), 1);
  assertEquals(server.run("PUBLISH other hello"), 0);
  assertEquals(server.run("SPUBLISH news.a hello"), 0);
});

Deno.test("shard channels have subscribers of their own, and no patterns", () => {
  const server = new TestServer();
  const client = server.client();
  client.run("PSUBSCRIBE *");
  client.run("SUBSCRIBE a");
  client.raw();
  client.run("SSUBSCRIBE a");
  assertEquals(server.run("SPUBLISH a x"), 1);
  assertEquals(client.raw(), "*3\r\n$8\r\nsmessage\r\n$1\r\na\r\n$1\r\nx\r\n");
  assertEquals(server.run("PUBSUB SHARDCHANNELS"), ["a"]);
  assertEquals(server.run("PUBSUB SHARDNUMSUB a b"), ["a", 1, "b", 0]);
});

Deno.test("names and messages may hold any bytes, none at all, or a million", () => {
  const server = new TestServer();
  const client = server.client();
  const binary = Uint8Array.of(0, 255, 13, 10, 0);
  const large = new Uint8Array(1_000_000).fill(7);
  for (const name of [binary, new Uint8Array(0), large]) {
    client.call("SUBSCRIBE", name);
    assertEquals(server.call("PUBLISH", name, binary), 1);
    assert(client.raw().endsWith("$5\r\n\0\xff\r\n\0\r\n"));
    assertEquals(server.call("PUBLISH", name, large), 1);
    assert(client.raw().endsWith(`$1000000\r\n${"\x07".repeat(1_000_000)}\r\n`));
    assertEquals((server.call("PUBSUB", "NUMSUB", name) as Reply[])[1], 1);
    client.call("UNSUBSCRIBE", name);
    client.raw();
    assertEquals(server.call("PUBLISH", name, binary), 0);
  }
});

Deno.test("a subscriber of RESP2 may send what belongs to pub/sub, PING, QUIT and RESET", () => {
  const server = new TestServer();
  server.raw("SUBSCRIBE a");
  assertEquals(server.raw("GET k"), `-ERR Can't execute 'get': ${MISPLACED}`);
  assertEquals(server.raw("CONFIG GET x"), `-ERR Can't execute 'config|get': ${MISPLACED}`);
  assertEquals(server.raw("HELLO 3"), `-ERR Can't execute 'hello': ${MISPLACED}`);
  assertEquals(server.raw("PUBLISH a x"), `-ERR Can't execute 'publish': ${MISPLACED}`);
  assertEquals(server.raw("GET"), "-ERR wrong number of arguments for 'get' command\r\n");
  assertEquals(server.raw("PING"), "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
  assertEquals(server.raw("PING hi"), "*2\r\n$4\r\npong\r\n$2\r\nhi\r\n");
  assertEquals(server.raw("PING a b"), "-ERR wrong number of arguments for 'ping' command\r\n");
  assertEquals(server.raw("RESET"), "+RESET\r\n");
  assertEquals(server.raw("GET k"), "$-1\r\n");
  assertEquals(server.run("PUBSUB CHANNELS"), []);
});

Deno.test("a subscriber of RESP3 may send any command, until it goes back to RESP2", () => {
  const server = new TestServer();
  server.run("HELLO 3");
  assertEquals(server.raw("SUBSCRIBE a"), ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
  assertEquals(server.raw("PING"), "+PONG\r\n");
  assertEquals(server.raw("GET k"), "_\r\n");
  assertEquals(
    server.raw("PSUBSCRIBE"),
    "-ERR wrong number of arguments for 'psubscribe' command\r\n",
  );
  assertEquals(server.raw("PUNSUBSCRIBE"), ">3\r\n$12\r\npunsubscribe\r\n_\r\n:1\r\n");
  server.raw("HELLO 2");
  assertEquals(server.raw("GET k"), `-ERR Can't execute 'get': ${MISPLACED}`);
  server.client().run("PUBLISH a x");
  assertEquals(server.raw("PING"), `${message("*", "x")}*2\r\n$4\r\npong\r\n$0\r\n\r\n`);
});

function message(mark: string, text: string): string {
  return `${mark}3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n${text}\r\n`;
}

Deno.test("a client's message to itself follows the reply of its command, and that of EXEC", () => {
  const server = new TestServer();
  server.run("HELLO 3");
  server.raw("SUBSCRIBE a");
  assertEquals(server.raw("PUBLISH a 1"), `:1\r\n${message(">", "1")}`);
  server.run("MULTI");
  server.run("PUBLISH a 1");
  server.run("SET k v");
  server.run("PUBLISH a 2");
  assertEquals(
    server.raw("EXEC"),
    `*3\r\n:1\r\n+OK\r\n:1\r\n${message(">", "1")}${message(">", "2")}`,
  );
});

Deno.test("a client subscribes and unsubscribes within MULTI, also in RESP2", () => {
  const server = new TestServer();
  for (const line of ["MULTI", "SUBSCRIBE a", "PUBLISH a 1", "PING", "GET k", "UNSUBSCRIBE"]) {
    server.run(line);
  }
  assertEquals(
    server.raw("EXEC"),
    "*5\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n:1\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n$-1\r\n" +
      unsubscribed("a", 0) + message("*", "1"),
  );
  for (const line of ["MULTI", "SUBSCRIBE a"]) server.run(line);
  server.raw("EXEC");
  assertEquals(server.raw("GET k"), `-ERR Can't execute 'get': ${MISPLACED}`);
});

Deno.test("SSUBSCRIBE is refused within MULTI, and SUNSUBSCRIBE is not", () => {
  const server = new TestServer();
  for (const line of ["MULTI", "SSUBSCRIBE a", "SUNSUBSCRIBE a"]) server.run(line);
  assertEquals(
    server.raw("EXEC"),
    "*2\r\n-ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client\r\n" +
      "*3\r\n$12\r\nsunsubscribe\r\n$1\r\na\r\n:0\r\n",
  );
});

Deno.test("CLIENT REPLY OFF and SKIP silence replies, but no messages and no confirmations", () => {
  const server = new TestServer();
  server.run("HELLO 3");
  assertEquals(server.raw("CLIENT REPLY OFF"), "");
  assertEquals(server.raw("SUBSCRIBE a"), ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
  assertEquals(server.raw("PUBLISH a 1"), message(">", "1"));
  for (const line of ["MULTI", "PUBLISH a 2"]) assertEquals(server.raw(line), "");
  assertEquals(server.raw("EXEC"), message(">", "2"));
  server.client().run("PUBLISH a 3");
  assertEquals(server.raw("CLIENT REPLY ON"), `${message(">", "3")}+OK\r\n`);
  server.raw("CLIENT REPLY SKIP");
  assertEquals(server.raw("PUBLISH a 4"), message(">", "4"));
  assertEquals(server.raw("PING"), "+PONG\r\n");
});

Deno.test("a blocked subscriber is sent messages while it waits, and behind the reply when it is served", () => {
  const server = new TestServer();
  const client = server.client();
  client.run("HELLO 3");
  client.run("SUBSCRIBE a");
  client.run("BLPOP list 0");
  server.run("PUBLISH a 1");
  assertEquals(client.raw(), message(">", "1"));
  server.run("RPUSH list x");
  assertEquals(client.raw(), "*2\r\n$4\r\nlist\r\n$1\r\nx\r\n");
});

Deno.test("PUBSUB tells the channels, the patterns and the numbers of subscribers", () => {
  const server = new TestServer();
  const clients = [server.client(), server.client()];
  for (const client of clients) client.run("SUBSCRIBE news sport");
  clients[0].run("PSUBSCRIBE *");
  clients[1].run("PSUBSCRIBE *");
  clients[1].run("PSUBSCRIBE x");
  assertEquals(server.run("PUBSUB CHANNELS"), ["news", "sport"]);
  assertEquals(server.run("PUBSUB CHANNELS n*"), ["news"]);
  assertEquals(server.run("PUBSUB NUMSUB news none"), ["news", 2, "none", 0]);
  assertEquals(server.run("PUBSUB NUMSUB"), []);
  assertEquals(server.run("PUBSUB NUMPAT"), 2);
  assertEquals(
    server.raw("PUBSUB CHANNELS a b"),
    "-ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP.\r\n",
  );
  const info = String(server.run("INFO stats"));
  assert(info.includes("pubsub_channels:2\r\npubsub_patterns:2\r\npubsubshard_channels:0\r\n"));
  clients[1].run("RESET");
  assertEquals(server.run("PUBSUB NUMSUB news"), ["news", 1]);
  clients[0].client.transport.kill();
  assertEquals(server.run("PUBSUB CHANNELS"), []);
  assertEquals(server.run("PUBSUB NUMPAT"), 0);
});

Deno.test("CLIENT LIST counts subscriptions, and subscribers are a type of clients", () => {
  const server = new TestServer();
  const client = server.client();
  client.run("HELLO 3");
  for (const line of ["SUBSCRIBE a b", "PSUBSCRIBE c", "SSUBSCRIBE d"]) client.run(line);
  const list = String(server.run("CLIENT LIST TYPE pubsub"));
  assert(list.includes(" flags=P db=0 sub=2 psub=1 ssub=1 "), list);
  assertEquals(list.split("\n").length, 2);
  assert(!String(server.run("CLIENT LIST TYPE normal")).includes("flags=P"));
  assertEquals(server.run("CLIENT KILL TYPE normal"), 0);
  assertEquals(server.run("CLIENT KILL TYPE pubsub"), 1);
  assert(client.isClosed);
  assertEquals(server.run("PUBLISH a x"), 0);
});

Deno.test("subscriptions are part of a client's memory, and of what MEMORY STATS tells of clients", () => {
  const server = new TestServer();
  const client = server.client();
  const total = (): number => (server.engine.usedBytes, server.engine.clientMemory.bytes);
  const idle = total();
  for (let i = 0; i < 100; i++) {
    client.call("SUBSCRIBE", `${"x".repeat(1000)}${i}`);
    client.raw();
  }
  assert(total() - idle > 100_000, `${total() - idle}`);
  assert(Number((server.run("MEMORY STATS") as Reply[])[11]) > 100_000);
  assertEquals(client.client.subscriptions?.bytes, 600 + 130 * 100 + 1000 * 100 + 190);
  client.run("UNSUBSCRIBE");
  assertEquals(client.client.subscriptions, null);
});

Deno.test("HELLO changes the form of messages, and a client that is killed gets none", () => {
  const server = new TestServer();
  const [one, other] = [server.client(), server.client()];
  for (const client of [one, other]) {
    client.run("HELLO 3");
    client.run("SUBSCRIBE a");
  }
  one.raw();
  server.run("PUBLISH a 1");
  one.run("HELLO 2");
  // What came before keeps its form.
  assert(one.raw().endsWith("$7\r\nmodules\r\n*0\r\n"));
  server.run("PUBLISH a 2");
  assertEquals(one.raw(), message("*", "2"));
  assertEquals(other.raw(), message(">", "1") + message(">", "2"));
  assertEquals(server.run(`CLIENT KILL ID ${one.client.id}`), 1);
  assertEquals(server.run("PUBLISH a 3"), 1);
  assertEquals(one.raw(), "");
});

Deno.test("messages wait while writes are paused, and subscribing does not", () => {
  const server = new TestServer();
  const client = server.client();
  server.run("CLIENT PAUSE 1000 WRITE");
  assertEquals(client.raw(), "");
  client.run("SUBSCRIBE a");
  client.raw();
  assertEquals(server.run("PUBLISH a 1"), undefined);
  assertEquals(client.raw(), "");
  server.advance(1001);
  assertEquals(client.raw(), message("*", "1"));
});

Deno.test("a subscriber may be over its soft limit for so many whole seconds, and no longer", () => {
  const server = new TestServer({
    directives: { "client-output-buffer-limit": "pubsub 0 1000 3" },
  });
  const client = server.client();
  client.run("SUBSCRIBE a");
  server.advanceClock(900);
  server.call("PUBLISH", "a", "x".repeat(2000));
  server.engine.flushOthers();
  server.advance(3050);
  assert(!client.isClosed);
  server.advance(100);
  assert(client.isClosed);
});

Deno.test("MONITOR makes a client no replica", () => {
  const server = new TestServer();
  server.client().run("MONITOR");
  assertEquals(server.run("CLIENT KILL TYPE replica"), 0);
  assert(String(server.run("CLIENT LIST TYPE normal")).includes("flags=O"));
});

Deno.test("subscribers are not closed for being idle", () => {
  const server = new TestServer();
  const [subscriber, idler] = [server.client(), server.client()];
  subscriber.run("SUBSCRIBE a");
  idler.run("PING");
  server.run("CONFIG SET timeout 1");
  server.advance(5000);
  assert(idler.isClosed && !subscriber.isClosed);
});

Deno.test("a message allocates nothing for a subscriber", () => {
  const server = new TestServer();
  const subscribers = Array.from({ length: 100 }, () => server.client());
  subscribers.forEach((subscriber, i) => {
    if (i % 2 === 0) subscriber.run("HELLO 3");
    subscriber.run("SUBSCRIBE a");
    subscriber.raw();
  });
  const text = new TextEncoder().encode("a message of some bytes");
  const publish = (): void => {
    assertEquals(server.engine.pubsub.publish(Kind.channel, NAME, 0, 1, text, 0, text.length), 100);
    for (const { client } of subscribers) client.reply.drop();
  };
  let least = Infinity;
  for (let round = 0; round < 20; round++) {
    const before = Deno.memoryUsage().heapUsed;
    for (let n = 0; n < MESSAGES; n++) publish();
    const bytes = Deno.memoryUsage().heapUsed - before;
    if (bytes >= 0) least = Math.min(least, bytes / MESSAGES / subscribers.length);
  }
  // What one message takes is little, and the more subscribers share it, the less it is for each.
  assert(least < 8, `${least} bytes a subscriber`);
});

const NAME = new TextEncoder().encode("a");
const MESSAGES = 500;

Deno.test("What a client's transaction publishes to the client itself takes no more memory than its limit", () => {
  const server = new TestServer({
    directives: { "client-output-buffer-limit": "pubsub 1mb 0 0" },
  });
  const client = server.client();
  client.run("HELLO 3");
  client.run("SUBSCRIBE news");
  client.run("MULTI");
  for (let i = 0; i < 100; i++) client.call("PUBLISH", "news", "x".repeat(100_000));
  const { end } = server.engine.pushes;
  let bytes = 0;
  server.engine.pushes.end = (held) => {
    bytes = held.heldPushes?.capacity ?? 0;
    end.call(server.engine.pushes, held);
  };
  client.run("EXEC");
  server.engine.flushOthers();
  assert(bytes > 0 && bytes < 4 << 20, `${bytes} bytes`);
  assert(client.isClosed);
});
