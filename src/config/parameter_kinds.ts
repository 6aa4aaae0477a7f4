/**
 * The kinds of parameters: how each is read from words, shown by CONFIG GET and written by CONFIG
 * REWRITE. Texts are binary: one character a byte (Latin-1), so that any bytes survive.
 *
 * A refusal is the detail that CONFIG SET and the configuration file show after their own words.
 */
import { formatMemory, parseMemory, quoteWord, splitWords } from "./words.ts";

export type ParameterValue = string | number | boolean;

/** What reading words gives: a value, or the detail of an error. */
export type Parsed<T> = {
  readonly value: T;
  /** The text for CONFIG GET of a number above 2^53, which a double does not represent exactly. */
  readonly exact?: string;
} | { readonly error: string };

export type Kind =
  | "boolean"
  | "integer"
  | "fraction"
  | "memory"
  | "octal"
  | "choice"
  | "text"
  | "words";

/** Properties of a parameter besides its kind. */
export interface Traits {
  /** Can be set when the server starts only. */
  readonly immutable?: true;
  /** CONFIG SET is refused unless `enable-protected-configs` allows it. */
  readonly protected?: true;
  /** CONFIG GET shows it only if asked for by its full name. */
  readonly hidden?: true;
  /** CONFIG SET is refused while data are being loaded. */
  readonly deniedWhileLoading?: true;
  /** A secret: not shown in SLOWLOG and MONITOR. */
  readonly sensitive?: true;
  /** It names a file that may have changed: CONFIG SET of the same value is a change, too. */
  readonly isReference?: true;
  /** An older name. */
  readonly alias?: string;
  /**
   * Accepted, kept and shown, but nothing reads it yet (parameter_rows_test.ts checks this). Setting it to another
   * value than the default logs a warning.
   */
  readonly inert?: true;
  /** What the warning adds; also for a parameter that has less effect than it promises. */
  readonly remark?: string;
  /** Why any value but the default is refused: it would do harm, as the feature is missing. */
  readonly danger?: string;
}

export interface ParameterSpec<
  N extends string = string,
  T extends ParameterValue = ParameterValue,
> {
  readonly name: N;
  readonly kind: Kind;
  readonly initial: T;
  readonly traits: Traits;
  /** Whether it takes any number of words; if not, it gets exactly one. */
  readonly isMulti: boolean;
  /** `previous` is the value so far: some words change only a part of it. */
  parse(words: readonly string[], previous: T): Parsed<T>;
  /** As CONFIG GET shows it. */
  show(value: T): string;
  /** What follows the name in the configuration file: as many elements as lines. */
  write(value: T): readonly string[];
}

export const INT_MIN = -2147483648n;
export const INT_MAX = 2147483647n;
export const UINT_MAX = 4294967295n;
export const LONG_MAX = 9223372036854775807n;
export const ULONG_MAX = 18446744073709551615n;

export function bool<N extends string>(
  name: N,
  initial: boolean,
  traits: Traits = {},
): ParameterSpec<N, boolean> {
  const show = (value: boolean): string => value ? "yes" : "no";
  return {
    name,
    kind: "boolean",
    initial,
    traits,
    isMulti: false,
    parse([word]) {
      const lower = word.toLowerCase();
      if (lower === "no") return { value: false };
      return lower === "yes" ? { value: true } : { error: "argument must be 'yes' or 'no'" };
    },
    show,
    write: (value) => [show(value)],
  };
}

/** The value for a 64-bit integer, with its exact text if a double can't represent it. */
function fromBigInt(value: bigint): Parsed<number> {
  const number = Number(value);
  return Number.isSafeInteger(number) ? { value: number } : { value: number, exact: `${value}` };
}

/** Whole numbers as Redis reads them: no blanks, no plus, no leading zeros, 64 bits. */
function parseInteger(word: string): bigint | null {
  if (!/^(0|-?[1-9]\d{0,18})$/.test(word)) return null;
  const value = BigInt(word);
  return BigInt.asIntN(64, value) === value ? value : null;
}

function between(least: bigint, most: bigint, radix = 10): string {
  return `argument must be between ${least.toString(radix)} and ${most.toString(radix)} inclusive`;
}

/** `clamp`: values outside it are accepted and moved to its nearer end. */
export function integer<N extends string>(
  name: N,
  initial: number,
  least: bigint | number,
  most: bigint | number,
  traits: Traits & { readonly clamp?: readonly [number, number] } = {},
): ParameterSpec<N, number> {
  const { clamp } = traits;
  return {
    name,
    kind: "integer",
    initial,
    traits,
    isMulti: false,
    parse([word]) {
      const value = parseInteger(word);
      if (value === null) return { error: "argument couldn't be parsed into an integer" };
      if (value < least || value > most) return { error: between(BigInt(least), BigInt(most)) };
      if (clamp === undefined) return fromBigInt(value);
      return { value: Math.min(Math.max(Number(value), clamp[0]), clamp[1]) };
    },
    show: String,
    write: (value) => [String(value)],
  };
}

/** A decimal number from 0 to 1. */
export function fraction<N extends string>(
  name: N,
  initial: number,
  traits: Traits = {},
): ParameterSpec<N, number> {
  return {
    name,
    kind: "fraction",
    initial,
    traits,
    isMulti: false,
    parse([word]) {
      const value = /^\d{1,9}(\.\d{0,15})?$/.test(word) ? Number(word) : NaN;
      return value <= 1 ? { value } : { error: "argument must be between 0 and 1 inclusive" };
    },
    show: String,
    write: (value) => [String(value)],
  };
}

/** `raisedTo`: smaller sizes are accepted and become this one. */
export function memory<N extends string>(
  name: N,
  initial: number,
  least: number,
  most: bigint,
  traits: Traits & { readonly raisedTo?: bigint } = {},
): ParameterSpec<N, number> {
  const { raisedTo = 0n } = traits;
  return {
    name,
    kind: "memory",
    initial,
    traits,
    isMulti: false,
    parse([word]) {
      const bytes = parseMemory(word);
      if (bytes === null) return { error: "argument must be a memory value" };
      if (bytes < least || bytes > most) return { error: between(BigInt(least), most) };
      return fromBigInt(bytes < raisedTo ? raisedTo : bytes);
    },
    show: String,
    write: (value) => [formatMemory(value)],
  };
}

/** Bytes, or a percentage, which is kept as a negative number: -50 is "50%". */
export function memoryOrPercent<N extends string>(
  name: N,
  initial: number,
  traits: Traits = {},
): ParameterSpec<N, number> {
  const tooMuch = { error: "percentage argument must be less or equal to 100" };
  return {
    name,
    kind: "memory",
    initial,
    traits,
    isMulti: false,
    parse([word]) {
      const bytes = parseMemory(word);
      // Redis keeps the bytes signed: what overflows is a percentage to it.
      const signed = bytes === null ? null : BigInt.asIntN(64, bytes);
      if (signed !== null) return signed < -100n ? tooMuch : fromBigInt(signed);
      const percent = word.endsWith("%") ? parseInteger(word.slice(0, -1)) : null;
      if (percent === null || percent < 0) {
        return { error: "argument must be a memory or percent value" };
      }
      return percent > 100 ? tooMuch : { value: percent === 0n ? 0 : -Number(percent) };
    },
    show: (value) => value < 0 ? `${-value}%` : String(value),
    write: (value) => [value < 0 ? `${-value}%` : formatMemory(value)],
  };
}

/** The permission bits of a file, as octal digits. */
export function octal<N extends string>(
  name: N,
  initial: string,
  traits: Traits = {},
): ParameterSpec<N, string> {
  return {
    name,
    kind: "octal",
    initial,
    traits,
    isMulti: false,
    parse([word]) {
      if (!/^[0-7]{1,20}$/.test(word)) {
        return { error: "argument couldn't be parsed as an octal number" };
      }
      const bits = parseInt(word, 8);
      return bits > 0o777 ? { error: between(0n, 0o777n, 8) } : { value: bits.toString(8) };
    },
    show: (value) => value,
    write: (value) => [value],
  };
}

/** One of `choices`; `synonyms` are further names of choices. */
export function choice<N extends string>(
  name: N,
  initial: string,
  choices: readonly string[],
  traits: Traits & { readonly synonyms?: Readonly<Record<string, string>> } = {},
): ParameterSpec<N, string> {
  return {
    name,
    kind: "choice",
    initial,
    traits,
    isMulti: false,
    parse([word]) {
      const value = word.toLowerCase();
      if (choices.includes(value)) return { value: traits.synonyms?.[value] ?? value };
      return { error: `argument(s) must be one of the following: ${choices.join(", ")}` };
    },
    show: (value) => value,
    write: (value) => [value],
  };
}

/** One word; `check` returns why it is refused, or null. */
export function text<N extends string>(
  name: N,
  initial: string,
  traits: Traits & { readonly check?: (word: string) => string | null } = {},
): ParameterSpec<N, string> {
  return {
    name,
    kind: "text",
    initial,
    traits,
    isMulti: false,
    parse([word]) {
      const error = traits.check?.(word) ?? null;
      return error === null ? { value: word } : { error };
    },
    show: (value) => value,
    write: (value) => [quoteWord(value)],
  };
}

/** Any number of words, kept as their canonical text. */
export function words<N extends string>(
  name: N,
  initial: string,
  parse: (words: readonly string[], previous: string) => Parsed<string>,
  traits: Traits & { readonly write?: (value: string) => readonly string[] } = {},
): ParameterSpec<N, string> {
  return {
    name,
    kind: "words",
    initial,
    traits,
    isMulti: true,
    parse,
    show: (value) => value,
    write: traits.write ?? ((value) => [writeWords(value)]),
  };
}

/**
 * Words as they are, or, where one of them needs quotes, all of them quoted once more as one word:
 * that is split again when it is read, however many words it holds.
 */
export function writeWords(value: string): string {
  if (value === "") return '""';
  const given = value.split(" ");
  const isPlain = (word: string): boolean => /^[!#-&(-[\]-~]+$/.test(word);
  if (given.every(isPlain)) return value;
  return quoteWord(given.map(quoteWord).join(" "));
}

/**
 * The words that a directive of the configuration file gives to a parameter: a single one of a
 * parameter that takes several is split, so that `--save "900 1"` means what it looks like.
 */
export function wordsOfDirective(given: readonly string[], isMulti: boolean): readonly string[] {
  if (!isMulti || given.length !== 1 || given[0] === "") return given;
  return splitWords(given[0]) ?? [];
}

/** The words that CONFIG SET's one argument gives: each blank separates, nothing is quoted. */
export function wordsOfArgument(argument: string, isMulti: boolean): readonly string[] {
  if (!isMulti) return [argument];
  return argument === "" ? [] : argument.split(" ");
}
