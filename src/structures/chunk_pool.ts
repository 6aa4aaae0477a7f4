/**
 * The arenas' chunks of memory. One that is given back is kept for a while: a page that is touched for the first
 * time costs the system 2 to 10 µs, so memory that was emptied and fills again (FLUSHALL and a load, a queue that
 * grows and shrinks) is best used again. What ten seconds have not needed goes back to the system, chunk by chunk.
 */
export const CHUNK_BYTES = 2 ** 26;
/** Calls of `age` after which spare chunks go that were not needed meanwhile. */
const KEPT_AGES = 100;

/** 64 MiB of memory, to be read as bytes, as aligned u32 words, or at any offset through `view`. */
export class Chunk {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly words: Uint32Array;
  readonly #buffer: ArrayBuffer;

  constructor(size: number) {
    const buffer = new ArrayBuffer(size);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.words = new Uint32Array(buffer);
    this.#buffer = buffer;
  }

  /**
   * Gives the memory to the system at once, 4 ms if all of it was touched. Dropping the object isn't enough: an
   * idle process keeps it for as long as nothing makes V8 collect old objects.
   */
  release(): void {
    this.#buffer.transfer(0);
  }
}

/** The chunks of one server's arenas that nobody uses now. */
export class ChunkPool {
  readonly #spare: Chunk[] = [];
  /** The fewest spare chunks since the last decision, and how many calls ago that was. */
  #leastSpare = 0;
  #ages = 0;
  /** Spare chunks that are to go, one a call. */
  #surplus = 0;

  /** Bytes of the spare chunks; those that were never touched take no memory. */
  get spareBytes(): number {
    return this.#spare.length * CHUNK_BYTES;
  }

  /** A chunk with whatever it held before. */
  take(): Chunk {
    const chunk = this.#spare.pop() ?? new Chunk(CHUNK_BYTES);
    this.#leastSpare = Math.min(this.#leastSpare, this.#spare.length);
    this.#surplus = Math.min(this.#surplus, this.#spare.length);
    return chunk;
  }

  /** Takes a chunk back that nobody refers to any more. */
  give(chunk: Chunk): void {
    this.#spare.push(chunk);
  }

  /** Time passes: to be called ten times a second. Releases one chunk at most, which takes some ms. */
  age(): void {
    if (this.#surplus > 0) {
      this.#surplus--;
      this.#spare.shift()?.release();
      this.#leastSpare = Math.min(this.#leastSpare, this.#spare.length);
    }
    if (++this.#ages < KEPT_AGES) return;
    this.#ages = 0;
    this.#surplus = this.#leastSpare;
    this.#leastSpare = this.#spare.length;
  }

  /** Gives all spare chunks to the system now. */
  release(): void {
    for (const chunk of this.#spare) chunk.release();
    this.#spare.length = this.#leastSpare = this.#surplus = 0;
  }
}
