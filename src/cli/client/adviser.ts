/** What is said of a line while it is typed: colours, a hint, completions. All follows from the table of commands. */
import type { CommandBook } from "./command_book.ts";
import type { Preferences } from "./context.ts";
import type { Adviser } from "./editor/editor.ts";
import type { Piece } from "./editor/screen.ts";
import { matchUsage, nextWords, type Role } from "./grammar.ts";
import type { KeyNames } from "./key_names.ts";
import { nodeText } from "./usage_text.ts";

/** Commands of the client itself. */
const OWN: Readonly<Record<string, string>> = {
  help: "[@group|command]",
  "?": "[@group|command]",
  exit: "",
  quit: "",
  clear: "",
  connect: "host port",
  peek: "key",
  ":set": "hints|nohints",
};

/** Colours of SGR. What is right and plain has none. */
const STYLES: Readonly<Record<Role | "command", string>> = {
  command: "1;36",
  token: "35",
  key: "32",
  number: "34",
  value: "",
  wrong: "31",
};
const COMPLETIONS_MAX = 200;

/** A word of the line and where it stands. */
interface Span {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export class CommandAdviser implements Adviser {
  constructor(
    readonly book: CommandBook,
    readonly keyNames: KeyNames,
    readonly preferences: Preferences,
    readonly hasColours: boolean,
  ) {}

  paint(text: string): Piece[] {
    if (!this.hasColours) return [{ text, style: "" }];
    const spans = spansOf(text);
    const styles = this.#styles(text, spans);
    const pieces: Piece[] = [];
    let at = 0;
    for (const [i, { start, end }] of spans.entries()) {
      pieces.push({ text: text.slice(at, start), style: "" });
      pieces.push({ text: text.slice(start, end), style: styles[i] });
      at = end;
    }
    pieces.push({ text: text.slice(at), style: "" });
    return pieces;
  }

  hint(text: string): string {
    if (!this.preferences.showsHints || text.trim() === "" || /["'\n]/.test(text)) return "";
    const words = withoutCount(spansOf(text)).map((span) => span.text);
    if (words.length === 0) return "";
    const rest = this.#rest(words);
    if (rest === "") return "";
    return /\s$/.test(text) ? rest : ` ${rest}`;
  }

  complete(text: string): string[] {
    const spans = spansOf(text);
    const isNew = spans.length === 0 || /\s$/.test(text);
    const start = isNew ? text.length : spans[spans.length - 1].start;
    const typed = text.slice(start);
    const before = spans.filter((span) => span.end <= start && span.start < start);
    const candidates = this.#candidates(withoutCount(before).map((span) => span.text), typed);
    const head = text.slice(0, start);
    return candidates.slice(0, COMPLETIONS_MAX).map((word) => `${head}${word}`);
  }

  #styles(text: string, spans: readonly Span[]): string[] {
    const counted = withoutCount(spans);
    const skipped = spans.slice(0, spans.length - counted.length).map(() => STYLES.number);
    const words = counted.map((span) => span.text);
    if (words.length === 0) return skipped;
    if (Object.hasOwn(OWN, words[0].toLowerCase())) {
      return [...skipped, STYLES.command, ...words.slice(1).map(() => "")];
    }
    const named = this.book.find(words);
    const isTyping = words.length === 1 && !/\s$/.test(text);
    if (named === null) {
      const prefix = words[0].toUpperCase();
      const may = isTyping && this.book.names.some((name) => name.startsWith(prefix));
      return [...skipped, may ? "" : STYLES.wrong, ...words.slice(1).map(() => "")];
    }
    const names = words.slice(0, named.words).map(() => STYLES.command);
    const rest = words.slice(named.words);
    if (named.usage === null) {
      return [...skipped, ...names, ...this.#subcommandStyles(text, named.subcommands, rest)];
    }
    const { roles } = matchUsage(named.usage, rest);
    // A last word that is the first wrong one may be the beginning of a right one.
    const last = /\s$/.test(text) || roles.at(-2) === "wrong" ? -1 : roles.length - 1;
    const styles = roles.map((role, i) => i === last && role === "wrong" ? "" : STYLES[role]);
    return [...skipped, ...names, ...styles];
  }

  #subcommandStyles(
    text: string,
    subcommands: readonly string[],
    rest: readonly string[],
  ): string[] {
    if (rest.length === 0) return [];
    const isTyping = rest.length === 1 && !/\s$/.test(text);
    const may = subcommands.some((name) => name.startsWith(rest[0].toUpperCase()));
    return [isTyping && may ? "" : STYLES.wrong, ...rest.slice(1).map(() => "")];
  }

  /** What may follow the words, as a usage line. */
  #rest(words: readonly string[]): string {
    const own = OWN[words[0].toLowerCase()];
    if (own !== undefined && Object.hasOwn(OWN, words[0].toLowerCase())) {
      return words.length === 1 ? own : "";
    }
    const named = this.book.find(words);
    if (named === null) return "";
    if (named.usage === null) return words.length === 1 ? named.subcommands.join("|") : "";
    const { roles, rest } = matchUsage(named.usage, words.slice(named.words));
    return roles.includes("wrong") ? "" : rest.map(nodeText).join(" ");
  }

  /** The words that may stand where `typed` is, behind the words before it. */
  #candidates(words: readonly string[], typed: string): string[] {
    if (words.length === 0) {
      return cased(
        [...this.book.names, ...Object.keys(OWN).map((name) => name.toUpperCase())],
        typed,
      );
    }
    const first = words[0].toLowerCase();
    if (first === "help" || first === "?") return this.#topics(words.slice(1), typed);
    if (first === ":set") return cased(["hints", "nohints"], typed);
    if (first === "peek") return words.length === 1 ? this.keyNames.beginningWith(typed) : [];
    const named = this.book.find(words);
    if (named === null) return [];
    if (named.usage === null) return words.length === 1 ? cased(named.subcommands, typed) : [];
    const { roles, rest } = matchUsage(named.usage, words.slice(named.words));
    if (roles.includes("wrong")) return [];
    const { tokens, isKey } = nextWords(rest);
    const keys = isKey ? this.keyNames.beginningWith(typed) : [];
    return [...keys, ...cased(tokens, typed)];
  }

  #topics(words: readonly string[], typed: string): string[] {
    if (words.length === 0 && typed.startsWith("@")) return cased(this.book.groups, typed);
    const head = words.map((word) => `${word} `).join("").toUpperCase();
    const topics = this.book.topics.filter((topic) => topic.startsWith(head));
    return cased(topics.map((topic) => topic.slice(head.length)), typed);
  }
}

/** The words that begin with what was typed, in small letters unless it was typed in large ones. */
function cased(words: readonly string[], typed: string): string[] {
  const upper = typed.toUpperCase();
  const found = words.filter((word) => word.toUpperCase().startsWith(upper));
  const isLower = typed !== upper || typed === "";
  return [...new Set(found.map((word) => isLower ? word.toLowerCase() : word.toUpperCase()))]
    .sort();
}

/** The words of a line: parts in quotes belong to their word, open ones go to the end. */
function spansOf(text: string): Span[] {
  const regexp = /(?:"(?:\\.|[^"\\])*(?:"|$)|'(?:\\'|[^'])*(?:'|$)|[^\s"'])+/g;
  return [...text.matchAll(regexp)].map((match) => ({
    text: match[0].replace(/^(["'])(.*)\1$/, "$2"),
    start: match.index,
    end: match.index + match[0].length,
  }));
}

/** Leaves out how often a command is to run. */
function withoutCount(spans: readonly Span[]): readonly Span[] {
  return spans.length > 1 && /^\d+$/.test(spans[0].text) ? spans.slice(1) : spans;
}
