/**
 * SHA-256 of short texts, at once: the library's answers only later, and a command can't wait for it. Source: FIPS 180-4.
 */
import { copyBytes } from "./copy.ts";

const SHA256_BYTES = 32;
const BLOCK_BYTES = 64;
/** A block ends with the length of all, in eight bytes. */
const LENGTH_AT = BLOCK_BYTES - 8;
const ROUNDS = 64;

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes, and of the square roots of the first eight. */
const CONSTANTS = Int32Array.from(firstPrimes(ROUNDS), (prime) => fraction(Math.cbrt(prime)));
const INITIAL = Int32Array.from(firstPrimes(8), (prime) => fraction(Math.sqrt(prime)));

// scratch: lives for one call
const words = new Int32Array(ROUNDS);
// scratch: lives for one call
const state = new Int32Array(8);
// scratch: lives for one call
const block = new Uint8Array(BLOCK_BYTES);
// scratch: lives for one call
const blockView = new DataView(block.buffer);

/** The sum of `bytes`. What is left in this module's buffers is overwritten: the bytes may be a password. */
export function sha256(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  state.set(INITIAL);
  const size = bytes.length;
  let at = 0;
  for (; size - at >= BLOCK_BYTES; at += BLOCK_BYTES) {
    copyBytes(bytes, at, at + BLOCK_BYTES, block, 0);
    addBlock();
  }
  const rest = size - at;
  copyBytes(bytes, at, size, block, 0);
  block[rest] = 0x80;
  block.fill(0, rest + 1);
  if (rest + 1 > LENGTH_AT) {
    addBlock();
    block.fill(0);
  }
  blockView.setInt32(LENGTH_AT, Math.floor(size / 2 ** 29));
  blockView.setInt32(LENGTH_AT + 4, size << 3);
  addBlock();
  const sum = new Uint8Array(SHA256_BYTES);
  for (let i = 0; i < SHA256_BYTES; i++) sum[i] = state[i >> 2] >>> (24 - 8 * (i & 3));
  block.fill(0);
  words.fill(0);
  return sum;
}

function addBlock(): void {
  for (let i = 0; i < 16; i++) words[i] = blockView.getInt32(4 * i);
  for (let i = 16; i < ROUNDS; i++) {
    const early = words[i - 15];
    const late = words[i - 2];
    const small = turned(early, 7) ^ turned(early, 18) ^ (early >>> 3);
    const large = turned(late, 17) ^ turned(late, 19) ^ (late >>> 10);
    words[i] = words[i - 16] + small + words[i - 7] + large;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < ROUNDS; i++) {
    const chosen = (e & f) ^ (~e & g);
    const major = (a & b) ^ (a & c) ^ (b & c);
    const one = h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + chosen + CONSTANTS[i] +
      words[i];
    const two = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + major;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

/** The word rotated to the right. */
function turned(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

/** The first 32 bits behind the point. */
function fraction(value: number): number {
  return Math.floor((value - Math.floor(value)) * 2 ** 32) | 0;
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let i = 2; primes.length < count; i++) {
    if (primes.every((prime) => i % prime !== 0)) primes.push(i);
  }
  return primes;
}
