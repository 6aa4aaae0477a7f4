// hot path
/**
 * Bytes that many clients are sent, such as a message to all subscribers of a channel. They are written once; a client's
 * output refers to them (ReplyWriter.share), and its socket sends them from here, so that a thousand subscribers cost
 * neither a thousand copies nor a thousand buffers.
 *
 *     | message · message · message | free |      what has been written never changes
 *             └── one client's part ──┘           a part may span several messages
 *
 * The buffer goes back to the pool when nothing more is added to it and nobody refers to it any more. A client that does
 * not read holds one buffer that is being sent and one that waits, at most: what follows is copied to its own output.
 */
import { assert } from "../lib/assert.ts";
import { copyIn } from "../lib/copy.ts";
import { type BufferPool, ReplyBuffer } from "./buffer_pool.ts";

const SIZE = 16 * 1024;
/** A longer message gets a buffer of its own. */
const LONG = 4 * 1024;
const NO_PART = new Uint8Array(0);

export class SharedBytes {
  end = 0;
  readonly buffer: ReplyBuffer;
  readonly #pool: BufferPool;
  /** Outputs that refer to a part, and one more while messages are added. */
  #users = 1;
  /** The part that was asked for last: most clients are sent the same. */
  #part: Uint8Array = NO_PART;

  /** `size` is that of one long message, or 0 for a buffer that several messages share. */
  constructor(pool: BufferPool, size: number) {
    this.#pool = pool;
    this.buffer = size > 0 ? new ReplyBuffer(size) : pool.take(SIZE);
    pool.sharedBytes += this.buffer.bytes.length;
  }

  /** Whether `size` bytes more have room. */
  hasRoom(size: number): boolean {
    return this.end + size <= this.buffer.bytes.length;
  }

  /** Adds the first `size` bytes of `source`, for which there is room. */
  append(source: ReplyBuffer, size: number): void {
    assert(this.#users > 0 && this.hasRoom(size), "there is room for what is added");
    const { bytes, view } = this.buffer;
    copyIn(source.bytes, source.view, 0, size, bytes, view, this.end);
    this.end += size;
  }

  hold(): void {
    assert(this.#users > 0, "what is held has not been given back");
    this.#users++;
  }

  /** An output is done with its part, or nothing more is added. */
  release(): void {
    this.#users--;
    assert(this.#users >= 0, "nobody releases twice");
    if (this.#users > 0) return;
    this.#part = NO_PART;
    this.#pool.sharedBytes -= this.buffer.bytes.length;
    this.#pool.give(this.buffer);
  }

  /** The bytes from `start` to `end`. */
  part(start: number, end: number): Uint8Array {
    const part = this.#part;
    if (part.byteOffset === start && part.length === end - start) return part;
    return this.#part = new Uint8Array(this.buffer.bytes.buffer, start, end - start);
  }
}

/** What messages are written to: one buffer after another. */
export class SharedStream {
  readonly #pool: BufferPool;
  #open: SharedBytes | null = null;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /**
   * Writes a message, the first `size` bytes of `source`, but `mark` in place of its first byte. It stands at the end of
   * what is returned. The caller calls `over` when all have been told.
   */
  write(source: ReplyBuffer, size: number, mark: number): SharedBytes {
    if (this.#open !== null && !this.#open.hasRoom(size)) this.#close();
    this.#open ??= new SharedBytes(this.#pool, size > LONG ? size : 0);
    this.#open.append(source, size);
    this.#open.buffer.bytes[this.#open.end - size] = mark;
    return this.#open;
  }

  /** A buffer that was made for one long message is not kept for others. */
  over(): void {
    if (this.#open !== null && !this.#open.hasRoom(1)) this.#close();
  }

  #close(): void {
    this.#open?.release();
    this.#open = null;
  }
}
