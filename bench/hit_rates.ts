/**
 * How many reads a cache of limited memory answers: keys are read in a Zipf distribution, and those that are missing are
 * set. Our server and redis-server get the same requests at the same time, so that the age of a key in seconds means the same
 * to both, and may use the same memory beside what they use when empty: what redis-server needs for `--room` of the keys.
 * With `--own` each may use what it needs itself for so many: that compares what is evicted, whatever a key takes.
 *
 * Usage: deno run -A bench/hit_rates.ts [--policies allkeys-lru,allkeys-lfu] [--thetas 0.8,0.99,1.1] [--keys 1000000]
 *          [--room 100000] [--requests 2000000] [--rate 0] [--redis redis-server] [--before DIR] [--own] [--set NAME=VALUE]
 *
 * The first half of the requests warms the caches up and is not counted. `--rate` is requests a second at most, 0: as many as
 * the slower server takes. `--before` is another checkout of ours.
 */
import { parseArgs } from "@std/cli/parse-args";
import { type Peer, startCheckout, startRedisServer } from "../scripts/peers.ts";
import { print } from "../scripts/run.ts";
import { Wire } from "../tests/support/live.ts";

const BATCH = 200;
const VALUE = `$100\r\n${"v".repeat(100)}\r\n`;
const HIT_BYTES = VALUE.length;
const MISS_BYTES = "$-1\r\n".length;
const DOLLAR_MINUS = 0x2d;

const options = parseArgs(Deno.args, {
  string: ["policies", "thetas", "keys", "room", "requests", "rate", "redis", "before", "set"],
  boolean: ["own"],
  collect: ["set"],
  default: {
    policies: "allkeys-lru,allkeys-lfu",
    thetas: "0.8,0.99,1.1",
    keys: "1000000",
    room: "100000",
    requests: "2000000",
    rate: "0",
    redis: "redis-server",
    before: "",
  },
});
const keyCount = Number(options.keys);
const room = Number(options.room);
const requests = Number(options.requests);
const rate = Number(options.rate);

/** One server under test and its connection. */
class Cache {
  hits = 0;
  readonly #buffer = new Uint8Array(1 << 16);
  readonly #missing: number[] = [];

  private constructor(readonly peer: Peer, readonly wire: Wire) {}

  static async of(peer: Peer): Promise<Cache> {
    return new Cache(peer, await Wire.connect(peer.port));
  }

  /** Empties it, and lifts the limit. */
  async clear(policy: string): Promise<void> {
    await this.wire.roundTrip(`config set maxmemory 0 maxmemory-policy ${policy}`);
    await this.wire.roundTrip("flushall");
  }

  /** The memory that `room` keys take. */
  async need(): Promise<number> {
    const empty = await this.used();
    for (let from = 0; from < room; from += BATCH) {
      const ids = Array.from({ length: Math.min(BATCH, room - from) }, (_, i) => from + i);
      await this.#set(ids);
    }
    const needed = await this.used() - empty;
    await this.wire.roundTrip("flushall");
    return needed;
  }

  async limit(bytes: number): Promise<void> {
    await this.wire.roundTrip(`config set maxmemory ${await this.used() + bytes}`);
  }

  async used(): Promise<number> {
    const info = await this.wire.roundTrip("info memory");
    return Number(/^used_memory:(\d+)/m.exec(info)?.[1]);
  }

  /** Reads keys and sets those that are missing. */
  async request(ids: readonly number[]): Promise<void> {
    await this.wire.send(ids.map((id) => command("GET", id)).join(""));
    this.#missing.length = 0;
    const { conn } = this.wire;
    const buffer = this.#buffer;
    let [at, end] = [0, 0];
    for (const id of ids) {
      while (end - at < MISS_BYTES) end += await conn.read(buffer.subarray(end)) ?? 0;
      const isMiss = buffer[at + 1] === DOLLAR_MINUS;
      const size = isMiss ? MISS_BYTES : HIT_BYTES;
      while (end - at < size) end += await conn.read(buffer.subarray(end)) ?? 0;
      at += size;
      if (isMiss) this.#missing.push(id);
      else this.hits++;
    }
    if (this.#missing.length > 0) await this.#set(this.#missing);
  }

  async #set(ids: readonly number[]): Promise<void> {
    await this.wire.send(ids.map((id) => command("SET", id)).join(""));
    for (let left = ids.length * "+OK\r\n".length; left > 0;) {
      left -= await this.wire.conn.read(this.#buffer) ?? left;
    }
  }
}

function command(name: "GET" | "SET", id: number): string {
  const key = `key:${id}`;
  const head = `$3\r\n${name}\r\n$${key.length}\r\n${key}\r\n`;
  return name === "GET" ? `*2\r\n${head}` : `*3\r\n${head}${VALUE}`;
}

/** A generator of ids, the most frequent first, of which the nth comes with a chance in proportion to n^−theta. */
function zipf(theta: number): () => number {
  const sums = new Float64Array(keyCount);
  let sum = 0;
  for (let i = 0; i < keyCount; i++) sums[i] = sum += (i + 1) ** -theta;
  return () => {
    const wanted = Math.random() * sum;
    let [low, high] = [0, keyCount - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sums[middle] < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

async function compare(caches: readonly Cache[], policy: string, theta: number): Promise<void> {
  const needs: number[] = [];
  for (const cache of caches) {
    await cache.clear(policy);
    needs.push(await cache.need());
  }
  const ofRedis = caches.findIndex(({ peer }) => peer.name === "redis");
  for (const [i, cache] of caches.entries()) {
    cache.hits = 0;
    await cache.limit(options.own === true ? needs[i] : needs[ofRedis]);
  }
  const next = zipf(theta);
  const startMs = performance.now();
  for (let sent = 0; sent < requests; sent += BATCH) {
    if (sent === Math.floor(requests / 2 / BATCH) * BATCH) {
      for (const cache of caches) cache.hits = 0;
    }
    const ids = Array.from({ length: BATCH }, next);
    await Promise.all(caches.map((cache) => cache.request(ids)));
    const aheadMs = rate === 0 ? 0 : sent * 1000 / rate - (performance.now() - startMs);
    if (aheadMs > 1) await new Promise((resolve) => setTimeout(resolve, aheadMs));
  }
  const seconds = (performance.now() - startMs) / 1000;
  const counted = requests - Math.floor(requests / 2 / BATCH) * BATCH;
  const cells: string[] = [];
  for (const { hits, wire } of caches) {
    const kept = (await wire.roundTrip("dbsize")).slice(1, -2);
    cells.push(`${(hits / counted * 100).toFixed(2)} (${kept})`.padStart(15));
  }
  print(
    `${policy.padEnd(16)} ${String(theta).padStart(5)} ${cells.join(" ")}   ${
      seconds.toFixed(0)
    } s`,
  );
}

const peers: Peer[] = [];
try {
  peers.push(await startCheckout("ours", "."));
  peers.push(await startRedisServer(String(options.redis)));
  if (options.before !== "") peers.push(await startCheckout("before", String(options.before)));
  const caches = await Promise.all(peers.map((peer) => Cache.of(peer)));
  for (const pair of options.set) {
    for (const { wire } of caches) await wire.roundTrip(`config set ${pair.replace("=", " ")}`);
  }
  print(`hits in %        theta ${peers.map(({ name }) => name.padStart(15)).join(" ")}`);
  for (const policy of String(options.policies).split(",")) {
    for (const theta of String(options.thetas).split(",")) {
      await compare(caches, policy, Number(theta));
    }
  }
} finally {
  for (const peer of peers) await peer.stop();
}
