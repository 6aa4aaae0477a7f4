/** Bytes of which LZF leaves `share`: noise, and the same again and again. */
export function mixture(size: number, share: number): Uint8Array {
  const bytes = new Uint8Array(size).fill(0x61);
  let word = 1;
  for (let i = 0; i < size; i++) {
    if (i % 256 >= 256 * share) continue;
    word = Math.imul(word, 1103515245) + 12345;
    bytes[i] = word >>> 16;
  }
  return bytes;
}
