// hot path
/** What a command sees while it runs. One object a client, reused for every request. */
import type { Database } from "../keyspace/database.ts";
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import type { Client } from "./client.ts";
import type { Command } from "./command.ts";
import type { Engine } from "./engine.ts";
import type { Propagation } from "./propagation.ts";

export class Call {
  args: Args;
  reply: ReplyWriter;
  /** The database that the client has selected. */
  db: Database;
  /** The command that runs (the subcommand, where there is one). */
  command: Command | null = null;
  /** The error that it replies with has been counted where it came from: a script returns that of a command it has called. */
  isFailureCounted = false;

  constructor(readonly engine: Engine, readonly client: Client, args: Args, reply: ReplyWriter) {
    this.args = args;
    this.reply = reply;
    this.db = engine.keyspace.databases[0];
  }

  /** Replies with the error that reading the arguments has left, if any; returns whether there was one. */
  failed(): boolean {
    if (this.args.error === null) return false;
    this.reply.error(this.args.error);
    return true;
  }

  /**
   * Begins a command of `count` words that is propagated in place of this one; further calls add further commands.
   * For commands that would not do the same when run again (SPOP, EXPIRE). Null if nothing is propagated.
   */
  rewrite(count: number): Propagation | null {
    const { propagation } = this.engine;
    propagation.wasRewritten = true;
    return propagation.isOn ? propagation.begin(this.db.index, count) : null;
  }

  /** This command is not propagated: its changes have been propagated one by one. */
  rewriteToNothing(): void {
    this.engine.propagation.wasRewritten = true;
  }

  /** See Blocking.block. */
  block(
    first: number,
    last: number,
    type: number,
    timeoutMs: number,
    wakesWhenGone = false,
  ): boolean {
    const { blocking } = this.engine;
    return blocking.block(this.client, first, last, type, timeoutMs, wakesWhenGone);
  }

  /** Unix time in ms, the same for the whole batch. */
  get nowMs(): number {
    return this.engine.clock.nowMs();
  }
}
