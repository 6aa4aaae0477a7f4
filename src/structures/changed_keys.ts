// hot path
/**
 * Keys that have changed since it was emptied last, with the number of who changed each; they can be walked in the order
 * of their bytes, in which all keys with one prefix are neighbours, each once with who changed it last.
 *
 * ```
 * bytes    | key | key | key | …          one behind the other, in the order of the changes
 * ends     where each ends
 * authors  who has changed it
 * ```
 *
 * A key that changes again and again is noted each time. Before the log grows, what is noted twice is taken out.
 *
 * Costs: `add` a copy; `sort` O(n log n), by six bytes behind what all keys begin with, and by all bytes where these are
 * equal; 12 bytes a key beside its bytes.
 *
 * @module
 */
import { assert } from "../lib/assert.ts";
import { copyBytes } from "../lib/copy.ts";
import { beginsWith, compareBytes, Slice } from "../lib/slice.ts";
import { sortedIndexes } from "../lib/sorted_indexes.ts";

const KEYS_MIN = 64;
const BYTES_MIN = 4096;
/** Room for more is given back when it is emptied. */
const KEYS_KEPT = 4096;
const BYTES_KEPT = 64 * 1024;
/** So many bytes of a key make its number. With one for the end of the key, a digit has 257 values. */
const DIGITS = 6;
const BASE = 257;

/** See the module's head. */
export class ChangedKeys {
  #bytes = new Uint8Array(BYTES_MIN);
  #view = new DataView(this.#bytes.buffer);
  #ends = new Uint32Array(KEYS_MIN);
  #authors = new Float64Array(KEYS_MIN);
  #count = 0;
  readonly #one = new Slice();
  readonly #other = new Slice();

  /** Whether a key is noted. */
  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** After `sort`, the number of keys. */
  get count(): number {
    assert(this.#count <= this.#ends.length, "a key that is noted has room");
    return this.#count;
  }

  /** Notes that `author` has changed the key `bytes[start, end)`. */
  add(bytes: Uint8Array, start: number, end: number, author: number): void {
    const size = end - start;
    const at = this.#startOf(this.#count);
    if (this.#count === this.#ends.length || at + size > this.#bytes.length) {
      this.#makeRoom(size);
      return this.add(bytes, start, end, author);
    }
    assert(size >= 0, "a key does not end before it begins");
    copyBytes(bytes, start, end, this.#bytes, at);
    this.#ends[this.#count] = at + size;
    this.#authors[this.#count++] = author;
  }

  /** Makes room for a key of `size` bytes and as much as there is already. */
  #makeRoom(size: number): void {
    this.sort();
    const end = this.#startOf(this.#count);
    // Half of the room must be free: otherwise sorting again and again would take longer than all else.
    let keys = this.#ends.length;
    if (2 * this.#count > keys) keys *= 2;
    let room = this.#bytes.length;
    while (2 * end > room || end + size > room) room *= 2;
    this.#resize(keys, room);
    assert(this.#count < keys && end + size <= room, "there is room for one key more");
  }

  #resize(keys: number, room: number): void {
    const { length } = this.#ends;
    if (keys !== length) {
      const [ends, authors] = [new Uint32Array(keys), new Float64Array(keys)];
      for (let i = 0; i < this.#count; i++) {
        ends[i] = this.#ends[i];
        authors[i] = this.#authors[i];
      }
      this.#ends = ends;
      this.#authors = authors;
    }
    if (room === this.#bytes.length) return;
    const bytes = new Uint8Array(room);
    copyBytes(this.#bytes, 0, this.#startOf(this.#count), bytes, 0);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
    assert(this.#bytes.length === room && this.#ends.length === keys, "both have their size");
  }

  #startOf(index: number): number {
    assert(index >= 0 && index <= this.#count, "a key's index lies below the count");
    return index === 0 ? 0 : this.#ends[index - 1];
  }

  /** Points `into` at the key with that index. */
  key(index: number, into: Slice): void {
    into.set(this.#bytes, this.#view, this.#startOf(index), this.#ends[index]);
  }

  /** Who has changed the key with that index last. */
  author(index: number): number {
    assert(index < this.#count, "a key's index lies below the count");
    return this.#authors[index];
  }

  /** Puts the keys into the order of their bytes, each once. Keys may be added afterwards, and sorted again. */
  sort(): void {
    if (this.#count < 2) return;
    const order = sortedIndexes(this.#numbers(), (a, b) => this.#compare(a, b));
    const bytes = new Uint8Array(this.#bytes.length);
    const ends = new Uint32Array(this.#ends.length);
    const authors = new Float64Array(this.#ends.length);
    let count = 0;
    let at = 0;
    for (let i = 0; i < order.length; i++) {
      // Of equal keys the one noted last stands last.
      if (i + 1 < order.length && this.#compare(order[i], order[i + 1]) === 0) continue;
      const start = this.#startOf(order[i]);
      const end = this.#ends[order[i]];
      copyBytes(this.#bytes, start, end, bytes, at);
      at += end - start;
      ends[count] = at;
      authors[count++] = this.#authors[order[i]];
    }
    assert(count > 0 && count <= this.#count, "every key stays once");
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
    this.#ends = ends;
    this.#authors = authors;
    this.#count = count;
  }

  /** A number for each key, from the bytes behind those that all keys begin with: in the order of the keys, as far as they differ there. */
  #numbers(): Float64Array {
    const shared = this.#sharedBytes();
    const numbers = new Float64Array(this.#count);
    for (let i = 0; i < this.#count; i++) {
      const start = this.#startOf(i) + shared;
      let number = 0;
      for (let k = 0; k < DIGITS; k++) {
        number = number * BASE + (start + k < this.#ends[i] ? this.#bytes[start + k] + 1 : 0);
      }
      numbers[i] = number;
    }
    assert(Number.isSafeInteger(BASE ** DIGITS), "a number is exact");
    return numbers;
  }

  /** How many bytes all keys have in common at their beginning. */
  #sharedBytes(): number {
    const bytes = this.#bytes;
    let shared = this.#ends[0];
    assert(this.#count > 0, "there are keys");
    for (let i = 1; i < this.#count; i++) {
      const start = this.#startOf(i);
      const most = Math.min(shared, this.#ends[i] - start);
      for (shared = 0; shared < most && bytes[start + shared] === bytes[shared];) shared++;
    }
    return shared;
  }

  #compare(a: number, b: number): number {
    this.key(a, this.#one);
    this.key(b, this.#other);
    const { bytes, start, end } = this.#other;
    return compareBytes(this.#one, bytes, start, end);
  }

  /** The index of the first key that does not come before `prefix`: where those that begin so are. They must be sorted. */
  firstFrom(prefix: Uint8Array): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      this.key(middle, this.#one);
      if (compareBytes(this.#one, prefix, 0, prefix.length) < 0) low = middle + 1;
      else high = middle;
    }
    assert(low <= this.#count, "an index is at most the count");
    return low;
  }

  /** Whether the key with that index begins with `prefix`. */
  beginsWith(index: number, prefix: Uint8Array): boolean {
    assert(index < this.#count, "a key's index lies below the count");
    return beginsWith(this.#bytes, this.#startOf(index), this.#ends[index], prefix);
  }

  /** Forgets the keys. */
  clear(): void {
    this.#count = 0;
    const isLarge = this.#ends.length > KEYS_KEPT || this.#bytes.length > BYTES_KEPT;
    if (isLarge) this.#resize(KEYS_MIN, BYTES_MIN);
    assert(this.isEmpty, "all keys are forgotten");
  }
}
