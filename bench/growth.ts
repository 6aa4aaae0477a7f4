/**
 * Grows a table and its arena to 5M keys "key:N" in blocks of 56 bytes (`--smoke`: 50k) and prints
 * the longest single insert, the mean, and the bytes that a key takes.
 *
 *     deno run bench/growth.ts [--smoke]
 *
 * An insert here is everything a new key costs: hash, miss, block, key bytes, entry in the table.
 * Pauses of the machine count, too: the longest of several runs tells more about the machine than
 * about the table, the shortest of the longest tells about the table.
 *
 * @module
 */
import { Keys } from "./keys.ts";

const SIZE = Deno.args.includes("--smoke") ? 50_000 : 5_000_000;
const BLOCK_BYTES = 56;

const keys = new Keys();
const clockNs = clockCost();
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
print(`mean insert      ${meanNs.toFixed(0)} ns`);
print(`bytes a key      ${(usedBytes / SIZE).toFixed(1)} block`);
print(`                 ${(keys.table.bytes / SIZE).toFixed(1)} table`);
print(`                 ${((slabBytes + keys.table.bytes) / SIZE).toFixed(1)} with slabs`);
print(`checksum         ${checksum}`);

/** What reading the clock costs, in ns, to be taken off. */
function clockCost(): number {
  const calls = 100_000;
  const start = performance.now();
  for (let i = 0; i < calls; i++) performance.now();
  return (performance.now() - start) * 1e6 / calls;
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
