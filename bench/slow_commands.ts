/**
 * Walks all commands on large values, here and on redis-server, and lists those that take more than 1.5 times as long:
 * while a command runs, everybody waits. Both servers are started here, pinned to core 0, and asked from core 1.
 *
 *     taskset -c 1 deno run --allow-net --allow-read --allow-run bench/slow_commands.ts [--only PATTERN]
 *         [--elements 100000] [--megabytes 5] [--rounds 5] [--redis PATH]
 *
 * `--only` takes a regular expression that a group's name ("lists") or a line ("ZUNION") must match. A time is the
 * least of the rounds, from the request to the last byte of the reply, less what a PING takes. A command is listed
 * if it takes 1.5 times as long and 0.2 ms longer: below that it is the round trip that is compared. The test beside
 * this file walks it with tiny values.
 */
import { parseArgs } from "@std/cli/parse-args";
import { print, SERVER_PERMISSIONS, serverV8Flags } from "../scripts/run.ts";
import {
  type Case,
  CASES,
  data,
  NOT_WALKED,
  type Sizes,
  type Words,
  wordsOf,
} from "./slow_cases.ts";

const LIMIT = 1.5;
const LEAST_DIFFERENCE_MS = 0.2;
/** A case that takes longer is not run again and again. */
const BUDGET_MS = 500;
const PINGS = 200;
const SETTLE_MS = 15;
const START_TRIES = 200;
const START_PAUSE_MS = 25;
const PIPE_BYTES = 1 << 18;
const READ_BYTES = 1 << 20;

/** One connection, which counts on replies to come in order. */
class Connection {
  readonly #buffer = new Uint8Array(READ_BYTES);

  constructor(readonly name: string, readonly conn: Deno.TcpConn) {}

  /** Sends requests and reads until the echo that follows them has come; returns what stood first. */
  async ask(requests: Uint8Array): Promise<string> {
    const echo = this.#readEcho();
    await this.#write(requests);
    await this.#write(ECHO);
    return await echo;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.conn.write(bytes.subarray(at));
  }

  async #readEcho(): Promise<string> {
    let first = "";
    let tail = "";
    while (!tail.endsWith(MARK)) {
      const count = await this.conn.read(this.#buffer);
      if (count === null) throw new Error(`${this.name} has closed the connection after ${first}`);
      if (first === "") first = latin(this.#buffer.subarray(0, Math.min(count, 80)));
      const end = latin(this.#buffer.subarray(Math.max(count - MARK.length, 0), count));
      tail = (tail + end).slice(-MARK.length);
    }
    return first;
  }
}

const MARK = "the-reply-is-over\r\n";
const ECHO = encoded([["ECHO", MARK.trimEnd()]]);

function latin(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function encoded(commands: Iterable<Words>): Uint8Array {
  let text = "";
  for (const words of commands) {
    text += `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
  }
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

interface Peer {
  readonly name: string;
  readonly connection: Connection;
  pingMs: number;
  stop(): Promise<void>;
}

const NEVER_STOPPED: Peer[] = [];

/** Starts a server on a port of its own and connects to it. */
async function start(name: string, words: (port: number) => string[]): Promise<Peer> {
  const port = freePort();
  const child = new Deno.Command("taskset", {
    args: ["-c", "0", ...words(port)],
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  for (let tries = 0; tries < START_TRIES; tries++) {
    await new Promise((resolve) => setTimeout(resolve, START_PAUSE_MS));
    const conn = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => null);
    if (conn === null) continue;
    conn.setNoDelay(true);
    const stop = async (): Promise<void> => {
      conn.close();
      child.kill("SIGKILL");
      await child.status;
    };
    const peer = { name, connection: new Connection(name, conn), pingMs: 0, stop };
    NEVER_STOPPED.push(peer);
    return peer;
  }
  child.kill("SIGKILL");
  throw new Error(`${name} could not be started`);
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

function startOurs(): Promise<Peer> {
  const flags = ["run", "--no-prompt", serverV8Flags(), "--no-code-cache", ...SERVER_PERMISSIONS];
  const own = ["--save", "", "--enable-debug-command", "yes", "--bind", "127.0.0.1"];
  return start("respite", (port) => [
    Deno.execPath(),
    ...flags,
    "main.ts",
    "--port",
    `${port}`,
    ...own,
  ]);
}

function startRedis(path: string): Promise<Peer> {
  const own = ["--save", "", "--enable-debug-command", "yes", "--bind", "127.0.0.1"];
  return start("redis-server", (port) => [path, "--port", `${port}`, ...own]);
}

async function load({ connection }: Peer, sizes: Sizes): Promise<void> {
  let batch: Words[] = [];
  let bytes = 0;
  for (const words of data(sizes)) {
    batch.push(words);
    for (const word of words) bytes += word.length;
    if (bytes < PIPE_BYTES) continue;
    await connection.ask(encoded(batch));
    batch = [];
    bytes = 0;
  }
  await connection.ask(encoded(batch));
}

/** What one request takes, in ms; its reply's beginning. */
async function timed({ connection }: Peer, request: Uint8Array): Promise<[number, string]> {
  const start = performance.now();
  const reply = await connection.ask(request);
  return [performance.now() - start, reply];
}

const PING = encoded([["PING"]]);

/** The least that a round trip takes. */
async function pingMs(peer: Peer): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < PINGS; i++) least = Math.min(least, (await timed(peer, PING))[0]);
  return least;
}

/** The least of some rounds of a case, in ms. */
async function timeOf(peer: Peer, one: Case, sizes: Options): Promise<[number, string]> {
  const { rounds, settleMs } = sizes;
  const request = encoded([wordsOf(one.line, sizes)]);
  const before = encoded((one.before ?? []).map((line) => wordsOf(line, sizes)));
  let least = Infinity;
  let spent = 0;
  let lastReply = "";
  for (let round = 0; round < rounds && spent < BUDGET_MS; round++) {
    if (before.length > 0) {
      await peer.connection.ask(before);
      // Waits until the value that the copy has replaced is freed, which happens in slices.
      await new Promise((resolve) => setTimeout(resolve, settleMs));
      // What it costs to wake a process that has slept is no part of the command: other cases don't pay it.
      await peer.connection.ask(PING);
    }
    const [ms, reply] = await timed(peer, request);
    least = Math.min(least, ms);
    spent += ms;
    lastReply = reply;
  }
  await peer.connection.ask(encoded([["SELECT", "0"]]));
  return [Math.max(least - peer.pingMs, 0), lastReply];
}

/** One line of the table. */
export interface Row {
  readonly line: string;
  /** In ms, ours first. */
  readonly ms: readonly number[];
  readonly isSlow: boolean;
}

function rowOf(line: string, ms: readonly number[]): Row {
  const [ours, redis] = ms;
  return { line, ms, isSlow: ours > LIMIT * redis && ours - redis > LEAST_DIFFERENCE_MS };
}

function shown({ line, ms, isSlow }: Row): string {
  const figures = ms.map((one) => one.toFixed(2).padStart(10)).join(" ");
  const ratio = ms.length < 2 ? "" : (ms[0] / Math.max(ms[1], 0.01)).toFixed(2).padStart(8);
  return `${line.padEnd(58)} ${figures} ${ratio}${isSlow ? "  SLOW" : ""}`;
}

export interface Options extends Sizes {
  readonly rounds: number;
  readonly only: RegExp;
  /** How long a server is left alone between making what a command changes and the command. */
  readonly settleMs: number;
  /** redis-server's path, or null: then ours is measured alone. */
  readonly redis: string | null;
}

/** Walks the cases; returns a row for each, and passes each to `tell` as soon as it is measured. */
export async function walk(options: Options, tell: (text: string) => void): Promise<Row[]> {
  const rows: Row[] = [];
  try {
    const peers = [await startOurs()];
    if (options.redis !== null) peers.push(await startRedis(options.redis));
    for (const peer of peers) {
      await load(peer, options);
      await pingMs(peer);
      peer.pingMs = await pingMs(peer);
    }
    tell(`${"ms".padEnd(58)} ${peers.map(({ name }) => name.slice(0, 8).padStart(10)).join(" ")}`);
    for (const [group, cases] of Object.entries(CASES)) {
      for (const one of cases) {
        if (!options.only.test(one.line) && !options.only.test(group)) continue;
        const row = await measured(peers, one, options);
        rows.push(row);
        tell(shown(row));
      }
    }
    await checkCommands(peers[0]);
  } finally {
    for (const peer of NEVER_STOPPED.splice(0)) await peer.stop();
  }
  return rows;
}

async function measured(peers: readonly Peer[], one: Case, options: Options): Promise<Row> {
  const ms: number[] = [];
  const replies: string[] = [];
  for (const peer of peers) {
    const [least, reply] = await timeOf(peer, one, options);
    ms.push(least);
    replies.push(reply);
  }
  // If only one of the servers answers with an error, their times can't be compared.
  if (replies.length > 1 && replies[0].startsWith("-") !== replies[1].startsWith("-")) {
    throw new Error(`${one.line}: ${replies.join(" against ")}`);
  }
  return rowOf(one.line, ms);
}

/** Throws if the server knows a command that is neither walked nor left out on purpose. */
async function checkCommands({ connection }: Peer): Promise<void> {
  const walked = new Set(NOT_WALKED);
  for (const { line, before } of Object.values(CASES).flat()) {
    for (const text of [line, ...before ?? []]) walked.add(text.split(" ")[0].toLowerCase());
  }
  const missing: string[] = [];
  for (const name of await commandNames(connection)) if (!walked.has(name)) missing.push(name);
  if (missing.length > 0) throw new Error(`not walked: ${missing.join(" ")}`);
}

async function commandNames(connection: Connection): Promise<string[]> {
  const { conn } = connection;
  await conn.write(encoded([["COMMAND", "LIST"], ["ECHO", MARK.trimEnd()]]));
  let text = "";
  const buffer = new Uint8Array(READ_BYTES);
  while (!text.endsWith(MARK)) {
    const count = await conn.read(buffer);
    if (count === null) break;
    text += latin(buffer.subarray(0, count));
  }
  const names = text.split("\r\n").filter((part) => /^[a-z]/.test(part));
  return names.filter((name) => name !== MARK.trimEnd() && !name.includes("|"));
}

async function main(): Promise<void> {
  const options = parseArgs(Deno.args, {
    string: ["only", "elements", "megabytes", "rounds", "redis"],
    default: { only: "", elements: "100000", megabytes: "5", rounds: "5", redis: "redis-server" },
  });
  const rows = await walk({
    elements: Number(options.elements),
    stringBytes: Number(options.megabytes) * 1_000_000,
    rounds: Number(options.rounds),
    settleMs: SETTLE_MS,
    only: new RegExp(String(options.only)),
    redis: String(options.redis),
  }, print);
  const slow = rows.filter(({ isSlow }) => isSlow);
  print(`${rows.length} commands, ${slow.length} over ${LIMIT} x`);
  for (const row of slow) print(shown(row));
}

if (import.meta.main) await main();
