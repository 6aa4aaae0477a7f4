/**
 * Side by side with redis-server: both are started here, each pinned to core 0, and measured in turn from
 * core 1. Only the ratios mean anything.
 *
 * Usage: deno task versus [--tests set,get] [--pipelines 1,16,64] [--rounds 3] [--seconds 1.5]
 *                         [--redis redis-server] [--before DIR] [--tls no|yes]
 *        deno task versus --memory [--keys 1000000]
 *
 * Beside the throughput stands the processor's time that each server took for a request, in microseconds: at pipeline 1
 * redis-benchmark is the limit, and its throughput says nothing of the server. `--redis` is the redis-server to run.
 * `--before` is another checkout of ours, which is measured in the same rounds: it shows what a change has brought.
 *
 * `--tls` measures over TLS, with the value as tls-auth-clients: whether the servers ask redis-benchmark for a certificate.
 *
 * `--keys` is the size of the data sets: so many strings, so many small hashes, a fifth of it small sets and
 * sorted sets, and one collection of each type with so many elements.
 */
import { parseArgs } from "@std/cli/parse-args";
import {
  CLIENT_CORE,
  cpuNs,
  median,
  outputOf,
  type Peer,
  residentBytes,
  startCheckout,
  startRedisServer,
} from "./peers.ts";
import { certificateFiles, makeCertificate } from "../tests/support/certificates.ts";
import { print } from "./run.ts";

const VALUE_BYTES = 32;
const STRINGS = `strings of ${VALUE_BYTES} bytes`;
const CLIENTS = 50;
const KEYS_OF_BENCHMARK = 100_000;
/** The least number of requests of a run, a pipelined command. The first estimate uses it. */
const REQUESTS_MIN = 20_000;
/** Elements that one command adds to a large collection. */
const ELEMENTS_A_COMMAND = 100;
const SMALL_SET_MEMBERS = 20;
const PIPE_BYTES = 1 << 20;
/** After loading, wait until memory that only loading needed has been freed: garbage, and V8's compilers'. */
const SETTLE_MS = 2000;

/** Tests that redis-benchmark does not have: what makes their data, and the command. */
const CUSTOM_TESTS: Readonly<
  Record<string, readonly [data: () => Iterable<Words>, command: Words]>
> = {
  hget: [() => elements("HSET", "versus", "field", true), ["HGET", "versus", "field:__rand_int__"]],
  hmget: [
    () => elements("HSET", "versus", "field", true),
    ["HMGET", "versus", "field:__rand_int__", "field:__rand_int__", "field:__rand_int__"],
  ],
  sismember: [
    () => elements("SADD", "versus", "member", false),
    ["SISMEMBER", "versus", "member:__rand_int__"],
  ],
  zrank: [() => scored("versus"), ["ZRANK", "versus", "member:__rand_int__"]],
  zrange: [() => scored("versus"), ["ZRANGE", "versus", "50000", "50009"]],
  lindex: [() => elements("RPUSH", "versus", "element", false), ["LINDEX", "versus", "100"]],
  xadd: [() => [], ["XADD", "versus", "*", "field", "__rand_int__"]],
};

type Words = readonly (string | number)[];

/** What both servers hold while their memory is compared. */
interface DataSet {
  readonly name: string;
  commands(): Iterable<Words>;
}

/** What one run of redis-benchmark showed of a server. */
interface Figures {
  readonly perSecond: number;
  /** Time that all threads of the server were on a processor, in µs a request. */
  readonly cpuUs: number;
}

const options = parseArgs(Deno.args, {
  boolean: ["memory"],
  string: ["tests", "pipelines", "rounds", "seconds", "keys", "redis", "before", "tls"],
  default: {
    tests:
      "ping_mbulk,set,get,incr,mset,lpush,rpush,lpop,rpop,lrange_100,sadd,spop,hset,zadd,zpopmin," +
      Object.keys(CUSTOM_TESTS).join(),
    pipelines: "1,16,64",
    rounds: "3",
    seconds: "1.5",
    keys: "1000000",
    redis: "redis-server",
    before: "",
    tls: "",
  },
  unknown: (option: string) => fail(`versus does not know ${option}`),
});

// Options are read before a server is started: an error then leaves no server running.
const tests = String(options.tests).split(",");
const pipelines = String(options.pipelines).split(",").map(positive);
const rounds = positive(options.rounds);
const seconds = positive(options.seconds);
const keys = positive(options.keys);

const tls = options.tls === "" ? null : await tlsFiles(String(options.tls));
const peers: Peer[] = [];
try {
  peers.push(await startCheckout("ours", ".", tls?.server));
  peers.push(await startRedisServer(String(options.redis), tls?.server));
  if (options.before !== "") {
    peers.push(await startCheckout("before", String(options.before), tls?.server));
  }
  if (options.memory === true) await compareMemory();
  else await compareThroughput();
} finally {
  for (const peer of peers) await peer.stop();
}

/** What servers and redis-benchmark are told of TLS: directives, and options. */
async function tlsFiles(clients: string): Promise<{ server: string[]; client: string[] }> {
  const authority = await makeCertificate("authority", { isAuthority: true });
  const files = certificateFiles(authority);
  const issuer = authority;
  const server = files.write("server", await makeCertificate("server", { issuer }));
  const client = files.write("client", await makeCertificate("client", { issuer }));
  return {
    server: [
      ...["--tls-cert-file", server.certificate, "--tls-key-file", server.key],
      ...["--tls-ca-cert-file", files.authority, "--tls-auth-clients", clients],
    ],
    client: [
      ...["--tls", "--cacert", files.authority, "--cert", client.certificate],
      ...["--key", client.key],
    ],
  };
}

/** Throughput of the first peer, ours, by that of each other, and what a request costs each of them. */
async function compareThroughput(): Promise<void> {
  const [ours, ...others] = peers;
  const ratios: number[][] = others.map(() => []);
  const titles = [
    ...others.map(({ name }) => `${ours.name}/${name}`),
    ...peers.map(({ name }) => `${name}, CPU µs`),
  ];
  print(`test           pipeline ${titles.map((title) => title.padStart(14)).join(" ")}`);
  for (const test of tests) {
    const data = CUSTOM_TESTS[test]?.[0];
    for (const peer of data === undefined ? [] : peers) {
      await flush(peer);
      await load(peer, data());
    }
    for (const pipeline of pipelines) {
      const runs = await measureInTurn(test, pipeline);
      const found = others.map((_, other) =>
        median(runs.map((run) => run[0].perSecond / run[other + 1].perSecond))
      );
      found.forEach((ratio, other) => ratios[other].push(ratio));
      const costs = peers.map((_, peer) => median(runs.map((run) => run[peer].cpuUs)));
      const cells = [...found, ...costs].map((figure) => figure.toFixed(2).padStart(14));
      print(`${test.padEnd(14)} ${String(pipeline).padStart(8)} ${cells.join(" ")}`);
    }
  }
  others.forEach(({ name }, other) => {
    const all = ratios[other];
    const mean = Math.exp(all.reduce((sum, ratio) => sum + Math.log(ratio), 0) / all.length);
    const least = Math.min(...all).toFixed(2);
    print(`${ours.name}/${name}: smallest ${least}, geometric mean ${mean.toFixed(2)}`);
  });
}

/** The figures of all peers in each round, after a run that warms each of them up. */
async function measureInTurn(test: string, pipeline: number): Promise<Figures[][]> {
  const least = REQUESTS_MIN * pipeline;
  const redis = peers[1];
  const { perSecond } = await measure(redis, test, pipeline, least);
  const requests = Math.max(least, Math.round(perSecond * seconds));
  for (const peer of peers) if (peer !== redis) await measure(peer, test, pipeline, requests);
  const runs: Figures[][] = [];
  for (let round = 0; round < rounds; round++) {
    const run: Figures[] = [];
    for (const peer of peers) run.push(await measure(peer, test, pipeline, requests));
    runs.push(run);
  }
  return runs;
}

async function measure(
  peer: Peer,
  test: string,
  pipeline: number,
  requests: number,
): Promise<Figures> {
  const custom = CUSTOM_TESTS[test]?.[1];
  const port = tls === null ? peer.port : peer.tlsPort;
  const words = ["-p", `${port}`, "-P", `${pipeline}`, "-c", `${CLIENTS}`, ...tls?.client ?? []];
  const sizes = ["-n", `${requests}`, "-d", `${VALUE_BYTES}`, "-r", `${KEYS_OF_BENCHMARK}`];
  const what = custom === undefined ? ["-t", test] : custom.map(String);
  const before = await cpuNs(peer);
  const output = await outputOf(["redis-benchmark", ...words, ...sizes, "--csv", ...what]);
  const cpuUs = (await cpuNs(peer) - before) / requests / 1000;
  const last = output.trim().split("\n").at(-1) ?? "";
  const perSecond = Number(last.split(",")[1]?.replaceAll('"', ""));
  if (!(perSecond > 0)) throw new Error(`redis-benchmark measured no ${test} of ${peer.name}`);
  return { perSecond, cpuUs };
}

async function compareMemory(): Promise<void> {
  print("data                           ours, bytes  redis, bytes  ratio");
  const pair = peers.slice(0, 2);
  for (const { name, commands } of dataSets()) {
    const used: number[] = [];
    for (const peer of pair) {
      await flush(peer);
      const before = await usedMemory(peer);
      await load(peer, commands());
      used.push((await usedMemory(peer)) - before);
      if (name !== STRINGS) continue;
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      const resident = await residentBytes(peer);
      print(`${peer.name}: ${(resident / 2 ** 20).toFixed(0)} MiB resident with ${name}`);
    }
    const figures = used.map((bytes) => String(bytes).padStart(13)).join(" ");
    print(`${name.padEnd(28)} ${figures} ${(used[0] / used[1]).toFixed(2).padStart(6)}`);
  }
}

function dataSets(): DataSet[] {
  const small = Math.ceil(keys / 5);
  const value = "x".repeat(VALUE_BYTES);
  return [
    { name: STRINGS, commands: () => numbered(keys, (i) => ["SET", `key:${i}`, value]) },
    { name: "hashes of 5 fields", commands: () => numbered(keys, smallHash) },
    { name: "sets of 20 members", commands: () => numbered(small, smallSet) },
    { name: "sorted sets of 20 members", commands: () => numbered(small, smallSortedSet) },
    { name: "one sorted set", commands: () => scored("z") },
    { name: "one hash", commands: () => elements("HSET", "h", "field", true) },
    { name: "one set", commands: () => elements("SADD", "s", "member", false) },
    { name: "one list", commands: () => elements("RPUSH", "l", "element", false) },
  ];
}

function* numbered(count: number, command: (i: number) => Words): Iterable<Words> {
  for (let i = 0; i < count; i++) yield command(i);
}

function smallHash(i: number): Words {
  const person = ["name", `user ${i}`, "age", i % 90, "city", `town${i % 500}`];
  return ["HSET", `user:${i}`, ...person, "mail", `u${i}@example.com`, "score", i * 7];
}

function smallSet(i: number): Words {
  const first = i * SMALL_SET_MEMBERS;
  return ["SADD", `s:${i}`, ...range(first, SMALL_SET_MEMBERS).map((n) => `member:${n}`)];
}

function smallSortedSet(i: number): Words {
  const first = i * SMALL_SET_MEMBERS;
  return ["ZADD", `z:${i}`, ...range(first, SMALL_SET_MEMBERS).flatMap((n) => [n, `member:${n}`])];
}

/** One large collection of words, numbered as redis-benchmark numbers them; with values, a hash. */
function* elements(
  command: string,
  key: string,
  word: string,
  hasValues: boolean,
): Iterable<Words> {
  for (let first = 0; first < keys; first += ELEMENTS_A_COMMAND) {
    const names = range(first, ELEMENTS_A_COMMAND).map((n) => `${word}:${padded(n)}`);
    yield [
      command,
      key,
      ...hasValues ? names.flatMap((name) => [name, `value of ${name}`]) : names,
    ];
  }
}

/** One large sorted set, in random order of scores. */
function* scored(key: string): Iterable<Words> {
  for (let first = 0; first < keys; first += ELEMENTS_A_COMMAND) {
    const pairs = range(first, ELEMENTS_A_COMMAND).flatMap((n) => [
      (n * 7919) % 1_000_003,
      `member:${padded(n)}`,
    ]);
    yield ["ZADD", key, ...pairs];
  }
}

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

function padded(n: number): string {
  return String(n).padStart(12, "0");
}

async function flush(peer: Peer): Promise<void> {
  await outputOf(["redis-cli", "-p", `${peer.port}`, "flushall", "sync"]);
}

/** Sends commands through redis-cli, and fails unless all are answered without an error. */
async function load(peer: Peer, commands: Iterable<Words>): Promise<void> {
  const words = ["-c", CLIENT_CORE, "redis-cli", "-p", `${peer.port}`, "--pipe"];
  const child = new Deno.Command("taskset", { args: words, stdin: "piped", stdout: "piped" })
    .spawn();
  const writer = child.stdin.getWriter();
  const encoder = new TextEncoder();
  let text = "";
  for (const command of commands) {
    text += `*${command.length}\r\n`;
    for (const word of command) text += `$${String(word).length}\r\n${word}\r\n`;
    if (text.length < PIPE_BYTES) continue;
    await writer.write(encoder.encode(text));
    text = "";
  }
  await writer.write(encoder.encode(text));
  await writer.close();
  const { stdout } = await child.output();
  if (!new TextDecoder().decode(stdout).includes("errors: 0,")) {
    throw new Error(`${peer.name} answered an error`);
  }
}

async function usedMemory(peer: Peer): Promise<number> {
  const text = await outputOf(["redis-cli", "-p", `${peer.port}`, "info", "memory"]);
  return Number(/used_memory:(\d+)/.exec(text)?.[1]);
}

function positive(value: unknown): number {
  return Number(value) > 0 ? Number(value) : fail(`versus takes a positive number, not ${value}`);
}

function fail(message: string): never {
  print(message);
  Deno.exit(1);
}
