/**
 * The 80-bit extended floats of x86 (64-bit significand), in which Redis computes INCRBYFLOAT: exact
 * BigInt arithmetic, rounded half to even at 64 bits.
 *
 * A value is ±significand · 2^exponent. Subnormals (below 2^-16382) are rounded as such.
 * Source: IEEE 754 extended format; texts as printf("%.17Lf") gives them.
 */

const BITS = 64;
const LEAST_EXPONENT = -16445;
/** Largest exponent of a 64-bit significand. */
const MOST_EXPONENT = 16383 - 63;
/** A decimal exponent beyond this is 0 or infinite, whatever the digits. */
const DECIMAL_EXPONENT_MAX = 6000;
const FRACTION_DIGITS = 17;
/** Redis copies the text into a buffer of this size, a zero byte included. */
const TEXT_END = 5 * 1024;

export interface LongDouble {
  readonly isNegative: boolean;
  readonly significand: bigint;
  readonly exponent: number;
  readonly isInfinite: boolean;
}

const DECIMAL_REGEXP = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;
const INFINITY_REGEXP = /^([+-]?)inf(?:inity)?$/i;
const HEX_REGEXP = /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?\d+))?$/;

/**
 * Reads a decimal or hexadecimal float or "inf". Null for anything else: "nan", spaces, texts of 5 KiB
 * and more, and numbers too large or too small for the format, as strtold reports a range error there.
 */
export function parseLongDouble(text: string): LongDouble | null {
  if (text.length >= TEXT_END) return null;
  const infinite = INFINITY_REGEXP.exec(text);
  if (infinite !== null) {
    return { isNegative: infinite[1] === "-", significand: 0n, exponent: 0, isInfinite: true };
  }
  const hex = HEX_REGEXP.exec(text);
  if (hex !== null) return parseHex(hex);
  const match = DECIMAL_REGEXP.exec(text);
  return match === null ? null : parseDecimal(match);
}

function parseDecimal(
  [, sign, whole, fraction = "", power = "0"]: RegExpExecArray,
): LongDouble | null {
  const text = (whole + fraction).replace(/^0+/, "");
  if (whole === "" && fraction === "") return null;
  if (text === "") return finite(sign === "-", 0n, 0);
  const exponent = Number(power) - fraction.length;
  if (Math.abs(exponent + text.length) > DECIMAL_EXPONENT_MAX) return null;
  const value = exponent >= 0
    ? rounded(sign === "-", BigInt(text) * 10n ** BigInt(exponent), 1n)
    : rounded(sign === "-", BigInt(text), 10n ** BigInt(-exponent));
  return inRange(value);
}

function parseHex(
  [, sign, whole, fraction = "", power = "0"]: RegExpExecArray,
): LongDouble | null {
  const text = (whole + fraction).replace(/^0+/, "");
  if (whole === "" && fraction === "") return null;
  if (text === "") return finite(sign === "-", 0n, 0);
  const exponent = Number(power) - 4 * fraction.length;
  if (Math.abs(exponent + 4 * text.length) > 4 * DECIMAL_EXPONENT_MAX) return null;
  const digits = BigInt(`0x${text}`);
  const value = exponent >= 0
    ? rounded(sign === "-", digits << BigInt(exponent), 1n)
    : rounded(sign === "-", digits, 1n << BigInt(-exponent));
  return inRange(value);
}

/** The value if it neither overflows nor becomes 0, for a number that is not 0; otherwise null. */
function inRange(value: LongDouble): LongDouble | null {
  return value.isInfinite || value.significand === 0n ? null : value;
}

/** The sum, rounded; null when it is infinite or no number. */
export function addLongDoubles(a: LongDouble, b: LongDouble): LongDouble | null {
  if (a.isInfinite || b.isInfinite) return null;
  const exponent = Math.min(a.exponent, b.exponent);
  const sum = signed(a) * (1n << BigInt(a.exponent - exponent)) +
    signed(b) * (1n << BigInt(b.exponent - exponent));
  const isNegative = sum < 0n || (sum === 0n && a.isNegative && b.isNegative);
  const magnitude = sum < 0n ? -sum : sum;
  const value = exponent >= 0
    ? rounded(isNegative, magnitude << BigInt(exponent), 1n)
    : rounded(isNegative, magnitude, 1n << BigInt(-exponent));
  return value.isInfinite ? null : value;
}

/** As "%.17Lf" with the zeros at its end, and a bare point, cut off. */
export function longDoubleText(value: LongDouble): string {
  const scale = 10n ** BigInt(FRACTION_DIGITS);
  const scaled = value.exponent >= 0
    ? (value.significand << BigInt(value.exponent)) * scale
    : divideHalfEven(value.significand * scale, 1n << BigInt(-value.exponent));
  const digits = String(scaled).padStart(FRACTION_DIGITS + 1, "0");
  const whole = digits.slice(0, -FRACTION_DIGITS);
  const fraction = digits.slice(-FRACTION_DIGITS).replace(/0+$/, "");
  const text = fraction === "" ? whole : `${whole}.${fraction}`;
  return value.isNegative && text !== "0" ? `-${text}` : text;
}

function signed(value: LongDouble): bigint {
  return value.isNegative ? -value.significand : value.significand;
}

function finite(isNegative: boolean, significand: bigint, exponent: number): LongDouble {
  return { isNegative, significand, exponent, isInfinite: false };
}

/** numerator / denominator in the format. */
function rounded(isNegative: boolean, numerator: bigint, denominator: bigint): LongDouble {
  if (numerator === 0n) return finite(isNegative, 0n, 0);
  let exponent = bitsOf(numerator) - bitsOf(denominator) - BITS;
  let significand = scaledQuotient(numerator, denominator, Math.max(exponent, LEAST_EXPONENT));
  exponent = Math.max(exponent, LEAST_EXPONENT);
  while (bitsOf(significand) > BITS) {
    exponent++;
    significand = scaledQuotient(numerator, denominator, exponent);
  }
  if (exponent > MOST_EXPONENT) {
    return { isNegative, significand: 0n, exponent: 0, isInfinite: true };
  }
  return finite(isNegative, significand, exponent);
}

/** numerator / denominator / 2^exponent, to the nearest integer. */
function scaledQuotient(numerator: bigint, denominator: bigint, exponent: number): bigint {
  return exponent >= 0
    ? divideHalfEven(numerator, denominator << BigInt(exponent))
    : divideHalfEven(numerator << BigInt(-exponent), denominator);
}

function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const twice = 2n * (numerator - quotient * denominator);
  if (twice > denominator || (twice === denominator && (quotient & 1n) === 1n)) {
    return quotient + 1n;
  }
  return quotient;
}

function bitsOf(value: bigint): number {
  return value.toString(2).length;
}
