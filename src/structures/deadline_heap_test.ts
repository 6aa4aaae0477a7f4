import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { bytesPerCall } from "../lib/alloc.ts";
import { bigIntToInt64, Int64, int64ToBigInt } from "../lib/decimal.ts";
import { DeadlineHeap } from "./deadline_heap.ts";

const EARLY = Int64.of(1.7e12 + 500);
const LATE = Int64.of(1.7e12 + 700);
const LATE_MS = LATE.rounded;

/** A heap whose owner keeps slots in a Map, and a plain model of what it holds. */
class Owner {
  readonly slots = new Map<number, number>();
  readonly deadlines = new Map<number, number>();
  readonly heap = new DeadlineHeap(this);

  moved(ref: number, slot: number): void {
    this.slots.set(ref, slot);
  }

  slotOf(ref: number): number {
    return this.slots.get(ref) ?? 0;
  }

  push(ref: number, deadlineMs: number): void {
    assertEquals(this.heap.push(ref, Int64.of(deadlineMs)), this.slotOf(ref));
    this.deadlines.set(ref, deadlineMs);
  }

  update(ref: number, deadlineMs: number): void {
    assertEquals(this.heap.update(this.slotOf(ref), Int64.of(deadlineMs)), this.slotOf(ref));
    this.deadlines.set(ref, deadlineMs);
  }

  remove(ref: number): void {
    this.heap.removeAt(this.slotOf(ref));
    this.slots.delete(ref);
    this.deadlines.delete(ref);
  }

  replace(ref: number, newRef: number): void {
    const slot = this.slotOf(ref);
    this.heap.replaceRef(slot, newRef);
    this.deadlines.set(newRef, this.deadlines.get(ref) ?? NaN);
    this.slots.set(newRef, slot);
    this.slots.delete(ref);
    this.deadlines.delete(ref);
  }

  verify(): void {
    this.heap.verify();
    assertEquals(this.heap.size, this.deadlines.size);
    assertEquals(this.heap.minDeadline, Math.min(...this.deadlines.values()));
    for (const [ref, deadline] of this.deadlines) {
      assertEquals(this.heap.refAt(this.slotOf(ref)), ref);
      assertEquals(this.heap.deadlineAt(this.slotOf(ref)), deadline);
    }
  }
}

Deno.test("the least deadline of an empty DeadlineHeap is Infinity", () => {
  const { heap } = new Owner();
  assertEquals([heap.minDeadline, heap.minRef, heap.size], [Infinity, 0, 0]);
});

Deno.test("DeadlineHeap gives entries back in the order of their deadlines", () => {
  const owner = new Owner();
  [30, 10, 20, 10, -5].forEach((deadline, i) => owner.push(i + 1, deadline));
  const order: number[] = [];
  while (owner.heap.size > 0) {
    order.push(owner.heap.minDeadline);
    owner.remove(owner.heap.minRef);
  }
  assertEquals(order, [-5, 10, 10, 20, 30]);
});

Deno.test("DeadlineHeap agrees with a model over pushes, updates, removals and moves", () => {
  const step = fc.record({
    kind: fc.constantFrom("push", "push", "push", "update", "remove", "replace", "pop"),
    pick: fc.nat(),
    deadline: fc.oneof(fc.nat(50), fc.integer({ min: 1.7e12, max: 1.8e12 })),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: "max" }), (steps) => {
      const owner = new Owner();
      let nextRef = 1;
      for (const { kind, pick, deadline } of steps) {
        const refs = [...owner.deadlines.keys()];
        const ref = refs[pick % refs.length];
        if (kind === "push" || refs.length === 0) owner.push(nextRef++, deadline);
        else if (kind === "update") owner.update(ref, deadline);
        else if (kind === "remove") owner.remove(ref);
        else if (kind === "replace") owner.replace(ref, nextRef++);
        else owner.remove(owner.heap.minRef);
      }
      owner.verify();
    }),
    { numRuns: 60 },
  );
});

Deno.test("DeadlineHeap stays in order over several chunks and gives memory back", () => {
  const slots = new Uint32Array(200_001);
  const heap = new DeadlineHeap({
    moved(ref, slot) {
      slots[ref] = slot;
    },
  });
  const smallest = heap.bytes;
  for (let ref = 1; ref <= 200_000; ref++) heap.push(ref, Int64.of((ref * 7919) % 100_003));
  heap.verify();
  assertEquals(heap.bytes < 1.5 * 12 * heap.size, true);
  for (let ref = 1; ref <= 200_000; ref += 2) heap.removeAt(slots[ref]);
  heap.verify();
  for (let ref = 2; ref <= 200_000; ref += 2) assertEquals(heap.refAt(slots[ref]), ref);

  let last = -Infinity;
  while (heap.size > 0) {
    assertEquals(heap.minDeadline >= last, true);
    last = heap.minDeadline;
    heap.removeAt(slots[heap.minRef]);
  }
  assertEquals(heap.bytes, smallest);
});

Deno.test("DeadlineHeap keeps deadlines of 64 bits apart and in order", () => {
  const owner = new Owner();
  const wide = [2n ** 63n - 1n, 2n ** 53n + 1n, -(2n ** 63n), 2n ** 53n, 2n ** 32n - 1n, 2n ** 31n];
  const deadline = new Int64();
  for (const [i, value] of wide.entries()) {
    bigIntToInt64(value, deadline);
    owner.heap.push(i + 1, deadline);
  }
  owner.heap.verify();
  const order: bigint[] = [];
  while (owner.heap.size > 0) {
    owner.heap.readDeadline(owner.slotOf(owner.heap.minRef), deadline);
    order.push(int64ToBigInt(deadline));
    owner.heap.removeMin();
  }
  assertEquals(order, wide.toSorted((a, b) => a < b ? -1 : 1));
});

Deno.test("DeadlineHeap.clear() drops everything", () => {
  const owner = new Owner();
  for (let ref = 1; ref <= 1000; ref++) owner.push(ref, ref);
  owner.heap.clear();
  assertEquals([owner.heap.size, owner.heap.minDeadline, owner.heap.minRef], [0, Infinity, 0]);
  owner.heap.verify();
});

Deno.test("DeadlineHeap.sample() reaches all entries, each with about the same chance", () => {
  const owner = new Owner();
  const out = new Uint32Array(10);
  assertEquals([owner.heap.sample(out, 10), owner.heap.randomRef()], [
    0,
    0,
  ]);
  for (let ref = 1; ref <= 200; ref++) owner.push(ref, ref);
  const times = new Uint32Array(201);
  for (let i = 0; i < 4000; i++) {
    assertEquals(owner.heap.sample(out, 10), 10);
    out.forEach((ref) => times[ref]++);
  }
  // 200 are expected; chance alone does not deviate by eight standard deviations.
  assert(times.subarray(1).every((n) => n > 90 && n < 320));
});

Deno.test("DeadlineHeap changes allocate nothing", () => {
  const slots = new Uint32Array(1001);
  const heap = new DeadlineHeap({
    moved(ref, slot) {
      slots[ref] = slot;
    },
  });
  for (let ref = 1; ref <= 1000; ref++) heap.push(ref, Int64.of(1.7e12 + ref));
  let ref = 0;
  const pair = bytesPerCall(() => {
    ref = ref % 1000 + 1;
    heap.removeAt(slots[ref]);
    if (ref % 3 === 0) heap.push(ref, EARLY);
    else heap.push(ref, LATE);
  });
  assertEquals(pair, 0);
  const update = bytesPerCall(() => {
    ref = ref % 1000 + 1;
    if (ref % 2 === 0) heap.update(slots[ref], EARLY);
    else heap.update(slots[ref], LATE);
  });
  assertEquals(update, 0);
  let due = 0;
  // Many looks in each call: one takes 2 ns, and the measurement would end before V8's compiler thread does.
  const look = bytesPerCall(() => {
    for (let i = 0; i < 100; i++) if (heap.minDeadline < LATE_MS) due++;
  });
  assertEquals(look, 0);
});
