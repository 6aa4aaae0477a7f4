/** Reads the configuration: a file, standard input, the environment and the command line, later ones winning. */
import {
  applyDirectives,
  binaryOf,
  type ConfText,
  describe,
  environmentName,
  parseCommandLine,
  parseConf,
  parseEnvironment,
  type PlacedDirective,
  STANDARD_INPUT,
  unicodeOf,
  withIncludes,
} from "../config/conf_file.ts";
import type { Parameters } from "../config/parameters.ts";
import type { CommandTable } from "../engine/command.ts";
import { globMatches } from "../lib/glob.ts";
import { nearest } from "../lib/nearest.ts";
import { systemText } from "../lib/system_error.ts";
import { exists } from "../persistence/files.ts";
import { binaryBytes, binaryText } from "../protocol/args.ts";
import { enterDirectory } from "./changes.ts";
import { logSink } from "./log_sink.ts";
import { UserLines } from "./user_lines.ts";

/** Standard input under the names of files that the runtime lets nobody open. */
const STDIN_NAMES = ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"];

/** What was read, besides the values of the parameters. */
export interface Configuration {
  /** The path of the configuration file; "" without one. */
  readonly file: string;
  /** Takes the lines of the log. */
  readonly sink: (line: string) => void;
  /** What the log is to mention. */
  readonly warnings: readonly string[];
  /** The rules of the `user` lines, by the users' names. */
  readonly users: ReadonlyMap<string, readonly string[]>;
}

/** Reads everything, and enters `dir`. Throws an error whose text is for the user. */
export function readConfiguration(
  argv: readonly string[],
  parameters: Parameters,
  commands: CommandTable,
  subcommands: readonly string[],
): Configuration {
  const environment = parseEnvironment(takeEnvironment(parameters), parameters);
  const { file, stdin, directives: options } = parseCommandLine(argv);
  const path = file === null || STDIN_NAMES.includes(file) ? "" : absolute(file);
  const text = path === "" ? "" : readMain(path, file ?? "", parameters, subcommands);
  const real = realPath(path);
  const input = stdin || (file !== null && path === "") ? readStandardInput() : "";
  const directives = [
    ...parseConf(text, file ?? "", readIncluded),
    ...parseConf(input, STANDARD_INPUT, readIncluded),
    ...withIncludes(environment.directives, readIncluded),
    ...withIncludes(options, readIncluded),
  ];
  const users = new UserLines(commands);
  apply(directives, parameters, commands, users);
  try {
    const sink = logSink(unicodeOf(parameters.values.logfile));
    return { file: real, sink, warnings: environment.warnings, users: users.rules };
  } catch (error) {
    const why = `Can't open the log file: ${systemText(error)}`;
    throw new Error(placed("logfile", why, directives, parameters));
  }
}

function apply(
  directives: readonly PlacedDirective[],
  parameters: Parameters,
  commands: CommandTable,
  users: UserLines,
): void {
  applyDirectives(parameters, directives, {
    "rename-command": ([name, other, ...more]) =>
      other === undefined || more.length > 0
        ? "Bad directive or wrong number of arguments"
        : commands.rename(name, other),
    "user": (words) => users.add(words),
    // As in Redis: at once, so that a relative path starts in the directory of a `dir` before it.
    "dir": (words) =>
      parameters.load({ name: "dir", words }) ??
        enterDirectory(parameters, changeDirectory),
  });
  parameters.values.dir = binaryOf(Deno.cwd());
  const lines = parameters.dangers().map(([name, danger]) =>
    placed(name, `${name}: ${danger}`, directives, parameters)
  );
  if (lines.length > 0) throw new Error(lines.join("\n"));
}

/** Why a parameter's value is refused, with the place of the directive that has set it last. */
function placed(
  name: string,
  why: string,
  directives: readonly PlacedDirective[],
  parameters: Parameters,
): string {
  const place = directives.findLast((set) =>
    parameters.has(set.name) && parameters.spec(set.name).name === name
  );
  return place === undefined ? why : describe(place, why);
}

/** Makes `path` the current directory; returns its whole path. */
export function changeDirectory(path: string): string {
  Deno.chdir(path);
  return Deno.cwd();
}

/**
 * The RESPITE_… variables, among others. All of the environment must be readable to find those that name no directive.
 * Therefore the permission is given back at once: nothing in this process can read a variable afterwards.
 */
function takeEnvironment(parameters: Parameters): Record<string, string> {
  try {
    return Deno.env.toObject();
  } catch {
    return namedVariables(parameters);
  } finally {
    Deno.permissions.revokeSync({ name: "env" });
  }
}

/** With --allow-env=RESPITE_*, variables can be read by their names only. */
function namedVariables(parameters: Parameters): Record<string, string> {
  const found: Record<string, string> = {};
  try {
    for (const name of parameters.names().map(environmentName)) {
      const value = Deno.env.get(name);
      if (value !== undefined) found[name] = value;
    }
  } catch {
    // None of them may be read.
  }
  return found;
}

/** A pipe, as the shell makes it of <(command), has no path that leads to it. */
function realPath(path: string): string {
  try {
    return path === "" ? "" : Deno.realPathSync(path);
  } catch {
    return path;
  }
}

function absolute(path: string): string {
  const isAbsolute = /^([/\\]|[a-z]:)/i.test(path);
  return isAbsolute ? path : `${Deno.cwd()}/${path.replace(/^\.\//, "")}`;
}

/** Reads the file that the first word of the command line names. */
function readMain(
  path: string,
  word: string,
  parameters: Parameters,
  subcommands: readonly string[],
): string {
  try {
    return readBinary(path);
  } catch (error) {
    if (!(error instanceof NoSuchFile)) throw error;
    throw new Error(`${error.message}\n${hintFor(word, parameters, subcommands)}`);
  }
}

class NoSuchFile extends Error {}

/** What else the first word may have been meant to be. */
function hintFor(word: string, parameters: Parameters, subcommands: readonly string[]): string {
  const neither = `'${word}' is neither a file nor a subcommand`;
  const subcommand = nearest(word, subcommands);
  if (subcommand !== null) return `${neither}: did you mean ${subcommand}?`;
  // "port", "port=7000", "/port:7000"
  const directive = nearest(word.replace(/^\//, "").split(/[:=]/)[0], parameters.names());
  if (directive !== null) return `${neither}: did you mean --${directive}?`;
  return `${neither}: --help shows what there is`;
}

/** Configuration is text of bytes (Latin-1): what isn't UTF-8 survives, too. */
export function readBinary(path: string): string {
  try {
    const bytes = Deno.readFileSync(path);
    return binaryText(bytes, 0, bytes.length);
  } catch (error) {
    const Kind = error instanceof Deno.errors.NotFound ? NoSuchFile : Error;
    throw new Kind(`Fatal error, can't open config file '${path}': ${systemText(error)}`);
  }
}

/** An included path may be a pattern, as in Redis: all files that match are read, sorted by name; there may be none. */
function readIncluded(path: string): string | ConfText[] {
  if (!WILDCARD.test(path)) return readBinary(unicodeOf(path));
  return matchingPaths(path).map((name) => ({ name, text: readBinary(unicodeOf(name)) }));
}

/** What may stand for other characters in a path. */
const WILDCARD = /[*?[]/;

/** The paths that exist and match `pattern`, of which no `*` or `?` stands for a slash. */
function matchingPaths(pattern: string): string[] {
  let found = [""];
  for (const part of pattern.split("/")) {
    found = found.flatMap((before) =>
      WILDCARD.test(part)
        ? matchingNames(before === "" ? "." : before, part).map((name) => `${before}${name}/`)
        : [`${before}${part}/`]
    );
  }
  return found.map((path) => path.slice(0, -1)).filter((path) => exists(unicodeOf(path)))
    .toSorted();
}

/** Names in a directory that match `pattern`. Those that begin with a dot are hidden from patterns that don't. */
function matchingNames(directory: string, pattern: string): string[] {
  const bytes = binaryBytes(pattern);
  try {
    return Array.from(Deno.readDirSync(unicodeOf(directory)), ({ name }) => binaryOf(name)).filter(
      (name) => {
        if (name.startsWith(".") && !pattern.startsWith(".")) return false;
        return globMatches(bytes, 0, bytes.length, binaryBytes(name), 0, name.length, false);
      },
    );
  } catch {
    // It is no directory, or may not be read: nothing in it matches.
    return [];
  }
}

function readStandardInput(): string {
  const parts: number[] = [];
  const buffer = new Uint8Array(4096);
  for (;;) {
    const count = Deno.stdin.readSync(buffer);
    if (count === null) return binaryText(Uint8Array.from(parts), 0, parts.length);
    for (let i = 0; i < count; i++) parts.push(buffer[i]);
  }
}
