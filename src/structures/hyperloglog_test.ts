import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  addToDense,
  Change,
  DENSE_BYTES,
  estimate,
  isSketch,
  keepEstimate,
  keptEstimate,
  markStale,
  mergeInto,
  REGISTERS,
  Sketch,
} from "./hyperloglog.ts";

const encoder = new TextEncoder();

function add(sketch: Sketch, text: string, sparseMax = 3000): number {
  const bytes = encoder.encode(text);
  return sketch.add(bytes, new DataView(bytes.buffer), 0, bytes.length, sparseMax);
}

function registersOf({ bytes, length }: Sketch): Uint8Array {
  const registers = new Uint8Array(REGISTERS);
  assert(mergeInto(registers, bytes, 0, length));
  return registers;
}

Deno.test("registers are those of a plain array, sparse or dense", () => {
  const raise = fc.tuple(
    fc.oneof(fc.nat(REGISTERS - 1), fc.nat(40)),
    fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: 1, max: 4 }) },
      fc.integer({ min: 1, max: 51 }),
    ),
  );
  fc.assert(fc.property(
    fc.array(raise, { maxLength: 300 }),
    fc.constantFrom(0, 60, 3000, 20_000),
    (raises, sparseMax) => {
      const sketch = new Sketch();
      const model = new Uint8Array(REGISTERS);
      for (const [index, value] of raises) {
        const expected = value > model[index] ? Change.raised : Change.none;
        assertEquals(sketch.raise(index, value, sparseMax), expected);
        if (value > model[index]) model[index] = value;
        assert(isSketch(sketch.bytes, 0, sketch.length));
      }
      assertEquals(registersOf(sketch), model);
      assert(sketch.toDense());
      assertEquals([sketch.length, registersOf(sketch)], [DENSE_BYTES, model]);
    },
  ));
});

Deno.test("a sketch becomes dense when it outgrows its limit, or a register 32", () => {
  const sketch = new Sketch();
  sketch.raise(5, 32, 3000);
  assertEquals([sketch.isDense, sketch.describe()], [false, "z:5 v:32,1 Z:16378"]);
  sketch.raise(6, 32, 3000);
  assertEquals(sketch.describe(), "z:5 v:32,2 Z:16377");
  sketch.raise(5, 33, 3000);
  assert(sketch.isDense);
  const small = new Sketch();
  small.raise(1, 1, 20);
  assertEquals(small.isDense, false);
  small.raise(9000, 1, 20);
  assert(small.isDense);
});

Deno.test("estimates lie within five standard errors, and are the same sparse and dense", () => {
  const sparse = new Sketch();
  const dense = new Sketch();
  dense.toDense();
  for (let i = 1; i <= 50_000; i++) {
    add(sparse, `element ${i}`);
    const bytes = encoder.encode(`element ${i}`);
    addToDense(dense.bytes, 0, bytes, new DataView(bytes.buffer), 0, bytes.length);
    if (![1, 10, 100, 1000, 10_000, 50_000].includes(i)) continue;
    const found = estimate(registersOf(sparse));
    assertEquals(found, estimate(registersOf(dense)));
    assert(Math.abs(found - i) <= Math.max(5 * 0.0082 * i, 0), `${found} of ${i}`);
  }
  assertEquals(estimate(new Uint8Array(REGISTERS)), 0);
});

Deno.test("the hash is Redis's: these are its registers for a, b and c", () => {
  const sketch = new Sketch();
  for (const text of ["a", "b", "c"]) add(sketch, text);
  assertEquals(sketch.describe(), "Z:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603");
});

Deno.test("an estimate is kept until it is stale", () => {
  const { bytes } = new Sketch();
  assertEquals(keptEstimate(bytes, 0), 0);
  keepEstimate(bytes, 0, 2 ** 40 + 5);
  assertEquals(keptEstimate(bytes, 0), 2 ** 40 + 5);
  markStale(bytes, 0);
  assertEquals(keptEstimate(bytes, 0), -1);
});

Deno.test("damage is noticed, and never read past", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (runs) => {
    const sketch = new Sketch();
    const damaged = Uint8Array.of(...sketch.bytes.slice(0, 16), ...runs);
    assert(isSketch(damaged, 0, damaged.length));
    const isWhole = mergeInto(new Uint8Array(REGISTERS), damaged, 0, damaged.length);
    assert(sketch.load(damaged, 0, damaged.length));
    assertEquals(sketch.toDense(), isWhole);
    sketch.load(damaged, 0, damaged.length);
    sketch.raise(16_000, 20, 3000);
    assert(sketch.length <= DENSE_BYTES);
  }));
  assert(!isSketch(encoder.encode("HYLL"), 0, 4));
  assert(!isSketch(new Uint8Array(DENSE_BYTES), 0, DENSE_BYTES));
  assert(!new Sketch().load(new Uint8Array(DENSE_BYTES + 1), 0, DENSE_BYTES + 1));
});
