/**
 * LCS: the longest common subsequence of two strings, by the usual table of lengths (O(n·m) cells of
 * four bytes; refused beyond MOST_CELLS).
 */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, keyRange } from "../engine/command.ts";
import { Errors } from "../protocol/errors.ts";

/** 2 GiB of table, as far as one typed array is fast. */
const MOST_CELLS = 2 ** 29;

/** Bytes `aStart` to `aEnd` of one string equal `bStart` to `bEnd` of the other, ends included. */
interface Match {
  readonly aStart: number;
  readonly aEnd: number;
  readonly bStart: number;
  readonly bEnd: number;
}

interface Wanted {
  length: boolean;
  indexes: boolean;
  matchLengths: boolean;
  least: number;
}

function lcs(call: Call): void {
  const { args, reply } = call;
  const a = operand(call, 1);
  const b = operand(call, 2);
  if (args.error !== null) return reply.error(Errors.lcsStrings);
  const wanted = readWanted(call);
  if (wanted === null) return;
  if ((a.length + 1) * (b.length + 1) > MOST_CELLS) return reply.error(Errors.lcsTooLarge);
  const table = lengths(a, b);
  const total = table[table.length - 1];
  if (wanted.length) return reply.integer(total);
  const { text, matches } = walkBack(a, b, table, total);
  if (!wanted.indexes) return reply.bulk(text, 0, text.length);
  replyMatches(call, matches, total, wanted);
}

/** A copy of the string at an argument: the other operand's lookup would overwrite the view. */
function operand({ args, db }: Call, index: number): Uint8Array {
  const value = db.readString(args, index);
  if (value === null) return new Uint8Array(0);
  return Uint8Array.from({ length: value.length }, (_, i) => value.bytes[value.start + i]);
}

function readWanted({ args, reply }: Call): Wanted | null {
  const wanted = { length: false, indexes: false, matchLengths: false, least: 0 };
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, "LEN")) wanted.length = true;
    else if (args.is(i, "IDX")) wanted.indexes = true;
    else if (args.is(i, "WITHMATCHLEN")) wanted.matchLengths = true;
    else if (args.is(i, "MINMATCHLEN") && i + 1 < args.count) {
      wanted.least = Math.max(args.integer(++i), 0);
    } else args.fail(Errors.syntax);
  }
  if (wanted.length && wanted.indexes) args.fail(Errors.lcsBoth);
  if (args.error === null) return wanted;
  reply.error(args.error);
  return null;
}

/** Cell (i, j): the length of the longest common subsequence of the first i and j bytes. */
function lengths(a: Uint8Array, b: Uint8Array): Uint32Array {
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const at = i * width + j;
      table[at] = a[i - 1] === b[j - 1]
        ? table[at - width - 1] + 1
        : Math.max(table[at - 1], table[at - width]);
    }
  }
  return table;
}

/** From the last cell to the first: the subsequence and its runs, the last one first. */
function walkBack(
  a: Uint8Array,
  b: Uint8Array,
  table: Uint32Array,
  total: number,
): { text: Uint8Array; matches: Match[] } {
  const width = b.length + 1;
  const text = new Uint8Array(total);
  const matches: Match[] = [];
  let at = total;
  let i = a.length;
  let j = b.length;
  while (i > 0 && j > 0) {
    if (a[i - 1] === b[j - 1]) {
      const last = matches.at(-1);
      if (last !== undefined && last.aStart === i && last.bStart === j) {
        matches[matches.length - 1] = { ...last, aStart: i - 1, bStart: j - 1 };
      } else matches.push({ aStart: i - 1, aEnd: i - 1, bStart: j - 1, bEnd: j - 1 });
      text[--at] = a[i - 1];
      i--;
      j--;
    } else if (table[(i - 1) * width + j] > table[i * width + j - 1]) i--;
    else j--;
  }
  return { text, matches };
}

function replyMatches(
  { reply }: Call,
  matches: readonly Match[],
  total: number,
  wanted: Wanted,
): void {
  const shown = matches.filter(({ aStart, aEnd }) => aEnd - aStart + 1 >= wanted.least);
  reply.map(2);
  reply.bulkText("matches");
  reply.array(shown.length);
  for (const { aStart, aEnd, bStart, bEnd } of shown) {
    reply.array(wanted.matchLengths ? 3 : 2);
    reply.array(2);
    reply.integer(aStart);
    reply.integer(aEnd);
    reply.array(2);
    reply.integer(bStart);
    reply.integer(bEnd);
    if (wanted.matchLengths) reply.integer(aEnd - aStart + 1);
  }
  reply.bulkText("len");
  reply.integer(total);
}

/** Rows of the table: see engine/command.ts. */
export const lcsCommands: readonly CommandSpec[] = [
  {
    name: "lcs",
    usage: "key1:key key2:key#0 [LEN] [IDX] [MINMATCHLEN min-match-len:integer] [WITHMATCHLEN]",
    summary: "Finds the longest common subsequence of two strings.",
    since: "7.0.0",
    complexity: "O(N*M)",
    flags: Flag.readonly,
    keys: [keyRange("RO access", 1, 1, 1)],
    run: lcs,
  },
];
