/**
 * A ratchet: files end before 800 lines, every exported value is used by another file, every module is imported,
 * and no TODO lacks the number of an issue. The limits only tighten.
 *
 * Usage: deno task tidy
 */
const LINES_MAX = 800;
/** What is run or imported from outside. */
const ENTRY_POINTS = /^(main\.ts|scripts\/|bench\/|tests\/.*_test\.ts$)|_test\.ts$/;
const EXPORT_REGEXP = /^export (?:abstract |async )?(?:function\*?|class|const|let) (\w+)/gm;
const FOLDERS = ["src", "tests", "scripts", "bench"];

const texts = new Map<string, string>();
for (const folder of FOLDERS) for (const path of sources(folder)) texts.set(path, read(path));
texts.set("main.ts", read("main.ts"));

const problems: string[] = [];
for (const [path, text] of texts) {
  const lines = text.split("\n").length;
  if (lines > LINES_MAX) problems.push(`${path}: ${lines} lines; the limit is ${LINES_MAX}`);
  if (/\b(?:TODO|FIXME)\b(?!\(#\d+\))/.test(text) && !path.endsWith("check_tidy.ts")) {
    problems.push(`${path}: a TODO without the number of its issue: TODO(#12)`);
  }
  if (!ENTRY_POINTS.test(path) && !isImported(path)) problems.push(`${path}: nobody imports it`);
  for (const [, name] of text.matchAll(EXPORT_REGEXP)) {
    if (!ENTRY_POINTS.test(path) && !isUsed(name, path)) {
      problems.push(`${path}: nobody uses the export ${name}`);
    }
  }
}
for (const line of [...problems, `${problems.length} things to tidy`]) {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
Deno.exit(problems.length === 0 ? 0 : 1);

function isImported(path: string): boolean {
  const name = path.split("/").at(-1);
  return [...texts].some(([other, text]) => other !== path && text.includes(`/${name}"`));
}

function isUsed(name: string, path: string): boolean {
  const word = new RegExp(`\\b${name}\\b`);
  return [...texts].some(([other, text]) => other !== path && word.test(text));
}

function read(path: string): string {
  return Deno.readTextFileSync(path);
}

function* sources(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* sources(path);
    else if (path.endsWith(".ts")) yield path;
  }
}
