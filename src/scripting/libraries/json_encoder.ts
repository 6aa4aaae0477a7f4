// hot path
/**
 * `cjson.encode`: walks a value on Lua's stack and writes its text to a buffer in Lua's memory. Tables are read as they are,
 * without metamethods. Nesting takes no frames of JavaScript, only slots of Lua's stack, two an object and one an array, as in
 * Redis: that bounds it.
 */
import { PRECISION_TEXT_MAX, writePrecision } from "../../lib/precision_text.ts";
import { binaryBytes } from "../../protocol/args.ts";
import { Type } from "../lua_constants.ts";
import type { LuaMachine } from "../lua_machine.ts";
import { ArrayKeys } from "./array_keys.ts";
import { Invalid, Setting, settingsOf } from "./json_config.ts";
import {
  BACKSLASH,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  ESCAPED,
  LETTER_U,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  ZERO,
} from "./json_text.ts";
import { raise, raiseNoMemory, refuseArgument } from "./library.ts";
import type { Output } from "./output.ts";

const HEX = binaryBytes("0123456789abcdef");

/** What follows the backslash for a byte that is escaped; 0 for one that is not. */
const ESCAPES = new Uint8Array(256);
ESCAPES.fill(LETTER_U, 0, 0x20);
ESCAPES[0x7f] = LETTER_U;
for (const [letter, byte] of ESCAPED) ESCAPES[byte.charCodeAt(0)] = letter.charCodeAt(0);
const ESCAPED_BYTES_MAX = 6;
/** A long string is written in pieces, so that the room for it need not be six times as long. */
const PIECE_BYTES = 4096;

/** Slots of Lua's stack that must be free where a table opens. */
const SLOTS = 3;
const LEVELS_START = 64;
const INT_MAX = 0x7fffffff;
const TYPE_NAMES = [
  "nil",
  "boolean",
  "userdata",
  "number",
  "string",
  "table",
  "function",
  "userdata",
  "thread",
];

export class JsonEncoder {
  readonly #machine: LuaMachine;
  readonly #output: Output;
  /** Of each open table: its length if it is written as an array, 0 for an object; and how many elements were begun. */
  #levels = new Int32Array(2 * LEVELS_START);
  #depth = 0;
  readonly #keys = new ArrayKeys();
  #settings = 0;
  #precision = 0;
  #state = 0;

  constructor(machine: LuaMachine, output: Output) {
    this.#machine = machine;
    this.#output = output;
  }

  /** The function for Lua. */
  encode(state: number): number {
    const machine = this.#machine;
    if (machine.exports.lua_gettop(state) !== 1) {
      refuseArgument(machine, state, 1, "expected 1 argument");
    }
    this.#settings = settingsOf(machine, state);
    this.#precision = this.#setting(Setting.numberPrecision);
    this.#state = state;
    this.#depth = 0;
    this.#output.begin();
    try {
      this.#writeAll();
      this.#output.push(state);
    } finally {
      this.#output.end();
    }
    return 1;
  }

  #setting(offset: number): number {
    return this.#machine.view.getInt32(this.#settings + offset, true);
  }

  /** Writes the value on top and all that it contains. */
  #writeAll(): void {
    const { exports } = this.#machine;
    for (;;) {
      const type = exports.lua_type(this.#state, -1);
      if (type === Type.table) this.#open();
      else {
        this.#writeScalar(type);
        if (this.#depth === 0) return;
        exports.lua_settop(this.#state, -2);
      }
      while (!this.#next()) {
        if (this.#depth === 0) return;
        exports.lua_settop(this.#state, -2);
      }
    }
  }

  /** Begins the table on top. */
  #open(): void {
    const { exports } = this.#machine;
    const depth = ++this.#depth;
    const most = this.#setting(Setting.encodeMaxDepth);
    if (depth > most || exports.lua_checkstack(this.#state, SLOTS) === 0) {
      raise(this.#machine, this.#state, `Cannot serialise, excessive nesting (${depth})`);
    }
    const length = this.#arrayLength();
    if (2 * depth > this.#levels.length) this.#growLevels();
    this.#levels[2 * depth - 2] = length;
    this.#levels[2 * depth - 1] = 0;
    if (length === 0) exports.lua_pushnil(this.#state);
    this.#put(length === 0 ? OPEN_OBJECT : OPEN_ARRAY);
  }

  /** Pushes the next value of the innermost table, and writes what stands before it; false if the table is complete. */
  #next(): boolean {
    const { exports } = this.#machine;
    const level = 2 * this.#depth - 2;
    const length = this.#levels[level];
    const index = ++this.#levels[level + 1];
    const hasMore = length === 0 ? exports.lua_next(this.#state, -2) !== 0 : index <= length;
    if (!hasMore) {
      this.#put(length === 0 ? CLOSE_OBJECT : CLOSE_ARRAY);
      this.#depth--;
      return false;
    }
    if (index > 1) this.#put(COMMA);
    if (length === 0) this.#writeKey();
    else exports.lua_rawgeti(this.#state, -1, index);
    return true;
  }

  /** The length of the array that the table on top is; 0 if it is to be written as an object. */
  #arrayLength(): number {
    // Redis keeps the largest as an int: one that is too large becomes negative.
    if (!this.#keys.read(this.#machine.exports, this.#state, INT_MAX)) return 0;
    const { largest, count } = this.#keys;
    return this.#isTooSparse(largest, count) ? 0 : largest;
  }

  #isTooSparse(largest: number, count: number): boolean {
    const ratio = this.#setting(Setting.sparseRatio);
    const isSparse = ratio > 0 && largest > Math.imul(count, ratio) &&
      largest > this.#setting(Setting.sparseSafe);
    if (isSparse && this.#setting(Setting.convertSparse) === 0) {
      this.#refuse("table", "excessively sparse array");
    }
    return isSparse;
  }

  /** Writes the key below the value on top. */
  #writeKey(): void {
    const machine = this.#machine;
    const type = machine.exports.lua_type(this.#state, -2);
    if (type === Type.string) {
      const address = machine.string(this.#state, -2);
      this.#writeString(address, machine.stringLength());
    } else if (type === Type.number) {
      this.#put(QUOTE);
      this.#writeNumber(machine.exports.lua_tonumber(this.#state, -2));
      this.#put(QUOTE);
    } else this.#refuse(TYPE_NAMES[type], "table key must be a number or string");
    this.#put(COLON);
  }

  /** Writes the value on top, which is no table. */
  #writeScalar(type: number): void {
    const machine = this.#machine;
    const { exports } = machine;
    if (type === Type.string) {
      const address = machine.string(this.#state, -1);
      this.#writeString(address, machine.stringLength());
    } else if (type === Type.number) this.#writeNumber(exports.lua_tonumber(this.#state, -1));
    else if (type === Type.boolean) {
      this.#putText(exports.lua_toboolean(this.#state, -1) === 0 ? "false" : "true");
    } else if (type === Type.nil) this.#putText("null");
    else if (type === Type.lightUserdata && exports.lua_touserdata(this.#state, -1) === 0) {
      this.#putText("null");
    } else this.#refuse(TYPE_NAMES[type], "type not supported");
  }

  #writeNumber(value: number): void {
    if (!Number.isFinite(value)) {
      this.#writeInvalid(value);
      return;
    }
    const output = this.#output;
    this.#reserve(PRECISION_TEXT_MAX);
    output.at = writePrecision(value, this.#precision, this.#machine.bytes, output.at);
  }

  #writeInvalid(value: number): void {
    const how = this.#setting(Setting.encodeInvalid);
    if (how === Invalid.refused) this.#refuse("number", "must not be NaN or Inf");
    if (how === Invalid.asNull) this.#putText("null");
    else if (value > 0) this.#putText("inf");
    else this.#putText(value < 0 ? "-inf" : "nan");
  }

  #writeString(address: number, length: number): void {
    const output = this.#output;
    const end = address + length;
    this.#put(QUOTE);
    for (let from = address; from < end;) {
      const stop = Math.min(from + PIECE_BYTES, end);
      this.#reserve(ESCAPED_BYTES_MAX * (stop - from));
      const { bytes } = this.#machine;
      let { at } = output;
      for (; from < stop; from++) {
        const byte = bytes[from];
        if (ESCAPES[byte] === 0) bytes[at++] = byte;
        else at = writeEscape(byte, bytes, at);
      }
      output.at = at;
    }
    this.#put(QUOTE);
  }

  #put(byte: number): void {
    this.#reserve(1);
    this.#machine.bytes[this.#output.at++] = byte;
  }

  /** ASCII. */
  #putText(text: string): void {
    this.#reserve(text.length);
    for (let i = 0; i < text.length; i++) {
      this.#machine.bytes[this.#output.at++] = text.charCodeAt(i);
    }
  }

  #reserve(size: number): void {
    if (!this.#output.reserve(size)) raiseNoMemory(this.#machine, this.#state);
  }

  #growLevels(): void {
    const larger = new Int32Array(2 * this.#levels.length);
    larger.set(this.#levels);
    this.#levels = larger;
  }

  #refuse(type: string, why: string): never {
    raise(this.#machine, this.#state, `Cannot serialise ${type}: ${why}`);
  }
}

function writeEscape(byte: number, bytes: Uint8Array, at: number): number {
  bytes[at++] = BACKSLASH;
  bytes[at++] = ESCAPES[byte];
  if (ESCAPES[byte] !== LETTER_U) return at;
  bytes[at++] = ZERO;
  bytes[at++] = ZERO;
  bytes[at++] = HEX[byte >> 4];
  bytes[at++] = HEX[byte & 15];
  return at;
}
