/**
 * Runs all tests and closes with one line, `N passed, N failed`.
 *
 * Usage: deno task test [name of a file or folder …]
 */
import { CHECKED_FOLDERS, print, run } from "./run.ts";

// Tests start the server, and redis-server and redis-cli where they are installed.
const PERMISSIONS = [
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-run",
  "--allow-sys",
];
/** How deno test sums up: "ok | 12 passed (3 steps) | 0 failed | 2 ignored (1s)". */
const SUMMARY_REGEXP =
  /^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed(?:.*? \| (\d+) ignored)?/gm;

const paths = Deno.args.length > 0 ? Deno.args : CHECKED_FOLDERS;
const { code, output } = await run(["test", "--doc", "--parallel", ...PERMISSIONS, ...paths]);
// The last one: a test may print what looks like a summary. None: the files did not compile.
const [, passed = "0", failures = "0", ignored = "0"] =
  [...output.matchAll(SUMMARY_REGEXP)].at(-1) ?? [];
const failed = Math.max(Number(failures), code === 0 ? 0 : 1);
print(`${passed} passed, ${failed} failed${ignored === "0" ? "" : `, ${ignored} skipped`}`);
Deno.exit(failed === 0 ? 0 : 1);
