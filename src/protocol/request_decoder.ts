// hot path
/**
 * Turns the bytes of one connection into requests: RESP arrays of bulk strings, or inline commands
 * (`PING\r\n` typed over nc). It owns the read buffer and resumes wherever the bytes stop.
 *
 *     buffer:  | read and done | a request, maybe partial | free |
 *              0            #begin                     #filled   length
 *
 * `space()` is where the socket reads to, `received(n)` says how much came, `next(args)` yields one
 * request after another until it answers MORE. The arguments are positions in the buffer, valid until
 * the next `space()`, and unless `args.keep()` is called until the next use of any decoder. Buffer sizes: 512 B
 * while idle, 16 KiB after a read that filled it, grown for a larger request (as its bytes arrive, never by what it
 * announces), given back after.
 *
 * An argument of 32 KiB or more that is still to come gets a buffer of its own, and the socket reads straight into it: a
 * command that stores it takes the buffer, and nothing is copied but its first megabyte. Only when that has arrived is the
 * buffer as large as the argument announces: the runtime collects garbage for each 64 MB that are asked for, some
 * milliseconds, in which a few bytes from one client would keep all others waiting. The rest of such a buffer takes
 * memory as its bytes arrive, since the system gives pages when they are first written to.
 * Source: https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
import { parseInteger } from "../lib/decimal.ts";
import { detach } from "../lib/detach.ts";
import { type Args, ROOM_COUNT } from "./args.ts";
import { BulkBuffer } from "./bulk_buffer.ts";
import { type ErrorReply, Errors, expectedDollar } from "./errors.ts";
import { splitInline } from "./inline.ts";
import { ANNOUNCED_MIN, Pipeline, PIPELINE_ROOM, type PipelineListener } from "./pipeline.ts";
import { scratch } from "../lib/scratch.ts";

/** What `next` found: no whole request yet, one request, bytes that break the protocol, or too many of them. */
export const Decoded = { more: 0, request: 1, broken: 2, tooMuch: 3 } as const;

const IDLE_BYTES = 512;
// 16 KiB: at pipeline 100 a read of 512 B costs 4.6 times the CPU, one of 64 KiB only 7 % less.
const BUSY_BYTES = 16 * 1024;
/**
 * A buffer of this size grows 64-fold at once, so that it is copied only once; pages take no memory until they are
 * filled.
 */
const LARGE_BYTES = 1024 * 1024;
const LARGE_GROWTH = 64;
const GROWTH_MAX_BYTES = 512 * 1024 * 1024;
/** An argument of so many bytes gets a buffer of its own, unless it has arrived already. */
const OWN_BUFFER_MIN = 32 * 1024;
/** So large is that buffer at most until it is full; then it gets its final size. */
const OWN_FIRST_MAX = 1024 * 1024;
/**
 * The most that one read puts into such a buffer: each new page costs some microseconds, during which all others wait.
 */
const OWN_BUFFER_READ_MAX = 256 * 1024;
/** After so many reads that fit in IDLE_BYTES the buffer is given back. */
const SMALL_READS_BEFORE_IDLE = 64;
const INLINE_MAX_BYTES = 64 * 1024;
const COUNT_MAX = 2147483647;
const UNAUTHENTICATED_COUNT_MAX = 10;
const UNAUTHENTICATED_BULK_MAX = 16384;

const STAR = 0x2a;
const DOLLAR = 0x24;
const CR = 0x0d;
const LF = 0x0a;
/** "*", any byte, CRLF, as a little-endian word; and its CRLF alone. */
const STAR_CR_LF = 0x0a0d002a;
const CR_LF = 0x0a0d;

/** The bounds that configuration and authentication put on a request; shared, read at each use. */
export interface RequestLimits {
  /** Largest argument in bytes: proto-max-bulk-len. */
  readonly bulkMax: number;
  /**
   * Bytes that may wait to be decoded: client-query-buffer-limit. They are those of one argument, with its CRLF, or of
   * an inline command: the arguments before it are decoded, and do not count, as in Redis.
   */
  readonly queryMax: number;
  /** An unauthenticated client may send 10 arguments of 16 KiB and no more. */
  readonly authenticated: boolean;
}

/**
 * What the decoder that was used last has decoded ahead. Another decoder drops it; the first one then decodes it again.
 */
// scratch: lives for one call
const pipeline = scratch(new Pipeline());

export class RequestDecoder {
  readonly limits: RequestLimits;
  readonly #listener: PipelineListener | null;
  /** The reply to send before closing, once `next` has answered `broken`. */
  failure: ErrorReply = Errors.syntax;
  #bytes = new Uint8Array(IDLE_BYTES);
  #view = new DataView(this.#bytes.buffer);
  /** Where the current request begins. */
  #begin = 0;
  /** Where parsing goes on. */
  #at = 0;
  #filled = 0;
  #smallReads = 0;
  /** Arguments of the current array still to come; 0 between requests. */
  #pending = 0;
  /** Length of the argument whose header has been read, or -1. */
  #bulk = -1;
  /**
   * The buffer of that argument, if it has one of its own, with room for the CRLF behind it; and how much has arrived.
   */
  #own: BulkBuffer | null = null;
  #ownFilled = 0;
  /** Whether a read is under way into what `space` gave. */
  #isReading = false;

  constructor(limits: RequestLimits, listener: PipelineListener | null = null) {
    this.limits = limits;
    this.#listener = listener;
  }

  /**
   * Bytes of the current request and of those behind it: the `qbuf` of CLIENT LIST. As in Redis, what stands before an
   * argument in a buffer of its own does not count: it is decoded.
   */
  get pendingBytes(): number {
    return this.#filled - this.#pendingStart + this.#ownFilled;
  }

  get #pendingStart(): number {
    return this.#own === null ? this.#begin : this.#at;
  }

  /** The rest of the buffer: the `qbuf-free` of CLIENT LIST. Room that takes no memory yet is left out. */
  get freeBytes(): number {
    const room = Math.min(this.#bytes.length, LARGE_BYTES + this.#filled);
    return room - (this.#filled - this.#pendingStart);
  }

  /** Where the socket may read to; never empty. Moves a partial request (and `args` with it). */
  space(args: Args): Uint8Array {
    this.#isReading = true;
    pipeline.drop(this);
    const left = this.#ownLeft;
    if (this.#own !== null && left > 0) {
      const { buffer } = this.#own.bytes;
      return new Uint8Array(buffer, this.#ownFilled, Math.min(left, OWN_BUFFER_READ_MAX));
    }
    if (this.#pending === 0) this.#begin = this.#at;
    if (this.#begin === this.#filled) this.#reset();
    else if (this.#filled === this.#bytes.length) this.#makeRoom(args);
    if (this.#filled === 0) return this.#bytes;
    return new Uint8Array(this.#bytes.buffer, this.#filled);
  }

  /** `count` bytes have been read into what `space` gave. */
  received(count: number): void {
    this.#isReading = false;
    if (this.#ownLeft > 0) {
      this.#ownFilled += count;
      return;
    }
    this.#filled += count;
    if (count < IDLE_BYTES) this.#smallReads++;
    else this.#smallReads = 0;
  }

  /** The connection is over: gives back what it holds of a request that will not come. */
  close(args: Args): void {
    pipeline.drop(this);
    args.clear();
    this.#own?.free();
    this.#own = null;
  }

  /** The next whole request, as positions in the buffer. */
  next(args: Args): number {
    for (;;) {
      if (this.#pending === 0) {
        this.#begin = this.#at;
        if (pipeline.hasNext(this) || this.#decodeAhead() > 0) {
          this.#at = pipeline.take(args);
          return Decoded.request;
        }
        args.clear();
        if (this.#at === this.#filled) return Decoded.more;
        const found = this.#bytes[this.#at] === STAR ? this.#array() : this.#inline(args);
        if (found !== Decoded.request) return found;
        if (this.#pending === 0 && args.count === 0) continue; // an empty array or line
        if (this.#pending === 0) return Decoded.request;
        args.use(this.#bytes, this.#view);
      }
      return this.#bulks(args);
    }
  }

  /**
   * Decodes complete requests of up to 9 arguments of up to 99 bytes each, until `pipeline` is full or a request is
   * longer or incomplete; returns how many. Nearly all requests are so short. One pass decodes them: PING takes 73 ns
   * instead of 95, SET 255 instead of 333.
   */
  #decodeAhead(): number {
    pipeline.begin(this, this.#bytes, this.#view);
    let at = this.#at;
    while (pipeline.count < PIPELINE_ROOM) {
      at = this.#short(at);
      if (at < 0) break;
    }
    if (pipeline.count >= ANNOUNCED_MIN) this.#listener?.onReadAhead(pipeline);
    return pipeline.count;
  }

  /** Adds the request that begins at `at` to the pipeline; returns where it ends, or -1 if it is not a short one. */
  #short(at: number): number {
    const view = this.#view;
    const filled = this.#filled;
    if (at + 4 > filled) return -1;
    const head = view.getInt32(at, true);
    const count = ((head >>> 8) & 0xff) - 0x30;
    if ((head & ~0xff00) !== STAR_CR_LF || count < 1 || count > ROOM_COUNT) return -1;
    at += 4;
    const bounds = pipeline.bounds[pipeline.count];
    for (let i = 0; i < count; i++) {
      if (at + 5 > filled) return -1;
      const header = view.getInt32(at, true);
      let size = ((header >>> 8) & 0xff) - 0x30;
      if ((header & 0xff) !== DOLLAR || size < 0 || size > 9) return -1;
      if (header >>> 16 !== CR_LF) {
        const ones = ((header >>> 16) & 0xff) - 0x30;
        if (ones < 0 || ones > 9 || size === 0) return -1;
        if (header >>> 24 !== CR || view.getUint8(at + 4) !== LF) return -1;
        size = 10 * size + ones;
        at++;
      }
      at += 4;
      const end = at + size;
      if (end + 2 > filled) return -1;
      bounds[2 * i] = at;
      bounds[2 * i + 1] = end;
      at = end + 2;
    }
    pipeline.push(count, at);
    return at;
  }

  #bulks(args: Args): number {
    while (this.#pending > 0) {
      if (this.#bulk < 0) {
        const found = this.#bulkHeader();
        if (found !== Decoded.request) return found;
      }
      const end = this.#at + this.#bulk;
      if (this.#bulk >= OWN_BUFFER_MIN && this.#isTooMuch(this.#bulk + 2)) return Decoded.tooMuch;
      if (this.#ownLeft > 0) return Decoded.more;
      if (this.#own !== null && this.#ownFilled === this.#bulk + 2) {
        args.pushBuffer(this.#own, this.#bulk);
        this.#own = null;
        this.#ownFilled = 0;
      } else if (this.#own === null && end + 2 <= this.#filled) {
        args.push(this.#at, end);
        this.#at = end + 2;
      } else if (this.#bulk < OWN_BUFFER_MIN || this.#isReading) {
        // A read that is under way, as a blocked client's is when it is released, ends in the buffer where it began.
        return Decoded.more;
      } else if (this.#growOwn()) continue;
      else return this.#break(Errors.bulkTooLarge);
      this.#bulk = -1;
      this.#pending--;
    }
    return Decoded.request;
  }

  /** Whether an argument of `size` bytes exceeds the limit, and so much of it has arrived that the limit is reached. */
  #isTooMuch(size: number): boolean {
    const { queryMax } = this.limits;
    return size > queryMax && this.#filled - this.#at + this.#ownFilled > queryMax;
  }

  /** Free bytes of the buffer that the argument has for itself. */
  get #ownLeft(): number {
    return this.#own === null ? 0 : this.#own.bytes.length - this.#ownFilled;
  }

  /**
   * Gives the argument whose bytes begin to arrive a buffer of its own, or one that has filled it a buffer for all of it;
   * false if there is none of that size.
   */
  #growOwn(): boolean {
    const before = this.#own;
    const total = this.#bulk + 2;
    const size = before === null ? Math.min(total, OWN_FIRST_MAX) : total;
    let own: BulkBuffer;
    try {
      own = new BulkBuffer(new Uint8Array(size));
    } catch {
      return false;
    }
    if (before !== null) own.bytes.set(before.bytes);
    before?.free();
    this.#own = own;
    const arrived = this.#filled - this.#at;
    const moved = Math.min(arrived, this.#ownLeft);
    own.bytes.set(new Uint8Array(this.#bytes.buffer, this.#at, moved), this.#ownFilled);
    this.#ownFilled += moved;
    if (moved === arrived) this.#filled = this.#at;
    else this.#at += moved;
    return true;
  }

  #bulkHeader(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    if (at >= this.#filled) return Decoded.more;
    // The usual header, "$", one to six digits, CRLF, in one pass.
    if (bytes[at] !== DOLLAR) {
      if (this.#lineEnd() < 0) return this.#unlessTooLong(Errors.bulkCountTooBig);
      return this.#break(expectedDollar(bytes[at]));
    }
    let size = 0;
    const last = Math.min(at + 7, this.#filled - 2);
    for (at++; at <= last; at++) {
      const digit = bytes[at] - 0x30;
      if (digit < 0 || digit > 9) break;
      size = 10 * size + digit;
    }
    if (at > this.#at + 1 && at <= last && bytes[at] === CR && bytes[this.#at + 1] !== 0x30) {
      at += 2;
    } else {
      const lineEnd = this.#lineEnd();
      if (lineEnd < 0) return this.#unlessTooLong(Errors.bulkCountTooBig);
      size = parseInteger(bytes, this.#at + 1, lineEnd);
      at = lineEnd + 2;
    }
    if (!(size >= 0 && size <= this.limits.bulkMax)) return this.#break(Errors.bulkLength);
    if (size > UNAUTHENTICATED_BULK_MAX && !this.limits.authenticated) {
      return this.#break(Errors.bulkLengthUnauthenticated);
    }
    this.#bulk = size;
    this.#at = at;
    return Decoded.request;
  }

  /** Reads "*count\r\n" and sets how many arguments are to come. */
  #array(): number {
    const lineEnd = this.#lineEnd();
    if (lineEnd < 0) return this.#unlessTooLong(Errors.multibulkCountTooBig);
    const count = parseInteger(this.#bytes, this.#at + 1, lineEnd);
    if (!(count <= COUNT_MAX && count >= -Number.MAX_SAFE_INTEGER)) {
      return this.#break(Errors.multibulkLength);
    }
    if (count > UNAUTHENTICATED_COUNT_MAX && !this.limits.authenticated) {
      return this.#break(Errors.multibulkLengthUnauthenticated);
    }
    this.#at = lineEnd + 2;
    this.#pending = Math.max(count, 0);
    return Decoded.request;
  }

  #inline(args: Args): number {
    const lf = this.#bytes.indexOf(LF, this.#at);
    if (lf < 0 || lf >= this.#filled) return this.#unlessTooLong(Errors.inlineTooBig);
    const end = lf > this.#at && this.#bytes[lf - 1] === CR ? lf - 1 : lf;
    if (!splitInline(this.#bytes, this.#at, end, args)) return this.#break(Errors.unbalancedQuotes);
    this.#at = lf + 1;
    return Decoded.request;
  }

  /** The position of the CR that ends the line at `#at`, or -1 while its LF has not arrived. */
  #lineEnd(): number {
    const bytes = this.#bytes;
    for (let i = this.#at; i < this.#filled - 1; i++) if (bytes[i] === CR) return i;
    return -1;
  }

  #unlessTooLong(error: ErrorReply): number {
    return this.#filled - this.#at > INLINE_MAX_BYTES ? this.#break(error) : Decoded.more;
  }

  #break(error: ErrorReply): number {
    this.failure = error;
    return Decoded.broken;
  }

  /** All requests are read: start at the front again, with a buffer of the right size. */
  #reset(): void {
    this.#begin = this.#at = 0;
    const full = this.#filled === this.#bytes.length;
    this.#filled = 0;
    const size = this.#bytes.length;
    if (size > BUSY_BYTES) this.#resize(BUSY_BYTES, null);
    else if (full && size < BUSY_BYTES) this.#resize(BUSY_BYTES, null);
    else if (size === BUSY_BYTES && this.#smallReads > SMALL_READS_BEFORE_IDLE) {
      this.#resize(IDLE_BYTES, null);
    }
  }

  /** The buffer is full of a partial request: move it to the front, or grow. */
  #makeRoom(args: Args): void {
    const size = this.#filled - this.#begin;
    if (this.#bytes.length >= BUSY_BYTES && this.#begin >= this.#bytes.length / 2) {
      this.#bytes.copyWithin(0, this.#begin, this.#filled);
      this.#shift(args);
    } else {
      const growth = size < LARGE_BYTES ? 2 : LARGE_GROWTH;
      this.#resize(Math.max(BUSY_BYTES, Math.min(growth * size, size + GROWTH_MAX_BYTES)), args);
    }
  }

  #resize(size: number, args: Args | null): void {
    const bytes = new Uint8Array(size);
    bytes.set(new Uint8Array(this.#bytes.buffer, this.#begin, this.#filled - this.#begin));
    if (this.#bytes.length > BUSY_BYTES) detach(this.#bytes);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
    if (args !== null) this.#shift(args);
  }

  /** The partial request now lies at the front; so do its arguments. */
  #shift(args: Args): void {
    const by = this.#begin;
    args.shift(by, this.#bytes, this.#view);
    this.#at -= by;
    this.#filled -= by;
    this.#begin = 0;
  }
}
