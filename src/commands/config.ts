/** CONFIG and its subcommands. */
import { DENIED_WHILE_LOADING } from "../config/parameters.ts";
import { binaryOf } from "../config/words.ts";
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag } from "../engine/command.ts";
import { errorReply, Errors } from "../protocol/errors.ts";
import { replyHelp } from "./help.ts";

function configGet({ args, reply, engine }: Call): void {
  const found = engine.parameters.matching(args.binaries(2));
  reply.map(found.length);
  for (const [name, text] of found) {
    reply.bulkText(name);
    reply.bulkBinary(text);
  }
}

function configSet({ args, reply, engine, client }: Call): void {
  if (args.count % 2 !== 0) return reply.error(Errors.syntax);
  const pairs: [string, string][] = [];
  for (let i = 2; i < args.count; i += 2) pairs.push([args.binary(i), args.binary(i + 1)]);
  const error = engine.parameters.setMany(pairs, {
    isLocal: client.isLocal,
    isLoading: engine.gates.loading !== null,
    warn: (text) => engine.log.warning(text),
  });
  if (error === DENIED_WHILE_LOADING) return reply.error(Errors.loading);
  if (error !== null) return reply.error(errorReply(`ERR ${error}`));
  reply.ok();
}

function configRewrite({ reply, engine }: Call): void {
  const error = engine.host.rewriteConfig(false);
  if (error !== null) {
    engine.log.warning(`CONFIG REWRITE failed: ${error}`);
    return reply.error(errorReply(binaryOf(`ERR ${error}`)));
  }
  engine.log.notice("CONFIG REWRITE executed with success.");
  reply.ok();
}

function configResetstat({ reply, engine }: Call): void {
  engine.counters.reset();
  engine.replyBuffers.reset();
  engine.keyspace.stats.reset();
  engine.eviction.resetStatistics();
  engine.keyspace.defragmenter.resetStatistics();
  for (const command of engine.commands.all()) command.stats.reset();
  reply.ok();
}

function configHelp(call: Call): void {
  replyHelp(call, [
    ["GET <pattern> [<pattern> ...]", "The parameters that match a pattern, with their values."],
    ["SET <directive> <value> [<directive> <value> ...]", "Changes parameters, all or none."],
    ["RESETSTAT", "Sets the figures of INFO back to zero."],
    ["REWRITE", "Writes what is in force to the configuration file."],
  ]);
}

/** Rows of the table: see engine/command.ts. */
export const configCommands: readonly CommandSpec[] = [
  {
    name: "config",
    usage: "",
    summary: "Reads and changes the configuration.",
    since: "2.0.0",
    complexity: "Depends on the subcommand",
    flags: 0,
    subcommands: [
      {
        name: "get",
        usage: "{parameter}*",
        summary: "Returns the values of configuration parameters.",
        since: "2.0.0",
        complexity: "O(N)",
        flags: Flag.admin | Flag.noScript | Flag.loading | Flag.stale,
        history: [["7.0.0", "Several patterns."]],
        run: configGet,
      },
      {
        name: "help",
        usage: "",
        summary: "Lists the subcommands.",
        since: "5.0.0",
        complexity: "O(1)",
        flags: Flag.loading | Flag.stale,
        run: configHelp,
      },
      {
        name: "resetstat",
        usage: "",
        summary: "Sets the statistics back to zero.",
        since: "2.0.0",
        complexity: "O(1)",
        flags: Flag.admin | Flag.noScript | Flag.loading | Flag.stale,
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
        run: configResetstat,
      },
      {
        name: "rewrite",
        usage: "",
        summary: "Writes the configuration in force to the configuration file.",
        since: "2.8.0",
        complexity: "O(1)",
        flags: Flag.admin | Flag.noScript | Flag.loading | Flag.stale,
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
        run: configRewrite,
      },
      {
        name: "set",
        usage: "{data=(parameter value)}*",
        summary: "Changes configuration parameters.",
        since: "2.0.0",
        complexity: "O(N)",
        flags: Flag.admin | Flag.noScript | Flag.loading | Flag.stale,
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
        history: [["7.0.0", "Several parameters."]],
        run: configSet,
      },
    ],
  },
];
