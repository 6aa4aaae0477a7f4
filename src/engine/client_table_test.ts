import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ClientTable } from "./client_table.ts";

Deno.test("ClientTable holds what a Map of the same clients holds, in the same order", () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constant(-1) },
    { weight: 2, arbitrary: fc.nat(400) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 1000 }), (steps) => {
      const table = new ClientTable<{ id: number }>();
      const model = new Map<number, { id: number }>();
      let id = 0;
      for (const removed of steps) {
        const client = { id: removed < 0 ? ++id : removed };
        if (removed < 0) {
          table.add(client);
          model.set(client.id, client);
        } else {
          table.delete(model.get(removed) ?? client);
          model.delete(removed);
        }
        assertEquals(table.size, model.size);
        assertEquals(table.get(client.id), model.get(client.id));
      }
      assertEquals([...table.values()], [...model.values()]);
      for (let i = 0; i <= id + 1; i++) assertEquals(table.get(i), model.get(i));
    }),
    { numRuns: 200 },
  );
});
Deno.test("ClientTable.delete() removes a client once, and none that has its id", () => {
  const table = new ClientTable<{ id: number }>();
  const client = { id: 1 };
  table.add(client);
  table.delete({ id: 1 });
  assertEquals(table.size, 1);
  table.delete(client);
  table.delete(client);
  assertEquals(table.size, 0);
});
Deno.test("ClientTable.values() leaves out clients removed during the walk, and refuses added ones", () => {
  const table = new ClientTable<{ id: number }>();
  const clients = [1, 2, 3, 4].map((id) => ({ id }));
  for (const client of clients) table.add(client);
  const seen: number[] = [];
  for (const client of table.values()) {
    seen.push(client.id);
    if (client.id === 2) { for (const gone of [0, 1, 2]) table.delete(clients[gone]); }
  }
  assertEquals(seen, [1, 2, 4]);
  assertThrows(() => {
    for (const _ of table.values()) table.add({ id: 9 });
  });
});
