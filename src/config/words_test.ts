import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { binaryOf, formatMemory, parseMemory, quoteWord, splitWords, unicodeOf } from "./words.ts";

const binary = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 30 })
  .map((codes) => String.fromCharCode(...codes));

Deno.test("splitWords separates words by blanks and knows both quotes", () => {
  assertEquals(splitWords(`  save 900\t1 `), ["save", "900", "1"]);
  assertEquals(splitWords(`a "b c" 'd "e'`), ["a", "b c", `d "e`]);
  assertEquals(splitWords(`"\\n\\r\\t\\b\\a\\x41\\q\\"" '\\'\\n'`), ['\n\r\t\b\x07Aq"', "'\\n"]);
  assertEquals(splitWords(`un"quoted"`), ["unquoted"]);
  assertEquals(splitWords(`""`), [""]);
  assertEquals(splitWords(""), []);
});
Deno.test("splitWords refuses quotes that are left open or touch the next word", () => {
  for (const line of [`"a`, `'a`, `"a"b`, `'a'b`, `a "`, `"\\`]) {
    assertEquals(splitWords(line), null);
  }
});
Deno.test("splitWords gives back what quoteWord has quoted, whatever the bytes", () => {
  fc.assert(fc.property(fc.array(binary), (words) => {
    assertEquals(splitWords(words.map(quoteWord).join(" ")), words);
  }));
});
Deno.test("quoteWord writes printable ASCII only", () => {
  assertEquals(quoteWord('a\x80\n"b\\'), '"a\\x80\\n\\"b\\\\"');
});
Deno.test("parseMemory knows Redis's units", () => {
  const sizes = ["1", "1b", "1K", "1kb", "1m", "1MB", "1g", "1Gb", "kb"].map(parseMemory);
  assertEquals(sizes, [1n, 1n, 1000n, 1024n, 10n ** 6n, 1n << 20n, 10n ** 9n, 1n << 30n, 0n]);
  for (const word of ["-1", "1t", "1.5gb", " 1"]) assertEquals(parseMemory(word), null);
});
Deno.test("parseMemory overflows as redis-server does", () => {
  assertEquals(parseMemory("99999999999999999999gb"), 18446744072635809792n);
  assertEquals(parseMemory("20000000000gb"), 3028092406290448384n);
});
Deno.test("formatMemory writes the largest unit that is exact", () => {
  const texts = [0, 1023, 1024, 104857600, 3 * 2 ** 30, 2 ** 30 + 1].map(formatMemory);
  assertEquals(texts, ["0", "1023", "1kb", "100mb", "3gb", "1073741825"]);
});
Deno.test("unicodeOf undoes binaryOf", () => {
  assertEquals(binaryOf("é"), "\xc3\xa9");
  assertEquals(unicodeOf(binaryOf("/tmp/größe €")), "/tmp/größe €");
});
