/**
 * Doubles as text, in Redis's forms: that of 7.2's replies (`doubleText`) and "%.17g" of 7.0
 * (`doubleText17`); and text as doubles.
 *
 * Redis 7.2 draws digits with Grisu2: they always read back, but are not the shortest for one value in a
 * thousand. JavaScript's own digits would differ there, so we run the same algorithm.
 * Source: Florian Loitsch, "Printing Floating-Point Numbers Quickly and Accurately with Integers", 2010.
 */

/** Redis writes integers up to 2^62 with all their digits. */
const INTEGER_MAX = 2 ** 62;

/** Cached powers of ten: one in eight from 10^-348, which leaves the product's exponent in -60 … -32. */
const POWER_STEP = 8;
const POWER_LEAST = -348;
const POWER_COUNT = 87;
const PRODUCT_EXPONENT_MIN = -60;
const PRODUCT_EXPONENT_MAX = -32;

/** Of the smallest subnormal double. */
const LEAST_EXPONENT = -1074;

/** significand · 2^exponent, the significand within 64 bits. */
interface Scaled {
  readonly significand: bigint;
  readonly exponent: number;
}

const powers: (Scaled | undefined)[] = new Array(POWER_COUNT).fill(undefined);
// scratch: lives for one call
const float = new Float64Array(1);
// scratch: lives for one call
const floatBits = new BigUint64Array(float.buffer);

/** "3.5", "1e+21", "inf", "-0": as Redis 7.2 replies. About 2 µs for a fraction, 0.1 for an integer. */
export function doubleText(value: number): string {
  if (value === Infinity) return "inf";
  if (value === -Infinity) return "-inf";
  if (Number.isNaN(value)) return "nan";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  if (Number.isSafeInteger(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) <= INTEGER_MAX) return String(BigInt(value));
  const text = grisuText(Math.abs(value));
  return value < 0 ? `-${text}` : text;
}

/** As printf("%.17g"): 17 significant digits, trailing zeros cut, exponents of two digits at least. */
export function doubleText17(value: number): string {
  if (!Number.isFinite(value) || value === 0) return doubleText(value);
  const [mantissa, exponentText] = Math.abs(value).toExponential(17).split("e");
  const longer = mantissa.replace(".", "");
  // JavaScript rounds an exact tie up, printf to the even digit.
  const isEvenTie = longer[17] === "5" && Number(longer[16]) % 2 === 0 && isTie(value);
  const [rounded, roundedExponent] = Math.abs(value).toExponential(16).split("e");
  const digits = isEvenTie ? longer.slice(0, 17) : rounded.replace(".", "");
  const exponent = Number(isEvenTie ? exponentText : roundedExponent);
  const sign = value < 0 ? "-" : "";
  if (exponent >= -4 && exponent < 17) return sign + positional(trimmed(digits), exponent);
  const power = String(Math.abs(exponent)).padStart(2, "0");
  return `${sign}${scientific(trimmed(digits))}e${exponent < 0 ? "-" : "+"}${power}`;
}

/** Whether all digits behind the eighteenth are zeros. */
function isTie(value: number): boolean {
  return /^-?\d\.\d{17}0*e/.test(value.toExponential(100));
}

function trimmed(digits: string): string {
  return digits.replace(/0+$/, "");
}

/** Digits d1 d2 d3 … stand for d1.d2d3… · 10^exponent. */
function positional(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return digits + "0".repeat(exponent + 1 - digits.length);
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

function scientific(digits: string): string {
  return digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`;
}

/**
 * Grisu2's digits of a positive double, in Redis 7.2's form: positional as long as that takes few zeros,
 * else with an exponent of as many digits as it needs.
 */
function grisuText(value: number): string {
  float[0] = value;
  const bits = floatBits[0];
  const fraction = bits & 0xfffffffffffffn;
  const biased = Number(bits >> 52n);
  const significand = biased === 0 ? fraction : fraction | (1n << 52n);
  const exponent = Math.max(biased, 1) - 1075;
  const highest = normalized(2n * significand + 1n, exponent - 1);
  // Below a power of two the next double is half as far.
  const isNarrow = fraction === 0n && biased > 1;
  const lowest = isNarrow
    ? (4n * significand - 1n) << BigInt(exponent - 2 - highest.exponent)
    : (2n * significand - 1n) << BigInt(exponent - 1 - highest.exponent);
  const middle = significand << BigInt(exponent - highest.exponent);

  const index = powerFor(highest.exponent);
  const power = powerAt(index);
  // One unit off either bound makes up for the product's rounding.
  const upper = product(highest.significand, power.significand) - 1n;
  const lower = product(lowest, power.significand) + 1n;
  const centre = product(middle, power.significand);
  const shift = -(highest.exponent + power.exponent + 64);
  const drawn = drawDigits(upper, upper - lower, upper - centre, shift);
  return form(drawn.digits, drawn.exponent - (POWER_LEAST + POWER_STEP * index));
}

function form(digits: string, exponent: number): string {
  const power = exponent + digits.length - 1;
  const isLong = exponent >= 0 && power < digits.length + 7;
  const isShort = exponent < 0 && (exponent > -7 || Math.abs(power) < 4);
  if (isLong || isShort) return positional(digits, power);
  return `${scientific(digits)}e${power < 0 ? "-" : "+"}${Math.abs(power)}`;
}

/**
 * The fewest digits of `upper` / 2^shift that stay within `width` below it, the last one moved down
 * towards the value itself, which lies `distance` below.
 */
function drawDigits(
  upper: bigint,
  width: bigint,
  distance: bigint,
  shift: number,
): { digits: string; exponent: number } {
  const shiftBits = BigInt(shift);
  const mask = (1n << shiftBits) - 1n;
  const whole = Number(upper >> shiftBits);
  let rest = upper & mask;
  let digits = 0n;
  // The whole part: the longest tail that may be left out.
  const wholeText = String(whole);
  for (let kept = 1; kept <= wholeText.length; kept++) {
    const exponent = wholeText.length - kept;
    const unit = 10 ** exponent;
    const remainder = (BigInt(whole % unit) << shiftBits) + rest;
    if (remainder > width) continue;
    digits = BigInt(Math.floor(whole / unit));
    const steps = stepsDown(remainder, width, distance, BigInt(unit) << shiftBits);
    return { digits: String(digits - steps), exponent };
  }
  digits = BigInt(whole);
  for (let exponent = -1;; exponent--) {
    rest *= 10n;
    width *= 10n;
    distance *= 10n;
    digits = 10n * digits + (rest >> shiftBits);
    rest &= mask;
    // Unlike the whole part's, an equal rest goes on: so does Redis (0.07655 is 0.07655000000000001).
    if (rest >= width) continue;
    return { digits: String(digits - stepsDown(rest, width, distance, mask + 1n)), exponent };
  }
}

/** By how much the last digit falls to come closest to `distance` without leaving `width`. */
function stepsDown(remainder: bigint, width: bigint, distance: bigint, unit: bigint): bigint {
  let steps = 0n;
  while (
    remainder < distance && width - remainder >= unit &&
    (remainder + unit < distance || distance - remainder > remainder + unit - distance)
  ) {
    remainder += unit;
    steps++;
  }
  return steps;
}

/** The same value with the highest of 64 bits set. */
function normalized(significand: bigint, exponent: number): Scaled {
  const shift = 64 - significand.toString(2).length;
  return { significand: significand << BigInt(shift), exponent: exponent - shift };
}

/** The upper 64 bits of a product, rounded. */
function product(a: bigint, b: bigint): bigint {
  return (a * b + (1n << 63n)) >> 64n;
}

/** Which cached power brings a significand with this exponent into the range of the product's. */
function powerFor(exponent: number): number {
  // A power 10^n has the exponent floor(n · log2(10)) - 63.
  const guess = (PRODUCT_EXPONENT_MIN - exponent - 1) * Math.LOG10E * Math.LN2;
  let index = Math.max(0, Math.floor((guess - POWER_LEAST) / POWER_STEP));
  while (index < POWER_COUNT - 1) {
    const sum = exponent + powerAt(index).exponent + 64;
    if (sum >= PRODUCT_EXPONENT_MIN && sum <= PRODUCT_EXPONENT_MAX) break;
    index++;
  }
  return index;
}

/** 10^(-348 + 8 · index) rounded to 64 bits; worked out once. */
function powerAt(index: number): Scaled {
  return powers[index] ??= powerOfTen(POWER_LEAST + POWER_STEP * index);
}

function powerOfTen(power: number): Scaled {
  const ten = 10n ** BigInt(Math.abs(power));
  const bits = ten.toString(2).length;
  if (power >= 0) {
    const spare = BigInt(Math.max(bits - 64, 0));
    const significand = spare === 0n ? ten : (ten + (1n << (spare - 1n))) >> spare;
    return normalized(significand, Number(spare));
  }
  const shift = BigInt(bits + 63);
  const quotient = (1n << shift) / ten;
  const isUp = 2n * ((1n << shift) - quotient * ten) >= ten;
  return normalized(isUp ? quotient + 1n : quotient, -Number(shift));
}

const DECIMAL_REGEXP = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const INFINITY_REGEXP = /^([+-]?)inf(?:inity)?$/i;
const HEX_REGEXP =
  /^([+-]?)0x(?=[0-9a-f]|\.[0-9a-f])([0-9a-f]*)(?:\.([0-9a-f]*))?(?:p([+-]?\d+))?$/i;

/**
 * The double in `bytes[start, end)` as Redis reads one: decimal, hexadecimal or infinite. NaN for
 * "nan", for what is no number, and for what is too large or too small for a double.
 */
export function parseDouble(bytes: Uint8Array, start: number, end: number): number {
  const short = parseShort(bytes, start, end);
  if (!Number.isNaN(short)) return short;
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]);
  if (DECIMAL_REGEXP.test(text)) {
    return inRange(Number(text), !/^[^eE]*[1-9]/.test(text));
  }
  const infinite = INFINITY_REGEXP.exec(text);
  if (infinite !== null) return infinite[1] === "-" ? -Infinity : Infinity;
  const hex = HEX_REGEXP.exec(text);
  return hex === null ? NaN : parseHex(hex);
}

function parseHex([, sign, whole, fraction = "", power = "0"]: RegExpExecArray): number {
  const digits = (whole + fraction).replace(/^0+/, "");
  const magnitude = scaled(digits, Number(power) - 4 * fraction.length);
  return inRange(sign === "-" ? -magnitude : magnitude, digits === "");
}

/** Hexadecimal digits · 2^exponent, rounded once: half to even at 53 bits, fewer where subnormal. */
function scaled(digits: string, exponent: number): number {
  if (digits === "") return 0;
  const significand = BigInt(`0x${digits}`);
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
