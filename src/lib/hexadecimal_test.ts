import { assertEquals } from "@std/assert";
import { hexText } from "./hexadecimal.ts";

Deno.test("Each byte is two hexadecimal digits", () => {
  assertEquals(hexText(new Uint8Array(0)), "");
  assertEquals(hexText(Uint8Array.of(0, 9, 10, 16, 171, 255)), "00090a10abff");
});
