import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { LatencyHistogram, LatencyMonitor } from "./latency.ts";

Deno.test("note() keeps the worst spike of each second and the worst of all", () => {
  const monitor = new LatencyMonitor();
  monitor.thresholdMs = 10;
  for (const [ms, nowMs] of [[12, 1000], [30, 1900], [11, 1950], [15, 2000], [9, 3000]]) {
    monitor.note("command", ms, nowMs);
  }
  const series = monitor.events.get("command");
  assertEquals(series?.samples, [{ time: 1, ms: 30 }, { time: 2, ms: 15 }]);
  assertEquals([series?.max, series?.count], [30, 4]);
});
Deno.test("a threshold of 0 notes nothing", () => {
  const monitor = new LatencyMonitor();
  monitor.note("command", 1000, 1000);
  assertEquals(monitor.events.size, 0);
});
Deno.test("the last 160 seconds with spikes are kept", () => {
  const monitor = new LatencyMonitor();
  monitor.thresholdMs = 1;
  for (let second = 0; second < 200; second++) monitor.note("command", 5, second * 1000);
  const samples = monitor.events.get("command")?.samples ?? [];
  assertEquals([samples.length, samples[0].time, samples.at(-1)?.time], [160, 40, 199]);
});
Deno.test("reset() forgets the named events, or all, and counts them", () => {
  const monitor = new LatencyMonitor();
  monitor.thresholdMs = 1;
  for (const event of ["a", "b", "c"]) monitor.note(event, 5, 1000);
  assertEquals(monitor.reset(["a", "nosuch"]), 1);
  assertEquals(monitor.reset([]), 2);
  assertEquals(monitor.reset([]), 0);
});
Deno.test("percentile() is never too low, and 12.5 % too high at most", () => {
  const times = fc.array(fc.integer({ min: 1, max: 1e9 }), { minLength: 1, maxLength: 50 });
  fc.assert(fc.property(times, fc.integer({ min: 1, max: 100 }), (values, percent) => {
    const histogram = new LatencyHistogram();
    for (const value of values) histogram.record(value, 1);
    const ordered = values.toSorted((a, b) => a - b);
    const exact = ordered[Math.ceil(values.length * percent / 100) - 1];
    const shown = histogram.percentile(percent);
    assert(shown >= exact && shown <= exact * 1.1250001, `${shown} for ${exact}`);
  }));
});
Deno.test("percentile() of nothing is 0", () => {
  assertEquals(new LatencyHistogram().percentile(50), 0);
});
Deno.test("powersOfTwo() rises to the number of all calls", () => {
  const histogram = new LatencyHistogram();
  for (const [us, count] of [[1, 10], [3, 5], [1000, 2], [5e9, 1]]) histogram.record(us, count);
  const rows = histogram.powersOfTwo();
  assertEquals(rows.at(-1)?.[1], histogram.total);
  for (let i = 1; i < rows.length; i++) assert(rows[i][1] > rows[i - 1][1]);
  histogram.reset();
  assertEquals([histogram.total, histogram.powersOfTwo().length], [0, 0]);
});
