/** SCAN. Its guarantee is the table's: see DashTable.scan. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag } from "../engine/command.ts";
import { TYPE_NAMES } from "../keyspace/entry.ts";
import { parseUnsigned } from "../lib/decimal.ts";
import { globMatches } from "../lib/glob.ts";
import { Errors } from "../protocol/errors.ts";

const NO_TYPE = TYPE_NAMES.length;

/** What SCAN's options ask for. */
interface Wanted {
  count: number;
  pattern: Uint8Array | null;
  /** Index in TYPE_NAMES, -1 for all, NO_TYPE for a name that is none (no key is of it). */
  type: number;
}

function scan(call: Call): void {
  const { args, reply, db } = call;
  const cursor = parseUnsigned(args.bytes, args.start(1), args.end(1));
  if (cursor !== cursor) return reply.error(Errors.invalidCursor);
  const wanted = readOptions(call);
  if (wanted === null) return;

  const entries = db.keyspace.entries;
  const found: number[] = [];
  const next = db.scan(cursor, wanted.count, (ref) => {
    if (wanted.type < 0 || entries.typeOf(ref) === wanted.type) found.push(ref);
  });
  reply.array(2);
  reply.bulkInteger(next);
  const mark = reply.mark();
  let count = 0;
  for (const ref of found) {
    entries.open(ref);
    const { keyBytes, keyStart, keyEnd } = entries;
    const { pattern } = wanted;
    if (
      pattern !== null &&
      !globMatches(pattern, 0, pattern.length, keyBytes, keyStart, keyEnd, false)
    ) continue;
    reply.bulk(keyBytes, keyStart, keyEnd);
    count++;
  }
  reply.arrayFrom(mark, count);
}

/** Reads COUNT, MATCH and TYPE from argument 2 on; null after answering an error. */
function readOptions(call: Call): Wanted | null {
  const { args, reply } = call;
  const wanted: Wanted = { count: 10, pattern: null, type: -1 };
  for (let i = 2; i < args.count; i += 2) {
    if (i + 1 === args.count) args.fail(Errors.syntax);
    else if (args.is(i, "COUNT")) {
      wanted.count = args.integer(i + 1);
      if (args.error === null && wanted.count < 1) args.fail(Errors.syntax);
    } else if (args.is(i, "MATCH")) {
      wanted.pattern = new Uint8Array(args.bytes.buffer, args.start(i + 1), args.length(i + 1));
    } else if (args.is(i, "TYPE")) {
      const name = args.text(i + 1).toLowerCase();
      const index = TYPE_NAMES.findIndex((type) => type === name);
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
