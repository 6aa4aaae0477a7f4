import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  doubleText,
  fixedText,
  parseDouble,
  parseLenientDouble,
  shortText,
  text17,
} from "./double_text.ts";

function parse(text: string): number {
  return parseDouble(new TextEncoder().encode(text), 0, text.length);
}

Deno.test("doubleText() writes what parseDouble() reads back", () => {
  fc.assert(fc.property(fc.double({ noNaN: true }), (value) => {
    assert(Object.is(parse(doubleText(value)), value), doubleText(value));
  }));
});
Deno.test("doubleText() names what is no finite number", () => {
  assertEquals([Infinity, -Infinity, NaN, -0].map(doubleText), ["inf", "-inf", "nan", "-0"]);
});
Deno.test("doubleText() writes integers up to 2^62 with all their digits", () => {
  fc.assert(fc.property(fc.double({ min: -(2 ** 62), max: 2 ** 62, noNaN: true }), (value) => {
    const whole = Math.trunc(value) + 0;
    assertEquals(doubleText(whole), String(BigInt(whole)));
  }));
  assertEquals(doubleText(2 ** 62), "4611686018427387904");
});
Deno.test("doubleText() goes over to exponents where Redis 7.2 does", () => {
  const texts = ["1e+19", "1e+20", "1e+21", "1.5e+300", "1e-7", "0.000001", "0.0001", "1.23e-5"];
  for (const text of texts) assertEquals(doubleText(Number(text)), text);
  assertEquals(doubleText(0.00012345), "1.2345e-4");
  assertEquals(doubleText(1.2345e21), "1234499999999999900000");
  assertEquals(doubleText(-2.25e-6), "-2.25e-6");
});
Deno.test("doubleText() draws the digits that Redis 7.2 draws where they are not the shortest", () => {
  const recorded = [
    [3.14, "3.14"],
    [0.1 + 0.2, "0.30000000000000004"],
    [0.63377, "0.6337699999999999"],
    [3.60585, "3.6058500000000002"],
    [0.31003, "0.31002999999999997"],
    [0.07655, "0.07655000000000001"],
    [58.0686, "58.0686"],
    [5e-324, "5e-324"],
    [Number.MAX_VALUE, "1.7976931348623157e+308"],
  ] as const;
  for (const [value, text] of recorded) assertEquals(doubleText(value), text);
});
Deno.test("shortText() writes exponents of integers, too", () => {
  const recorded = [
    [0, "0"],
    [-0, "-0"],
    [0.1, "0.1"],
    [28e9, "2.8e+10"],
    [10_000_000, "10000000"],
    [-100_000_000, "-1e+8"],
    [4611686018427387904, "4611686018427388000"],
    [Infinity, "inf"],
    [-Infinity, "-inf"],
  ] as const;
  for (const [value, text] of recorded) assertEquals(shortText(value), text);
});
Deno.test("parseDouble() refuses what Redis refuses", () => {
  const refused = ["", " 1", "1 ", "nan", "1e400", "1e-400", "abc", "1.2.3", "--1", ".", "-", "0x"];
  refused.push("0x.", "0x1p", "1e", "0x1p2000", "0x1p-2000", "infin", "1\0", "0x1p-1075");
  for (const text of refused) assertEquals(parse(text), NaN, text);
});
Deno.test("a long text that is nearly a number is looked through once", () => {
  // In time that grows with the square of its length, each of these would take minutes.
  for (const digits of ["0", "9"]) {
    const text = digits.repeat(200_000);
    for (const end of ["x", "..", "e", "e+", ".0x"]) assertEquals(parse(text + end), NaN, end);
    assertEquals(parse(`.${text}x`), NaN);
    assertEquals(parse(`0x${text}g`), NaN);
  }
});
Deno.test("parseLenientDouble() reads as strtod does", () => {
  const read = (text: string): number =>
    parseLenientDouble(new TextEncoder().encode(text), 0, text.length);
  assertEquals(["", "\0", " 1", "\n-2.5", "1\0x", "0x10"].map(read), [0, 0, 1, -2.5, 1, 16]);
  assertEquals(["1e400", "-1e400", "1e-400", "-inf"].map(read), [
    Infinity,
    -Infinity,
    0,
    -Infinity,
  ]);
  assertEquals([" ", "1 ", "nan", "x", "0x", "1e"].map(read), [NaN, NaN, NaN, NaN, NaN, NaN]);
});
Deno.test("text17() writes seventeen digits as printf does", () => {
  const recorded = [
    [0.1, "0.10000000000000001"],
    [3, "3"],
    [-0, "-0"],
    [1e17, "1e+17"],
    [1e20, "1e+20"],
    [1e-7, "9.9999999999999995e-08"],
    [-861425359875474.125, "-861425359875474.12"],
    [65609287416287.0625, "65609287416287.062"],
    [1.5e300, "1.5000000000000001e+300"],
    [0.0001, "0.0001"],
    [-Infinity, "-inf"],
  ] as const;
  for (const [value, text] of recorded) assertEquals(text17(value), text);
});
Deno.test("fixedText() writes what printf writes, however large", () => {
  assertEquals(fixedText(200.0078125, 6), "200.007812");
  assertEquals(fixedText(200.0234375, 6), "200.023438");
  assertEquals(fixedText(-0, 6), "-0.000000");
  assertEquals([fixedText(Infinity, 6), fixedText(-Infinity, 6)], ["inf", "-inf"]);
  assertEquals(fixedText(1e22, 2), "10000000000000000000000.00");
});
Deno.test("parseDouble() reads signs, exponents, infinities and hexadecimal floats", () => {
  const read = [
    ["+1.5", 1.5],
    ["-2e3", -2000],
    ["inf", Infinity],
    ["+inf", Infinity],
    ["-Infinity", -Infinity],
    ["0x1p3", 8],
    ["-0X.8", -0.5],
    ["0x0p99999", 0],
    ["-0x0p-99999", -0],
    ["0x1.0000000000001p-1075", 5e-324],
    // Rounded to 53 bits before, it would be a tie and become 1e-323.
    ["0x1.7fffffffffffffffp-1074", 5e-324],
    ["0x1.00000000000007ffffp0", 1],
    ["0x1.00000000000008p0", 1],
    ["0x1.00000000000018p0", 1.0000000000000004],
    ["0x" + "f".repeat(300) + "p-1200", 1],
    ["0xffffffffffffp-1100", 0xffffffffffff * 2 ** -1000 * 2 ** -100],
    [".5", 0.5],
    ["5.", 5],
    ["-0", -0],
    ["0e999", 0],
    ["00012", 12],
    ["1" + "0".repeat(300), 1e300],
  ] as const;
  for (const [text, value] of read) assert(Object.is(parse(text), value), text);
});
