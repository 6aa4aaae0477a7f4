/**
 * SHA-1 of short texts, many of them: DEBUG DIGEST takes seven a key, for which the library's objects cost ten times
 * as much. Not for secrets. Source: FIPS 180-4.
 */
import { copyBytes } from "./copy.ts";

export const SHA1_BYTES = 20;
const BLOCK_BYTES = 64;
/** A block ends with the length of all, in eight bytes. */
const LENGTH_AT = BLOCK_BYTES - 8;
const ROUNDS = 80;
/** The constants of rounds 0, 20, 40 and 60. */
const K1 = 0x5a827999;
const K2 = 0x6ed9eba1;
const K3 = 0x8f1bbcdc | 0;
const K4 = 0xca62c1d6 | 0;

// scratch: lives for one call
const words = new Int32Array(ROUNDS);
// scratch: lives for one call
const state = new Int32Array(5);
// scratch: lives for one call
const block = new Uint8Array(BLOCK_BYTES);
// scratch: lives for one call
const blockView = new DataView(block.buffer);

/** Puts the sum of `bytes[start, end)` at the beginning of `into`, which may be the same memory. */
export function sha1(bytes: Uint8Array, start: number, end: number, into: Uint8Array): void {
  state[0] = 0x67452301;
  state[1] = 0xefcdab89 | 0;
  state[2] = 0x98badcfe | 0;
  state[3] = 0x10325476;
  state[4] = 0xc3d2e1f0 | 0;
  const size = end - start;
  let at = start;
  for (; end - at >= BLOCK_BYTES; at += BLOCK_BYTES) {
    copyBytes(bytes, at, at + BLOCK_BYTES, block, 0);
    addBlock();
  }
  const rest = end - at;
  copyBytes(bytes, at, end, block, 0);
  block[rest] = 0x80;
  clearBlock(rest + 1);
  if (rest + 1 > LENGTH_AT) {
    addBlock();
    clearBlock(0);
  }
  blockView.setInt32(LENGTH_AT, Math.floor(size / 2 ** 29));
  blockView.setInt32(LENGTH_AT + 4, size << 3);
  addBlock();
  for (let i = 0; i < SHA1_BYTES; i++) into[i] = state[i >> 2] >>> (24 - 8 * (i & 3));
}

/** A loop, since so few bytes take less than a call of `fill`. */
function clearBlock(start: number): void {
  for (let i = start; i < BLOCK_BYTES; i++) block[i] = 0;
}

function addBlock(): void {
  for (let i = 0; i < 16; i++) words[i] = blockView.getInt32(4 * i);
  for (let i = 16; i < ROUNDS; i++) {
    const mixed = words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16];
    words[i] = (mixed << 1) | (mixed >>> 31);
  }
  let a = state[0];
  let b = state[1];
  let c = state[2];
  let d = state[3];
  let e = state[4];
  // A loop for each kind of round: with one that chooses the kind, it takes about a quarter longer.
  for (let i = 0; i < 20; i++) {
    const next = (((a << 5) | (a >>> 27)) + (d ^ (b & (c ^ d))) + e + words[i] + K1) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let i = 20; i < 40; i++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + words[i] + K2) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let i = 40; i < 60; i++) {
    const next = (((a << 5) | (a >>> 27)) + ((b & c) | (d & (b | c))) + e + words[i] + K3) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let i = 60; i < ROUNDS; i++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + words[i] + K4) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
}
