import { assertEquals } from "@std/assert";
import { ManualClock } from "../lib/clock.ts";
import { Hasher } from "../lib/hash.ts";
import { MemberTable } from "../structures/member_table.ts";
import { argsOf } from "../protocol/args.ts";
import { Pipeline } from "../protocol/pipeline.ts";
import { Events } from "./change_hooks.ts";
import { Type } from "./entry.ts";
import { HashTable } from "./hash_table.ts";
import { Keyspace } from "./keyspace.ts";
import { Prefetcher } from "./prefetcher.ts";
import { SortedSet } from "./zset_value.ts";

const HASHER = new Hasher(7, 11);

/** A keyspace with a string, a large set and a large sorted set. */
function keyspace(): Keyspace {
  const keyspace = new Keyspace(new ManualClock(1_000_000), HASHER, 1);
  const [db] = keyspace.databases;
  const { entries } = keyspace;
  const args = argsOf("string", "set", "zset", "value");
  db.strings.setArgument(args, 0, 3, false, Events.set);
  assertEquals(db.find(args, 1), 0);
  db.createObject(args, 1, Type.set, new HashTable(new MemberTable(entries.arena, HASHER)));
  const members = new MemberTable(entries.arena, HASHER);
  assertEquals(db.find(args, 2), 0);
  db.createObject(args, 2, Type.zset, new SortedSet(entries, members));
  return keyspace;
}

/** The argument of these requests that the prefetcher has hashed; fails if a hash is wrong. */
function hashedOf(...lines: string[]): number {
  const pipeline = new Pipeline();
  const all = argsOf(...lines.flatMap((line) => line.split(" ")));
  pipeline.begin({}, all.bytesOf(0), all.viewOf(0));
  let at = 0;
  for (const [i, line] of lines.entries()) {
    const size = line.split(" ").length;
    for (let k = 0; k < size; k++, at++) {
      pipeline.bounds[i].set([all.start(at), all.end(at)], 2 * k);
    }
    pipeline.push(size, all.end(at - 1));
  }
  const { entries, databases } = keyspace();
  new Prefetcher().prefetch(entries, databases[0], pipeline);
  const { hashed, sizes, hashes, bounds, count } = pipeline;
  for (let i = 0; hashed > 0 && i < count; i++) {
    if (sizes[i] <= hashed) continue;
    const [start, end] = bounds[i].subarray(2 * hashed);
    assertEquals(hashes[i], HASHER.hash(all.viewOf(0), start, end));
  }
  return hashed;
}

Deno.test("keys are hashed when they differ, whether they are there or not", () => {
  assertEquals(hashedOf("GET string", "GET b", "PING", "SET d 1"), 1);
  assertEquals(hashedOf("GET set", "GET zset", "GET string", "GET set"), 1);
});

Deno.test("members are hashed when the key is that of a large collection", () => {
  assertEquals(hashedOf("SADD set a", "SADD set b", "SCARD set", "SREM set c d"), 2);
  assertEquals(hashedOf("ZSCORE zset a", "ZSCORE zset b", "ZSCORE zset c"), 2);
  assertEquals(hashedOf("ZADD zset 1 a", "ZADD zset 2 b", "ZADD zset 3 c"), 3);
});

Deno.test("nothing is hashed for one key of another kind, and for requests without a key", () => {
  assertEquals(hashedOf("APPEND string a", "APPEND string b"), 0);
  assertEquals(hashedOf("SADD none a", "SADD none b"), 0);
  assertEquals(hashedOf("PING", "GET a", "GET b"), 0);
});
