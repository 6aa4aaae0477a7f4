import { assertEquals } from "@std/assert";
import { commandTable } from "../commands/table.ts";
import { Args, argsOf } from "../protocol/args.ts";
import { BulkBuffer } from "../protocol/bulk_buffer.ts";
import type { Command } from "./command.ts";
import type { Engine } from "./engine.ts";
import { shortArguments } from "./shown_arguments.ts";

const commands = commandTable();
const engine = {
  parameters: { isSensitive: (name: string) => name === "requirepass" },
} as unknown as Engine;

function shortened(...words: string[]): string[] {
  const args = argsOf(...words);
  const command = commands.find(args) as Command;
  return shortArguments(engine, args, command.subcommand(args) ?? command);
}

Deno.test("shortArguments() keeps 32 arguments and says how many more there were", () => {
  const words = (count: number) => ["DEL", ...Array.from({ length: count - 1 }, (_, i) => `${i}`)];
  assertEquals(shortened(...words(32)).at(-1), "30");
  const shown = shortened(...words(40));
  assertEquals([shown.length, shown[30], shown[31]], [32, "29", "... (9 more arguments)"]);
});
Deno.test("shortArguments() keeps 128 bytes of an argument and says how many more there were", () => {
  assertEquals(shortened("DEL", "x".repeat(128), "y".repeat(130)), [
    "DEL",
    "x".repeat(128),
    `${"y".repeat(128)}... (2 more bytes)`,
  ]);
});
Deno.test("shortArguments() makes no text of what it leaves out, however long", () => {
  const args = argsOf("SET", "key");
  // More characters than a string can have.
  const size = 600 * 1024 * 1024;
  args.pushBuffer(new BulkBuffer(new Uint8Array(size)), size);
  const shown = shortArguments(engine, args, commands.find(args) as Command);
  assertEquals(shown[2], `${"\0".repeat(128)}... (${size - 128} more bytes)`);
  args.clear();
});
Deno.test("shortArguments() shows no secret", () => {
  const hidden = "(redacted)";
  assertEquals(shortened("AUTH", "me", "secret"), ["AUTH", hidden, hidden]);
  assertEquals(shortened("HELLO", "3", "AUTH", "me", "secret"), [
    "HELLO",
    "3",
    "AUTH",
    hidden,
    hidden,
  ]);
  assertEquals(
    shortened("HELLO", "3", "AUTH", "a", "b", "SETNAME", "AUTH", "AUTH", "c", "d").join(" "),
    `HELLO 3 AUTH ${hidden} ${hidden} SETNAME AUTH AUTH ${hidden} ${hidden}`,
  );
  const migrate = ["MIGRATE", "host", "1", "AUTH", "0", "1"];
  assertEquals(
    shortened(...migrate, "AUTH", "a", "AUTH2", "b", "c", "AUTH", "d", "KEYS", "AUTH", "k"),
    [...migrate, "AUTH", hidden, "AUTH2", hidden, hidden, "AUTH", hidden, "KEYS", "AUTH", "k"],
  );
  assertEquals(shortened("CONFIG", "SET", "requirepass", "secret", "timeout", "1"), [
    ...["CONFIG", "SET", "requirepass", hidden, "timeout", "1"],
  ]);
  assertEquals(
    shortArguments(engine, new Args(), commands.find(argsOf("GET", "k")) as Command),
    [],
  );
});
