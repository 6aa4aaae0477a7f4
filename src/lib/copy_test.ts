import { assertEquals } from "@std/assert";
import { copyWords } from "./copy.ts";

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
