import { assertEquals } from "@std/assert";
import { bytesPerCall } from "../lib/alloc.ts";
import { RecentCommands } from "./recent_commands.ts";

Deno.test("the last commands are shown in order, with client, database and number", () => {
  const recent = new RecentCommands();
  assertEquals(`${recent}`, "none");
  recent.note("set", 7, 0, 3);
  recent.note("get", 8, 1, 1);
  assertEquals(`${recent}`, "set ×3 (client 7, database 0), get (client 8, database 1)");
});
Deno.test("only the last thirty-two are kept", () => {
  const recent = new RecentCommands();
  for (let n = 0; n < 100; n++) recent.note(`c${n}`, n, 0, 1);
  const names = `${recent}`.split(", database 0)").map((text) => text.match(/c\d+/)?.[0]);
  assertEquals([names[0], names[31], names.length], ["c68", "c99", 33]);
});
Deno.test("noting a command allocates nothing", () => {
  const recent = new RecentCommands();
  assertEquals(bytesPerCall(() => recent.note("set", 7, 0, 1)), 0);
});
