/**
 * What the programs of libraries see as global. All of them share one table, which is empty and read-only; what is looked up in
 * it comes from its metatable. While a library is loaded, that is a table with nothing but `redis`, in which are
 * redis.register_function and what loading may use besides; at all other times it is the sandbox that scripts have. So a
 * library's functions, too, see the one while it is loaded and the other when they are called.
 */
import { GLOBALS, REGISTRY } from "./lua_constants.ts";
import type { HostFunction } from "./lua_machine.ts";
import type { Sandbox } from "./sandbox.ts";

/** What `redis` has while a library is loaded, beside register_function. */
const LOADING_FIELDS = [
  ...["log", "LOG_DEBUG", "LOG_VERBOSE", "LOG_NOTICE", "LOG_WARNING"],
  ...["REDIS_VERSION", "REDIS_VERSION_NUM"],
];

export class LibraryEnvironment {
  readonly #sandbox: Sandbox;
  /** References of the registry: the table, its metatable, and what is seen while a library is loaded. */
  readonly #table: number;
  readonly #metatable: number;
  readonly #loading: number;

  constructor(sandbox: Sandbox, register: HostFunction) {
    const { machine, state } = sandbox;
    const { exports } = machine;
    this.#sandbox = sandbox;
    this.#loading = this.#makeLoading(register);
    exports.lua_createtable(state, 0, 0);
    exports.lua_createtable(state, 0, 1);
    exports.lua_pushvalue(state, -1);
    this.#metatable = exports.luaL_ref(state, REGISTRY);
    exports.lua_setmetatable(state, -2);
    machine.protect(state, -1);
    this.#table = exports.luaL_ref(state, REGISTRY);
    this.endLoading();
  }

  /** Makes {redis = {…}}; returns its reference. */
  #makeLoading(register: HostFunction): number {
    const { machine, state } = this.#sandbox;
    const { exports } = machine;
    exports.lua_createtable(state, 0, 1);
    exports.lua_createtable(state, 0, LOADING_FIELDS.length + 1);
    machine.setFunction(state, -1, "register_function", register);
    exports.lua_getfield(state, GLOBALS, machine.name("redis"));
    for (const name of LOADING_FIELDS) {
      exports.lua_getfield(state, -1, machine.name(name));
      exports.lua_setfield(state, -3, machine.name(name));
    }
    machine.pop(state, 1);
    this.#protect();
    exports.lua_setfield(state, -2, machine.name("redis"));
    this.#protect();
    return exports.luaL_ref(state, REGISTRY);
  }

  /** Makes the table on top of the stack as the sandbox's globals: read-only, and what it lacks is an error. */
  #protect(): void {
    const { machine, state } = this.#sandbox;
    machine.exports.lua_getmetatable(state, GLOBALS);
    machine.exports.lua_setmetatable(state, -2);
    machine.protect(state, -1);
  }

  /** Has look-ups go to the table on top of the stack, and takes that off. */
  #lookIn(): void {
    const { machine, state } = this.#sandbox;
    const { exports } = machine;
    exports.lua_rawgeti(state, REGISTRY, this.#metatable);
    machine.protect(state, -1, false);
    exports.lua_insert(state, -2);
    exports.lua_setfield(state, -2, machine.name("__index"));
    machine.protect(state, -1);
    machine.pop(state, 1);
  }

  /** A library's program is on top of the stack: gives it the environment, as it is while a library is loaded. */
  beginLoading(): void {
    const { machine, state } = this.#sandbox;
    machine.exports.lua_rawgeti(state, REGISTRY, this.#table);
    machine.exports.lua_setfenv(state, -2);
    machine.exports.lua_rawgeti(state, REGISTRY, this.#loading);
    this.#lookIn();
  }

  endLoading(): void {
    this.#sandbox.pushGlobals();
    this.#lookIn();
  }
}
