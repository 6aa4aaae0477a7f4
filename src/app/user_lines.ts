/** The `user` lines of the configuration, checked as they are read, so that an error names their place. */
import { BLANK, RuleError } from "../engine/acl_rules.ts";
import { AclUser, joinSelectors } from "../engine/acl_user.ts";
import type { CommandTable } from "../engine/command.ts";

export class UserLines {
  /** By name, the rules: for `Acl.configure`. */
  readonly rules = new Map<string, readonly string[]>();
  readonly #commands: CommandTable;

  constructor(commands: CommandTable) {
    this.#commands = commands;
  }

  /** Adds the line with these words; returns why it is refused, or null. */
  add([name, ...words]: readonly string[]): string | null {
    if (name === undefined) return "Bad directive or wrong number of arguments";
    if (BLANK.test(name)) return "Usernames can't contain spaces or null characters";
    if (this.rules.has(name)) return refusal(name, RuleError.duplicate);
    const joined = joinSelectors(words);
    if ("unmatched" in joined) return refusal(joined.unmatched, "Wrong format");
    const user = new AclUser(name, { commands: this.#commands, allowsChannels: false });
    const refused = user.applyAll(joined.rules);
    if (refused !== null) return refusal(refused.rule, refused.detail);
    this.rules.set(name, joined.rules);
    return null;
  }
}

function refusal(word: string, detail: string): string {
  return `Error in user declaration '${word}': ${detail}`;
}
