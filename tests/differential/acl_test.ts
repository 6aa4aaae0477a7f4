/** Random rules of users: what ACL SETUSER, LIST, GETUSER and DRYRUN answer is compared with redis-server 7.2. */
import { assertEquals } from "@std/assert";
import { is72, startRedis, startRespite, Wire } from "../support/live.ts";
import { Random } from "../support/random.ts";

/**
 * How many rounds: some rules are set, then the users are shown and requests tried. Needs redis-server 7.2:
 * `RESPITE_REDIS=…/redis-server RESPITE_ROUNDS=5000 RESPITE_SEED=1 deno task test tests/differential/acl_test.ts`.
 */
const ROUNDS = Number(Deno.env.get("RESPITE_ROUNDS") ?? 200);
const SEED = Number(Deno.env.get("RESPITE_SEED") ?? 7);
const DIFFERENCES_MAX = 5;

const CATEGORIES = [
  ...["keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap", "geo"],
  ...["hyperloglog", "stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous"],
  ...["connection", "transaction", "scripting", "all", "nosuch", "READ", ""],
];
const NAMES = [
  ...["get", "set", "GET", "mget", "sort", "config", "config|get", "config|set", "Config|GET"],
  ...[
    "client",
    "client|id",
    "select",
    "select|0",
    "select|1",
    "SELECT|Abc",
    "get|a",
    "get|",
    "acl",
  ],
  ...["config|nosuch", "config|get|a", "nosuch", "get|a|b", "|", "", "command", "command|info"],
  ...[
    "wait",
    "cluster",
    "cluster|slots",
    "cluster|nosuch",
    "module",
    "module|list",
    "replicaof",
    "xread",
    "publish",
    "eval",
  ],
  ...[
    "subscribe",
    "ping",
    "auth",
    "xinfo",
    "xinfo|stream",
    "memory|usage",
    "object|freq",
    "bitfield",
  ],
];
const PATTERNS = ["a*", "b*", "ab", "*", "", "[ab]c", "x?", "a b", "a\tb", "\xff", "ab"];
const WORDS = [
  ...["on", "off", "ON", "nopass", "resetpass", "reset", "clearselectors", "sanitize-payload"],
  ...[
    "skip-sanitize-payload",
    "allkeys",
    "resetkeys",
    "allchannels",
    "resetchannels",
    "Allcommands",
  ],
  ...[
    "nocommands",
    "",
    "nosuch",
    ">one",
    ">two",
    "<one",
    "<nosuch",
    ">",
    "<",
    "(",
    ")",
    "()",
    "( )",
  ],
  ...[`#${"a".repeat(64)}`, `!${"a".repeat(64)}`, `#${"A".repeat(64)}`, "#short", "!", "#"],
  ...[
    "(on)",
    "(reset)",
    "((+get))",
    "(+get",
    "+get)",
    "(~a",
    "(+@all",
    "~a)",
    " ",
    "+",
    "-",
    "~",
    "&",
  ],
];
const REQUESTS = [
  ...["get ab", "set ab v", "set bc v get", "mget ab bc xy", "copy ab bc", "sort ab", "exists bc"],
  ...[
    "sort ab store bc",
    "sort_ro ab by w*",
    "config get x",
    "config set x y",
    "config",
    "client id",
  ],
  ...["client nosuch", "select 0", "select 1", "select abc", "publish ab x", "publish bc x"],
  ...["spublish ab x", "subscribe ab bc", "psubscribe a*", "psubscribe ab", "psubscribe * a*"],
  ...[
    "ssubscribe ab",
    "unsubscribe bc",
    "eval s 2 ab bc",
    "eval s 0",
    "eval s 3 ab",
    "eval_ro s 1 bc",
  ],
  ...[
    "evalsha s 1 ab",
    "fcall f 1 ab",
    "xread streams ab bc 0 0",
    "xread count 1 streams ab",
    "auth x",
  ],
  ...[
    "bitfield ab get u8 0",
    "bitfield bc set u8 0 1",
    "migrate h 1 ab 0 1",
    "get",
    "get a b",
    "nosuch",
  ],
  ...[
    "migrate h 1 '' 0 1 keys ab bc",
    "xreadgroup group g c streams ab >",
    "georadius ab 1 1 1 m store bc",
  ],
  ...[
    "zunionstore ab 2 bc xy",
    "zunionstore ab 0 bc",
    "blpop ab bc 0",
    "object freq ab",
    "memory usage bc",
  ],
  ...[
    "lmpop 2 ab bc left",
    "xinfo stream ab",
    "command info get",
    "command",
    "hello 3",
    "reset",
    "ping",
    "module list",
    "module unload x",
  ],
  ...[
    "rename ab bc",
    "getdel ab",
    "expire bc 1",
    "touch xc",
    "del ab bc",
    "set ab v ex get",
    "rpush bc 1",
  ],
  ...[
    "pfcount ab bc",
    "pfmerge ab bc",
    "georadiusbymember ab m 1 m storedist bc",
    "getex ab persist",
  ],
];

function ruleOf(random: Random): string {
  switch (random.below(9)) {
    case 0:
    case 1:
      return random.of(["+", "-"]) + random.of(NAMES);
    case 2:
    case 3:
      return `${random.of(["+", "-"])}@${random.of(CATEGORIES)}`;
    case 4:
      return `~${random.of(PATTERNS)}`;
    case 5:
      return `${random.of(["%R~", "%W~", "%RW~", "%wr~", "%R", "%~", "%X~", "%RR~"])}${
        random.of(PATTERNS)
      }`;
    case 6:
      return `&${random.of(PATTERNS)}`;
    case 7:
      return random.of(WORDS);
    default: {
      const rules = Array.from({ length: random.below(4) }, () => ruleOf(random));
      return `(${rules.join(" ")})`;
    }
  }
}

function wordsOf(request: string): string[] {
  return request.split(" ").map((word) => word === "''" ? "" : word);
}

/** The commands of a round: words of bytes. */
function roundOf(random: Random): string[][] {
  const user = random.of(["ann", "ann", "bob", "", "a b", "z\0"]);
  const rules = Array.from({ length: 1 + random.below(5) }, () => ruleOf(random));
  const commands = [["acl", "setuser", user, ...rules], ["acl", "list"]];
  if (random.below(8) === 0) commands.unshift(["acl", "deluser", user]);
  // Most sequences have a mistake, which undoes them: without these, rules would seldom add up.
  for (const rule of rules) commands.push(["acl", "setuser", "sum", rule]);
  commands.push(["acl", "getuser", user], ["acl", "getuser", "sum"]);
  for (let i = 0; i < 12; i++) {
    const words = wordsOf(random.of(REQUESTS));
    commands.push(["acl", "dryrun", random.of(["sum", "sum", user]), ...words]);
  }
  if (random.below(20) === 0) commands.push(["acl", "setuser", "sum", "reset"]);
  return commands;
}

/** Redis accepts "%" and ends when it is to show it. */
function isDeadly(words: readonly string[]): boolean {
  return words.some((word) => /(^|[( ])%[rw]*([) ]|$)/i.test(word));
}

const redis = await startRedis();
const isJudge = redis !== null && await is72(redis);
const skips = isJudge ? "" : " (skipped: redis-server 7.2 is not installed)";

Deno.test({
  name: `random users get redis-server's replies${skips}`,
  ignore: !isJudge,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    if (redis === null) return;
    const ours = startRespite();
    const wires = [await Wire.connect(redis.port), await Wire.connect(ours.port)];
    const random = new Random(SEED);
    const differences: string[] = [];
    for (let round = 1; round <= ROUNDS && differences.length < DIFFERENCES_MAX; round++) {
      const protocol = random.of(["2", "3"]);
      await Promise.all(wires.map((wire) => wire.call("hello", protocol)));
      for (const words of roundOf(random)) {
        if (isDeadly(words)) continue;
        const [theirs, own] = await Promise.all(wires.map((wire) => wire.call(...words)));
        if (theirs === own) continue;
        differences.push(
          `Round ${round} of seed ${SEED}: ${
            JSON.stringify(words)
          }\n  redis: ${theirs}\n  ours:  ${own}`,
        );
        break;
      }
    }
    for (const wire of wires) wire.close();
    await ours.stop();
    assertEquals(differences.join("\n"), "");
  },
});

/** What is refused only by rights, or fails at once: no request waits, leaves its user or subscribes. */
const RUN = REQUESTS.filter((line) =>
  !/^(blpop|subscribe|psubscribe|ssubscribe|unsubscribe|auth|reset|hello|migrate|xinfo|memory|object|command|client|module)/
    .test(line)
);

/** The commands of a client whose rights have just been changed; some come from a transaction. */
function requestsOf(random: Random): string[][] {
  const words = Array.from({ length: 8 }, () => wordsOf(random.of(RUN)));
  if (random.below(3) > 0) return words;
  return [["multi"], ...words, ["exec"], ["discard"]];
}

/** The log without times and clients. */
function comparableLog(reply: string): string {
  return reply.replaceAll(
    /(age-seconds|client-info|timestamp-[a-z-]+)\r\n(?:\$\d+\r\n[^\r]*|:\d+|,[^\r]*)/g,
    "$1",
  );
}

Deno.test({
  name: `what random users may not do, and ACL LOG, are redis-server's${skips}`,
  ignore: !isJudge,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    if (redis === null) return;
    const ours = startRespite();
    const ports = [redis.port, ours.port];
    const admins = await Promise.all(ports.map((port) => Wire.connect(port)));
    const clients = await Promise.all(ports.map((port) => Wire.connect(port)));
    const random = new Random(SEED + 1);
    const both = (wires: readonly Wire[], words: readonly string[]): Promise<string[]> =>
      Promise.all(wires.map((wire) => wire.call(...words)));
    await both(admins, ["acl", "setuser", "tom", "reset", "on", "nopass"]);
    for (const wires of [admins, clients]) await both(wires, ["hello", random.of(["2", "3"])]);
    await both(clients, ["auth", "tom", "x"]);
    const differences: string[] = [];
    let [refused, allowed] = [0, 0];
    for (let round = 1; round <= ROUNDS && differences.length < DIFFERENCES_MAX; round++) {
      await both(admins, ["flushall"]);
      for (let i = 0; i < 4; i++) {
        const rule = ruleOf(random);
        if (!isDeadly([rule])) await both(admins, ["acl", "setuser", "tom", rule]);
      }
      const asked = requestsOf(random);
      const middle = random.below(asked.length);
      for (const [i, words] of asked.entries()) {
        // The rights change in the middle, of a transaction, too.
        const change = [
          "acl",
          "setuser",
          "tom",
          random.of(["+@all", "allkeys", "-get", "resetkeys"]),
        ];
        if (i === middle) await both(admins, change);
        const [theirs, own] = await both(clients, words);
        if (theirs.startsWith("-NOPERM")) refused++;
        else if (!theirs.startsWith("-")) allowed++;
        if (theirs === own) continue;
        differences.push(
          `Round ${round} of seed ${SEED}: ${
            JSON.stringify(words)
          }\n  redis: ${theirs}\n  ours:  ${own}`,
        );
      }
      const [theirs, own] = (await both(admins, ["acl", "log", "20"])).map(comparableLog);
      if (theirs !== own) {
        differences.push(`Round ${round}: log\n  redis: ${theirs}\n  ours:  ${own}`);
      }
      if (random.below(5) === 0) await both(admins, ["acl", "log", "reset"]);
    }
    for (const wire of [...admins, ...clients]) wire.close();
    await ours.stop();
    assertEquals(differences.join("\n"), "");
    assertEquals(
      refused > ROUNDS && allowed > ROUNDS,
      true,
      `${refused} refused, ${allowed} allowed`,
    );
  },
});

Deno.test.afterAll(async () => await redis?.stop());
