/**
 * SHA-1 of short texts, many of them: DEBUG DIGEST takes seven a key, for which the library's objects cost ten times
 * as much. Not for secrets. Source: FIPS 180-4.
 */

export const SHA1_BYTES = 20;
const BLOCK_BYTES = 64;
const ROUNDS = 80;

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
    for (let i = 0; i < BLOCK_BYTES; i++) block[i] = bytes[at + i];
    addBlock();
  }
  const rest = end - at;
  for (let i = 0; i < rest; i++) block[i] = bytes[at + i];
  block[rest] = 0x80;
  block.fill(0, rest + 1);
  // The length takes eight bytes.
  if (rest + 1 > BLOCK_BYTES - 8) {
    addBlock();
    block.fill(0);
  }
  blockView.setUint32(BLOCK_BYTES - 8, Math.floor(size / 2 ** 29));
  blockView.setUint32(BLOCK_BYTES - 4, size * 8);
  addBlock();
  for (let i = 0; i < SHA1_BYTES; i++) into[i] = state[i >> 2] >>> (24 - 8 * (i & 3));
}

function addBlock(): void {
  for (let i = 0; i < 16; i++) words[i] = blockView.getInt32(4 * i);
  for (let i = 16; i < ROUNDS; i++) {
    const mixed = words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16];
    words[i] = (mixed << 1) | (mixed >>> 31);
  }
  let [a, b, c, d, e] = [state[0], state[1], state[2], state[3], state[4]];
  for (let i = 0; i < ROUNDS; i++) {
    let chosen: number;
    if (i < 20) chosen = ((b & c) | (~b & d)) + 0x5a827999;
    else if (i < 40) chosen = (b ^ c ^ d) + 0x6ed9eba1;
    else if (i < 60) chosen = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    else chosen = (b ^ c ^ d) + 0xca62c1d6;
    const next = (((a << 5) | (a >>> 27)) + chosen + e + words[i]) | 0;
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
