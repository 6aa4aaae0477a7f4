/**
 * The usage line of a command: a small grammar from which arity, COMMAND DOCS and hints follow.
 *
 *     sequence  =  item …
 *     item      =  "[" sequence "]"        optional
 *               |  "{" sequence "}*"       one or more times
 *               |  WORD                    a literal; directly before an argument, that argument's token
 *               |  "'" word "'"            a literal that stands alone
 *               |  name [":" type]         an argument; type string unless said (a `key` is a key)
 *               |  name "=(" a | b … ")"   a choice; without "|" a group
 *               |  name "=" WORD           a literal with a name of its own
 *     item "@" version                     since when; "@-" version: deprecated since
 *     item "<" text ">"                    what hints show instead of the name
 *     item "#" index                       its key spec, where keys don't have one each
 *
 * docs/USAGE.md explains it with examples, and src/protocol/usage_test.ts shows each rule.
 */

/** One argument, literal, choice or group. */
export interface UsageNode {
  name: string;
  /** string, integer, double, key, pattern, unix-time, pure-token, oneof or block. */
  type: string;
  token: string | null;
  since: string | null;
  deprecatedSince: string | null;
  /** What hints show instead of the name. */
  display: string | null;
  /** Which of the command's key specs finds this argument. */
  keySpec: number | null;
  isOptional: boolean;
  isMultiple: boolean;
  /** The token is repeated with each value. */
  isMultipleToken: boolean;
  children: UsageNode[];
}

const TOKEN_REGEXP =
  /'[^']*'|<[^>]*>|\[|\]|\{|\}\*|\(|\)|\||=|@-?[0-9.]+|#[0-9]+|[^\s[\]{}()|=@#<']+/g;
const WORD_REGEXP = /^[A-Z][A-Z0-9_-]*$/;
/** An argument's name, with its type if it has one. */
const NAME_REGEXP = /^[a-z][a-z0-9_-]*(?::[a-z-]+)?$/;

/** Parses a usage line; throws a SyntaxError if it is none, so that a test finds it. */
export function parseUsage(usage: string): UsageNode[] {
  const parser = new Parser(usage.match(TOKEN_REGEXP) ?? []);
  const nodes = parser.sequence();
  if (!parser.isAtEnd) throw new SyntaxError(`Unbalanced usage line: ${usage}`);
  numberKeys(nodes, 0);
  return nodes;
}

/** Gives each key that doesn't name its key spec the next one; returns how many there are. */
function numberKeys(nodes: readonly UsageNode[], next: number): number {
  for (const node of nodes) {
    if (node.keySpec !== null) next = Math.max(next, node.keySpec + 1);
    else if (node.type === "key") node.keySpec = next++;
    next = numberKeys(node.children, next);
  }
  return next;
}

/**
 * The arity that COMMAND reports, `words` words of the name included; negative when more may follow.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { arityOf } from "./usage.ts";
 *
 * assertEquals(arityOf("key start:integer end:integer", 1), 4);
 * assertEquals(arityOf("key value [NX | XX]", 1), -3);
 * ```
 */
export function arityOf(usage: string, words: number): number {
  const { least, isOpen } = extentOf(parseUsage(usage));
  return isOpen ? -(words + least) : words + least;
}

/** The fewest words that the nodes take, and whether they may take more. */
function extentOf(nodes: readonly UsageNode[]): { least: number; isOpen: boolean } {
  let least = 0;
  let isOpen = false;
  for (const node of nodes) {
    const own = extentOfOne(node);
    if (!node.isOptional) least += node.isMultiple ? Math.max(own.least, 1) : own.least;
    isOpen ||= node.isOptional || node.isMultiple || own.isOpen;
  }
  return { least, isOpen };
}

function extentOfOne(node: UsageNode): { least: number; isOpen: boolean } {
  const token = node.token === null ? 0 : 1;
  if (node.type === "pure-token") return { least: 1, isOpen: false };
  if (node.type === "block") {
    const inner = extentOf(node.children);
    return { least: token + inner.least, isOpen: inner.isOpen };
  }
  if (node.type !== "oneof") return { least: token + 1, isOpen: false };
  const choices = node.children.map((child) => extentOf([child]));
  const least = Math.min(...choices.map((choice) => choice.least));
  const isOpen = choices.some((choice) => choice.isOpen || choice.least !== least);
  return { least: token + least, isOpen };
}

class Parser {
  #at = 0;

  constructor(readonly tokens: readonly string[]) {}

  get isAtEnd(): boolean {
    return this.#at === this.tokens.length;
  }

  sequence(): UsageNode[] {
    const nodes: UsageNode[] = [];
    while (!this.isAtEnd && !["]", "}*", ")", "|"].includes(this.#peek())) nodes.push(this.#item());
    return nodes;
  }

  #item(): UsageNode {
    const node = this.#bare();
    for (; !this.isAtEnd; this.#at++) {
      const mark = this.#peek();
      if (mark.startsWith("@-")) node.deprecatedSince = mark.slice(2);
      else if (mark.startsWith("@")) node.since = mark.slice(1);
      else if (mark.startsWith("<")) node.display = mark.slice(1, -1);
      else if (mark.startsWith("#")) node.keySpec = Number(mark.slice(1));
      else break;
    }
    return node;
  }

  #bare(): UsageNode {
    const token = this.#take();
    if (token === "[") return this.#closed("]", (node) => (node.isOptional = true));
    if (token === "{") return this.#repeated();
    if (token.startsWith("'")) return literal(token.slice(1, -1));
    if (!WORD_REGEXP.test(token)) return this.#named(token);
    const next = this.tokens[this.#at];
    if (next === "{" || NAME_REGEXP.test(next ?? "")) return this.#withToken(token);
    return literal(token);
  }

  /** The argument that follows, which `token` introduces. */
  #withToken(token: string): UsageNode {
    const next = this.#take();
    const node = next === "{" ? this.#repeated() : this.#named(next);
    if (node.token !== null) throw new SyntaxError(`A token before a token: ${token}`);
    node.token = token;
    return node;
  }

  #repeated(): UsageNode {
    return this.#closed("}*", (node) => {
      node.isMultiple = true;
      node.isMultipleToken = node.token !== null;
    });
  }

  /** The items up to `end` as one node, which `mark` marks. */
  #closed(end: string, mark: (node: UsageNode) => void): UsageNode {
    const choices = this.#choices();
    if (this.#take() !== end) throw new SyntaxError(`Expected ${end}`);
    const node = choices.length === 1 && choices[0].length === 1
      ? choices[0][0]
      : grouped("", choices);
    mark(node);
    return node;
  }

  #named(text: string): UsageNode {
    const [name, type] = text.split(":");
    if (!NAME_REGEXP.test(text)) throw new SyntaxError(`No name of an argument: ${text}`);
    if (!this.isAtEnd && this.#peek() === "=") {
      this.#at++;
      if (this.#peek() !== "(") return literal(this.#take().replaceAll("'", ""), name);
      this.#at++;
      const choices = this.#choices();
      if (this.#take() !== ")") throw new SyntaxError("Expected )");
      return grouped(name, choices);
    }
    const node = literal("", name);
    node.token = null;
    node.type = type ?? (name === "key" || name === "pattern" ? name : "string");
    return node;
  }

  #choices(): UsageNode[][] {
    const choices = [this.sequence()];
    while (!this.isAtEnd && this.#peek() === "|") {
      this.#at++;
      choices.push(this.sequence());
    }
    return choices;
  }

  #peek(): string {
    return this.tokens[this.#at];
  }

  #take(): string {
    if (this.isAtEnd) throw new SyntaxError("The usage line ends too soon");
    return this.tokens[this.#at++];
  }
}

function literal(token: string, name = token.toLowerCase()): UsageNode {
  return {
    name,
    type: "pure-token",
    token,
    since: null,
    deprecatedSince: null,
    display: null,
    keySpec: null,
    isOptional: false,
    isMultiple: false,
    isMultipleToken: false,
    children: [],
  };
}

function grouped(name: string, choices: UsageNode[][]): UsageNode {
  const node = literal("", name);
  node.token = null;
  node.type = choices.length > 1 ? "oneof" : "block";
  node.children = choices.length > 1
    ? choices.map((choice) => choice.length === 1 ? choice[0] : grouped("", [choice]))
    : choices[0];
  return node;
}
