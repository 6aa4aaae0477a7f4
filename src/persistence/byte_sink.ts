// hot path
/**
 * Where serialised bytes go. A writer asks for room and then puts them at `at` of `bytes`. A sink makes room
 * by growing (`BufferSink`) or by writing its bytes to a file (`FileSink`).
 */
import { assert } from "../lib/assert.ts";
import { copyBytes } from "../lib/copy.ts";
import { detach } from "../lib/detach.ts";
import type { Scratch } from "../lib/scratch.ts";

export abstract class ByteSink {
  bytes: Uint8Array;
  view: DataView;
  /** Where the next byte goes. */
  at = 0;

  constructor(size: number) {
    assert(size > 0, "a sink has a buffer");
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `count` bytes, which are at most `PIECE_BYTES`. */
  need(count: number): void {
    assert(count >= 0, "a count of bytes is not negative");
    assert(count <= PIECE_BYTES, "a sink is asked for a piece at once");
    if (this.at + count > this.bytes.length) this.makeRoom(count);
    assert(this.at + count <= this.bytes.length, "a sink has the room it was asked for");
  }

  protected abstract makeRoom(count: number): void;

  /** Announces that `_count` bytes follow, so that a sink which keeps all of them grows once only. */
  expect(_count: number): void {}

  byte(value: number): void {
    assert(value >= 0 && value <= 255, "a byte is not cut to fit");
    if (this.at === this.bytes.length) this.makeRoom(1);
    assert(this.at < this.bytes.length, "a sink has room for a byte");
    this.bytes[this.at++] = value;
  }

  /** Writes `source[start, end)`, however long. */
  write(source: Uint8Array, start: number, end: number): void {
    assert(start <= end, "what is written does not end before it begins");
    while (end - start > PIECE_BYTES) {
      this.#copy(source, start, start + PIECE_BYTES);
      start += PIECE_BYTES;
    }
    this.#copy(source, start, end);
  }

  #copy(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    assert(start >= 0, "what is written begins in its source");
    assert(end <= source.length, "what is written ends in its source");
    this.need(count);
    assert(this.at + count <= this.bytes.length, "a sink has made the room it was asked for");
    copyBytes(source, start, end, this.bytes, this.at);
    this.at += count;
  }

  /** Writes a text of bytes, a character a byte. */
  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i));
  }
}

/** The most that one `need` may ask for. */
const PIECE_BYTES = 64 * 1024;
/** Extra room behind an announced string, for the end of a payload. */
const EXPECTED_MORE_BYTES = 1024;
/** Buffers larger than this are freed at once, without waiting for the garbage collector. */
const FREED_AT_ONCE_BYTES = 1024 * 1024;

/** Keeps all that it gets: `bytes[0, at)`. */
export class BufferSink extends ByteSink implements Scratch {
  constructor(size = 256) {
    super(size);
  }

  protected override makeRoom(count: number): void {
    assert(this.at + count > this.bytes.length, "a buffer grows when it is too short");
    const grown = new Uint8Array(Math.max(2 * this.bytes.length, this.at + count));
    grown.set(new Uint8Array(this.bytes.buffer, 0, this.at));
    if (this.bytes.length > FREED_AT_ONCE_BYTES) detach(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
    assert(this.at + count <= grown.length, "a buffer that has grown has the room");
  }

  override expect(count: number): void {
    assert(count >= 0, "what is announced is not negative");
    const room = count + EXPECTED_MORE_BYTES;
    if (count > PIECE_BYTES && this.at + room > this.bytes.length) this.makeRoom(room);
  }

  /** Drops its bytes, and frees its buffer if that is large. */
  forget(): void {
    this.clear(PIECE_BYTES);
  }

  /** Drops its bytes, and frees its buffer if that is larger than `keep` bytes. */
  clear(keep = Infinity): void {
    assert(keep >= 0, "what is kept is a size");
    this.at = 0;
    if (this.bytes.length <= keep) return;
    if (this.bytes.length > FREED_AT_ONCE_BYTES) detach(this.bytes);
    this.bytes = new Uint8Array(keep);
    this.view = new DataView(this.bytes.buffer);
  }
}
