// hot path
/**
 * A Bloom filter that grows: layers of bits, of which each new one is larger and has half the error rate, so
 * that the sum of all stays below the rate that was asked for.
 *
 * An item sets `hashCount` bits of the last layer, at h1 + i·h2 + (i³ − i) / 6 modulo its size; it is there if all
 * of them are set in one of the layers. What was added is always found.
 * Costs: O(layers · hashes); 1.44 · log2(1 / error) bits an item of capacity.
 * Sources: Bloom, "Space/Time Trade-offs in Hash Coding with Allowable Errors", 1970; Dillinger and
 * Manolios, "Bloom Filters in Probabilistic Verification", 2004, for the hashes; Almeida and others, "Scalable Bloom Filters", 2007.
 *
 * @module
 */
import { assert } from "../lib/assert.ts";
import { detach } from "../lib/detach.ts";
import { murmurHash } from "../lib/murmur_hash.ts";

/** Fixed, since filters are written to files. */
const SEED_1 = 0x5bd1e995;
const SEED_2 = 0x1b873593;
/** A layer's error rate is that of the layer before times this; the first one's is that of the filter times this. */
const TIGHTENING = 0.5;
/** Beyond this the two hashes of 32 bits can't reach all bits. */
const LAYER_BYTES_MAX = 2 ** 29;
const LAYER_OVERHEAD = 200;
const FILTER_OVERHEAD = 200;

/** A Bloom filter of fixed size. */
class BloomLayer {
  /** Items that were added to it. */
  count = 0;

  constructor(
    /** Items that it holds at its error rate. */
    readonly capacity: number,
    readonly errorRate: number,
    readonly hashCount: number,
    readonly bits: Uint8Array,
  ) {}

  /** Bits, as a number. */
  get size(): number {
    assert(this.bits.length > 0, "a layer has bits");
    return 8 * this.bits.length;
  }

  has(h1: number, h2: number): boolean {
    assert(this.hashCount > 0 && this.size > 0, "the layer has bits, and sets some for an item");
    const { bits, size } = this;
    let at = h1;
    let step = h2;
    for (let i = 1; i <= this.hashCount; i++) {
      const bit = at % size;
      at += step;
      step += i;
      if ((bits[Math.floor(bit / 8)] & (1 << (bit % 8))) === 0) return false;
    }
    return true;
  }

  set(h1: number, h2: number): void {
    assert(this.hashCount > 0 && this.size > 0, "the layer has bits, and sets some for an item");
    const { bits, size } = this;
    let at = h1;
    let step = h2;
    for (let i = 1; i <= this.hashCount; i++) {
      const bit = at % size;
      at += step;
      step += i;
      bits[Math.floor(bit / 8)] |= 1 << (bit % 8);
    }
    this.count++;
  }
}

/** Bytes of the bits of a layer. */
function layerBytes(capacity: number, errorRate: number): number {
  assert(
    capacity > 0 && errorRate > 0 && errorRate < 1,
    "capacity and error rate are positive",
  );
  const bits = capacity * -Math.log(errorRate) / Math.LN2 ** 2;
  return 8 * Math.ceil(bits / 64);
}

/** What became of an item. */
export const Added = { known: 0, added: 1, full: -1 } as const;

/** See the module's head. */
export class BloomFilter {
  readonly layers: BloomLayer[] = [];
  /** Items that were added. */
  count = 0;
  #h1 = 0;
  #h2 = 0;

  /** `expansion`: how much larger each layer is than the one before; 0: there is one layer only. */
  constructor(readonly errorRate: number, readonly capacity: number, readonly expansion: number) {}

  /** Whether a filter of that size can be made at all. */
  static canHold(errorRate: number, capacity: number, expansion: number): boolean {
    assert(expansion >= 0, "the expansion is not negative");
    const rate = expansion === 0 ? errorRate : errorRate * TIGHTENING;
    // The half of the least number is 0.
    return rate > 0 && layerBytes(capacity, rate) <= LAYER_BYTES_MAX;
  }

  /** Memory, in bytes. */
  get bytes(): number {
    let sum = FILTER_OVERHEAD;
    for (const { bits } of this.layers) sum += bits.length + LAYER_OVERHEAD;
    return sum;
  }

  /** Frees its memory; it is not used any more. */
  dispose(): void {
    assert(this.count >= 0, "the count is not negative");
    for (const { bits } of this.layers) detach(bits);
    this.layers.length = 0;
  }

  /** Items that it holds at its error rate, with the layers it has. */
  get totalCapacity(): number {
    return this.layers.reduce((sum, { capacity }) => sum + capacity, 0);
  }

  has(view: DataView, start: number, end: number): boolean {
    assert(start <= end && end <= view.byteLength, "an item lies within its bytes");
    this.#hash(view, start, end);
    return this.#isKnown();
  }

  /** Adds `view[start, end)`; one that is there already, or seems to be, changes nothing. */
  add(view: DataView, start: number, end: number): number {
    assert(start <= end && end <= view.byteLength, "an item lies within its bytes");
    this.#hash(view, start, end);
    if (this.#isKnown()) return Added.known;
    let layer = this.layers.at(-1);
    if (layer === undefined || layer.count >= layer.capacity) layer = this.#grow(layer);
    if (layer === undefined) return Added.full;
    layer.set(this.#h1, this.#h2);
    this.count++;
    return Added.added;
  }

  /** Makes the first layer, which a filter has from the start. */
  begin(): void {
    if (this.layers.length === 0) this.#grow(undefined);
    assert(this.layers.length > 0, "a filter has its first layer from the start");
  }

  /** Adds a layer; returns undefined if the filter may not grow, or can't. */
  #grow(last: BloomLayer | undefined): BloomLayer | undefined {
    assert(last === this.layers.at(-1), "a layer follows the last one");
    return this.#addLayer(last, (size) => size > LAYER_BYTES_MAX ? null : new Uint8Array(size));
  }

  /** Adds a layer as it was saved; returns false, adding none, if this filter's next layer has another size. */
  restoreLayer(bits: Uint8Array, count: number): boolean {
    assert(count >= 0, "the count is not negative");
    const layer = this.#addLayer(
      this.layers.at(-1),
      (size) => size === bits.length ? bits : null,
    );
    if (layer === undefined) return false;
    assert(layer.bits === bits, "a layer that was saved keeps its bits");
    layer.count = count;
    this.count += count;
    return true;
  }

  /** `bitsOf` returns a layer's bytes, or null, in which case no layer is added. */
  #addLayer(
    last: BloomLayer | undefined,
    bitsOf: (size: number) => Uint8Array | null,
  ): BloomLayer | undefined {
    if (last !== undefined && this.expansion === 0) return undefined;
    const first = this.expansion === 0 ? this.errorRate : this.errorRate * TIGHTENING;
    const errorRate = last === undefined ? first : last.errorRate * TIGHTENING;
    const capacity = last === undefined ? this.capacity : last.capacity * this.expansion;
    // What was saved may lie about itself, and no rate can be halved for ever.
    if (!(capacity > 0 && errorRate > 0)) return undefined;
    const bits = bitsOf(layerBytes(capacity, errorRate));
    if (bits === null) return undefined;
    assert(bits.length === layerBytes(capacity, errorRate), "a layer has the bits that it needs");
    const hashCount = Math.max(Math.ceil(-Math.log2(errorRate)), 1);
    assert(hashCount > 0, "an item sets some bits");
    const layer = new BloomLayer(capacity, errorRate, hashCount, bits);
    this.layers.push(layer);
    return layer;
  }

  #hash(view: DataView, start: number, end: number): void {
    this.#h1 = murmurHash(view, start, end, SEED_1) >>> 0;
    // Odd, so that it shares no factor with a size that is a power of two.
    this.#h2 = (murmurHash(view, start, end, SEED_2) | 1) >>> 0;
    assert((this.#h2 & 1) === 1, "the step is odd");
  }

  /** Newer layers are larger, and hold more of what was added. */
  #isKnown(): boolean {
    assert((this.#h2 & 1) === 1, "an item was hashed");
    for (let i = this.layers.length - 1; i >= 0; i--) {
      if (this.layers[i].has(this.#h1, this.#h2)) return true;
    }
    return false;
  }

  clone(): BloomFilter {
    const twin = new BloomFilter(this.errorRate, this.capacity, this.expansion);
    assert(twin.layers.length === 0, "a copy begins without layers");
    twin.count = this.count;
    for (const { capacity, errorRate, hashCount, bits, count } of this.layers) {
      const layer = new BloomLayer(capacity, errorRate, hashCount, Uint8Array.from(bits));
      layer.count = count;
      twin.layers.push(layer);
    }
    assert(twin.layers.length === this.layers.length, "a copy has all layers");
    assert(twin.bytes === this.bytes, "a copy takes the same memory");
    return twin;
  }
}
