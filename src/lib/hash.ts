// hot path
export function hashBytes(view: DataView, start: number, end: number, seed: number): number {
  let h = seed | 0;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    let k = Math.imul(view.getInt32(at, true), 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
    h = Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64 | 0;
  }
  let tail = 0;
  for (; at < end; at++) tail = (tail << 8) | view.getUint8(at);
  h ^= Math.imul(tail, 0xcc9e2d51) ^ (end - start);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
export function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}
