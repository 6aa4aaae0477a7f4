import { assertEquals } from "@std/assert";
import { hexText } from "./hexadecimal.ts";
import { sha256 } from "./sha256.ts";

function sumOf(text: string): string {
  return hexText(sha256(new TextEncoder().encode(text)));
}

Deno.test("sha256() gives the sums of FIPS 180-4's examples", () => {
  assertEquals(sumOf(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assertEquals(sumOf("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

Deno.test("sha256() agrees with the platform's at every length around a block", async () => {
  for (const size of [...Array(200).keys(), 1_000, 4_096, 100_001]) {
    const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 31 + size) & 255);
    const expected = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    assertEquals(sha256(bytes), expected, String(size));
  }
});
