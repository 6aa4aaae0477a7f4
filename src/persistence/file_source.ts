/** A source that reads a file. */
import { assert } from "../lib/assert.ts";
import { Crc64 } from "../lib/crc.ts";
import { ByteSource } from "./byte_source.ts";

const CHUNK_BYTES = 1024 * 1024;
/** Hashing reads four bytes at a time, and so up to three behind the last one. */
const SLACK_BYTES = 8;

/** Reads a file from where it stands, and sums up its CRC-64. */
export class FileSource extends ByteSource {
  readonly #file: Deno.FsFile;
  readonly #crc: Crc64 | null;
  /** Offset in the file of the first byte in memory. */
  #base: number;
  /** Bytes of the file, as it was opened. */
  readonly size: number;
  /** The end of the bytes in memory that the checksum includes. */
  #summed = 0;

  /** `withCrc`: whether `crc` will be asked. */
  constructor(file: Deno.FsFile, withCrc: boolean) {
    super();
    this.#file = file;
    this.#crc = withCrc ? new Crc64() : null;
    this.#base = file.seekSync(0, Deno.SeekMode.Current);
    this.size = file.statSync().size;
    assert(this.#base >= 0, "a position in a file is not negative");
    assert(this.size >= 0, "a size is not negative");
    this.#take(new Uint8Array(CHUNK_BYTES + SLACK_BYTES));
  }

  override get offset(): number {
    assert(this.at <= this.end, "what was read was at hand");
    return this.#base + this.at;
  }

  override get left(): number {
    return this.size - this.offset;
  }

  protected override fill(count: number): void {
    assert(this.at + count > this.end, "a source is filled when it lacks something");
    assert(count <= this.left, "what the file lacks is not waited for");
    this.#sum(this.at);
    const kept = this.end - this.at;
    const old = this.bytes;
    const from = this.at;
    this.#base += from;
    // A large string gets a buffer of its own for as long as it is being read.
    const size = Math.max(CHUNK_BYTES, count) + SLACK_BYTES;
    assert(kept <= size - SLACK_BYTES, "what is left fits in a new buffer");
    if (size !== old.length) this.#take(new Uint8Array(size));
    this.bytes.set(old.subarray(from, from + kept), 0);
    this.at = 0;
    this.end = kept;
    this.#summed = 0;
    while (this.end < count) {
      const read = this.#file.readSync(this.bytes.subarray(this.end, size - SLACK_BYTES));
      if (read === null) this.fail("Unexpected end of file");
      assert(read > 0 && read <= size - SLACK_BYTES - this.end, "a read stays within its room");
      this.end += read;
    }
    assert(this.at === 0, "what was asked for begins the buffer");
    assert(this.end >= count, "what was asked for is at hand");
  }

  #take(bytes: Uint8Array): void {
    assert(bytes.length > SLACK_BYTES, "a buffer has room beside its slack");
    assert(bytes.byteOffset === 0, "bytes and view begin at the same place");
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  #sum(to: number): void {
    assert(this.#summed <= to && to <= this.end, "the sum goes forward over what is at hand");
    this.#crc?.update(this.bytes, this.view, this.#summed, to);
    this.#summed = to;
  }

  /** The sum over what was read up to `at`. */
  crc(): Crc64 {
    this.#sum(this.at);
    assert(this.#summed === this.at, "the sum has all that was read, and no more");
    return this.#crc ?? new Crc64();
  }
}
