import { assert, assertEquals } from "@std/assert";
import { ReplyError, TestServer } from "../support/harness.ts";

Deno.test("items are added once, and found", () => {
  const server = new TestServer();
  assertEquals([server.run("BF.ADD b one"), server.run("BF.ADD b one")], [1, 0]);
  assertEquals(server.run("BF.MADD b two three one"), [1, 1, 0]);
  assertEquals(server.run("BF.MEXISTS b one two none"), [1, 1, 0]);
  assertEquals([server.run("BF.EXISTS b three"), server.run("BF.EXISTS none one")], [1, 0]);
  assertEquals([server.run("BF.CARD b"), server.run("BF.CARD none")], [3, 0]);
  assertEquals([server.run("BFADD b four"), server.run("BFEXISTS b four")], [1, 1]);
});

Deno.test("a filter grows by its expansion, or refuses", () => {
  const server = new TestServer();
  assertEquals(server.run("BF.RESERVE b 0.01 2 EXPANSION 4"), "OK");
  server.run("BF.MADD b a b c d");
  assertEquals(server.run("BF.INFO b"), [
    ...["Capacity", 10, "Size", 624],
    ...["Number of filters", 2, "Number of items inserted", 4, "Expansion rate", 4],
  ]);
  assertEquals(server.run("BF.INFO b FILTERS"), [2]);
  server.run("BF.RESERVE fixed 0.01 2 NONSCALING");
  assertEquals(server.run("BF.MADD fixed a b c d"), [
    1,
    1,
    new ReplyError("ERR non scaling filter is full"),
  ]);
  assertEquals(server.run("BF.INFO fixed EXPANSION"), [null]);
});

Deno.test("RESP3 has booleans, and a map of facts", () => {
  const server = new TestServer();
  server.run("HELLO 3");
  assertEquals([server.run("BF.ADD b x"), server.run("BF.EXISTS b y")], [true, false]);
  assertEquals(server.run("BF.MEXISTS b x y"), [true, false]);
});

Deno.test("a filter is a key like others", () => {
  const server = new TestServer();
  server.run("BF.ADD b x");
  assertEquals(server.run("TYPE b"), "MBbloom--");
  assertEquals(server.run("SCAN 0 TYPE MBbloom--"), ["0", ["b"]]);
  assertEquals(server.run("OBJECT ENCODING b"), "raw");
  assert(Number(server.run("MEMORY USAGE b")) > 100);
  server.run("COPY b c");
  server.run("BF.ADD c y");
  assertEquals([server.run("BF.EXISTS b y"), server.run("BF.EXISTS c x")], [0, 1]);
  const [one, other] = ["b", "c"].map((key) => String(server.run(`DEBUG DIGEST-VALUE ${key}`)));
  assert(one !== other);
  assertEquals(server.run("RENAME c b"), "OK");
  assertEquals([server.run("BF.EXISTS b y"), server.run("DEL b")], [1, 1]);
});

Deno.test("commands on Bloom filters say what is wrong", () => {
  const server = new TestServer();
  server.run("SET s text");
  server.run("BF.ADD b x");
  for (
    const [line, text] of [
      ["BF.ADD s x", "WRONGTYPE Operation against a key holding the wrong kind of value"],
      ["GET b", "WRONGTYPE Operation against a key holding the wrong kind of value"],
      ["BF.RESERVE b 0.1 10", "ERR item exists"],
      ["BF.RESERVE c x 10", "ERR bad error rate"],
      ["BF.RESERVE c 1 10", "ERR (0 < error rate range < 1)"],
      ["BF.RESERVE c 0.1 x", "ERR bad capacity"],
      ["BF.RESERVE c 0.1 0", "ERR (capacity should be larger than 0)"],
      ["BF.RESERVE c 0.1 10 EXPANSION 0", "ERR bad expansion"],
      ["BF.RESERVE c 0.1 10 EXPANSION 2 NONSCALING", "ERR Nonscaling filters cannot expand"],
      ["BF.RESERVE c 0.0001 9007199254740991", "ERR could not create filter"],
      ["BF.INFO none", "ERR not found"],
      ["BF.INFO b COLOUR", "ERR Invalid information value"],
    ]
  ) assertEquals(server.run(line), new ReplyError(text), line);
});
Deno.test("BF.RESERVE refuses a rate that can't be halved", () => {
  const server = new TestServer();
  assertEquals(
    server.run("BF.RESERVE k 5e-324 100"),
    new ReplyError("ERR could not create filter"),
  );
  assertEquals(server.run("BF.RESERVE k 5e-324 100 NONSCALING"), "OK");
});
