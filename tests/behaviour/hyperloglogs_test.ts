import { assertEquals } from "@std/assert";
import { ReplyError, TestServer } from "../support/harness.ts";

Deno.test("PFADD tells whether the estimate may have changed, PFCOUNT what it is", () => {
  const server = new TestServer();
  assertEquals(server.run("PFADD h"), 1);
  assertEquals(server.run("PFADD h"), 0);
  assertEquals(server.run("PFADD h a b c d"), 1);
  assertEquals(server.run("PFADD h a b c d"), 0);
  assertEquals([server.run("PFCOUNT h"), server.run("PFCOUNT h")], [4, 4]);
  assertEquals(server.run("TYPE h"), "string");
  server.run("PFADD i d e");
  assertEquals(server.run("PFCOUNT h i none"), 5);
});

Deno.test("PFMERGE adds up what its sources have seen, dense if one of them is", () => {
  const server = new TestServer();
  server.run("PFADD a 1 2 3");
  server.run("PFADD b 3 4");
  assertEquals(server.run("PFMERGE c a b"), "OK");
  assertEquals([server.run("PFCOUNT c"), server.run("PFDEBUG ENCODING c")], [4, "sparse"]);
  assertEquals(server.run("PFDEBUG TODENSE b"), 1);
  server.run("PFMERGE c b");
  assertEquals([server.run("PFCOUNT c"), server.run("PFDEBUG ENCODING c")], [4, "dense"]);
  assertEquals(server.run("PFADD c 5"), 1);
  assertEquals(server.run("PFCOUNT c"), 5);
});

Deno.test("hll-sparse-max-bytes bounds a sparse sketch", () => {
  const server = new TestServer();
  server.run("CONFIG SET hll-sparse-max-bytes 30");
  for (let i = 0; i < 20; i++) server.run(`PFADD h ${i}`);
  assertEquals([server.run("PFDEBUG ENCODING h"), server.run("STRLEN h")], ["dense", 12304]);
  assertEquals(server.run("PFCOUNT h"), 20);
  assertEquals(server.run("PFSELFTEST"), "OK");
});

Deno.test("what is no sketch is refused, whatever it is", () => {
  const server = new TestServer();
  const none = new ReplyError("WRONGTYPE Key is not a valid HyperLogLog string value.");
  server.run("SET s text");
  for (const line of ["PFADD s a", "PFCOUNT s", "PFMERGE h s", "PFDEBUG ENCODING s"]) {
    assertEquals(server.run(line), none, line);
  }
  server.run("RPUSH l a");
  const wrong = "WRONGTYPE Operation against a key holding the wrong kind of value";
  assertEquals(server.run("PFCOUNT l"), new ReplyError(wrong));
  server.run("PFADD h a");
  server.run("SETRANGE h 17 x");
  for (
    const line of ["PFCOUNT h", "PFCOUNT h s2", "PFMERGE t h", "PFDEBUG GETREG h"]
  ) {
    assertEquals(
      server.run(line),
      new ReplyError("INVALIDOBJ Corrupted HLL object detected"),
      line,
    );
  }
  assertEquals(
    server.run("PFDEBUG LOOK h"),
    new ReplyError("INVALIDOBJ Corrupted HLL object detected"),
  );
});
