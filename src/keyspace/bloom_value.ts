/** Bloom filters. */
import type { Scratch } from "../lib/scratch.ts";
import { BloomFilter } from "../structures/bloom_filter.ts";
import type { Ref } from "../structures/arena.ts";
import { Cursor } from "./cursor.ts";
import { type HeapValue, Type } from "./entry.ts";

/** The object behind a Bloom filter. */
export class Bloom implements HeapValue {
  /** What Redis answers for the types of modules. */
  readonly encodingName = "raw";
  readonly arenaBytes = 0;
  readonly effort = 1;
  readonly isEmpty = false;
  accountedBytes = 0;

  constructor(readonly filter: BloomFilter) {}

  get bytes(): number {
    return this.filter.bytes;
  }

  clone(): Bloom {
    return new Bloom(this.filter.clone());
  }

  release(): boolean {
    this.dispose();
    return true;
  }

  dispose(): void {
    this.filter.dispose();
  }
}

/** A cursor over a Bloom filter. */
export class BloomValue implements Scratch {
  readonly cursor: Cursor = new Cursor(Type.bloom, () => this.#create());
  /** Parameters of the filter that `editOrCreate` makes for a missing key. */
  errorRate = 0.01;
  capacity = 100;
  expansion = 2;
  /** If not null, `editOrCreate` stores this filter, which was read from a file, instead of a new one. */
  restored: BloomFilter | null = null;

  forget(): void {
    this.cursor.forget();
    this.restored = null;
  }

  get filter(): BloomFilter {
    return (this.cursor.object as Bloom).filter;
  }

  /** Items that were added. */
  get count(): number {
    return this.filter.count;
  }

  #create(): Ref {
    const { db, args, index } = this.cursor;
    const filter = this.restored ?? new BloomFilter(this.errorRate, this.capacity, this.expansion);
    filter.begin();
    return db.createObject(args, index, Type.bloom, new Bloom(filter));
  }
}
