/** EVAL and its kin, and SCRIPT: https://redis.io/docs/latest/commands/?group=scripting */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag } from "../engine/command.ts";
import { countedKeys } from "../engine/key_spec.ts";
import type { ScriptCalls } from "../engine/script_calls.ts";
import { assert } from "../lib/assert.ts";
import { Errors } from "../protocol/errors.ts";
import { replyHelp } from "./help.ts";

function scriptsOf({ engine }: Call): ScriptCalls {
  assert(engine.scripts !== null, "the app has connected Lua");
  return engine.scripts;
}

function evalText(call: Call): void {
  scriptsOf(call).evalText(call, false);
}

function evalTextRo(call: Call): void {
  scriptsOf(call).evalText(call, true);
}

function evalSha(call: Call): void {
  scriptsOf(call).evalSha(call, false);
}

function evalShaRo(call: Call): void {
  scriptsOf(call).evalSha(call, true);
}

/** What a script declares in its first line. */
function declaredByText(call: Call): number {
  return scriptsOf(call).declaredBy(call.args, false);
}

function declaredBySha(call: Call): number {
  return scriptsOf(call).declaredBy(call.args, true);
}

function scriptLoad(call: Call): void {
  const { args, reply } = call;
  const sha = scriptsOf(call).cacheScript(args, 2);
  if (typeof sha === "string") reply.bulkBinary(sha);
  else reply.error(sha);
}

function scriptExists(call: Call): void {
  const { args, reply } = call;
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    reply.integer(scriptsOf(call).hasScript(args, i) ? 1 : 0);
  }
}

function scriptFlush(call: Call): void {
  const { args, reply } = call;
  const isRight = args.count === 2 ||
    (args.count === 3 && (args.is(2, "ASYNC") || args.is(2, "SYNC")));
  if (!isRight) return reply.error(Errors.scriptFlush);
  scriptsOf(call).flush();
  reply.ok();
}

function scriptKill(call: Call): void {
  killRunning(call, false);
}

/** SCRIPT KILL, or FUNCTION KILL. */
export function killRunning(call: Call, isFunction: boolean): void {
  const error = scriptsOf(call).kill(isFunction);
  if (error === null) call.reply.ok();
  else call.reply.error(error);
}

function scriptDebug({ args, reply }: Call): void {
  const isKnown = args.is(2, "NO") || args.is(2, "YES") || args.is(2, "SYNC");
  if (!isKnown) return reply.error(Errors.scriptDebugMode);
  if (args.is(2, "NO")) reply.ok();
  else reply.error(Errors.scriptDebug);
}

function scriptHelp(call: Call): void {
  replyHelp(call, [
    ["DEBUG (YES|SYNC|NO)", "Set the debug mode for subsequent scripts executed."],
    [
      "EXISTS <sha1> [<sha1> ...]",
      "Return information about the existence of the scripts in the script cache.",
    ],
    [
      "FLUSH [ASYNC|SYNC]",
      "Flush the Lua scripts cache. Very dangerous on replicas.",
      "When called without the optional mode argument, the behavior is determined by the",
      "lazyfree-lazy-user-flush configuration directive. Valid modes are:",
      "* ASYNC: Asynchronously flush the scripts cache.",
      "* SYNC: Synchronously flush the scripts cache.",
    ],
    ["KILL", "Kill the currently executing Lua script."],
    ["LOAD <script>", "Load a script into the scripts cache without executing it."],
  ]);
}

const RUNS_SCRIPT = Flag.noScript | Flag.stale | Flag.skipMonitor | Flag.noMandatoryKeys |
  Flag.mayReplicate | Flag.needsLua;
const ASSUMED_RW = "We cannot tell how the keys will be used so we assume the worst, RW and UPDATE";
const ASSUMED_RO = "We cannot tell how the keys will be used so we assume the worst, RO and ACCESS";
const COST = "Depends on the script";

/** Rows of the table: see engine/command.ts. */
export const scriptingCommands: readonly CommandSpec[] = [
  {
    name: "eval",
    usage: "script numkeys:integer [{key}*] [{arg}*]",
    summary: "Runs a script in Lua.",
    since: "2.6.0",
    complexity: COST,
    flags: RUNS_SCRIPT,
    keys: [countedKeys("RW access update", 2, ASSUMED_RW)],
    declared: declaredByText,
    run: evalText,
  },
  {
    name: "eval_ro",
    usage: "script numkeys:integer [{key}*] [{arg}*]",
    summary: "Runs a script in Lua that may only read.",
    since: "7.0.0",
    complexity: COST,
    flags: RUNS_SCRIPT & ~Flag.mayReplicate | Flag.readonly,
    keys: [countedKeys("RO access", 2, ASSUMED_RO)],
    declared: declaredByText,
    run: evalTextRo,
  },
  {
    name: "evalsha",
    usage: "sha1 numkeys:integer [{key}*] [{arg}*]",
    summary: "Runs a script in Lua that the server knows by its SHA-1.",
    since: "2.6.0",
    complexity: COST,
    flags: RUNS_SCRIPT,
    keys: [countedKeys("RW access update", 2)],
    declared: declaredBySha,
    run: evalSha,
  },
  {
    name: "evalsha_ro",
    usage: "sha1 numkeys:integer [{key}*] [{arg}*]",
    summary: "Runs a script in Lua, known by its SHA-1, that may only read.",
    since: "7.0.0",
    complexity: COST,
    flags: RUNS_SCRIPT & ~Flag.mayReplicate | Flag.readonly,
    keys: [countedKeys("RO access", 2)],
    declared: declaredBySha,
    run: evalShaRo,
  },
  {
    name: "script",
    usage: "",
    summary: "Manages the scripts that the server knows.",
    since: "2.6.0",
    complexity: "Depends on the subcommand",
    flags: 0,
    acl: ["-scripting"],
    subcommands: [
      {
        name: "debug",
        usage: "mode=(YES | SYNC | NO)",
        summary: "Chooses how scripts are debugged: this server has no debugger.",
        since: "3.2.0",
        complexity: "O(1)",
        flags: Flag.noScript,
        run: scriptDebug,
      },
      {
        name: "exists",
        usage: "{sha1}*",
        summary: "Tells which scripts the server knows.",
        since: "2.6.0",
        complexity: "O(N), N scripts",
        flags: Flag.noScript,
        tips: ["request_policy:all_shards", "response_policy:agg_logical_and"],
        run: scriptExists,
      },
      {
        name: "flush",
        usage: "[flush-type=(ASYNC | SYNC)@6.2.0]",
        summary: "Forgets all scripts.",
        since: "2.6.0",
        complexity: "O(N), N scripts",
        flags: Flag.noScript,
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
        history: [["6.2.0", "ASYNC and SYNC."]],
        run: scriptFlush,
      },
      {
        name: "help",
        usage: "",
        summary: "Explains the subcommands.",
        since: "5.0.0",
        complexity: "O(1)",
        flags: Flag.loading | Flag.stale,
        run: scriptHelp,
      },
      {
        name: "kill",
        usage: "",
        summary: "Ends the script that is running.",
        since: "2.6.0",
        complexity: "O(1)",
        flags: Flag.noScript | Flag.allowBusy,
        tips: ["request_policy:all_shards", "response_policy:one_succeeded"],
        run: scriptKill,
      },
      {
        name: "load",
        usage: "script",
        summary: "Lets the server know a script without running it.",
        since: "2.6.0",
        complexity: "O(N), N bytes",
        flags: Flag.noScript | Flag.stale | Flag.needsLua,
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
        run: scriptLoad,
      },
    ],
  },
];
