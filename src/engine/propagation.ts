/**
 * Where changes go: the append-only file and the replication backlog have this shape and are plugged in
 * by the app. With none plugged in a change costs a null check.
 */
import type { Args } from "../protocol/args.ts";

export interface Propagation {
  /** One command that has changed `database`, to be replayed as it stands. */
  append(database: number, args: Args): void;
  /** The batch of requests that one read brought is over. */
  endOfBatch(): void;
}
