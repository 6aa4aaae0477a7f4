/** What protects a server from its own clients: commands that are renamed, and those that must be enabled. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { commandTable } from "../../src/commands/table.ts";
import { loadMachinery } from "../../src/scripting/machinery.ts";
import { Child } from "../support/child.ts";
import { TestServer } from "../support/harness.ts";
import { freePort } from "../support/live.ts";
import { ReplyError } from "../support/replies.ts";

const options = { sanitizeOps: false, sanitizeResources: false };

function textOf(reply: unknown): string {
  return reply instanceof ReplyError ? reply.message : String(reply);
}

/** Where clients come from. */
const REMOTE = { address: "192.0.2.7:50000" };
const LOCAL = [
  { address: "127.0.0.1:50000" },
  { address: "127.3.2.1:50000" },
  { address: "[::1]:50000" },
  { address: "/run/respite.sock:0", isUnixSocket: true },
  { address: "respite.sock:0", isUnixSocket: true },
];

/** Requests that a directive allows, and how they are answered if it does. */
const GUARDED = [
  ["enable-debug-command", "DEBUG SLEEP 0", "OK", "ERR DEBUG command not allowed. If the enable-"],
  [
    "enable-module-command",
    "MODULE LOAD /x.so",
    "ERR Modules are not supported",
    'ERR MODULE command not allowed. If the enable-module-command option is set to "local", you can ' +
    "run it from a local connection, otherwise you need to set this option in the configuration " +
    "file, and then restart the server.",
  ],
  ["enable-module-command", "MODULE LOADEX /x.so", "ERR Modules are not", "ERR MODULE command not"],
  ["enable-module-command", "MODULE UNLOAD x", "ERR Modules are not", "ERR MODULE command not"],
  [
    "enable-protected-configs",
    "CONFIG SET dbfilename x.rdb",
    "OK",
    "ERR CONFIG SET failed (possibly related to argument 'dbfilename') - can't set protected config",
  ],
] as const;

Deno.test("DEBUG, MODULE and protected configs are for all, for clients of this machine, or for none", () => {
  for (const [directive, request, done, refusal] of GUARDED) {
    for (const value of ["no", "local", "yes"]) {
      const server = new TestServer({ directives: { [directive]: value } });
      const remote = textOf(server.client(REMOTE).run(request));
      assertStringIncludes(remote, value === "yes" ? done : refusal, `${directive} ${value}`);
      for (const from of LOCAL) {
        const reply = textOf(server.client(from).run(request));
        assertStringIncludes(reply, value === "no" ? refusal : done, `${value} ${from.address}`);
      }
      const change = server.run(`CONFIG SET ${directive} yes`);
      assertStringIncludes(textOf(change), "can't set immutable config");
    }
  }
});

Deno.test("MODULE LIST is empty, and MODULE HELP tells what there is", () => {
  const server = new TestServer();
  assertEquals(server.run("MODULE LIST"), []);
  const help = server.run("MODULE HELP") as string[];
  assertEquals(help[0], "MODULE <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  assertEquals(help.filter((line) => !line.startsWith(" ")).slice(1), [
    "LIST",
    "LOAD <path> [<arg> ...]",
    "LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]",
    "UNLOAD <name>",
    "HELP",
  ]);
  assertEquals(
    textOf(server.run("MODULE NOSUCH")),
    "ERR unknown subcommand 'NOSUCH'. Try MODULE HELP.",
  );
  assertEquals(
    textOf(server.run("MODULE LOAD")),
    "ERR wrong number of arguments for 'module|load' command",
  );
});

/** A server of which several commands have other names, and FLUSHALL none. */
async function renamed(): Promise<TestServer> {
  const commands = commandTable();
  const names = { SET: "foo", FLUSHALL: "", config: "CoNf1g", multi: "b\xe9gin", xgroup: "grp" };
  for (const [name, other] of Object.entries(names)) {
    assertEquals(commands.rename(name, other), null);
  }
  return new TestServer({ commands, lua: await loadMachinery() });
}

Deno.test("a renamed command answers to its new name alone, in any case", async () => {
  const server = await renamed();
  const unknown = "ERR unknown command 'set', with args beginning with: 'k' 'v' ";
  assertEquals(textOf(server.run("set k v")), unknown);
  assertEquals(server.run("FOO k v"), "OK");
  assertEquals(server.call(Uint8Array.from([0x42, 0xe9, 0x67, 0x69, 0x6e])), "OK");
  assertEquals(server.run("foo k w"), "QUEUED");
  assertStringIncludes(textOf(server.run("flushall")), "ERR unknown command 'flushall'");
  assertStringIncludes(textOf(server.run("EXEC")), "EXECABORT");
  // It is counted, and its mistakes are told, under its own name.
  assertEquals(textOf(server.run("foo k")), "ERR wrong number of arguments for 'set' command");
  assertStringIncludes(server.run("INFO commandstats") as string, "cmdstat_set:calls=1,");
  assertEquals(server.run("EVAL \"return redis.call('foo', 'k', 'x')\" 0"), "OK");
  for (const script of ["return redis.call('set', 'k', 'x')", "return redis.call('flushall')"]) {
    const reply = textOf(server.call("EVAL", script, "0"));
    assertStringIncludes(reply, "ERR Unknown Redis command called from script");
  }
});

Deno.test("a renamed container of subcommands calls itself by its new name", async () => {
  const server = await renamed();
  assertEquals(server.run("conf1g GET port"), ["port", "6379"]);
  const unknown = "ERR unknown subcommand 'foo'. Try CONF1G HELP.";
  assertEquals(textOf(server.run("conf1g foo")), unknown);
  const [headline] = server.run("CONF1G HELP") as string[];
  assertEquals(headline, "CONF1G <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  assertEquals(
    textOf(server.run("conf1g get")),
    "ERR wrong number of arguments for 'config|get' command",
  );
  const wrong = "ERR unknown subcommand or wrong number of arguments for 'create'. Try GRP HELP.";
  assertEquals(textOf(server.run("grp create k g $ nosuch")), wrong);
});

Deno.test("COMMAND finds a renamed command by its new name, and shows it by its own", async () => {
  const server = await renamed();
  assertEquals(server.run("COMMAND INFO set config config|get flushall"), [null, null, null, null]);
  const [set, config, get] = server.run("COMMAND INFO foo conf1g conf1g|get") as unknown[][];
  assertEquals([set[0], config[0], get[0]], ["set", "config", "config|get"]);
  assertEquals(server.run("COMMAND GETKEYS foo a b"), ["a"]);
  assertStringIncludes(textOf(server.run("COMMAND GETKEYS set a b")), "Invalid command specified");
  assertEquals((server.run("COMMAND DOCS foo") as unknown[])[0], "set");
  const list = server.run("COMMAND LIST") as string[];
  assert(list.includes("set") && !list.includes("foo") && !list.includes("flushall"));
});

Deno.test({
  name: "the append-only file has the new names, and is read with them",
  ...options,
  fn: async () => {
    const dir = await Deno.makeTempDir();
    const rename = ["--rename-command", "SET", "foo", "--rename-command", "DEL", ""];
    const directives = ["--appendonly", "yes", "--save", ""];
    const child = Child.spawn(freePort(), dir, ...directives, ...rename);
    const wire = await child.started();
    assertEquals(await wire.roundTrip("foo a 1"), "+OK\r\n");
    wire.close();
    await child.stop("SIGTERM");
    const again = Child.spawn(freePort(), dir, ...directives, ...rename);
    const second = await again.started();
    assertEquals(await second.roundTrip("get a"), "$1\r\n1\r\n");
    second.close();
    await again.stop("SIGTERM");
    // As in Redis: what the file says is not there under this name.
    const without = Child.spawn(freePort(), dir, ...directives);
    const { code, text } = await without.ended();
    assertEquals(code, 1, text);
    assertStringIncludes(text, "Unknown command 'foo' reading the append only file");
  },
});
