import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { bytesPerCall } from "./alloc.ts";
import { writeDecimal } from "./decimal.ts";
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
/** The square deviation from an even spread, which is about as large as the number of counts. */
function deviation(counts: Uint32Array, total: number): number {
  const expected = total / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

Deno.test("hashBytes() spreads a million sequential keys over directory, slots and prints", () => {
  const total = 1_000_000;
  const directory = new Uint32Array(1024);
  const slots = new Uint32Array(1024);
  const prints = new Uint32Array(256);
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("key:"));
  for (let i = 1; i <= total; i++) {
    const hash = hashBytes(view, 0, writeDecimal(i, bytes, 4), 42);
    directory[hash >>> 22]++;
    slots[hash & 1023]++;
    prints[(hash >>> 10) & 255]++;
  }
  // Six standard deviations, √(2n), off.
  for (const counts of [directory, slots, prints]) {
    const n = counts.length;
    assert(Math.abs(deviation(counts, total) - n) < 6 * Math.sqrt(2 * n));
  }
});
Deno.test("hashBytes() turns over half of the 32 bits when one bit of the key changes", () => {
  const flips = new Uint32Array(32);
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  const rounds = 200;
  for (let round = 0; round < rounds; round++) {
    bytes.set(new TextEncoder().encode(`key:${round}`));
    for (let bit = 0; bit < 128; bit++) {
      const hash = hashBytes(view, 0, 16, 42);
      bytes[bit >>> 3] ^= 1 << (bit & 7);
      const changed = hash ^ hashBytes(view, 0, 16, 42);
      for (let i = 0; i < 32; i++) flips[i] += (changed >>> i) & 1;
    }
  }
  const total = rounds * 128;
  for (const count of flips) assert(Math.abs(count / total - 0.5) < 0.02);
});
Deno.test("randomSeed() differs from call to call", () => {
  assertEquals(new Set(Array.from({ length: 8 }, randomSeed)).size, 8);
});
Deno.test("hashBytes() allocates nothing", () => {
  const view = viewOf("key:000000123456");
  assertEquals(bytesPerCall(() => hashBytes(view, 0, 16, 42)), 0);
});
