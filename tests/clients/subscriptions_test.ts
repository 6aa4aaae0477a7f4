/** What applications do with graphql-redis-subscriptions. */
import { assertEquals } from "@std/assert";
import { buildSchema, parse, subscribe } from "graphql";
import { RedisPubSub } from "graphql-redis-subscriptions";
import { until } from "../support/waiting.ts";
import { serverTest } from "./with_server.ts";

function pubSubTest(name: string, work: (pubSub: RedisPubSub) => Promise<void>): void {
  serverTest(name, async (port) => {
    const pubSub = new RedisPubSub({ connection: { port, host: "127.0.0.1" } });
    try {
      await work(pubSub);
    } finally {
      await pubSub.close();
    }
  });
}

pubSubTest(
  "graphql-redis-subscriptions hands what is published to a subscription",
  async (pubSub) => {
    const schema = buildSchema(`
    type Query { none: Int }
    type Change { id: String!, price: Float }
    type Subscription { changed(id: String!): Change }
  `);
    const document = parse(`subscription { changed(id: "7") { id price } }`);
    const rootValue = {
      changed: ({ id }: { id: string }) => pubSub.asyncIterator(`changed.${id}`),
    };
    const results = await subscribe({ schema, document, rootValue });
    if (!(Symbol.asyncIterator in results)) throw new Error(JSON.stringify(results));
    const first = results.next();
    await until(async () => (await pubSub.getPublisher().pubsub("NUMSUB", "changed.7"))[1] === 1);
    await pubSub.publish("changed.8", { changed: { id: "8", price: 1 } });
    await pubSub.publish("changed.7", { changed: { id: "7", price: 2.5 } });
    await pubSub.publish("changed.7", { changed: { id: "7", price: null } });
    const texts = [await first, await results.next()].map(({ value }) =>
      JSON.stringify(value?.data)
    );
    assertEquals(texts, [
      '{"changed":{"id":"7","price":2.5}}',
      '{"changed":{"id":"7","price":null}}',
    ]);
    await results.return(undefined);
    await until(async () => (await pubSub.getPublisher().pubsub("NUMSUB", "changed.7"))[1] === 0);
  },
);
pubSubTest("graphql-redis-subscriptions listens to a pattern, and stops", async (pubSub) => {
  const heard: unknown[] = [];
  const options = { pattern: true };
  const id = await pubSub.subscribe("news.*", (message) => heard.push(message), options);
  const other = await pubSub.subscribe("news.*", (message) => heard.push(message), options);
  await pubSub.publish("news.sport", { goals: 3 });
  await pubSub.publish("weather", {});
  await until(() => heard.length === 2);
  pubSub.unsubscribe(id);
  await pubSub.publish("news.art", "Miró");
  await until(() => heard.length === 3);
  pubSub.unsubscribe(other);
  await until(async () => Number(await pubSub.getPublisher().pubsub("NUMPAT")) === 0);
  assertEquals(heard, [{ goals: 3 }, { goals: 3 }, "Miró"]);
});
