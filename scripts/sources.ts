/** Our TypeScript as text: what the checks of layers and tidiness read. */

/** A file's imports of one other file. */
export interface Import {
  /** The imported file, from the root of the repository: "src/lib/assert.ts". */
  readonly target: string;
  /** The names taken from it; null if they are unknown: `* as`, `import()`, a worker's URL. */
  readonly names: readonly string[] | null;
}

const STATEMENT_REGEXP = /^(?:import|export)\s+(?:type\s+)?([^;"']*?)\s*from\s+"(\.[^"]+)"/gm;
const OTHER_REGEXP = /(?:^import\s+|\bimport\(\s*|\bnew URL\(\s*)"(\.[^"]+)"/gm;

/** The text of each .ts file below the folders, by path. */
export function readSources(folders: readonly string[]): Map<string, string> {
  return new Map(
    folders.flatMap((folder) => [...paths(folder)])
      .map((path) => [path, Deno.readTextFileSync(path)]),
  );
}

/**
 * What `text`, the content of `path`, takes from other files of ours.
 *
 * ```ts
 * import { importsOf } from "./sources.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(importsOf("src/app/a.ts", 'import { b, type C as D } from "../lib/b.ts";'), [
 *   { target: "src/lib/b.ts", names: ["b", "C"] },
 * ]);
 * ```
 */
export function importsOf(path: string, text: string): Import[] {
  const resolve = (specifier: string): string =>
    new URL(specifier, `file:///${path}`).pathname.slice(1);
  return [
    ...text.matchAll(STATEMENT_REGEXP).map(([, clause, specifier]) => ({
      target: resolve(specifier),
      names: namesIn(clause),
    })),
    ...text.matchAll(OTHER_REGEXP).map(([, specifier]) => ({
      target: resolve(specifier),
      names: null,
    })),
  ];
}

/** The names in `x`, `{ a, type B as C }` or both; null for `* as x`. */
function namesIn(clause: string): string[] | null {
  if (clause.includes("*")) return null;
  const inBraces = /\{([^}]*)\}/.exec(clause)?.[1] ?? "";
  const names = inBraces.split(",").map((part) => part.trim()).filter((part) => part !== "")
    .map((part) => part.replace(/^type\s+/, "").split(/\s+as\s+/)[0]);
  return /^\w/.test(clause) ? ["default", ...names] : names;
}

function* paths(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* paths(path);
    else if (path.endsWith(".ts")) yield path;
  }
}
