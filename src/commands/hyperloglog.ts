// hot path
/** Commands on HyperLogLogs: https://redis.io/docs/latest/commands/?group=hyperloglog */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, keyRange, oneKey } from "../engine/command.ts";
import { Events } from "../keyspace/change_hooks.ts";
import type { StringValue } from "../keyspace/values.ts";
import type { Args } from "../protocol/args.ts";
import { Errors, unknownPfdebug } from "../protocol/errors.ts";
import {
  addToDense,
  Change,
  estimate,
  isDense,
  isSketch,
  keepEstimate,
  keptEstimate,
  markStale,
  mergeInto,
  REGISTERS,
  Sketch,
} from "../structures/hyperloglog.ts";

// scratch: lives for one call
const sketch = new Sketch();
// scratch: lives for one call
const registers = new Uint8Array(REGISTERS);

/** The sketch at argument `index`, or null; a string that is none fails `args`. */
function readSketch({ args, db }: Call, index: number): StringValue | null {
  return checked(args, db.readString(args, index));
}

/** As `readSketch` for a command that will write the key. */
function peekSketch({ args, db }: Call, index: number): StringValue | null {
  return checked(args, db.peekString(args, index));
}

function checked(args: Args, value: StringValue | null): StringValue | null {
  if (value === null) return null;
  if (!isSketch(value.bytes, value.start, value.end)) args.fail(Errors.notASketch);
  return value;
}

/** Stores `sketch` at the key that argument 1 names. */
function store({ args, db }: Call): void {
  const value = db.strings.edit(args, 1, sketch.length);
  for (let i = 0; i < sketch.length; i++) value.bytes[value.start + i] = sketch.bytes[i];
}

/** PFADD key [element …]: returns 1 if a register changed, or the key is new. */
function pfadd(call: Call): void {
  const { args, reply, db } = call;
  const value = peekSketch(call, 1);
  if (args.error !== null) return reply.error(args.error);
  if (value !== null && isDense(value.bytes, value.start)) return addDense(call, value.length);
  // As in Redis, a new key counts as a change of its own.
  let changes = value === null ? 1 : 0;
  if (value === null) sketch.clear();
  else if (!sketch.load(value.bytes, value.start, value.end)) {
    return reply.error(Errors.damagedSketch);
  }
  const { hllSparseMaxBytes } = db.keyspace.limits;
  for (let i = 2; i < args.count; i++) {
    const change = sketch.add(
      args.bytesOf(i),
      args.viewOf(i),
      args.start(i),
      args.end(i),
      hllSparseMaxBytes,
    );
    if (change === Change.damaged) return reply.error(Errors.damagedSketch);
    if (change === Change.raised) changes++;
  }
  if (changes === 0) return reply.integer(0);
  markStale(sketch.bytes, 0);
  store(call);
  added(call, changes);
}

/** Adds elements to a dense sketch in place. */
function addDense(call: Call, length: number): void {
  const { args, reply, db } = call;
  const value = db.strings.edit(args, 1, length);
  let changes = 0;
  for (let i = 2; i < args.count; i++) {
    const { bytes, start } = value;
    if (addToDense(bytes, start, args.bytesOf(i), args.viewOf(i), args.start(i), args.end(i))) {
      changes++;
    }
  }
  if (changes === 0) return reply.integer(0);
  markStale(value.bytes, value.start);
  added(call, changes);
}

/** So many registers have changed. */
function added({ args, reply, db }: Call, changes: number): void {
  db.changed(args, 1, Events.pfadd);
  db.keyspace.hooks.dirty += changes - 1;
  reply.integer(1);
}

/**
 * Puts the union of all the sketches into `registers`; damaged ones fail `args`. Returns whether one of them is
 * dense.
 */
function mergeAll(call: Call): boolean {
  const { args } = call;
  let hasDense = false;
  registers.fill(0);
  for (let i = 1; i < args.count && args.error === null; i++) {
    const value = readSketch(call, i);
    if (value === null || args.error !== null) continue;
    if (isDense(value.bytes, value.start)) hasDense = true;
    if (!mergeInto(registers, value.bytes, value.start, value.end)) {
      args.fail(Errors.damagedSketch);
    }
  }
  return hasDense;
}

/** PFCOUNT key …: of several sketches, that of all their elements. */
function pfcount(call: Call): void {
  const { args, reply } = call;
  if (args.count === 2) return countOne(call);
  mergeAll(call);
  if (args.error !== null) return reply.error(args.error);
  reply.integer(estimate(registers));
}

/** Counts one sketch, and caches the estimate in it, as Redis does. */
function countOne(call: Call): void {
  const { args, reply, db } = call;
  const value = readSketch(call, 1);
  if (args.error !== null) return reply.error(args.error);
  if (value === null) return reply.integer(0);
  const kept = keptEstimate(value.bytes, value.start);
  if (kept >= 0) return reply.integer(kept);
  registers.fill(0);
  if (!mergeInto(registers, value.bytes, value.start, value.end)) {
    return reply.error(Errors.damagedSketch);
  }
  const count = estimate(registers);
  const edited = db.strings.edit(args, 1, value.length);
  keepEstimate(edited.bytes, edited.start, count);
  db.changedWithoutEvent(args, 1);
  reply.integer(count);
}

/** PFMERGE destkey [sourcekey …]: dense if one of them is. */
function pfmerge(call: Call): void {
  const { args, reply, db } = call;
  const hasDense = mergeAll(call);
  if (args.error !== null) return reply.error(args.error);

  sketch.clear();
  const target = peekSketch(call, 1);
  if (target !== null) sketch.load(target.bytes, target.start, target.end);
  if (hasDense) sketch.toDense();
  for (let i = 0; i < REGISTERS; i++) {
    if (registers[i] > 0) sketch.raise(i, registers[i], db.keyspace.limits.hllSparseMaxBytes);
  }
  markStale(sketch.bytes, 0);
  store(call);
  db.changed(args, 1, Events.pfadd);
  reply.ok();
}

// PFDEBUG and PFSELFTEST

type Inspection = (call: Call) => void;

const INSPECTIONS: Record<string, Inspection> = {
  GETREG: showRegisters,
  DECODE: showRuns,
  ENCODING: ({ reply }) => reply.simple(sketch.isDense ? "dense" : "sparse"),
  TODENSE: toDense,
};

/** PFDEBUG GETREG | DECODE | ENCODING | TODENSE key */
function pfdebug(call: Call): void {
  const { args, reply } = call;
  const name = args.binary(1);
  const value = inspect(call);
  if (args.error !== null) return reply.error(args.error);
  if (value === null) return reply.error(Errors.noSpecifiedKey);
  sketch.load(value.bytes, value.start, value.end);
  const run = INSPECTIONS[name.toUpperCase()];
  if (run === undefined) return reply.error(unknownPfdebug(name));
  run(call);
}

/** Reads the sketch at argument 2, and its registers. */
function inspect(call: Call): StringValue | null {
  const value = peekSketch(call, 2);
  registers.fill(0);
  if (value !== null && call.args.error === null) {
    if (!mergeInto(registers, value.bytes, value.start, value.end)) {
      call.args.fail(Errors.damagedSketch);
    }
  }
  return value;
}

function storeDense({ args, db }: Call): boolean {
  if (sketch.isDense) return false;
  sketch.toDense();
  const value = db.strings.edit(args, 2, sketch.length);
  for (let i = 0; i < sketch.length; i++) value.bytes[value.start + i] = sketch.bytes[i];
  db.keyspace.hooks.dirty++;
  return true;
}

/** Also makes the sketch dense, as Redis's does. */
function showRegisters(call: Call): void {
  storeDense(call);
  call.reply.array(REGISTERS);
  for (let i = 0; i < REGISTERS; i++) call.reply.integer(registers[i]);
}

function showRuns({ reply }: Call): void {
  if (sketch.isDense) return reply.error(Errors.notSparse);
  reply.bulkText(sketch.describe());
}

function toDense(call: Call): void {
  call.reply.integer(storeDense(call) ? 1 : 0);
}

/** Elements that the self test adds; a power of ten. */
const TEST_ELEMENTS = 100_000;
/** Six times the standard error: a larger one does not occur by chance. */
const TEST_ERROR = 6 * 1.04 / Math.sqrt(REGISTERS);

/** PFSELFTEST: sparse and dense sketches agree, and estimate what they should. */
function pfselftest({ reply, db }: Call): void {
  const dense = new Sketch();
  dense.toDense();
  const own = new Sketch();
  const text = new Uint8Array(8);
  const view = new DataView(text.buffer);
  for (let i = 1; i <= TEST_ELEMENTS; i++) {
    view.setFloat64(0, i);
    dense.add(text, view, 0, 8, 0);
    own.add(text, view, 0, 8, db.keyspace.limits.hllSparseMaxBytes);
    if (i % 10 ** Math.floor(Math.log10(i)) !== 0) continue;
    const [expected, actual] = [dense, own].map(estimateOf);
    if (expected !== actual) return reply.errorText("TESTFAILED dense/sparse disagree");
    if (Math.abs(actual - i) > Math.max(TEST_ERROR * i, 1)) {
      return reply.errorText(`TESTFAILED Too big error. card:${i} abserr:${Math.abs(actual - i)}`);
    }
  }
  reply.ok();
}

function estimateOf({ bytes, length }: Sketch): number {
  registers.fill(0);
  mergeInto(registers, bytes, 0, length);
  return estimate(registers);
}

/** Rows of the table: see engine/command.ts. */
export const hyperloglogCommands: readonly CommandSpec[] = [
  {
    name: "pfadd",
    usage: "key [{element}*]",
    summary: "Adds elements to a HyperLogLog.",
    since: "2.8.9",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW insert")],
    run: pfadd,
  },
  {
    name: "pfcount",
    usage: "{key}*",
    summary: "Estimates how many different elements HyperLogLogs have seen.",
    since: "2.8.9",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.mayReplicate,
    keys: [keyRange("RW access", 1, -1, 1)],
    run: pfcount,
  },
  {
    name: "pfmerge",
    usage: "destkey:key [{sourcekey:key}*]",
    summary: "Merges HyperLogLogs into one.",
    since: "2.8.9",
    complexity: "O(N)",
    flags: Flag.write | Flag.denyOom,
    keys: [oneKey("RW access insert"), keyRange("RO access", 2, -1, 1)],
    run: pfmerge,
  },
  {
    name: "pfdebug",
    usage: "subcommand key",
    summary: "Shows the inside of a HyperLogLog.",
    since: "2.8.9",
    complexity: "Depends on the subcommand",
    flags: Flag.write | Flag.denyOom | Flag.admin,
    keys: [oneKey("RW access", 2)],
    isInternal: true,
    run: pfdebug,
  },
  {
    name: "pfselftest",
    usage: "",
    summary: "Tests that HyperLogLogs estimate well.",
    since: "2.8.9",
    complexity: "Depends on the subcommand",
    flags: Flag.admin,
    isInternal: true,
    run: pfselftest,
  },
];
