// hot path
/** What the keys of a table say of the array that it may be. */
import { Type } from "../lua_constants.ts";
import type { LuaExports } from "../lua_exports.ts";

export class ArrayKeys {
  /** The largest key; one beyond `most` counts as 0. */
  largest = 0;
  count = 0;

  /** Reads the keys of the table on top; false if one of them is no whole number from 1 on. */
  read(exports: LuaExports, state: number, most: number): boolean {
    let largest = 0;
    let count = 0;
    exports.lua_pushnil(state);
    while (exports.lua_next(state, -2) !== 0) {
      const isNumber = exports.lua_type(state, -2) === Type.number;
      const index = isNumber ? exports.lua_tonumber(state, -2) : 0;
      if (index < 1 || Math.floor(index) !== index) {
        exports.lua_settop(state, -3);
        return false;
      }
      if (index > largest) largest = index > most ? 0 : index;
      count++;
      exports.lua_settop(state, -2);
    }
    this.largest = largest;
    this.count = count;
    return true;
  }
}
