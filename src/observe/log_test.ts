import { assertEquals, assertMatch } from "@std/assert";
import { Log } from "./log.ts";

Deno.test("a log whose sink throws goes on, counts, and says later what is missing", () => {
  const lines: string[] = [];
  let isFull = true;
  const log = new Log(7, (line) => {
    if (isFull) throw new Error("No space left on device");
    lines.push(line);
  });
  log.banner("picture");
  log.warning("one");
  log.debug("not of this level");
  log.notice("two");
  assertEquals([log.lostLines, lines], [3, []]);
  isFull = false;
  log.notice("three");
  log.notice("four");
  assertEquals(log.lostLines, 3);
  assertEquals(lines.length, 3);
  assertMatch(lines[0], /^7:M \d\d \w{3} \d{4} .* # 3 lines of this log could not be written\n$/);
  assertMatch(lines[1], / \* three\n$/);
  assertMatch(lines[2], / \* four\n$/);
});
