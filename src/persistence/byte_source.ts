// hot path
/**
 * Where serialised bytes come from. A reader calls `need(n)` and then finds n bytes at `at` of `bytes`, until it
 * calls it again. Missing or wrong bytes are a `CorruptData` error that says where.
 */
import { assert } from "../lib/assert.ts";
/** The bytes at `offset` are not valid. */
export class CorruptData extends Error {
  override name = "CorruptData";
  constructor(message: string, readonly offset: number) {
    super(message);
    assert(message !== "", "an error says what is wrong");
    assert(offset >= 0, "an error says where");
  }
}

export abstract class ByteSource {
  bytes: Uint8Array = NOTHING;
  view: DataView = new DataView(NOTHING.buffer);
  at = 0;
  /** The end of the bytes that are in memory. */
  end = 0;

  /** Bytes before `at`, from the beginning of the file or buffer. */
  abstract get offset(): number;

  /** Bytes from `at` to the end of the file or buffer. */
  abstract get left(): number;

  /** Puts `count` bytes at `at` or fails. */
  need(count: number): void {
    assert(count >= 0, "a count of bytes is not negative");
    assert(this.at <= this.end, "what was read was at hand");
    if (this.at + count <= this.end) return;
    // Checked before anything is allocated, since a damaged length may be any number.
    if (count > this.left) throw new CorruptData("Unexpected end of file", this.offset);
    this.fill(count);
    assert(this.at + count <= this.end, "a source has what it was asked for");
  }

  protected abstract fill(count: number): void;

  byte(): number {
    if (this.at === this.end) this.need(1);
    assert(this.at < this.end, "a byte that is read is at hand");
    return this.bytes[this.at++];
  }

  fail(message: string): never {
    throw new CorruptData(message, this.offset);
  }
}

const NOTHING = new Uint8Array(0);

/** Reads from a buffer. */
export class BufferSource extends ByteSource {
  #start = 0;

  /** Reads `bytes[start, end)` from now on. */
  use(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    assert(0 <= start && start <= end && end <= bytes.length, "a source lies in its bytes");
    assert(view.buffer === bytes.buffer, "bytes and view show the same");
    this.bytes = bytes;
    this.view = view;
    this.#start = this.at = start;
    this.end = end;
    assert(this.offset === 0, "what a source is given begins at 0");
  }

  override get offset(): number {
    assert(this.at >= this.#start, "a source does not go back beyond its beginning");
    return this.at - this.#start;
  }

  override get left(): number {
    assert(this.at <= this.end, "nothing is read beyond the end");
    return this.end - this.at;
  }

  protected override fill(): void {
    this.fail("Unexpected end of file");
  }
}
