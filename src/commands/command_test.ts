import { assertEquals } from "@std/assert";
import { type Reply, ReplyError, TestServer } from "../../tests/support/harness.ts";

const ERRORS = {
  invalidCommand: new ReplyError("ERR Invalid command specified"),
  noKeys: new ReplyError("ERR The command has no key arguments"),
  argumentCount: new ReplyError("ERR Invalid number of arguments specified for command"),
  syntax: new ReplyError("ERR syntax error"),
};

/** The documentation of one command, in RESP3. */
function docsOf(name: string): Map<Reply, Reply> {
  const server = new TestServer();
  server.run("HELLO 3");
  const docs = server.run(`COMMAND DOCS ${name}`) as Map<Reply, Map<Reply, Reply>>;
  return docs.get(name) ?? new Map();
}

Deno.test("COMMAND INFO answers ten elements for each name, and null for unknown names", () => {
  const server = new TestServer();
  assertEquals(server.run("COMMAND INFO GetRange nosuch"), [
    [
      ...["getrange", 4, ["readonly"], 1, 1, 1, ["@read", "@string", "@slow"], []],
      [[
        ...["flags", ["RO", "access"]],
        ...["begin_search", ["type", "index", "spec", ["index", 1]]],
        ...["find_keys", ["type", "range", "spec", ["lastkey", 0, "keystep", 1, "limit", 0]]],
      ]],
      [],
    ],
    null,
  ]);
});

Deno.test("COMMAND INFO shows subcommands within their container, and by their full name", () => {
  const server = new TestServer();
  const [memory, usage] = server.run("COMMAND INFO memory memory|usage") as Reply[][];
  const names = (memory[9] as Reply[][]).map(([name]) => name);
  assertEquals(
    names,
    ["doctor", "help", "malloc-stats", "purge", "stats", "usage"].map((name) => `memory|${name}`),
  );
  assertEquals(usage.slice(0, 2), ["memory|usage", -3]);
});

Deno.test("COMMAND INFO has sets in RESP3, and no set of subcommands where there are some", () => {
  const server = new TestServer();
  server.raw("HELLO 3");
  const text = server.raw("COMMAND INFO dbsize");
  const words =
    "~2\r\n+readonly\r\n+fast\r\n:0\r\n:0\r\n:0\r\n~3\r\n+@keyspace\r\n+@read\r\n+@fast\r\n";
  const tips = "~2\r\n$25\r\nrequest_policy:all_shards\r\n$23\r\nresponse_policy:agg_sum\r\n";
  assertEquals(
    text,
    `*1\r\n*10\r\n$6\r\ndbsize\r\n:1\r\n${words}${tips}~0\r\n~0\r\n`,
  );
});

Deno.test("COMMAND and COMMAND DOCS answer the same again, in each version of the protocol", () => {
  for (const line of ["COMMAND", "COMMAND INFO", "COMMAND DOCS"]) {
    const server = new TestServer();
    const replies = [server.raw(line), server.raw(line)];
    server.run("HELLO 3");
    replies.push(server.raw(line), server.raw(line));
    const other = new TestServer();
    other.run("HELLO 3");
    assertEquals(replies[1] === replies[0], true);
    assertEquals([replies[2] === replies[0], replies[3] === replies[2]], [false, true]);
    assertEquals(other.raw(line) === replies[2], true);
  }
});
Deno.test("COMMAND LIST names commands and subcommands, and filters them", () => {
  const server = new TestServer();
  const all = server.run("COMMAND LIST") as string[];
  assertEquals(["get", "config", "config|get"].every((name) => all.includes(name)), true);
  assertEquals(server.run("COMMAND LIST FILTERBY PATTERN Config|R*"), [
    ...["config|resetstat", "config|rewrite"],
  ]);
  assertEquals(server.run("COMMAND LIST FILTERBY ACLCAT Transaction"), [
    ...["discard", "exec", "multi", "unwatch", "watch"],
  ]);
  assertEquals(server.run("COMMAND LIST FILTERBY ACLCAT nosuch"), []);
  assertEquals(server.run("COMMAND LIST FILTERBY MODULE any"), []);
});

Deno.test("COMMAND LIST refuses what is no filter", () => {
  const server = new TestServer();
  for (const words of ["all", "FILTERBY", "FILTERBY ACLCAT", "FILTERBY GROUP x", "BY ACLCAT x"]) {
    assertEquals(server.run(`COMMAND LIST ${words}`), ERRORS.syntax, words);
  }
});

Deno.test("COMMAND GETKEYS answers the keys of a full command", () => {
  const server = new TestServer();
  assertEquals(server.run("COMMAND GETKEYS MSET a 1 b 2"), ["a", "b"]);
  assertEquals(server.run("COMMAND GETKEYS BITOP AND to a b"), ["to", "a", "b"]);
  assertEquals(server.run("COMMAND GETKEYS memory usage a"), ["a"]);
});

Deno.test("COMMAND GETKEYS says what is wrong with the full command", () => {
  const server = new TestServer();
  const refused: [string, ReplyError][] = [
    ["nosuch a", ERRORS.invalidCommand],
    ["object nosuch a", ERRORS.invalidCommand],
    ["memory|usage a", ERRORS.invalidCommand],
    ["ping", ERRORS.noKeys],
    ["object", ERRORS.noKeys],
    ["get", ERRORS.argumentCount],
    ["get a b", ERRORS.argumentCount],
    ["object encoding", ERRORS.argumentCount],
  ];
  for (const [line, error] of refused) {
    assertEquals(server.run(`COMMAND GETKEYS ${line}`), error, line);
  }
});

Deno.test("COMMAND GETKEYSANDFLAGS says what this very request does to its keys", () => {
  const server = new TestServer();
  const flags = (line: string): Reply => server.run(`COMMAND GETKEYSANDFLAGS ${line}`);
  const write = ["a", ["RW", "access", "update"]];
  assertEquals(flags("SET a b"), [["a", ["OW", "update"]]]);
  assertEquals(flags("SET a b GET"), [write]);
  assertEquals(flags("BITFIELD a OVERFLOW SAT GET u8 0"), [["a", ["RO", "access"]]]);
  assertEquals(flags("BITFIELD a GET u8 0 SET u8 0 1"), [write]);
  assertEquals(flags("BITFIELD a GET u8"), [write]);
  assertEquals(flags("RENAME a b"), [["a", ["RW", "access", "delete"]], ["b", ["OW", "update"]]]);
});

Deno.test("COMMAND DOCS tells what a row holds", () => {
  const docs = docsOf("getset");
  assertEquals([...docs.keys()], [
    ...["summary", "since", "group", "complexity", "doc_flags", "deprecated_since", "replaced_by"],
    "arguments",
  ]);
  assertEquals(docs.get("group"), "string");
  assertEquals(docs.get("doc_flags"), ["deprecated"]);
  const history = docsOf("ttl").get("history") as string[][];
  assertEquals(history.map(([version]) => version), ["2.8.0"]);
  for (const name of ["debug", "pfdebug", "pfselftest", "replconf"]) {
    assertEquals([name, docsOf(name).get("doc_flags")], [name, ["syscmd"]]);
  }
  assertEquals(docsOf("sync").get("doc_flags"), undefined);
});

Deno.test("COMMAND DOCS shows arguments as the usage line has them", () => {
  assertEquals(docsOf("randomkey").has("arguments"), false);
  assertEquals((docsOf("move").get("arguments") as Map<Reply, Reply>[]).map((one) => [...one]), [
    [["name", "key"], ["type", "key"], ["display_text", "key"], ["key_spec_index", 0]],
    [["name", "db"], ["type", "integer"], ["display_text", "db"]],
  ]);
  const [, , condition] = docsOf("set").get("arguments") as Map<Reply, Reply>[];
  const choices = condition.get("arguments") as Map<Reply, Reply>[];
  condition.delete("arguments");
  assertEquals([...condition], [
    ...[["name", "condition"], ["type", "oneof"], ["since", "2.6.12"], ["flags", ["optional"]]],
  ]);
  assertEquals(choices.map((one) => one.get("token")), ["NX", "XX"]);
});

Deno.test("COMMAND DOCS leaves out names that are none, and knows subcommands", () => {
  const server = new TestServer();
  server.run("HELLO 3");
  const docs = server.run("COMMAND DOCS nosuch config|get config") as Map<
    string,
    Map<Reply, Reply>
  >;
  assertEquals([...docs.keys()], ["config|get", "config"]);
  const subcommands = docs.get("config")?.get("subcommands") as Map<Reply, Reply>;
  assertEquals(subcommands.has("config|get"), true);
});

Deno.test("COMMAND HELP and COUNT take no arguments", () => {
  const server = new TestServer();
  for (const name of ["help", "count"]) {
    const refusal = `ERR wrong number of arguments for 'command|${name}' command`;
    assertEquals(server.run(`COMMAND ${name} x`), new ReplyError(refusal));
  }
  assertEquals(server.run("COMMAND COUNT"), (server.run("COMMAND") as Reply[]).length);
});
