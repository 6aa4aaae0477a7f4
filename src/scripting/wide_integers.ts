/**
 * Lua's C library has integers of 32 bits here, and of 64 where Redis runs: string.format("%d") of a time in milliseconds,
 * tonumber("ffffffffff", 16) and ("text"):sub(2, 2^53) would give other results. What does not fit is turned into text or a
 * number that fits beforehand; all else, errors too, is left to Lua's own functions.
 *
 * What stays different: a text in the place of such a number, ("text"):sub(1, "9999999999"), and unpack(t, 2^31), with which a
 * script can end redis-server; here it is an error.
 */
import { toLong } from "./libraries/library.ts";
import { GLOBALS, Type } from "./lua_constants.ts";
import type { LuaMachine } from "./lua_machine.ts";

/** Where a function of C, as a value of Lua's, has its place in the table of functions. */
const FUNCTION_AT = 16;
const INT32_MAX = 2 ** 31 - 1;
const UINT64_MAX = 2n ** 64n - 1n;
/** Flags, width, precision and conversion, as far as Lua accepts them. */
const DIRECTIVE = /%(?:%|([-+ #0]*)(\d{0,2})(?:(\.)(\d{0,2}))?([^]))/g;
const INTEGERS = "dioxXu";
/** More flags Lua refuses. */
const FLAGS_MAX = 5;
/** As strtoul reads a number; Lua allows white space behind it, and C ends a text at a zero byte. */
const INTEGER = /^[ \t-\r]*([-+]?)([0-9a-zA-Z]+)[ \t-\r]*(?:\0|$)/;
/** What a number of base 16 may begin with. */
const PREFIX = /^([ \t-\r]*[-+]?)0[xX](?=[0-9a-fA-F])/;
/** So many digits fit into 32 bits, whatever the base. */
const DIGITS_SAFE = 6;

type Native = (state: number) => number;

/** Arguments `first` to `last` of a function, counted from 1, if it gets at least `least`. */
type Narrowed = readonly [
  library: string,
  name: string,
  first: number,
  last: number,
  least?: number,
];
/** Those that are positions in a string. */
const POSITIONS: readonly Narrowed[] = [
  ["string", "sub", 2, 3],
  ["string", "byte", 2, 3],
  ["string", "find", 3, 3],
  ["string", "match", 3, 3],
];
/** Those that C reads as an int. */
const INTS: readonly Narrowed[] = [
  ["string", "rep", 2, 2],
  ["string", "char", 1, 255],
  ["string", "gsub", 4, 4],
  ["table", "concat", 3, 4],
  ["table", "insert", 2, 2, 3],
  ["table", "remove", 2, 2],
  ["math", "ldexp", 2, 2],
  ["math", "random", 1, 2],
  ["_G", "select", 1, 1],
  ["_G", "unpack", 2, 3],
  ["_G", "tonumber", 2, 2],
  ["_G", "error", 2, 2],
  ["_G", "getfenv", 1, 1],
  ["_G", "collectgarbage", 2, 2],
];

export class WideIntegers {
  readonly #machine: LuaMachine;
  readonly #format: Native;
  readonly #toNumber: Native;

  /** Takes the place of Lua's functions that are given integers, and of ours, in `state`. */
  constructor(machine: LuaMachine, state: number) {
    const { exports } = machine;
    this.#machine = machine;
    exports.lua_getfield(state, GLOBALS, machine.name("string"));
    this.#format = this.#take(state, "format");
    machine.setFunction(state, -1, "format", (state) => this.#formatWide(state));
    machine.pop(state, 1);
    exports.lua_pushvalue(state, GLOBALS);
    this.#toNumber = this.#take(state, "tonumber");
    machine.setFunction(state, -1, "tonumber", (state) => this.#toNumberWide(state));
    machine.pop(state, 1);
    for (const one of POSITIONS) this.#narrow(state, one, true);
    for (const one of INTS) this.#narrow(state, one, false);
  }

  #narrow(state: number, narrowed: Narrowed, isPosition: boolean): void {
    const [library, name, first, last, least = first] = narrowed;
    const { exports } = this.#machine;
    exports.lua_getfield(state, GLOBALS, this.#machine.name(library));
    const slot = this.#machine.narrowed(this.#slotOf(state, name), first, last, isPosition, least);
    exports.lua_pushcclosure(state, slot, 0);
    exports.lua_setfield(state, -2, this.#machine.name(name));
    this.#machine.pop(state, 1);
  }

  /** The function of C that is the field `name` of the table on top. */
  #take(state: number, name: string): Native {
    const slot = this.#slotOf(state, name);
    return this.#machine.exports.__indirect_function_table.get(slot) as Native;
  }

  /** Its place in the table of functions. */
  #slotOf(state: number, name: string): number {
    const { exports, view } = this.#machine;
    this.#machine.rawField(state, -1, name);
    const slot = view.getUint32(exports.lua_topointer(state, -1) + FUNCTION_AT, true);
    this.#machine.pop(state, 1);
    return slot;
  }

  #formatWide(state: number): number {
    const count = this.#machine.exports.lua_gettop(state);
    for (let i = 2; i <= count; i++) {
      if (!this.#isWide(state, i)) continue;
      this.#formatBeforehand(state, count);
      break;
    }
    return this.#format(state);
  }

  /** Whether argument `index` may be an integer that Lua would not print right. */
  #isWide(state: number, index: number): boolean {
    const { exports } = this.#machine;
    if (exports.lua_isnumber(state, index) === 0) return false;
    const value = exports.lua_tonumber(state, index);
    return !(value >= 0 && value <= INT32_MAX);
  }

  /** Puts texts in the place of wide integers, and "%s" in that of their directives. */
  #formatBeforehand(state: number, count: number): void {
    const machine = this.#machine;
    if (machine.exports.lua_type(state, 1) !== Type.string) return;
    let index = 1;
    const format = (machine.text(state, 1) ?? "").replace(
      DIRECTIVE,
      (directive, flags: string, width: string, dot: string, precision: string, kind: string) => {
        if (directive === "%%") return directive;
        index++;
        const isInteger = INTEGERS.includes(kind) && flags.length <= FLAGS_MAX;
        if (!isInteger || index > count || !this.#isWide(state, index)) return directive;
        const value = machine.exports.lua_tonumber(state, index);
        const least = dot === undefined ? -1 : Number(precision);
        machine.pushText(state, integerText(value, kind, flags, Number(width), least));
        machine.exports.lua_replace(state, index);
        return "%s";
      },
    );
    machine.pushText(state, format);
    machine.exports.lua_replace(state, 1);
  }

  #toNumberWide(state: number): number {
    const { exports } = this.#machine;
    if (exports.lua_gettop(state) < 2 || exports.lua_isnumber(state, 2) === 0) {
      return this.#toNumber(state);
    }
    const base = Math.trunc(exports.lua_tonumber(state, 2));
    if (base < 2 || base > 36 || base === 10) return this.#toNumber(state);
    const value = wideInteger(this.#machine.text(state, 1) ?? "", base);
    if (value === null) return this.#toNumber(state);
    exports.lua_pushnumber(state, value);
    return 1;
  }
}

/** As printf("%lld") and its kin print `value`; `least` is the number of digits, or −1. */
function integerText(
  value: number,
  kind: string,
  flags: string,
  width: number,
  least: number,
): string {
  const isSigned = kind === "d" || kind === "i";
  const integer = isSigned ? signed(value) : BigInt.asUintN(64, unsigned(value));
  const base = kind === "o" ? 8 : kind === "x" || kind === "X" ? 16 : 10;
  const isAlternate = flags.includes("#");
  let digits = (integer < 0n ? -integer : integer).toString(base).padStart(least, "0");
  if (integer === 0n && least === 0) digits = "";
  if (isAlternate && base === 8 && digits[0] !== "0") digits = `0${digits}`;
  let sign = isAlternate && base === 16 && integer !== 0n ? "0x" : "";
  if (integer < 0n) sign = "-";
  else if (isSigned && flags.includes("+")) sign = "+";
  else if (isSigned && flags.includes(" ")) sign = " ";
  const isLeft = flags.includes("-");
  if (flags.includes("0") && !isLeft && least < 0) {
    digits = digits.padStart(width - sign.length, "0");
  }
  const text = sign + digits;
  const padded = isLeft ? text.padEnd(width) : text.padStart(width);
  return kind === "X" ? padded.toUpperCase() : padded;
}

function signed(value: number): bigint {
  return BigInt(toLong(value));
}

function unsigned(value: number): bigint {
  return value >= 2 ** 63 ? signed(value - 2 ** 63) + 2n ** 63n : signed(value);
}

/** The integer that `text` is, if it has more digits than 32 bits are sure to hold; else null, as for what is none. */
function wideInteger(text: string, base: number): number | null {
  const parts = INTEGER.exec(base === 16 ? text.replace(PREFIX, "$1") : text);
  if (parts === null) return null;
  const [, sign, digits] = parts;
  if (digits.length <= DIGITS_SAFE && sign !== "-") return null;
  let value = 0n;
  for (const digit of digits) {
    const worth = parseInt(digit, 36);
    if (worth >= base) return null;
    value = value * BigInt(base) + BigInt(worth);
    if (value > UINT64_MAX) value = UINT64_MAX + 1n;
  }
  if (value > UINT64_MAX) return Number(UINT64_MAX);
  return Number(sign === "-" ? BigInt.asUintN(64, -value) : value);
}
