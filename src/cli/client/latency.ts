/** --latency and its like: how long PING takes, and how long the system keeps a process waiting. */
import { type Context, pause } from "./context.ts";
import type { Mode } from "./options.ts";

const SAMPLE_EVERY_MS = 10;
const HISTORY_INTERVAL_MS = 15_000;
const RAW_INTERVAL_MS = 1000;
const REWRITE_LINE = "\x1b[0G\x1b[2K";

/** Goes on until the connection breaks; where the output is for scripts, it ends after one line, unless it is a history. */
export async function measureLatency(context: Context, mode: Mode): Promise<number> {
  if (mode === "latency-dist") return await (await import("./latency_dist.ts")).draw(context);
  const { options, output, runner } = context;
  const { format } = runner.printing;
  const isHistory = mode === "latency-history";
  const intervalMs = options.intervalMs > 0
    ? options.intervalMs
    : isHistory
    ? HISTORY_INTERVAL_MS
    : RAW_INTERVAL_MS;
  const isShown = format === "standard";
  for (let range = new Range();;) {
    range.add(await pingMs(context));
    if (isShown) output.text(`${REWRITE_LINE}${range.sentence()}`);
    const seconds = (performance.now() - range.beganAt) / 1000;
    if (isHistory && seconds * 1000 > intervalMs) {
      output.text(isShown ? "" : range.figures(format === "csv" ? "," : " "));
      output.text(isShown ? ` -- ${seconds.toFixed(2)} seconds range\n` : "\n");
      range = new Range();
    } else if (!isShown && !isHistory && seconds * 1000 > intervalMs) {
      output.text(`${range.figures(format === "csv" ? "," : " ")}\n`);
      output.flush();
      return 0;
    }
    output.flush();
    await pause(SAMPLE_EVERY_MS);
  }
}

/** How long a PING takes: whole milliseconds. */
async function pingMs({ client }: Context): Promise<number> {
  const began = performance.now();
  await client.demand("Error", "PING");
  return Math.floor(performance.now() - began);
}

class Range {
  readonly beganAt = performance.now();
  #min = Infinity;
  #max = 0;
  #sum = 0;
  #count = 0;

  add(ms: number): void {
    this.#min = Math.min(this.#min, ms);
    this.#max = Math.max(this.#max, ms);
    this.#sum += ms;
    this.#count++;
  }

  sentence(): string {
    return `min: ${this.#min}, max: ${this.#max}, avg: ${this.#mean()} (${this.#count} samples)`;
  }

  figures(between: string): string {
    return [this.#min, this.#max, this.#mean(), this.#count].join(between);
  }

  #mean(): string {
    return (this.#sum / this.#count).toFixed(2);
  }
}

/** Does a little work again and again for so many seconds: when it takes long, the system did something else. */
export function measureIntrinsicLatency({ output }: Context, seconds: number): void {
  const began = performance.now();
  const end = began + seconds * 1000;
  let runs = 0;
  let longest = 0;
  for (let at = began; at < end || runs === 0;) {
    const before = at;
    at = performance.now();
    runs++;
    const us = (at - before) * 1000;
    if (us <= longest) continue;
    longest = us;
    output.text(`Max latency so far: ${Math.floor(us)} microseconds.\n`);
    output.flush();
  }
  const mean = (performance.now() - began) * 1000 / runs;
  output.text(
    `\n${runs} total runs (avg latency: ${mean.toFixed(4)} microseconds / ` +
      `${(mean * 1000).toFixed(2)} nanoseconds per run).\n` +
      `Worst run took ${(longest / mean).toFixed(0)}x longer than the average latency.\n`,
  );
  output.flush();
}
