import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { bytesPerCall } from "../lib/alloc.ts";
import { Arena } from "./arena.ts";
import { type Bound, OrderTree } from "./order_tree.ts";

/** Refs are numbers here: their own order. */
const byNumber = {
  // Some have the same key.
  keyOf: (ref: number): number => Math.floor(ref / 3),
  compare: (a: number, b: number): number => a - b,
};

class Below implements Bound {
  constructor(readonly limit: number) {}
  isBefore(ref: number): boolean {
    return ref < this.limit;
  }
}

function refsOf(tree: OrderTree, from = 0, count = tree.count, isDownwards = false): number[] {
  const found: number[] = [];
  tree.forEachFrom(from, count, isDownwards, (ref) => found.push(ref));
  return found;
}

Deno.test("an order tree is what a sorted array would be", () => {
  const edit = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 1, max: 400 }));
  const size = fc.constantFrom([4, 4], [5, 6], [8, 4], [64, 32]);
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 600 }), size, (edits, [leaf, inner]) => {
      const arena = new Arena();
      const before = arena.usedBytes;
      const tree = new OrderTree(arena, byNumber, leaf, inner);
      const model = new Set<number>();
      for (const [what, ref] of edits) {
        if (what === 5) {
          // Appends so many refs, after the last one.
          const last = Math.max(0, ...model);
          for (let next = last + 1; next < last + ref / 8; next++) {
            tree.append(next);
            model.add(next);
          }
        } else if (what === 4) {
          const sorted = [...model].sort((a, b) => a - b);
          const from = Math.min(ref >>> 2, sorted.length);
          const gone = sorted.slice(from, from + ref % 90);
          const seen: number[] = [];
          tree.removeRange(from, gone.length, (removed) => seen.push(removed));
          assertEquals(seen, gone);
          for (const one of gone) model.delete(one);
        } else if (what > 0 && !model.has(ref)) {
          tree.insert(ref);
          model.add(ref);
        } else if (what === 0 && model.has(ref)) {
          tree.remove(ref);
          model.delete(ref);
        }
      }
      tree.verify();
      const sorted = [...model].sort((a, b) => a - b);
      assertEquals(refsOf(tree), sorted);
      for (const [rank, ref] of sorted.entries()) {
        assertEquals(tree.rankOf(ref), rank);
        assertEquals(tree.at(rank), ref);
      }
      for (let limit = 0; limit < 402; limit += 13) {
        assertEquals(
          tree.countBefore(new Below(limit)),
          sorted.filter((ref) => ref < limit).length,
        );
      }
      if (sorted.length > 0) {
        const middle = sorted.length >>> 1;
        assertEquals(refsOf(tree, middle, middle + 1, true), sorted.slice(0, middle + 1).reverse());
      }
      while (!tree.release(3));
      assertEquals(arena.usedBytes, before);
    }),
    { numRuns: 150 },
  );
});

Deno.test("refs that come and go leave a tree that shrinks", () => {
  const tree = new OrderTree(new Arena(), byNumber, 4, 4);
  for (let ref = 1; ref <= 1000; ref++) tree.insert(ref);
  tree.verify();
  for (let ref = 1; ref <= 1000; ref += 2) tree.remove(ref);
  tree.verify();
  for (let ref = 1000; ref > 0; ref -= 2) tree.remove(ref);
  tree.verify();
  assertEquals(tree.count, 0);
  tree.insert(7);
  assertEquals(refsOf(tree), [7]);
});

Deno.test("refs inserted in ascending order fill their leaves", () => {
  const arena = new Arena();
  const tree = new OrderTree(arena, byNumber);
  for (let ref = 1; ref <= 50_000; ref++) tree.insert(ref);
  for (let ref = 50_001; ref <= 100_000; ref++) tree.append(ref);
  tree.verify();
  assertEquals(tree.arenaBytes / 100_000 < 5.6, true);
  assertThrows(() => tree.append(70_000));
});

Deno.test("inserting, removing and ranking allocates nothing", () => {
  const tree = new OrderTree(new Arena(), byNumber);
  for (let ref = 2; ref <= 4000; ref += 2) tree.insert(ref);
  const used = bytesPerCall(() => {
    tree.insert(2001);
    tree.rankOf(2001);
    tree.at(1500);
    tree.remove(2001);
  });
  assertEquals(used, 0);
});
