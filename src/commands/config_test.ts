import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Reply, ReplyError, TestServer } from "../../tests/support/harness.ts";

function failed(name: string, detail: string): ReplyError {
  return new ReplyError(
    `ERR CONFIG SET failed (possibly related to argument '${name}') - ${detail}`,
  );
}

Deno.test("CONFIG GET answers a map of names and texts", () => {
  const server = new TestServer();
  assertEquals(server.run("CONFIG GET maxmemory"), ["maxmemory", "0"]);
  assertEquals(server.run("CONFIG GET nosuch"), []);
  server.run("HELLO 3");
  assertEquals(
    server.run("CONFIG GET lfu-*"),
    new Map<Reply, Reply>([["lfu-decay-time", "1"], ["lfu-log-factor", "10"]]),
  );
});

Deno.test("CONFIG GET shows each name once, aliases beside names, and no hidden ones", () => {
  const server = new TestServer();
  const found = server.run("CONFIG GET maxmemory maxmemory* bind *of") as string[];
  const names = found.filter((_, i) => i % 2 === 0);
  assertEquals(names.length, new Set(names).size);
  for (const name of ["slaveof", "replicaof", "maxmemory-clients", "bind"]) {
    assert(names.includes(name), name);
  }
  assert(!(server.run("CONFIG GET *") as string[]).includes("key-load-delay"));
  assertEquals(server.run("CONFIG GET key-load-delay"), ["key-load-delay", "0"]);
});

Deno.test("CONFIG SET refuses what Redis refuses, in its words", () => {
  const server = new TestServer();
  const arity = new ReplyError("ERR wrong number of arguments for 'config|set' command");
  assertEquals(server.run("CONFIG SET port"), arity);
  assertEquals(server.run("CONFIG SET hz 1 port"), new ReplyError("ERR syntax error"));
  assertEquals(
    server.run("CONFIG SET NoSuch 1 daemonize yes"),
    new ReplyError("ERR Unknown option or number of arguments for CONFIG SET - 'NoSuch'"),
  );
  assertEquals(
    server.run("CONFIG SET daemonize yes"),
    failed("daemonize", "can't set immutable config"),
  );
  assertEquals(server.run("CONFIG SET dir /"), failed("dir", "can't set protected config"));
  assertEquals(
    server.run("CONFIG SET maxmemory 1 maxMemory 2"),
    failed("maxMemory", "duplicate parameter"),
  );
  assertEquals(
    server.run("CONFIG SET lazyfree-lazy-user-flush maybe"),
    failed("lazyfree-lazy-user-flush", "argument must be 'yes' or 'no'"),
  );
});

Deno.test("CONFIG SET puts back what it had set when a later value is refused", () => {
  const server = new TestServer();
  server.run("CONFIG SET maxmemory 10000002");
  assertEquals(
    server.run("CONFIG SET maxmemory 1 maxmemory-clients 200% client-query-buffer-limit invalid"),
    failed("maxmemory-clients", "percentage argument must be less or equal to 100"),
  );
  assertEquals(server.run("CONFIG GET maxmemory"), ["maxmemory", "10000002"]);
});

Deno.test("CONFIG SET dir goes to a directory, or stays, with all that was set beside it", () => {
  using server = new TestServer({
    directives: { "enable-protected-configs": "yes", save: "3600 1", appendonly: "yes" },
  });
  const { dir } = server.parameters.values;
  const missing = failed("dir", "No such file or directory");
  assertEquals(server.run("CONFIG SET dir /nonexistent"), missing);
  assertEquals(server.run("CONFIG SET maxmemory 5mb dir /nonexistent"), missing);
  assertEquals(server.run("CONFIG SET dir /nonexistent maxmemory nonsense"), missing);
  assertEquals(server.run('CONFIG SET dir ""'), missing);
  Deno.writeTextFileSync(`${dir}/file`, "");
  assertEquals(server.run(`CONFIG SET dir ${dir}/file`), failed("dir", "Not a directory"));
  assertEquals(
    server.run(`CONFIG SET dir ${dir}/.. maxmemory nonsense`),
    failed("maxmemory", "argument must be a memory value"),
  );
  assertEquals(server.run("CONFIG GET dir maxmemory"), ["dir", dir, "maxmemory", "0"]);
  Deno.mkdirSync(`${dir}/other`);
  assertEquals(server.run(`CONFIG SET dir ${dir}/./other maxmemory 5mb`), "OK");
  assertEquals(server.run("CONFIG GET dir"), ["dir", `${dir}/other`]);
  assertEquals(server.logged.filter((line) => line.includes("internal error")), []);
});

Deno.test("CONFIG SET keeps any bytes", () => {
  const server = new TestServer();
  const bytes = Uint8Array.of(0, 0xff, 0xc3, 0x28, 0x20);
  assertEquals(server.call("CONFIG", "SET", "masterauth", bytes), "OK");
  const shown = server.engine.parameters.get("masterauth");
  assertEquals(Uint8Array.from(shown, (char) => char.charCodeAt(0)), bytes);
});

Deno.test("CONFIG REWRITE needs a file, and so does its DEBUG sister", () => {
  const server = new TestServer();
  const reason = "The server is running without a config file";
  assertEquals(server.run("CONFIG REWRITE"), new ReplyError(`ERR ${reason}`));
  assertEquals(
    server.run("DEBUG CONFIG-REWRITE-FORCE-ALL"),
    new ReplyError(`ERR CONFIG-REWRITE-FORCE-ALL failed: ${reason}`),
  );
  assertMatch(server.logged.join(""), /CONFIG REWRITE failed: /);
});

Deno.test("CONFIG RESETSTAT sets all figures back", () => {
  const server = new TestServer();
  server.run("SET k v PX 1");
  server.run("GET k");
  server.run("GET missing");
  server.run("NOSUCH");
  server.advance(10);
  server.run("SET k v");
  server.run("FLUSHALL ASYNC");
  server.advance(10);
  assertMatch(server.run("INFO memory") as string, /lazyfreed_objects:1\r\n/);
  assertEquals(server.run("CONFIG RESETSTAT"), "OK");
  assertMatch(server.run("INFO memory") as string, /lazyfreed_objects:0\r\n/);
  const stats = server.run("INFO stats") as string;
  for (const name of ["keyspace_hits", "keyspace_misses", "expired_keys", "total_error_replies"]) {
    assertStringIncludes(stats, `${name}:0\r\n`);
  }
  assert(!(server.run("INFO commandstats") as string).includes("cmdstat_get:"));
  assert(!(server.run("INFO errorstats") as string).includes("ERR"));
  assertEquals(server.run("LATENCY HISTOGRAM get"), []);
});

Deno.test("CONFIG HELP names every subcommand", () => {
  const lines = new TestServer().run("CONFIG HELP") as string[];
  for (const name of ["GET", "SET", "RESETSTAT", "REWRITE", "HELP"]) {
    assert(lines.some((line) => line.startsWith(name)), name);
  }
});
