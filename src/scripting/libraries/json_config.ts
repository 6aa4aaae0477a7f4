/**
 * What a script has set of cjson: one block of Lua's memory for each `cjson` table (`cjson.new` makes another), which its
 * functions have as their upvalue. Lua collects it with them.
 */
import { PRECISION_MAX } from "../../lib/precision_text.ts";
import { GLOBALS, Type } from "../lua_constants.ts";
import type { HostFunction, LuaMachine } from "../lua_machine.ts";
import { refuseArgument, toInt } from "./library.ts";

/** The index of a function's first upvalue: lua_upvalueindex(1). */
const UPVALUE = GLOBALS - 1;

/** The settings, in words of 32 bits. */
export const Setting = {
  /** Whether a table that is too sparse for an array becomes an object. */
  convertSparse: 0,
  /** A table is too sparse if its largest index exceeds this multiple of the number of its elements … */
  sparseRatio: 4,
  /** … and this number. */
  sparseSafe: 8,
  encodeMaxDepth: 12,
  decodeMaxDepth: 16,
  numberPrecision: 20,
  keepBuffer: 24,
  /** Whether infinities and NaN are errors (0), written as such (1), or as null (2). */
  encodeInvalid: 28,
  decodeInvalid: 32,
} as const;

const SETTINGS_BYTES = 36;

export const Invalid = { refused: 0, written: 1, asNull: 2 } as const;

/** Their values in a new table, in the order in which they lie. */
const DEFAULTS = [0, 2, 10, 1000, 1000, 14, 1, Invalid.refused, 1];

/** Pushes a block with the defaults. */
export function pushSettings(machine: LuaMachine, state: number): void {
  writeDefaults(machine, machine.exports.lua_newuserdata(state, SETTINGS_BYTES));
}

function writeDefaults(machine: LuaMachine, address: number): void {
  DEFAULTS.forEach((value, i) => machine.view.setInt32(address + 4 * i, value, true));
}

/** Gives the functions of the table on top the defaults again. */
export function resetSettings(machine: LuaMachine, state: number): void {
  const { exports } = machine;
  exports.lua_getfield(state, -1, machine.name("encode"));
  exports.lua_getupvalue(state, -1, 1);
  writeDefaults(machine, exports.lua_touserdata(state, -1));
  machine.pop(state, 2);
}

/** The address of the settings that the running function has. */
export function settingsOf(machine: LuaMachine, state: number): number {
  return machine.exports.lua_touserdata(state, UPVALUE);
}

const INT_MAX = 0x7fffffff;
/** The words for a setting that is no number, in the order of its values. */
const SWITCH = ["off", "on"];
const INVALID = ["off", "on", "null"];

/** The functions that change settings. They return the new values, or what they are without an argument. */
export function settingFunctions(machine: LuaMachine): Record<string, HostFunction> {
  const functions = new SettingFunctions(machine);
  return {
    encode_sparse_array: (state) => functions.sparseArray(state),
    encode_max_depth: (state) => functions.number(state, Setting.encodeMaxDepth, INT_MAX),
    decode_max_depth: (state) => functions.number(state, Setting.decodeMaxDepth, INT_MAX),
    encode_number_precision: (state) =>
      functions.number(state, Setting.numberPrecision, PRECISION_MAX),
    encode_keep_buffer: (state) => functions.word(state, Setting.keepBuffer, SWITCH),
    encode_invalid_numbers: (state) => functions.word(state, Setting.encodeInvalid, INVALID),
    decode_invalid_numbers: (state) => functions.word(state, Setting.decodeInvalid, SWITCH),
  };
}

class SettingFunctions {
  readonly #machine: LuaMachine;

  constructor(machine: LuaMachine) {
    this.#machine = machine;
  }

  /** A setting from 1 to `most`. */
  number(state: number, setting: number, most: number): number {
    this.#take(state, 1);
    this.#answerNumber(state, 1, setting, 1, most);
    return 1;
  }

  word(state: number, setting: number, words: readonly string[]): number {
    this.#take(state, 1);
    this.#answerWord(state, 1, setting, words);
    return 1;
  }

  sparseArray(state: number): number {
    this.#take(state, 3);
    this.#answerWord(state, 1, Setting.convertSparse, SWITCH);
    this.#answerNumber(state, 2, Setting.sparseRatio, 0, INT_MAX);
    this.#answerNumber(state, 3, Setting.sparseSafe, 0, INT_MAX);
    return 3;
  }

  /** Refuses too many arguments; those that are missing are nil. */
  #take(state: number, count: number): void {
    const { exports } = this.#machine;
    if (exports.lua_gettop(state) > count) {
      refuseArgument(this.#machine, state, count + 1, "found too many arguments");
    }
    exports.lua_settop(state, count);
  }

  /** Sets a number to argument `index` unless that is nil, and pushes it. */
  #answerNumber(state: number, index: number, setting: number, least: number, most: number): void {
    const { exports } = this.#machine;
    if (exports.lua_type(state, index) !== Type.nil) {
      const value = toInt(exports.luaL_checknumber(state, index));
      if (value < least || value > most) {
        const why = `expected integer between ${least} and ${most}`;
        refuseArgument(this.#machine, state, 1, why);
      }
      this.#set(state, setting, value);
    }
    exports.lua_pushnumber(state, this.#get(state, setting));
  }

  /** Sets what has words to argument `index` unless that is nil, and pushes it: a boolean, or a word that is none. */
  #answerWord(state: number, index: number, setting: number, words: readonly string[]): void {
    const { exports } = this.#machine;
    const type = exports.lua_type(state, index);
    if (type === Type.boolean) this.#set(state, setting, exports.lua_toboolean(state, index));
    else if (type !== Type.nil) this.#set(state, setting, this.#indexOf(state, index, words));
    const value = this.#get(state, setting);
    if (value < SWITCH.length) exports.lua_pushboolean(state, value);
    else this.#machine.pushText(state, words[value]);
  }

  #indexOf(state: number, index: number, words: readonly string[]): number {
    this.#machine.checkString(state, index);
    // A NUL ends it, as it ends a string of C.
    const [text] = (this.#machine.text(state, index) ?? "").split("\0");
    const found = words.indexOf(text);
    if (found < 0) refuseArgument(this.#machine, state, index, `invalid option '${text}'`);
    return found;
  }

  #get(state: number, setting: number): number {
    return this.#machine.view.getInt32(settingsOf(this.#machine, state) + setting, true);
  }

  #set(state: number, setting: number, value: number): void {
    this.#machine.view.setInt32(settingsOf(this.#machine, state) + setting, value, true);
  }
}
