/**
 * Attacks the server with random harmful input, until it is stopped or has run for long enough. What it finds it prints, with the
 * fewest steps that lead there; an episode is run again by naming its kind and seed, with --inputs 1.
 *
 * Usage: deno task fuzz [--seed 1] [--seconds 60] [--inputs 1000000] [--slow 100]
 *                       [--kinds commands,streams,payloads,scripts,rdb,aof,sockets,starts]
 *
 * `--slow`: an input that takes more milliseconds, three times in a row, is a finding.
 */
import { parseArgs } from "@std/cli/parse-args";
import { Fuzzer, kindsOf } from "../tests/fuzz/fuzzer.ts";
import { print } from "./run.ts";

const PROGRESS_MS = 10_000;

const options = parseArgs(Deno.args, { string: ["seed", "seconds", "inputs", "kinds", "slow"] });
const begin = performance.now();
let shown = begin;
let known = 0;
const fuzzer = new Fuzzer({
  kinds: kindsOf(options.kinds),
  seed: Number(options.seed ?? Date.now() % 1_000_000_000),
  inputs: Number(options.inputs ?? Infinity),
  seconds: Number(options.seconds ?? (options.inputs === undefined ? 60 : Infinity)),
  slowMs: Number(options.slow ?? 100),
  onProgress: ({ findings }) => {
    for (const { story } of [...findings.values()].slice(known)) print(`\n${story}\n`);
    known = findings.size;
    if (performance.now() - shown < PROGRESS_MS) return;
    shown = performance.now();
    progress();
  },
});

function progress(): void {
  const seconds = (performance.now() - begin) / 1000;
  const kinds = [...fuzzer.byKind].map(([kind, count]) => `${count} ${kind}`).join(", ");
  const { rss } = Deno.memoryUsage();
  print(
    `${fuzzer.inputs} inputs (${kinds}) in ${fuzzer.episodes} episodes and ${
      seconds.toFixed(0)
    } s, ` +
      `${fuzzer.findings.size} findings, ${(rss / 2 ** 20).toFixed(0)} MB`,
  );
}

await fuzzer.run();
progress();
for (const [cause, { count }] of fuzzer.findings) print(`${count} × ${cause}`);
Deno.exit(fuzzer.findings.size === 0 ? 0 : 1);
