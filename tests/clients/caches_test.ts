/** What applications do with @keyv/redis, alone and in cache-manager. */
import { assertEquals } from "@std/assert";
import { createKeyv, type Keyv } from "@keyv/redis";
import { createCache } from "cache-manager";
import { until } from "../support/waiting.ts";
import { serverTest } from "./with_server.ts";

function keyvTest(name: string, work: (keyv: Keyv, other: Keyv) => Promise<void>): void {
  serverTest(name, async (port) => {
    const keyv = createKeyv(`redis://127.0.0.1:${port}`, { namespace: "one" });
    const other = createKeyv(`redis://127.0.0.1:${port}`, { namespace: "two" });
    try {
      await work(keyv, other);
    } finally {
      await keyv.disconnect();
      await other.disconnect();
    }
  });
}

keyvTest("@keyv/redis keeps values of any kind, for a time or for good", async (keyv) => {
  const value = { list: [1, "zwei", null], nested: { yes: true } };
  assertEquals(await keyv.set("object", value), true);
  assertEquals(await keyv.get("object"), value);
  assertEquals(await keyv.get("missing"), undefined);
  await keyv.set("short", 1, 20);
  await until(async () => await keyv.get("short") === undefined);
  assertEquals(await keyv.has("short"), false);
  assertEquals(await keyv.delete("object"), true);
  assertEquals(await keyv.delete("object"), false);
});
keyvTest("@keyv/redis clears and walks its namespace only", async (keyv, other) => {
  const entries = Array.from({ length: 50 }, (_, n) => ({ key: `k${n}`, value: n }));
  await keyv.setMany(entries);
  await other.set("k0", "other");
  assertEquals(await keyv.getMany(["k1", "no", "k2"]), [1, undefined, 2]);
  const found = new Map<string, number>();
  for await (const [key, value] of keyv.iterator?.("one") ?? []) found.set(key, value);
  assertEquals([found.size, found.get("k49")], [50, 49]);
  assertEquals(await keyv.deleteMany(["k1", "k2"]), true);
  await keyv.clear();
  assertEquals([await keyv.get("k0"), await other.get("k0")], [undefined, "other"]);
});
keyvTest("cache-manager computes a value once while it is cached", async (keyv) => {
  const cache = createCache({ stores: [keyv] });
  let count = 0;
  const compute = (): Promise<number> => Promise.resolve(++count);
  const both = await Promise.all([1, 2].map(() => cache.wrap("n", compute, { ttl: 60_000 })));
  assertEquals([...both, await cache.wrap("n", compute)], [1, 1, 1]);
  await cache.mset([{ key: "a", value: "x" }, { key: "b", value: "y" }]);
  assertEquals(await cache.mget(["a", "b", "c"]), ["x", "y", undefined]);
  assertEquals((await cache.ttl("n") ?? 0) > Date.now(), true);
  await cache.del("n");
  assertEquals(await cache.wrap("n", compute), 2);
  await cache.clear();
  assertEquals(await cache.get("a"), undefined);
});
