/** --lru-test: a cache whose keys are asked for unevenly; says how many requests found theirs. */
import type { Context } from "./context.ts";

const BATCH = 250;
/** 80 % of the requests are for 20 % of the keys. */
const SKEW = Math.log(0.2) / Math.log(0.8);
const SECOND_MS = 1000;

/** Goes on until the connection breaks. A key that is missing is set, as an application would do. */
export async function testLru({ client, output }: Context, keys: number): Promise<never> {
  for (;;) {
    const began = performance.now();
    let hits = 0;
    let misses = 0;
    while (performance.now() - began < SECOND_MS) {
      const names = Array.from({ length: BATCH }, () => `lru:${skewed(keys)}`);
      const replies = await client.callAll(names.map((name) => ["GET", name]));
      const missed = names.filter((_, i) => replies[i].kind === "nil");
      if (missed.length > 0) await client.callAll(missed.map((name) => ["SET", name, "value"]));
      misses += missed.length;
      hits += names.length - missed.length;
    }
    const gets = hits + misses;
    const rate = Math.round(gets / (performance.now() - began) * 1000);
    output.text(
      `${rate} Gets/sec | Hits: ${hits} (${(100 * hits / gets).toFixed(2)}%) | ` +
        `Misses: ${misses} (${(100 * misses / gets).toFixed(2)}%)\n`,
    );
    output.flush();
  }
}

/** A number below `count`, small ones more often. */
function skewed(count: number): number {
  return Math.floor(Math.max(1, count) * Math.random() ** SKEW);
}
