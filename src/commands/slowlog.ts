/** SLOWLOG and its subcommands. */
import type { Call } from "../engine/call.ts";
import { Errors } from "../protocol/errors.ts";
import { replyHelp } from "./help.ts";

export function slowlogGet({ args, reply, engine }: Call): void {
  let count = 10;
  if (args.count === 3) {
    count = args.integerWithin(2, -1, Number.MAX_SAFE_INTEGER, Errors.slowlogCount);
    if (args.error !== null) return reply.error(args.error);
    if (count === -1) count = engine.slowlog.length;
  }
  const entries = engine.slowlog.latest(count);
  reply.array(entries.length);
  for (const entry of entries) {
    reply.array(6);
    reply.integer(entry.id);
    reply.integer(entry.time);
    reply.integer(entry.microseconds);
    reply.array(entry.args.length);
    for (const arg of entry.args) reply.bulkBinary(arg);
    reply.bulkText(entry.address);
    reply.bulkBinary(entry.clientName);
  }
}

export function slowlogLen({ reply, engine }: Call): void {
  reply.integer(engine.slowlog.length);
}

export function slowlogReset({ reply, engine }: Call): void {
  engine.slowlog.reset();
  reply.ok();
}

export function slowlogHelp({ reply }: Call): void {
  replyHelp(reply, "SLOWLOG", [
    [
      "GET [<count>]",
      "The newest <count> entries (default 10, -1 for all): id, Unix time, microseconds,",
      "arguments, address and name of the client.",
    ],
    ["LEN", "How many entries there are."],
    ["RESET", "Forgets all entries."],
  ]);
}
