// hot path
/**
 * Appends replies to one growing buffer, in RESP2 or RESP3 as the client has chosen.
 *
 * The sender takes the buffer (`release`) and gives it back to the pool once the bytes are sent, so that bytes
 * in flight are never changed.
 * Replies whose length is not known beforehand are begun with `mark()` and closed by `arrayFrom`.
 * Source: https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
import { Int64, writeDecimal, writeInt64 } from "../lib/decimal.ts";
import { DOUBLE_TEXT_MAX, writeDouble } from "../lib/double_text.ts";
import { copyBytes, copyIn } from "../lib/copy.ts";
import type { Slice } from "../lib/slice.ts";
import {
  BufferPool,
  FIRST_SIZES,
  memoryOf,
  NO_BUFFER,
  POOLED_MAX_BYTES,
  type ReplyBuffer,
} from "./buffer_pool.ts";
import { type ErrorReply, errorReply } from "./errors.ts";
import type { SharedBytes } from "./shared_bytes.ts";

const PLUS = 0x2b;
const CR = 0x0d;
const LF = 0x0a;
const DOLLAR = 0x24;
const STAR = 0x2a;
const COLON = 0x3a;
const PERCENT = 0x25;
const TILDE = 0x7e;
const GREATER = 0x3e;
const COMMA = 0x2c;
const BAR = 0x7c;
const EQUAL = 0x3d;

/** "+OK\r", and the headers "$0\r\n", "$00\r" and ":0\r\n", to whose zeros digits are added: words, low byte first. */
const OK_WORD = 0x0d4b4f2b;
const BULK_WORD = 0x0a0d3024;
const LONG_BULK_WORD = 0x0d303024;
const INTEGER_WORD = 0x0a0d303a;
const CR_LF = 0x0a0d;
/** A longer text is encoded by the library: that costs an object, but is quicker than a loop over the letters. */
const SHORT_TEXT = 128;
/** Longest header: a type byte, 20 digits, CRLF. */
const HEADER_BYTES = 24;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_X = 0x78;

const encoder = new TextEncoder();
const HEX_DIGITS = encoder.encode("0123456789abcdef");
/** By byte, the letter of its escape: of alarm, backspace, tab, line feed, return and quote. */
const ESCAPES = new Uint8Array(QUOTE + 1);
for (
  const [byte, letter] of [[7, "a"], [8, "b"], [9, "t"], [10, "n"], [13, "r"], [
    QUOTE,
    '"',
  ]] as const
) {
  ESCAPES[byte] = letter.charCodeAt(0);
}
const PONG = encoder.encode("+PONG\r\n");
const QUEUED = encoder.encode("+QUEUED\r\n");
const EMPTY_BULK = encoder.encode("$0\r\n\r\n");
const NULL_BULK = encoder.encode("$-1\r\n");
const NULL_ARRAY = encoder.encode("*-1\r\n");
const NULL3 = encoder.encode("_\r\n");
const TRUE3 = encoder.encode("#t\r\n");
const FALSE3 = encoder.encode("#f\r\n");

/** Who receives the replies. */
export interface ReplyOwner {
  /** Whether `bytes` of replies may wait for it; asked when more than the largest pooled buffer is needed. */
  mayHold(bytes: number): boolean;
}

export class ReplyWriter {
  /** The protocol's version: 2 or 3. */
  resp = 2;
  /** Replies so far that were errors; the evaluator compares it to see whether a command failed. */
  errorCount = 0;
  /**
   * The replies were longer than the owner may hold. They are lost, and what is written from now on, too: it goes to the
   * same bytes of the buffer again and again, so that a command which is under way can end. The owner must be disconnected.
   */
  isOver = false;
  #buffer: ReplyBuffer = NO_BUFFER;
  /** The fields of `#buffer`. */
  #bytes: Uint8Array = NO_BUFFER.bytes;
  #view: DataView = NO_BUFFER.view;
  #end = 0;
  /** Bytes of the replies that were released last: the next are likely to be as long. */
  #lastSize = 0;
  /** Where `firstBytes` stands in FIRST_SIZES. */
  #first = 0;
  /** Bytes of the longest replies that were released together, since `forgetPeak`. */
  #peak = 0;
  /** What waits and was not copied: then the buffer is empty. */
  #shared: SharedBytes | null = null;
  #sharedStart = 0;
  #sharedSize = 0;
  readonly #pool: BufferPool;
  readonly #owner: ReplyOwner | null;

  /** Buffers come from `pool`; one that has become too small goes back there. Without an owner there is no limit. */
  constructor(pool = new BufferPool(), owner: ReplyOwner | null = null) {
    this.#pool = pool;
    this.#owner = owner;
  }

  /** Bytes waiting to be sent. */
  get size(): number {
    return this.#end + this.#sharedSize;
  }

  /** Bytes that the buffer can hold before it grows. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** Memory of the buffer. */
  get memoryBytes(): number {
    return memoryOf(this.#buffer, this.#end);
  }

  /** Bytes of the buffer that the next replies begin with, at least; between them the writer has none. */
  get firstBytes(): number {
    return FIRST_SIZES[this.#first];
  }

  /** Bytes of the longest replies sent together since `forgetPeak`, as far as they fit in the largest first buffer. */
  get peakBytes(): number {
    return Math.min(Math.max(this.#peak, this.#end), FIRST_SIZES[FIRST_SIZES.length - 1]);
  }

  forgetPeak(): void {
    this.#peak = 0;
  }

  /**
   * Lets the first buffer follow the peak, so that the replies of a client that gets short and long ones by turns are
   * not moved from buffer to buffer. Returns 1 if it has grown a step, −1 if it has shrunk, else 0.
   */
  adapt(): number {
    const { peakBytes, firstBytes } = this;
    let step = 0;
    if (peakBytes >= firstBytes && this.#first < FIRST_SIZES.length - 1) step = 1;
    else if (this.#first > 0 && peakBytes < FIRST_SIZES[this.#first - 1]) step = -1;
    this.#first += step;
    return step;
  }

  ok(): void {
    this.#reserve(HEADER_BYTES);
    this.#view.setInt32(this.#end, OK_WORD, true);
    this.#bytes[this.#end + 4] = LF;
    this.#end += 5;
  }

  pong(): void {
    this.raw(PONG);
  }

  queued(): void {
    this.raw(QUEUED);
  }

  /** A simple string, such as "+Background saving started". One line. */
  simple(text: string): void {
    if (isAscii(text)) this.simpleBinary(text);
    else this.raw(encoder.encode(`+${text}\r\n`));
  }

  error(reply: ErrorReply): void {
    this.errorCount++;
    this.raw(reply);
  }

  /** An error whose text is made for this reply, such as "ERR unknown …"; not for hot paths. */
  errorText(text: string): void {
    this.error(errorReply(text));
  }

  /** A simple string of bytes given as characters 0 to 255. */
  simpleBinary(text: string): void {
    this.#reserve(text.length + 3);
    this.#bytes[this.#end++] = PLUS;
    for (let i = 0; i < text.length; i++) this.#bytes[this.#end++] = text.charCodeAt(i);
    this.#crlf();
  }

  /** A bulk string of bytes given as characters 0 to 255. */
  bulkBinary(text: string): void {
    const at = this.#bulkHeader(text.length);
    for (let i = 0; i < text.length; i++) this.#bytes[at + i] = text.charCodeAt(i);
    this.#endBulk(at + text.length);
  }

  /**
   * An integer below 2^63 in magnitude. A double beyond ±2^53 has been rounded: what can be so large and must be exact
   * is written by `int64`. Anything that is no integer throws and writes nothing.
   */
  integer(value: number): void {
    if ((value | 0) !== value || value < 0 || value >= 10) return this.#header(COLON, value);
    this.#reserve(HEADER_BYTES);
    this.#view.setInt32(this.#end, INTEGER_WORD + (value << 8), true);
    this.#end += 4;
  }

  int64(value: Int64): void {
    this.#reserve(HEADER_BYTES);
    this.#bytes[this.#end++] = COLON;
    this.#end = writeInt64(value.hi, value.lo, this.#bytes, this.#end);
    this.#crlf();
  }

  bigint(value: bigint): void {
    this.raw(encoder.encode(`:${value}\r\n`));
  }

  /** A bulk string: `source[start, end)`. */
  bulk(source: Uint8Array, start: number, end: number): void {
    const at = this.#bulkHeader(end - start);
    copyBytes(source, start, end, this.#bytes, at);
    this.#endBulk(at + end - start);
  }

  /** As `bulk`, of bytes with the view over them: quicker. */
  bulkIn(source: Uint8Array, view: DataView, start: number, end: number): void {
    const at = this.#bulkHeader(end - start);
    copyIn(source, view, start, end, this.#bytes, this.#view, at);
    this.#endBulk(at + end - start);
  }

  /** A bulk string, read in place. */
  bulkOf(source: Slice): void {
    this.bulkIn(source.bytes, source.view, source.start, source.end);
  }

  /** Makes room for a bulk string of `size` bytes and writes its header; returns where the bytes go. */
  #bulkHeader(size: number): number {
    this.#reserve(size + HEADER_BYTES + 2);
    const view = this.#view;
    const at = this.#end;
    if (size < 10) {
      view.setInt32(at, BULK_WORD + (size << 8), true);
      return at + 4;
    }
    if (size < 100) {
      const tens = (size / 10) | 0;
      const digits = (tens << 8) + ((size - 10 * tens) << 16);
      view.setInt32(at, LONG_BULK_WORD + digits, true);
      view.setUint8(at + 4, LF);
      return at + 5;
    }
    view.setUint8(at, DOLLAR);
    const end = writeDecimal(size, this.#bytes, at + 1);
    view.setInt16(end, CR_LF, true);
    return end + 2;
  }

  /** Ends a bulk string whose bytes end at `at`. */
  #endBulk(at: number): void {
    this.#view.setInt16(at, CR_LF, true);
    this.#end = at + 2;
  }

  /** A bulk string of text, as UTF-8. */
  bulkText(text: string): void {
    if (text.length <= SHORT_TEXT && isAscii(text)) return this.bulkBinary(text);
    const bytes = encoder.encode(text);
    this.bulk(bytes, 0, bytes.length);
  }

  /** A bulk string that holds an integer: see `integer`. */
  bulkInteger(value: number): void {
    const end = writeDecimal(value, scratch, 0);
    this.bulk(scratch, 0, end);
  }

  /** A bulk string that holds a 64-bit integer. */
  bulkInt64(hi: number, lo: number): void {
    const end = writeInt64(hi, lo, scratch, 0);
    this.bulk(scratch, 0, end);
  }

  emptyBulk(): void {
    this.raw(EMPTY_BULK);
  }

  /** The null of RESP3, or RESP2's null bulk string. */
  nullBulk(): void {
    this.raw(this.resp === 2 ? NULL_BULK : NULL3);
  }

  /** The null of RESP3, or RESP2's null array. */
  nullArray(): void {
    this.raw(this.resp === 2 ? NULL_ARRAY : NULL3);
  }

  array(count: number): void {
    this.#header(STAR, count);
  }

  emptyArray(): void {
    this.#header(STAR, 0);
  }

  /** A map of `count` pairs: each key and value follows. In RESP2 a flat array. */
  map(count: number): void {
    if (this.resp === 2) this.#header(STAR, 2 * count);
    else this.#header(PERCENT, count);
  }

  set(count: number): void {
    this.#header(this.resp === 2 ? STAR : TILDE, count);
  }

  /** Attributes exist in RESP3 only; ask `resp` first. */
  attribute(count: number): void {
    this.#header(BAR, count);
  }

  /** An out-of-band message of `count` elements. */
  push(count: number): void {
    this.#header(this.resp === 2 ? STAR : GREATER, count);
  }

  /** 1 or 0 in RESP2. */
  bool(value: boolean): void {
    if (this.resp === 2) this.integer(value ? 1 : 0);
    else this.raw(value ? TRUE3 : FALSE3);
  }

  /** A double; in RESP2 a bulk string of its text. */
  double(value: number): void {
    const size = writeDouble(value, scratch, 0);
    if (this.resp === 2) return this.bulk(scratch, 0, size);
    this.#reserve(size + 3);
    this.#bytes[this.#end++] = COMMA;
    this.#copy(scratch, 0, size);
    this.#crlf();
  }

  /** A double whose text is chosen by the caller; in RESP2 a bulk string. */
  doubleText(text: string): void {
    if (this.resp === 2) return this.bulkText(text);
    this.raw(encoder.encode(`,${text}\r\n`));
  }

  /** An integer of any size, as its digits; in RESP2 a bulk string. */
  bigNumber(digits: string): void {
    if (this.resp === 2) return this.bulkText(digits);
    this.raw(encoder.encode(`(${digits}\r\n`));
  }

  /** Text with a format of three letters ("txt", "mkd"); in RESP2 a bulk string. */
  verbatim(format: string, text: string): void {
    if (this.resp === 2) return this.bulkText(text);
    const bytes = encoder.encode(`${format}:${text}`);
    this.raw(encoder.encode(`=${bytes.length}\r\n`));
    this.raw(bytes);
    this.#crlf();
  }

  /** Bytes in double quotes, with the escapes of redis-cli: part of a line. */
  quoted(source: Uint8Array, start: number, end: number): void {
    this.#reserve(4 * (end - start) + 2);
    this.#bytes[this.#end++] = QUOTE;
    for (let i = start; i < end; i++) this.#quotedByte(source[i]);
    this.#bytes[this.#end++] = QUOTE;
  }

  #quotedByte(byte: number): void {
    const bytes = this.#bytes;
    const escape = byte < ESCAPES.length ? ESCAPES[byte] : byte === BACKSLASH ? BACKSLASH : 0;
    if (escape !== 0) {
      bytes[this.#end++] = BACKSLASH;
      bytes[this.#end++] = escape;
    } else if (byte >= 0x20 && byte < 0x7f) bytes[this.#end++] = byte;
    else {
      bytes[this.#end++] = BACKSLASH;
      bytes[this.#end++] = LETTER_X;
      bytes[this.#end++] = HEX_DIGITS[byte >>> 4];
      bytes[this.#end++] = HEX_DIGITS[byte & 15];
    }
  }

  /** As `verbatim`, of bytes given as characters 0 to 255; a format is cut or filled to three letters. */
  verbatimBinary(format: string, text: string): void {
    if (this.resp === 2) return this.bulkBinary(text);
    this.#header(EQUAL, text.length + 4);
    const whole = `${format.substring(0, 3).padEnd(3)}:${text}`;
    this.#reserve(whole.length + 2);
    for (let i = 0; i < whole.length; i++) this.#bytes[this.#end++] = whole.charCodeAt(i);
    this.#crlf();
  }

  /** Bytes that are an encoded reply already. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length + 2);
    this.#copy(bytes, 0, bytes.length);
  }

  /**
   * Appends what stands from `start` on in `shared`: without a copy, if nothing waits but what stands before it there.
   * Whatever is written next has all of it copied first.
   */
  share(shared: SharedBytes, start: number): void {
    const { end } = shared;
    if (this.#shared === shared && this.#sharedStart + this.#sharedSize === start) {
      this.#sharedSize += end - start;
    } else if (this.size === 0) {
      shared.hold();
      this.#shared = shared;
      this.#sharedStart = start;
      this.#sharedSize = end - start;
      this.#pool.give(this.#buffer);
      this.#use(NO_BUFFER);
    } else {
      this.#reserve(end - start);
      this.#copyShared(shared, start, end);
    }
  }

  /** Not null while all that waits to be sent lies there, `size` bytes from `sharedStart` on. */
  get shared(): SharedBytes | null {
    return this.#shared;
  }

  get sharedStart(): number {
    return this.#sharedStart;
  }

  /** Holds what has been written, in its first `size` bytes, unless that is shared. */
  get buffer(): ReplyBuffer {
    return this.#buffer;
  }

  /** The caller now holds what was shared, and sends it. */
  releaseShared(): void {
    this.#shared = null;
    this.#sharedSize = 0;
  }

  /** Copies what was shared to this writer's own buffer. */
  #own(shared: SharedBytes): void {
    const start = this.#sharedStart;
    const end = start + this.#sharedSize;
    this.releaseShared();
    this.#reserve(end - start);
    this.#copyShared(shared, start, end);
    shared.release();
  }

  #copyShared(shared: SharedBytes, start: number, end: number): void {
    const { bytes, view } = shared.buffer;
    copyIn(bytes, view, start, end, this.#bytes, this.#view, this.#end);
    this.#end += end - start;
  }

  /** Appends what has been written to `other`, and gives the buffer back. */
  moveTo(other: ReplyWriter): void {
    if (this.#shared !== null) this.#own(this.#shared);
    other.raw(this.since(0));
    other.isOver ||= this.isOver;
    this.drop();
  }

  /** Forgets what has been written, and gives the buffer back. */
  drop(): void {
    this.#shared?.release();
    this.releaseShared();
    this.#pool.give(this.release());
  }

  /** The position of a reply that begins now, for `arrayFrom` and `rewind`. */
  mark(): number {
    // Here, too, so that the position stays: what comes next would have it copied.
    if (this.#shared !== null) this.#own(this.#shared);
    return this.#end;
  }

  /** Forgets what was written since `mark`. */
  rewind(mark: number): void {
    this.#end = mark;
  }

  /** The buffer that bytes 0 to `size` of the replies lie in: valid until the next reply. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** The bytes written since `mark`, in place: valid until the next reply. */
  since(mark: number): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, mark, Math.max(this.#end - mark, 0));
  }

  /** Makes what was written since `mark` an array of `count` elements. One copyWithin. */
  arrayFrom(mark: number, count: number): void {
    this.#headerAt(mark, STAR, count);
  }

  /** As `arrayFrom`, a map of `count` pairs. */
  mapFrom(mark: number, count: number): void {
    if (this.resp === 2) this.#headerAt(mark, STAR, 2 * count);
    else this.#headerAt(mark, PERCENT, count);
  }

  /** As `arrayFrom`, a set. */
  setFrom(mark: number, count: number): void {
    this.#headerAt(mark, this.resp === 2 ? STAR : TILDE, count);
  }

  /** Makes an array of `cursor` and the one reply that was written since `mark`: the reply of SCAN. */
  scanFrom(mark: number, cursor: number): void {
    const size = writeDecimal(cursor, scratch, 0);
    const header = size < 10 ? 10 + size : 11 + size; // "*2 $n n…", each with its CRLF
    // Reserve what `#header` and `bulk` will ask for, too: the buffer must not grow while `#end` excludes the moved reply.
    this.#reserve(header + 4 * HEADER_BYTES);
    this.#bytes.copyWithin(mark + header, mark, this.#end);
    const end = this.#end + header;
    this.#end = mark;
    this.#header(STAR, 2);
    this.bulk(scratch, 0, size);
    this.#end = end;
  }

  /** Hands over the buffer, whose bytes 0 to `size` wait to be sent; the next reply begins another one. */
  release(): ReplyBuffer {
    const taken = this.#buffer;
    this.#use(NO_BUFFER);
    if (this.#end > this.#peak) this.#peak = this.#end;
    // At most the largest pooled size: a reply of many megabytes must not reserve as much for the next one.
    this.#lastSize = Math.min(this.#end, POOLED_MAX_BYTES);
    this.#end = 0;
    return taken;
  }

  /** A copy of the bytes so far; the writer starts anew. For tests and for what runs seldom. */
  take(): Uint8Array {
    if (this.#shared !== null) this.#own(this.#shared);
    const taken = new Uint8Array(this.#end);
    taken.set(new Uint8Array(this.#bytes.buffer, 0, this.#end));
    if (this.#end > this.#peak) this.#peak = this.#end;
    this.#end = 0;
    return taken;
  }

  #headerAt(mark: number, type: number, count: number): void {
    this.#reserve(HEADER_BYTES);
    const size = writeDecimal(count, scratch, 0);
    this.#bytes.copyWithin(mark + size + 3, mark, this.#end);
    this.#bytes[mark] = type;
    for (let i = 0; i < size; i++) this.#bytes[mark + 1 + i] = scratch[i];
    this.#bytes[mark + size + 1] = CR;
    this.#bytes[mark + size + 2] = LF;
    this.#end += size + 3;
  }

  #header(type: number, value: number): void {
    this.#reserve(HEADER_BYTES);
    // Write the number first: if it is refused, no half of a reply is left behind.
    const end = writeDecimal(value, this.#bytes, this.#end + 1);
    this.#bytes[this.#end] = type;
    this.#end = end;
    this.#crlf();
  }

  #copy(source: Uint8Array, start: number, end: number): void {
    copyBytes(source, start, end, this.#bytes, this.#end);
    this.#end += end - start;
  }

  #crlf(): void {
    this.#view.setInt16(this.#end, CR_LF, true);
    this.#end += 2;
  }

  #reserve(size: number): void {
    if (this.#end + size > this.#bytes.length) this.#grow(size);
  }

  #grow(size: number): void {
    if (this.#shared !== null) {
      this.#own(this.#shared);
      return this.#reserve(size);
    }
    if (this.#end + size > POOLED_MAX_BYTES && this.#owner !== null) {
      this.isOver ||= !this.#owner.mayHold(this.#end + size);
      // Not to the beginning: the size still says that there is more than may be sent.
      if (this.isOver) this.#end = Math.min(this.#end, this.#bytes.length >>> 1);
      if (this.#end + size <= this.#bytes.length) return;
    }
    const needed = this.#end === 0
      ? Math.max(size, this.#lastSize, FIRST_SIZES[this.#first])
      : 2 * (this.#end + size);
    const grown = this.#pool.take(needed);
    grown.bytes.set(new Uint8Array(this.#bytes.buffer, 0, this.#end));
    this.#pool.give(this.#buffer);
    this.#use(grown);
  }

  #use(buffer: ReplyBuffer): void {
    this.#buffer = buffer;
    this.#bytes = buffer.bytes;
    this.#view = buffer.view;
  }
}

// scratch: lives for one call
const scratch = new Uint8Array(DOUBLE_TEXT_MAX);

/** Whether a text has one byte a character. */
function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
