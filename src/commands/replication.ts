/** Commands of servers that copy this one. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag } from "../engine/command.ts";
import { Args } from "../protocol/args.ts";
import { Errors, unknownReplconf, unsupportedFilter } from "../protocol/errors.ts";
import { splitInline } from "../protocol/inline.ts";
import { beginFullSync } from "../replication/full_sync.ts";

function sync({ client, engine }: Call): void {
  if (client.isReplica) return;
  beginFullSync(engine, client);
}

/** REPLCONF option value …: what a replica says of itself. */
function replconf(call: Call): void {
  const { args, reply, client } = call;
  if (args.count % 2 === 0) return reply.error(Errors.syntax);
  for (let i = 1; i < args.count; i += 2) {
    // A replica reports its offset, or a primary asks for it: that has no reply.
    if (args.is(i, "ACK") || args.is(i, "GETACK")) return;
    if (args.is(i, "RDB-ONLY")) {
      const value = args.integer(i + 1);
      if (value < 0 || value > 1) args.fail(Errors.notZeroOrOne);
      if (args.error !== null) return reply.error(args.error);
      client.wantsSnapshotOnly = value === 1;
    } else if (args.is(i, "RDB-FILTER-ONLY")) {
      if (!readFilter(call, i + 1)) return;
    } else if (args.is(i, "LISTENING-PORT")) {
      args.integer(i + 1);
      if (args.error !== null) return reply.error(args.error);
    } else if (!args.is(i, "CAPA") && !args.is(i, "IP-ADDRESS")) {
      return reply.error(unknownReplconf(args.binary(i)));
    }
  }
  reply.ok();
}

/** Reads what the snapshot of a SYNC shall contain: "functions", or nothing. Returns false after an error. */
function readFilter({ args, reply, client }: Call, index: number): boolean {
  const words = new Args();
  if (!splitInline(args.bytesOf(index), args.start(index), args.end(index), words)) {
    reply.error(Errors.missingFilter);
    return false;
  }
  for (let i = 0; i < words.count; i++) {
    if (words.is(i, "FUNCTIONS")) continue;
    reply.error(unsupportedFilter(words.binary(i)));
    return false;
  }
  client.snapshotContents = { keys: false, functions: words.count > 0 };
  return true;
}

/** Rows of the table: see engine/command.ts. */
export const replicationCommands: readonly CommandSpec[] = [
  {
    name: "sync",
    usage: "",
    summary: "Sends all data, and then all changes.",
    since: "1.0.0",
    complexity: "Depends on the subcommand",
    flags: Flag.noAsyncLoading | Flag.admin | Flag.noMulti | Flag.noScript,
    run: sync,
  },
  {
    name: "replconf",
    usage: "[{option value}*]",
    summary: "Tells what a replica can do.",
    since: "3.0.0",
    complexity: "O(1)",
    flags: Flag.admin | Flag.noScript | Flag.loading | Flag.stale | Flag.allowBusy,
    isInternal: true,
    run: replconf,
  },
];
