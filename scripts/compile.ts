/**
 * Builds the executable with the least permissions: net, the size of the machine's memory, and files and the environment,
 * most of which the server gives up as soon as it has read its configuration (src/app/sandbox.ts).
 *
 * Usage: deno task compile            dist/respite for this machine
 *        deno task release            dist/respite-<target> for every supported target
 *
 * It contains Lua, which `deno run` fetches from npm when the first script comes.
 *
 * `deno compile` fetches its base from dl.deno.land, once a target. DENORT_BIN names a local one, of the same
 * version as deno; that is a base for this machine only, so a release doesn't take it.
 */
import { compileOptions, print, run } from "./run.ts";

const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];

const isRelease = Deno.args.includes("--all");
if (isRelease && Deno.env.get("DENORT_BIN") !== undefined) {
  fail("A release is built on a base for each target: unset DENORT_BIN");
}
Deno.mkdirSync("dist", { recursive: true });
for (const target of isRelease ? TARGETS : [null]) await build(target);

async function build(target: string | null): Promise<void> {
  const output = target === null ? "dist/respite" : `dist/respite-${target}`;
  const chosen = target === null ? [] : ["--target", target];
  const { code, errors } = await run(["compile", ...compileOptions(output), ...chosen, "main.ts"]);
  if (code === 0) return;
  if (!errors.includes("base binary")) fail(`Could not build ${output}`);
  fail(
    `Could not build ${output}: its base executable could not be fetched from dl.deno.land.` +
      (isRelease ? "" : " DENORT_BIN may name a local one."),
  );
}

function fail(message: string): never {
  print(message);
  Deno.exit(1);
}
