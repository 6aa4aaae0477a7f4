/**
 * Looks at all that a server holds: every structure's invariants, and whether the arena's bytes are those of the values.
 * O(everything), for tests.
 */
import type { Server } from "../../src/app/server.ts";
import type { Database } from "../../src/keyspace/database.ts";
import { Encoding, type Entries, type HeapValue, Type } from "../../src/keyspace/entry.ts";
import { HashTable } from "../../src/keyspace/hash_table.ts";
import { HashValue } from "../../src/keyspace/hash_value.ts";
import { SetValue } from "../../src/keyspace/set_value.ts";
import { Stream } from "../../src/keyspace/stream_value.ts";
import { SortedSet, ZsetValue } from "../../src/keyspace/zset_value.ts";
import { Args, binaryText } from "../../src/protocol/args.ts";
import type { Ref } from "../../src/structures/arena.ts";
import { isIntset } from "../../src/structures/intset.ts";
import { isListpack } from "../../src/structures/listpack.ts";
import { Quicklist } from "../../src/structures/quicklist.ts";

function claim(ok: boolean, what: string): void {
  if (!ok) throw new Error(`Invariant broken: ${what}`);
}

/** Throws unless all invariants of the data hold. Finishes what is still to be freed. */
export function audit({ engine }: Server): void {
  const { keyspace } = engine;
  while (!keyspace.isHeld && keyspace.lazyFree.freeSome(() => false));
  keyspace.verify();
  const { entries } = keyspace;
  let arenaBytes = 0;
  let outsideBytes = 0;
  let objects = 0;
  for (const db of [...keyspace.databases, keyspace.aside]) {
    db.forEach((ref) => {
      entries.open(ref);
      arenaBytes += entries.arena.blockSize(ref);
      if (entries.keyBytes !== entries.bytes) outsideBytes += entries.keyBytes.length;
      if (entries.encoding === Encoding.object) {
        const object = entries.object();
        objects++;
        arenaBytes += object.arenaBytes;
        outsideBytes += object.bytes;
        verifyObject(object);
      } else verifyInline(entries);
      verifyElements(db, ref);
    });
  }
  claim(keyspace.aside.size === 0, "nothing stays aside");
  // While a snapshot reads tables that were emptied, what they hold waits to be freed.
  if (keyspace.isHeld) return;
  claim(objects === entries.objects.size, "every object has an entry");
  claim(arenaBytes === entries.arena.usedBytes, "the arena's bytes are those of the values");
  claim(
    outsideBytes === entries.outsideBytes,
    "the bytes outside the arena are those of the values",
  );
}

/** Removes all keys one by one, and all clients; throws unless nothing is left. */
export function auditEmptied(server: Server): void {
  const { engine, hub } = server;
  for (const client of [...engine.clients.values()]) hub.remove(client);
  const { keyspace, blocking, watchedKeys, pubsub } = engine;
  claim(blocking.keyCount === 0 && blocking.clientCount === 0, "nobody waits");
  claim(watchedKeys.size === 0, "nobody watches a key");
  claim([0, 1, 2].every((kind) => pubsub.count(kind as 0) === 0), "nobody listens");
  claim(engine.tracking === null, "nobody tracks");
  claim(engine.monitors.size === 0 && engine.toFlush.size === 0, "nobody is shown anything");
  claim(engine.clientMemory.bytes === 0, "clients that have gone take no memory");
  audit(server);
  if (keyspace.isHeld) return;
  const { entries } = keyspace;
  const key = new Args();
  for (const db of keyspace.databases) {
    const names: Uint8Array[] = [];
    db.forEach((ref) => {
      entries.open(ref);
      names.push(entries.keyBytes.slice(entries.keyStart, entries.keyEnd));
    });
    for (const name of names) {
      key.clear();
      key.use(name, new DataView(name.buffer));
      key.push(0, name.length);
      db.removeQuietly(key, 0);
    }
    claim(db.size === 0, "all keys can be removed");
  }
  while (keyspace.lazyFree.freeSome(() => false));
  claim(entries.usedBytes === 0, "an empty server holds nothing");
}

function verifyObject(object: HeapValue): void {
  if (object instanceof HashTable) object.members.verify();
  else if (object instanceof SortedSet || object instanceof Quicklist) object.verify();
  else if (object instanceof Stream) {
    object.log.verify();
    for (const group of object.groups?.all() ?? []) group.verify();
  }
}

function verifyInline({ encoding, bytes, view, valueStart, valueEnd }: Entries): void {
  if (encoding === Encoding.intset) {
    claim(isIntset(bytes, view, valueStart, valueEnd), "an intset is one");
  }
  if (encoding === Encoding.listpack) {
    claim(isListpack(bytes, view, valueStart, valueEnd), "a listpack is one");
  }
}

/** Names are there once, and sorted sets are in order. A listpack of a damaged file may have a name twice, as in Redis. */
function verifyElements(db: Database, ref: Ref): void {
  const { entries } = db.keyspace;
  entries.open(ref);
  if (entries.type === Type.zset) {
    const zset = new ZsetValue();
    zset.cursor.openEntry(db, ref);
    zset.verify();
    let before = -Infinity;
    zset.forEachFrom(0, zset.count, false, (_member, score) => {
      claim(score >= before, "scores ascend, and are numbers");
      before = score;
    });
  } else if (entries.encoding !== Encoding.object) return;
  else if (entries.type === Type.hash) {
    const names = new Set<string>();
    const hash = new HashValue();
    hash.cursor.openEntry(db, ref);
    hash.forEach(({ bytes, start, end }) => names.add(binaryText(bytes, start, end)));
    claim(names.size === hash.count, "a field is in its hash once");
  } else if (entries.type === Type.set) {
    const names = new Set<string>();
    const set = new SetValue();
    set.cursor.openEntry(db, ref);
    set.forEach(({ bytes, start, end }) => names.add(binaryText(bytes, start, end)));
    claim(names.size === set.count, "a member is in its set once");
  }
}
