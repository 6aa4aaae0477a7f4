import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ByteList } from "./byte_list.ts";
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

Deno.test("prefix keys are in the order of the strings, and equal only where these are equal so far", () => {
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 9 }), fc.uint8Array({ maxLength: 9, max: 1 }));
  const strings = fc.array(fc.option(bytes, { freq: 8 }), { maxLength: 40 });
  fc.assert(fc.property(fc.uint8Array({ maxLength: 8 }), strings, (shared, tails) => {
    const list = new ByteList();
    const strings = tails.map((tail) => tail === null ? null : Uint8Array.of(...shared, ...tail));
    for (const one of strings) one === null ? list.addMissing() : list.add(sliceOf(one));
    const keys = list.prefixKeys();
    for (const [i, one] of strings.entries()) {
      assertEquals(keys[i] === -1, one === null);
      for (const [j, other] of strings.entries()) {
        if (one === null || other === null || keys[i] === keys[j]) continue;
        const expected = compareBytes(sliceOf(one), other, 0, other.length);
        assertEquals(Math.sign(keys[i] - keys[j]), Math.sign(expected));
      }
    }
  }));
});

Deno.test("prefix keys leave out the bytes with which all strings begin", () => {
  const list = new ByteList();
  const encoder = new TextEncoder();
  for (const text of ["element:12345", "element:1234", "element:54321"]) {
    list.add(sliceOf(encoder.encode(text)));
  }
  const [longer, shorter, other] = list.prefixKeys();
  assertEquals([shorter < longer, longer < other], [true, true]);
});
