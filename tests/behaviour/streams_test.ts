import { assert, assertEquals } from "@std/assert";
import { ReplyError, TestServer } from "../support/harness.ts";

/** Entries 1-0 a 1, 2-0 b 2, … */
function withStream(count: number): TestServer {
  const server = new TestServer();
  for (let i = 1; i <= count; i++) server.run(`XADD s ${i}-0 f ${i}`);
  return server;
}

function entry(number: number): [string, string[]] {
  return [`${number}-0`, ["f", `${number}`]];
}

Deno.test("entries are added in order, read in both directions, and deleted", () => {
  const server = withStream(3);
  assertEquals(server.run("XRANGE s - +"), [entry(1), entry(2), entry(3)]);
  assertEquals(server.run("XREVRANGE s + - COUNT 2"), [entry(3), entry(2)]);
  assertEquals(server.run("XRANGE s (1 2"), [entry(2)]);
  assertEquals(server.run("XDEL s 2-0 9-9"), 1);
  assertEquals([server.run("XLEN s"), server.run("XRANGE s 2 3")], [2, [entry(3)]]);
  assertEquals(server.run("XDEL s 1-0 3-0"), 2);
  assertEquals([server.run("EXISTS s"), server.run("TYPE s")], [1, "stream"]);
  assertEquals(server.run("OBJECT ENCODING s"), "stream");
});

Deno.test("an id is made from the clock, and never goes back", () => {
  const server = new TestServer();
  const first = String(server.run("XADD s * a 1"));
  assert(/^\d{13}-0$/.test(first), first);
  assertEquals(server.run("XADD s * a 1"), first.replace("-0", "-1"));
  assertEquals(server.run("XADD s 99999999999999-5 a 1"), "99999999999999-5");
  assertEquals(server.run("XADD s * a 1"), "99999999999999-6");
  assertEquals(server.run("XADD s 99999999999999-* a 1"), "99999999999999-7");
  assertEquals(server.run("XADD none NOMKSTREAM * a 1"), null);
  server.run("XADD last 18446744073709551615-18446744073709551615 a 1");
  assertEquals(
    server.run("XADD last * a 1"),
    new ReplyError("ERR The stream has exhausted the last possible ID, unable to add more items"),
  );
});

Deno.test("trimming is exact, or of whole nodes", () => {
  const server = withStream(250);
  assertEquals(server.run("XTRIM s MAXLEN ~ 10"), 200);
  assertEquals(server.run("XTRIM s MINID 240"), 39);
  assertEquals(server.run("XADD s MAXLEN 5 300-0 f 300"), "300-0");
  assertEquals(server.run("XRANGE s - + COUNT 1"), [entry(247)]);
  assertEquals(server.run("XTRIM s MAXLEN 0"), 5);
});

Deno.test("node sizes follow the configuration", () => {
  const server = new TestServer();
  server.run("CONFIG SET stream-node-max-entries 3");
  for (let i = 1; i <= 7; i++) server.run(`XADD s ${i} f ${i}`);
  assertEquals(server.run("XTRIM s MAXLEN ~ 1"), 6);
  server.run("CONFIG SET stream-node-max-bytes 1");
  for (let i = 8; i <= 9; i++) server.run(`XADD s ${i} f ${i}`);
  assertEquals(server.run("XTRIM s MAXLEN ~ 1"), 2);
});

Deno.test("XREAD waits for what comes after the id it was given", () => {
  const server = withStream(2);
  assertEquals(server.run("XREAD COUNT 1 STREAMS s none 0 0"), [["s", [entry(1)]]]);
  assertEquals(server.run("XREAD STREAMS s 2"), null);
  const client = server.client();
  client.run("XREAD BLOCK 0 STREAMS none s $ $");
  server.run("XADD s 3-0 f 3");
  assertEquals(client.read(), [["s", [entry(3)]]]);
  client.run("HELLO 3");
  client.run("XREAD BLOCK 100 STREAMS s 2");
  assertEquals(client.run("XREAD BLOCK 100 STREAMS s $"), undefined);
  server.advance(101);
  assertEquals(client.read(), null);
});

Deno.test("a group's consumers get every entry once, until they acknowledge it", () => {
  const server = withStream(3);
  assertEquals(server.run("XGROUP CREATE s g 0"), "OK");
  assertEquals(server.run("XREADGROUP GROUP g ann COUNT 2 STREAMS s >"), [["s", [
    entry(1),
    entry(2),
  ]]]);
  assertEquals(server.run("XREADGROUP GROUP g bob STREAMS s >"), [["s", [entry(3)]]]);
  assertEquals(server.run("XREADGROUP GROUP g bob STREAMS s >"), null);
  assertEquals(server.run("XPENDING s g"), [3, "1-0", "3-0", [["ann", "2"], ["bob", "1"]]]);
  assertEquals(server.run("XACK s g 1-0 1-0 3-0"), 2);
  server.run("XDEL s 2-0");
  assertEquals(server.run("XREADGROUP GROUP g ann STREAMS s 0"), [["s", [["2-0", null]]]]);
  assertEquals(server.run("XGROUP DELCONSUMER s g ann"), 1);
  assertEquals(server.run("XPENDING s g"), [0, null, null, null]);
});

Deno.test("old entries can be claimed by another consumer", () => {
  const server = withStream(3);
  server.run("XGROUP CREATE s g 0");
  server.run("XREADGROUP GROUP g ann STREAMS s >");
  server.advance(1000);
  assertEquals(server.run("XCLAIM s g bob 2000 1-0"), []);
  assertEquals(server.run("XCLAIM s g bob 1000 1-0"), [entry(1)]);
  server.run("XDEL s 2-0");
  assertEquals(server.run("XAUTOCLAIM s g bob 1000 0"), ["0-0", [entry(3)], ["2-0"]]);
  assertEquals(server.run("XPENDING s g - + 9"), [["1-0", "bob", 0, 2], ["3-0", "bob", 0, 2]]);
  assertEquals(server.run("XPENDING s g IDLE 1 - + 9"), []);
  assertEquals(server.run("XAUTOCLAIM s g cid 0 0 COUNT 1 JUSTID"), ["3-0", ["1-0"], []]);
});

Deno.test("what is pending is shown and claimed over many nodes, without what was deleted", () => {
  const server = withStream(250);
  server.run("XGROUP CREATE s g 0");
  server.run("XREADGROUP GROUP g ann STREAMS s >");
  const isDeleted = (n: number): boolean => n % 7 === 0 || (n > 90 && n < 215);
  const numbers = Array.from({ length: 250 }, (_, i) => i + 1);
  for (const n of numbers.filter(isDeleted)) server.run(`XDEL s ${n}-0`);
  const history = numbers.map((n) => isDeleted(n) ? [`${n}-0`, null] : entry(n));
  assertEquals(server.run("XREADGROUP GROUP g ann STREAMS s 0"), [["s", history]]);
  assertEquals(server.run("XREADGROUP GROUP g ann COUNT 2 STREAMS s 88-0"), [
    ["s", [entry(89), entry(90)]],
  ]);
  const gone = numbers.filter(isDeleted).map((n) => `${n}-0`);
  const left = numbers.filter((n) => !isDeleted(n));
  assertEquals(server.run("XAUTOCLAIM s g bob 0 0 COUNT 1000"), ["0-0", left.map(entry), gone]);
  const ids = left.map((n) => `${n}-0`);
  assertEquals(server.run("XAUTOCLAIM s g cid 0 9-0 COUNT 1000 JUSTID"), ["0-0", ids.slice(7), []]);
});

Deno.test("a client that waits for a group hears of its end", () => {
  const server = withStream(1);
  server.run("XGROUP CREATE s g $");
  const client = server.client();
  client.run("XREADGROUP GROUP g ann BLOCK 0 STREAMS s >");
  server.run("XADD s 2-0 f 2");
  assertEquals(client.read(), [["s", [entry(2)]]]);
  client.run("XREADGROUP GROUP g ann BLOCK 0 STREAMS s >");
  server.run("DEL s");
  const gone = "NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option";
  assertEquals(client.read(), new ReplyError(gone));
});

Deno.test("XINFO counts what a group has still to read", () => {
  const server = withStream(3);
  server.run("XGROUP CREATE s g 0");
  server.run("XREADGROUP GROUP g ann COUNT 1 STREAMS s >");
  assertEquals(server.run("XINFO GROUPS s"), [[
    ...["name", "g", "consumers", 1, "pending", 1],
    ...["last-delivered-id", "1-0", "entries-read", 1, "lag", 2],
  ]]);
  server.run("XDEL s 2-0");
  assertEquals((server.run("XINFO GROUPS s") as unknown[][])[0].at(-1), null);
  assertEquals((server.run("XINFO STREAM s") as unknown[]).slice(0, 2), ["length", 2]);
});

/** The reply as text, with spaces between its parts. */
function replyText(server: TestServer, line: string): string {
  return server.raw(line).replaceAll("\r\n", " ").trim();
}

Deno.test("deliveries are counted in 64 bits, and shown to the last digit", () => {
  const server = withStream(1);
  server.run("XGROUP CREATE s g 0");
  server.run("XREADGROUP GROUP g c STREAMS s >");
  const deliveries = (): string | undefined =>
    replyText(server, "XPENDING s g - + 9").split(" ").at(-1);
  for (const count of ["1000000000000000000", "9007199254740993", "9223372036854775807"]) {
    server.run(`XCLAIM s g c 0 1-0 RETRYCOUNT ${count} JUSTID`);
    assertEquals(deliveries(), `:${count}`);
    server.run("COPY s t REPLACE");
    assertEquals(replyText(server, "XINFO STREAM t FULL").split(`:${count}`).length, 3);
  }
  server.run("XREADGROUP GROUP g c STREAMS s 0");
  assertEquals(deliveries(), ":-9223372036854775808");
  server.run("XCLAIM s g c 0 1-0 RETRYCOUNT -7 JUSTID");
  assertEquals(deliveries(), ":-9223372036854775808");
});

Deno.test("entries that were added and read are counted in 64 bits", () => {
  const server = withStream(2);
  server.run("XGROUP CREATE s g 1-0 ENTRIESREAD 9007199254740993");
  server.run("XSETID s 2-0 ENTRIESADDED 9223372036854775807");
  const progress = (): string => replyText(server, "XINFO GROUPS s").replace(/.*entries-read/, "");
  assertEquals(progress(), " :9007199254740993 $3 lag :9214364837600034814");
  server.run("XREADGROUP GROUP g c STREAMS s >");
  assertEquals(progress(), " :9007199254740994 $3 lag :9214364837600034813");
  server.run("XADD s 3-0 a 1");
  assertEquals(progress(), " :9007199254740994 $3 lag :9214364837600034814");
  assertEquals(
    /entries-added :(\S+)/.exec(replyText(server, "XINFO STREAM s"))?.[1],
    "-9223372036854775808",
  );
});

Deno.test("a copy of a stream has its groups, and lives on its own", () => {
  const server = withStream(3);
  server.run("XGROUP CREATE s g 0");
  server.run("XREADGROUP GROUP g ann STREAMS s >");
  server.run("COPY s t");
  server.run("DEL s");
  assertEquals(server.run("XPENDING t g"), [3, "1-0", "3-0", [["ann", "3"]]]);
  assertEquals(server.run("XREADGROUP GROUP g ann STREAMS t 2"), [["t", [entry(3)]]]);
});

Deno.test("commands on streams say what is wrong", () => {
  const server = withStream(1);
  server.run("XGROUP CREATE s g 0");
  server.run("SET k v");
  for (
    const [line, text] of [
      ["XADD k * a 1", "WRONGTYPE Operation against a key holding the wrong kind of value"],
      ["XADD s 0-0 a 1", "ERR The ID specified in XADD must be greater than 0-0"],
      ["XADD s * a", "ERR wrong number of arguments for 'xadd' command"],
      ["XADD s MAXLEN -1 * a 1", "ERR The MAXLEN argument must be >= 0."],
      [
        "XTRIM s LIMIT 1",
        "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
      ],
      [
        "XRANGE s (18446744073709551615-18446744073709551615 +",
        "ERR invalid start ID for the interval",
      ],
      [
        "XREAD STREAMS s t 0",
        "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.",
      ],
      ["XREADGROUP STREAMS s >", "ERR wrong number of arguments for 'xreadgroup' command"],
      ["XGROUP CREATE s g 0", "BUSYGROUP Consumer Group name already exists"],
      ["XGROUP SETID s none 0", "NOGROUP No such consumer group 'none' for key name 's'"],
      ["XSETID none 1-1", "ERR no such key"],
      [
        "XINFO STREAM s FULL COUNT",
        "ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.",
      ],
      ["XCLAIM s g ann 0 1-0 SOON", "ERR Unrecognized XCLAIM option 'SOON'"],
    ]
  ) assertEquals(server.run(line), new ReplyError(text), line);
});
