import { assertEquals } from "@std/assert";
import { untidiness } from "./check_tidy.ts";

const MAIN = 'import { a } from "./src/lib/a.ts";';

function check(files: Record<string, string>): string[] {
  return untidiness(new Map(Object.entries({ "main.ts": MAIN, ...files })));
}

Deno.test("an export must be imported from its own file, whatever others are called", () => {
  assertEquals(check({ "src/lib/a.ts": "export const a = 1;" }), []);
  assertEquals(check({ "src/lib/a.ts": "export const a = 1;\nexport function b() {}" }), [
    "src/lib/a.ts: nobody imports b",
  ]);
  const twin = "src/app/a.ts: nobody imports it";
  assertEquals(check({ "src/lib/a.ts": "", "src/app/a.ts": "export class a {}" }), [twin]);
});

Deno.test("an import of everything uses every export", () => {
  const files = { "src/lib/a.ts": "export const a = 1;\nexport const b = 2;" };
  assertEquals(check({ ...files, "mod.ts": 'export * from "./src/lib/a.ts";' }), []);
  assertEquals(check({ ...files, "mod.ts": 'import * as all from "./src/lib/a.ts";' }), []);
});

Deno.test("a file has 800 lines at most", () => {
  const lines = (count: number): Record<string, string> => ({
    "src/lib/a.ts": "f();\n".repeat(count),
  });
  assertEquals(check(lines(800)), []);
  assertEquals(check(lines(801)), ["src/lib/a.ts: 801 lines; the limit is 800"]);
});

Deno.test("a loose end names its issue", () => {
  const end = (text: string): string[] => check({ "src/lib/a.ts": `// ${text}` });
  assertEquals(end("TO" + "DO(#12): later"), []);
  assertEquals(end("TO" + "DO: later"), ["src/lib/a.ts: a loose end without its issue, (#12)"]);
});

Deno.test("what moves bytes has an assertion a function, and its tests don't count", () => {
  const structure = (body: string): string[] =>
    check({
      "src/lib/a.ts": 'import { s } from "../structures/s.ts";\nexport const a = s;',
      "src/structures/s.ts": `export const s = 1;\n${body}\n`,
      "src/structures/s_test.ts": "function f() {}\nfunction g() {}",
    });
  const method = "class S {\n  m(): void {\n    return;\n  }\n}";
  assertEquals(structure(method), [
    "src/structures/: 0.00 assertions a function; the least is 1",
  ]);
  assertEquals(structure(method.replace("return", 'assert(true, "")')), []);
});
