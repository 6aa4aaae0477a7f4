/** CONFIG and its subcommands. */
import type { Call } from "../engine/call.ts";
import { errorReply, wrongArity } from "../protocol/errors.ts";
import { replyHelp } from "./help.ts";

export function configGet({ args, reply, engine }: Call): void {
  const globs: string[] = [];
  for (let i = 2; i < args.count; i++) globs.push(args.text(i));
  const found = engine.parameters.matching(globs);
  reply.map(found.length);
  for (const [name, text] of found) {
    reply.bulkText(name);
    reply.bulkBinary(text);
  }
}

const setArity = wrongArity("config|set");

export function configSet({ args, reply, engine }: Call): void {
  if (args.count % 2 !== 0) return reply.error(setArity);
  const pairs: [string, string][] = [];
  for (let i = 2; i < args.count; i += 2) pairs.push([args.text(i), args.binary(i + 1)]);
  const error = engine.parameters.setMany(pairs);
  if (error !== null) return reply.error(errorReply(`ERR ${error}`));
  reply.ok();
}

export function configRewrite({ reply, engine }: Call): void {
  const error = engine.host.rewriteConfig();
  if (error !== null) {
    engine.log.warning(`CONFIG REWRITE failed: ${error}`);
    return reply.error(errorReply(`ERR ${error}`));
  }
  engine.log.notice("CONFIG REWRITE executed with success.");
  reply.ok();
}

export function configResetstat({ reply, engine }: Call): void {
  engine.counters.reset();
  engine.keyspace.stats.reset();
  for (const command of engine.commands.all()) command.stats.reset();
  reply.ok();
}

export function configHelp({ reply }: Call): void {
  replyHelp(reply, "CONFIG", [
    ["GET <pattern> [<pattern> ...]", "The parameters that match a pattern, with their values."],
    ["SET <directive> <value> [<directive> <value> ...]", "Changes parameters, all or none."],
    ["RESETSTAT", "Sets the figures of INFO back to zero."],
    ["REWRITE", "Writes what is in force to the configuration file."],
  ]);
}
