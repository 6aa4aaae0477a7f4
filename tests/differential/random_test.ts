import { assertEquals } from "@std/assert";
import { startRedis, startRespite, Wire } from "../support/live.ts";
import { type Reply, replyOf, sortedText } from "../support/replies.ts";
import { requestOf } from "../support/requests.ts";
import { randomCommands } from "./commands.ts";

/** How many commands: a long run is `deno task differential`. */
const COUNT = Number(Deno.env.get("RESPITE_DIFFERENTIAL") ?? 100_000);
const SEED = Number(Deno.env.get("RESPITE_SEED") ?? 7);
const PIPELINE = 200;

/** Commands whose replies may come in any order. */
const UNORDERED = /^(smembers|sinter|sunion|sdiff|hkeys|hvals|hgetall)$/;

/** What Redis 7.2, whose replies we give, does otherwise than the 7.0 of Debian. */
const DIFFERENCES: readonly { reason: string; of: (words: string[]) => boolean }[] = [
  {
    reason: "a small set of strings is a listpack in 7.2, which nosort shows in another order",
    of: (words) => words[0] === "sort" && words.includes("nosort"),
  },
  {
    reason: "7.2 looks at the deleted ids before the top one, and answers another error",
    of: (words) => words[0] === "xsetid" && !words.includes("9-9"),
  },
];

/**
 * In 7.2 XREADGROUP makes the consumer also where nothing is to be had. An index of another kind has other
 * nodes. How long an entry is pending depends on the server's speed.
 */
const INCOMPARABLE = /((?:consumers|radix-tree-nodes|\$3\r\n(?:ann|bob))\r\n):\d+/g;

const redis = await startRedis();
const skips = redis === null ? " (skipped: redis-server is not installed)" : "";

/** The replies of a transaction, a line each. */
function sortedLines(reply: Reply): string {
  return Array.isArray(reply) ? reply.map(sortedText).join("\n") : sortedText(reply);
}

function comparable(name: string, wire: string): string {
  const text = wire.replaceAll(INCOMPARABLE, "$1:0");
  if (name === "exec") return sortedLines(replyOf(text));
  if (!UNORDERED.test(name)) return text;
  const reply = replyOf(text);
  if (!Array.isArray(reply)) return text;
  const parts: Reply[][] = [];
  const step = name === "hgetall" ? 2 : 1;
  for (let i = 0; i < reply.length; i += step) parts.push(reply.slice(i, i + step));
  return parts.map((part) => JSON.stringify(part)).sort().join("\n");
}

Deno.test({
  name: `random commands get redis-server's replies and leave its data, as does their log${skips}`,
  ignore: redis === null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    if (redis === null) return;
    const ours = startRespite({ appendonly: "yes", appendfsync: "no" });
    const wires = [await Wire.connect(redis.port), await Wire.connect(ours.port)];
    await wires[0].roundTrip("flushall");
    // Expired keys must be removed by commands, not by the timer.
    for (const wire of wires) await wire.roundTrip("debug set-active-expire 0");
    const commands = randomCommands(SEED, true);
    const differences: string[] = [];
    for (let sent = 0; sent < COUNT && differences.length < 5; sent += PIPELINE) {
      const batch = Array.from({ length: PIPELINE }, () => commands.next().value as string[])
        .filter((words) => !DIFFERENCES.some(({ of }) => of(words)));
      const request = batch.map(requestOf).join("");
      const writes = wires.map((wire) => wire.send(request));
      for (const words of batch) {
        const [expected, actual] = await Promise.all(wires.map((wire) => wire.read()));
        const [theirs, own] = [expected, actual].map((text) =>
          comparable(words[0], text).split("\n")
        );
        const line = theirs.findIndex((text, i) => text !== own[i]);
        if (line < 0 && own.length === theirs.length) continue;
        differences.push(
          `${words.join(" ")} (${line})\n  redis: ${theirs[line]}\n  ours:  ${own[line]}`,
        );
      }
      await Promise.all(writes);
      for (const db of ours.server.engine.keyspace.databases) db.verify();
    }
    const digests = await Promise.all(wires.map(async (wire) => {
      await wire.roundTrip("discard");
      return wire.roundTrip("debug digest");
    }));
    // The log, run on an empty server, and a snapshot, loaded by one, give the same data.
    await wires[1].roundTrip("debug loadaof");
    const replayed = await wires[1].roundTrip("debug digest");
    await wires[1].roundTrip("debug reload");
    const reloaded = await wires[1].roundTrip("debug digest");
    for (const wire of wires) wire.close();
    await ours.stop();
    assertEquals(differences.join("\n"), "");
    assertEquals(digests[1], digests[0]);
    assertEquals(replayed, digests[0]);
    assertEquals(reloaded, digests[0]);
  },
});

Deno.test.afterAll(async () => await redis?.stop());
