// hot path
/**
 * The hooks around every change of a key, called by the keyspace and by nobody else.
 *
 * `willChange` runs before a change: a snapshot saves the old entry if its walk has not reached it yet. After it there are
 * three, which nearly always come together, as `changed`:
 *
 * - `dirty` counts what must be saved and propagated;
 * - `keyChanged` tells those to whom the key's value matters (WATCH, clients that wait, client-side caches);
 * - `notify` tells what happened (keyspace events).
 *
 * They are apart because Redis does not always do all three: XGROUP SETID is an event, but fails no EXEC; PFCOUNT, which
 * stores its estimate in the value, fails an EXEC and is no event; XACK is only counted; the misses and new keys of
 * notify-keyspace-events are events alone. A hook without listeners costs the look at an empty list.
 *
 * Listeners are called in the middle of commands. Therefore they open no entries and run no commands.
 */
import { assert } from "../lib/assert.ts";
import type { Ref } from "../structures/arena.ts";

/** What happened to a key: the event's name and the class letter of notify-keyspace-events. */
export interface KeyEvent {
  readonly name: string;
  /** The name's bytes. */
  readonly bytes: Uint8Array;
  readonly kind: string;
}

const encoder = new TextEncoder();
const event = (name: string, kind: string): KeyEvent => ({
  name,
  bytes: encoder.encode(name),
  kind,
});
const generic = (name: string): KeyEvent => event(name, "g");
const string = (name: string): KeyEvent => event(name, "$");
const list = (name: string): KeyEvent => event(name, "l");
const set = (name: string): KeyEvent => event(name, "s");
const zset = (name: string): KeyEvent => event(name, "z");
const hash = (name: string): KeyEvent => event(name, "h");
const stream = (name: string): KeyEvent => event(name, "t");
/** Bloom filters are a module's type in Redis. */
const module = (name: string): KeyEvent => event(name, "d");

/** What can happen, by type. */
export const Events = {
  del: generic("del"),
  expire: generic("expire"),
  persist: generic("persist"),
  renameFrom: generic("rename_from"),
  renameTo: generic("rename_to"),
  moveFrom: generic("move_from"),
  moveTo: generic("move_to"),
  copyTo: generic("copy_to"),
  restore: generic("restore"),
  set: string("set"),
  setrange: string("setrange"),
  append: string("append"),
  incrby: string("incrby"),
  incrbyfloat: string("incrbyfloat"),
  setbit: string("setbit"),
  pfadd: string("pfadd"),
  lpush: list("lpush"),
  rpush: list("rpush"),
  lpop: list("lpop"),
  rpop: list("rpop"),
  lset: list("lset"),
  linsert: list("linsert"),
  lrem: list("lrem"),
  ltrim: list("ltrim"),
  sortstore: list("sortstore"),
  sadd: set("sadd"),
  srem: set("srem"),
  spop: set("spop"),
  sinterstore: set("sinterstore"),
  sunionstore: set("sunionstore"),
  sdiffstore: set("sdiffstore"),
  zadd: zset("zadd"),
  zincr: zset("zincr"),
  zrem: zset("zrem"),
  zpopmin: zset("zpopmin"),
  zpopmax: zset("zpopmax"),
  zremrangebyrank: zset("zremrangebyrank"),
  zremrangebyscore: zset("zremrangebyscore"),
  zremrangebylex: zset("zremrangebylex"),
  zrangestore: zset("zrangestore"),
  geosearchstore: zset("geosearchstore"),
  georadiusstore: zset("georadiusstore"),
  zunionstore: zset("zunionstore"),
  zinterstore: zset("zinterstore"),
  zdiffstore: zset("zdiffstore"),
  hset: hash("hset"),
  hdel: hash("hdel"),
  hincrby: hash("hincrby"),
  hincrbyfloat: hash("hincrbyfloat"),
  xadd: stream("xadd"),
  xtrim: stream("xtrim"),
  xdel: stream("xdel"),
  xsetid: stream("xsetid"),
  xgroupCreate: stream("xgroup-create"),
  xgroupSetid: stream("xgroup-setid"),
  xgroupDestroy: stream("xgroup-destroy"),
  xgroupCreateconsumer: stream("xgroup-createconsumer"),
  xgroupDelconsumer: stream("xgroup-delconsumer"),
  bloomAdd: module("bf.add"),
  bloomReserve: module("bf.reserve"),
  expired: event("expired", "x"),
  evicted: event("evicted", "e"),
  created: event("new", "n"),
  missed: event("keymiss", "m"),
} as const satisfies Record<string, KeyEvent>;

/** Who has changed a key. */
export const Cause = {
  /** A client's command. */
  command: 0,
  /** The server: the key was past its deadline. */
  expiry: 1,
  /** The server: memory was needed. */
  eviction: 2,
} as const;

/** Who must know that a key is not what it was: WATCH, clients that wait, client-side caches. */
export interface ChangeListener {
  /** `bytes[start, end)` is the key, valid during the call only; `cause` is one of `Cause`. */
  keyChanged(database: number, bytes: Uint8Array, start: number, end: number, cause: number): void;
  /**
   * All keys of `database`, or of all databases if it is −1, are about to be removed, or exchanged with those of the
   * database `other`, if that is not −1.
   */
  contentsChange(database: number, other: number): void;
}

/** Who is told what happened to a key: keyspace events. `bytes[start, end)` is the key, valid during the call only. */
export type EventListener = (
  database: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  event: KeyEvent,
) => void;

/** What runs before an entry is changed or removed. */
export type BeforeChange = (database: number, ref: Ref) => void;

/** What knows which entry is open. */
interface OpenEntries {
  readonly entries: { readonly ref: Ref };
}

export class ChangeHooks {
  /** Changes since the server began; the evaluator compares it around a command. */
  dirty = 0;
  /** Called before each change while a snapshot runs; at most one runs at a time. */
  before: BeforeChange | null = null;
  /** Whether a listener wants the events `created` and `missed`, too, which are not changes. */
  wantsAll = false;
  /** A script is suspended: nobody may change anything. It is false for moments, too, in which the script goes on. */
  isForbidden = false;
  #waiters: (() => void)[] = [];
  #changeListeners: ChangeListener[] = [];
  #eventListeners: EventListener[] = [];
  #isTelling = false;
  readonly #keyspace: OpenEntries;

  constructor(keyspace: OpenEntries) {
    this.#keyspace = keyspace;
  }

  /** Whether a listener is being called. */
  get isTelling(): boolean {
    return this.#isTelling;
  }

  /** Ends when changes are allowed again: no script is suspended. */
  async allowed(): Promise<void> {
    while (this.isForbidden) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** The suspended script is over. */
  allow(): void {
    this.isForbidden = false;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }

  /** Tells `listener` of all changes from now on; returns how to stop. */
  listen(listener: ChangeListener): () => void {
    this.#changeListeners = [...this.#changeListeners, listener];
    return () => {
      this.#changeListeners = this.#changeListeners.filter((other) => other !== listener);
    };
  }

  /** Tells `listener` of all events from now on; returns how to stop. */
  listenToEvents(listener: EventListener): () => void {
    this.#eventListeners = [...this.#eventListeners, listener];
    return () => {
      this.#eventListeners = this.#eventListeners.filter((other) => other !== listener);
    };
  }

  willChange(database: number, ref: Ref): void {
    assert(!this.#isTelling, "who is told of changes changes nothing");
    assert(!this.isForbidden, "nothing changes while a script is suspended");
    if (this.before !== null) this.before(database, ref);
  }

  /** A command has changed a key: counts it, and tells both kinds of listeners. */
  changed(
    database: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    event: KeyEvent,
  ): void {
    this.dirty++;
    this.keyChanged(database, bytes, start, end, Cause.command);
    this.notify(database, bytes, start, end, event);
  }

  /** Tells of a change without counting it and without an event. */
  keyChanged(
    database: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    cause: number,
  ): void {
    const listeners = this.#changeListeners;
    const open = this.#begin();
    try {
      for (let i = 0; i < listeners.length; i++) {
        listeners[i].keyChanged(database, bytes, start, end, cause);
      }
    } finally {
      this.#end(open);
    }
  }

  /** Tells of an event alone. */
  notify(
    database: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    event: KeyEvent,
  ): void {
    const listeners = this.#eventListeners;
    if (listeners.length === 0) return;
    const open = this.#begin();
    try {
      for (let i = 0; i < listeners.length; i++) listeners[i](database, bytes, start, end, event);
    } finally {
      this.#end(open);
    }
  }

  /** Begins to call listeners; returns which entry is open. */
  #begin(): Ref {
    assert(!this.#isTelling, "who is told of changes changes nothing");
    this.#isTelling = true;
    return this.#keyspace.entries.ref;
  }

  #end(open: Ref): void {
    this.#isTelling = false;
    assert(this.#keyspace.entries.ref === open, "who is told of changes opens no entries");
  }

  /** See ChangeListener.contentsChange. */
  contentsChange(database: number, other = -1): void {
    for (const listener of this.#changeListeners) listener.contentsChange(database, other);
  }
}
