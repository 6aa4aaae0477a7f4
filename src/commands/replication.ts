/** Commands of servers that copy this one. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag } from "../engine/command.ts";
import { Errors, unknownReplconf } from "../protocol/errors.ts";
import { beginFullSync } from "../replication/full_sync.ts";

function sync({ client, engine }: Call): void {
  if (client.isReplica) return;
  beginFullSync(engine, client);
}

/** REPLCONF option value …: what a replica says of itself. */
function replconf({ args, reply, client }: Call): void {
  if (args.count % 2 === 0) return reply.error(Errors.syntax);
  for (let i = 1; i < args.count; i += 2) {
    if (args.is(i, "ACK")) return; // A replica reports its offset; that has no reply.
    if (args.is(i, "RDB-ONLY")) {
      client.wantsSnapshotOnly = args.integerWithin(i + 1, 0, 1, Errors.outOfRange) === 1;
      if (args.error !== null) return reply.error(args.error);
    } else if (args.is(i, "LISTENING-PORT")) {
      args.integer(i + 1);
      if (args.error !== null) return reply.error(args.error);
    } else if (!args.is(i, "CAPA") && !args.is(i, "IP-ADDRESS")) {
      return reply.error(unknownReplconf(args.binary(i)));
    }
  }
  reply.ok();
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
    isInternal: true,
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
