/** `help`, `help @group` and `help command`, from the server's own table of commands. */
import { commandGroups } from "../../commands/table.ts";
import type { CommandSpec } from "../../engine/command.ts";
import { parseUsage } from "../../protocol/usage.ts";
import type { Output } from "./output.ts";
import { usageText } from "./usage_text.ts";

/** A command, or a subcommand with the name of its command before its own: "CLIENT KILL". */
export interface Described {
  readonly name: string;
  readonly group: string;
  readonly spec: CommandSpec;
}

const INTRODUCTION = `To get help about Redis commands type:
      "help @<group>" to get a list of commands in <group>
      "help <command>" for help on <command>
      "help <tab>" to get a list of possible help topics
      "quit" to exit

To set redis-cli preferences:
      ":set hints" enable online hints
      ":set nohints" disable online hints
`;

/** All commands that can be asked about, by name. */
export function describedCommands(): Described[] {
  const all: Described[] = [];
  for (const { group, commands } of commandGroups) {
    for (const spec of commands) {
      all.push({ name: spec.name.toUpperCase(), group, spec });
      for (const sub of spec.subcommands ?? []) {
        all.push({ name: `${spec.name} ${sub.name}`.toUpperCase(), group, spec: sub });
      }
    }
  }
  return all.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** Prints what is known of `words`: a group, a command with its subcommands, or nothing in particular. */
export function printHelp(output: Output, words: readonly string[]): void {
  if (words.length === 0) return output.text(INTRODUCTION);
  const wanted = words.join(" ").toUpperCase();
  output.text("\r\n");
  for (const { name, group, spec } of describedCommands()) {
    const isInGroup = wanted === `@${group.toUpperCase()}`;
    if (!isInGroup && wanted !== name && !name.startsWith(`${wanted} `)) continue;
    const usage = usageText(parseUsage(spec.usage));
    output.text(`  \x1b[1m${name}\x1b[0m \x1b[90m${usage}\x1b[0m\r\n`);
    output.text(`  \x1b[33msummary:\x1b[0m ${spec.summary}\r\n`);
    output.text(`  \x1b[33msince:\x1b[0m ${spec.since}\r\n`);
    if (!isInGroup) output.text(`  \x1b[33mgroup:\x1b[0m ${group}\r\n`);
    output.text("\r\n");
  }
}
