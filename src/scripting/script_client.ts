// hot path
/**
 * redis.call and redis.pcall: a script's commands go through the evaluator like everybody's, for a client of the script's own.
 * Their arguments are read where Lua has them.
 */
import { Client, NOWHERE, type Transport } from "../engine/client.ts";
import { type Command, Flag } from "../engine/command.ts";
import type { Engine } from "../engine/engine.ts";
import { Reader } from "../engine/propagation.ts";
import { ScriptFlag } from "../engine/script_flags.ts";
import { writeDecimal } from "../lib/decimal.ts";
import { DOUBLE_TEXT_MAX, writeDouble } from "../lib/double_text.ts";
import { type ErrorReply, Errors } from "../protocol/errors.ts";
import { Type } from "./lua_constants.ts";
import type { LuaMachine } from "./lua_machine.ts";
import { firstLine, markCounted, ReplyReader } from "./lua_values.ts";
import type { ScriptRun } from "./script_run.ts";

/** What MONITOR and CLIENT commands see of a script's client. */
const LUA_TRANSPORT: Transport = { ...NOWHERE, address: "lua" };

const MINUS = 0x2d;
/** A buffer for replies that is larger than this is given back when the script is over. */
const KEPT_REPLY_BYTES = 64 * 1024;

// scratch: lives for one call
const digits = new Uint8Array(DOUBLE_TEXT_MAX);

export class ScriptClient {
  readonly client: Client;
  readonly #engine: Engine;
  readonly #machine: LuaMachine;
  readonly #reader: ReplyReader;
  /** The running script. */
  run: ScriptRun | null = null;

  constructor(engine: Engine, machine: LuaMachine) {
    this.#engine = engine;
    this.#machine = machine;
    this.#reader = new ReplyReader(machine);
    this.client = new Client(engine, 0, LUA_TRANSPORT);
    this.client.isScript = true;
  }

  /** A script begins: its commands are those of the client that runs it. */
  begin(run: ScriptRun): void {
    const { client } = this;
    const caller = run.call.client;
    this.run = run;
    client.call.db = run.call.db;
    client.user = caller.user;
    client.isUnrestricted = caller.isUnrestricted;
    client.isReplay = caller.isReplay;
    client.reply.resp = 2;
    client.reply.rewind(0);
    this.#engine.blocking.denied++;
    this.#engine.clock.isHeld = true;
  }

  end(): void {
    const { client } = this;
    this.#engine.evaluator.countScriptCommands();
    this.#engine.blocking.denied--;
    this.#engine.clock.isHeld = false;
    this.run = null;
    client.args.clear();
    client.reply.rewind(0);
    if (client.reply.capacity > KEPT_REPLY_BYTES) this.#engine.buffers.give(client.reply.release());
  }

  /** redis.call: an error of the command becomes one of the script. */
  call(state: number): number {
    return this.#call(state) ? 1 : -1;
  }

  /** redis.pcall: an error is a result. */
  pcall(state: number): number {
    this.#call(state);
    return 1;
  }

  /** Runs the command that the arguments on the stack are, and pushes its reply; returns false if that is an error. */
  #call(state: number): boolean {
    const { client, run } = this;
    const failure = this.takeArguments(state);
    if (failure !== null) return this.#fail(state, failure, false);
    const command = this.#engine.commands.findWhole(client.args);
    if (command === null) return this.#fail(state, Errors.scriptUnknown, true);
    if (run === null) return this.#refuse(state, command, Errors.scriptDenied);
    if (!command.takes(client.args.count)) {
      return this.#refuse(state, command, Errors.scriptArity);
    }
    const refusal = this.#refusal(run, command);
    if (refusal !== null) return this.#refuse(state, command, refusal);
    if ((command.flags & Flag.write) !== 0) run.hasWritten = true;
    this.#run(run, command);
    const { reply } = client;
    const isError = reply.bytes[0] === MINUS;
    this.#reader.push(state, reply.bytes);
    reply.rewind(0);
    return !isError;
  }

  #run(run: ScriptRun, command: Command): void {
    const { suspension } = this.#engine;
    if (suspension.client === null) return this.#runNow(run, command);
    suspension.enter();
    this.#runNow(run, command);
    suspension.leave();
  }

  #runNow(run: ScriptRun, command: Command): void {
    const { evaluator, propagation } = this.#engine;
    if (!run.hasCalled) evaluator.beginScript(this.client);
    run.hasCalled = true;
    const caller = run.call.client;
    this.client.tracking = caller.isClosing ? null : caller.tracking;
    if (run.readers === Reader.all) return evaluator.runForScript(this.client, command);
    propagation.restrict(run.readers);
    evaluator.runForScript(this.client, command);
    propagation.restrict(Reader.all);
  }

  /** Makes the values on the stack the client's arguments; returns why that can't be done, or null. */
  takeArguments(state: number): ErrorReply | null {
    const machine = this.#machine;
    const { args } = this.client;
    const count = machine.argumentCount(state);
    args.clear();
    if (count === 0) return Errors.noArguments;
    for (let i = 0; i < count; i++) {
      const type = machine.typeAt(machine.argument(state, i));
      if (type === Type.number) this.#numberToString(state, i + 1);
      else if (type !== Type.string) return Errors.badArguments;
      const start = machine.stringAt(machine.argument(state, i));
      args.push(start, start + machine.lengthOf(start));
    }
    args.use(machine.bytes, machine.view);
    return null;
  }

  /** Replaces the number at `index` by its text, in Redis's form: Lua's own has only 14 digits. */
  #numberToString(state: number, index: number): void {
    const { exports } = this.#machine;
    const value = exports.lua_tonumber(state, index);
    // x86 makes a NaN of which C prints the sign.
    if (value !== value) this.#machine.pushText(state, "-nan");
    else {
      const end = Number.isSafeInteger(value)
        ? writeDecimal(value + 0, digits, 0)
        : writeDouble(value, digits, 0);
      this.#machine.pushBytes(state, digits, 0, end);
    }
    exports.lua_replace(state, index);
  }

  /** Why the script may not run this command now, or null. The order is Redis's. */
  #refusal(run: ScriptRun, command: Command): ErrorReply | null {
    const { flags } = command;
    const { acl, gates, scriptsRunAll } = this.#engine;
    if ((flags & Flag.noScript) !== 0 && !scriptsRunAll) return Errors.scriptDenied;
    if (gates.stale !== null && (flags & Flag.stale) === 0 && !run.has(ScriptFlag.allowStale)) {
      return Errors.scriptStale;
    }
    if (!this.client.isUnrestricted) {
      const refusal = acl.refusalInScript(run.call.client, command, this.client.args);
      if (refusal !== null) return refusal;
    }
    // As in Redis: PUBLISH and its kin count as writes, so that read-only scripts can run while writes are paused.
    const changes = Flag.write | Flag.mayReplicate;
    if (run.isReadOnly && (flags & changes) !== 0) return Errors.scriptReadOnly;
    if ((flags & Flag.write) !== 0) {
      if (!run.hasWritten && !this.client.isReplay) {
        const refusal = gates.readOnly ?? gates.misconf ?? gates.noReplicas;
        if (refusal !== null) return refusal;
      }
    }
    if ((flags & Flag.denyOom) !== 0 && !run.hasWritten && !run.allowsOom) {
      if (run.wasOutOfMemory) return Errors.outOfMemory;
      if (gates.full !== null) return gates.full;
    }
    return null;
  }

  #refuse(state: number, command: Command, error: ErrorReply): false {
    command.stats.rejected++;
    return this.#fail(state, error, true);
  }

  /** Pushes an error table; returns false. */
  #fail(state: number, error: ErrorReply, isCounted: boolean): false {
    const { exports } = this.#machine;
    exports.lua_createtable(state, 0, 2);
    this.#machine.pushText(state, firstLine(error, error.length));
    exports.lua_setfield(state, -2, this.#machine.name("err"));
    if (isCounted) {
      this.#engine.counters.countError(error);
      markCounted(this.#machine, state);
    }
    return false;
  }
}
