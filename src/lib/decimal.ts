// hot path
export class Int64 {
  hi = 0;
  lo = 0;
}
export function parseInteger(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  const negative = bytes[at] === 0x2d;
  if (negative) at++;
  const digits = end - at;
  if (digits < 1 || digits > 16) return NaN;
  if (bytes[at] === 0x30 && (digits > 1 || negative)) return NaN;
  let value = 0;
  for (; at < end; at++) {
    const digit = bytes[at] - 0x30;
    if (digit < 0 || digit > 9) return NaN;
    value = 10 * value + digit;
  }
  if (value > Number.MAX_SAFE_INTEGER) return NaN;
  return negative ? -value : value;
}
export function parseInt64(bytes: Uint8Array, start: number, end: number, out: Int64): boolean {
  const value = parseInteger(bytes, start, end);
  if (value === value) {
    out.lo = value >>> 0;
    out.hi = Math.floor(value / 4294967296) | 0;
    return true;
  }
  return false;
}
export function addInt64(a: Int64, hi: number, lo: number, out: Int64): boolean {
  const low = a.lo + lo;
  const high = a.hi + hi + (low > 0xffffffff ? 1 : 0);
  if (high > 2147483647 || high < -2147483648) return false;
  out.lo = low >>> 0;
  out.hi = high;
  return true;
}
export function writeDecimal(value: number, target: Uint8Array, at: number): number {
  if (value < 0) {
    target[at++] = 0x2d;
    value = -value;
  }
  let digits = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
  for (let i = at + digits - 1; i >= at; i--) {
    target[i] = 0x30 + value % 10;
    value = Math.floor(value / 10);
  }
  return at + digits;
}
export function writeInt64(hi: number, lo: number, target: Uint8Array, at: number): number {
  const value = hi * 4294967296 + lo;
  return writeDecimal(value, target, at);
}
