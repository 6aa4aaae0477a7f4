// hot path
/**
 * Runs one request at a time: looks the command up, refuses it or runs it, in Redis's order of checks.
 * Its input is a client whose `args` hold a request, its output is bytes in the client's writer.
 *
 * Time is read once a run of equal commands, not twice a command: a pipeline of 64 GETs costs two looks
 * at the clock, and each GET is booked with the mean. Commands that are not O(1) are timed alone, save those whose
 * time goes with their reply. A long reply ends its run, all of whose time is booked for that one command: the
 * others, with short replies, took next to nothing.
 */
import { Prefetcher } from "../keyspace/prefetcher.ts";
import type { ErrorReply } from "../protocol/errors.ts";
import {
  Errors,
  execAbortedBy,
  unknownCommand,
  unknownSubcommand,
  wrongArity,
} from "../protocol/errors.ts";
import type { Pipeline } from "../protocol/pipeline.ts";
import type { Client } from "./client.ts";
import { type Command, Flag } from "./command.ts";
import { CrossProtocolGuard, isHttp } from "./cross_protocol.ts";
import type { Engine } from "./engine.ts";
import { feedMonitors } from "./monitor.ts";
import { noteSlow } from "./timing.ts";

/** With a slowlog threshold under this many µs every command is timed alone. */
const FINE_TIMING_BELOW_US = 1000;
/** What an error's reply begins with. */
const MINUS = 0x2d;
/** Equal commands that share one look at the clock, at most. */
const RUN_MAX = 64;
/** How old the time may be that the commands of one turn share, in µs. */
const TIME_MAX_AGE_US = 1000;
/** A reply is long from here on. */
const LONG_REPLY_BYTES = 16 * 1024;

export class Evaluator {
  readonly #engine: Engine;
  readonly #prefetcher = new Prefetcher();
  readonly #crossProtocolGuard: CrossProtocolGuard;
  /** The run of equal commands under way: its command, length, and when it began (µs). */
  #runCommand: Command | null = null;
  #runLength = 0;
  #runStartUs = 0;
  /** When the clock was read last, as `#runStartUs`. */
  #refreshedUs = 0;
  #runClient: Client | null = null;
  /** Whether every command is timed alone. */
  #fineTiming = false;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#crossProtocolGuard = new CrossProtocolGuard(engine);
    engine.evaluator = this;
  }

  /** Requests of `client` follow; `inTurn` if those of another have just ended, in this turn of the event loop. */
  beginBatch(client: Client, inTurn = false): void {
    const { clock, parameters, keyspace, latency } = this.#engine;
    // Three looks at the clock cost as much as two commands. In a turn, the last one of the batch before will do.
    if (!inTurn || this.#runStartUs - this.#refreshedUs > TIME_MAX_AGE_US) {
      clock.refresh();
      this.#refreshedUs = this.#runStartUs = clock.monotonicUs();
    }
    client.lastActiveMs = clock.nowMs();
    keyspace.noTouch = client.noTouch;
    this.#runCommand = null;
    this.#runLength = 0;
    this.#runClient = client;
    const slowerThan = parameters.values.slowlogLogSlowerThan;
    this.#fineTiming = (slowerThan >= 0 && slowerThan < FINE_TIMING_BELOW_US) ||
      (latency.thresholdMs > 0 && latency.thresholdMs < 2);
  }

  /** Has the memory fetched that the next requests of this batch will look at. */
  prefetch(client: Client, pipeline: Pipeline): void {
    this.#prefetcher.prefetch(this.#engine.keyspace.entries, client.call.db, pipeline);
  }

  /** No more requests of this client for now. */
  endBatch(): void {
    this.#closeRun();
    const client = this.#runClient;
    if (client !== null) {
      if (client.blocked !== null || client.isPostponed) client.args.keep();
      else client.args.giveBack();
    }
    const engine = this.#engine;
    engine.afterBatch?.();
    engine.flushOthers();
  }

  /**
   * Runs the request in `client.args`, or queues or refuses it. Afterwards `client.isPostponed` says
   * whether it must be run again later.
   */
  execute(client: Client): void {
    if (client.replyMode === "on") return this.#execute(client);
    const mode = client.replyMode;
    const mark = client.reply.mark();
    this.#execute(client);
    if (client.replyMode !== mode) return; // CLIENT REPLY ON answers
    client.reply.rewind(mark);
    if (mode === "skip" && client.blocked === null) client.replyMode = "on";
  }

  #execute(client: Client): void {
    const { args, reply } = client;
    args.error = null;
    const command = this.#lookUp(client);
    if (command === null) return;

    const refusal = this.#refusal(client, command);
    if (refusal !== null) return this.#refuse(client, command, refusal);
    if (client.isPostponed) return;

    if (client.transaction.isOpen && (command.flags & Flag.unqueued) === 0) {
      client.transaction.add(command, args);
      return reply.queued();
    }
    this.#timed(client, command);
  }

  /** Runs what has happened before and was read from a file: nothing refuses it, nobody sees or counts it. */
  replay(client: Client): void {
    const { args } = client;
    args.error = null;
    const command = this.#lookUp(client);
    if (command === null) return;
    if (client.transaction.isOpen && (command.flags & Flag.unqueued) === 0) {
      client.transaction.add(command, args);
    } else this.#runUnseen(client, command);
  }

  /** Runs `command` with the arguments in `client.call`; counts failures and propagates changes. */
  run(client: Client, command: Command): void {
    this.#runUnseen(client, command);
    if (this.#engine.monitors.size > 0) feedMonitors(this.#engine, client, command);
  }

  /** Books a command that has waited, and took so many µs when it ran at last. */
  bookBlocked(client: Client, command: Command, microseconds: number): void {
    this.#book(client, command, microseconds, 1);
  }

  /** Runs the command of a blocked client again, unless it may not run any more. */
  runBlocked(client: Client, command: Command): void {
    let refusal = this.refusalInside(client, command);
    const isLimited = this.#engine.parameters.values.maxmemory > 0;
    if (isLimited && this.#isOutOfMemory(client, command)) refusal ??= Errors.outOfMemory;
    if (refusal === null) return this.#runUnseen(client, command);
    command.stats.rejected++;
    this.#engine.counters.countError(refusal);
    client.reply.error(refusal);
  }

  /** As `run`, but no monitor sees it. */
  #runUnseen(client: Client, command: Command): void {
    const call = client.call;
    const { reply, args, db } = call;
    const { propagation, keyspace } = this.#engine;
    const { hooks } = keyspace;
    const errorsBefore = reply.errorCount;
    const dirtyBefore = hooks.dirty;
    const mark = reply.mark();
    args.error = null;
    call.command = command;
    propagation.wasRewritten = false;
    try {
      command.run(call);
    } catch (error) {
      this.#failed(client, command, mark, error);
    }
    // Its bytes are the next request's soon.
    keyspace.hasher.forget();
    if (reply.errorCount !== errorsBefore) this.#countFailure(client, command, mark);
    if (propagation.isOn && hooks.dirty !== dirtyBefore && !propagation.wasRewritten) {
      propagation.append(db.index, args);
    }
  }

  /** The command that the arguments name, if their number fits; otherwise it has answered, or closed the connection. */
  #lookUp(client: Client): Command | null {
    const { args } = client;
    let command = this.#engine.commands.find(args);
    if (command === null) {
      if (isHttp(args)) this.#crossProtocolGuard.disconnect(client);
      else this.#refuseUnknown(client, unknownOf(client));
      return null;
    }
    if (command.subcommands !== null && args.count > 1) {
      const subcommand = command.subcommand(args);
      if (subcommand === null) {
        this.#refuseUnknown(client, unknownSubcommand(command.name, args.text(1)));
        return null;
      }
      command = subcommand;
    }
    const { arity } = command;
    if (arity > 0 ? args.count !== arity : args.count < -arity) {
      this.#refuse(client, command, wrongArity(command.fullName));
      return null;
    }
    return command;
  }

  /** Why this client may not run this command now, or null. The order is Redis's. */
  #refusal(client: Client, command: Command): ErrorReply | null {
    const flags = command.flags;
    if (!client.authenticated && (flags & Flag.noAuth) === 0) return Errors.noAuth;
    if (client.transaction.isOpen && (flags & Flag.noMulti) !== 0) return Errors.notInTransaction;
    const { gates, pause } = this.#engine;
    if (gates.anyClosed) {
      const refusal = gateRefusal(gates, flags);
      if (refusal !== null) return refusal;
    }
    if (this.#engine.parameters.values.maxmemory > 0 && this.#isOutOfMemory(client, command)) {
      return Errors.outOfMemory;
    }
    if (pause.endMs !== 0 && this.#mustWait(client, command)) client.isPostponed = true;
    return null;
  }

  /** Runs a queued command for EXEC, timed and counted by itself. */
  runQueued(client: Client, command: Command): void {
    if (client.isReplay) return this.#runUnseen(client, command);
    const { clock, counters } = this.#engine;
    const startUs = clock.monotonicUs();
    this.run(client, command);
    counters.commands++;
    this.#book(client, command, clock.monotonicUs() - startUs, 1);
  }

  /** Why a command that EXEC is about to run may not run now, or null. */
  refusalInside(client: Client, command: Command): ErrorReply | null {
    if (client.isReplay) return null;
    if (!client.authenticated && (command.flags & Flag.noAuth) === 0) return Errors.noAuth;
    const { gates } = this.#engine;
    return gates.anyClosed ? gateRefusal(gates, command.flags) : null;
  }

  /** Whether the command may need memory and there is none left to give it. */
  #isOutOfMemory(client: Client, command: Command): boolean {
    const mayGrow = (command.flags & Flag.denyOom) !== 0 ||
      (command.name === "exec" && client.transaction.hasAny(Flag.denyOom));
    return mayGrow && this.#engine.usedBytes > this.#engine.parameters.values.maxmemory;
  }

  #mustWait(client: Client, command: Command): boolean {
    const { pause, clock } = this.#engine;
    if (!pause.isOn(clock.nowMs())) return false;
    if (pause.kind === "all") return true;
    const writes = Flag.write | Flag.mayReplicate;
    if ((command.flags & writes) !== 0) return true;
    return command.name === "exec" && client.transaction.hasAny(writes);
  }

  #refuse(client: Client, command: Command, error: ErrorReply): void {
    command.stats.rejected++;
    if (command.name === "exec") return this.#abort(client, error);
    this.#refuseUnknown(client, error);
  }

  /** EXEC itself is refused: the transaction is over. */
  #abort(client: Client, error: ErrorReply): void {
    client.transaction.reset();
    this.#engine.watchedKeys.unwatch(client.transaction);
    this.#engine.counters.countError(Errors.execAbort);
    client.reply.error(execAbortedBy(error));
  }

  #refuseUnknown(client: Client, error: ErrorReply): void {
    if (client.transaction.isOpen) client.transaction.isAborted = true;
    this.#engine.counters.countError(error);
    client.reply.error(error);
  }

  #timed(client: Client, command: Command): void {
    const engine = this.#engine;
    const mayBlock = (command.flags & Flag.blocking) !== 0;
    const isAlone = this.#fineTiming || command.isTimedAlone || mayBlock;
    if (command !== this.#runCommand || this.#runLength === RUN_MAX || isAlone) this.#closeRun();
    this.#runCommand = command;
    this.#runLength++;
    engine.counters.commands++;
    const { reply } = client;
    const mark = reply.mark();
    this.run(client, command);
    engine.propagation.endUnit();
    if (engine.blocking.hasReady) engine.blocking.serve();
    if (mayBlock && client.blocked !== null) this.#dropRun();
    else if (isAlone) this.#closeRun();
    else if (reply.mark() - mark >= LONG_REPLY_BYTES) this.#closeRunOfLong();
  }

  /** The last command of the run took its time. */
  #closeRunOfLong(): void {
    const others = this.#runLength - 1;
    const command = this.#runCommand;
    const client = this.#runClient;
    this.#runLength = 1;
    this.#closeRun();
    if (others > 0 && command !== null && client !== null) this.#book(client, command, 0, others);
  }

  /** The command waits: it is booked when it is over. */
  #dropRun(): void {
    this.#runCommand = null;
    this.#runLength = 0;
    this.#runStartUs = this.#engine.clock.monotonicUs();
  }

  /** Books the run of equal commands with the time that has passed since it began. */
  #closeRun(): void {
    const command = this.#runCommand;
    const client = this.#runClient;
    if (command === null || client === null) return;
    const now = this.#engine.clock.monotonicUs();
    this.#book(client, command, now - this.#runStartUs, this.#runLength);
    this.#runCommand = null;
    this.#runLength = 0;
    this.#runStartUs = now;
  }

  /** `count` calls of `command` took `microseconds` together. */
  #book(client: Client, command: Command, microseconds: number, count: number): void {
    this.#engine.recentCommands.note(command.fullName, client.id, client.database, count);
    command.stats.calls += count;
    command.stats.microseconds += microseconds;
    noteSlow(this.#engine, client, command, microseconds, count);
  }

  #failed(client: Client, command: Command, mark: number, error: unknown): void {
    const text = error instanceof Error ? error.stack ?? error.message : String(error);
    const { log, recentCommands } = this.#engine;
    log.warning(
      `${command.fullName} of client ${client.id} failed: ${text}\nCommands before it: ${recentCommands}`,
    );
    client.reply.rewind(mark);
    client.reply.error(isMemoryFailure(error) ? Errors.cannotAllocate : Errors.internal);
  }

  #countFailure(client: Client, command: Command, mark: number): void {
    const answer = client.call.reply.since(mark);
    // Failures within a transaction's reply are those of its commands, which have been counted.
    if (answer[0] !== MINUS) return;
    command.stats.failed++;
    this.#engine.counters.countError(answer);
  }
}

/** Whether an error says that a buffer is larger than there is memory, or than the runtime makes any. */
function isMemoryFailure(error: unknown): boolean {
  return error instanceof RangeError &&
    /allocation failed|array length|buffer length/i.test(error.message);
}

function gateRefusal(gates: Engine["gates"], flags: number): ErrorReply | null {
  if ((flags & Flag.write) !== 0) {
    const refusal = gates.misconf ?? gates.noReplicas ?? gates.readOnly;
    if (refusal !== null) return refusal;
  }
  if (gates.full !== null && (flags & Flag.denyOom) !== 0) return gates.full;
  if (gates.stale !== null && (flags & Flag.stale) === 0) return gates.stale;
  if (gates.loading !== null && (flags & Flag.loading) === 0) return gates.loading;
  return null;
}

function unknownOf(client: Client): ErrorReply {
  const { args } = client;
  const rest: string[] = [];
  for (let i = 1; i < args.count && i < 20; i++) rest.push(args.text(i));
  return unknownCommand(args.text(0), rest);
}
