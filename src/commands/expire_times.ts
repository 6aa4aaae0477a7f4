// hot path
/** How commands read a time to live or a point in time. */
import type { Call } from "../engine/call.ts";
import { Events } from "../keyspace/change_hooks.ts";
import { bigIntToInt64, type Int64, int64ToBigInt } from "../lib/decimal.ts";
import type { ErrorReply } from "../protocol/errors.ts";

/** Up to here doubles are exact, also in ms and with the present time added. */
const SAFE_TIME = 2 ** 42;
const MOST_MS = 2n ** 63n - 1n;

/**
 * Reads the Unix time in ms that argument `index` means, an integer, into `out`; `relative` counts from now. Fails with
 * `error`, as Redis does, and returns false if that does not fit in 64 bits.
 */
export function readTime(
  { args, nowMs }: Call,
  index: number,
  relative: boolean,
  seconds: boolean,
  error: ErrorReply,
  out: Int64,
): boolean {
  const value = args.integer(index);
  if (args.error !== null) return false;
  const base = relative ? nowMs : 0;
  if (Math.abs(value) <= SAFE_TIME) {
    out.setNumber(base + (seconds ? value * 1000 : value));
    return true;
  }
  args.int64(index, out);
  if (!readFarTime(base, seconds, out)) args.fail(error);
  return args.error === null;
}

/** As `readTime`, for an integer in `out` that is beyond what doubles hold exactly. */
function readFarTime(base: number, seconds: boolean, out: Int64): boolean {
  const ms = int64ToBigInt(out) * (seconds ? 1000n : 1n);
  return ms <= MOST_MS - BigInt(base) && bigIntToInt64(ms + BigInt(base), out) &&
    ms >= -MOST_MS - 1n;
}

/**
 * Gives the key at argument 1, which exists, a deadline in Unix ms: one in the past removes it. It is propagated as a
 * point in time, since a time to live would begin anew when the command is read, with the conditions that stand at
 * argument `conditions` and behind it.
 */
export function setDeadline(
  call: Call,
  deadline: Int64,
  conditions: number = call.args.count,
): void {
  const { args, db, engine } = call;
  if (deadline.rounded <= call.nowMs && !db.keyspace.mayNotExpire) {
    db.remove(args, 1);
    const { lazyfreeLazyExpire } = engine.parameters.values;
    call.rewrite(2)?.word(lazyfreeLazyExpire ? "UNLINK" : "DEL").argument(args, 1);
    return;
  }
  db.deadlines.expireAt(args, 1, deadline);
  db.changed(args, 1, Events.expire);
  // It is a point in time already, and is propagated as it was sent.
  if (call.command?.name === "pexpireat") return;
  const stream = call.rewrite(3 + args.count - conditions);
  stream?.word("PEXPIREAT").argument(args, 1).int64(deadline);
  for (let i = conditions; i < args.count; i++) stream?.argument(args, i);
}

/** As `readTime`, and what is not positive fails with `error`, too. */
export function readDeadline(
  call: Call,
  index: number,
  relative: boolean,
  seconds: boolean,
  error: ErrorReply,
  out: Int64,
): boolean {
  if (!readTime(call, index, relative, seconds, error, out)) return false;
  if (out.rounded > (relative ? call.nowMs : 0)) return true;
  call.args.fail(error);
  return false;
}
