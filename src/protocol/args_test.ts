import { assert, assertEquals, assertThrows } from "@std/assert";
import { bytesPerCall } from "../lib/alloc.ts";
import { Int64 } from "../lib/decimal.ts";
import { argsOf, binaryBytes, binaryText } from "./args.ts";
import { Errors } from "./errors.ts";

const word = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("integer() reads integers of 64 bits, and nothing that Redis would refuse", () => {
  const args = argsOf("-5", "9007199254740991", "0", "9223372036854775807");
  assertEquals([args.integer(0), args.integer(1), args.integer(2)], [-5, 2 ** 53 - 1, 0]);
  assertEquals(args.integer(3), 2 ** 63);
  assertEquals(args.error, null);
  for (const text of ["", "01", "+1", " 1", "1.0", "-0", "x", "9223372036854775808"]) {
    const wrong = argsOf(text);
    assertEquals(wrong.integer(0), 0, text);
    assertEquals(wrong.error, Errors.notAnInteger, text);
  }
});
Deno.test("the first failure is kept", () => {
  const args = argsOf("x", "y");
  args.integerOr(0, Errors.bitValue);
  args.integer(1);
  args.fail(Errors.syntax);
  assertEquals(args.error, Errors.bitValue);
});
Deno.test("integerWithin() fails outside its bounds, which are part of it", () => {
  for (const [text, isGood] of [["0", true], ["9", true], ["10", false], ["-1", false]] as const) {
    const args = argsOf(text);
    args.integerWithin(0, 0, 9, Errors.outOfRange);
    assertEquals(args.error, isGood ? null : Errors.outOfRange, text);
  }
});
Deno.test("int32() refuses what exceeds 32 bits with an error of its own", () => {
  const args = argsOf("-2147483648", "2147483648");
  assertEquals([args.int32(0), args.error], [-(2 ** 31), null]);
  assertEquals([args.int32(1), args.error], [0, Errors.notAnInt32]);
});
Deno.test("int64() reads all 64 bits, and integer() rounds them", () => {
  const args = argsOf("-9223372036854775808", "9223372036854775807", "9223372036854775808");
  const value = new Int64();
  assert(args.int64(0, value));
  assertEquals([value.hi, value.lo], [-(2 ** 31), 0]);
  assertEquals([args.integer(0), args.integer(1)], [-(2 ** 63), 2 ** 63]);
  assertEquals(args.error, null);
  assert(!args.int64(2, value));
  assertEquals(args.error, Errors.notAnInteger);
});
Deno.test("double() reads decimals, exponents and inf, and refuses nan", () => {
  const args = argsOf("3.25", "1e3", "-inf", "nan");
  assertEquals([args.double(0), args.double(1), args.double(2)], [3.25, 1000, -Infinity]);
  assertEquals(args.error, null);
  args.double(3);
  assertEquals(args.error, Errors.notAFloat);
});
Deno.test("spells() and is() compare in any case, same() exactly", () => {
  const args = argsOf("KeepTtl", "keepttl", "KeepTtl", "KEEPTTX");
  assert(args.spells(0, word("KEEPTTL")) && args.is(1, "KEEPTTL"));
  assert(!args.spells(3, word("KEEPTTL")) && !args.is(9, "KEEPTTL"));
  assert(args.same(0, 2) && !args.same(0, 1) && !args.same(0, 3));
});
Deno.test("binaries() reads all arguments from one on", () => {
  const args = argsOf("a", "é", "", "b");
  assertEquals([args.binaries(1), args.binaries(4)], [["\xc3\xa9", "", "b"], []]);
});
Deno.test("text() reads UTF-8 and binary() bytes, which binaryBytes() gives back", () => {
  const args = argsOf("é");
  assertEquals([args.text(0), args.binary(0), args.length(0)], ["é", "\xc3\xa9", 2]);
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  assertEquals(binaryBytes(binaryText(all, 0, 256)), all);
});
Deno.test("copyOf() has the bytes of one argument alone", () => {
  const args = argsOf("one", Uint8Array.of(0, 255), "two");
  const copy = args.copyOf(1);
  args.bytesOf(1).fill(7);
  assertEquals(copy, Uint8Array.of(0, 255));
  assertEquals(copy.buffer.byteLength, 2);
});

Deno.test("copy() lives on when the buffer is used again", () => {
  const args = argsOf("SET", "", "value");
  const copy = args.copy();
  args.bytesOf(0).fill(0);
  assertEquals([copy.count, copy.text(0), copy.text(1), copy.text(2)], [3, "SET", "", "value"]);
});
Deno.test("any number of arguments fits, and one that is not there is an assertion", () => {
  const args = argsOf(...Array.from({ length: 1000 }, (_, i) => String(i)));
  assertEquals([args.count, args.integer(999)], [1000, 999]);
  assertThrows(() => args.start(1000));
});
Deno.test("reading allocates nothing", () => {
  const args = argsOf("12", "9223372036854775807", "EX");
  const value = new Int64();
  const ex = word("EX");
  let sum = 0;
  const cost = bytesPerCall(() => {
    sum = (sum + args.integer(0)) | 0;
    args.int64(1, value);
    if (args.spells(2, ex)) sum++;
  });
  assertEquals(cost, 0);
});
