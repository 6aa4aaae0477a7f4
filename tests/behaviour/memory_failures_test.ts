/** What can't be allocated changes nothing. */
import { assertEquals } from "@std/assert";
import { Errors } from "../../src/protocol/errors.ts";
import { ReplyError, TestServer } from "../support/harness.ts";

const CANNOT = new ReplyError("OOM the value needs more memory than there is");
/** More than any buffer can be: it fails on every machine. */
const FAR = "50000000000";
const FAR_BITS = "500000000000";

function server(): TestServer {
  const server = new TestServer();
  assertEquals(server.run("CONFIG SET proto-max-bulk-len 100000000000"), "OK");
  // The old bytes of freed blocks must never show up in a value.
  server.run("SET q0 PWDx");
  server.run("DEL q0");
  return server;
}

const GROWING: readonly string[] = [
  `SETRANGE k ${FAR} x`,
  `SETBIT k ${FAR_BITS} 1`,
  `BITFIELD k SET u8 ${FAR_BITS} 1`,
];

for (const line of GROWING) {
  Deno.test(`${line} of a missing key fails, and the key is missing`, () => {
    const one = server();
    assertEquals(one.run(line), CANNOT);
    assertEquals([one.run("EXISTS k"), one.run("DBSIZE")], [0, 0]);
    one.engine.keyspace.verify();
  });
  for (
    const [kind, value] of [["short", "value"], ["long", "v".repeat(70_000)], ["integer", "12"]]
  ) {
    Deno.test(`${line} of a ${kind} string fails and leaves it`, () => {
      const one = server();
      one.run(`SET k ${value} EX 100`);
      const dirty = one.engine.keyspace.hooks.dirty;
      assertEquals(one.run(line), CANNOT);
      assertEquals([one.run("GET k"), one.run("TTL k")], [value, 100]);
      assertEquals(one.engine.keyspace.hooks.dirty, dirty);
      one.engine.keyspace.verify();
    });
  }
}

Deno.test("if a command of a transaction can't get memory, the others run", () => {
  const one = server();
  one.run("MULTI");
  for (const line of ["SET a 1", `SETRANGE k ${FAR} x`, "SET b 2"]) one.run(line);
  assertEquals(one.run("EXEC"), ["OK", CANNOT, "OK"]);
  assertEquals(one.run("KEYS k"), []);
});

Deno.test("proto-max-bulk-len bounds what grows before anything is allocated", () => {
  const one = new TestServer();
  one.run("CONFIG SET proto-max-bulk-len 1mb");
  const tooLong = new ReplyError("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  const offset = new ReplyError("ERR bit offset is not an integer or out of range");
  assertEquals(one.run("SETRANGE k 1048575 xx"), tooLong);
  assertEquals(one.run("SETRANGE k 1048575 x"), 1_048_576);
  assertEquals(one.run("APPEND k y"), tooLong);
  assertEquals(one.run("SETBIT b 8388608 1"), offset);
  assertEquals(one.run("BITFIELD b SET u8 8388608 1"), offset);
  // As in Redis, the first bit counts.
  assertEquals(one.run("BITFIELD b SET u8 8388607 255"), [0]);
  assertEquals(one.run("STRLEN b"), 1_048_577);
});

Deno.test("commands that may need memory are refused while the arena is nearly full, others run", () => {
  const one = new TestServer();
  one.run("SET k v");
  one.engine.gates.full = Errors.arenaFull;
  const full = new ReplyError(
    "OOM command not allowed: keys and values may take 32 GiB, nearly all of which are in use",
  );
  assertEquals([one.run("SET k w"), one.run("RPUSH l 1")], [full, full]);
  assertEquals([one.run("GET k"), one.run("DEL k")], ["v", 1]);
  one.advance(1000);
  assertEquals(one.run("SET k w"), "OK");
});
