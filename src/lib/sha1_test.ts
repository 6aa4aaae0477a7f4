import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { createHash } from "node:crypto";
import { sha1, SHA1_BYTES } from "./sha1.ts";

Deno.test("sha1() agrees with the library, wherever the bytes lie", () => {
  const text = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ minLength: 50, maxLength: 70 }),
  );
  fc.assert(fc.property(text, fc.nat(9), (bytes, lead) => {
    const placed = new Uint8Array(lead + bytes.length + 3).fill(0xee);
    placed.set(bytes, lead);
    const sum = new Uint8Array(SHA1_BYTES);
    sha1(placed, lead, lead + bytes.length, sum);
    assertEquals(sum, new Uint8Array(createHash("sha1").update(bytes).digest()));
  }));
});
