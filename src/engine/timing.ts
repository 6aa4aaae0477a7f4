// hot path
/**
 * How long commands took: each command's figures, its histogram, the slow log and the latency monitor.
 *
 * Time is read once a run of equal commands, not twice a command: a pipeline of 64 GETs costs two looks
 * at the clock, and each GET is booked with the mean. Commands that are not O(1) are timed alone, save those whose running
 * time is proportional to the length of their reply. A long reply ends its run, all of whose time is booked for that one
 * command: the others, with short replies, took next to nothing.
 */
import { LatencyHistogram } from "../observe/latency.ts";
import type { Client } from "./client.ts";
import { type Command, Flag } from "./command.ts";
import type { Engine } from "./engine.ts";
import { shortArguments } from "./shown_arguments.ts";

/** With a slowlog threshold under this many µs every command is timed alone. */
const FINE_TIMING_BELOW_US = 1000;
/** Equal commands that share one look at the clock, at most. */
const RUN_MAX = 64;
/** How old the time may be that the commands of one turn share, in µs. */
const TIME_MAX_AGE_US = 1000;
/** A reply is long from here on. */
const LONG_REPLY_BYTES = 16 * 1024;

/** Times the commands of one evaluator, batch after batch. */
export class CommandTimer {
  readonly #engine: Engine;
  /** The run of equal commands under way: its command, length, client, and when it began (µs). */
  #command: Command | null = null;
  #length = 0;
  #client: Client | null = null;
  #startUs = 0;
  /** When the clock was read last, as `#startUs`. */
  #refreshedUs = 0;
  /** Whether every command is timed alone. */
  #isFine = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Commands of `client` follow; `inTurn` if those of another have just ended, in this turn of the event loop. */
  beginBatch(client: Client, inTurn: boolean): void {
    const { clock, parameters, latency } = this.#engine;
    // Three looks at the clock cost as much as two commands. In a turn, the last one of the batch before will do.
    if (!inTurn || this.#startUs - this.#refreshedUs > TIME_MAX_AGE_US) {
      clock.refresh();
      this.#refreshedUs = this.#startUs = clock.monotonicUs();
    }
    this.#command = null;
    this.#length = 0;
    this.#client = client;
    const slowerThan = parameters.values.slowlogLogSlowerThan;
    this.#isFine = (slowerThan >= 0 && slowerThan < FINE_TIMING_BELOW_US) ||
      (latency.thresholdMs > 0 && latency.thresholdMs < 2);
  }

  /** The batch is over; returns whose it was. */
  endBatch(): Client | null {
    this.#close();
    return this.#client;
  }

  /** A command begins: it goes on with the run of those before it, or begins one. Returns whether it is timed alone. */
  begin(command: Command): boolean {
    const isAlone = this.#isFine || command.isTimedAlone || (command.flags & Flag.blocking) !== 0;
    if (command !== this.#command || this.#length === RUN_MAX || isAlone) this.#close();
    this.#command = command;
    this.#length++;
    return isAlone;
  }

  /** The command that `begin` was told of is over, with a reply of so many bytes. */
  end(isAlone: boolean, replyBytes: number): void {
    if (isAlone) this.#close();
    else if (replyBytes >= LONG_REPLY_BYTES) this.#closeAfterLong();
  }

  /** The command that `begin` was told of waits: it is booked when it is over. */
  drop(): void {
    this.#command = null;
    this.#length = 0;
    this.#startUs = this.#engine.clock.monotonicUs();
  }

  /** The last command of the run took its time. */
  #closeAfterLong(): void {
    const others = this.#length - 1;
    const command = this.#command;
    const client = this.#client;
    this.#length = 1;
    this.#close();
    if (others > 0 && command !== null && client !== null) this.book(client, command, 0, others);
  }

  /** Books the run of equal commands with the time that has passed since it began. */
  #close(): void {
    const command = this.#command;
    const client = this.#client;
    if (command === null || client === null) return;
    const now = this.#engine.clock.monotonicUs();
    this.book(client, command, now - this.#startUs, this.#length);
    this.#command = null;
    this.#length = 0;
    this.#startUs = now;
  }

  /** `count` calls of `command` took `microseconds` together. */
  book(client: Client, command: Command, microseconds: number, count: number): void {
    this.#engine.recentCommands.note(command.fullName, client.id, client.database, count);
    command.stats.calls += count;
    command.stats.microseconds += microseconds;
    noteSlow(this.#engine, client, command, microseconds, count);
  }
}

/** `count` calls of `command` took `microseconds` together. */
function noteSlow(
  engine: Engine,
  client: Client,
  command: Command,
  microseconds: number,
  count: number,
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
  const slowerThan = values.slowlogLogSlowerThan;
  if (slowerThan < 0 || each < slowerThan || (command.flags & Flag.skipSlowlog) !== 0) return;
  engine.slowlog.add({
    time: Math.floor(engine.clock.nowMs() / 1000),
    microseconds: Math.round(each),
    args: shortArguments(engine, client.call.args, command),
    address: client.transport.address,
    clientName: client.name,
  }, values.slowlogMaxLen);
}
