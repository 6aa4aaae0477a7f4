/** The system's clock is set forward and back: replies are those of redis-server 7.2.6 under a shifted clock. */
import { assertEquals } from "@std/assert";
import { Clock } from "../../src/lib/clock.ts";
import { TestServer } from "../support/harness.ts";
import { startRespite, Wire } from "../support/live.ts";

const HOUR_MS = 3_600_000;

/** The system's clock, and what it was set forward by. */
class ShiftedClock extends Clock {
  shiftMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.shiftMs;
  }
}

Deno.test("keys expire by the clock as it is: an hour forward ends them, an hour back lengthens their time", () => {
  const server = new TestServer();
  server.run("SET k v PX 100000");
  server.advanceClock(-HOUR_MS);
  assertEquals(server.run("PTTL k"), HOUR_MS + 100_000);
  server.run("SET short v PX 5000");
  server.advanceClock(HOUR_MS);
  assertEquals(server.run("PTTL k"), 100_000);
  assertEquals(server.run("EXISTS short"), 0);
});
Deno.test("ids of a stream grow while the clock is behind the last one, and nothing is idle for less than 0 ms", () => {
  const server = new TestServer();
  const [ms] = String(server.run("XADD x * f v")).split("-");
  server.run("XGROUP CREATE x g 0");
  server.run("XREADGROUP GROUP g ann STREAMS x >");
  server.advanceClock(-HOUR_MS);
  assertEquals(server.run("XADD x * f v"), `${ms}-1`);
  assertEquals(server.run("XADD x * f v"), `${ms}-2`);
  assertEquals(server.run("XPENDING x g - + 1"), [[`${ms}-0`, "ann", 0, 1]]);
  assertEquals(server.run("XAUTOCLAIM x g bob 1 0 JUSTID"), ["0-0", [], []]);
  const [ann] = server.run("XINFO CONSUMERS x g") as unknown[][];
  assertEquals(ann.slice(4), ["idle", 0, "inactive", -HOUR_MS]);
});
Deno.test("the work of every tick goes on when the clock was set back", () => {
  const server = new TestServer();
  let ticks = 0;
  server.engine.limitOutput = () => {
    ticks++;
  };
  server.advance(100);
  server.advance(-HOUR_MS);
  server.advance(100);
  assertEquals(ticks, 3);
});
Deno.test({
  name:
    "a client's wait ends in time after the clock was set back, and at once when it is set forward",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const clock = new ShiftedClock();
    const ours = startRespite({}, clock);
    const wire = await Wire.connect(ours.port);
    clock.shiftMs = HOUR_MS;
    assertEquals(await wire.roundTrip("ping"), "+PONG\r\n");
    await new Promise((resolve) => setTimeout(resolve, 150));
    clock.shiftMs = 0;
    assertEquals(await wire.roundTrip("blpop none 0.01"), "*-1\r\n");
    const reply = wire.roundTrip("blpop none 600");
    await new Promise((resolve) => setTimeout(resolve, 20));
    clock.shiftMs = HOUR_MS;
    assertEquals(await reply, "*-1\r\n");
    wire.close();
    await ours.stop();
  },
});
