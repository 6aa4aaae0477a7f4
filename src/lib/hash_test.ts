import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { bytesPerCall } from "./alloc.ts";
import { hashBytes, randomSeed } from "./hash.ts";

function viewOf(text: string): DataView {
  return new DataView(new TextEncoder().encode(text).buffer);
}
function hashOf(text: string, seed = 42): number {
  return hashBytes(viewOf(text), 0, text.length, seed);
}

Deno.test("hashBytes() tells length, position, every byte and the seed apart", () => {
  const texts = ["", "a", "b", "ab", "ba", "abc\0", "abc", "abcd", "abce", "abcdabcd"];
  assertEquals(new Set(texts.map((text) => hashOf(text))).size, texts.length);
  assertNotEquals(hashOf("key", 1), hashOf("key", 2));
});
Deno.test("hashBytes() does not depend on where the bytes lie", () => {
  assertEquals(hashBytes(viewOf("xxkey:12"), 2, 8, 7), hashBytes(viewOf("key:12"), 0, 6, 7));
});
Deno.test("hashBytes() spreads sequential keys evenly over top, middle and bottom bits", () => {
  const counts = [new Uint32Array(256), new Uint32Array(256), new Uint32Array(256)];
  for (let i = 0; i < 100_000; i++) {
    const hash = hashOf(`key:${i}`);
    counts[0][hash >>> 24]++;
    counts[1][(hash >>> 10) & 255]++;
    counts[2][hash & 255]++;
  }
  // 391 expected in each of 256; six standard deviations are 119.
  for (const count of counts) assert(count.every((n) => n > 272 && n < 510));
});
Deno.test("randomSeed() differs from call to call", () => {
  assertEquals(new Set(Array.from({ length: 8 }, randomSeed)).size, 8);
});
Deno.test("hashBytes() allocates nothing", () => {
  const view = viewOf("key:000000123456");
  assertEquals(bytesPerCall(() => hashBytes(view, 0, 16, 42)), 0);
});
