// hot path
/** A piece of bytes read in place: `bytes[start, end)`. One is reused by each reader. */
import { writeInt64 } from "./decimal.ts";
import type { Scratch } from "./scratch.ts";

/** No 64-bit integer has more characters. */
const INTEGER_TEXT_MAX = 20;

export const NO_BYTES = new Uint8Array(0);
export const NO_VIEW = new DataView(NO_BYTES.buffer);

export class Slice implements Scratch {
  bytes: Uint8Array;
  view: DataView;
  start = 0;
  end = 0;
  readonly #text: Uint8Array;
  readonly #textView: DataView;

  constructor() {
    // A few bytes more, since hashes read four at a time.
    this.bytes = this.#text = new Uint8Array(INTEGER_TEXT_MAX + 4);
    this.view = this.#textView = new DataView(this.#text.buffer);
  }

  get length(): number {
    return this.end - this.start;
  }

  set(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    // Compare first: writing a pointer costs V8's write barrier.
    if (this.view !== view) {
      this.bytes = bytes;
      this.view = view;
    }
    this.start = start;
    this.end = end;
  }

  /** Becomes the digits of an integer, in memory of its own. */
  setInt64(hi: number, lo: number): void {
    this.bytes = this.#text;
    this.view = this.#textView;
    this.start = 0;
    this.end = writeInt64(hi, lo, this.#text, 0);
  }

  /** Becomes the empty string. */
  clear(): void {
    this.start = this.end = 0;
  }

  /** Becomes the empty string in memory of its own. */
  forget(): void {
    this.bytes = this.#text;
    this.view = this.#textView;
    this.clear();
  }
}

/** Compares `slice` with `bytes[start, end)`, byte by byte and then by length: negative if it comes first. */
export function compareBytes(
  slice: Slice,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  const own = slice.bytes;
  const length = slice.end - slice.start;
  const shared = Math.min(length, end - start);
  for (let i = 0; i < shared; i++) {
    const difference = own[slice.start + i] - bytes[start + i];
    if (difference !== 0) return difference;
  }
  return length - (end - start);
}

/** Whether `length` bytes from `aAt` on are those from `bAt` on; four at a time. */
export function sameBytes(
  a: DataView,
  aAt: number,
  b: DataView,
  bAt: number,
  length: number,
): boolean {
  const whole = length - 3;
  let i = 0;
  for (; i < whole; i += 4) {
    if (a.getInt32(aAt + i, true) !== b.getInt32(bAt + i, true)) return false;
  }
  for (; i < length; i++) if (a.getUint8(aAt + i) !== b.getUint8(bAt + i)) return false;
  return true;
}

/** Whether `bytes[start, end)` is all of `other`. */
export function equalBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  other: Uint8Array,
): boolean {
  return end - start === other.length && beginsWith(bytes, start, end, other);
}

/** Whether `bytes[start, end)` begins with `prefix`. */
export function beginsWith(
  bytes: Uint8Array,
  start: number,
  end: number,
  prefix: Uint8Array,
): boolean {
  if (end - start < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[start + i] !== prefix[i]) return false;
  return true;
}
