import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Hasher } from "../lib/hash.ts";
import { NameMap } from "./name_map.ts";

/** Gives few different hashes, so that chains form. */
class PoorHasher extends Hasher {
  constructor() {
    super(1, 2);
  }

  override hashText(text: string): number {
    return text.length % 3;
  }
}

const name = fc.oneof(fc.string({ maxLength: 5 }), fc.string({ unit: "grapheme", maxLength: 5 }));
const edit = fc.record({ name, deletes: fc.boolean(), value: fc.integer() });

for (
  const [kind, hasher] of [["all hashes", new Hasher(1, 2)], [
    "three hashes",
    new PoorHasher(),
  ]] as const
) {
  Deno.test(`a map of names holds what a Map does, with ${kind}`, () => {
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 60 }), (edits) => {
        const map = new NameMap<number>(hasher);
        const model = new Map<string, number>();
        for (const { name, deletes, value } of edits) {
          assertEquals(map.get(name), model.get(name));
          assertEquals(map.has(name), model.has(name));
          if (deletes) assertEquals(map.delete(name), model.delete(name));
          else {
            map.set(name, value);
            model.set(name, value);
          }
          assertEquals(map.size, model.size);
          map.verify();
        }
        assertEquals(new Map(map), model);
        assertEquals([...map.values()].sort(), [...model.values()].sort());
        for (const [name] of map) map.delete(name);
        assertEquals([map.size, [...map]], [0, []]);
      }),
    );
  });
}

Deno.test("names of two keys hash apart, and characters beyond a byte count", () => {
  const one = new Hasher(1, 2);
  const other = new Hasher(1, 3);
  assert(one.hashText("name") !== other.hashText("name"));
  assert(one.hashText("\u0100") !== one.hashText("\u0000"));
  assertEquals(one.hashText("x".repeat(5000)), one.hashText("x".repeat(5000)));
});

Deno.test("clear() leaves nothing", () => {
  const map = new NameMap<number>(new Hasher(1, 2));
  map.set("a", 1);
  map.clear();
  assertEquals([map.size, map.has("a")], [0, false]);
});
