// hot path
/**
 * Buffers for replies, lent to a client from its first reply until the bytes are sent: an idle client holds
 * none, and a busy server uses the same few again and again.
 *
 * They come in four sizes. 4 KiB hold the replies to 64 GETs of 32 bytes, 256 KiB those to 64 LRANGEs of 100
 * such elements; a larger buffer is made for the occasion.
 */
const SIZES = [4096, 16_384, 65_536, 262_144];
/** How many of each size are kept: 3.75 MiB in all, at most. */
const KEPT_MAX = [64, 32, 16, 8];
const kept: Uint8Array[][] = SIZES.map(() => []);

/** A buffer of at least `size` bytes, with what it held before. */
export function takeBuffer(size: number): Uint8Array {
  for (let i = 0; i < SIZES.length; i++) {
    if (size <= SIZES[i]) return kept[i].pop() ?? new Uint8Array(SIZES[i]);
  }
  return new Uint8Array(size);
}

/** Gives a buffer back that nobody refers to any more; others than pooled ones are left to the collector. */
export function giveBuffer(buffer: Uint8Array): void {
  const i = SIZES.indexOf(buffer.length);
  if (i >= 0 && kept[i].length < KEPT_MAX[i]) kept[i].push(buffer);
}
