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
