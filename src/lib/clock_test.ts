import { assert, assertEquals } from "@std/assert";
import { Clock, ManualClock } from "./clock.ts";

Deno.test("Clock.nowMs() stands still until refresh() looks", () => {
  const real = Date.now;
  try {
    Date.now = () => 1000;
    const clock = new Clock();
    Date.now = () => 2000;
    assertEquals(clock.nowMs(), 1000);
    clock.refresh();
    assertEquals(clock.nowMs(), 2000);
  } finally {
    Date.now = real;
  }
});
Deno.test("Clock.monotonicUs() never runs backwards", () => {
  const clock = new Clock();
  let last = clock.monotonicUs();
  for (let i = 0; i < 1000; i++) {
    const now = clock.monotonicUs();
    assert(now >= last);
    last = now;
  }
});
Deno.test("Clock.unixUs() is Date.now() with microseconds", () => {
  const before = Date.now();
  const us = new Clock().unixUs();
  assert(us >= before * 1000 && us < (Date.now() + 1) * 1000);
});
Deno.test("ManualClock moves when told, and only then", () => {
  const clock = new ManualClock(5000);
  clock.refresh();
  assertEquals([clock.nowMs(), clock.unixUs(), clock.monotonicUs()], [5000, 5e6, 5e6]);
  clock.advance(10);
  assertEquals([clock.nowMs(), clock.unixUs(), clock.monotonicUs()], [5010, 5.01e6, 5.01e6]);
});
