/** All commands, joined. */
import { type CommandSpec, CommandTable, Flag } from "../engine/command.ts";
import * as s from "./string.ts";
const specs: CommandSpec[] = [
  { name: "get", arity: 2, flags: Flag.readonly | Flag.fast, run: s.get },
  { name: "set", arity: -3, flags: Flag.write, run: s.set },
  { name: "incr", arity: 2, flags: Flag.write | Flag.fast, run: s.incr },
  { name: "mset", arity: -3, flags: Flag.write, run: s.mset },
  { name: "ping", arity: -1, flags: Flag.fast, run: (c) => c.reply.pong() },
];
export function commandTable(): CommandTable {
  return new CommandTable(specs);
}
