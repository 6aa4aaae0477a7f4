// hot path
/** The `struct` library: values to the bytes of C structures and back. */
import type { LuaMachine } from "../lua_machine.ts";
import {
  addFunctions,
  type Library,
  raise,
  raiseNoMemory,
  refuseArgument,
  setFunctions,
  toLong,
} from "./library.ts";
import type { Output } from "./output.ts";
import { code, Kind, StructFormat } from "./struct_format.ts";

const TWO_32 = 4294967296;
const TWO_63 = 2 ** 63;
const TWO_64 = 2 ** 64;
/** Bytes of the integers that values are computed with. */
const LONG_BYTES = 8;
/** Slots of Lua's stack that must be free for each letter. */
const SLOTS = 2;
const SMALL_A = code("a");

class Structs {
  readonly #machine: LuaMachine;
  readonly #output: Output;
  readonly #format: StructFormat;

  constructor(machine: LuaMachine, output: Output) {
    this.#machine = machine;
    this.#output = output;
    this.#format = new StructFormat(machine);
  }

  /** `struct.size(format)`: what values of fixed sizes take. */
  size(state: number): number {
    const format = this.#format;
    let total = 0;
    format.begin(state);
    while (format.next()) {
      total += format.paddingAt(total) + format.size;
      if (format.kind === Kind.text) this.#refuseUnsized(state, "s");
      if (format.kind === Kind.chars && format.size === 0) this.#refuseUnsized(state, "c0");
      if (!isAlphanumeric(format.letter)) format.control();
    }
    this.#machine.exports.lua_pushnumber(state, total);
    return 1;
  }

  #refuseUnsized(state: number, option: string): never {
    refuseArgument(this.#machine, state, 1, `option '${option}' has no fixed size`);
  }

  /** `struct.pack(format, …)`. */
  pack(state: number): number {
    const format = this.#format;
    const output = this.#output;
    format.begin(state);
    // A value that is missing is nil.
    this.#machine.exports.lua_pushnil(state);
    output.begin();
    try {
      let argument = 2;
      while (format.next()) {
        this.#fill(state, format.paddingAt(output.length));
        if (format.kind === Kind.padding) this.#fill(state, 1);
        else if (format.kind === Kind.other) format.control();
        else this.#packValue(state, argument++);
      }
      output.push(state);
    } finally {
      output.end();
    }
    return 1;
  }

  /** Writes NULs. */
  #fill(state: number, count: number): void {
    this.#reserve(state, count);
    const { at } = this.#output;
    for (let i = 0; i < count; i++) this.#machine.bytes[at + i] = 0;
    this.#output.at = at + count;
  }

  #packValue(state: number, index: number): void {
    const { exports } = this.#machine;
    const { kind } = this.#format;
    if (kind === Kind.integer) this.#packInteger(state, exports.luaL_checknumber(state, index));
    else if (kind === Kind.float) this.#packFloat(state, exports.luaL_checknumber(state, index));
    else this.#packString(state, index);
  }

  /** So many of its lower bytes; above 64 bits there are zeros, also for a negative one. */
  #packInteger(state: number, value: number): void {
    const { isBig, size } = this.#format;
    this.#reserve(state, size);
    const { bytes } = this.#machine;
    const { at } = this.#output;
    const whole = wholeOf(value);
    const high = Math.floor(whole / TWO_32);
    const low = whole - high * TWO_32;
    for (let i = 0; i < size; i++) {
      const word = i < 4 ? low : high;
      const byte = i < LONG_BYTES ? word >>> 8 * (i & 3) : 0;
      bytes[isBig ? at + size - 1 - i : at + i] = byte;
    }
    this.#output.at = at + size;
  }

  #packFloat(state: number, value: number): void {
    const { isBig, size } = this.#format;
    this.#reserve(state, size);
    const { view } = this.#machine;
    if (size === 4) view.setFloat32(this.#output.at, value, !isBig);
    else view.setFloat64(this.#output.at, value, !isBig);
    this.#output.at += size;
  }

  #packString(state: number, index: number): void {
    const machine = this.#machine;
    const { kind } = this.#format;
    const address = machine.checkString(state, index);
    const length = machine.stringLength();
    const size = this.#format.size === 0 ? length : this.#format.size;
    if (length < size) refuseArgument(machine, state, index + 1, "string too short");
    this.#reserve(state, size);
    machine.bytes.copyWithin(this.#output.at, address, address + size);
    this.#output.at += size;
    if (kind === Kind.text) this.#fill(state, 1);
  }

  #reserve(state: number, size: number): void {
    if (!this.#output.reserve(size)) raiseNoMemory(this.#machine, state);
  }

  /** `struct.unpack(format, data, position)`: the values, and the position behind them. */
  unpack(state: number): number {
    const machine = this.#machine;
    const { exports } = machine;
    const format = this.#format;
    format.begin(state);
    const start = machine.checkString(state, 2);
    const length = machine.stringLength();
    const position = toLong(exports.luaL_optnumber(state, 3, 1));
    if (position === 0) refuseArgument(machine, state, 3, "offset must be 1 or greater");
    let at = position - 1;
    let count = 0;
    while (format.next()) {
      if (at >= 0) at += format.paddingAt(at);
      this.#checkLength(state, at, format.size, length);
      if (exports.lua_checkstack(state, SLOTS) === 0) {
        raise(machine, state, "stack overflow (too many results)");
      }
      const isSized = format.kind === Kind.chars && format.size === 0;
      if (isSized) {
        format.size = this.#takeSize(state, count);
        count--;
        this.#checkLength(state, at, format.size, length);
      }
      if (format.kind === Kind.text) {
        format.size = this.#textSize(state, start + at, start + length);
      }
      if (format.kind === Kind.other) format.control();
      else if (format.kind !== Kind.padding) {
        this.#unpackValue(state, start + at);
        count++;
      }
      at += format.size;
    }
    exports.lua_pushnumber(state, at + 1);
    return count + 1;
  }

  #checkLength(state: number, at: number, size: number, length: number): void {
    if (at >= 0 && at + size <= length) return;
    refuseArgument(this.#machine, state, 2, "data string too short");
  }

  /** The size of "c0" is the value before it, which is none of the results. */
  #takeSize(state: number, count: number): number {
    const { exports } = this.#machine;
    if (count === 0 || exports.lua_isnumber(state, -1) === 0) {
      raise(this.#machine, state, "format 'c0' needs a previous size");
    }
    const size = wholeOf(exports.lua_tonumber(state, -1));
    exports.lua_settop(state, -2);
    return size < 0 ? Infinity : size;
  }

  /** How many bytes a text has, with the NUL at its end. */
  #textSize(state: number, at: number, end: number): number {
    const { bytes } = this.#machine;
    const nul = bytes.indexOf(0, at);
    if (nul < 0 || nul >= end) raise(this.#machine, state, "unfinished string in data");
    return nul + 1 - at;
  }

  #unpackValue(state: number, at: number): void {
    const { exports, view } = this.#machine;
    const { isBig, kind, size } = this.#format;
    if (kind === Kind.integer) exports.lua_pushnumber(state, this.#integerAt(at));
    else if (kind === Kind.float) {
      const value = size === 4 ? view.getFloat32(at, !isBig) : view.getFloat64(at, !isBig);
      exports.lua_pushnumber(state, value);
    } else exports.lua_pushlstring(state, at, kind === Kind.text ? size - 1 : size);
  }

  /** Of an integer with more than 64 bits, the lower 64. */
  #integerAt(at: number): number {
    const { isBig, letter, size } = this.#format;
    const { bytes } = this.#machine;
    let low = 0;
    let high = 0;
    for (let i = Math.min(size, LONG_BYTES) - 1; i >= 0; i--) {
      const byte = bytes[isBig ? at + size - 1 - i : at + i];
      if (i < 4) low = (low << 8) | byte;
      else high = (high << 8) | byte;
    }
    if (letter < SMALL_A || size === 0) return (high >>> 0) * TWO_32 + (low >>> 0);
    // Extends the sign. Beyond 64 bits the processor shifts by the lower six bits of the distance.
    const shift = (8 * size - 1) & 63;
    if (shift >= 32) {
      const mask = -1 << (shift - 32);
      if ((high & mask) !== 0) high |= mask;
    } else {
      const mask = -1 << shift;
      if ((low & mask) !== 0 || high !== 0) {
        low |= mask;
        high = -1;
      }
    }
    return high * TWO_32 + (low >>> 0);
  }
}

/** What C makes of a double that becomes an integer of 64 bits: without a sign from 2^63 on, 0 from 2^64 on. */
function wholeOf(value: number): number {
  return value >= TWO_63 ? (value < TWO_64 ? value : 0) : toLong(value);
}

/** What C's isalnum says of a byte. */
function isAlphanumeric(byte: number): boolean {
  const small = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (small >= 0x61 && small <= 0x7a);
}

export function structLibrary(machine: LuaMachine, output: Output): Library {
  const structs = new Structs(machine, output);
  const functions = addFunctions(machine, {
    pack: (state) => structs.pack(state),
    unpack: (state) => structs.unpack(state),
    size: (state) => structs.size(state),
  });
  return {
    open(state) {
      machine.exports.lua_createtable(state, 0, functions.length);
      setFunctions(machine, state, functions);
    },
  };
}
