// hot path
/**
 * MurmurHash3's 32-bit mixing over words of four bytes. Clients that choose the bytes can make them collide for every
 * seed, so it is for fixed formats alone: tables use the keyed hash of lib/hash.ts.
 * Source: https://github.com/aappleby/smhasher/wiki/MurmurHash3
 */

/** The hash of `view[start, end)`, a signed 32-bit integer. */
export function murmurHash(view: DataView, start: number, end: number, seed: number): number {
  let hash = seed | 0;
  let at = start;
  for (; at + 4 <= end; at += 4) hash = mixed(hash, view.getInt32(at, true));
  let tail = 0;
  for (; at < end; at++) tail = (tail << 8) | view.getUint8(at);
  hash = mixed(hash, tail) ^ (end - start);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function mixed(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  hash ^= Math.imul(k, 0x1b873593);
  hash = (hash << 13) | (hash >>> 19);
  return (Math.imul(hash, 5) + 0xe6546b64) | 0;
}
