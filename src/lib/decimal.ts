// hot path
/**
 * Decimal integers as bytes: strict reading as Redis does it ("0", "-1"; no plus, no leading zeros, no
 * "-0", no spaces) and writing, up to the whole signed 64-bit range without a BigInt.
 *
 * A 64-bit integer is a pair of signed 32-bit halves, `hi` and `lo`: an unsigned half beyond 2^31 would be
 * boxed wherever V8 does not inline. What computes with `lo` makes it unsigned (`lo >>> 0`) first.
 */
import { assert } from "./assert.ts";

const ZERO = 0x30;
const MINUS = 0x2d;
const PLUS = 0x2b;
const TWO_32 = 4294967296;
const TWO_53 = 2 ** 53;
const TWO_63 = 2 ** 63;
/** Digits that a double holds exactly, whatever they are. */
const SAFE_DIGITS = 15;
const BILLION = 1_000_000_000;
/** "00" to "99". */
const PAIRS = Uint8Array.from(
  { length: 200 },
  (_, i) => ZERO + (i % 2 === 0 ? (i / 20) | 0 : (i >> 1) % 10),
);

/** A signed 64-bit integer that is reused instead of allocated. */
export class Int64 {
  // A plain number field would be boxed anew whenever it exceeds 31 bits (16 B, measured).
  readonly #words = new Int32Array(2);

  /** A new one that holds an integer within ±2^53. */
  static of(value: number): Int64 {
    const made = new Int64();
    made.setNumber(value);
    return made;
  }

  get hi(): number {
    return this.#words[1];
  }

  set hi(value: number) {
    this.#words[1] = value;
  }

  get lo(): number {
    return this.#words[0];
  }

  set lo(value: number) {
    this.#words[0] = value;
  }

  set(hi: number, lo: number): void {
    this.#words[1] = hi;
    this.#words[0] = lo;
  }

  copy(other: Int64): void {
    this.set(other.#words[1], other.#words[0]);
  }

  /** Whether it is less than `other`. */
  isBefore(other: Int64): boolean {
    const hi = this.hi;
    return hi === other.hi ? this.lo >>> 0 < other.lo >>> 0 : hi < other.hi;
  }

  /** Takes an integer within ±2^63; beyond 2^53 a double is one, if perhaps not the one that was meant. */
  setNumber(value: number): void {
    this.lo = value | 0;
    this.hi = Math.floor(value / TWO_32) | 0;
  }

  get isZero(): boolean {
    return (this.lo | this.hi) === 0;
  }

  /** The nearest double: exact within ±2^53. */
  get rounded(): number {
    return this.hi * TWO_32 + (this.lo >>> 0);
  }

  /** Counts one more. The greatest is followed by the least, as in a register of 64 bits. */
  increment(): void {
    const lo = (this.lo + 1) | 0;
    this.lo = lo;
    if (lo === 0) this.hi = (this.hi + 1) | 0;
  }
}

/** The integer in `bytes[start, end)` if it lies within ±(2^53 - 1); NaN for anything else. */
export function parseInteger(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  const isNegative = start < end && bytes[at] === MINUS;
  if (isNegative) at++;
  const digits = end - at;
  if (digits < 1 || digits > SAFE_DIGITS + 1) return NaN;
  if (bytes[at] === ZERO && (digits > 1 || isNegative)) return NaN;
  let value = 0;
  for (; at < end; at++) {
    const digit = bytes[at] - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    value = 10 * value + digit;
  }
  if (value > Number.MAX_SAFE_INTEGER) return NaN;
  return isNegative ? -value : value;
}

/** As `parseInteger` for what can't be negative: cursors. */
export function parseUnsigned(bytes: Uint8Array, start: number, end: number): number {
  return start < end && bytes[start] === MINUS ? NaN : parseInteger(bytes, start, end);
}

/** Reads a signed 64-bit integer into `out`; returns false, leaving `out` undefined, if it is none. */
export function parseInt64(bytes: Uint8Array, start: number, end: number, out: Int64): boolean {
  const isNegative = start < end && bytes[start] === MINUS;
  const first = isNegative ? start + 1 : start;
  const digits = end - first;
  if (digits < 1 || digits > 19) return false;
  if (bytes[first] === ZERO && (digits > 1 || isNegative)) return false;
  // Up to 19 digits as a high part of at most ten and a low part of nine.
  const split = Math.max(first, end - 9);
  let high = 0;
  for (let at = first; at < split; at++) {
    const digit = bytes[at] - ZERO;
    if (digit < 0 || digit > 9) return false;
    high = 10 * high + digit;
  }
  let low = 0;
  for (let at = split; at < end; at++) {
    const digit = bytes[at] - ZERO;
    if (digit < 0 || digit > 9) return false;
    low = 10 * low + digit;
  }
  return combine(high, low, isNegative, out);
}

/** What C's isspace says of a byte. */
export function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/**
 * Reads an unsigned 64-bit integer as C's strtoull does, into the same 64 bits of `out`: white space, a sign and zeros
 * may stand in front, a minus gives the opposite modulo 2^64, and a NUL ends the text. Returns false for anything else,
 * as for no digits at all.
 */
export function parseLenientUnsigned(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Int64,
): boolean {
  let at = start;
  while (at < end && isSpace(bytes[at])) at++;
  const isNegative = at < end && bytes[at] === MINUS;
  if (at < end && (isNegative || bytes[at] === PLUS)) at++;
  const first = at;
  let hi = 0;
  let lo = 0;
  for (; at < end && bytes[at] !== 0; at++) {
    const digit = bytes[at] - ZERO;
    if (digit < 0 || digit > 9) return false;
    lo = lo * 10 + digit;
    hi = hi * 10 + Math.floor(lo / TWO_32);
    lo %= TWO_32;
    if (hi >= TWO_32) return false;
  }
  if (at === first) return false;
  out.set(hi | 0, lo | 0);
  if (isNegative) out.set(~hi + (lo === 0 ? 1 : 0) | 0, -lo | 0);
  return true;
}

/** out = ±(high · 10^9 + low), `high` below 10^10; false on overflow. */
function combine(high: number, low: number, isNegative: boolean, out: Int64): boolean {
  // high = h1 · 2^16 + h0 keeps every product below 2^53.
  const h1 = Math.floor(high / 65536);
  const h0 = high - h1 * 65536;
  const bottom = h0 * BILLION + low;
  const top = h1 * BILLION;
  // top · 2^16 + bottom, as 32-bit halves.
  const sum = (top % 65536) * 65536 + (bottom % TWO_32);
  const carry = Math.floor(sum / TWO_32);
  const lo = sum - carry * TWO_32;
  const hi = Math.floor(top / 65536) + Math.floor(bottom / TWO_32) + carry;
  if (hi > 0x7fffffff) {
    if (!isNegative || hi !== 0x80000000 || lo !== 0) return false;
  }
  if (isNegative) {
    out.lo = -lo | 0;
    out.hi = (~hi + (lo === 0 ? 1 : 0)) | 0;
  } else {
    out.lo = lo | 0;
    out.hi = hi;
  }
  return true;
}

/** out = a + (hi, lo); false, leaving `out` as it was, on overflow. `out` may be `a`. */
export function addInt64(a: Int64, hi: number, lo: number, out: Int64): boolean {
  const low = (a.lo >>> 0) + (lo >>> 0);
  const high = a.hi + hi + (low >= TWO_32 ? 1 : 0);
  if (high > 0x7fffffff || high < -0x80000000) return false;
  out.lo = low | 0;
  out.hi = high | 0;
  return true;
}

/** out = a - b modulo 2^64. `out` may be one of them. */
export function subtractInt64(a: Int64, b: Int64, out: Int64): void {
  const lo = (a.lo >>> 0) - (b.lo >>> 0);
  out.set((a.hi - b.hi - (lo < 0 ? 1 : 0)) | 0, lo | 0);
}

/** out = -a; false, leaving `out` as it was, for -2^63, which has no opposite. `out` may be `a`. */
export function negateInt64(a: Int64, out: Int64): boolean {
  const hi = a.hi;
  const lo = a.lo;
  if (hi === -0x80000000 && lo === 0) return false;
  out.lo = -lo | 0;
  out.hi = (~hi + (lo === 0 ? 1 : 0)) | 0;
  return true;
}

export function int64ToBigInt(value: Int64): bigint {
  return (BigInt(value.hi) << 32n) | BigInt(value.lo >>> 0);
}

/** Puts `value` into `out`; false, leaving `out` as it was, if it exceeds 64 bits. */
export function bigIntToInt64(value: bigint, out: Int64): boolean {
  if (BigInt.asIntN(64, value) !== value) return false;
  out.lo = Number(BigInt.asIntN(32, value));
  out.hi = Number(value >> 32n);
  return true;
}

/**
 * Writes an integer below 2^63 in magnitude at `at` of `target`; returns the end of its text. A double beyond ±2^53
 * is written as exactly the integer that it is; a value that must not be rounded there is an `Int64`. Anything else, a
 * fraction or NaN, is refused before a byte is written.
 */
export function writeDecimal(value: number, target: Uint8Array, at: number): number {
  // V8 would box a variable that is now the argument, now its negation (16 B, measured).
  const magnitude = Math.abs(value);
  if (magnitude < BILLION) {
    const small = magnitude | 0;
    assert(small === magnitude, "the number is an integer");
    if (value < 0) target[at++] = MINUS;
    return writeSmall(small, target, at);
  }
  if (!(magnitude <= TWO_53)) return writeWide(value, target, at);
  const high = Math.floor(magnitude / BILLION);
  const low = magnitude - high * BILLION;
  assert((low | 0) === low, "the number is an integer");
  if (value < 0) target[at++] = MINUS;
  const end = writeSmall(high | 0, target, at);
  writePadded(low | 0, target, end);
  return end + 9;
}

/** A double beyond ±2^53: all of them are integers. */
function writeWide(value: number, target: Uint8Array, at: number): number {
  assert(Math.abs(value) < TWO_63, "the integer fits in 64 bits");
  return writeInt64(Math.floor(value / TWO_32), value % TWO_32 | 0, target, at);
}

/** Writes a signed 64-bit integer at `at` of `target`; returns the end of its text. */
export function writeInt64(hi: number, lo: number, target: Uint8Array, at: number): number {
  if (hi === 0 && lo >= 0 && lo < BILLION) return writeSmall(lo | 0, target, at);
  lo >>>= 0;
  if (hi >= -0x200000 && hi < 0x200000) return writeDecimal(hi * TWO_32 + lo, target, at);
  if (hi < 0) {
    target[at++] = MINUS;
    hi = (~hi + (lo === 0 ? 1 : 0)) >>> 0;
    lo = -lo >>> 0;
  }
  // value = hi · 2^32 + lo, divided by 10^9 in steps that stay below 2^53.
  const q1 = Math.floor(hi / BILLION);
  const r1 = hi - q1 * BILLION;
  const middle = r1 * 65536 + Math.floor(lo / 65536);
  const q2 = Math.floor(middle / BILLION);
  const r2 = middle - q2 * BILLION;
  const last = r2 * 65536 + lo % 65536;
  const q3 = Math.floor(last / BILLION);
  const high = q1 * TWO_32 + q2 * 65536 + q3;
  const end = writeDecimal(high, target, at);
  writePadded((last - q3 * BILLION) | 0, target, end);
  return end + 9;
}

/** Below 10^9: digits from the last to the first. */
function writeSmall(value: number, target: Uint8Array, at: number): number {
  const end = at + digitsOf(value);
  let rest = value;
  let i = end;
  while (rest >= 100) {
    const next = (rest / 100) | 0;
    const pair = 2 * (rest - 100 * next);
    target[--i] = PAIRS[pair + 1];
    target[--i] = PAIRS[pair];
    rest = next;
  }
  if (rest >= 10) {
    target[i - 1] = PAIRS[2 * rest + 1];
    target[i - 2] = PAIRS[2 * rest];
  } else target[i - 1] = ZERO + rest;
  return end;
}

/** Exactly nine digits, with leading zeros. */
function writePadded(value: number, target: Uint8Array, at: number): void {
  let rest = value;
  for (let i = at + 8; i >= at; i--) {
    const next = (rest / 10) | 0;
    target[i] = ZERO + rest - 10 * next;
    rest = next;
  }
}

/** How many digits an integer below 10^9 has. */
function digitsOf(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  if (value < 1_000_000) return 6;
  if (value < 10_000_000) return 7;
  return value < 100_000_000 ? 8 : 9;
}
