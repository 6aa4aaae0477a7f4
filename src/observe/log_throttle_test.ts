import { assertEquals } from "@std/assert";
import { LogThrottle } from "./log_throttle.ts";

Deno.test("LogThrottle.take() lets one line through in its time, also after the clock was set back", () => {
  const throttle = new LogThrottle(1000);
  const taken = [5000, 5000, 5999, 6000, 6001, 100, 101, 1100].map((now) => throttle.take(now));
  assertEquals(taken, [true, false, false, true, false, true, false, true]);
});
