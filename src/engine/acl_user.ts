/** A user of ACL: name, passwords and rights. A change is made to a copy, which replaces the user's rights when it is complete. */
import { quoteWord, splitWords } from "../config/words.ts";
import { hexText } from "../lib/hexadecimal.ts";
import { inLowerCase } from "../lib/letter_case.ts";
import { sha256 } from "../lib/sha256.ts";
import { binaryBytes } from "../protocol/args.ts";
import { applyRule, RuleError, selectorWords } from "./acl_rules.ts";
import { Selector } from "./acl_selector.ts";
import type { CommandTable } from "./command.ts";

const HASH = /^[0-9a-f]{64}$/;

/** What users' rules refer to. */
export interface AclContext {
  readonly commands: CommandTable;
  /** acl-pubsub-default: whether new selectors allow all channels. */
  readonly allowsChannels: boolean;
}

/** Why a list of rules is refused. */
export interface RefusedRule {
  readonly rule: string;
  readonly detail: string;
}

export class AclUser {
  isOn = false;
  /** Any password is right. */
  needsNoPassword = false;
  /** Whether RESTORE's payloads are checked; they always are, so this is only shown. */
  sanitizesPayloads = true;
  /** SHA-256 of each password, in hexadecimal digits. */
  passwords: string[] = [];
  root: Selector;
  selectors: Selector[] = [];

  constructor(readonly name: string, readonly context: AclContext) {
    this.root = this.#newSelector();
  }

  #newSelector(): Selector {
    const selector = new Selector(this.context.commands.original.length);
    selector.isAllChannels = this.context.allowsChannels;
    return selector;
  }

  copy(): AclUser {
    const copy = new AclUser(this.name, this.context);
    copy.become(this);
    copy.root = this.root.copy();
    copy.selectors = this.selectors.map((selector) => selector.copy());
    return copy;
  }

  /** Takes all of `other` but its name; `other` must not be used afterwards. */
  become(other: AclUser): void {
    this.isOn = other.isOn;
    this.needsNoPassword = other.needsNoPassword;
    this.sanitizesPayloads = other.sanitizesPayloads;
    this.passwords = other.passwords;
    this.root = other.root;
    this.selectors = other.selectors;
  }

  /** Whether nothing is refused to this user: its requests need no check. */
  get mayDoAll(): boolean {
    return this.root.isEverything || this.selectors.some((selector) => selector.isEverything);
  }

  /** Applies rules in their order, up to the first that is wrong. */
  applyAll(rules: readonly string[]): RefusedRule | null {
    for (const rule of rules) {
      const detail = this.apply(rule);
      if (detail !== null) return { rule, detail };
    }
    return null;
  }

  /** Applies one rule; returns why it is wrong, or null. */
  apply(rule: string): string | null {
    switch (inLowerCase(rule)) {
      case "":
        return null;
      case "on":
        this.isOn = true;
        return null;
      case "off":
        this.isOn = false;
        return null;
      case "nopass":
        this.needsNoPassword = true;
        this.passwords = [];
        return null;
      case "resetpass":
        this.needsNoPassword = false;
        this.passwords = [];
        return null;
      case "sanitize-payload":
        this.sanitizesPayloads = true;
        return null;
      case "skip-sanitize-payload":
        this.sanitizesPayloads = false;
        return null;
      case "clearselectors":
        this.selectors = [];
        return null;
      case "reset":
        this.become(new AclUser(this.name, this.context));
        return null;
    }
    if (/^[<>#!]/.test(rule)) return this.#applyPassword(rule);
    if (rule.startsWith("(") && rule.endsWith(")")) return this.#addSelector(rule.slice(1, -1));
    return applyRule(this.root, rule, this.context.commands);
  }

  #applyPassword(rule: string): string | null {
    const word = rule.slice(1);
    const isHash = rule.startsWith("#") || rule.startsWith("!");
    if (isHash && !HASH.test(word)) return RuleError.badHash;
    const hash = isHash ? word : passwordHash(binaryBytes(word));
    const isKnown = this.passwords.includes(hash);
    if (rule.startsWith("<") || rule.startsWith("!")) {
      if (!isKnown) return RuleError.noSuchPassword;
      this.passwords = this.passwords.filter((other) => other !== hash);
      return null;
    }
    if (!isKnown) this.passwords = [...this.passwords, hash];
    this.needsNoPassword = false;
    return null;
  }

  /** "(…)": further rights, whose rules stand between the parentheses. */
  #addSelector(text: string): string | null {
    const words = splitWords(text);
    if (words === null) return RuleError.syntax;
    const selector = this.#newSelector();
    for (const word of words) {
      const detail = applyRule(selector, word, this.context.commands);
      if (detail !== null) return detail;
    }
    this.selectors = [...this.selectors, selector];
    return null;
  }

  /** The words that describe who the user is, without passwords and rights. */
  get flags(): string[] {
    return [
      this.isOn ? "on" : "off",
      ...this.needsNoPassword ? ["nopass"] : [],
      this.sanitizesPayloads ? "sanitize-payload" : "skip-sanitize-payload",
    ];
  }

  /** The user's name and rules, each a word. */
  get words(): string[] {
    return [
      this.name,
      ...this.flags,
      ...this.passwords.map((hash) => `#${hash}`),
      ...selectorWords(this.root),
      ...this.selectors.map((selector) => `(${selectorWords(selector).map(quoted).join(" ")})`),
    ];
  }

  /** The user as ACL LIST and the ACL file have it, without the word "user". */
  get text(): string {
    return this.words.join(" ");
  }
}

/** A word of a selector or of a configuration's line, so that `splitWords` gives it back. */
export function quoted(word: string): string {
  return /["']/.test(word) ? quoteWord(word) : word;
}

/** What is kept of a password. */
export function passwordHash(password: Uint8Array): string {
  return hexText(sha256(password));
}

/**
 * Joins the words of selectors, "(~key" "+get)", so that each is one word. Where a parenthesis is not closed, the word that it
 * begins is the result.
 */
export function joinSelectors(
  words: readonly string[],
): { readonly rules: string[] } | { readonly unmatched: string } {
  const rules: string[] = [];
  let open: string[] = [];
  for (const word of words) {
    if (open.length === 0 && !(word.startsWith("(") && !word.endsWith(")"))) {
      rules.push(word);
      continue;
    }
    open.push(word);
    if (open.length === 1 || !word.endsWith(")")) continue;
    rules.push(open.join(" "));
    open = [];
  }
  return open.length === 0 ? { rules } : { unmatched: open[0] };
}
