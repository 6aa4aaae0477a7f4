/** Client-side caching as node-redis 5 does it, over a real socket. */
import { assertEquals } from "@std/assert";
import {
  BasicClientSideCache,
  BasicPooledClientSideCache,
  createClient,
  createClientPool,
} from "redis5";
import { startRespite } from "../support/live.ts";
import { until } from "../support/waiting.ts";

function cacheTest(name: string, work: (port: number) => Promise<void>): void {
  const fn = async (): Promise<void> => {
    const server = startRespite();
    try {
      await work(server.port);
    } finally {
      await server.stop();
    }
  };
  Deno.test({ name, sanitizeOps: false, sanitizeResources: false, fn });
}

cacheTest(
  "node-redis 5 answers from its cache until another client changes the key",
  async (port) => {
    const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 0, evictPolicy: "LRU" });
    const socket = { host: "127.0.0.1", port };
    const reader = createClient({ socket, RESP: 3, clientSideCache: cache });
    const writer = createClient({ socket });
    await Promise.all([reader.connect(), writer.connect()]);
    await writer.mSet({ k: "1", l: "1" });
    await writer.hSet("h", { f: "1" });
    for (let i = 0; i < 10; i++) {
      assertEquals([await reader.get("k"), await reader.hGet("h", "f")], ["1", "1"]);
      assertEquals(await reader.mGet(["k", "l"]), ["1", "1"]);
    }
    assertEquals([cache.stats().hitCount, cache.stats().missCount], [27, 3]);
    await writer.set("k", "2");
    await until(async () => await reader.get("k") === "2");
    assertEquals([await reader.mGet(["k", "l"]), await reader.hGet("h", "f")], [["2", "1"], "1"]);
    await writer.pExpire("h", 1);
    await until(async () => await reader.hGet("h", "f") === null);
    await writer.flushAll();
    await until(async () => await reader.get("k") === null);
    reader.destroy();
    writer.destroy();
  },
);
cacheTest("a pool of node-redis 5 shares one cache", async (port) => {
  const cache = new BasicPooledClientSideCache({ ttl: 0, maxEntries: 0, evictPolicy: "LRU" });
  const socket = { host: "127.0.0.1", port };
  const pool = createClientPool({ socket, RESP: 3 }, { minimum: 3, clientSideCache: cache });
  const writer = createClient({ socket });
  await Promise.all([pool.connect(), writer.connect()]);
  for (let value = 1; value <= 3; value++) {
    await writer.set("k", value);
    await until(async () => await pool.get("k") === `${value}`);
    const values = await Promise.all(Array.from({ length: 20 }, () => pool.get("k")));
    assertEquals(new Set(values), new Set([`${value}`]));
  }
  // Each client that has read the key is told of its change: the last message may come when the new value is cached already.
  assertEquals(cache.stats().hitCount > 0, true);
  pool.destroy();
  writer.destroy();
});
