// hot path
/** How commands read a time to live or a point in time. */
import type { Call } from "../engine/call.ts";
import { Events } from "../keyspace/change_hooks.ts";
import { Int64, int64ToBigInt } from "../lib/decimal.ts";
import type { ErrorReply } from "../protocol/errors.ts";

/** Up to here doubles are exact, also in ms and with the present time added. */
const SAFE_TIME = 2 ** 42;
const MOST_MS = 2n ** 63n - 1n;
/** The greatest double that 64 bits hold. A deadline beyond 2^53 ms, which no clock reaches, is rounded. */
const DEADLINE_MAX = 2 ** 63 - 1024;

// scratch: lives for one call
const wide = new Int64();

/**
 * The Unix time in ms that argument `index` means, an integer; `relative` counts from now. Fails with `error` if that
 * does not fit in 64 bits, as Redis does.
 */
export function readTime(
  { args, nowMs }: Call,
  index: number,
  relative: boolean,
  seconds: boolean,
  error: ErrorReply,
): number {
  const value = args.integer(index);
  if (args.error !== null) return 0;
  const base = relative ? nowMs : 0;
  if (Math.abs(value) <= SAFE_TIME) return base + (seconds ? value * 1000 : value);
  args.int64(index, wide);
  const deadline = farTime(base, seconds);
  return deadline === null ? args.fail(error) : deadline;
}

/** The time in `wide`, for values at which doubles are too coarse to check the limit; null if it exceeds 64 bits. */
function farTime(base: number, seconds: boolean): number | null {
  const ms = int64ToBigInt(wide) * (seconds ? 1000n : 1n);
  if (ms > MOST_MS - BigInt(base) || ms < -MOST_MS - 1n) return null;
  return Math.max(Math.min(Number(ms) + base, DEADLINE_MAX), -DEADLINE_MAX);
}

/**
 * Gives the key at argument 1, which exists, a deadline in Unix ms: one in the past removes it. It is propagated as a
 * point in time, since a time to live would begin anew when the command is read.
 */
export function setDeadline(call: Call, deadline: number): void {
  const { args, db, engine } = call;
  if (deadline <= call.nowMs && !db.keyspace.mayNotExpire) {
    db.remove(args, 1);
    const { lazyfreeLazyExpire } = engine.parameters.values;
    call.rewrite(2)?.word(lazyfreeLazyExpire ? "UNLINK" : "DEL").argument(args, 1);
    return;
  }
  db.deadlines.expireAt(args, 1, deadline);
  db.changed(args, 1, Events.expire);
  call.rewrite(3)?.word("PEXPIREAT").argument(args, 1).integer(deadline);
}

/** As `readTime`, and what is not positive fails with `error`, too. */
export function deadlineFrom(
  call: Call,
  index: number,
  relative: boolean,
  seconds: boolean,
  error: ErrorReply,
): number {
  const { args } = call;
  const deadline = readTime(call, index, relative, seconds, error);
  if (args.error !== null) return 0;
  return deadline > (relative ? call.nowMs : 0) ? deadline : args.fail(error);
}
