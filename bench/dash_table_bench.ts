/** What looking up, inserting and removing keys costs, hashing included. `-- --smoke` runs it tiny. */
import { bench } from "./bench.ts";
import { Keys, randomOf } from "./keys.ts";

const SIZE = Deno.args.includes("--smoke") ? 1_000 : 1_000_000;
const BATCH = Math.min(SIZE, 10_000);
const BLOCK_BYTES = 56;

const random = randomOf(1);
const keys = new Keys();
for (let n = 0; n < SIZE; n++) {
  keys.say(n);
  keys.find();
  keys.add(BLOCK_BYTES);
}
const sampled = new Uint32Array(5);
let checksum = 0;
let next = SIZE;
let cursor = 0;

bench(`${BATCH} × find a key of ${SIZE}`, {}, () => {
  for (let i = 0; i < BATCH; i++) {
    keys.say(random(SIZE));
    checksum = (checksum + keys.find()) | 0;
  }
});

bench(`${BATCH} × find one of 1,000 keys, which the cache holds`, {}, () => {
  for (let i = 0; i < BATCH; i++) {
    keys.say(i % 1_000);
    checksum = (checksum + keys.find()) | 0;
  }
});

bench(`${BATCH} × miss a key of ${SIZE}`, {}, () => {
  for (let i = 0; i < BATCH; i++) {
    keys.say(SIZE + 10 + random(SIZE));
    checksum = (checksum + keys.find()) | 0;
  }
});

bench(`${BATCH} × insert a key and remove it, of ${SIZE}`, {}, () => {
  for (let i = 0; i < BATCH; i++) {
    keys.say(++next);
    keys.find();
    const ref = keys.add(BLOCK_BYTES);
    keys.table.remove(keys.hash, ref);
    keys.arena.free(ref);
  }
});

bench(`${BATCH} × sample 5 keys of ${SIZE}`, {}, () => {
  for (let i = 0; i < BATCH; i++) {
    keys.table.sample(sampled, 5);
    checksum = (checksum + sampled[4]) | 0;
  }
});

bench(`scan 1,000 keys of ${SIZE}`, {}, () => {
  cursor = keys.table.scan(cursor, 1_000, (ref) => checksum = (checksum + ref) | 0);
});

globalThis.addEventListener("unload", () => {
  keys.table.verify();
  const line = `dash_table: ${keys.table.count} keys, checksum ${checksum}\n`;
  Deno.stdout.writeSync(new TextEncoder().encode(line));
});
