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

  /** Listens on `endpoint`; throws the operating system's error if it can't be had. */
  listen(endpoint: Endpoint): Listener {
    const listener = new Listener(endpoint, this.engine.parameters.values.tcpBacklog, this.hub);
    this.listeners.push(listener);
    return listener;
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
