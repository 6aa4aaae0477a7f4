/**
 * Sorts the indexes of an array of numbers by these numbers. A merge sort over typed arrays, which moves each number with
 * its index: comparing through a function, or numbers that lie elsewhere, takes three to five times as long.
 */
import { assert } from "./assert.ts";

/** So many neighbours are sorted by insertion before they are merged. */
const RUN = 8;

/** Negative if the first of two indexes comes first; 0 if they stay as they are. */
export type IndexComparison = (one: number, other: number) => number;

/**
 * The indexes of `keys`, which are numbers, in the order of their keys. Those of equal keys come in the order that
 * `compareEqual` gives; without it, and where it returns 0, they stay as they are.
 */
export function sortedIndexes(
  keys: Float64Array,
  compareEqual: IndexComparison | null = null,
): Int32Array {
  const count = keys.length;
  let sorted = { keys: keys.slice(), indexes: new Int32Array(count) };
  let spare = { keys: new Float64Array(count), indexes: new Int32Array(count) };
  for (let i = 0; i < count; i++) sorted.indexes[i] = i;
  for (let start = 0; start < count; start += RUN) {
    sortRun(sorted, start, Math.min(start + RUN, count));
  }
  for (let width = RUN; width < count; width *= 2) {
    for (let start = 0; start < count; start += 2 * width) {
      const middle = Math.min(start + width, count);
      merge(sorted, spare, start, middle, Math.min(middle + width, count));
    }
    [sorted, spare] = [spare, sorted];
  }
  if (compareEqual !== null) sortEqual(sorted, compareEqual);
  return sorted.indexes;
}

/** Indexes, and the key of each at the same place. */
interface Keyed {
  readonly keys: Float64Array;
  readonly indexes: Int32Array;
}

/** Insertion sort from `start` to `end`. */
function sortRun({ keys, indexes }: Keyed, start: number, end: number): void {
  assert(start <= end && end <= keys.length, "a run lies within the keys");
  for (let i = start + 1; i < end; i++) {
    const key = keys[i];
    const index = indexes[i];
    let at = i;
    for (; at > start && keys[at - 1] > key; at--) {
      keys[at] = keys[at - 1];
      indexes[at] = indexes[at - 1];
    }
    keys[at] = key;
    indexes[at] = index;
  }
}

/** Merges what lies from `start` to `middle` and from there to `end` of `from`, both in order, into `to`. */
function merge(from: Keyed, to: Keyed, start: number, middle: number, end: number): void {
  assert(start <= middle && middle <= end, "two runs lie one behind the other");
  const { keys, indexes } = from;
  const { keys: toKeys, indexes: toIndexes } = to;
  let at = start;
  let a = start;
  let b = middle;
  // If the runs follow each other already, as in sorted data, they are copied below.
  if (b < end && keys[b - 1] > keys[b]) {
    while (a < middle && b < end) {
      const takesFirst = keys[a] <= keys[b];
      const taken = takesFirst ? a++ : b++;
      toKeys[at] = keys[taken];
      toIndexes[at++] = indexes[taken];
    }
  }
  for (; a < middle; a++) {
    toKeys[at] = keys[a];
    toIndexes[at++] = indexes[a];
  }
  for (; b < end; b++) {
    toKeys[at] = keys[b];
    toIndexes[at++] = indexes[b];
  }
  assert(at === end, "all are merged");
}

/** Sorts each group of indexes whose keys are equal. */
function sortEqual({ keys, indexes }: Keyed, compare: IndexComparison): void {
  for (let start = 0; start < keys.length;) {
    let end = start + 1;
    while (end < keys.length && keys[end] === keys[start]) end++;
    if (end - start > 1) indexes.set(mergeSorted(indexes.slice(start, end), compare), start);
    start = end;
  }
}

/** A merge sort by a comparison; equal ones stay as they are. */
function mergeSorted(indexes: Int32Array, compare: IndexComparison): Int32Array {
  const count = indexes.length;
  let from = indexes;
  let to: Int32Array = new Int32Array(count);
  for (let width = 1; width < count; width *= 2) {
    for (let start = 0; start < count; start += 2 * width) {
      const middle = Math.min(start + width, count);
      const end = Math.min(middle + width, count);
      let a = start;
      let b = middle;
      for (let at = start; at < end; at++) {
        const takesFirst = b === end || (a < middle && compare(from[a], from[b]) <= 0);
        to[at] = takesFirst ? from[a++] : from[b++];
      }
    }
    [from, to] = [to, from];
  }
  return from;
}
