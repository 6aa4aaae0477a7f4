import { assert } from "@std/assert";
import { answersOfBusyClients } from "../support/busy.ts";
import { startRespite } from "../support/live.ts";

const ANSWERS = 30_000;

/** The least and the median of the clients' answers. */
function leastAndMedian(answers: number[][]): [number, number] {
  const sorted = answers.flat().sort((a, b) => a - b);
  return [sorted[0], sorted[sorted.length >> 1]];
}

Deno.test("hundreds of busy clients are served in turn", async () => {
  const server = startRespite();
  try {
    const quotas = Array.from({ length: 5 }, () => ANSWERS);
    const answers = await answersOfBusyClients(server.port, ANSWERS, quotas);
    const [least, median] = leastAndMedian(answers);
    assert(least >= 0.7 * median, `the least served had ${least} answers, the median ${median}`);
  } finally {
    await server.stop();
  }
});
Deno.test("busy clients that fall silent do not hold up the others", async () => {
  const server = startRespite();
  try {
    const [silent, ...busy] = await answersOfBusyClients(server.port, ANSWERS, [20, 30, ANSWERS]);
    assert(silent.every((count) => count <= 20));
    const [least, median] = leastAndMedian([busy[1]]);
    assert(least >= 0.7 * median, `the least served had ${least} answers, the median ${median}`);
  } finally {
    await server.stop();
  }
});
