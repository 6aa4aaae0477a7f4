/**
 * redis.register_function, which a library calls while it is loaded: with a name and a function, or with a table of named
 * arguments.
 */
import { SCRIPT_FLAG_NAMES } from "../engine/script_flags.ts";
import { assert } from "../lib/assert.ts";
import type { CompiledFunction } from "./function_store.ts";
import { isLibraryName } from "./library_header.ts";
import { REGISTRY, Type } from "./lua_constants.ts";
import type { LuaMachine } from "./lua_machine.ts";

const CALL = "redis.register_function";

/** What a call has said so far. */
interface Draft {
  name: string | null;
  description: string | null;
  /** 0: none yet. The registry keeps Lua's function under it. */
  reference: number;
  flags: number;
}

export class Registrar {
  readonly #machine: LuaMachine;
  /** What the library has registered so far; null while none is loaded. */
  #registered: CompiledFunction[] | null = null;

  constructor(machine: LuaMachine) {
    this.#machine = machine;
  }

  /** A library begins to load. */
  begin(): void {
    assert(this.#registered === null, "one library is loaded at a time");
    this.#registered = [];
  }

  /** It is loaded, or its loading has failed; returns what it has registered. */
  end(): CompiledFunction[] {
    const registered = this.#registered;
    assert(registered !== null, "what ends has begun");
    this.#registered = null;
    return registered;
  }

  /** Lua calls redis.register_function, with its arguments on the stack of `state`; returns an error text or null. */
  call(state: number): string | null {
    if (this.#registered === null) return `ERR ${CALL} can only be called on FUNCTION LOAD command`;
    const draft: Draft = { name: null, description: null, reference: 0, flags: 0 };
    const error = this.#read(state, draft) ?? this.#check(draft);
    if (error === null) {
      this.#registered.push({ ...draft, name: draft.name ?? "" });
      return null;
    }
    this.release(state, draft.reference);
    return `ERR ${error}`;
  }

  /** Drops the registry's reference to a function. */
  release(state: number, reference: number): void {
    if (reference !== 0) this.#machine.exports.luaL_unref(state, REGISTRY, reference);
  }

  #read(state: number, draft: Draft): string | null {
    const { exports } = this.#machine;
    const count = exports.lua_gettop(state);
    if (count === 1) return this.#readNamed(state, draft);
    if (count !== 2) return `wrong number of arguments to ${CALL}`;
    draft.name = this.#machine.text(state, 1);
    if (draft.name === null) return `first argument to ${CALL} must be a string`;
    if (exports.lua_type(state, 2) !== Type.function) {
      return `second argument to ${CALL} must be a function`;
    }
    draft.reference = this.#keep(state, 2);
    return null;
  }

  /** Has the registry keep the function at `index`. */
  #keep(state: number, index: number): number {
    const { exports } = this.#machine;
    exports.lua_pushvalue(state, index);
    return exports.luaL_ref(state, REGISTRY);
  }

  #readNamed(state: number, draft: Draft): string | null {
    const { exports } = this.#machine;
    if (exports.lua_type(state, 1) !== Type.table) {
      return `calling ${CALL} with a single argument is only applicable to Lua table (representing named arguments).`;
    }
    exports.lua_pushnil(state);
    while (exports.lua_next(state, 1) !== 0) {
      const error = this.#readField(state, draft);
      if (error !== null) return error;
      this.#machine.pop(state, 1);
    }
    if (draft.name === null) return `${CALL} must get a function name argument`;
    if (draft.reference === 0) return `${CALL} must get a callback argument`;
    return null;
  }

  /** Reads the named argument whose name and value are on top of the stack. */
  #readField(state: number, draft: Draft): string | null {
    const { exports } = this.#machine;
    const keyType = exports.lua_type(state, -2);
    // A number that is read as text becomes one in the table's walk, which then would not go on.
    if (keyType === Type.number) return `unknown argument given to ${CALL}`;
    if (keyType !== Type.string) return `named argument key given to ${CALL} is not a string`;
    const key = this.#machine.text(state, -2)?.toLowerCase();
    const given = `${key} argument given to ${CALL} must be a`;
    if (key === "function_name") {
      draft.name = this.#machine.text(state, -1);
      return draft.name === null ? `${given} string` : null;
    }
    if (key === "description") {
      draft.description = this.#machine.text(state, -1);
      return draft.description === null ? `${given} string` : null;
    }
    if (key === "callback") {
      if (exports.lua_type(state, -1) !== Type.function) return `${given} function`;
      this.release(state, draft.reference);
      draft.reference = this.#keep(state, -1);
      return null;
    }
    return key === "flags" ? this.#readFlags(state, draft) : `unknown argument given to ${CALL}`;
  }

  /** Reads the table of flags on top of the stack. */
  #readFlags(state: number, draft: Draft): string | null {
    const { exports } = this.#machine;
    if (exports.lua_type(state, -1) !== Type.table) {
      return `flags argument to ${CALL} must be a table representing function flags`;
    }
    draft.flags = 0;
    for (let i = 1;; i++) {
      exports.lua_rawgeti(state, -1, i);
      const type = exports.lua_type(state, -1);
      const name = type === Type.string ? this.#machine.text(state, -1)?.toLowerCase() : "";
      this.#machine.pop(state, 1);
      if (type === Type.nil) return null;
      const flag = SCRIPT_FLAG_NAMES.get(name ?? "");
      if (flag === undefined) return "unknown flag given";
      draft.flags |= flag;
    }
  }

  #check({ name }: Draft): string | null {
    assert(name !== null, "a function without name was refused");
    if (!isLibraryName(name)) {
      return "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long";
    }
    const isKnown = this.#registered?.some((other) => other.name === name) ?? false;
    return isKnown ? "Function already exists in the library" : null;
  }
}
