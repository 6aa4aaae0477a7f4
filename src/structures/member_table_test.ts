import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Slice } from "../lib/slice.ts";
import { Arena } from "./arena.ts";
import { MemberTable, sampleMembers } from "./member_table.ts";
import { Hasher } from "../lib/hash.ts";

const HASHER = new Hasher(20261121, 2);
const encoder = new TextEncoder();
const slice = new Slice();

/** With a few bytes behind them, since hashes read four bytes at a time. */
function bytesOf(text: string): [Uint8Array, DataView, number, number] {
  const bytes = encoder.encode(`${text}    `);
  return [bytes, new DataView(bytes.buffer), 0, bytes.length - 4];
}

function textOf(read: Slice): string {
  return new TextDecoder().decode(read.bytes.subarray(read.start, read.end));
}

function contentOf(table: MemberTable): Map<string, string> {
  const found = new Map<string, string>();
  table.forEach((ref) => {
    table.key(ref, slice);
    const key = textOf(slice);
    table.value(ref, slice);
    found.set(key, textOf(slice));
  });
  return found;
}

// Around the lengths at which the layout changes: 255, and 32 KiB.
const text = fc.oneof(
  { weight: 5, arbitrary: fc.string({ maxLength: 12 }) },
  { weight: 2, arbitrary: fc.integer({ min: 250, max: 260 }).map((size) => "k".repeat(size)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("l".repeat(32_768), "m".repeat(32_769), "n".repeat(40_000)),
  },
);

Deno.test("members and their values are those of a plain map, whatever their lengths", () => {
  const edit = fc.record({ removes: fc.boolean(), key: text, value: text });
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 60 }), (edits) => {
      const arena = new Arena();
      const table = new MemberTable(arena, HASHER);
      const model = new Map<string, string>();
      for (const { removes, key, value } of edits) {
        const [bytes, view, start, end] = bytesOf(key);
        const ref = table.find(bytes, view, start, end);
        assertEquals(ref !== 0, model.has(key));
        if (removes) {
          if (ref !== 0) table.remove(ref);
          model.delete(key);
          continue;
        }
        const [valueBytes, valueView, from, to] = bytesOf(value);
        // The state that another look-up leaves must have no influence.
        table.find(...bytesOf(value));
        table.put(bytes, view, start, end, valueBytes, valueView, from, to);
        model.set(key, value);
        assertEquals(table.count, model.size);
      }
      table.verify();
      assertEquals(table.count, model.size);
      assertEquals(contentOf(table), model);
      const twin = table.clone();
      twin.verify();
      while (!table.release(3));
      assertEquals(contentOf(twin), model);
      while (!twin.release(3));
      assertEquals(arena.usedBytes, 0);
    }),
    { numRuns: 60 },
  );
});

Deno.test("a score is read and set, and members compare by their bytes", () => {
  const table = new MemberTable(new Arena(), HASHER);
  const refs = ["a", "ab", "b", "c".repeat(300)].map((name, i) => {
    const [bytes, view, start, end] = bytesOf(name);
    const ref = table.findOrAdd(bytes, view, start, end, 8);
    assertEquals(table.findOrAdd(bytes, view, start, end, 8), ref);
    table.setScore(ref, i - 0.5);
    return ref;
  });
  assertEquals(refs.map((ref) => table.score(ref)), [-0.5, 0.5, 1.5, 2.5]);
  assertEquals(refs.map((ref) => table.keyAndScore(ref, slice)), [-0.5, 0.5, 1.5, 2.5]);
  assertEquals(textOf(slice), "c".repeat(300));
  for (let i = 1; i < refs.length; i++) {
    assertEquals(table.compareKeys(refs[i - 1], refs[i]) < 0, true);
  }
  assertEquals(table.compareKeys(refs[0], refs[0]), 0);
});

Deno.test("a sample has so many different members", () => {
  const table = new MemberTable(new Arena(), HASHER);
  for (let i = 0; i < 1000; i++) {
    const [bytes, view, start, end] = bytesOf(`member ${i}`);
    table.findOrAdd(bytes, view, start, end, 0);
  }
  for (const wanted of [0, 1, 10, 500, 999, 1000]) {
    const seen = new Set<number>();
    sampleMembers(table, wanted, (ref) => seen.add(ref));
    assertEquals(seen.size, wanted);
  }
});
