import { assertEquals } from "@std/assert";
import { copyIn, copyWords } from "./copy.ts";

Deno.test("copies of every short length are whole, and nothing beside them changes", () => {
  const source = Uint8Array.from({ length: 80 }, (_, i) => i + 1);
  for (let length = 0; length < 70; length++) {
    const target = new Uint8Array(80);
    copyWords(new DataView(source.buffer), 3, 3 + length, new DataView(target.buffer), 5);
    const expected = new Uint8Array(80);
    expected.set(source.subarray(3, 3 + length), 5);
    assertEquals(target, expected);
  }
});

Deno.test("copyIn() copies any length into place", () => {
  const source = Uint8Array.from({ length: 400 }, (_, i) => i * 7);
  const view = new DataView(source.buffer);
  for (const length of [0, 1, 3, 4, 5, 127, 128, 129, 300]) {
    const target = new Uint8Array(400);
    copyIn(source, view, 2, 2 + length, target, new DataView(target.buffer), 9);
    const expected = new Uint8Array(400);
    expected.set(source.subarray(2, 2 + length), 9);
    assertEquals(target, expected);
  }
});
