/** Attacks that need an event loop: streams over real sockets, and damaged files at a server's start. */
import { Server } from "../../src/app/server.ts";
import { writeAll } from "../../src/lib/write_all.ts";
import { binaryBytes } from "../../src/protocol/args.ts";
import { audit, auditEmptied } from "../support/audit.ts";
import { TestServer } from "../support/harness.ts";
import { startRespite, Wire } from "../support/live.ts";
import { pause } from "../support/waiting.ts";
import { emptied, type Means } from "./episodes.ts";
import { Hostile } from "./hostile.ts";
import { logOf } from "./logs.ts";
import { streamOf } from "./streams.ts";
import { DIRECTIVES, Finding, OURS_REGEXP, watch } from "./subject.ts";

/** Connections of an episode, and how many are open at the same time. */
const CONNECTIONS = 200;
const AT_ONCE = 20;
const STARTS = 20;
/** So long a client that sends no more may stay connected. */
const CLOSED_WITHIN_MS = 10_000;
const PAUSE_MAX_MS = 20;
/** What begins work that takes several turns of the event loop. */
const JOBS = [
  ...[
    "SYNC",
    "PSYNC ? -1",
    "REPLCONF rdb-only 1\r\nSYNC",
    "BGSAVE",
    "BGSAVE SCHEDULE",
    "BGREWRITEAOF",
  ],
  ...["CONFIG SET appendonly yes", "CONFIG SET appendonly no", "DEBUG LOADAOF", "DEBUG RELOAD"],
  ...["FLUSHALL ASYNC", "DEBUG POPULATE 1000", "EVAL 'return redis.call(\"dbsize\")' 0", "SAVE"],
];
const CHUNK = new Uint8Array(65_536);

/** Sends many streams, each over a connection of its own; returns how many. */
export async function attackSockets(
  seed: number,
  dir: string,
  before: (step: number) => void,
): Promise<number> {
  emptied(dir);
  const problems: string[] = [];
  const hostile = new Hostile(seed);
  const { server, port, stop } = startRespite({ ...DIRECTIVES, dir });
  watch(server, problems);
  const { engine } = server;
  // All could be kept waiting by CLIENT PAUSE.
  const timer = setInterval(() => engine.unpauseClients(), PAUSE_MAX_MS);
  try {
    let sent = 0;
    const client = async (): Promise<void> => {
      while (sent < CONNECTIONS) {
        before(sent++);
        await connectAndSend(port, hostile);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, client));
    const wire = await Wire.connect(port);
    for (const line of ["config set maxmemory 0", "debug set-active-expire 1"]) {
      await wire.roundTrip(line);
    }
    const answer = await wire.roundTrip("ping");
    if (answer !== "+PONG\r\n") throw new Finding(`PING was answered ${answer}`);
    await onlyOneLeft(server);
    wire.close();
    await pause();
    audit(server);
    auditEmptied(server);
    if (problems.length > 0) throw new Finding(problems[0]);
  } finally {
    clearInterval(timer);
    await stop();
  }
  return CONNECTIONS;
}

/** Waits until all clients that have gone are forgotten. */
async function onlyOneLeft({ engine }: Server): Promise<void> {
  const end = performance.now() + CLOSED_WITHIN_MS;
  while (engine.clients.size > 1) {
    if (performance.now() > end) {
      throw new Finding(`${engine.clients.size - 1} clients stay that have gone`);
    }
    await pause(5);
  }
}

/** One client, which goes in one of the ways in which clients go. */
async function connectAndSend(port: number, hostile: Hostile): Promise<void> {
  const { random } = hostile;
  const job = random.isLikely(0.1) ? `${random.of(JOBS)}\r\n` : "";
  const bytes = binaryBytes(job + streamOf(hostile));
  const way = random.below(4);
  const cut = random.below(bytes.length + 1);
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    await writeAll(conn, bytes.subarray(0, cut));
    if (random.isLikely(0.3)) await pause(1);
    await writeAll(conn, bytes.subarray(cut));
    if (way === 0) return; // at once: what is unread makes it a reset
    if (way === 1) await pause(5);
    else {
      await conn.closeWrite();
      while (await conn.read(CHUNK.slice()) !== null);
    }
  } catch (error) {
    // The server has cut it off.
    if (
      !(error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe)
    ) {
      throw error;
    }
  } finally {
    conn.close();
  }
}

/** Starts servers on damaged files; returns how many. */
export async function attackStarts(
  seed: number,
  { samples, lua, dir }: Means,
  before: (step: number) => void,
): Promise<number> {
  const hostile = new Hostile(seed);
  const { random } = hostile;
  for (let i = 0; i < STARTS; i++) {
    before(i);
    emptied(dir);
    const isLog = random.isLikely(0.5);
    const files = isLog ? logOf(hostile, samples) : new Map([["dump.rdb", samples.file(random)]]);
    for (const [name, bytes] of files) await Deno.writeFile(`${dir}/${name}`, bytes);
    const directives = { ...DIRECTIVES, dir, appendonly: isLog ? "yes" : "no", appendfsync: "no" };
    const server = new TestServer({ directives, lua });
    try {
      await startOne(server);
    } catch (error) {
      const names = [...files].map(([name, bytes]) => `${name} [${bytes.join()}]`).join(" ");
      throw new Finding(`${error instanceof Error ? error.stack : error}\n${names}`);
    } finally {
      server.server.persistence.close();
    }
  }
  return STARTS;
}

/** Either the server says why it does not start, or its data are whole. */
async function startOne({ server, logged }: TestServer): Promise<void> {
  const problems: string[] = [];
  watch(server, problems);
  try {
    await server.persistence.start();
  } catch (error) {
    const text = error instanceof Error ? error.stack ?? error.message : String(error);
    if (!(error instanceof Error) || OURS_REGEXP.test(text)) throw error;
    return;
  }
  if (problems.length > 0) throw new Finding(`${problems[0]}\n${logged.join("\n")}`);
  while (server.cron.run());
  audit(server);
  auditEmptied(server);
}
