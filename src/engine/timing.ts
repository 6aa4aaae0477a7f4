// hot path
/**
 * How long commands took: each command's figures, its histogram, the slow log and the latency monitor.
 *
 * The clock is read once for a run of equal commands, not twice a command: a pipeline of 64 GETs costs two readings,
 * and each GET is counted with the mean. Commands that are not O(1) are timed alone, except those whose running
 * time is proportional to the length of their reply. A long reply ends its run, and the whole time of the run is counted
 * for that one command: the others, with short replies, took next to nothing.
 */
import { LatencyHistogram } from "../observe/latency.ts";
import type { Client } from "./client.ts";
import { type Command, Flag } from "./command.ts";
import type { Engine } from "./engine.ts";
import { shortArguments } from "./shown_arguments.ts";

/** With a slowlog threshold under this many µs every command is timed alone. */
const FINE_TIMING_BELOW_US = 1000;
/** Equal commands that share one reading of the clock, at most. */
const RUN_MAX = 64;
/** Batches of one turn share a reading of the clock until it is this old, in µs. */
const TIME_MAX_AGE_US = 1000;
/** Replies of this size or more are long. */
export const LONG_REPLY_BYTES = 16 * 1024;

/** Times the commands of one evaluator, batch after batch. */
export class CommandTimer {
  readonly #engine: Engine;
  /** The run of equal commands under way: its command, length, client, and when it began (µs). */
  #command: Command | null = null;
  #length = 0;
  #client: Client | null = null;
  #startUs = 0;
  /** How long the last batch took. */
  batchTookUs = 0;
  /** When the batch began, in µs. */
  #batchUs = 0;
  /** When the shared clock was refreshed last, in µs. */
  #refreshedUs = 0;
  /** Whether every command is timed alone. */
  #isFine = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Begins a batch of commands of `client`; `inTurn`: another batch was evaluated in this turn of the event loop. */
  beginBatch(client: Client, inTurn: boolean): void {
    const { clock } = this.#engine;
    // Three readings of the clock cost as much as two commands. Within a turn the batch before has left a recent one.
    if (!inTurn || this.#startUs - this.#refreshedUs > TIME_MAX_AGE_US) {
      clock.refresh();
      this.#refreshedUs = this.#startUs = clock.monotonicUs();
    }
    this.#batchUs = this.#startUs;
    this.#begin(client);
  }

  /** Begins a batch of commands of `client` within a command that another timer times. */
  beginInside(client: Client): void {
    this.#batchUs = this.#startUs = this.#engine.clock.monotonicUs();
    this.#begin(client);
  }

  #begin(client: Client): void {
    this.#command = null;
    this.#length = 0;
    this.#client = client;
    this.#isFine = isFineTiming(this.#engine);
  }

  /** The batch is over; returns whose it was. */
  endBatch(): Client | null {
    this.#close(false);
    this.batchTookUs = this.#startUs - this.#batchUs;
    this.#engine.counters.cycleOver(this.batchTookUs);
    return this.#client;
  }

  /** Called before a command: adds it to the run of equal ones, or begins a new run. Returns whether it is timed alone. */
  begin(command: Command): boolean {
    // A large argument takes time, and the slow log should name it.
    const isAlone = this.#isFine || command.isTimedAlone || (command.flags & Flag.blocking) !== 0 ||
      this.#client?.call.args.hasBuffers === true;
    if (command !== this.#command || this.#length === RUN_MAX || isAlone) this.#close(false);
    this.#command = command;
    this.#length++;
    return isAlone;
  }

  /** Called after the command that `begin` was called for; its reply has `replyBytes` bytes. */
  end(isAlone: boolean, replyBytes: number): void {
    if (isAlone) this.#close(true);
    else if (replyBytes >= LONG_REPLY_BYTES) this.#closeAfterLong();
  }

  /** Called instead of `end` if the command has blocked: it is counted when its wait is over. Returns when it began, in µs. */
  drop(): number {
    const startUs = this.#startUs;
    this.#command = null;
    this.#length = 0;
    this.#startUs = this.#engine.clock.monotonicUs();
    return startUs;
  }

  /** Ends the run, and counts all of its time for its last command. */
  #closeAfterLong(): void {
    const others = this.#length - 1;
    const command = this.#command;
    const client = this.#client;
    this.#length = 1;
    this.#close(true);
    if (others > 0 && command !== null && client !== null) {
      this.count(client, command, 0, others, false);
    }
  }

  /**
   * Ends the run of equal commands, and counts them with the time that has passed since it began. `hasArguments` says
   * that the client's arguments are still those of the run's last command, and not another request's.
   */
  #close(hasArguments: boolean): void {
    const command = this.#command;
    const client = this.#client;
    if (command === null || client === null) return;
    const now = this.#engine.clock.monotonicUs();
    this.count(client, command, now - this.#startUs, this.#length, hasArguments);
    this.#command = null;
    this.#length = 0;
    this.#startUs = now;
  }

  /** Adds `calls` calls of `command`, which took `microseconds` together, to all figures. */
  count(
    client: Client,
    command: Command,
    microseconds: number,
    calls: number,
    hasArguments = true,
  ): void {
    countCalls(this.#engine, client, command, microseconds, calls, hasArguments);
  }
}

/** Whether every command is to be timed alone, since the configuration asks for short times. */
export function isFineTiming({ parameters, latency }: Engine): boolean {
  const slowerThan = parameters.values.slowlogLogSlowerThan;
  return (slowerThan >= 0 && slowerThan < FINE_TIMING_BELOW_US) ||
    (latency.thresholdMs > 0 && latency.thresholdMs < 2);
}

/** Adds `calls` calls of `command`, which took `microseconds` together, to all figures. */
export function countCalls(
  engine: Engine,
  client: Client,
  command: Command,
  microseconds: number,
  calls: number,
  hasArguments: boolean,
): void {
  engine.recentCommands.note(command.fullName, client.id, client.database, calls);
  command.stats.calls += calls;
  command.stats.microseconds += microseconds;
  noteSlow(engine, client, command, microseconds, calls, hasArguments);
}

/** Adds `count` calls, which took `microseconds` together, to histogram, latency monitor and slow log. */
function noteSlow(
  engine: Engine,
  client: Client,
  command: Command,
  microseconds: number,
  count: number,
  hasArguments: boolean,
): void {
  const { values } = engine.parameters;
  const each = microseconds / count;
  if (values.latencyTracking) {
    const stats = command.stats;
    stats.histogram ??= new LatencyHistogram();
    stats.histogram.record(each, count);
  }
  const { latency } = engine;
  if (latency.thresholdMs > 0 && each >= latency.thresholdMs * 1000) {
    const event = (command.flags & Flag.fast) !== 0 ? "fast-command" : "command";
    latency.note(event, each / 1000, engine.clock.nowMs());
  }
  // The slow log names a script, not its commands.
  if (client.isScript) return;
  const slowerThan = values.slowlogLogSlowerThan;
  if (slowerThan < 0 || each < slowerThan || (command.flags & Flag.skipSlowlog) !== 0) return;
  engine.slowlog.add({
    time: Math.floor(engine.clock.nowMs() / 1000),
    microseconds: Math.round(each),
    args: hasArguments
      ? shortArguments(engine, client.call.args, command)
      : command.fullName.split("|"),
    address: client.transport.address,
    clientName: client.name,
  }, values.slowlogMaxLen);
}
