/** LCS: the longest common subsequence of two strings. O(n·m), refused where Redis refuses it. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, keyRange } from "../engine/command.ts";
import { Errors } from "../protocol/errors.ts";

/**
 * Bytes that Redis takes for a cell of its table. It refuses a table beyond proto-max-bulk-len, so that by default two strings
 * of 11,584 bytes are the longest. Here a cell takes a bit.
 */
const CELL_BYTES = 4;

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
  const tableBytes = (a.length + 1) * (b.length + 1) * CELL_BYTES;
  if (tableBytes > call.engine.parameters.values.protoMaxBulkLen) {
    return reply.error(Errors.lcsTooLarge);
  }
  const table = new LengthTable(a, b, !wanted.length);
  if (wanted.length) return reply.integer(table.total);
  const { total } = table;
  const { text, matches } = walkBack(a, b, table, total);
  if (!wanted.indexes) return reply.bulk(text, 0, text.length);
  replyMatches(call, matches, total, wanted);
}

/** A copy of the string at an argument: the other operand's lookup would overwrite the view. */
function operand({ args, db }: Call, index: number): Uint8Array {
  const value = db.readString(args, index);
  if (value === null) return new Uint8Array(0);
  return value.bytes.slice(value.start, value.end);
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

/**
 * The table of lengths: cell (i, j) is the length of the longest common subsequence of the first i bytes of one string
 * and the first j of the other. Along a row it rises by 0 or 1 from cell to cell, so that a cell needs one bit, and 32
 * cells are computed at once: Hyyrö, "Bit-Parallel LCS-length Computation Revisited", 2004.
 */
class LengthTable {
  readonly #words: number;
  /** Row by row, one bit for each byte of the second string: 0 where the length rises. Only the last row, if that is all. */
  readonly #bits: Int32Array;

  constructor(a: Uint8Array, b: Uint8Array, isWhole: boolean) {
    const words = Math.ceil(b.length / 32);
    this.#words = words;
    this.#bits = new Int32Array(words * (isWhole ? a.length + 1 : 1)).fill(-1, 0, words);
    const places = placesOf(a, b);
    for (let i = 0; i < a.length; i++) {
      const row = isWhole ? i * words : 0;
      this.#nextRow(places[a[i]], row, isWhole ? row + words : row);
    }
  }

  /** The row at `to` from that at `from`; `places` are those in the second string of the byte that is added. */
  #nextRow(places: Int32Array, from: number, to: number): void {
    const bits = this.#bits;
    let carry = 0;
    for (let i = 0; i < this.#words; i++) {
      const old = bits[from + i];
      const own = old & places[i];
      const sum = (old + own + carry) | 0;
      carry = ((old & own) | ((old | own) & ~sum)) >>> 31;
      bits[to + i] = sum | (old & ~places[i]);
    }
  }

  /** The length for both whole strings. */
  get total(): number {
    let total = 0;
    for (let i = this.#bits.length - this.#words; i < this.#bits.length; i++) {
      for (let rises = ~this.#bits[i]; rises !== 0; rises &= rises - 1) total++;
    }
    return total;
  }

  /** Whether cell (i, j), which is not in the first column, is larger than the one before it in its row. */
  rises(i: number, j: number): boolean {
    const at = j - 1;
    return ((this.#bits[i * this.#words + (at >>> 5)] >>> (at & 31)) & 1) === 0;
  }
}

/** By byte of the first string, where it stands in the second: one bit for each place. */
function placesOf(a: Uint8Array, b: Uint8Array): Int32Array[] {
  const places: Int32Array[] = [];
  for (const byte of new Set(a)) places[byte] = new Int32Array(Math.ceil(b.length / 32));
  for (let j = 0; j < b.length; j++) {
    const own = places[b[j]];
    if (own !== undefined) own[j >>> 5] |= 1 << (j & 31);
  }
  return places;
}

/** From the last cell to the first: the subsequence and its runs, the last one first. */
function walkBack(
  a: Uint8Array,
  b: Uint8Array,
  table: LengthTable,
  total: number,
): { text: Uint8Array; matches: Match[] } {
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
    } else if (table.rises(i, j)) i--;
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
