/**
 * The server object: builds the rooms, says which gets which callback, and runs the one timer.
 */
import { Parameters } from "../config/parameters.ts";
import { commandTable } from "../commands/table.ts";
import { Engine, type Host } from "../engine/engine.ts";
import { Evaluator } from "../engine/evaluator.ts";
import { Clock } from "../lib/clock.ts";
import { randomSeed } from "../lib/hash.ts";
import { Hub } from "../net/hub.ts";
import { type Endpoint, Listener } from "../net/listener.ts";
import type { Log } from "../observe/log.ts";
import { Cron } from "./cron.ts";
import { endpointsOf } from "./endpoints.ts";

export class Server {
  readonly engine: Engine;
  readonly evaluator: Evaluator;
  readonly hub: Hub;
  readonly cron: Cron;
  readonly listeners: Listener[] = [];

  constructor(parameters: Parameters, log: Log, host: Host, clock = new Clock()) {
    this.engine = new Engine({
      parameters,
      commands: commandTable(),
      clock,
      log,
      host,
      seed: randomSeed(),
    });
    this.evaluator = new Evaluator(this.engine);
    this.hub = new Hub(this.engine, this.evaluator);
    this.cron = new Cron(this.engine);
    this.engine.afterBatch = () => this.cron.afterBatch();
  }

  /** Listens on the endpoints; returns why one can't be had, or null. Optional ones may fail. */
  listenOn(endpoints: readonly (Endpoint & { isOptional?: boolean })[]): string | null {
    let count = 0;
    for (const endpoint of endpoints) {
      try {
        this.listeners.push(
          new Listener(endpoint, this.engine.parameters.values.tcpBacklog, this.hub),
        );
        count++;
      } catch (error) {
        if (endpoint.isOptional !== true) return describe(endpoint, error);
        this.engine.log.verbose(describe(endpoint, error));
      }
    }
    if (count > 0 || endpoints.length === 0) return null;
    return "Could not listen on any of the configured addresses";
  }

  /** Goes over to the `port` and `bind` in force; returns an error's detail, keeping the old ones. */
  listenAgain(): string | null {
    const { values } = this.engine.parameters;
    const old = this.listeners.filter((listener) => "hostname" in listener.endpoint);
    for (const listener of old) listener.close();
    const error = this.listenOn(endpointsOf(values.bind, values.port));
    if (error !== null) return "Unable to listen on this port. Check server logs.";
    for (const listener of this.listeners) if (!old.includes(listener)) void listener.run();
    this.listeners.splice(0, Infinity, ...this.listeners.filter((one) => !old.includes(one)));
    return null;
  }

  /** Begins to accept clients and to keep time. */
  start(): void {
    for (const listener of this.listeners) void listener.run();
    this.cron.start();
  }

  /** Stops accepting, answers what has been executed, closes all clients. */
  async stop(): Promise<void> {
    for (const listener of this.listeners) listener.close();
    this.cron.stop();
    for (const client of this.engine.clients.values()) client.transport.closeAfterReply();
    await Promise.all(this.listeners.map((listener) => listener.drained()));
  }
}

function describe(endpoint: Endpoint, error: unknown): string {
  const where = "path" in endpoint ? endpoint.path : `${endpoint.hostname}:${endpoint.port}`;
  const why = error instanceof Error ? error.message : String(error);
  return `Could not create server listening socket ${where}: ${why}`;
}
