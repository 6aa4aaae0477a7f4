import { assertEquals } from "@std/assert";
import { climbingImports } from "./check_layers.ts";

function check(path: string, text: string): string[] {
  return climbingImports(new Map([[path, text]]));
}

Deno.test("a room may import lower rooms and itself", () => {
  assertEquals(check("src/engine/a.ts", 'import { b } from "../lib/b.ts";'), []);
  assertEquals(check("src/engine/a.ts", 'import { b } from "./b.ts";'), []);
  assertEquals(check("src/engine/a.ts", 'import process from "node:process";'), []);
});

Deno.test("a room imports neither a higher room nor one of its own floor", () => {
  const climbs = ["src/lib/a.ts: lib must not import app"];
  assertEquals(check("src/lib/a.ts", 'import type { b } from "../app/b.ts";'), climbs);
  assertEquals(check("src/lib/a.ts", 'export {\n  b,\n} from "../app/b.ts";'), climbs);
  assertEquals(check("src/lib/a.ts", 'const b = await import("../app/b.ts");'), climbs);
  assertEquals(check("src/protocol/a.ts", 'import { b } from "../config/b.ts";'), [
    "src/protocol/a.ts: protocol must not import config",
  ]);
  assertEquals(check("src/lib/a.ts", 'import { b } from "../../tests/b.ts";'), [
    "src/lib/a.ts: lib must not import tests/b.ts",
  ]);
});

Deno.test("tests import what they like, and a room without a floor is refused", () => {
  assertEquals(check("src/lib/a_test.ts", 'import { b } from "../app/b.ts";'), []);
  assertEquals(check("src/attic/a.ts", ""), [
    "src/attic/a.ts: attic has no floor in scripts/check_layers.ts",
  ]);
});
