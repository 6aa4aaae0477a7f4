// hot path
/**
 * The strings and other tokens of a JSON text that ends with a NUL: where they end, what they stand for, and, once reading has
 * failed, which token stands where another was expected.
 */
import { hexDigit, isInvalidNumber, numberEnd, readNumber } from "./json_number.ts";

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const MINUS = 0x2d;
export const ZERO = 0x30;
export const NINE = 0x39;
export const COLON = 0x3a;
export const OPEN_ARRAY = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_ARRAY = 0x5d;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;
export const LETTER_U = 0x75;
/** Of "\ud83d\ude00": a code point beyond 16 bits is written as two escapes. */
const ESCAPE_BYTES = 6;
const HIGH_SURROGATE = 0xd800;
const LOW_SURROGATE = 0xdc00;
const SURROGATES_END = 0xe000;

/** Letters behind a backslash, and what they stand for. */
export const ESCAPED = ['""', "\\\\", "//", "b\b", "f\f", "n\n", "r\r", "t\t"] as const;
/** What the letter behind a backslash stands for. */
const UNESCAPED = new Uint8Array(256);
for (const [letter, byte] of ESCAPED) {
  UNESCAPED[letter.charCodeAt(0)] = byte.charCodeAt(0);
}

/** What is wrong with a string. */
const Flaw = { end: 0, escape: 1, unicode: 2 } as const;
const FLAWS = [
  "unexpected end of string",
  "invalid escape code",
  "invalid unicode escape code",
];

/** What `stringEnd` has found wrong, and where. */
// scratch: lives for one call
const flaw = new Uint32Array(2);

/** Where the closing quote is of the string that begins behind the quote at `at`; 0 if it is not one. */
export function stringEnd(bytes: Uint8Array, at: number): number {
  for (let next = at + 1;;) {
    const byte = bytes[next];
    if (byte === QUOTE) return next;
    if (byte === 0) return flawed(Flaw.end, next);
    if (byte !== BACKSLASH) {
      next++;
      continue;
    }
    const letter = bytes[next + 1];
    if (letter !== LETTER_U) {
      if (UNESCAPED[letter] === 0) return flawed(Flaw.escape, next);
      next += 2;
      continue;
    }
    const point = codePoint(bytes, next);
    if (point < 0) return flawed(Flaw.unicode, next);
    next += point > 0xffff ? 2 * ESCAPE_BYTES : ESCAPE_BYTES;
  }
}

function flawed(what: number, at: number): number {
  flaw[0] = what;
  flaw[1] = at;
  return 0;
}

/** The code point of the escape at `at`, or of the two that stand for one; −1 if it is not one. */
function codePoint(bytes: Uint8Array, at: number): number {
  const unit = codeUnit(bytes, at);
  if (unit < HIGH_SURROGATE || unit >= SURROGATES_END) return unit;
  if (unit >= LOW_SURROGATE) return -1;
  const other = at + ESCAPE_BYTES;
  if (bytes[other] !== BACKSLASH || bytes[other + 1] !== LETTER_U) return -1;
  const low = codeUnit(bytes, other);
  if (low < LOW_SURROGATE || low >= SURROGATES_END) return -1;
  return 0x10000 + ((unit - HIGH_SURROGATE) << 10) + low - LOW_SURROGATE;
}

/** Of "\u12ab"; −1 if digits are missing. */
function codeUnit(bytes: Uint8Array, at: number): number {
  let unit = 0;
  for (let i = at + 2; i < at + ESCAPE_BYTES; i++) {
    const digit = hexDigit(bytes[i]);
    if (digit < 0) return -1;
    unit = 16 * unit + digit;
  }
  return unit;
}

/** Writes what a string with escapes stands for, whose quotes are at `at` and `end`; it is not longer. Returns its end. */
export function writeUnescaped(
  bytes: Uint8Array,
  at: number,
  end: number,
  target: number,
): number {
  for (let next = at + 1; next < end;) {
    const byte = bytes[next];
    if (byte !== BACKSLASH) {
      bytes[target++] = byte;
      next++;
    } else if (bytes[next + 1] !== LETTER_U) {
      bytes[target++] = UNESCAPED[bytes[next + 1]];
      next += 2;
    } else {
      const point = codePoint(bytes, next);
      target = writeUtf8(point, bytes, target);
      next += point > 0xffff ? 2 * ESCAPE_BYTES : ESCAPE_BYTES;
    }
  }
  return target;
}

function writeUtf8(point: number, bytes: Uint8Array, at: number): number {
  if (point < 0x80) {
    bytes[at] = point;
    return at + 1;
  }
  const count = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  // 110, 1110 or 11110, and the upper bits; then six bits behind 10 each.
  bytes[at] = (0xf00 >> count) & 0xff | point >> 6 * (count - 1);
  for (let i = 1; i < count; i++) {
    bytes[at + i] = 0x80 | point >> 6 * (count - 1 - i) & 0x3f;
  }
  return at + count;
}

/** Tokens that are one byte; a NUL is the end, wherever it stands. */
const MARKS: Readonly<Record<number, string>> = {
  0: "T_END",
  [COMMA]: "T_COMMA",
  [COLON]: "T_COLON",
  [OPEN_ARRAY]: "T_ARR_BEGIN",
  [CLOSE_ARRAY]: "T_ARR_END",
  [OPEN_OBJECT]: "T_OBJ_BEGIN",
  [CLOSE_OBJECT]: "T_OBJ_END",
};
const WORDS = [["true", "T_BOOLEAN"], ["false", "T_BOOLEAN"], ["null", "T_NULL"]];

/** "Expected value but found T_END at character 2": what stands at `at` of a text that begins at `start`. */
export function mismatch(
  expected: string,
  bytes: Uint8Array,
  start: number,
  at: number,
  allowsInvalid: boolean,
): string {
  const found = tokenAt(bytes, at, allowsInvalid);
  const where = found === null ? flaw[1] : at;
  return `Expected ${expected} but found ${found ?? FLAWS[flaw[0]]} at character ${
    where - start + 1
  }`;
}

/** The token's name; null for a string with a flaw. */
function tokenAt(bytes: Uint8Array, at: number, allowsInvalid: boolean): string | null {
  const byte = bytes[at];
  const mark = MARKS[byte];
  if (mark !== undefined) return mark;
  if (byte === QUOTE) return stringEnd(bytes, at) === 0 ? null : "T_STRING";
  for (const [word, name] of WORDS) {
    if (isText(bytes, at, word)) return name;
  }
  const isNumber = byte === MINUS || (byte >= ZERO && byte <= NINE);
  const isInvalid = isInvalidNumber(bytes, at);
  if (!isNumber && !(allowsInvalid && isInvalid)) return "invalid token";
  if (isInvalid && !allowsInvalid) return "invalid number";
  readNumber(bytes, at);
  return numberEnd() === at ? "invalid number" : "T_NUMBER";
}

function isText(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (bytes[at + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}
