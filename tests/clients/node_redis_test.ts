/** What applications do with node-redis, over a real socket. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { commandOptions, createClient } from "redis";
import { startRespite } from "../support/live.ts";
import { EVERY_COMMAND } from "./every_command.ts";

type NodeRedis = ReturnType<typeof createClient>;

async function connected(port: number): Promise<NodeRedis> {
  const client = createClient({ socket: { host: "127.0.0.1", port } });
  client.on("error", () => {});
  await client.connect();
  return client as NodeRedis;
}

/** A test with a client of a fresh server; the library closes its sockets a moment later. */
function clientTest(name: string, work: (client: NodeRedis, port: number) => Promise<void>): void {
  const fn = async (): Promise<void> => {
    const server = startRespite();
    const client = await connected(server.port);
    try {
      await work(client, server.port);
    } finally {
      if (client.isOpen) await client.disconnect();
      await server.stop();
    }
  };
  Deno.test({ name, sanitizeOps: false, sanitizeResources: false, fn });
}

clientTest("node-redis runs every command", async (client) => {
  for (const [line, expected] of EVERY_COMMAND) {
    const reply = await client.sendCommand(line.split(" ")).catch((error: unknown) => error);
    if (typeof expected === "function") assert(expected(reply), `${line}: ${Deno.inspect(reply)}`);
    else assertEquals(reply, expected, line);
  }
});
clientTest("node-redis's methods read and write strings and deadlines", async (client) => {
  assertEquals(await client.set("k", "v", { EX: 100, NX: true }), "OK");
  assertEquals(await client.set("k", "w", { XX: true, GET: true, KEEPTTL: true }), "v");
  assertEquals(await client.ttl("k"), 100);
  assertEquals(await client.mGet(["k", "missing"]), ["w", null]);
  assertEquals(await client.bitCount("k"), 6);
  assertEquals(await client.expire("k", 200, "GT"), true);
  assertEquals(await client.copy("k", "copy"), true);
});
clientTest("node-redis gets back the bytes that it has set", async (client) => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i & 255);
  await client.set("k", Buffer.from(bytes));
  const found = await client.get(commandOptions({ returnBuffers: true }), "k");
  assertEquals(Uint8Array.from(found ?? []), bytes);
});
clientTest("node-redis sends what is asked at once as one pipeline", async (client) => {
  const replies = await Promise.all(Array.from({ length: 1000 }, () => client.incr("n")));
  assertEquals(replies, Array.from({ length: 1000 }, (_, i) => i + 1));
});
clientTest(
  "node-redis's multi() answers all at once, and refuses when a watched key changes",
  async (
    client,
    port,
  ) => {
    assertEquals(await client.multi().set("a", "1").incr("a").exec(), ["OK", 2]);
    const other = await connected(port);
    await client.watch("a");
    await other.set("a", "9");
    await assertRejects(() => client.multi().set("a", "1").exec(), Error, "watched keys");
    assertEquals(await client.get("a"), "9");
    await other.disconnect();
  },
);
clientTest("node-redis rejects with the text of the error", async (client) => {
  await client.set("k", "v");
  await assertRejects(() => client.incr("k"), Error, "ERR value is not an integer or out of range");
});
clientTest("node-redis's scanIterator visits every key", async (client) => {
  await client.sendCommand(["DEBUG", "POPULATE", "1000"]);
  const found = new Set<string>();
  for await (const key of client.scanIterator({ COUNT: 100 })) found.add(key);
  assertEquals(found.size, 1000);
});
clientTest(
  "node-redis reads INFO, CONFIG and COMMAND in the shapes that it knows",
  async (client) => {
    assert((await client.info("server")).includes("redis_version:7.2"));
    assertEquals(await client.configGet("maxmemory"), { maxmemory: "0" });
    const [get] = await client.commandInfo(["get"]);
    assertEquals([get?.name, get?.arity, get?.firstKeyIndex], ["get", 2, 1]);
    assertEquals((await client.clientList()).length, 1);
  },
);
clientTest("node-redis says HELLO and RESET, and is let go by QUIT", async (client) => {
  assertEquals((await client.hello()).proto, 2);
  assertEquals(await client.sendCommand(["RESET"]), "RESET");
  assertEquals(await client.quit(), "OK");
});
clientTest("node-redis hears messages by channel, by pattern and by shard channel", async (
  client,
  port,
) => {
  const subscriber = await connected(port);
  const heard: string[] = [];
  const listener = (message: string, channel: string): number =>
    heard.push(`${channel} ${message}`);
  await subscriber.subscribe(["news", "sport"], listener);
  await subscriber.pSubscribe("n*", listener);
  await subscriber.sSubscribe("shard", listener);
  assertEquals(await client.publish("news", "one"), 2);
  assertEquals(await client.sPublish("shard", "two"), 1);
  assertEquals(await client.pubSubNumSub("news"), { news: 1 });
  while (heard.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(heard, ["news one", "news one", "shard two"]);
  await subscriber.disconnect();
});
clientTest("node-redis stops to hear messages, and sends commands again", async (client, port) => {
  const subscriber = await connected(port);
  const heard: string[] = [];
  await subscriber.subscribe("news", (message) => heard.push(message));
  await subscriber.unsubscribe("news");
  assertEquals(await client.publish("news", "one"), 0);
  assertEquals(await subscriber.get("k"), null);
  assertEquals(heard, []);
  await subscriber.disconnect();
});
