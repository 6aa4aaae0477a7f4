import { assert } from "@std/assert";
import { answersOfBusyClients } from "../support/busy.ts";
import { startRespite } from "../support/live.ts";

const ANSWERS = 30_000;

/**
 * Asserts that the clients of each thread had about as many answers as each other. Threads are not compared: the system may
 * let one run more than another.
 */
function assertEven(answers: number[][]): void {
  for (const ofThread of answers) {
    const [least, median] = leastAndMedian(ofThread);
    assert(
      least >= 0.7 * median - 3,
      `the least served had ${least} answers, the median ${median}`,
    );
  }
}

function leastAndMedian(answers: number[]): [number, number] {
  const sorted = answers.toSorted((a, b) => a - b);
  return [sorted[0], sorted[sorted.length >> 1]];
}

Deno.test("hundreds of busy clients are served in turn", async () => {
  const server = startRespite();
  try {
    const quotas = Array.from({ length: 5 }, () => ANSWERS);
    assertEven(await answersOfBusyClients(server.port, ANSWERS, quotas));
  } finally {
    await server.stop();
  }
});
Deno.test("busy clients that fall silent do not hold up the others", async () => {
  const server = startRespite();
  try {
    const [silent, ...busy] = await answersOfBusyClients(server.port, ANSWERS, [20, 30, ANSWERS]);
    assert(silent.every((count) => count <= 20));
    assertEven([busy[1]]);
  } finally {
    await server.stop();
  }
});
