/**
 * Runs the microbenchmarks of bench/*_bench.ts; with --smoke each has tiny input, which only shows that it
 * still works.
 *
 * Usage: deno task bench [--smoke]
 */
import { run } from "./run.ts";

const files = [...Deno.readDirSync("bench")].map((entry) => `bench/${entry.name}`)
  .filter((path) => path.endsWith("_bench.ts")).sort();
const isSmoke = Deno.args.includes("--smoke");
const { code } = await run(
  ["bench", "--allow-read", ...files, ...(isSmoke ? ["--", "--smoke"] : [])],
);
Deno.exit(code);
