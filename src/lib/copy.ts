// hot path
/** Copies bytes in the way that is quickest for their number. */

/** Beyond it one call of `set` beats a loop over words. */
const WORDS_MAX_BYTES = 256;

/**
 * Copies `source[start, end)` to `at` of `target`, eight bytes at a time, four where there are fewer. If the number is
 * no multiple, the last step copies some bytes once more. The two must not overlap.
 */
export function copyWords(
  source: DataView,
  start: number,
  end: number,
  target: DataView,
  at: number,
): void {
  const size = end - start;
  if (size < 4) {
    for (let from = start; from < end; from++) target.setUint8(at++, source.getUint8(from));
    return;
  }
  if (size < 8) {
    target.setInt32(at, source.getInt32(start, true), true);
    target.setInt32(at + size - 4, source.getInt32(end - 4, true), true);
    return;
  }
  const last = end - 8;
  const lastAt = at + size - 8;
  // V8's optimised code makes no BigInt of a value that goes straight from view to view.
  for (let from = start; from < last; from += 8, at += 8) {
    target.setBigInt64(at, source.getBigInt64(from, true), true);
  }
  target.setBigInt64(lastAt, source.getBigInt64(last, true), true);
}

/** As `copyWords`, with `set` where that is quicker: the views are those over the bytes. */
export function copyIn(
  source: Uint8Array,
  sourceView: DataView,
  start: number,
  end: number,
  target: Uint8Array,
  targetView: DataView,
  at: number,
): void {
  if (end - start <= WORDS_MAX_BYTES) copyWords(sourceView, start, end, targetView, at);
  else target.set(new Uint8Array(source.buffer, source.byteOffset + start, end - start), at);
}

/** Copies bytes without a view over them: a loop where that beats the flat 33 ns of `set`. */
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
