import { assert, assertEquals } from "@std/assert";
import { bytesPerCall } from "../lib/alloc.ts";
import { ManualClock } from "../lib/clock.ts";
import { Hasher } from "../lib/hash.ts";
import { argsOf } from "../protocol/args.ts";
import { Events } from "./change_hooks.ts";
import { Keyspace } from "./keyspace.ts";

const VALUE = "v".repeat(30);

function fresh(policy: string, databases = 2): { keyspace: Keyspace; clock: ManualClock } {
  const clock = new ManualClock(1_700_000_000_000);
  const keyspace = new Keyspace(clock, new Hasher(7, 2), databases);
  keyspace.frequencyPolicy = policy.endsWith("lfu");
  keyspace.victims.usePolicy(policy);
  return { keyspace, clock };
}

function set(keyspace: Keyspace, key: string, database = 0): void {
  keyspace.databases[database].strings.setArgument(
    argsOf("set", key, VALUE),
    1,
    2,
    false,
    Events.set,
  );
}

/** Evicts one key; returns its name. */
function evict({ victims, entries }: Keyspace): string | null {
  if (!victims.find()) return null;
  entries.open(victims.ref);
  const { keyBytes, keyStart, keyEnd } = entries;
  const name = new TextDecoder().decode(keyBytes.slice(keyStart, keyEnd));
  victims.db.evict(victims.ref);
  return name;
}

Deno.test("evicting allocates nothing", () => {
  for (const policy of ["allkeys-lru", "allkeys-lfu", "allkeys-random", "simple-first"]) {
    const { keyspace } = fresh(policy);
    const keys = Array.from({ length: 2000 }, (_, i) => argsOf("set", `key:${i}`, VALUE));
    const { strings } = keyspace.databases[0];
    for (let i = 0; i < 1000; i++) strings.setArgument(keys[i], 1, 2, false, Events.set);
    let next = 0;
    const bytes = bytesPerCall(() => {
      strings.setArgument(keys[next = (next + 1) % keys.length], 1, 2, false, Events.set);
      if (keyspace.keyCount < 1000 || !keyspace.victims.find()) return;
      keyspace.victims.db.evict(keyspace.victims.ref);
    });
    assertEquals(bytes, 0, policy);
    keyspace.verify();
  }
});

Deno.test("sampled eviction takes mostly the oldest keys, and far better than chance with more samples", () => {
  const oldOfEvicted = (samples: number): number => {
    const { keyspace, clock } = fresh("allkeys-lru", 1);
    keyspace.victims.samples = samples;
    for (let i = 0; i < 4000; i++) {
      set(keyspace, `${i}`);
      clock.advance(1000);
    }
    let old = 0;
    for (let i = 0; i < 1000; i++) if (Number(evict(keyspace)) < 1000) old++;
    return old;
  };
  assert(oldOfEvicted(5) > 600);
  assert(oldOfEvicted(10) > 800);
  assert(oldOfEvicted(100) > 980);
});

Deno.test("a block that another key has got meanwhile is judged by that key", () => {
  const { keyspace, clock } = fresh("allkeys-lru");
  for (let i = 0; i < 30; i++) set(keyspace, `old:${i}`);
  clock.advance(50_000);
  assert(evict(keyspace)?.startsWith("old:"));
  // The pool knows some of them still. Their blocks, and their places in the table, go to keys of other databases.
  for (let i = 0; i < 30; i++) keyspace.databases[0].remove(argsOf("del", `old:${i}`), 1);
  for (let i = 0; i < 30; i++) set(keyspace, `new:${i}`, 1);
  clock.advance(50_000);
  for (let i = 0; i < 29; i++) set(keyspace, `old:${i}`);
  for (let i = 0; i < 30; i++) assert(evict(keyspace)?.startsWith("new:"));
  assert(evict(keyspace)?.startsWith("old:"));
  keyspace.verify();
});

Deno.test("keys of 255 bytes and more are evicted like others", () => {
  const { keyspace } = fresh("allkeys-lru");
  for (const length of [1, 254, 255, 32_768, 40_000]) set(keyspace, "k".repeat(length));
  let count = 0;
  while (evict(keyspace) !== null) count++;
  assertEquals([count, keyspace.entries.usedBytes], [5, 0]);
});

Deno.test("where no key may go, none is found", () => {
  for (const policy of ["noeviction", "volatile-lru", "volatile-random", "volatile-ttl"]) {
    const { keyspace } = fresh(policy);
    set(keyspace, "k");
    assertEquals(evict(keyspace), null, policy);
  }
});

Deno.test("random eviction takes turns among databases, or gives all keys the same chance", () => {
  const small = (policy: string): number => {
    const { keyspace } = fresh(policy);
    for (let i = 0; i < 1000; i++) set(keyspace, `${i}`);
    for (let i = 0; i < 100; i++) set(keyspace, `${i}`, 1);
    for (let i = 0; i < 100; i++) evict(keyspace);
    return keyspace.databases[1].size;
  };
  assertEquals(small("allkeys-random"), 50);
  assert(small("simple-first") > 75);
});
