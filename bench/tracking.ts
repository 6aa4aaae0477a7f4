/**
 * Client-side caching, here and on redis-server. Both servers are started here, pinned to core 0, and asked from core 1.
 *
 *     taskset -c 1 deno run --allow-net --allow-read --allow-run bench/tracking.ts [--only tracked]
 *         [--seconds 2] [--rounds 3] [--redis PATH] [--before DIR]
 *
 * GETs of ten clients at pipeline 16, without tracking and with it, when all keys are tracked already. Then invalidations:
 * clients read a hundred keys, another one sets them, and each of the clients must hear of each key. Then the same in
 * broadcast mode, in which they read nothing. The figures: GETs or invalidations in a second, as a ratio to redis-server's,
 * and the processor's time that each server took for one, in µs.
 */
import { parseArgs } from "@std/cli/parse-args";
import { cpuNs, median, type Peer, startCheckout, startRedisServer } from "../scripts/peers.ts";
import { print } from "../scripts/run.ts";
import { joined } from "../src/lib/joined.ts";
import { requestOf } from "../src/protocol/request.ts";

const READERS = 10;
const KEYS = 10_000;
const PIPELINE = 16;
const KEYS_A_ROUND = 100;
const VALUE = "v".repeat(32);
const READ_BYTES = 1 << 16;

interface Figures {
  readonly perSecond: number;
  readonly cpuUs: number;
}

/** One scenario: does its work until `endMs` and returns how often. */
interface Scenario {
  readonly name: string;
  readonly prepare: (port: number) => Promise<Conn[]>;
  readonly run: (conns: readonly Conn[], endMs: number) => Promise<number>;
}

const options = parseArgs(Deno.args, {
  string: ["only", "seconds", "rounds", "redis", "before"],
  default: { only: "", seconds: "2", rounds: "3", redis: "redis-server", before: "" },
});

/** A connection of which only the number of bytes that it receives matters. */
class Conn {
  #received = 0;
  readonly #buffer = new Uint8Array(READ_BYTES);

  private constructor(readonly conn: Deno.TcpConn) {}

  static async open(port: number, ...requests: string[][]): Promise<Conn> {
    const own = new Conn(await Deno.connect({ hostname: "127.0.0.1", port }));
    for (const words of requests) {
      await own.send(requestOf(words));
      own.#received += await own.conn.read(own.#buffer) ?? 0;
    }
    own.#received = 0;
    return own;
  }

  async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.conn.write(bytes.subarray(at));
  }

  /** Waits until so many bytes have come since the last call. */
  async receive(bytes: number): Promise<void> {
    while (this.#received < bytes) {
      const count = await this.conn.read(this.#buffer);
      if (count === null) throw new Error("the server has closed a connection");
      this.#received += count;
    }
    this.#received -= bytes;
  }
}

function keyOf(index: number): string {
  return `key:${String(index).padStart(6, "0")}`;
}

function randomKeys(count: number): string[] {
  return Array.from({ length: count }, () => keyOf(Math.floor(Math.random() * KEYS)));
}

const VALUE_REPLY = `$${VALUE.length}\r\n${VALUE}\r\n`.length;
const ALL_KEYS = Array.from({ length: KEYS }, (_, i) => keyOf(i));
const ROUND_KEYS = ALL_KEYS.slice(0, KEYS_A_ROUND);
const MGET = requestOf(["MGET", ...ROUND_KEYS]);
const MGET_REPLY = `*${KEYS_A_ROUND}\r\n`.length + KEYS_A_ROUND * VALUE_REPLY;
const SETS = joined(ROUND_KEYS.map((key) => requestOf(["SET", key, VALUE])));
const KEY_BYTES = `$10\r\n${keyOf(0)}\r\n`.length;
const INVALIDATE = ">2\r\n$10\r\ninvalidate\r\n".length;

/** GETs of random keys, all of which were read before. */
function reads(name: string, ...requests: string[][]): Scenario {
  return {
    name,
    prepare: async (port) => {
      await Conn.open(port, ["FLUSHALL"]);
      const writer = await Conn.open(port);
      const sets = joined(ALL_KEYS.map((key) => requestOf(["SET", key, VALUE])));
      await Promise.all([writer.send(sets), writer.receive("+OK\r\n".length * KEYS)]);
      const conns: Conn[] = [];
      for (let i = 0; i < READERS; i++) conns.push(await Conn.open(port, ...requests));
      const all = requestOf(["MGET", ...ALL_KEYS]);
      for (const conn of conns) {
        await Promise.all([
          conn.send(all),
          conn.receive(`*${KEYS}\r\n`.length + KEYS * VALUE_REPLY),
        ]);
      }
      return conns;
    },
    run: async (conns, endMs) => {
      const batches = Array.from(
        { length: 100 },
        () => joined(randomKeys(PIPELINE).map((key) => requestOf(["GET", key]))),
      );
      let count = 0;
      await Promise.all(conns.map(async (conn) => {
        for (let i = 0; performance.now() < endMs; i++) {
          await conn.send(batches[i % batches.length]);
          await conn.receive(PIPELINE * VALUE_REPLY);
          count += PIPELINE;
        }
      }));
      return count;
    },
  };
}

/** Keys that `readers` clients cache are set, and each of them hears of each key: in messages of their own, or in one. */
function invalidations(name: string, readers: number, isBroadcast: boolean): Scenario {
  const tracking = ["CLIENT", "TRACKING", "ON", ...isBroadcast ? ["BCAST"] : []];
  const message = isBroadcast
    ? INVALIDATE + `*${KEYS_A_ROUND}\r\n`.length + KEYS_A_ROUND * KEY_BYTES
    : KEYS_A_ROUND * (INVALIDATE + "*1\r\n".length + KEY_BYTES);
  return {
    name,
    prepare: async (port) => {
      const conns = [await Conn.open(port, ["FLUSHALL"])];
      await Promise.all([conns[0].send(SETS), conns[0].receive(KEYS_A_ROUND * 5)]);
      for (let i = 0; i < readers; i++) conns.push(await Conn.open(port, ["HELLO", "3"], tracking));
      return conns;
    },
    run: async ([writer, ...caches], endMs) => {
      let count = 0;
      while (performance.now() < endMs) {
        if (!isBroadcast) {
          await Promise.all(caches.map(async (conn) => {
            await conn.send(MGET);
            await conn.receive(MGET_REPLY);
          }));
        }
        await writer.send(SETS);
        await Promise.all([
          writer.receive(KEYS_A_ROUND * 5),
          ...caches.map((conn) => conn.receive(message)),
        ]);
        count += KEYS_A_ROUND * caches.length;
      }
      return count;
    },
  };
}

const SCENARIOS: readonly Scenario[] = [
  reads("GET, not tracked"),
  reads("GET, tracked", ["CLIENT", "TRACKING", "ON"]),
  invalidations("invalidations to 1", 1, false),
  invalidations("invalidations to 50", 50, false),
  invalidations("broadcasts to 1", 1, true),
  invalidations("broadcasts to 50", 50, true),
];

async function measure(peer: Peer, { prepare, run }: Scenario, seconds: number): Promise<Figures> {
  const conns = await prepare(peer.port);
  const cpuBefore = await cpuNs(peer);
  const begin = performance.now();
  const count = await run(conns, begin + 1000 * seconds);
  const elapsed = (performance.now() - begin) / 1000;
  const cpu = await cpuNs(peer) - cpuBefore;
  for (const { conn } of conns) conn.close();
  return { perSecond: count / elapsed, cpuUs: cpu / count / 1000 };
}

async function compare(peers: readonly Peer[]): Promise<void> {
  const [ours, ...others] = peers;
  const titles = [
    ...others.map(({ name }) => `${ours.name}/${name}`),
    ...peers.map(({ name }) => `${name}, CPU µs`),
    `${ours.name}, a second`,
  ];
  print(`${"".padEnd(20)} ${titles.map((title) => title.padStart(15)).join(" ")}`);
  const seconds = Number(options.seconds);
  for (const scenario of SCENARIOS.filter(({ name }) => name.includes(options.only))) {
    const runs: Figures[][] = [];
    for (const peer of peers) await measure(peer, scenario, seconds / 2);
    for (let round = 0; round < Number(options.rounds); round++) {
      const run: Figures[] = [];
      for (const peer of peers) run.push(await measure(peer, scenario, seconds));
      runs.push(run);
    }
    const ratios = others.map((_, other) =>
      median(runs.map((run) => run[0].perSecond / run[other + 1].perSecond))
    );
    const costs = peers.map((_, peer) => median(runs.map((run) => run[peer].cpuUs)));
    const cells = [...ratios, ...costs].map((figure) => figure.toFixed(2).padStart(15));
    const rate = Math.round(median(runs.map((run) => run[0].perSecond)));
    print(`${scenario.name.padEnd(20)} ${cells.join(" ")} ${String(rate).padStart(15)}`);
  }
}

const peers: Peer[] = [];
try {
  peers.push(await startCheckout("ours", "."));
  peers.push(await startRedisServer(options.redis));
  if (options.before !== "") peers.push(await startCheckout("before", options.before));
  await compare(peers);
} finally {
  for (const peer of peers) await peer.stop();
}
