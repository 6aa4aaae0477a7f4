// hot path
/**
 * LZF, the compression of strings in Redis's files: fast, and good enough for text that repeats itself.
 *
 * ```
 * 000nnnnn                        n + 1 literal bytes follow
 * nnnooooo oooooooo               n + 2 bytes (n from 1 to 6) that stand o + 1 bytes back
 * 111ooooo nnnnnnnn oooooooo      n + 9 bytes likewise
 * ```
 *
 * The compressor remembers where each three bytes stood last, by their hash, and looks there alone.
 * Source: http://oldhome.schmorp.de/marc/liblzf.html
 */

const HASH_BITS = 14;
const LITERALS_MAX = 32;
const DISTANCE_MAX = 8192;
const MATCH_MIN = 3;
const MATCH_MAX = 264;
/**
 * After each 256 misses in a row one place more is skipped, up to fifteen: bytes that can't be shortened take little
 * time so.
 */
const STRIDE_SHIFT = 8;
const STRIDE_MAX = 15;
/** A view over a smaller source costs more than it saves. */
const VIEW_FROM = 4096;
/** Positions count on from call to call, so that old ones need not be wiped; here they begin again. */
const WIPE_AT = 2 ** 30;

/** Hash of three bytes → where they stood, counted from the beginning of the first call. */
// scratch: lives for one call
const places = new Int32Array(1 << HASH_BITS);
// scratch: lives for one call
let base = 1;

/**
 * Compresses `source[start, end)` to the beginning of `target`; returns its size, or 0 if it would exceed `limit`
 * bytes. `target` has room for `limit` bytes.
 */
export function compress(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  limit: number,
): number {
  if (base + (end - start) > WIPE_AT) {
    places.fill(0);
    base = 1;
  }
  const offset = base - start;
  base += end - start;
  let from = start; // literals not yet written
  let at = start;
  let out = 0;
  let misses = 0; // places in a row where nothing was found
  const view = end - start < VIEW_FROM ? null : new DataView(source.buffer, source.byteOffset);
  while (at + MATCH_MIN <= end) {
    const three = source[at] | (source[at + 1] << 8) | (source[at + 2] << 16);
    const slot = Math.imul(three, 0x9e3779b1) >>> (32 - HASH_BITS);
    const candidate = places[slot] - offset;
    places[slot] = at + offset;
    const isMatch = candidate >= start && at - candidate <= DISTANCE_MAX &&
      source[candidate] === source[at] && source[candidate + 1] === source[at + 1] &&
      source[candidate + 2] === source[at + 2];
    if (!isMatch) {
      misses++;
      at += 1 + Math.min(misses >>> STRIDE_SHIFT, STRIDE_MAX);
      continue;
    }
    misses = 0;
    out = writeLiterals(source, from, at, target, out, limit);
    const length = view === null
      ? matchLength(source, candidate, at, end)
      : longMatchLength(view, candidate, at, end);
    if (out === 0 && from < at) return 0;
    if (out + 3 > limit) return 0;
    out = writeMatch(target, out, at - candidate - 1, length);
    at += length;
    from = at;
  }
  const whole = writeLiterals(source, from, end, target, out, limit);
  return whole === 0 && from < end ? 0 : whole;
}

/** Bytes that are the same from `candidate` and from `at` on, of which three are known to be. */
function matchLength(source: Uint8Array, candidate: number, at: number, end: number): number {
  const most = Math.min(MATCH_MAX, end - at);
  let length = MATCH_MIN;
  while (length < most && source[candidate + length] === source[at + length]) length++;
  return length;
}

/** As `matchLength`, four bytes at a time: what repeats itself in a large source does so at length. */
function longMatchLength(view: DataView, candidate: number, at: number, end: number): number {
  const most = Math.min(MATCH_MAX, end - at);
  let length = MATCH_MIN;
  while (length + 4 <= most && view.getInt32(candidate + length) === view.getInt32(at + length)) {
    length += 4;
  }
  while (length < most && view.getUint8(candidate + length) === view.getUint8(at + length)) {
    length++;
  }
  return length;
}

/** Writes `source[from, to)` as it is; returns where that ends, 0 if it does not fit. */
function writeLiterals(
  source: Uint8Array,
  from: number,
  to: number,
  target: Uint8Array,
  out: number,
  limit: number,
): number {
  while (from < to) {
    const count = Math.min(LITERALS_MAX, to - from);
    if (out + 1 + count > limit) return 0;
    target[out++] = count - 1;
    for (const stop = from + count; from < stop; from++) target[out++] = source[from];
  }
  return out;
}

function writeMatch(target: Uint8Array, out: number, distance: number, length: number): number {
  const shown = length - 2;
  if (shown < 7) target[out++] = (shown << 5) | (distance >>> 8);
  else {
    target[out++] = (7 << 5) | (distance >>> 8);
    target[out++] = shown - 7;
  }
  target[out++] = distance & 255;
  return out;
}

/**
 * Decompresses `source[start, end)` to the beginning of `target`; returns whether it was LZF and exactly
 * `size` bytes long.
 */
export function decompress(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  size: number,
): boolean {
  let at = start;
  let out = 0;
  while (at < end) {
    const head = source[at++];
    if (head < LITERALS_MAX) {
      const count = head + 1;
      if (at + count > end || out + count > size) return false;
      for (const stop = at + count; at < stop; at++) target[out++] = source[at];
      continue;
    }
    let length = (head >>> 5) + 2;
    if (length === 9) {
      if (at === end) return false;
      length += source[at++];
    }
    if (at === end) return false;
    let from = out - ((head & 31) << 8) - source[at++] - 1;
    if (from < 0 || out + length > size) return false;
    for (const stop = out + length; out < stop; out++) target[out] = target[from++];
  }
  return out === size;
}
