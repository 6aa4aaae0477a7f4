/**
 * How long one large request keeps everybody else waiting, and how much memory it takes: ours beside redis-server.
 *
 *     deno run -A bench/large_requests.ts [--only SET,MULTI] [--main path/main.ts] [--redis path/redis-server] [--cold] [--smoke]
 *
 * Each scenario has a server of its own, started anew, warmed up with small requests (unless `--cold`) and pinned to core 0;
 * what sends runs on core 1. The pause is the
 * longest that a second client, which sends PING every millisecond, waited for an answer; "high" is how far VmHWM of the
 * server rose above what was resident before the scenario. `--main` measures another tree's server.
 *
 * @module
 */
import { serverV8Flags } from "../scripts/run.ts";
import { parseArgs } from "@std/cli/parse-args";

const MIB = 1 << 20;
const START_TRIES = 200;
const SERVER_FLAGS = [serverV8Flags(), "--no-code-cache", "--allow-all"];
const encoder = new TextEncoder();

/** What a worker's global object has; the main thread's has no name. */
const worker = globalThis as unknown as {
  readonly name?: string;
  onmessage: (() => void) | null;
  postMessage(message: number): void;
};

/** Sends requests on one connection, and counts the bytes of what is answered. */
class Sender {
  readonly #conn: Deno.TcpConn;
  /** Every answer ends in it: ECHO is sent behind the last request. */
  #tail = "";

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  static async connect(port: number): Promise<Sender> {
    return new Sender(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  async text(text: string): Promise<void> {
    await this.write(encoder.encode(text));
  }

  /** A command whose words are texts, or numbers: so many bytes of filling. */
  async command(...words: (string | number)[]): Promise<void> {
    let head = `*${words.length}\r\n`;
    for (const word of words) {
      if (typeof word === "string") {
        head += `$${encoder.encode(word).length}\r\n${word}\r\n`;
        continue;
      }
      await this.text(`${head}$${word}\r\n`);
      for (let left = word; left > 0; left -= filling.length) {
        await this.write(left < filling.length ? filling.subarray(0, left) : filling);
      }
      head = "\r\n";
    }
    await this.text(head);
  }

  /** Waits until everything that was sent is answered; fails on an error. */
  async answers(): Promise<void> {
    await this.command("ECHO", "this is the end");
    const buffer = new Uint8Array(MIB);
    const decoder = new TextDecoder("latin1");
    let first = true;
    while (!this.#tail.endsWith("this is the end\r\n")) {
      const count = await this.#conn.read(buffer);
      if (count === null) throw new Error("the server has closed the connection");
      if (first && buffer[0] === 0x2d) throw new Error(decoder.decode(buffer.subarray(0, 100)));
      first = false;
      const text = decoder.decode(buffer.subarray(Math.max(0, count - 20), count));
      this.#tail = (this.#tail + text).slice(-20);
    }
    this.#tail = "";
  }

  /** The answer to a command, a bulk string. */
  async bulk(...words: string[]): Promise<Uint8Array> {
    await this.command(...words);
    let bytes = new Uint8Array(MIB);
    let filled = 0;
    let size = -1;
    for (let start = 0; size < 0 || filled < size;) {
      if (filled === bytes.length) {
        const grown = new Uint8Array(2 * bytes.length);
        grown.set(bytes);
        bytes = grown;
      }
      const count = await this.#conn.read(bytes.subarray(filled));
      if (count === null) throw new Error("the server has closed the connection");
      filled += count;
      start = bytes.indexOf(10) + 1;
      if (size < 0) size = start + Number(new TextDecoder().decode(bytes.subarray(1, start))) + 2;
    }
    return bytes.slice(bytes.indexOf(10) + 1, size - 2);
  }

  close(): void {
    this.#conn.close();
  }
}

/** A mebibyte that LZF can't shorten, which values are made of. */
const filling = new Uint8Array(MIB);
let word = 1;
for (let i = 0; i < MIB; i++) {
  word = Math.imul(word, 1103515245) + 12345;
  filling[i] = word >>> 16;
}

interface Scenario {
  readonly name: string;
  /** What must be there; not measured. */
  prepare?(sender: Sender): Promise<void>;
  run(sender: Sender, port: number): Promise<void>;
}

const isCold = Deno.args.includes("--cold");
const isSmoke = Deno.args.includes("--smoke");
/** `size` bytes, or a hundredth of it in a smoke test. */
const bytes = (size: number): number => isSmoke ? Math.ceil(size / 100) : size;
const many = (count: number): number => isSmoke ? Math.ceil(count / 1000) : count;

async function set(sender: Sender, size: number): Promise<void> {
  await sender.command("SET", "key", bytes(size));
  await sender.answers();
}

/** A string of which LZF leaves half. */
async function halved(sender: Sender, size: number): Promise<void> {
  const part = filling.slice();
  for (let at = 0; at < MIB; at += 256) part.fill(0x61, at, at + 128);
  await sender.text(`*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$${bytes(size)}\r\n`);
  for (let left = bytes(size); left > 0; left -= MIB) await sender.write(part.subarray(0, left));
  await sender.text("\r\n");
  await sender.answers();
}

/** BGSAVE, and a command once it is under way; waits until it is over. */
async function save(sender: Sender, ...change: string[]): Promise<void> {
  const decoder = new TextDecoder();
  await sender.command("BGSAVE");
  await sender.answers();
  if (change.length > 0) {
    await sender.command(...change);
    await sender.answers();
  }
  for (;;) {
    const info = decoder.decode(await sender.bulk("INFO", "persistence"));
    if (info.includes("rdb_bgsave_in_progress:0")) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** One command of many short words. */
async function words(
  sender: Sender,
  head: string[],
  count: number,
  prefix: string,
): Promise<void> {
  let text = `*${head.length + count}\r\n`;
  for (const name of head) text += `$${name.length}\r\n${name}\r\n`;
  for (let i = 0; i < count; i++) {
    const name = `${prefix}${i}`;
    text += `$${name.length}\r\n${name}\r\n`;
    if (text.length < MIB) continue;
    await sender.text(text);
    text = "";
  }
  await sender.text(text);
  await sender.answers();
}

async function sets(sender: Sender, count: number): Promise<void> {
  let text = "";
  for (let i = 0; i < count; i++) {
    const key = `key:${i}`;
    text += `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$5\r\nvalue\r\n`;
    if (text.length < MIB) continue;
    await sender.text(text);
    text = "";
  }
  await sender.text(text);
}

/** A server that has been serving small requests for a while: ours is not compiled before. */
async function warmUp(sender: Sender): Promise<void> {
  for (let round = 0; round < 4; round++) {
    await sets(sender, many(5000));
    await sender.command("MULTI");
    await sets(sender, many(5000));
    await sender.command("EXEC");
    await words(sender, ["MGET"], many(5000), "key:");
    await words(sender, ["SADD", "set"], many(5000), "member:");
    await words(sender, ["RPUSH", "list"], many(5000), "element:");
    await words(sender, ["DEL"], many(5000), "key:");
    await sender.command("FLUSHALL");
    await sender.answers();
  }
}

const scenarios: readonly Scenario[] = [
  { name: "nothing", run: (sender) => sender.answers() },
  { name: "SET 128 MiB", run: (sender) => set(sender, 128 * MIB) },
  { name: "SET 512 MiB", run: (sender) => set(sender, 512 * MIB) },
  {
    name: "SET 128 MiB again",
    prepare: (sender) => set(sender, 128 * MIB),
    run: (sender) => set(sender, 128 * MIB),
  },
  {
    name: "GET 128 MiB",
    prepare: (sender) => set(sender, 128 * MIB),
    async run(sender) {
      await sender.command("GET", "key");
      await sender.answers();
    },
  },
  {
    name: "MSET 4 x 32 MiB",
    async run(sender) {
      const size = bytes(32 * MIB);
      await sender.command("MSET", "a", size, "b", size, "c", size, "d", size);
      await sender.answers();
    },
  },
  {
    name: "APPEND 64 to 64 MiB",
    prepare: (sender) => set(sender, 64 * MIB),
    async run(sender) {
      await sender.command("APPEND", "key", bytes(64 * MIB));
      await sender.answers();
    },
  },
  {
    name: "SETRANGE 64 MiB",
    prepare: (sender) => set(sender, 64 * MIB),
    async run(sender) {
      await sender.command("SETRANGE", "key", "1000", bytes(64 * MIB) - 1000);
      await sender.answers();
    },
  },
  {
    name: "RPUSH 2 x 32 MiB",
    async run(sender) {
      await sender.command("RPUSH", "list", bytes(32 * MIB), bytes(32 * MIB));
      await sender.answers();
    },
  },
  {
    name: "HSET 64 MiB",
    async run(sender) {
      await sender.command("HSET", "hash", "field", bytes(64 * MIB));
      await sender.answers();
    },
  },
  {
    name: "XADD 64 MiB",
    async run(sender) {
      await sender.command("XADD", "stream", "*", "field", bytes(64 * MIB));
      await sender.answers();
    },
  },
  {
    name: "DUMP 128 MiB",
    prepare: (sender) => set(sender, 128 * MIB),
    async run(sender) {
      await sender.command("DUMP", "key");
      await sender.answers();
    },
  },
  {
    name: "DUMP 128 MiB of zeros",
    async prepare(sender) {
      await sender.command("SETRANGE", "key", `${bytes(128 * MIB) - 1}`, "x");
      await sender.answers();
    },
    async run(sender) {
      await sender.command("DUMP", "key");
      await sender.answers();
    },
  },
  {
    name: "BGSAVE of 128 MiB",
    prepare: (sender) => set(sender, 128 * MIB),
    run: (sender) => save(sender),
  },
  {
    name: "BGSAVE, SETRANGE in it",
    prepare: (sender) => set(sender, 128 * MIB),
    run: (sender) => save(sender, "SETRANGE", "key", "1000", "x"),
  },
  {
    name: "BGSAVE, DEL in it",
    prepare: (sender) => set(sender, 128 * MIB),
    run: (sender) => save(sender, "DEL", "key"),
  },
  {
    name: "BGSAVE of 128 MiB, half",
    prepare: (sender) => halved(sender, 128 * MIB),
    run: (sender) => save(sender),
  },
  {
    name: "RESTORE 64 MiB",
    async prepare(sender) {
      await set(sender, 64 * MIB);
      payload = await sender.bulk("DUMP", "key");
    },
    async run(sender) {
      await sender.text(`*4\r\n$7\r\nRESTORE\r\n$4\r\nback\r\n$1\r\n0\r\n$${payload.length}\r\n`);
      await sender.write(payload);
      await sender.text("\r\n");
      await sender.answers();
    },
  },
  {
    name: "MULTI of 50,000",
    async run(sender) {
      await sender.command("MULTI");
      await sets(sender, many(50_000));
      await sender.command("EXEC");
      await sender.answers();
    },
  },
  {
    name: "MULTI of SET 128 MiB",
    async run(sender) {
      await sender.command("MULTI");
      await sender.command("SET", "key", bytes(128 * MIB));
      await sender.command("EXEC");
      await sender.answers();
    },
  },
  {
    name: "SET 64 MiB, 50,000 more",
    async run(sender) {
      await sender.command("SET", "key", bytes(64 * MIB));
      await sets(sender, many(50_000));
      await sender.answers();
    },
  },
  {
    name: "MGET of 1M keys",
    run: (sender) => words(sender, ["MGET"], many(1_000_000), "key:"),
  },
  {
    name: "SADD of 1M members",
    run: (sender) => words(sender, ["SADD", "set"], many(1_000_000), "member:"),
  },
  {
    name: "RPUSH of 1M elements",
    run: (sender) => words(sender, ["RPUSH", "list"], many(1_000_000), "element:"),
  },
  {
    name: "DEL of 1M keys",
    run: (sender) => words(sender, ["DEL"], many(1_000_000), "key:"),
  },
  {
    name: "100 x 512 MiB unsent",
    async run(sender, port) {
      const others: Sender[] = [];
      for (let i = 0; i < 100; i++) {
        const other = await Sender.connect(port);
        others.push(other);
        await other.text(`*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$${512 * MIB}\r\n`);
      }
      await sender.answers();
      for (const other of others) other.close();
    },
  },
  {
    name: "4 x 128 MiB half-way",
    async run(sender, port) {
      for (let i = 0; i < 4; i++) {
        const other = await Sender.connect(port);
        await other.text(`*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$${bytes(128 * MIB)}\r\n`);
        for (let sent = 0; sent < bytes(64 * MIB); sent += MIB) await other.write(filling);
        other.close();
        await sender.answers();
      }
    },
  },
];

let payload: Uint8Array = new Uint8Array(0);

interface Figures {
  readonly pauseMs: number;
  readonly seconds: number;
  readonly highMib: number;
}

/** What the second client saw; it runs in a worker. */
class Pinger {
  readonly #worker: Worker;

  constructor(port: number) {
    this.#worker = new Worker(import.meta.url, { type: "module", name: `${port}` });
  }

  async isReady(): Promise<void> {
    await this.#next();
  }

  /** The longest wait so far in ms; counting begins anew. */
  async longest(): Promise<number> {
    this.#worker.postMessage("longest");
    return await this.#next();
  }

  stop(): void {
    this.#worker.terminate();
  }

  #next(): Promise<number> {
    return new Promise((resolve) => {
      this.#worker.onmessage = ({ data }) => resolve(data);
    });
  }
}

/** The worker: sends PING every millisecond. */
async function ping(port: number): Promise<void> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const request = encoder.encode("PING\r\n");
  const reply = new Uint8Array(64);
  let longest = 0;
  let sentAt = 0;
  worker.onmessage = () => {
    worker.postMessage(Math.max(longest, sentAt === 0 ? 0 : performance.now() - sentAt));
    longest = 0;
  };
  worker.postMessage(0);
  for (;;) {
    sentAt = performance.now();
    await conn.write(request);
    if (await conn.read(reply) === null) return;
    longest = Math.max(longest, performance.now() - sentAt);
    sentAt = 0;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function measure(words: (port: number) => string[], scenario: Scenario): Promise<Figures> {
  const port = freePort();
  const dir = await Deno.makeTempDir();
  const args = ["-c", "0", ...words(port), "--port", `${port}`, "--save", "", "--dir", dir];
  const child = new Deno.Command("taskset", { args, stdout: "null", stderr: "inherit" }).spawn();
  try {
    await untilListening(port);
    const sender = await Sender.connect(port);
    if (!isCold) await warmUp(sender);
    await scenario.prepare?.(sender);
    await new Promise((resolve) => setTimeout(resolve, 100));
    // 5: VmHWM begins anew at what is resident now.
    await Deno.writeTextFile(`/proc/${child.pid}/clear_refs`, "5");
    const before = status(child.pid, "VmRSS");
    const pinger = new Pinger(port);
    await pinger.isReady();
    await pinger.longest();
    const start = performance.now();
    await scenario.run(sender, port);
    const seconds = (performance.now() - start) / 1000;
    const pauseMs = await pinger.longest();
    pinger.stop();
    sender.close();
    return { pauseMs, seconds, highMib: status(child.pid, "VmHWM") - before };
  } finally {
    child.kill("SIGKILL");
    await child.status;
    await Deno.remove(dir, { recursive: true });
  }
}

/** A figure of /proc/PID/status, in MiB. */
function status(pid: number, name: string): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)?.[1]) / 1024;
}

async function untilListening(port: number): Promise<void> {
  for (let tries = 0; tries < START_TRIES; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error("a server could not be started");
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

async function main(): Promise<void> {
  const options = parseArgs(Deno.args, {
    string: ["only", "main", "redis"],
    boolean: ["smoke", "cold"],
    default: { only: "", main: "main.ts", redis: "redis-server" },
  });
  const ours = (): string[] => [Deno.execPath(), "run", ...SERVER_FLAGS, String(options.main)];
  const redis = (): string[] => [String(options.redis)];
  const wanted = String(options.only).split(",").filter((word) => word !== "");
  print("                             pause, ms           seconds             high, MiB");
  print("scenario                  ours    redis       ours  redis         ours    redis");
  for (const scenario of scenarios) {
    if (wanted.length > 0 && !wanted.some((word) => scenario.name.includes(word))) continue;
    const own = await measure(ours, scenario);
    const other = await measure(redis, scenario);
    const column = (value: number, width: number, digits: number): string =>
      value.toFixed(digits).padStart(width);
    print(
      scenario.name.padEnd(24) + column(own.pauseMs, 8, 1) + column(other.pauseMs, 9, 1) +
        column(own.seconds, 10, 2) + column(other.seconds, 7, 2) + column(own.highMib, 13, 0) +
        column(other.highMib, 9, 0),
    );
  }
}

function print(line: string): void {
  Deno.stdout.writeSync(encoder.encode(`${line}\n`));
}

if (worker.name !== undefined && worker.name !== "") await ping(Number(worker.name));
else if (import.meta.main) await main();
