/**
 * Runs the server under a mixed load of all types, with keys that expire and are evicted, scripts, messages, transactions and
 * saves. Memory and descriptors must not grow after the first minutes, p99.9 must not double, and the data must be those of
 * a redis-server that got the same commands.
 *
 * Usage: deno task soak [--minutes 20] [--seed 1]
 */
import { parseArgs } from "@std/cli/parse-args";
import { Soak } from "../tests/soak/soak.ts";
import { print } from "./run.ts";

const SHOWN_EVERY_SECONDS = 10;

const options = parseArgs(Deno.args, { string: ["minutes", "seed"] });
const seconds = 60 * Number(options.minutes ?? 20);
const mb = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MB`;

let nextShown = SHOWN_EVERY_SECONDS;
const soak = new Soak({
  ...{ seconds, seed: Number(options.seed ?? 1), judges: true },
  onSample: ({ second, residentBytes, usedBytes, descriptors, keys, evicted }) => {
    if (second < nextShown) return;
    nextShown += SHOWN_EVERY_SECONDS;
    print(
      `${second} s: ${mb(residentBytes)} resident, ${mb(usedBytes)} used, ${keys} keys, ` +
        `${evicted} evicted, ${descriptors} descriptors`,
    );
  },
});
await soak.run();
const { start, end } = soak.figures();
print(
  `${soak.report?.commands} commands, ${soak.report?.compared} ${
    soak.hasCompared ? "compared with redis-server" : "(no redis-server to compare with)"
  }; eviction ${soak.hasEvicted ? "on" : "off"}`,
);
print(`Resident: ${mb(start.residentBytes)}, at the end ${mb(end.residentBytes)}`);
print(`p99.9: ${start.latencyMs.toFixed(2)} ms, at the end ${end.latencyMs.toFixed(2)} ms`);
print(soak.problems.length === 0 ? "All is well." : soak.problems.join("\n"));
Deno.exit(soak.problems.length === 0 ? 0 : 1);
