/** FUNCTION and its subcommands, FCALL and FCALL_RO: libraries of functions. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag } from "../engine/command.ts";
import type { FunctionCalls, FunctionLibrary, RestorePolicy } from "../engine/function_calls.ts";
import type { RunningScript } from "../engine/script_calls.ts";
import { countedKeys } from "../engine/key_spec.ts";
import { SCRIPT_FLAG_NAMES, ScriptFlag } from "../engine/script_flags.ts";
import { assert } from "../lib/assert.ts";
import { globMatches } from "../lib/glob.ts";
import { scratch } from "../lib/scratch.ts";
import { BufferSink } from "../persistence/byte_sink.ts";
import { isPayload, readLibraries, writeLibraries } from "../persistence/payload.ts";
import { type Args, binaryBytes } from "../protocol/args.ts";
import {
  Errors,
  unknownListOption,
  unknownLoadOption,
  unknownOrArity,
} from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import { replyHelp } from "./help.ts";
import { killRunning } from "./scripting.ts";

const PAYLOAD_KEPT_BYTES = 64 * 1024;

// scratch: lives for one call
const payload = scratch(new BufferSink());

function functionsOf({ engine }: Call): FunctionCalls {
  assert(engine.functions !== null, "the app has connected the libraries");
  return engine.functions;
}

/** LOAD [REPLACE] source */
function functionLoad(call: Call): void {
  const { args, reply } = call;
  const last = args.count - 1;
  for (let i = 2; i < last; i++) {
    if (!args.is(i, "REPLACE")) return reply.error(unknownLoadOption(args.binary(i)));
  }
  const isLimited = !call.client.isReplay;
  const loaded = functionsOf(call).load(args.copyOf(last), last > 2, isLimited);
  if (typeof loaded !== "string") return reply.error(loaded);
  call.engine.keyspace.hooks.dirty++;
  reply.bulkText(loaded);
}

function functionDelete(call: Call): void {
  const { args, reply } = call;
  if (!functionsOf(call).delete(args.binary(2))) return reply.error(Errors.noSuchLibrary);
  call.engine.keyspace.hooks.dirty++;
  reply.ok();
}

/** FLUSH [ASYNC | SYNC]: libraries are dropped at once in either case, which takes no time worth putting off. */
function functionFlush(call: Call): void {
  const { args, reply } = call;
  if (args.count > 3) return reply.error(unknownOrArity(args));
  if (args.count === 3 && !args.is(2, "SYNC") && !args.is(2, "ASYNC")) {
    return reply.error(Errors.functionFlush);
  }
  functionsOf(call).clear();
  call.engine.keyspace.hooks.dirty++;
  reply.ok();
}

/** LIST [LIBRARYNAME pattern] [WITHCODE] */
function functionList(call: Call): void {
  const { args, reply } = call;
  let withCode = false;
  let pattern = 0;
  for (let i = 2; i < args.count; i++) {
    if (!withCode && args.is(i, "WITHCODE")) withCode = true;
    else if (pattern === 0 && args.is(i, "LIBRARYNAME")) {
      if (++i === args.count) return reply.error(Errors.libraryPattern);
      pattern = i;
    } else return reply.error(unknownListOption(args.binary(i)));
  }
  const libraries = [...functionsOf(call).libraries.values()]
    .filter(({ name }) => pattern === 0 || matches(args, pattern, name));
  reply.array(libraries.length);
  for (const library of libraries) replyLibrary(reply, library, withCode);
}

function matches(args: Args, index: number, name: string): boolean {
  const bytes = binaryBytes(name);
  const [start, end] = [args.start(index), args.end(index)];
  return globMatches(args.bytesOf(index), start, end, bytes, 0, bytes.length, true);
}

function replyLibrary(reply: ReplyWriter, library: FunctionLibrary, withCode: boolean): void {
  const { name, functions, code } = library;
  reply.map(withCode ? 4 : 3);
  reply.bulkText("library_name");
  reply.bulkText(name);
  reply.bulkText("engine");
  reply.bulkText("LUA");
  reply.bulkText("functions");
  reply.array(functions.length);
  for (const { name, description, flags } of functions) {
    reply.map(3);
    reply.bulkText("name");
    reply.bulkText(name);
    reply.bulkText("description");
    if (description === null) reply.nullBulk();
    else reply.bulkBinary(description);
    reply.bulkText("flags");
    const names = [...SCRIPT_FLAG_NAMES].filter(([, flag]) => (flags & flag) !== 0);
    reply.set(names.length);
    for (const [name] of names) reply.simple(name);
  }
  if (!withCode) return;
  reply.bulkText("library_code");
  reply.bulk(code, 0, code.length);
}

function functionDump(call: Call): void {
  const { rdbVersion, rdbcompression } = call.engine.parameters.values;
  const codes = Array.from(functionsOf(call).libraries.values(), ({ code }) => code);
  // What failed has left its beginning there.
  payload.clear();
  writeLibraries(payload, codes, rdbVersion, rdbcompression);
  call.reply.bulk(payload.bytes, 0, payload.at);
  payload.clear(PAYLOAD_KEPT_BYTES);
}

function functionKill(call: Call): void {
  killRunning(call, true);
}

function functionStats(call: Call): void {
  const { reply } = call;
  const { libraries, count } = functionsOf(call);
  const running = call.engine.scripts?.running ?? null;
  if (running !== null && !running.isFunction) return reply.error(Errors.busyScript);
  reply.map(2);
  reply.bulkText("running_script");
  if (running === null) reply.nullBulk();
  else replyRunning(reply, running);
  reply.bulkText("engines");
  reply.map(1);
  reply.bulkText("LUA");
  reply.map(2);
  reply.bulkText("libraries_count");
  reply.integer(libraries.size);
  reply.bulkText("functions_count");
  reply.integer(count);
}

function replyRunning(reply: ReplyWriter, { name, durationMs, args }: RunningScript): void {
  reply.map(3);
  reply.bulkText("name");
  reply.bulkText(name);
  reply.bulkText("command");
  reply.array(args.count);
  for (let i = 0; i < args.count; i++) reply.bulk(args.bytesOf(i), args.start(i), args.end(i));
  reply.bulkText("duration_ms");
  reply.integer(durationMs);
}

const POLICIES: readonly RestorePolicy[] = ["flush", "append", "replace"];

/** RESTORE payload [FLUSH | APPEND | REPLACE] */
function functionRestore(call: Call): void {
  const { args, reply } = call;
  if (args.count > 4) return reply.error(unknownOrArity(args));
  const policy = args.count === 3
    ? "append"
    : POLICIES.find((policy) => args.is(3, policy.toUpperCase()));
  if (policy === undefined) return reply.error(Errors.restorePolicy);
  if (!isPayload(args, 2, call.engine.skipsChecksums)) return reply.error(Errors.noPayload);
  const codes = readLibraries(args, 2);
  if (codes instanceof Uint8Array) return reply.error(codes);
  const error = functionsOf(call).restore(codes, policy);
  if (error !== null) return reply.error(error);
  call.engine.keyspace.hooks.dirty++;
  reply.ok();
}

/** What a function declares; one that is missing declares nothing. */
function declaredByFunction(call: Call): number {
  return functionsOf(call).find(call.args, 1)?.flags ?? ScriptFlag.undeclared;
}

/** FCALL function numkeys key … arg … */
function fcall(call: Call): void {
  runFunction(call, false);
}

function fcallRo(call: Call): void {
  runFunction(call, true);
}

function runFunction(call: Call, isReadOnly: boolean): void {
  const { args, reply } = call;
  const functions = functionsOf(call);
  const one = functions.find(args, 1);
  if (one === null) return reply.error(Errors.noSuchFunction);
  const keyCount = args.integerOr(2, Errors.functionKeyCount);
  if (args.error !== null) return reply.error(args.error);
  if (keyCount > args.count - 3) return reply.error(Errors.numkeysTooLarge);
  if (keyCount < 0) return reply.error(Errors.numkeysNegative);
  functions.run(call, one, keyCount, isReadOnly);
}

function functionHelp(call: Call): void {
  replyHelp(call, [
    [
      "LOAD [REPLACE] <FUNCTION CODE>",
      "Loads a library from its source, whose first line names it (#!lua name=<name>).",
      "With REPLACE it may take the place of one with the same name.",
    ],
    ["DELETE <LIBRARY NAME>", "Removes a library and its functions."],
    [
      "LIST [LIBRARYNAME <PATTERN>] [WITHCODE]",
      "Lists libraries, all or those whose names match, with their functions and",
      "if asked with their source.",
    ],
    ["STATS", "The function that runs, its command and its time so far; counts of libraries."],
    ["KILL", "Ends the function that runs, unless it has written."],
    ["FLUSH [ASYNC|SYNC]", "Removes all libraries."],
    ["DUMP", "All libraries as bytes, for FUNCTION RESTORE."],
    [
      "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
      "Loads the libraries that FUNCTION DUMP has returned: all or, after an error, none.",
      "FLUSH removes the present ones, REPLACE those with the same names; with APPEND,",
      "the default, such are an error.",
    ],
  ]);
}

const EVERYWHERE = ["request_policy:all_shards", "response_policy:all_succeeded"];

/** Rows of the table: see engine/command.ts. */
export const functionCommands: readonly CommandSpec[] = [
  {
    name: "fcall",
    usage: "function numkeys:integer [{key}*] [{arg}*]",
    summary: "Calls a function of a library.",
    since: "7.0.0",
    complexity: "Depends on the function",
    flags: Flag.noScript | Flag.stale | Flag.skipMonitor | Flag.noMandatoryKeys |
      Flag.mayReplicate,
    keys: [countedKeys("RW access update", 2, keysNote("RW and UPDATE"))],
    declared: declaredByFunction,
    run: fcall,
  },
  {
    name: "fcall_ro",
    usage: "function numkeys:integer [{key}*] [{arg}*]",
    summary: "Calls a function that does not write.",
    since: "7.0.0",
    complexity: "Depends on the function",
    flags: Flag.readonly | Flag.noScript | Flag.stale | Flag.skipMonitor | Flag.noMandatoryKeys,
    keys: [countedKeys("RO access", 2, keysNote("RO and ACCESS"))],
    declared: declaredByFunction,
    run: fcallRo,
  },
  {
    name: "function",
    usage: "",
    summary: "Loads and manages libraries of functions.",
    since: "7.0.0",
    complexity: "Depends on the subcommand",
    flags: 0,
    subcommands: [
      {
        name: "delete",
        usage: "library-name",
        summary: "Removes a library and its functions.",
        since: "7.0.0",
        complexity: "O(1)",
        flags: Flag.write | Flag.noScript,
        tips: EVERYWHERE,
        run: functionDelete,
      },
      {
        name: "dump",
        usage: "",
        summary: "Returns all libraries as FUNCTION RESTORE takes them.",
        since: "7.0.0",
        complexity: "O(N), where N is the number of functions",
        flags: Flag.noScript,
        run: functionDump,
      },
      {
        name: "flush",
        usage: "[flush-type=(ASYNC | SYNC)]",
        summary: "Removes all libraries.",
        since: "7.0.0",
        complexity: "O(N), where N is the number of functions",
        flags: Flag.write | Flag.noScript,
        tips: EVERYWHERE,
        run: functionFlush,
      },
      {
        name: "help",
        usage: "",
        summary: "Lists the subcommands.",
        since: "7.0.0",
        complexity: "O(1)",
        flags: Flag.loading | Flag.stale,
        run: functionHelp,
      },
      {
        name: "kill",
        usage: "",
        summary: "Ends the function that runs, unless it has written.",
        since: "7.0.0",
        complexity: "O(1)",
        flags: Flag.noScript | Flag.allowBusy,
        tips: ["request_policy:all_shards", "response_policy:one_succeeded"],
        run: functionKill,
      },
      {
        name: "list",
        usage: "[LIBRARYNAME library-name-pattern] [WITHCODE]",
        summary: "Lists libraries and their functions.",
        since: "7.0.0",
        complexity: "O(N), where N is the number of functions",
        flags: Flag.noScript,
        tips: ["nondeterministic_output_order"],
        run: functionList,
      },
      {
        name: "load",
        usage: "[REPLACE] function-code",
        summary: "Loads a library from its source.",
        since: "7.0.0",
        complexity: "O(1), besides running the source",
        flags: Flag.write | Flag.denyOom | Flag.noScript | Flag.needsLua,
        tips: EVERYWHERE,
        run: functionLoad,
      },
      {
        name: "restore",
        usage: "serialized-value [policy=(FLUSH | APPEND | REPLACE)]",
        summary: "Loads the libraries that FUNCTION DUMP has returned.",
        since: "7.0.0",
        complexity: "O(N), where N is the number of functions",
        flags: Flag.write | Flag.denyOom | Flag.noScript | Flag.needsLua,
        tips: EVERYWHERE,
        run: functionRestore,
      },
      {
        name: "stats",
        usage: "",
        summary: "Tells which function runs, and counts libraries and functions.",
        since: "7.0.0",
        complexity: "O(1)",
        flags: Flag.noScript | Flag.allowBusy,
        tips: [
          "nondeterministic_output",
          "request_policy:all_shards",
          "response_policy:special",
        ],
        run: functionStats,
      },
    ],
  },
];

function keysNote(worst: string): string {
  return `We cannot tell how the keys will be used so we assume the worst, ${worst}`;
}
