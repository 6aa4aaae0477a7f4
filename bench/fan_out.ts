/**
 * Messages from a few publishers to many subscribers, here and on redis-server. Both servers are started here, pinned to
 * core 0, and asked from core 1.
 *
 *     taskset -c 1 deno run --allow-net --allow-read --allow-run bench/fan_out.ts [--subscribers 1,50,1000]
 *         [--pipelines 1,16] [--bytes 32] [--seconds 2] [--rounds 3] [--redis PATH] [--before DIR]
 *
 * Each line is for subscribers of one channel, or of one pattern that matches it. The figures: messages delivered in a
 * second, as a ratio to redis-server's, and the processor's time that each server took for a delivered message, in µs. With many
 * subscribers the reader's core is the limit, and the throughput says little of the server. Publishers wait for their
 * replies, and while too many messages are under way. All that was published must arrive: what is lost is an error.
 */
import { parseArgs } from "@std/cli/parse-args";
import { cpuNs, median, type Peer, startCheckout, startRedisServer } from "../scripts/peers.ts";
import { print } from "../scripts/run.ts";

const PUBLISHERS = 8;
/** So many messages a subscriber may be under way, at most. */
const LAG_MAX = 256;
const WARM_SECONDS = 2;
const READ_BYTES = 1 << 16;
const CHANNEL = "channel:1";
const PATTERN = "channel:*";

interface Load {
  readonly subscribers: number;
  readonly hasPatterns: boolean;
  readonly pipeline: number;
}

interface Figures {
  readonly perSecond: number;
  readonly cpuUs: number;
}

const options = parseArgs(Deno.args, {
  string: ["subscribers", "pipelines", "bytes", "seconds", "rounds", "redis", "before"],
  default: {
    subscribers: "1,50,1000",
    pipelines: "1,16",
    bytes: "32",
    seconds: "2",
    rounds: "3",
    redis: "redis-server",
    before: "",
  },
});
const message = "x".repeat(Number(options.bytes));
const encoder = new TextEncoder();

const peers: Peer[] = [];

async function compare(): Promise<void> {
  const [ours, ...others] = peers;
  const titles = [
    ...others.map(({ name }) => `${ours.name}/${name}`),
    ...peers.map(({ name }) => `${name}, CPU µs`),
  ];
  // Most of it is compiled while this runs.
  for (const peer of peers) {
    await measure(peer, { subscribers: 10, hasPatterns: true, pipeline: 16 }, WARM_SECONDS);
  }
  print(`subscribers  by  pipeline ${titles.map((title) => title.padStart(15)).join(" ")}`);
  for (const subscribers of numbers(options.subscribers)) {
    for (const hasPatterns of [false, true]) {
      for (const pipeline of numbers(options.pipelines)) {
        const runs = await measureInTurn({ subscribers, hasPatterns, pipeline });
        const ratios = others.map((_, other) =>
          median(runs.map((run) => run[0].perSecond / run[other + 1].perSecond))
        );
        const costs = peers.map((_, peer) => median(runs.map((run) => run[peer].cpuUs)));
        const cells = [...ratios, ...costs].map((figure) => figure.toFixed(2).padStart(15));
        const by = hasPatterns ? "pattern" : "channel";
        const head = `${String(subscribers).padStart(6)} ${by.padStart(9)} ${pipeline}`;
        print(`${head.padEnd(25)} ${cells.join(" ")}`);
      }
    }
  }
}

/** The figures of all peers in each round, after a short run that warms each of them up. */
async function measureInTurn(load: Load): Promise<Figures[][]> {
  const seconds = Number(options.seconds);
  const runs: Figures[][] = [];
  for (const peer of peers) await measure(peer, load, seconds / 2);
  for (let round = 0; round < Number(options.rounds); round++) {
    const run: Figures[] = [];
    for (const peer of peers) run.push(await measure(peer, load, seconds));
    runs.push(run);
  }
  return runs;
}

/** Counts what has arrived, in bytes, since all messages are equal. */
class Audience {
  bytes = 0;
  readonly #waiting = new Map<() => void, number>();
  readonly #conns: Deno.TcpConn[] = [];
  readonly #buffer = new Uint8Array(READ_BYTES);

  async join(port: number, hasPattern: boolean): Promise<void> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    this.#conns.push(conn);
    await write(conn, request(hasPattern ? ["PSUBSCRIBE", PATTERN] : ["SUBSCRIBE", CHANNEL]));
    await conn.read(this.#buffer);
    void this.#listen(conn);
  }

  async #listen(conn: Deno.TcpConn): Promise<void> {
    for (;;) {
      // The buffer is shared: nobody looks at what was read.
      const count = await conn.read(this.#buffer).catch(() => null);
      if (count === null) return;
      this.bytes += count;
      for (const [resolve, wanted] of this.#waiting) {
        if (this.bytes < wanted) continue;
        this.#waiting.delete(resolve);
        resolve();
      }
    }
  }

  /** Waits until so many bytes have arrived. */
  async heard(bytes: number): Promise<void> {
    if (this.bytes >= bytes) return;
    await new Promise<void>((resolve) => this.#waiting.set(resolve, bytes));
  }

  leave(): void {
    for (const conn of this.#conns) conn.close();
  }
}

async function measure(peer: Peer, load: Load, seconds: number): Promise<Figures> {
  const audience = new Audience();
  for (let i = 0; i < load.subscribers; i++) await audience.join(peer.port, load.hasPatterns);
  const words = load.hasPatterns
    ? ["pmessage", PATTERN, CHANNEL, message]
    : ["message", CHANNEL, message];
  const messageBytes = request(words).length;
  const requests = encoder.encode(
    new TextDecoder().decode(request(["PUBLISH", CHANNEL, message])).repeat(load.pipeline),
  );
  const replyBytes = `:${load.subscribers}\r\n`.length * load.pipeline;
  const lag = Math.max(LAG_MAX, PUBLISHERS * load.pipeline) * load.subscribers * messageBytes;
  let published = 0;
  const begin = performance.now();
  const cpuBefore = await cpuNs(peer);
  const publish = async (): Promise<void> => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: peer.port });
    const buffer = new Uint8Array(READ_BYTES);
    while (performance.now() - begin < 1000 * seconds) {
      await write(conn, requests);
      for (let read = 0; read < replyBytes;) read += await conn.read(buffer) ?? Infinity;
      published += load.pipeline;
      await audience.heard(published * load.subscribers * messageBytes - lag);
    }
    conn.close();
  };
  await Promise.all(Array.from({ length: PUBLISHERS }, publish));
  await audience.heard(published * load.subscribers * messageBytes);
  const elapsed = (performance.now() - begin) / 1000;
  const cpu = await cpuNs(peer) - cpuBefore;
  audience.leave();
  const delivered = published * load.subscribers;
  return { perSecond: delivered / elapsed, cpuUs: cpu / delivered / 1000 };
}

async function write(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

function request(words: readonly string[]): Uint8Array {
  return encoder.encode(
    `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`,
  );
}

function numbers(text: string): number[] {
  return text.split(",").map(Number);
}

try {
  peers.push(await startCheckout("ours", "."));
  peers.push(await startRedisServer(options.redis));
  if (options.before !== "") peers.push(await startCheckout("before", options.before));
  await compare();
} finally {
  for (const peer of peers) await peer.stop();
}
