/**
 * Builds the executable with the least permissions: net, read, write, the environment (which
 * the server gives back as soon as it has read it) and the size of the machine's memory.
 *
 * Usage: deno task compile            dist/respite for this machine
 *        deno task release            dist/respite-<target> for every supported target
 *
 * It contains Lua, which `deno run` fetches from npm when the first script comes.
 *
 * `deno compile` fetches its base from dl.deno.land, once a target. DENORT_BIN names a local one, of the same
 * version as deno; that is a base for this machine only, so a release doesn't take it.
 */
import { LUA_PACKAGE } from "../src/scripting/lua_code.ts";
import { print, run, SERVER_PERMISSIONS, serverV8Flags } from "./run.ts";

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
  const options = [
    "--no-prompt",
    serverV8Flags(),
    ...SERVER_PERMISSIONS,
    ...chosen,
    // Scripts load it when they need it, by a name that the compiler does not see.
    "--include",
    LUA_PACKAGE,
    "--output",
    output,
  ];
  const words = ["compile", ...options, "main.ts"];
  const { code, errors } = await run(words);
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
