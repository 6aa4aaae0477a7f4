/**
 * An in-process server for tests: the product's own `Server`, whose clients have no sockets, whose clock is the
 * test's, and which has no process of its own.
 *
 * ```ts ignore
 * const server = new TestServer();
 * server.run("SET k v EX 10");
 * server.advance(10_001);
 * assertEquals(server.run("GET k"), null);
 * ```
 */
import { Server } from "../../src/app/server.ts";
import { Parameters } from "../../src/config/parameters.ts";
import type { Client } from "../../src/engine/client.ts";
import type { CommandTable } from "../../src/engine/command.ts";
import type { Engine, Host } from "../../src/engine/engine.ts";
import type { Evaluator } from "../../src/engine/evaluator.ts";
import { ManualClock } from "../../src/lib/clock.ts";
import { joined } from "../../src/lib/joined.ts";
import { Log } from "../../src/observe/log.ts";
import { binaryText } from "../../src/protocol/args.ts";
import { requestOf } from "../../src/protocol/request.ts";
import { type LocalAddress, LocalConnection } from "../../src/net/local_connection.ts";
import type { MachineBuilder } from "../../src/scripting/machinery.ts";
import { testHost } from "./host.ts";
import { readReply, type Reply, ReplyError } from "./replies.ts";
import { Hasher } from "../../src/lib/hash.ts";

export { ReplyError };
export type { Reply };

const START_MS = 1_700_000_000_000;
const encoder = new TextEncoder();

/** A client of a `TestServer`: the product's own client without a socket, from 127.0.0.1 unless a test says something else. */
export class TestClient {
  readonly #connection: LocalConnection;
  #unread: Uint8Array = new Uint8Array(0);

  constructor(server: TestServer, from: LocalAddress = {}) {
    this.#connection = new LocalConnection(server.server.hub, {
      address: "127.0.0.1:50000",
      ...from,
    });
  }

  get client(): Client {
    return this.#connection.client;
  }

  get isClosed(): boolean {
    return this.#connection.isClosed;
  }

  /** Runs one line as redis-cli reads it; returns the reply, an error as a `ReplyError`. */
  run(line: string): Reply {
    this.send(encoder.encode(`${line}\r\n`));
    return this.read();
  }

  /** Runs one command given as words, which may hold any bytes. */
  call(...words: (string | Uint8Array)[]): Reply {
    this.send(requestOf(words.map((word) => {
      return typeof word === "string" ? encoder.encode(word) : word;
    })));
    return this.read();
  }

  /** Feeds bytes as a socket would, and evaluates what is whole. */
  send(bytes: Uint8Array): void {
    this.#connection.send(bytes);
  }

  /** The next reply, or undefined when there is none. */
  read(): Reply {
    const bytes = this.#connection.take();
    this.#unread = joined([this.#unread, bytes]);
    if (this.#unread.length === 0) return undefined;
    const { reply, end } = readReply(this.#unread, 0);
    this.#unread = this.#unread.slice(end);
    return reply;
  }

  /** The bytes of all replies that have not been read. */
  raw(): string {
    const bytes = joined([this.#unread, this.#connection.take()]);
    this.#unread = new Uint8Array(0);
    return binaryText(bytes, 0, bytes.length);
  }
}

/** What a test can choose. */
export interface TestServerParts {
  /** Directives, besides those of every test: DEBUG is allowed, there are no save points, `dir` is new and empty. */
  readonly directives?: Readonly<Record<string, string>>;
  readonly commands?: CommandTable;
  readonly clock?: ManualClock;
  /** For servers that run scripts: `await loadMachinery()`. */
  readonly lua?: MachineBuilder;
  /** What differs from the host of every test. */
  readonly host?: Partial<Host>;
}

export class TestServer {
  readonly parameters = new Parameters();
  readonly clock: ManualClock;
  readonly server: Server;
  readonly engine: Engine;
  readonly evaluator: Evaluator;
  readonly logged: string[] = [];
  readonly #first: TestClient;

  constructor({ directives, commands, clock, host, lua }: TestServerParts = {}) {
    this.clock = clock ?? new ManualClock(START_MS);
    const own = { "enable-debug-command": "yes", save: "", dir: directives?.dir ?? newDirectory() };
    this.parameters.loadAll({ ...own, ...directives });
    this.server = new Server({
      parameters: this.parameters,
      clock: this.clock,
      log: new Log(1, (line) => this.logged.push(line)),
      host: { ...testHost, ...host },
      hasher: new Hasher(20261120, 2),
      lua: lua ?? null,
      ...commands === undefined ? {} : { commands },
    });
    this.engine = this.server.engine;
    this.evaluator = this.server.evaluator;
    this.#first = this.client();
  }

  /** A further client. */
  client(from: LocalAddress = {}): TestClient {
    return new TestClient(this, from);
  }

  /** `run` of the first client. */
  run(line: string): Reply {
    return this.#first.run(line);
  }

  /** `call` of the first client. */
  call(...words: (string | Uint8Array)[]): Reply {
    return this.#first.call(...words);
  }

  /** The bytes that the first client gets for a line. */
  raw(line: string): string {
    this.#first.send(encoder.encode(`${line}\r\n`));
    return this.#first.raw();
  }

  /** What is propagated from now on, to a log unless `reader` says else: the function returns it as it was sent (Latin-1). */
  listen(reader?: number): () => string {
    const { propagation } = this.engine;
    let stream = "";
    propagation.addTaker({ take: (bytes, end) => stream += binaryText(bytes, 0, end) }, reader);
    return () => {
      propagation.flush();
      return stream;
    };
  }

  /** Closes the files of a server that was made to write some. */
  [Symbol.dispose](): void {
    this.server.persistence.close();
  }

  /** Moves the clock and runs the timer. */
  advance(ms: number): void {
    this.clock.advance(ms);
    while (this.server.cron.run());
  }

  /** Moves the clock alone, as if the timer were late. */
  advanceClock(ms: number): void {
    this.clock.advance(ms);
  }
}

let directories = "";
let directoryCount = 0;

/** A directory that is removed when the file's tests are over. */
function newDirectory(): string {
  if (directories === "") {
    directories = Deno.makeTempDirSync();
    addEventListener("unload", () => Deno.removeSync(directories, { recursive: true }));
  }
  const path = `${directories}/${++directoryCount}`;
  Deno.mkdirSync(path);
  return path;
}
