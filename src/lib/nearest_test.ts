import { assertEquals } from "@std/assert";
import { nearest } from "./nearest.ts";

Deno.test("nearest() finds the word that was mistyped, and none for a word of its own", () => {
  const words = ["port", "save", "maxmemory", "check-rdb", "check-aof"];
  const cases: [string, string | null][] = [
    ["prot", "port"],
    ["prt", "port"],
    ["check-rbd", "check-rdb"],
    ["checkrdb", "check-rdb"],
    ["max-memory", "maxmemory"],
    ["maxmemroy", "maxmemory"],
    ["port", "port"],
    ["start", null],
    ["x", null],
    ["", null],
  ];
  for (const [word, expected] of cases) assertEquals(nearest(word, words), expected, word);
});
