/** A sink that writes to a file, at once or beside the event loop. */
import { assert } from "../lib/assert.ts";
import { Crc64 } from "../lib/crc.ts";
import { writeAll, writeAllSync } from "../lib/write_all.ts";
import { ByteSink } from "./byte_sink.ts";

const CHUNK_BYTES = 256 * 1024;
/** The file is synced whenever so many bytes have been written: a single sync at the end would take long. */
const SYNC_EVERY_BYTES = 4 * 1024 * 1024;

/** A failed write, with the system's error text. */
class SinkError extends Error {
  override name = "SinkError";
}

/**
 * Writes to a file and computes its CRC-64. While `isSync`, a full chunk is written at once; otherwise chunks
 * are queued and written asynchronously, and the writer must look at `backlog` so as not to fill memory.
 *
 * After a failure it accepts bytes and drops them; `failure` says why.
 */
export class FileSink extends ByteSink {
  readonly #file: Deno.FsFile;
  readonly #crc: Crc64 | null;
  readonly #syncsOften: boolean;
  /** Full chunks that wait to be written, and empty ones to be used again. */
  #waiting: Uint8Array[] = [];
  readonly #spare: Uint8Array[] = [];
  #pump: Promise<void> | null = null;
  #sinceSync = 0;
  /** Bytes of chunks that were queued or written. */
  #passed = 0;
  failure: SinkError | null = null;
  isSync = false;

  constructor(file: Deno.FsFile, withCrc: boolean, syncsOften: boolean) {
    super(CHUNK_BYTES);
    this.#file = file;
    this.#crc = withCrc ? new Crc64() : null;
    this.#syncsOften = syncsOften;
  }

  /** Bytes that it was given. */
  get size(): number {
    assert(this.at <= CHUNK_BYTES, "a chunk is not filled beyond its end");
    return this.#passed + this.at;
  }

  /** Bytes that wait for the disk. */
  get backlog(): number {
    return this.#waiting.length * CHUNK_BYTES;
  }

  protected override makeRoom(count: number): void {
    assert(count <= CHUNK_BYTES, "what is asked for fits in a chunk");
    this.#pass();
    assert(this.at + count <= this.bytes.length, "an empty chunk has the room");
  }

  /** The sum over all bytes so far, to be written behind them; 0 without one. */
  crc(): Crc64 {
    this.#pass();
    assert(this.at === 0, "the sum is over all that was written");
    return this.#crc ?? new Crc64();
  }

  #pass(): void {
    if (this.at === 0) return;
    assert(this.at <= CHUNK_BYTES, "a chunk is not filled beyond its end");
    assert(this.bytes.length === CHUNK_BYTES, "a chunk has one size");
    assert(this.view.buffer === this.bytes.buffer, "bytes and view show the same chunk");
    this.#crc?.update(this.bytes, this.view, 0, this.at);
    this.#passed += this.at;
    const full = new Uint8Array(this.bytes.buffer, 0, this.at);
    this.at = 0;
    if (this.failure !== null) return;
    if (this.isSync && this.#pump === null) return this.#writeNow(full);
    this.#waiting.push(full);
    this.bytes = this.#spare.pop() ?? new Uint8Array(CHUNK_BYTES);
    assert(this.bytes.buffer !== full.buffer, "a chunk that waits is not written to");
    this.view = new DataView(this.bytes.buffer);
    this.#pump ??= this.#run();
  }

  #writeNow(bytes: Uint8Array): void {
    assert(this.#waiting.length === 0, "what waits is written first");
    assert(this.failure === null, "nothing is written to a file that was given up");
    assert(bytes.length > 0, "what is passed on has bytes");
    try {
      writeAllSync(this.#file, bytes);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Writes what waits, one chunk after the other. */
  async #run(): Promise<void> {
    try {
      for (;;) {
        const bytes = this.#waiting[0];
        if (bytes === undefined) break;
        assert(bytes.length > 0, "what waits has bytes");
        await writeAll(this.#file, bytes);
        const written = this.#waiting.shift();
        assert(written === bytes || this.failure !== null, "only a failure empties the queue");
        this.#spare.push(new Uint8Array(bytes.buffer));
        this.#sinceSync += bytes.length;
        if (this.#syncsOften && this.#sinceSync >= SYNC_EVERY_BYTES) {
          this.#sinceSync = 0;
          await this.#file.syncData();
        }
      }
    } catch (error) {
      this.#failed(error);
    }
    assert(this.#waiting.length === 0, "a pump ends when nothing waits");
    this.#pump = null;
  }

  /** Gives the file up: waiting and further bytes are dropped. */
  discard(): void {
    this.#failed("discarded");
  }

  #failed(error: unknown): void {
    this.failure ??= new SinkError(error instanceof Error ? error.message : String(error));
    this.#waiting = [];
  }

  /** Resolves when at most `bytes` wait. */
  async drained(): Promise<void> {
    while (this.#pump !== null) await this.#pump;
  }

  /** Writes the rest and makes it durable; `failure` says whether that worked. */
  async finish(): Promise<void> {
    assert(!this.isSync, "a sink that was written at once is finished at once");
    this.#pass();
    await this.drained();
    assert(this.at === 0, "all that was written has been passed on");
    assert(this.#waiting.length === 0, "nothing waits when the sink is drained");
    try {
      if (this.failure === null) await this.#file.sync();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** As `finish`, synchronously: for a sink that was `isSync` all the time. */
  finishSync(): void {
    assert(this.isSync, "a sink that was written beside the loop is finished beside it");
    this.#pass();
    assert(this.#pump === null, "nothing is written beside the loop");
    assert(this.#waiting.length === 0, "all was written at once");
    try {
      if (this.failure === null) this.#file.syncSync();
    } catch (error) {
      this.#failed(error);
    }
  }
}
