// hot path
/**
 * The `bit` library: operations on integers of 32 bits. All but tohex are WebAssembly (bridge/bit.wat): a function of the host
 * takes ten times as long to call as they take.
 */
import { BIT } from "../bridge/modules.ts";
import { Type } from "../lua_constants.ts";
import type { LuaMachine } from "../lua_machine.ts";
import { addFunctions, type Library, setFunctions } from "./library.ts";

/** Added to a double, it moves the integer's bits to the lower end of the significand: 2^52 + 2^51. */
const SHIFTER = 6755399441055744;
const DIGITS_MAX = 8;

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

  const functions = [...machine.addModule(BIT), ...addFunctions(machine, { tohex })];
  return {
    open(state) {
      exports.lua_createtable(state, 0, functions.length);
      setFunctions(machine, state, functions);
    },
  };
}
