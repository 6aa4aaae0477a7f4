/** Commands on Bloom filters, as the module of that name has them: https://redis.io/docs/latest/commands/?group=bf */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import { Events } from "../keyspace/change_hooks.ts";
import { BloomValue } from "../keyspace/bloom_value.ts";
import type { Args } from "../protocol/args.ts";
import { Errors } from "../protocol/errors.ts";
import { Added, BloomFilter } from "../structures/bloom_filter.ts";
import { scratch } from "../lib/scratch.ts";

const ERROR_RATE = 0.01;
const CAPACITY = 100;
const EXPANSION = 2;
const EXPANSION_MAX = 32768;

// scratch: lives for one call
const bloom = scratch(new BloomValue());

/** Adds the item at argument `index`; returns whether it could be added, after answering. */
function addItem({ args, reply }: Call, index: number): boolean {
  const added = bloom.filter.add(args.viewOf(index), args.start(index), args.end(index));
  if (added === Added.full) reply.error(Errors.bloomFull);
  else reply.bool(added === Added.added);
  return added !== Added.full;
}

/** Opens the filter at argument 1; makes one with the default size if it is missing. */
function openToAdd({ args, reply, db }: Call): boolean {
  bloom.errorRate = ERROR_RATE;
  bloom.capacity = CAPACITY;
  bloom.expansion = EXPANSION;
  if (bloom.cursor.editOrCreate(db, args, 1)) return true;
  reply.error(Errors.wrongType);
  return false;
}

function bfAdd(call: Call): void {
  if (!openToAdd(call)) return;
  const before = bloom.count;
  addItem(call, 2);
  if (bloom.count > before) bloom.cursor.changed(Events.bloomAdd);
}

/** Stops at the first item that the filter has no room for. */
function bfMadd(call: Call): void {
  const { args, reply } = call;
  if (!openToAdd(call)) return;
  const before = bloom.count;
  const begin = reply.mark();
  let shown = 0;
  for (let i = 2; i < args.count; i++) {
    shown++;
    if (!addItem(call, i)) break;
  }
  reply.arrayFrom(begin, shown);
  const added = bloom.count - before;
  if (added > 0) bloom.cursor.changed(Events.bloomAdd, added);
}

function replyHas({ args, reply }: Call, index: number, exists: boolean): void {
  reply.bool(exists && bloom.filter.has(args.viewOf(index), args.start(index), args.end(index)));
}

function bfExists(call: Call): void {
  const { args, db } = call;
  const exists = bloom.cursor.read(db, args, 1);
  if (!call.failed()) replyHas(call, 2, exists);
}

function bfMexists(call: Call): void {
  const { args, reply, db } = call;
  const exists = bloom.cursor.read(db, args, 1);
  if (call.failed()) return;
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) replyHas(call, i, exists);
}

function bfCard(call: Call): void {
  const { args, reply, db } = call;
  const exists = bloom.cursor.read(db, args, 1);
  if (!call.failed()) reply.integer(exists ? bloom.count : 0);
}

function readErrorRate(args: Args, index: number): number {
  const rate = args.double(index);
  if (args.error !== null) args.error = Errors.bloomBadRate;
  else if (!(rate > 0 && rate < 1)) args.fail(Errors.bloomRateRange);
  return rate;
}

function readCapacity(args: Args, index: number): number {
  const most = Number.MAX_SAFE_INTEGER;
  const capacity = args.integerWithin(index, -most, most, Errors.bloomBadCapacity);
  if (args.error === null && capacity <= 0) args.fail(Errors.bloomCapacityRange);
  return capacity;
}

/** Reads [EXPANSION n] [NONSCALING]; returns the expansion, 0 for a filter that does not grow. */
function readExpansion(args: Args): number {
  let expansion = 0;
  let isFixed = false;
  for (let at = 4; at < args.count && args.error === null; at++) {
    if (args.is(at, "NONSCALING")) isFixed = true;
    else if (args.is(at, "EXPANSION") && at + 1 < args.count) {
      expansion = args.integerWithin(++at, 1, EXPANSION_MAX, Errors.bloomBadExpansion);
    } else args.fail(Errors.syntax);
  }
  if (args.error === null && isFixed && expansion > 0) args.fail(Errors.bloomFixedExpansion);
  return isFixed ? 0 : expansion || EXPANSION;
}

/** BF.RESERVE key error_rate capacity [EXPANSION expansion] [NONSCALING] */
function bfReserve({ args, reply, db }: Call): void {
  bloom.errorRate = readErrorRate(args, 2);
  if (args.error === null) bloom.capacity = readCapacity(args, 3);
  if (args.error === null) bloom.expansion = readExpansion(args);
  if (args.error !== null) return reply.error(args.error);
  if (bloom.cursor.peek(db, args, 1)) return reply.error(Errors.bloomExists);
  if (args.error !== null) return reply.error(args.error);
  if (!BloomFilter.canHold(bloom.errorRate, bloom.capacity, bloom.expansion)) {
    return reply.error(Errors.bloomTooLarge);
  }
  bloom.cursor.editOrCreate(db, args, 1);
  bloom.cursor.changed(Events.bloomReserve);
  reply.ok();
}

/** BF.INFO's facts: the word that asks for one, its name in the reply, its value. */
const FACTS: readonly (readonly [word: string, name: string, of: (f: BloomFilter) => number])[] = [
  ["CAPACITY", "Capacity", (filter) => filter.totalCapacity],
  ["SIZE", "Size", (filter) => filter.bytes],
  ["FILTERS", "Number of filters", (filter) => filter.layers.length],
  ["ITEMS", "Number of items inserted", (filter) => filter.count],
  ["EXPANSION", "Expansion rate", (filter) => filter.expansion],
];

/** BF.INFO key [CAPACITY | SIZE | FILTERS | ITEMS | EXPANSION] */
function bfInfo(call: Call): void {
  const { args, reply, db } = call;
  const facts = args.count === 2 ? FACTS : FACTS.filter(([word]) => args.is(2, word));
  if (args.count > 3 || facts.length === 0) return reply.error(Errors.bloomBadFact);
  const exists = bloom.cursor.read(db, args, 1);
  if (call.failed()) return;
  if (!exists) return reply.error(Errors.bloomMissing);
  // A single fact comes without its name.
  const isAll = facts.length > 1;
  if (isAll || reply.resp > 2) reply.map(facts.length);
  else reply.array(1);
  for (const [, name, of] of facts) {
    if (isAll || reply.resp > 2) reply.bulkText(name);
    const value = of(bloom.filter);
    // A filter that does not grow has no expansion rate.
    if (name === "Expansion rate" && value === 0) reply.nullBulk();
    else reply.integer(value);
  }
}

const WRITE = Flag.write | Flag.denyOom;

/** Rows of the table: see engine/command.ts. */
export const bloomCommands: readonly CommandSpec[] = [
  {
    name: "bf.add",
    usage: "key item",
    summary: "Adds an item to a Bloom filter, which is made if it is missing.",
    since: "1.0.0",
    complexity: "O(k), where k is the number of hash functions",
    flags: WRITE,
    keys: [oneKey("RW insert")],
    run: bfAdd,
  },
  {
    name: "bf.madd",
    usage: "key {item}*",
    summary: "Adds items to a Bloom filter, which is made if it is missing.",
    since: "1.0.0",
    complexity: "O(k * n), where k is the number of hash functions and n that of items",
    flags: WRITE,
    keys: [oneKey("RW insert")],
    run: bfMadd,
  },
  {
    name: "bf.exists",
    usage: "key item",
    summary: "Tells whether an item may have been added to a Bloom filter.",
    since: "1.0.0",
    complexity: "O(k), where k is the number of hash functions",
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    run: bfExists,
  },
  {
    name: "bf.mexists",
    usage: "key {item}*",
    summary: "Tells which items may have been added to a Bloom filter.",
    since: "1.0.0",
    complexity: "O(k * n), where k is the number of hash functions and n that of items",
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    run: bfMexists,
  },
  {
    name: "bf.reserve",
    usage: "key error_rate:double capacity:integer [EXPANSION expansion:integer] [NONSCALING]",
    summary: "Makes a Bloom filter with a given error rate and capacity.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: WRITE,
    keys: [oneKey("OW insert")],
    run: bfReserve,
  },
  {
    name: "bf.info",
    usage: "key [single-value=(CAPACITY | SIZE | FILTERS | ITEMS | EXPANSION)]",
    summary: "Tells what is known of a Bloom filter.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO access")],
    run: bfInfo,
  },
  {
    name: "bf.card",
    usage: "key",
    summary: "Returns how many items were added to a Bloom filter.",
    since: "2.4.4",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO access")],
    run: bfCard,
  },
  {
    name: "bfadd",
    usage: "key item",
    summary: "Adds an item to a Bloom filter: BF.ADD under an older name.",
    since: "1.0.0",
    complexity: "O(k), where k is the number of hash functions",
    flags: WRITE,
    keys: [oneKey("RW insert")],
    run: bfAdd,
  },
  {
    name: "bfexists",
    usage: "key item",
    summary: "Tells whether an item may have been added: BF.EXISTS under an older name.",
    since: "1.0.0",
    complexity: "O(k), where k is the number of hash functions",
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    run: bfExists,
  },
];
