/** Databases compared with a plain Map; in the end no memory may be left in use. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Int64 } from "../lib/decimal.ts";
import { ManualClock } from "../lib/clock.ts";
import { type Args, argsOf } from "../protocol/args.ts";
import { Errors } from "../protocol/errors.ts";
import { Cause, Events } from "./change_hooks.ts";
import type { Database } from "./database.ts";
import { Encoding } from "./entry.ts";
import { Keyspace } from "./keyspace.ts";
import { copyKey, moveKey, renameKey } from "./transfer.ts";
import { Hasher } from "../lib/hash.ts";

const START_MS = 1_000_000;

interface Expected {
  value: Uint8Array;
  /** Unix ms, or -1. */
  deadlineMs: number;
}

/** Key lengths on both sides of 255 and of 32 KiB, where the layout changes. */
const KEYS: readonly Uint8Array[] = [1, 2, 30, 254, 255, 256, 32_767, 32_768, 32_769, 40_000]
  .map((length, seed) => Uint8Array.from({ length }, (_, i) => (seed * 31 + i) & 255));

/** Lengths of values: small ones, and around 64 KiB, beyond which they leave the arena. */
const size = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.constantFrom(32_000, 32_768, 65_000, 65_516, 65_517, 65_534, 65_535, 65_536, 70_000, 200_000),
);
const value = fc.oneof(
  fc.tuple(size, fc.integer({ min: 0, max: 255 })).map(([length, seed]) =>
    Uint8Array.from({ length }, (_, i) => (seed + i * 13) & 255)
  ),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) =>
    new TextEncoder().encode(String(n))
  ),
);
/** Mostly one of a few, so that several operations use the same key. */
const key = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 2 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: KEYS.length - 1 }) },
);

/** The databases under test beside the maps that say what they must hold. */
class Pair {
  readonly clock = new ManualClock(START_MS);
  readonly keyspace = new Keyspace(this.clock, new Hasher(7, 2), 2);
  readonly #models = [new Map<number, Expected>(), new Map<number, Expected>()];
  #selected = 0;

  get db(): Database {
    return this.keyspace.databases[this.#selected];
  }

  get model(): Map<number, Expected> {
    return this.#models[this.#selected];
  }

  select(index: number): void {
    this.#selected = index;
  }

  swap(): void {
    this.keyspace.swap(0, 1);
    this.#models.reverse();
  }

  /** Key `index`, followed by `other`. */
  args(index: number, other: number = index): Args {
    return argsOf(KEYS[index], KEYS[other]);
  }

  /** What the key must hold; undefined where it is missing or its time has come. */
  expected(index: number): Expected | undefined {
    const expected = this.model.get(index);
    if (expected === undefined || !this.#isDue(expected)) return expected;
    this.model.delete(index);
    return undefined;
  }

  #isDue({ deadlineMs }: Expected): boolean {
    return deadlineMs >= 0 && this.clock.nowMs() > deadlineMs;
  }

  set(index: number, value: Uint8Array, keepTtl: boolean): void {
    this.db.strings.set(
      this.args(index),
      0,
      value,
      new DataView(value.buffer),
      0,
      value.length,
      keepTtl,
      Events.set,
    );
    const deadlineMs = keepTtl ? this.expected(index)?.deadlineMs ?? -1 : -1;
    this.model.set(index, { value, deadlineMs });
  }

  /** Appends as APPEND does, which keeps the deadline. */
  append(index: number, tail: Uint8Array): void {
    const { value: before, deadlineMs } = this.expected(index) ??
      { value: new Uint8Array(0), deadlineMs: -1 };
    const joined = new Uint8Array(before.length + tail.length);
    joined.set(before);
    joined.set(tail, before.length);
    const string = this.db.strings.edit(this.args(index), 0, joined.length);
    string.bytes.set(tail, string.start + before.length);
    this.model.set(index, { value: joined, deadlineMs });
  }

  remove(index: number): void {
    const isThere = this.expected(index) !== undefined;
    assertEquals(this.db.remove(this.args(index), 0), isThere);
    this.model.delete(index);
  }

  rename(from: number, to: number): void {
    const source = this.expected(from);
    if (source === undefined || from === to) return;
    renameKey(this.db, this.args(from, to), 0, 1);
    this.model.delete(from);
    this.model.set(to, source);
  }

  copy(from: number, to: number): void {
    const source = this.expected(from);
    if (source === undefined || from === to) return;
    copyKey(this.db, this.args(from, to), 0, 1, this.db);
    this.model.set(to, { ...source });
  }

  /** Moves the key to the other database, if it is missing there. */
  move(index: number): void {
    const source = this.expected(index);
    const other = 1 - this.#selected;
    this.select(other);
    const isFree = this.expected(index) === undefined;
    this.select(1 - other);
    if (source === undefined || !isFree) return;
    moveKey(this.db, this.args(index), 0, this.keyspace.databases[other]);
    this.model.delete(index);
    this.#models[other].set(index, source);
  }

  expire(index: number, ms: number): void {
    const expected = this.expected(index);
    if (expected === undefined) return;
    expected.deadlineMs = this.clock.nowMs() + ms;
    this.db.deadlines.expireAt(this.args(index), 0, Int64.of(expected.deadlineMs));
  }

  persist(index: number): void {
    const expected = this.expected(index);
    const hadDeadline = expected !== undefined && expected.deadlineMs >= 0;
    assertEquals(this.db.deadlines.persist(this.args(index), 0), hadDeadline);
    if (expected !== undefined) expected.deadlineMs = -1;
  }

  /** Looks a key up as WATCH does, which does not remove an expired key. */
  watch(index: number): void {
    const expected = this.model.get(index);
    const isExpired = this.db.isExpired(this.args(index), 0);
    // A key that is due may have been removed already.
    if (isExpired) assert(expected !== undefined && this.#isDue(expected), `key ${index} is due`);
  }

  /** Reads as GET does. */
  read(index: number): void {
    const expected = this.expected(index);
    const string = this.db.readString(this.args(index), 0);
    assertEquals(string !== null, expected !== undefined, `key ${index} exists`);
    if (string === null || expected === undefined) return;
    const bytes = string.bytes.slice(string.start, string.end);
    // Not assertEquals: it takes a second for 200,000 bytes.
    assert(isSame(bytes, expected.value), `value of key ${index}`);
    const ref = this.db.find(this.args(index), 0);
    assertEquals(this.db.deadlines.of(ref), expected.deadlineMs, `deadline of key ${index}`);
  }

  /** Moves the clock without running the timer: keys that are due stay until they are looked up. */
  jump(ms: number): void {
    this.clock.advance(ms);
  }

  /** The timer removes what is due. */
  expireDue(): void {
    while (this.db.deadlines.expireNext(this.clock.nowMs()));
  }

  /** FLUSHALL. The next keys are made before its old entries are freed. */
  clear(): void {
    this.keyspace.clear();
    for (const model of this.#models) model.clear();
  }

  /**
   * Reads every key, which removes those that are due. Not after each step: that would hide faults of keys that are
   * due.
   */
  check(): void {
    for (let index = 0; index < KEYS.length; index++) this.read(index);
    assertEquals(this.db.size, this.model.size);
    const expiring = [...this.model.values()].filter(({ deadlineMs }) => deadlineMs >= 0);
    assertEquals(this.db.deadlines.count, expiring.length);
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

type Operation = (pair: Pair) => void;

const milliseconds = fc.integer({ min: 0, max: 100 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.tuple(key, value, fc.boolean()).map(([index, bytes, keepTtl]): Operation => (pair) =>
    pair.set(index, bytes, keepTtl)
  ),
  fc.tuple(key, value).map(([index, tail]): Operation => (pair) => pair.append(index, tail)),
  key.map((index): Operation => (pair) => pair.remove(index)),
  fc.tuple(key, key).map(([from, to]): Operation => (pair) => pair.rename(from, to)),
  fc.tuple(key, key).map(([from, to]): Operation => (pair) => pair.copy(from, to)),
  key.map((index): Operation => (pair) => pair.move(index)),
  fc.tuple(key, milliseconds).map(([index, ms]): Operation => (pair) => pair.expire(index, ms)),
  key.map((index): Operation => (pair) => pair.persist(index)),
  key.map((index): Operation => (pair) => pair.watch(index)),
  key.map((index): Operation => (pair) => pair.read(index)),
  fc.constant<Operation>((pair) => pair.swap()),
  fc.integer({ min: 0, max: 1 }).map((index): Operation => (pair) => pair.select(index)),
  milliseconds.map((ms): Operation => (pair) => pair.jump(ms)),
  fc.constant<Operation>((pair) => pair.expireDue()),
  fc.constant<Operation>((pair) => pair.clear()),
  fc.constant<Operation>((pair) => void pair.keyspace.lazyFree.freeSome(() => true)),
);

Deno.test("databases hold what Maps would, and nothing when all keys are removed", () => {
  const runs = fc.array(operation, { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(runs, (operations) => {
      const pair = new Pair();
      for (const run of operations) {
        run(pair);
        for (const db of pair.keyspace.databases) db.verify();
      }
      for (const index of [0, 1]) {
        pair.select(index);
        pair.check();
        for (const index of [...pair.model.keys()]) pair.remove(index);
        pair.check();
        assertEquals(pair.db.deadlines.next, Infinity);
      }
      assertEquals(pair.keyspace.entries.usedBytes, 0);
    }),
    { numRuns: 300 },
  );
});

const TEXT = new TextEncoder().encode("some text");
const TEXT_VIEW = new DataView(TEXT.buffer);

function set(db: Database, key: string): void {
  db.strings.set(argsOf(key), 0, TEXT, TEXT_VIEW, 0, TEXT.length, false, Events.set);
}

Deno.test("moveTo() takes value and deadline to the other database", () => {
  const { keyspace, db } = new Pair();
  const other = keyspace.databases[1];
  set(db, "k");
  db.deadlines.expireAt(argsOf("k"), 0, Int64.of(START_MS + 50));
  moveKey(db, argsOf("k"), 0, other);
  assertEquals([db.size, db.deadlines.count, other.size, other.deadlines.count], [0, 0, 1, 1]);
  assertEquals(other.deadlines.of(other.find(argsOf("k"), 0)), START_MS + 50);
  other.remove(argsOf("k"), 0);
  assertEquals(keyspace.entries.usedBytes, 0);
});
Deno.test("clear() is seen at once and gives everything back in slices", () => {
  const { keyspace, db } = new Pair();
  for (let i = 0; i < 5000; i++) set(db, `key:${i}`);
  db.deadlines.expireAt(argsOf("key:1"), 0, Int64.of(START_MS + 50));
  assertEquals(db.clear(), 5000);
  assertEquals([db.size, db.deadlines.count, db.exists(argsOf("key:1"), 0)], [0, 0, false]);
  set(db, "key:1");
  db.remove(argsOf("key:1"), 0);
  while (keyspace.lazyFree.freeSome(() => true));
  assertEquals(keyspace.entries.usedBytes, 0);
});
Deno.test("swap() exchanges keys and deadlines", () => {
  const { keyspace, db } = new Pair();
  const other = keyspace.databases[1];
  set(db, "here");
  set(other, "there");
  db.deadlines.expireAt(argsOf("here"), 0, Int64.of(START_MS + 50));
  keyspace.swap(0, 1);
  assertEquals([db.exists(argsOf("there"), 0), other.exists(argsOf("here"), 0)], [true, true]);
  assertEquals([db.deadlines.next, other.deadlines.next], [Infinity, START_MS + 50]);
});
Deno.test("what a snapshot reads outlives clear(), and its memory goes back when that is over", () => {
  const { keyspace, db } = new Pair();
  set(db, "key");
  const { arena } = keyspace.entries;
  keyspace.hold();
  keyspace.clear();
  assertEquals([arena.reservedBytes > 0, db.size], [true, 0]);
  set(db, "key");
  keyspace.clear();
  keyspace.release();
  assertEquals([arena.reservedBytes, keyspace.isHeld], [0, false]);
  set(db, "key");
  assertEquals(db.exists(argsOf("key"), 0), true);
});
Deno.test("the soonest new deadline is that of the keys since all were asked for", () => {
  const { keyspace, db } = new Pair();
  for (const key of ["a", "b", "c"]) set(db, key);
  db.deadlines.expireAt(argsOf("a"), 0, Int64.of(START_MS + 50));
  db.deadlines.expireAt(argsOf("b"), 0, Int64.of(START_MS + 90));
  assertEquals(keyspace.soonestNewDeadline, START_MS + 50);
  assertEquals([keyspace.takeNextDeadline(), keyspace.soonestNewDeadline], [
    START_MS + 50,
    Infinity,
  ]);
  db.deadlines.expireAt(argsOf("c"), 0, Int64.of(START_MS + 70));
  assertEquals([keyspace.soonestNewDeadline, keyspace.takeNextDeadline()], [
    START_MS + 70,
    START_MS + 50,
  ]);
});
/** What the listeners of a keyspace are told, in order. */
function toldOf(keyspace: Keyspace): string[] {
  const told: string[] = [];
  const nameOf = (bytes: Uint8Array, start: number, end: number): string =>
    new TextDecoder().decode(bytes.slice(start, end));
  keyspace.hooks.listen({
    keyChanged: (database, bytes, start, end, cause) =>
      told.push(`${database} ${nameOf(bytes, start, end)} changed by ${cause}`),
    contentsChange: (database, other) => told.push(`${database} replaced by ${other}`),
  });
  keyspace.hooks.listenToEvents((database, bytes, start, end, event) =>
    told.push(`${database} ${event.name} ${nameOf(bytes, start, end)}`)
  );
  return told;
}
Deno.test("each change is counted and told once, with its event", () => {
  const { keyspace, db } = new Pair();
  const told = toldOf(keyspace);
  set(db, "a");
  copyKey(db, argsOf("a", "b"), 0, 1, db);
  renameKey(db, argsOf("a", "c"), 0, 1);
  db.remove(argsOf("b"), 0);
  db.remove(argsOf("nosuch"), 0);
  assertEquals(told.filter((line) => !line.includes("changed")), [
    "0 set a",
    "0 copy_to b",
    "0 rename_from a",
    "0 rename_to c",
    "0 del b",
  ]);
  assertEquals(
    told.filter((line) => line.includes("changed")),
    ["a", "b", "a", "c", "b"].map((key) => `0 ${key} changed by ${Cause.command}`),
  );
  assertEquals(keyspace.hooks.dirty, 4);
});
Deno.test("a key that expires has changed, but is not counted", () => {
  const { keyspace, db, clock } = new Pair();
  set(db, "k");
  db.deadlines.expireAt(argsOf("k"), 0, Int64.of(START_MS + 50));
  const { dirty } = keyspace.hooks;
  const told = toldOf(keyspace);
  clock.advance(51);
  assert(!db.exists(argsOf("k"), 0));
  assertEquals(told, [`0 k changed by ${Cause.expiry}`, "0 expired k"]);
  assertEquals(keyspace.hooks.dirty, dirty);
});
Deno.test("misses and new keys are events alone, for those who ask", () => {
  const { keyspace, db } = new Pair();
  const told = toldOf(keyspace);
  keyspace.hooks.wantsAll = true;
  db.readString(argsOf("k"), 0);
  set(db, "k");
  assertEquals(told, ["0 keymiss k", "0 new k", `0 k changed by ${Cause.command}`, "0 set k"]);
});
Deno.test("who is told of changes and events changes nothing and opens no entries", () => {
  const misdeeds: readonly [string, (pair: Pair) => unknown][] = [
    ["opens no entries", ({ db }) => db.readString(argsOf("other"), 0)],
    ["changes nothing", ({ db }) => db.remove(argsOf("other"), 0)],
    ["changes nothing", ({ db }) => db.changed(argsOf("other"), 0, Events.set)],
  ];
  for (const [message, misdeed] of misdeeds) {
    const pair = new Pair();
    const { keyspace, db } = pair;
    set(db, "other");
    const stopEvents = keyspace.hooks.listenToEvents(() => misdeed(pair));
    assertThrows(() => set(db, "k"), Error, message);
    stopEvents();
    const stopChanges = keyspace.hooks.listen({
      keyChanged: () => misdeed(pair),
      contentsChange: () => {},
    });
    assertThrows(() => set(db, "k"), Error, message);
    stopChanges();
    set(db, "k");
  }
});
Deno.test("databases that are emptied or exchanged are told, and what listens may stop", () => {
  const { keyspace, db } = new Pair();
  const told = toldOf(keyspace);
  db.clear();
  keyspace.swap(0, 0);
  keyspace.swap(0, 1);
  assertEquals(told, ["0 replaced by -1", "0 replaced by 1", "1 replaced by 0"]);
  const events: string[] = [];
  const stop = keyspace.hooks.listenToEvents((_database, _bytes, _start, _end, event) =>
    events.push(event.name)
  );
  set(db, "a");
  stop();
  set(db, "b");
  assertEquals(events, ["set"]);
});
Deno.test("keepExpired hides keys past their deadline and removes none", () => {
  const { keyspace, db, clock } = new Pair();
  set(db, "k");
  db.deadlines.expireAt(argsOf("k"), 0, Int64.of(START_MS + 50));
  clock.advance(51);
  keyspace.keepExpired = true;
  assertEquals([db.exists(argsOf("k"), 0), db.size, db.randomRef()], [false, 1, 0]);
  assert(db.isExpired(argsOf("k"), 0));
  keyspace.keepExpired = false;
  assertEquals([db.exists(argsOf("k"), 0), db.size], [false, 0]);
});
Deno.test("scan() visits every key and removes those past their deadline", () => {
  const { db, clock } = new Pair();
  for (let i = 0; i < 300; i++) set(db, `key:${i}`);
  for (let i = 0; i < 100; i++) {
    db.deadlines.expireAt(argsOf(`key:${i}`), 0, Int64.of(START_MS + 10));
  }
  clock.advance(11);
  const found = new Set<number>();
  let cursor = 0;
  do cursor = db.scan(cursor, 10, () => true, (ref) => found.add(ref)); while (cursor !== 0);
  assertEquals([found.size, db.size], [200, 200]);
});
Deno.test("hits and misses are counted by reads alone", () => {
  const { keyspace, db } = new Pair();
  set(db, "k");
  db.readString(argsOf("k"), 0);
  db.readString(argsOf("nosuch"), 0);
  db.peekString(argsOf("k"), 0);
  assertEquals([keyspace.stats.hits, keyspace.stats.misses], [1, 1]);
});
Deno.test("a string reader refuses another type", () => {
  const { keyspace, db } = new Pair();
  set(db, "k");
  keyspace.entries.open(db.find(argsOf("k"), 0));
  keyspace.entries.setValueHeader(1, Encoding.raw, 1);
  const args = argsOf("k");
  assertEquals(db.readString(args, 0), null);
  assertEquals(args.error, Errors.wrongType);
});
Deno.test("a string that grows byte by byte leaves its block in time, deadline or none", () => {
  for (const index of [0, 4, 7, 8]) {
    for (let start = 65_400; start <= 65_540; start += 20) {
      const pair = new Pair();
      pair.set(index, new Uint8Array(start).fill(0x61), false);
      for (let i = 0; i < 25; i++) pair.append(index, Uint8Array.of(i));
      pair.expire(index, 1000);
      pair.check();
      pair.append(index, Uint8Array.of(1, 2, 3));
      pair.persist(index);
      pair.check();
    }
    for (let length = 65_400; length <= 65_540; length++) {
      const pair = new Pair();
      pair.set(index, new Uint8Array(40_000), false);
      pair.append(index, new Uint8Array(length - 40_000).fill(0x62));
      pair.expire(index, 1000);
      pair.check();
    }
  }
});
Deno.test("a value that grows in a long key's block leaves room for a deadline", () => {
  for (let added = 0; added <= 20; added++) {
    const pair = new Pair();
    pair.set(7, new Uint8Array(33_768), false);
    for (let i = 0; i < added; i++) pair.append(7, Uint8Array.of(i));
    pair.expire(7, 1000);
    pair.check();
  }
});
Deno.test("a copy and a move to a key too long for the value leave nothing behind", () => {
  const pair = new Pair();
  pair.set(0, new Uint8Array(60_000), false);
  pair.copy(0, 7);
  pair.rename(0, 6);
  pair.check();
  for (const index of [6, 7]) pair.remove(index);
  assertEquals(pair.keyspace.entries.usedBytes, 0);
});
