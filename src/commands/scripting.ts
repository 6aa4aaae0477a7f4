/** EVAL and its kin, and SCRIPT: https://redis.io/docs/latest/commands/?group=scripting */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag } from "../engine/command.ts";
import { countedKeys } from "../engine/key_spec.ts";
import { ScriptFlag } from "../engine/script_flags.ts";
import { Errors } from "../protocol/errors.ts";
import { replyHelp } from "./help.ts";

function evalText(call: Call): void {
  call.engine.scripts?.evalText(call, false);
}

function evalTextRo(call: Call): void {
  call.engine.scripts?.evalText(call, true);
}

function evalSha(call: Call): void {
  call.engine.scripts?.evalSha(call, false);
}

function evalShaRo(call: Call): void {
  call.engine.scripts?.evalSha(call, true);
}

/** What a script declares in its first line. */
function declaredByText({ args, engine }: Call): number {
  return engine.scripts?.declaredBy(args, false) ?? ScriptFlag.undeclared;
}

function declaredBySha({ args, engine }: Call): number {
  return engine.scripts?.declaredBy(args, true) ?? ScriptFlag.undeclared;
}

function scriptLoad({ args, reply, engine }: Call): void {
  const sha = engine.scripts?.cacheScript(args, 2) ?? Errors.internal;
  if (typeof sha === "string") reply.bulkBinary(sha);
  else reply.error(sha);
}

function scriptExists({ args, reply, engine }: Call): void {
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    reply.integer(engine.scripts?.hasScript(args, i) === true ? 1 : 0);
  }
}

function scriptFlush({ args, reply, engine }: Call): void {
  const isRight = args.count === 2 ||
    (args.count === 3 && (args.is(2, "ASYNC") || args.is(2, "SYNC")));
  if (!isRight) return reply.error(Errors.scriptFlush);
  engine.scripts?.flush();
  reply.ok();
}

function scriptKill({ reply, engine }: Call): void {
  const error = engine.scripts === null ? Errors.notBusy : engine.scripts.kill(false);
  if (error === null) reply.ok();
  else reply.error(error);
}

function scriptDebug({ args, reply }: Call): void {
  const isKnown = args.is(2, "NO") || args.is(2, "YES") || args.is(2, "SYNC");
  if (!isKnown) return reply.error(Errors.scriptDebugMode);
  if (args.is(2, "NO")) reply.ok();
  else reply.error(Errors.scriptDebug);
}

function scriptHelp({ reply }: Call): void {
  replyHelp(reply, "SCRIPT", [
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
