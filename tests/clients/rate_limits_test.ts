/** What applications do with rate-limit-redis: limits of express-rate-limit, counted by scripts. */
import { assert, assertEquals } from "@std/assert";
// @ts-types="npm:@types/express@5.0.6"
import express from "express";
import { rateLimit } from "express-rate-limit";
import { Redis } from "ioredis";
import { RedisStore } from "rate-limit-redis";
import { createClient } from "redis5";
import { ask, serving } from "./express.ts";
import { serverTest } from "./with_server.ts";

serverTest("rate-limit-redis counts for express-rate-limit, by node-redis", async (port) => {
  const client = createClient({ socket: { host: "127.0.0.1", port } });
  await client.connect();
  await limits((...words) => client.sendCommand(words));
  assert(await client.pTTL("rl:visitor") > 500_000);
  await client.close();
});
serverTest("rate-limit-redis counts for express-rate-limit, by ioredis", async (port) => {
  const redis = new Redis({ port, host: "127.0.0.1" });
  await limits((command, ...words) => redis.call(command, words) as Promise<string>);
  assert(await redis.pttl("rl:visitor") > 500_000);
  await redis.quit();
});

/** Lets a visitor ask thrice in ten minutes. */
async function limits(sendCommand: (...words: string[]) => Promise<string>): Promise<void> {
  const store = new RedisStore({ sendCommand });
  const app = express();
  app.use(rateLimit({
    windowMs: 600_000,
    limit: 3,
    standardHeaders: "draft-7",
    legacyHeaders: false,
    keyGenerator: () => "visitor",
    store,
  }));
  app.get("/", (_request, response) => void response.send("welcome"));
  await serving(app, async (address) => {
    const statuses: number[] = [];
    for (let n = 0; n < 5; n++) statuses.push((await ask(address)).response.status);
    assertEquals(statuses, [200, 200, 200, 429, 429]);
    assertEquals((await store.get("visitor"))?.totalHits, 5);
    await store.decrement("visitor");
    assertEquals((await store.get("visitor"))?.totalHits, 4);
    await store.resetKey("visitor");
    const { response } = await ask(address);
    assertEquals(response.status, 200);
    assert(response.headers.get("ratelimit")?.startsWith("limit=3, remaining=2, reset="));
  });
}
