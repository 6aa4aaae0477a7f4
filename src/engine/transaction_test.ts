import { assert, assertEquals } from "@std/assert";
import { Int64 } from "../lib/decimal.ts";
import { Cause, Events } from "../keyspace/change_hooks.ts";
import { Keyspace } from "../keyspace/keyspace.ts";
import { ManualClock } from "../lib/clock.ts";
import { type Args, argsOf } from "../protocol/args.ts";
import { Transaction, WatchedKeys } from "./transaction.ts";
import { Hasher } from "../lib/hash.ts";

const VALUE = new TextEncoder().encode("value");
const VALUE_VIEW = new DataView(VALUE.buffer);

/** A keyspace that tells the watches of its changes, as the engine's does. */
class Scene {
  readonly clock = new ManualClock(1000);
  readonly keyspace = new Keyspace(this.clock, new Hasher(1, 2), 2);
  readonly watched = new WatchedKeys(this.keyspace.hasher);
  readonly db = this.keyspace.databases[0];
  readonly other = this.keyspace.databases[1];

  constructor() {
    this.keyspace.hooks.listen({
      keyChanged: (database, bytes, start, end, cause) =>
        this.watched.changed(database, bytes, start, end, cause === Cause.expiry),
      contentsChange() {},
    });
  }

  set(key: Args, db = this.db): void {
    db.strings.set(key, 0, VALUE, VALUE_VIEW, 0, VALUE.length, false, Events.set);
  }

  watch(key: Args): Transaction {
    const transaction = new Transaction();
    this.watched.watch(transaction, this.db, key, 0);
    return transaction;
  }
}

Deno.test("a change of a watched key breaks the transactions that watch it, in its database", () => {
  const scene = new Scene();
  const one = scene.watch(argsOf("k"));
  const two = scene.watch(argsOf("k"));
  const third = scene.watch(argsOf("other"));
  scene.set(argsOf("k"), scene.other);
  assert(!one.isBroken);
  scene.set(argsOf("k"));
  assertEquals([one.isBroken, two.isBroken, third.isBroken], [true, true, false]);
});
Deno.test("unwatch() forgets all of one client and nothing of another", () => {
  const scene = new Scene();
  const one = scene.watch(argsOf("k"));
  const two = scene.watch(argsOf("k"));
  scene.watched.watch(one, scene.db, argsOf("k"), 0);
  scene.watched.watch(one, scene.db, argsOf("other"), 0);
  assertEquals(scene.watched.size, 2);
  scene.watched.unwatch(one);
  assertEquals([scene.watched.size, one.watched], [1, null]);
  scene.set(argsOf("k"));
  assertEquals([one.isBroken, two.isBroken], [false, true]);
  scene.watched.unwatch(two);
  assertEquals(scene.watched.size, 0);
});
Deno.test("a key that expires under watch is noticed before it is removed and after", () => {
  const scene = new Scene();
  const key = argsOf("k");
  scene.set(key);
  scene.db.deadlines.expireAt(key, 0, Int64.of(1500));
  const transaction = scene.watch(key);
  assert(!scene.watched.hasExpired(transaction, scene.keyspace));
  scene.clock.advance(501);
  assert(scene.watched.hasExpired(transaction, scene.keyspace));
  assert(!transaction.isBroken);
  assert(!scene.db.exists(key, 0));
  assert(transaction.isBroken);
});
Deno.test("a key that had expired before the watch may be removed under it", () => {
  const scene = new Scene();
  const key = argsOf("k");
  scene.set(key);
  scene.db.deadlines.expireAt(key, 0, Int64.of(1500));
  scene.clock.advance(501);
  const transaction = scene.watch(key);
  assert(!scene.watched.hasExpired(transaction, scene.keyspace));
  assert(!scene.db.exists(key, 0));
  assert(!transaction.isBroken);
  scene.set(key);
  assert(transaction.isBroken);
});
Deno.test("databaseChanges() breaks watches on keys that exist before or after", () => {
  const scene = new Scene();
  scene.set(argsOf("here"));
  scene.set(argsOf("there"), scene.other);
  const [here, there, nowhere] = ["here", "there", "nowhere"].map((key) =>
    scene.watch(argsOf(key))
  );
  scene.watched.databaseChanges(scene.db, null);
  assertEquals([here.isBroken, there.isBroken, nowhere.isBroken], [true, false, false]);
  scene.watched.databaseChanges(scene.db, scene.other);
  assertEquals([there.isBroken, nowhere.isBroken], [true, false]);
});
Deno.test("keys of any bytes are watched by all their bytes", () => {
  const scene = new Scene();
  const transaction = scene.watch(argsOf(Uint8Array.of(0x3a, 0xff, 0)));
  scene.set(argsOf(Uint8Array.of(0x3a, 0xfe, 0)));
  assert(!transaction.isBroken);
  scene.set(argsOf(Uint8Array.of(0x3a, 0xff, 0)));
  assert(transaction.isBroken);
});
