import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { bytesPerCall } from "./alloc.ts";
import { bitsOf, type Combination, combineBits, countBits, findOtherByte, invert } from "./bits.ts";

/** Bytes with long runs of 0 and 255, at some place of a buffer. */
const runs = fc.array(
  fc.tuple(fc.constantFrom(0, 0, 255, 255, 1, 128, 77), fc.integer({ min: 1, max: 90 })),
  { maxLength: 6 },
).map((parts) => parts.flatMap(([byte, count]) => Array<number>(count).fill(byte)));
const placed = fc.record({ content: runs, before: fc.nat(9), after: fc.nat(9) });

function viewOf(
  { content, before, after }: { content: number[]; before: number; after: number },
): DataView {
  const bytes = Uint8Array.from([
    ...Array(before).fill(0x5a),
    ...content,
    ...Array(after).fill(0xa5),
  ]);
  return new DataView(bytes.buffer);
}

function plainCount(content: readonly number[]): number {
  return content.reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);
}

Deno.test("countBits() counts what a plain loop counts, wherever the bytes lie", () => {
  fc.assert(fc.property(placed, (at) => {
    const end = at.before + at.content.length;
    assertEquals(countBits(viewOf(at), at.before, end), plainCount(at.content));
  }));
  const random = fc.uint8Array({ maxLength: 700 });
  fc.assert(fc.property(random, (bytes) => {
    assertEquals(
      countBits(new DataView(bytes.slice().buffer), 0, bytes.length),
      plainCount([...bytes]),
    );
  }));
  assertEquals([bitsOf(0), bitsOf(-1), bitsOf(0x80000001 | 0)], [0, 32, 2]);
});

Deno.test("findOtherByte() finds what a plain search finds", () => {
  fc.assert(fc.property(placed, fc.constantFrom(0, 255), (at, byte) => {
    const end = at.before + at.content.length;
    const found = at.content.findIndex((other) => other !== byte);
    const expected = found < 0 ? end : at.before + found;
    assertEquals(findOtherByte(viewOf(at), at.before, end, byte), expected);
  }));
});

Deno.test("invert() and combineBits() do so byte by byte", () => {
  const bytes = fc.uint8Array({ maxLength: 100 });
  const PLAIN: Record<Combination, (a: number, b: number) => number> = {
    and: (a, b) => a & b,
    or: (a, b) => a | b,
    xor: (a, b) => a ^ b,
  };
  const how = fc.constantFrom<Combination>("and", "or", "xor");
  fc.assert(fc.property(bytes, placed, how, (first, at, how) => {
    const target = first.slice();
    const size = Math.min(target.length, at.content.length);
    combineBits(target, viewOf(at), at.before, size, how);
    const expected = first.map((a, i) => i < size ? PLAIN[how](a, at.content[i]) : a);
    assertEquals(target, expected);
    invert(target);
    assertEquals(target, expected.map((byte) => ~byte));
  }));
});

Deno.test("counting and finding bits allocates nothing", () => {
  const view = new DataView(new ArrayBuffer(300));
  // In an array: V8 may box a variable that a closure changes, which would be an allocation of the test's own.
  const found = new Int32Array(2);
  const work = (): void => {
    found[0] = countBits(view, 1, 299);
    found[1] = findOtherByte(view, 3, 298, 0);
  };
  assertEquals(bytesPerCall(work), 0);
  assertEquals([...found], [0, 298]);
});
