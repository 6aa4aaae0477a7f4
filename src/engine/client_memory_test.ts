import { assertEquals } from "@std/assert";
import { ClientMemory } from "./client_memory.ts";

Deno.test("ClientMemory is the sum over its clients, as they were last counted", () => {
  const memory = new ClientMemory();
  const [a, b] = [{ memoryBytes: 100, countedBytes: -1 }, { memoryBytes: 20, countedBytes: -1 }];
  memory.add(a);
  memory.add(b);
  assertEquals(memory.bytes, 0);
  memory.recount(a);
  memory.recount(b);
  memory.recount(b);
  assertEquals(memory.bytes, 120);
  a.memoryBytes = 5e9;
  b.memoryBytes = 0;
  assertEquals(memory.bytes, 120);
  memory.recount(a);
  memory.recount(b);
  assertEquals(memory.bytes, 5e9);
  memory.remove(a);
  memory.recount(a); // The end of a write of a client that has gone.
  memory.remove(a);
  assertEquals(memory.bytes, 0);
});
