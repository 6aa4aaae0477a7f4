import { assertEquals } from "@std/assert";
import { bytesPerCall } from "../lib/alloc.ts";
import { argsOf } from "../protocol/args.ts";
import {
  countedKeys,
  keyRange,
  keysAfter,
  KeySpec,
  legacyRange,
  oneKey,
  unknownKeys,
} from "./key_spec.ts";

/** The keys that `spec` finds in a line, or null where it can't tell. */
function keysIn(spec: KeySpec, line: string): string[] | null {
  const args = argsOf(...line.split(" "));
  const found: string[] = [];
  return spec.visit(args, (index) => found.push(args.text(index))) ? found : null;
}

const streams = keysAfter("RO access", "STREAMS", 1, { last: -1, limit: 2 });

Deno.test("oneKey() finds the key at its place", () => {
  assertEquals(keysIn(oneKey("RW"), "SET k v"), ["k"]);
  assertEquals(keysIn(oneKey("RO", 2), "OBJECT ENCODING k"), ["k"]);
});

Deno.test("keyRange() counts its last key from the first, or from the end if negative", () => {
  assertEquals(keysIn(keyRange("RO", 1, -1), "MGET a b c"), ["a", "b", "c"]);
  assertEquals(keysIn(keyRange("OW", 1, -1, 2), "MSET a 1 b 2"), ["a", "b"]);
  assertEquals(keysIn(keyRange("RW", 1, -2), "BLPOP a b 0"), ["a", "b"]);
  assertEquals(keysIn(keyRange("RO", 1, 1), "LCS a b LEN"), ["a", "b"]);
});

Deno.test("countedKeys() reads how many keys follow", () => {
  const spec = countedKeys("RW", 1);
  assertEquals(keysIn(spec, "LMPOP 2 a b LEFT"), ["a", "b"]);
  for (const line of ["LMPOP 0 a LEFT", "LMPOP 9 a LEFT", "LMPOP x a LEFT", "LMPOP -1 a LEFT"]) {
    assertEquals(keysIn(spec, line), null, line);
  }
  assertEquals(keysIn(countedKeys("RW", 2), "EVAL script"), null);
});

Deno.test("keysAfter() looks for its word in any case, forwards or from the end", () => {
  assertEquals(keysIn(streams, "XREAD COUNT 1 streams a b 0 0"), ["a", "b"]);
  assertEquals(keysIn(streams, "XREAD COUNT 1"), []);
  const migrate = keysAfter("RW", "KEYS", -2, { last: -1 });
  assertEquals(keysIn(migrate, "MIGRATE h p e 0 10 KEYS a b"), ["a", "b"]);
  const store = keysAfter("OW", "STORE", 6);
  assertEquals(keysIn(store, "GEORADIUS k 1 1 1 m STORE to"), ["to"]);
  assertEquals(keysIn(store, "GEORADIUS k 1 1 1 m STORE"), []);
});

Deno.test("A spec whose keys lie outside of the arguments can't tell", () => {
  assertEquals(keysIn(oneKey("RW", 3), "SET k v"), null);
  assertEquals(keysIn(keyRange("RW", 2, -1), "BITOP"), null);
  assertEquals(keysIn(unknownKeys("RO", "by patterns"), "SORT k"), null);
});

Deno.test("legacyRange() joins runs that follow one another, and says if there are other keys", () => {
  const range = (...specs: KeySpec[]): [number, number, number, boolean] => {
    const { first, last, step, isMovable } = legacyRange(specs);
    return [first, last, step, isMovable];
  };
  assertEquals(range(), [0, 0, 0, false]);
  assertEquals(range(oneKey("RO")), [1, 1, 1, false]);
  assertEquals(range(keyRange("OW", 1, -1, 2)), [1, -1, 2, false]);
  assertEquals(range(oneKey("RW"), oneKey("OW", 2)), [1, 2, 1, false]);
  assertEquals(range(oneKey("OW", 2), keyRange("RO", 3, -1)), [2, -1, 1, false]);
  assertEquals(range(countedKeys("RW", 1)), [0, 0, 0, true]);
  assertEquals(range(oneKey("OW"), countedKeys("RO", 2)), [1, 1, 1, true]);
  assertEquals(range(streams), [0, 0, 0, true]);
  assertEquals(range(oneKey("RW incomplete")), [1, 1, 1, true]);
  assertEquals(range(oneKey("RO"), unknownKeys("RO", "")), [1, 1, 1, true]);
});

Deno.test("KeySpec.visit() allocates nothing", () => {
  const args = argsOf("XREAD", "COUNT", "1", "STREAMS", "a", "b", "0", "0");
  const pair = argsOf("MSET", "a", "1", "b", "2");
  const mset = keyRange("OW", 1, -1, 2);
  let sum = 0;
  const visitor = (index: number): void => {
    sum += index;
  };
  assertEquals(bytesPerCall(() => streams.visit(args, visitor)), 0);
  assertEquals(bytesPerCall(() => mset.visit(pair, visitor)), 0);
  assertEquals(sum > 0, true);
});
