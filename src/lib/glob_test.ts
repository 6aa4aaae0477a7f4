import { assertEquals } from "@std/assert";
import { bytesPerCall } from "./alloc.ts";
import { globMatches } from "./glob.ts";

const encoder = new TextEncoder();
function matches(pattern: string, text: string, ignoreCase = false): boolean {
  const p = encoder.encode(pattern);
  const t = encoder.encode(text);
  return globMatches(p, 0, p.length, t, 0, t.length, ignoreCase);
}

Deno.test("globMatches() knows stars, question marks, classes and quotes", () => {
  const yes = [
    ["", ""],
    ["*", "a"],
    ["h?llo", "hello"],
    ["h*llo", "heeeello"],
    ["h[ae]llo", "hallo"],
    ["h[^e]llo", "hbllo"],
    ["h[a-b]llo", "hbllo"],
    ["h[b-a]llo", "hallo"],
    ["a\\*b", "a*b"],
    ["[\\]]", "]"],
    ["*foo*bar", "xfooybar"],
    ["[abc", "c"],
    ["a**b", "ab"],
  ];
  for (const [pattern, text] of yes) assertEquals(matches(pattern, text), true, pattern);
  const no = [["h?llo", "hllo"], ["h[^e]llo", "hello"], ["a\\*b", "axb"], ["", "a"], ["a", ""]];
  for (const [pattern, text] of no) assertEquals(matches(pattern, text), false, pattern);
});
Deno.test("globMatches() treats odd classes and quotes as KEYS of redis-server 7.0.15 did", () => {
  const yes = [
    ["[a", "a"],
    ["[^a", "b"],
    ["[^", "^"],
    ["[^]", "a"],
    ["[a-", "-"],
    ["[a-]]", "`"],
    ["[z-a]", "m"],
    ["\\", "\\"],
    ["a\\", "a\\"],
    ["[a-c-e]", "-"],
    ["[!a]", "!"],
    ["[^\\a]", "b"],
  ];
  const no = [
    ["[", "["],
    ["[]", "a"],
    ["[]a]", "]"],
    ["a[", "a["],
    ["[a-]", "0"],
    ["[\\a-z]", "m"],
    ["[!a]", "b"],
    ["*?*", ""],
    ["?", ""],
    ["*", ""],
    ["**", ""],
  ];
  for (const [pattern, text] of yes) assertEquals(matches(pattern, text), true, pattern);
  for (const [pattern, text] of no) assertEquals(matches(pattern, text), false, pattern);
});
Deno.test("globMatches() orders bytes from 128 on before the others, as Redis does", () => {
  const within = (from: number, to: number, byte: number): boolean =>
    globMatches(Uint8Array.of(0x5b, from, 0x2d, to, 0x5d), 0, 5, Uint8Array.of(byte), 0, 1, false);
  assertEquals([0xff, 0, 0x61, 0x62].map((byte) => within(0xff, 0x61, byte)), [
    true,
    true,
    true,
    false,
  ]);
  assertEquals([0x80, 0x9f, 0xa0, 0x7f].map((byte) => within(0x80, 0x9f, byte)), [
    true,
    true,
    false,
    false,
  ]);
});
Deno.test("globMatches() ignores case when asked to", () => {
  assertEquals(matches("MAX*", "maxmemory", true), true);
  assertEquals(matches("MAX*", "maxmemory"), false);
  assertEquals(matches("[A-C]x", "bX", true), true);
});
Deno.test("globMatches() ends on patterns of many stars", () => {
  assertEquals(matches("a*".repeat(60) + "b", "a".repeat(5000)), false);
});
Deno.test("globMatches() allocates nothing", () => {
  const p = encoder.encode("k*:[0-9]?");
  const t = encoder.encode("key:12");
  assertEquals(bytesPerCall(() => globMatches(p, 0, p.length, t, 0, t.length, false)), 0);
});
