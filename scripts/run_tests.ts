/**
 * Runs all tests and closes with one line, `N passed, N failed`. With --quick it leaves out what takes long: random
 * commands, crashes, models that run for seconds.
 *
 * Usage: deno task test [name of a file or folder …]
 *        deno task test:quick [name of a file or folder …]
 */
import { CHECKED_FOLDERS, LOCK, print, run, serverV8Flags } from "./run.ts";

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

/** The files that --quick leaves out: each takes three seconds or more. A new file of this kind belongs here. */
const LONG = [
  "bench/bullmq_test.ts",
  "src/config/conf_file_test.ts",
  "src/structures/arena_test.ts",
  "tests/behaviour/large_requests_test.ts",
  "tests/behaviour/long_packs_test.ts",
  "tests/behaviour/memory_failures_test.ts",
  "tests/behaviour/pipelines_test.ts",
  "tests/behaviour/scan_guarantee_test.ts",
  "tests/behaviour/two_servers_test.ts",
  "tests/clients/bullmq_test.ts",
  "tests/differential/payloads_test.ts",
  "tests/differential/random_test.ts",
  "tests/durability/crash_test.ts",
  "tests/durability/files_test.ts",
  "tests/durability/full_disk_jobs_test.ts",
  "tests/durability/jobs_test.ts",
  "tests/durability/long_strings_test.ts",
  "tests/durability/snapshots_test.ts",
  "tests/fuzz/fuzz_test.ts",
  "tests/soak/soak_test.ts",
];

/** The tests in a folder, or the file itself. */
function testsIn(path: string): string[] {
  if (path.endsWith(".ts")) return [path];
  return [...Deno.readDirSync(path)].flatMap(({ name, isDirectory }) =>
    isDirectory || name.endsWith("_test.ts") ? testsIn(`${path}/${name}`) : []
  );
}

const isQuick = Deno.args.includes("--quick");
const named = Deno.args.filter((argument) => argument !== "--quick");
const folders = named.length > 0 ? named : CHECKED_FOLDERS;
// Files, one by one: of several folders, deno test --ignore leaves out nothing.
const paths = isQuick
  ? folders.flatMap(testsIn).filter((path) => !LONG.includes(path))
  : ["--doc", ...folders];
// With V8's flags of the server: whether code allocates depends on what V8 inlines.
const flags = [LOCK, "--parallel", serverV8Flags(), ...PERMISSIONS];
const { code, output } = await run(["test", ...flags, ...paths]);
// The last summary counts, since a test may print one as well. If there is none, the files did not compile.
const [, passed = "0", failures = "0", ignored = "0"] =
  [...output.matchAll(SUMMARY_REGEXP)].at(-1) ?? [];
const failed = Math.max(Number(failures), code === 0 ? 0 : 1);
print(`${passed} passed, ${failed} failed${ignored === "0" ? "" : `, ${ignored} skipped`}`);
Deno.exit(failed === 0 ? 0 : 1);
