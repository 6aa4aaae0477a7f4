/**
 * A half-typed command beside its usage: what each word is, what may follow, which word does not belong there.
 *
 * Words are matched from the left and without going back, as a reader does it: options that follow one another may come in
 * any order, a repeated argument takes what is left, unless a count of keys was given before.
 */
import type { UsageNode } from "../../protocol/usage.ts";
import { repeated } from "./usage_text.ts";

/** What a word is. */
export type Role = "token" | "key" | "number" | "value" | "wrong";

export interface Match {
  /** For each word; those behind the first wrong one are wrong, too. */
  readonly roles: readonly Role[];
  /** What may follow the last word: of these, the optional ones may be left out. */
  readonly rest: readonly UsageNode[];
}

/** Matches the words behind a command's name. */
export function matchUsage(nodes: readonly UsageNode[], words: readonly string[]): Match {
  const matcher = new Matcher(words);
  const { rest } = matcher.sequence(nodes);
  const { roles } = matcher;
  while (roles.length < words.length) roles.push("wrong");
  return { roles, rest };
}

/** The literals that may come next, and whether a key may. */
export function nextWords(rest: readonly UsageNode[]): { tokens: string[]; isKey: boolean } {
  const tokens: string[] = [];
  let isKey = false;
  for (const node of rest) {
    if (node.token !== null) tokens.push(node.token);
    else if (node.children.length === 0) isKey ||= node.type === "key";
    else {
      const choices = node.type === "oneof"
        ? node.children.map((child) => [child])
        : [node.children];
      for (const choice of choices) {
        const inner = nextWords(choice);
        tokens.push(...inner.tokens);
        isKey ||= inner.isKey;
      }
    }
    if (!node.isOptional) break;
  }
  return { tokens, isKey };
}

/** How a node goes with the words: null if it does not; `rest` is what it still needs or may have. */
type Outcome = { readonly rest: readonly UsageNode[] } | null;

class Matcher {
  readonly roles: Role[] = [];
  /** The value of a numkeys argument: so many keys follow. Null if there was none. */
  #keyCount: number | null = null;

  constructor(readonly words: readonly string[]) {}

  get #isAtEnd(): boolean {
    return this.roles.length === this.words.length;
  }

  get #word(): string {
    return this.words[this.roles.length];
  }

  /** Matches nodes one after another. It stops at the first word that none of them takes. */
  sequence(nodes: readonly UsageNode[]): { rest: readonly UsageNode[] } {
    let left = [...nodes];
    while (left.length > 0 && !this.#isAtEnd) {
      // The options that come next, in any order, up to what must be there.
      const end = left.findIndex((node) => !node.isOptional);
      const open = left.slice(0, end < 0 ? left.length : end + 1);
      const literal = open.find((node) => startsWithToken(node, this.#word));
      const node = literal ?? open.find((each) => !isLiteral(each));
      if (node === undefined) return { rest: left };
      const outcome = this.#node(node, left);
      if (outcome === null) return { rest: left };
      // What is not a literal keeps its place: it ends the options before it.
      left = literal !== undefined && node.isOptional
        ? left.filter((each) => each !== node)
        : left.slice(left.indexOf(node) + 1);
      if (this.#isAtEnd) return { rest: [...outcome.rest, ...left] };
    }
    return { rest: left };
  }

  /** Matches a node, as often as it may be repeated. `left` are the nodes from it on. */
  #node(node: UsageNode, left: readonly UsageNode[]): Outcome {
    let outcome = this.#once(node, node.token !== null);
    if (!node.isMultiple || outcome === null) return outcome;
    const counted = node.type === "key" ? this.#keyCount : null;
    for (let count = 1;; count++) {
      if (counted !== null && count >= counted) return { rest: [] };
      if (this.#isAtEnd) break;
      const followers = left.slice(left.indexOf(node) + 1);
      if (counted === null && followers.some((each) => startsWithToken(each, this.#word))) break;
      const next = this.#once(node, node.isMultipleToken);
      if (next === null) break;
      outcome = next;
    }
    if (!this.#isAtEnd) return { rest: [] };
    return { rest: [...outcome.rest, repeated(node)] };
  }

  /** Matches a node once. If it does not go with the words, none is taken. */
  #once(node: UsageNode, withToken: boolean): Outcome {
    if (withToken) {
      if (!isToken(node, this.#word)) return null;
      this.roles.push("token");
      if (node.type === "pure-token") return { rest: [] };
      if (this.#isAtEnd) {
        return { rest: [{ ...node, token: null, isOptional: false, isMultiple: false }] };
      }
    }
    if (node.type === "block") return this.#block(node);
    if (node.type === "oneof") return this.#choice(node);
    return this.#argument(node);
  }

  #block(node: UsageNode): Outcome {
    const before = this.roles.length;
    const { rest } = this.sequence(node.children);
    const isWhole = this.#isAtEnd || rest.every((each) => each.isOptional);
    if (this.roles.length > before && isWhole) return { rest: this.#isAtEnd ? rest : [] };
    this.roles.length = before;
    return null;
  }

  #choice(node: UsageNode): Outcome {
    const literal = node.children.filter((child) => startsWithToken(child, this.#word));
    for (
      const child of literal.length > 0 ? literal : node.children.filter((each) => !isLiteral(each))
    ) {
      const outcome = this.#node(child, [child]);
      if (outcome !== null) return outcome;
    }
    return null;
  }

  #argument(node: UsageNode): Outcome {
    const word = this.#word;
    const isNumber = node.type === "integer" || node.type === "unix-time";
    if (isNumber && !/^[+-]?\d+$/.test(word)) return null;
    if (node.name === "numkeys") this.#keyCount = Number(word);
    this.roles.push(
      node.type === "key" ? "key" : isNumber || node.type === "double" ? "number" : "value",
    );
    return { rest: [] };
  }
}

function isToken(node: UsageNode, word: string): boolean {
  return node.token !== null && node.token.toLowerCase() === word.toLowerCase();
}

/** Whether a node begins with a literal, which the word is. */
function startsWithToken(node: UsageNode, word: string): boolean {
  if (node.token !== null) return isToken(node, word);
  if (node.type === "oneof") return node.children.some((child) => startsWithToken(child, word));
  return node.type === "block" && node.children.length > 0 &&
    startsWithToken(node.children[0], word);
}

/** Whether a node can begin with nothing but a literal. */
function isLiteral(node: UsageNode): boolean {
  if (node.token !== null) return true;
  if (node.type === "oneof") return node.children.every(isLiteral);
  return node.type === "block" && node.children.length > 0 && isLiteral(node.children[0]);
}
