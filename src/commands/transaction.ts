/** MULTI and its kin: https://redis.io/docs/latest/commands/?group=transactions */
import type { Call } from "../engine/call.ts";
import { type Command, type CommandSpec, Flag, keyRange } from "../engine/command.ts";
import type { CommandQueue } from "../engine/command_queue.ts";
import { assert } from "../lib/assert.ts";
import type { Args } from "../protocol/args.ts";
import { Errors } from "../protocol/errors.ts";

function multi({ reply, client }: Call): void {
  if (client.transaction.isOpen) return reply.error(Errors.nestedMulti);
  client.transaction.open();
  reply.ok();
}

function discard({ reply, client, engine }: Call): void {
  if (!client.transaction.isOpen) return reply.error(Errors.discardWithoutMulti);
  client.transaction.reset();
  engine.watchedKeys.unwatch(client.transaction);
  reply.ok();
}

/** Runs the queued commands one after another; nothing comes between them. */
function exec(call: Call): void {
  const { reply, client, engine } = call;
  const { transaction } = client;
  if (!transaction.isOpen) return reply.error(Errors.execWithoutMulti);
  const { isAborted } = transaction;
  const isBroken = transaction.isBroken ||
    engine.watchedKeys.hasExpired(transaction, engine.keyspace);
  const queue = transaction.takeQueue();
  engine.watchedKeys.unwatch(transaction);
  if (isAborted || isBroken) {
    queue?.free();
    return isAborted ? reply.error(Errors.execAbort) : reply.nullArray();
  }

  transaction.running = queue;
  engine.blocking.denied++;
  const isMuted = client.replyMode !== "on";
  if (!isMuted) reply.array(queue?.length ?? 0);
  if (queue === null) return endExec(call, call.args, call.command);
  runRest(call, queue, isMuted, call.args, call.command);
}

/**
 * Runs the commands of a transaction that have not been run yet. Their replies follow one by one, as CLIENT REPLY may be
 * among the commands. If a script among them is suspended, this goes on with the next one when that is over.
 */
function runRest(
  call: Call,
  queue: CommandQueue,
  isMuted: boolean,
  own: Args,
  command: Command | null,
): void {
  const { client, engine, reply } = call;
  const { evaluator, suspension } = engine;
  /** What follows each command. SKIP is for the next one after EXEC. */
  function muteIfAsked(mark: number): void {
    if (client.replyMode !== "skip") isMuted = client.replyMode === "off";
    if (isMuted) reply.rewind(mark);
  }
  evaluator.beginQueue(client);
  const isOver = queue.forEach(
    (pipeline) => evaluator.prefetch(client, pipeline),
    (queued, args) => {
      call.args = args;
      const mark = reply.mark();
      const refusal = evaluator.refusalAgain(client, queued);
      if (refusal !== null) reply.error(refusal);
      else evaluator.runQueued(client, queued);
      if (suspension.client === client) {
        suspension.later(() => muteIfAsked(mark));
        return false;
      }
      muteIfAsked(mark);
      return true;
    },
  );
  evaluator.endQueue();
  if (suspension.client === client) {
    return suspension.later(() => runRest(call, queue, isMuted, own, command));
  }
  assert(isOver, "only a script that is suspended stops a transaction");
  endExec(call, own, command);
}

/** All commands of the transaction have been run; `own` and `command` are those of EXEC. */
function endExec(call: Call, own: Args, command: Command | null): void {
  const { client: { transaction }, engine } = call;
  engine.blocking.denied--;
  transaction.running?.free();
  transaction.running = null;
  call.rewriteToNothing();
  call.args = own;
  call.command = command;
}

function watch({ args, reply, client, db, engine }: Call): void {
  if (client.transaction.isOpen) return reply.error(Errors.watchInsideMulti);
  for (let i = 1; i < args.count; i++) {
    engine.watchedKeys.watch(client.transaction, db, args, i);
  }
  reply.ok();
}

function unwatch({ reply, client, engine }: Call): void {
  engine.watchedKeys.unwatch(client.transaction);
  client.transaction.isBroken = false;
  reply.ok();
}

/** Rows of the table: see engine/command.ts. */
export const transactionCommands: readonly CommandSpec[] = [
  {
    name: "discard",
    usage: "",
    summary: "Forgets the commands of a transaction.",
    since: "2.0.0",
    complexity: "O(N)",
    flags: Flag.noScript | Flag.loading | Flag.stale | Flag.fast | Flag.allowBusy | Flag.unqueued,
    run: discard,
  },
  {
    name: "exec",
    usage: "",
    summary: "Runs the commands of a transaction.",
    since: "1.2.0",
    complexity: "Depends on the subcommand",
    flags: Flag.noScript | Flag.loading | Flag.stale | Flag.skipSlowlog | Flag.unqueued,
    run: exec,
  },
  {
    name: "multi",
    usage: "",
    summary: "Begins a transaction: commands are queued until EXEC.",
    since: "1.2.0",
    complexity: "O(1)",
    flags: Flag.noScript | Flag.loading | Flag.stale | Flag.fast | Flag.allowBusy | Flag.unqueued,
    run: multi,
  },
  {
    name: "unwatch",
    usage: "",
    summary: "Forgets the watched keys.",
    since: "2.2.0",
    complexity: "O(1)",
    flags: Flag.noScript | Flag.loading | Flag.stale | Flag.fast | Flag.allowBusy,
    run: unwatch,
  },
  {
    name: "watch",
    usage: "{key}*",
    summary: "Watches keys: EXEC does nothing if one of them changes before.",
    since: "2.2.0",
    complexity: "O(1)",
    flags: Flag.noScript | Flag.loading | Flag.stale | Flag.fast | Flag.allowBusy | Flag.unqueued,
    keys: [keyRange("RO", 1, -1, 1)],
    run: watch,
  },
];
