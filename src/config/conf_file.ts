/**
 * redis.conf: its syntax, the command line and the environment, and CONFIG REWRITE's way of changing
 * the file's text.
 */
import type { Directive, Parameters } from "./parameters.ts";

/** A directive with the place it comes from, for messages. */
export interface PlacedDirective extends Directive {
  /** File name, "stdin", "the environment" or "the command line". */
  readonly source: string;
  /** Line number from 1; 0 where there are no lines. */
  readonly line: number;
  readonly text: string;
}

/** What the command line asks for. */
export interface CommandLine {
  /** A path, "-" for standard input, or null. */
  readonly file: string | null;
  readonly directives: readonly PlacedDirective[];
}

const ESCAPES: Record<string, string> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" };

/** Splits a line into words with redis-cli's quoting; null when the quotes are unbalanced. */
function splitWords(line: string): string[] | null {
  const words: string[] = [];
  let rest = line.trimStart();
  while (rest !== "") {
    const found = firstWord(rest);
    if (found === null) return null;
    words.push(found.word);
    rest = found.rest.trimStart();
  }
  return words;
}

function firstWord(text: string): { word: string; rest: string } | null {
  let word = "";
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (/\s/.test(char)) return { word, rest: text.slice(i) };
    if (char !== '"' && char !== "'") {
      word += char;
      continue;
    }
    const quoted = char === '"' ? /^"((?:[^"\\]|\\.)*)"/s : /^'((?:[^'\\]|\\.)*)'/s;
    const match = quoted.exec(text.slice(i));
    if (match === null) return null;
    word += char === '"' ? unescaped(match[1]) : match[1].replaceAll("\\'", "'");
    const rest = text.slice(i + match[0].length);
    return rest === "" || /^\s/.test(rest) ? { word, rest } : null;
  }
  return { word, rest: "" };
}

function unescaped(text: string): string {
  return text.replaceAll(
    /\\(x[0-9a-fA-F]{2}|.)/gs,
    (_, code: string) =>
      code.length === 3 ? String.fromCharCode(parseInt(code.slice(1), 16)) : ESCAPES[code] ?? code,
  );
}

/** Quotes a word if it must be. */
function quoteWord(word: string): string {
  if (word !== "" && /^[!-~]+$/.test(word) && !/["'\\#]/.test(word)) return word;
  let quoted = "";
  for (const char of word) {
    const name = Object.keys(ESCAPES).find((key) => ESCAPES[key] === char);
    if (char === '"' || char === "\\") quoted += `\\${char}`;
    else if (name !== undefined) quoted += `\\${name}`;
    else if (char < " ") quoted += `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
    else quoted += char;
  }
  return `"${quoted}"`;
}

/**
 * The directives of a configuration text. `include` reads further files through `readFile`; throws a
 * SyntaxError that names file and line if a line can't be read.
 */
export function parseConf(
  text: string,
  source: string,
  readFile: (path: string) => string,
): PlacedDirective[] {
  const directives: PlacedDirective[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const words = splitWords(trimmed);
    const place = { source, line: i + 1, text: trimmed };
    if (words === null) {
      throw new SyntaxError(describe(place, "Unbalanced quotes in configuration line"));
    }
    const name = words[0].toLowerCase();
    if (name === "include" && words.length === 2) {
      directives.push(...parseConf(readFile(words[1]), words[1], readFile));
    } else directives.push({ name, words: words.slice(1), ...place });
  }
  return directives;
}

/** "[redis.conf | -] [--port 7000 --save 900 1 …]". A file's name comes first. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const hasFile = argv.length > 0 && (!argv[0].startsWith("-") || argv[0] === "-");
  const directives: { name: string; words: string[] }[] = [];
  for (const word of argv.slice(hasFile ? 1 : 0)) {
    const last = directives.at(-1);
    if (word.startsWith("--")) directives.push({ name: word.slice(2).toLowerCase(), words: [] });
    else if (last !== undefined) last.words.push(...expanded(word));
    else directives.push({ name: word, words: [] });
  }
  return {
    file: hasFile ? argv[0] : null,
    directives: directives.map((directive) => ({
      ...directive,
      source: "the command line",
      line: 0,
      text: [`--${directive.name}`, ...directive.words].join(" "),
    })),
  };
}

/** `--save "900 1"` means two words; an empty word stays. */
function expanded(word: string): string[] {
  return word === "" ? [""] : splitWords(word) ?? [word];
}

const ENVIRONMENT_PREFIX = "RESPITE_";

/** The variable that sets a parameter: RESPITE_MAXMEMORY_POLICY for maxmemory-policy. */
export function environmentName(parameter: string): string {
  return ENVIRONMENT_PREFIX + parameter.toUpperCase().replaceAll("-", "_");
}

/** The directives that variables of the environment mean; others than RESPITE_… are passed over. */
export function parseEnvironment(environment: Readonly<Record<string, string>>): PlacedDirective[] {
  const own = Object.entries(environment).filter(([key]) => key.startsWith(ENVIRONMENT_PREFIX));
  return own.map(([key, value]) => ({
    name: key.slice(ENVIRONMENT_PREFIX.length).toLowerCase().replaceAll("_", "-"),
    words: expanded(value),
    source: "the environment",
    line: 0,
    text: `${key}=${value}`,
  }));
}

/** Sets the directives; throws a SyntaxError that names the place of the first that is refused. */
export function applyDirectives(
  parameters: Parameters,
  directives: readonly PlacedDirective[],
): void {
  let clearedSave = false;
  for (const directive of directives) {
    // The first `save` of a configuration replaces the default points; the others add to it.
    if (directive.name === "save" && !clearedSave) {
      parameters.load({ name: "save", words: [""] });
      clearedSave = true;
    }
    const detail = parameters.load(directive);
    if (detail !== null) throw new SyntaxError(describe(directive, detail));
  }
}

function describe(place: { source: string; line: number; text: string }, detail: string): string {
  const where = place.line > 0 ? `${place.source}, at line ${place.line}` : place.source;
  return `*** FATAL CONFIG FILE ERROR (Respite) ***\nReading the configuration (${where})\n` +
    `>>> '${place.text}'\n${detail}`;
}

const SIGNATURE = "# Generated by CONFIG REWRITE";

/**
 * The text of a configuration file changed so that it holds what is in force: lines keep their places
 * and comments, values are replaced, what is at its default and not in the file stays out, what is new
 * goes to the end.
 */
export function rewriteConf(oldText: string, parameters: Parameters): string {
  const written = new Set<string>();
  const lines: string[] = [];
  for (const line of oldText.replace(/\n$/, "").split("\n")) {
    const words = /^\s*(#|$)/.test(line) ? null : splitWords(line.trim());
    const name = words?.[0]?.toLowerCase();
    if (name === undefined || !parameters.has(name)) {
      lines.push(line);
      continue;
    }
    const canonical = parameters.canonicalName(name);
    if (written.has(canonical)) continue;
    written.add(canonical);
    lines.push(...directiveLines(name, parameters));
  }
  const fresh = parameters.names().filter((name) =>
    !written.has(name) && !parameters.isDefault(name)
  );
  if (fresh.length > 0) {
    if (!lines.includes(SIGNATURE)) lines.push(SIGNATURE);
    for (const name of fresh) lines.push(...directiveLines(name, parameters));
  }
  while (lines.length > 0 && lines[0] === "" && oldText === "") lines.shift();
  return `${lines.join("\n")}\n`;
}

/** The lines that say a parameter's value; one a save point or a class of clients. */
function directiveLines(name: string, parameters: Parameters): string[] {
  const text = parameters.text(name);
  if (name === "save") {
    const numbers = text.split(" ");
    if (text === "") return [`save ""`];
    return numbers.flatMap((seconds, i) =>
      i % 2 === 0 ? [`save ${seconds} ${numbers[i + 1]}`] : []
    );
  }
  if (name === "client-output-buffer-limit") {
    const words = text.split(" ");
    return [0, 4, 8].map((i) => `${name} ${words.slice(i, i + 4).join(" ")}`);
  }
  const isList = ["bind", "oom-score-adj-values", "latency-tracking-info-percentiles"].includes(
    name,
  );
  return [`${name} ${isList && text !== "" ? text : quoteWord(text)}`];
}
