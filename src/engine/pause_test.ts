import { assert, assertEquals } from "@std/assert";
import { Pause } from "./pause.ts";

Deno.test("a pause is on until its deadline", () => {
  const pause = new Pause();
  assert(!pause.isOn(0));
  pause.begin("write", 100, 0);
  assert(pause.isOn(99) && !pause.isOn(100));
});
Deno.test("a second pause extends the first and can only make it stricter", () => {
  const pause = new Pause();
  pause.begin("all", 100, 0);
  pause.begin("write", 50, 10);
  assertEquals([pause.endMs, pause.kind], [100, "all"]);
  pause.end();
  pause.begin("write", 50, 20);
  pause.begin("all", 200, 30);
  assertEquals([pause.endMs, pause.kind], [200, "all"]);
});
Deno.test("a pause that is over does not outlast itself", () => {
  const pause = new Pause();
  pause.begin("all", 100, 0);
  pause.begin("write", 300, 200);
  assertEquals([pause.endMs, pause.kind], [300, "write"]);
  pause.end();
  assert(!pause.isOn(250));
});
