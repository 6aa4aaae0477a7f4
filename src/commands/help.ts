/** HELP of a command with subcommands. */
import type { Call } from "../engine/call.ts";
import { containerName } from "../protocol/errors.ts";

/**
 * Answers the lines that redis-cli shows: a headline with the name by which the client called the command, each subcommand
 * with what it does, HELP.
 */
export function replyHelp(
  { args, reply }: Call,
  rows: readonly (readonly [string, ...string[]])[],
): void {
  const lines = [`${containerName(args)} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`];
  for (const [usage, ...texts] of [...rows, ["HELP", "Print this help."] as const]) {
    lines.push(usage, ...texts.map((text) => `    ${text}`));
  }
  reply.array(lines.length);
  for (const line of lines) reply.simpleBinary(line);
}
