/** A server under attack, in this process and without sockets: what it is sent, and what must hold afterwards. */
import { Server } from "../../src/app/server.ts";
import { binaryBytes } from "../../src/protocol/args.ts";
import type { MachineBuilder } from "../../src/scripting/machinery.ts";
import { audit, auditEmptied } from "../support/audit.ts";
import { type TestClient, TestServer } from "../support/harness.ts";
import { isWhole } from "./replies.ts";

/** Clients that are sent something: the slots of steps. */
export const CLIENTS = 4;
/** A client that waits is sent so much more, then it leaves. */
const PATIENCE = 3;
/** No request of an episode, and no reply to one, may take more than this. */
const REPLY_MAX_BYTES = 32 * 1024 * 1024;
const QUERY_MAX_BYTES = 8 * 1024 * 1024;
const PAUSE_STEPS = 20;

/** Something that must never happen. */
export class Finding extends Error {
  override name = "Finding";
}

/** Errors of the runtime in the log: of files, whose errors are caught and logged. */
export const OURS_REGEXP =
  /Invariant broken|Unreachable|TypeError|is not a function|undefined|out of bounds|BigInt|call stack/;

export const DIRECTIVES = {
  "proto-max-bulk-len": "1mb",
  "client-query-buffer-limit": "4mb",
  "client-output-buffer-limit": "normal 2mb 0 0 slave 2mb 0 0 pubsub 1mb 0 0",
};

export class Subject {
  readonly server: TestServer;
  readonly #clients: TestClient[] = [];
  readonly #lua: MachineBuilder | null;
  readonly #waited: number[] = [];
  readonly #problems: string[] = [];
  /** All that was propagated, if that is to be compared with the data. */
  readonly #propagated: (() => string) | null;
  #pausedFor = 0;

  /** `listens`: what is propagated must be all that has changed. */
  constructor(readonly dir: string, lua: MachineBuilder | null, listens = false) {
    this.server = new TestServer({
      directives: { ...DIRECTIVES, dir },
      ...lua === null ? {} : { lua },
    });
    this.#lua = lua;
    watch(this.server.server, this.#problems);
    this.#propagated = listens ? this.server.listen() : null;
    for (let i = 0; i < CLIENTS; i++) this.#connect(i);
  }

  #connect(slot: number): TestClient {
    this.#waited[slot] = 0;
    return this.#clients[slot] = this.server.client();
  }

  /** Sends bytes in parts that end at `cuts`, then reads all replies. `isRequest`: they are one request, which is answered. */
  send(slot: number, bytes: Uint8Array, cuts: readonly number[], isRequest: boolean): void {
    const client = this.#clientFor(slot);
    // Nothing is read of a client whose request waits for a pause to end.
    if (client.client.isPostponed) return this.#checkAll();
    const { client: { reply }, isIdle } = stateOf(client);
    let from = 0;
    for (const cut of cuts) {
      client.send(bytes.subarray(from, cut));
      from = cut;
    }
    if (isRequest && isIdle && stateOf(client).isIdle && reply.size === 0) {
      throw new Finding("A request was not answered");
    }
    this.#checkAll();
    if (client.isClosed) this.#leave(slot);
  }

  #clientFor(slot: number): TestClient {
    const client = this.#clients[slot];
    if (client.client.blocked === null) this.#waited[slot] = 0;
    else if (++this.#waited[slot] > PATIENCE) return this.#leave(slot);
    return client.isClosed ? this.#leave(slot) : client;
  }

  /** The client goes, and another comes. */
  #leave(slot: number): TestClient {
    const { hub } = this.server.server;
    const { client } = this.#clients[slot];
    if (!client.isClosing) hub.remove(client);
    client.reply.drop();
    return this.#connect(slot);
  }

  /** Looks at what all clients were sent. */
  #checkAll(): void {
    for (const { client } of this.#clients) {
      const { reply } = client;
      if (client.heldPushes !== null && client.heldPushes.size > REPLY_MAX_BYTES) {
        throw new Finding("Messages are held without end");
      }
      if (reply.size === 0) continue;
      if (reply.capacity > REPLY_MAX_BYTES) {
        throw new Finding(`The buffer of a reply has ${reply.capacity} bytes`);
      }
      const isOver = reply.isOver;
      if (isOver) this.server.engine.limitOutput?.(client);
      const bytes = reply.take();
      if (!isOver && !client.isReplica && client.transaction.running === null && !isWhole(bytes)) {
        throw new Finding(`A reply is no RESP: ${JSON.stringify(textOf(bytes))}`);
      }
      if (client.memoryBytes > REPLY_MAX_BYTES + QUERY_MAX_BYTES) {
        throw new Finding(`A client takes ${client.memoryBytes} bytes`);
      }
    }
    this.check();
    if (this.server.engine.pause.endMs === 0) this.#pausedFor = 0;
    else if (++this.#pausedFor > PAUSE_STEPS) this.server.engine.unpauseClients();
  }

  /** Throws what the server has said of failures of ours. */
  check(): void {
    const [problem] = this.#problems;
    if (problem !== undefined) throw new Finding(problem);
  }

  /** Time passes, and the timer runs. */
  pass(ms: number): void {
    this.server.advance(ms);
    this.server.engine.flushOthers();
    this.#checkAll();
  }

  /** A request of a client of its own, which must be answered so. */
  expect(line: string, reply: string): void {
    const actual = this.#admin().run(line);
    this.check();
    if (actual !== reply) throw new Finding(`${line} was answered ${JSON.stringify(actual)}`);
  }

  /** A request of a client of its own; nothing is expected of its reply but that there is one. */
  ask(line: string): unknown {
    const reply = this.#admin().run(line);
    this.check();
    return reply;
  }

  /** A client that may do everything, whatever was done to users and limits. */
  #admin(): TestClient {
    const client = this.server.client();
    client.client.authenticated = true;
    return client;
  }

  audit(): void {
    audit(this.server.server);
  }

  /** The episode is over: all invariants hold, and the data are the same when they are saved and loaded. */
  finish(): void {
    const { server } = this;
    for (const line of CALM) this.ask(line);
    server.engine.unpauseClients();
    this.pass(0);
    this.audit();
    this.#compareLog();
    const digest = this.ask("DEBUG DIGEST");
    this.expect("DEBUG RELOAD", "OK");
    const reloaded = this.ask("DEBUG DIGEST");
    if (digest !== reloaded) throw new Finding(`DEBUG RELOAD changes ${digest} to ${reloaded}`);
    this.audit();
    auditEmptied(server.server);
    this.check();
  }

  /** The changes, run on an empty server, give the same data. */
  #compareLog(): void {
    if (this.#propagated === null) return;
    const text = this.#propagated();
    const before = this.#contents();
    const other = new Subject(this.dir, this.#lua);
    other.server.clock.advance(this.server.clock.nowMs() - other.server.clock.nowMs());
    Deno.writeTextFileSync(`${this.dir}/${LOG}.manifest`, MANIFEST);
    Deno.writeFileSync(`${this.dir}/${LOG}.1.incr.aof`, binaryBytes(text));
    other.ask("CONFIG SET proto-max-bulk-len 10mb");
    // Where Redis leaves the order or the form open, it is that of the encoding.
    const { parameters } = this.server;
    for (const name of parameters.names().filter((one) => LIMITS_REGEXP.test(one))) {
      other.ask(`CONFIG SET ${name} ${parameters.get(name)}`);
    }
    other.expect("DEBUG LOADAOF", "OK");
    const after = other.#contents();
    other.close();
    for (const [key, digest] of before) {
      if (after.get(key) !== digest) {
        throw new Finding(`The log gives another ${key}: ${after.get(key)}`);
      }
    }
    const [more] = [...after.keys()].filter((key) => !before.has(key));
    if (more !== undefined) throw new Finding(`The log gives ${more}`);
  }

  /** The digests of all keys, but for sorted sets with a score of 0: whether that is -0 depends on the encoding. */
  #contents(): Map<string, string> {
    const contents = new Map<string, string>();
    const client = this.#admin();
    for (let db = 0; db < this.server.engine.keyspace.databases.length; db++) {
      if (this.server.engine.keyspace.databases[db].size === 0) continue;
      client.run(`SELECT ${db}`);
      for (const key of client.run("KEYS *") as string[]) {
        const name = binaryBytes(key);
        const type = client.call("TYPE", name);
        if (type === "zset" && client.call("ZCOUNT", name, "0", "0") !== 0) continue;
        contents.set(`${db}:${key}:${type}`, String(client.call("DEBUG", "DIGEST-VALUE", name)));
      }
    }
    return contents;
  }

  close(): void {
    const { server } = this.server;
    for (const client of [...server.engine.clients.values()]) server.hub.remove(client);
    server.persistence.close();
  }
}

const LOG = "appendonlydir/appendonly.aof";
const LIMITS_REGEXP = /-max-(?:listpack|intset)-|^hll-|^stream-node-/;
const MANIFEST = "file appendonly.aof.1.incr.aof seq 1 type i\n";

/** What an episode may have changed, and what the end of it needs. */
const CALM = [
  // A score of -0 in a listpack is 0, as in Redis: a large set that becomes a small one by loading has another digest.
  "CONFIG SET zset-max-listpack-entries 0",
  "CONFIG SET maxmemory 0",
  "CONFIG SET rdbchecksum yes",
  "DEBUG SET-ACTIVE-EXPIRE 1",
  "DEBUG PAUSE-CRON 0",
];

function stateOf(client: TestClient): { client: TestClient["client"]; isIdle: boolean } {
  const { client: own } = client;
  const isIdle = own.blocked === null && !own.isPostponed && own.replyMode === "on" &&
    !client.isClosed && !own.isClosing && own.transaction.running === null;
  return { client: own, isIdle };
}

/** Notes what `server` says of failures of ours. */
export function watch({ engine }: Server, problems: string[]): void {
  engine.logFailure = (what, error) => {
    problems.push(`${what}: ${error instanceof Error ? error.stack : String(error)}`);
  };
  const { warning } = engine.log;
  engine.log.warning = (text) => {
    if (OURS_REGEXP.test(text) && !text.startsWith("DEBUG LOG")) problems.push(text);
    warning.call(engine.log, text);
  };
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 500));
}
