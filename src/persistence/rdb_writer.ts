// hot path
/** Writes RDB: headers, lengths and strings. What values consist of is value_writer.ts's. See rdb_format.ts. */
import { assert } from "../lib/assert.ts";
import { Crc64 } from "../lib/crc.ts";
import { Int64, parseInt64 } from "../lib/decimal.ts";
import { detach } from "../lib/detach.ts";
import { compress } from "../lib/lzf.ts";
import type { Slice } from "../lib/slice.ts";
import type { ByteSink } from "./byte_sink.ts";
import {
  LengthKind,
  Opcode,
  RDB_MAGIC,
  RDB_VERSION_CRC,
  RDB_VERSION_MAX,
  RDB_VERSION_MIN,
  StringEncoding,
} from "./rdb_format.ts";

/** Longer strings are not integers of 32 bits. */
export const INTEGER_TEXT_MAX = 11;
/** Shorter strings are not worth compressing. */
const COMPRESS_FROM = 21;
const AT_ONCE_MAX_BYTES = 64 * 1024;
/** Positions in what is compressed are integers of 31 bits. */
export const COMPRESS_LIMIT_BYTES = 2 ** 29;
/** The size from which the buffer for compression is not kept. */
const PACKED_BYTES = 4096;
const PACKED_KEPT_BYTES = 64 * 1024;
const TWO_32 = 4294967296;

// scratch: lives for one call
const integer = new Int64();
// scratch: lives for one call
let packed = new Uint8Array(PACKED_BYTES);

export class RdbWriter {
  constructor(
    readonly sink: ByteSink,
    /** Version of the format: 9 to 11. */
    readonly version: number,
    readonly compresses: boolean,
    /** Longer strings are written in steps: see long_strings.ts. Infinity where all is written at once. */
    readonly atOnceMaxBytes = AT_ONCE_MAX_BYTES,
  ) {
    assert(version >= RDB_VERSION_MIN, "the format has versions from 1 on");
    assert(version <= RDB_VERSION_MAX, "nothing is written that could not be read");
    assert(atOnceMaxBytes >= 0, "a limit is not negative");
  }

  // The file

  header(fields: readonly (readonly [name: string, value: string])[]): void {
    assert(this.sink.at === 0, "a header begins its file");
    this.sink.text(RDB_MAGIC + String(this.version).padStart(4, "0"));
    for (const [name, value] of fields) {
      this.sink.byte(Opcode.aux);
      this.textString(name);
      this.textString(value);
    }
  }

  functionLibrary(code: Uint8Array): void {
    assert(code.length > 0, "a library has code");
    this.sink.byte(Opcode.function2);
    this.string(code, new DataView(code.buffer), 0, code.length);
  }

  /** Entries of database `index` follow. */
  database(index: number): void {
    this.sink.byte(Opcode.selectDb);
    assert(index >= 0, "a database has an index");
    this.length(index);
  }

  /** Writes the number of keys of the database, so that the reader can make room. */
  databaseSize(keys: number, expiring: number): void {
    assert(expiring >= 0, "a count is not negative");
    assert(expiring <= keys, "keys that expire are some of all");
    this.sink.byte(Opcode.resizeDb);
    this.length(keys);
    this.length(expiring);
  }

  /** Ends the file; `crc` returns the checksum over everything written. */
  end(crc: () => Crc64): void {
    this.sink.byte(Opcode.end);
    if (this.version < RDB_VERSION_CRC) return;
    assert(this.sink.at > 0, "the sum stands behind something");
    this.checksum(crc());
  }

  checksum({ hi, lo }: Crc64): void {
    this.#int64(hi, lo);
  }

  // An entry's attributes

  deadline({ hi, lo }: Int64): void {
    this.sink.byte(Opcode.expireMs);
    this.#int64(hi, lo);
  }

  idle(seconds: number): void {
    assert(seconds >= 0, "an idle time is not negative");
    this.sink.byte(Opcode.idle);
    this.length(seconds);
  }

  frequency(count: number): void {
    assert(count >= 0, "a frequency is not negative");
    assert(count <= 255, "a frequency is a byte");
    this.sink.byte(Opcode.frequency);
    this.sink.byte(count);
  }

  // Numbers

  /** A count within 2^53. */
  length(count: number): void {
    assert(count >= 0, "a length is not negative");
    assert(count <= Number.MAX_SAFE_INTEGER, "a length is a count within 2^53");
    const { sink } = this;
    sink.need(9);
    const { view, at } = sink;
    if (count < 64) {
      view.setUint8(at, count);
      sink.at = at + 1;
    } else if (count < 16384) {
      view.setUint16(at, (LengthKind.bits14 << 14) | count);
      sink.at = at + 2;
    } else if (count < TWO_32) {
      view.setUint8(at, LengthKind.bits32);
      view.setUint32(at + 1, count);
      sink.at = at + 5;
    } else this.length64(Math.floor(count / TWO_32), count % TWO_32);
  }

  /** A count of 64 bits, in two halves. */
  length64(hi: number, lo: number): void {
    if (hi === 0) return this.length(lo >>> 0);
    const { sink } = this;
    sink.need(9);
    sink.view.setUint8(sink.at, LengthKind.bits64);
    sink.view.setUint32(sink.at + 1, hi);
    sink.view.setUint32(sink.at + 5, lo);
    sink.at += 9;
  }

  /** An integer of 64 bits, in two halves. */
  #int64(hi: number, lo: number): void {
    const { sink } = this;
    assert((lo | 0) === lo, "the lower half of an integer has 32 bits");
    assert((hi | 0) === hi, "the upper half of an integer has 32 bits");
    sink.need(8);
    assert(sink.at + 8 <= sink.view.byteLength, "there is room for an integer");
    sink.view.setInt32(sink.at, lo, true);
    sink.view.setInt32(sink.at + 4, hi, true);
    sink.at += 8;
  }

  /** Unix ms, within 2^53; −1 where there is no time. */
  milliseconds(ms: number): void {
    const { sink } = this;
    assert(ms >= -(2 ** 63), "a time is not below the integers of 64 bits");
    assert(ms < 2 ** 63, "a time is not beyond the integers of 64 bits");
    sink.need(8);
    sink.view.setUint32(sink.at, ms % TWO_32, true);
    sink.view.setInt32(sink.at + 4, Math.floor(ms / TWO_32), true);
    sink.at += 8;
  }

  double(value: number): void {
    const { sink } = this;
    assert(!Number.isNaN(value), "a score is a number");
    sink.need(8);
    sink.view.setFloat64(sink.at, value, true);
    sink.at += 8;
  }

  // Strings

  stringOf({ bytes, view, start, end }: Slice): void {
    this.string(bytes, view, start, end);
  }

  /** Writes a text whose characters are bytes. */
  textString(text: string): void {
    const bytes = Uint8Array.from(text, (character) => {
      assert(character.charCodeAt(0) <= 255, "a character of the text is a byte");
      return character.charCodeAt(0);
    });
    assert(bytes.length === text.length, "a text has a byte a character");
    this.string(bytes, new DataView(bytes.buffer), 0, bytes.length);
  }

  /** The string `bytes[start, end)`, of which `view` is the view, in whichever way is shortest. */
  string(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const size = end - start;
    assert(start >= 0, "a string begins in its bytes");
    assert(size >= 0, "a string does not end before it begins");
    assert(end <= bytes.length, "a string ends in its bytes");
    if (size <= INTEGER_TEXT_MAX && parseInt64(bytes, start, end, integer)) {
      if (this.#integer(integer)) return;
    }
    if (size >= COMPRESS_FROM && size <= COMPRESS_LIMIT_BYTES && this.compresses) {
      if (this.#compressed(bytes, view, start, end)) return;
    }
    this.plainString(bytes, start, end);
  }

  /** What precedes a compressed string's bytes. */
  packedHead(packedSize: number, size: number): void {
    assert(packedSize > 0, "what is compressed has bytes");
    assert(packedSize < size, "what is compressed is shorter");
    this.sink.byte((LengthKind.encoded << 6) | StringEncoding.lzf);
    this.length(packedSize);
    this.length(size);
    this.sink.expect(packedSize);
  }

  plainString(bytes: Uint8Array, start: number, end: number): void {
    assert(start <= end, "a string does not end before it begins");
    assert(end <= bytes.length, "a string ends in its bytes");
    this.length(end - start);
    this.sink.expect(end - start);
    this.sink.write(bytes, start, end);
  }

  /** Writes the text of the integer with these halves as a number; returns false, writing nothing, beyond 32 bits. */
  int32String(hi: number, lo: number): boolean {
    integer.hi = hi;
    integer.lo = lo;
    return this.#integer(integer);
  }

  #integer({ hi, lo }: Int64): boolean {
    assert((lo | 0) === lo, "the lower half of an integer is signed");
    if (hi !== lo >> 31) return false;
    const { sink } = this;
    sink.need(5);
    const { view, at } = sink;
    const kind = LengthKind.encoded << 6;
    if (lo << 24 >> 24 === lo) {
      view.setUint8(at, kind | StringEncoding.int8);
      view.setInt8(at + 1, lo);
      sink.at = at + 2;
    } else if (lo << 16 >> 16 === lo) {
      view.setUint8(at, kind | StringEncoding.int16);
      view.setInt16(at + 1, lo, true);
      sink.at = at + 3;
    } else {
      view.setUint8(at, kind | StringEncoding.int32);
      view.setInt32(at + 1, lo, true);
      sink.at = at + 5;
    }
    return true;
  }

  #compressed(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    const limit = end - start - 4;
    if (packed.length < limit) packed = new Uint8Array(Math.max(limit, 2 * packed.length));
    assert(packed.length >= limit, "there is room for what is compressed");
    const size = compress(bytes, view, start, end, packed, limit);
    assert(size >= 0, "a size is not negative");
    assert(size <= limit, "what is compressed stays within its room");
    assert(limit < end - start, "what is compressed is shorter");
    if (size > 0) {
      this.packedHead(size, end - start);
      this.sink.write(packed, 0, size);
    }
    if (packed.length > PACKED_KEPT_BYTES) {
      detach(packed);
      packed = new Uint8Array(PACKED_BYTES);
    }
    return size > 0;
  }
}
