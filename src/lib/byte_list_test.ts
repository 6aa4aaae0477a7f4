import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ByteList, sortedIndexes } from "./byte_list.ts";
import { compareBytes, Slice } from "./slice.ts";

function sliceOf(bytes: Uint8Array): Slice {
  const own = new Uint8Array(bytes.length + 4);
  own.set(bytes, 2);
  const slice = new Slice();
  slice.set(own, new DataView(own.buffer), 2, 2 + bytes.length);
  return slice;
}

Deno.test("a byte list holds what is added, and compares it as bytes", () => {
  const strings = fc.array(fc.option(fc.uint8Array({ maxLength: 300 })), { maxLength: 60 });
  fc.assert(fc.property(strings, (strings) => {
    const list = new ByteList();
    for (const one of strings) one === null ? list.addMissing() : list.add(sliceOf(one));
    assertEquals(list.count, strings.length);
    const slice = new Slice();
    for (const [i, one] of strings.entries()) {
      assertEquals(list.isMissing(i), one === null);
      if (one === null) continue;
      list.read(i, slice);
      assertEquals(slice.bytes.slice(slice.start, slice.end), one);
      for (const [j, other] of strings.entries()) {
        if (other === null) continue;
        const expected = compareBytes(sliceOf(one), other, 0, other.length);
        assertEquals(Math.sign(list.compare(i, j)), Math.sign(expected));
      }
    }
  }));
});

Deno.test("sortedIndexes() sorts as a stable sort of an array does", () => {
  const numbers = fc.array(fc.nat(40), { maxLength: 300 });
  fc.assert(fc.property(numbers, (numbers) => {
    const compare = (one: number, other: number): number => numbers[one] - numbers[other];
    const expected = numbers.map((_, i) => i).sort(compare);
    assertEquals([...sortedIndexes(numbers.length, compare)], expected);
  }));
  assert(sortedIndexes(0, () => 0).length === 0);
});
