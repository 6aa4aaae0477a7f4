import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Deque } from "./deque.ts";

Deno.test("a deque is a plain array, wherever it grows and shrinks", () => {
  const step = fc.record({
    inserts: fc.integer({ min: 0, max: 9 }).map((n) => n < 6),
    place: fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })),
    times: fc.integer({ min: 1, max: 30 }),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const deque = new Deque<{ id: number }>();
    const model: { id: number }[] = [];
    let id = 0;
    for (const { inserts, place, times } of steps) {
      for (let i = 0; i < times; i++) {
        if (inserts) {
          const index = Math.floor(place * model.length);
          const item = { id: id++ };
          deque.insert(index, item);
          model.splice(index, 0, item);
        } else if (model.length > 0) {
          const index = Math.floor(place * (model.length - 1));
          assertEquals(deque.remove(index), model.splice(index, 1)[0]);
        }
      }
      assertEquals(deque.length, model.length);
      assertEquals(model.map((_, index) => deque.at(index)), model);
    }
  }));
});
