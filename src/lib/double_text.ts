/**
 * Doubles as text, in Redis's forms: the shortest that reads back (7.2's replies) and "%.17g" (7.0's);
 * and text as doubles.
 */

/**
 * The shortest text that reads back as `value`: "3.5", "1e+21", "inf", "-0". JavaScript's own shortest
 * digits and exponent rules are those of Redis 7.2's replies for nearly all doubles (PLATFORM.md).
 */
export function doubleText(value: number): string {
  if (value === Infinity) return "inf";
  if (value === -Infinity) return "-inf";
  if (value !== value) return "nan";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  return String(value);
}

/** As printf("%.17g"): 17 significant digits, trailing zeros cut, exponents of two digits at least. */
export function doubleText17(value: number): string {
  if (!Number.isFinite(value) || value === 0) return doubleText(value);
  const [digits, exponentText] = value.toExponential(16).split("e");
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 17) {
    const sign = exponent < 0 ? "-" : "+";
    return `${trimmed(digits)}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  return trimmed(value.toFixed(Math.min(16 - exponent, 100)));
}

function trimmed(digits: string): string {
  return digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
}

const DECIMAL_REGEXP = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const INFINITY_REGEXP = /^([+-]?)inf(?:inity)?$/i;
const HEX_REGEXP = /^([+-]?)0[xX]([0-9a-fA-F]+)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?\d+))?$/;
const TEXT_MAX = 256;

/** The double in `bytes[start, end)` as Redis reads one; NaN for "nan" and for what is no number. */
export function parseDouble(bytes: Uint8Array, start: number, end: number): number {
  const short = parseShort(bytes, start, end);
  if (short === short) return short;
  if (end - start > TEXT_MAX) return NaN;
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]);
  if (DECIMAL_REGEXP.test(text)) return finiteOrNaN(Number(text));
  const infinite = INFINITY_REGEXP.exec(text);
  if (infinite !== null) return infinite[1] === "-" ? -Infinity : Infinity;
  const hex = HEX_REGEXP.exec(text);
  if (hex === null) return NaN;
  const [, sign, whole, fraction = "", power = "0"] = hex;
  const value = Number(`0x${whole}${fraction}`) * 2 ** (Number(power) - 4 * fraction.length);
  return finiteOrNaN(sign === "-" ? -value : value);
}

/** A decimal that overflows is refused: strtod reports a range error. */
function finiteOrNaN(value: number): number {
  return Number.isFinite(value) ? value : NaN;
}

/** Up to 15 digits with at most one point, without a string; NaN for anything else. */
function parseShort(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  const isNegative = bytes[at] === 0x2d;
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
