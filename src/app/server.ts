/**
 * The server object: builds the rooms, says which gets which callback, and runs the one timer.
 */
import type { Parameters } from "../config/parameters.ts";
import { commandTable } from "../commands/table.ts";
import type { CommandTable } from "../engine/command.ts";
import { Engine, type Host } from "../engine/engine.ts";
import { Evaluator } from "../engine/evaluator.ts";
import { Clock } from "../lib/clock.ts";
import { systemText } from "../lib/system_error.ts";
import { forgetScratch } from "../lib/scratch.ts";
import { Replay } from "../engine/replay.ts";
import { Persistence } from "../persistence/persistence.ts";
import { Hasher } from "../lib/hash.ts";
import { Hub } from "../net/hub.ts";
import { type Endpoint, Listener } from "../net/listener.ts";
import { OutputLimits } from "../net/output_limits.ts";
import type { Log } from "../observe/log.ts";
import { LuaFunctions } from "../scripting/function_engine.ts";
import { FunctionStore } from "../scripting/function_store.ts";
import { LuaHost } from "../scripting/lua_host.ts";
import type { MachineBuilder } from "../scripting/machinery.ts";
import { carryChanges } from "./changes.ts";
import { Cron } from "./cron.ts";
import { endpointsOf, nameOf } from "./endpoints.ts";

/** The backlog unless `tcp-backlog` is set. */
const BACKLOG = 4_096;

/** Errors of the system where an address does not exist: these make an optional address be left out. */
const UNAVAILABLE = [
  ...["EADDRNOTAVAIL", "EAFNOSUPPORT", "EPFNOSUPPORT"],
  ...["ENOPROTOOPT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT"],
];

const PORT_REFUSED = "Unable to listen on this port. Check server logs.";
const ADDRESSES_REFUSED = "Failed to bind to specified addresses.";

/** What a server is built of. Tests give it a clock that they move, and a host that has no process. */
export interface ServerParts {
  readonly parameters: Parameters;
  readonly log: Log;
  readonly host: Host;
  readonly commands?: CommandTable;
  readonly clock?: Clock;
  readonly hasher?: Hasher;
  /** What runs Lua, if it is there already. */
  readonly lua?: MachineBuilder | null;
}

export class Server {
  readonly engine: Engine;
  readonly evaluator: Evaluator;
  readonly hub: Hub;
  readonly cron: Cron;
  readonly functions: FunctionStore;
  readonly persistence: Persistence;
  readonly listeners: Listener[] = [];

  constructor(parts: ServerParts) {
    const { parameters } = parts;
    this.engine = new Engine({
      commands: commandTable(),
      clock: new Clock(),
      hasher: Hasher.random(),
      ...parts,
    });
    carryChanges(this.engine);
    this.evaluator = new Evaluator(this.engine);
    this.hub = new Hub(this.engine, this.evaluator);
    this.cron = new Cron(this.engine);
    parameters.onChange("port", () => this.#listenAgain(PORT_REFUSED));
    parameters.onChange("bind", () => this.#listenAgain(ADDRESSES_REFUSED));
    const outputLimits = new OutputLimits(this.engine);
    this.engine.limitOutput = (client) => outputLimits.enforce(client);
    this.engine.mayOutput = (client, bytes) => outputLimits.allows(client, bytes);
    this.engine.flushSoon = () => this.hub.endTurnSoon();
    this.engine.afterBatch = () => this.cron.afterBatch();
    const lua = new LuaHost(this.engine, parts.lua);
    this.engine.scripts = lua;
    this.functions = new FunctionStore(new LuaFunctions(lua), parts.log);
    this.engine.functions = this.functions;
    this.persistence = this.#makePersistence(parts.host.version);
  }

  /** Saves, loads and appends; the engine sees what commands need of it. */
  #makePersistence(version: string): Persistence {
    const { engine, hub } = this;
    const { parameters, keyspace, clock, log, gates, propagation } = engine;
    const persistence = new Persistence({
      parameters,
      keyspace,
      clock,
      log,
      gates,
      stream: propagation,
      target: new Replay(engine),
      functions: this.functions,
      version,
      usedBytes: () => engine.usedBytes,
    });
    engine.persistence = persistence;
    engine.commit = () => {
      if (!engine.mustCommit) return persistence.commit();
      const begin = clock.monotonicUs();
      const isCommitted = persistence.commit();
      engine.counters.logUs += clock.monotonicUs() - begin;
      return isCommitted;
    };
    propagation.onPending = () => {
      // Replies wait until the changes are written to the log. Whether they wait for the sync is up to appendfsync.
      if (persistence.isAppending) engine.mustCommit = true;
      hub.endTurnSoon();
    };
    return persistence;
  }

  /** Listens on the endpoints; returns why one can't be had, or null. Optional ones need not exist on this machine. */
  listenOn(endpoints: readonly (Endpoint & { isOptional?: boolean })[]): string | null {
    let count = 0;
    for (const endpoint of endpoints) {
      try {
        this.listeners.push(
          new Listener(endpoint, this.#backlog(), this.hub),
        );
        count++;
      } catch (error) {
        const isTolerated = endpoint.isOptional === true && isUnavailable(error);
        if (!isTolerated) return describe(endpoint, error);
        this.engine.log.verbose(describe(endpoint, error));
      }
    }
    if (count > 0 || endpoints.length === 0) return null;
    return "Could not listen on any of the configured addresses";
  }

  /** Connections that may wait to be accepted. */
  #backlog(): number {
    const { parameters } = this.engine;
    // Redis's default of 511 stalls a burst of 1,000 connections for a second.
    return parameters.isDefault("tcp-backlog") ? BACKLOG : parameters.values.tcpBacklog;
  }

  /** Listens on the `port` and `bind` in force instead of the old ones; if it can't, keeps those and returns `refusal`. */
  #listenAgain(refusal: string): string | null {
    const { values } = this.engine.parameters;
    const old = this.listeners.filter((listener) => "hostname" in listener.endpoint);
    const known = old.map((listener) => nameOf(listener.endpoint));
    const wanted = endpointsOf(values.bind, values.port);
    const missing = wanted.filter((endpoint) => !known.includes(nameOf(endpoint)));
    // The new addresses are opened first: if one fails, the old ones are still open.
    const count = this.listeners.length;
    const error = this.listenOn(missing);
    const fresh = this.listeners.slice(count);
    if (error !== null) {
      for (const listener of fresh) listener.close();
      this.listeners.length = count;
      this.engine.log.warning(error);
      return refusal;
    }
    const asked = wanted.map(nameOf);
    const gone = old.filter((listener) => !asked.includes(nameOf(listener.endpoint)));
    for (const listener of gone) listener.close();
    for (const listener of fresh) void listener.run();
    this.listeners.splice(0, Infinity, ...this.listeners.filter((one) => !gone.includes(one)));
    return null;
  }

  /** Begins to accept clients and to keep time. */
  start(): void {
    for (const listener of this.listeners) void listener.run();
    this.cron.start();
  }

  /** Stops accepting, answers what has been executed, closes all clients and files. */
  async stop(): Promise<void> {
    for (const listener of this.listeners) listener.close();
    this.cron.stop();
    for (const client of this.engine.clients.values()) client.transport.closeAfterReply();
    await Promise.all(this.listeners.map((listener) => listener.drained()));
    this.engine.keptLinks.closeAll();
    this.persistence.close();
    forgetScratch();
  }
}

/** The machine has no such address, or knows no addresses of this kind. Another server at the address is something else. */
function isUnavailable(error: unknown): boolean {
  return error instanceof Error && "code" in error && UNAVAILABLE.includes(String(error.code));
}

/** An error's text, as redis-server writes it. */
function describe(endpoint: Endpoint, error: unknown): string {
  const why = systemText(error);
  if ("path" in endpoint) return `Failed opening Unix socket ${endpoint.path}: bind: ${why}`;
  return `Warning: Could not create server TCP listening socket ${nameOf(endpoint)}: bind: ${why}`;
}
