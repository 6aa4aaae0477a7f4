/**
 * A ratchet: files end before 800 lines, every exported value is imported by another file, every module is
 * imported, and no loose end lacks the number of its issue. The limits only tighten.
 *
 * Usage: deno task tidy
 */
import { CHECKED_FOLDERS, print } from "./run.ts";
import { importsOf, readSources } from "./sources.ts";

const LINES_MAX = 800;
/** Files that are run, or imported from outside. */
const ENTRY_POINT_REGEXP =
  /^(main|mod)\.ts$|^scripts\/(?!run\.|sources\.|peers\.)|^bench\/(.*_bench|growth|bare_loop|fan_out|hit_rates|large_requests|memory_returns|tracking|used_memory)\.ts$|^tests\/support\/intruder\.ts$|_test\.ts$/;
/**
 * The least number of assertions a function, by the beginning of the files' paths: code that moves bytes states what it
 * expects. A number here only rises.
 */
const ASSERTED: Readonly<Record<string, number>> = {
  "src/persistence/": 1.1,
  "src/structures/": 1,
};
/** Functions, and methods as they are indented in a class. */
const FUNCTION_REGEXP =
  /^(?:export )?(?:async )?function\*? |^ {2}(?!(?:if|for|while|switch|return|assert|catch) ?\()(?:(?:static|override|protected|async|get|set|\*) ?)*#?\w+(?:<.*>)?\((?:.*\{|)$/gm;
const ASSERTION_REGEXP = /\b(?:assert|unreachable)\(/g;
const EXPORT_REGEXP = /^export (?:abstract |async )?(?:function\*?|class|const|let|enum) (\w+)/gm;
const LOOSE_END_REGEXP = new RegExp(String.raw`\b(?:${"TO" + "DO"}|${"FIX" + "ME"})\b(?!\(#\d+\))`);

/** What is untidy in the files, a line each. */
export function untidiness(texts: ReadonlyMap<string, string>): string[] {
  const used = usedNames(texts);
  const problems: string[] = [];
  for (const [path, text] of texts) {
    const lines = text.trimEnd().split("\n").length;
    if (lines > LINES_MAX) problems.push(`${path}: ${lines} lines; the limit is ${LINES_MAX}`);
    if (LOOSE_END_REGEXP.test(text)) problems.push(`${path}: a loose end without its issue, (#12)`);
    if (ENTRY_POINT_REGEXP.test(path)) continue;
    const names = used.get(path);
    if (names === undefined) problems.push(`${path}: nobody imports it`);
    else if (!names.has("*")) problems.push(...unusedExports(path, text, names));
  }
  return [...problems, ...unasserted(texts)];
}

/** The rooms with fewer assertions than they had. */
function unasserted(texts: ReadonlyMap<string, string>): string[] {
  const problems: string[] = [];
  for (const [room, least] of Object.entries(ASSERTED)) {
    let functions = 0;
    let assertions = 0;
    for (const [path, text] of texts) {
      if (!path.startsWith(room) || path.endsWith("_test.ts")) continue;
      functions += text.match(FUNCTION_REGEXP)?.length ?? 0;
      assertions += text.match(ASSERTION_REGEXP)?.length ?? 0;
    }
    if (assertions >= least * functions) continue;
    const ratio = (assertions / functions).toFixed(2);
    problems.push(`${room}: ${ratio} assertions a function; the least is ${least}`);
  }
  return problems;
}

/** By file, the names that others import from it; "*" is all of them. */
function usedNames(texts: ReadonlyMap<string, string>): Map<string, Set<string>> {
  const used = new Map<string, Set<string>>();
  for (const [path, text] of texts) {
    for (const { target, names } of importsOf(path, text)) {
      const all = used.get(target) ?? new Set();
      for (const name of names ?? ["*"]) all.add(name);
      used.set(target, all);
    }
  }
  return used;
}

function unusedExports(path: string, text: string, names: ReadonlySet<string>): string[] {
  return [...text.matchAll(EXPORT_REGEXP)].filter(([, name]) => !names.has(name))
    .map(([, name]) => `${path}: nobody imports ${name}`);
}

if (import.meta.main) {
  const texts = readSources(CHECKED_FOLDERS);
  for (const path of ["main.ts", "mod.ts"]) texts.set(path, Deno.readTextFileSync(path));
  const problems = untidiness(texts);
  for (const line of [...problems, `${problems.length} things to tidy`]) print(line);
  Deno.exit(problems.length === 0 ? 0 : 1);
}
