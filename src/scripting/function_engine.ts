/**
 * Loads the programs of libraries and calls their functions, in an interpreter that scripts do not share. It comes into being with
 * the first library and goes with the last, and so does its memory.
 */
import type { Call } from "../engine/call.ts";
import { assert } from "../lib/assert.ts";
import { cText } from "../lib/c_text.ts";
import { type ErrorReply, errorReply, Errors } from "../protocol/errors.ts";
import type { CompiledFunction, FunctionEngine } from "./function_store.ts";
import type { LuaHost } from "./lua_host.ts";
import { Decision, Status } from "./lua_constants.ts";
import type { FunctionMachinery } from "./machinery.ts";

/** What errors call a library's program. */
const CHUNK_NAME = "@user_function";
/** How long a library may take to load. */
const LOAD_MS = 500;

export class LuaFunctions implements FunctionEngine {
  readonly #host: LuaHost;
  #parts: FunctionMachinery | null = null;
  onReplaced: () => void = () => {};

  constructor(host: LuaHost) {
    this.#host = host;
  }

  get isReady(): boolean {
    return this.#host.isLoaded;
  }

  prepare(): Promise<void> {
    return this.#host.load();
  }

  get bytes(): number {
    return this.#parts === null ? 0 : this.#parts.machine.usedBytes(this.#parts.sandbox.state);
  }

  load(code: Uint8Array, start: number, isLimited: boolean): CompiledFunction[] | ErrorReply {
    const unavailable = this.#host.takeUnavailable();
    if (unavailable !== null) return unavailable;
    this.#parts ??= this.#host.newFunctionMachinery(() => this.#replace());
    const { sandbox, machine } = this.#parts;
    const status = machine.load(sandbox.state, code, start, CHUNK_NAME);
    if (status !== Status.ok) return this.#failed("ERR Error compiling function: ", "");
    const functions = this.#register(this.#parts, isLimited ? LOAD_MS : Infinity);
    if (functions instanceof Uint8Array) return functions;
    if (functions === null) return this.#failed("ERR Error registering functions: ", "ERR ");
    machine.exports.lua_settop(sandbox.state, 0);
    return functions;
  }

  /** Runs the program on top of the stack; returns what it has registered, or null and leaves the error on the stack. */
  #register(parts: FunctionMachinery, limitMs: number): CompiledFunction[] | ErrorReply | null {
    const { machine, sandbox, registrar, environment } = parts;
    const { decide } = machine;
    const end = performance.now() + limitMs;
    machine.decide = (state) => {
      if (performance.now() < end) return Decision.goOn;
      machine.pushText(state, "FUNCTION LOAD timeout");
      return Decision.raise;
    };
    environment.beginLoading();
    registrar.begin();
    const status = machine.run(sandbox.state, 0, 0);
    const functions = registrar.end();
    if (status !== Status.broken) environment.endLoading();
    machine.decide = decide;
    assert(typeof status === "number", "the loading of a library does not wait");
    if (status === Status.ok) return functions;
    if (status === Status.broken) {
      this.#replace();
      return Errors.internal;
    }
    this.release(functions);
    return null;
  }

  /** The machine is of no use any more: another one takes its place, in which all libraries are loaded again. */
  #replace(): void {
    this.#parts = null;
    this.onReplaced();
  }

  /** The error for what is on top of the stack: a text of Lua's, which gets the code, or a table of ours, which has one. */
  #failed(what: string, code: string): ErrorReply {
    assert(this.#parts !== null, "something has failed");
    const { machine, sandbox: { state } } = this.#parts;
    const isTable = machine.isTable(state, -1);
    if (isTable) machine.rawField(state, -1, "err");
    const text = cText(machine.text(state, -1) ?? "");
    machine.exports.lua_settop(state, 0);
    return errorReply(`${what}${isTable ? "" : code}${text}`);
  }

  release(functions: readonly CompiledFunction[]): void {
    if (this.#parts === null) return;
    const { registrar, sandbox } = this.#parts;
    for (const { reference } of functions) registrar.release(sandbox.state, reference);
  }

  clear(): void {
    this.#parts = null;
  }

  run(call: Call, one: CompiledFunction, keyCount: number, isReadOnly: boolean): void {
    assert(this.#parts !== null, "a function belongs to a library");
    this.#host.runFunction(this.#parts, call, one, keyCount, isReadOnly);
  }
}
