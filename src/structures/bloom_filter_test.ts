import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Added, BloomFilter } from "./bloom_filter.ts";

const encoder = new TextEncoder();

function viewOf(text: string): DataView {
  return new DataView(encoder.encode(text).buffer);
}

function add(filter: BloomFilter, text: string): number {
  const view = viewOf(text);
  return filter.add(view, 0, view.byteLength);
}

function has(filter: BloomFilter, text: string): boolean {
  const view = viewOf(text);
  return filter.has(view, 0, view.byteLength);
}

Deno.test("what was added is found, whatever the filter's parameters are", () => {
  const shape = fc.record({
    errorRate: fc.constantFrom(0.5, 0.01, 0.0001),
    capacity: fc.integer({ min: 1, max: 50 }),
    expansion: fc.integer({ min: 1, max: 4 }),
  });
  fc.assert(fc.property(shape, fc.array(fc.string(), { maxLength: 200 }), (given, texts) => {
    const filter = new BloomFilter(given.errorRate, given.capacity, given.expansion);
    filter.begin();
    let added = 0;
    for (const text of texts) if (add(filter, text) === Added.added) added++;
    for (const text of texts) assert(has(filter, text));
    assertEquals(filter.count, added);
    assert(filter.totalCapacity >= added);
    const twin = filter.clone();
    for (const text of texts) assertEquals(add(twin, text), Added.known);
  }));
});

Deno.test("wrong answers stay below the rate that was asked for, also when the filter has grown", () => {
  for (
    const [errorRate, capacity, items] of [[0.01, 1000, 1000], [0.01, 100, 5000], [0.1, 500, 4000]]
  ) {
    const filter = new BloomFilter(errorRate, capacity, 2);
    for (let i = 0; i < items; i++) add(filter, `item ${i}`);
    let wrong = 0;
    for (let i = 0; i < 20_000; i++) if (has(filter, `other ${i}`)) wrong++;
    assert(wrong / 20_000 <= errorRate, `${wrong / 20_000} at ${errorRate}, ${items} items`);
  }
});

Deno.test("a filter that may not grow takes its capacity and no more", () => {
  const filter = new BloomFilter(0.001, 10, 0);
  let last: number = Added.added;
  let added = 0;
  for (let i = 0; last !== Added.full; i++) {
    last = add(filter, `${i}`);
    if (last === Added.added) added++;
  }
  assertEquals([added, filter.layers.length], [10, 1]);
  assertEquals(add(filter, "0"), Added.known);
});

Deno.test("a filter too large for its hashes is not made", () => {
  assert(BloomFilter.canHold(0.01, 100_000_000, 2));
  assert(!BloomFilter.canHold(0.01, 1_000_000_000, 2));
});
