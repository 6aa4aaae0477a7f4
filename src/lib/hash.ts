// hot path
/** Room for a string that is kept between two uses. */
const TEXT_BYTES_KEPT = 256;

/**
 * The keyed hash of everything that clients name: keys, members, fields. It is HalfSipHash-1-3, a pseudorandom function of
 * a secret key of 64 bits: who does not know the key cannot choose names that collide, and each `Hasher` has its own.
 * All 32 bits can be used: a table takes a directory index from the top, a slot from the bottom and a fingerprint from
 * the middle.
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, https://github.com/veorq/SipHash
 */
export class Hasher {
  readonly #key0: number;
  readonly #key1: number;

  // A hash that was computed ahead, and the place of the bytes that it belongs to: see `prepare`.
  #view: DataView | null = null;
  #start = 0;
  #end = 0;
  #hash = 0;

  /** Where a string is written to be hashed. */
  #text = new DataView(new ArrayBuffer(TEXT_BYTES_KEPT));

  /** The two halves of the secret key. */
  constructor(key0: number, key1: number) {
    this.#key0 = key0 | 0;
    this.#key1 = key1 | 0;
  }

  /** One with a key that nobody can guess. */
  static random(): Hasher {
    const [key0, key1] = crypto.getRandomValues(new Int32Array(2));
    return new Hasher(key0, key1);
  }

  /**
   * The hash of `view[start, end)`, a signed 32-bit integer: an unsigned one would be boxed wherever V8
   * does not inline (16 B a call, measured). 12 ns for 16 bytes.
   */
  hash(view: DataView, start: number, end: number): number {
    let v0 = this.#key0;
    let v1 = this.#key1;
    let v2 = v0 ^ 0x6c796765;
    let v3 = v1 ^ 0x74656462;
    const tail = (end - start) & 3;
    const words = end - tail;
    let at = start;
    for (; at < words; at += 4) {
      const word = view.getInt32(at, true);
      v3 ^= word;
      // One round; written out, since V8 keeps the four words in registers only so.
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    let last = (end - start) << 24;
    if (tail > 0) last |= view.getUint8(at);
    if (tail > 1) last |= view.getUint8(at + 1) << 8;
    if (tail > 2) last |= view.getUint8(at + 2) << 16;
    v3 ^= last;
    // The round of the last word, and three to end with.
    for (let round = 0; round < 4; round++) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      if (round > 0) continue;
      v0 ^= last;
      v2 ^= 0xff;
    }
    return v1 ^ v3;
  }

  /** The hash of a string, two bytes a character: for names of which a string is kept. */
  hashText(text: string): number {
    const size = 2 * text.length;
    if (size > this.#text.byteLength) this.#text = new DataView(new ArrayBuffer(2 * size));
    const view = this.#text;
    for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i), true);
    const hash = this.hash(view, 0, size);
    if (size > TEXT_BYTES_KEPT) this.#text = new DataView(new ArrayBuffer(TEXT_BYTES_KEPT));
    return hash;
  }

  /** The hash of `bytes[start, end)`, where there is no view over them. */
  hashBytes(bytes: Uint8Array, start: number, end: number): number {
    const size = end - start;
    if (size > TEXT_BYTES_KEPT) {
      return this.hash(new DataView(bytes.buffer, bytes.byteOffset + start, size), 0, size);
    }
    const view = this.#text;
    for (let i = 0; i < size; i++) view.setUint8(i, bytes[start + i]);
    return this.hash(view, 0, size);
  }

  /** As `hash`, but returns the hash that `prepare` was given, if it was given one for these bytes. */
  hashOnce(view: DataView, start: number, end: number): number {
    return this.isPrepared(view, start, end) ? this.#hash : this.hash(view, start, end);
  }

  /**
   * Remembers the hash of `view[start, end)` until `forget`, which must be called before these bytes change: for keys
   * that are hashed ahead of their command, together with others.
   */
  prepare(view: DataView, start: number, end: number, hash: number): void {
    this.#view = view;
    this.#start = start;
    this.#end = end;
    this.#hash = hash;
  }

  isPrepared(view: DataView, start: number, end: number): boolean {
    return start === this.#start && view === this.#view && end === this.#end;
  }

  forget(): void {
    this.#view = null;
  }
}
