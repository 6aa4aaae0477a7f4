/**
 * Doubles as C's printf("%.14g") writes them, with any number of significant digits up to 14: correctly rounded, ties to the
 * even digit, zeros at the end cut, an exponent of two digits at least where there is one.
 *
 * A multiplication by a power of ten is off by half a unit in the last place at most. Unless the product comes close to the
 * middle between two integers, it rounds as the exact value does; else JavaScript's exact digits decide.
 */
import { assert } from "./assert.ts";
import { writeDecimal } from "./decimal.ts";
import { writeMantissa, writePositional } from "./drawn_digits.ts";

export const PRECISION_MAX = 14;

/** The longest: "-1.2345678901234e-308". */
export const PRECISION_TEXT_MAX = 24;

/** Powers of ten that are doubles, exactly. */
const EXACT_POWER_MAX = 22;
const POWERS = Float64Array.from({ length: EXACT_POWER_MAX + 1 }, (_, i) => Number(`1e${i}`));

/** More than the product's error, 2^-7 below 10^14, and than that of the difference. */
const DOUBT = 0.02;
const ZERO = 0x30;
const MINUS = 0x2d;
const EXPONENT_BIAS = 1023;
const LOG10_2 = 0.30102999566398;
/** Below, a number has an exponent. */
const POSITIONAL_LEAST = -4;

// scratch: lives for one call
const float = new Float64Array(1);
// scratch: lives for one call
const floatWords = new Uint32Array(float.buffer);
/** The significant digits, the last of them not 0. */
// scratch: lives for one call
const drawn = new Uint8Array(PRECISION_TEXT_MAX);
/** How many of `drawn` are meant, and the power of ten of the first. */
// scratch: lives for one call
const state = new Int32Array(2);
const COUNT = 0;
const POWER = 1;

/** Writes a finite number with up to `digits` significant digits at `at` of `target`; returns the end of its text. */
export function writePrecision(
  value: number,
  digits: number,
  target: Uint8Array,
  at: number,
): number {
  assert(digits >= 1 && digits <= PRECISION_MAX, "so many digits are drawn");
  if (value < 0 || Object.is(value, -0)) target[at++] = MINUS;
  const magnitude = Math.abs(value);
  assert(magnitude < Infinity, "the number is finite");
  if (magnitude < POWERS[digits] && Math.floor(magnitude) === magnitude) {
    return writeDecimal(magnitude, target, at);
  }
  if (!drawQuickly(magnitude, digits)) drawExactly(magnitude, digits);
  const power = state[POWER];
  if (power >= POSITIONAL_LEAST && power < digits) {
    return writePositional(drawn, state[COUNT], power, target, at);
  }
  at = writeMantissa(drawn, state[COUNT], power, target, at);
  const distance = Math.abs(power);
  if (distance < 10) target[at++] = ZERO;
  return writeDecimal(distance, target, at);
}

/** Draws the digits by one multiplication or division; false if that leaves the last of them in doubt. */
function drawQuickly(magnitude: number, digits: number): boolean {
  float[0] = magnitude;
  // At most one too small; of a subnormal number too large, and then it is drawn exactly.
  let power = Math.floor(((floatWords[1] >>> 20) - EXPONENT_BIAS) * LOG10_2);
  let scaled = scaledBy(magnitude, digits - 1 - power);
  if (scaled >= POWERS[digits]) {
    power++;
    scaled = scaledBy(magnitude, digits - 1 - power);
  }
  if (!(scaled >= POWERS[digits - 1] && scaled < POWERS[digits])) return false;
  const whole = Math.floor(scaled);
  const rest = scaled - whole;
  if (Math.abs(rest - 0.5) < DOUBT) return false;
  note(rest > 0.5 ? whole + 1 : whole, power, digits);
  return true;
}

/** `magnitude` · 10^power with one rounding; NaN where the power is not exact. */
function scaledBy(magnitude: number, power: number): number {
  if (power >= 0) return power <= EXACT_POWER_MAX ? magnitude * POWERS[power] : NaN;
  return power >= -EXACT_POWER_MAX ? magnitude / POWERS[-power] : NaN;
}

/** Notes the digits of an integer of `digits` digits, or of the power of ten behind them. */
function note(whole: number, power: number, digits: number): void {
  let count = writeDecimal(whole, drawn, 0);
  state[POWER] = count > digits ? power + 1 : power;
  while (count > 1 && drawn[count - 1] === ZERO) count--;
  state[COUNT] = count;
}

/** As `drawQuickly`, whatever the number: by way of a string. */
function drawExactly(magnitude: number, digits: number): void {
  const [mantissa, exponent] = rounded(magnitude, digits).split("e");
  note(Number(mantissa.replace(".", "")), Number(exponent), digits);
}

/** "d.ddde±x" with so many digits. JavaScript rounds an exact tie up, printf to the even digit. */
function rounded(magnitude: number, digits: number): string {
  const text = magnitude.toExponential(digits - 1);
  const [exact, exponent] = magnitude.toExponential(100).split("e");
  const figures = exact.replace(".", "");
  const isEvenTie = /^50*$/.test(figures.slice(digits)) && /[02468]/.test(figures[digits - 1]);
  return isEvenTie ? `${figures.slice(0, 1)}.${figures.slice(1, digits)}e${exponent}` : text;
}
