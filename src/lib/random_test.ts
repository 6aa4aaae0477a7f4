import { assert, assertEquals } from "@std/assert";
import { bytesPerCall } from "./alloc.ts";
import { Random } from "./random.ts";

Deno.test("Random gives each number about the same chance, and allocates nothing", () => {
  const random = new Random(7);
  const times = new Uint32Array(100);
  for (let i = 0; i < 100_000; i++) times[random.below(100)]++;
  // 1,000 are expected; chance alone does not deviate by seven standard deviations.
  assert(times.every((n) => n > 780 && n < 1220), `${times}`);
  assertEquals(bytesPerCall(() => random.below(100)), 0);
});

Deno.test("Random never comes to 0, whatever the seed, and each generator begins elsewhere", () => {
  for (const seed of [0, 1, -1, 2 ** 31, 4294967295]) {
    const random = new Random(seed);
    for (let i = 0; i < 1000; i++) assert(random.bits() !== 0);
  }
  const firsts = new Set(Array.from({ length: 100 }, () => new Random().bits()));
  assert(firsts.size > 90);
});
