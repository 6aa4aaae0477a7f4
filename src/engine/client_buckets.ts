// hot path
/**
 * Clients by the power of two of the memory that they take, each bucket in the order in which they came to it. They are linked
 * through fields of their own: a Set would leave garbage that keeps clients alive (see ClientTable).
 *
 *     bucket   0          1            2             …   18
 *     bytes    < 32 KiB   < 64 KiB     < 128 KiB     …   4 GiB and more
 *
 * Costs: all O(1). Source: the boundaries are those that Redis shows in DEBUG CLIENT-EVICTION.
 */
import { assert } from "../lib/assert.ts";

const FIRST_LOG = 15;
const BUCKET_COUNT = 19;

export interface Placed<T> {
  /** The number of its bucket; −1: it is in none. */
  bucket: number;
  /** Its neighbours there. */
  bucketPrevious: T | null;
  bucketNext: T | null;
}

export class ClientBuckets<T extends Placed<T>> {
  readonly #first: (T | null)[] = new Array(BUCKET_COUNT).fill(null);
  readonly #last: (T | null)[] = new Array(BUCKET_COUNT).fill(null);

  /** Puts a client that takes so many bytes into its bucket. */
  place(client: T, bytes: number): void {
    const bucket = bucketOf(bytes);
    if (bucket === client.bucket) return;
    this.leave(client);
    const last = this.#last[bucket];
    client.bucket = bucket;
    client.bucketPrevious = last;
    if (last === null) this.#first[bucket] = client;
    else last.bucketNext = client;
    this.#last[bucket] = client;
  }

  /** Takes a client out, if it is in a bucket. */
  leave(client: T): void {
    const { bucket, bucketPrevious, bucketNext } = client;
    if (bucket < 0) return;
    if (bucketPrevious === null) this.#first[bucket] = bucketNext;
    else bucketPrevious.bucketNext = bucketNext;
    if (bucketNext === null) this.#last[bucket] = bucketPrevious;
    else bucketNext.bucketPrevious = bucketPrevious;
    client.bucket = -1;
    client.bucketPrevious = client.bucketNext = null;
  }

  /** The first client of the highest bucket that has one; null if all are empty. */
  get largest(): T | null {
    for (let i = BUCKET_COUNT - 1; i >= 0; i--) if (this.#first[i] !== null) return this.#first[i];
    return null;
  }

  /** By bucket, where it begins and the clients in it; for people. */
  *all(): Generator<{ start: number; clients: readonly T[] }> {
    for (let i = 0; i < BUCKET_COUNT; i++) {
      const clients: T[] = [];
      for (let one = this.#first[i]; one !== null; one = one.bucketNext) clients.push(one);
      yield { start: i === 0 ? 0 : 2 ** (FIRST_LOG + i - 1), clients };
    }
  }
}

function bucketOf(bytes: number): number {
  assert(bytes >= 0, "a count of bytes is not negative");
  // In units of half the first bucket, so that counts beyond 32 bits fit.
  const bits = 32 - Math.clz32(bytes / 2 ** (FIRST_LOG - 1));
  const bucket = bits - 1;
  return bucket < 0 ? 0 : bucket < BUCKET_COUNT ? bucket : BUCKET_COUNT - 1;
}
