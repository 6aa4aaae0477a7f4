/**
 * The one gate: formatting, lint, types, layers, tidiness, tests, and the benchmarks with tiny input.
 * Stops at the first that fails.
 *
 * Usage: deno task ok
 */
import { CHECKED_FOLDERS, run } from "./run.ts";

const STEPS: readonly (readonly [name: string, ...args: string[]])[] = [
  ["format", "fmt", "--check"],
  ["lint", "lint"],
  ["types", "check", "main.ts", ...CHECKED_FOLDERS],
  ["layers", "run", "--allow-read", "scripts/check_layers.ts"],
  ["tidy", "run", "--allow-read", "scripts/check_tidy.ts"],
  ["benchmarks", "run", "--allow-read", "--allow-run", "scripts/bench.ts", "--smoke"],
  ["tests", "run", "--allow-read", "--allow-run", "scripts/run_tests.ts"],
];

for (const [name, ...args] of STEPS) {
  print(`== ${name}`);
  const { code } = await run(args);
  if (code === 0) continue;
  print(`== ${name} failed`);
  Deno.exit(1);
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
