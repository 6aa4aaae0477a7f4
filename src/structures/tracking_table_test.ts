import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { bytesPerCall } from "../lib/alloc.ts";
import { Hasher } from "../lib/hash.ts";
import { Slice } from "../lib/slice.ts";
import { Arena } from "./arena.ts";
import { ChunkPool } from "./chunk_pool.ts";
import { TrackingTable } from "./tracking_table.ts";

const encoder = new TextEncoder();

function newTable(): TrackingTable {
  return new TrackingTable(new Arena(new ChunkPool(), 2), new Hasher(20261130, 3));
}

type Key = readonly [Uint8Array, DataView, number, number];

/** A key with other bytes around it, as in a client's buffer. */
function keyOf(text: string): Key {
  const bytes = encoder.encode(`<${text}>    `);
  return [bytes, new DataView(bytes.buffer), 1, bytes.length - 5];
}

function taken(table: TrackingTable, text: string): number[] {
  const readers: number[] = [];
  table.take(...keyOf(text), (reader) => readers.push(reader));
  return readers.sort((a, b) => a - b);
}

// Around the lengths at which the layout of keys changes, beside usual ones.
const key = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("", "a", "b", "key:000000001", "k".repeat(30)) },
  { weight: 1, arbitrary: fc.constantFrom("x".repeat(254), "y".repeat(255), "z".repeat(40_000)) },
);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ does: fc.constant("add" as const), key, reader: fc.nat(49) }),
  },
  { weight: 4, arbitrary: fc.record({ does: fc.constant("addMany" as const), key }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant("take" as const), key }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("leave" as const), reader: fc.nat(49) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("clear" as const) }) },
);

Deno.test("a tracking table tells the readers that a plain map of sets would tell", () => {
  const run = (steps: (typeof step extends fc.Arbitrary<infer T> ? T : never)[]): void => {
    const table = newTable();
    /** By key, the readers that are still there. */
    const model = new Map<string, Set<number>>();
    /** The numbers of fifty clients; one that leaves is followed by another one. */
    const numbers = Array.from({ length: 50 }, () => table.register());
    const add = (text: string, reader: number): void => {
      table.add(...keyOf(text), reader);
      model.set(text, (model.get(text) ?? new Set()).add(reader));
    };
    for (const one of steps) {
      if (one.does === "add") add(one.key, numbers[one.reader]);
      else if (one.does === "addMany") { for (const number of numbers) add(one.key, number); }
      else if (one.does === "take") {
        // Those that have gone may be among them. If one of these numbers were a new client's, it would be wrong here.
        const present = taken(table, one.key).filter((number) => numbers.includes(number));
        assertEquals(present, [...model.get(one.key) ?? []].sort((a, b) => a - b));
        model.delete(one.key);
      } else if (one.does === "leave") {
        table.unregister(numbers[one.reader]);
        for (const readers of model.values()) readers.delete(numbers[one.reader]);
        numbers[one.reader] = table.register();
      } else {
        table.clear();
        model.clear();
      }
      assertEquals(table.keyCount, model.size);
      const living = [...model.values()].reduce((sum, { size }) => sum + size, 0);
      assert(table.itemCount >= living);
    }
    table.verify();
    for (const text of [...model.keys()]) taken(table, text);
    assertEquals([table.keyCount, table.itemCount], [0, 0]);
    table.verify();
  };
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), run), { numRuns: 100 });
});
Deno.test("a number is given again when the last key that names it is forgotten", () => {
  const table = newTable();
  const number = table.register();
  table.add(...keyOf("a"), number);
  table.add(...keyOf("b"), number);
  table.unregister(number);
  assertEquals(table.register(), 1);
  taken(table, "a");
  assertEquals(table.register(), 2);
  taken(table, "b");
  assertEquals(table.register(), number);
});
Deno.test("clients that come, read the same key and go, do not add up", () => {
  const table = newTable();
  const one = table.register();
  table.add(...keyOf("k"), one);
  for (let i = 0; i < 1000; i++) {
    const readers = Array.from({ length: i % 100 }, () => table.register());
    for (const reader of readers) table.add(...keyOf("k"), reader);
    for (const reader of readers) table.unregister(reader);
  }
  table.verify();
  assert(table.itemCount <= 200, `${table.itemCount} items`);
  assert(table.bytes < 10_000, `${table.bytes} bytes`);
  assert(taken(table, "k").includes(one));
});
Deno.test("a key whose visitor fails is still tracked", () => {
  const table = newTable();
  table.add(...keyOf("a"), table.register());
  let message = "";
  try {
    table.take(...keyOf("a"), () => {
      throw new Error("no memory");
    });
  } catch (error) {
    message = (error as Error).message;
  }
  assertEquals(message, "no memory");
  assertEquals(taken(table, "a"), [0]);
});
Deno.test("a key that is picked at random is one of the table's", () => {
  const table = newTable();
  const reader = table.register();
  for (let i = 0; i < 1000; i++) table.add(...keyOf(`key:${i}`), reader);
  const slice = new Slice();
  for (let i = 1000; i > 0; i--) {
    assertEquals(table.keyCount, i);
    table.randomKey(slice);
    const { bytes, start, end } = slice;
    assertEquals(taken(table, new TextDecoder().decode(bytes.slice(start, end))), [reader]);
  }
});
Deno.test("noting a key again allocates nothing, whether its readers are few or many", () => {
  const table = newTable();
  const few = keyOf("key:0000000001");
  const many = keyOf("key:0000000002");
  const reader = table.register();
  table.add(...few, reader);
  table.add(...many, reader);
  for (let i = 0; i < 100; i++) table.add(...many, table.register());
  assertEquals(bytesPerCall(() => table.add(few[0], few[1], few[2], few[3], reader)), 0);
  assertEquals(bytesPerCall(() => table.add(many[0], many[1], many[2], many[3], reader)), 0);
});
Deno.test("a key that is forgotten and noted again allocates nothing", () => {
  const table = newTable();
  const [bytes, view, start, end] = keyOf("key:0000000001");
  const reader = table.register();
  const visit = (): void => {};
  const again = (): void => {
    table.add(bytes, view, start, end, reader);
    table.take(bytes, view, start, end, visit);
  };
  assertEquals(bytesPerCall(again), 0);
});
Deno.test("a tracked key takes at most 40 bytes a client, its own bytes included", () => {
  for (const clients of [1, 2, 10, 100]) {
    const table = newTable();
    const empty = table.bytes;
    const readers = Array.from({ length: clients }, () => table.register());
    const keys = Math.ceil(100_000 / clients);
    for (let i = 0; i < keys; i++) {
      const key = keyOf(`key:${String(i).padStart(10, "0")}`);
      for (const reader of readers) table.add(...key, reader);
    }
    const bytes = (table.bytes - empty) / table.itemCount;
    assertEquals(bytes < 40, true, `${clients} clients: ${bytes} bytes`);
  }
});
