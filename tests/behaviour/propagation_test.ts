/**
 * What goes to the append-only file and to replicas, word for word as redis-server 7.2.6 sends it.
 *
 * Two things differ, with the same effect: XADD and XTRIM `MINID ~` name the first entry that is left, where Redis names
 * the first of its node, deleted or not; and DEBUG POPULATE is propagated, so that a log has all keys.
 */
import { assertEquals } from "@std/assert";
import { binaryText } from "../../src/protocol/args.ts";
import { TestServer } from "../support/harness.ts";

/** A server, and what it has propagated since it was asked last: words with blanks between them. */
function listened(): { server: TestServer; heard: () => string } {
  const server = new TestServer();
  const { propagation } = server.engine;
  let stream = "";
  propagation.addTaker({ take: (bytes, end) => stream += binaryText(bytes, 0, end) });
  const heard = (): string => {
    propagation.flush();
    const words = stream.replaceAll(/[*$]\d+\r\n/g, "").replaceAll("\r\n", " ").trimEnd();
    stream = "";
    return words.replace("SELECT 0 ", "");
  };
  return { server, heard };
}

/** The clock stands still. */
const NOW = 1_700_000_000_000;

/** Commands in order, and what each is propagated as; "": as it is. */
const PROPAGATED: readonly (readonly [line: string, stream: string | null])[] = [
  ["set a 1 xx get", null],
  ["set a 1 get", "set a 1"],
  ["set a 1 GET xx get", "set a 1 xx"],
  ["set a 1 keepttl get", "set a 1 keepttl"],
  ["set a 1 ex 100 get", `SET a 1 PXAT ${NOW + 100_000}`],
  ["set a 1 pxat 2000000000000 get", ""],
  ["setex a 100 v", `SET a v PXAT ${NOW + 100_000}`],
  ["getset a w", "SET a w"],
  ["expire a 100 nx", `PEXPIREAT a ${NOW + 100_000} nx`],
  ["expire a 200 XX gt", `PEXPIREAT a ${NOW + 200_000} XX gt`],
  ["pexpire a 100000 LT", `PEXPIREAT a ${NOW + 100_000} LT`],
  ["expire a 200 LT", null],
  ["expireat a 2000000000 GT", "PEXPIREAT a 2000000000000 GT"],
  ["pexpireat a 2000000000001 GT", ""],
  ["getex a ex 100", `PEXPIREAT a ${NOW + 100_000}`],
  ["expire a -1 xx", "DEL a"],
  [
    "geoadd g nx ch 13.361389 38.115556 Palermo 15.087269 37.502669 Catania",
    "zadd g nx ch 3479099956230698 Palermo 3479447370796909 Catania",
  ],
  ["geoadd g 13.361389 38.115556 Palermo", null],
  ["xadd s 1-1 a 1", ""],
  ["xadd s 1-* a 1", "xadd s 1-2 a 1"],
  ["xadd s 2 a 1", ""],
  ["xadd s nomkstream * a 1", `xadd s nomkstream ${NOW}-0 a 1`],
  ["xadd s maxlen 3 1700000000001-1 a 1", ""],
  ["xadd s maxlen = 4 1700000000002-1 a 1", ""],
  ["xadd s maxlen ~ 1 1700000000003-1 a 1", "xadd s maxlen = 5 1700000000003-1 a 1"],
  [
    "xadd s maxlen ~ 1 limit 10 1700000000004-1 a 1",
    "xadd s maxlen = 6 limit 10 1700000000004-1 a 1",
  ],
  ["xadd s minid 1 1700000000005-1 a 1", ""],
  ["xadd s minid ~ 1 1700000000006-* a 1", "xadd s minid = 2-0 1700000000006-0 a 1"],
  ["xtrim s maxlen ~ 1", null],
  ["xtrim s minid 1700000000005", ""],
  ["xtrim s maxlen 2", null],
  ["xtrim s maxlen 1", ""],
  ["config set stream-node-max-entries 1", null],
  ["xadd t 1-1 a 1", ""],
  ["xadd t 2-1 a 1", ""],
  ["xadd t 3-1 a 1", ""],
  ["xtrim t minid ~ 2 limit 1", "xtrim t minid = 2-1 limit 1"],
  [
    "xadd t minid ~ 9 4-1 a 1",
    "xadd t minid = 18446744073709551615-18446744073709551615 4-1 a 1",
  ],
  ["xadd t 5-1 a 1", ""],
  ["xadd t 6-1 a 1", ""],
  ["xadd t 7-1 a 1", ""],
  ["xgroup create t g 0", ""],
  [
    "xreadgroup group g c count 2 streams t >",
    `MULTI XCLAIM t g c 0 5-1 TIME ${NOW} RETRYCOUNT 1 FORCE JUSTID LASTID 5-1 ` +
    `XCLAIM t g c 0 6-1 TIME ${NOW} RETRYCOUNT 1 FORCE JUSTID LASTID 6-1 EXEC`,
  ],
  ["xdel t 5-1", ""],
  // Its entry was deleted: the log says who had it, and who runs this finds that out.
  [
    "xclaim t g d 0 5-1",
    `XCLAIM t g c 0 5-1 TIME ${NOW} RETRYCOUNT 1 FORCE JUSTID LASTID 6-1`,
  ],
  [
    "xclaim t g d 0 6-1 lastid 7-1",
    `XCLAIM t g d 0 6-1 TIME ${NOW} RETRYCOUNT 2 FORCE JUSTID LASTID 7-1`,
  ],
  ["xclaim t g d 0 7-1 lastid 8-1", "XGROUP SETID t g 8-1 ENTRIESREAD 6"],
  ["xdel t 6-1", ""],
  [
    "xautoclaim t g e 0 0",
    `XCLAIM t g d 0 6-1 TIME ${NOW} RETRYCOUNT 2 FORCE JUSTID LASTID 8-1`,
  ],
];

Deno.test("commands are propagated in Redis's words", () => {
  const { server, heard } = listened();
  for (const [line, stream] of PROPAGATED) {
    server.run(line);
    assertEquals([line, heard()], [line, stream === "" ? line : stream ?? ""]);
  }
});

Deno.test("what was propagated gives the same data", () => {
  const { server, heard } = listened();
  const other = new TestServer({ clock: server.clock });
  const replica = other.client();
  // A replica trusts its master: see Client.isReplay.
  replica.client.isReplay = true;
  for (const [line] of PROPAGATED) {
    server.run(line);
    const words = heard();
    if (words.startsWith("MULTI ")) {
      for (const part of words.split(/ (?=XCLAIM|EXEC)/)) replica.run(part);
    } else if (words !== "") replica.run(words);
    assertEquals([line, other.run("DEBUG DIGEST")], [line, server.run("DEBUG DIGEST")]);
  }
  assertEquals(other.run("XPENDING t g"), server.run("XPENDING t g"));
});

Deno.test("FLUSHALL and SWAPDB do not remove watched keys that have expired", () => {
  const { server, heard } = listened();
  server.run("DEBUG SET-ACTIVE-EXPIRE 0");
  for (const line of ["FLUSHALL", "SWAPDB 0 1"]) {
    server.run("WATCH k");
    server.run("SET k v PXAT 10");
    heard();
    server.run(line);
    assertEquals(heard(), line);
    server.run("UNWATCH");
    server.run("FLUSHALL");
  }
});

/** What becomes of a watch of `k` if it was missing or expired before, and `line` runs. */
function execAfter(before: string, lines: readonly string[]): unknown {
  const server = new TestServer();
  server.run("DEBUG SET-ACTIVE-EXPIRE 0");
  const other = server.client();
  if (before !== "") other.run(before);
  server.run("WATCH k");
  for (const line of lines) other.run(line);
  server.run("MULTI");
  server.run("PING");
  return server.run("EXEC");
}

Deno.test("a key that is missing before and after FLUSHALL or SWAPDB breaks no watch, expired or not", () => {
  const ran = ["PONG"];
  assertEquals(execAfter("SET k v PXAT 10", ["FLUSHALL"]), ran);
  assertEquals(execAfter("SET k v PXAT 10", ["SWAPDB 0 1"]), ran);
  const expired = ["SELECT 1", "SET k v PXAT 10"];
  assertEquals(execAfter("", [...expired, "SWAPDB 0 1"]), ran);
  assertEquals(execAfter("SET k v PXAT 10", [...expired, "SWAPDB 0 1"]), ran);
  const live = ["SELECT 1", "SET k v"];
  assertEquals(execAfter("", [...live, "SWAPDB 0 1"]), null);
  assertEquals(execAfter("SET k v PXAT 10", [...live, "SWAPDB 0 1"]), null);
  assertEquals(execAfter("SET k v", ["FLUSHALL"]), null);
});

Deno.test("BITFIELD that makes a string longer is propagated, even if all of its operations fail", () => {
  const { server, heard } = listened();
  const line = "BITFIELD k OVERFLOW FAIL INCRBY u8 0 256";
  assertEquals([server.run(line), server.run("STRLEN k"), heard()], [[null], 1, line]);
  assertEquals([server.run(line), heard()], [[null], ""]);
});
