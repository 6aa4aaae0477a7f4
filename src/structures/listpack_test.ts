import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { bytesPerCall } from "../lib/alloc.ts";
import { Slice } from "../lib/slice.ts";
import {
  EMPTY_LISTPACK_BYTES,
  Listpack,
  listpackEntryBytes,
  type ListpackHome,
} from "./listpack.ts";

/** A home whose packs move at every change of size, so that stale places show. */
class Home implements ListpackHome {
  resize(pack: Listpack, size: number): void {
    const kept = Math.min(size, pack.bytes.length - pack.start);
    const start = (pack.start + 3) % 16;
    const next = new Uint8Array(start + size);
    next.set(pack.bytes.subarray(pack.start, pack.start + kept), start);
    pack.open(next, new DataView(next.buffer), start);
  }
}

function newPack(): Listpack {
  const pack = new Listpack(new Home());
  const bytes = new Uint8Array(EMPTY_LISTPACK_BYTES);
  pack.open(bytes, new DataView(bytes.buffer), 0);
  pack.writeEmpty();
  return pack;
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function append(pack: Listpack, text: string): void {
  const bytes = bytesOf(text);
  pack.append(bytes, 0, bytes.length);
}

const slice = new Slice();
function textAt(pack: Listpack, at: number): string {
  pack.read(at, slice);
  return new TextDecoder().decode(slice.bytes.subarray(slice.start, slice.end));
}

function contents(pack: Listpack): string[] {
  const found: string[] = [];
  for (let at = pack.first(); at !== 0; at = pack.next(at)) found.push(textAt(pack, at));
  return found;
}

function backwards(pack: Listpack): string[] {
  const found: string[] = [];
  for (let at = pack.last(); at !== 0; at = pack.previous(at)) found.push(textAt(pack, at));
  return found;
}

const INTEGERS = [0, 127, 128, -1, 4095, -4096, 4096, 32767, -32769, 8388607, 8388608, -8388609]
  .map(String).concat("2147483648", "-2147483649", "9223372036854775807", "-9223372036854775808");

const element = fc.oneof(
  fc.constantFrom(...INTEGERS, "", "007", "-0", "1e3", "9223372036854775808"),
  fc.integer().map(String),
  fc.string({ maxLength: 10 }),
  fc.constantFrom(62, 63, 64, 65, 125, 126, 127, 128, 4094, 4095, 4096, 17000).map((n) =>
    "x".repeat(n)
  ),
);

Deno.test("a listpack holds what a list of strings would", () => {
  const edit = fc.tuple(fc.integer({ min: 0, max: 4 }), fc.nat(), element);
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 60 }), (edits) => {
      const pack = newPack();
      const model: string[] = [];
      for (const [what, where, text] of edits) {
        const bytes = bytesOf(text);
        const index = model.length === 0 ? 0 : where % model.length;
        if (what === 0 || model.length === 0) {
          append(pack, text);
          model.push(text);
        } else if (what === 1) {
          pack.insert(pack.at(index), bytes, 0, bytes.length);
          model.splice(index, 0, text);
        } else if (what === 2) {
          pack.replace(pack.at(index), bytes, 0, bytes.length);
          model[index] = text;
        } else if (what === 3) {
          pack.popBack();
          model.pop();
        } else {
          const next = pack.remove(pack.at(index), 1 + where % 3);
          model.splice(index, 1 + where % 3);
          assertEquals(next === 0 ? undefined : textAt(pack, next), model[index]);
        }
        pack.verify();
      }
      assertEquals(contents(pack), model);
      assertEquals(backwards(pack), [...model].reverse());
      assertEquals(pack.count, model.length);
      const sizes = model.map((text) => {
        const bytes = bytesOf(text);
        return listpackEntryBytes(bytes, 0, bytes.length);
      });
      assertEquals(pack.size, sizes.reduce((sum, size) => sum + size, EMPTY_LISTPACK_BYTES));
      for (const [i, text] of model.entries()) {
        const bytes = bytesOf(text);
        assertEquals(pack.find(pack.first(), bytes, 0, bytes.length), pack.at(model.indexOf(text)));
        assertEquals(pack.same(pack.at(i - model.length), bytes, 0, bytes.length), true);
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("the bytes are Redis's", () => {
  const pack = newPack();
  for (const text of ["a", "5", "-1", "1000", "100000", "5000000000"]) append(pack, text);
  const hex = [...pack.bytes.subarray(pack.start, pack.start + pack.size)]
    .map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  assertEquals(
    hex,
    "21 00 00 00 06 00 81 61 02 05 01 df ff 02 c3 e8 02 f2 a0 86 01 04 f4 00 f2 05 2a 01 00 00 00 09 ff",
  );
});

Deno.test("numbers are written and read as such", () => {
  const pack = newPack();
  const numbers = [0, -1, 300, 2 ** 31, -(2 ** 40), Number.MAX_SAFE_INTEGER];
  for (const number of numbers) pack.appendNumber(number);
  assertEquals(contents(pack), numbers.map(String));
  assertEquals(numbers.map((_, i) => pack.readNumber(pack.at(i))), numbers);
  pack.replaceNumber(pack.at(1), 77);
  assertEquals(pack.readNumber(pack.at(1)), 77);
});

Deno.test("find can leave the values out", () => {
  const pack = newPack();
  for (const text of ["a", "b", "b", "c"]) append(pack, text);
  const b = bytesOf("b");
  assertEquals(pack.find(pack.first(), b, 0, 1, 1), pack.at(2));
  const c = bytesOf("c");
  assertEquals(pack.find(pack.first(), c, 0, 1, 1), 0);
});

Deno.test("a listpack of more than 65,535 elements counts them", () => {
  const bytes = new Uint8Array(400_000);
  const home: ListpackHome = { resize() {} };
  const pack = new Listpack(home);
  pack.open(bytes, new DataView(bytes.buffer), 0);
  pack.writeEmpty();
  for (let i = 0; i < 65_540; i++) pack.appendNumber(1);
  assertEquals(pack.count, 65_540);
  pack.remove(pack.first(), 10);
  assertEquals(pack.count, 65_530);
  pack.verify();
});

Deno.test("a split moves the tail", () => {
  fc.assert(
    fc.property(fc.array(element, { minLength: 1, maxLength: 20 }), fc.nat(), (texts, n) => {
      const pack = newPack();
      const tail = newPack();
      for (const text of texts) append(pack, text);
      const index = n % texts.length;
      pack.split(pack.at(index), index, tail);
      pack.verify();
      tail.verify();
      assertEquals([contents(pack), contents(tail)], [texts.slice(0, index), texts.slice(index)]);
    }),
  );
});

Deno.test("reading and replacing allocates nothing", () => {
  const bytes = new Uint8Array(200);
  const pack = new Listpack({ resize() {} });
  pack.open(bytes, new DataView(bytes.buffer), 0);
  pack.writeEmpty();
  for (const text of ["field", "12345", "other", "x"]) append(pack, text);
  const value = bytesOf("67890");
  const used = bytesPerCall(() => {
    const at = pack.next(pack.first());
    pack.replace(at, value, 0, value.length);
    pack.read(at, slice);
  });
  assertEquals(used, 0);
});

Deno.test("elements added together are those that would be appended one by one", () => {
  fc.assert(fc.property(
    fc.array(element, { maxLength: 5 }),
    fc.array(element, { minLength: 1, maxLength: 12 }),
    fc.maxSafeInteger(),
    (before, added, number) => {
      const one = newPack();
      const other = newPack();
      for (const text of before) append(one, text);
      for (const text of before) append(other, text);
      for (const text of added) append(one, text);
      one.appendNumber(number);
      other.beginAdding(added.reduce((sum, text) => sum + bytesOf(text).length + 10, 10));
      for (const text of added) {
        const bytes = bytesOf(text);
        other.add(bytes, new DataView(bytes.buffer), 0, bytes.length);
      }
      other.addNumber(number);
      other.endAdding();
      other.verify();
      assertEquals(contents(other), contents(one));
      assertEquals(other.count, one.count);
      assertEquals(other.size, one.size);
    },
  ));
});
