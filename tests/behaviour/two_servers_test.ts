/** Two servers in one process share nothing. */
import { assertEquals } from "@std/assert";
import { randomCommands } from "../differential/commands.ts";
import type { Left } from "../support/dropped_server.ts";
import { TestServer } from "../support/harness.ts";
import { type LiveServer, startRespite, Wire } from "../support/live.ts";
import { dumped } from "../support/payload.ts";
import { requestOf } from "../support/requests.ts";

const PROCESS = new URL("../support/dropped_server.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const PIPELINES = 60;
const PIPELINE = 50;

/** Runs random commands in pipelines, none of which tells times or makes the client wait. */
async function randomReplies({ port }: LiveServer, seed: number): Promise<string[]> {
  const wire = await Wire.connect(port);
  const commands = randomCommands(seed);
  const replies: string[] = [];
  for (let i = 0; i < PIPELINES; i++) {
    let lines = "";
    let count = 0;
    while (count < PIPELINE) {
      const words = commands.next().value as string[];
      if (
        /^(scan|spop|srandmember|hrandfield|zrandmember|randomkey|object|debug|xpending)/.test(
          words[0],
        )
      ) {
        continue;
      }
      lines += requestOf(words);
      count++;
    }
    await wire.send(lines);
    for (let reply = 0; reply < PIPELINE; reply++) {
      // The order of members differs with the seed of their table.
      replies.push((await wire.read()).split("\r\n").sort().join("\n"));
    }
  }
  wire.close();
  return replies;
}

const SMALL = { "list-max-listpack-size": "3", "hash-max-listpack-entries": "2" };
const LARGE = { "list-max-listpack-size": "-5", "hash-max-listpack-entries": "100000" };

/** A server's replies when it is alone. */
async function alone(settings: Record<string, string>, seed: number): Promise<string[]> {
  const server = startRespite(settings);
  try {
    return await randomReplies(server, seed);
  } finally {
    await server.stop();
  }
}

Deno.test("two servers with other settings answer under load as each does alone", async () => {
  const expected = [await alone(SMALL, 1), await alone(LARGE, 2)];
  const servers = [startRespite(SMALL), startRespite(LARGE)];
  try {
    const replies = await Promise.all(servers.map((server, i) => randomReplies(server, i + 1)));
    assertEquals(replies, expected);
  } finally {
    for (const server of servers) await server.stop();
  }
});

Deno.test("a server that skips checksums leaves those of another one checked", () => {
  const [skipping, checking] = [new TestServer(), new TestServer()];
  skipping.run("SET k value");
  const payload = dumped(skipping, "k");
  payload[payload.length - 1] ^= 1;
  skipping.run("DEBUG SET-SKIP-CHECKSUM-VALIDATION 1");
  assertEquals(skipping.call("RESTORE", "copy", "0", payload), "OK");
  const refused = checking.call("RESTORE", "copy", "0", payload) as { message: string };
  assertEquals(refused.message, "ERR DUMP payload version or checksum are wrong");
});

Deno.test("a server that stops closes its own links to others, and no other server's", async () => {
  const [target, going, staying] = [startRespite(), startRespite(), startRespite()];
  for (const { server, port } of [going, staying]) {
    const wire = await Wire.connect(port);
    await wire.roundTrip(`set from:${port} v`);
    const migrate = `migrate 127.0.0.1 ${target.port} from:${port} 0 1000`;
    assertEquals(await wire.roundTrip(migrate), "+OK\r\n");
    assertEquals(server.engine.keptLinks.size, 1);
    wire.close();
  }
  await going.stop();
  assertEquals([going, staying].map(({ server }) => server.engine.keptLinks.size), [0, 1]);
  await staying.stop();
  await target.stop();
});

Deno.test("a server that is dropped leaves nothing in memory", async () => {
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--v8-flags=--expose-gc", "--config", CONFIG, PROCESS],
    stdout: "piped",
    stderr: "piped",
  }).output();
  assertEquals(success, true, new TextDecoder().decode(stderr));
  const left = JSON.parse(new TextDecoder().decode(stdout)) as Left;
  const nothing = { engine: false, keyspace: false, entries: false, chunks: 0 };
  assertEquals(left, { ...nothing, replyOfOther: "$1\r\nv\r\n" });
});
