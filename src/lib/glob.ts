// hot path
/**
 * Redis's glob patterns on bytes: `*` any run, `?` any byte, `[a-z]` `[^a-z]` a class, `\` quotes.
 *
 * A `*` is tried by going on as short as possible and, on a mismatch, taking one byte more for the last
 * `*` only: earlier ones need not be tried again, which keeps the cost at O(pattern × text) at worst.
 */

const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CARET = 0x5e;
const BACKSLASH = 0x5c;
const DASH = 0x2d;

/** Redis gives up on patterns with more stars than this. */
const STARS_MAX = 1000;

/** Whether `text[tStart, tEnd)` matches `pattern[pStart, pEnd)`. Only an empty pattern matches an empty text, as in Redis. */
export function globMatches(
  pattern: Uint8Array,
  pStart: number,
  pEnd: number,
  text: Uint8Array,
  tStart: number,
  tEnd: number,
  ignoreCase: boolean,
): boolean {
  if (tStart === tEnd) return pStart === pEnd;
  let p = pStart;
  let t = tStart;
  let stars = 0;
  let starAt = -1;
  let starText = 0;
  while (t < tEnd || p < pEnd) {
    if (p < pEnd && pattern[p] === STAR) {
      if (starAt !== p - 1 && ++stars > STARS_MAX) return false;
      starAt = p++;
      starText = t;
      continue;
    }
    if (p < pEnd && t < tEnd) {
      const next = matchOne(pattern, p, pEnd, text[t], ignoreCase);
      if (next >= 0) {
        p = next;
        t++;
        continue;
      }
    }
    if (starAt < 0 || starText >= tEnd) return false;
    p = starAt + 1;
    t = ++starText;
  }
  return true;
}

/** Matches one byte; returns where the pattern goes on, or -1. */
function matchOne(
  pattern: Uint8Array,
  p: number,
  pEnd: number,
  byte: number,
  ignoreCase: boolean,
): number {
  const sign = pattern[p];
  if (sign === QUESTION) return p + 1;
  if (sign === OPEN) return matchClass(pattern, p + 1, pEnd, byte, ignoreCase);
  const at = sign === BACKSLASH && p + 1 < pEnd ? p + 1 : p;
  return isSame(pattern[at], byte, ignoreCase) ? at + 1 : -1;
}

/** Matches a class whose first sign is at `p`; one that is not closed ends with the pattern. */
function matchClass(
  pattern: Uint8Array,
  p: number,
  pEnd: number,
  byte: number,
  ignoreCase: boolean,
): number {
  const isNegated = pattern[p] === CARET && p < pEnd;
  if (isNegated) p++;
  let isFound = false;
  while (p < pEnd && pattern[p] !== CLOSE) {
    if (pattern[p] === BACKSLASH && p + 1 < pEnd) {
      p++;
      if (pattern[p] === byte) isFound = true;
      p++;
    } else if (p + 2 < pEnd && pattern[p + 1] === DASH) {
      if (isWithin(pattern[p], pattern[p + 2], byte, ignoreCase)) isFound = true;
      p += 3;
    } else {
      if (isSame(pattern[p], byte, ignoreCase)) isFound = true;
      p++;
    }
  }
  if (isFound === isNegated) return -1;
  return Math.min(p + 1, pEnd);
}

/** Bytes from 128 on are negative here, as in Redis on x86: `[a-\xff]` begins below zero. */
function isWithin(from: number, to: number, byte: number, ignoreCase: boolean): boolean {
  let low = Math.min(signed(from), signed(to));
  let high = Math.max(signed(from), signed(to));
  byte = signed(byte);
  if (ignoreCase) {
    low = lower(low);
    high = lower(high);
    byte = lower(byte);
  }
  return byte >= low && byte <= high;
}

function signed(byte: number): number {
  return byte << 24 >> 24;
}

function isSame(one: number, other: number, ignoreCase: boolean): boolean {
  return one === other || (ignoreCase && lower(one) === lower(other));
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}
