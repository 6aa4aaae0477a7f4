/** Counts as several groups of commands read them. */
import type { Call } from "../engine/call.ts";
import { Int64, int64ToBigInt } from "../lib/decimal.ts";
import { parseDouble } from "../lib/double_text.ts";
import { parseLongDouble } from "../lib/long_double.ts";
import type { Args } from "../protocol/args.ts";
import { Errors } from "../protocol/errors.ts";

// scratch: lives for one call
const wide = new Int64();
/** The upper half of the least count of pairs whose elements 64 bits can't count; below 0 it is the greatest such count's. */
const PAIRS_HI_END = 0x40000000;
const MOST = 2n ** 63n - 1n;
/** The most repeated elements in one reply: more would fill the memory before it is sent. */
const REPEATED_MAX = 2 ** 27;

/** Bytes of an element in a reply, at least. */
const ELEMENT_BYTES = 6;

/** The count of random elements; negative: its absolute value, with repetitions. */
export function randomCount(args: Args, index: number): number {
  if (!args.int64(index, wide)) return 0;
  if (wide.hi === -0x80000000 && wide.lo === 0) return args.fail(Errors.randomCount);
  return Math.max(args.integer(index), -Number.MAX_SAFE_INTEGER);
}

/**
 * Whether one reply can have so many random elements of a key that exists. A client whose output is limited may ask for as many
 * as it likes: it is cut off when the limit is reached (`ReplyWriter.isOver`).
 */
export function mayRepeat({ client }: Call, count: number): boolean {
  return count >= -REPEATED_MAX || !client.mayHold(ELEMENT_BYTES * -count);
}

/** Fails if the elements of so many pairs as argument `index` says can't be counted in 64 bits. */
export function checkPairs(args: Args, index: number): void {
  if (!args.int64(index, wide)) return;
  const isTooLow = wide.hi < -PAIRS_HI_END || (wide.hi === -PAIRS_HI_END && wide.lo === 0);
  if (wide.hi >= PAIRS_HI_END || isTooLow) args.fail(Errors.outOfRange);
}

/** The timeout of a blocking command, given in seconds; in ms, 0 for ever. */
export function blockingTimeout({ args, nowMs }: Call, index: number): number {
  let seconds = parseDouble(args.bytesOf(index), args.start(index), args.end(index));
  if (seconds !== seconds) seconds = extremeSeconds(args.binary(index));
  if (seconds !== seconds) return args.fail(Errors.timeoutNotAFloat);
  if (seconds * 1000 > 2 ** 63 - nowMs) return args.fail(Errors.timeoutOutOfRange);
  // Less than a millisecond below 0 is rounded up to 0.
  const timeoutMs = Math.ceil(seconds * 1000);
  return timeoutMs < 0 ? args.fail(Errors.timeoutNegative) : Math.abs(timeoutMs);
}

/** A timeout in ms, an integer, 0 for ever. As any other, it must fit in 64 bits when the present time is added. */
export function timeoutInMs({ args, nowMs }: Call, index: number): number {
  const timeoutMs = args.integerOr(index, Errors.timeoutNotAnInteger);
  if (timeoutMs < 0) return args.fail(Errors.timeoutNegative);
  if (timeoutMs <= Number.MAX_SAFE_INTEGER) return timeoutMs;
  args.int64(index, wide);
  const isFine = int64ToBigInt(wide) <= MOST - BigInt(nowMs);
  return isFine ? timeoutMs : args.fail(Errors.timeoutOutOfRange);
}

/** Redis reads timeouts as long doubles: what is too large or too small for a double is a number all the same. */
function extremeSeconds(text: string): number {
  const value = parseLongDouble(text);
  if (value === null) return NaN;
  const isLarge = value.isInfinite || value.exponent > 0;
  const magnitude = isLarge ? Infinity : Number.MIN_VALUE;
  return value.isNegative ? -magnitude : magnitude;
}

/** COUNT and its number, given once or not at all, from argument `from` on: LMPOP, ZMPOP. 1 without it. */
export function popCount(args: Args, from: number): number {
  let count = 0;
  for (let i = from; i < args.count && args.error === null; i += 2) {
    if (count > 0 || i + 1 === args.count || !args.is(i, "COUNT")) args.fail(Errors.syntax);
    else count = args.integerWithin(i + 1, 1, Infinity, Errors.countNotPositive);
  }
  return Math.max(count, 1);
}

/** A count from 0 on. */
export function positiveCount(args: Args, index: number): number {
  const count = args.integerOr(index, Errors.notPositive);
  return count < 0 ? args.fail(Errors.notPositive) : count;
}
