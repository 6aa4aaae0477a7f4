/**
 * The server object: builds the rooms, says which gets which callback, and runs the one timer.
 */
import type { Parameters } from "../config/parameters.ts";
import { commandTable } from "../commands/table.ts";
import type { CommandTable } from "../engine/command.ts";
import { Engine, type Host } from "../engine/engine.ts";
import { Evaluator } from "../engine/evaluator.ts";
import { Clock } from "../lib/clock.ts";
import { forgetScratch } from "../lib/scratch.ts";
import { Replay } from "../engine/replay.ts";
import { Persistence } from "../persistence/persistence.ts";
import { Hasher } from "../lib/hash.ts";
import { Hub } from "../net/hub.ts";
import { OutputLimits } from "../net/output_limits.ts";
import type { Log } from "../observe/log.ts";
import { LuaFunctions } from "../scripting/function_engine.ts";
import { FunctionStore } from "../scripting/function_store.ts";
import { LuaHost } from "../scripting/lua_host.ts";
import type { MachineBuilder } from "../scripting/machinery.ts";
import { carryChanges } from "./changes.ts";
import { Cron } from "./cron.ts";
import { Listening } from "./listening.ts";

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
  readonly listening: Listening;

  constructor(parts: ServerParts) {
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
    this.listening = new Listening(this.hub);
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

  /** Begins to accept clients and to keep time. */
  start(): void {
    this.listening.start();
    this.cron.start();
  }

  /** Stops accepting, answers what has been executed, closes all clients and files. */
  async stop(): Promise<void> {
    this.listening.close();
    this.cron.stop();
    for (const client of this.engine.clients.values()) client.transport.closeAfterReply();
    await this.listening.drained();
    this.engine.keptLinks.closeAll();
    this.persistence.close();
    forgetScratch();
  }
}
