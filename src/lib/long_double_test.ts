import { assertEquals } from "@std/assert";
import { addLongDoubles, longDoubleText, parseLongDouble } from "./long_double.ts";

function sum(one: string, other: string): string | null {
  const a = parseLongDouble(one);
  const b = parseLongDouble(other);
  if (a === null || b === null) return null;
  const result = addLongDoubles(a, b);
  return result === null ? "infinite" : longDoubleText(result);
}

Deno.test("addLongDoubles() answers what INCRBYFLOAT of redis-server 7.0.15 answered", () => {
  assertEquals(sum("10.50", "0.1"), "10.6");
  assertEquals(sum("5.0e3", "2.0e2"), "5200");
  assertEquals(sum("3", "1.1"), "4.1");
  assertEquals(sum("1.5", "-1.1"), "0.4");
  assertEquals(sum("0.1", "0.2"), "0.3");
  assertEquals(sum("1", "-1"), "0");
  assertEquals(sum("9007199254740992", "1"), "9007199254740993");
  assertEquals(sum("18446744073709551615", "1"), "18446744073709551616");
  assertEquals(sum("17179869184", "1.5"), "17179869185.5");
});
Deno.test("addLongDoubles() refuses infinities", () => {
  assertEquals(sum("inf", "1"), "infinite");
  assertEquals(sum("1", "-inf"), "infinite");
});
Deno.test("parseLongDouble() refuses what is no float", () => {
  for (const text of ["", "abc", "1 ", " 1", "nan", "1e5000", ".", "1e", "0x"]) {
    assertEquals(parseLongDouble(text), null, text);
  }
});
