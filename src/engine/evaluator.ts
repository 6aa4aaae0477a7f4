// hot path
/**
 * Runs one request at a time: looks the command up, refuses it or runs it, in Redis's order of checks.
 * Its input is a client whose `args` hold a request, its output is bytes in the client's writer.
 */
import { assert } from "../lib/assert.ts";
import { Prefetcher } from "../keyspace/prefetcher.ts";
import type { ErrorReply } from "../protocol/errors.ts";
import {
  Errors,
  execAbortedBy,
  notWhileSubscribed,
  unknownCommand,
  unknownSubcommand,
  wrongArity,
} from "../protocol/errors.ts";
import type { Pipeline } from "../protocol/pipeline.ts";
import type { Client } from "./client.ts";
import { type Command, Flag } from "./command.ts";
import { CrossProtocolGuard, isHttp } from "./cross_protocol.ts";
import type { Engine } from "./engine.ts";
import { flagsOfScript } from "./script_flags.ts";
import { feedMonitors } from "./monitor.ts";
import { ScriptTimer } from "./script_timing.ts";
import { CommandTimer } from "./timing.ts";

/** What makes a request wait that nothing refuses. */
const MAY_WAIT = Flag.needsLua | Flag.logsIn;
/** The words of the shortest HELLO that gives a password. */
const HELLO_AUTH_COUNT = 5;

/** The first byte of an error reply. */
const MINUS = 0x2d;

export class Evaluator {
  readonly #engine: Engine;
  readonly #prefetcher = new Prefetcher();
  readonly #crossProtocolGuard: CrossProtocolGuard;
  readonly #timer: CommandTimer;
  /** Times the commands that EXEC runs, while the other one times EXEC. */
  readonly #queueTimer: CommandTimer;
  /** Times the commands of a script, which is timed itself. */
  readonly #scriptTimer: ScriptTimer;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#timer = new CommandTimer(engine);
    this.#queueTimer = new CommandTimer(engine);
    this.#scriptTimer = new ScriptTimer(engine);
    this.#crossProtocolGuard = new CrossProtocolGuard(engine);
    engine.evaluator = this;
  }

  /** Begins a batch of requests of `client`; `inTurn`: another batch was evaluated in this turn of the event loop. */
  beginBatch(client: Client, inTurn = false): void {
    const { clock, keyspace } = this.#engine;
    this.#engine.actor = client;
    this.#engine.eviction.countSoon();
    this.#timer.beginBatch(client, inTurn);
    client.lastActiveMs = clock.nowMs();
    keyspace.noTouch = client.noTouch;
  }

  /** Reads ahead the memory that the next requests of this batch will need: see Prefetcher. */
  prefetch(client: Client, pipeline: Pipeline): void {
    this.#prefetcher.prefetch(this.#engine.keyspace.entries, client.call.db, pipeline);
  }

  /** No more requests of this client for now. Returns how many µs the batch took. */
  endBatch(): number {
    const client = this.#timer.endBatch();
    const engine = this.#engine;
    if (client !== null) {
      if (client.blocked !== null || client.isPostponed) client.args.keep();
      else client.args.giveBack();
      engine.clientMemory.recount(client);
    }
    engine.actor = null;
    engine.afterBatch?.();
    const { toFlush, tracking, clientMemory } = engine;
    if (toFlush.size > 0 || clientMemory.isOver || tracking?.hasMore === true) engine.flushSoon();
    return this.#timer.batchTookUs;
  }

  /**
   * Runs the request in `client.args`, or queues or refuses it. Afterwards `client.isPostponed` says
   * whether it must be run again later.
   */
  execute(client: Client): void {
    client.isRunning = true;
    if (client.replyMode === "on") this.#execute(client);
    else this.#executeMuted(client);
    if (this.#engine.suspension.client === client) this.#commandOverLater(client);
    else this.#commandOver(client);
  }

  // A method of its own: a closure in the method above would make it allocate in any case.
  #commandOverLater(client: Client): void {
    this.#engine.suspension.later(() => this.#commandOver(client));
  }

  #commandOver(client: Client): void {
    if (client.tracking !== null) client.tracking.commandOver();
    this.#engine.pushes.end(client);
  }

  /** As `execute`, for a client that wants no replies. */
  #executeMuted(client: Client): void {
    const mode = client.replyMode;
    const mark = client.reply.mark();
    this.#execute(client);
    if (this.#engine.suspension.client === client) return this.#muteLater(client);
    if (client.replyMode !== mode) return; // CLIENT REPLY ON answers
    client.reply.rewind(mark);
    const isWaiting = client.blocked !== null || client.isPostponed;
    if (mode === "skip" && !isWaiting) client.replyMode = "on";
  }

  /** A script is suspended whose reply its client does not want. */
  #muteLater(client: Client): void {
    const { suspension } = this.#engine;
    suspension.later(() => {
      client.reply.rewind(suspension.replyStart);
      if (client.replyMode === "skip") client.replyMode = "on";
    });
  }

  #execute(client: Client): void {
    const { args, reply } = client;
    args.error = null;
    const command = this.#lookUp(client);
    if (command === null) return;

    const refusal = this.#refusal(client, command);
    if (refusal !== null) return this.#refuse(client, command, refusal);
    if (client.isPostponed) return;
    if ((command.flags & MAY_WAIT) !== 0 && this.#mustWaitFirst(client, command)) return;

    if (client.transaction.isOpen && (command.flags & Flag.unqueued) === 0) {
      client.transaction.add(command, args, this.#flagsOf(client, command));
      client.call.command = command; // CLIENT LIST shows it.
      return reply.queued();
    }
    this.#timed(client, command);
  }

  /** Runs a command of the append-only file: it is not refused, not counted, and not shown to monitors. */
  replay(client: Client): void {
    const { args } = client;
    args.error = null;
    const command = this.#lookUp(client);
    if (command === null) return;
    // Written by hand: SAVE would replace a good file by a part of the data, and SHUTDOWN end the server.
    if ((command.flags & (Flag.admin | Flag.write)) === Flag.admin) {
      return this.#engine.log.warning(
        `'${command.fullName}' in the append only file is passed over`,
      );
    }
    if (client.transaction.isOpen && (command.flags & Flag.unqueued) === 0) {
      client.transaction.add(command, args);
    } else this.#runUnseen(client, command);
  }

  /** Runs `command` with the arguments in `client.call`; counts failures and propagates changes. */
  run(client: Client, command: Command): void {
    this.#runUnseen(client, command);
    if (this.#engine.monitors.size > 0) feedMonitors(this.#engine, client, command);
  }

  /** Counts a command that has waited and whose last run took `microseconds`. */
  countBlocked(client: Client, command: Command, microseconds: number): void {
    this.#timer.count(client, command, microseconds, 1);
  }

  /** Runs the command of a blocked client again; returns false, having refused it, if it may not run now. */
  runBlocked(client: Client, command: Command): boolean {
    let refusal = this.refusalAgain(client, command);
    if (this.#engine.parameters.values.maxmemory > 0 && this.#engine.eviction.makeRoom(client)) {
      if (mayGrow(client, command, command.flags)) refusal ??= Errors.outOfMemory;
    }
    if (refusal === null) {
      this.#runUnseen(client, command);
      return true;
    }
    command.stats.rejected++;
    this.#engine.counters.countError(refusal);
    client.reply.error(refusal);
    return false;
  }

  /** As `run`, but does not show the command to monitors. */
  #runUnseen(client: Client, command: Command): void {
    const call = client.call;
    const { reply, args } = call;
    const { propagation, keyspace } = this.#engine;
    const { hooks } = keyspace;
    assert(!hooks.isTelling, "who is told of changes runs no commands");
    const errorsBefore = reply.errorCount;
    const dirtyBefore = hooks.dirty;
    const mark = reply.mark();
    args.error = null;
    call.command = command;
    call.isFailureCounted = false;
    propagation.wasRewritten = false;
    try {
      command.run(call);
      if (client.tracking !== null && command.isRead) client.tracking.remember(args, command);
    } catch (error) {
      this.#failed(client, command, mark, error);
    }
    // The hasher remembers the last key by its place in the buffer, which the next request overwrites.
    keyspace.hasher.forget();
    if (this.#engine.suspension.client === client) {
      return this.#afterRunLater(client, command, mark, errorsBefore, dirtyBefore);
    }
    this.#afterRun(client, command, mark, errorsBefore, dirtyBefore);
  }

  /** The command is over: counts its failure, propagates its changes. */
  #afterRun(
    client: Client,
    command: Command,
    mark: number,
    errorsBefore: number,
    dirtyBefore: number,
  ): void {
    const { reply, args, db } = client.call;
    const { propagation, keyspace: { hooks } } = this.#engine;
    if (reply.errorCount !== errorsBefore) this.#countFailure(client, command, mark);
    if (propagation.isOn && hooks.dirty !== dirtyBefore && !propagation.wasRewritten) {
      propagation.append(db.index, args);
    }
  }

  /** As `#afterRun`, when the script is over that the command runs, and that is suspended. */
  #afterRunLater(
    client: Client,
    command: Command,
    mark: number,
    errorsBefore: number,
    dirtyBefore: number,
  ): void {
    const { suspension } = this.#engine;
    // A reply within that of EXEC stays where it is: nothing of it is sent before all is there.
    const isInside = client.transaction.running !== null;
    suspension.later(() => {
      const start = isInside ? mark : suspension.replyStart;
      this.#afterRun(client, command, start, errorsBefore, dirtyBefore);
    });
  }

  /** The script of the suspended command is over: does all that was left to do for its client. */
  resume(): void {
    const { suspension } = this.#engine;
    const { client } = suspension;
    if (client === null) return;
    this.beginBatch(client);
    let isOver = true;
    try {
      isOver = suspension.finish();
    } catch (error) {
      this.#engine.logFailure("Ending a suspended script", error);
    }
    this.endBatch();
    if (!isOver) return;
    // It went while the script was suspended: what followed in its transaction may have subscribed it again.
    if (client.isClosing) return this.#engine.removeClient(client);
    this.#engine.toFlush.add(client);
    this.#engine.flushOthers();
    client.transport.resume();
  }

  /** A script of another client begins to run commands, as `client`. */
  beginScript(client: Client): void {
    this.#scriptTimer.beginScript(client);
  }

  /** Runs a command that a script has called and that nothing refuses; it is timed and counted beside the script. */
  runForScript(client: Client, command: Command): void {
    if (client.isReplay) return this.#runUnseen(client, command);
    const timer = this.#scriptTimer;
    const isAlone = timer.begin(command);
    const { actor } = this.#engine;
    this.#engine.actor = client;
    this.run(client, command);
    this.#engine.actor = actor;
    this.#engine.counters.commands++;
    timer.end(isAlone, command, client.reply.size);
  }

  /** Counts what the script has run so far: it is over, or has run for a while without a command. */
  countScriptCommands(): void {
    this.#scriptTimer.close();
  }

  /** Whether the request waits for Lua, or for the time after which the client may try a password. */
  #mustWaitFirst(client: Client, command: Command): boolean {
    if ((command.flags & Flag.needsLua) !== 0) return this.#mustLoadLua(client);
    const { args, transaction } = client;
    // HELLO without AUTH tries none.
    if (command.name === "hello" && args.count < HELLO_AUTH_COUNT) return false;
    const { logins } = this.#engine;
    if (logins.delays(client)) return true;
    // EXEC runs all that is queued at once. Each password counts as wrong before it is known, so that the queue does not grow for free.
    if (transaction.isOpen) logins.failed(client);
    return false;
  }

  /** Lua is not there yet: the request waits for it. */
  #mustLoadLua(client: Client): boolean {
    const { scripts } = this.#engine;
    if (scripts === null || scripts.isLoaded) return false;
    client.isPostponed = true;
    void scripts.load().then(() => {
      if (client.isPostponed) client.transport.resume();
    });
    return true;
  }

  /** The command that the arguments name. Null, after an error reply or closing, if it is unknown or their number is wrong. */
  #lookUp(client: Client): Command | null {
    const { args } = client;
    let command = this.#engine.commands.find(args);
    if (command === null) {
      if (isHttp(args)) this.#crossProtocolGuard.disconnect(client);
      else this.#refuseUnknown(client, unknownCommand(client.args));
      return null;
    }
    if (command.subcommands !== null && args.count > 1) {
      const subcommand = command.subcommand(args);
      if (subcommand === null) {
        this.#refuseUnknown(client, unknownSubcommand(args));
        return null;
      }
      command = subcommand;
    }
    if (!command.takes(args.count)) {
      this.#refuse(client, command, wrongArity(command.fullName));
      return null;
    }
    return command;
  }

  /** Why this client may not run this command now, or null. The order is Redis's. */
  #refusal(client: Client, command: Command): ErrorReply | null {
    const { flags } = command;
    if (!client.isUnrestricted) {
      const refusal = this.#refusalOfRights(client, command);
      if (refusal !== null) return refusal;
    }
    if (client.transaction.isOpen && (flags & Flag.noMulti) !== 0) return Errors.notInTransaction;
    const { gates, pause } = this.#engine;
    if (gates.anyClosed) {
      const refusal = gateRefusal(gates, client, command, this.#flagsOf(client, command));
      if (refusal !== null) return refusal;
    }
    if (this.#engine.parameters.values.maxmemory > 0 && this.#engine.eviction.makeRoom(client)) {
      if (mayGrow(client, command, this.#flagsOf(client, command))) return Errors.outOfMemory;
    }
    if (isMisplaced(client, command)) return notWhileSubscribed(command.fullName);
    if (pause.endMs !== 0 && this.#mustWait(client, command)) client.isPostponed = true;
    return null;
  }

  /** As `#refusal`, for a client that is not logged in or whose user may not do everything. */
  #refusalOfRights(client: Client, command: Command): ErrorReply | null {
    const { acl } = this.#engine;
    // Redis tells who may not run a command within MULTI so before it looks at rights, but after NOAUTH.
    if ((command.flags & Flag.noMulti) !== 0 && client.transaction.isOpen) {
      return acl.isAuthenticated(client) ? Errors.notInTransaction : Errors.noAuth;
    }
    return acl.refusal(client, command, client.args);
  }

  /** The flags of a command. If it runs a script, that may have declared what it does. */
  #flagsOf(client: Client, command: Command): number {
    const { flags, spec } = command;
    return spec.declared === undefined ? flags : flagsOfScript(flags, spec.declared(client.call));
  }

  /** EXEC begins to run its queued commands. */
  beginQueue(client: Client): void {
    this.#queueTimer.beginInside(client);
  }

  /** Runs a queued command for EXEC; it is timed and counted beside EXEC. */
  runQueued(client: Client, command: Command): void {
    if (client.isReplay) return this.#runUnseen(client, command);
    const timer = this.#queueTimer;
    const isAlone = timer.begin(command);
    const mark = client.reply.mark();
    this.run(client, command);
    this.#engine.counters.commands++;
    if (this.#engine.suspension.client === client) return this.#countLater(client, command, timer);
    timer.end(isAlone, client.reply.mark() - mark);
  }

  /** Counts a command whose script is suspended, when that is over. */
  #countLater(client: Client, command: Command, timer: CommandTimer): void {
    const { suspension, clock } = this.#engine;
    const startUs = timer.drop();
    suspension.later(() => timer.count(client, command, clock.monotonicUs() - startUs, 1));
  }

  endQueue(): void {
    this.#queueTimer.endBatch();
  }

  /** Why a command that was accepted before may not run now, or null: EXEC is about to run it, or its client has waited. */
  refusalAgain(client: Client, command: Command): ErrorReply | null {
    if (client.isReplay) return null;
    const { acl, gates } = this.#engine;
    if (!client.isUnrestricted) {
      const refusal = acl.refusal(client, command, client.call.args);
      if (refusal !== null) return refusal;
    }
    return gates.anyClosed ? gateRefusal(gates, client, command, command.flags) : null;
  }

  #mustWait(client: Client, command: Command): boolean {
    const { pause, clock } = this.#engine;
    if (!pause.isOn(clock.nowMs())) return false;
    if (pause.kind === "all") return true;
    const writes = Flag.write | Flag.mayReplicate;
    if ((this.#flagsOf(client, command) & writes) !== 0) return true;
    return command.name === "exec" && client.transaction.hasAny(writes);
  }

  #refuse(client: Client, command: Command, error: ErrorReply): void {
    command.stats.rejected++;
    if (command.name === "exec") this.#abort(client, error);
    else this.#refuseUnknown(client, error);
    client.call.command = command;
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
    client.call.command = null;
    this.#engine.counters.countError(error);
    client.reply.error(error);
  }

  #timed(client: Client, command: Command): void {
    const engine = this.#engine;
    const timer = this.#timer;
    const isAlone = timer.begin(command);
    engine.counters.commands++;
    const { reply } = client;
    const mark = reply.mark();
    this.run(client, command);
    if (engine.suspension.client === client) return this.#endLater(client, command);
    engine.propagation.endUnit();
    if (engine.blocking.hasReady) engine.blocking.serve();
    // A command that has blocked is counted when its wait is over.
    if (isAlone && client.blocked !== null && (command.flags & Flag.blocking) !== 0) timer.drop();
    else timer.end(isAlone, reply.mark() - mark);
  }

  /** As the end of `#timed`, when the suspended script is over. */
  #endLater(client: Client, command: Command): void {
    const { propagation, blocking, suspension } = this.#engine;
    this.#countLater(client, command, this.#timer);
    suspension.later(() => {
      propagation.endUnit();
      if (blocking.hasReady) blocking.serve();
    });
  }

  #failed(client: Client, command: Command, mark: number, error: unknown): void {
    this.#engine.logFailure(`${command.fullName} of client ${client.id}`, error);
    client.reply.rewind(mark);
    client.reply.error(isMemoryFailure(error) ? Errors.cannotAllocate : Errors.internal);
  }

  #countFailure(client: Client, command: Command, mark: number): void {
    const answer = client.call.reply.since(mark);
    // Errors inside EXEC's array belong to the queued commands, which have counted them.
    if (answer[0] !== MINUS) return;
    command.stats.failed++;
    if (!client.call.isFailureCounted) this.#engine.counters.countError(answer);
  }
}

/** Whether the runtime could not allocate a buffer: there is no memory, or it is larger than buffers can be. */
function isMemoryFailure(error: unknown): boolean {
  return error instanceof RangeError &&
    /allocation failed|array length|buffer length/i.test(error.message);
}

function gateRefusal(
  gates: Engine["gates"],
  client: Client,
  command: Command,
  flags: number,
): ErrorReply | null {
  if (gates.notDurable !== null && (flags & Flag.loading) === 0) return gates.notDurable;
  if (mayWrite(client, command, flags)) {
    const refusal = gates.misconf ?? gates.noReplicas ?? gates.readOnly;
    if (refusal !== null) return refusal;
  }
  // PING fails as well, so that monitoring by PING notices; not one that had been queued before.
  const isPing = command.name === "ping" && client.transaction.running === null;
  if (gates.misconf !== null && isPing) return gates.misconf;
  if (gates.full !== null && (flags & Flag.denyOom) !== 0) return gates.full;
  if (isMisplaced(client, command)) return notWhileSubscribed(command.fullName);
  if (gates.stale !== null && (flags & Flag.stale) === 0) return gates.stale;
  if (gates.loading !== null && (flags & Flag.loading) === 0) return gates.loading;
  if (gates.busy !== null && (flags & Flag.allowBusy) === 0) return gates.busy;
  return null;
}

/** Whether the command may need memory. */
function mayGrow(client: Client, command: Command, flags: number): boolean {
  if ((flags & Flag.denyOom) !== 0) return true;
  if (command.name === "exec") return client.transaction.hasAny(Flag.denyOom);
  return isKept(client, command);
}

/** Whether the command would be queued, which takes memory whatever it is: all but those that end a transaction. */
function isKept({ transaction }: Client, { name }: Command): boolean {
  return transaction.isOpen && name !== "multi" && name !== "discard" && name !== "quit" &&
    name !== "reset";
}

/** Whether a subscriber that speaks RESP2 sends what it may not send; EXEC runs what was queued before. */
function isMisplaced(client: Client, command: Command): boolean {
  return client.isLimitedToPubSub && (command.flags & Flag.whileSubscribed) === 0;
}

/** Whether the command, or one that EXEC is about to run, may change data. */
function mayWrite(client: Client, command: Command, flags: number): boolean {
  if ((flags & Flag.write) !== 0) return true;
  return command.name === "exec" && client.transaction.hasAny(Flag.write);
}
