import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ManualClock } from "../lib/clock.ts";
import { Deadlines } from "./deadlines.ts";

Deno.test("run() does what is due, in the order of the deadlines", () => {
  const clock = new ManualClock(1000);
  const deadlines = new Deadlines(clock);
  const done: string[] = [];
  deadlines.at(1030, () => done.push("late"));
  deadlines.at(1010, () => done.push("early"));
  assertEquals(deadlines.next, 1010);
  deadlines.run();
  assertEquals(done, []);
  clock.advance(10);
  deadlines.run();
  assertEquals(done, ["early"]);
  clock.advance(100);
  deadlines.run();
  assertEquals(done, ["early", "late"]);
  assertEquals(deadlines.next, Infinity);
});
Deno.test("an action may set and cancel further deadlines", () => {
  const clock = new ManualClock(0);
  const deadlines = new Deadlines(clock);
  const done: string[] = [];
  const other = deadlines.at(5, () => done.push("cancelled"));
  deadlines.at(1, () => {
    done.push("first");
    deadlines.cancel(other);
    deadlines.at(2, () => done.push("second"));
  });
  clock.advance(10);
  deadlines.run();
  assertEquals(done, ["first", "second"]);
});
Deno.test("actions that were set and not cancelled run once, whatever the order", () => {
  const step = fc.record({
    ms: fc.integer({ min: 0, max: 50 }),
    kind: fc.integer({ max: 2, min: 0 }),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const clock = new ManualClock(0);
    const deadlines = new Deadlines(clock);
    const waiting = new Map<number, { dueMs: number; id: number }>();
    const done: number[] = [];
    const expected: number[] = [];
    for (const [id, { ms, kind }] of steps.entries()) {
      if (kind === 0) {
        const dueMs = clock.nowMs() + 1 + ms;
        const handle = deadlines.at(dueMs, () => {
          done.push(id);
          waiting.delete(handle);
        });
        waiting.set(handle, { dueMs, id });
      } else if (kind === 1 && waiting.size > 0) {
        const [handle] = waiting.keys();
        deadlines.cancel(handle);
        waiting.delete(handle);
      } else {
        clock.advance(ms);
        for (const { dueMs, id } of waiting.values()) if (dueMs <= clock.nowMs()) expected.push(id);
        deadlines.run();
      }
    }
    assertEquals(done.toSorted((a, b) => a - b), expected.toSorted((a, b) => a - b));
    const dues = [...waiting.values()].map(({ dueMs }) => dueMs);
    assertEquals(deadlines.next, Math.min(Infinity, ...dues));
  }));
});
