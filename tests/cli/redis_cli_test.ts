/** `respite cli` beside redis-cli: the same arguments and the same input give the same output, errors and exit code. */
import { assertEquals } from "@std/assert";
import { freePort, startRespite } from "../support/live.ts";
import { REDIS_CLI_VERSION, runOurs, runRedisCli } from "./clients.ts";

const SETUP = [
  "set str 'some text'",
  'set bin "a\\x00\\xff\\n\\"é"',
  "set num 12",
  "rpush list 1 2 3",
  "rpush long 1 2 3 4 5 6 7 8 9 10 11",
  "sadd set a",
  "hset hash f v g w",
  "zadd zset 1.5 a 2 b",
  "xadd stream 1-1 f v g w",
  "xadd stream 2-1 f v",
  "xgroup create stream g 0",
  "geoadd geo 13.361389 38.115556 Palermo",
  "setbit bits 7 1",
];

/** Commands of every type of reply. */
const COMMANDS = [
  "ping",
  "ping hello",
  "echo 'a b'",
  "get str",
  "get bin",
  "get none",
  "set str x",
  "set str x nx",
  "setrange str 3 zz",
  "incr num",
  "incr str",
  "incrbyfloat num 1.5",
  "mget str none bin",
  "strlen bin",
  "type list",
  "exists str none",
  "lrange list 0 -1",
  "lrange long 0 -1",
  "lrange none 0 -1",
  "lpos list 2",
  "lpos list 9",
  "lpos list 2 count 0",
  "lmpop 1 none left",
  "blpop none 0.01",
  "smembers set",
  "smismember set a b",
  "srandmember set 0",
  "sismember set a",
  "hgetall hash",
  "hgetall none",
  "hget hash f",
  "hmget hash f none",
  "hrandfield hash 0 withvalues",
  "hscan hash 0",
  "zrange zset 0 -1 withscores",
  "zscore zset a",
  "zscore zset none",
  "zmscore zset a none",
  "zrank zset b withscore",
  "zrandmember zset 0 withscores",
  "zpopmin none",
  "zadd zset incr 1 a",
  "geopos geo Palermo none",
  "geodist geo Palermo none",
  "geosearch geo fromlonlat 15 37 byradius 200 km withcoord withdist",
  "xrange stream - +",
  "xread streams stream 0",
  "xread streams stream $",
  "xinfo stream stream",
  "xinfo groups stream",
  "xinfo consumers stream g",
  "xpending stream g",
  "xreadgroup group g c streams stream >",
  "bitfield bits get u8 0 incrby u2 6 1",
  "scan 0 count 100 type list",
  "object encoding list",
  "object help",
  "debug protocol string",
  "debug protocol double",
  "debug protocol null",
  "debug protocol array",
  "debug protocol set",
  "debug protocol map",
  "debug protocol true",
  "debug protocol false",
  "debug protocol verbatim",
  "config get maxmemory*",
  "config get nothing-like-it",
  "command count",
  "command info get nothing",
  "command docs nothing",
  "command getkeys mset a b c d",
  "client getname",
  "client help",
  "client reply on",
  "slowlog get",
  "latency latest",
  "latency doctor",
  "memory doctor",
  "info replication",
  "info nothing",
  "pubsub channels",
  "pubsub numsub a b",
  "publish a b",
  "multi",
  "exec",
  "nosuch a b",
  "get",
  "get a b",
  "hello 9",
  "lpush str x",
  "select 3",
  "select 99",
  "wait 0 1",
  "auth x",
  "auth a b",
  "object freq str",
  "dump none",
  "restore x 0 junk",
  "zdiff 2 zset none",
  "lcs str str",
  "sort list desc",
  "sort list by none get #",
  "quit",
];

const FORMS: readonly string[][] = [
  [],
  ["--no-raw"],
  ["--no-raw", "-3"],
  ["--raw", "-3", "-d", ";", "-D", "|"],
  ["--csv"],
  ["--csv", "-3"],
  ["--json"],
  ["--json", "-2"],
  ["-e", "--no-raw"],
];

const HAS_REDIS_CLI = REDIS_CLI_VERSION !== "";
/** That of 7.0 waits for messages for ever after SUBSCRIBE. */
const IS_72 = REDIS_CLI_VERSION.startsWith("7.2");
const skips = HAS_REDIS_CLI ? "" : " (skipped: redis-cli is not installed)";

/** A server with the data of SETUP, for a test that must set it up again. */
async function withServer(run: (port: string, reset: () => Promise<void>) => Promise<void>) {
  // What took long would be seen by SLOWLOG, and depends on chance.
  const server = startRespite({ "slowlog-log-slower-than": "-1" });
  const port = `${server.port}`;
  try {
    await run(port, async () => {
      const input = ["flushall", ...SETUP].join("\n");
      await runOurs(["-p", port], { input });
    });
  } finally {
    await server.stop();
  }
}

for (const form of FORMS) {
  Deno.test({
    name: `commands print with [${form.join(" ")}] what redis-cli prints${skips}`,
    ignore: !HAS_REDIS_CLI,
    fn: () =>
      withServer(async (port, reset) => {
        // As lines of standard input, one process runs all of them; with -e, each is a program of its own.
        const isOwn = form.includes("-e");
        const runs = isOwn
          ? COMMANDS.filter((_, i) => i % 5 === 0 || i > 75)
          : [COMMANDS.join("\n")];
        for (const commands of runs) {
          const args = ["-p", port, ...form, ...isOwn ? commands.split(" ") : []];
          const given = isOwn ? {} : { input: commands };
          await reset();
          const theirs = await runRedisCli(args, given);
          await reset();
          const ours = await runOurs(args, given);
          assertEquals(ours, theirs, `${args.join(" ")} ${isOwn ? commands : ""}`);
        }
      }),
  });
}

/** Arguments behind `-p port`, and standard input. */
const RUNS: readonly (readonly [string[], string])[] = [
  [["-r", "3", "-D", "|", "ping"], ""],
  [["-r", "2", "-i", "0.01", "incr", "n"], ""],
  [["-r", "0", "ping"], ""],
  [["-x", "set", "k"], "from input\n"],
  [["-x", "echo"], ""],
  [["-X", "tag", "echo", "tag"], "abc"],
  [["-X", "tag", "echo", "other"], "abc"],
  [["--quoted-input", "echo", '"a\\x41"'], ""],
  [["--quoted-input", "echo", "'a'b"], ""],
  [["--bogus"], ""],
  [["-n"], ""],
  [["-n", "99", "ping"], ""],
  [["-n", "3", "client", "getname"], ""],
  [["-2", "-3"], ""],
  [["-a", "wrong", "ping"], ""],
  [["-a", "wrong", "--no-auth-warning", "ping"], ""],
  [["--user", "u", "--pass", "p", "ping"], ""],
  [["-p", "1", "ping"], ""],
  [["-s", "/nonexistent/socket", "ping"], ""],
  [["-u", "http://x", "ping"], ""],
  [["--show-pushes", "maybe", "ping"], ""],
  [["--eval", "/nonexistent.lua"], ""],
  [["quit"], ""],
  [["exit"], ""],
  [[""], ""],
  [["--scan"], ""],
  [["--scan", "--pattern", "s*", "--no-raw"], ""],
  [["--scan", "--pattern", "none*"], ""],
  [["--hotkeys"], ""],
  [["--pipe"], "SET a 1\r\nGET a\r\nfoo\r\n"],
  [["--pipe"], "*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nINCR\r\n"],
  [["--pipe"], ""],
  [["--pipe"], "*x\r\n"],
  [["--no-raw"], 'ping\n"a\nset x\n\n  \n3 ping\n0 ping\n-1 x\nquit\nping\n'],
  [["--no-raw"], "select 3\nget a\nmulti\nset a 1\nexec\ndiscard\n"],
  [["--no-raw"], "hgetall hash\nclient setname x\nclient getname\nreset\nclient getname\n"],
  [[], ":set hints\n:set x\nrestart\nconnect\n"],
  [["--no-raw"], "connect 127.0.0.1 1\nping\n"],
  [["--no-raw"], 'a"b"\necho \'it\\\'s\'\necho "\\x41\\n"\r\necho a"b\n'],
  [["--csv"], 'get str\n"x\n'],
];

/** What redis-cli 7.0 does not know, or does otherwise. */
const RUNS_72: typeof RUNS = [
  [["--no-raw"], "unsubscribe\nsubscribe a b\nunsubscribe\nget str\n"],
  [["--scan", "--count", "-1"], ""],
];

Deno.test({
  name: `options, modes and lines of input do what they do in redis-cli${skips}`,
  ignore: !HAS_REDIS_CLI,
  fn: () =>
    withServer(async (port, reset) => {
      for (const [args, input] of IS_72 ? [...RUNS, ...RUNS_72] : RUNS) {
        const all = ["-p", port, ...args];
        await reset();
        const theirs = await runRedisCli(all, { input });
        await reset();
        const ours = await runOurs(all, { input });
        assertEquals(ours, theirs, `${args.join(" ")} with ${JSON.stringify(input)}`);
      }
    }),
});

Deno.test({
  name:
    `--bigkeys and --memkeys print the lines that redis-cli prints, types in an order of their own${skips}`,
  ignore: !HAS_REDIS_CLI,
  fn: () =>
    withServer(async (port, reset) => {
      await reset();
      for (const args of [["--bigkeys"], ["--memkeys"], ["--bigkeys", "--pattern", "l*"]]) {
        const sorted = ({ output }: { output: string }): string[] => output.split("\n").sort();
        const all = ["-p", port, ...args];
        assertEquals(sorted(await runOurs(all)), sorted(await runRedisCli(all)), args.join(" "));
      }
    }),
});

Deno.test("--rdb saves a snapshot that check-rdb reads, and - writes it to standard output", async () => {
  await withServer(async (port, reset) => {
    await reset();
    const file = await Deno.makeTempFile();
    const ours = await runOurs(["-p", port, "--rdb", file]);
    assertEquals(ours.code, 0, ours.errors);
    const { checkRdbCommand } = await import("../../src/cli/check_rdb.ts");
    const lines: string[] = [];
    assertEquals(checkRdbCommand([file], (line) => lines.push(line)), 0, lines.join("\n"));
    const { output } = await runOurs(["-p", port, "--rdb", "-"]);
    assertEquals(output.slice(0, 5), "REDIS");
    assertEquals(output.length, (await Deno.stat(file)).size);
    await Deno.remove(file);
  });
});

Deno.test("ping ends with 0 while the server answers, and with 1 when it does not", async () => {
  const server = startRespite();
  const args = ["-p", `${server.port}`, "ping"];
  assertEquals(await runOurs(args), { code: 0, output: "PONG\n", errors: "" });
  await server.stop();
  const { code, errors } = await runOurs(args);
  assertEquals([code, errors.includes("Could not connect to Redis at 127.0.0.1:")], [1, true]);
});

Deno.test("the password of REDISCLI_AUTH is used without a warning", async () => {
  const server = startRespite({ requirepass: "secret" });
  const args = ["-p", `${server.port}`, "echo", "in"];
  const given = { env: { REDISCLI_AUTH: "secret" } };
  assertEquals(await runOurs(args, given), { code: 0, output: "in\n", errors: "" });
  await server.stop();
});

Deno.test("a line is sent again when the connection broke before it", async () => {
  const server = startRespite();
  const input = "select 2\nclient kill type normal skipme no\nclient info\nset a b\n";
  const { output } = await runOurs(["-p", `${server.port}`], { input });
  assertEquals(/ db=2 /.test(output), true, output);
  assertEquals(output.endsWith("OK\n"), true, output);
  await server.stop();
});

Deno.test("replies that CLIENT REPLY silences are not waited for", async () => {
  const server = startRespite();
  const input =
    "client reply off\nset a 1\nclient reply on\nclient reply skip\nset a 2\nget a\nclient reply x\n";
  const { output } = await runOurs(["-p", `${server.port}`], { input });
  assertEquals(output, "OK\n2\nERR syntax error\n\n");
  await server.stop();
});

Deno.test("a word that names a property of all objects is a command like any other", async () => {
  const server = startRespite();
  const { output } = await runOurs(["-p", `${server.port}`], {
    input: "constructor\n__proto__ a\n",
  });
  assertEquals(
    output,
    "ERR unknown command 'constructor', with args beginning with: \n\n" +
      "ERR unknown command '__proto__', with args beginning with: 'a' \n\n",
  );
  await server.stop();
});

Deno.test("--pipe gives up when the last reply does not come", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: freePort() });
  const args = ["-p", `${listener.addr.port}`, "--pipe", "--pipe-timeout", "1"];
  const silent = listener.accept();
  const { code, errors } = await runOurs(args, { input: "PING\r\n" });
  assertEquals([code, errors], [1, "No replies for 1 seconds: exiting.\n"]);
  (await silent).close();
  listener.close();
});
