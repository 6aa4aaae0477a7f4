import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { bytesPerCall } from "../lib/alloc.ts";
import { DashTable, type KeyLayout } from "./dash_table.ts";

/** Mixes 32 bits (the end of MurmurHash3). */
function mix(key: number): number {
  key = Math.imul(key ^ (key >>> 16), 0x85ebca6b);
  key = Math.imul(key ^ (key >>> 13), 0xc2b2ae35);
  return key ^ (key >>> 16);
}

/** A table whose keys are u32 numbers; ref n has the key at `keys[n]`. */
class Keys implements KeyLayout {
  readonly table = new DashTable(this);
  readonly hash: (key: number) => number;
  #keys = new Uint32Array(1024);
  #bytes = new Uint8Array(4);
  #view = new DataView(this.#bytes.buffer);
  #nextRef = 1;

  constructor(hash = mix) {
    this.hash = hash;
  }

  keyOf(ref: number): number {
    return this.#keys[ref];
  }

  hashOf(ref: number): number {
    return this.hash(this.#keys[ref]);
  }

  matches(ref: number, _: Uint8Array, view: DataView, start: number, end: number): boolean {
    assert(end - start === 4);
    return view.getUint32(start, true) === this.#keys[ref];
  }

  newRef(key: number): number {
    if (this.#nextRef === this.#keys.length) {
      const grown = new Uint32Array(2 * this.#keys.length);
      grown.set(this.#keys);
      this.#keys = grown;
    }
    this.#keys[this.#nextRef] = key;
    return this.#nextRef++;
  }

  find(key: number): number {
    this.#view.setUint32(0, key, true);
    return this.table.find(this.hash(key), this.#bytes, this.#view, 0, 4);
  }

  findAgain(key: number): number {
    this.#view.setUint32(0, key, true);
    return this.table.findAgain(this.#bytes, this.#view, 0, 4);
  }

  /** Inserts without looking first. */
  add(key: number): number {
    const ref = this.newRef(key);
    this.table.insert(this.hash(key), ref);
    return ref;
  }

  addRange(start: number, end: number): void {
    for (let key = start; key < end; key++) this.add(key);
  }

  remove(key: number): void {
    const ref = this.find(key);
    if (ref !== 0) this.table.remove(this.hash(key), ref);
  }

  removeRange(start: number, end: number): void {
    for (let key = start; key < end; key++) this.remove(key);
  }

  /** Key → how often a whole scan shows it; `between` runs after each call. */
  scanAll(count: number, between: () => void = () => {}): Map<number, number> {
    const shown = new Map<number, number>();
    let cursor = 0;
    do {
      cursor = this.table.scan(cursor, count, (ref) => {
        const key = this.keyOf(ref);
        shown.set(key, (shown.get(key) ?? 0) + 1);
      });
      assert(Number.isSafeInteger(cursor) && cursor >= 0 && cursor <= 2 ** 42);
      between();
    } while (cursor !== 0);
    return shown;
  }
}

/** A seeded generator of integers below n. */
function randomOf(seed: number): (n: number) => number {
  return (n) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    return (seed >>> 8) % n;
  };
}

Deno.test("DashTable.find() tells a key that is there from one that is not", () => {
  const keys = new Keys();
  const ref = keys.add(7);
  assertEquals(keys.find(7), ref);
  assertEquals(keys.find(8), 0);
  assertEquals(keys.table.count, 1);
});

Deno.test("DashTable.findAgain() knows the key that was found last until the table changes", () => {
  const keys = new Keys();
  const ref = keys.add(7);
  keys.add(9);
  assertEquals(keys.findAgain(7), 0);
  keys.find(7);
  assertEquals([keys.findAgain(7), keys.findAgain(9)], [ref, 0]);
  const moved = keys.newRef(7);
  keys.table.replace(mix(7), ref, moved);
  assertEquals(keys.findAgain(7), moved);
  keys.table.remove(mix(7), moved);
  assertEquals(keys.findAgain(7), 0);
});

Deno.test("DashTable.replace() and remove() refuse a ref that is not in the table", () => {
  const keys = new Keys();
  const ref = keys.add(7);
  const moved = keys.newRef(7);
  keys.table.replace(mix(7), ref, moved);
  assertEquals(keys.find(7), moved);
  assertThrows(() => keys.table.replace(mix(7), ref, moved), Error, "a replaced ref");
  keys.table.remove(mix(7), moved);
  assertEquals(keys.find(7), 0);
  assertThrows(() => keys.table.remove(mix(7), moved), Error, "a removed ref");
  keys.table.verify();
});

Deno.test("DashTable.insert() probes anew when the table changed since the miss", () => {
  const keys = new Keys();
  keys.addRange(0, 52);
  assertEquals(keys.find(1000), 0);
  keys.addRange(100, 400); // the segment grows in between
  keys.add(1000);
  assertEquals(keys.keyOf(keys.find(1000)), 1000);
  keys.table.verify();
});

Deno.test("DashTable replaces and removes by ref", () => {
  const keys = new Keys();
  keys.addRange(0, 100);
  const ref = keys.find(50);
  const moved = keys.newRef(50);
  keys.table.replace(mix(50), ref, moved);
  assertEquals(keys.find(50), moved);
  assertThrows(() => keys.table.replace(mix(50), ref, moved));
  keys.table.remove(mix(50), moved);
  assertEquals(keys.find(50), 0);
  assertThrows(() => keys.table.remove(mix(50), moved));
  keys.table.verify();
});

Deno.test("DashTable is small when it holds little, and again after mass deletion", () => {
  const keys = new Keys();
  const empty = keys.table.bytes;
  assert(empty < 1000);
  keys.addRange(0, 100_000);
  assert(keys.table.bytes < 14 * 100_000);
  keys.table.verify();
  keys.removeRange(0, 99_000);
  keys.table.verify();
  assert(keys.table.bytes < 30 * 1000);
  keys.removeRange(99_000, 100_000);
  keys.table.verify();
  assertEquals([keys.table.bytes, keys.table.count, keys.table.segmentCount], [empty, 0, 1]);
});

Deno.test("DashTable.clear() forgets everything", () => {
  const keys = new Keys();
  const empty = keys.table.bytes;
  keys.addRange(0, 10_000);
  keys.table.clear();
  assertEquals([keys.table.bytes, keys.table.count, keys.find(5)], [empty, 0, 0]);
  keys.table.verify();
  keys.add(5);
  assertEquals(keys.table.count, 1);
});

Deno.test("DashTable agrees with a Map while it grows, churns and shrinks", () => {
  // (range of keys, chance of a write that adds): growth, churn, mass deletion, in random order.
  const phase = fc.record({
    range: fc.constantFrom(40, 700, 5_000, 60_000),
    adds: fc.constantFrom(10, 50, 90),
    steps: fc.integer({ min: 1, max: 15_000 }),
    seed: fc.integer(),
  });
  fc.assert(
    fc.property(fc.array(phase, { minLength: 2, maxLength: 6 }), (phases) => {
      const keys = new Keys();
      const model = new Map<number, number>();
      for (const { range, adds, steps, seed } of phases) {
        const random = randomOf(seed);
        for (let i = 0; i < steps; i++) changeBoth(keys, model, random, range, adds);
        keys.table.verify();
        assertEquals(keys.table.count, model.size);
      }
      const seen = new Map<number, number>();
      keys.table.forEach((ref) => seen.set(keys.keyOf(ref), ref));
      assertEquals(seen.size, model.size);
      for (const [key, ref] of model) assertEquals(seen.get(key), ref);
      for (const key of [...model.keys()]) keys.remove(key);
      keys.table.verify();
      assertEquals([keys.table.count, keys.table.segmentCount], [0, 1]);
    }),
    { numRuns: 25 },
  );
});

function changeBoth(
  keys: Keys,
  model: Map<number, number>,
  random: (n: number) => number,
  range: number,
  adds: number,
): void {
  const key = random(range);
  const again = keys.findAgain(key);
  if (again !== 0) assertEquals(again, model.get(key));
  const found = keys.find(key);
  assertEquals(found, model.get(key) ?? 0);
  assertEquals(keys.findAgain(key), found);
  if (random(100) < adds) {
    const ref = keys.newRef(key);
    if (found === 0) keys.table.insert(mix(key), ref);
    else keys.table.replace(mix(key), found, ref);
    model.set(key, ref);
  } else if (found !== 0) {
    keys.table.remove(mix(key), found);
    model.delete(key);
  }
}

Deno.test("DashTable.scan() shows what stays throughout, though the table grows and shrinks", () => {
  const change = fc.record({
    grow: fc.boolean(),
    size: fc.constantFrom(0, 1, 50, 900, 6_000),
  });
  const start = fc.constantFrom(0, 3, 50, 200, 3_000, 20_000);
  const count = fc.constantFrom(1, 10, 300, 2_000);
  fc.assert(
    fc.property(start, count, fc.array(change, { maxLength: 40 }), (start, count, changes) => {
      const keys = new Keys();
      const stays = new Set<number>();
      for (let key = 0; key < 300; key++) stays.add(1_000_000 + 7 * key);
      for (const key of stays) keys.add(key);
      let low = 0;
      let high = start;
      keys.addRange(0, start);
      let step = 0;
      const shown = keys.scanAll(count, () => {
        const { grow, size } = changes[step++] ?? { grow: false, size: 0 };
        if (grow) keys.addRange(high, high += size);
        else keys.removeRange(low, low = Math.min(high, low + size));
      });
      for (const key of stays) assert(shown.has(key), `key ${key} was not shown`);
      keys.table.verify();
    }),
    { numRuns: 150 },
  );
});

Deno.test("DashTable.scan() of a table at rest shows everything once, about count a call", () => {
  for (const size of [0, 1, 40, 500, 5_000, 50_000]) {
    const keys = new Keys();
    keys.addRange(0, size);
    let calls = 0;
    const shown = keys.scanAll(10, () => calls++);
    assertEquals(shown.size, size);
    for (const times of shown.values()) assertEquals(times, 1);
    assert(calls <= size / 8 + 1, `${calls} calls for ${size}`);
    assert(calls >= size / 14, `${calls} calls for ${size}`);
  }
});

Deno.test("DashTable.scan() takes any number that a client sends", () => {
  const keys = new Keys();
  keys.addRange(0, 5_000);
  const random = randomOf(1);
  const cursors = [1, 1023, 2 ** 42, 2 ** 53 - 1, 2 ** 63, 2 ** 64];
  for (let i = 0; i < 200; i++) cursors.push(random(2 ** 24) * 2 ** (i % 30) + random(1024));
  for (const start of cursors) {
    // From any cursor a scan shows only refs that are there, each once, and ends.
    const shown = new Set<number>();
    let calls = 0;
    let cursor = start;
    do {
      cursor = keys.table.scan(cursor, 10, (ref) => {
        assertEquals(keys.find(keys.keyOf(ref)), ref);
        assert(!shown.has(ref), `from ${start}, ref ${ref} is shown twice`);
        shown.add(ref);
      });
      assert(Number.isSafeInteger(cursor) && cursor >= 0 && cursor <= 2 ** 42, `${cursor}`);
      assert(++calls <= 5_000 / 8 + 1, `the scan from ${start} does not end`);
    } while (cursor !== 0);
  }
});

Deno.test("DashTable.randomRef() gives each ref about the same chance", () => {
  const keys = new Keys();
  keys.addRange(0, 2_000);
  const times = new Uint32Array(2_000);
  for (let i = 0; i < 200_000; i++) times[keys.keyOf(keys.table.randomRef())]++;
  // 100 are expected; chance alone does not deviate by more than six standard deviations.
  assert(times.every((n) => n > 35 && n < 180), `${Math.min(...times)} to ${Math.max(...times)}`);
});

Deno.test("DashTable.randomRef() and sample() find the one ref that is there", () => {
  const keys = new Keys();
  const out = new Uint32Array(5);
  assertEquals(keys.table.randomRef(), 0);
  assertEquals(keys.table.sample(out, 5), 0);
  const ref = keys.add(1);
  for (let i = 0; i < 100; i++) assertEquals(keys.table.randomRef(), ref);
  assertEquals(keys.table.sample(out, 5), 1);
  assertEquals(out[0], ref);
});

Deno.test("DashTable.sample() gives different refs and reaches all of them", () => {
  const keys = new Keys();
  keys.addRange(0, 3_000);
  const out = new Uint32Array(16);
  const reached = new Set<number>();
  for (let i = 0; i < 20_000; i++) {
    assertEquals(keys.table.sample(out, 16), 16);
    assertEquals(new Set(out).size, 16);
    out.forEach((ref) => reached.add(ref));
  }
  assertEquals(reached.size, 3_000);
});

Deno.test("DashTable.holds() knows the refs that are there, by their hashes", () => {
  const keys = new Keys();
  const refs = Array.from({ length: 5000 }, (_, key) => keys.add(key));
  for (let key = 0; key < 5000; key += 2) keys.remove(key);
  for (const [key, ref] of refs.entries()) {
    assertEquals(keys.table.holds(mix(key), ref), key % 2 === 1);
  }
});

Deno.test("DashTable probes few slots and hardly ever a wrong key", () => {
  let wrong = 0;
  class Counting extends Keys {
    override matches(ref: number, bytes: Uint8Array, view: DataView, start: number, end: number) {
      const isEqual = super.matches(ref, bytes, view, start, end);
      if (!isEqual) wrong++;
      return isEqual;
    }
  }
  const keys = new Counting();
  keys.addRange(0, 100_000);
  for (let key = 0; key < 100_000; key++) keys.find(key);
  assert(wrong < 100_000 * 0.03, `${wrong} false prints in hits`);
  wrong = 0;
  for (let key = 100_000; key < 200_000; key++) keys.find(key);
  assert(wrong < 100_000 * 0.1, `${wrong} false prints in misses`);
});

Deno.test("DashTable survives keys that all have one hash", () => {
  const keys = new Keys(() => 0x12345678);
  keys.addRange(0, 2_000);
  keys.table.verify();
  assertEquals(keys.keyOf(keys.find(1_999)), 1_999);
  assertEquals(keys.scanAll(10).size, 2_000);
  keys.removeRange(0, 2_000);
  assertEquals(keys.table.count, 0);
  keys.table.verify();
});

Deno.test("DashTable compares a key with a thousand of the same hash once each, and with few others", () => {
  let compared = 0;
  class Counting extends Keys {
    override matches(ref: number, bytes: Uint8Array, view: DataView, start: number, end: number) {
      compared++;
      return super.matches(ref, bytes, view, start, end);
    }
  }
  const keys = new Counting((key) => key < 1_000 ? 0x12345678 : mix(key));
  keys.addRange(0, 100_000);
  keys.table.verify();
  compared = 0;
  for (let key = 0; key < 1_000; key++) assert(keys.find(key) !== 0);
  assert(compared <= 1_000 * 1_000 / 2 + 1_000 * 10, `${compared} comparisons`);
  compared = 0;
  for (let key = 1_000; key < 100_000; key++) assert(keys.find(key) !== 0);
  assert(compared < 1.1 * 99_000, `${compared} comparisons`);
});

Deno.test("DashTable changes and look-ups allocate nothing", () => {
  const keys = new Keys();
  keys.addRange(0, 1_000);
  const refs: number[] = [];
  for (let key = 0; key < 1_000; key++) refs.push(keys.find(key));
  let key = 0;
  assertEquals(bytesPerCall(() => keys.find(key = (key + 1) % 2_000)), 0);
  const pair = bytesPerCall(() => {
    key = (key + 1) % 1_000;
    keys.table.remove(mix(key), keys.find(key));
    keys.find(key);
    keys.table.insert(mix(key), refs[key]);
  });
  assertEquals(pair, 0);
  const byRef = bytesPerCall(() => {
    key = (key + 1) % 1_000;
    keys.table.remove(mix(key), refs[key]);
    keys.table.insert(mix(key), refs[key]);
  });
  assertEquals(byRef, 0);
  const out = new Uint32Array(5);
  assertEquals(bytesPerCall(() => keys.table.sample(out, 5)), 0);
});

Deno.test("prefetch() names refs that find() would look at, and changes nothing", () => {
  const keys = new Keys();
  for (let key = 0; key < 5000; key++) keys.add(key);
  for (let key = 0; key < 5000; key += 3) keys.remove(key);
  const hashes = Int32Array.from({ length: 6000 }, (_, key) => mix(key));
  const refs = new Uint32Array(hashes.length);
  keys.table.prefetch(hashes, refs, hashes.length);
  let hits = 0;
  for (const [key, ref] of refs.entries()) {
    const found = keys.find(key);
    if (found !== 0) assert(ref !== 0, "a key that is there has a candidate");
    if (ref !== 0 && ref === found) hits++;
  }
  // Nearly all keys that are there; a few come after another ref with the same print.
  assert(hits > 0.98 * keys.table.count && hits <= keys.table.count, `${hits} hits`);
  keys.table.verify();
});
