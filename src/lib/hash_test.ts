import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { bytesPerCall } from "./alloc.ts";
import { writeDecimal } from "./decimal.ts";
import { Hasher } from "./hash.ts";
import { murmurHash } from "./murmur_hash.ts";

const HASHER = new Hasher(42, 43);

function viewOf(text: string): DataView {
  return new DataView(new TextEncoder().encode(text).buffer);
}
function hashOf(text: string, hasher = HASHER): number {
  return hasher.hash(viewOf(text), 0, text.length);
}

Deno.test("Hasher.hash() is HalfSipHash-1-3", () => {
  // Key 00 01 … 07, messages of the bytes 0 to n − 1: the first values of Linux's self-test of it.
  const hasher = new Hasher(0x03020100, 0x07060504);
  const view = new DataView(Uint8Array.from({ length: 8 }, (_, i) => i).buffer);
  const found = Array.from({ length: 8 }, (_, n) => hasher.hash(view, 0, n) >>> 0);
  const expected = [0x5814c896, 0xe7e864ca, 0xbc4b0e30, 0x01539939, 0x7e059ea6, 0x88e3d89b];
  assertEquals(found, [...expected, 0xa0080b65, 0x9d38d9d6]);
});
Deno.test("Hasher.hash() tells length, position, every byte and the key apart", () => {
  const texts = ["", "a", "b", "ab", "ba", "abc\0", "abc", "abcd", "abce", "abcdabcd"];
  assertEquals(new Set(texts.map((text) => hashOf(text))).size, texts.length);
  assertNotEquals(hashOf("key", new Hasher(1, 2)), hashOf("key", new Hasher(1, 3)));
  assertNotEquals(hashOf("key", new Hasher(1, 2)), hashOf("key", new Hasher(2, 2)));
});
Deno.test("Hasher.hash() does not depend on where the bytes lie", () => {
  assertEquals(HASHER.hash(viewOf("xxkey:12"), 2, 8), HASHER.hash(viewOf("key:12"), 0, 6));
});

/** Pairs of strings of eight bytes that collide under MurmurHash3, whatever its seed is. */
function collidingPair(n: number): [Uint8Array, Uint8Array] {
  // The words enter as k = rotl(w · c1, 15) · c2, which can be undone. A difference of bit 18 in the first k and of
  // bit 31 in the second cancel each other out.
  const wordOf = (k: number): number => {
    const rotated = Math.imul(k, inverse(0x1b873593));
    return Math.imul((rotated >>> 15) | (rotated << 17), inverse(0xcc9e2d51));
  };
  const bytesOf = (one: number, other: number): Uint8Array =>
    new Uint8Array(Int32Array.of(wordOf(one), wordOf(other)).buffer);
  const k = Math.imul(n + 1, 0x9e3779b1);
  return [bytesOf(k, n), bytesOf(k ^ (1 << 18), n ^ (1 << 31))];
}

/** The inverse of an odd number modulo 2^32, by Newton's iteration. */
function inverse(odd: number): number {
  let result = odd;
  for (let i = 0; i < 5; i++) result = Math.imul(result, 2 - Math.imul(odd, result));
  return result;
}

/** All strings that consist of one of two parts in each of `count` places: 2^count. */
function combinations(count: number): DataView[] {
  const pairs = Array.from({ length: count }, (_, n) => collidingPair(n));
  return Array.from({ length: 2 ** count }, (_, chosen) => {
    const key = new Uint8Array(8 * count);
    for (const [n, pair] of pairs.entries()) key.set(pair[(chosen >>> n) & 1], 8 * n);
    return new DataView(key.buffer);
  });
}

Deno.test("keys that were made to collide under MurmurHash3 do not collide", () => {
  const keys = combinations(12);
  const size = keys[0].byteLength;
  const distinct = (hash: (key: DataView) => number): number => new Set(keys.map(hash)).size;
  // Of 4,096 random 32-bit numbers two are equal once in 512 times; five pairs are out of the question.
  for (const seed of [0, 7, 123_456_789]) {
    assert(distinct((key) => murmurHash(key, 0, size, seed)) <= 2, "the attack works");
    assert(distinct((key) => new Hasher(seed, seed).hash(key, 0, size)) > 4_091);
  }
});

/** The square deviation from an even spread, which is about as large as the number of counts. */
function deviation(counts: Uint32Array, total: number): number {
  const expected = total / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

Deno.test("Hasher.hash() spreads a million sequential keys over directory, slots and prints", () => {
  const total = 1_000_000;
  const directory = new Uint32Array(1024);
  const slots = new Uint32Array(1024);
  const prints = new Uint32Array(256);
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("key:"));
  for (let i = 1; i <= total; i++) {
    const hash = HASHER.hash(view, 0, writeDecimal(i, bytes, 4));
    directory[hash >>> 22]++;
    slots[hash & 1023]++;
    prints[(hash >>> 10) & 255]++;
  }
  // At most six standard deviations, of √(2n) each, off.
  for (const counts of [directory, slots, prints]) {
    const n = counts.length;
    assert(Math.abs(deviation(counts, total) - n) < 6 * Math.sqrt(2 * n));
  }
});
Deno.test("Hasher.hash() turns over half of the 32 bits when one bit of the key changes", () => {
  const flips = new Uint32Array(32);
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  const rounds = 200;
  for (let round = 0; round < rounds; round++) {
    bytes.set(new TextEncoder().encode(`key:${round}`));
    for (let bit = 0; bit < 128; bit++) {
      const hash = HASHER.hash(view, 0, 16);
      bytes[bit >>> 3] ^= 1 << (bit & 7);
      const changed = hash ^ HASHER.hash(view, 0, 16);
      for (let i = 0; i < 32; i++) flips[i] += (changed >>> i) & 1;
    }
  }
  const total = rounds * 128;
  for (const count of flips) assert(Math.abs(count / total - 0.5) < 0.02);
});
Deno.test("Hasher.random() has another key each time", () => {
  const hashes = Array.from({ length: 8 }, () => hashOf("key", Hasher.random()));
  assertEquals(new Set(hashes).size, 8);
});
Deno.test("a prepared hash is that of exactly its bytes, until it is forgotten", () => {
  const hasher = new Hasher(1, 2);
  const view = viewOf("key key");
  hasher.prepare(view, 0, 3, 1234);
  assertEquals(hasher.hashOnce(view, 0, 3), 1234);
  assertEquals(hasher.hashOnce(view, 4, 7), hasher.hash(view, 0, 3));
  assertEquals(hasher.hashOnce(viewOf("key"), 0, 3), hasher.hash(view, 0, 3));
  hasher.forget();
  assertEquals(hasher.hashOnce(view, 0, 3), hasher.hash(view, 0, 3));
});
Deno.test("Hasher.hash() allocates nothing", () => {
  const view = viewOf("key:000000123456");
  assertEquals(bytesPerCall(() => HASHER.hash(view, 0, 16)), 0);
});
