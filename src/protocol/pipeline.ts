// hot path
/**
 * The next requests of one connection, decoded before the first of them runs, so that a listener can prepare all of
 * them at once.
 */
import type { Hasher } from "../lib/hash.ts";
import type { Scratch } from "../lib/scratch.ts";
import { NO_BYTES, NO_VIEW } from "../lib/slice.ts";
import { type Args, ROOM_COUNT } from "./args.ts";

/** At most so many requests are decoded ahead: 32 were no quicker. */
export const PIPELINE_ROOM = 16;
/** A listener is called for so many requests or more. */
export const ANNOUNCED_MIN = 4;

/** Is called when requests were decoded ahead, before the first of them is taken. */
export interface PipelineListener {
  onReadAhead(pipeline: Pipeline): void;
}

export class Pipeline implements Scratch {
  /** What the bounds point into. */
  bytes: Uint8Array = NO_BYTES;
  view: DataView = NO_VIEW;
  /** A request's (start, end) pairs, one for each argument: what its `Args.bounds` will be. */
  readonly bounds: readonly Int32Array[] = Array.from(
    { length: PIPELINE_ROOM },
    () => new Int32Array(2 * ROOM_COUNT),
  );
  /** How many arguments each request has. */
  readonly sizes = new Int32Array(PIPELINE_ROOM);
  /** Where the listener puts the hashes of one argument of each request, before it calls `areHashed`. */
  readonly hashes = new Int32Array(PIPELINE_ROOM);
  /** The argument whose hashes are in `hashes`; 0 for none. */
  #hashed = 0;
  /** Gets the hash of each request when that request is taken. */
  #hasher: Hasher | null = null;
  /** Requests decoded. */
  count = 0;
  #taken = 0;
  readonly #ends = new Int32Array(PIPELINE_ROOM);
  #owner: object | null = null;

  /** Whether requests of `owner` wait to be taken. */
  hasNext(owner: object): boolean {
    return this.#taken < this.count && this.#owner === owner;
  }

  /** Requests of `owner` follow; drops those that another owner has left. */
  begin(owner: object, bytes: Uint8Array, view: DataView): void {
    this.#owner = owner;
    this.bytes = bytes;
    this.view = view;
    this.count = this.#taken = 0;
    this.#hashed = 0;
    this.#hasher?.forget();
  }

  /** The listener has put the hashes of argument `index` into `hashes`, for the requests that have one. */
  areHashed(index: number, hasher: Hasher): void {
    this.#hashed = index;
    this.#hasher = hasher;
  }

  /** The argument whose hashes the listener has put into `hashes`; 0 for none. */
  get hashed(): number {
    return this.#hashed;
  }

  /** Adds a request of so many arguments, whose bounds have been written, and which ends at `end`. */
  push(size: number, end: number): void {
    this.sizes[this.count] = size;
    this.#ends[this.count++] = end;
  }

  /** Puts the next request into `args`; returns where it ends. */
  take(args: Args): number {
    const index = this.#taken++;
    const bounds = this.bounds[index];
    const { view } = this;
    const hashed = this.#hashed;
    args.borrow(bounds, this.sizes[index]);
    args.use(this.bytes, view);
    if (hashed > 0 && args.count > hashed) {
      this.#hasher?.prepare(view, bounds[2 * hashed], bounds[2 * hashed + 1], this.hashes[index]);
    }
    return this.#ends[index];
  }

  /** Drops the requests of `owner`, whose bytes are about to move: it decodes them again later. */
  drop(owner: object): void {
    if (this.#owner !== owner) return;
    this.count = 0;
    this.#hasher?.forget();
  }

  /** Drops all requests that wait: their owner decodes them again later. */
  forget(): void {
    this.#owner = null;
    this.count = 0;
    this.bytes = NO_BYTES;
    this.view = NO_VIEW;
    this.#hasher?.forget();
    this.#hasher = null;
  }
}
