/** What applications do with connect-redis: sessions of express-session. */
import { assert, assertEquals } from "@std/assert";
import { RedisStore } from "connect-redis";
// @ts-types="npm:@types/express@5.0.6"
import express from "express";
// @ts-types="npm:@types/express-session@1.19.0"
import session from "express-session";
import { createClient } from "redis5";
import { ask, serving } from "./express.ts";
import { serverTest } from "./with_server.ts";

serverTest("connect-redis keeps the sessions of express-session", async (port) => {
  const client = createClient({ socket: { host: "127.0.0.1", port } });
  await client.connect();
  const store = new RedisStore({ client, prefix: "app:" });
  const app = express();
  app.use(session({
    store,
    secret: "keyboard cat",
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: 600_000 },
  }));
  app.get("/", (request, response) => {
    const visitor = request.session as unknown as { visits?: number };
    visitor.visits = (visitor.visits ?? 0) + 1;
    response.send(`${visitor.visits}`);
  });
  app.get("/leave", (request, response) => request.session.destroy(() => response.send("bye")));
  await serving(app, async (address) => {
    const first = await ask(`${address}/`);
    const cookie = first.response.headers.get("set-cookie")?.split(";")[0] ?? "";
    assertEquals([first.text, (await ask(`${address}/`, cookie)).text], ["1", "2"]);
    assertEquals((await ask(`${address}/`)).text, "1");
    const [key] = await client.keys(`app:${cookie.slice("connect.sid=s%3A".length).split(".")[0]}`);
    assert(await client.ttl(key) > 500);
    await client.expire(key, 100);
    // A request touches the session: its time to live begins anew.
    assertEquals((await ask(`${address}/`, cookie)).text, "3");
    assert(await client.ttl(key) > 500);
    assertEquals([await store.length(), (await store.ids()).length], [2, 2]);
    assertEquals((await ask(`${address}/leave`, cookie)).text, "bye");
    assertEquals((await ask(`${address}/`, cookie)).text, "1");
    await store.clear();
    assertEquals(await client.dbSize(), 0);
  });
  await client.close();
});
