/**
 * The chunks of memory of one server's arenas. One that is given back is kept for a second: a page that is touched for
 * the first time costs the system 2 to 10 µs, so memory that was emptied and fills again (FLUSHALL and a load, a queue
 * that grows and shrinks) is best used again. Then it goes back to the system, except for one chunk of which little was
 * ever touched: it takes next to no memory, and a small data set that is flushed again and again gets it back at once.
 */
import { assert } from "../lib/assert.ts";

export const CHUNK_BYTES = 2 ** 26;
/** After so many calls of `age` a chunk that was not taken goes back to the system. */
const KEPT_AGES = 10;
/** One chunk may stay if no more of it than this was touched. */
export const SMALL_BYTES = 8 * 1024 * 1024;

/** 64 MiB of memory, to be read as bytes, as aligned u32 words, or at any offset through `view`. */
export class Chunk {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly words: Uint32Array;
  /** Bytes from the beginning that may ever have been written to: the others take no memory. */
  touchedBytes = 0;
  readonly #buffer: ArrayBuffer;

  constructor(size: number) {
    assert(size === CHUNK_BYTES || size === 0, "a chunk has its size, or none");
    const buffer = new ArrayBuffer(size);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.words = new Uint32Array(buffer);
    this.#buffer = buffer;
  }

  /** Notes that the bytes before `end` are about to be written to. */
  touch(end: number): void {
    assert(end <= this.bytes.length, "the touched bytes lie in the chunk");
    if (end > this.touchedBytes) this.touchedBytes = end;
  }

  /**
   * Gives the memory to the system at once, 4 ms if all of it was touched. Dropping the object isn't enough: an
   * idle process keeps it for as long as nothing makes V8 collect old objects.
   */
  release(): void {
    assert(this.bytes.length > 0, "a chunk is released once");
    this.#buffer.transfer(0);
  }
}

/** See the module's head. */
export class ChunkPool {
  /** The one that was given last is taken first. */
  readonly #spare: { chunk: Chunk; ages: number }[] = [];

  /** Bytes of the spare chunks that may take memory. */
  get spareBytes(): number {
    let bytes = 0;
    for (const { chunk } of this.#spare) bytes += chunk.touchedBytes;
    return bytes;
  }

  /** A chunk with whatever it held before. */
  take(): Chunk {
    const chunk = this.#spare.pop()?.chunk ?? new Chunk(CHUNK_BYTES);
    assert(chunk.bytes.length === CHUNK_BYTES, "a chunk that is taken has its memory");
    return chunk;
  }

  /** Takes back a chunk that is not referred to any more. */
  give(chunk: Chunk): void {
    assert(chunk.bytes.length === CHUNK_BYTES, "a spare chunk has its memory");
    assert(this.#spare.every((spare) => spare.chunk !== chunk), "a chunk is given back once");
    this.#spare.push({ chunk, ages: 0 });
  }

  /** Lets the spare chunks grow older: to be called ten times a second. */
  age(): void {
    for (const spare of this.#spare) spare.ages++;
  }

  /** Releases one chunk that was spare for long enough, which takes some ms; returns whether there are more. */
  releaseNext(): boolean {
    const next = this.#nextDue(0);
    if (next < 0) return false;
    const [{ chunk }] = this.#spare.splice(next, 1);
    assert(chunk.touchedBytes <= CHUNK_BYTES, "the touched bytes lie in the chunk");
    chunk.release();
    return this.#nextDue(next) >= 0;
  }

  /** The index, `from` or later, of a chunk that is to be released now, or −1. */
  #nextDue(from: number): number {
    assert(from >= 0, "the index is not negative");
    for (let i = from; i < this.#spare.length; i++) {
      const { chunk, ages } = this.#spare[i];
      const mayStay = i === 0 && chunk.touchedBytes <= SMALL_BYTES;
      if (ages >= KEPT_AGES && !mayStay) return i;
    }
    return -1;
  }

  /** Gives all spare chunks to the system now. */
  release(): void {
    assert(this.#spare.every(({ chunk }) => chunk.bytes.length > 0), "a chunk is released once");
    for (const { chunk } of this.#spare) chunk.release();
    this.#spare.length = 0;
  }
}
