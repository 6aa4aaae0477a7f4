/**
 * A state of Lua in which scripts run: the libraries that Redis gives them, and nothing else. Globals can't be made or
 * changed, and all tables that scripts share are read-only, so that no script can leave anything behind for the next one.
 */
import { assert } from "../lib/assert.ts";
import { binaryBytes } from "../protocol/args.ts";
import { GLOBALS, REGISTRY, Status } from "./lua_constants.ts";
import type { HostFunction, LuaMachine } from "./lua_machine.ts";
import { Random } from "./random.ts";
import { isStraight } from "./straight_code.ts";
import { WideIntegers } from "./wide_integers.ts";

/**
 * Bytes that the values of one state may take, beside the keys and arguments of the running script. Redis has no such limit: there
 * a script can take all memory.
 */
const STATE_BYTES_MAX = 512 * 1024 * 1024;

/** What Lua's base library has and scripts must not use. */
const REMOVED = ["print", "dofile", "loadfile", "debug"];

/**
 * Lua's pcall gives a script the table of an error of ours; Redis's gives its text. The handler turns what ends a script into a
 * table that tells where it happened.
 */
const PRELUDE = `
local pcall, type, tostring, getinfo = pcall, type, tostring, debug.getinfo
local function textOf(ok, ...)
  if ok then return ok, ... end
  local err = ...
  if type(err) == "table" and err.err ~= nil then err = err.err end
  return false, err
end
function _G.pcall(f, ...)
  return textOf(pcall(f, ...))
end
function __redis__err__handler(err)
  local at
  for level = 2, 6 do
    at = getinfo(level, "Sl")
    if not at or (at.what ~= "C" and at.what ~= "tail" and at.source ~= "=?") then break end
  end
  if type(err) ~= "table" then err = {err = "ERR " .. tostring(err)} end
  if at then
    err.source = at.source
    err.line = at.currentline
  end
  return err
end
`;

export class Sandbox {
  readonly state: number;
  /** Places in the registry of the table of globals and of the handler of errors. */
  readonly #globals: number;
  readonly #handler: number;

  /**
   * `register` adds further tables to the globals, before all become read-only. As in Redis, scripts see the handler of errors,
   * and functions don't.
   */
  constructor(
    readonly machine: LuaMachine,
    register: (sandbox: Sandbox) => void,
    hidesHandler: boolean,
  ) {
    const { exports } = machine;
    this.state = machine.newState(STATE_BYTES_MAX);
    assert(this.state !== 0, "there is memory for a state");
    const { state } = this;
    for (const open of ["base", "table", "string", "math", "debug"] as const) {
      exports[`luaopen_${open}`](state);
    }
    exports.lua_settop(state, 0);
    this.#addRandom();
    new WideIntegers(machine, state);
    this.#runPrelude();
    for (const name of REMOVED) {
      exports.lua_pushnil(state);
      exports.lua_setfield(state, GLOBALS, machine.name(name));
    }
    register(this);
    exports.lua_getfield(state, GLOBALS, machine.name("__redis__err__handler"));
    this.#handler = exports.luaL_ref(state, REGISTRY);
    if (hidesHandler) {
      exports.lua_pushnil(state);
      exports.lua_setfield(state, GLOBALS, machine.name("__redis__err__handler"));
    }
    this.#protect();
    exports.lua_pushvalue(state, GLOBALS);
    this.#globals = exports.luaL_ref(state, REGISTRY);
    exports.lua_settop(state, 0);
  }

  #runPrelude(): void {
    const { machine, state } = this;
    const loaded = machine.load(state, binaryBytes(PRELUDE), 0, "=?");
    assert(loaded === Status.ok, "the prelude is right");
    const status = machine.exports.lua_pcall(state, 0, 0, 0);
    assert(status === Status.ok, "the prelude runs");
  }

  #addRandom(): void {
    const { machine, state } = this;
    const random = new Random(machine);
    machine.exports.lua_getfield(state, GLOBALS, machine.name("math"));
    machine.setFunction(state, -1, "random", (state) => random.random(state));
    machine.setFunction(state, -1, "randomseed", (state) => random.seed(state));
    machine.pop(state, 1);
  }

  /** Adds a global table with these functions. */
  addTable(name: string, functions: Readonly<Record<string, HostFunction>>): void {
    const { machine, state } = this;
    machine.exports.lua_createtable(state, 0, 0);
    for (const [key, f] of Object.entries(functions)) machine.setFunction(state, -1, key, f);
    machine.exports.lua_setfield(state, GLOBALS, machine.name(name));
  }

  /** Makes the globals, all tables among them, and the metatable of strings read-only. */
  #protect(): void {
    const { machine, state } = this;
    const { exports } = machine;
    exports.lua_pushvalue(state, GLOBALS);
    exports.lua_createtable(state, 0, 1);
    machine.setFunction(state, -1, "__index", (state) => this.#missing(state));
    machine.protect(state, -1);
    exports.lua_setmetatable(state, -2);
    for (exports.lua_pushnil(state); exports.lua_next(state, -2) !== 0; machine.pop(state, 1)) {
      if (machine.isTable(state, -1)) machine.protect(state, -1);
    }
    machine.pop(state, 1);
    machine.pushText(state, "");
    exports.lua_getmetatable(state, -1);
    machine.protect(state, -1);
    machine.pop(state, 2);
  }

  /** A global that there isn't is read. */
  #missing(state: number): number {
    const { machine } = this;
    if (machine.exports.lua_isstring(state, 2) === 0) {
      return machine.raise(
        state,
        "Second argument to luaProtectedTableError must be a string or number",
      );
    }
    const name = machine.text(state, 2) ?? "";
    return machine.raise(state, `Script attempted to access nonexistent global variable '${name}'`);
  }

  /** A script begins, whose keys and arguments take `bytes`. */
  allowArguments(bytes: number): void {
    this.machine.allow(this.state, STATE_BYTES_MAX, bytes);
  }

  /** Whether the function on top of the stack is over after a few instructions in any case. */
  isStraight(): boolean {
    return isStraight(this.machine, this.state);
  }

  /** Pushes the handler of errors. */
  pushHandler(): void {
    this.machine.exports.lua_rawgeti(this.state, REGISTRY, this.#handler);
  }

  /** Pushes the table of globals. A script may have called setfenv(0, …): that state of things ends here. */
  pushGlobals(): void {
    const { exports } = this.machine;
    exports.lua_rawgeti(this.state, REGISTRY, this.#globals);
    exports.lua_pushvalue(this.state, -1);
    exports.lua_replace(this.state, GLOBALS);
  }
}
