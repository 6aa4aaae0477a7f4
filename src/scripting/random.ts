/**
 * math.random and math.randomseed as Redis has them: numbers from a generator of its own, so that a seed gives the same ones
 * on every machine. It is POSIX's drand48 with 31 bits a number.
 */
import { refuseArgument } from "./libraries/library.ts";
import type { LuaMachine } from "./lua_machine.ts";

/** 48-bit numbers lie in two halves of 24 bits. */
const HALF = 2 ** 24;
const MULTIPLIER_HIGH = 0x5de;
const MULTIPLIER_LOW = 0xece66d;
const INCREMENT = 0xb;
/** What a seed's 32 bits are followed by. */
const SEED_LOW = 0x330e;
const MAX = 0x7fffffff;

export class Random {
  readonly #machine: LuaMachine;
  #high = 0;
  #low = 0;

  /** A new generator begins anywhere. */
  constructor(machine: LuaMachine) {
    this.#machine = machine;
    this.#start(crypto.getRandomValues(new Int32Array(1))[0]);
  }

  #start(seed: number): void {
    this.#high = (seed >>> 8) & 0xffffff;
    this.#low = ((seed & 0xff) << 16) | SEED_LOW;
  }

  #next(): number {
    const low = this.#low * MULTIPLIER_LOW + INCREMENT;
    const high = this.#high * MULTIPLIER_LOW + this.#low * MULTIPLIER_HIGH + Math.floor(low / HALF);
    this.#low = low % HALF;
    this.#high = high % HALF;
    return this.#high * 128 + (this.#low >>> 17);
  }

  seed(state: number): number {
    // C converts the argument to int: its fraction goes, and bits above 32.
    this.#start(Math.trunc(this.#machine.exports.luaL_checknumber(state, 1)) | 0);
    return 0;
  }

  random(state: number): number {
    const { exports } = this.#machine;
    const fraction = (this.#next() % MAX) / MAX;
    const result = this.#scaled(state, fraction, exports.lua_gettop(state));
    if (result === null) return this.#machine.raise(state, "wrong number of arguments");
    exports.lua_pushnumber(state, result);
    return 1;
  }

  /** The fraction itself, or an integer from 1, or from the first argument, to the last. */
  #scaled(state: number, fraction: number, count: number): number | null {
    const { exports } = this.#machine;
    if (count === 0) return fraction;
    if (count > 2) return null;
    const least = count === 1 ? 1 : exports.luaL_checkinteger(state, 1);
    const most = exports.luaL_checkinteger(state, count);
    if (least > most) refuseArgument(this.#machine, state, count, "interval is empty");
    return Math.floor(fraction * (most - least + 1)) + least;
  }
}
