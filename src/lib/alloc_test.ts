import { assert, assertEquals } from "@std/assert";
import { bytesPerCall } from "./alloc.ts";

Deno.test("bytesPerCall() is 0 for what does not allocate", () => {
  const bytes = new Uint8Array(8);
  assertEquals(bytesPerCall(() => bytes[0]++), 0);
});
Deno.test("bytesPerCall() sees an array that each call leaves", () => {
  let kept: number[] = [];
  const bytes = bytesPerCall(() => kept = [1, 2, 3, 4]);
  // A garbage collection within the smallest round makes the figure too small, but not 0.
  assert(bytes > 0 && bytes < 200, `${bytes} bytes for ${kept.length} numbers`);
});
