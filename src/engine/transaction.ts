/**
 * A client's MULTI block and the keys that it watches.
 *
 * A watched key is noted with the client in the engine's `WatchedKeys`; any change of the key marks the
 * transaction broken, and EXEC then answers null.
 */
import type { Database } from "../keyspace/database.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { type Args, argsOf, binaryBytes, binaryText } from "../protocol/args.ts";
import type { Command } from "./command.ts";
import { CommandQueue } from "./command_queue.ts";
import type { Hasher } from "../lib/hash.ts";
import { NameMap } from "../structures/name_map.ts";

/** Memory of a queued command without its arguments, and of a watch without the key's name, roughly. */
const COMMAND_BYTES = 64;
const WATCH_BYTES = 200;

export class Transaction {
  isOpen = false;
  /** A command was refused while queueing: EXEC answers EXECABORT. */
  isAborted = false;
  /** A watched key has changed: EXEC answers null. */
  isBroken = false;
  /** The queued commands. Null until there are some: nearly all clients never use MULTI. */
  #queue: CommandQueue | null = null;
  /** The commands that EXEC is running; null at other times. */
  running: CommandQueue | null = null;
  /** The names of the watched keys in `WatchedKeys`. */
  watched: string[] | null = null;
  /** Memory of the watches, roughly. A name counts for each who watches the key, as who keeps it can't be told. */
  watchBytes = 0;

  /** MULTI. */
  open(): void {
    this.isOpen = true;
  }

  add(command: Command, args: Args, flags = command.flags): void {
    this.#queue ??= new CommandQueue();
    this.#queue.add(command, args, flags);
  }

  /** Whether the client is between MULTI and the end of EXEC. */
  get isUnderWay(): boolean {
    return this.isOpen || this.running !== null;
  }

  get #commands(): CommandQueue | null {
    return this.running ?? this.#queue;
  }

  /** How many commands are queued or being run. */
  get count(): number {
    return this.#commands?.length ?? 0;
  }

  /** Bytes of memory of these commands. */
  get bytes(): number {
    return (this.#commands?.argumentBytes ?? 0) + COMMAND_BYTES * this.count;
  }

  /** Whether a queued command has one of these flags. */
  hasAny(flags: number): boolean {
    return ((this.#queue?.flags ?? 0) & flags) !== 0;
  }

  /** Drops the queued commands and ends the block; watched keys stay watched. */
  reset(): void {
    this.takeQueue()?.free();
  }

  /** Ends the block and returns the queued commands; null if there are none. */
  takeQueue(): CommandQueue | null {
    const queue = this.#queue;
    this.isOpen = this.isAborted = this.isBroken = false;
    this.#queue = null;
    return queue;
  }
}

/** One client's watch of one key, and whether the key had expired when it began, or when its database was exchanged. */
interface Watch {
  readonly transaction: Transaction;
  wasExpired: boolean;
}

/** Who watches which key. Keys are named "database:bytes". */
export class WatchedKeys {
  readonly #watches: NameMap<Watch[]>;

  constructor(hasher: Hasher) {
    this.#watches = new NameMap(hasher);
  }

  /** Keys that somebody watches. */
  get size(): number {
    return this.#watches.size;
  }

  watch(transaction: Transaction, db: Database, args: Args, index: number): void {
    const name = `${db.index}:${args.binary(index)}`;
    const watches = this.#watches.get(name);
    if (watches?.some((watch) => watch.transaction === transaction) === true) return;
    transaction.watched ??= [];
    transaction.watched.push(name);
    transaction.watchBytes += name.length + WATCH_BYTES;
    const watch = { transaction, wasExpired: db.isExpired(args, index) };
    if (watches === undefined) this.#watches.set(name, [watch]);
    else watches.push(watch);
  }

  unwatch(transaction: Transaction): void {
    if (transaction.watched === null) return;
    for (const name of transaction.watched) {
      const rest = this.#watches.get(name)?.filter((watch) => watch.transaction !== transaction);
      if (rest === undefined || rest.length === 0) this.#watches.delete(name);
      else this.#watches.set(name, rest);
    }
    transaction.watched = null;
    transaction.watchBytes = 0;
  }

  /** The key `bytes[start, end)` of `database` has changed; `expired`: it was removed because it had expired. */
  changed(database: number, bytes: Uint8Array, start: number, end: number, expired: boolean): void {
    const watches = this.#watches.get(`${database}:${binaryText(bytes, start, end)}`);
    if (watches === undefined) return;
    for (const { transaction, wasExpired } of watches) {
      // If the key had expired before WATCH, to clients it was missing then and is missing now: no change.
      if (!(expired && wasExpired)) transaction.isBroken = true;
    }
  }

  /** Whether a key that `transaction` watches has expired since WATCH without having been removed yet. */
  hasExpired(transaction: Transaction, keyspace: Keyspace): boolean {
    for (const name of transaction.watched ?? []) {
      const { db, key } = located(name, keyspace);
      const watch = this.#watches.get(name)?.find((watch) => watch.transaction === transaction);
      if (watch?.wasExpired === false && db.isExpired(key, 0)) return true;
    }
    return false;
  }

  /**
   * The contents of `database` are about to go or to be exchanged with those of `other`: breaks every
   * watch on a key which exists before or after. Expired keys are not removed for that.
   */
  databaseChanges(database: Database, other: Database | null): void {
    const prefix = `${database.index}:`;
    for (const [name, watches] of this.#watches) {
      if (!name.startsWith(prefix)) continue;
      const { key } = located(name, database.keyspace);
      const isHere = database.findAny(key, 0) !== 0;
      const isThere = (other?.findAny(key, 0) ?? 0) !== 0;
      const isExpiredThere = other?.isExpired(key, 0) ?? false;
      for (const watch of watches) {
        if ((isHere && !watch.wasExpired) || (isThere && !isExpiredThere)) {
          watch.transaction.isBroken = true;
        }
        watch.wasExpired = isExpiredThere;
      }
    }
  }
}

function located(name: string, keyspace: Keyspace): { db: Database; key: Args } {
  const colon = name.indexOf(":");
  const db = keyspace.databases[Number(name.slice(0, colon))];
  return { db, key: argsOf(binaryBytes(name.slice(colon + 1))) };
}
