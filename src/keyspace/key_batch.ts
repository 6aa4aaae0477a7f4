// hot path
/**
 * The look-ups of one command that names many keys, such as MGET and MSET: sixteen at a time are hashed, and the memory
 * that they will read is fetched together, as keyspace/prefetcher.ts does for the requests of a pipeline.
 */
import type { Args } from "../protocol/args.ts";
import type { Database } from "./database.ts";

const ROOM = 16;

export class KeyBatch {
  readonly #hashes = new Int32Array(ROOM);
  readonly #refs = new Uint32Array(ROOM);
  /** Keys that are prepared: 0, or 2 to ROOM. */
  #count = 0;

  /**
   * Prepares the look-up of the key at argument `index`, which comes next. Call it for each key in order: every
   * `step`th argument from the first key on, to the end.
   */
  approach(db: Database, args: Args, index: number, step: number): void {
    const place = ((index - 1) / step) & (ROOM - 1);
    if (place === 0) this.#prepare(db, args, index, step);
    if (place >= this.#count) return;
    db.keyspace.hasher.prepare(
      args.viewOf(index),
      args.start(index),
      args.end(index),
      this.#hashes[place],
    );
  }

  #prepare(db: Database, args: Args, index: number, step: number): void {
    this.#count = 0;
    // A single key gains nothing by it.
    if (index + step >= args.count) return;
    const { hasher } = db.keyspace;
    let count = 0;
    for (let i = index; i < args.count && count < ROOM; i += step) {
      this.#hashes[count++] = hasher.hash(args.viewOf(i), args.start(i), args.end(i));
    }
    this.#count = count;
    db.prefetch(this.#hashes, this.#refs, count);
  }
}
