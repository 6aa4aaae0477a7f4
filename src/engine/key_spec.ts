/**
 * Where a command's keys are, as Redis 7 describes it: where to begin, and how to go on from there.
 *
 *     oneKey(flags, at)                  GET key · RENAME key newkey (two specs)
 *     keyRange(flags, first, last, step) MGET key … · MSET key value … · BLPOP key … timeout
 *     countedKeys(flags, at)             LMPOP numkeys key … · EVAL script numkeys key …
 *     keysAfter(flags, word, …)          XREAD STREAMS key … id … · GEORADIUS … STORE key
 *     unknownKeys(flags)                 SORT … STORE key: only the command itself can tell
 *
 * `flags` are Redis's words in Redis's order: one of RO RW OW RM, then those that hold of
 * access update insert delete not_key incomplete variable_flags.
 * Source: https://redis.io/docs/latest/develop/reference/key-specs/
 */
import { parseInteger } from "../lib/decimal.ts";
import type { Args } from "../protocol/args.ts";

/** Called with the index of each key; `spec` is what found it. */
export type KeyVisitor = (index: number, spec: KeySpec) => void;

/** What a command does with a key's value, as far as rights are concerned, combined with `|`. */
export const Access = { read: 1, write: 2 } as const;

interface KeySpecFacts {
  /** Index of the first key or, with a keyword, from where it is sought: negative, from the end. */
  first: number;
  /** In upper case; the keys follow it. "" where the search begins at `first`. */
  keyword: string;
  /** How to find the keys from there: from `first` to `last`, by their number, or not at all. */
  find: "range" | "keynum" | "unknown";
  /** Index of the last key, counted from the first; negative: from the end, -1 the last argument. */
  last: number;
  step: number;
  /** With `last` -1: keys are the first 1/limit of what follows. 0 and 1: all of it. */
  limit: number;
  flags: string;
  /** For `variable_flags`: what this very request does to its keys. */
  flagsOf: ((args: Args) => string) | null;
  /** What the other fields can't express, in words for COMMAND DOCS. */
  notes: string;
}

/** Every spec has this one shape. */
export class KeySpec implements Readonly<KeySpecFacts> {
  readonly first: number;
  readonly keyword: string;
  readonly find: "range" | "keynum" | "unknown";
  readonly last: number;
  readonly step: number;
  readonly limit: number;
  readonly flags: string;
  readonly flagsOf: ((args: Args) => string) | null;
  readonly notes: string;
  /** Whether the arguments it finds are not keys, although they are hashed to a slot (channels of SPUBLISH). */
  readonly isNotKey: boolean;
  readonly isIncomplete: boolean;
  readonly #access: number;
  readonly #keyword: Uint8Array;

  constructor(facts: Partial<KeySpecFacts> & { flags: string }) {
    this.first = facts.first ?? 0;
    this.keyword = facts.keyword ?? "";
    this.find = facts.find ?? "range";
    this.last = facts.last ?? 0;
    this.step = facts.step ?? 1;
    this.limit = facts.limit ?? 0;
    this.flags = facts.flags;
    this.flagsOf = facts.flagsOf ?? null;
    this.notes = facts.notes ?? "";
    this.isNotKey = this.flags.includes("not_key");
    this.isIncomplete = this.flags.includes("incomplete");
    this.#access = accessIn(this.flags);
    this.#keyword = new TextEncoder().encode(this.keyword);
  }

  /** Whether it is a run of arguments that a first, a last and a step describe. */
  get isPlainRange(): boolean {
    return this.keyword === "" && this.find === "range" && this.first > 0;
  }

  /** What this very request does with the keys that the spec finds: bits of `Access`. None for EXISTS and its kin. */
  accessOf(args: Args): number {
    return this.flagsOf === null ? this.#access : accessIn(this.flagsOf(args));
  }

  /**
   * Visits each key among the arguments; returns false, having visited none, if they are out of range or their
   * number is not a number. Allocates nothing.
   */
  visit(args: Args, visitor: KeyVisitor): boolean {
    let first = this.keyword === "" ? this.first : this.#afterKeyword(args);
    if (first === 0) return this.keyword !== "" && this.find !== "unknown";
    let last: number;
    if (this.find === "keynum") {
      if (first >= args.count) return false;
      const count = parseInteger(args.bytesOf(first), args.start(first), args.end(first));
      if (!(count > 0)) return false;
      last = ++first + count - 1;
    } else if (this.last >= 0) last = first + this.last;
    else if (this.limit < 2) last = args.count + this.last;
    else last = first + Math.trunc((args.count - first) / this.limit) + this.last;
    if (last >= args.count || last < first) return false;
    for (let i = first; i <= last; i += this.step) visitor(i, this);
    return true;
  }

  /** The index after the keyword, sought forwards from `first`, or backwards; 0 if it isn't there. */
  #afterKeyword(args: Args): number {
    const last = args.count - 1;
    if (this.first > 0) {
      for (let i = this.first; i < last; i++) if (args.spells(i, this.#keyword)) return i + 1;
    } else {
      for (let i = args.count + this.first; i > 1; i--) {
        if (args.spells(i, this.#keyword)) return i + 1;
      }
    }
    return 0;
  }
}

function accessIn(flags: string): number {
  const isWritten = flags.includes("update") || flags.includes("insert") ||
    flags.includes("delete");
  return (flags.includes("access") ? Access.read : 0) | (isWritten ? Access.write : 0);
}

export function oneKey(flags: string, first = 1, more: Partial<KeySpecFacts> = {}): KeySpec {
  return new KeySpec({ first, flags, ...more });
}

/** Keys at `first`, `first + step` … to `last`, which counts from `first`, or if negative from the end. */
export function keyRange(flags: string, first: number, last: number, step = 1): KeySpec {
  return new KeySpec({ first, last, step, flags });
}

/** The number of keys stands at `first`, the keys follow it. */
export function countedKeys(flags: string, first: number, notes = ""): KeySpec {
  return new KeySpec({ find: "keynum", first, flags, notes });
}

/** Keys follow `keyword`, which is sought from argument `from` on (negative: backwards from the end). */
export function keysAfter(
  flags: string,
  keyword: string,
  from: number,
  more: Partial<KeySpecFacts> = {},
): KeySpec {
  return new KeySpec({ keyword, first: from, flags, ...more });
}

/** Only `keysOf` of the command's row can find them. */
export function unknownKeys(flags: string, notes: string): KeySpec {
  return new KeySpec({ find: "unknown", flags, notes });
}

/** COMMAND's first key, last key and step; zeros if they can't describe the keys. */
export interface LegacyRange {
  readonly first: number;
  readonly last: number;
  readonly step: number;
  /** Whether there are keys that the three numbers don't describe. */
  readonly isMovable: boolean;
}

/**
 * The three numbers for clients that don't read key specs: runs of step 1 that follow one another count
 * as one; a spec of another kind, or with a gap before it, is left out.
 */
export function legacyRange(specs: readonly KeySpec[]): LegacyRange {
  if (specs.length === 1 && specs[0].isPlainRange) {
    const [{ first, step, isIncomplete }] = specs;
    return { first, last: lastOf(specs[0]), step, isMovable: isIncomplete };
  }
  let first = 0;
  let last = 0;
  let isMovable = false;
  for (const spec of specs) {
    const isNext = spec.isPlainRange && spec.step === 1 && (last === 0 || spec.first === last + 1);
    if (!isNext || spec.isIncomplete) isMovable = true;
    if (!isNext) continue;
    if (first === 0) first = spec.first;
    last = lastOf(spec);
  }
  return { first, last, step: first === 0 ? 0 : 1, isMovable };
}

/** The index of a run's last key, negative where it counts from the end. */
function lastOf(spec: KeySpec): number {
  return spec.last < 0 ? spec.last : spec.first + spec.last;
}
