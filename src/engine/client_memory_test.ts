import { assertEquals } from "@std/assert";
import { Random } from "../lib/random.ts";
import { ClientMemory, type Measured } from "./client_memory.ts";

class Someone implements Measured<Someone> {
  countedBytes = -1;
  isReplica = false;
  noEvict = false;
  bucket = -1;
  bucketPrevious: Someone | null = null;
  bucketNext: Someone | null = null;

  constructor(public memoryBytes: number) {}
}

Deno.test("ClientMemory is the sum over its clients, as they were last counted", () => {
  const memory = new ClientMemory<Someone>();
  const [a, b] = [new Someone(100), new Someone(20)];
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

Deno.test("ClientMemory's largest is the first of the highest bucket, whatever joins, grows, and goes", () => {
  const memory = new ClientMemory<Someone>();
  const clients: Someone[] = [];
  /** The clients of each power of two, in the order in which they came to it. */
  const model: Someone[][] = Array.from({ length: 19 }, () => []);
  const random = new Random(20261130);
  const bucketOf = ({ countedBytes, noEvict, isReplica }: Someone): number =>
    noEvict || isReplica
      ? -1
      : Math.min(Math.max(Math.floor(Math.log2(Math.max(countedBytes, 1))) - 14, 0), 18);
  const moved = (client: Someone): void => {
    const wanted = clients.includes(client) ? bucketOf(client) : -1;
    const is = model.findIndex((bucket) => bucket.includes(client));
    if (wanted === is) return;
    if (is >= 0) model[is].splice(model[is].indexOf(client), 1);
    if (wanted >= 0) model[wanted].push(client);
  };
  memory.limit(1e6, clients);
  for (let step = 0; step < 5_000; step++) {
    const client = clients[random.below(clients.length + 10)] ?? new Someone(0);
    const what = random.below(6);
    if (client.countedBytes < 0) {
      client.isReplica = random.below(10) === 0;
      clients.push(client);
      memory.add(client);
    } else if (what === 0) {
      clients.splice(clients.indexOf(client), 1);
      memory.remove(client);
    } else if (what === 1) {
      client.noEvict = !client.noEvict;
      memory.evictabilityChanged(client);
    } else {
      client.memoryBytes = Math.floor(2 ** (random.below(360) / 10));
      memory.recount(client);
    }
    moved(client);
    assertEquals(
      memory.buckets?.largest,
      model.findLast(([first]) => first !== undefined)?.[0] ?? null,
    );
    const ordinary = clients.filter(({ isReplica }) => !isReplica);
    const bytes = ordinary.reduce((sum, { countedBytes }) => sum + countedBytes, 0);
    assertEquals(memory.normalBytes, bytes);
    assertEquals(memory.isOver, bytes > 1e6);
  }
  const shown = [...memory.buckets?.all() ?? []];
  assertEquals(shown.map((bucket) => bucket.clients), model);
  assertEquals(shown.slice(0, 3).map(({ start }) => start), [0, 32_768, 65_536]);
  memory.limit(null, clients);
  assertEquals(clients.every(({ bucket }) => bucket === -1), true);
  assertEquals(memory.isOver, false);
});
