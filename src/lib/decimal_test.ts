import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { bytesPerCall } from "./alloc.ts";
import {
  addInt64,
  bigIntToInt64,
  Int64,
  int64ToBigInt,
  negateInt64,
  parseInt64,
  parseInteger,
  parseLenientUnsigned,
  parseUnsigned,
  subtractInt64,
  writeDecimal,
  writeInt64,
} from "./decimal.ts";

const MOST = 2n ** 63n - 1n;
const LEAST = -(2n ** 63n);
const int64s = fc.oneof(
  fc.bigInt(LEAST, MOST),
  fc.bigInt(-1000n, 1000n),
  fc.constantFrom(MOST, LEAST, 0n, 10n ** 18n, -(10n ** 18n), 2n ** 53n, -(2n ** 53n), 2n ** 32n),
);

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
function parse(text: string): number {
  return parseInteger(bytesOf(text), 0, text.length);
}
function parse64(text: string): bigint | null {
  const out = new Int64();
  return parseInt64(bytesOf(text), 0, text.length, out) ? int64ToBigInt(out) : null;
}
function pairOf(value: bigint): Int64 {
  const pair = new Int64();
  assert(bigIntToInt64(value, pair));
  return pair;
}

Deno.test("parseInteger() reads what Redis reads and nothing else", () => {
  for (const text of ["0", "1", "-1", "42", "9007199254740991", "-9007199254740991"]) {
    assertEquals(parse(text), Number(text));
  }
  for (const text of ["", "-", "+1", "01", "-0", "1 ", " 1", "1a", "9007199254740992", "--1"]) {
    assertEquals(parse(text), NaN, text);
  }
});
Deno.test("parseUnsigned() refuses what is negative", () => {
  assertEquals(parseUnsigned(bytesOf("17"), 0, 2), 17);
  assertEquals(parseUnsigned(bytesOf("-1"), 0, 2), NaN);
});
Deno.test("parseInt64() is exact over all 64 bits", () => {
  fc.assert(fc.property(int64s, (value) => assertEquals(parse64(String(value)), value)));
});
Deno.test("parseInt64() refuses what overflows or is no integer", () => {
  for (
    const text of [
      "9223372036854775808",
      "-9223372036854775809",
      "99999999999999999999",
      "007",
      "-",
    ]
  ) {
    assertEquals(parse64(text), null, text);
  }
});
Deno.test("writeInt64() writes what parseInt64() reads", () => {
  fc.assert(fc.property(int64s, (value) => {
    const target = new Uint8Array(24);
    const { hi, lo } = pairOf(value);
    const end = writeInt64(hi, lo, target, 2);
    assertEquals(new TextDecoder().decode(target.subarray(2, end)), String(value));
  }));
});
Deno.test("writeDecimal() writes integers within 2^53", () => {
  fc.assert(fc.property(fc.maxSafeInteger(), (value) => {
    const target = new Uint8Array(24);
    const end = writeDecimal(value, target, 0);
    assertEquals(new TextDecoder().decode(target.subarray(0, end)), String(value));
  }));
});
Deno.test("writeDecimal() writes what a double is exactly up to 2^63, and nothing that is no integer", () => {
  const target = new Uint8Array(24);
  const doubles = fc.double({ noNaN: true, min: -(2 ** 63) + 1024, max: 2 ** 63 - 1024 });
  fc.assert(fc.property(doubles.map(Math.trunc), (value) => {
    const end = writeDecimal(value, target, 0);
    assertEquals(new TextDecoder().decode(target.subarray(0, end)), String(BigInt(value)));
  }));
  target.fill(0);
  for (const value of [NaN, Infinity, -Infinity, 2 ** 63, -1e300, 0.5, -0.5, 1e9 + 0.5]) {
    assertThrows(() => writeDecimal(value, target, 0));
  }
  assertEquals(target, new Uint8Array(24));
});
Deno.test("subtractInt64() and increment() count modulo 2^64", () => {
  fc.assert(fc.property(int64s, int64s, (a, b) => {
    const out = pairOf(b);
    subtractInt64(pairOf(a), out, out);
    assertEquals(int64ToBigInt(out), BigInt.asIntN(64, a - b));
    out.increment();
    assertEquals(int64ToBigInt(out), BigInt.asIntN(64, a - b + 1n));
    assertEquals(out.rounded, Number(int64ToBigInt(out)));
  }));
});
Deno.test("addInt64() adds exactly and refuses to overflow", () => {
  fc.assert(fc.property(int64s, int64s, (a, b) => {
    const out = new Int64();
    const addend = pairOf(b);
    const isExact = addInt64(pairOf(a), addend.hi, addend.lo, out);
    assertEquals(isExact, a + b >= LEAST && a + b <= MOST);
    if (isExact) assertEquals(int64ToBigInt(out), a + b);
  }));
});
Deno.test("negateInt64() negates exactly, in place too, and refuses -2^63", () => {
  fc.assert(fc.property(int64s, (value) => {
    const pair = pairOf(value);
    assertEquals(negateInt64(pair, pair), value !== LEAST);
    assertEquals(int64ToBigInt(pair), value === LEAST ? value : -value);
  }));
});
Deno.test("bigIntToInt64() takes 64 bits and refuses more", () => {
  fc.assert(fc.property(int64s, (value) => assertEquals(int64ToBigInt(pairOf(value)), value)));
  const out = pairOf(7n);
  assertEquals([bigIntToInt64(MOST + 1n, out), bigIntToInt64(LEAST - 1n, out)], [false, false]);
  assertEquals(int64ToBigInt(out), 7n);
});
Deno.test("negateInt64(), subtractInt64() and increment() allocate nothing", () => {
  const pair = pairOf(-1234567890123456789n);
  const work = (): void => {
    negateInt64(pair, pair);
    subtractInt64(pair, pair, pair);
    pair.increment();
  };
  assertEquals(bytesPerCall(work), 0);
  assertEquals(int64ToBigInt(pair), 1n);
});
Deno.test("writeDecimal() allocates nothing, be the number small or large", () => {
  const target = new Uint8Array(24);
  for (const value of [0, -7, 12345, 2 ** 31, -(2 ** 40) - 1, Number.MAX_SAFE_INTEGER]) {
    assertEquals(bytesPerCall(() => writeDecimal(value, target, 0)), 0, String(value));
  }
});
Deno.test("parseInteger() and parseUnsigned() allocate nothing that stays below 2^31", () => {
  const bytes = bytesOf("1234567");
  assertEquals(bytesPerCall(() => parseInteger(bytes, 0, 7)), 0);
  assertEquals(bytesPerCall(() => parseUnsigned(bytes, 0, 7)), 0);
});
Deno.test("parseLenientUnsigned() reads what C's strtoull reads", () => {
  const out = new Int64();
  const read = (text: string): bigint | null =>
    parseLenientUnsigned(bytesOf(text), 0, text.length, out)
      ? BigInt.asUintN(64, int64ToBigInt(out))
      : null;
  const numbers: [string, bigint][] = [
    ...[["0", 0n], ["007", 7n], [" \t+5", 5n], ["5\0x", 5n]] as [string, bigint][],
    ...[["18446744073709551615", 2n ** 64n - 1n], ["-1", 2n ** 64n - 1n]] as [string, bigint][],
    ...[["-0", 0n], ["-18446744073709551615", 1n], ["4294967296", 2n ** 32n]] as [string, bigint][],
    ["-4294967296", 2n ** 64n - 2n ** 32n],
  ];
  for (const [text, value] of numbers) assertEquals(read(text), value, text);
  const none = ["", " ", "-", "+", "\0", "1 ", "x", "1x", "- 1", "+-1", "18446744073709551616"];
  for (const text of none) assertEquals(read(text), null, text);
});
Deno.test("parseInteger() does not read beyond its range", () => {
  assertEquals(parseInteger(bytesOf("-5"), 0, 0), NaN);
  assertEquals(parseInteger(bytesOf("-5"), 0, 1), NaN);
  assertEquals(parseUnsigned(bytesOf("12-"), 2, 2), NaN);
});
Deno.test("reading and writing integers allocates nothing", () => {
  const bytes = bytesOf("-1234567890123456789");
  const target = new Uint8Array(24);
  const out = new Int64();
  let sum = 0;
  const work = (): void => {
    parseInt64(bytes, 0, bytes.length, out);
    if (writeInt64(out.hi, out.lo, target, 0) === 20) sum = parseInteger(bytes, 1, 4);
  };
  assertEquals(bytesPerCall(work), 0);
  assert(sum > 0);
});
