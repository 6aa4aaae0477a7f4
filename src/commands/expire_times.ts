// hot path
/** How commands read a time to live or a point in time. */
import type { Call } from "../engine/call.ts";
import { Events } from "../keyspace/change_hooks.ts";
import type { ErrorReply } from "../protocol/errors.ts";

/** Redis refuses a time which in milliseconds does not fit in 63 bits. */
const MOST_MS = 2 ** 63;

/**
 * Gives the key at argument 1, which exists, a deadline in Unix ms: one in the past removes it. What is propagated is
 * the point in time, as time passes until it is read.
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

/**
 * The deadline, in Unix ms, that argument `index` means; `relative` counts from now. What is no integer,
 * not positive or too large fails: `error` is the reply for the latter two.
 */
export function deadlineFrom(
  { args, nowMs }: Call,
  index: number,
  relative: boolean,
  seconds: boolean,
  error: ErrorReply,
): number {
  const value = args.roundedInt64(index);
  if (args.error !== null) return 0;
  if (value <= 0) return args.fail(error);
  const ms = seconds ? value * 1000 : value;
  const deadline = relative ? nowMs + ms : ms;
  return deadline >= MOST_MS ? args.fail(error) : deadline;
}
