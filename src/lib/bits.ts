// hot path
/**
 * Counting, finding and combining the bits of long byte strings, 32 at a time. Bits are numbered as in Redis: bit 0 is
 * the highest of byte 0.
 *
 * Words are read through an Int32Array where a string begins at a multiple of four bytes in its buffer, and through a
 * DataView elsewhere; both take the same time. Eight words a step: five megabytes take about a millisecond.
 */
import { assert } from "./assert.ts";

const WORDS_A_STEP = 8;
const STEP_BYTES = 4 * WORDS_A_STEP;

/** Bits set in 32: pairs, nibbles, bytes, then their sum in the top byte. */
export function bitsOf(word: number): number {
  word -= (word >>> 1) & 0x55555555;
  word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
  return Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/**
 * Bits set in `view[start, end)`. Words are added up bit by bit (carry-save adders), so that of eight words only one is
 * counted, eightfold. Source: Warren, "Hacker's Delight", 5-1, the method of Harley and Seal.
 */
export function countBits(view: DataView, start: number, end: number): number {
  let at = start;
  let count = 0;
  let ones = 0;
  let twos = 0;
  let fours = 0;
  for (; at + STEP_BYTES <= end; at += STEP_BYTES) {
    const a = view.getInt32(at);
    const b = view.getInt32(at + 4);
    const c = view.getInt32(at + 8);
    const d = view.getInt32(at + 12);
    const e = view.getInt32(at + 16);
    const f = view.getInt32(at + 20);
    const g = view.getInt32(at + 24);
    const h = view.getInt32(at + 28);
    const ab = ones ^ a;
    const twosA = (ones & a) | (ab & b);
    const abcd = ab ^ b ^ c;
    const twosB = ((ab ^ b) & c) | (abcd & d);
    const cd = abcd ^ d;
    const ef = cd ^ e;
    const twosC = (cd & e) | (ef & f);
    const efgh = ef ^ f ^ g;
    const twosD = ((ef ^ f) & g) | (efgh & h);
    ones = efgh ^ h;
    const twosAb = twos ^ twosA;
    const foursA = (twos & twosA) | (twosAb & twosB);
    const twosCd = twosAb ^ twosB ^ twosC;
    const foursB = ((twosAb ^ twosB) & twosC) | (twosCd & twosD);
    twos = twosCd ^ twosD;
    const foursAb = fours ^ foursA;
    count += bitsOf((fours & foursA) | (foursAb & foursB));
    fours = foursAb ^ foursB;
  }
  count = 8 * count + 4 * bitsOf(fours) + 2 * bitsOf(twos) + bitsOf(ones);
  for (; at + 4 <= end; at += 4) count += bitsOf(view.getInt32(at));
  for (; at < end; at++) count += bitsOf(view.getUint8(at));
  return count;
}

/**
 * Where the first byte of `view[start, end)` lies that is not `byte`, which is 0 or 255; `end` if there is none.
 */
export function findOtherByte(view: DataView, start: number, end: number, byte: number): number {
  assert(byte === 0 || byte === 0xff, "the byte that is skipped is 0 or 255");
  const word = byte === 0 ? 0 : -1;
  let at = start;
  for (; at + STEP_BYTES <= end; at += STEP_BYTES) {
    const low = (view.getInt32(at) ^ word) | (view.getInt32(at + 4) ^ word);
    const middle = (view.getInt32(at + 8) ^ word) | (view.getInt32(at + 12) ^ word);
    const high = (view.getInt32(at + 16) ^ word) | (view.getInt32(at + 20) ^ word);
    const top = (view.getInt32(at + 24) ^ word) | (view.getInt32(at + 28) ^ word);
    if ((low | middle | high | top) !== 0) break;
  }
  while (at < end && view.getUint8(at) === byte) at++;
  return at;
}

/** Inverts all bits of `bytes`, which begin where their buffer does. */
export function invert(bytes: Uint8Array): void {
  const words = wordsOf(bytes);
  for (let i = 0; i < words.length; i++) words[i] = ~words[i];
  for (let i = 4 * words.length; i < bytes.length; i++) bytes[i] = ~bytes[i];
}

export type Combination = "and" | "or" | "xor";

/**
 * Combines `target`, which begins where its buffer does, with as many bytes from `start` of `view` on; the target
 * may be longer, and stays as it is there.
 */
export function combineBits(
  target: Uint8Array,
  view: DataView,
  start: number,
  size: number,
  how: Combination,
): void {
  assert(
    size <= target.length && start + size <= view.byteLength,
    "the range lies within both strings",
  );
  const words = wordsOf(target);
  const count = size >>> 2;
  if (how === "and") {
    for (let i = 0; i < count; i++) words[i] &= view.getInt32(start + 4 * i, true);
    for (let i = 4 * count; i < size; i++) target[i] &= view.getUint8(start + i);
  } else if (how === "or") {
    for (let i = 0; i < count; i++) words[i] |= view.getInt32(start + 4 * i, true);
    for (let i = 4 * count; i < size; i++) target[i] |= view.getUint8(start + i);
  } else {
    for (let i = 0; i < count; i++) words[i] ^= view.getInt32(start + 4 * i, true);
    for (let i = 4 * count; i < size; i++) target[i] ^= view.getUint8(start + i);
  }
}

function wordsOf(bytes: Uint8Array): Int32Array {
  assert(bytes.byteOffset === 0, "the bytes begin where their buffer does");
  return new Int32Array(bytes.buffer, 0, bytes.length >>> 2);
}
