import { assertEquals } from "@std/assert";
import { startRedis, startRespite, Wire } from "../support/live.ts";
import { readReply, type Reply } from "../support/replies.ts";
import { randomCommands } from "./commands.ts";

/** How many commands: a long run is `deno task differential`. */
const COUNT = Number(Deno.env.get("RESPITE_DIFFERENTIAL") ?? 100_000);
const SEED = 7;
const PIPELINE = 200;

/** Replies whose order is the server's own affair. */
const UNORDERED = /^(smembers|sinter|sunion|sdiff|hkeys|hvals|hgetall)$/;

/**
 * What Redis 7.2, whose replies we give, does otherwise than the 7.0 of Debian: a small set of strings is a
 * listpack there, so that SORT BY nosort shows another order.
 */
const DIFFERS_IN_7_2 = (
  words: string[],
): boolean => (words[0] === "sort" && words.includes("nosort"));

const redis = await startRedis();
const skips = redis === null ? " (skipped: redis-server is not installed)" : "";

function comparable(name: string, text: string): string {
  if (!UNORDERED.test(name)) return text;
  const { reply } = readReply(Uint8Array.from(text, (char) => char.charCodeAt(0)), 0);
  if (!Array.isArray(reply)) return text;
  const parts: Reply[][] = [];
  const step = name === "hgetall" ? 2 : 1;
  for (let i = 0; i < reply.length; i += step) parts.push(reply.slice(i, i + step));
  return parts.map((part) => JSON.stringify(part)).sort().join("\n");
}

function requestOf(words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

Deno.test({
  name: `random commands get redis-server's replies and leave its data${skips}`,
  ignore: redis === null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    if (redis === null) return;
    const ours = startRespite();
    const wires = [await Wire.connect(redis.port), await Wire.connect(ours.port)];
    await wires[0].roundTrip("flushall");
    const commands = randomCommands(SEED);
    const differences: string[] = [];
    for (let sent = 0; sent < COUNT && differences.length < 5; sent += PIPELINE) {
      const batch = Array.from({ length: PIPELINE }, () => commands.next().value as string[])
        .filter((words) => !DIFFERS_IN_7_2(words));
      const request = batch.map(requestOf).join("");
      const writes = wires.map((wire) => wire.send(request));
      for (const words of batch) {
        const [expected, actual] = await Promise.all(wires.map((wire) => wire.read()));
        // A transaction's reply may hold sets in any order; its commands are compared outside of them.
        const isArray = expected.startsWith("*") && actual.startsWith("*");
        if (words[0] === "exec" && isArray) continue;
        if (comparable(words[0], expected) === comparable(words[0], actual)) continue;
        differences.push(`${words.join(" ")}\n  redis: ${expected}\n  ours:  ${actual}`);
      }
      await Promise.all(writes);
    }
    const digests = await Promise.all(wires.map(async (wire) => {
      await wire.roundTrip("discard");
      return wire.roundTrip("debug digest");
    }));
    for (const wire of wires) wire.close();
    await ours.stop();
    assertEquals(differences.join("\n"), "");
    assertEquals(digests[1], digests[0]);
  },
});

Deno.test.afterAll(async () => await redis?.stop());
