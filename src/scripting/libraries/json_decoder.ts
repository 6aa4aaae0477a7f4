// hot path
/**
 * `cjson.decode`: reads a text where it lies in Lua's memory, in one pass, and builds the values on Lua's stack. A string without
 * escapes goes to Lua straight from the text. Nesting takes no frames of JavaScript, only slots of Lua's stack, two an object and
 * one an array, as in Redis: that bounds it.
 */
import type { LuaMachine } from "../lua_machine.ts";
import { Setting, settingsOf } from "./json_config.ts";
import { isInvalidNumber, numberEnd, readNumber } from "./json_number.ts";
import {
  BACKSLASH,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  MINUS,
  mismatch,
  NINE,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  stringEnd,
  writeUnescaped,
  ZERO,
} from "./json_text.ts";
import { raise, raiseNoMemory, refuseArgument } from "./library.ts";
import type { Output } from "./output.ts";

const SPACE = 0x20;
const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const LETTER_F = 0x66;
/** Four letters as a number of 32 bits, the first of them lowest. */
const TRUE = 0x65757274;
const ALSE = 0x65736c61;
const NULL = 0x6c6c756e;

/** Bytes at which one has to look when a string is read. */
const STOPS = new Uint8Array(256);
STOPS[0] = STOPS[QUOTE] = STOPS[BACKSLASH] = 1;

/** Slots of Lua's stack that must be free where a table opens. */
const SLOTS = 2;
/** Stands for an object in the list of open tables; an array has its number of elements there. */
const OBJECT = -1;
const LEVELS_START = 64;

export class JsonDecoder {
  readonly #machine: LuaMachine;
  /** Strings with escapes are put together here. */
  readonly #output: Output;
  /** The open tables, from the outermost. */
  #levels = new Int32Array(LEVELS_START);
  #depth = 0;
  #depthMax = 0;
  #allowsInvalid = false;
  #state = 0;
  #start = 0;
  #at = 0;

  constructor(machine: LuaMachine, output: Output) {
    this.#machine = machine;
    this.#output = output;
  }

  /** The function for Lua. */
  decode(state: number): number {
    const machine = this.#machine;
    if (machine.exports.lua_gettop(state) !== 1) {
      refuseArgument(machine, state, 1, "expected 1 argument");
    }
    this.#start = machine.checkString(state, 1);
    const { bytes, view } = machine;
    const isWide = machine.stringLength() >= 2 &&
      (bytes[this.#start] === 0 || bytes[this.#start + 1] === 0);
    if (isWide) raise(machine, state, "JSON parser does not support UTF-16 or UTF-32");
    const settings = settingsOf(machine, state);
    this.#depthMax = view.getInt32(settings + Setting.decodeMaxDepth, true);
    this.#allowsInvalid = view.getInt32(settings + Setting.decodeInvalid, true) !== 0;
    this.#state = state;
    this.#depth = 0;
    this.#at = this.#start;
    while (this.#readValue());
    return 1;
  }

  /** Reads a value, or the beginning of a table with values; false if nothing follows. */
  #readValue(): boolean {
    const byte = this.#skipSpace();
    if (byte !== OPEN_OBJECT && byte !== OPEN_ARRAY) {
      if (!this.#readScalar(byte)) this.#refuse("value");
      return this.#complete();
    }
    const { exports } = this.#machine;
    this.#at++;
    if (++this.#depth > this.#depthMax || exports.lua_checkstack(this.#state, SLOTS) === 0) {
      this.#refuseDepth();
    }
    exports.lua_createtable(this.#state, 0, 0);
    if (this.#depth > this.#levels.length) this.#growLevels();
    this.#levels[this.#depth - 1] = byte === OPEN_OBJECT ? OBJECT : 0;
    const next = this.#skipSpace();
    if (next !== (byte === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY)) {
      if (byte === OPEN_OBJECT) this.#readKey();
      return true;
    }
    this.#at++;
    this.#depth--;
    return this.#complete();
  }

  /** A value is on top: puts it into its table, and goes on behind the tables that end there; false at the end. */
  #complete(): boolean {
    const { exports } = this.#machine;
    while (this.#depth > 0) {
      const level = this.#depth - 1;
      const isObject = this.#levels[level] === OBJECT;
      if (isObject) exports.lua_rawset(this.#state, -3);
      else exports.lua_rawseti(this.#state, -2, ++this.#levels[level]);
      const byte = this.#skipSpace();
      if (byte === COMMA) {
        this.#at++;
        if (isObject) this.#readKey();
        return true;
      }
      if (byte !== (isObject ? CLOSE_OBJECT : CLOSE_ARRAY)) {
        this.#refuse(isObject ? "comma or object end" : "comma or array end");
      }
      this.#at++;
      this.#depth--;
    }
    if (this.#skipSpace() !== 0) this.#refuse("the end");
    return false;
  }

  #readKey(): void {
    if (this.#skipSpace() !== QUOTE || !this.#readString()) this.#refuse("object key string");
    if (this.#skipSpace() !== COLON) this.#refuse("colon");
    this.#at++;
  }

  /** Pushes the value that begins with `byte`; false if none does. */
  #readScalar(byte: number): boolean {
    if (byte === QUOTE) return this.#readString();
    if (byte === MINUS || (byte >= ZERO && byte <= NINE)) return this.#readNumber();
    const { exports, view } = this.#machine;
    const word = view.getUint32(this.#at, true);
    if (word === TRUE || word === NULL) {
      if (word === TRUE) exports.lua_pushboolean(this.#state, 1);
      else exports.lua_pushlightuserdata(this.#state, 0);
      this.#at += 4;
      return true;
    }
    if (byte === LETTER_F && view.getUint32(this.#at + 1, true) === ALSE) {
      exports.lua_pushboolean(this.#state, 0);
      this.#at += 5;
      return true;
    }
    const isInvalid = isInvalidNumber(this.#machine.bytes, this.#at);
    return isInvalid && this.#readNumber();
  }

  #readNumber(): boolean {
    const { bytes, exports } = this.#machine;
    const at = this.#at;
    if (!this.#allowsInvalid && isInvalidNumber(bytes, at)) return false;
    const value = readNumber(bytes, at);
    const end = numberEnd();
    if (end === at) return false;
    this.#at = end;
    exports.lua_pushnumber(this.#state, value);
    return true;
  }

  #readString(): boolean {
    const { bytes, exports } = this.#machine;
    const first = this.#at + 1;
    let next = first;
    while (STOPS[bytes[next]] === 0) next++;
    if (bytes[next] !== QUOTE) return bytes[next] === BACKSLASH && this.#readEscaped();
    this.#at = next + 1;
    exports.lua_pushlstring(this.#state, first, next - first);
    return true;
  }

  /** Reads a string that is put together, since it has escapes. */
  #readEscaped(): boolean {
    const machine = this.#machine;
    const output = this.#output;
    const at = this.#at;
    const end = stringEnd(machine.bytes, at);
    if (end === 0) return false;
    output.begin();
    if (!output.reserve(end - at)) raiseNoMemory(machine, this.#state);
    output.at = writeUnescaped(machine.bytes, at, end, output.at);
    this.#at = end + 1;
    output.push(this.#state);
    output.end();
    return true;
  }

  /** The byte that follows white space. */
  #skipSpace(): number {
    const { bytes } = this.#machine;
    for (;; this.#at++) {
      const byte = bytes[this.#at];
      if (byte > SPACE) return byte;
      if (byte !== SPACE && byte !== NEWLINE && byte !== RETURN && byte !== TAB) return byte;
    }
  }

  #growLevels(): void {
    const larger = new Int32Array(2 * this.#levels.length);
    larger.set(this.#levels);
    this.#levels = larger;
  }

  #refuseDepth(): never {
    const where = this.#at - this.#start;
    const text = `Found too many nested data structures (${this.#depth}) at character ${where}`;
    raise(this.#machine, this.#state, text);
  }

  /** Raises that something else was expected than what is here. */
  #refuse(expected: string): never {
    const { bytes } = this.#machine;
    const text = mismatch(expected, bytes, this.#start, this.#at, this.#allowsInvalid);
    raise(this.#machine, this.#state, text);
  }
}
