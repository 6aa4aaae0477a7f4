/** SCAN, and what HSCAN, SSCAN and ZSCAN share with it. Their guarantee is the table's: see DashTable.scan. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag } from "../engine/command.ts";
import type { Cursor } from "../keyspace/cursor.ts";
import { TYPE_NAMES } from "../keyspace/entry.ts";
import { Int64, isSpace, parseLenientUnsigned, parseUnsigned } from "../lib/decimal.ts";
import { globMatches } from "../lib/glob.ts";
import { Errors } from "../protocol/errors.ts";

const NO_TYPE = TYPE_NAMES.length;
/** Tables' cursors have 42 bits. */
const CURSOR_HIGH_MASK = 0x3ff;
const TWO_32 = 4294967296;
const CURSOR_END = 1024 * TWO_32;
// scratch: lives for one call
const wide = new Int64();

/** What the cursor and the options ask for. */
interface Wanted {
  cursor: number;
  count: number;
  pattern: Uint8Array | null;
  /** Index in TYPE_NAMES, -1 for all, NO_TYPE for a name that is none (no key is of it). */
  type: number;
}

function scan(call: Call): void {
  const { reply, db } = call;
  const cursor = readCursor(call, 1);
  const wanted = cursor < 0 ? null : readScan(call, 1, cursor);
  if (wanted === null) return;

  const entries = db.keyspace.entries;
  const found: number[] = [];
  const next = db.scan(
    cursor,
    wanted.count,
    (ref) => {
      entries.open(ref);
      return isWanted(wanted, entries.keyBytes, entries.keyStart, entries.keyEnd);
    },
    // As in Redis, a key is removed when it has expired, whatever its type.
    (ref) => {
      if (wanted.type < 0 || entries.typeOf(ref) === wanted.type) found.push(ref);
    },
  );
  reply.array(2);
  reply.bulkInteger(next);
  reply.array(found.length);
  for (const ref of found) {
    entries.open(ref);
    reply.bulk(entries.keyBytes, entries.keyStart, entries.keyEnd);
  }
}

/** Whether MATCH lets `bytes[start, end)` through. */
export function isWanted(wanted: Wanted, bytes: Uint8Array, start: number, end: number): boolean {
  const { pattern } = wanted;
  return pattern === null || globMatches(pattern, 0, pattern.length, bytes, start, end, false);
}

/**
 * Reads the cursor of HSCAN, SSCAN or ZSCAN, looks the key up and reads the options; null after answering
 * an error, or nothing found where there is no key.
 */
export function readCollectionScan(call: Call, cursor: Cursor): Wanted | null {
  const { args, reply, db } = call;
  const place = readCursor(call, 2);
  if (place < 0) return null;
  if (cursor.read(db, args, 1)) return readScan(call, 2, place);
  if (args.error !== null) reply.error(args.error);
  else {
    reply.array(2);
    reply.bulkInteger(0);
    reply.emptyArray();
  }
  return null;
}

/**
 * The cursor at argument `index`, or −1 after answering an error. Redis takes any integer of 64 bits, in strtoul's
 * syntax but without white space in front: one that we did not give means some place in the table.
 */
function readCursor({ args, reply }: Call, index: number): number {
  const bytes = args.bytesOf(index);
  const start = args.start(index);
  const end = args.end(index);
  const exact = parseUnsigned(bytes, start, end);
  if (exact < CURSOR_END) return exact;
  if (start === end || bytes[start] === 0) return 0;
  if (!isSpace(bytes[start]) && parseLenientUnsigned(bytes, start, end, wide)) {
    return (wide.hi & CURSOR_HIGH_MASK) * TWO_32 + (wide.lo >>> 0);
  }
  reply.error(Errors.invalidCursor);
  return -1;
}

/** Reads COUNT, MATCH, TYPE behind the cursor, which is argument `at`; null after answering an error. */
function readScan({ args, reply }: Call, at: number, cursor: number): Wanted | null {
  const wanted: Wanted = { cursor, count: 10, pattern: null, type: -1 };
  for (let i = at + 1; i < args.count; i += 2) {
    if (i + 1 === args.count) args.fail(Errors.syntax);
    else if (args.is(i, "COUNT")) {
      wanted.count = args.integer(i + 1);
      if (args.error === null && wanted.count < 1) args.fail(Errors.syntax);
    } else if (args.is(i, "MATCH")) {
      // A lone star lets the empty name through, which no other pattern with stars does.
      wanted.pattern = args.is(i + 1, "*") ? null : new Uint8Array(
        args.bytesOf(i + 1).buffer,
        args.start(i + 1),
        args.length(i + 1),
      );
    } else if (at === 1 && args.is(i, "TYPE")) {
      const name = args.binary(i + 1).toLowerCase();
      const index = TYPE_NAMES.findIndex((type) => type.toLowerCase() === name);
      wanted.type = index < 0 ? NO_TYPE : index;
    } else args.fail(Errors.syntax);
    if (args.error !== null) {
      reply.error(args.error);
      return null;
    }
  }
  return wanted;
}

/** Rows of the table: see engine/command.ts. */
export const scanCommands: readonly CommandSpec[] = [
  {
    name: "scan",
    usage: "cursor:integer [MATCH pattern] [COUNT count:integer] [TYPE type]@6.0.0",
    summary: "Walks over the keys of the database, a few at a time.",
    since: "2.8.0",
    complexity: "O(1)",
    flags: Flag.readonly,
    tips: ["nondeterministic_output", "request_policy:special", "response_policy:special"],
    history: [["6.0.0", "TYPE."]],
    run: scan,
  },
];
