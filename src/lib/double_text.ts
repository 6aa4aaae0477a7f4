/**
 * Doubles as text, in Redis 7.2's forms: that of replies (`doubleText`), and that of DEBUG DIGEST (`shortText`), which does
 * not write integers with all their digits; and text as doubles.
 *
 * Redis 7.2 draws digits with Grisu2 (grisu.ts): they are not the shortest for one value in a thousand, so JavaScript's
 * own would differ.
 */
import { isSpace, writeDecimal } from "./decimal.ts";
import { writeMantissa, writePositional } from "./drawn_digits.ts";
import { countOfDrawn, drawDigits, drawnDigits } from "./grisu.ts";

/** Redis writes integers up to 2^62 with all their digits. */
const INTEGER_MAX = 2 ** 62;

/** Of the smallest subnormal double. */
const LEAST_EXPONENT = -1074;

/** Longer than any: a sign, 17 digits, a point and seven zeros, or an exponent. */
export const DOUBLE_TEXT_MAX = 40;
const MINUS = 0x2d;
const PLUS = 0x2b;
// scratch: lives for one call
const written = new Uint8Array(DOUBLE_TEXT_MAX);

/** "3.5", "1e+21", "inf", "-0": as Redis 7.2 replies. */
export function doubleText(value: number): string {
  return writtenText(writeDouble(value, written, 0));
}

/** As `doubleText`, but an integer with many zeros at its end has an exponent, too: "2.8e+10". */
export function shortText(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return doubleText(value);
  const at = writeSign(value, written, 0);
  return writtenText(writeFraction(Math.abs(value), written, at));
}

function writtenText(end: number): string {
  return textIn(written, 0, end);
}

function textIn(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]);
  return text;
}

/** Writes what `doubleText` returns at `at` of `target`; returns the end of it: `DOUBLE_TEXT_MAX` bytes at most. */
export function writeDouble(value: number, target: Uint8Array, at: number): number {
  if (value !== value) return writeWord("nan", target, at);
  at = writeSign(value, target, at);
  const magnitude = Math.abs(value);
  if (magnitude === Infinity) return writeWord("inf", target, at);
  if (magnitude <= INTEGER_MAX && Math.floor(magnitude) === magnitude) {
    return writeDecimal(magnitude, target, at);
  }
  return writeFraction(magnitude, target, at);
}

function writeSign(value: number, target: Uint8Array, at: number): number {
  if (value < 0 || Object.is(value, -0)) target[at++] = MINUS;
  return at;
}

function writeWord(word: string, target: Uint8Array, at: number): number {
  for (let i = 0; i < word.length; i++) target[at++] = word.charCodeAt(i);
  return at;
}

/** As printf("%.17g"), which ZSCAN shows: 17 significant digits, trailing zeros cut, exponents of two digits at least. */
export function text17(value: number): string {
  if (!Number.isFinite(value) || Math.abs(value) < 1e17 && Number.isInteger(value)) {
    return doubleText(value);
  }
  const [mantissa, exponentText] = roundedTo17(Math.abs(value)).split("e");
  const digits = mantissa.replace(".", "").replace(/0+$/, "");
  const exponent = Number(exponentText);
  const sign = value < 0 ? "-" : "";
  if (exponent >= 17 || exponent < -4) {
    const point = digits.length > 1 ? "." : "";
    const power = `${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
    return `${sign}${digits[0]}${point}${digits.slice(1)}e${power}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

/** "d.ddde±x" with 17 digits. JavaScript rounds an exact tie up, printf to the even digit. */
function roundedTo17(magnitude: number): string {
  const exact = /^(\d\.\d{15}[02468])50*(e.*)$/.exec(magnitude.toExponential(100));
  return exact === null ? magnitude.toExponential(16) : exact[1] + exact[2];
}

/** As printf("%.6f") with so many digits behind the point: all digits in front of it, and ties rounded to even. */
export function fixedText(value: number, digits: number): string {
  const magnitude = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  if (magnitude === Infinity) return `${sign}inf`;
  // Beyond 2^53 a double is an integer, which toFixed would write with an exponent.
  if (magnitude > 2 ** 53) return `${sign}${BigInt(magnitude)}.${"0".repeat(digits)}`;
  const [whole, fraction] = magnitude.toFixed(100).split(".");
  const isEvenTie = /^50*$/.test(fraction.slice(digits)) &&
    /[02468]$/.test(whole + fraction.slice(0, digits));
  return sign + (isEvenTie ? `${whole}.${fraction.slice(0, digits)}` : magnitude.toFixed(digits));
}

/** Writes the digits of a positive double in Redis 7.2's form: positional as long as that takes few zeros. */
function writeFraction(value: number, target: Uint8Array, at: number): number {
  const exponent = drawDigits(value);
  const count = countOfDrawn();
  const power = exponent + count - 1;
  const isLong = exponent >= 0 && power < count + 7;
  const isShort = exponent < 0 && (exponent > -7 || Math.abs(power) < 4);
  if (isLong || isShort) return writePositional(drawnDigits, count, power, target, at);
  at = writeMantissa(drawnDigits, count, power, target, at);
  return writeDecimal(Math.abs(power), target, at);
}

/** Each digit can be taken in one way only: else a text of many digits that is no number would take time without end. */
const DECIMAL_REGEXP = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const INFINITY_REGEXP = /^([+-]?)inf(?:inity)?$/i;
const HEX_REGEXP =
  /^([+-]?)0x(?=[0-9a-f]|\.[0-9a-f])([0-9a-f]*)(?:\.([0-9a-f]*))?(?:p([+-]?\d+))?$/i;

/**
 * The double in `bytes[start, end)` as Redis reads one: decimal, hexadecimal or infinite. NaN for
 * "nan", for what is no number, and for what is too large or too small for a double.
 */
export function parseDouble(bytes: Uint8Array, start: number, end: number): number {
  const frequent = parseFrequent(bytes, start, end);
  return Number.isNaN(frequent) ? parseText(textIn(bytes, start, end), false) : frequent;
}

/**
 * The double in `bytes[start, end)` as Redis reads the bounds of a range of scores: as `parseDouble`, but what is too
 * large is infinite and what is too small is 0, white space may stand in front, a NUL ends the text, and an empty text
 * is 0. NaN for what is no number.
 */
export function parseLenientDouble(bytes: Uint8Array, start: number, end: number): number {
  const frequent = parseFrequent(bytes, start, end);
  if (!Number.isNaN(frequent)) return frequent;
  let stop = start;
  while (stop < end && bytes[stop] !== 0) stop++;
  if (stop === start) return 0;
  let first = start;
  while (first < stop && isSpace(bytes[first])) first++;
  return parseText(textIn(bytes, first, stop), true);
}

/** What most numbers are, without a string; NaN for anything else. */
function parseFrequent(bytes: Uint8Array, start: number, end: number): number {
  const short = parseShort(bytes, start, end);
  return Number.isNaN(short) ? parseInfinity(bytes, start, end) : short;
}

/** NaN for what is no number. What is beyond a double's range is infinite or 0 if `clamps`, otherwise NaN as well. */
function parseText(text: string, clamps: boolean): number {
  if (DECIMAL_REGEXP.test(text)) {
    const value = Number(text);
    return clamps ? value : inRange(value, !/^[^eE]*[1-9]/.test(text));
  }
  const infinite = INFINITY_REGEXP.exec(text);
  if (infinite !== null) return infinite[1] === "-" ? -Infinity : Infinity;
  const hex = HEX_REGEXP.exec(text);
  if (hex === null) return NaN;
  const value = hexValue(hex);
  return clamps ? value : inRange(value, !/[1-9a-f]/i.test(hex[2] + (hex[3] ?? "")));
}

function hexValue([, sign, whole, fraction = "", power = "0"]: RegExpExecArray): number {
  const digits = (whole + fraction).replace(/^0+/, "");
  const exponent = Number(power) - 4 * fraction.length;
  const magnitude = timesPowerOfTwo(BigInt(`0x0${digits}`), exponent);
  return sign === "-" ? -magnitude : magnitude;
}

/** The double that is `significand` · 2^exponent, rounded once: half to even at 53 bits, fewer where subnormal. */
export function timesPowerOfTwo(significand: bigint, exponent: number): number {
  if (significand === 0n) return 0;
  const top = significand.toString(2).length + exponent;
  if (top > 1024) return Infinity;
  if (top < LEAST_EXPONENT) return 0;
  const unit = Math.max(top - 53, LEAST_EXPONENT);
  const spare = unit - exponent;
  if (spare <= 0) return Number(significand) * 2 ** exponent;
  const spareBits = BigInt(spare);
  const half = 1n << (spareBits - 1n);
  const kept = significand >> spareBits;
  const rest = significand & (2n * half - 1n);
  const isUp = rest > half || (rest === half && (kept & 1n) === 1n);
  return Number(isUp ? kept + 1n : kept) * 2 ** unit;
}

/** strtod reports a range error for infinities and for what becomes 0 without being it. */
function inRange(value: number, isZero: boolean): number {
  return Number.isFinite(value) && (value !== 0 || isZero) ? value : NaN;
}

/** "inf" with a sign or without, which ranges of scores often begin or end with; NaN for anything else. */
function parseInfinity(bytes: Uint8Array, start: number, end: number): number {
  const sign = end - start === 4 ? bytes[start] : PLUS;
  const at = end - 3;
  if (at < start || at > start + 1 || (sign !== PLUS && sign !== MINUS)) return NaN;
  // With the bit that makes a letter of ASCII a small one.
  const isInf = (bytes[at] | 0x20) === 0x69 && (bytes[at + 1] | 0x20) === 0x6e &&
    (bytes[at + 2] | 0x20) === 0x66;
  return isInf ? (sign === MINUS ? -Infinity : Infinity) : NaN;
}

/** Up to 15 digits with at most one point, without a string; NaN for anything else. */
function parseShort(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  const isNegative = at < end && bytes[at] === 0x2d;
  if (isNegative) at++;
  if (at === end || end - at > 16) return NaN;
  let value = 0;
  let divisor = 0;
  let digits = 0;
  for (; at < end; at++) {
    const byte = bytes[at];
    if (byte === 0x2e && divisor === 0) {
      divisor = 1;
      continue;
    }
    if (byte < 0x30 || byte > 0x39) return NaN;
    value = 10 * value + byte - 0x30;
    divisor *= 10;
    digits++;
  }
  if (digits === 0 || digits > 15) return NaN;
  if (divisor > 1) value /= divisor;
  return isNegative ? -value : value;
}
