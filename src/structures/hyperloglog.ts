// hot path
/**
 * HyperLogLog: how many different elements were added, within 0.81 %, in 12 KB at most. Redis's format byte
 * for byte, since the value is a string that GET, SET and files carry around.
 *
 * ```
 * "HYLL" · u8 encoding (0 dense, 1 sparse) · 3 unused · u64 estimate, its highest bit set if it is stale
 * dense    16,384 registers of 6 bits, the lowest bits of a byte first
 * sparse   00xxxxxx           x + 1 registers are 0
 *          01xxxxxx yyyyyyyy  xy + 1 registers are 0
 *          1vvvvvxx           x + 1 registers are v + 1
 * ```
 *
 * An element's hash chooses a register by its low 14 bits; the register keeps the largest number of trailing
 * zeros that the other 50 bits of an element had, plus 1. A sparse sketch becomes dense with a register above
 * 32, or when it outgrows the limit it is given.
 * Costs: adding to a dense sketch O(1), to a sparse one O(its bytes); the estimate O(registers).
 * Sources: Heule, Nunkesser, Hall, "HyperLogLog in Practice", 2013; the estimator is that of Ertl, "New
 * cardinality estimation algorithms for HyperLogLog sketches", 2017; the hash is Appleby's MurmurHash64A.
 *
 * @module
 */
import { assert } from "../lib/assert.ts";

export const REGISTERS = 16384;
const INDEX_BITS = 14;
/** Bits of the hash that count zeros. */
const ZERO_BITS = 50;
const HEADER_BYTES = 16;
export const DENSE_BYTES = HEADER_BYTES + REGISTERS * 6 / 8;
const DENSE = 0;
const SPARSE = 1;
const ENCODING_AT = 4;
const ESTIMATE_AT = 8;
const STALE_AT = 15;
const STALE = 0x80;
const MAGIC = [0x48, 0x59, 0x4c, 0x4c];

const SPARSE_VALUE_MAX = 32;
const VALUE_RUN_MAX = 4;
const ZERO_RUN_MAX = 64;
/** After an edit, neighbours among so many runs are joined. */
const JOINED_RUNS = 5;
const ALPHA = 0.721347520444481703680;

// What `hash` found: the register, and what it is raised to.
// scratch: lives for one call
let register = 0;
// scratch: lives for one call
let rank = 0;

/** Whether `bytes[start, end)` is a sketch, as far as its header and size tell. */
export function isSketch(bytes: Uint8Array, start: number, end: number): boolean {
  assert(start <= end && end <= bytes.length, "the range lies within the bytes");
  if (end - start < HEADER_BYTES) return false;
  for (let i = 0; i < MAGIC.length; i++) if (bytes[start + i] !== MAGIC[i]) return false;
  const encoding = bytes[start + ENCODING_AT];
  return encoding === SPARSE || (encoding === DENSE && end - start === DENSE_BYTES);
}

export function isDense(bytes: Uint8Array, start: number): boolean {
  assert(start >= 0, "a sketch begins within its bytes");
  return bytes[start + ENCODING_AT] === DENSE;
}

/** The estimate that is kept with the sketch, or −1 if it is stale. */
export function keptEstimate(bytes: Uint8Array, start: number): number {
  assert(start + HEADER_BYTES <= bytes.length, "a sketch has a header");
  if ((bytes[start + STALE_AT] & STALE) !== 0) return -1;
  let estimate = 0;
  for (let i = 7; i >= 0; i--) estimate = estimate * 256 + bytes[start + ESTIMATE_AT + i];
  return estimate;
}

export function keepEstimate(bytes: Uint8Array, start: number, estimate: number): void {
  assert(
    estimate >= 0 && start + HEADER_BYTES <= bytes.length,
    "a sketch has a header for its estimate",
  );
  let rest = estimate;
  for (let i = 0; i < 8; i++) {
    bytes[start + ESTIMATE_AT + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

export function markStale(bytes: Uint8Array, start: number): void {
  assert(start + HEADER_BYTES <= bytes.length, "a sketch has a header");
  bytes[start + STALE_AT] |= STALE;
}

/** Adds an element to a dense sketch in place; returns whether that changed a register. */
export function addToDense(
  sketch: Uint8Array,
  start: number,
  bytes: Uint8Array,
  view: DataView,
  from: number,
  to: number,
): boolean {
  assert(isDense(sketch, start), "registers are raised in place in a dense sketch");
  hash(bytes, view, from, to);
  if (denseRegister(sketch, start, register) >= rank) return false;
  setDense(sketch, start, register, rank);
  return true;
}

function denseRegister(bytes: Uint8Array, start: number, index: number): number {
  assert(index >= 0 && index < REGISTERS, "a register is one of 16,384");
  const bit = index * 6;
  const at = start + HEADER_BYTES + (bit >>> 3);
  assert(at < bytes.length, "a register lies within its bytes");
  const shift = bit & 7;
  const low = bytes[at] >>> shift;
  return (shift > 2 ? low | (bytes[at + 1] << (8 - shift)) : low) & 63;
}

function setDense(bytes: Uint8Array, start: number, index: number, value: number): void {
  assert(index >= 0 && index < REGISTERS, "a register is one of 16,384");
  assert(value > 0 && value < 64, "a register has six bits, and is raised");
  const bit = index * 6;
  const at = start + HEADER_BYTES + (bit >>> 3);
  const shift = bit & 7;
  bytes[at] = (bytes[at] & ~(63 << shift)) | (value << shift);
  if (shift > 2) {
    bytes[at + 1] = (bytes[at + 1] & ~(63 >>> (8 - shift))) | (value >>> (8 - shift));
  }
}

/**
 * Raises each of `registers` to what the sketch has there; returns false, having raised some, if the sketch
 * is damaged.
 */
export function mergeInto(
  registers: Uint8Array,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  assert(registers.length === REGISTERS, "there is room for all registers");
  if (isDense(bytes, start)) {
    raiseToDense(registers, bytes, start + HEADER_BYTES);
    return true;
  }
  let index = 0;
  for (let at = start + HEADER_BYTES; at < end; at += runBytes(bytes[at])) {
    if (at + runBytes(bytes[at]) > end) return false;
    const length = runLength(bytes, at);
    const value = runValue(bytes[at]);
    if (index + length > REGISTERS) return false;
    for (let i = 0; i < length; i++, index++) {
      if (value > registers[index]) registers[index] = value;
    }
  }
  return index === REGISTERS;
}

/** Raises each register to what the dense ones from `at` on have there: four at a time, which are three bytes. */
function raiseToDense(registers: Uint8Array, bytes: Uint8Array, at: number): void {
  assert(registers.length === REGISTERS, "there is room for all registers");
  assert(at + REGISTERS * 6 / 8 <= bytes.length, "the registers lie within the bytes");
  for (let i = 0; i < REGISTERS; i += 4, at += 3) {
    const four = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
    if ((four & 63) > registers[i]) registers[i] = four & 63;
    if (((four >>> 6) & 63) > registers[i + 1]) registers[i + 1] = (four >>> 6) & 63;
    if (((four >>> 12) & 63) > registers[i + 2]) registers[i + 2] = (four >>> 12) & 63;
    if ((four >>> 18) > registers[i + 3]) registers[i + 3] = four >>> 18;
  }
}

// Runs of a sparse sketch

function runBytes(first: number): number {
  assert(first >= 0 && first < 256, "a run begins with a byte");
  return (first & 0xc0) === 0x40 ? 2 : 1;
}

function runLength(bytes: Uint8Array, at: number): number {
  assert(at >= 0 && at < bytes.length, "a run lies within its bytes");
  const first = bytes[at];
  if ((first & 0x80) !== 0) return (first & 3) + 1;
  if ((first & 0x40) === 0) return (first & 63) + 1;
  return ((first & 63) << 8 | bytes[at + 1]) + 1;
}

/** What the registers of a run hold. */
function runValue(first: number): number {
  assert(first >= 0 && first < 256, "a run begins with a byte");
  return (first & 0x80) === 0 ? 0 : ((first >>> 2) & 31) + 1;
}

// scratch: lives for one call
const runs = new Uint8Array(5);

/** Writes a run to `runs` at `at`; returns where it ends. Runs of no registers are left out. */
function putRun(at: number, value: number, length: number): number {
  assert(length >= 0 && at < runs.length, "runs that are written have room");
  if (length === 0) return at;
  if (value > 0) runs[at++] = 0x80 | (value - 1) << 2 | (length - 1);
  else if (length <= ZERO_RUN_MAX) runs[at++] = length - 1;
  else {
    runs[at++] = 0x40 | (length - 1) >>> 8;
    runs[at++] = (length - 1) & 0xff;
  }
  return at;
}

/** What adding an element or raising a register has done to a sketch. */
export const Change = { none: 0, raised: 1, damaged: -1 } as const;

/** A sketch in memory of its own, for whatever may change its size. */
export class Sketch {
  readonly bytes: Uint8Array = new Uint8Array(DENSE_BYTES);
  length = 0;

  constructor() {
    this.clear();
  }

  /** Becomes the empty sparse sketch. */
  clear(): void {
    this.bytes.fill(0, 0, HEADER_BYTES);
    for (let i = 0; i < MAGIC.length; i++) this.bytes[i] = MAGIC[i];
    this.bytes[ENCODING_AT] = SPARSE;
    const end = putRun(0, 0, REGISTERS);
    for (let i = 0; i < end; i++) this.bytes[HEADER_BYTES + i] = runs[i];
    this.length = HEADER_BYTES + end;
    assert(this.length >= HEADER_BYTES + 1, "an empty sketch is one run at least");
  }

  /** Copies a sketch; returns false if it is longer than a dense one. */
  load(bytes: Uint8Array, start: number, end: number): boolean {
    assert(start <= end && end <= bytes.length, "a sketch lies within its bytes");
    if (end - start > DENSE_BYTES) return false;
    this.length = end - start;
    for (let i = 0; i < this.length; i++) this.bytes[i] = bytes[start + i];
    return true;
  }

  get isDense(): boolean {
    return isDense(this.bytes, 0);
  }

  /** Adds an element; a sparse sketch may grow to `sparseMax` bytes. */
  add(bytes: Uint8Array, view: DataView, from: number, to: number, sparseMax: number): number {
    assert(from <= to && to <= view.byteLength, "an element lies within its bytes");
    hash(bytes, view, from, to);
    return this.raise(register, rank, sparseMax);
  }

  /** Raises a register to `value`, 1 to 51. */
  raise(index: number, value: number, sparseMax: number): number {
    assert(
      index >= 0 && index < REGISTERS && value > 0,
      "a register is one of 16,384, and is raised",
    );
    if (!this.isDense) return this.#raiseSparse(index, value, sparseMax);
    if (denseRegister(this.bytes, 0, index) >= value) return Change.none;
    setDense(this.bytes, 0, index, value);
    return Change.raised;
  }

  #raiseSparse(index: number, value: number, sparseMax: number): number {
    assert(this.length <= DENSE_BYTES, "no sketch is longer than a dense one");
    assert(!this.isDense, "runs are those of a sparse sketch");
    if (value > SPARSE_VALUE_MAX) return this.#raiseDense(index, value);
    const { bytes, length } = this;
    let first = 0;
    let before = 0;
    let at = HEADER_BYTES;
    let run = 0;
    for (; at < length; at += runBytes(bytes[at])) {
      if (at + runBytes(bytes[at]) > length) return Change.damaged;
      run = runLength(bytes, at);
      if (index < first + run) break;
      before = at;
      first += run;
    }
    if (at >= length) return Change.damaged;
    const old = runValue(bytes[at]);
    if (old >= value) return Change.none;
    let end = putRun(0, old, index - first);
    end = putRun(end, value, 1);
    end = putRun(end, old, first + run - index - 1);
    const replaced = runBytes(bytes[at]);
    const grown = length + end - replaced;
    if (end > replaced && grown > Math.min(sparseMax, DENSE_BYTES)) {
      return this.#raiseDense(index, value);
    }
    bytes.copyWithin(at + end, at + replaced, length);
    for (let i = 0; i < end; i++) bytes[at + i] = runs[i];
    this.length = grown;
    this.#join(before === 0 ? HEADER_BYTES : before);
    return Change.raised;
  }

  #raiseDense(index: number, value: number): number {
    assert(value > 0 && value < 64, "a register has six bits, and is raised");
    if (!this.toDense()) return Change.damaged;
    return this.raise(index, value, 0);
  }

  /** Joins neighbours of equal value among the runs from `at` on. */
  #join(at: number): void {
    assert(at >= HEADER_BYTES && at <= this.length, "runs lie behind the header");
    const { bytes } = this;
    for (let left = JOINED_RUNS; left > 0 && at < this.length; left--) {
      const value = runValue(bytes[at]);
      const next = at + 1;
      const isPair = value > 0 && next < this.length && runValue(bytes[next]) === value;
      const sum = isPair ? runLength(bytes, at) + runLength(bytes, next) : 0;
      if (!isPair || sum > VALUE_RUN_MAX) {
        at += runBytes(bytes[at]);
        continue;
      }
      putRun(0, value, sum);
      bytes[at] = runs[0];
      bytes.copyWithin(next, next + 1, this.length);
      this.length--;
    }
  }

  /** Makes a sparse sketch dense; returns false, changing nothing, if it is damaged. */
  toDense(): boolean {
    assert(this.length <= DENSE_BYTES, "no sketch is longer than a dense one");
    if (this.isDense) return true;
    const registers = new Uint8Array(REGISTERS);
    if (!mergeInto(registers, this.bytes, 0, this.length)) return false;
    this.bytes.fill(0, HEADER_BYTES);
    this.bytes[ENCODING_AT] = DENSE;
    this.length = DENSE_BYTES;
    for (let i = 0; i < REGISTERS; i++) {
      if (registers[i] > 0) setDense(this.bytes, 0, i, registers[i]);
    }
    return true;
  }

  /** The runs of a sparse sketch as text, such as "Z:100 v:1,3 z:2"; for debugging. */
  describe(): string {
    assert(!this.isDense, "only a sparse sketch has runs");
    const parts: string[] = [];
    for (let at = HEADER_BYTES; at < this.length; at += runBytes(this.bytes[at])) {
      const length = runLength(this.bytes, at);
      const value = runValue(this.bytes[at]);
      if (value > 0) parts.push(`v:${value},${length}`);
      else parts.push(`${runBytes(this.bytes[at]) === 1 ? "z" : "Z"}:${length}`);
    }
    return parts.join(" ");
  }
}

// The estimate

// scratch: lives for one call
const histogram = new Int32Array(64);

/** How many different elements the registers have seen. */
export function estimate(registers: Uint8Array): number {
  assert(registers.length === REGISTERS, "an estimate is one of all registers");
  histogram.fill(0);
  for (let i = 0; i < REGISTERS; i++) histogram[registers[i] & 63]++;
  const top = ZERO_BITS + 1;
  let z = REGISTERS * tau((REGISTERS - histogram[top]) / REGISTERS);
  for (let i = ZERO_BITS; i >= 1; i--) z = 0.5 * (z + histogram[i]);
  z += REGISTERS * sigma(histogram[0] / REGISTERS);
  return Math.round(ALPHA * REGISTERS * REGISTERS / z);
}

function sigma(start: number): number {
  assert(start >= 0 && start <= 1, "a share lies between 0 and 1");
  if (start === 1) return Infinity;
  let x = start;
  let y = 1;
  let z = x;
  let before: number;
  do {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  } while (before !== z);
  return z;
}

function tau(start: number): number {
  assert(start >= 0 && start <= 1, "a share lies between 0 and 1");
  if (start === 0 || start === 1) return 0;
  let x = start;
  let y = 1;
  let z = 1 - x;
  let before: number;
  do {
    x = Math.sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) ** 2 * y;
  } while (before !== z);
  return z / 3;
}

// The hash: 64-bit integers as two signed halves

const SEED = 0xadc83b19 | 0;
const M_LO = 0x5bd1e995;
const M_HI = 0xc6a4a793 | 0;
/** The hash shifts by 47: the high half by 15. */
const SHIFT = 15;

// scratch: lives for one call
let lo = 0;
// scratch: lives for one call
let hi = 0;

/** (hi, lo) *= M, modulo 2^64. */
function multiply(): void {
  const a = lo & 0xffff;
  const b = lo >>> 16;
  const c = M_LO & 0xffff;
  const d = M_LO >>> 16;
  const low = a * c;
  const middle = b * c + (low >>> 16) + (low >= 4294967296 ? 65536 : 0);
  const cross = a * d + middle % 65536;
  const high = b * d + Math.floor(middle / 65536) + Math.floor(cross / 65536);
  hi = (high + Math.imul(hi, M_LO) + Math.imul(lo, M_HI)) | 0;
  lo = ((cross % 65536) << 16 | (low & 0xffff)) | 0;
}

/** Finds the register of an element and what it is raised to. */
function hash(bytes: Uint8Array, view: DataView, from: number, to: number): void {
  assert(from <= to && to <= view.byteLength, "the element lies within its bytes");
  const size = to - from;
  lo = size | 0;
  hi = 0;
  multiply();
  let sumLo = lo ^ SEED;
  let sumHi = hi;
  let at = from;
  for (; at + 8 <= to; at += 8) {
    lo = view.getInt32(at, true);
    hi = view.getInt32(at + 4, true);
    multiply();
    lo ^= hi >>> SHIFT;
    multiply();
    lo ^= sumLo;
    hi ^= sumHi;
    multiply();
    sumLo = lo;
    sumHi = hi;
  }
  lo = sumLo;
  hi = sumHi;
  if (at < to) {
    for (let i = to - at - 1; i >= 4; i--) hi ^= bytes[at + i] << (8 * (i - 4));
    for (let i = Math.min(to - at, 4) - 1; i >= 0; i--) lo ^= bytes[at + i] << (8 * i);
    multiply();
  }
  lo ^= hi >>> SHIFT;
  multiply();
  lo ^= hi >>> SHIFT;
  register = lo & (REGISTERS - 1);
  const rest = lo >>> INDEX_BITS;
  if (rest !== 0) rank = trailingZeros(rest) + 1;
  else if (hi !== 0) rank = 32 - INDEX_BITS + trailingZeros(hi) + 1;
  else rank = ZERO_BITS + 1;
  assert(rank > 0 && rank <= ZERO_BITS + 1, "a rank counts zeros and the bit behind them");
}

function trailingZeros(word: number): number {
  assert(word !== 0, "a word has a bit that is set");
  return 31 - Math.clz32(word & -word);
}
