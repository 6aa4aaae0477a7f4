/**
 * Side by side with redis-server: both are started here, each pinned to core 0, and measured in turn from
 * core 1. Only the ratios mean anything.
 *
 * Usage: deno task versus [--tests set,get] [--pipelines 1,16,64] [--rounds 3] [--seconds 1.5]
 *        deno task versus --memory [--keys 1000000]
 */
import { parseArgs } from "@std/cli/parse-args";
import { print, SERVER_PERMISSIONS } from "./run.ts";

const SERVER_CORE = "0";
const CLIENT_CORE = "1";
const VALUE_BYTES = 32;
const CLIENTS = 50;
const KEYS_OF_BENCHMARK = 100_000;
/** Requests of a run, a pipelined command: the least that tells anything, and what the first estimate takes. */
const REQUESTS_MIN = 20_000;
const START_TRIES = 200;
const START_PAUSE_MS = 50;
const COMMANDS_PER_WRITE = 1000;

/** A server under measurement. */
interface Peer {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Both servers, ours first. */
type Pair = readonly [ours: Peer, redis: Peer];

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
  unknown: (option: string) => fail(`versus does not know ${option}`),
});

// Read before a server runs: what fails from here on throws, so that the servers are stopped.
const tests = String(options.tests).split(",");
const pipelines = String(options.pipelines).split(",").map(positive);
const rounds = positive(options.rounds);
const seconds = positive(options.seconds);
const keys = positive(options.keys);

const peers: Peer[] = [];
try {
  const ours = await start("respite", (port) => [
    Deno.execPath(),
    "run",
    "--no-prompt",
    ...SERVER_PERMISSIONS,
    "main.ts",
    "--port",
    `${port}`,
  ]);
  const redis = await start("redis-server", (port) => [
    "redis-server",
    "--port",
    `${port}`,
    "--save",
    "",
  ]);
  if (options.memory === true) await compareMemory([ours, redis]);
  else await compareThroughput([ours, redis]);
} finally {
  for (const peer of peers) await peer.stop();
}

async function compareThroughput(pair: Pair): Promise<void> {
  const ratios: number[] = [];
  print("test           pipeline   ours/redis");
  for (const test of tests) {
    for (const pipeline of pipelines) {
      const ratio = await throughputRatio(pair, test, pipeline);
      ratios.push(ratio);
      print(`${test.padEnd(14)} ${String(pipeline).padStart(8)} ${ratio.toFixed(2).padStart(12)}`);
    }
  }
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  print(`smallest ${Math.min(...ratios).toFixed(2)}, geometric mean ${mean.toFixed(2)}`);
}

/** The median over the rounds of our requests a second by Redis's, after a run that warms us up. */
async function throughputRatio(
  [ours, redis]: Pair,
  test: string,
  pipeline: number,
): Promise<number> {
  const least = REQUESTS_MIN * pipeline;
  const perSecond = await requestsPerSecond(redis, test, pipeline, least);
  const requests = Math.max(least, Math.round(perSecond * seconds));
  await requestsPerSecond(ours, test, pipeline, requests);
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const own = await requestsPerSecond(ours, test, pipeline, requests);
    ratios.push(own / await requestsPerSecond(redis, test, pipeline, requests));
  }
  return ratios.sort((a, b) => a - b)[ratios.length >> 1];
}

async function requestsPerSecond(
  peer: Peer,
  test: string,
  pipeline: number,
  requests: number,
): Promise<number> {
  const words = ["-p", `${peer.port}`, "-t", test, "-P", `${pipeline}`, "-c", `${CLIENTS}`];
  const sizes = ["-n", `${requests}`, "-d", `${VALUE_BYTES}`, "-r", `${KEYS_OF_BENCHMARK}`];
  const output = await outputOf(["redis-benchmark", ...words, ...sizes, "--csv"]);
  const last = output.trim().split("\n").at(-1) ?? "";
  const perSecond = Number(last.split(",")[1]?.replaceAll('"', ""));
  if (!(perSecond > 0)) throw new Error(`redis-benchmark measured no ${test} of ${peer.name}`);
  return perSecond;
}

async function compareMemory(pair: Pair): Promise<void> {
  const figures: { used: number; resident: number }[] = [];
  print(`${keys} keys key:N of ${VALUE_BYTES} bytes    used/key    resident MiB`);
  for (const peer of pair) {
    const before = await usedMemory(peer);
    await load(peer, keys);
    const used = (await usedMemory(peer)) - before;
    const resident = await residentBytes(peer);
    figures.push({ used, resident });
    const each = (used / keys).toFixed(1).padStart(10);
    print(`${peer.name.padEnd(32)} ${each} ${(resident / 2 ** 20).toFixed(0).padStart(12)}`);
  }
  const used = figures[0].used / figures[1].used;
  const resident = figures[0].resident / figures[1].resident;
  print(`ratio ${used.toFixed(2)} of used memory, ${resident.toFixed(2)} of resident size`);
}

/** Sets keys over one connection, and fails unless each is answered OK. */
async function load(peer: Peer, count: number): Promise<void> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: peer.port });
  const value = "x".repeat(VALUE_BYTES);
  const buffer = new Uint8Array(65536);
  for (let start = 0; start < count; start += COMMANDS_PER_WRITE) {
    const end = Math.min(start + COMMANDS_PER_WRITE, count);
    let text = "";
    for (let i = start; i < end; i++) {
      const key = `key:${i}`;
      text += `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${VALUE_BYTES}\r\n${value}\r\n`;
    }
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
    const expected = "+OK\r\n".repeat(end - start);
    let replies = "";
    while (replies.length < expected.length) {
      const size = await conn.read(buffer);
      if (size === null) break;
      replies += new TextDecoder().decode(buffer.subarray(0, size));
    }
    if (replies !== expected) throw new Error(`${peer.name} did not set every key`);
  }
  conn.close();
}

async function usedMemory(peer: Peer): Promise<number> {
  const text = await outputOf(["redis-cli", "-p", `${peer.port}`, "info", "memory"]);
  return Number(/used_memory:(\d+)/.exec(text)?.[1]);
}

async function residentBytes(peer: Peer): Promise<number> {
  return Number(await outputOf(["ps", "-o", "rss=", "-p", `${peer.pid}`])) * 1024;
}

/** What a program writes that runs on the client's core. */
async function outputOf(words: readonly string[]): Promise<string> {
  const { code, stdout } = await pinned(CLIENT_CORE, words, "piped").output();
  if (code !== 0) throw new Error(`${words[0]} ended with ${code}`);
  return new TextDecoder().decode(stdout);
}

/** Starts a server on the servers' core, and waits until it accepts connections. */
async function start(name: string, words: (port: number) => string[]): Promise<Peer> {
  const port = freePort();
  const child = pinned(SERVER_CORE, words(port), "null").spawn();
  const peer = {
    name,
    port,
    pid: child.pid,
    async stop() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
  peers.push(peer);
  for (let tries = 0; tries < START_TRIES; tries++) {
    if (await isListening(port)) return peer;
    await new Promise((resolve) => setTimeout(resolve, START_PAUSE_MS));
  }
  throw new Error(`${name} could not be started`);
}

function pinned(core: string, words: readonly string[], stdout: "piped" | "null"): Deno.Command {
  // taskset becomes the program: the pid is the server's.
  return new Deno.Command("taskset", { args: ["-c", core, ...words], stdout, stderr: "inherit" });
}

async function isListening(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

function positive(value: unknown): number {
  return Number(value) > 0 ? Number(value) : fail(`versus takes a positive number, not ${value}`);
}

function fail(message: string): never {
  print(message);
  Deno.exit(1);
}
