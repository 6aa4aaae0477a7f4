import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { bytesPerCall } from "../lib/alloc.ts";
import { Slice } from "../lib/slice.ts";
import { Arena } from "./arena.ts";
import { nodeLimits, Quicklist } from "./quicklist.ts";

const encoder = new TextEncoder();
const slice = new Slice();

function bytesOf(text: string): [Uint8Array, DataView, number, number] {
  const bytes = encoder.encode(text);
  return [bytes, new DataView(bytes.buffer), 0, bytes.length];
}

function textAt(list: Quicklist, index: number): string {
  list.locate(index);
  list.pack.read(list.pack.at(list.offset), slice);
  return new TextDecoder().decode(slice.bytes.subarray(slice.start, slice.end));
}

function all(list: Quicklist): string[] {
  return Array.from({ length: list.count }, (_, i) => textAt(list, i));
}

const element = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 2, arbitrary: fc.integer().map(String) },
  { weight: 1, arbitrary: fc.constantFrom("x".repeat(100), "y".repeat(5000), "z".repeat(70_000)) },
);

const edit = fc.record({
  do: fc.constantFrom(
    "head",
    "head",
    "tail",
    "tail",
    "dropHead",
    "dropTail",
    "set",
    "insert",
    "remove",
  ),
  times: fc.integer({ min: 1, max: 12 }),
  element,
  at: fc.nat(),
});

type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

/** Does the same to the list and to the model. */
function apply(list: Quicklist, model: string[], { do: what, element: text, at }: Edit): void {
  const [bytes, view, start, end] = bytesOf(text);
  if (what === "head") {
    list.pushHead(bytes, view, start, end);
    model.unshift(text);
  } else if (what === "tail") {
    list.pushTail(bytes, view, start, end);
    model.push(text);
  }
  if (model.length === 0 || what === "head" || what === "tail") return;
  const index = at % model.length;
  if (what === "dropHead") {
    list.dropHead();
    model.shift();
  } else if (what === "dropTail") {
    list.dropTail();
    model.pop();
  } else {
    list.locate(index);
    const { node, pack } = list;
    const place = pack.at(list.offset);
    if (what === "set") pack.replace(place, bytes, start, end);
    else if (what === "insert") pack.insert(place, bytes, start, end);
    else pack.remove(place);
    list.settle(node);
    model.splice(index, what === "insert" ? 0 : 1, ...(what === "remove" ? [] : [text]));
  }
}

Deno.test("a quicklist is what a plain array is, whatever the size of its nodes", () => {
  const size = fc.constantFrom([1, Infinity], [3, Infinity], [-1, Infinity], [-2, 60], [128, 300], [
    -5,
    9,
  ]);
  fc.assert(fc.property(fc.array(edit, { maxLength: 150 }), size, (edits, [fill, bytesMax]) => {
    const arena = new Arena();
    const list = new Quicklist(arena, fill, bytesMax);
    const model: string[] = [];
    for (const one of edits) {
      for (let i = 0; i < one.times; i++) apply(list, model, one);
      assertEquals(list.count, model.length);
    }
    list.verify();
    assertEquals(all(list), model);
    const twin = list.clone();
    twin.verify();
    while (!list.release(2));
    assertEquals(all(twin), model);
    while (!twin.release(2));
    assertEquals(arena.usedBytes, 0);
  }));
});

Deno.test("the limits of a node are those of list-max-listpack-size", () => {
  assertEquals(nodeLimits(-2, Infinity), { bytes: 8192, elements: Infinity });
  assertEquals(nodeLimits(-9, Infinity), { bytes: 65536, elements: Infinity });
  assertEquals(nodeLimits(0, Infinity), { bytes: 8192, elements: 1 });
  assertEquals(nodeLimits(100, 50), { bytes: 50, elements: 100 });
});

Deno.test("a list is called a listpack until it has a second node", () => {
  const list = new Quicklist(new Arena(), -5);
  list.isListpack = true;
  list.pushTail(...bytesOf("x".repeat(60_000)));
  assertEquals(list.encodingName, "listpack");
  list.pushTail(...bytesOf("x".repeat(6000)));
  assertEquals([list.encodingName, list.nodeCount], ["quicklist", 2]);
  list.dropTail();
  assertEquals(list.encodingName, "quicklist");
});

Deno.test("pushing and dropping at the ends allocates nothing", () => {
  const list = new Quicklist(new Arena(), -2);
  const [bytes, view, start, end] = bytesOf("an element of some bytes");
  for (let i = 0; i < 10_000; i++) list.pushTail(bytes, view, start, end);
  // Both ends have a node that is neither full nor about to be empty.
  for (let i = 0; i < 20; i++) {
    list.pushHead(bytes, view, start, end);
    list.pushTail(bytes, view, start, end);
  }
  const used = bytesPerCall(() => {
    list.pushTail(bytes, view, start, end);
    list.pushHead(bytes, view, start, end);
    list.dropTail();
    list.dropHead();
  });
  assertEquals(used, 0);
});
