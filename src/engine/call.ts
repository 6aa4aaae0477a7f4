// hot path
/** What a command sees while it runs. One object a client, reused for every request. */
import type { Database } from "../keyspace/database.ts";
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import type { Client } from "./client.ts";
import type { Command } from "./command.ts";
import type { Engine } from "./engine.ts";

export class Call {
  args: Args;
  reply: ReplyWriter;
  /** The database that the client has selected. */
  db: Database;
  /** The command that runs (the subcommand, where there is one). */
  command: Command | null = null;

  constructor(readonly engine: Engine, readonly client: Client, args: Args, reply: ReplyWriter) {
    this.args = args;
    this.reply = reply;
    this.db = engine.keyspace.databases[0];
  }

  /** Answers the failure that reading the arguments left; returns whether there was one. */
  failed(): boolean {
    if (this.args.error === null) return false;
    this.reply.error(this.args.error);
    return true;
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
