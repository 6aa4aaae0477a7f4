import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { bytesPerCall } from "../../src/lib/alloc.ts";
import { argsOf, binaryBytes } from "../../src/protocol/args.ts";
import { ReplyError, TestServer } from "../support/harness.ts";

Deno.test("GETRANGE counts negative offsets from the end", () => {
  const server = new TestServer();
  server.run("SET k 'This is a string'");
  assertEquals(server.run("GETRANGE k -3 -1"), "ing");
});
Deno.test("SET keeps values of every size, across inline, raw and large strings", () => {
  const server = new TestServer();
  for (const size of [0, 1, 7, 44, 45, 100, 1000, 65_000, 65_535, 66_600, 1_000_000]) {
    const value = "x".repeat(size);
    server.call("SET", "k", value);
    assertEquals(server.run("STRLEN k"), size);
    assertEquals(server.run("GET k"), value);
    server.run("APPEND k tail");
    assertEquals(server.run("GET k"), `${value}tail`);
  }
  server.run("DEL k");
  assertEquals(server.engine.keyspace.entries.usedBytes, 0);
});
Deno.test("keys of every size are found again", () => {
  const server = new TestServer();
  const sizes = [0, 1, 100, 254, 255, 256, 1000, 32_768, 32_769, 200_000];
  for (const size of sizes) server.call("SET", "k".repeat(size), `${size}`);
  for (const size of sizes) assertEquals(server.call("GET", "k".repeat(size)), `${size}`);
  assertEquals(server.run("DBSIZE"), sizes.length);
  for (const size of sizes) assertEquals(server.call("DEL", "k".repeat(size)), 1);
  assertEquals(server.engine.keyspace.entries.usedBytes, 0);
});
Deno.test("INCR is exact over the whole signed 64 bits", () => {
  const server = new TestServer();
  server.run("SET n 9223372036854775806");
  assertEquals(server.run("INCR n"), 9223372036854775807n);
  assertEquals(
    server.run("INCR n"),
    new ReplyError("ERR increment or decrement would overflow"),
  );
});
Deno.test("SETRANGE and SETBIT fill with zero bytes", () => {
  const server = new TestServer();
  server.run("SETRANGE k 3 x");
  assertEquals(server.run("GET k"), "\0\0\0x");
  server.run("SET k abc");
  server.run("SETBIT k 47 1");
  assertEquals(server.run("GET k"), "abc\0\0\x01");
});
Deno.test("SET of another size leaves no garbage in the arena", () => {
  const server = new TestServer();
  for (let i = 0; i < 500; i++) server.call("SET", "k", "x".repeat((i * 7919) % 70_000));
  server.run("DEL k");
  assertEquals(server.engine.keyspace.entries.usedBytes, 0);
});

/** Lengths, subsequence and runs as the usual table of lengths gives them, each run as [[from, to], [from, to], length]. */
function plainLcs(a: string, b: string): { length: number; text: string; runs: unknown[] } {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      table[i][j] = a[i - 1] === b[j - 1]
        ? table[i - 1][j - 1] + 1
        : Math.max(table[i - 1][j], table[i][j - 1]);
    }
  }
  const runs: [[number, number], [number, number], number][] = [];
  let text = "";
  let i = a.length;
  let j = b.length;
  while (i > 0 && j > 0) {
    if (a[i - 1] === b[j - 1]) {
      i--;
      j--;
      text = a[i] + text;
      const last = runs.at(-1);
      if (last !== undefined && last[0][0] === i + 1 && last[1][0] === j + 1) {
        runs[runs.length - 1] = [[i, last[0][1]], [j, last[1][1]], last[2] + 1];
      } else runs.push([[i, i], [j, j], 1]);
    } else if (table[i - 1][j] > table[i][j - 1]) i--;
    else j--;
  }
  return { length: table[a.length][b.length], text, runs };
}

Deno.test("LCS finds what the usual table of lengths does", () => {
  const server = new TestServer();
  const text = fc.array(fc.constantFrom("a", "b", "c", "\xff"), { maxLength: 150 })
    .map((parts) => parts.join(""));
  fc.assert(fc.property(text, text, (a, b) => {
    server.call("SET", "a", binaryBytes(a));
    server.call("SET", "b", binaryBytes(b));
    const { length, text, runs } = plainLcs(a, b);
    assertEquals(server.run("LCS a b LEN"), length);
    assertEquals(server.run("LCS a b"), text);
    assertEquals(server.run("LCS a b IDX WITHMATCHLEN"), ["matches", runs, "len", length]);
  }));
});

Deno.test("LCS refuses what would take more than proto-max-bulk-len at four bytes a cell", () => {
  const server = new TestServer();
  const refusal = "Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len";
  const answer = (length: number): unknown => {
    server.call("SET", "a", "x".repeat(length));
    server.call("SET", "b", "y".repeat(length));
    const reply = server.run("LCS a b LEN");
    return reply instanceof ReplyError ? reply.message : reply;
  };
  assertEquals(answer(11_584), 0);
  assertEquals(answer(11_585), `ERR ${refusal}`);
  server.run("CONFIG SET proto-max-bulk-len 1mb");
  assertEquals(answer(511), 0);
  assertEquals(answer(512), `ERR ${refusal}`);
});

for (
  const line of [
    ...["GET key:1", "SET key:1 some-value-of-32-bytes-length--", "INCR counter", "PING"],
    ...["PTTL key:1", "ZADD z 1 b", "XRANGE x 1-1 2-1", "ZRANGEBYSCORE z (1 +inf"],
  ]
) {
  Deno.test(`${line} allocates nothing from dispatch to reply`, () => {
    const server = new TestServer();
    server.run("SET key:1 some-value-of-32-bytes-length--");
    server.run("ZADD z 1 a 2 b");
    server.run("XADD x 1-1 f v");
    const { client } = server.client();
    const args = argsOf(...line.split(" "));
    client.args.referTo(args, 0, args.count - 1);
    server.evaluator.beginBatch(client);
    const work = (): void => {
      server.evaluator.execute(client);
      client.reply.rewind(0);
    };
    // The clock is read once a run of 64 commands, which costs one boxed number.
    assert(bytesPerCall(work) < 1);
  });
}
Deno.test("results of INCRBYFLOAT and BITOP are not stored as integers", () => {
  const server = new TestServer();
  const encodingAfter = (line: string): string => {
    server.run("SET k 10");
    assertEquals(server.run(line) instanceof ReplyError, false, line);
    return String(server.run("OBJECT ENCODING k"));
  };
  assertEquals(encodingAfter("INCRBYFLOAT k 0"), "embstr");
  assertEquals(encodingAfter("INCRBYFLOAT k 1.5"), "embstr");
  assertEquals(encodingAfter("INCRBYFLOAT k 1e60"), "raw");
  assertEquals(encodingAfter("BITOP AND k k"), "raw");
  assertEquals(encodingAfter("BITOP NOT k k"), "raw");
  assertEquals(encodingAfter("INCR k"), "int");
  server.run("BITOP OR k k");
  assertEquals(server.run("INCR k"), 12);
  assertEquals(server.run("OBJECT ENCODING k"), "int");
});
Deno.test("BITFIELD's #n keeps the lowest 64 bits of the offset, as Redis does", () => {
  const server = new TestServer();
  server.run("SET k abc");
  assertEquals(server.run("BITFIELD k GET u8 #2305843009213693953"), [98]);
  assertEquals(server.run("BITFIELD k GET u8 #-9223372036854775808"), [97]);
  const failure = new ReplyError("ERR bit offset is not an integer or out of range");
  for (const offset of ["#1152921504606846975", "#9223372036854775808", "#-1", "-0", "01"]) {
    assertEquals(server.run(`BITFIELD k GET u8 ${offset}`), failure, offset);
  }
});
