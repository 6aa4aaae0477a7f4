import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { bigIntToInt64, Int64, int64ToBigInt } from "../lib/decimal.ts";
import { EMPTY_INTSET_BYTES, Intset, type IntsetHome } from "./intset.ts";

class Home implements IntsetHome {
  resizeIntset(set: Intset, size: number): void {
    const next = new Uint8Array(size + 5);
    next.set(set.bytes.subarray(set.start, set.start + size), 5);
    set.open(next, new DataView(next.buffer), 5);
  }
}

function newSet(): Intset {
  const set = new Intset(new Home());
  const bytes = new Uint8Array(EMPTY_INTSET_BYTES);
  set.open(bytes, new DataView(bytes.buffer), 0);
  set.writeEmpty();
  return set;
}

function int64(value: bigint): Int64 {
  const out = new Int64();
  bigIntToInt64(value, out);
  return out;
}

function contents(set: Intset): bigint[] {
  const value = new Int64();
  return Array.from({ length: set.count }, (_, i) => {
    set.at(i, value);
    return int64ToBigInt(value);
  });
}

const integer = fc.oneof(
  fc.bigInt({ min: -5n, max: 5n }),
  fc.bigInt({ min: -40_000n, max: 40_000n }),
  fc.bigInt({ min: -(2n ** 32n), max: 2n ** 32n }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);

Deno.test("an intset holds what a Set of integers would, in ascending order", () => {
  const edit = fc.tuple(fc.boolean(), integer);
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 80 }), (edits) => {
      const set = newSet();
      const model = new Set<bigint>();
      for (const [adds, value] of edits) {
        if (adds) {
          assertEquals(set.add(int64(value)), !model.has(value));
          model.add(value);
        } else assertEquals(set.remove(int64(value)), model.delete(value));
        assertEquals(set.has(int64(value)), model.has(value));
        set.verify();
      }
      assertEquals(contents(set), [...model].sort((a, b) => a < b ? -1 : 1));
    }),
    { numRuns: 200 },
  );
});

Deno.test("integers take two, four or eight bytes, as Redis writes them", () => {
  const set = newSet();
  set.add(int64(5n));
  set.add(int64(-1n));
  assertEquals(
    [...set.bytes.subarray(set.start, set.start + set.size)],
    [2, 0, 0, 0, 2, 0, 0, 0, 255, 255, 5, 0],
  );
  set.add(int64(32768n));
  assertEquals(set.size, 8 + 3 * 4);
  set.add(int64(2n ** 31n));
  assertEquals(set.size, 8 + 4 * 8);
  assertEquals(contents(set), [-1n, 5n, 32768n, 2n ** 31n]);
});
