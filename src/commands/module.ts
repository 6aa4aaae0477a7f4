/** MODULE: there are no modules, and none can be loaded. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag } from "../engine/command.ts";
import { Errors } from "../protocol/errors.ts";
import { replyHelp } from "./help.ts";

/** LOAD, LOADEX and UNLOAD. Who may not load modules is told that first, as in Redis. */
function refuse({ reply, client, engine }: Call): void {
  const isAllowed = client.isAllowed(engine.parameters.values.enableModuleCommand);
  reply.error(isAllowed ? Errors.modulesUnsupported : Errors.moduleNotAllowed);
}

function moduleList({ reply }: Call): void {
  reply.emptyArray();
}

function moduleHelp(call: Call): void {
  replyHelp(call, [
    ["LIST", "The modules that are loaded: there are never any."],
    ["LOAD <path> [<arg> ...]", "Refused: modules are not supported."],
    [
      "LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]",
      "Refused: modules are not supported.",
    ],
    ["UNLOAD <name>", "Refused: modules are not supported."],
  ]);
}

const LOAD_FLAGS = Flag.admin | Flag.noScript | Flag.noAsyncLoading;

/** Rows of the table: see engine/command.ts. */
export const moduleCommands: readonly CommandSpec[] = [
  {
    name: "module",
    usage: "",
    summary: "Says that modules are not supported.",
    since: "4.0.0",
    complexity: "Depends on the subcommand",
    flags: 0,
    subcommands: [
      {
        name: "help",
        usage: "",
        summary: "Lists the subcommands.",
        since: "5.0.0",
        complexity: "O(1)",
        flags: Flag.loading | Flag.stale,
        run: moduleHelp,
      },
      {
        name: "list",
        usage: "",
        summary: "Returns the modules that are loaded: none.",
        since: "4.0.0",
        complexity: "O(1)",
        flags: Flag.admin | Flag.noScript,
        tips: ["nondeterministic_output_order"],
        run: moduleList,
      },
      {
        name: "load",
        usage: "path [{arg}*]",
        summary: "Refuses: modules are not supported.",
        since: "4.0.0",
        complexity: "O(1)",
        flags: LOAD_FLAGS,
        run: refuse,
      },
      {
        name: "loadex",
        usage: "path [{CONFIG configs=(name value)}*] [ARGS {args}*]",
        summary: "Refuses: modules are not supported.",
        since: "7.0.0",
        complexity: "O(1)",
        flags: LOAD_FLAGS,
        run: refuse,
      },
      {
        name: "unload",
        usage: "name",
        summary: "Refuses: modules are not supported.",
        since: "4.0.0",
        complexity: "O(1)",
        flags: LOAD_FLAGS,
        run: refuse,
      },
    ],
  },
];
