/** What deadlines cost that are set, moved, dropped and met. `-- --smoke` runs it tiny. */
import { bench } from "./bench.ts";
import { Int64 } from "../src/lib/decimal.ts";
import { DeadlineHeap } from "../src/structures/deadline_heap.ts";
import { randomOf } from "./keys.ts";

const SIZE = Deno.args.includes("--smoke") ? 1_000 : 1_000_000;
const BATCH = Math.min(SIZE, 10_000);
const NOW_MS = 1_700_000_000_000;
const HOUR_MS = 3_600_000;

const random = randomOf(1);
const deadline = new Int64();

/** A deadline so many ms after `NOW_MS`. */
function after(ms: number): Int64 {
  deadline.setNumber(NOW_MS + ms);
  return deadline;
}

const slots = new Uint32Array(SIZE + 2);
const heap = new DeadlineHeap({
  moved(ref, slot) {
    slots[ref] = slot;
  },
});
for (let ref = 1; ref <= SIZE; ref++) heap.push(ref, after(random(HOUR_MS)));
let checksum = 0;

bench(`${BATCH} × push and removeAt one of ${SIZE}`, {}, () => {
  for (let i = 0; i < BATCH; i++) {
    heap.push(SIZE + 1, after(random(HOUR_MS)));
    heap.removeAt(slots[SIZE + 1]);
  }
  checksum = (checksum + heap.minRef) | 0;
});

bench(`${BATCH} × update any of ${SIZE}`, {}, () => {
  for (let i = 0; i < BATCH; i++) heap.update(slots[1 + random(SIZE)], after(random(HOUR_MS)));
  checksum = (checksum + heap.minRef) | 0;
});

bench(`${BATCH} × take the first of ${SIZE} and push it an hour later`, {}, () => {
  for (let i = 0; i < BATCH; i++) {
    const ref = heap.minRef;
    deadline.setNumber(heap.minDeadline + HOUR_MS);
    heap.removeAt(slots[ref]);
    heap.push(ref, deadline);
  }
  checksum = (checksum + heap.minRef) | 0;
});

globalThis.addEventListener("unload", () => {
  heap.verify();
  const line = `deadline_heap: ${heap.size} entries, checksum ${checksum}\n`;
  Deno.stdout.writeSync(new TextEncoder().encode(line));
});
