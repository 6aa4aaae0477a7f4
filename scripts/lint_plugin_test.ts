import { assertEquals } from "@std/assert";
import plugin from "./lint_plugin.ts";

const LONG_BODY = `{\n${"f();\n".repeat(69)}}`;
const SHORT_BODY = `{\n${"f();\n".repeat(68)}}`;

/** The rules that a source breaks, as often as it breaks them. */
function broken(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, path, source).map(({ id }) => id.replace("house/", ""));
}

Deno.test("assert-literal refuses a template as the message of an assertion", () => {
  const path = "/x/src/lib/a.ts";
  assertEquals(broken(path, "assert(n < 3, `n is ${n}`);"), ["assert-literal"]);
  assertEquals(broken(path, 'assert(n < 3, "n is small");'), []);
  assertEquals(broken(path, "assert(n < 3);"), []);
  assertEquals(broken("/x/src/lib/a_test.ts", "assert(n < 3, `n is ${n}`);"), []);
});

Deno.test("short-function lets a function have 70 lines, whatever its form", () => {
  const forms = [
    (body: string) => `function f() ${body}`,
    (body: string) => `class A { f() ${body} }`,
    (body: string) => `const f = () => ${body};`,
    (body: string) => `const f = function () ${body};`,
    (body: string) => `const a = { f() ${body} };`,
  ];
  for (const form of forms) {
    assertEquals(broken("/x/src/lib/a.ts", form(SHORT_BODY)), []);
    assertEquals(broken("/x/src/lib/a.ts", form(LONG_BODY)), ["short-function"], form("{ … }"));
  }
});

Deno.test("no-throw-in-commands refuses new errors in src/commands alone", () => {
  const source = 'throw new Error("a"); throw new RangeError("b");';
  const rule = "no-throw-in-commands";
  assertEquals(broken("/x/src/commands/string.ts", source), [rule, rule]);
  assertEquals(broken("/x/src/commands/string.ts", "new Map();"), []);
  assertEquals(broken("/x/src/commands/string_test.ts", source), []);
  assertEquals(broken("/x/src/app/server.ts", source), []);
});

Deno.test("no-subarray-when-hot refuses copies and views in files marked hot", () => {
  const source = "a.subarray(1); a.b.slice(1, 2); a?.slice();";
  const rule = "no-subarray-when-hot";
  assertEquals(broken("/x/src/lib/a.ts", `// hot path\n${source}`), [rule, rule, rule]);
  assertEquals(broken("/x/src/lib/a.ts", "// hot path\nslice(a); a.sliced(1); a.slice;"), []);
  assertEquals(broken("/x/src/lib/a.ts", source), []);
});

Deno.test("no-deno-below-engine keeps the runtime out of the lower rooms", () => {
  const source = "Deno.now();";
  for (const room of ["lib", "structures", "protocol", "config", "observe", "keyspace"]) {
    assertEquals(broken(`/x/src/${room}/a.ts`, source), ["no-deno-below-engine"]);
    assertEquals(broken(`/x/src/${room}/a_test.ts`, source), []);
  }
  assertEquals(broken("/x/src/app/server.ts", source), []);
  assertEquals(broken("/x/src/lib/alloc.ts", source), []);
});

Deno.test("no-shared-state lets a module keep constants, and marked scratch", () => {
  const path = "/x/src/lib/a.ts";
  const mark = "// scratch: lives for one call\n";
  const shared = [
    "let count = 0;",
    "export let count = 0;",
    "const cache = new Map<string, number>();",
    "export const pool = new Uint8Array(9);",
    "const found: number[] = [];",
    "const byName: Record<string, number> = {};",
    "const filled = new Array(9).fill(0);",
    "const cursor = scratch(new Cursor());",
    "class A { static count = 0; }",
    "class A { static readonly all = new Set(); }",
  ];
  for (const source of shared) {
    assertEquals(broken(path, source), ["no-shared-state"], source);
    assertEquals(broken("/x/src/lib/a_test.ts", source), []);
    assertEquals(broken("/x/scripts/a.ts", source), []);
    if (!source.startsWith("class")) assertEquals(broken(path, mark + source), [], source);
  }
  // The mark is for what stands below it, and for nothing more.
  assertEquals(broken(path, `${mark}let one = 0;\nlet two = 0;`), ["no-shared-state"]);
  const constants = [
    "const TABLE = new Uint32Array(256);",
    "const encoder = new TextEncoder();",
    'const names = ["a", "b"];',
    "const size = 5;",
    "function f() { let count = 0; const seen = new Set(); return [count, seen]; }",
    "class A { readonly all = new Set(); static make() { return new A(); } }",
  ];
  for (const source of constants) assertEquals(broken(path, source), [], source);
});
