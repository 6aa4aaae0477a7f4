import { assertEquals } from "@std/assert";
import { binaryBytes } from "../../src/protocol/args.ts";
import { loadMachinery } from "../../src/scripting/machinery.ts";
import { TestServer } from "../support/harness.ts";
import { requestOf } from "../support/requests.ts";

const lua = await loadMachinery();

/** What redis-server 7.2.6, freshly started, replies to scripts with cjson, cmsgpack, bit and struct, one after the other. */
const recorded: [words: string[], reply: string][] = Deno.readTextFileSync(
  "tests/support/library_replies.jsonl",
).split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));

Deno.test("cjson, cmsgpack, bit and struct answer as those of redis-server 7.2.6", () => {
  const client = new TestServer({ lua }).client();
  const differences: string[] = [];
  for (const [words, expected] of recorded) {
    client.send(binaryBytes(requestOf(words)));
    const actual = client.raw();
    if (actual === expected) continue;
    differences.push(`${words}\n  ${JSON.stringify(expected)}\n  ${JSON.stringify(actual)}`);
  }
  assertEquals(differences.join("\n"), "");
});

Deno.test("What scripts have set of cjson outlives them, and SCRIPT FLUSH forgets it", () => {
  const server = new TestServer({ lua });
  const ask = "EVAL 'return cjson.encode_max_depth()' 0";
  server.run("EVAL 'cjson.encode_max_depth(5)' 0");
  assertEquals(server.run(ask), 5);
  server.run("SCRIPT FLUSH");
  assertEquals(server.run(ask), 1000);
});

Deno.test("Libraries work inside coroutines, which have a stack of their own", () => {
  const server = new TestServer({ lua });
  const script = `
    local co = coroutine.wrap(function(text)
      while true do text = coroutine.yield(cmsgpack.unpack(cmsgpack.pack(cjson.decode(text)))) end
    end)
    return {co('[1]')[1], co('{"a":"b"}').a, (select(2, pcall(co, '[')))}`;
  const error = "user_script:3: Expected value but found T_END at character 2";
  assertEquals(server.call("EVAL", script, "0"), [1, "b", error]);
});

Deno.test("Functions have the libraries, too, with settings of their own", () => {
  const server = new TestServer({ lua });
  const library = `#!lua name=lib
    redis.register_function('ask', function() return cjson.encode({cjson.encode_max_depth()}) end)`;
  server.call("FUNCTION", "LOAD", library);
  server.run("EVAL 'cjson.encode_max_depth(5)' 0");
  assertEquals(server.run("FCALL ask 0"), "[1000]");
});
