import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { countOfDrawn, drawDigits, drawnDigits } from "./grisu.ts";

function digitsOf(value: number): { digits: string; exponent: number } {
  const exponent = drawDigits(value);
  return { digits: String.fromCharCode(...drawnDigits.slice(0, countOfDrawn())), exponent };
}

Deno.test("drawDigits() draws what Grisu2 over whole numbers of any size draws", () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: Number.MIN_VALUE });
  const decimals = fc.tuple(fc.integer({ min: 1, max: 10 ** 9 }), fc.nat(12)).map(([n, p]) =>
    n / 10 ** p
  );
  const powers = fc.tuple(fc.integer({ min: -1074, max: 1022 }), fc.integer({ min: 1, max: 3 }))
    .map(([power, times]) => times * 2 ** power);
  fc.assert(
    fc.property(fc.oneof(finite, decimals, powers), (value) => {
      assertEquals(digitsOf(value), plainDigits(value), String(value));
    }),
    { numRuns: 3000 },
  );
  for (const value of [5e-324, Number.MAX_VALUE, 2.2250738585072014e-308, 0.07655, 1 / 3]) {
    assertEquals(digitsOf(value), plainDigits(value));
  }
});

// The plain model

/** Cached powers of ten: one in eight from 10^-348, which leaves the product's exponent in -60 … -32. */
const POWER_STEP = 8;
const POWER_LEAST = -348;
const POWER_COUNT = 87;
const PRODUCT_EXPONENT_MIN = -60;
const PRODUCT_EXPONENT_MAX = -32;

/** significand · 2^exponent, the significand within 64 bits. */
interface Scaled {
  readonly significand: bigint;
  readonly exponent: number;
}

const powers: (Scaled | undefined)[] = new Array(POWER_COUNT).fill(undefined);
const float = new Float64Array(1);
const floatBits = new BigUint64Array(float.buffer);

/** The same algorithm, over BigInts. */
function plainDigits(value: number): { digits: string; exponent: number } {
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
  const drawn = drawn64(upper, upper - lower, upper - centre, shift);
  return { digits: drawn.digits, exponent: drawn.exponent - (POWER_LEAST + POWER_STEP * index) };
}

/**
 * The fewest digits of `upper` / 2^shift that stay within `width` below it, the last one moved down
 * towards the value itself, which lies `distance` below.
 */
function drawn64(
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
    // A rest equal to the width does not end it here, but in the whole part it does. So does Redis:
    // 0.07655 is 0.07655000000000001.
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
