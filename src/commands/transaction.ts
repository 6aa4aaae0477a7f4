/** MULTI and its kin: https://redis.io/docs/latest/commands/?group=transactions */
import type { Call } from "../engine/call.ts";
import { Errors } from "../protocol/errors.ts";

export function multi({ reply, client }: Call): void {
  if (client.transaction.isOpen) return reply.error(Errors.nestedMulti);
  client.transaction.isOpen = true;
  reply.ok();
}

export function discard({ reply, client, engine }: Call): void {
  if (!client.transaction.isOpen) return reply.error(Errors.discardWithoutMulti);
  client.transaction.reset();
  engine.watchedKeys.unwatch(client.transaction);
  reply.ok();
}

/** Runs the queued commands one after another; nothing comes between them. */
export function exec(call: Call): void {
  const { reply, client, engine } = call;
  const { transaction } = client;
  if (!transaction.isOpen) return reply.error(Errors.execWithoutMulti);
  const { queue, isAborted } = transaction;
  const isBroken = transaction.isBroken ||
    engine.watchedKeys.hasExpired(transaction, engine.keyspace);
  transaction.reset();
  engine.watchedKeys.unwatch(transaction);
  if (isAborted) return reply.error(Errors.execAbort);
  if (isBroken) return reply.nullArray();

  const own = call.args;
  const command = call.command;
  reply.array(queue.length);
  for (const queued of queue) {
    call.args = queued.args;
    const refusal = engine.evaluator.refusalInside(client, queued.command);
    if (refusal !== null) reply.error(refusal);
    else engine.evaluator.run(client, queued.command);
  }
  call.args = own;
  call.command = command;
}

export function watch({ args, reply, client, db, engine }: Call): void {
  if (client.transaction.isOpen) return reply.error(Errors.watchInsideMulti);
  for (let i = 1; i < args.count; i++) {
    engine.watchedKeys.watch(client.transaction, db, args, i);
  }
  reply.ok();
}

export function unwatch({ reply, client, engine }: Call): void {
  engine.watchedKeys.unwatch(client.transaction);
  client.transaction.isBroken = false;
  reply.ok();
}
