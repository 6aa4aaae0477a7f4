/**
 * Runs scripts: EVAL and its kin. Lua, and all that deals with it (machinery.ts), is loaded when the first script comes, and one
 * state serves them all.
 *
 * A script runs inside the command that names it. What the commands it calls would overwrite of that one is put back here.
 */
import type { Call } from "../engine/call.ts";
import type { Engine } from "../engine/engine.ts";
import { showOnMonitors } from "../engine/monitor.ts";
import type { RunningScript, ScriptCalls, ScriptFigures } from "../engine/script_calls.ts";
import { ScriptFlag } from "../engine/script_flags.ts";
import { assert } from "../lib/assert.ts";
import { provokeCollection } from "../lib/collect.ts";
import { cText } from "../lib/c_text.ts";
import type { Args } from "../protocol/args.ts";
import { type ErrorReply, errorReply, Errors } from "../protocol/errors.ts";
import type { CompiledFunction } from "./function_store.ts";
import { Collect, Decision, REGISTRY, Status } from "./lua_constants.ts";
import type { LuaMachine } from "./lua_machine.ts";
import type { FunctionMachinery, MachineBuilder, Machinery } from "./machinery.ts";
import { declarationOf, type Script, ScriptCache, scriptOf, SHA_DIGITS } from "./script_cache.ts";
import { ScriptRun } from "./script_run.ts";

/** How a text without a path is called in errors: Lua shows it without the "@". */
const CHUNK_NAME = "@user_script";
/** Instructions of Lua between two looks at the clock: some 50 µs. */
const HOOK_EVERY = 10_000;
/** How long a busy script runs before other clients get a turn. */
const SLICE_US = 5_000;
const KILLED = "ERR Script killed by user with SCRIPT KILL...";
/** Scripts between two steps of the garbage collector that do not wait for memory to be taken. */
const RUNS_A_STEP = 50;
/** A machine with more memory than this is replaced when scripts are flushed, or no longer use it. */
const KEPT_MEMORY_BYTES = 32 * 1024 * 1024;
const COLLECTIONS = 8;
/** What one argument takes in Lua beside its bytes, at most: a string's head, and its place in a table that grows. */
const ARGUMENT_BYTES = 64;
/** Bytes that the arguments of one script may take. */
const ARGUMENTS_BYTES_MAX = 1024 * 1024 * 1024;
/** The key's index in EVAL script numkeys key …. */
const FIRST_KEY = 3;

/** A script or a function, as far as it matters for whether it may run. */
interface Runnable {
  /** What errors name. */
  readonly name: string;
  readonly flags: number;
}

export class LuaHost implements ScriptCalls {
  readonly #engine: Engine;
  readonly #cache = new ScriptCache();
  /** Null until Lua has been loaded. */
  #builder: MachineBuilder | null;
  #loading: Promise<void> | null = null;
  /** Why Lua can't be had; the next script tries again. */
  #unavailable: ErrorReply | null = null;
  #machinery: Machinery | null = null;
  #runs = 0;
  /** When the machine has more memory than this, it is looked whether that is still needed. */
  #enoughBytes = KEPT_MEMORY_BYTES;
  /** The running script. */
  #running: ScriptRun | null = null;

  /** Tests may give what `load` would load, so that scripts need not wait for it. */
  constructor(engine: Engine, builder: MachineBuilder | null = null) {
    this.#engine = engine;
    this.#builder = builder;
  }

  get isLoaded(): boolean {
    return this.#builder !== null || this.#unavailable !== null;
  }

  load(): Promise<void> {
    this.#loading ??= this.#load().finally(() => this.#loading = null);
    return this.#loading;
  }

  async #load(): Promise<void> {
    try {
      const { loadMachinery } = await import("./machinery.ts");
      this.#builder = await loadMachinery();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#engine.log.warning(`Scripts can't run: Lua could not be loaded: ${why}`);
      this.#unavailable = errorReply(`ERR Lua could not be loaded: ${why.split("\n")[0]}`);
    }
  }

  /** Why there is no Lua. The next script tries to load it again. */
  takeUnavailable(): ErrorReply | null {
    const reason = this.#unavailable;
    this.#unavailable = null;
    return this.#builder === null ? reason ?? Errors.internal : null;
  }

  #ready(): Machinery {
    if (this.#machinery === null) {
      assert(this.#builder !== null, "Lua is loaded");
      this.#machinery = this.#builder.forScripts(this.#engine, () => this.#forgetMachinery());
      this.#watch(this.#machinery);
    }
    return this.#machinery;
  }

  /** A machine of its own, for functions. */
  newFunctionMachinery(whenBroken: () => void): FunctionMachinery {
    assert(this.#builder !== null, "Lua is loaded");
    const machinery = this.#builder.forFunctions(this.#engine, whenBroken);
    this.#watch(machinery);
    return machinery;
  }

  /** Has the machine ask every so often whether what it runs goes on. */
  #watch({ machine, sandbox }: Machinery): void {
    machine.decide = (state) => this.#decide(machine, state);
    machine.wait = () => this.#pause();
    machine.hookEvery(sandbox.state, HOOK_EVERY);
  }

  evalText(call: Call, isReadOnly: boolean): void {
    const { args } = call;
    const keyCount = keyCountOf(call);
    if (keyCount < 0) return;
    const script = this.#find(args, 1) ?? this.#cacheText(args, 1);
    if (script instanceof Uint8Array) return call.reply.error(script);
    this.#run(call, script, keyCount, isReadOnly);
  }

  evalSha(call: Call, isReadOnly: boolean): void {
    if (call.args.length(1) !== SHA_DIGITS) return call.reply.error(Errors.noScript);
    const keyCount = keyCountOf(call);
    if (keyCount < 0) return;
    const script = this.#cache.bySha(call.args, 1);
    if (script === null) return call.reply.error(Errors.noScript);
    this.#run(call, script, keyCount, isReadOnly);
  }

  cacheScript(args: Args, index: number): string | ErrorReply {
    const script = this.#find(args, index) ?? this.#cacheText(args, index);
    return script instanceof Uint8Array ? script : script.sha;
  }

  hasScript(args: Args, index: number): boolean {
    return args.length(index) === SHA_DIGITS && this.#cache.bySha(args, index) !== null;
  }

  get running(): RunningScript | null {
    const run = this.#running;
    if (run === null) return null;
    const { name, isFunction, startedUs, call } = run;
    const durationMs = Math.floor((this.#engine.clock.monotonicUs() - startedUs) / 1000);
    return { name, isFunction, durationMs, args: call.args };
  }

  kill(isFunction: boolean): ErrorReply | null {
    const run = this.#running;
    if (run === null) return Errors.notBusy;
    if (run.hasWritten) return Errors.unkillable;
    if (run.isFunction !== isFunction) return busyError(run);
    run.isKilled = true;
    return null;
  }

  /** The hook asks every few thousand instructions whether the script goes on. */
  #decide(machine: LuaMachine, state: number): number {
    const run = this.#running;
    if (run === null) return Decision.goOn;
    this.#engine.evaluator.countScriptCommands();
    if (run.isKilled) return this.#raiseKilled(machine, state);
    if (this.#engine.clock.monotonicUs() < run.nextPauseUs) return Decision.goOn;
    if (!run.isBusy) this.#becomeBusy(run);
    return Decision.wait;
  }

  /** A loop around pcall would catch the error and go on: from now on the hook raises it after every instruction. */
  #raiseKilled(machine: LuaMachine, state: number): number {
    machine.hookEvery(state, 1, true);
    machine.pushError(state, KILLED);
    return Decision.raise;
  }

  /** From now on other clients are told that a script is running. */
  #becomeBusy(run: ScriptRun): void {
    const { log, gates, parameters } = this.#engine;
    run.isBusy = true;
    gates.busy = busyError(run);
    log.warning(
      `Slow script detected: still in execution after ${parameters.values.busyReplyThreshold} ` +
        `milliseconds. You can try killing the script using the ` +
        `${run.isFunction ? "FUNCTION" : "SCRIPT"} KILL command. Script name is: ${run.name}.`,
    );
  }

  /** Lets the event loop serve other clients. */
  async #pause(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    const run = this.#running;
    if (run !== null) run.nextPauseUs = this.#engine.clock.monotonicUs() + SLICE_US;
  }

  flush(): void {
    const machinery = this.#machinery;
    if (machinery !== null && machinery.machine.memoryBytes > KEPT_MEMORY_BYTES) {
      // Lua's memory never shrinks: a new machine gives back what the old one had.
      this.#forgetMachinery();
      collectSoon();
    } else if (machinery !== null) {
      const { machine, sandbox, libraries } = machinery;
      libraries.reset(sandbox.state);
      for (const { place } of this.#cache.values()) {
        machine.exports.luaL_unref(sandbox.state, REGISTRY, place);
      }
      machine.exports.lua_gc(sandbox.state, Collect.all, 0);
    }
    this.#cache.clear();
  }

  get bytes(): number {
    return this.#luaBytes + this.#cache.bytes;
  }

  get #luaBytes(): number {
    const machinery = this.#machinery;
    return machinery === null ? 0 : machinery.machine.usedBytes(machinery.sandbox.state);
  }

  get figures(): ScriptFigures {
    return {
      luaBytes: this.#luaBytes,
      scriptCount: this.#cache.size,
      scriptBytes: this.#cache.bytes,
    };
  }

  declaredBy(args: Args, isSha: boolean): number {
    const script = isSha ? this.#cache.bySha(args, 1) : this.#find(args, 1);
    if (script !== null) return script.flags;
    if (isSha) return ScriptFlag.undeclared;
    const declared = declarationOf(args.copyOf(1));
    return declared instanceof Uint8Array ? ScriptFlag.undeclared : declared.flags;
  }

  /** The script whose text is argument `index`, if it has been cached. */
  #find(args: Args, index: number): Script | null {
    return this.#cache.byText(
      args.bytesOf(index),
      args.viewOf(index),
      args.start(index),
      args.end(index),
    );
  }

  #cacheText(args: Args, index: number): Script | ErrorReply {
    const script = scriptOf(args.copyOf(index));
    if (script instanceof Uint8Array) return script;
    const failure = this.#compile(script);
    if (failure !== null) return failure;
    this.#cache.add(script);
    return script;
  }

  /** Makes the script a function in the registry, if it isn't one yet; returns why it is not right, or null. */
  #compile(script: Script): ErrorReply | null {
    if (script.place !== 0) return null;
    const unavailable = this.takeUnavailable();
    if (unavailable !== null) return unavailable;
    const { machine, sandbox } = this.#ready();
    const { state } = sandbox;
    const status = machine.load(state, script.text, script.codeStart, CHUNK_NAME);
    if (status !== Status.ok) {
      const why = machine.text(state, -1) ?? "";
      machine.exports.lua_settop(state, 0);
      return errorReply(`ERR Error compiling script (new function): ${cText(why)}`);
    }
    script.isStraight = sandbox.isStraight();
    script.place = machine.exports.luaL_ref(state, REGISTRY);
    return null;
  }

  /** Why a script that declares what it needs may not run now, or null. */
  #refusal(script: Runnable, isReadOnly: boolean, isOutOfMemory: boolean): ErrorReply | null {
    const { flags } = script;
    if ((flags & ScriptFlag.undeclared) !== 0) return null;
    const { gates } = this.#engine;
    if ((flags & ScriptFlag.noWrites) === 0) {
      if (isOutOfMemory && (flags & ScriptFlag.allowOom) === 0) return Errors.outOfMemory;
      const refusal = gates.misconf ?? gates.noReplicas ?? gates.readOnly;
      if (refusal !== null) return refusal;
    }
    if (gates.stale !== null && (flags & ScriptFlag.allowStale) === 0) return gates.stale;
    return isReadOnly && (flags & ScriptFlag.noWrites) === 0 ? Errors.scriptWrites : null;
  }

  /** Begins a script or function; returns null, after an error reply, if it may not run now. */
  #begin(
    call: Call,
    script: Runnable,
    isReadOnly: boolean,
    isFunction: boolean,
  ): ScriptRun | null {
    const { engine, client } = call;
    // DEBUG SET-DISABLE-DENY-SCRIPTS lets a script call EVAL.
    if (this.#running !== null) {
      call.reply.error(Errors.scriptDenied);
      return null;
    }
    const { maxmemory } = engine.parameters.values;
    const isOutOfMemory = maxmemory > 0 && !client.isReplay && engine.eviction.isOutOfMemory;
    const refusal = client.isReplay ? null : this.#refusal(script, isReadOnly, isOutOfMemory);
    if (refusal !== null) {
      call.reply.error(refusal);
      return null;
    }
    if (engine.monitors.size > 0 && call.command !== null) {
      showOnMonitors(engine, client, call.command);
    }
    const mayWrite = !isReadOnly && (script.flags & ScriptFlag.noWrites) === 0;
    const { name, flags } = script;
    return new ScriptRun(call, name, flags, !mayWrite, isOutOfMemory, isFunction);
  }

  /** Runs the script with `keyCount` keys and what follows them. */
  #run(call: Call, script: Script, keyCount: number, isReadOnly: boolean): void {
    const { args } = call;
    // Another machine than the one that it was compiled for may have come since.
    const failure = this.#compile(script);
    if (failure !== null) return call.reply.error(failure);
    const run = this.#begin(call, script, isReadOnly, false);
    if (run === null) return;
    run.isStraight = script.isStraight;
    const machinery = this.#ready();
    const { machine, sandbox } = machinery;
    const { exports } = machine;
    const { state } = sandbox;
    exports.lua_settop(state, 0);
    sandbox.pushHandler();
    sandbox.pushGlobals();
    machine.protect(state, -1, false);
    if (!this.#pushBoth(machinery, run, args, keyCount)) return;
    exports.lua_setfield(state, -3, machine.name("ARGV"));
    exports.lua_setfield(state, -2, machine.name("KEYS"));
    machine.protect(state, -1);
    exports.lua_rawgeti(state, REGISTRY, script.place);
    exports.lua_insert(state, -2);
    exports.lua_setfenv(state, -2);
    this.#start(machinery, run, 0);
  }

  /** Runs a function of a library, as `#run` a script: its keys and arguments are two parameters. */
  runFunction(
    machinery: Machinery,
    call: Call,
    one: CompiledFunction,
    keyCount: number,
    isReadOnly: boolean,
  ): void {
    const { args } = call;
    const run = this.#begin(call, one, isReadOnly, true);
    if (run === null) return;
    const { machine, sandbox } = machinery;
    const { exports } = machine;
    const { state } = sandbox;
    exports.lua_settop(state, 0);
    sandbox.pushGlobals();
    exports.lua_settop(state, 0);
    sandbox.pushHandler();
    exports.lua_rawgeti(state, REGISTRY, one.reference);
    if (this.#pushBoth(machinery, run, args, keyCount)) this.#start(machinery, run, 2);
  }

  /**
   * Calls the function that lies above the handler of errors, below its parameters; the reply is written when it is over, which
   * may be later.
   */
  #start(machinery: Machinery, run: ScriptRun, parameterCount: number): void {
    const { machine, sandbox, scripts } = machinery;
    const { clock, parameters, suspension, evaluator } = this.#engine;
    const { client } = run.call;
    const { busyReplyThreshold } = parameters.values;
    if (!run.isStraight) run.startedUs = clock.monotonicUs();
    // What a file has is run to its end: nobody is served before that.
    if (busyReplyThreshold > 0 && !client.isReplay && !run.isStraight) {
      run.nextPauseUs = run.startedUs + 1000 * busyReplyThreshold;
    }
    this.#running = run;
    scripts.begin(run);
    const outcome = run.isStraight
      ? machine.runStraight(sandbox.state, parameterCount, 1, 1)
      : machine.run(sandbox.state, parameterCount, 1, 1);
    if (typeof outcome === "number") return this.#end(machinery, run, outcome);
    suspension.begin(client);
    let status: number = Status.broken;
    suspension.later(() => this.#end(machinery, run, status));
    void outcome.then((ended) => {
      status = ended;
      evaluator.resume();
    });
  }

  /** Pushes a table of the keys and one of the other arguments; returns false, after an error reply, if there is no memory for them. */
  #pushBoth(machinery: Machinery, run: ScriptRun, args: Args, keyCount: number): boolean {
    let bytes = 0;
    for (let i = FIRST_KEY; i < args.count; i++) bytes += args.length(i) + ARGUMENT_BYTES;
    if (bytes > ARGUMENTS_BYTES_MAX) {
      run.call.reply.error(Errors.scriptArguments);
      return false;
    }
    machinery.sandbox.allowArguments(bytes);
    try {
      this.#pushArguments(machinery, args, FIRST_KEY, FIRST_KEY + keyCount);
      this.#pushArguments(machinery, args, FIRST_KEY + keyCount, args.count);
    } catch (error) {
      // Without memory Lua gives up where nothing catches its errors: nobody knows in which state.
      machinery.machine.failure = error;
      this.#logFailure(machinery.machine, run);
      this.#broken(machinery, run);
      return false;
    }
    return true;
  }

  /** Pushes a table of the arguments `first` to `end`. */
  #pushArguments({ machine, sandbox }: Machinery, args: Args, first: number, end: number): void {
    const { exports } = machine;
    const { state } = sandbox;
    exports.lua_createtable(state, end - first, 0);
    for (let i = first; i < end; i++) {
      machine.pushBytes(state, args.bytesOf(i), args.start(i), args.end(i));
      exports.lua_rawseti(state, -2, i - first + 1);
    }
  }

  #end(machinery: Machinery, run: ScriptRun, status: number): void {
    const { machine, sandbox, scripts, writer } = machinery;
    const { call } = run;
    writer.resp = scripts.client.reply.resp;
    this.#running = null;
    this.#engine.gates.busy = null;
    scripts.end();
    if (run.isKilled) machine.hookEvery(sandbox.state, HOOK_EVERY);
    // What the script has changed has been propagated by its commands.
    call.rewriteToNothing();
    call.isFailureCounted = true;
    if (status === Status.broken) return this.#broken(machinery, run);
    if (status === Status.ok) writer.write(sandbox.state, call.reply);
    else this.#failed(machinery, run);
    machine.exports.lua_settop(sandbox.state, 0);
    if (++this.#runs % RUNS_A_STEP === 0) {
      machine.exports.lua_gc(sandbox.state, Collect.step, RUNS_A_STEP);
    }
    if (machine.failure !== null) this.#logFailure(machine, run);
    if (machine.memoryBytes > this.#enoughBytes) this.#giveBack(machinery);
  }

  /** Replaces a machine whose values have gone, but not its memory. Functions keep theirs: their variables live in it. */
  #giveBack(machinery: Machinery): void {
    if (machinery !== this.#machinery) return;
    const { machine, sandbox } = machinery;
    this.#dropArguments(machinery);
    // Each collection halves a buffer in which Lua puts long strings together.
    for (let i = 0; i < COLLECTIONS; i++) machine.exports.lua_gc(sandbox.state, Collect.all, 0);
    const { memoryBytes } = machine;
    if (machine.usedBytes(sandbox.state) >= memoryBytes / 2) {
      // The cached scripts need it. To look again after every script would take longer than the scripts.
      this.#enoughBytes = 2 * memoryBytes;
      return;
    }
    this.#forgetMachinery();
    collectSoon();
  }

  /** KEYS and ARGV stay until the next script: they may be long. */
  #dropArguments({ machine, sandbox }: Machinery): void {
    const { exports } = machine;
    const { state } = sandbox;
    sandbox.pushGlobals();
    machine.protect(state, -1, false);
    for (const name of ["KEYS", "ARGV"]) {
      exports.lua_pushnil(state);
      exports.lua_setfield(state, -2, machine.name(name));
    }
    machine.protect(state, -1);
    exports.lua_settop(state, 0);
  }

  /** The machine is of no use any more: the next script gets a new one. */
  #broken(machinery: Machinery, run: ScriptRun): void {
    this.#engine.log.warning(`Script ${run.name} has broken the machine that ran it`);
    machinery.whenBroken();
    this.#engine.counters.countError(Errors.internal);
    run.call.reply.error(Errors.internal);
  }

  #forgetMachinery(): void {
    this.#machinery = null;
    this.#enoughBytes = KEPT_MEMORY_BYTES;
    for (const script of this.#cache.values()) script.place = 0;
  }

  /** Replies with the error on top of the stack. */
  #failed({ machine, sandbox }: Machinery, run: ScriptRun): void {
    const { state } = sandbox;
    const { reply } = run.call;
    if (!machine.isTable(state, -1)) {
      const why = machine.text(state, -1) ?? "";
      const error = errorReply(`ERR Error running script ${run.name}, ${cText(why)}`);
      this.#engine.counters.countError(error);
      return reply.error(error);
    }
    const field = (name: string): string | null => {
      machine.rawField(state, -1, name);
      const text = machine.text(state, -1);
      machine.pop(state, 1);
      return text;
    };
    const text = field("err") ?? "ERR unknown error";
    const source = field("source");
    const place = source === null ? "" : `, on ${cText(source)}:${field("line")}.`;
    const error = errorReply(`${cText(text)} script: ${run.name}${place}`);
    machine.rawField(state, -1, "ignore_error_stats_update");
    if (machine.exports.lua_toboolean(state, -1) === 0) this.#engine.counters.countError(error);
    reply.error(error);
  }

  /** A function of ours has failed while the script ran. */
  #logFailure(machine: LuaMachine, run: ScriptRun): void {
    const { failure } = machine;
    const text = failure instanceof Error ? failure.stack ?? failure.message : String(failure);
    this.#engine.log.warning(`A function that script ${run.name} has called failed: ${text}`);
    machine.failure = null;
  }
}

/** Has the memory of a machine freed that has just been replaced: not at once, since its functions are still being left. */
function collectSoon(): void {
  setTimeout(provokeCollection, 0);
}

/** What other clients are told while the script is suspended. */
function busyError(run: ScriptRun): ErrorReply {
  return run.isFunction ? Errors.busyFunction : Errors.busyScript;
}

/** The number of keys that EVAL is given; −1, after an error reply, if it is wrong. */
function keyCountOf({ args, reply }: Call): number {
  const count = args.integer(2);
  if (args.error !== null) reply.error(args.error);
  else if (count > args.count - FIRST_KEY) reply.error(Errors.numkeysTooLarge);
  else if (count < 0) reply.error(Errors.numkeysNegative);
  else return count;
  return -1;
}
