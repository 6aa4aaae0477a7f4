/**
 * Keys for the benchmarks of structures: "key:N" in blocks of an arena, as the keyspace lays them
 * out in spirit (a length, then the bytes), found through a dash table.
 *
 * @module
 */
import { Hasher } from "../src/lib/hash.ts";
import { Arena, offsetOf, type Ref } from "../src/structures/arena.ts";
import { DashTable, type KeyLayout } from "../src/structures/dash_table.ts";

const HASHER = new Hasher(42, 43);
const LENGTH_BYTES = 8;
const PREFIX = new TextEncoder().encode("key:");

/** A table of keys in an arena, and one key at a time as a client would send it. */
export class Keys implements KeyLayout {
  readonly arena = new Arena();
  readonly table = new DashTable(this);
  readonly bytes = new Uint8Array(32);
  readonly view = new DataView(this.bytes.buffer);
  /** Where the key ends that `say` wrote. */
  end = 0;
  hash = 0;

  constructor() {
    this.bytes.set(PREFIX);
  }

  hashOf(ref: Ref): number {
    const { view, words } = this.arena.chunkOf(ref);
    const start = offsetOf(ref);
    const keyStart = start + LENGTH_BYTES;
    return HASHER.hash(view, keyStart, keyStart + words[start >>> 2]);
  }

  matches(ref: Ref, bytes: Uint8Array, _: DataView, start: number, end: number): boolean {
    const chunk = this.arena.chunkOf(ref);
    const offset = offsetOf(ref);
    if (chunk.words[offset >>> 2] !== end - start) return false;
    const stored = chunk.bytes;
    const shift = offset + LENGTH_BYTES - start;
    for (let at = start; at < end; at++) if (stored[shift + at] !== bytes[at]) return false;
    return true;
  }

  /** Makes "key:N" the key that `find` and `add` mean. */
  say(n: number): void {
    let digits = 1;
    for (let rest = n; rest >= 10; rest = Math.floor(rest / 10)) digits++;
    this.end = PREFIX.length + digits;
    for (let at = this.end - 1; at >= PREFIX.length; at--) {
      this.bytes[at] = 48 + n % 10;
      n = Math.floor(n / 10);
    }
    this.hash = HASHER.hash(this.view, 0, this.end);
  }

  find(): Ref {
    return this.table.find(this.hash, this.bytes, this.view, 0, this.end);
  }

  /** Adds a block of `size` bytes for the key, which `find` has just missed. */
  add(size: number): Ref {
    const ref = this.arena.alloc(size);
    const chunk = this.arena.chunkOf(ref);
    const start = offsetOf(ref);
    chunk.words[start >>> 2] = this.end;
    for (let at = 0; at < this.end; at++) {
      chunk.bytes[start + LENGTH_BYTES + at] = this.bytes[at];
    }
    this.table.insert(this.hash, ref);
    return ref;
  }
}

/** A seeded generator of integers below n (a linear congruence modulo 2^32, its upper bits). */
export function randomOf(seed: number): (n: number) => number {
  return (n) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    return (seed >>> 8) % n;
  };
}
