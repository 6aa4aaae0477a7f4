/** What the server says unasked, between replies. */
import type { CommandRunner } from "./command_runner.ts";
import { isGroup, itemsOf, type Reply, textOf } from "../../protocol/reply.ts";

/** Prints a push; that keys must be forgotten is said in one line at a terminal. */
export function printPush(runner: CommandRunner, push: Reply): void {
  const { output, printing } = runner;
  const [kind, keys] = itemsOf(push);
  const isPlain = printing.format === "standard" && textOf(kind) === "invalidate";
  // Instead of keys there is nil when all must be forgotten.
  if (!isPlain || keys === undefined || !isGroup(keys)) return runner.print(push);
  const shown = keys.items.map((key) => `'${textOf(key)}'`).join(", ");
  output.text(`-> invalidate: ${shown}\n`);
  output.flush();
}
