import { assertEquals } from "@std/assert";
import { bytesPerCall } from "../lib/alloc.ts";
import { NumberSet } from "./number_set.ts";

Deno.test("a number set holds what was added, once, until it is full", () => {
  const set = new NumberSet(2 ** 18);
  const model = new Set<number>();
  for (let i = 0; !set.isFull; i++) {
    const number = i % 3 === 0 ? i : Math.floor(Math.random() * 0xffffffff);
    assertEquals(set.add(number), !model.has(number));
    model.add(number);
  }
  for (const number of [0, 1, 5, 0xfffffffe]) assertEquals(set.has(number), model.has(number));
  const found: number[] = [];
  set.forEach((number) => found.push(number));
  assertEquals(found.length, model.size);
  assertEquals(set.count, model.size);
  assertEquals(new Set(found), model);
});
Deno.test("adding a number that a set has allocates nothing", () => {
  const set = new NumberSet(64);
  set.add(7);
  assertEquals(bytesPerCall(() => set.add(7)), 0);
});
