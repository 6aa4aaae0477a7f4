// hot path
/**
 * Reads the commands of an append-only file: arrays of RESP, and lines that begin with `#`. An incomplete command at the
 * end is another error (`TruncatedData`) than bytes that can't be a command.
 */
import { assert } from "../lib/assert.ts";
import { Args, binaryText } from "../protocol/args.ts";
import { type ByteSource, CorruptData } from "./byte_source.ts";

const STAR = 0x2a;
const DOLLAR = 0x24;
const HASH = 0x23;
const CR = 0x0d;
const LF = 0x0a;
/** Digits of a length, its mark and its end. */
const LENGTH_BYTES_MAX = 20;
/** The longest line of a comment. */
const COMMENT_BYTES_MAX = 1024;

/** The file ends within a command, which began at `offset`. */
export class TruncatedData extends CorruptData {
  override name = "TruncatedData";
}

export class AofReader {
  /** The command that `next` has read; valid until it is called again. */
  readonly args = new Args();
  /** Where that command began. */
  commandOffset = 0;
  readonly #source: ByteSource;
  /** Bytes of the present command that were read. */
  #length = 0;

  /** Called with each line that begins with `#`, and where it begins. */
  onComment: ((text: string, offset: number) => void) | null = null;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Where it ended. */
  get endOffset(): number {
    assert(this.commandOffset <= this.#source.offset, "a command ends behind its beginning");
    return this.#source.offset;
  }

  /** Reads a command; returns false at the end. */
  next(): boolean {
    const source = this.#source;
    for (;;) {
      if (source.left === 0) return false;
      this.commandOffset = source.offset;
      this.#length = 0;
      if (this.#peek(0) !== HASH) break;
      this.#skipComment();
    }
    this.#readCommand();
    source.at += this.#length;
    assert(source.at <= source.end, "a command was at hand whole");
    assert(source.offset > this.commandOffset, "a command takes some bytes");
    return true;
  }

  #readCommand(): void {
    const source = this.#source;
    const count = this.#count(STAR);
    if (count < 1) this.#invalid();
    const { args } = this;
    args.clear();
    args.error = null;
    for (let i = 0; i < count; i++) {
      const size = this.#count(DOLLAR);
      const start = this.#length;
      assert(start > 0, "a word follows its length");
      this.#need(start + size + 2);
      const end = source.at + start + size;
      if (source.bytes[end] !== CR || source.bytes[end + 1] !== LF) this.#invalid();
      args.push(start, start + size);
      this.#length = start + size + 2;
    }
    assert(args.count === count, "a command has as many words as it says");
    // Set at the end: reading more of the file may have moved the bytes to another buffer.
    assert(this.#length <= source.end - source.at, "a command is at hand whole");
    assert(args.bounds[2 * count - 1] <= this.#length, "its last word lies within it");
    args.use(source.bytes, source.view);
    for (let i = 0; i < 2 * count; i++) args.bounds[i] += source.at;
  }

  /** A count between `mark` and the end of the line. */
  #count(mark: number): number {
    const from = this.#length;
    if (this.#peek(from) !== mark) this.#invalid();
    let value = 0;
    let at = from + 1;
    for (;; at++) {
      const byte = this.#peek(at);
      if (byte === CR) break;
      if (byte < 0x30 || byte > 0x39 || at - from > LENGTH_BYTES_MAX) this.#invalid();
      value = 10 * value + byte - 0x30;
    }
    if (at === from + 1 || this.#peek(at + 1) !== LF) this.#invalid();
    this.#length = at + 2;
    assert(this.#length > from, "a count takes some bytes");
    assert(value >= 0, "a count is not negative");
    return value;
  }

  #peek(index: number): number {
    assert(index >= 0, "nothing before the command is looked at");
    this.#need(index + 1);
    assert(this.#source.at + index < this.#source.end, "a byte that is looked at is at hand");
    return this.#source.bytes[this.#source.at + index];
  }

  #need(count: number): void {
    assert(count > 0, "something is needed");
    if (count <= this.#source.left) return this.#source.need(count);
    throw new TruncatedData("Unexpected end of file", this.commandOffset);
  }

  #invalid(): never {
    throw new CorruptData("Bad file format", this.commandOffset);
  }

  #skipComment(): void {
    let length = 0;
    while (this.#peek(length) !== LF) if (++length > COMMENT_BYTES_MAX) this.#invalid();
    const source = this.#source;
    if (this.onComment !== null) {
      const text = binaryText(source.bytes, source.at, source.at + length);
      this.onComment(text, this.commandOffset);
    }
    source.at += length + 1;
    assert(source.at <= source.end, "a comment was at hand whole");
    assert(source.bytes[source.at - 1] === LF, "a comment ends its line");
  }
}
