// hot path
/**
 * The id of a stream's entry: milliseconds and a sequence number, both unsigned 64-bit integers, written
 * `ms-seq`. In blocks of the arena it is 16 bytes, big-endian, as in Redis's files.
 */
import { assert } from "../lib/assert.ts";
import { Int64, parseInt64, parseLenientUnsigned, writeInt64 } from "../lib/decimal.ts";

export const STREAM_ID_BYTES = 16;
/** Two integers of 20 digits and the minus between them. */
const TEXT_MAX_BYTES = 41;
/** Redis reads no longer text as an id, however many zeros stand in front. */
const TEXT_READ_BYTES = 127;

const TWO_32 = 4294967296;
const ZERO = 0x30;
const MINUS = 0x2d;
const STAR = 0x2a;
/** Words of an id, the most significant first. */
const WORDS = 4;

/** What `StreamId.writeText` writes: the text of one id. */
// scratch: lives for one call
export const idText = new Uint8Array(TEXT_MAX_BYTES);
// The milliseconds at the beginning of `idText`, and where the text behind them begins.
// scratch: lives for one call
let writtenHi = 0;
// scratch: lives for one call
let writtenLo = 0;
// scratch: lives for one call
let writtenEnd = 2;
idText[0] = ZERO;
idText[1] = MINUS;

// scratch: lives for one call
const part = new Int64();

/** An id that is reused instead of allocated. */
export class StreamId {
  // Fields of more than 31 bits would be boxed.
  readonly #words = new Uint32Array(WORDS);

  copy(other: StreamId): void {
    const words = other.#words;
    this.setWords(words[0], words[1], words[2], words[3]);
  }

  /** Takes the integers whose 32-bit halves these are. */
  setWords(msHi: number, msLo: number, seqHi: number, seqLo: number): void {
    this.#words[0] = msHi;
    this.#words[1] = msLo;
    this.#words[2] = seqHi;
    this.#words[3] = seqLo;
  }

  /** Takes milliseconds within 2^53, and sequence number 0. */
  setTime(ms: number): void {
    assert(Number.isInteger(ms), "a time is a whole number of ms");
    assert(ms >= 0 && ms <= Number.MAX_SAFE_INTEGER, "a time lies within 2^53");
    this.setWords(Math.floor(ms / TWO_32), ms % TWO_32, 0, 0);
  }

  clear(): void {
    this.#words.fill(0);
  }

  setMax(): void {
    this.#words.fill(0xffffffff);
  }

  get isZero(): boolean {
    const words = this.#words;
    return (words[0] | words[1] | words[2] | words[3]) === 0;
  }

  get isMax(): boolean {
    const words = this.#words;
    return (words[0] & words[1] & words[2] & words[3]) === -1;
  }

  /** The milliseconds, exact within 2^53. */
  get ms(): number {
    return this.#words[0] * TWO_32 + this.#words[1];
  }

  /** Negative if it comes before `other`, 0 if it is the same. */
  compare(other: StreamId): number {
    for (let i = 0; i < WORDS; i++) {
      const own = this.#words[i];
      const its = other.#words[i];
      if (own !== its) return own < its ? -1 : 1;
    }
    return 0;
  }

  hasTimeOf(other: StreamId): boolean {
    return this.#words[0] === other.#words[0] && this.#words[1] === other.#words[1];
  }

  /** The id after it; returns false, changing nothing, if it is the last. */
  increment(): boolean {
    if (this.isMax) return false;
    for (let i = WORDS - 1; i >= 0 && this.#words[i]++ === 0xffffffff; i--);
    assert(!this.isZero, "an id after another is not 0-0");
    return true;
  }

  /** The id after it with the same milliseconds; returns false, changing nothing, if there is none. */
  incrementSequence(): boolean {
    if ((this.#words[2] & this.#words[3]) === -1) return false;
    assert(!this.isMax, "an id that can be followed is not the last");
    return this.increment();
  }

  /** The id before it; returns false, changing nothing, if it is 0-0. */
  decrement(): boolean {
    if (this.isZero) return false;
    for (let i = WORDS - 1; i >= 0 && this.#words[i]-- === 0; i--);
    assert(!this.isMax, "an id before another is not the last");
    return true;
  }

  setFirstSequence(): void {
    this.#words[2] = this.#words[3] = 0;
  }

  setLastSequence(): void {
    this.#words[2] = this.#words[3] = 0xffffffff;
  }

  // In blocks of the arena

  read(view: DataView, at: number): void {
    assert(at >= 0 && at + STREAM_ID_BYTES <= view.byteLength, "an id lies within its bytes");
    for (let i = 0; i < WORDS; i++) this.#words[i] = view.getUint32(at + 4 * i);
  }

  write(view: DataView, at: number): void {
    assert(at >= 0 && at + STREAM_ID_BYTES <= view.byteLength, "an id lies within its bytes");
    for (let i = 0; i < WORDS; i++) view.setUint32(at + 4 * i, this.#words[i]);
  }

  /** As `compare`, with the id at `at`. */
  compareAt(view: DataView, at: number): number {
    assert(at >= 0, "an id lies within its bytes");
    for (let i = 0; i < WORDS; i++) {
      const own = this.#words[i];
      const its = view.getUint32(at + 4 * i);
      if (own !== its) return own < its ? -1 : 1;
    }
    return 0;
  }

  /** How far its milliseconds and its sequence number lie after those of `base`, modulo 2^64. */
  differenceTo(base: StreamId, ms: Int64, seq: Int64): void {
    assert(ms !== seq, "the two parts are different objects");
    subtract(this.#words, base.#words, 0, ms);
    subtract(this.#words, base.#words, 2, seq);
  }

  /** Sets the id to `base` plus these two differences, modulo 2^64. */
  setAfter(base: StreamId, ms: Int64, seq: Int64): void {
    assert(ms !== seq, "the two parts are different objects");
    add(base.#words, ms, this.#words, 0);
    add(base.#words, seq, this.#words, 2);
  }

  // As text

  /** Writes `ms-seq` into `idText`; returns where it ends. */
  writeText(): number {
    const words = this.#words;
    const hi = words[0] | 0;
    const lo = words[1] | 0;
    // Ids come in runs of the same millisecond.
    if (hi !== writtenHi || lo !== writtenLo) {
      writtenHi = hi;
      writtenLo = lo;
      writtenEnd = writeInt64(words[0], words[1], idText, 0);
      idText[writtenEnd++] = MINUS;
    }
    assert(
      writtenEnd >= 2 && idText[writtenEnd - 1] === MINUS,
      "a minus follows the milliseconds",
    );
    assert(writtenEnd <= 21, "milliseconds have 20 digits at most");
    return writeInt64(words[2], words[3], idText, writtenEnd);
  }

  toString(): string {
    let shown = "";
    const end = this.writeText();
    assert(end <= TEXT_MAX_BYTES, "the text is not longer than any id's");
    for (let i = 0; i < end; i++) shown += String.fromCharCode(idText[i]);
    return shown;
  }

  /**
   * Reads `ms-seq`, or `ms` alone, for which the sequence number is 0 or, if `isEnd`, the last one. Returns
   * whether the text is an id. As in Redis, a NUL ends the text.
   */
  parse(bytes: Uint8Array, start: number, end: number, isEnd = false): boolean {
    assert(start <= end && end <= bytes.length, "a text lies within its bytes");
    if (end - start > TEXT_READ_BYTES) return false;
    const dash = dashIn(bytes, start, end);
    if (!parsePart(bytes, start, dash, this.#words, 0)) return false;
    if (dash < end && bytes[dash] === MINUS) {
      return parsePart(bytes, dash + 1, end, this.#words, 2);
    }
    if (isEnd) this.setLastSequence();
    else this.setFirstSequence();
    return true;
  }

  /** Reads `ms-*`, leaving the sequence number 0; returns whether the text is that. */
  parseOpen(bytes: Uint8Array, start: number, end: number): boolean {
    assert(start <= end && end <= bytes.length, "a text lies within its bytes");
    if (end - start > TEXT_READ_BYTES) return false;
    const dash = dashIn(bytes, start, end);
    this.setFirstSequence();
    if (dash + 1 >= end || bytes[dash] !== MINUS || bytes[dash + 1] !== STAR) return false;
    const isOver = dash + 2 === end || bytes[dash + 2] === 0;
    return isOver && parsePart(bytes, start, dash, this.#words, 0);
  }
}

/** No id comes before this one; entries have later ones. */
export const FIRST_ID = new StreamId();
/** No id comes after this one. */
export const LAST_ID = new StreamId();
LAST_ID.setMax();

/** Where the first minus is, or the text ends: at `end` or at a NUL. */
function dashIn(bytes: Uint8Array, start: number, end: number): number {
  assert(start <= end, "a text does not end before it begins");
  let dash = start;
  while (dash < end && bytes[dash] !== MINUS && bytes[dash] !== 0) dash++;
  return dash;
}

/**
 * Reads one part of an id into two words: an integer in strtoull's syntax, so that even white space is let pass, but no
 * negative number that is written as Redis writes integers.
 */
function parsePart(
  bytes: Uint8Array,
  start: number,
  end: number,
  words: Uint32Array,
  index: number,
): boolean {
  assert(index === 0 || index === 2, "milliseconds are words 0 and 1, the sequence 2 and 3");
  assert(start <= end, "a part does not end before it begins");
  const isPlainNegative = start < end && bytes[start] === MINUS &&
    parseInt64(bytes, start, end, part);
  if (isPlainNegative || !parseLenientUnsigned(bytes, start, end, part)) return false;
  words[index] = part.hi;
  words[index + 1] = part.lo;
  return true;
}

function subtract(a: Uint32Array, b: Uint32Array, index: number, into: Int64): void {
  assert(index === 0 || index === 2, "milliseconds are words 0 and 1, the sequence 2 and 3");
  const lo = a[index + 1] - b[index + 1];
  into.lo = lo | 0;
  into.hi = (a[index] - b[index] - (lo < 0 ? 1 : 0)) | 0;
}

function add(a: Uint32Array, b: Int64, into: Uint32Array, index: number): void {
  assert(index === 0 || index === 2, "milliseconds are words 0 and 1, the sequence 2 and 3");
  const lo = a[index + 1] + (b.lo >>> 0);
  into[index + 1] = lo;
  into[index] = a[index] + b.hi + (lo >= TWO_32 ? 1 : 0);
}
