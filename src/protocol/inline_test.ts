import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Args, binaryBytes } from "./args.ts";
import { splitInline } from "./inline.ts";

/** The words of a line of characters 0 to 255, or null if its quotes are unbalanced. */
function split(line: string): string[] | null {
  const args = new Args();
  const bytes = binaryBytes(`<<${line}>>`);
  if (!splitInline(bytes, 2, bytes.length - 2, args)) return null;
  return Array.from({ length: args.count }, (_, i) => args.binary(i));
}

Deno.test("splitInline() separates words by white space", () => {
  assertEquals(split("  SET\tk   v "), ["SET", "k", "v"]);
  assertEquals(split(""), []);
  assertEquals(split(" \t "), []);
});
Deno.test("splitInline() knows both quotes, also within a word, and their escapes", () => {
  assertEquals(split(`"a b" 'c d' e"f g"`), ["a b", "c d", "ef g"]);
  assertEquals(split(`"" ''`), ["", ""]);
  assertEquals(split(String.raw`"\n\r\t\b\a\x41\xZZ\q\"\\"`), ['\n\r\t\b\x07AxZZq"\\']);
  assertEquals(split(String.raw`'\n\''`), ["\\n'"]);
  assertEquals(split(String.raw`a\nb`), ["a\\nb"]);
});
Deno.test("splitInline() refuses quotes left open or followed by a character", () => {
  for (const line of [`"a`, `'a`, `"a"b`, `'a'b`, `"a\\`, `"a\\"`, `a"b" "`]) {
    assertEquals(split(line), null, line);
  }
});
Deno.test("splitInline() gives back words of any bytes that were quoted in hexadecimal", () => {
  const word = fc.uint8Array({ maxLength: 20 }).map((bytes) => String.fromCharCode(...bytes));
  fc.assert(fc.property(fc.array(word), (words) => {
    const hex = (char: string): string => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
    const line = words.map((text) => `"${[...text].map(hex).join("")}"`).join(" ");
    assertEquals(split(line), words);
  }));
});
