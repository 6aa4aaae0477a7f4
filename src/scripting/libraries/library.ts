/** What the libraries of scripts have in common: their functions, and how these raise errors. */
import { unreachable } from "../../lib/assert.ts";
import type { HostFunction, LuaMachine } from "../lua_machine.ts";

/** A table of functions for scripts: made once for a machine, then opened in each of its states. */
export interface Library {
  /** Pushes a new table with the library's functions. */
  open(state: number): void;
}

/** Functions as Lua knows them, in the order in which they were given. */
export type Functions = readonly (readonly [name: string, address: number])[];

export function addFunctions(
  machine: LuaMachine,
  functions: Readonly<Record<string, HostFunction>>,
): Functions {
  return Object.entries(functions).map(([name, f]) => [name, machine.addFunction(f)] as const);
}

/** Sets them as fields of the table on top. */
export function setFunctions(machine: LuaMachine, state: number, functions: Functions): void {
  for (const [name, address] of functions) {
    machine.exports.lua_pushcclosure(state, address, 0);
    machine.exports.lua_setfield(state, -2, machine.name(name));
  }
}

/** Sets a field of the table on top to a text. */
export function setText(machine: LuaMachine, state: number, name: string, text: string): void {
  machine.pushText(state, text);
  machine.exports.lua_setfield(state, -2, machine.name(name));
}

/** Raises an error as luaL_error does, with the place in the script in front. */
export function raise(machine: LuaMachine, state: number, text: string): never {
  machine.raise(state, text);
  machine.exports.lua_error(state);
  unreachable("lua_error does not return");
}

/** As Lua does when it has none. */
export function raiseNoMemory(machine: LuaMachine, state: number): never {
  machine.pushText(state, "not enough memory");
  machine.exports.lua_error(state);
  unreachable("lua_error does not return");
}

/** Raises "bad argument #1 to 'encode' (…)". */
export function refuseArgument(
  machine: LuaMachine,
  state: number,
  index: number,
  why: string,
): never {
  machine.pushText(state, why);
  machine.exports.luaL_argerror(state, index, machine.string(state, -1));
  unreachable("luaL_argerror does not return");
}

/** What C makes of a double that becomes an integer of 64 bits. */
export function toLong(value: number): number {
  return Math.abs(value) < 2 ** 63 ? Math.trunc(value) : -(2 ** 63);
}

/** What C makes of a double that becomes an int by way of one of 64 bits. */
export function toInt(value: number): number {
  return toLong(value) | 0;
}
