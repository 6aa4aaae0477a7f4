/** Servers on real sockets: ours in this process, redis-server as a child where it is installed. */
import { Server } from "../../src/app/server.ts";
import { Parameters } from "../../src/config/parameters.ts";
import { Clock } from "../../src/lib/clock.ts";
import { joined } from "../../src/lib/joined.ts";
import { Log } from "../../src/observe/log.ts";
import { binaryBytes, binaryText } from "../../src/protocol/args.ts";
import { testHost } from "./host.ts";
import { readReply } from "./replies.ts";
import { requestOf } from "./requests.ts";

/** A server that a test may talk to and must stop. */
export interface LiveServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Ours, on a port of its own, with DEBUG allowed, the directives given and the system's clock, or another one. */
export function startRespite(
  directives: Record<string, string> = {},
  clock = new Clock(),
): LiveServer & { server: Server; logged: string[] } {
  const parameters = new Parameters();
  const own = {
    "enable-debug-command": "yes",
    port: `${freePort()}`,
    bind: "127.0.0.1",
    save: "",
    dir: Deno.makeTempDirSync(),
  };
  parameters.loadAll({ ...own, ...directives });
  const logged: string[] = [];
  const log = new Log(1, (line) => logged.push(line));
  const server = new Server({ parameters, log, host: testHost, clock });
  server.listening.loadTls();
  const error = server.listening.openPort("port") ?? server.listening.openPort("tls-port") ??
    server.listening.openDialects();
  if (error !== null) throw new Error(error);
  server.start();
  // In an empty directory, this has loaded and begun to append before it returns.
  const loaded = server.persistence.start();
  const stop = async (): Promise<void> => {
    await loaded;
    server.persistence.shutdown(false, false);
    await server.stop();
    await Deno.remove(own.dir, { recursive: true });
  };
  return { server, logged, port: server.listening.listeners[0].port, stop };
}

/** A redis-server of the tests. */
export interface RedisServer extends LiveServer {
  connect(): Promise<Wire>;
  /** DEBUG DIGEST. */
  digest(): Promise<string>;
}

/** Ours, or the redis-server that RESPITE_PEER names: a test of what applications do holds with either. */
export async function startServer(): Promise<LiveServer> {
  const peer = Deno.env.get("RESPITE_PEER");
  if (peer === undefined) return startRespite();
  const redis = await startRedis(null, ["--save", ""], peer);
  if (redis === null) throw new Error(`${peer} can't be started`);
  return redis;
}

/** redis-server, or the one that RESPITE_REDIS names; null where it is not installed. */
export async function startRedis(
  dir: string | null = null,
  directives: readonly string[] = ["--save", ""],
  program = Deno.env.get("RESPITE_REDIS") ?? "redis-server",
): Promise<RedisServer | null> {
  const port = freePort();
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args: ["--port", `${port}`, "--enable-debug-command", "yes", ...directives],
      cwd: dir ?? await Deno.makeTempDir(),
      stdout: "null",
      stderr: "null",
    }).spawn();
  } catch {
    return null;
  }
  for (let tries = 0; tries < 100; tries++) {
    try {
      const wire = await Wire.connect(port);
      const reply = await wire.roundTrip("ping");
      wire.close();
      if (reply === "+PONG\r\n") break;
    } catch {
      // It does not listen yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const connect = (): Promise<Wire> => Wire.connect(port);
  return {
    port,
    connect,
    async digest() {
      const wire = await connect();
      const digest = await wire.roundTrip("debug digest");
      wire.close();
      return digest;
    },
    async stop() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

/** Whether a server is Redis 7.2, whose replies ours are. */
export async function is72({ port }: LiveServer): Promise<boolean> {
  const wire = await Wire.connect(port);
  const reply = await wire.roundTrip("info server");
  wire.close();
  return reply.includes("redis_version:7.2");
}

/** Ports below those that the system gives to clients' connections: one of these could take a free port meanwhile. */
const PORT_MIN = 10_000;
const PORT_MAX = 32_000;

/** A port that is free now, and that tests beside this one are not likely to choose, too. */
export function freePort(): number {
  for (;;) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN));
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** One connection that sends lines and reads whole replies as they came over the wire. */
export class Wire {
  #unread = new Uint8Array(0);

  constructor(readonly conn: Deno.Conn) {}

  static async connect(port: number): Promise<Wire> {
    return new Wire(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Sends an inline command and reads its one reply, as Latin-1 text. */
  async roundTrip(line: string): Promise<string> {
    await this.send(`${line}\r\n`);
    return await this.read();
  }

  /** Sends a command whose words may hold any bytes, one character each, and reads its one reply. */
  async call(...words: string[]): Promise<string> {
    await this.send(requestOf(words));
    return await this.read();
  }

  async send(text: string): Promise<void> {
    const bytes = binaryBytes(text);
    for (let at = 0; at < bytes.length;) at += await this.conn.write(bytes.subarray(at));
  }

  /** The next reply; "" when the server has closed the connection. */
  async read(): Promise<string> {
    for (;;) {
      const end = endOfReply(this.#unread);
      if (end > 0) {
        const text = binaryText(this.#unread, 0, end);
        this.#unread = this.#unread.slice(end);
        return text;
      }
      const buffer = new Uint8Array(65536);
      const count = await this.conn.read(buffer).catch(() => null);
      if (count === null) return "";
      this.#unread = joined([this.#unread, buffer.subarray(0, count)]);
    }
  }

  close(): void {
    try {
      this.conn.close();
    } catch {
      // The server has closed it.
    }
  }
}

/** Where the first reply in `bytes` ends; 0 while it is not whole. */
function endOfReply(bytes: Uint8Array): number {
  try {
    const { end } = readReply(bytes, 0);
    return end <= bytes.length && bytes.length > 0 ? end : 0;
  } catch {
    return 0;
  }
}
