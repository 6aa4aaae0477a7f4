/** FUNCTION and FCALL, with the answers of redis-server 7.2.6. */
import { assert, assertEquals } from "@std/assert";
import { type Reply, ReplyError, TestServer } from "../support/harness.ts";
import { signed } from "../support/payload.ts";
import { loadMachinery } from "../../src/scripting/machinery.ts";
import { binaryBytes } from "../../src/protocol/args.ts";

const LUA = loadMachinery();

/** A server that has loaded Lua, and what is done with it. */
async function fresh(directives: Record<string, string> = {}) {
  const server = new TestServer({ directives, lua: await LUA });
  /** The reply, with an error as its text. */
  const call = (...words: (string | Uint8Array)[]): Reply => {
    const reply = server.call(...words);
    return reply instanceof ReplyError ? reply.message : reply;
  };
  /** Loads library x in place of the one before. */
  const load = (text: string): Reply =>
    call("function", "load", "replace", binaryBytes(`#!lua name=x\n${text}`));
  /** Calls function f with this body. */
  const run = (body: string, ...keysAndArgs: string[]): Reply => {
    assertEquals(load(`redis.register_function('f', function(KEYS, ARGV)\n${body}\nend)`), "x");
    return call("fcall", "f", ...keysAndArgs.length === 0 ? ["0"] : keysAndArgs);
  };
  return { server, call, load, run };
}

const f = (body: string, name = "f"): string =>
  `redis.register_function('${name}', function() ${body} end)`;
const REGISTERING = "ERR Error registering functions: ERR ";
const MISSING = "Script attempted to access nonexistent global variable ";
const READONLY = "Attempt to modify a readonly table";

Deno.test("FUNCTION LOAD runs the source once, where only the registering redis table is", async () => {
  const { call, load } = await fresh();
  const cases: [source: string, answer: string][] = [
    ["", "ERR No functions registered"],
    ["return 1", "ERR No functions registered"],
    ["foo(", "ERR Error compiling function: user_function:2: unexpected symbol near '<eof>'"],
    ["error('boom')", `${REGISTERING}user_function:2: ${MISSING}'error'`],
    ["return redis.call('ping')", `${REGISTERING}user_function:2: ${MISSING}'call'`],
    ["\n\nlocal a = b", `${REGISTERING}user_function:4: ${MISSING}'b'`],
    ["return math.random()", `${REGISTERING}user_function:2: ${MISSING}'math'`],
    ["redis.redis.call('ping')", `${REGISTERING}user_function:2: ${MISSING}'redis'`],
    ["mt = getmetatable(_G)", `${REGISTERING}user_function:2: ${MISSING}'getmetatable'`],
    ["a = 1", `${REGISTERING}user_function:2: ${READONLY}`],
    ["redis.x = 1", `${REGISTERING}user_function:2: ${READONLY}`],
    ["for k in redis do end", `${REGISTERING}user_function:2: attempt to call a table value`],
    [
      "redis.register_function()",
      `${REGISTERING}wrong number of arguments to redis.register_function`,
    ],
    ["redis.log()", `${REGISTERING}redis.log() requires two arguments or more.`],
    ["redis.log('a', 'b')", `${REGISTERING}First argument must be a number (log level).`],
    ["redis.log(9, 'b')", `${REGISTERING}Invalid debug level.`],
    [`${f("")} ${f("")}`, `${REGISTERING}Function already exists in the library`],
    [`${f("")} ${f("", "g")} redis.foo()`, `${REGISTERING}user_function:2: ${MISSING}'foo'`],
    [`local v = redis.REDIS_VERSION .. redis.REDIS_VERSION_NUM ${f("")}`, "x"],
  ];
  for (const [source, answer] of cases) {
    assertEquals(load(source), answer, source);
    if (answer !== "x") assertEquals(call("function", "list"), []);
  }
  assertEquals(call("function", "load", "a", "b"), "ERR Unknown option given: a");
  assertEquals(call("function", "load", "REPLACE"), "ERR Missing library metadata");
});

Deno.test("FUNCTION LOAD of an endless library ends after half a second", async () => {
  const { call, load } = await fresh();
  assertEquals(load("while true do end"), `${REGISTERING}FUNCTION LOAD timeout`);
  assertEquals(load(f("return 1")), "x");
  assertEquals(call("fcall", "f", "0"), 1);
});

Deno.test("FUNCTION LIST tells libraries, their functions, and their sources if asked", async () => {
  const { call, server } = await fresh();
  const source =
    "#!lua name=Lib_1\nredis.register_function{function_name='f', callback=function() end, " +
    "description='d\\0d', flags={'allow-oom', 'NO-WRITES'}}";
  assertEquals(call("function", "load", source), "Lib_1");
  const functions = [["name", "f", "description", "d\0d", "flags", ["no-writes", "allow-oom"]]];
  const library = ["library_name", "Lib_1", "engine", "LUA", "functions", functions];
  assertEquals(call("function", "list"), [library]);
  assertEquals(call("function", "list", "libraryname", "lib*"), [library]);
  assertEquals(call("function", "list", "LIBRARYNAME", "other"), []);
  assertEquals(call("function", "list", "withcode", "libraryname", "*"), [
    [...library, "library_code", source],
  ]);
  assertEquals(call("function", "list", "x"), "ERR Unknown argument x");
  assertEquals(call("function", "list", "libraryname"), "ERR library name argument was not given");
  assertEquals(call("function", "list", "withcode", "withcode"), "ERR Unknown argument withcode");
  assertEquals(
    call("function", "list", "libraryname", "x", "libraryname", "y"),
    "ERR Unknown argument libraryname",
  );
  server.run("hello 3");
  assertEquals(
    server.raw("function list"),
    "*1\r\n%3\r\n$12\r\nlibrary_name\r\n$5\r\nLib_1\r\n$6\r\nengine\r\n$3\r\nLUA\r\n$9\r\nfunctions\r\n" +
      "*1\r\n%3\r\n$4\r\nname\r\n$1\r\nf\r\n$11\r\ndescription\r\n$3\r\nd\0d\r\n$5\r\nflags\r\n" +
      "~2\r\n+no-writes\r\n+allow-oom\r\n",
  );
});

Deno.test("FCALL checks the function, then the number of keys", async () => {
  const { call, load } = await fresh();
  for (const count of ["a", "0", "-1", "5"]) {
    assertEquals(call("fcall", "f", count), "ERR Function not found");
  }
  assertEquals(load(f("return 1")), "x");
  assertEquals(call("fcall", "F", "0", "arg"), 1);
  // redis-server finds one time in four what has a zero byte behind its name: if that falls into the same slot of its table.
  assertEquals(call("fcall", "F\0g", "0"), "ERR Function not found");
  const bad = "ERR Bad number of keys provided";
  for (const count of ["a", "", "01", " 0", "99999999999999999999"]) {
    assertEquals(call("fcall", "f", count), bad);
  }
  assertEquals(call("fcall", "f", "-1"), "ERR Number of keys can't be negative");
  const tooMany = "ERR Number of keys can't be greater than number of args";
  assertEquals(call("fcall", "f", "2", "k"), tooMany);
  assertEquals(call("fcall_ro", "f", "9007199254740993", "k"), tooMany);
  const writes = "ERR Can not execute a script with write flag using *_ro command.";
  assertEquals(call("fcall_ro", "f", "0"), writes);
});

Deno.test("A function runs as a script does, and its errors name it", async () => {
  const { call, run } = await fresh();
  const at = "script: f, on @user_function:3.";
  const cases: [body: string, answer: Reply][] = [
    ["return {KEYS, ARGV}", [[], []]],
    ["return redis.call('ping')", "PONG"],
    ["return {ok = 'fine'}", "fine"],
    ["return redis.register_function", null],
    ["error('boom')", `ERR user_function:3: boom ${at}`],
    ["error({err = 'boom'})", `boom ${at}`],
    ["return {err = 'My err'}", "My err"],
    ["a = 1", `ERR user_function:3: ${READONLY} ${at}`],
    ["return b", `ERR user_function:3: ${MISSING}'b' ${at}`],
    ["return os.clock()", `ERR user_function:3: ${MISSING}'os' ${at}`],
    ["return debug", `ERR user_function:3: ${MISSING}'debug' ${at}`],
    [
      "return __redis__err__handler",
      `ERR user_function:3: ${MISSING}'__redis__err__handler' ${at}`,
    ],
    ["return _G.KEYS", `ERR user_function:3: ${MISSING}'KEYS' ${at}`],
    [
      "return redis.breakpoint()",
      `ERR user_function:3: attempt to call field 'breakpoint' (a nil value) ${at}`,
    ],
    [
      "return redis.call('fcall', 'f', 0)",
      `ERR This Redis command is not allowed from script ${at}`,
    ],
    [
      "return redis.call('function', 'list')",
      `ERR This Redis command is not allowed from script ${at}`,
    ],
    [
      "return redis.call('get')",
      `ERR Wrong number of args calling Redis command from script ${at}`,
    ],
  ];
  for (const [body, answer] of cases) assertEquals(run(body), answer, body);
  assertEquals(run("return {KEYS, ARGV}", "1", "k", "a", "b"), [["k"], ["a", "b"]]);
  assertEquals(run("return redis.call('set', KEYS[1], ARGV[1])", "1", "k", "v"), "OK");
  assertEquals(call("get", "k"), "v");
});

Deno.test("Libraries share nothing but what each one's functions share", async () => {
  const { call, load } = await fresh();
  assertEquals(
    load(`local n = 0 ${f("n = n + 1 return n")} ${f("return n", "g")}`),
    "x",
  );
  assertEquals(call("function", "load", `#!lua name=y\n${f("return n", "h")}`), "y");
  assertEquals([call("fcall", "f", "0"), call("fcall", "f", "0"), call("fcall", "g", "0")], [
    1,
    2,
    2,
  ]);
  assertEquals(
    call("fcall", "h", "0"),
    `ERR user_function:2: ${MISSING}'n' script: h, on @user_function:2.`,
  );
});

Deno.test("redis.register_function is refused when no library is being loaded", async () => {
  const { call, load } = await fresh();
  const late = (body: string): Reply => {
    assertEquals(load(`local lib = redis\n${f(body)}`), "x");
    return call("fcall", "f", "0");
  };
  const at = "script: f, on @user_function:3.";
  const only = "ERR redis.register_function can only be called on FUNCTION LOAD command";
  assertEquals(late("lib.register_function('g', function() end)"), `${only} ${at}`);
  assertEquals(
    late("local ok, e = pcall(lib.register_function, 'g') return {tostring(ok), e}"),
    ["false", only],
  );
  assertEquals(late("lib.x = 1"), `ERR user_function:3: ${READONLY} ${at}`);
  assertEquals(late("rawset(lib, 'x', 1)"), `ERR ${READONLY} ${at}`);
  assertEquals(late("return lib.call"), `ERR user_function:3: ${MISSING}'call' ${at}`);
  assertEquals(late("return lib.LOG_WARNING"), 3);
});

Deno.test("A function's flags say what it may do", async () => {
  const { call, load } = await fresh();
  const flagged = (body: string, flags: string): Reply =>
    load(
      `redis.register_function{function_name='f', callback=function() ${body} end, flags={${flags}}}`,
    );
  assertEquals(flagged("return redis.call('set', 'x', '1')", "'no-writes'"), "x");
  const refused =
    "ERR Write commands are not allowed from read-only scripts. script: f, on @user_function:2.";
  assertEquals([call("fcall", "f", "0"), call("fcall_ro", "f", "0")], [refused, refused]);
  assertEquals(flagged("return redis.call('get', 'x')", "'no-writes'"), "x");
  assertEquals(call("fcall_ro", "f", "0"), null);
  call("config", "set", "maxmemory", "1");
  assertEquals(call("fcall", "f", "0"), null);
  const full = "OOM command not allowed when used memory > 'maxmemory'.";
  assertEquals(load(f("return 1")), full);
  call("config", "set", "maxmemory", "0");
  assertEquals(load(f("return 1")), "x");
  const payload = binaryBytes(call("function", "dump") as string);
  call("config", "set", "maxmemory", "1");
  assertEquals(call("fcall", "f", "0"), full);
  assertEquals(call("function", "restore", payload, "replace"), full);
  assertEquals(call("function", "delete", "x"), "OK");
  call("config", "set", "maxmemory", "0");
  assertEquals(flagged("return redis.call('set', 'x', '1')", "'allow-oom'"), "x");
  call("config", "set", "maxmemory", "1");
  assertEquals(call("fcall", "f", "0"), "OK");
});

/** A payload of libraries, in version 10 of the format. */
function payloadOf(...parts: (string | number[])[]): Uint8Array {
  const bytes = parts.flatMap((part) => {
    if (typeof part !== "string") return part;
    return [0xf5, 0x80, 0, 0, part.length >>> 8, part.length & 255, ...binaryBytes(part)];
  });
  return signed(Uint8Array.from([...bytes, 10, 0, ...new Uint8Array(8)]));
}

Deno.test("FUNCTION RESTORE takes what FUNCTION DUMP gives, all of it or nothing", async () => {
  const { call } = await fresh();
  assertEquals(call("function", "restore", payloadOf()), "OK");
  const [a, b] = [`#!lua name=a\n${f("return 1", "fa")}`, `#!lua name=b\n${f("return 2", "fb")}`];
  assertEquals(call("function", "load", a), "a");
  const dump = binaryBytes(call("function", "dump") as string);
  assertEquals(call("function", "restore", dump), "ERR Library a already exists");
  const cases: [payload: Uint8Array, policy: string, answer: string][] = [
    [payloadOf([0]), "flush", "ERR given type is not a function"],
    [payloadOf(b, [0xff]), "flush", "ERR given type is not a function"],
    [payloadOf([0xf6, 1, 0x61]), "flush", "ERR Pre-GA function format not supported"],
    [payloadOf([0xf5]), "flush", "ERR Failed loading library payload"],
    [payloadOf([0xf5, 0x20, 0x61]), "flush", "ERR Failed loading library payload"],
    [payloadOf(b, "#!lua name=c\n"), "flush", "ERR No functions registered"],
    [payloadOf(b, b), "flush", "ERR Library 'b' already exists"],
    [payloadOf(b, `#!lua name=c\n${f("", "FB")}`), "flush", "ERR Function FB already exists"],
    [payloadOf(`#!lua name=c\n${f("", "FA")}`), "replace", "ERR Function FA already exists"],
    [
      payloadOf(b),
      "x",
      "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.",
    ],
    [dump.slice(1), "flush", "ERR DUMP payload version or checksum are wrong"],
    [new Uint8Array(0), "flush", "ERR DUMP payload version or checksum are wrong"],
  ];
  for (const [payload, policy, answer] of cases) {
    assertEquals(call("function", "restore", payload, policy), answer);
    assertEquals(call("fcall", "fa", "0"), 1);
    assertEquals(call("fcall", "fb", "0"), "ERR Function not found");
  }
  assertEquals(call("function", "restore", payloadOf(b), "append"), "OK");
  assertEquals([call("fcall", "fa", "0"), call("fcall", "fb", "0")], [1, 2]);
  assertEquals(call("function", "restore", payloadOf(b), "flush"), "OK");
  assertEquals(call("fcall", "fa", "0"), "ERR Function not found");
  assertEquals(
    call("function", "restore", dump, "append", "x"),
    "ERR unknown subcommand or wrong number of arguments for 'restore'. Try FUNCTION HELP.",
  );
});

Deno.test("FUNCTION FLUSH and DELETE give memory back; FLUSHALL leaves libraries", async () => {
  const { call, load, server } = await fresh();
  assertEquals(load(`${f("return 1")} ${f("return 2", "g")}`), "x");
  const memory = (): (string | undefined)[] =>
    [..."number_of_functions number_of_libraries used_memory_functions used_memory_vm_functions"
      .split(" ")]
      .map((name) => new RegExp(`${name}:(\\d+)`).exec(call("info", "memory") as string)?.[1]);
  assertEquals(memory().slice(0, 2), ["2", "1"]);
  assert(Number(memory()[2]) > 0);
  assert(Number(memory()[3]) > 0);
  assertEquals(call("flushall"), "OK");
  assertEquals(call("fcall", "g", "0"), 2);
  assertEquals(call("function", "delete", "x"), "OK");
  assertEquals(call("function", "delete", "x"), "ERR Library not found");
  assertEquals(memory().slice(0, 3), ["0", "0", "0"]);
  const before = server.server.functions.machineBytes;
  for (const mode of [[], ["sync"], ["ASYNC"]]) {
    for (let i = 0; i < 20; i++) {
      load(`${f("return 1")} ${f(`return '${"x".repeat(10_000)}'`, "g")}`);
    }
    assertEquals(call("function", "flush", ...mode), "OK");
    assertEquals(call("function", "list"), []);
  }
  assert(server.server.functions.machineBytes <= before, "the interpreter's memory is free again");
  assertEquals(
    call("function", "flush", "x"),
    "ERR FUNCTION FLUSH only supports SYNC|ASYNC option",
  );
  assertEquals(
    call("function", "flush", "sync", "x"),
    "ERR unknown subcommand or wrong number of arguments for 'flush'. Try FUNCTION HELP.",
  );
  assertEquals(load(f("return 3")), "x");
  assertEquals(call("fcall", "f", "0"), 3);
});

Deno.test("FUNCTION STATS counts libraries, and no function runs while it does", async () => {
  const { call, load, server } = await fresh();
  const stats = (libraries: number, functions: number): Reply => [
    ...["running_script", null, "engines"],
    ["LUA", ["libraries_count", libraries, "functions_count", functions]],
  ];
  assertEquals(call("function", "stats"), stats(0, 0));
  assertEquals(load(`${f("return 1")} ${f("return 2", "g")}`), "x");
  assertEquals(call("function", "stats"), stats(1, 2));
  assertEquals(call("function", "kill"), "NOTBUSY No scripts in execution right now.");
  server.run("hello 3");
  assertEquals(
    server.raw("function stats"),
    "%2\r\n$14\r\nrunning_script\r\n_\r\n$7\r\nengines\r\n%1\r\n$3\r\nLUA\r\n%2\r\n" +
      "$15\r\nlibraries_count\r\n:1\r\n$15\r\nfunctions_count\r\n:2\r\n",
  );
});

const INTERNAL = "ERR internal error: the command failed and its cause is in the log";

Deno.test("A function that breaks the interpreter leaves all libraries as they were", async () => {
  const { call, load } = await fresh();
  const breaking = "return (('a'):rep(300000):find(('a?'):rep(300000)))";
  assertEquals(load(`${f("return 1")} ${f(breaking, "breaks")}`), "x");
  assertEquals(call("function", "load", `#!lua name=y\n${f("return 2", "g")}`), "y");
  for (let i = 0; i < 2; i++) {
    assertEquals(call("fcall", "breaks", "0"), INTERNAL);
    assertEquals([call("fcall", "f", "0"), call("fcall", "g", "0")], [1, 2]);
  }
  const source = `#!lua name=z\nlocal x = (('a'):rep(300000):find(('a?'):rep(300000))) ${
    f("", "h")
  }`;
  assertEquals(call("function", "load", source), INTERNAL);
  assertEquals([call("fcall", "f", "0"), call("fcall", "g", "0")], [1, 2]);
  assertEquals((call("function", "list") as Reply[]).length, 2);
});

Deno.test("Inside MULTI each command sees the libraries of its moment", async () => {
  const { call } = await fresh();
  call("multi");
  for (let i = 0; i < 2; i++) {
    call("function", "load", `#!lua name=x\n${f("return 1")}`);
    call("fcall", "f", "0");
    call("function", "flush");
    call("fcall", "f", "0");
  }
  const errors = (reply: Reply): Reply => reply instanceof ReplyError ? reply.message : reply;
  const round = ["x", 1, "OK", "ERR Function not found"];
  assertEquals((call("exec") as Reply[]).map(errors), [...round, ...round]);
});

Deno.test("What changes libraries is a change of the data, and is propagated", async () => {
  const { call, load, server } = await fresh();
  const propagated = server.listen();
  const dirty = (): number => server.engine.keyspace.hooks.dirty;
  const before = dirty();
  load("a = 1");
  call("function", "delete", "x");
  call("function", "restore", "x");
  assertEquals(dirty(), before);
  load(f("return redis.call('set', 'k', redis.call('incr', 'n'))"));
  call("fcall", "f", "0");
  call("function", "flush");
  assertEquals(dirty(), before + 4);
  const words = propagated().split("\r\n").filter((word) => !/^[*$]\d+$/.test(word));
  assertEquals(words.slice(0, 5), ["SELECT", "0", "function", "load", "replace"]);
  const rest = "MULTI incr n set k 1 EXEC function flush".split(" ");
  assertEquals(words.slice(words.indexOf("MULTI"), -1), rest);
});

Deno.test("What a script or a function declares counts before it runs: while writes are paused, and without memory", async () => {
  const { server, call } = await fresh();
  call(
    "function",
    "load",
    binaryBytes(
      "#!lua name=l\nredis.register_function('f', function() return 1 end)\n" +
        "redis.register_function{function_name='g', callback=function() return 2 end, flags={'no-writes'}}",
    ),
  );
  const reads = "#!lua flags=no-writes\nreturn 5";
  server.run("CLIENT PAUSE 100000 WRITE");
  assertEquals(call("fcall", "g", "0"), 2);
  assertEquals(call("eval", reads, "0"), 5);
  call("multi");
  call("fcall", "g", "0");
  call("eval", reads, "0");
  assertEquals(call("exec"), [2, 5]);
  const other = server.client();
  assertEquals(other.run("FCALL f 0"), undefined);
  server.run("CLIENT UNPAUSE");
  assertEquals(other.read(), 1);

  server.run("CONFIG SET maxmemory 1");
  const oom = "OOM command not allowed when used memory > 'maxmemory'.";
  assertEquals(call("fcall", "g", "0"), 2);
  assertEquals(call("eval", reads, "0"), 5);
  assertEquals(call("fcall", "f", "0"), oom);
  call("multi");
  assertEquals(call("eval", "#!lua\nreturn 1", "0"), oom);
  assertEquals(call("exec"), "EXECABORT Transaction discarded because of previous errors.");
  assertEquals(
    /cmdstat_fcall:.*rejected_calls=1,/.test(String(call("info", "commandstats"))),
    true,
  );
});

Deno.test("Without memory nothing is queued, and a transaction can be given up", async () => {
  const { server, call } = await fresh();
  server.run("CONFIG SET maxmemory 1");
  const oom = "OOM command not allowed when used memory > 'maxmemory'.";
  for (const line of ["GET a", "PING", "WATCH a", "UNWATCH", "CONFIG GET port"]) {
    call("multi");
    assertEquals(server.run(line), new ReplyError(oom));
    assertEquals(call("exec"), "EXECABORT Transaction discarded because of previous errors.");
  }
  call("multi");
  assertEquals(call("discard"), "OK");
});
