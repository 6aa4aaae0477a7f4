import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { binaryBytes } from "../../src/protocol/args.ts";
import { ReplyError, TestServer } from "../support/harness.ts";

Deno.test("SORT orders numbers, or texts if asked, of lists, sets and sorted sets", () => {
  const server = new TestServer();
  server.run("RPUSH l 10 9 2 30 1.5");
  assertEquals(server.run("SORT l"), ["1.5", "2", "9", "10", "30"]);
  assertEquals(server.run("SORT l DESC LIMIT 1 2"), ["10", "9"]);
  assertEquals(server.run("SORT l ALPHA"), ["1.5", "10", "2", "30", "9"]);
  assertEquals(server.run("SORT l BY nosort"), ["10", "9", "2", "30", "1.5"]);
  assertEquals(server.run("SORT l BY nosort DESC LIMIT 1 2"), ["30", "2"]);
  server.run("SADD s 3 1 2");
  assertEquals(server.run("SORT s"), ["1", "2", "3"]);
  server.run("ZADD z 1 c 2 a 3 b");
  assertEquals(server.run("SORT z ALPHA"), ["a", "b", "c"]);
  assertEquals(server.run("SORT z BY nosort DESC"), ["b", "a", "c"]);
  assertEquals(server.run("SORT none"), []);
  server.call("RPUSH", "zeros", "3\0\0", "\0", " 2");
  assertEquals(server.run("SORT zeros"), ["\0", " 2", "3\0\0"]);
  server.run("RPUSH words x y");
  assertEquals(
    server.run("SORT words"),
    new ReplyError("ERR One or more scores can't be converted into double"),
  );
  server.run("SET text v");
  assertEquals(
    server.run("SORT text"),
    new ReplyError("WRONGTYPE Operation against a key holding the wrong kind of value"),
  );
});

Deno.test("SORT does what a sort of an array would, in both directions, with equal weights, and BY others", () => {
  const server = new TestServer();
  const number = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.double({ noNaN: true }))
    .map((value) => `${value}`.replace("Infinity", "inf"));
  const text = fc.array(fc.constantFrom("a", "b", "\0", "\xff"), { maxLength: 9 })
    .map((parts) => `same${parts.join("")}`);
  const compareTexts = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0;
  const valueOf = (text: string): number => Number(text.replace("inf", "Infinity"));
  const weight = (text: string): number => valueOf(text.slice(0, 2)) || 0;
  const call = (...words: string[]): unknown => server.call(...words.map(binaryBytes));
  const sorts = (elements: string[], compare: (a: string, b: string) => number, by: string[]) => {
    call("DEL", "l");
    if (elements.length > 0) call("RPUSH", "l", ...elements);
    const expected = elements.toSorted(compare);
    assertEquals(call("SORT", "l", ...by), expected);
    assertEquals(call("SORT", "l", "DESC", ...by), expected.toReversed());
    assertEquals(call("SORT", "l", "LIMIT", "2", "9", ...by), expected.slice(2, 11));
    assertEquals(call("SORT", "l", "STORE", "stored", ...by), expected.length);
    assertEquals(call("LRANGE", "stored", "0", "-1"), expected);
  };
  fc.assert(fc.property(fc.array(number), fc.array(text), (numbers, texts) => {
    sorts(numbers, (a, b) => valueOf(a) - valueOf(b) || compareTexts(a, b), []);
    sorts(numbers, compareTexts, ["ALPHA"]);
    sorts(texts, compareTexts, ["ALPHA"]);
    call("FLUSHALL");
    for (const one of numbers) call("SET", `weight_${one}`, `${weight(one)}`);
    const byWeight = (a: string, b: string): number => weight(a) - weight(b);
    sorts(numbers, (a, b) => byWeight(a, b) || compareTexts(a, b), ["BY", "weight_*"]);
  }));
});

Deno.test("BY and GET look other keys and fields up", () => {
  const server = new TestServer();
  server.run("RPUSH ids 1 2 3");
  server.run("MSET weight_1 30 weight_2 10 weight_3 20 name_1 one name_3 three");
  server.run("HSET object_1 w 1");
  server.run("HSET object_2 w 3");
  server.run("HSET object_3 w 2");
  assertEquals(server.run("SORT ids BY weight_*"), ["2", "3", "1"]);
  assertEquals(server.run("SORT ids BY object_*->w"), ["1", "3", "2"]);
  assertEquals(server.run("SORT ids BY weight_* GET # GET name_*"), [
    "2",
    null,
    "3",
    "three",
    "1",
    "one",
  ]);
  assertEquals(server.run("SORT ids GET object_*->w GET none"), ["1", null, "3", null, "2", null]);
});

Deno.test("STORE makes a list in the place of whatever was there; SORT_RO knows no STORE", () => {
  const server = new TestServer();
  server.run("SADD s 3 1 2");
  server.run("SET d x");
  assertEquals(server.run("SORT s STORE d"), 3);
  assertEquals(server.run("LRANGE d 0 -1"), ["1", "2", "3"]);
  assertEquals(server.run("OBJECT ENCODING d"), "listpack");
  assertEquals(server.run("SORT none STORE d"), 0);
  assertEquals(server.run("EXISTS d"), 0);
  assertEquals(server.run("SORT_RO s STORE d"), new ReplyError("ERR syntax error"));
  assertEquals(server.run("COMMAND GETKEYS SORT s BY w_* STORE d"), ["s", "d"]);
});
