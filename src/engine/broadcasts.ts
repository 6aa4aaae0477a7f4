// hot path
/**
 * Client-side caching in broadcast mode: clients name prefixes and hear of each change of a key that begins so. Changes
 * are gathered until the end of the turn of the event loop, so that a transaction or a pipeline makes one message a prefix,
 * in which each key stands once. A client with NOLOOP does not hear of keys that it has changed last itself.
 *
 * The gathered keys are kept once for all prefixes; in the order of their bytes, those of a prefix lie together.
 */
import { beginsWith, Slice } from "../lib/slice.ts";
import { ReplyWriter } from "../protocol/reply_writer.ts";
import { ChangedKeys } from "../structures/changed_keys.ts";
import type { Engine } from "./engine.ts";
import { Prefix, type Tracker } from "./tracker.ts";

/** The author of a change that no client has made; ids of clients begin at 1. */
export const NOBODY = 0;
/** Memory of a prefix beside its bytes. */
const PREFIX_BYTES = 100;
/** A larger buffer is given back after the message. */
const KEPT_BYTES = 64 * 1024;

/** Where a message for `tracker` is written, behind its head; null if nobody can be told. */
export type MessageOpener = (tracker: Tracker) => ReplyWriter | null;

export class Broadcasts {
  readonly #changed = new ChangedKeys();
  /** In the order of their bytes. */
  readonly #prefixes: Prefix[] = [];
  /** The keys of one prefix, as the message shows them. */
  readonly #message: ReplyWriter;
  readonly #slice = new Slice();

  constructor({ buffers }: Engine) {
    this.#message = new ReplyWriter(buffers);
  }

  /** Whether there are changes to tell of. */
  get hasChanges(): boolean {
    return !this.#changed.isEmpty;
  }

  get prefixCount(): number {
    return this.#prefixes.length;
  }

  /** `tracker` wants to hear of keys that begin with `bytes`; it may want so already. */
  join(tracker: Tracker, bytes: Uint8Array): void {
    const prefix = this.#prefixOf(bytes);
    if (prefix.trackers.has(tracker)) return;
    prefix.trackers.add(tracker);
    tracker.prefixes.splice(placeOf(tracker.prefixes, bytes), 0, prefix);
    tracker.bytes += bytes.length + PREFIX_BYTES;
  }

  #prefixOf(bytes: Uint8Array): Prefix {
    const place = placeOf(this.#prefixes, bytes);
    if (place < this.#prefixes.length) {
      const found = this.#prefixes[place];
      if (compare(found.bytes, bytes) === 0) return found;
    }
    const prefix = new Prefix(bytes);
    this.#prefixes.splice(place, 0, prefix);
    return prefix;
  }

  /** `tracker` wants to hear of nothing any more. */
  leave(tracker: Tracker): void {
    for (const prefix of tracker.prefixes) {
      prefix.trackers.delete(tracker);
      if (prefix.trackers.size === 0) {
        this.#prefixes.splice(placeOf(this.#prefixes, prefix.bytes), 1);
      }
    }
    tracker.prefixes = [];
    tracker.bytes = 0;
  }

  /** The client `author`, or NOBODY, has changed a key. */
  keyChanged(bytes: Uint8Array, start: number, end: number, author: number): void {
    const prefixes = this.#prefixes;
    for (let i = 0; i < prefixes.length; i++) {
      if (!beginsWith(bytes, start, end, prefixes[i].bytes)) continue;
      return this.#changed.add(bytes, start, end, author);
    }
  }

  /** Tells of all changes since the last call. */
  flush(open: MessageOpener): void {
    const changed = this.#changed;
    if (changed.isEmpty) return;
    changed.sort();
    for (const prefix of this.#prefixes) {
      const first = changed.firstFrom(prefix.bytes);
      let end = first;
      while (end < changed.count && changed.beginsWith(end, prefix.bytes)) end++;
      if (first < end) this.#tell(prefix, first, end, open);
    }
    changed.clear();
  }

  /** Tells those who want to hear of `prefix` of its keys, those from `first` to `end`. */
  #tell({ trackers }: Prefix, first: number, end: number, open: MessageOpener): void {
    this.#write(first, end, -1);
    const message = this.#message.since(0);
    for (const tracker of trackers) {
      if (!this.#hasOwn(tracker, first, end)) open(tracker)?.raw(message);
    }
    // Each of the others gets a list of its own.
    for (const tracker of trackers) {
      if (!this.#hasOwn(tracker, first, end)) continue;
      if (this.#write(first, end, tracker.client.id) === 0) continue;
      open(tracker)?.raw(this.#message.since(0));
    }
    if (this.#message.size > KEPT_BYTES) this.#message.drop();
  }

  /** Whether there are keys that `tracker` must not hear of. */
  #hasOwn({ options, client }: Tracker, first: number, end: number): boolean {
    if (!options.isNoLoop) return false;
    for (let i = first; i < end; i++) if (this.#changed.author(i) === client.id) return true;
    return false;
  }

  /** Writes the keys from `first` to `end` that are not `author`'s; returns how many. */
  #write(first: number, end: number, author: number): number {
    const message = this.#message;
    message.rewind(0);
    let count = 0;
    for (let i = first; i < end; i++) {
      if (this.#changed.author(i) === author) continue;
      this.#changed.key(i, this.#slice);
      message.bulkOf(this.#slice);
      count++;
    }
    message.arrayFrom(0, count);
    return count;
  }
}

/** Where `bytes` stands, or would stand, among prefixes in order. */
function placeOf(prefixes: readonly Prefix[], bytes: Uint8Array): number {
  let low = 0;
  let high = prefixes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(prefixes[middle].bytes, bytes) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compare(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}
