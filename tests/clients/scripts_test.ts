/** How client libraries run scripts: by their SHA1, and by their text when the server does not know it. */
import { assertEquals, assertRejects } from "@std/assert";
import { Redis, type Result } from "ioredis";
import { Buffer } from "node:buffer";
import { createClient, defineScript } from "redis5";
import { serverTest } from "./with_server.ts";

declare module "ioredis" {
  interface RedisCommander<Context> {
    raise(key: string, by: number): Result<number, Context>;
    echoAll(keys: number, ...words: (string | Buffer)[]): Result<string[], Context>;
    echoAllBuffer(keys: number, ...words: (string | Buffer)[]): Result<Buffer[], Context>;
    refuse(): Result<never, Context>;
  }
}

const RAISE = `return redis.call("INCRBY", KEYS[1], ARGV[1])`;
const ECHO_ALL = `
local found = {}
for _, key in ipairs(KEYS) do found[#found + 1] = "key:" .. key end
for _, word in ipairs(ARGV) do found[#found + 1] = "word:" .. word end
return found`;
const REFUSE = `return redis.error_reply("REFUSED not today")`;

async function withIoredis(port: number, work: (redis: Redis) => Promise<void>): Promise<void> {
  const redis = new Redis({ port, host: "127.0.0.1", keyPrefix: "p:" });
  redis.defineCommand("raise", { numberOfKeys: 1, lua: RAISE });
  redis.defineCommand("echoAll", { lua: ECHO_ALL });
  redis.defineCommand("refuse", { numberOfKeys: 0, lua: REFUSE });
  try {
    await work(redis);
  } finally {
    await redis.quit();
  }
}

serverTest("ioredis's defineCommand makes a script a method", async (port) => {
  await withIoredis(port, async (redis) => {
    assertEquals([await redis.raise("n", 2), await redis.raise("n", 40)], [2, 42]);
    assertEquals(await redis.get("n"), "42");
    assertEquals(await redis.echoAll(2, "a", "b", "c"), ["key:p:a", "key:p:b", "word:c"]);
    const bytes = Buffer.from(Uint8Array.from({ length: 256 }, (_, n) => n));
    const [word] = await redis.echoAllBuffer(0, bytes);
    assertEquals(word, Buffer.concat([Buffer.from("word:"), bytes]));
    await assertRejects(() => redis.refuse(), Error, "REFUSED not today");
    await assertRejects(() => redis.raise("n", 0.5), Error, "not an integer");
  });
});
serverTest("ioredis's scripts run in pipelines and transactions", async (port) => {
  await withIoredis(port, async (redis) => {
    const piped = await redis.pipeline().raise("n", 1).raise("n", 1).get("n").exec();
    assertEquals(piped, [[null, 1], [null, 2], [null, "2"]]);
    assertEquals(await redis.multi().raise("n", 5).get("n").exec(), [[null, 7], [null, "7"]]);
    await redis.script("FLUSH");
    assertEquals(await redis.raise("n", 1), 8);
    await redis.script("FLUSH");
    assertEquals(await redis.pipeline().raise("n", 1).exec(), [[null, 9]]);
  });
});
for (const RESP of [2, 3] as const) {
  serverTest(`node-redis's defineScript makes a script a method, in RESP${RESP}`, async (port) => {
    const client = createClient({
      RESP,
      socket: { host: "127.0.0.1", port },
      scripts: {
        raise: defineScript({
          NUMBER_OF_KEYS: 1,
          SCRIPT: RAISE,
          parseCommand(parser, key: string, by: number) {
            parser.pushKey(key);
            parser.push(String(by));
          },
          transformReply: (reply: number) => reply,
        }),
        map: defineScript({
          NUMBER_OF_KEYS: 0,
          SCRIPT:
            `redis.setresp(3) redis.call("HSET", "h", "f", "v") return redis.call("HGETALL", "h")`,
          parseCommand(_parser: unknown, ..._none: string[]) {},
          transformReply: (reply: unknown) => JSON.stringify(reply),
        }),
      },
    });
    await client.connect();
    assertEquals([await client.raise("n", 2), await client.raise("n", 40)], [2, 42]);
    await client.scriptFlush();
    assertEquals(await client.raise("n", 1), 43);
    assertEquals(await client.multi().raise("n", 1).get("n").exec(), [44, "44"]);
    assertEquals(await client.map(), RESP === 3 ? '{"f":"v"}' : '["f","v"]');
    await client.close();
  });
}
serverTest("node-redis loads functions and calls them", async (port) => {
  const client = createClient({ socket: { host: "127.0.0.1", port } });
  await client.connect();
  const library = `#!lua name=shop
redis.register_function("sell", function(keys, args) return redis.call("DECRBY", keys[1], args[1]) end)
redis.register_function{function_name="left", callback=function(keys) return redis.call("GET", keys[1]) end, flags={"no-writes"}}`;
  assertEquals(await client.functionLoad(library), "shop");
  assertEquals(await client.fCall("sell", { keys: ["stock"], arguments: ["3"] }), -3);
  assertEquals(await client.fCallRo("left", { keys: ["stock"], arguments: [] }), "-3");
  await assertRejects(
    () => client.fCallRo("sell", { keys: ["stock"], arguments: ["3"] }),
    Error,
    "Can not execute a script with write flag using *_ro command.",
  );
  const [found] = await client.functionList({ LIBRARYNAME: "shop" });
  assertEquals(found.functions.map(({ name }) => String(name)).sort(), ["left", "sell"]);
  assertEquals(await client.functionLoad(library, { REPLACE: true }), "shop");
  await client.functionDelete("shop");
  await client.close();
});
