/** SLOWLOG and its subcommands. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag } from "../engine/command.ts";
import { Errors, unknownOrArity } from "../protocol/errors.ts";
import { replyHelp } from "./help.ts";

function slowlogGet({ args, reply, engine }: Call): void {
  if (args.count > 3) return reply.error(unknownOrArity(args));
  let count = 10;
  if (args.count === 3) {
    count = args.integerWithin(2, -1, Infinity, Errors.slowlogCount);
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

function slowlogLen({ reply, engine }: Call): void {
  reply.integer(engine.slowlog.length);
}

function slowlogReset({ reply, engine }: Call): void {
  engine.slowlog.reset();
  reply.ok();
}

function slowlogHelp(call: Call): void {
  replyHelp(call, [
    [
      "GET [<count>]",
      "The newest <count> entries (default 10, -1 for all): id, Unix time, microseconds,",
      "arguments, address and name of the client.",
    ],
    ["LEN", "How many entries there are."],
    ["RESET", "Forgets all entries."],
  ]);
}

/** Rows of the table: see engine/command.ts. */
export const slowlogCommands: readonly CommandSpec[] = [
  {
    name: "slowlog",
    usage: "",
    summary: "Tells which commands were slow.",
    since: "2.2.12",
    complexity: "Depends on the subcommand",
    flags: 0,
    subcommands: [
      {
        name: "get",
        usage: "[count:integer]",
        summary: "Returns the latest slow commands.",
        since: "2.2.12",
        complexity: "O(N)",
        flags: Flag.admin | Flag.loading | Flag.stale,
        tips: ["request_policy:all_nodes", "nondeterministic_output"],
        history: [["4.0.0", "The client's address and name."]],
        run: slowlogGet,
      },
      {
        name: "help",
        usage: "",
        summary: "Lists the subcommands.",
        since: "6.2.0",
        complexity: "O(1)",
        flags: Flag.loading | Flag.stale,
        run: slowlogHelp,
      },
      {
        name: "len",
        usage: "",
        summary: "Returns how many slow commands are kept.",
        since: "2.2.12",
        complexity: "O(1)",
        flags: Flag.admin | Flag.loading | Flag.stale,
        tips: ["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"],
        run: slowlogLen,
      },
      {
        name: "reset",
        usage: "",
        summary: "Forgets the slow commands.",
        since: "2.2.12",
        complexity: "O(N)",
        flags: Flag.admin | Flag.loading | Flag.stale,
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
        run: slowlogReset,
      },
    ],
  },
];
