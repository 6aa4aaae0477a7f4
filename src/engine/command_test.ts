import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { bytesPerCall } from "../lib/alloc.ts";
import { argsOf } from "../protocol/args.ts";
import { type Command, type CommandSpec, CommandTable, Flag } from "./command.ts";
import { countedKeys, keyRange, oneKey } from "./key_spec.ts";

/** A row with what a test gives, and something for the rest. */
function row(name: string, facts: Partial<CommandSpec> = {}): CommandSpec {
  const rest = { usage: "", summary: "", since: "1.0.0", complexity: "O(1)", flags: 0 };
  return { name, ...rest, run() {}, ...facts };
}

function command(spec: CommandSpec, group = "string"): Command {
  return new CommandTable([{ group, commands: [spec] }]).topLevel()[0];
}

const container: CommandSpec = {
  name: "config",
  usage: "",
  summary: "",
  since: "2.0.0",
  complexity: "",
  flags: 0,
  subcommands: [row("get", { usage: "{parameter}*" }), row("rewrite")],
};

Deno.test("CommandTable.find() knows a command's name in any case", () => {
  const table = new CommandTable([{ group: "string", commands: [row("get"), row("set")] }]);
  for (const name of ["get", "GET", "gEt"]) {
    assertEquals(table.find(argsOf(name, "key"))?.name, "get", name);
  }
  for (const name of ["", "ge", "gett", "g\u0005t", "G@T", "key"]) {
    assertEquals(table.find(argsOf(name)), null, name);
  }
});

Deno.test("CommandTable.find() agrees with a map, whatever the names", () => {
  const name = fc.stringMatching(/^[a-z_-]{1,5}$/);
  fc.assert(fc.property(fc.uniqueArray(name), fc.array(name), (known, sought) => {
    const table = new CommandTable([{ group: "string", commands: known.map((name) => row(name)) }]);
    const names = new Set(known);
    for (const word of [...known, ...sought]) {
      const found = table.find(argsOf(word.toUpperCase()))?.name ?? null;
      assertEquals(found, names.has(word) ? word : null);
    }
  }));
});

Deno.test("Command.subcommand() finds what argument 1 names", () => {
  const config = command(container, "server");
  assertEquals(config.subcommand(argsOf("CONFIG", "Get"))?.fullName, "config|get");
  assertEquals(config.subcommand(argsOf("CONFIG", "foo")), null);
  assertEquals(command(row("get")).subcommand(argsOf("GET", "get")), null);
});

Deno.test("CommandTable lists commands, with their subcommands or without", () => {
  const table = new CommandTable([{ group: "server", commands: [row("time"), container] }]);
  assertEquals(table.topLevel().map((one) => one.name), ["time", "config"]);
  assertEquals(table.all().map((one) => one.fullName), [
    ...["time", "config", "config|get", "config|rewrite"],
  ]);
  assertEquals(table.byName("config|get")?.name, "get");
  assertEquals(table.byName("CONFIG"), null);
});

Deno.test("CommandTable.rename() makes a command answer to another name alone, or to none", () => {
  const rows = [row("time"), row("get"), container];
  const table = new CommandTable([{ group: "server", commands: rows }]);
  assertEquals(table.rename("TIME", "Clock"), null);
  assertEquals(table.find(argsOf("clock"))?.name, "time");
  assertEquals(table.find(argsOf("TIME")), null);
  assertEquals(table.rename("config", ""), null);
  assertEquals(table.byName("config|get"), null);
  assertEquals(table.topLevel().map((one) => one.name), ["get", "time"]);
  assertEquals(table.rename("nosuch", "x"), "No such command in rename-command");
  assertEquals(table.rename("get", "CLOCK"), "Target command name already exists");
});

Deno.test("Arity counts the words of the name, and a container waits for a subcommand", () => {
  const config = command(container, "server");
  assertEquals(command(row("getrange", { usage: "key start end" })).arity, 4);
  assertEquals(config.arity, -2);
  assertEquals(config.subcommands?.get("get")?.arity, -3);
  assertEquals(config.subcommands?.get("rewrite")?.arity, 2);
  assertEquals(command({ ...container, run() {} }).arity, -1); // COMMAND runs by itself
});

Deno.test("ACL categories follow from group and flags, and come in Redis's order", () => {
  const categories = (flags: number, group: string, acl: string[] = []): string =>
    command(row("x", { flags, acl }), group).aclCategories.join(" ");
  assertEquals(categories(Flag.write | Flag.fast, "string"), "write string fast");
  assertEquals(categories(Flag.readonly, "generic"), "keyspace read slow");
  assertEquals(categories(Flag.admin, "server"), "admin slow dangerous");
  assertEquals(categories(Flag.write | Flag.blocking, "list"), "write list slow blocking");
  assertEquals(categories(Flag.readonly, "scripting"), "slow scripting");
  assertEquals(categories(Flag.pubsub, "pubsub"), "pubsub slow");
  assertEquals(categories(Flag.fast, "transactions"), "fast transaction");
  assertEquals(categories(0, "sorted-set", ["dangerous"]), "sortedset slow dangerous");
  assertEquals(command(container, "connection").aclCategories, ["slow"]);
});

Deno.test("Command.forEachKey() visits the keys of all specs, and no channels", () => {
  const keys = [oneKey("OW update", 2), keyRange("RO access", 3, -1)];
  const found: string[] = [];
  const bitop = command(row("bitop", { keys }));
  assertEquals(
    bitop.forEachKey(argsOf("BITOP", "NOT", "d", "s"), (index, spec) => {
      found.push(`${index} ${spec.flags}`);
    }),
    true,
  );
  assertEquals(found, ["2 OW update", "3 RO access"]);
  assertEquals(command(row("spublish", { keys: [oneKey("not_key")] })).hasKeys, false);
});

Deno.test("Command.forEachKey() says when arguments don't tell, unless the row finds the keys", () => {
  const keys = [countedKeys("RW", 1)];
  const args = argsOf("LMPOP", "x", "a");
  assertEquals(command(row("lmpop", { keys })).forEachKey(args, () => {}), false);
  const found: number[] = [];
  const own = command(row("lmpop", { keys, keysOf: (_, visitor) => visitor(2, keys[0]) }));
  assertEquals(own.forEachKey(args, (index) => found.push(index)), true);
  assertEquals(found, [2]);
});

Deno.test("A command whose keys three numbers can't tell has movable keys", () => {
  const isMovable = (spec: CommandSpec): boolean => (command(spec).flags & Flag.movableKeys) !== 0;
  assertEquals(isMovable(row("get", { keys: [oneKey("RO")] })), false);
  assertEquals(isMovable(row("eval", { keys: [countedKeys("RW", 2)] })), true);
});

Deno.test("CommandTable.find() allocates nothing", () => {
  const table = new CommandTable([{ group: "string", commands: [row("get"), container] }]);
  const args = argsOf("CONFIG", "GET", "x");
  let found: Command | null = null;
  assertEquals(bytesPerCall(() => (found = table.find(args))), 0);
  assertEquals(bytesPerCall(() => table.byName("config")?.subcommand(args)), 0);
  assertEquals(found !== null, true);
});
