// hot path
/**
 * The two checksums of Redis's formats: CRC-64 at the end of RDB files and DUMP's payloads, CRC-16 for the
 * hash slots of a cluster.
 *
 *     CRC-64  Jones's polynomial ad93d23594c935a9, bits reflected, from 0, no final xor
 *     CRC-16  XMODEM: polynomial 1021, not reflected, from 0, no final xor
 *
 * CRC-64 takes eight bytes a step ("slicing by 8"), each through a table of its own, on two 32-bit halves:
 * a BigInt would be allocated for every byte.
 * Source: Kounavis and Berry, "A Systematic Approach to Building High Performance, Software-based, CRC
 * Generators", 2005; https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
 */

/** Jones's polynomial with its bits reversed. */
const JONES_HI = 0x95ac9329;
const JONES_LO = 0xac4bc9b5;
const XMODEM = 0x1021;
const SLICES = 8;

/** How many hash slots a cluster has. */
const SLOT_COUNT = 16384;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Entry 256 · s + b: what byte b does to the state when s more bytes follow it. */
const HIGHS = new Int32Array(SLICES * 256);
const LOWS = new Int32Array(SLICES * 256);
const XMODEM_TABLE = new Uint16Array(256);
fillTables();

/** A CRC-64 that grows with the bytes it is shown; nothing is allocated after construction. */
export class Crc64 {
  // Plain number fields would be boxed whenever they exceed 31 bits.
  readonly #words = new Int32Array(2);

  /** The upper half, signed. */
  get hi(): number {
    return this.#words[1];
  }

  /** The lower half, signed. */
  get lo(): number {
    return this.#words[0];
  }

  /** Back to the state before the first byte. */
  reset(): void {
    this.#words[0] = 0;
    this.#words[1] = 0;
  }

  /** Takes in `bytes[start, end)`, which continue those before; `view` is on the same buffer. */
  update(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    let lo = this.#words[0];
    let hi = this.#words[1];
    let at = start;
    for (; at + SLICES <= end; at += SLICES) {
      lo ^= view.getInt32(at, true);
      hi ^= view.getInt32(at + 4, true);
      const a = 1792 + (lo & 255);
      const b = 1536 + ((lo >>> 8) & 255);
      const c = 1280 + ((lo >>> 16) & 255);
      const d = 1024 + (lo >>> 24);
      const e = 768 + (hi & 255);
      const f = 512 + ((hi >>> 8) & 255);
      const g = 256 + ((hi >>> 16) & 255);
      const h = hi >>> 24;
      lo = LOWS[a] ^ LOWS[b] ^ LOWS[c] ^ LOWS[d] ^ LOWS[e] ^ LOWS[f] ^ LOWS[g] ^ LOWS[h];
      hi = HIGHS[a] ^ HIGHS[b] ^ HIGHS[c] ^ HIGHS[d] ^ HIGHS[e] ^ HIGHS[f] ^ HIGHS[g] ^ HIGHS[h];
    }
    for (; at < end; at++) {
      const index = (bytes[at] ^ lo) & 255;
      lo = LOWS[index] ^ ((lo >>> 8) | (hi << 24));
      hi = HIGHS[index] ^ (hi >>> 8);
    }
    this.#words[0] = lo;
    this.#words[1] = hi;
  }
}

/** The CRC-16 of `bytes[start, end)`. */
export function crc16(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let at = start; at < end; at++) {
    crc = ((crc << 8) & 0xffff) ^ XMODEM_TABLE[(crc >>> 8) ^ bytes[at]];
  }
  return crc;
}

/**
 * The hash slot, 0 to 16383, of the key in `bytes[start, end)`. Of a key with a hash tag, what stands
 * between the first "{" and the first "}" behind it, only the tag counts, unless it is empty.
 */
export function keySlot(bytes: Uint8Array, start: number, end: number): number {
  const open = indexOf(OPEN, bytes, start, end);
  if (open < end) {
    const close = indexOf(CLOSE, bytes, open + 1, end);
    if (close < end && close > open + 1) return crc16(bytes, open + 1, close) % SLOT_COUNT;
  }
  return crc16(bytes, start, end) % SLOT_COUNT;
}

/** Where `byte` first stands in `bytes[start, end)`; `end` if nowhere. */
function indexOf(byte: number, bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== byte) at++;
  return at;
}

function fillTables(): void {
  for (let byte = 0; byte < 256; byte++) {
    let lo = byte;
    let hi = 0;
    let crc = byte << 8;
    for (let bit = 0; bit < 8; bit++) {
      const isOdd = (lo & 1) === 1;
      lo = (lo >>> 1) | (hi << 31);
      hi >>>= 1;
      if (isOdd) {
        lo ^= JONES_LO;
        hi ^= JONES_HI;
      }
      crc = (crc << 1) ^ ((crc & 0x8000) === 0 ? 0 : XMODEM);
    }
    LOWS[byte] = lo;
    HIGHS[byte] = hi;
    XMODEM_TABLE[byte] = crc;
  }
  // One more byte behind it is one more step with a zero.
  for (let i = 256; i < SLICES * 256; i++) {
    const lo = LOWS[i - 256];
    const hi = HIGHS[i - 256];
    LOWS[i] = LOWS[lo & 255] ^ ((lo >>> 8) | (hi << 24));
    HIGHS[i] = HIGHS[lo & 255] ^ (hi >>> 8);
  }
}
