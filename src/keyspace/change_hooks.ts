// hot path
/**
 * The two hooks around every change of a key, called by the keyspace and by nobody else.
 *
 * `willChange` runs before it (a snapshot saves the old entry if its walk has not reached it yet),
 * `changed` after it (WATCH, tracking, keyspace events, the dirty count, propagation). Without
 * listeners the two cost a counter and a null check.
 */
import type { Ref } from "../structures/arena.ts";

/** What happened to a key: the event's name and the class letter of notify-keyspace-events. */
export interface KeyEvent {
  readonly name: string;
  readonly kind: string;
}

const generic = (name: string): KeyEvent => ({ name, kind: "g" });
const string = (name: string): KeyEvent => ({ name, kind: "$" });
const list = (name: string): KeyEvent => ({ name, kind: "l" });
const set = (name: string): KeyEvent => ({ name, kind: "s" });
const zset = (name: string): KeyEvent => ({ name, kind: "z" });
const hash = (name: string): KeyEvent => ({ name, kind: "h" });
const stream = (name: string): KeyEvent => ({ name, kind: "t" });

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
  bloomAdd: generic("bf.add"),
  bloomReserve: generic("bf.reserve"),
  expired: { name: "expired", kind: "x" },
  evicted: { name: "evicted", kind: "e" },
  created: { name: "new", kind: "n" },
  missed: { name: "keymiss", kind: "m" },
} as const satisfies Record<string, KeyEvent>;

/** `bytes[start, end)` is the key; valid during the call only. */
export type ChangeListener = (
  database: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  event: KeyEvent,
) => void;

/** What runs before an entry is changed or removed. */
export type BeforeChange = (database: number, ref: Ref) => void;

export class ChangeHooks {
  /** Changes since the server began; the evaluator compares it around a command. */
  dirty = 0;
  /** Called before each change while a snapshot runs; at most one runs at a time. */
  before: BeforeChange | null = null;
  /** Whether a listener wants the events `created` and `missed`, too, which are not changes. */
  wantsAll = false;
  #listeners: ChangeListener[] = [];

  /** Listens to every change from now on; returns how to stop. */
  listen(listener: ChangeListener): () => void {
    this.#listeners = [...this.#listeners, listener];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener);
    };
  }

  willChange(database: number, ref: Ref): void {
    if (this.before !== null) this.before(database, ref);
  }

  changed(
    database: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    event: KeyEvent,
  ): void {
    this.dirty++;
    if (this.#listeners.length > 0) this.notify(database, bytes, start, end, event);
  }

  /** Tells the listeners without counting a change. */
  notify(
    database: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    event: KeyEvent,
  ): void {
    const listeners = this.#listeners;
    for (let i = 0; i < listeners.length; i++) listeners[i](database, bytes, start, end, event);
  }
}
