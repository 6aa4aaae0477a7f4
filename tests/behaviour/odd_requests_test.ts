/**
 * Requests with mistakes, and numbers at their limits, where Redis 7.2 answers otherwise than 7.0: each line with the
 * reply of redis-server 7.2.6. What both answer alike is in tests/differential/sessions.ts.
 */
import { assertEquals } from "@std/assert";
import { type Reply, ReplyError, TestServer } from "../support/harness.ts";

const NOT_AN_INTEGER = "-ERR value is not an integer or out of range";
const SYNTAX = "-ERR syntax error";
const WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value";

/** Runs each line and compares its reply; a text that begins with a minus stands for an error. */
function answers(lines: readonly [string, Reply][], ...setUp: string[]): void {
  const server = new TestServer();
  for (const line of ["SET s abc", "RPUSH l a b", "XADD x 1-1 f v", ...setUp]) server.run(line);
  for (const [line, expected] of lines) {
    const reply = server.run(line);
    assertEquals(reply instanceof ReplyError ? `-${reply.message}` : reply, expected, line);
  }
}

Deno.test("BITCOUNT and BITPOS look at the key before they read a range", () => {
  answers([
    ["BITCOUNT none x", 0],
    ["BITCOUNT none 0 1 BIT x", 0],
    ["BITCOUNT l x", WRONG_TYPE],
    ["BITCOUNT s x", SYNTAX],
    ["BITCOUNT s x 1 FOO", NOT_AN_INTEGER],
    ["BITCOUNT s 0 1 FOO", SYNTAX],
    ["BITPOS none 2", "-ERR The bit argument must be 1 or 0."],
    ["BITPOS none 1 x y z", -1],
    ["BITPOS none 0 x", 0],
    ["BITPOS l 1 x", WRONG_TYPE],
    ["BITPOS s 1 x 1 FOO", NOT_AN_INTEGER],
  ]);
});
Deno.test("GETEX reads its time only if there is a string", () => {
  answers([
    ["GETEX none EX 0", null],
    ["GETEX none PXAT abc", null],
    ["GETEX none FOO", SYNTAX],
    ["GETEX l EX 0", WRONG_TYPE],
    ["GETEX s EX 0", "-ERR invalid expire time in 'getex' command"],
    ["GETEX s EX 10 EX 20", "abc"],
    ["TTL s", 20],
  ]);
});
Deno.test("an option of SET may come twice, and the last time counts", () => {
  answers([
    ["SET s v EX 10 EX 20", "OK"],
    ["TTL s", 20],
    ["SET s v KEEPTTL NX NX KEEPTTL GET GET", "v"],
    ["SET s v EX 10 PX 20", SYNTAX],
    ["SET s v EX 10 KEEPTTL", SYNTAX],
  ]);
});
Deno.test("XGROUP refuses unknown options as a wrong number of arguments", () => {
  const refused = (name: string): string =>
    `-ERR unknown subcommand or wrong number of arguments for '${name}'. Try XGROUP HELP.`;
  answers([
    ["XGROUP CREATE x g $ FOO", refused("CREATE")],
    ["XGROUP create x g $ ENTRIESREAD", refused("create")],
    ["XGROUP CREATE x g $ ENTRIESREAD 1 MKSTREAM MKSTREAM", refused("CREATE")],
    ["XGROUP CREATE x g $ ENTRIESREAD x FOO", NOT_AN_INTEGER],
    ["XGROUP CREATE s g $ ENTRIESREAD 1 ENTRIESREAD 2", WRONG_TYPE],
    ["XGROUP CREATE x g $ MKSTREAM MKSTREAM MKSTREAM", "OK"],
    ["XGROUP SETID x g $ ENTRIESREAD 1 ENTRIESREAD 2", refused("SETID")],
    ["XGROUP SETID x g $ MKSTREAM", refused("SETID")],
  ]);
});
Deno.test("XINFO STREAM looks at the key before its options", () => {
  answers([
    ["XINFO STREAM none FOO", "-ERR no such key"],
    ["XINFO STREAM s FULL COUNT x", WRONG_TYPE],
    ["XINFO STREAM x FULL COUNT x", NOT_AN_INTEGER],
  ]);
});
Deno.test("XPENDING reads IDLE first and lets further words pass", () => {
  answers([
    ["XPENDING x g IDLE x - +", NOT_AN_INTEGER],
    ["XPENDING x g IDLE 1 - +", SYNTAX],
    ["XPENDING x g - + 10 ann FOO BAR", []],
    ["XPENDING x g IDLE", SYNTAX],
  ], "XGROUP CREATE x g 0");
});
Deno.test("LMPOP, ZMPOP and their blocking forms read COUNT before the number of options, the timeout last", () => {
  const count = "-ERR count should be greater than 0";
  answers([
    ["LMPOP 1 l LEFT COUNT nan 1", count],
    ["LMPOP 1 l LEFT COUNT 1 COUNT 2", SYNTAX],
    ["ZMPOP 1 z MIN COUNT 0 1", count],
    ["BLMPOP abc 1 l LEFT COUNT 0", count],
    ["BLMPOP -1 0 l LEFT", "-ERR numkeys should be greater than 0"],
    ["BZMPOP abc 1 z FOO", SYNTAX],
    ["BZMPOP abc 1 z MIN", "-ERR timeout is not a float or out of range"],
    ["BLMPOP -1 1 l LEFT", "-ERR timeout is negative"],
  ]);
});
Deno.test("a timeout that is too large for a double is out of range", () => {
  const outOfRange = "-ERR timeout is out of range";
  answers([["BLPOP none 1e400", outOfRange], ["BLPOP none inf", outOfRange]]);
});
Deno.test("BITCOUNT reads the unit last, BITPOS before the end", () => {
  answers([
    ["BITCOUNT s -1 -2 FOO", 0],
    ["BITCOUNT s 0 x FOO", NOT_AN_INTEGER],
    ["BITPOS s 1 0 x FOO", SYNTAX],
    ["BITPOS s 1 x x FOO", NOT_AN_INTEGER],
  ]);
});
Deno.test("GEOSEARCH takes the last of several centres and shapes, if they are given in the same way", () => {
  answers([
    ["GEOSEARCH g FROMMEMBER b FROMMEMBER a BYRADIUS 500 km BYRADIUS 1 km", ["a"]],
    ["GEOSEARCH g FROMLONLAT 13 38 FROMLONLAT x 38 BYRADIUS", "-ERR value is not a valid float"],
    ["GEOSEARCH g FROMMEMBER a FROMLONLAT 13 38 BYRADIUS 1 km", SYNTAX],
    ["GEOSEARCH g FROMMEMBER a BYBOX 1 1 km BYRADIUS 1 km", SYNTAX],
    ["GEOADD g XX CH CH", SYNTAX],
  ], "GEOADD g 13.361389 38.115556 a 15.087269 37.502669 b");
});
Deno.test("ZSCAN writes the scores of a large set with seventeen digits", () => {
  answers([
    ["ZSCAN z 0", ["0", ["m", "0.1"]]],
    ["CONFIG SET zset-max-listpack-entries 0", "OK"],
    ["ZADD large 0.1 m", 1],
    ["ZSCAN large 0", ["0", ["m", "0.10000000000000001"]]],
    ["ZADD large 1e20 m", 0],
    ["ZSCAN large 0", ["0", ["m", "1e+20"]]],
  ], "ZADD z 0.1 m");
});
Deno.test("a timeout may be as long as 64 bits hold when the present time is added", () => {
  const outOfRange = "-ERR timeout is out of range";
  answers([
    ["MULTI", "OK"],
    ["XREAD BLOCK 9223370336854775807 STREAMS none 1", "QUEUED"],
    ["XREAD BLOCK 9223370336854775808 STREAMS none 1", "QUEUED"],
    ["EXEC", [null, new ReplyError("ERR timeout is out of range")]],
    ["CLIENT PAUSE 9223370336854775808", outOfRange],
    ["CLIENT PAUSE x FOO", "-ERR CLIENT PAUSE mode must be WRITE or ALL"],
  ]);
});
Deno.test("COPY checks each option completely before the next one", () => {
  answers([
    ["COPY s t DB -1 FOO", "-ERR DB index is out of range"],
    ["COPY s t DB x DB -1", NOT_AN_INTEGER],
    ["COPY s t DB 99 DB 1", "-ERR DB index is out of range"],
    ["COPY s t DB 1 DB 0 REPLACE REPLACE", 1],
  ]);
});
Deno.test("CLIENT UNBLOCK reads its reason before the id", () => {
  answers([
    ["CLIENT UNBLOCK x FOO", "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"],
    ["CLIENT UNBLOCK x TIMEOUT", NOT_AN_INTEGER],
    [
      "CLIENT UNBLOCK 1 TIMEOUT x",
      "-ERR unknown subcommand or wrong number of arguments for 'UNBLOCK'. Try CLIENT HELP.",
    ],
  ]);
});
Deno.test("XAUTOCLAIM refuses a COUNT whose ids no memory holds", () => {
  answers([
    ["XAUTOCLAIM x g c 0 0 COUNT 576460752303423488", "-ERR COUNT must be > 0"],
    [
      "XAUTOCLAIM x g c 0 0 COUNT 576460752303423487",
      "-ERR Insufficient memory, failed allocating transient memory, COUNT too high.",
    ],
  ], "XGROUP CREATE x g 0");
});
Deno.test("HRANDFIELD and ZRANDMEMBER count pairs up to half of what 64 bits hold", () => {
  answers(
    [
      ["HRANDFIELD h 4611686018427387903 WITHVALUES", ["f", "v"]],
      ["HRANDFIELD h 4611686018427387904 WITHVALUES", "-ERR value is out of range"],
      ["ZRANDMEMBER z 4611686018427387904 WITHSCORES", "-ERR value is out of range"],
      ["HRANDFIELD h 4611686018427387904", ["f"]],
    ],
    "HSET h f v",
    "ZADD z 1 m",
  );
});
