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
import { NO_BYTES, NO_VIEW } from "./slice.ts";

const HASH_BITS = 14;
const LITERALS_MAX = 32;
const DISTANCE_MAX = 8192;
const MATCH_MIN = 3;
const MATCH_MAX = 264;
/** What a match takes at most. */
const MATCH_BYTES = 3;
/**
 * After each 256 misses in a row one place more is skipped, up to fifteen: bytes that can't be shortened take little
 * time so.
 */
const STRIDE_SHIFT = 8;
const STRIDE_MAX = 15;
/**
 * Positions count on from call to call, so that old ones need not be wiped: a gap between two calls makes them too
 * distant. Here they begin again.
 */
const WIPE_AT = 2 ** 30;
const FIRST_BASE = DISTANCE_MAX + 1;

/** Compresses one string after the other, each at once or part by part. */
export class Compressor {
  /** Hash of three bytes → where they stood, counted from the beginning of the first string. */
  readonly #places = new Int32Array(1 << HASH_BITS);
  /** Where the next string begins in that count. */
  #next = FIRST_BASE;
  /** Added to a position in the present string, it gives the place in that count. */
  #offset = 0;
  #source: Uint8Array = NO_BYTES;
  #view: DataView = NO_VIEW;
  /** Places in a row where nothing was found. */
  #misses = 0;

  /** Begins with `source[start, end)`, of which `view` is the view; it must not change until it is compressed. */
  begin(source: Uint8Array, view: DataView, start: number, end: number): void {
    if (this.#next + (end - start) > WIPE_AT) {
      this.#places.fill(0);
      this.#next = FIRST_BASE;
    }
    this.#offset = this.#next - start;
    this.#next += end - start + DISTANCE_MAX;
    this.#source = source;
    this.#view = view;
    this.#misses = 0;
  }

  /**
   * Compresses `source[from, to)`, which follows the part before, to the beginning of `target`; returns its size, or 0
   * if it would exceed `limit` bytes. What the parts give, in a row, is the compressed string.
   */
  part(from: number, to: number, target: Uint8Array, limit: number): number {
    const source = this.#source;
    const view = this.#view;
    const places = this.#places;
    const offset = this.#offset;
    let misses = this.#misses;
    let at = from;
    let head = 0; // where the number of the literals goes that are being written
    let out = 1;
    while (at < to) {
      let literals = to - at;
      if (literals > MATCH_MIN) {
        const four = view.getInt32(at, true);
        const slot = Math.imul(four << 8, 0x9e3779b1) >>> (32 - HASH_BITS);
        const distance = at + offset - places[slot];
        places[slot] = at + offset;
        const isMatch = distance <= DISTANCE_MAX &&
          (view.getInt32(at - distance, true) ^ four) << 8 === 0;
        if (isMatch) {
          misses = 0;
          out = endLiterals(target, head, out);
          if (out + MATCH_BYTES > limit) return 0;
          const length = matchLength(view, at - distance, at, to);
          head = writeMatch(target, out, distance - 1, length);
          out = head + 1;
          at += length;
          continue;
        }
        misses++;
        literals = Math.min(1 + Math.min(misses >>> STRIDE_SHIFT, STRIDE_MAX), literals);
      }
      // One more byte for the number of the next literals.
      if (out + literals >= limit) return 0;
      for (const stop = at + literals; at < stop; at++) {
        target[out++] = source[at];
        if (out - head <= LITERALS_MAX) continue;
        target[head] = LITERALS_MAX - 1;
        head = out++;
      }
    }
    this.#misses = misses;
    return endLiterals(target, head, out);
  }

  /** Lets go of the string. */
  end(): void {
    this.#source = NO_BYTES;
    this.#view = NO_VIEW;
  }
}

/** Room for a part of `size` bytes, if all of them are literals. */
export function packedMax(size: number): number {
  return size + Math.ceil(size / LITERALS_MAX) + MATCH_BYTES;
}

// scratch: lives for one call
const compressor = new Compressor();

/**
 * Compresses `source[start, end)`, of which `view` is the view, to the beginning of `target`; returns its size, or 0 if it
 * would exceed `limit` bytes. `target` has room for `limit` bytes.
 */
export function compress(
  source: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  target: Uint8Array,
  limit: number,
): number {
  compressor.begin(source, view, start, end);
  const size = compressor.part(start, end, target, limit);
  compressor.end();
  return size;
}

/** Writes the number of the literals that stand behind `head` up to `out`; returns where they end. */
function endLiterals(target: Uint8Array, head: number, out: number): number {
  // Without literals their number is left out.
  if (out === head + 1) return head;
  target[head] = out - head - 2;
  return out;
}

/** Bytes that are the same from `candidate` and from `at` on, of which three are known to be. */
function matchLength(view: DataView, candidate: number, at: number, end: number): number {
  const most = Math.min(MATCH_MAX, end - at);
  let length = MATCH_MIN;
  while (length + 4 <= most) {
    const differing = view.getInt32(candidate + length, true) ^ view.getInt32(at + length, true);
    if (differing !== 0) return length + ((31 - Math.clz32(differing & -differing)) >>> 3);
    length += 4;
  }
  while (length < most && view.getUint8(candidate + length) === view.getUint8(at + length)) {
    length++;
  }
  return length;
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
