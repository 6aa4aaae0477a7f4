/** A script runs commands inside a command: what they must not overwrite, and that nothing of theirs is left. */
import { assertEquals, assertMatch } from "@std/assert";
import { loadMachinery } from "../../src/scripting/machinery.ts";
import { ReplyError, TestServer } from "../support/harness.ts";

const lua = await loadMachinery();
const fresh = (): TestServer => new TestServer({ lua });

Deno.test("The outer command keeps its arguments: those of a pipeline were read before it ran", () => {
  const server = fresh();
  const client = server.client();
  const request = `EVAL "redis.call('MSET', 'a', 1, 'b', 2) return ARGV[2]" 0 one two\r\n`;
  client.send(new TextEncoder().encode(request + "ECHO three\r\n" + request + "ECHO four\r\n"));
  assertEquals([client.read(), client.read(), client.read(), client.read()], [
    "two",
    "three",
    "two",
    "four",
  ]);
});

Deno.test("The outer command keeps its database, protocol and reply", () => {
  const server = fresh();
  const client = server.client();
  client.run("SELECT 2");
  client.run("SET k two");
  const script =
    "redis.setresp(3) redis.call('SELECT', 3) redis.call('HSET', 'h', 'a', 1) return {1, redis.call('HGETALL', 'h'), 3}";
  assertEquals(client.call("EVAL", script, "0"), [1, ["a", "1"], 3]);
  assertEquals(client.run("GET k"), "two");
  client.run("MULTI");
  client.call("EVAL", script, "0");
  client.run("GET k");
  assertEquals(client.run("EXEC"), [[1, ["a", "1"], 3], "two"]);
});

Deno.test("An argument error of an inner command is not one of the outer", () => {
  const server = fresh();
  assertEquals(
    server.run(`EVAL "redis.pcall('INCRBY', 'a', 'x') return redis.call('INCRBY', 'a', 2)" 0`),
    2,
  );
  assertEquals(server.run("INCRBY a 1"), 3);
});

Deno.test("The outer command is propagated by its effects, whatever the last inner one was", () => {
  const server = fresh();
  const propagated = server.listen();
  // The last one that changes something propagates itself otherwise (SPOP), or as it is, or is none.
  for (
    const last of [
      "redis.call('SPOP', 's')",
      "redis.call('SADD', 's', 'b')",
      "redis.call('GET', 'x')",
    ]
  ) {
    server.run(`EVAL "redis.call('SADD', 's', 'a') ${last}" 0`);
  }
  const stream = propagated();
  assertMatch(stream, /SADD/);
  assertEquals(/EVAL/i.test(stream), false);
});

Deno.test("CLIENT NO-TOUCH of the caller holds for what the script reads, and CLIENT LIST shows EVAL", () => {
  const server = fresh();
  server.run("SET k v");
  server.advance(100_000);
  const client = server.client();
  client.run("CLIENT NO-TOUCH ON");
  client.run(`EVAL "return redis.call('GET', 'k')" 0`);
  assertEquals(server.run("OBJECT IDLETIME k"), 100);
  assertMatch(server.run(`CLIENT LIST ID ${client.client.id}`) as string, / cmd=eval /);
  server.run(`EVAL "return redis.call('GET', 'k')" 0`);
  assertEquals(server.run("OBJECT IDLETIME k"), 0);
});

Deno.test("After a script commands may block again, also after one that has failed", () => {
  const server = fresh();
  server.run(`EVAL "return redis.call('BLPOP', 'l', 0)" 0`);
  server.run(`EVAL "error('x')" 0`);
  const waiting = server.client();
  assertEquals(waiting.run("BLPOP l 0"), undefined);
  server.run("RPUSH l a");
  assertEquals(waiting.read(), ["l", "a"]);
});

Deno.test("A failure of ours inside a script is an error of the script, and the next one runs", () => {
  const server = fresh();
  const { engine } = server;
  const runForScript = engine.evaluator.runForScript.bind(engine.evaluator);
  engine.evaluator.runForScript = () => {
    throw new Error("a bug of ours");
  };
  const reply = server.run(`EVAL "return redis.call('GET', 'k')" 0`) as ReplyError;
  assertMatch(reply.message, /^ERR internal error script: /);
  engine.evaluator.runForScript = runForScript;
  assertEquals(server.run(`EVAL "return redis.call('SET', 'k', 1)" 0`), "OK");
  assertMatch(server.logged.join(""), /a bug of ours/);
});

Deno.test("What a script reads is tracked for its caller, and NOLOOP knows whose changes they are", () => {
  const server = fresh();
  const client = server.client();
  client.run("HELLO 3");
  client.run("CLIENT TRACKING ON NOLOOP");
  client.run(`EVAL "redis.call('GET', 'k') return redis.call('SET', 'k', 1)" 0`);
  assertEquals(client.raw(), "");
  client.run(`EVAL "return redis.call('GET', 'k')" 0`);
  server.run("SET k 2");
  server.engine.tracking?.flush();
  assertMatch(client.raw(), /^>2\r\n\$10\r\ninvalidate\r\n/);
});

Deno.test("A message to the script's own client follows the script's reply", () => {
  const server = fresh();
  const client = server.client();
  client.run("HELLO 3");
  client.run("SUBSCRIBE c");
  client.raw();
  client.send(
    new TextEncoder().encode(`EVAL "redis.call('PUBLISH', 'c', 'm') return 'done'" 0\r\n`),
  );
  assertEquals(client.raw(), "$4\r\ndone\r\n>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n");
});
