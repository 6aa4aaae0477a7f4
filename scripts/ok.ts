/**
 * The one gate: formatting, lint, types, layers, tidiness, the generated list of commands, the benchmarks with
 * tiny input, and the tests. Stops at the first that fails.
 *
 * Usage: deno task ok
 */
import { CHECKED_FOLDERS, LOCK, print, run } from "./run.ts";

const STEPS: readonly (readonly [name: string, ...args: string[]])[] = [
  ["format", "fmt", "--check"],
  ["lint", "lint"],
  ["types", "check", "--quiet", LOCK, "main.ts", "mod.ts", ...CHECKED_FOLDERS],
  ["layers", "run", "--allow-read", "scripts/check_layers.ts"],
  ["tidy", "run", "--allow-read", "scripts/check_tidy.ts"],
  ["list of commands", "run", "--allow-read", "scripts/gen_commands_md.ts", "--check"],
  ["documentation", "doc", "--lint", "mod.ts"],
  ["benchmarks", "run", "--allow-read", "--allow-run", "scripts/bench.ts", "--smoke"],
  ["tests", "run", "--allow-read", "--allow-run", "scripts/run_tests.ts"],
];

for (const [name, ...args] of STEPS) {
  print(`== ${name}`);
  const { code } = await run(args);
  if (code === 0) continue;
  print(`== ${name}: failed`);
  Deno.exit(1);
}
print("== all is well");
