/**
 * A client's MULTI block and the keys that it watches.
 *
 * A watched key is noted with the client in the engine's `WatchedKeys`; any change of the key marks the
 * transaction broken, and EXEC then answers null.
 */
import { binaryText } from "../protocol/args.ts";
import type { Args } from "../protocol/args.ts";
import type { Command } from "./command.ts";

export interface QueuedCommand {
  readonly command: Command;
  readonly args: Args;
}

export class Transaction {
  isOpen = false;
  /** A command was refused while queueing: EXEC answers EXECABORT. */
  isAborted = false;
  /** A watched key has changed: EXEC answers null. */
  isBroken = false;
  queue: QueuedCommand[] = [];
  /** Bytes of the queued arguments. */
  bytes = 0;
  /** The names of the watched keys in `WatchedKeys`. */
  readonly watched = new Set<string>();

  add(command: Command, args: Args): void {
    const copy = args.copy();
    this.queue.push({ command, args: copy });
    this.bytes += copy.bytes.length + 64;
  }

  /** Forgets the block; what is watched stays. */
  reset(): void {
    this.isOpen = this.isAborted = this.isBroken = false;
    this.queue = [];
    this.bytes = 0;
  }
}

/** What a watcher must know of a key that it watches. */
interface Watch {
  readonly transaction: Transaction;
  /** The key was past its deadline when the watch began: its removal is no change. */
  readonly wasExpired: boolean;
}

/** Who watches which key. */
export class WatchedKeys {
  readonly #watches = new Map<string, Watch[]>();

  /** Keys that somebody watches. */
  get size(): number {
    return this.#watches.size;
  }

  watch(
    transaction: Transaction,
    database: number,
    args: Args,
    index: number,
    wasExpired: boolean,
  ): void {
    const name = `${database}:${args.binary(index)}`;
    if (transaction.watched.has(name)) return;
    transaction.watched.add(name);
    const watches = this.#watches.get(name);
    if (watches === undefined) this.#watches.set(name, [{ transaction, wasExpired }]);
    else watches.push({ transaction, wasExpired });
  }

  unwatch(transaction: Transaction): void {
    for (const name of transaction.watched) {
      const rest = this.#watches.get(name)?.filter((watch) => watch.transaction !== transaction);
      if (rest === undefined || rest.length === 0) this.#watches.delete(name);
      else this.#watches.set(name, rest);
    }
    transaction.watched.clear();
  }

  /** `bytes[start, end)` of `database` has changed; `expired` if because its time had come. */
  changed(database: number, bytes: Uint8Array, start: number, end: number, expired: boolean): void {
    const watches = this.#watches.get(`${database}:${binaryText(bytes, start, end)}`);
    if (watches === undefined) return;
    for (const { transaction, wasExpired } of watches) {
      if (!(expired && wasExpired)) transaction.isBroken = true;
    }
  }

  /**
   * A database is emptied or exchanged. `isAffected` says whether a key of it exists before or after:
   * a watch on a key that is missing in both is not broken.
   */
  touchDatabase(database: number, isAffected: (key: string) => boolean): void {
    const prefix = `${database}:`;
    for (const [name, watches] of this.#watches) {
      if (!name.startsWith(prefix) || !isAffected(name.slice(prefix.length))) continue;
      for (const { transaction } of watches) transaction.isBroken = true;
    }
  }
}
