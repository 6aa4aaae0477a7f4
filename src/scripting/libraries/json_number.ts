// hot path
/**
 * Numbers in JSON texts, as C's strtod reads them: decimal, and also hexadecimal, infinite and "nan", which cjson accepts unless
 * it is told not to. The text must end with a byte that belongs to no number, such as the NUL behind each of Lua's strings.
 */
import { timesPowerOfTwo } from "../../lib/double_text.ts";
import { binaryText } from "../../protocol/args.ts";

const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const UNDERSCORE = 0x5f;
const OPEN = 0x28;
const CLOSE = 0x29;
const LETTER_A = 0x61;
const LETTER_E = 0x65;
const LETTER_F = 0x66;
const LETTER_I = 0x69;
const LETTER_N = 0x6e;
const LETTER_P = 0x70;
const LETTER_X = 0x78;
const LETTER_Z = 0x7a;
/** The bit that makes a letter of ASCII a small one. */
const SMALL = 0x20;

/** So many digits a double holds exactly, whatever they are. */
const EXACT_DIGITS = 15;
const POWERS = Float64Array.from({ length: EXACT_DIGITS + 1 }, (_, i) => Number(`1e${i}`));
/** Of a hexadecimal number with more than these bits it only matters whether the rest is 0. */
const SIGNIFICAND_MAX = 2n ** 80n;
/** An exponent that makes anything infinite or nothing. */
const EXPONENT_MAX = 99_999;

/** Its sign shows in scripts; no arithmetic of JavaScript is sure to keep one. */
const NEGATIVE_NAN = new Float64Array(new Uint32Array([0, 0xfff80000]).buffer);

// scratch: lives for one call
const numberEndOf = new Uint32Array(1);

/** Where the number ends that `readNumber` has read last. */
export function numberEnd(): number {
  return numberEndOf[0];
}

/** Whether a number begins at `at`, or what strtod takes for one, that JSON has not: "+1", "0x1", "01", "inf", "nan". */
export function isInvalidNumber(bytes: Uint8Array, at: number): boolean {
  let byte = bytes[at];
  if (byte === PLUS) return true;
  if (byte === MINUS) byte = bytes[++at];
  if (byte === ZERO) {
    const next = bytes[at + 1];
    return (next | SMALL) === LETTER_X || isDigit(next);
  }
  if (byte <= NINE) return false;
  return isWord(bytes, at, LETTER_I, LETTER_N, LETTER_F) ||
    isWord(bytes, at, LETTER_N, LETTER_A, LETTER_N);
}

/** Reads the longest number at `at`. If there is none, `numberEnd()` is `at`. */
export function readNumber(bytes: Uint8Array, at: number): number {
  let next = at;
  const isNegative = bytes[next] === MINUS;
  if (isNegative) next++;
  let value = 0;
  let digits = 0;
  let power = 0;
  const first = next;
  while (isDigit(bytes[next])) value = 10 * value + bytes[next++] - ZERO;
  digits = next - first;
  if (bytes[next] === POINT) {
    const fraction = ++next;
    while (isDigit(bytes[next])) value = 10 * value + bytes[next++] - ZERO;
    power = fraction - next;
    digits -= power;
  }
  // Not only digits, too many of them, or none: by way of a string.
  const byte = bytes[next] | SMALL;
  if (digits > EXACT_DIGITS || digits === 0 || byte === LETTER_E || byte === LETTER_X) {
    return readRare(bytes, at);
  }
  numberEndOf[0] = next;
  if (power !== 0) value /= POWERS[-power];
  return isNegative ? -value : value;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

/** Whether three letters, large or small, stand at `at`. */
function isWord(bytes: Uint8Array, at: number, a: number, b: number, c: number): boolean {
  return (bytes[at] | SMALL) === a && (bytes[at + 1] | SMALL) === b &&
    (bytes[at + 2] | SMALL) === c;
}

/** As `readNumber`, for any. */
function readRare(bytes: Uint8Array, at: number): number {
  let next = at;
  const sign = bytes[next] === MINUS ? -1 : 1;
  if (sign < 0 || bytes[next] === PLUS) next++;
  if (isWord(bytes, next, LETTER_I, LETTER_N, LETTER_F)) {
    const isLong = isWord(bytes, next + 3, LETTER_I, LETTER_N, LETTER_I) &&
      (bytes[next + 6] | SMALL) === 0x74 && (bytes[next + 7] | SMALL) === 0x79;
    numberEndOf[0] = next + (isLong ? 8 : 3);
    return sign * Infinity;
  }
  if (isWord(bytes, next, LETTER_N, LETTER_A, LETTER_N)) {
    numberEndOf[0] = nanEnd(bytes, next + 3);
    return sign < 0 ? NEGATIVE_NAN[0] : NaN;
  }
  if (bytes[next] === ZERO && (bytes[next + 1] | SMALL) === LETTER_X) {
    const digitsAt = bytes[next + 2] === POINT ? next + 3 : next + 2;
    if (hexDigit(bytes[digitsAt]) >= 0) return sign * readHex(bytes, next + 2);
  }
  return sign * readDecimal(bytes, at, next);
}

/** "nan" may be followed by letters and digits in parentheses. */
function nanEnd(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== OPEN) return at;
  let next = at + 1;
  while (isWordByte(bytes[next])) next++;
  return bytes[next] === CLOSE ? next + 1 : at;
}

function isWordByte(byte: number): boolean {
  const small = byte | SMALL;
  return isDigit(byte) || byte === UNDERSCORE || (small >= LETTER_A && small <= LETTER_Z);
}

function readDecimal(bytes: Uint8Array, at: number, first: number): number {
  let next = first;
  while (isDigit(bytes[next])) next++;
  let digits = next - first;
  if (bytes[next] === POINT) {
    const fraction = ++next;
    while (isDigit(bytes[next])) next++;
    digits += next - fraction;
  }
  if (digits === 0) {
    numberEndOf[0] = at;
    return 0;
  }
  if ((bytes[next] | SMALL) === LETTER_E) next = exponentEnd(bytes, next);
  numberEndOf[0] = next;
  return Number(binaryText(bytes, first, next));
}

/** Where an exponent ends whose letter is at `at`: there, if digits do not follow. */
function exponentEnd(bytes: Uint8Array, at: number): number {
  let next = at + 1;
  if (bytes[next] === PLUS || bytes[next] === MINUS) next++;
  if (!isDigit(bytes[next])) return at;
  while (isDigit(bytes[next])) next++;
  return next;
}

/** Hexadecimal digits, perhaps with a point and a power of two, without the "0x". */
function readHex(bytes: Uint8Array, at: number): number {
  let next = at;
  let significand = 0n;
  let power = 0;
  let isFraction = false;
  let rest = 0;
  for (;; next++) {
    const digit = hexDigit(bytes[next]);
    if (digit >= 0 && significand < SIGNIFICAND_MAX) {
      significand = 16n * significand + BigInt(digit);
      if (isFraction) power -= 4;
    } else if (digit >= 0) {
      rest |= digit;
      if (!isFraction) power += 4;
    } else if (bytes[next] === POINT && !isFraction) isFraction = true;
    else break;
  }
  if (rest !== 0) significand |= 1n;
  if ((bytes[next] | SMALL) === LETTER_P) {
    const end = exponentEnd(bytes, next);
    let exponent = 0;
    for (let i = next + 1; i < end; i++) {
      if (isDigit(bytes[i])) exponent = Math.min(10 * exponent + bytes[i] - ZERO, EXPONENT_MAX);
    }
    power += bytes[next + 1] === MINUS ? -exponent : exponent;
    next = end;
  }
  numberEndOf[0] = next;
  return timesPowerOfTwo(significand, power);
}

/** The value of a hexadecimal digit; −1 for any other byte. */
export function hexDigit(byte: number): number {
  if (isDigit(byte)) return byte - ZERO;
  const small = byte | SMALL;
  return small >= LETTER_A && small <= LETTER_F ? small - LETTER_A + 10 : -1;
}
