import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Int64 } from "../lib/decimal.ts";
import { FIRST_ID, LAST_ID, StreamId } from "./stream_id.ts";

const U64 = 2n ** 64n;
const edges = [0n, 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n, U64 - 1n];
const u64 = fc.oneof(fc.constantFrom(...edges), fc.bigInt({ min: 0n, max: U64 - 1n }));
const pair = fc.tuple(u64, u64);

function idOf([ms, seq]: [bigint, bigint]): StreamId {
  const id = new StreamId();
  const text = new TextEncoder().encode(`${ms}-${seq}`);
  assert(id.parse(text, 0, text.length));
  return id;
}

function parse(text: string, isEnd = false): string | null {
  const id = new StreamId();
  const bytes = new TextEncoder().encode(text);
  return id.parse(bytes, 0, bytes.length, isEnd) ? id.toString() : null;
}

Deno.test("an id has the text that it was read from", () => {
  fc.assert(fc.property(pair, (p) => assertEquals(idOf(p).toString(), `${p[0]}-${p[1]}`)));
});

Deno.test("ids are ordered by time, then by sequence number, in blocks as well", () => {
  fc.assert(fc.property(pair, pair, (a, b) => {
    const expected = a[0] !== b[0]
      ? (a[0] < b[0] ? -1 : 1)
      : a[1] < b[1]
      ? -1
      : a[1] > b[1]
      ? 1
      : 0;
    assertEquals(idOf(a).compare(idOf(b)), expected);
    const view = new DataView(new ArrayBuffer(20));
    idOf(b).write(view, 4);
    assertEquals(idOf(a).compareAt(view, 4), expected);
    const read = new StreamId();
    read.read(view, 4);
    assertEquals(read.compare(idOf(b)), 0);
  }));
});

Deno.test("the id after an id is the one before which it comes", () => {
  fc.assert(fc.property(pair, (p) => {
    const id = idOf(p);
    const value = p[0] * U64 + p[1];
    const isLast = value === U64 * U64 - 1n;
    assertEquals(id.increment(), !isLast);
    if (isLast) return;
    assertEquals(id.compare(idOf([(value + 1n) / U64, (value + 1n) % U64])), 0);
    assert(id.decrement());
    assertEquals(id.compare(idOf(p)), 0);
  }));
  const first = new StreamId();
  assert(!first.decrement() && first.isZero);
  assert(!idOf([5n, U64 - 1n]).incrementSequence());
});

Deno.test("an id lies its difference after the other, modulo 2^64", () => {
  const ms = new Int64();
  const seq = new Int64();
  fc.assert(fc.property(pair, pair, (a, b) => {
    idOf(a).differenceTo(idOf(b), ms, seq);
    const back = new StreamId();
    back.setAfter(idOf(b), ms, seq);
    assertEquals(back.toString(), idOf(a).toString());
  }));
});

Deno.test("an id may lack its sequence number; what is none is refused", () => {
  assertEquals(parse("5"), "5-0");
  assertEquals(parse("5", true), "5-18446744073709551615");
  assertEquals(parse("007-+1"), "7-1");
  assertEquals(parse("18446744073709551615-0"), "18446744073709551615-0");
  for (const text of ["", "-", "5-", "-5", "a-1", "1-a", "1-1-1", "18446744073709551616-0"]) {
    assertEquals(parse(text), null, text);
  }
});

Deno.test("the parts of an id are read as strtoull reads them, and a NUL ends it", () => {
  assertEquals(parse(" 1-\t2"), "1-2");
  assertEquals(parse("1-\x002"), null);
  assertEquals(parse("1\x00-2"), "1-0");
  assertEquals(parse("1-1\x00x"), "1-1");
  assertEquals(parse("3--2"), null);
  assertEquals(parse("3--02"), "3-18446744073709551614");
  assertEquals(parse(`${"0".repeat(126)}7`), "7-0");
  assertEquals(parse(`${"0".repeat(127)}7`), null);
});

Deno.test("an open id has a star in the place of the sequence number", () => {
  const open = new TextEncoder().encode("12-*");
  const id = idOf([1n, 1n]);
  assert(id.parseOpen(open, 0, open.length));
  assertEquals(id.toString(), "12-0");
  const closed = new TextEncoder().encode("12-**");
  assert(!id.parseOpen(closed, 0, closed.length));
  assert(FIRST_ID.isZero && LAST_ID.isMax);
});
