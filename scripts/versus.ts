/**
 * Side by side with redis-server: both are started here, each pinned to core 0, and measured in turn from
 * core 1. Only the ratios mean anything.
 *
 * Usage: deno task versus [--tests set,get] [--pipelines 1,16,64] [--rounds 3] [--seconds 1.5]
 *        deno task versus --memory [--keys 1000000]
 */
import { parseArgs } from "@std/cli/parse-args";

const options = parseArgs(Deno.args, {
  boolean: ["memory"],
  string: ["tests", "pipelines", "rounds", "seconds", "keys"],
  default: {
    tests: "ping_mbulk,set,get,incr,mset",
    pipelines: "1,16,64",
    rounds: "3",
    seconds: "1.5",
    keys: "1000000",
  },
});
const SERVER_CORE = "0";
const CLIENT_CORE = "1";
const VALUE_BYTES = 32;

/** A server under measurement. */
interface Peer {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

const ours = await start("respite", (port) => [
  Deno.execPath(),
  "run",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "main.ts",
  "--port",
  `${port}`,
]);
const redis = await start(
  "redis-server",
  (port) => ["redis-server", "--port", `${port}`, "--save", ""],
);
try {
  if (options.memory === true) await compareMemory();
  else await compareThroughput();
} finally {
  await Promise.all([ours.stop(), redis.stop()]);
}

async function compareThroughput(): Promise<void> {
  const ratios: number[] = [];
  print("test           pipeline   ours/redis");
  for (const test of String(options.tests).split(",")) {
    for (const pipeline of String(options.pipelines).split(",").map(Number)) {
      const first = await benchmark(redis, test, pipeline, 20_000 * pipeline);
      const requests = Math.max(20_000 * pipeline, Math.round(first * Number(options.seconds)));
      await benchmark(ours, test, pipeline, requests);
      const found: number[] = [];
      for (let round = 0; round < Number(options.rounds); round++) {
        const own = await benchmark(ours, test, pipeline, requests);
        found.push(own / await benchmark(redis, test, pipeline, requests));
      }
      const ratio = found.sort((a, b) => a - b)[found.length >> 1];
      ratios.push(ratio);
      print(`${test.padEnd(14)} ${String(pipeline).padStart(8)} ${ratio.toFixed(2).padStart(12)}`);
    }
  }
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  print(`smallest ${Math.min(...ratios).toFixed(2)}, geometric mean ${mean.toFixed(2)}`);
}

/** Requests a second of one run. */
async function benchmark(
  peer: Peer,
  test: string,
  pipeline: number,
  requests: number,
): Promise<number> {
  const words = ["-p", `${peer.port}`, "-t", test, "-P", `${pipeline}`, "-c", "50"];
  const sizes = ["-n", `${requests}`, "-d", `${VALUE_BYTES}`, "-r", "100000", "--csv"];
  const output = await outputOf(CLIENT_CORE, ["redis-benchmark", ...words, ...sizes]);
  const last = output.trim().split("\n").at(-1) ?? "";
  return Number(last.split(",")[1]?.replaceAll('"', ""));
}

async function compareMemory(): Promise<void> {
  const count = Number(options.keys);
  const figures: { used: number; resident: number }[] = [];
  for (const peer of [ours, redis]) {
    const before = await usedMemory(peer);
    await load(peer, count);
    figures.push({ used: (await usedMemory(peer)) - before, resident: await residentBytes(peer) });
  }
  print(`${count} keys key:N of ${VALUE_BYTES} bytes    used/key    resident MiB`);
  for (const [i, peer] of [ours, redis].entries()) {
    const { used, resident } = figures[i];
    const each = (used / count).toFixed(1).padStart(10);
    print(`${peer.name.padEnd(32)} ${each} ${(resident / 2 ** 20).toFixed(0).padStart(12)}`);
  }
  const used = figures[0].used / figures[1].used;
  const resident = figures[0].resident / figures[1].resident;
  print(`ratio ${used.toFixed(2)} of used memory, ${resident.toFixed(2)} of resident size`);
}

/** Sets keys over one connection, 1,000 commands a write. */
async function load(peer: Peer, count: number): Promise<void> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: peer.port });
  const value = "x".repeat(VALUE_BYTES);
  const buffer = new Uint8Array(65536);
  for (let at = 0; at < count; at += 1000) {
    let text = "";
    const end = Math.min(at + 1000, count);
    for (let i = at; i < end; i++) {
      const key = `key:${i}`;
      text += `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${VALUE_BYTES}\r\n${value}\r\n`;
    }
    const bytes = new TextEncoder().encode(text);
    for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
    for (let left = 5 * (end - at); left > 0;) left -= (await conn.read(buffer)) ?? left;
  }
  conn.close();
}

async function usedMemory(peer: Peer): Promise<number> {
  const text = await outputOf(CLIENT_CORE, ["redis-cli", "-p", `${peer.port}`, "info", "memory"]);
  return Number(/used_memory:(\d+)/.exec(text)?.[1]);
}

async function residentBytes(peer: Peer): Promise<number> {
  return Number(await outputOf(CLIENT_CORE, ["ps", "-o", "rss=", "-p", `${peer.pid}`])) * 1024;
}

async function outputOf(core: string, words: readonly string[]): Promise<string> {
  const command = new Deno.Command("taskset", { args: ["-c", core, ...words], stderr: "null" });
  return new TextDecoder().decode((await command.output()).stdout);
}

async function start(name: string, words: (port: number) => string[]): Promise<Peer> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const child = new Deno.Command("taskset", {
    args: ["-c", SERVER_CORE, ...words(port)],
    stdout: "null",
    stderr: "null",
  }).spawn();
  for (let tries = 0; tries < 200; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      break;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return {
    name,
    port,
    pid: child.pid,
    async stop() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
