import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { bytesPerCall } from "../lib/alloc.ts";
import { Slice } from "../lib/slice.ts";
import { ChangedKeys } from "./changed_keys.ts";

function newKeys(): ChangedKeys {
  return new ChangedKeys();
}

function add(keys: ChangedKeys, key: Uint8Array, author: number): void {
  const bytes = new Uint8Array(key.length + 4);
  bytes.set(key, 2);
  keys.add(bytes, 2, 2 + key.length, author);
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

function startsWith(key: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.every((byte, i) => key[i] === byte) && key.length >= prefix.length;
}

const key = fc.array(fc.constantFrom(0, 1, 97, 98, 255), { maxLength: 4 }).map((bytes) =>
  Uint8Array.from(bytes)
);

Deno.test("changed keys come once, in the order of their bytes, those with one prefix together", () => {
  const slice = new Slice();
  const changes = fc.array(fc.record({ key, author: fc.integer({ min: -1, max: 9 }) }), {
    maxLength: 200,
  });
  fc.assert(fc.property(changes, fc.array(key, { maxLength: 5 }), (edits, prefixes) => {
    const keys = newKeys();
    for (let round = 0; round < 2; round++) {
      const authors = new Map<string, number>();
      for (const { key, author } of edits) {
        add(keys, key, author);
        authors.set(`${key}`, author);
      }
      const model = [...authors.keys()].map((text) =>
        Uint8Array.from(text === "" ? [] : text.split(",").map(Number))
      ).sort(compare);
      keys.sort();
      assertEquals(keys.count, model.length);
      model.forEach((key, i) => {
        keys.key(i, slice);
        assertEquals(slice.bytes.slice(slice.start, slice.end), key);
        assertEquals(keys.author(i), authors.get(`${key}`));
      });
      for (const prefix of prefixes) {
        const found: string[] = [];
        for (let i = keys.firstFrom(prefix); i < keys.count && keys.beginsWith(i, prefix); i++) {
          keys.key(i, slice);
          found.push(`${slice.bytes.slice(slice.start, slice.end)}`);
        }
        const expected = model.filter((key) => startsWith(key, prefix));
        assertEquals(found, expected.map((key) => `${key}`));
      }
      keys.clear();
      assertEquals(keys.isEmpty, true);
    }
  }));
});
Deno.test("noting a changed key allocates nothing", () => {
  const keys = newKeys();
  const bytes = new TextEncoder().encode("key:0000000001");
  const add = (): void => {
    keys.add(bytes, 0, 14, 3);
    keys.clear();
  };
  assertEquals(bytesPerCall(add), 0);
});
Deno.test("a key that changes a million times is noted a few times, and large room is given back", () => {
  const keys = newKeys();
  const slice = new Slice();
  for (let i = 0; i < 1_000_000; i++) add(keys, Uint8Array.of(107, i % 3), i);
  assert(keys.count <= 64);
  add(keys, new Uint8Array(1_000_000), 7);
  keys.sort();
  assertEquals(keys.count, 4);
  assertEquals([1, 2, 3].map((i) => keys.author(i)), [999_999, 999_997, 999_998]);
  keys.key(0, slice);
  assertEquals([slice.length, keys.author(0)], [1_000_000, 7]);
  keys.clear();
  for (let i = 0; i < 10_000; i++) add(keys, new TextEncoder().encode(`key:${i}`), i);
  keys.sort();
  assertEquals(keys.count, 10_000);
  keys.key(9_999, slice);
  assertEquals(new TextDecoder().decode(slice.bytes.slice(slice.start, slice.end)), "key:9999");
  keys.clear();
});
