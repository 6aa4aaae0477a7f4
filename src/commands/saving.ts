/** Commands that save and rewrite. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag } from "../engine/command.ts";
import type { BackgroundStart, BackgroundTime } from "../engine/persistence_calls.ts";
import { type ErrorReply, Errors } from "../protocol/errors.ts";

function save({ reply, engine }: Call): void {
  const error = engine.persistence === null ? Errors.failed : engine.persistence.saveNow();
  if (error === null) reply.ok();
  else reply.error(error);
}

function bgsave(call: Call): void {
  const { args, reply, engine } = call;
  const mayWait = args.count === 2 && args.is(1, "SCHEDULE");
  if (args.count > 1 && !mayWait) return reply.error(Errors.syntax);
  const time = timeFor(call, mayWait ? "soon" : "now");
  const started = engine.persistence?.saveInBackground(time) ?? Errors.failed;
  replyStart(reply, started, "Background saving");
}

/** What EXEC runs begins after it: the snapshot contains the whole transaction. */
function timeFor({ client }: Call, asked: BackgroundTime): BackgroundTime {
  return client.transaction.running === null ? asked : "later";
}

function bgrewriteaof(call: Call): void {
  const { reply, engine } = call;
  const started = engine.persistence?.rewriteLog(timeFor(call, "soon")) ?? Errors.rewriteFailed;
  replyStart(reply, started, "Background append only file rewriting");
}

function replyStart(
  reply: Call["reply"],
  started: BackgroundStart | ErrorReply,
  what: string,
): void {
  if (typeof started === "string") reply.simple(`${what} ${started}`);
  else reply.error(started);
}

function lastsave({ reply, engine }: Call): void {
  reply.integer(Math.floor((engine.persistence?.lastSaveMs ?? engine.startedMs) / 1000));
}

/** Rows of the table: see engine/command.ts. */
export const savingCommands: readonly CommandSpec[] = [
  {
    name: "save",
    usage: "",
    summary: "Saves all data to disk, and lets nobody else run meanwhile.",
    since: "1.0.0",
    complexity: "O(N)",
    flags: Flag.noAsyncLoading | Flag.admin | Flag.noScript | Flag.noMulti,
    run: save,
  },
  {
    name: "bgsave",
    usage: "[SCHEDULE]@3.2.2",
    summary: "Saves all data to disk while others go on.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.noAsyncLoading | Flag.admin | Flag.noScript,
    history: [["3.2.2", "SCHEDULE."]],
    run: bgsave,
  },
  {
    name: "bgrewriteaof",
    usage: "",
    summary: "Rewrites the append-only file so that it is as short as it can be.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.noAsyncLoading | Flag.admin | Flag.noScript,
    run: bgrewriteaof,
  },
  {
    name: "lastsave",
    usage: "",
    summary: "Returns the Unix time of the last successful save.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.loading | Flag.stale | Flag.fast,
    acl: ["admin", "dangerous"],
    tips: ["nondeterministic_output"],
    run: lastsave,
  },
];
