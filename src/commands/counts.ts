/** Counts as several groups of commands read them. */
import { Int64 } from "../lib/decimal.ts";
import type { Args } from "../protocol/args.ts";
import { Errors } from "../protocol/errors.ts";

const wide = new Int64();
/** More repeated elements than this would fill the memory before the reply is sent. */
const REPEATED_MAX = 2 ** 27;

/** How many random elements: beyond 2^53 all; negative: so many with repetitions. */
export function randomCount(args: Args, index: number): number {
  if (!args.int64(index, wide)) return 0;
  if (wide.hi === -0x80000000 && wide.lo === 0) return args.fail(Errors.randomCount);
  const count = args.roundedInt64(index);
  return count < -REPEATED_MAX ? args.fail(Errors.outOfRange) : count;
}

/** A count from 0 on. */
export function positiveCount(args: Args, index: number): number {
  const count = args.integerWithin(
    index,
    -Number.MAX_SAFE_INTEGER,
    Number.MAX_SAFE_INTEGER,
    Errors.notPositive,
  );
  return count < 0 ? args.fail(Errors.notPositive) : count;
}
