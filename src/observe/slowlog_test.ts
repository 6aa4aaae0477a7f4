import { assertEquals } from "@std/assert";
import { Slowlog } from "./slowlog.ts";

function add(log: Slowlog, args: readonly string[], maxLength = 128): void {
  log.add({ time: 1, microseconds: 5, args, address: "127.0.0.1:1", clientName: "" }, maxLength);
}

Deno.test("latest() gives the newest first, with ids that go on after reset()", () => {
  const log = new Slowlog();
  for (const word of ["a", "b", "c"]) add(log, [word]);
  assertEquals(log.latest(2).map(({ id, args }) => [id, args[0]]), [[2, "c"], [1, "b"]]);
  log.reset();
  add(log, ["d"]);
  assertEquals([log.length, log.latest(10)[0].id], [1, 3]);
});
Deno.test("add() drops the oldest beyond the length, and all with length 0", () => {
  const log = new Slowlog();
  for (let i = 0; i < 10; i++) add(log, [String(i)], 3);
  assertEquals(log.latest(10).map(({ args }) => args[0]), ["9", "8", "7"]);
  log.trim(1);
  assertEquals(log.length, 1);
  add(log, ["x"], 0);
  assertEquals(log.length, 0);
});
