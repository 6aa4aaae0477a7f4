/**
 * A script that runs for longer than `busy-reply-threshold` is suspended again and again, so that other clients hear -BUSY
 * and can end it. Meanwhile its command, and an EXEC around it, are half done: nothing else may touch the data.
 *
 * Each function between the script and the client's connection returns early then, and leaves here what it would have done
 * next. When the script is over, that is done in the same order.
 */
import { assert } from "../lib/assert.ts";
import type { Client } from "./client.ts";
import type { Engine } from "./engine.ts";

/** What makes a client wait: only the end of the script ends that. */
const UNTIL_IT_ENDS = { unblock() {} };

export class Suspension {
  /** Whose command is suspended; null at all other times. */
  client: Client | null = null;
  /** Where the command's reply begins, once it is written: replies before it may have been sent meanwhile. */
  replyStart = 0;
  #stages: (() => void)[] = [];
  #noTouch = false;
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The running command of `client` has been suspended. */
  begin(client: Client): void {
    assert(this.client === null, "one script runs at a time");
    const { keyspace, propagation } = this.#engine;
    this.client = client;
    client.blocked = UNTIL_IT_ENDS;
    // The arguments lie in a buffer that is read into while the client waits.
    client.call.args = client.call.args.copy();
    this.#noTouch = keyspace.noTouch;
    propagation.holdsUnit = true;
    this.leave();
  }

  /** Has `stage` done when the script is over, behind all that has been left before. */
  later(stage: () => void): void {
    this.#stages.push(stage);
  }

  /** The script goes on for a moment, or does its last things: it may touch the data. */
  enter(): void {
    const { keyspace } = this.#engine;
    this.#engine.actor = this.client;
    keyspace.noTouch = this.#noTouch;
    keyspace.hooks.isForbidden = false;
  }

  leave(): void {
    this.#engine.actor = null;
    this.#engine.keyspace.hooks.isForbidden = true;
  }

  /** The script is over: does all that was left, unless another script is suspended on the way. Returns whether all is done. */
  finish(): boolean {
    const { client } = this;
    assert(client !== null, "a script was suspended");
    this.enter();
    this.#engine.keyspace.hooks.allow();
    this.#engine.propagation.holdsUnit = false;
    this.client = null;
    client.blocked = null;
    this.replyStart = client.reply.mark();
    const stages = this.#stages;
    this.#stages = [];
    for (let i = 0; i < stages.length; i++) {
      stages[i]();
      if (this.client === null) continue;
      this.#stages.push(...stages.slice(i + 1));
      return false;
    }
    client.call.args = client.args;
    return true;
  }
}
