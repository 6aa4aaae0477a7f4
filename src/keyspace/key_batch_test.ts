import { assertEquals } from "@std/assert";
import { bytesPerCall } from "../lib/alloc.ts";
import { ManualClock } from "../lib/clock.ts";
import { Hasher } from "../lib/hash.ts";
import { argsOf } from "../protocol/args.ts";
import { Events } from "./change_hooks.ts";
import { KeyBatch } from "./key_batch.ts";
import { Keyspace } from "./keyspace.ts";

const HASHER = new Hasher(7, 11);

/** A command with forty keys, every `step`th argument, and the database that has every third of them. */
function scene(step: number) {
  const words = ["command"];
  for (let i = 0; i < 40; i++) words.push(`key:${i}`, ...(step === 2 ? [`value ${i}`] : []));
  const args = argsOf(...words);
  const [db] = new Keyspace(new ManualClock(1_000_000), HASHER, 1).databases;
  for (let i = 1; i < args.count; i += 3 * step) {
    db.strings.setArgument(args, i, 0, false, Events.set);
  }
  return { args, db, keys: new KeyBatch() };
}

for (const step of [1, 2]) {
  Deno.test(`each of many keys has its hash when its turn comes, ${step} apart`, () => {
    const { args, db, keys } = scene(step);
    for (let i = 1; i < args.count; i += step) {
      keys.approach(db, args, i, step);
      assertEquals(HASHER.isPrepared(args.viewOf(i), args.start(i), args.end(i)), true);
      const hash = HASHER.hash(args.viewOf(i), args.start(i), args.end(i));
      assertEquals(HASHER.hashOnce(args.viewOf(i), args.start(i), args.end(i)), hash);
      assertEquals(db.exists(args, i), ((i - 1) / step) % 3 === 0);
    }
    HASHER.forget();
  });
}
Deno.test("one key alone is hashed when it is looked up", () => {
  const { db, keys } = scene(1);
  const args = argsOf("command", "key:0");
  keys.approach(db, args, 1, 1);
  assertEquals(HASHER.isPrepared(args.viewOf(1), args.start(1), args.end(1)), false);
  assertEquals(db.exists(args, 1), true);
});
Deno.test("preparing keys allocates nothing", () => {
  const { args, db, keys } = scene(1);
  const used = bytesPerCall(() => {
    for (let i = 1; i < args.count; i++) keys.approach(db, args, i, 1);
  });
  assertEquals(used, 0);
  HASHER.forget();
});
