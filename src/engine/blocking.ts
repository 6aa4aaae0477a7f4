/**
 * Clients that wait for a key to get something: BLPOP and its like.
 *
 * A blocking command first tries to serve its client. Where nothing is to be had it calls
 * `Call.block`, and its client waits on each of the keys, in order of arrival. A change of such a key marks it
 * ready; when the command that did it is over (for EXEC, the whole transaction) the commands of those
 * that wait are run again, the first first, with the arguments they came with. One that blocks again
 * keeps its place. Serving may make other keys ready, so this goes on until none is. While clients are
 * paused keys stay ready, as those who wait may write.
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
  /** Handle of its deadline; 0 if it waits for ever. */
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

/** Those who wait for one key, which `args` names at `index`. */
interface Queue {
  readonly db: Database;
  readonly args: Args;
  readonly index: number;
  /** In order of arrival. */
  readonly waiters: Set<Waiter>;
  /** The key has changed, and nobody who waits for it has looked. */
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
  /** Above 0 commands run that may not block: a transaction, a script. */
  denied = 0;
  /** Whose command is run again. */
  #retried: Waiter | null = null;
  #isAgain = false;
  #isServing = false;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#queues = new NameMap(engine.keyspace.hasher);
  }

  /** Keys that somebody waits for. */
  get keyCount(): number {
    return this.#queues.size;
  }

  /** Keys that somebody waits for who wants to know when they are gone. */
  get goneKeyCount(): number {
    let count = 0;
    for (const { waiters } of this.#queues.values()) {
      if ([...waiters].some((waiter) => waiter.wakesWhenGone)) count++;
    }
    return count;
  }

  /** Clients whose wait has an end. */
  get deadlineCount(): number {
    const waiting = new Set<Waiter>();
    for (const { waiters } of this.#queues.values()) {
      for (const waiter of waiters) if (waiter.deadline !== 0) waiting.add(waiter);
    }
    return waiting.size;
  }

  /** Whether keys became ready that nobody has looked at. */
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

  /** Lets it wait for the key at argument `index`, and adds the key's name to `names` unless it is there already. */
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

  /** The database's contents are others now. */
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

  /** Serves those who wait for keys that are ready. The command that changed them is over. */
  serve(): void {
    const { pause, clock } = this.#engine;
    if (pause.isOn(clock.nowMs())) return;
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
      // Whoever looks at a key that is past its deadline removes it, but not on behalf of one who waits.
      const ref = db.isExpired(args, index) ? 0 : db.find(args, index);
      // Of those who wait for one key some may want a list, others a sorted set.
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
    const { evaluator, propagation, clock } = this.#engine;
    const startUs = clock.monotonicUs();
    evaluator.runBlocked(client, command);
    if (!this.#isAgain) evaluator.bookBlocked(client, command, clock.monotonicUs() - startUs);
    propagation.endUnit();
    call.args = own;
    call.db = selected;
    this.#retried = null;
    if (!this.#isAgain) this.#release(waiter, mark);
  }

  /** Ends a wait: with an error, or with the null of a wait in vain. */
  end(waiter: Waiter, error: ErrorReply | null): void {
    const { reply, call } = waiter.client;
    const own = call.args;
    call.args = waiter.args;
    this.#engine.evaluator.bookBlocked(waiter.client, waiter.command, 0);
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

  /** The client has got its reply, from `mark` on: it goes on with what it has sent meanwhile. */
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
