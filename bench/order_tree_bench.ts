/**
 * Sorted sets of 10,000, 100,000 and 1,000,000 members: what ZADD, ZRANK, ZRANGE with a deep offset and ZQUERY
 * do to the order tree and the member table. Each iteration takes 64, so a figure divided by 64 is that of one
 * command. O(log n) shows in figures that hardly grow from size to size: what grows is mostly the cache misses.
 */
import { bench } from "./bench.ts";
import { RangeBound, ZsetValue } from "../src/keyspace/zset_value.ts";
import { Keyspace } from "../src/keyspace/keyspace.ts";
import { Clock } from "../src/lib/clock.ts";
import { argsOf } from "../src/protocol/args.ts";
import { Hasher } from "../src/lib/hash.ts";

const BATCH = 64;
const SIZES = Deno.args.includes("--smoke") ? [100] : [10_000, 100_000, 1_000_000];
const PRIME = 7919;

const encoder = new TextEncoder();
const keyspace = new Keyspace(new Clock(), new Hasher(20261121, 2), 1);
const db = keyspace.databases[0];
let checksum = 0;

for (const size of SIZES) {
  const zset = new ZsetValue();
  zset.cursor.editOrCreate(db, argsOf(`z${size}`), 0);
  const members = Array.from({ length: size + BATCH }, (_, i) => {
    const bytes = encoder.encode(`member:${String(i).padStart(10, "0")}  `);
    return { bytes, view: new DataView(bytes.buffer), end: bytes.length - 2 };
  });
  const score = (i: number) => (i * PRIME) % size;
  const set = (i: number, to: number) => {
    const { bytes, view, end } = members[i];
    return zset.set(bytes, view, 0, end, to);
  };
  for (let i = 0; i < size; i++) set(i, score(i));
  let turn = 0;
  // So that a member's score differs from round to round.
  let salt = 0;
  const next = () => (turn = (turn + PRIME) % size);

  bench(`ZADD and ZREM of 64 new members at ${size}`, { group: "insert" }, () => {
    for (let n = 0; n < BATCH; n++) set(size + n, next());
    for (let n = 0; n < BATCH; n++) {
      const { bytes, view, end } = members[size + n];
      zset.remove(bytes, view, 0, end);
    }
  });
  bench(`ZADD of 64 other scores at ${size}`, { group: "update" }, () => {
    for (let n = 0; n < BATCH; n++) set(next(), (next() + salt++) % size);
  });
  bench(`ZRANK of 64 members at ${size}`, { group: "rank" }, () => {
    for (let n = 0; n < BATCH; n++) {
      const { bytes, view, end } = members[next()];
      checksum += zset.rankOf(bytes, view, 0, end);
    }
  });
  bench(`ZRANGE of one element at 64 deep offsets at ${size}`, { group: "offset" }, () => {
    for (let n = 0; n < BATCH; n++) {
      zset.forEachFrom(next(), 1, false, (_, found) => checksum += found);
    }
  });
  const bound = new RangeBound();
  bound.by = "pair";
  bench(`ZQUERY from 64 pairs at ${size}`, { group: "query" }, () => {
    for (let n = 0; n < BATCH; n++) {
      const { bytes, view, end } = members[next()];
      bound.score = score(next());
      bound.member.set(bytes, view, 0, end);
      const rank = Math.min(zset.countBefore(bound), zset.count - 1);
      zset.forEachFrom(rank, 1, false, (_, found) => checksum += found);
    }
  });
}
addEventListener("unload", () => {
  Deno.stdout.writeSync(encoder.encode(`order tree: checksum ${checksum % 1_000_003}\n`));
});
