import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { sortedIndexes } from "./sorted_indexes.ts";

Deno.test("sortedIndexes() sorts as a stable sort of an array does", () => {
  const key = fc.oneof(fc.nat(40), fc.double({ noNaN: true }));
  fc.assert(fc.property(fc.array(key, { maxLength: 300 }), fc.boolean(), (keys, breaksTies) => {
    const tie = (one: number, other: number): number => other % 7 - one % 7;
    const compare = (one: number, other: number): number => {
      if (keys[one] !== keys[other]) return keys[one] < keys[other] ? -1 : 1;
      return breaksTies ? tie(one, other) : 0;
    };
    const expected = keys.map((_, i) => i).sort(compare);
    const own = Float64Array.from(keys);
    assertEquals([...sortedIndexes(own, breaksTies ? tie : null)], expected);
    assertEquals([...own], keys, "the keys stay as they are");
  }));
});

Deno.test("what is sorted already, or backwards, is sorted, too", () => {
  const up = Float64Array.from({ length: 1000 }, (_, i) => i >> 1);
  assertEquals([...sortedIndexes(up)], [...up.keys()]);
  assertEquals(
    [...sortedIndexes(up.map((key) => -key), (one, other) => other - one)],
    [...up.keys()].reverse(),
  );
  assertEquals(sortedIndexes(new Float64Array(0)).length, 0);
});
