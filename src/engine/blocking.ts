/**
 * Clients that wait for a key to get something: BLPOP and its like.
 *
 * A blocking command first tries to serve its client. If there is nothing to take it calls
 * `Call.block`, and its client waits on each of the keys, in order of arrival. A change of such a key marks it
 * ready; when the command that changed it is over (for EXEC, the whole transaction), the commands of the waiting
 * clients are run again in order of arrival, with their original arguments. One that blocks again
 * keeps its place. Serving may make other keys ready, so this goes on until none is. While clients are
 * paused, or a script is suspended, nobody is served, as the waiting commands may write; the keys stay ready.
 */
import type { Database } from "../keyspace/database.ts";
import { type Args, binaryText } from "../protocol/args.ts";
import { type ErrorReply, Errors } from "../protocol/errors.ts";
import type { Client } from "./client.ts";
import type { Command } from "./command.ts";
import type { Engine } from "./engine.ts";
import { NameMap } from "../structures/name_map.ts";

/** A blocked client and its request. */
class Waiter {
  /** Handle of the deadline of its timeout; 0 if it waits for ever. */
  deadline = 0;
  isOver = false;

  constructor(
    readonly client: Client,
    readonly command: Command,
    readonly args: Args,
    readonly db: Database,
    readonly type: number,
    readonly wakesWhenGone: boolean,
    readonly names: readonly string[],
    readonly blocking: Blocking,
  ) {}

  /** CLIENT UNBLOCK. */
  unblock(reason: "timeout" | "error"): void {
    this.blocking.end(this, reason === "error" ? Errors.unblocked : null);
  }
}

/** The clients that wait for one key, which `args` names at `index`. */
interface Queue {
  readonly db: Database;
  readonly args: Args;
  readonly index: number;
  /** In order of arrival. */
  readonly waiters: Set<Waiter>;
  /** The key has changed, and the waiting commands have not been run again yet. */
  isReady: boolean;
}

export class Blocking {
  readonly #engine: Engine;
  /** By the key's name: see `nameOf`. */
  readonly #queues: NameMap<Queue>;
  /** Queues whose key became ready, in that order. */
  #ready: Queue[] = [];
  /** Clients that wait. */
  clientCount = 0;
  /** While this is above 0 no command may block: a transaction, a script or the append-only file is being run. */
  denied = 0;
  /** The waiter whose command is being run again. */
  #retried: Waiter | null = null;
  #isAgain = false;
  #isServing = false;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#queues = new NameMap(engine.keyspace.hasher);
  }

  /** The number of keys that somebody waits for. */
  get keyCount(): number {
    return this.#queues.size;
  }

  /** The number of keys with a waiter that is also woken when the key is removed (XREADGROUP). */
  get goneKeyCount(): number {
    let count = 0;
    for (const { waiters } of this.#queues.values()) {
      if ([...waiters].some((waiter) => waiter.wakesWhenGone)) count++;
    }
    return count;
  }

  /** The number of clients that wait with a timeout. */
  get deadlineCount(): number {
    const waiting = new Set<Waiter>();
    for (const { waiters } of this.#queues.values()) {
      for (const waiter of waiters) if (waiter.deadline !== 0) waiting.add(waiter);
    }
    return waiting.size;
  }

  /** Whether there are ready keys that have not been served. */
  get hasReady(): boolean {
    return this.#ready.length > 0 && !this.#isServing;
  }

  /**
   * Makes `client` wait for the keys at arguments `first` to `last` to hold a value of `type`, for `timeoutMs`
   * (0: for ever). With `wakesWhenGone` the command is run again also when such a key was removed or holds
   * another type, to answer an error. Returns false if it may not wait: the command then answers that
   * nothing is there.
   */
  block(
    client: Client,
    first: number,
    last: number,
    type: number,
    timeoutMs: number,
    wakesWhenGone: boolean,
  ): boolean {
    if (this.#retried?.client === client) {
      this.#isAgain = true;
      return true;
    }
    const { command, db } = client.call;
    if (this.denied > 0 || command === null) return false;
    const args = client.call.args.copy();
    const names: string[] = [];
    const waiter = new Waiter(client, command, args, db, type, wakesWhenGone, names, this);
    for (let i = first; i <= last; i++) this.#enqueue(waiter, i, names);
    if (timeoutMs > 0) {
      const deadline = this.#engine.clock.nowMs() + timeoutMs;
      waiter.deadline = this.#engine.deadlines.at(deadline, () => {
        waiter.deadline = 0;
        this.end(waiter, null);
      });
    }
    client.blocked = waiter;
    this.clientCount++;
    return true;
  }

  /** Adds the waiter to the queue of the key at argument `index`, and the key's name to `names` if it is new there. */
  #enqueue(waiter: Waiter, index: number, names: string[]): void {
    const { args, db } = waiter;
    const name = nameOf(db.index, args.bytesOf(index), args.start(index), args.end(index));
    const queue = this.#queues.get(name);
    if (queue?.waiters.has(waiter) === true) return;
    if (queue !== undefined) queue.waiters.add(waiter);
    else {
      this.#queues.set(name, { db, args, index, waiters: new Set([waiter]), isReady: false });
    }
    names.push(name);
  }

  /** The key `bytes[start, end)` has changed. */
  changed(database: number, bytes: Uint8Array, start: number, end: number): void {
    const queue = this.#queues.get(nameOf(database, bytes, start, end));
    if (queue !== undefined) this.#makeReady(queue);
  }

  /** The contents of the database were exchanged or emptied: any of its keys may have changed. */
  databaseChanged(index: number): void {
    for (const queue of this.#queues.values()) {
      if (queue.db.index === index) this.#makeReady(queue);
    }
  }

  #makeReady(queue: Queue): void {
    if (queue.isReady) return;
    queue.isReady = true;
    this.#ready.push(queue);
  }

  /** Serves those who wait for keys that are ready; called when the command that changed these is over. */
  serve(): void {
    const { pause, clock, keyspace } = this.#engine;
    if (pause.isOn(clock.nowMs()) || keyspace.hooks.isForbidden) return;
    this.#isServing = true;
    while (this.#ready.length > 0) {
      const ready = this.#ready;
      this.#ready = [];
      for (const queue of ready) queue.isReady = false;
      for (const queue of ready) this.#serveQueue(queue);
    }
    this.#isServing = false;
  }

  #serveQueue({ db, args, index, waiters }: Queue): void {
    for (const waiter of [...waiters]) {
      if (waiter.isOver) continue;
      // find() would delete an expired key; a waiting client must not cause that.
      const ref = db.isExpired(args, index) ? 0 : db.find(args, index);
      // Clients that wait for the same key may need different types: BLPOP a list, BZPOPMIN a sorted set.
      const isThere = ref !== 0 && db.keyspace.entries.typeOf(ref) === waiter.type;
      if (isThere || waiter.wakesWhenGone) this.#retry(waiter);
    }
  }

  #retry(waiter: Waiter): void {
    const { client, command, args, db } = waiter;
    const { call } = client;
    const { args: own, db: selected } = call;
    const mark = client.reply.mark();
    this.#retried = waiter;
    this.#isAgain = false;
    call.args = args;
    call.db = db;
    const { evaluator, propagation, clock, actor } = this.#engine;
    this.#engine.actor = client;
    const startUs = clock.monotonicUs();
    client.isRunning = true;
    const hasRun = evaluator.runBlocked(client, command);
    if (hasRun && !this.#isAgain) {
      evaluator.countBlocked(client, command, clock.monotonicUs() - startUs);
    }
    propagation.endUnit();
    call.args = own;
    call.db = selected;
    this.#retried = null;
    this.#engine.actor = actor;
    if (!this.#isAgain) this.#release(waiter, mark);
    this.#engine.pushes.end(client);
  }

  /** Ends a wait that was not served: answers the error, or null if there is none. */
  end(waiter: Waiter, error: ErrorReply | null): void {
    const { reply, call } = waiter.client;
    const own = call.args;
    call.args = waiter.args;
    this.#engine.evaluator.countBlocked(waiter.client, waiter.command, 0);
    call.args = own;
    const mark = reply.mark();
    if (error === null) reply.nullArray();
    else {
      reply.error(error);
      waiter.command.stats.failed++;
      this.#engine.counters.countError(error);
    }
    this.#release(waiter, mark);
  }

  /** The wait is over and its reply stands from `mark` on: the client goes on with the requests it has sent meanwhile. */
  #release(waiter: Waiter, mark: number): void {
    const { client } = waiter;
    this.#forget(waiter);
    if (client.replyMode !== "on") client.reply.rewind(mark);
    if (client.replyMode === "skip") client.replyMode = "on";
    this.#engine.toFlush.add(client);
    client.transport.resume();
  }

  /** A client has gone. */
  removeClient(client: Client): void {
    if (client.blocked instanceof Waiter) this.#forget(client.blocked);
  }

  #forget(waiter: Waiter): void {
    if (waiter.isOver) return;
    waiter.isOver = true;
    waiter.client.blocked = null;
    this.clientCount--;
    if (waiter.deadline !== 0) this.#engine.deadlines.cancel(waiter.deadline);
    for (const name of waiter.names) {
      const queue = this.#queues.get(name);
      if (queue === undefined) continue;
      queue.waiters.delete(waiter);
      if (queue.waiters.size === 0) this.#queues.delete(name);
    }
  }
}

/** A key's name: its database and its bytes. */
function nameOf(database: number, bytes: Uint8Array, start: number, end: number): string {
  return `${database}:${binaryText(bytes, start, end)}`;
}
