/**
 * Random writes at maxmemory, on both servers. Which keys go is a matter of chance, but each that goes is counted by INFO, is an
 * event, and is removed at the replica; what is used stays below the limit; and keys go only as the policy says.
 */
import { assert, assertEquals } from "@std/assert";
import { binaryText } from "../../src/protocol/args.ts";
import { type LiveServer, startRedis, startRespite, Wire } from "../support/live.ts";
import { Random } from "../support/random.ts";
import { replyOf } from "../support/replies.ts";
import { requestOf } from "../support/requests.ts";
import { pause } from "../support/waiting.ts";

const SEED = Number(Deno.env.get("RESPITE_SEED") ?? 7);
const ROUNDS = 40;
const PIPELINE = 50;
/** What the data may take beside what the server takes without any. */
const ROOM_BYTES = 600_000;
/** Buffers of clients may have grown since the last key went. */
const SLACK_BYTES = 150_000;
const POLICIES = [
  ...["allkeys-lru", "allkeys-lfu", "allkeys-random"],
  ...["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"],
];

function randomWrite(random: Random): string[] {
  const type = random.below(5);
  const key = `${"slhzk"[type]}:${random.below(400)}`;
  const value = "x".repeat(random.below(3000));
  switch (type) {
    case 0:
      return random.below(2) === 0
        ? ["SET", key, value]
        : ["SETEX", key, `${1000 + random.below(1000)}`, value];
    case 1:
      return ["RPUSH", key, value, value.slice(0, 100)];
    case 2:
      return ["HSET", key, `${random.below(50)}`, value];
    case 3:
      return ["ZADD", key, `${random.below(50)}`, value.slice(0, 200)];
    default:
      return [
        "EXPIRE",
        `${"slhz"[random.below(4)]}:${random.below(400)}`,
        `${1000 + random.below(1000)}`,
      ];
  }
}

/** A replica: counts the removals that it is told of. */
class Replica {
  #text = "";

  private constructor(readonly conn: Deno.Conn, readonly over: Promise<void>) {}

  static async of(server: LiveServer): Promise<Replica> {
    const { conn } = await Wire.connect(server.port);
    await conn.write(new TextEncoder().encode("SYNC\r\n"));
    const read = async (): Promise<void> => {
      const buffer = new Uint8Array(65_536);
      for (;;) {
        const count = await conn.read(buffer).catch(() => null);
        if (count === null) return;
        replica.#text += binaryText(buffer, 0, count);
      }
    };
    const replica: Replica = new Replica(conn, Promise.resolve().then(read));
    while (!replica.#text.includes("REDIS")) await pause(5);
    return replica;
  }

  async removalsUntil(mark: string): Promise<number> {
    while (!this.#text.includes(mark)) await pause(5);
    return this.#text.split("\r\n$3\r\nDEL\r\n").length - 1;
  }
}

async function figure(wire: Wire, name: string): Promise<number> {
  const info = await wire.roundTrip("info everything");
  return Number(new RegExp(`^${name}:(.*?)\r?$`, "m").exec(info)?.[1]);
}

async function check(server: LiveServer, policy: string): Promise<void> {
  const [wire, listener] = [await Wire.connect(server.port), await Wire.connect(server.port)];
  await wire.roundTrip("config set notify-keyspace-events Ee maxmemory 0");
  await wire.roundTrip("flushall");
  const replica = await Replica.of(server);
  await listener.roundTrip("psubscribe __keyevent@*__:evicted");
  await listener.roundTrip("subscribe mark");
  await wire.roundTrip("set lasting v");
  await wire.roundTrip("config resetstat");
  const limit = await figure(wire, "used_memory") + ROOM_BYTES;
  await wire.roundTrip(`config set maxmemory-policy ${policy} maxmemory ${limit}`);
  const random = new Random(SEED);
  let refused = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const requests: string[] = [];
    for (let i = 0; i < PIPELINE; i++) requests.push(requestOf(randomWrite(random)));
    await wire.send(requests.join(""));
    for (let i = 0; i < PIPELINE; i++) if ((await wire.read()).startsWith("-OOM")) refused++;
    const used = await figure(wire, "used_memory") -
      await figure(wire, "mem_not_counted_for_evict");
    assert(used < limit + SLACK_BYTES, `${policy}: ${used - limit} bytes above the limit`);
  }
  await wire.roundTrip("config set maxmemory 0");
  if (policy.startsWith("volatile")) assertEquals(await wire.roundTrip("exists lasting"), ":1\r\n");
  else assertEquals(refused, 0, policy);
  const evicted = await figure(wire, "evicted_keys");
  await wire.roundTrip("set the-end-of-it v");
  await wire.roundTrip("publish mark x");
  let events = 0;
  for (;;) {
    const message = replyOf(await listener.read()) as string[];
    if (message[0] === "message") break;
    events++;
  }
  assert(evicted > 50, `${policy}: ${evicted}`);
  assertEquals([events, await replica.removalsUntil("the-end-of-it")], [evicted, evicted], policy);
  replica.conn.close();
  await replica.over;
  wire.close();
  listener.close();
}

const redis = await startRedis(null, [
  ...["--save", "", "--repl-diskless-sync", "no", "--repl-backlog-size", "16kb"],
]);
const options = { sanitizeOps: false, sanitizeResources: false };

for (const policy of POLICIES) {
  Deno.test({
    name: `${policy}: what is evicted is counted, told and propagated, and the limit holds`,
    ...options,
    fn: async () => {
      const server = startRespite();
      await check(server, policy);
      server.server.engine.keyspace.verify();
      await server.stop();
    },
  });
}

Deno.test({
  name: `the same holds for redis-server${redis === null ? " (skipped: it is not installed)" : ""}`,
  ignore: redis === null,
  ...options,
  fn: async () => {
    if (redis === null) return;
    await check(redis, "allkeys-lru");
    await check(redis, "volatile-ttl");
    await redis.stop();
  },
});
