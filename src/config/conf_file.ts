/**
 * redis.conf: its lines, the command line and the environment as directives, and CONFIG REWRITE's way
 * of changing the file's text.
 *
 * Texts of files are binary, one character a byte (Latin-1), so that bytes beyond ASCII survive; the
 * command line and the environment come as JavaScript's text and are made binary here.
 */
import { nearest } from "../lib/nearest.ts";
import { type Directive, Parameters } from "./parameters.ts";
import { binaryOf, quoteWord, splitWords, unicodeOf } from "./words.ts";

export { binaryOf, splitWords, unicodeOf } from "./words.ts";

/** A directive with the place it comes from, for messages. */
export interface PlacedDirective extends Directive {
  /** File name, "standard input", "the environment" or "the command line". */
  readonly source: string;
  /** Line number from 1; 0 where there are no lines. */
  readonly line: number;
  readonly text: string;
}

/** A configuration file that has been read. */
export interface ConfText {
  readonly name: string;
  readonly text: string;
}

/** Reads what `include` names: a text, or several files if the path is a pattern. */
export type ReadFile = (path: string) => string | readonly ConfText[];

/** What the command line asks for. */
export interface CommandLine {
  /** The configuration file's path. */
  readonly file: string | null;
  /** Whether standard input is to be read, after the file. */
  readonly stdin: boolean;
  readonly directives: readonly PlacedDirective[];
}

/** Handlers of directives that are no parameters, such as `rename-command`: each returns an error's detail or null. */
export type Others = Readonly<Record<string, (words: readonly string[]) => string | null>>;

/** Some editors begin files with it. It is not shown, so that the line looks right. */
const BYTE_ORDER_MARK = "\xef\xbb\xbf";

export const STANDARD_INPUT = "standard input";
const COMMAND_LINE = "the command line";

/** How deep includes may be nested. */
const INCLUDES_MAX = 16;

/**
 * The directives of a configuration text, those of included files at the place of their `include`.
 * Throws a SyntaxError that names file and line if a line can't be read.
 */
export function parseConf(text: string, source: string, readFile: ReadFile): PlacedDirective[] {
  return parseFile({ name: source, text }, readFile, 0);
}

function parseFile(file: ConfText, readFile: ReadFile, depth: number): PlacedDirective[] {
  const directives: PlacedDirective[] = [];
  for (const [i, line] of file.text.split("\n").entries()) {
    const text = trimmed(line);
    if (text === "" || text.startsWith("#")) continue;
    const directive = directiveOf(text, { source: file.name, line: i + 1, text });
    if (directive !== null) directives.push(...included(directive, readFile, depth));
  }
  return directives;
}

/** Replaces `include` directives, as a command line may have them, by what they include. */
export function withIncludes(
  directives: readonly PlacedDirective[],
  readFile: ReadFile,
): PlacedDirective[] {
  return directives.flatMap((directive) => included(directive, readFile, 0));
}

function included(
  directive: PlacedDirective,
  readFile: ReadFile,
  depth: number,
): readonly PlacedDirective[] {
  if (directive.name !== "include" || directive.words.length !== 1) return [directive];
  if (depth === INCLUDES_MAX) {
    throw new SyntaxError(describe(directive, `Files include each other ${INCLUDES_MAX} deep`));
  }
  const [path] = directive.words;
  const read = readPlaced(directive, path, readFile);
  const files = typeof read === "string" ? [{ name: path, text: read }] : read;
  return files.flatMap((file) => parseFile(file, readFile, depth + 1));
}

/** Reads an included file; if it can't be read, the error names the place of its `include`. */
function readPlaced(
  directive: PlacedDirective,
  path: string,
  readFile: ReadFile,
): ReturnType<ReadFile> {
  try {
    return readFile(path);
  } catch (error) {
    throw new SyntaxError(describe(directive, error instanceof Error ? error.message : `${error}`));
  }
}

type Place = Pick<PlacedDirective, "source" | "line" | "text">;

/** Null for a line without words. */
function directiveOf(line: string, place: Place): PlacedDirective | null {
  const words = splitWords(line);
  if (words === null) {
    throw new SyntaxError(describe(place, "Unbalanced quotes in configuration line"));
  }
  if (words.length === 0) return null;
  return { name: words[0].toLowerCase(), words: words.slice(1), ...place };
}

/** The line without the blanks that redis-server trims; other white space is part of the line. */
function trimmed(line: string): string {
  return line.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
}

/**
 * "[redis.conf] [-] [--port 7000 --save 900 1 …]", as redis-server 7.2 reads it. Words of one argument
 * are split ("--port 7000"); later ones are taken as they are. The first argument after an option is
 * its value whatever it looks like, so values may begin with "--" (but those after it may not).
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const hasFile = argv.length > 0 && !argv[0].startsWith("-");
  const options = argv.slice(hasFile ? 1 : 0);
  const isStdin = (i: number): boolean =>
    options[i] === "-" && ((i === 0 && !hasFile) || i === options.length - 1);
  return {
    file: hasFile ? argv[0] : null,
    stdin: options.some((_, i) => isStdin(i)),
    directives: optionsOf(options.filter((_, i) => !isStdin(i)).map(binaryOf)),
  };
}

function optionsOf(options: readonly string[]): PlacedDirective[] {
  const lines: { words: string[]; text: string }[] = [];
  let wantsValue = false;
  for (const [i, option] of options.entries()) {
    if (wantsValue || !option.startsWith("--")) {
      if (lines.length === 0) lines.push({ words: [], text: "" });
      addWord(lines[lines.length - 1], option);
      wantsValue = false;
      continue;
    }
    const words = splitWords(option.slice(2));
    if (words === null) {
      const place = { source: COMMAND_LINE, line: 0, text: option };
      throw new SyntaxError(describe(place, "Unbalanced quotes in configuration line"));
    }
    lines.push({ words, text: option.slice(2) });
    wantsValue = words.length === 1;
    // `--save "" --port 7000` may arrive as `--save --port 7000`, since scripts tend to lose empty arguments.
    const isLast = i + 1 === options.length || options[i + 1].startsWith("--");
    if (wantsValue && isLast && words[0].toLowerCase() === "save") {
      addWord(lines[lines.length - 1], "");
      wantsValue = false;
    }
  }
  return lines.filter(({ words }) => words.length > 0).map(({ words, text }) => ({
    name: words[0].toLowerCase(),
    words: words.slice(1),
    source: COMMAND_LINE,
    line: 0,
    text,
  }));
}

/** Adds an argument as one word; messages show it in quotes. */
function addWord(line: { words: string[]; text: string }, word: string): void {
  line.text = `${line.text} ${quoteWord(word)}`.trimStart();
  line.words.push(word);
}

/** What the names of variables begin with that set parameters. */
const ENVIRONMENT_PREFIX = "RESPITE_";

/** The variable that sets a parameter: RESPITE_MAXMEMORY_POLICY for maxmemory-policy. */
export function environmentName(parameter: string): string {
  return ENVIRONMENT_PREFIX + parameter.toUpperCase().replaceAll("-", "_");
}

/**
 * The directives that the RESPITE_… variables of the environment stand for, and warnings of those that stand for none. A
 * value is one word, or all words of a parameter that takes several.
 */
export function parseEnvironment(
  environment: Readonly<Record<string, string>>,
  parameters: Parameters,
): { directives: PlacedDirective[]; warnings: string[] } {
  const directives: PlacedDirective[] = [];
  const warnings: string[] = [];
  const own = Object.entries(environment).filter(([key]) => key.startsWith(ENVIRONMENT_PREFIX));
  for (const [key, value] of own) {
    const plain = key.slice(ENVIRONMENT_PREFIX.length).toLowerCase().replaceAll("_", "-");
    // The lists of processors are the only parameters that are written with underscores.
    const name = plain.endsWith("-cpulist") ? plain.replaceAll("-", "_") : plain;
    const isOther = NOT_PARAMETERS.includes(name);
    if (isOther || parameters.knows(name)) {
      const words = isOther ? splitWords(binaryOf(value)) ?? [] : [binaryOf(value)];
      const place = { source: "the environment", line: 0, text: binaryOf(`${key}=${value}`) };
      directives.push({ name, words, ...place });
      continue;
    }
    const meant = nearest(name, parameters.names());
    const hint = meant === null ? "" : `: did you mean ${environmentName(meant)}?`;
    warnings.push(`${key} in the environment names no directive, and has no effect${hint}`);
  }
  return { directives, warnings };
}

/**
 * Sets the directives in their order, so that later ones win: give those of the file first, then
 * standard input, the environment and the command line. Throws a SyntaxError that names the place of
 * the first that is refused.
 */
export function applyDirectives(
  parameters: Parameters,
  directives: readonly PlacedDirective[],
  others: Others = {},
): void {
  for (const directive of directives) {
    const detail = Object.hasOwn(others, directive.name)
      ? others[directive.name](directive.words)
      : parameters.load(directive);
    if (detail === null) continue;
    throw new SyntaxError(describe(directive, detail) + hintFor(directive, parameters));
  }
}

/** What may have been meant by a directive that is unknown, as a further line; "" if nothing is known of it. */
function hintFor({ name, source }: PlacedDirective, parameters: Parameters): string {
  if (parameters.knows(name) || NOT_PARAMETERS.includes(name)) return "";
  if (name.startsWith(BYTE_ORDER_MARK)) {
    return "\nThe file begins with a byte order mark: save it without one";
  }
  const dashes = source === COMMAND_LINE ? "--" : "";
  const [word, value] = name.replace(/^-+/, "").split("=");
  const meant = nearest(word, parameters.names());
  if (meant === null) {
    return name.startsWith("-") ? "\nOptions begin with two dashes: --port 7000" : "";
  }
  return `\nDid you mean ${dashes}${meant}${value === undefined ? "" : ` ${value}`}?`;
}

/** An error's text, as redis-server writes it, but with the name of what was read. */
export function describe(place: Place, detail: string): string {
  const file = place.source === STANDARD_INPUT ? "" : "the configuration file ";
  const where = place.line > 0
    ? `Reading ${file}${place.source}, at line ${place.line}`
    : `Reading ${place.source}`;
  return `\n*** FATAL CONFIG FILE ERROR (Respite) ***\n${where}\n>>> '${
    unicodeOf(place.text)
  }'\n${detail}`;
}

const SIGNATURE = "# Generated by CONFIG REWRITE";

/** Directives that are no parameters: their lines stay unless others are given. */
const NOT_PARAMETERS = ["include", "rename-command", "user", "loadmodule"];

export interface RewriteOptions {
  /** Writes all parameters, also those at their defaults. */
  readonly all?: boolean;
  /** The lines of directives that are no parameters (`user`), without their names. */
  readonly others?: Readonly<Record<string, readonly string[]>>;
}

/**
 * The text of a configuration file, changed so that it says what is in force. Comments, the order and
 * lines that are right stay; changed values are replaced in place; new parameters follow at the end;
 * parameters at their defaults are added only with `all`. Lines that can't be read
 * become comments ("# ???"), as in Redis. Rewriting again changes nothing.
 */
export function rewriteConf(
  oldText: string,
  parameters: Parameters,
  { all = false, others = {} }: RewriteOptions = {},
): string {
  const file = new OldFile(oldText, parameters);
  for (const name of parameters.names()) {
    const isDefault = parameters.isDefault(name);
    // A parameter whose default is "" is reset by removing its line.
    const isUnset = isDefault && parameters.get(name) === "" && !all;
    const wanted = isUnset ? [] : parameters.lines(name).map((line) => `${name} ${line}`);
    if (!file.has(name)) file.append(all || !isDefault ? wanted : []);
    else if (!file.means(name, parameters)) file.replace(name, wanted);
  }
  for (const [name, values] of Object.entries(others)) {
    const wanted = values.map((value) => `${name} ${value}`);
    if (file.has(name)) file.replace(name, wanted);
    else file.append(wanted);
  }
  return file.text();
}

/** The lines of a configuration file, and which of them are about which directive. */
class OldFile {
  /** For each line of the old file, the lines that replace it: itself, several, or none. */
  readonly #lines: (readonly string[])[];
  readonly #fresh: string[] = [];
  /** Positions of a directive's lines, by its name in the table. */
  readonly #places = new Map<string, number[]>();

  constructor(text: string, parameters: Parameters) {
    const lines = text === "" ? [] : text.replace(/\n$/, "").split("\n");
    this.#lines = lines.map((line, i) => {
      const name = nameOn(line, parameters);
      if (name === "unknown") return [`# ??? ${trimmed(line)}`];
      if (name !== null) this.#places.set(name, [...this.#at(name), i]);
      return [line];
    });
  }

  has(name: string): boolean {
    return this.#places.has(name);
  }

  /** Whether the lines about a parameter already say what is in force. */
  means(name: string, parameters: Parameters): boolean {
    const read = new Parameters();
    for (const place of this.#at(name)) {
      const [line] = this.#lines[place];
      const [word, ...words] = splitWords(line) ?? [];
      if (read.load({ name: word, words }) !== null) return false;
    }
    return read.lines(name).join("\n") === parameters.lines(name).join("\n");
  }

  /** Puts the wanted lines in the places of the old ones; if there are more of them, the last place takes the rest. */
  replace(name: string, wanted: readonly string[]): void {
    const places = this.#at(name);
    for (const [i, place] of places.entries()) {
      this.#lines[place] = wanted.slice(i, i === places.length - 1 ? wanted.length : i + 1);
    }
  }

  append(lines: readonly string[]): void {
    this.#fresh.push(...lines);
  }

  text(): string {
    const lines = this.#lines.flat();
    const isSigned = lines.some((line) => trimmed(line) === SIGNATURE);
    if (this.#fresh.length > 0 && !isSigned) lines.push(SIGNATURE);
    return [...lines, ...this.#fresh].map((line) => `${line}\n`).join("");
  }

  #at(name: string): readonly number[] {
    return this.#places.get(name) ?? [];
  }
}

/** The directive that a line is about, by its name in the table; "unknown", or null for a comment. */
function nameOn(line: string, parameters: Parameters): string | null {
  const text = trimmed(line);
  if (text === "" || text.startsWith("#")) return null;
  const name = splitWords(text)?.[0]?.toLowerCase() ?? "unknown";
  if (parameters.has(name)) return parameters.spec(name).name;
  return NOT_PARAMETERS.includes(name) ? name : "unknown";
}
