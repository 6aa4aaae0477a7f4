/** The server's table of commands, as the person at the terminal needs it. */
import type { CommandSpec } from "../../engine/command.ts";
import { parseUsage, type UsageNode } from "../../protocol/usage.ts";
import { type Described, describedCommands } from "./help.ts";

/** What the first words of a line name. */
export interface Named {
  /** How many words the name has: 1, or 2 with a subcommand. */
  readonly words: number;
  /** Null if a subcommand is missing or unknown. */
  readonly usage: readonly UsageNode[] | null;
  /** The names of the subcommands, if there are any. */
  readonly subcommands: readonly string[];
}

export class CommandBook {
  readonly #byName: ReadonlyMap<string, CommandSpec>;
  readonly #usages = new Map<CommandSpec, readonly UsageNode[]>();
  /** "GET", "CLIENT KILL": all that help knows. */
  readonly topics: readonly string[];
  readonly groups: readonly string[];

  constructor(described: readonly Described[] = describedCommands()) {
    this.topics = described.map(({ name }) => name);
    this.groups = [...new Set(described.map(({ group }) => `@${group}`))].sort();
    this.#byName = new Map(described.map(({ name, spec }) => [name, spec]));
  }

  /** The names of commands, without subcommands. */
  get names(): string[] {
    return this.topics.filter((name) => !name.includes(" "));
  }

  /** What the words name; null if there is no such command. */
  find(words: readonly string[]): Named | null {
    const spec = this.#byName.get(words[0]?.toUpperCase() ?? "");
    if (spec === undefined) return null;
    const subcommands = (spec.subcommands ?? []).map(({ name }) => name.toUpperCase());
    if (subcommands.length === 0) return { words: 1, usage: this.#usage(spec), subcommands };
    const sub = this.#byName.get(words.slice(0, 2).join(" ").toUpperCase());
    const isFound = sub !== undefined && words.length > 1;
    return { words: isFound ? 2 : 1, usage: isFound ? this.#usage(sub) : null, subcommands };
  }

  /** A usage line is parsed when it is first needed. */
  #usage(spec: CommandSpec): readonly UsageNode[] {
    const kept = this.#usages.get(spec) ?? parseUsage(spec.usage);
    this.#usages.set(spec, kept);
    return kept;
  }
}
