/** HELP of a command with subcommands. */
import type { ReplyWriter } from "../protocol/reply_writer.ts";

/** Answers the lines that redis-cli shows: a headline, each subcommand with what it does, HELP. */
export function replyHelp(
  reply: ReplyWriter,
  name: string,
  rows: readonly (readonly [string, ...string[]])[],
): void {
  const lines = [`${name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`];
  for (const [usage, ...texts] of [...rows, ["HELP", "Print this help."] as const]) {
    lines.push(usage, ...texts.map((text) => `    ${text}`));
  }
  reply.array(lines.length);
  for (const line of lines) reply.simple(line);
}
