import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Hasher } from "../lib/hash.ts";
import { BytesMap } from "./bytes_map.ts";

/** Gives few different hashes, so that chains form. */
class PoorHasher extends Hasher {
  constructor() {
    super(1, 2);
  }

  override hashBytes(_bytes: Uint8Array, start: number, end: number): number {
    return (end - start) % 3;
  }
}

class Item {
  next: Item | null = null;
  constructor(readonly name: Uint8Array) {}
}

const name = fc.oneof(
  fc.uint8Array({ max: 3, maxLength: 4 }),
  fc.uint8Array({ minLength: 250, maxLength: 260 }),
);
const edit = fc.record({ name, deletes: fc.boolean() });

for (
  const [kind, hasher] of [["all hashes", new Hasher(1, 2)], [
    "three hashes",
    new PoorHasher(),
  ]] as const
) {
  Deno.test(`a map of byte strings holds what a Map does, with ${kind}`, () => {
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 60 }), (edits) => {
        const map = new BytesMap<Item>(hasher);
        const model = new Map<string, Item>();
        for (const { name, deletes } of edits) {
          // Where the bytes lie does not matter.
          const padded = Uint8Array.from([9, ...name, 9]);
          const found = map.get(padded, 1, name.length + 1);
          assertEquals(found, model.get(name.join()) ?? null);
          if (deletes && found !== null) {
            map.delete(found);
            model.delete(name.join());
          } else if (!deletes && found === null) {
            const item = new Item(name);
            map.add(item);
            model.set(name.join(), item);
          }
          assertEquals(map.size, model.size);
          map.verify();
        }
        assertEquals(new Set(map.values()), new Set(model.values()));
      }),
    );
  });
}
