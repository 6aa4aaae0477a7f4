/**
 * Grows a table and its arena to 5M keys "key:N" in blocks of 56 bytes (`--smoke`: 50k) and prints
 * the longest single insert, the mean, and the bytes that a key takes.
 *
 *     deno run bench/growth.ts [--smoke]
 *
 * An insert here is everything a new key costs: hash, miss, block, key bytes, entry in the table.
 * Pauses of the machine count, too; a loop that only reads the clock shows how long these are. Of
 * several runs the shortest "longest insert" tells about the table, the others about the machine.
 *
 * @module
 */
import { Keys } from "./keys.ts";

const SIZE = Deno.args.includes("--smoke") ? 50_000 : 5_000_000;
const BLOCK_BYTES = 56;

const keys = new Keys();
const clockNs = clockCost();
const idleMs = idlePause(SIZE / 5_000);
let longestMs = 0;
let longestAt = 0;
let slow = 0;
const start = performance.now();
let before = start;
for (let n = 0; n < SIZE; n++) {
  keys.say(n);
  if (keys.find() !== 0) throw new Error("a new key was found");
  keys.add(BLOCK_BYTES);
  const now = performance.now();
  if (now - before > 1) slow++;
  if (now - before > longestMs) {
    longestMs = now - before;
    longestAt = n;
  }
  before = now;
}
const meanNs = (before - start) * 1e6 / SIZE - clockNs;
let checksum = 0;
keys.table.forEach((ref) => checksum = (checksum + ref) | 0);

const { usedBytes, slabBytes } = keys.arena.stats();
print(`keys             ${keys.table.count}`);
print(`longest insert   ${longestMs.toFixed(2)} ms, of key ${longestAt}; ${slow} over 1 ms`);
print(`longest idle     ${idleMs.toFixed(2)} ms, the machine's own pause`);
print(`mean insert      ${meanNs.toFixed(0)} ns`);
print(`bytes a key      ${(usedBytes / SIZE).toFixed(1)} block`);
print(`                 ${(keys.table.bytes / SIZE).toFixed(1)} table`);
print(`                 ${((slabBytes + keys.table.bytes) / SIZE).toFixed(1)} with slabs`);
print(`checksum         ${checksum}`);

/** The cost of reading the clock, in ns, which is subtracted. */
function clockCost(): number {
  const calls = 100_000;
  const start = performance.now();
  for (let i = 0; i < calls; i++) performance.now();
  return (performance.now() - start) * 1e6 / calls;
}

/** The longest time between two looks at the clock during `durationMs`. */
function idlePause(durationMs: number): number {
  const start = performance.now();
  let longest = 0;
  for (let last = start; last - start < durationMs;) {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  return longest;
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
