/** What blocks of the arena cost: taken, given back, and read. `-- --smoke` runs it tiny. */
import { bench } from "./bench.ts";
import { Arena, offsetOf } from "../src/structures/arena.ts";
import { randomOf } from "./keys.ts";

const SIZE = Deno.args.includes("--smoke") ? 1_000 : 1_000_000;
/** Blocks a run: enough that the cost of a run vanishes. */
const BATCH = Math.min(SIZE, 10_000);

const random = randomOf(1);
const arena = new Arena();
const refs = new Uint32Array(SIZE);
const order = new Uint32Array(SIZE);
for (let i = 0; i < SIZE; i++) {
  refs[i] = arena.alloc(56);
  order[i] = random(SIZE);
}
let checksum = 0;

bench(`${BATCH} × alloc(56) and free`, {}, () => {
  for (let i = 0; i < BATCH; i++) {
    const ref = arena.alloc(56);
    checksum = (checksum + ref) | 0;
    arena.free(ref);
  }
});

bench(`${BATCH} × free one of ${SIZE} blocks and alloc(1 to 256)`, {}, () => {
  for (let i = 0; i < BATCH; i++) {
    const at = order[(i + BATCH * (checksum & 63)) % SIZE];
    arena.free(refs[at]);
    refs[at] = arena.alloc(1 + (i & 255));
  }
  checksum = (checksum + refs[0]) | 0;
});

bench(`${BATCH} × read a word of one of ${SIZE} blocks`, {}, () => {
  let sum = 0;
  for (let i = 0; i < BATCH; i++) {
    const ref = refs[order[i]];
    sum = (sum + arena.chunkOf(ref).words[offsetOf(ref) >>> 2]) | 0;
  }
  checksum = (checksum + sum) | 0;
});

globalThis.addEventListener("unload", () => {
  arena.verify();
  const line = `arena: ${arena.usedBytes} bytes in use, checksum ${checksum}\n`;
  Deno.stdout.writeSync(new TextEncoder().encode(line));
});
