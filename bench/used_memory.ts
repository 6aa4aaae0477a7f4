/**
 * How honest used_memory is: by how much it grows under loads of several kinds, and by how much resident memory does.
 * A small part of each load is done and undone before, so that what a server takes to work at all (code, buffers) is left
 * out.
 *
 * Usage: deno run -A bench/used_memory.ts [--case NAME] [--only ours|redis] [--redis PATH] [--scale 1]
 */
import { parseArgs } from "@std/cli/parse-args";
import { type Peer, residentBytes, startCheckout, startRedisServer } from "../scripts/peers.ts";
import { print } from "../scripts/run.ts";
import { Wire } from "../tests/support/live.ts";
import { requestOf } from "../tests/support/requests.ts";

const MIB = 2 ** 20;
const PART_BYTES = 256 * 1024;

const options = parseArgs(Deno.args, {
  string: ["case", "only", "redis"],
  default: { redis: "redis-server", scale: 1 },
});
const encoder = new TextEncoder();

interface Case {
  load(wire: Wire): Promise<void>;
  /** Undoes it, beside FLUSHALL. */
  end?(wire: Wire): Promise<unknown> | void;
}

const sleep = (seconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, seconds * 1000));

async function sendBytes({ conn }: Wire, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at, at + PART_BYTES));
}

/** Sends `count` commands and throws their replies away. */
async function repeat(
  wire: Wire,
  count: number,
  words: (i: number) => readonly (string | number)[],
): Promise<void> {
  await wire.send("client reply off\r\n");
  const end = Math.ceil(count * scale);
  for (let i = 0; i < end;) {
    let text = "";
    for (; i < end && text.length < PART_BYTES; i++) text += requestOf(words(i).map(String));
    await sendBytes(wire, encoder.encode(text));
  }
  if (await wire.roundTrip("client reply on") !== "+OK\r\n") throw new Error("no reply");
}

/** Subscribes a client to `count` channels. */
async function subscribe(wire: Wire, count: number, nameOf: (i: number) => string): Promise<void> {
  for (let i = 0; i < count; i++) await wire.send(`subscribe ${nameOf(i)}\r\n`);
  for (let i = 0; i < count; i++) await wire.read();
}

let others: Wire[] = [];
/** Where the server that is measured listens. */
let port = 0;
/** The part of a load that is done. */
let scale = 1;

async function connectOthers(count: number): Promise<void> {
  for (let i = 0; i < count * scale; i++) others.push(await Wire.connect(port));
}

/** A byte string that LZF and the like would not shorten. */
function text(i: number, size: number): string {
  return String(i).padEnd(size, "x");
}

const CASES: Record<string, Case> = {
  "1M strings of 10 B": {
    load: (wire) => repeat(wire, 1e6, (i) => ["set", `key:${i}`, `value${i}`]),
  },
  "1M strings with a deadline": {
    load: (wire) => repeat(wire, 1e6, (i) => ["set", `key:${i}`, `value${i}`, "ex", 100_000 + i]),
  },
  "30k strings of 50 KB": {
    load: (wire) => repeat(wire, 30_000, (i) => ["set", `key:${i}`, text(i, 50_000)]),
  },
  "5k strings of 200 KB": {
    load: (wire) => repeat(wire, 5_000, (i) => ["set", `key:${i}`, text(i, 200_000)]),
  },
  "1M strings, half of them deleted": {
    async load(wire) {
      await repeat(wire, 1e6, (i) => ["set", `key:${i}`, `value${i}`]);
      await repeat(wire, 5e5, (i) => ["del", `key:${i}`]);
    },
  },
  "200k hashes of 10 fields": {
    load: (wire) =>
      repeat(wire, 2e5, (i) => [
        ...["hset", `key:${i}`],
        ...Array.from({ length: 10 }, (_, j) => [`field${j}`, `value${i}`]).flat(),
      ]),
  },
  "2k hashes of 1,000 fields": {
    load: (wire) => repeat(wire, 2e6, (i) => ["hset", `key:${i % 2000}`, `field${i}`, `value${i}`]),
  },
  "50k hash tables of 3 fields": {
    async load(wire) {
      await wire.roundTrip("config set hash-max-listpack-entries 1");
      await repeat(wire, 1.5e5, (i) => ["hset", `key:${i % 5e4}`, `field${i}`, `value${i}`]);
    },
  },
  "50k skip lists of 3 members": {
    async load(wire) {
      await wire.roundTrip("config set zset-max-listpack-entries 1");
      await repeat(wire, 1.5e5, (i) => ["zadd", `key:${i % 5e4}`, i, `member${i}`]);
    },
  },
  "50k quicklists of 3 nodes": {
    async load(wire) {
      await wire.roundTrip("config set list-max-listpack-size 1");
      await repeat(wire, 1.5e5, (i) => ["rpush", `key:${i % 5e4}`, `element${i}`]);
    },
  },
  "50k streams of 3 entries": {
    load: (wire) => repeat(wire, 1.5e5, (i) => ["xadd", `key:${i % 5e4}`, "*", "f", `value${i}`]),
  },
  "50k streams with a group and 3 pending": {
    async load(wire) {
      await repeat(wire, 1.5e5, (i) => ["xadd", `key:${i % 5e4}`, "*", "f", `value${i}`]);
      await repeat(wire, 5e4, (i) => ["xgroup", "create", `key:${i}`, "group", "0"]);
      await repeat(
        wire,
        5e4,
        (i) => ["xreadgroup", "group", "group", "me", "streams", `key:${i}`, ">"],
      );
    },
  },
  "a hash of 1M fields": {
    load: (wire) => repeat(wire, 1e6, (i) => ["hset", "key", `field${i}`, `value${i}`]),
  },
  "a set of 1M members": {
    load: (wire) => repeat(wire, 1e6, (i) => ["sadd", "key", `member${i}`]),
  },
  "a sorted set of 1M members": {
    load: (wire) => repeat(wire, 1e6, (i) => ["zadd", "key", i * 7919 % 1e6, `member${i}`]),
  },
  "a list of 2M elements": {
    load: (wire) => repeat(wire, 2e6, (i) => ["rpush", "key", `element${i}`]),
  },
  "a stream of 1M entries": {
    load: (wire) => repeat(wire, 1e6, (i) => ["xadd", "key", "*", "field", `value${i}`]),
  },
  "400 clients that do not read their output": {
    async load(wire) {
      await repeat(wire, 1, () => ["set", "key", text(0, 500_000)]);
      await connectOthers(400);
      for (const other of others) await other.send("get key\r\n".repeat(20));
    },
    end: closeOthers,
  },
  "1,000 clients with 500 KB of input": {
    async load() {
      await connectOthers(1000);
      const half = encoder.encode(
        `*3\r\n$3\r\nset\r\n$3\r\nkey\r\n$1000000\r\n${text(0, 500_000)}`,
      );
      for (const other of others) await sendBytes(other, half);
    },
    end: closeOthers,
  },
  "5,000 idle clients": {
    async load() {
      await connectOthers(5000);
      for (const other of others) await other.roundTrip("ping");
    },
    end: closeOthers,
  },
  "100 clients with 10k queued commands": {
    async load() {
      await connectOthers(100);
      for (const other of others) {
        await other.send("multi\r\n");
        await repeat(other, 10_000, (i) => ["set", `key:${i}`, `value${i}`]);
      }
    },
    end: closeOthers,
  },
  "100k watched keys": {
    async load() {
      await connectOthers(10);
      for (const other of others) await repeat(other, 10_000, (i) => ["watch", `key:${i}`]);
    },
    end: closeOthers,
  },
  "100k subscriptions to 100k channels": {
    async load() {
      await connectOthers(100);
      for (const [j, other] of others.entries()) {
        await subscribe(other, 1000, (i) => `channel:${j}:${i}`);
      }
    },
    end: closeOthers,
  },
  "100k subscriptions to 1k channels": {
    async load() {
      await connectOthers(100);
      for (const other of others) await subscribe(other, 1000, (i) => `channel:${i}`);
    },
    end: closeOthers,
  },
  "20 slow subscribers of 100 KB messages": {
    async load(wire) {
      await wire.roundTrip("config set client-output-buffer-limit 'pubsub 0 0 0'");
      await connectOthers(20);
      for (const other of others) await other.roundTrip("subscribe channel");
      await repeat(wire, 100, (i) => ["publish", "channel", text(i, 100_000)]);
    },
    end: closeOthers,
  },
  "1M tracked keys": {
    async load(wire) {
      await wire.roundTrip("config set tracking-table-max-keys 0");
      await connectOthers(1);
      const [reader] = others;
      await reader.roundTrip("client tracking on");
      await repeat(reader, 1e6, (i) => ["get", `key:${i}`]);
    },
    end: closeOthers,
  },
  "10k cached scripts": {
    load: (wire) =>
      repeat(
        wire,
        10_000,
        (i) => ["eval", `local a = redis.call('get', KEYS[1]); return a or ${i}`, 1, "key"],
      ),
    end: (wire) => wire.roundTrip("script flush"),
  },
  "1,000 libraries of functions": {
    load: (wire) =>
      repeat(wire, 1000, (i) => [
        ...["function", "load"],
        `#!lua name=lib${i}\nredis.register_function('f${i}', function(keys) return redis.call('get', keys[1]) end)`,
      ]),
    end: (wire) => wire.roundTrip("function flush"),
  },
};

function closeOthers(): void {
  for (const other of others) other.close();
  others = [];
}

async function resident(peer: Peer): Promise<number> {
  return await residentBytes(peer) / MIB;
}

async function used(wire: Wire): Promise<number> {
  const info = await wire.roundTrip("info memory");
  return Number(info.match(/used_memory:(\d+)/)?.[1]) / MIB;
}

function start(name: string): Promise<Peer> {
  return name === "ours" ? startCheckout(name, ".") : startRedisServer(options.redis);
}

async function undo(wire: Wire, one: Case): Promise<void> {
  await one.end?.(wire);
  await wire.roundTrip("flushall");
  await sleep(2);
  await wire.roundTrip("memory purge");
  await sleep(1);
}

async function measure(server: string, name: string): Promise<void> {
  const peer = await start(server);
  try {
    ({ port } = peer);
    const wire = await Wire.connect(port);
    scale = 0.05 * options.scale;
    await CASES[name].load(wire);
    await undo(wire, CASES[name]);
    scale = options.scale;
    const before = [await resident(peer), await used(wire)];
    await CASES[name].load(wire);
    await sleep(1.5);
    const grown = [await resident(peer) - before[0], await used(wire) - before[1]];
    const ratio = `${(grown[1] / grown[0] * 100).toFixed(0)} %`.padStart(8);
    const figures = [before[0], ...grown].map((mib) => mib.toFixed(1).padStart(9)).join("");
    print(`${name.padEnd(40)}${server.padEnd(6)}${figures}${ratio}`);
    await CASES[name].end?.(wire);
    wire.close();
  } finally {
    await peer.stop();
  }
}

const servers = options.only === undefined ? ["ours", "redis"] : [options.only];
print(`${"MiB".padEnd(46)}   before resident     used`);
for (const name of Object.keys(CASES).filter((one) => one.includes(options.case ?? ""))) {
  for (const server of servers) await measure(server, name);
}
