// hot path
/**
 * Reads ahead the memory that the requests of a pipeline will need: if their keys differ, the keys' slots in the table
 * and their entries; if all use one large collection, the slots and blocks of its members.
 *
 * A lookup is a chain of three or four reads, each of which may wait for memory. Here the first reads of all
 * requests follow each other, then their second ones, and so on: the processor waits for all of them together. The
 * hashes are kept, what was read is not; a wrong guess costs time and nothing else.
 */
import type { Hasher } from "../lib/hash.ts";
import { sameBytes } from "../lib/slice.ts";
import { type Pipeline, PIPELINE_ROOM } from "../protocol/pipeline.ts";
import type { Database } from "./database.ts";
import { type Entries, Type } from "./entry.ts";

const KEY = 1;
const MEMBER = 2;
/** ZADD key score member, and ZINCRBY. */
const SCORED_MEMBER = 3;

export class Prefetcher {
  readonly #refs = new Uint32Array(PIPELINE_ROOM);

  prefetch(entries: Entries, db: Database, pipeline: Pipeline): void {
    const { sizes, bounds, view, hashes, count } = pipeline;
    const refs = this.#refs;
    if (sizes[0] <= KEY || sizes[1] <= KEY) return;
    if (!isSameKey(view, bounds[0], bounds[1])) {
      this.#hash(entries.hasher, pipeline, KEY);
      db.prefetch(hashes, refs, count);
      return;
    }
    // Not `db.find`: that would remove a key past its deadline.
    hashes[0] = entries.hasher.hash(view, bounds[0][2 * KEY], bounds[0][2 * KEY + 1]);
    db.prefetch(hashes, refs, 1);
    const key = refs[0];
    const table = key === 0 ? undefined : entries.objectOf(key)?.members;
    if (table === undefined) return;
    const isScored = sizes[0] > SCORED_MEMBER && entries.typeOf(key) === Type.zset;
    this.#hash(entries.hasher, pipeline, isScored ? SCORED_MEMBER : MEMBER);
    table.prefetch(hashes, refs, count);
  }

  /** Hashes argument `index` of the requests that have one. */
  #hash(hasher: Hasher, pipeline: Pipeline, index: number): void {
    const { count, sizes, bounds, hashes, view } = pipeline;
    for (let i = 0; i < count; i++) {
      if (sizes[i] <= index) continue;
      hashes[i] = hasher.hash(view, bounds[i][2 * index], bounds[i][2 * index + 1]);
    }
    pipeline.areHashed(index, hasher);
  }
}

/** Whether two requests have the same key. */
function isSameKey(view: DataView, one: Int32Array, other: Int32Array): boolean {
  const length = one[2 * KEY + 1] - one[2 * KEY];
  if (other[2 * KEY + 1] - other[2 * KEY] !== length) return false;
  return sameBytes(view, one[2 * KEY], view, other[2 * KEY], length);
}
