// hot path
/**
 * Which key goes next when memory is short: the order of maxmemory-policy. When keys go is the engine's affair.
 *
 * The least recently and the least frequently used keys are approximated, as in Redis. Each search looks at
 * `maxmemory-samples` keys of every database and keeps the best of all searches so far in a pool of sixteen. What the pool knows
 * of a key may be out of date: it may have been used, moved or removed since. So a candidate is looked up in its table before
 * it is chosen, and goes back to its new place in the pool if it was used meanwhile.
 *
 * The key with the nearest deadline is exact: the heaps have it.
 *
 * Invariant: scores ascend from 0 to `#size`, so the best candidate is the last one. Costs: a search reads the blocks of its samples;
 * nothing is allocated.
 */
import { assert } from "../lib/assert.ts";
import { Random } from "../lib/random.ts";
import type { Ref } from "../structures/arena.ts";
import type { Database } from "./database.ts";
import { EntryFlag } from "./entry.ts";
import type { Keyspace } from "./keyspace.ts";

/** Whose turn it is first. */
const Order = { none: 0, recency: 1, frequency: 2, deadline: 3, random: 4, even: 5 } as const;

interface Policy {
  readonly order: number;
  /** Only keys with a deadline go. */
  readonly isVolatile: boolean;
  /** Whether `maxmemory-eviction-ratio` holds for it. */
  readonly hasRatio: boolean;
}

const policy = (order: number, isVolatile: boolean, hasRatio = false): Policy => ({
  order,
  isVolatile,
  hasRatio,
});

/** By their names in the configuration. */
const POLICIES: Readonly<Record<string, Policy>> = {
  "noeviction": policy(Order.none, false),
  "allkeys-lru": policy(Order.recency, false, true),
  "allkeys-lfu": policy(Order.frequency, false),
  "allkeys-random": policy(Order.random, false, true),
  "volatile-lru": policy(Order.recency, true),
  "volatile-lfu": policy(Order.frequency, true),
  "volatile-random": policy(Order.random, true),
  "volatile-ttl": policy(Order.deadline, true),
  "simple-first": policy(Order.even, false),
};

const POOL_SIZE = 16;
/** 2020: numbers of seconds since then are small integers to V8, which it passes on without allocating. */
const EPOCH_S = 1_577_836_800;
/** More samples make each eviction slower, and what is evicted no better. */
const SAMPLES_MAX = 1024;

/** Finds the key that goes next. */
export class Victims {
  /** The key that `find` has found, and its database. */
  ref: Ref = 0;
  db: Database;
  /** How many keys of each database a search looks at. */
  samples = 5;
  readonly #keyspace: Keyspace;
  #policy = POLICIES["noeviction"];
  /** The database whose turn is next when keys go at random. */
  #turn = 0;

  // The pool: keys by ref and hash, since a ref alone may be another key's block by now.
  #size = 0;
  readonly #refs = new Uint32Array(POOL_SIZE);
  readonly #hashes = new Int32Array(POOL_SIZE);
  readonly #databases = new Int32Array(POOL_SIZE);
  /** Doubles: the seconds since EPOCH_S are beyond 32 bits if the clock says that it is 2089. */
  readonly #scores = new Float64Array(POOL_SIZE);
  readonly #random = new Random();
  readonly #sampled = new Uint32Array(SAMPLES_MAX);
  readonly #accesses = new Int32Array(SAMPLES_MAX);

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
    this.db = keyspace.databases[0];
  }

  /** Sets the policy by its name. What the pool holds was judged by another. */
  usePolicy(name: string): void {
    assert(Object.hasOwn(POLICIES, name), "a policy has an order");
    this.#policy = POLICIES[name];
    this.#size = 0;
  }

  /** Whether the policy lets keys go at all. */
  get mayEvict(): boolean {
    return this.#policy.order !== Order.none;
  }

  /** Whether the policy lets a share of all keys go at once. */
  get hasRatio(): boolean {
    return this.#policy.hasRatio;
  }

  /** Finds the key that goes next, and puts it into `db` and `ref`; returns whether there is one. */
  find(): boolean {
    switch (this.#policy.order) {
      case Order.none:
        return false;
      case Order.deadline:
        return this.#findSoonest();
      case Order.random:
        return this.#findInTurn();
      case Order.even:
        return this.#findAny();
      default:
        return this.#findBest();
    }
  }

  /** How many keys of `db` may go. */
  #candidates(db: Database): number {
    return this.#policy.isVolatile ? db.deadlines.count : db.size;
  }

  #findSoonest(): boolean {
    const { databases } = this.#keyspace;
    let soonest = Infinity;
    this.ref = 0;
    for (let i = 0; i < databases.length; i++) {
      const { next } = databases[i].deadlines;
      if (next >= soonest) continue;
      soonest = next;
      this.db = databases[i];
      this.ref = databases[i].placement.heap.minRef;
    }
    return this.ref !== 0;
  }

  /** A random key of the next database that has any. */
  #findInTurn(): boolean {
    const { databases } = this.#keyspace;
    for (let i = 0; i < databases.length; i++) {
      this.#turn = (this.#turn + 1) % databases.length;
      const db = databases[this.#turn];
      if (this.#candidates(db) === 0) continue;
      const { table, heap } = db.placement;
      this.db = db;
      this.ref = this.#policy.isVolatile ? heap.randomRef() : table.randomRef();
      return true;
    }
    return false;
  }

  /** A random key of all databases. */
  #findAny(): boolean {
    const { databases, keyCount } = this.#keyspace;
    let left = this.#random.below(keyCount);
    for (let i = 0; i < databases.length; i++) {
      const { size, placement } = databases[i];
      if (left < size) {
        this.db = databases[i];
        this.ref = placement.table.randomRef();
        return true;
      }
      left -= size;
    }
    return false;
  }

  #findBest(): boolean {
    for (;;) {
      if (!this.#fillPool()) return false;
      while (this.#size > 0) {
        if (this.#takeLast()) return true;
      }
    }
  }

  /** Takes the best candidate out of the pool; returns whether it is one still. */
  #takeLast(): boolean {
    const last = --this.#size;
    const ref = this.#refs[last];
    const hash = this.#hashes[last];
    const index = this.#databases[last];
    const db = this.#keyspace.databases[index];
    const { table, entries } = db.placement;
    if (!table.holds(hash, ref)) return false;
    if (this.#policy.isVolatile && !entries.hasFlag(ref, EntryFlag.ttl)) return false;
    const score = this.#scoreOf(entries.access(ref));
    if (score < this.#scores[last] && last > 0 && score < this.#scores[last - 1]) {
      this.#insert(index, ref, hash, score);
      return false;
    }
    this.db = db;
    this.ref = ref;
    return true;
  }

  /** Looks at some keys of each database; returns whether there are any. */
  #fillPool(): boolean {
    const { databases } = this.#keyspace;
    let isAny = false;
    for (let i = 0; i < databases.length; i++) {
      const count = this.#candidates(databases[i]);
      if (count === 0) continue;
      isAny = true;
      this.#sample(databases[i], i, Math.min(this.samples, count, SAMPLES_MAX));
    }
    return isAny;
  }

  #sample({ placement }: Database, index: number, wanted: number): void {
    const { table, heap, entries } = placement;
    const sampled = this.#sampled;
    const count = this.#policy.isVolatile
      ? heap.sample(sampled, wanted)
      : table.sample(sampled, wanted);
    // All reads first: the processor waits for the memory of all samples together.
    const accesses = this.#accesses;
    for (let i = 0; i < count; i++) accesses[i] = entries.access(sampled[i]);
    for (let i = 0; i < count; i++) {
      const ref = sampled[i];
      const score = this.#scoreOf(accesses[i]);
      if (this.#size === POOL_SIZE && score <= this.#scores[0]) continue;
      if (this.#isPooled(ref)) continue;
      this.#insert(index, ref, entries.hashOf(ref), score);
    }
  }

  /**
   * The higher, the sooner a key with this access field goes. It stays the same until the key is used, so that candidates that
   * were found at different times can be compared: a moment, not an age. Counters decay, but no faster than once a minute.
   */
  #scoreOf(access: number): number {
    const keyspace = this.#keyspace;
    if (this.#policy.order === Order.frequency) return 255 - keyspace.frequency(access);
    return keyspace.idleSeconds(access) - (Math.floor(keyspace.clock.nowMs() / 1000) - EPOCH_S);
  }

  #isPooled(ref: Ref): boolean {
    for (let i = 0; i < this.#size; i++) if (this.#refs[i] === ref) return true;
    return false;
  }

  /** Puts a candidate into the pool, before those that are as good: they have waited. The worst one leaves a full pool. */
  #insert(database: number, ref: Ref, hash: number, score: number): void {
    const scores = this.#scores;
    let place = 0;
    while (place < this.#size && scores[place] < score) place++;
    if (this.#size === POOL_SIZE) {
      assert(place > 0, "a full pool takes no worse candidate");
      place--;
      for (let i = 0; i < place; i++) this.#move(i + 1, i);
    } else {
      for (let i = this.#size; i > place; i--) this.#move(i - 1, i);
      this.#size++;
    }
    this.#databases[place] = database;
    this.#refs[place] = ref;
    this.#hashes[place] = hash;
    scores[place] = score;
  }

  #move(from: number, to: number): void {
    this.#databases[to] = this.#databases[from];
    this.#refs[to] = this.#refs[from];
    this.#hashes[to] = this.#hashes[from];
    this.#scores[to] = this.#scores[from];
  }
}
