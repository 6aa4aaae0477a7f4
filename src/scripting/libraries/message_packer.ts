// hot path
/**
 * `cmsgpack.pack`: writes values in MessagePack's format to a buffer in Lua's memory, each number in the shortest form that holds
 * it. A table with the keys 1 to n and no others is an array. What is nested more than 16 tables deep is written as nil, and so is
 * what the format has no form for.
 */
import { Type } from "../lua_constants.ts";
import type { LuaMachine } from "../lua_machine.ts";
import { ArrayKeys } from "./array_keys.ts";
import { raise, raiseNoMemory, refuseArgument } from "./library.ts";
import type { Output } from "./output.ts";

const NESTING_MAX = 16;
/** A marker and a number of 64 bits. */
const NUMBER_BYTES_MAX = 9;
const TWO_32 = 4294967296;
const TWO_63 = 2 ** 63;

const FIX_MAP = 0x80;
const FIX_ARRAY = 0x90;
const FIX_TEXT = 0xa0;
const FIX_COUNT = 16;
const FIX_TEXT_COUNT = 32;
const NIL = 0xc0;
const FALSE = 0xc2;
const TRUE = 0xc3;
const FLOAT_32 = 0xca;
const FLOAT_64 = 0xcb;
/** And of 16, 32 and 64 bits: the markers that follow. */
const UNSIGNED_8 = 0xcc;
const SIGNED_8 = 0xd0;
const TEXT_8 = 0xd9;
const ARRAY_16 = 0xdc;
const MAP_16 = 0xde;

export class MessagePacker {
  readonly #machine: LuaMachine;
  readonly #output: Output;
  readonly #keys = new ArrayKeys();
  #state = 0;
  /** Values that are written: in Redis the text of each takes a slot of Lua's stack. */
  #done = 0;

  constructor(machine: LuaMachine, output: Output) {
    this.#machine = machine;
    this.#output = output;
  }

  /** The function for Lua. */
  pack(state: number): number {
    const { exports } = this.#machine;
    const count = exports.lua_gettop(state);
    if (count === 0) refuseArgument(this.#machine, state, 0, "MessagePack pack needs input.");
    if (exports.lua_checkstack(state, count) === 0) {
      refuseArgument(this.#machine, state, 0, "Too many arguments for MessagePack pack.");
    }
    this.#state = state;
    this.#output.begin();
    try {
      for (let i = 1; i <= count; i++) {
        this.#done = i - 1;
        exports.lua_pushvalue(state, i);
        this.#write(0);
        exports.lua_settop(state, count);
      }
      this.#output.push(state);
    } finally {
      this.#output.end();
    }
    return 1;
  }

  /** Writes the value on top, which is `depth` tables deep. */
  #write(depth: number): void {
    const machine = this.#machine;
    const { exports } = machine;
    const type = exports.lua_type(this.#state, -1);
    if (type === Type.string) {
      const address = machine.string(this.#state, -1);
      this.#writeString(address, machine.stringLength());
    } else if (type === Type.number) this.#writeNumber(exports.lua_tonumber(this.#state, -1));
    else if (type === Type.boolean) {
      this.#put(exports.lua_toboolean(this.#state, -1) === 0 ? FALSE : TRUE);
    } else if (type === Type.table && depth < NESTING_MAX) this.#writeTable(depth + 1);
    else this.#put(NIL);
  }

  #writeTable(depth: number): void {
    const { exports } = this.#machine;
    const state = this.#state;
    this.#checkStack(2, "in function table_is_an_array");
    const length = this.#arrayLength();
    if (length >= 0) {
      this.#writeCount(length, FIX_ARRAY, ARRAY_16);
      for (let i = 1; i <= length; i++) {
        exports.lua_rawgeti(state, -1, i);
        this.#write(depth);
        exports.lua_settop(state, -2);
      }
      return;
    }
    this.#checkStack(3, "in function mp_encode_lua_table_as_map");
    this.#writeCount(this.#entryCount(), FIX_MAP, MAP_16);
    exports.lua_pushnil(state);
    while (exports.lua_next(state, -2) !== 0) {
      exports.lua_pushvalue(state, -2);
      this.#write(depth);
      exports.lua_settop(state, -2);
      this.#write(depth);
      exports.lua_settop(state, -2);
    }
  }

  #checkStack(slots: number, where: string): void {
    if (this.#machine.exports.lua_checkstack(this.#state, slots + this.#done) !== 0) return;
    raise(this.#machine, this.#state, `stack overflow (${where})`);
  }

  /** The number of elements of the table on top; −1 if it is no array. */
  #arrayLength(): number {
    if (!this.#keys.read(this.#machine.exports, this.#state, Infinity)) return -1;
    const { largest, count } = this.#keys;
    return largest === count ? count : -1;
  }

  #entryCount(): number {
    const { exports } = this.#machine;
    let count = 0;
    exports.lua_pushnil(this.#state);
    while (exports.lua_next(this.#state, -2) !== 0) {
      count++;
      exports.lua_settop(this.#state, -2);
    }
    return count;
  }

  /** The head of an array or a map. */
  #writeCount(count: number, fix: number, marker: number): void {
    if (count < FIX_COUNT) this.#put(fix | count);
    else if (count <= 0xffff) this.#writeUnsigned(marker, 2, count);
    else this.#writeUnsigned(marker + 1, 4, count);
  }

  #writeString(address: number, length: number): void {
    if (length < FIX_TEXT_COUNT) this.#put(FIX_TEXT | length);
    else if (length <= 0xff) this.#writeUnsigned(TEXT_8, 1, length);
    else if (length <= 0xffff) this.#writeUnsigned(TEXT_8 + 1, 2, length);
    else this.#writeUnsigned(TEXT_8 + 2, 4, length);
    this.#reserve(length);
    const { bytes } = this.#machine;
    const output = this.#output;
    if (length > 24) {
      bytes.copyWithin(output.at, address, address + length);
      output.at += length;
      return;
    }
    let { at } = output;
    for (let i = 0; i < length; i++) bytes[at++] = bytes[address + i];
    output.at = at;
  }

  #writeNumber(value: number): void {
    const isInteger = Math.floor(value) === value && value >= -TWO_63 && value < TWO_63;
    if (!isInteger) this.#writeFloat(value);
    else if (value < 0) this.#writeNegative(value);
    else if (value < 0x80) this.#put(value);
    else if (value <= 0xff) this.#writeUnsigned(UNSIGNED_8, 1, value);
    else if (value <= 0xffff) this.#writeUnsigned(UNSIGNED_8 + 1, 2, value);
    else if (value < TWO_32) this.#writeUnsigned(UNSIGNED_8 + 2, 4, value);
    else this.#writeLong(UNSIGNED_8 + 3, value);
  }

  #writeNegative(value: number): void {
    if (value >= -32) this.#put(value & 0xff);
    else if (value >= -0x80) this.#writeUnsigned(SIGNED_8, 1, value);
    else if (value >= -0x8000) this.#writeUnsigned(SIGNED_8 + 1, 2, value);
    else if (value >= -0x80000000) this.#writeUnsigned(SIGNED_8 + 2, 4, value);
    else this.#writeLong(SIGNED_8 + 3, value);
  }

  /** A number that 32 bits hold as well takes no more. */
  #writeFloat(value: number): void {
    this.#reserve(NUMBER_BYTES_MAX);
    const { view } = this.#machine;
    const output = this.#output;
    const isShort = Math.fround(value) === value;
    view.setUint8(output.at, isShort ? FLOAT_32 : FLOAT_64);
    if (isShort) view.setFloat32(output.at + 1, value);
    else view.setFloat64(output.at + 1, value);
    output.at += isShort ? 5 : 9;
  }

  /** A marker and the lower `size` bytes of an integer, highest first. */
  #writeUnsigned(marker: number, size: number, value: number): void {
    this.#reserve(NUMBER_BYTES_MAX);
    const { bytes } = this.#machine;
    let { at } = this.#output;
    bytes[at++] = marker;
    for (let shift = 8 * (size - 1); shift >= 0; shift -= 8) bytes[at++] = value >>> shift;
    this.#output.at = at;
  }

  #writeLong(marker: number, value: number): void {
    this.#reserve(NUMBER_BYTES_MAX);
    const { view } = this.#machine;
    const output = this.#output;
    const high = Math.floor(value / TWO_32);
    view.setUint8(output.at, marker);
    view.setInt32(output.at + 1, high);
    view.setUint32(output.at + 5, value - high * TWO_32);
    output.at += 9;
  }

  #put(byte: number): void {
    this.#reserve(1);
    this.#machine.bytes[this.#output.at++] = byte;
  }

  #reserve(size: number): void {
    if (!this.#output.reserve(size)) raiseNoMemory(this.#machine, this.#state);
  }
}
