/**
 * How soon memory goes back to the system: resident memory at the start, after loading data, and 0.1 to 10 s after these
 * were removed, of our server and of redis-server.
 *
 * Usage: deno run -A bench/memory_returns.ts [--case NAME] [--only ours|redis] [--redis PATH] [--wait SECONDS]
 */
import { parseArgs } from "@std/cli/parse-args";
import { type Peer, residentBytes, startCheckout, startRedisServer } from "../scripts/peers.ts";
import { print } from "../scripts/run.ts";
import { Wire } from "../tests/support/live.ts";

const MIB = 2 ** 20;
const LOOKS_S = [0.1, 1, 2, 5, 10];

const options = parseArgs(Deno.args, {
  string: ["case", "only", "redis"],
  default: { redis: "redis-server", wait: 10 },
});
const encoder = new TextEncoder();

/** What is loaded, and what frees it. */
interface Case {
  load(wire: Wire, port: number): Promise<void>;
  end(wire: Wire): Promise<unknown>;
}

const flushAll = (wire: Wire): Promise<string> => wire.roundTrip("flushall");

/** Sends bytes as they are, not as text. */
async function sendBytes({ conn }: Wire, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at, at + MIB));
}

function request(name: string, key: string | null, size: number): Uint8Array {
  const words = key === null ? [name] : [name, key];
  const head = words.map((word) => `$${word.length}\r\n${word}\r\n`).join("");
  const start = encoder.encode(`*${words.length + 1}\r\n${head}$${size}\r\n`);
  const bytes = new Uint8Array(start.length + size + 2);
  bytes.set(start);
  bytes.fill(0x78, start.length, start.length + size);
  bytes.set([13, 10], start.length + size);
  return bytes;
}

async function setLarge(wire: Wire, key: string, size: number): Promise<void> {
  await sendBytes(wire, request("SET", key, size));
  await wire.read();
}

/** SETs so many keys in pipelines of 500. */
async function setMany(wire: Wire, count: number, size: number): Promise<void> {
  const value = `$${size}\r\n${"x".repeat(size)}\r\n`;
  for (let from = 0; from < count; from += 500) {
    let text = "";
    for (let i = from; i < from + 500; i++) {
      const key = `key:${i}`;
      text += `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n${value}`;
    }
    await sendBytes(wire, encoder.encode(text));
    await skip(wire, 500 * "+OK\r\n".length);
  }
}

/** Runs a line so many times in pipelines of a thousand. */
async function repeat(wire: Wire, count: number, line: (i: number) => string): Promise<void> {
  for (let from = 0; from < count; from += 1000) {
    let text = "";
    for (let i = from; i < from + 1000; i++) text += `${line(i)}\r\n`;
    await wire.send(text);
    for (let i = 0; i < 1000; i++) await wire.read();
  }
}

/** Reads and throws away so many bytes. */
async function skip({ conn }: Wire, size: number): Promise<void> {
  const buffer = new Uint8Array(MIB);
  for (let left = size; left > 0;) left -= await conn.read(buffer) ?? left;
}

let readers: Wire[] = [];

const CASES: Record<string, Case> = {
  "500k keys of 100 B, FLUSHALL": {
    load: (wire) => setMany(wire, 500_000, 100),
    end: flushAll,
  },
  "5M keys of 20 B, FLUSHALL": {
    load: (wire) => setMany(wire, 5_000_000, 20),
    end: flushAll,
  },
  "8 values of 50 MB, FLUSHALL": {
    async load(wire) {
      for (let i = 0; i < 8; i++) await setLarge(wire, `k${i}`, 50e6);
    },
    end: flushAll,
  },
  "a value of 200 MB, DEL": {
    load: (wire) => setLarge(wire, "k", 200e6),
    end: (wire) => wire.roundTrip("del k"),
  },
  "ECHO of 100 MB": {
    async load(wire) {
      const sent = sendBytes(wire, request("ECHO", null, 100e6));
      await skip(wire, 100e6 + 14);
      await sent;
    },
    end: (wire) => wire.roundTrip("ping"),
  },
  "large collections, FLUSHALL": {
    async load(wire) {
      await repeat(wire, 500_000, (i) => `sadd s member:${i}`);
      await repeat(wire, 300_000, (i) => `zadd z ${i} member:${i}`);
      await repeat(wire, 500_000, (i) => `hset h field:${i} value`);
      await repeat(wire, 500_000, (i) => `rpush l element:${i}`);
      await repeat(wire, 200_000, (i) => `xadd x * field ${i}`);
    },
    end: flushAll,
  },
  "50 slow readers of 10 MB, closed": {
    async load(wire, port) {
      await setLarge(wire, "k", 1e6);
      readers = [];
      for (let i = 0; i < 50; i++) readers.push(await Wire.connect(port));
      for (const reader of readers) await reader.send("get k\r\n".repeat(10));
      await sleep(1);
    },
    async end(wire) {
      for (const reader of readers) reader.close();
      await wire.roundTrip("flushall");
    },
  },
};

const sleep = (seconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, seconds * 1000));

async function resident(peer: Peer): Promise<number> {
  return await residentBytes(peer) / MIB;
}

function start(name: string): Promise<Peer> {
  return name === "ours" ? startCheckout(name, ".") : startRedisServer(options.redis);
}

async function measure(server: string, name: string): Promise<void> {
  const peer = await start(server);
  try {
    const wire = await Wire.connect(peer.port);
    // What every server takes once it works: code, buffers.
    await repeat(wire, 20_000, (i) => `set warm ${i}`);
    await wire.roundTrip("flushall");
    await sleep(1);
    const row = [await resident(peer)];
    await CASES[name].load(wire, peer.port);
    row.push(await resident(peer));
    const began = performance.now();
    await CASES[name].end(wire);
    const tookMs = performance.now() - began;
    for (const at of LOOKS_S.filter((look) => look <= options.wait)) {
      await sleep(at - (performance.now() - began) / 1000);
      row.push(await resident(peer));
    }
    const figures = row.map((mib) => mib.toFixed(0).padStart(6)).join("");
    print(`${name.padEnd(34)}${server.padEnd(6)}${figures}   ${tookMs.toFixed(2)} ms`);
    wire.close();
  } finally {
    await peer.stop();
  }
}

const SMALL_FLUSH = "FLUSHALL of one key, 500 times";

/** How long FLUSHALL of one key takes, the SET before it not counted. */
async function timeSmallFlush(server: string): Promise<void> {
  const peer = await start(server);
  try {
    const wire = await Wire.connect(peer.port);
    let sum = 0;
    const times = 500;
    for (let i = 0; i < times; i++) {
      await wire.roundTrip("set k v");
      const began = performance.now();
      await wire.roundTrip("flushall");
      sum += performance.now() - began;
    }
    print(
      `${SMALL_FLUSH.padEnd(34)}${server.padEnd(6)} ${(sum / times).toFixed(3)} ms`,
    );
    wire.close();
  } finally {
    await peer.stop();
  }
}

const servers = options.only === undefined ? ["ours", "redis"] : [options.only];
print(
  `${"MiB resident".padEnd(40)} start  full${LOOKS_S.map((s) => `${s} s`.padStart(6)).join("")}`,
);
for (const name of Object.keys(CASES).filter((one) => one.includes(options.case ?? ""))) {
  for (const server of servers) await measure(server, name);
}
if (SMALL_FLUSH.includes(options.case ?? "")) {
  for (const server of servers) await timeSmallFlush(server);
}
