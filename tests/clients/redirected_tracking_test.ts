/** Client-side caching over RESP2, with ioredis: another connection of the application hears which keys have changed. */
import { assertEquals } from "@std/assert";
import { Redis } from "ioredis";
import { until } from "../support/waiting.ts";
import { serverTest } from "./with_server.ts";

serverTest("ioredis hears on another connection which keys have changed", async (port) => {
  const [data, listener, other] = [1, 2, 3].map(() => new Redis({ port, host: "127.0.0.1" }));
  const changed: string[] = [];
  const id = await listener.client("ID");
  // ioredis makes one text of the list of names; there is none when all keys are gone.
  listener.on("message", (channel, keys) => {
    assertEquals(channel, "__redis__:invalidate");
    changed.push(...(keys === "" ? ["everything"] : keys.split(",")));
  });
  await listener.subscribe("__redis__:invalidate");
  await data.call("CLIENT", "TRACKING", "ON", "REDIRECT", id, "BCAST", "PREFIX", "user:");
  await other.mset({ "user:1": "a", "order:1": "b", "user:2": "c" });
  await until(() => changed.length === 2);
  assertEquals(changed.sort(), ["user:1", "user:2"]);
  await data.call("CLIENT", "TRACKING", "OFF");
  await data.call("CLIENT", "TRACKING", "ON", "REDIRECT", id);
  await data.get("order:1");
  await other.del("order:1");
  await until(() => changed.length === 3);
  assertEquals(changed[2], "order:1");
  await other.flushall();
  await until(() => changed.length === 4);
  assertEquals(changed[3], "everything");
  for (const redis of [data, listener, other]) await redis.quit();
});
