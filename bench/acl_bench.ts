/**
 * What it costs to ask whether a user may run a request: of one who may do everything, of those with patterns of keys and with
 * selectors. Each iteration asks 64 times.
 */
import { bench } from "./bench.ts";
import { Server } from "../src/app/server.ts";
import { Parameters } from "../src/config/parameters.ts";
import { NOWHERE } from "../src/engine/client.ts";
import { Log } from "../src/observe/log.ts";
import { argsOf } from "../src/protocol/args.ts";
import { testHost } from "../tests/support/host.ts";

const BATCH = 64;
const { engine, hub } = new Server({
  parameters: new Parameters(),
  log: new Log(1, () => {}),
  host: testHost,
});
const { acl, commands } = engine;
const client = hub.newClient(NOWHERE);
let checksum = 0;

bench("64 × may a user do this who may do everything", {}, () => {
  for (let i = 0; i < BATCH; i++) if (client.isUnrestricted) checksum++;
});

/** Asks for `words` with the rights that `rules` give. */
function benchRules(rules: string, ...words: string[]): void {
  const name = rules.replaceAll(/[^a-z]/g, "-");
  acl.setUser(name, ["on", "nopass", ...rules.split(" ")]);
  const user = acl.user(name) ?? acl.defaultUser;
  const args = argsOf(...words);
  const command = commands.find(args);
  if (command === null) throw new Error(words[0]);
  bench(`64 × ${words.join(" ")} with ${rules}`, {}, () => {
    for (let i = 0; i < BATCH; i++) if (acl.check(user, command, args) === 0) checksum++;
  });
}

benchRules("allkeys +@all -flushall", "get", "cache:1234567890");
benchRules("allkeys +@read +@write", "set", "cache:1234567890", "v");
benchRules("~cache:* +@all", "get", "cache:1234567890");
benchRules("~cache:* +@all", "set", "cache:1234567890", "v");
benchRules("%R~cache:* %W~jobs:* +@all", "copy", "cache:1234567890", "jobs:1234567890");
benchRules("~a:* ~b:* ~c:* ~cache:* +@all", "get", "cache:1234567890");
benchRules("~cache:* +@all", "mget", "cache:1", "cache:2", "cache:3", "cache:4");
benchRules("(~jobs:* +@all) (~cache:* +@read)", "get", "cache:1234567890");
benchRules("+@all &news:*", "publish", "news:1234567890", "message");

globalThis.addEventListener("unload", () => {
  Deno.stdout.writeSync(new TextEncoder().encode(`acl: checksum ${checksum}\n`));
});
