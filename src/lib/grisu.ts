/**
 * The digits that Grisu2 draws for a double, without a BigInt: 64-bit numbers are pairs of 32-bit halves. Redis 7.2 draws
 * its digits so: they always read back, but are not the shortest for one value in a thousand.
 * Source: Florian Loitsch, "Printing Floating-Point Numbers Quickly and Accurately with Integers", 2010.
 */

/** Cached powers of ten: one in eight from 10^-348, which leaves the product's exponent in -60 … -32. */
const POWER_STEP = 8;
const POWER_LEAST = -348;
const POWER_COUNT = 87;
const PRODUCT_EXPONENT_MIN = -60;
const PRODUCT_EXPONENT_MAX = -32;
const TWO_32 = 4294967296;
const ZERO = 0x30;
const POWERS_OF_TEN = Float64Array.from({ length: 11 }, (_, i) => 10 ** i);

// 10^(-348 + 8 · i), rounded to 64 bits: the halves of the significand, and the exponent.
const POWERS_HI = new Uint32Array(POWER_COUNT);
const POWERS_LO = new Uint32Array(POWER_COUNT);
const POWERS_EXPONENT = new Int32Array(POWER_COUNT);
for (let i = 0; i < POWER_COUNT; i++) notePower(i);

// scratch: lives for one call
const float = new Float64Array(1);
// scratch: lives for one call
const floatWords = new Uint32Array(float.buffer);
/** The numbers that are computed with, two words each, the higher first. */
// scratch: lives for one call
const words = new Uint32Array(8);
const UPPER = 0;
const WIDTH = 2;
const DISTANCE = 4;
const REST = 6;

/** What `drawDigits` has drawn: characters. */
// scratch: lives for one call
export const drawnDigits = new Uint8Array(20);
// scratch: lives for one call
let drawnCount = 0;

/** How many digits `drawDigits` has drawn. */
export function countOfDrawn(): number {
  return drawnCount;
}

/** Draws a positive, finite double's digits; returns the power of ten of the last one. */
export function drawDigits(value: number): number {
  float[0] = value;
  const lo = floatWords[0];
  const hi = floatWords[1] & 0xfffff;
  const biased = floatWords[1] >>> 20;
  const top = biased === 0 ? hi : hi | 0x100000;
  // The significand doubled, and one more: the bound above. Shifted, its highest bit is set.
  const highHi = (top << 1) | (lo >>> 31);
  const highLo = ((lo << 1) | 1) >>> 0;
  const shift = highHi !== 0 ? Math.clz32(highHi) : 32 + Math.clz32(highLo);
  const exponent = Math.max(biased, 1) - 1076 - shift;
  const index = powerFor(exponent);
  multiply(shiftedHi(highHi, highLo, shift), shiftedLo(highLo, shift), index, UPPER);
  // One unit off either bound makes up for the product's rounding.
  subtract(UPPER, 0, 1, UPPER);
  multiply(shiftedHi(top, lo, shift + 1), shiftedLo(lo, shift + 1), index, DISTANCE);
  subtractFrom(UPPER, DISTANCE);
  // Below a power of two the next double is half as far.
  const isNarrow = hi === 0 && lo === 0 && biased > 1;
  if (isNarrow) {
    const lowHi = ((top << 2) | (lo >>> 30)) - 1; // `lo` is 0: the one is borrowed
    multiply(
      shiftedHi(lowHi, 0xffffffff, shift - 1),
      shiftedLo(0xffffffff, shift - 1),
      index,
      WIDTH,
    );
  } else {
    const lowLo = ((lo << 1) >>> 0) - 1;
    const borrow = lowLo < 0 ? 1 : 0;
    const below = lowLo >>> 0;
    multiply(shiftedHi(highHi - borrow, below, shift), shiftedLo(below, shift), index, WIDTH);
  }
  subtract(WIDTH, 0xffffffff, 0xffffffff, WIDTH); // adds the one
  subtractFrom(UPPER, WIDTH);
  return draw(-(exponent + POWERS_EXPONENT[index] + 64)) - (POWER_LEAST + POWER_STEP * index);
}

/** The higher half of (hi, lo) · 2^bits. */
function shiftedHi(hi: number, lo: number, bits: number): number {
  if (bits === 0) return hi >>> 0;
  if (bits >= 32) return (lo << (bits - 32)) >>> 0;
  return ((hi << bits) | (lo >>> (32 - bits))) >>> 0;
}

function shiftedLo(lo: number, bits: number): number {
  return bits >= 32 ? 0 : (lo << bits) >>> 0;
}

/** Puts the upper 64 bits of (hi, lo) · power `index`, rounded, into `words` at `into`. */
function multiply(hi: number, lo: number, index: number, into: number): void {
  const otherHi = POWERS_HI[index];
  const otherLo = POWERS_LO[index];
  // The upper halves of the products of halves, and their lower ones.
  const middle = upperOf(lo, otherLo) + (Math.imul(hi, otherLo) >>> 0) +
    (Math.imul(lo, otherHi) >>> 0) + 0x80000000;
  const low = (Math.imul(hi, otherHi) >>> 0) + upperOf(hi, otherLo) + upperOf(lo, otherHi) +
    Math.floor(middle / TWO_32);
  words[into + 1] = low;
  words[into] = upperOf(hi, otherHi) + Math.floor(low / TWO_32);
}

/** The upper 32 bits of a product of two 32-bit numbers. Every sum stays below 2^32. */
function upperOf(a: number, b: number): number {
  const aLow = a & 0xffff;
  const bLow = b & 0xffff;
  const aHigh = a >>> 16;
  const bHigh = b >>> 16;
  const one = (Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bLow) >>> 16);
  const other = (Math.imul(aLow, bHigh) >>> 0) + (one & 0xffff);
  return (Math.imul(aHigh, bHigh) >>> 0) + (one >>> 16) + (other >>> 16);
}

/** words[into] = words[at] − (hi, lo), modulo 2^64. */
function subtract(at: number, hi: number, lo: number, into: number): void {
  const low = words[at + 1] - lo;
  words[into] = words[at] - hi - (low < 0 ? 1 : 0);
  words[into + 1] = low;
}

/** words[other] = words[at] − words[other]. */
function subtractFrom(at: number, other: number): void {
  subtract(at, words[other], words[other + 1], other);
}

/**
 * Draws the fewest digits of UPPER / 2^shift that stay within WIDTH below it, the last one moved down towards the value
 * itself, which lies DISTANCE below; returns the last one's power of ten.
 */
function draw(shift: number): number {
  const bits = shift - 32;
  const unit = 2 ** bits;
  const whole = Math.floor(words[UPPER] / unit);
  words[REST] = words[UPPER] - whole * unit;
  words[REST + 1] = words[UPPER + 1];
  drawnCount = 0;
  let digits = 1;
  while (whole >= POWERS_OF_TEN[digits]) digits++;
  const restHi = words[REST];
  // The whole part: the longest tail that may be left out.
  let left = whole;
  for (let exponent = digits - 1; exponent >= 0; exponent--) {
    const power = POWERS_OF_TEN[exponent];
    const digit = Math.floor(left / power);
    left -= digit * power;
    drawnDigits[drawnCount++] = ZERO + digit;
    words[REST] = left * unit + restHi;
    if (isRestBeyondWidth()) continue;
    stepDown(power * unit);
    return exponent;
  }
  words[REST] = restHi;
  for (let exponent = -1;; exponent--) {
    timesTen(WIDTH);
    timesTen(DISTANCE);
    const low = 10 * words[REST + 1];
    const carry = Math.floor(low / TWO_32);
    const high = 10 * words[REST] + carry;
    const digit = Math.floor(high / unit);
    drawnDigits[drawnCount++] = ZERO + digit;
    words[REST] = high - digit * unit;
    words[REST + 1] = low;
    // A rest equal to the width does not end it here, but in the whole part it does. So does Redis:
    // 0.07655 is 0.07655000000000001.
    if (!isRestBelowWidth()) continue;
    stepDown(unit);
    return exponent;
  }
}

function isRestBeyondWidth(): boolean {
  if (words[REST] !== words[WIDTH]) return words[REST] > words[WIDTH];
  return words[REST + 1] > words[WIDTH + 1];
}

function isRestBelowWidth(): boolean {
  if (words[REST] !== words[WIDTH]) return words[REST] < words[WIDTH];
  return words[REST + 1] < words[WIDTH + 1];
}

function timesTen(at: number): void {
  const low = 10 * words[at + 1];
  words[at] = 10 * words[at] + Math.floor(low / TWO_32);
  words[at + 1] = low;
}

/** Lowers the last digit until it comes closest to DISTANCE without leaving WIDTH; it stands for `unit` · 2^32. */
function stepDown(unit: number): void {
  const widthHi = words[WIDTH];
  const widthLo = words[WIDTH + 1];
  const distanceHi = words[DISTANCE];
  const distanceLo = words[DISTANCE + 1];
  const restLo = words[REST + 1];
  // All of them as pairs whose lower halves do not change: what is added has none.
  for (let restHi = words[REST];; restHi += unit) {
    const isShort = restHi < distanceHi || (restHi === distanceHi && restLo < distanceLo);
    if (!isShort) return;
    const room = widthHi - restHi - (widthLo < restLo ? 1 : 0);
    if (room < unit) return;
    const nextHi = restHi + unit;
    const staysShort = nextHi < distanceHi || (nextHi === distanceHi && restLo < distanceLo);
    if (!staysShort) {
      const before = distanceHi - restHi - (distanceLo < restLo ? 1 : 0);
      const beforeLo = (distanceLo - restLo) >>> 0;
      const after = nextHi - distanceHi - (restLo < distanceLo ? 1 : 0);
      const afterLo = (restLo - distanceLo) >>> 0;
      if (before < after || (before === after && beforeLo <= afterLo)) return;
    }
    drawnDigits[drawnCount - 1]--;
  }
}

/** Which cached power brings a significand with this exponent into the range of the product's. */
function powerFor(exponent: number): number {
  // A power 10^n has the exponent floor(n · log2(10)) - 63.
  const guess = (PRODUCT_EXPONENT_MIN - exponent - 1) * Math.LOG10E * Math.LN2;
  let index = Math.max(0, Math.floor((guess - POWER_LEAST) / POWER_STEP));
  while (index < POWER_COUNT - 1) {
    const sum = exponent + POWERS_EXPONENT[index] + 64;
    if (sum >= PRODUCT_EXPONENT_MIN && sum <= PRODUCT_EXPONENT_MAX) break;
    index++;
  }
  return index;
}

/** Works out a power of ten, rounded to 64 bits, as the server starts. */
function notePower(index: number): void {
  const power = POWER_LEAST + POWER_STEP * index;
  const ten = 10n ** BigInt(Math.abs(power));
  const bits = ten.toString(2).length;
  // 10^power · 2^shift lies between 2^64 and 2^66: one place more than is kept, at least.
  const shift = power < 0 ? bits + 64 : 65 - bits;
  let scaled = power < 0
    ? (1n << BigInt(shift)) / ten
    : shift >= 0
    ? ten << BigInt(shift)
    : ten >> BigInt(-shift);
  const spare = scaled.toString(2).length - 64;
  scaled = (scaled + (1n << BigInt(spare - 1))) >> BigInt(spare);
  const overflow = scaled >> 64n;
  if (overflow > 0n) scaled >>= 1n;
  POWERS_HI[index] = Number(scaled >> 32n);
  POWERS_LO[index] = Number(scaled & 0xffffffffn);
  POWERS_EXPONENT[index] = spare - shift + Number(overflow);
}
