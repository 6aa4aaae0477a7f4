/** What applications do with redlock: locks that are taken, extended and released by scripts. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ExecutionError, Redlock, ResourceLockedError } from "@sesamecare-oss/redlock";
import { Redis } from "ioredis";
import { serverTest } from "./with_server.ts";

function lockTest(name: string, work: (redlock: Redlock, redis: Redis) => Promise<void>): void {
  serverTest(name, async (port) => {
    const redis = new Redis({ port, host: "127.0.0.1" });
    const redlock = new Redlock([redis], { retryDelay: 10, retryJitter: 0 });
    try {
      await work(redlock, redis);
    } finally {
      await redlock.quit();
    }
  });
}

lockTest("redlock gives a lock to one at a time, and to the next when it is released", async (
  redlock,
  redis,
) => {
  const lock = await redlock.acquire(["a", "b"], 60_000);
  assertEquals(await redis.exists("a", "b"), 2);
  assert(await redis.pttl("a") > 50_000);
  const refusal = await redlock.acquire(["b", "c"], 1000, { retryCount: 2 }).catch((e) => e);
  assert(refusal instanceof ExecutionError);
  const { votesAgainst } = await refusal.attempts[0];
  assert([...votesAgainst.values()][0] instanceof ResourceLockedError);
  assertEquals(await redis.exists("c"), 0);
  await lock.release();
  assertEquals(await redis.exists("a", "b"), 0);
  await (await redlock.acquire(["b", "c"], 60_000, { retryCount: 0 })).release();
});
lockTest("redlock extends a lock that it still has, and no other", async (redlock, redis) => {
  const lock = await redlock.acquire(["a"], 20_000);
  const longer = await lock.extend(60_000);
  assert(await redis.pttl("a") > 50_000);
  await redis.set("a", "stolen");
  await assertRejects(() => longer.extend(1000), ExecutionError);
  await assertRejects(() => longer.release(), ExecutionError);
  assertEquals(await redis.get("a"), "stolen");
});
lockTest("redlock.using() serialises what runs under the lock", async (redlock, redis) => {
  const settings = { retryCount: 1000, retryDelay: 2 };
  let inside = 0;
  await Promise.all(
    Array.from({ length: 10 }, () =>
      redlock.using(["counter"], 10_000, settings, async () => {
        assertEquals(++inside, 1);
        const n = Number(await redis.get("n"));
        await redis.set("n", n + 1);
        inside--;
      })),
  );
  assertEquals(await redis.get("n"), "10");
});
lockTest("redlock loads its scripts again when the server has forgotten them", async (
  redlock,
  redis,
) => {
  await (await redlock.acquire(["a"], 60_000)).release();
  await redis.script("FLUSH");
  await (await redlock.acquire(["a"], 60_000)).release();
  assertEquals(await redis.exists("a"), 0);
});
