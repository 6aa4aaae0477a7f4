// hot path
/**
 * The `bit` library: operations on integers of 32 bits. A number outside their range wraps around; a fraction is rounded to
 * the nearest integer, half to even.
 */
import { Type } from "../lua_constants.ts";
import type { LuaMachine } from "../lua_machine.ts";
import { addFunctions, type Library, setFunctions } from "./library.ts";

/** Added to a double, it moves the integer's bits to the lower end of the significand: 2^52 + 2^51. */
const SHIFTER = 6755399441055744;
const DIGITS_MAX = 8;

const [AND, OR, XOR] = [0, 1, 2];
const [LEFT, RIGHT, SIGNED_RIGHT, ROTATE_LEFT, ROTATE_RIGHT] = [0, 1, 2, 3, 4];

// scratch: lives for one call
const float = new Float64Array(1);
// scratch: lives for one call
const floatWords = new Int32Array(float.buffer);

export function bitLibrary(machine: LuaMachine): Library {
  const { exports } = machine;

  function argument(state: number, index: number): number {
    const value = exports.luaL_checknumber(state, index);
    if ((value | 0) === value) return value | 0;
    float[0] = value + SHIFTER;
    return floatWords[0];
  }

  function answer(state: number, value: number): number {
    exports.lua_pushnumber(state, value);
    return 1;
  }

  function fold(state: number, operation: number): number {
    let value = argument(state, 1);
    const top = exports.lua_gettop(state);
    for (let i = 2; i <= top; i++) {
      const other = argument(state, i);
      if (operation === AND) value &= other;
      else if (operation === OR) value |= other;
      else value ^= other;
    }
    return answer(state, value);
  }

  function shift(state: number, operation: number): number {
    const value = argument(state, 1);
    const count = argument(state, 2) & 31;
    if (operation === LEFT) return answer(state, value << count);
    if (operation === RIGHT) return answer(state, (value >>> count) | 0);
    if (operation === SIGNED_RIGHT) return answer(state, value >> count);
    const left = operation === ROTATE_LEFT ? count : 32 - count;
    return answer(state, (value << left) | (value >>> (32 - left)));
  }

  function tohex(state: number): number {
    const value = argument(state, 1);
    // It may be missing, but not nil.
    const count = exports.lua_type(state, 2) === Type.none ? DIGITS_MAX : argument(state, 2);
    const digits = Math.min(Math.abs(count), DIGITS_MAX);
    const text = (value >>> 0).toString(16).padStart(DIGITS_MAX, "0").substring(
      DIGITS_MAX - digits,
    );
    machine.pushText(state, count < 0 ? text.toUpperCase() : text);
    return 1;
  }

  const functions = addFunctions(machine, {
    tobit: (state) => answer(state, argument(state, 1)),
    bnot: (state) => answer(state, ~argument(state, 1)),
    band: (state) => fold(state, AND),
    bor: (state) => fold(state, OR),
    bxor: (state) => fold(state, XOR),
    lshift: (state) => shift(state, LEFT),
    rshift: (state) => shift(state, RIGHT),
    arshift: (state) => shift(state, SIGNED_RIGHT),
    rol: (state) => shift(state, ROTATE_LEFT),
    ror: (state) => shift(state, ROTATE_RIGHT),
    bswap: (state) => answer(state, swapped(argument(state, 1))),
    tohex,
  });
  return {
    open(state) {
      exports.lua_createtable(state, 0, functions.length);
      setFunctions(machine, state, functions);
    },
  };
}

/** The four bytes in the opposite order. */
function swapped(value: number): number {
  return (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);
}
