/**
 * Builds the executable with the least permissions: net, read, write, the variables RESPITE_…
 * and the size of the machine's memory.
 *
 * Usage: deno task compile            dist/respite for this machine
 *        deno task release            dist/respite-<target> for every supported target
 *
 * `deno compile` fetches its base from the network, once a target; DENORT_BIN names a local one.
 */
import { run } from "./run.ts";

const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];
const PERMISSIONS = [
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env=RESPITE_*",
  "--allow-sys=systemMemoryInfo",
];

const targets = Deno.args.includes("--all") ? TARGETS : [null];
Deno.mkdirSync("dist", { recursive: true });
for (const target of targets) {
  const output = target === null ? "dist/respite" : `dist/respite-${target}`;
  const chosen = target === null ? [] : ["--target", target];
  const { code } = await run(["compile", ...PERMISSIONS, ...chosen, "--output", output, "main.ts"]);
  if (code === 0) continue;
  Deno.stderr.writeSync(new TextEncoder().encode(
    `Could not build ${output}. deno compile needs its base executable: it is downloaded from\n` +
      "dl.deno.land, or taken from DENORT_BIN.\n",
  ));
  Deno.exit(code);
}
