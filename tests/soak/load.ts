/**
 * A load of all kinds on one server, from a thread of its own: keys of all types that come and expire, scripts, functions,
 * transactions, messages, clients that wait, that track, and that come and go. Beside it go commands whose effect is the same
 * wherever they run; they are sent to redis-server, too, if there is one.
 */
import { writeAll } from "../../src/lib/write_all.ts";
import { binaryBytes } from "../../src/protocol/args.ts";
import { randomCommands } from "../differential/commands.ts";
import { Wire } from "../support/live.ts";
import { Random } from "../support/random.ts";
import { requestOf } from "../support/requests.ts";
import { pause } from "../support/waiting.ts";

/** What the thread is told first. "stop" ends it. */
export interface LoadTask {
  readonly port: number;
  readonly redisPort: number | null;
  readonly seed: number;
}

/** What it answers when it has stopped. */
export interface LoadReport {
  /** Commands of the load, and those that both servers got. */
  readonly commands: number;
  readonly compared: number;
  readonly messages: number;
  /** Replies that no server should give. */
  readonly wrong: readonly string[];
}

/** What it sends back: that it begins, and how it ended. */
export type LoadAnswer = "ready" | LoadReport | { readonly error: string };

/** Clients that change keys, each in a database of its own from this one on. */
const CHURNERS = 6;
const FIRST_DATABASE = 8;
const SUBSCRIBERS = 4;
const KEYS = 3000;
const BATCH = 40;
/** A client that has had its replies waits so long. */
const PAUSE_MS = 4;
const CONNECT_EVERY_MS = 50;
const COMPARED_BATCH = 50;
const LARGE_BYTES = 60_000;

/**
 * Commands that are not compared: what has a deadline may be evicted; the others differ between Redis 7.0 and 7.2.
 */
const NOT_COMPARED = /^(?:p?expire|[ps]*setex|getex|xsetid|restore)|,(?:ex|px|exat|pxat|nosort),/i;

const SCRIPTS: readonly string[] = [
  "return redis.call('incr', KEYS[1])",
  "local sum = 0 for i = 1, 200 do sum = sum + i end redis.call('setex', KEYS[1], 5, sum) return sum",
  "return cjson.encode(cjson.decode(ARGV[1]))",
  "local t = {} for i = 1, 50 do t[i] = {name = 'n' .. i} end return #cmsgpack.pack(t)",
  "redis.call('hset', KEYS[1], 'f', ARGV[1]) redis.call('expire', KEYS[1], 3) return redis.call('hgetall', KEYS[1])",
];
const LIBRARY = "#!lua name=soak\nredis.register_function('note', function(keys, args)" +
  " redis.call('lpush', keys[1], args[1]) redis.call('ltrim', keys[1], 0, 20)" +
  " return redis.call('expire', keys[1], 5) end)";

let isStopped = false;
let commands = 0;
let compared = 0;
let messages = 0;
const wrong: string[] = [];

/** A client that sends batches, and knows by an echo when all of one is answered. */
class Batcher {
  readonly #buffer = new Uint8Array(256 * 1024);
  #count = 0;

  private constructor(readonly conn: Deno.TcpConn) {}

  static async connect(port: number): Promise<Batcher> {
    return new Batcher(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  async run(requests: readonly (readonly string[])[]): Promise<void> {
    const token = `end of batch ${++this.#count}\r\n`;
    const bytes = binaryBytes([...requests, ["ECHO", token.trimEnd()]].map(requestOf).join(""));
    await writeAll(this.conn, bytes);
    let tail = "";
    // Messages may follow.
    while (!tail.includes(token)) {
      const count = await this.conn.read(this.#buffer);
      if (count === null) throw new Error("The server has closed a connection");
      const text = decoder.decode(this.#buffer.subarray(0, count));
      const failure = /-ERR internal[^\r]*|-MISCONF[^\r]*|-BUSY [^\r]*/.exec(text);
      if (failure !== null) wrong.push(failure[0]);
      tail = tail.slice(-token.length) + text;
    }
    commands += requests.length;
  }

  close(): void {
    this.conn.close();
  }
}

const decoder = new TextDecoder("latin1");

/** What `deed` is made of: names of keys that others use, too, and a value. */
class Things {
  readonly seconds: string;
  readonly word: string;

  constructor(readonly random: Random) {
    this.seconds = `${1 + random.below(8)}`;
    this.word = `${random.below(1000)}`.repeat(1 + random.below(20));
  }

  key(letter: string): string {
    return `${letter}:${this.random.below(KEYS)}`;
  }

  /** The requests, and then the key's end. */
  expiring(name: string, ...requests: string[][]): string[][] {
    return [...requests, ["EXPIRE", name, this.seconds]];
  }
}

/** The things that applications do, with keys that are gone after some seconds. */
const DEEDS: readonly ((things: Things) => string[][])[] = [
  ({ random, seconds }) => {
    const size = random.isLikely(0.05) ? LARGE_BYTES : random.below(300);
    return [["SET", `s:${random.below(KEYS)}`, "v".repeat(size), "EX", seconds]];
  },
  (things) => {
    const key = things.key("s");
    return [["GET", key], ["STRLEN", key], ["GETRANGE", key, "0", "10"], ["TTL", key]];
  },
  (things) => {
    const key = things.key("n");
    return things.expiring(key, ["INCR", key], ["INCRBYFLOAT", key, "0.5"]);
  },
  (things) => {
    const { word } = things;
    const key = things.key("h");
    return things.expiring(key, ["HSET", key, word.slice(0, 20), word, "f", word], [
      "HDEL",
      key,
      "f",
    ], ["HGETALL", key]);
  },
  (things) => {
    const { word } = things;
    const key = things.key("l");
    return things.expiring(key, ["RPUSH", key, word, word, "x"], ["LPOP", key], [
      "LTRIM",
      key,
      "-200",
      "-1",
    ], ["LRANGE", key, "0", "5"]);
  },
  (things) => {
    const key = things.key("t");
    return things.expiring(
      key,
      ["SADD", key, things.word, "7"],
      ["SREM", key, "7"],
      ["SCARD", key],
      ["SPOP", key],
    );
  },
  (things) => {
    const key = things.key("z");
    const score = `${things.random.below(100)}`;
    return things.expiring(key, ["ZADD", key, score, things.word, "1.5", "m"], [
      "ZREMRANGEBYRANK",
      key,
      "200",
      "-1",
    ], ["ZRANGE", key, "0", "5", "WITHSCORES"]);
  },
  (things) => {
    const key = things.key("x");
    return things.expiring(key, ["XADD", key, "MAXLEN", "~", "100", "*", "f", things.word], [
      "XRANGE",
      key,
      "-",
      "+",
      "COUNT",
      "3",
    ]);
  },
  (things) => {
    const key = things.key("x");
    return things.expiring(
      key,
      ["XGROUP", "CREATE", key, "g", "0", "MKSTREAM"],
      ["XREADGROUP", "GROUP", "g", "c", "COUNT", "5", "STREAMS", key, ">"],
      ["XAUTOCLAIM", key, "g", "d", "0", "0", "COUNT", "3"],
    );
  },
  (things) =>
    things.expiring("p", ["PFADD", "p", things.word], [
      "SETBIT",
      "b",
      `${things.random.below(9000)}`,
      "1",
    ], ["EXPIRE", "b", "3"]),
  (things) => {
    const key = things.key("e");
    return things.expiring(key, ["EVAL", things.random.of(SCRIPTS), "1", key, '{"a":[1,2,3]}']);
  },
  (things) => [["FCALL", "note", "1", things.key("f"), things.word]],
  (things) => {
    const key = things.key("s");
    return [
      ["WATCH", key],
      ["MULTI"],
      ["SETEX", key, things.seconds, things.word],
      ["INCR", "count"],
      ["EXPIRE", "count", "9"],
      ["EXEC"],
    ];
  },
  (things) => [["PUBLISH", `channel:${things.random.below(3)}`, things.word]],
  (things) => {
    const key = things.key("z");
    const copy = `${key}:copy`;
    return [["COPY", key, copy, "REPLACE"], ["EXPIRE", copy, "1"], ["DEL", things.key("s")], [
      "UNLINK",
      things.key("h"),
    ]];
  },
  (things) =>
    things.expiring("jobs", ["RPUSH", "jobs", things.word], ["SCAN", "0", "COUNT", "20"], [
      "RANDOMKEY",
    ], ["DBSIZE"]),
  (things) => {
    const key = things.key("g");
    return things.expiring(key, ["GEOADD", key, "13.36", "38.11", things.word], [
      "GEOSEARCH",
      key,
      "FROMLONLAT",
      "15",
      "37",
      "BYRADIUS",
      "200",
      "km",
    ]);
  },
  (
    things,
  ) => [["OBJECT", "ENCODING", things.key("s")], ["MEMORY", "USAGE", things.key("h")], [
    "SORT",
    things.key("l"),
    "ALPHA",
    "LIMIT",
    "0",
    "3",
  ], ["INFO", "memory"]],
];

async function churn(port: number, index: number, seed: number): Promise<void> {
  const random = new Random(seed + index);
  const client = await Batcher.connect(port);
  await client.run([["SELECT", `${FIRST_DATABASE + index}`], [
    "CLIENT",
    "SETNAME",
    `churn${index}`,
  ]]);
  while (!isStopped) {
    const requests: string[][] = [];
    while (requests.length < BATCH) requests.push(...random.of(DEEDS)(new Things(random)));
    await client.run(requests);
    await pause(PAUSE_MS);
  }
  client.close();
}

/** Reads what comes until the load ends. */
async function listen(port: number, ...requests: string[][]): Promise<void> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await writeAll(conn, binaryBytes(requests.map(requestOf).join("")));
  const buffer = new Uint8Array(64 * 1024);
  const over = setInterval(() => {
    if (!isStopped) return;
    clearInterval(over);
    conn.close();
  }, 20);
  try {
    while (await conn.read(buffer) !== null) messages++;
  } catch {
    // It was closed.
  }
}

/** Waits for jobs, and tracks keys. */
async function wait(port: number): Promise<void> {
  const client = await Batcher.connect(port);
  await client.run([["HELLO", "3"], ["SELECT", `${FIRST_DATABASE}`], ["CLIENT", "TRACKING", "ON"]]);
  while (!isStopped) {
    await client.run([["BLPOP", "jobs", "0.1"], ["GET", "s:1"], ["HGETALL", "h:1"], [
      "LTRIM",
      "jobs",
      "-50",
      "-1",
    ]]);
  }
  client.close();
}

async function comeAndGo(port: number): Promise<void> {
  while (!isStopped) {
    const client = await Batcher.connect(port);
    await client.run([["MULTI"], ["PING"], ["EXEC"], ["WATCH", "k"], ["SUBSCRIBE", "channel:x"], [
      "UNSUBSCRIBE",
    ]]);
    client.close();
    await pause(CONNECT_EVERY_MS);
  }
}

/** Sends the commands that are the same wherever they run. */
async function compare(ports: readonly number[], seed: number): Promise<void> {
  const wires = await Promise.all(ports.map((port) => Wire.connect(port)));
  const source = randomCommands(seed);
  while (!isStopped) {
    const batch: string[][] = [];
    while (batch.length < COMPARED_BATCH) {
      const words = source.next().value as string[];
      if (!NOT_COMPARED.test(`${words.join()},`)) batch.push(words);
    }
    const request = batch.map(requestOf).join("");
    await Promise.all(wires.map(async (wire) => {
      const sent = wire.send(request);
      for (const _ of batch) await wire.read();
      await sent;
    }));
    compared += batch.length;
    await pause(PAUSE_MS);
  }
  for (const wire of wires) {
    await wire.roundTrip("discard");
    wire.close();
  }
}

async function run({ port, redisPort, seed }: LoadTask): Promise<LoadReport> {
  const first = await Batcher.connect(port);
  await first.run([["FUNCTION", "LOAD", "REPLACE", LIBRARY]]);
  thread.postMessage("ready");
  const channels = ["channel:0", "channel:1", "channel:2"];
  await Promise.all([
    ...Array.from({ length: CHURNERS }, (_, i) => churn(port, i, seed)),
    ...Array.from(
      { length: SUBSCRIBERS },
      () => listen(port, ["SUBSCRIBE", ...channels], ["PSUBSCRIBE", "ch*:1"]),
    ),
    wait(port),
    comeAndGo(port),
    compare(redisPort === null ? [port] : [port, redisPort], seed),
  ]);
  // What is left of the load is not compared.
  const databases = Array.from({ length: CHURNERS }, (_, i) => `${FIRST_DATABASE + i}`);
  await first.run(databases.flatMap((index) => [["SELECT", index], ["FLUSHDB"]]));
  first.close();
  return { commands, compared, messages, wrong };
}

/** This thread. */
const thread = globalThis as unknown as {
  onmessage: (event: MessageEvent<LoadTask | "stop">) => void;
  postMessage(answer: LoadAnswer): void;
};

thread.onmessage = ({ data }) => {
  if (data === "stop") isStopped = true;
  else {
    run(data).then(
      (report) => thread.postMessage(report),
      (error) => thread.postMessage({ error: String(error?.stack ?? error) }),
    );
  }
};
