import { assertEquals } from "@std/assert";
import { PARAMETER_ROWS } from "./parameter_rows.ts";
import type { ParameterSpec } from "./parameter_kinds.ts";

const rows = PARAMETER_ROWS as readonly unknown[] as readonly ParameterSpec[];

Deno.test("the table is sorted and names nothing twice", () => {
  const names = rows.map((row) => row.name);
  assertEquals(names, names.toSorted());
  const all = rows.flatMap(({ name, traits }) =>
    traits.alias === undefined ? name : [name, traits.alias]
  );
  assertEquals(all.length, new Set(all).size);
});

/** All source of the server but this room, tests left out. */
function sourceBelow(folder: URL): string {
  let text = "";
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) text += name === "config" ? "" : sourceBelow(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts") && !name.endsWith("_test.ts")) {
      text += Deno.readTextFileSync(new URL(name, folder));
    }
  }
  return text;
}

Deno.test("exactly the parameters that nothing reads are marked inert", () => {
  const source = sourceBelow(new URL("../", import.meta.url));
  // A parameter is read as `values.port`, for encodings `limits.setMaxIntsetEntries`, or in a pattern: `const { maxmemory, maxmemoryPolicy } = ….values`.
  const read = new Set(
    [...source.matchAll(/\b(?:values|limits)\.(\w+)/g)].map((match) => match[1]),
  );
  for (const [, fields] of source.matchAll(/\{([^{}]*)\} = [\w.#]*\b(?:values|limits);/g)) {
    for (const field of fields.split(",")) read.add(field.trim().split(":")[0]);
  }
  const camel = (name: string): string =>
    name.replaceAll(/[-_](.)/g, (_, c: string) => c.toUpperCase());
  const wrong = rows.filter(({ name, traits }) =>
    read.has(camel(name)) === (traits.inert === true)
  );
  assertEquals(
    wrong.map(({ name, traits }) =>
      `${name}: ${traits.inert ? "take inert away" : "mark it inert"}`
    ),
    [],
  );
});
