/** Counts as several groups of commands read them. */
import { Int64 } from "../lib/decimal.ts";
import { parseDouble } from "../lib/double_text.ts";
import type { Args } from "../protocol/args.ts";
import { Errors } from "../protocol/errors.ts";

// scratch: lives for one call
const wide = new Int64();
/** The largest count of pairs whose elements 64 bits can count. */
export const PAIRS_MAX = 2 ** 62;
/** The longest timeout: added to the present time it still fits in 64 bits. */
const TIMEOUT_MAX_MS = 2 ** 63 - 2 ** 41;
/** The most repeated elements in one reply: more would fill the memory before it is sent. */
const REPEATED_MAX = 2 ** 27;

/** The count of random elements; negative: its absolute value, with repetitions. */
export function randomCount(args: Args, index: number): number {
  if (!args.int64(index, wide)) return 0;
  if (wide.hi === -0x80000000 && wide.lo === 0) return args.fail(Errors.randomCount);
  const count = args.integer(index);
  return count < -REPEATED_MAX ? args.fail(Errors.outOfRange) : count;
}

/** The timeout of a blocking command, given in seconds; in ms, 0 for ever. */
export function blockingTimeout(args: Args, index: number): number {
  const seconds = parseDouble(args.bytesOf(index), args.start(index), args.end(index));
  if (seconds !== seconds) return args.fail(Errors.timeoutNotAFloat);
  if (seconds * 1000 > TIMEOUT_MAX_MS) return args.fail(Errors.timeoutOutOfRange);
  return seconds < 0 ? args.fail(Errors.timeoutNegative) : Math.ceil(seconds * 1000);
}

/** A count from 0 on. */
export function positiveCount(args: Args, index: number): number {
  const count = args.integerOr(index, Errors.notPositive);
  return count < 0 ? args.fail(Errors.notPositive) : count;
}
