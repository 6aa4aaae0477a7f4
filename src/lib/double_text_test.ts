import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { doubleText, doubleText17, parseDouble } from "./double_text.ts";

function parse(text: string): number {
  return parseDouble(new TextEncoder().encode(text), 0, text.length);
}

Deno.test("doubleText() writes what parseDouble() reads back", () => {
  fc.assert(fc.property(fc.double({ noNaN: true }), (value) => {
    assertEquals(Object.is(parse(doubleText(value)), value), true, doubleText(value));
  }));
});
Deno.test("doubleText() names what is no finite number", () => {
  assertEquals([Infinity, -Infinity, NaN, -0].map(doubleText), ["inf", "-inf", "nan", "-0"]);
});
Deno.test("doubleText17() writes seventeen digits as printf does", () => {
  assertEquals(doubleText17(0.1), "0.10000000000000001");
  assertEquals(doubleText17(3), "3");
  assertEquals(doubleText17(1e20), "1e+20");
  assertEquals(doubleText17(1e-7), "9.9999999999999995e-08");
});
Deno.test("parseDouble() refuses what Redis refuses", () => {
  for (const text of ["", " 1", "1 ", "nan", "1e400", "abc", "1.2.3", "--1", ".", "0x"]) {
    assertEquals(parse(text), NaN, text);
  }
});
Deno.test("parseDouble() reads signs, exponents, infinities and hexadecimal floats", () => {
  assertEquals(["+1.5", "-2e3", "inf", "-Infinity", "0x1p3", ".5", "5."].map(parse), [
    1.5,
    -2000,
    Infinity,
    -Infinity,
    8,
    0.5,
    5,
  ]);
});
