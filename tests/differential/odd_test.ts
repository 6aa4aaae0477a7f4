import { assertEquals } from "@std/assert";
import { binaryOf } from "../../src/config/words.ts";
import { is72, startRedis, startRespite, Wire } from "../support/live.ts";
import { requestOf } from "../support/requests.ts";
import { comparable, OTHER_IN_7_0 } from "./odd_compare.ts";
import { type Episode, oddEpisodes } from "./odd_commands.ts";

/**
 * How many episodes of thirty commands or more. A long run needs redis-server 7.2:
 * `RESPITE_REDIS=…/redis-server RESPITE_EPISODES=5000 RESPITE_SEED=1 deno task test tests/differential/odd_test.ts`;
 * RESPITE_COMMANDS=z limits it to the commands whose names begin so.
 */
const EPISODES = Number(Deno.env.get("RESPITE_EPISODES") ?? 100);
const SEED = Number(Deno.env.get("RESPITE_SEED") ?? 7);
const ONLY = Deno.env.get("RESPITE_COMMANDS") ?? "";
const EPISODE_SIZE = 30;
const DIFFERENCES_MAX = 10;

interface Difference {
  readonly reason: string;
  readonly of: (words: readonly string[], theirs: string, ours: string) => boolean;
}

/** What we do otherwise than Redis 7.2, on purpose. */
const DIFFERENCES: readonly Difference[] = [
  {
    reason: "LSET takes only 32 bits of its index in Redis, and so changes another element",
    of: ([name, , index]) => name === "lset" && Math.abs(Number(index)) >= 2 ** 31,
  },
  {
    reason: "how much memory XAUTOCLAIM can reserve for COUNT ids is a matter of the machine",
    of: ([name], theirs) => name === "xautoclaim" && theirs.includes("Insufficient memory"),
  },
  {
    reason:
      "in Redis SORT gives a small sorted set the encoding of a large one, although it only reads it",
    of: ([name, subcommand], theirs, ours) =>
      name === "object" && subcommand === "encoding" && theirs.includes("skiplist") &&
      ours.includes("listpack"),
  },
  {
    reason: "which of equal elements comes first is a matter of how one sorts",
    of: (words) => /^sort/.test(words[0]) && /,by,.*,limit,|,limit,.*,by,/i.test(`${words}`),
  },
  {
    reason: "SORT of Redis takes a range error that an earlier command met (errno) for its own",
    of: ([name], theirs) => /^sort/.test(name) && theirs.includes("can't be converted into double"),
  },
];

/** 7.0 writes doubles with up to seventeen digits: a reply with all numbers in JavaScript's form, and without lengths. */
function withoutForms(reply: string): string {
  return reply.replaceAll(/^\$\d+$/gm, "").replaceAll(
    /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/g,
    (number) => String(Number(number)),
  );
}

const redis = await startRedis();
const skips = redis === null ? " (skipped: redis-server is not installed)" : "";

/** The first difference in the replies to an episode, or null. */
async function firstDifference(
  wires: readonly Wire[],
  { setUp, commands }: Episode,
  isSame: (theirs: string, ours: string) => boolean,
): Promise<string | null> {
  const all = [["discard"], ["select", "0"], ["flushall"], ...setUp, ...commands];
  const request = all.map((words) => requestOf(words.map(binaryOf))).join("");
  const writes = wires.map((wire) => wire.send(request));
  let found: string | null = null;
  let isOver = false;
  for (const [i, words] of all.entries()) {
    const [theirs, ours] = await Promise.all(wires.map((wire) => wire.read()));
    // Redis 7.0 does not know all directives.
    if (isOver || i < all.length - commands.length) continue;
    const [expected, actual] = comparable(words, theirs, ours);
    if (expected === actual || isSame(expected, actual)) continue;
    // Data may be different from here on.
    isOver = true;
    const asked = words[0] === "exec" ? all[i - 1] : words;
    if (DIFFERENCES.some(({ of }) => of(asked, expected, actual))) continue;
    found = `${JSON.stringify(asked)}\n  redis: ${expected}\n  ours:  ${actual}`;
  }
  await Promise.all(writes);
  return found;
}

Deno.test("maps and infinite numbers of two servers are compared, in whatever order they come", () => {
  const differs = (name: string, theirs: string, ours: string): boolean => {
    const [one, other] = comparable([name], theirs, ours);
    return one !== other;
  };
  const pairs = ["+a\r\n+1\r\n", "+b\r\n+2\r\n"];
  const map = `%2\r\n${pairs.join("")}`;
  assertEquals(differs("hgetall", map, `%2\r\n${pairs.toReversed().join("")}`), false);
  assertEquals(differs("hgetall", map, map.replace("+2", "+3")), true);
  assertEquals(differs("exec", "*1\r\n,inf\r\n", "*1\r\n,-inf\r\n"), true);
});

Deno.test({
  name: `odd commands get redis-server's replies${skips}`,
  ignore: redis === null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    if (redis === null) return;
    const isJudge = await is72(redis);
    const isTried = (name: string): boolean =>
      name.startsWith(ONLY) && (isJudge || !OTHER_IN_7_0.test(name));
    const isSame = (theirs: string, ours: string): boolean =>
      !isJudge && withoutForms(theirs) === withoutForms(ours);
    const ours = startRespite();
    const wires = [await Wire.connect(redis.port), await Wire.connect(ours.port)];
    // Offsets of gigabytes are refused, not filled.
    for (const wire of wires) await wire.roundTrip("config set proto-max-bulk-len 1mb");
    const episodes = oddEpisodes(SEED, EPISODE_SIZE, isTried);
    const differences: string[] = [];
    for (let sent = 1; sent <= EPISODES && differences.length < DIFFERENCES_MAX; sent++) {
      const { value } = episodes.next();
      const found = value === undefined ? null : await firstDifference(wires, value, isSame);
      if (found !== null) differences.push(`Episode ${sent} of seed ${SEED}: ${found}`);
      for (const db of ours.server.engine.keyspace.databases) db.verify();
    }
    for (const wire of wires) wire.close();
    await ours.stop();
    assertEquals(differences.join("\n"), "");
  },
});

Deno.test.afterAll(async () => await redis?.stop());
