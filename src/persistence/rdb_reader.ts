// hot path
/** Reads RDB: lengths and strings. What values consist of is value_reader.ts's. See rdb_format.ts. */
import { assert } from "../lib/assert.ts";
import { Int64 } from "../lib/decimal.ts";
import { decompress } from "../lib/lzf.ts";
import { copyIn } from "../lib/copy.ts";
import { Slice } from "../lib/slice.ts";
import type { ByteSource } from "./byte_source.ts";
import { LengthKind, StringEncoding } from "./rdb_format.ts";

const TWO_32 = 4294967296;
/** The greatest double below 2^63. */
const TIME_MAX_MS = 2 ** 63 - 1024;
/** LZF expands by this factor at most: three bytes stand for up to 264. */
const EXPANSION_MAX = 90;
const SCRATCH_BYTES = 4096;
const LARGE_BYTES = 1024 * 1024;
/** The scratch buffer is never smaller than this. */
const KEPT_MIN = SCRATCH_BYTES - 8;
/** Hashing reads four bytes at a time, and so up to three behind the last one. */
const READ_BEHIND = 4;

export class RdbReader {
  readonly #scratch = new Scratch();
  readonly #wide = new Int64();
  /** The string encoding that `#head` has read instead of a length; −1 if it was a length. */
  #encoding = -1;

  constructor(readonly source: ByteSource) {}

  byte(): number {
    return this.source.byte();
  }

  /** A count; fails beyond 2^53. */
  length(): number {
    const wide = this.#wide;
    this.length64(wide);
    const count = unsigned(wide);
    if (count > Number.MAX_SAFE_INTEGER) this.source.fail("Length out of range");
    assert(count >= 0, "a count is not negative");
    return count;
  }

  /** A count of 64 bits. */
  length64(into: Int64): void {
    this.#head(into);
    if (this.#encoding >= 0) this.source.fail("An encoded string where a length should be");
    assert(this.#encoding === -1, "a length is no encoding");
  }

  #head(into: Int64): void {
    const { source } = this;
    const first = source.byte();
    this.#encoding = -1;
    into.hi = 0;
    const kind = first >>> 6;
    if (kind === LengthKind.bits6) into.lo = first & 63;
    else if (kind === LengthKind.bits14) into.lo = ((first & 63) << 8) | source.byte();
    else if (kind === LengthKind.encoded) this.#encoding = first & 63;
    else if (first === LengthKind.bits32) {
      source.need(4);
      into.lo = source.view.getInt32(source.at);
      source.at += 4;
    } else if (first === LengthKind.bits64) {
      source.need(8);
      into.hi = source.view.getInt32(source.at);
      into.lo = source.view.getInt32(source.at + 4);
      source.at += 8;
    } else source.fail(`Unknown length encoding ${first}`);
  }

  /** Unix ms, or −1. Beyond ±2^53 it is rounded, and stays within 64 bits. */
  milliseconds(): number {
    const { source } = this;
    source.need(8);
    const lo = source.view.getUint32(source.at, true);
    const hi = source.view.getInt32(source.at + 4, true);
    source.at += 8;
    assert(source.at <= source.end, "what was read was at hand");
    const ms = hi * TWO_32 + lo;
    return Math.max(Math.min(ms, TIME_MAX_MS), -TIME_MAX_MS);
  }

  /** Unix ms, exactly. */
  deadline(out: Int64): void {
    const { source } = this;
    source.need(8);
    assert(source.at + 8 <= source.end, "a deadline lies in what was read");
    out.set(source.view.getInt32(source.at + 4, true), source.view.getInt32(source.at, true));
    source.at += 8;
  }

  uint32(): number {
    const { source } = this;
    source.need(4);
    source.at += 4;
    assert(source.at <= source.end, "what was read was at hand");
    return source.view.getUint32(source.at - 4, true);
  }

  double(): number {
    const { source } = this;
    source.need(8);
    source.at += 8;
    assert(source.at <= source.end, "what was read was at hand");
    return source.view.getFloat64(source.at - 8, true);
  }

  /** Points `into` at the next string, which is valid until something else is read. */
  string(into: Slice): void {
    const { source } = this;
    const wide = this.#wide;
    this.#head(wide);
    if (this.#encoding >= 0) return this.#encoded(this.#encoding, into);
    const size = unsigned(wide);
    this.raw(size, into);
    assert(into.end - into.start === size, "a string has the length that it says");
    source.at = into.end;
  }

  /** Points `into` at the next `size` bytes without moving past them. */
  raw(size: number, into: Slice): void {
    const { source } = this;
    assert(size >= 0, "a size is not negative");
    source.need(size);
    assert(source.at + size <= source.end, "what is shown is at hand");
    into.set(source.bytes, source.view, source.at, source.at + size);
  }

  #encoded(encoding: number, into: Slice): void {
    const { source } = this;
    let value: number;
    if (encoding === StringEncoding.int8) {
      source.need(1);
      value = source.view.getInt8(source.at);
      source.at += 1;
    } else if (encoding === StringEncoding.int16) {
      source.need(2);
      value = source.view.getInt16(source.at, true);
      source.at += 2;
    } else if (encoding === StringEncoding.int32) {
      source.need(4);
      value = source.view.getInt32(source.at, true);
      source.at += 4;
    } else if (encoding === StringEncoding.lzf) return this.#unpack(into);
    else return source.fail(`Unknown string encoding ${encoding}`);
    assert(source.at <= source.end, "what was read was at hand");
    assert((value | 0) === value, "an encoded integer has 32 bits at most");
    into.setInt64(value >> 31, value);
  }

  #unpack(into: Slice): void {
    const { source } = this;
    const packed = this.length();
    const size = this.length();
    if (size > packed * EXPANSION_MAX) source.fail("Invalid LZF compressed string");
    source.need(packed);
    const { bytes, at } = source;
    const scratch = this.#scratch;
    scratch.makeRoom(size);
    assert(scratch.bytes.length >= size, "there is room for what is unpacked");
    if (!decompress(bytes, at, at + packed, scratch.bytes, size)) {
      source.fail("Invalid LZF compressed string");
    }
    source.at += packed;
    assert(source.at <= source.end, "what was unpacked was at hand");
    into.set(scratch.bytes, scratch.view, 0, size);
  }

  /** The next string as text, one character a byte: for names. */
  text(): string {
    const slice = new Slice();
    this.string(slice);
    assert(slice.end <= slice.bytes.length, "a string lies in its bytes");
    let text = "";
    for (let i = slice.start; i < slice.end; i++) text += String.fromCharCode(slice.bytes[i]);
    return text;
  }

  /** The next string, in memory of its own. */
  ownBytes(): Uint8Array {
    const slice = new Slice();
    this.string(slice);
    assert(slice.end <= slice.bytes.length, "a string lies in its bytes");
    const own = new Uint8Array(slice.length);
    own.set(new Uint8Array(slice.bytes.buffer, slice.bytes.byteOffset + slice.start, slice.length));
    return own;
  }
}

/** An unsigned integer, exact within 2^53. */
function unsigned({ hi, lo }: Int64): number {
  // V8 keeps this result a small integer. As a double it would turn all positions computed from it into doubles.
  if (hi === 0 && lo >= 0) return lo;
  return (hi >>> 0) * TWO_32 + (lo >>> 0);
}

/** A buffer that is reused. */
export class Scratch {
  bytes = new Uint8Array(SCRATCH_BYTES);
  view = new DataView(this.bytes.buffer);

  /** Makes room for `size` bytes. Drops the contents, and the buffer if it was made for a large string. */
  makeRoom(size: number): void {
    assert(size >= 0, "a size is not negative");
    const needed = size + READ_BEHIND;
    const isWasteful = this.bytes.length > LARGE_BYTES && needed <= LARGE_BYTES;
    if (needed <= this.bytes.length && !isWasteful) return;
    this.bytes = new Uint8Array(Math.max(needed, SCRATCH_BYTES));
    this.view = new DataView(this.bytes.buffer);
    assert(this.bytes.length >= needed, "a new buffer has the room");
  }

  /** Copies `slice` into it, where it stays valid while other things are read. */
  keep(slice: Slice): void {
    const { bytes, view, start, end } = slice;
    const size = end - start;
    assert(bytes.buffer !== this.bytes.buffer, "what is kept does not lie here already");
    if (size > KEPT_MIN) this.makeRoom(size);
    assert(size <= this.bytes.length, "there is room for what is kept");
    copyIn(bytes, view, start, end, this.bytes, this.view, 0);
    slice.set(this.bytes, this.view, 0, size);
    assert(slice.length === size, "what is kept is as long as before");
  }
}
