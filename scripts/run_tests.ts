/**
 * Runs all tests and closes with one line, `N passed, N failed`.
 *
 * Usage: deno task test [name of a file or folder …]
 */
import { CHECKED_FOLDERS, run } from "./run.ts";

const UNSKIPPABLE = ["--allow-net", "--allow-read", "--allow-write", "--allow-env"];
const paths = Deno.args.length > 0 ? Deno.args : [...CHECKED_FOLDERS];
// --allow-run: tests start the server, and redis-server and redis-cli where they are installed.
const args = [
  "test",
  "--doc",
  "--parallel",
  ...UNSKIPPABLE,
  "--allow-run",
  "--allow-sys",
  ...paths,
];
const { code, output } = await run(args);
// deno test sums up as "ok | 12 passed (3 steps) | 0 failed | 2 ignored (1s)".
const summaries = [
  ...output.matchAll(/\| (\d+) passed.*?\| (\d+) failed(?:.*?\| (\d+) ignored)?/g),
];
const sum = (group: number): number =>
  summaries.reduce((total, match) => total + Number(match[group] ?? 0), 0);
const failed = Math.max(sum(2), code === 0 ? 0 : 1);
const skipped = sum(3) > 0 ? `, ${sum(3)} skipped` : "";
Deno.stdout.writeSync(
  new TextEncoder().encode(`${sum(1)} passed, ${failed} failed${skipped}\n`),
);
Deno.exit(failed === 0 ? 0 : 1);
