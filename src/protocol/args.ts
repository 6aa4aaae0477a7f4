// hot path
/**
 * A request's arguments, read in place.
 *
 * `bounds` holds a (start, end) pair of byte offsets for each argument. They point into the client's read buffer (or a
 * private copy, for a queued command), those of a large argument into a buffer of its own: `bytesOf` returns the right
 * one. Argument 0 is the command's name. Reading allocates nothing. A read that fails keeps the first failure in
 * `error` and returns 0, so a command reads all it needs, in the order in which Redis checks it, and looks at `error`
 * once.
 */
import { assert } from "../lib/assert.ts";
import { copyBytes } from "../lib/copy.ts";
import { joined } from "../lib/joined.ts";
import { Int64, parseInt64, parseInteger } from "../lib/decimal.ts";
import { parseDouble } from "../lib/double_text.ts";
import type { Scratch } from "../lib/scratch.ts";
import { NO_BYTES, NO_VIEW, sameBytes } from "../lib/slice.ts";
import { BulkBuffer } from "./bulk_buffer.ts";
import { type ErrorReply, Errors } from "./errors.ts";

/** How many arguments there is room for from the start. */
export const ROOM_COUNT = 9;
/** Room for more arguments than this is freed after the request. */
const KEPT_ROOM_COUNT = 1024;
const NO_BOUNDS = new Int32Array(0);
// scratch: lives for one call
const wide = new Int64();
const decoder = new TextDecoder();

export class Args implements Scratch {
  #bytes: Uint8Array = NO_BYTES;
  #view: DataView = NO_VIEW;
  /** By index, the arguments that have buffers of their own; null where there is none, which is nearly always. */
  #buffers: (BulkBuffer | undefined)[] | null = null;
  /** Our own room for bounds, allocated when it is needed first: idle clients need borrowed bounds alone. */
  #own: Int32Array = NO_BOUNDS;
  bounds: Int32Array = this.#own;
  count = 0;
  error: ErrorReply | null = null;

  /** Forgets all arguments, and frees those of their buffers that were not taken. */
  clear(): void {
    if (this.#buffers !== null) this.#freeBuffers();
    if (this.#own.length > 2 * KEPT_ROOM_COUNT) this.#own = NO_BOUNDS;
    this.bounds = this.#own;
    this.count = 0;
  }

  forget(): void {
    this.clear();
    this.use(NO_BYTES, NO_VIEW);
  }

  /** Refers to `count` arguments by bounds that another object owns and does not change before `keep` or `giveBack`. */
  borrow(bounds: Int32Array, count: number): void {
    if (this.#buffers !== null) this.#freeBuffers();
    this.bounds = bounds;
    this.count = count;
  }

  /** Copies borrowed bounds, so that their owner may change them. */
  keep(): void {
    const { bounds } = this;
    if (bounds === this.#own) return;
    if (this.#own.length === 0) this.#own = new Int32Array(2 * ROOM_COUNT);
    this.bounds = this.#own;
    for (let i = 0; i < 2 * this.count; i++) this.#own[i] = bounds[i];
  }

  /** Drops borrowed bounds but keeps our own: they belong to a half-read request. */
  giveBack(): void {
    if (this.bounds !== this.#own) this.clear();
  }

  /** Makes `bytes` the buffer that the bounds point into, but for those of arguments in buffers of their own. */
  use(bytes: Uint8Array, view: DataView): void {
    // Compare first: writing a pointer costs V8's write barrier.
    if (this.#view === view) return;
    this.#bytes = bytes;
    this.#view = view;
  }

  /** Refers to arguments `first` to `last` of `other` without copying them; `other` still owns them. */
  referTo(other: Args, first: number, last: number): void {
    this.clear();
    this.use(other.#bytes, other.#view);
    for (let i = first; i <= last; i++) {
      const buffer = other.#buffers?.[i];
      if (buffer === undefined) this.push(other.start(i), other.end(i));
      else this.pushBuffer(buffer.alias(), other.end(i));
    }
  }

  /** What argument `index` lies in, from `start(index)` to `end(index)`. */
  bytesOf(index: number): Uint8Array {
    return this.#buffers === null ? this.#bytes : this.#buffers[index]?.bytes ?? this.#bytes;
  }

  /** The view over `bytesOf(index)`. */
  viewOf(index: number): DataView {
    return this.#buffers === null ? this.#view : this.#buffers[index]?.view ?? this.#view;
  }

  /**
   * Hands over the buffer that holds argument `index` alone, from its first byte to `end(index)`; the argument can
   * still be read. Null if the argument has no such buffer, or if it was taken before.
   */
  take(index: number): BulkBuffer | null {
    const buffer = this.#buffers?.[index];
    return buffer !== undefined && buffer.take() ? buffer : null;
  }

  /** Appends an argument that lies at `start` to `end` of the buffer. */
  push(start: number, end: number): void {
    if (2 * this.count === this.bounds.length) this.#grow();
    this.bounds[2 * this.count] = start;
    this.bounds[2 * this.count + 1] = end;
    this.count++;
  }

  /** Appends an argument that is the first `size` bytes of a buffer of its own. */
  pushBuffer(buffer: BulkBuffer, size: number): void {
    this.#buffers ??= [];
    this.#buffers[this.count] = buffer;
    this.push(0, size);
  }

  /** The content of the read buffer has moved to the front by so many bytes: moves the bounds that point into it. */
  shift(by: number, bytes: Uint8Array, view: DataView): void {
    for (let i = 0; i < this.count; i++) {
      if (this.#buffers?.[i] !== undefined) continue;
      this.bounds[2 * i] -= by;
      this.bounds[2 * i + 1] -= by;
    }
    this.use(bytes, view);
  }

  start(index: number): number {
    assert(index < this.count, "the argument exists");
    return this.bounds[2 * index];
  }

  end(index: number): number {
    assert(index < this.count, "the argument exists");
    return this.bounds[2 * index + 1];
  }

  length(index: number): number {
    return this.end(index) - this.start(index);
  }

  /**
   * A decimal integer of 64 bits; anything else fails with "not an integer or out of range". Beyond ±2^53 it is
   * rounded: for counts and times that are only compared. What must be exact there is read by `int64`.
   */
  integer(index: number): number {
    return this.integerOr(index, Errors.notAnInteger);
  }

  /** As `integer`, with a failure of the caller's choice. */
  integerOr(index: number, failure: ErrorReply): number {
    const value = parseInteger(this.bytesOf(index), this.start(index), this.end(index));
    return value === value ? value : this.#wideOr(index, failure);
  }

  #wideOr(index: number, failure: ErrorReply): number {
    const isWide = parseInt64(this.bytesOf(index), this.start(index), this.end(index), wide);
    return isWide ? wide.rounded : this.fail(failure);
  }

  /** An integer of 32 bits: databases' numbers. */
  int32(index: number): number {
    const value = this.integer(index);
    return (value | 0) === value ? value : this.fail(Errors.notAnInt32);
  }

  /** An integer from `least` to `most`; anything else fails with `failure`. */
  integerWithin(index: number, least: number, most: number, failure: ErrorReply): number {
    const value = this.integerOr(index, failure);
    return value >= least && value <= most ? value : this.fail(failure);
  }

  /** Reads a signed 64-bit integer into `into`; returns whether it was one. */
  int64(index: number, into: Int64): boolean {
    if (parseInt64(this.bytesOf(index), this.start(index), this.end(index), into)) return true;
    this.fail(Errors.notAnInteger);
    return false;
  }

  /** A double as Redis reads one: decimal, exponent, inf; "not a valid float" otherwise. */
  double(index: number): number {
    const value = parseDouble(this.bytesOf(index), this.start(index), this.end(index));
    return value === value ? value : this.fail(Errors.notAFloat);
  }

  /** Whether argument `index` spells `word` (upper-case ASCII letters, digits, - _) in any case. */
  spells(index: number, word: Uint8Array): boolean {
    const start = this.start(index);
    if (this.end(index) - start !== word.length) return false;
    const bytes = this.bytesOf(index);
    for (let i = 0; i < word.length; i++) {
      const byte = bytes[start + i];
      const upper = byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte;
      if (upper !== word[i]) return false;
    }
    return true;
  }

  /** As `spells` for code that runs seldom: `word` in upper case. */
  is(index: number, word: string): boolean {
    if (index >= this.count || this.length(index) !== word.length) return false;
    return this.text(index).toUpperCase() === word;
  }

  /** Whether argument `index` is that one character. Redis compares C strings, which a NUL ends. */
  isCharacter(index: number, character: number): boolean {
    const length = this.length(index);
    const bytes = this.bytesOf(index);
    const start = this.start(index);
    if (length === 0 || bytes[start] !== character) return false;
    return length === 1 || bytes[start + 1] === 0;
  }

  /** Whether two arguments hold the same bytes. */
  same(one: number, other: number): boolean {
    const length = this.length(one);
    if (length !== this.length(other)) return false;
    return sameBytes(
      this.viewOf(one),
      this.start(one),
      this.viewOf(other),
      this.start(other),
      length,
    );
  }

  /** The argument as text (UTF-8). Allocates; for what runs seldom. */
  text(index: number): string {
    const { buffer } = this.bytesOf(index);
    return decoder.decode(new Uint8Array(buffer, this.start(index), this.length(index)));
  }

  /** The argument's bytes, `most` at most, as a string of characters 0 to 255, which loses nothing. Allocates. */
  binary(index: number, most = Infinity): string {
    const start = this.start(index);
    return binaryText(this.bytesOf(index), start, Math.min(this.end(index), start + most));
  }

  /** All arguments from `first` on, each as `binary` gives it. */
  binaries(first: number): string[] {
    const texts: string[] = [];
    for (let i = first; i < this.count; i++) texts.push(this.binary(i));
    return texts;
  }

  /** A copy of the argument's bytes. Allocates. */
  copyOf(index: number): Uint8Array<ArrayBuffer> {
    const copy = new Uint8Array(this.length(index));
    copyBytes(this.bytesOf(index), this.start(index), this.end(index), copy, 0);
    return copy;
  }

  /**
   * A private copy of all arguments, for what outlives the request: MULTI, or a client that blocks. Buffers that
   * were not taken become the copy's.
   */
  copy(): Args {
    const copy = new Args();
    const taken: (BulkBuffer | null)[] = [];
    let size = 0;
    for (let i = 0; i < this.count; i++) {
      taken.push(this.take(i));
      if (taken[i] === null) size += this.length(i);
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for (let i = 0; i < this.count; i++) {
      const whole = taken[i];
      if (whole !== null) {
        copy.pushBuffer(new BulkBuffer(whole.bytes), this.length(i));
        continue;
      }
      const end = at + this.length(i);
      copyBytes(this.bytesOf(i), this.start(i), this.end(i), bytes, at);
      copy.push(at, end);
      at = end;
    }
    copy.use(bytes, new DataView(bytes.buffer));
    return copy;
  }

  /** Whether an argument has a buffer of its own. */
  get hasBuffers(): boolean {
    return this.#buffers !== null;
  }

  /** Bytes of the buffers that only these arguments keep; those of arguments that were taken are somebody else's. */
  get ownBytes(): number {
    if (this.#buffers === null) return 0;
    let bytes = 0;
    for (const buffer of this.#buffers) {
      if (buffer !== undefined && !buffer.isShared) bytes += buffer.bytes.length;
    }
    return bytes;
  }

  /** Bytes of all arguments. */
  get size(): number {
    let size = 0;
    for (let i = 0; i < this.count; i++) size += this.length(i);
    return size;
  }

  /** Keeps `error` unless an earlier one is kept; returns 0 for the reader that failed. */
  fail(error: ErrorReply): 0 {
    this.error ??= error;
    return 0;
  }

  #freeBuffers(): void {
    for (const buffer of this.#buffers ?? []) buffer?.free();
    this.#buffers = null;
  }

  #grow(): void {
    const grown = new Int32Array(Math.max(2 * ROOM_COUNT, 2 * this.bounds.length));
    grown.set(this.bounds);
    this.bounds = this.#own = grown;
  }
}

/** Longer texts are made in parts: V8 keeps a text that grows by single characters as a chain of as many links. */
const CHAIN_MAX = 4096;

/** `bytes[start, end)` as a string of characters 0 to 255. */
export function binaryText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > CHAIN_MAX) return longBinaryText(bytes, start, end);
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]);
  return text;
}

function longBinaryText(bytes: Uint8Array, start: number, end: number): string {
  const parts: string[] = [];
  for (let at = start; at < end; at += CHAIN_MAX) {
    const size = Math.min(CHAIN_MAX, end - at);
    const part = new Uint8Array(bytes.buffer, bytes.byteOffset + at, size);
    // To spread it into arguments takes eight times as long.
    parts.push(String.fromCharCode.apply(null, part as unknown as number[]));
  }
  return parts.join("");
}

/** The bytes of a string made by `binaryText`. */
export function binaryBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Arguments made of words: for requests that the server makes itself, and for tests. */
export function argsOf(...words: (string | Uint8Array)[]): Args {
  const parts = words.map((word) =>
    typeof word === "string" ? new TextEncoder().encode(word) : word
  );
  const args = new Args();
  let at = 0;
  for (const { length } of parts) {
    args.push(at, at + length);
    at += length;
  }
  const bytes = joined(parts);
  args.use(bytes, new DataView(bytes.buffer));
  return args;
}
