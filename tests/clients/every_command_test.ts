/** The session misses no command of the table. */
import { assertEquals } from "@std/assert";
import { commandTable } from "../../src/commands/table.ts";
import { EVERY_COMMAND, RUN_OTHERWISE } from "./every_command.ts";

Deno.test("EVERY_COMMAND runs each command and subcommand of the table", () => {
  const run = new Set<string>(RUN_OTHERWISE);
  for (const [line] of EVERY_COMMAND) {
    const [name, sub] = line.split(" ");
    run.add(name).add(`${name}|${sub}`);
  }
  const names = commandTable().all()
    .filter((command) => command.spec.run !== undefined)
    .map((command) => command.fullName);
  assertEquals(names.filter((name) => !run.has(name)), []);
});
