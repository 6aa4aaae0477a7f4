import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { bigIntToInt64, Int64, int64ToBigInt } from "../lib/decimal.ts";
import { Arena } from "./arena.ts";
import { type ConsumerGroup, ConsumerGroups } from "./consumer_groups.ts";
import { StreamId } from "./stream_id.ts";
import { Hasher } from "../lib/hash.ts";

const HASHER = new Hasher(1, 2);

function idOf(number: number): StreamId {
  const id = new StreamId();
  id.setTime(number);
  return id;
}

const action = fc.record({
  do: fc.constantFrom(
    "add" as const,
    "add" as const,
    "ack" as const,
    "claim" as const,
    "leave" as const,
  ),
  id: fc.nat(300),
  consumer: fc.constantFrom("ann", "bob", "cid"),
  deliveries: fc.oneof(
    fc.bigInt(-5n, 5n),
    fc.constantFrom(2n ** 53n, 2n ** 63n - 1n, 2n ** 32n - 1n),
  ),
});

/** The pending entries: id → consumer and number of deliveries. */
type Model = Map<number, [string, bigint]>;

function pendingOf(group: ConsumerGroup): [number, string, bigint][] {
  const id = new StreamId();
  const count = new Int64();
  return Array.from({ length: group.pending.count }, (_, rank) => {
    const ref = group.pending.at(rank);
    group.readId(ref, id);
    group.readDeliveries(ref, count);
    return [id.ms, group.consumerOf(ref).name, int64ToBigInt(count)];
  });
}

function expected(model: Model): [number, string, bigint][] {
  return [...model].sort(([a], [b]) => a - b).map(([id, [name, count]]) => [id, name, count]);
}

Deno.test("pending entries are those of a plain map, for the group and for each consumer", () => {
  fc.assert(fc.property(fc.array(action, { maxLength: 400 }), (actions) => {
    const arena = new Arena();
    const groups = new ConsumerGroups(arena, HASHER);
    const group = groups.add("group");
    const model: Model = new Map();
    const count = new Int64();
    for (const step of actions) {
      const consumer = group.consumer(step.consumer) ?? group.addConsumer(step.consumer, 1);
      const ref = group.pending.find(idOf(step.id));
      assertEquals(ref !== 0, model.has(step.id));
      if (step.do === "leave" && step.id < 20) {
        group.removeConsumer(consumer);
        for (const [id, [name]] of model) if (name === step.consumer) model.delete(id);
      } else if (step.do === "add" && ref === 0) {
        bigIntToInt64(step.deliveries, count);
        group.add(idOf(step.id), consumer, 5, count);
        model.set(step.id, [step.consumer, step.deliveries]);
      } else if (step.do === "ack" && ref !== 0) {
        group.remove(ref);
        model.delete(step.id);
      } else if (step.do === "claim" && ref !== 0) {
        group.assign(ref, consumer);
        group.deliverAgain(ref, 6);
        const before = model.get(step.id)?.[1] ?? 0n;
        model.set(step.id, [step.consumer, BigInt.asIntN(64, before + 1n)]);
      }
    }
    group.verify();
    assertEquals(pendingOf(group), expected(model));
    for (const { name, pending } of group.consumers()) {
      assertEquals(pending.count, [...model.values()].filter(([owner]) => owner === name).length);
    }
    const twins = new ConsumerGroups(arena, HASHER);
    groups.copyTo(twins);
    while (!groups.release(7));
    for (const twin of twins.all()) assertEquals(pendingOf(twin), expected(model));
    while (!twins.release(7));
    assertEquals(arena.usedBytes, 0);
  }));
});

Deno.test("groups and consumers are listed by name", () => {
  const groups = new ConsumerGroups(new Arena(), HASHER);
  for (const name of ["b", "a", "c"]) groups.add(name).addConsumer("z", 0);
  groups.find("a")?.addConsumer("y", 0);
  assertEquals(groups.all().map(({ name }) => name), ["a", "b", "c"]);
  assertEquals(groups.find("a")?.consumers().map(({ name }) => name), ["y", "z"]);
});

Deno.test("relocate() and relocateTrees() move what many groups and consumers have, some at a time", () => {
  const arena = new Arena();
  const groups = new ConsumerGroups(arena, HASHER);
  const count = new Int64();
  for (let i = 0; i < 300; i++) {
    const group = groups.add(`group ${i}`);
    for (let j = 0; j < 5; j++) group.addConsumer(`consumer ${j}`, 0);
    const [first] = group.consumers();
    for (let j = 0; j < i % 4; j++) group.add(idOf(j), first, 5, count);
  }
  const before = groups.all().map(pendingOf);
  arena.close(0);
  const step = arena.copies;
  let steps = 0;
  for (let at = 0; at >= 0; steps++) at = groups.relocate(at, 100);
  assertEquals([steps, arena.copies - step], [5, 450]);
  steps = 0;
  for (let at = 0; at >= 0; steps++) at = groups.relocateTrees(at, 100);
  // 1,800 trees, and 900 places of entries in them.
  assert(steps <= 28, `${steps}`);
  assertEquals(arena.copies - step, 450 + 1800);
  assertEquals(arena.chunks[0].bytes.length, 0);
  for (const group of groups.all()) group.verify();
  assertEquals(groups.all().map(pendingOf), before);
});
