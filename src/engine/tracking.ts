// hot path
/**
 * Client-side caching (CLIENT TRACKING): clients keep what they have read, and are told when it is no longer valid.
 *
 * By default the server remembers which keys a client reads, and tells it once when one of them changes; the key is
 * forgotten then, until it is read again. Keys are remembered by their names alone: one of another database that has the
 * same name counts as the same. In broadcast mode nothing is remembered: see broadcasts.ts.
 *
 * A message goes to the client itself, or to the one that REDIRECT names: as a push in RESP3, in RESP2 as a message to
 * a client that has subscribed to something. Others can't be told.
 *
 * All of it is made when a client begins to track, and dropped when the last client that has done so is gone. Meanwhile
 * each change of a key costs a look-up. At other times changes are not listened to, and reading a key costs one look at
 * the client.
 */
import { Cause, type ChangeListener } from "../keyspace/change_hooks.ts";
import { copyBytes } from "../lib/copy.ts";
import { NO_BYTES, Slice } from "../lib/slice.ts";
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import { Arena } from "../structures/arena.ts";
import { TrackingTable } from "../structures/tracking_table.ts";
import { Broadcasts, NOBODY } from "./broadcasts.ts";
import type { Client } from "./client.ts";
import type { Command } from "./command.ts";
import type { Engine } from "./engine.ts";
import { Tracker, type TrackingOptions } from "./tracker.ts";

const encoder = new TextEncoder();
const INVALIDATE = encoder.encode(">2\r\n$10\r\ninvalidate\r\n");
const INVALIDATE_MESSAGE = encoder.encode(
  "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n",
);
const REDIRECT_BROKEN = encoder.encode(">2\r\n$21\r\ntracking-redir-broken\r\n");
const NULL = encoder.encode("$-1\r\n");
const NULL3 = encoder.encode("_\r\n");

/** Room for a key; that of a longer one is given back at once. */
const KEY_ROOM = 256;
/** Of the keys beyond tracking-table-max-keys, how many a client's read forgets. The timer forgets the others. */
const FORGOTTEN_A_READ = 8;
/** Keys forgotten between two looks at the clock. */
const KEYS_A_LOOK = 16;

export class Tracking implements ChangeListener {
  readonly #engine: Engine;
  readonly #table: TrackingTable;
  readonly #broadcasts: Broadcasts;
  readonly #stopListening: () => void;
  /** By number in the table; null where a client has gone. */
  readonly #trackers: (Tracker | null)[] = [];
  /** Clients that have a tracker, and those that track now. */
  #trackerCount = 0;
  #clientCount = 0;
  /** The key that has changed: a copy, since the table needs a view of it. */
  readonly #key = new Slice();
  readonly #room = new Uint8Array(KEY_ROOM);
  readonly #roomView = new DataView(this.#room.buffer);
  readonly #picked = new Slice();
  /** Who reads, and the arguments of its command. */
  #reader: Tracker | null = null;
  #args: Args | null = null;

  constructor(engine: Engine) {
    const { chunks, hasher, hooks } = engine.keyspace;
    this.#engine = engine;
    this.#table = new TrackingTable(new Arena(chunks), hasher);
    this.#broadcasts = new Broadcasts(engine);
    this.#stopListening = hooks.listen(this);
  }

  /** Clients that track. */
  get clientCount(): number {
    return this.#clientCount;
  }

  get keyCount(): number {
    return this.#table.keyCount;
  }

  /** Pairs of a key and a client that has read it. */
  get itemCount(): number {
    return this.#table.itemCount;
  }

  get prefixCount(): number {
    return this.#broadcasts.prefixCount;
  }

  /** Memory in bytes. */
  get bytes(): number {
    return this.#table.bytes;
  }

  /** CLIENT TRACKING ON, with prefixes beside those that the client has already. */
  start(
    client: Client,
    options: Readonly<TrackingOptions>,
    prefixes: readonly Uint8Array[],
  ): void {
    const tracker = client.tracking ?? this.#newTracker(client);
    if (!tracker.isOn) this.#clientCount++;
    tracker.start(options);
    if (!options.isBroadcast) return;
    for (const prefix of prefixes) this.#broadcasts.join(tracker, prefix);
    if (prefixes.length === 0) this.#broadcasts.join(tracker, NO_BYTES);
  }

  #newTracker(client: Client): Tracker {
    const number = this.#table.register();
    const tracker = new Tracker(this, client, number);
    this.#trackers[number] = client.tracking = tracker;
    this.#trackerCount++;
    return tracker;
  }

  /** CLIENT TRACKING OFF. What the client has read stays remembered: it may go on later. */
  stop(tracker: Tracker): void {
    if (!tracker.isOn) return;
    this.#clientCount--;
    this.#broadcasts.leave(tracker);
    tracker.stop();
  }

  /** A client with a tracker has gone; returns whether it was the last one. */
  remove(tracker: Tracker): boolean {
    this.stop(tracker);
    this.#trackers[tracker.number] = tracker.client.tracking = null;
    this.#table.unregister(tracker.number);
    return --this.#trackerCount === 0;
  }

  /** Stops to listen, and gives the memory back. */
  close(): void {
    this.#stopListening();
    this.#table.clear();
  }

  /** A client has read the keys of `command`. */
  remember(tracker: Tracker, args: Args, command: Command): void {
    this.#reader = tracker;
    this.#args = args;
    command.forEachKey(args, this.#rememberKey);
    this.#reader = this.#args = null;
    for (let i = 0; i < FORGOTTEN_A_READ && this.#isOverLimit; i++) this.#forgetOne();
  }

  readonly #rememberKey = (index: number): void => {
    const args = this.#args as Args;
    const { number } = this.#reader as Tracker;
    const bytes = args.bytesOf(index);
    this.#table.add(bytes, args.viewOf(index), args.start(index), args.end(index), number);
  };

  // Changes

  keyChanged(
    _database: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    cause: number,
  ): void {
    const { actor, keyspace } = this.#engine;
    // What a file brings back was there before; where it was not, all keys have been said to be invalid.
    if (keyspace.isLoading) return;
    if (this.#broadcasts.prefixCount > 0) {
      const author = cause === Cause.command && actor !== null ? actor.id : NOBODY;
      this.#broadcasts.keyChanged(bytes, start, end, author);
    }
    if (this.#table.keyCount === 0) return;
    this.#setKey(bytes, start, end);
    this.#takeKey(this.#tellOthers);
    this.#dropLongKey();
  }

  /** A database is emptied: since keys are remembered without it, none is valid. */
  contentsChange(_database: number, other: number): void {
    // Clients that exchange databases know that names mean something else then; they are not told, as in Redis.
    if (other >= 0) return;
    for (const tracker of this.#trackers) {
      if (tracker !== null && tracker.isOn) this.#tellOfAll(tracker);
    }
    this.#table.clear();
  }

  /** Whether there are broadcasts that `flush` has to send. */
  get hasMore(): boolean {
    return this.#broadcasts.hasChanges;
  }

  /** The end of a turn of the event loop: tells of what was gathered. */
  flush(): void {
    this.#broadcasts.flush(this.#open);
  }

  // tracking-table-max-keys

  get #isOverLimit(): boolean {
    const { trackingTableMaxKeys } = this.#engine.parameters.values;
    return trackingTableMaxKeys > 0 && this.#table.keyCount > trackingTableMaxKeys;
  }

  /** Forgets keys beyond the limit until `isOver`; returns whether some are left. */
  forgetSome(isOver: () => boolean): boolean {
    while (this.#isOverLimit) {
      for (let i = 0; i < KEYS_A_LOOK && this.#isOverLimit; i++) this.#forgetOne();
      if (isOver()) return this.#isOverLimit;
    }
    return false;
  }

  /** Forgets a key picked at random; who has read it is told that it is not valid, as nobody would say so later. */
  #forgetOne(): void {
    this.#table.randomKey(this.#picked);
    const { bytes, start, end } = this.#picked;
    this.#setKey(bytes, start, end);
    this.#takeKey(this.#tellAny);
    this.#dropLongKey();
  }

  #setKey(bytes: Uint8Array, start: number, end: number): void {
    const size = end - start;
    const isLong = size > KEY_ROOM;
    const room = isLong ? new Uint8Array(size) : this.#room;
    copyBytes(bytes, start, end, room, 0);
    this.#key.set(room, isLong ? new DataView(room.buffer) : this.#roomView, 0, size);
  }

  #dropLongKey(): void {
    if (this.#key.length > KEY_ROOM) this.#key.forget();
  }

  #takeKey(visit: (number: number) => void): void {
    const { bytes, view, start, end } = this.#key;
    this.#table.take(bytes, view, start, end, visit);
  }

  // Messages

  readonly #tellOthers = (number: number): void => {
    const tracker = this.#trackers[number];
    if (tracker === null) return;
    const { actor } = this.#engine;
    if (tracker.options.isNoLoop && actor !== null && actor.tracking === tracker) return;
    this.#tellAny(number);
  };

  readonly #tellAny = (number: number): void => {
    const tracker = this.#trackers[number];
    if (tracker === null || !tracker.isOn || tracker.options.isBroadcast) return;
    const message = this.#open(tracker);
    if (message === null) return;
    message.array(1);
    message.bulkOf(this.#key);
  };

  #tellOfAll(tracker: Tracker): void {
    // The null is that of the tracking client's protocol, also where another client is told: as in Redis.
    this.#open(tracker)?.raw(tracker.client.reply.resp === 2 ? NULL : NULL3);
  }

  /** Begins a message to whom `tracker` wants to be told, and returns where it goes on; null if nobody can be told. */
  readonly #open = (tracker: Tracker): ReplyWriter | null => {
    const { pushes, clients } = this.#engine;
    const { redirect } = tracker.options;
    const target = redirect === 0 ? tracker.client : clients.get(redirect);
    if (target === undefined) {
      this.#tellBroken(tracker);
      return null;
    }
    const isSubscriber = redirect !== 0 && target.subscriptions !== null;
    if (target.reply.resp === 2 && !isSubscriber) return null;
    const writer = pushes.ofKeysTo(target);
    writer.raw(target.reply.resp === 2 ? INVALIDATE_MESSAGE : INVALIDATE);
    return writer;
  };

  /** The client that `tracker` redirects to has gone. */
  #tellBroken(tracker: Tracker): void {
    tracker.isRedirectBroken = true;
    if (tracker.client.reply.resp === 2) return;
    const writer = this.#engine.pushes.ofKeysTo(tracker.client);
    writer.raw(REDIRECT_BROKEN);
    writer.integer(tracker.options.redirect);
  }
}
