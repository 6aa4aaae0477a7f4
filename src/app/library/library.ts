/**
 * The server as a library: one in this process, for tests.
 *
 * ```ts ignore
 * await using server = await startRespite();
 * const redis = new Redis(server.port);
 * await server.call("SET", "greeting", "hello");
 * ```
 */
import { Parameters } from "../../config/parameters.ts";
import { unicodeOf } from "../../config/words.ts";
import { Log } from "../../observe/log.ts";
import { isGroup, itemsOf, type Reply, textOf } from "../../protocol/reply.ts";
import { Server } from "../server.ts";
import { type Fault, type FaultKind, type FaultOptions, Faults } from "./faults.ts";
import { LibraryHost } from "./library_host.ts";
import { closed, LocalCaller, type Word } from "./local_caller.ts";
import { MovableClock } from "./movable_clock.ts";
import { CommandError, type Value, valueOf } from "./values.ts";

/** How a server is to start. */
export interface RespiteOptions {
  /** 0, which is the default, takes a free port. */
  readonly port?: number;
  /** The address to listen on; 127.0.0.1 unless it is given. */
  readonly hostname?: string;
  /** Directives as in a configuration file: `{ maxmemory: "10mb", requirepass: "secret" }`. */
  readonly config?: Readonly<Record<string, string>>;
  /** The server's clock stands still at this time. Without it, it runs with the system's. */
  readonly now?: Date | number;
  /** Takes the lines of the log. Without it nobody reads them. */
  readonly log?: (line: string) => void;
}

/** All data of a server at some instant: see `snapshot`. */
export interface Snapshot {
  /** All keys of all databases. */
  readonly keys: readonly SavedKey[];
  /** The libraries of functions, as FUNCTION DUMP writes them. */
  readonly functions: Uint8Array;
}

/** A key in a snapshot. */
export interface SavedKey {
  /** The number of its database. */
  readonly database: number;
  /** Its name. */
  readonly name: Uint8Array;
  /** Its value, as DUMP writes it. */
  readonly payload: Uint8Array;
  /** When it expires, in Unix ms; 0: never. */
  readonly expiresAtMs: number;
}

const NOBODY = (): void => {};

/** Starts a server in this process. Nothing is saved unless `config` says so. Throws an Error if a directive or the address is no good. */
export async function startRespite(options: RespiteOptions = {}): Promise<RespiteServer> {
  const parameters = new Parameters();
  const { port = 0, hostname = "127.0.0.1", config = {}, log = NOBODY } = options;
  parameters.loadAll({ save: "", bind: hostname, ...config });
  const dangers = parameters.dangers();
  if (dangers.length > 0) throw new Error(dangers.map((pair) => pair.join(": ")).join("\n"));
  const server = new RespiteServer(parameters, log, options.now);
  await server.open(hostname, port);
  return server;
}

/** A server in this process. */
export class RespiteServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #clock = new MovableClock();
  readonly #faults: Faults;
  readonly #hostname: string;
  #caller: LocalCaller | null = null;
  #loaded: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** Not for users: see `startRespite`. */
  constructor(
    parameters: Parameters,
    log: (line: string) => void,
    now: Date | number | undefined,
  ) {
    if (now !== undefined) this.#clock.stopAt(Number(now));
    this.#hostname = unicodeOf(parameters.values.bind);
    const host = new LibraryHost(() => void this.close());
    this.#server = new Server({
      parameters,
      // Later, as it may be called in the middle of a command: it may call commands itself.
      log: new Log(host.pid, (line) => queueMicrotask(() => log(line))),
      host,
      clock: this.#clock,
    });
    this.#faults = new Faults(this.#server.engine.commands);
  }

  /** Not for users: listens, and loads what `config` says. */
  async open(hostname: string, port: number): Promise<void> {
    const { listening, persistence, engine } = this.#server;
    const userError = engine.parameters.values.aclfile === "" ? null : engine.acl.load();
    if (userError !== null) throw new Error(userError);
    listening.loadTls();
    const error = listening.open([{ hostname, port }]) ?? listening.openPort("tls-port") ??
      listening.openDialects();
    if (error !== null) {
      listening.close();
      throw new Error(error);
    }
    engine.parameters.values.port = this.port;
    engine.log.notice(`Listening on ${hostname}:${this.port}`);
    this.#server.start();
    this.#loaded = persistence.start();
    try {
      await this.#loaded;
    } catch (error) {
      // Nothing is saved: the files that can't be read stay as they are.
      this.#isClosed = true;
      await this.#server.stop();
      throw error;
    }
  }

  /** The port that it listens on. */
  get port(): number {
    return this.#server.listening.listeners[0].port;
  }

  /** "redis://127.0.0.1:50000". */
  get url(): string {
    const host = this.#hostname.includes(":") ? `[${this.#hostname}]` : this.#hostname;
    return `redis://${host}:${this.port}`;
  }

  /** The server's time. Setting it stops the clock there. */
  get now(): Date {
    return new Date(this.#clock.ms);
  }

  set now(time: Date | number) {
    this.#clock.stopAt(Number(time));
    this.#timePassed();
  }

  /**
   * Moves the server's clock forward, and does what is due then: keys expire, blocked clients time out. Their clients on sockets hear
   * of it as usual, a moment later.
   */
  advance(ms: number): void {
    this.#clock.advance(ms);
    this.#timePassed();
  }

  #timePassed(): void {
    const { cron, engine } = this.#server;
    while (cron.run());
    engine.flushOthers();
  }

  /**
   * Runs a command without a socket, as one client. Rejects with a CommandError if the reply is an error, and refuses what has not
   * one reply, as SUBSCRIBE and MONITOR.
   */
  async call(...words: Word[]): Promise<Value> {
    const value = valueOf(await this.#reply(words));
    if (value instanceof CommandError) throw value;
    return value;
  }

  #reply(words: readonly Word[]): Promise<Reply> {
    if (this.#isClosed) return Promise.reject(closed());
    // A fault, or CLIENT KILL, may have closed the one before.
    if (this.#caller === null || this.#caller.isClosed) {
      this.#caller = new LocalCaller(this.#server.hub);
    }
    return this.#caller.call(words);
  }

  /** Removes all keys of all databases, functions and scripts. */
  async flush(): Promise<void> {
    await this.call("FLUSHALL", "SYNC");
    await this.call("FUNCTION", "FLUSH");
    await this.call("SCRIPT", "FLUSH");
  }

  /** All keys and functions, to be put back by `restore`, into this server or another one. */
  async snapshot(): Promise<Snapshot> {
    const { databases } = this.#server.engine.keyspace;
    const keys: SavedKey[] = [];
    for (const [database, { size }] of databases.entries()) {
      if (size > 0) keys.push(...await this.#keysOf(database));
    }
    await this.call("SELECT", 0);
    return { keys, functions: bytesOf(await this.#reply(["FUNCTION", "DUMP"])) };
  }

  async #keysOf(database: number): Promise<SavedKey[]> {
    await this.call("SELECT", database);
    const names = itemsOf(await this.#reply(["KEYS", "*"])).map(bytesOf);
    const keys: SavedKey[] = [];
    for (const name of names) {
      const payload = bytesOf(await this.#reply(["DUMP", name]));
      const expiresAtMs = Math.max(0, Number(await this.call("PEXPIRETIME", name)));
      if (payload.length > 0) keys.push({ database, name, payload, expiresAtMs });
    }
    return keys;
  }

  /** Replaces all keys and functions by those of a snapshot. What has expired meanwhile does not come back. */
  async restore({ keys, functions }: Snapshot): Promise<void> {
    await this.flush();
    for (const { database, name, payload, expiresAtMs } of keys) {
      await this.call("SELECT", database);
      await this.call("RESTORE", name, expiresAtMs, payload, "ABSTTL");
    }
    await this.call("SELECT", 0);
    await this.call("FUNCTION", "RESTORE", functions);
  }

  /**
   * Makes commands fail. `pattern`: a glob of command names ("get", "h*"), and after a blank one of their first argument
   * ("set user:*").
   */
  fail(pattern: string, kind: FaultKind, options: FaultOptions = {}): Fault {
    return this.#faults.add(pattern, kind, options);
  }

  /** Ends the server: clients are disconnected, files closed. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#faults.clear();
    await this.#loaded;
    this.#caller?.close();
    this.#server.persistence.shutdown(this.#server.engine.parameters.values.save !== "", false);
    await this.#server.stop();
  }

  /** As `close`: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function bytesOf(reply: Reply): Uint8Array {
  if (isGroup(reply)) return new Uint8Array(0);
  if (reply.kind === "error") throw new CommandError(textOf(reply));
  return reply.bytes;
}
