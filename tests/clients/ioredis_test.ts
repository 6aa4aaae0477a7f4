/** What applications do with ioredis (RESP2), over a real socket. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Redis } from "ioredis";
import { Buffer } from "node:buffer";
import { startRespite } from "../support/live.ts";
import { EVERY_COMMAND } from "./every_command.ts";

/** Runs `work` with a client of a fresh server. */
async function withClient(work: (redis: Redis, port: number) => Promise<void>): Promise<void> {
  const server = startRespite();
  const redis = new Redis({ port: server.port, host: "127.0.0.1" });
  try {
    await work(redis, server.port);
  } finally {
    redis.disconnect();
    await server.stop();
  }
}

/** A test that needs no more than a client; the library closes its sockets a moment later. */
function clientTest(name: string, work: (redis: Redis, port: number) => Promise<void>): void {
  const fn = (): Promise<void> => withClient(work);
  Deno.test({ name, sanitizeOps: false, sanitizeResources: false, fn });
}

clientTest("ioredis runs every command", async (redis) => {
  for (const [line, expected] of EVERY_COMMAND) {
    const [name, ...words] = line.split(" ");
    const reply = await redis.call(name, ...words).catch((error: unknown) => error);
    if (typeof expected === "function") assert(expected(reply), `${line}: ${Deno.inspect(reply)}`);
    else assertEquals(reply, expected, line);
  }
});
clientTest("ioredis's methods read and write strings and deadlines", async (redis) => {
  assertEquals(await redis.set("k", "v", "EX", 100, "NX"), "OK");
  assertEquals(await redis.set("k", "w", "NX"), null);
  assertEquals(await redis.ttl("k"), 100);
  assertEquals(await redis.mset({ a: "1", b: "2" }), "OK");
  assertEquals(await redis.mget("a", "b", "c"), ["1", "2", null]);
  assertEquals(await redis.incrbyfloat("a", 0.25), "1.25");
});
clientTest("ioredis gets back the bytes that it has set, in key and value", async (redis) => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i & 255);
  const key = Buffer.from(bytes.slice(0, 300));
  await redis.set(key, Buffer.from(bytes));
  assertEquals(Uint8Array.from(await redis.getBuffer(key) ?? []), bytes);
});
clientTest("ioredis pipelines a thousand commands, one of them wrong", async (redis) => {
  const pipeline = redis.pipeline();
  for (let i = 0; i < 500; i++) pipeline.set(`key:${i}`, i).get(`key:${i}`);
  pipeline.call("nosuch");
  const replies = await pipeline.exec() ?? [];
  for (let i = 0; i < 500; i++) assertEquals(replies[2 * i + 1], [null, String(i)]);
  assertEquals(
    replies[1000][0]?.message,
    "ERR unknown command 'nosuch', with args beginning with: ",
  );
});
clientTest("ioredis's multi() answers all at once, and null when a watched key changes", async (
  redis,
  port,
) => {
  assertEquals(await redis.multi().set("a", 1).incr("a").exec(), [[null, "OK"], [null, 2]]);
  const other = new Redis({ port, host: "127.0.0.1" });
  await redis.watch("a");
  await other.set("a", "9");
  assertEquals(await redis.multi().set("a", "1").exec(), null);
  assertEquals(await redis.get("a"), "9");
  other.disconnect();
});
clientTest("ioredis rejects with the text of the error", async (redis) => {
  await redis.set("k", "v");
  await assertRejects(() => redis.incr("k"), Error, "ERR value is not an integer or out of range");
});
clientTest("ioredis's scanStream visits every key", async (redis) => {
  await redis.call("DEBUG", "POPULATE", "1000");
  const found = new Set<string>();
  for await (const keys of redis.scanStream({ count: 100 })) {
    for (const key of keys as string[]) found.add(key);
  }
  assertEquals(found.size, 1000);
});
clientTest("ioredis's monitor sees what other connections run", async (redis) => {
  const monitor = await redis.monitor();
  const seen = new Promise<string[]>((resolve) => {
    monitor.on("monitor", (_time: string, words: string[]) => resolve(words));
  });
  await redis.set("k", "v");
  assertEquals((await seen).map((word) => word.toLowerCase()), ["set", "k", "v"]);
  monitor.disconnect();
});
clientTest("ioredis says HELLO and RESET, and is let go by QUIT", async (redis) => {
  assert((await redis.call("HELLO", "2") as unknown[]).includes("proto"));
  assertEquals(await redis.call("RESET"), "RESET");
  assertEquals(await redis.quit(), "OK");
});
clientTest("ioredis hears messages by channel and by pattern, and stops", async (redis, port) => {
  const subscriber = new Redis({ port, host: "127.0.0.1" });
  const heard: string[] = [];
  subscriber.on("message", (...words: string[]) => heard.push(words.join(" ")));
  subscriber.on("pmessage", (...words: string[]) => heard.push(words.join(" ")));
  assertEquals(await subscriber.subscribe("news", "sport"), 2);
  assertEquals(await subscriber.psubscribe("n*"), 3);
  assertEquals(await redis.publish("news", "one"), 2);
  while (heard.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(heard, ["news one", "n* news one"]);
  assertEquals(await subscriber.unsubscribe("news", "sport"), 1);
  assertEquals(await subscriber.punsubscribe("n*"), 0);
  assertEquals(await subscriber.get("k"), null);
  subscriber.disconnect();
});
clientTest("ioredis hears messages of shard channels", async (redis, port) => {
  const subscriber = new Redis({ port, host: "127.0.0.1" });
  const heard: string[] = [];
  subscriber.on("smessage", (...words: string[]) => heard.push(words.join(" ")));
  assertEquals(await subscriber.ssubscribe("shard"), 1);
  assertEquals(await redis.spublish("shard", "two"), 1);
  while (heard.length < 1) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(heard, ["shard two"]);
  subscriber.disconnect();
});
