// hot path
/**
 * A machine that runs Lua 5.1: an instance of Lua's WebAssembly module, its memory, and the ways in and out.
 *
 * The module has no glue of JavaScript. It imports three kinds of functions. Memory is grown and copied here. Errors go by way of
 * WebAssembly, too (bridge/*.wat), so that a script can be suspended anywhere, also inside pcall, coroutines and callbacks of
 * string.gsub: JSPI suspends no frame of JavaScript. All others are what C's library asks of an operating system: files, clocks,
 * time zones, other programs. Lua gets to those only by its libraries `io`, `os` and `package`, which are never opened, and by
 * print, dofile and loadfile, which sandbox.ts takes away; but a module must be given all that it imports, so these are given a
 * function that answers 0. The one question that is asked, when a machine begins, is that for the environment: it is empty.
 *
 * A function of the host gets a state and returns how many results it has pushed. It must not call Lua code
 * (`lua_call`, `lua_pcall`, metamethods by `lua_gettable` …): a loop in it could not be suspended.
 */
import { assert } from "../lib/assert.ts";
import { copyBytes } from "../lib/copy.ts";
import { binaryBytes, binaryText } from "../protocol/args.ts";
import { AFTER, BEFORE, FUNCTION, NARROW } from "./bridge/modules.ts";
import { Decision, REGISTRY, Status, Type } from "./lua_constants.ts";
import type { LuaExports } from "./lua_exports.ts";
import { FLAGS_AT, READ_ONLY, READ_ONLY_MASK, REFUSE_WRITE } from "./lua_patch.ts";

const MASK_LINE = 1 << 2;
const MASK_COUNT = 1 << 3;

/** A function that Lua calls: it returns the number of its results, or −1 to raise the value on top as an error. */
export type HostFunction = (state: number) => number;

interface BeforeExports {
  readonly slots: WebAssembly.Table;
  // deno-lint-ignore no-explicit-any -- TypeScript's library has no exception tags
  readonly longjmp: any;
  readonly invoke: () => void;
  readonly refuseWrite: () => void;
  readonly throwLongjmp: () => void;
}

interface AfterExports {
  readonly invoke: () => void;
  readonly refuseWrite: () => void;
  readonly hook: () => void;
  readonly allocate: () => void;
  readonly run: Run<void>;
}

type Run<Result> = (
  state: number,
  args: number,
  results: number,
  handler: number,
  status: number,
) => Result;

/** JSPI and exceptions, which TypeScript's library does not know yet. */
interface Jspi {
  // deno-lint-ignore no-explicit-any -- a class of any constructor, for instanceof
  readonly Exception: new (...args: any[]) => unknown;
  readonly Suspending: new (wait: () => Promise<void>) => WebAssembly.ImportValue;
  promising(run: Run<void>): Run<Promise<void>>;
}

const { Exception, Suspending, promising } = WebAssembly as unknown as Jspi;

/** Where Lua's struct Table has the address of its nodes: the keys that are not in its array. */
const NODES_AT = 16;

/**
 * Where Lua's structs have what is read without a call into Lua, which costs more than the reading: the first value of the
 * running function and the end of the stack, in a state; a value's type; a string's length and bytes.
 */
const TOP_AT = 8;
const BASE_AT = 12;
export const VALUE_BYTES = 16;
const TYPE_AT = 8;
const STRING_LENGTH_AT = 12;
const STRING_BYTES_AT = 16;

const READ_ONLY_ERROR = "Attempt to modify a readonly table";

/** A word for each multiple of 16 up to 256: after.wat. */
const LISTS_BYTES = 4 * 17;
const PAGE_BYTES = 64 * 1024;
/** Room for strings on their way into Lua's memory; longer ones get a block of their own. */
const TRANSIT_BYTES = 16 * 1024;
/** Words of Lua's memory that are ours: a string's length, the status of the last run. */
const LENGTH_AT = 0;
const STATUS_AT = 4;
const WORDS_BYTES = 8;
/** Stands for the status of a run that is not over. */
const UNDER_WAY = -1;
/** Two words before each state: the bytes that it uses, and how many it may use. */
const ACCOUNT_BYTES = 8;

export class LuaMachine {
  readonly exports: LuaExports;
  /** All of Lua's memory. Calls into Lua may replace both: read them again afterwards. */
  bytes!: Uint8Array;
  view!: DataView;
  /** Asked by the hook every so many instructions: what to do. For `raise` it has pushed the error. */
  decide: (state: number) => number = () => Decision.goOn;
  /** Called when a script is to wait: the promise ends the wait. */
  wait: () => Promise<void> = () => Promise.resolve();
  /** Whether a script has been suspended. */
  isWaiting = false;
  /** A failure of ours in a function that Lua has called; it became an error of the script. */
  failure: unknown = null;
  readonly #after: AfterExports;
  readonly #before: BeforeExports;
  /** What makes a function of the host one of Lua's. */
  readonly #adapter = moduleOf(FUNCTION);
  readonly #narrow = moduleOf(NARROW);
  readonly #words: number;
  readonly #transit: number;
  readonly #run: Run<Promise<void>>;
  readonly #hook: number;
  readonly #allocate: number;
  /** Constant strings in Lua's memory, each ended by a NUL, for `lua_setfield` and its kin. */
  readonly #names = new Map<string, number>();
  readonly #accounts = new Map<number, number>();
  /** The node that all tables without fields share. */
  #noNodes = 0;

  constructor(code: WebAssembly.Module) {
    this.#before = instantiate<BeforeExports>(moduleOf(BEFORE), {});
    this.exports = instantiate<LuaExports>(code, this.#imports(code));
    this.refresh();
    this.exports.__wasm_call_ctors();
    this.#words = this.allocate(WORDS_BYTES);
    this.#transit = this.allocate(TRANSIT_BYTES);
    this.#after = instantiate<AfterExports>(moduleOf(AFTER), {
      lua: this.exports as unknown as WebAssembly.ModuleImports,
      before: this.#before as unknown as WebAssembly.ModuleImports,
      host: {
        decide: (state: number) => this.decide(state),
        wait: new Suspending(() => this.#suspend()),
        text: this.name(READ_ONLY_ERROR),
        size: READ_ONLY_ERROR.length,
        lists: this.#emptyLists(),
      },
    });
    this.#before.slots.set(0, this.#after.invoke);
    this.#before.slots.set(1, this.#after.refuseWrite);
    this.#run = promising(this.#after.run);
    this.#hook = this.#slotFor(this.#after.hook);
    this.#allocate = this.#slotFor(this.#after.allocate);
  }

  /** Words in which the allocator keeps a list of free blocks for each small size. */
  #emptyLists(): number {
    const address = this.allocate(LISTS_BYTES);
    this.bytes.fill(0, address, address + LISTS_BYTES);
    return address;
  }

  async #suspend(): Promise<void> {
    this.isWaiting = true;
    await this.wait();
    this.isWaiting = false;
  }

  /** Lua's memory has grown: its buffer is another one. */
  refresh(): void {
    const { buffer } = this.exports.memory;
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  #imports(code: WebAssembly.Module): WebAssembly.Imports {
    const imports: Record<string, WebAssembly.ModuleImports> = {};
    // Those of an operating system stay so.
    for (const { module, name } of WebAssembly.Module.imports(code)) {
      imports[module] ??= {};
      imports[module][name] = () => 0;
    }
    Object.assign(imports.env, {
      invoke_vii: this.#before.invoke,
      [REFUSE_WRITE]: this.#before.refuseWrite,
      _emscripten_throw_longjmp: this.#before.throwLongjmp,
      exit: () => assert(false, "Lua does not end the process"),
      emscripten_memcpy_js: (to: number, from: number, size: number) => {
        this.bytes.copyWithin(to, from, from + size);
      },
      emscripten_resize_heap: (size: number) => this.#grow(size >>> 0),
    });
    return imports;
  }

  /** Makes the memory at least `size` bytes long; returns whether there was so much. */
  #grow(size: number): number {
    const { memory } = this.exports;
    try {
      memory.grow(Math.ceil((size - memory.buffer.byteLength) / PAGE_BYTES));
    } catch {
      return 0;
    }
    this.refresh();
    return 1;
  }

  /** Bytes of Lua's memory, which never shrinks. */
  get memoryBytes(): number {
    return this.bytes.length;
  }

  /** A block of Lua's memory outside all states. */
  allocate(size: number): number {
    const block = this.exports.malloc(size);
    assert(block !== 0, "there is memory for a small block");
    return block;
  }

  /** Makes `f` a function that Lua can call, once for each machine: returns what `lua_pushcclosure` takes. */
  addFunction(f: HostFunction): number {
    const guarded = (state: number): number => {
      try {
        return f(state);
      } catch (error) {
        return this.#failed(state, error);
      }
    };
    const adapter = instantiate<{ function: () => void }>(this.#adapter, {
      lua: this.exports as unknown as WebAssembly.ModuleImports,
      host: { function: guarded },
    });
    return this.#slotFor(adapter.function);
  }

  /** A function of the host has thrown: an error of Lua's (`luaL_error`) goes on its way, ours ends the script. */
  #failed(state: number, error: unknown): number {
    if (error instanceof Exception) throw error;
    this.failure = error;
    this.pushText(state, "internal error");
    return -1;
  }

  /**
   * Makes the function of Lua's C library at `slot` one that takes integers as C of 64 bits does: arguments `first` to `last`,
   * counted from 1, which are positions in a string or else ints, if it gets at least `least`. See bridge/narrow.wat.
   */
  narrowed(
    slot: number,
    first: number,
    last: number,
    isPosition: boolean,
    least: number,
  ): number {
    const adapter = instantiate<{ function: () => void }>(this.#narrow, {
      lua: this.exports as unknown as WebAssembly.ModuleImports,
      host: {
        slot,
        first: VALUE_BYTES * (first - 1),
        last: VALUE_BYTES * (last - 1),
        least: VALUE_BYTES * (least - 1),
        isPosition: isPosition ? 1 : 0,
      },
    });
    return this.#slotFor(adapter.function);
  }

  /** Adds all functions that a module of the bridge exports: returns their names, and what `lua_pushcclosure` takes. */
  addModule(base64: string): (readonly [name: string, address: number])[] {
    const functions = instantiate<Record<string, () => void>>(moduleOf(base64), {
      lua: this.exports as unknown as WebAssembly.ModuleImports,
    });
    return Object.entries(functions).map(([name, f]) => [name, this.#slotFor(f)] as const);
  }

  /** Puts a function into the table through which Lua calls functions; returns its place there. */
  #slotFor(f: () => void): number {
    const table = this.exports.__indirect_function_table;
    const slot = table.grow(1);
    table.set(slot, f);
    return slot;
  }

  /** A new state whose values may take `limit` bytes; 0 if there is no memory for one. It has no libraries. */
  newState(limit: number): number {
    const account = this.allocate(ACCOUNT_BYTES);
    this.view.setUint32(account, 0, true);
    this.view.setUint32(account + 4, limit, true);
    const state = this.exports.lua_newstate(this.#allocate, account);
    if (state === 0) this.exports.free(account);
    else this.#stateMade(state, account);
    return state;
  }

  #stateMade(state: number, account: number): void {
    const { exports } = this;
    this.#accounts.set(state, account);
    exports.lua_createtable(state, 0, 0);
    this.#noNodes = this.view.getInt32(exports.lua_topointer(state, -1) + NODES_AT, true);
    this.pushText(state, "layout");
    assert(this.argumentCount(state) === exports.lua_gettop(state), "states lie as in Lua 5.1");
    const value = this.argument(state, this.argumentCount(state) - 1);
    const start = this.string(state, -1);
    assert(this.typeAt(value) === Type.string && this.stringAt(value) === start, "values, too");
    assert(this.lengthOf(start) === this.stringLength(), "strings, too");
    this.pop(state, 2);
  }

  /** From now on the values of `state` may take `limit` bytes, or what they take now if that is more, and `more` besides. */
  allow(state: number, limit: number, more: number): void {
    const account = this.#accounts.get(state) ?? 0;
    const most = Math.max(limit, this.view.getUint32(account, true)) + more;
    this.view.setUint32(account + 4, Math.min(most, 2 ** 32 - 1), true);
  }

  /** Bytes of memory that a state made by `newState` uses. */
  usedBytes(state: number): number {
    return this.view.getUint32(this.#accounts.get(state) ?? 0, true);
  }

  /** Asks `decide` after every `count` instructions of `state` and its coroutines; with `lines` after every line, too. */
  hookEvery(state: number, count: number, lines = false): void {
    const mask = lines ? MASK_LINE | MASK_COUNT : MASK_COUNT;
    this.exports.lua_sethook(state, this.#hook, mask, count);
  }

  /** Makes the table at `index` read-only, or no longer so. */
  protect(state: number, index: number, isReadOnly = true): void {
    const at = this.exports.lua_topointer(state, index) + FLAGS_AT;
    const others = this.bytes[at] & ~READ_ONLY_MASK;
    this.bytes[at] = isReadOnly ? others | READ_ONLY : others;
  }

  /** Whether the table at `index` is read-only. */
  isReadOnly(state: number, index: number): boolean {
    const flags = this.bytes[this.exports.lua_topointer(state, index) + FLAGS_AT];
    return (flags & READ_ONLY_MASK) === READ_ONLY;
  }

  /**
   * Calls the function below its `args` arguments on the stack, as lua_pcall does; `handler` is the index of a function that
   * is given errors, or 0. Returns the status if it is over, and else a promise of it: then `wait` was called.
   */
  run(state: number, args: number, results: number, handler = 0): number | Promise<number> {
    const statusAt = this.#words + STATUS_AT;
    this.view.setInt32(statusAt, UNDER_WAY, true);
    const ended = this.#run(state, args, results, handler, statusAt);
    const status = this.view.getInt32(statusAt, true);
    if (status !== UNDER_WAY) return status;
    const outcome = ended.then(
      () => this.view.getInt32(statusAt, true),
      (error) => this.#broke(error),
    );
    return this.isWaiting ? outcome : Status.broken;
  }

  /** WebAssembly itself has failed, for want of stack perhaps: nobody knows in which state. */
  #broke(error: unknown): number {
    this.failure = error;
    return Status.broken;
  }

  /** As `run`, for code that is over soon in any case and so is never suspended: without what suspending costs. */
  runStraight(state: number, args: number, results: number, handler: number): number {
    try {
      return this.exports.lua_pcall(state, args, results, handler);
    } catch (error) {
      return this.#broke(error);
    }
  }

  /** The address of a constant text (ASCII) in Lua's memory, with a NUL behind it. For names that are not many. */
  name(text: string): number {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    const address = this.allocate(text.length + 1);
    for (let i = 0; i < text.length; i++) this.bytes[address + i] = text.charCodeAt(i);
    this.bytes[address + text.length] = 0;
    this.#names.set(text, address);
    return address;
  }

  /** Pushes a string of `bytes[start, end)`. */
  pushBytes(state: number, bytes: Uint8Array, start: number, end: number): void {
    const size = end - start;
    const block = this.#roomFor(size);
    copyBytes(bytes, start, end, this.bytes, block);
    this.#pushBlock(state, block, size);
  }

  /** Pushes a string of characters 0 to 255. */
  pushText(state: number, text: string): void {
    const size = text.length;
    const block = this.#roomFor(size);
    const { bytes } = this;
    for (let i = 0; i < size; i++) bytes[block + i] = text.charCodeAt(i);
    this.#pushBlock(state, block, size);
  }

  /** Pushes an error as redis.call raises it: a table with the text. */
  pushError(state: number, text: string): void {
    this.exports.lua_createtable(state, 0, 1);
    this.pushText(state, text);
    this.exports.lua_setfield(state, -2, this.name("err"));
  }

  /** Where a string of `size` bytes can be put together. Throws, as when V8 has no memory, if there is none. */
  #roomFor(size: number): number {
    if (size <= TRANSIT_BYTES) return this.#transit;
    const block = this.exports.malloc(size);
    if (block === 0) throw new RangeError("Array buffer allocation failed");
    return block;
  }

  #pushBlock(state: number, block: number, size: number): void {
    try {
      this.exports.lua_pushlstring(state, block, size);
    } finally {
      if (block !== this.#transit) this.exports.free(block);
    }
  }

  /** Compiles `code` from `start` on; pushes the function, or the error. Returns the status. Errors call the code `name`. */
  load(state: number, code: Uint8Array, start: number, name: string): number {
    const chunk = this.name(name);
    const size = code.length - start;
    const block = this.#roomFor(size);
    copyBytes(code, start, code.length, this.bytes, block);
    const status = this.exports.luaL_loadbuffer(state, block, size, chunk);
    if (block !== this.#transit) this.exports.free(block);
    return status;
  }

  /** How many arguments the running host function has. */
  argumentCount(state: number): number {
    return (this.view.getUint32(state + TOP_AT, true) -
      this.view.getUint32(state + BASE_AT, true)) /
      VALUE_BYTES;
  }

  /** The address of argument `index` of the running host function, counted from 0; Lua may move it when it is called. */
  argument(state: number, index: number): number {
    return this.view.getUint32(state + BASE_AT, true) + index * VALUE_BYTES;
  }

  /** The type of the value at an address. */
  typeAt(value: number): number {
    return this.view.getInt32(value + TYPE_AT, true);
  }

  /** Where the bytes of the string begin that is the value at an address. */
  stringAt(value: number): number {
    return this.view.getUint32(value, true) + STRING_BYTES_AT;
  }

  /** The length of a string whose bytes begin at `start`. */
  lengthOf(start: number): number {
    return this.view.getUint32(start - STRING_BYTES_AT + STRING_LENGTH_AT, true);
  }

  isTable(state: number, index: number): boolean {
    return this.exports.lua_type(state, index) === Type.table;
  }

  /**
   * The address of the string at `index`, 0 if there is none; a number becomes a string, on the stack, too. Its length is
   * `stringLength()` until the next call.
   */
  string(state: number, index: number): number {
    return this.exports.lua_tolstring(state, index, this.#words + LENGTH_AT);
  }

  /** As `string`, of an argument that must be a string or a number: raises an error if it is not. */
  checkString(state: number, index: number): number {
    return this.exports.luaL_checklstring(state, index, this.#words + LENGTH_AT);
  }

  /** The length of the string that `string` or `checkString` has found last. */
  stringLength(): number {
    return this.view.getUint32(this.#words + LENGTH_AT, true);
  }

  /** The string at `index` as characters 0 to 255; null if there is none. */
  text(state: number, index: number): string | null {
    const address = this.string(state, index);
    if (address === 0) return null;
    return binaryText(this.bytes, address, address + this.stringLength());
  }

  /** Pushes field `name` of the table at `index`, whatever its metatable says; returns the value's type. */
  rawField(state: number, index: number, name: string): number {
    const { exports } = this;
    exports.lua_pushlstring(state, this.name(name), name.length);
    exports.lua_rawget(state, index < 0 && index > REGISTRY ? index - 1 : index);
    return exports.lua_type(state, -1);
  }

  /** Whether the table at `index` has keys besides those of an array. A table that never had any shares one empty node. */
  hasFields(state: number, index: number): boolean {
    const table = this.exports.lua_topointer(state, index);
    return this.view.getInt32(table + NODES_AT, true) !== this.#noNodes;
  }

  /**
   * Raises an error from a host function: with the name and line of the Lua code that called it, as luaL_error. Returns
   * what the function must return.
   */
  raise(state: number, text: string): number {
    this.exports.luaL_where(state, 1);
    this.pushText(state, text);
    this.exports.lua_concat(state, 2);
    return -1;
  }

  /** Sets field `name` of the table at `index` to a host function. */
  setFunction(state: number, index: number, name: string, f: HostFunction): void {
    const { exports } = this;
    const table = index < 0 && index > REGISTRY ? index - 1 : index;
    exports.lua_pushcclosure(state, this.addFunction(f), 0);
    exports.lua_setfield(state, table, this.name(name));
  }

  /** Takes off the top `count` values. */
  pop(state: number, count: number): void {
    this.exports.lua_settop(state, -count - 1);
  }
}

function instantiate<Exports>(code: WebAssembly.Module, imports: WebAssembly.Imports): Exports {
  return new WebAssembly.Instance(code, imports).exports as unknown as Exports;
}

function moduleOf(base64: string): WebAssembly.Module {
  return new WebAssembly.Module(binaryBytes(atob(base64)));
}
