/**
 * The kinds of parameters: how each is read from words and shown as text. An error is the detail that
 * CONFIG SET and the configuration file show.
 */

export type ParameterValue = string | number | boolean;

/** What reading words gives: a value or an error's detail. */
export type Parsed<T> = { readonly value: T } | { readonly error: string };

export interface RowOptions {
  /** Can be set when the server starts only. */
  readonly immutable?: true;
  /** A secret: not shown in SLOWLOG and MONITOR. */
  readonly sensitive?: true;
  /** An older name. */
  readonly alias?: string;
  /** Accepted, kept and shown, but nothing reads it yet. */
  readonly inert?: true;
}

export interface Row<N extends string = string, T extends ParameterValue = ParameterValue> {
  readonly name: N;
  readonly initial: T;
  readonly options: RowOptions;
  /** `previous` is the value so far: parameters of several lines add to it. */
  parse(words: readonly string[], previous: T): Parsed<T>;
  show(value: T): string;
}

export const MOST = Number.MAX_SAFE_INTEGER;
export const INT_MAX = 2147483647;
export const UINT_MAX = 4294967295;

export function bool<N extends string>(
  name: N,
  initial: boolean,
  options: RowOptions = {},
): Row<N, boolean> {
  return {
    name,
    initial,
    options,
    parse: ([word]) => {
      const lower = word?.toLowerCase();
      if (lower === "yes") return { value: true };
      return lower === "no" ? { value: false } : { error: "argument must be 'yes' or 'no'" };
    },
    show: (value) => value ? "yes" : "no",
  };
}

export function integer<N extends string>(
  name: N,
  initial: number,
  least: number,
  most: number,
  options: RowOptions = {},
): Row<N, number> {
  const bound = (value: number): string =>
    value === MOST ? "9223372036854775807" : value === -MOST ? "-9223372036854775808" : `${value}`;
  return {
    name,
    initial,
    options,
    parse: ([word]) => {
      if (!/^-?(0|[1-9]\d{0,18})$/.test(word)) {
        return { error: "argument couldn't be parsed into an integer" };
      }
      const value = Math.min(Math.max(Number(word), -MOST), MOST);
      if (value >= least && value <= most) return { value };
      return { error: `argument must be between ${bound(least)} and ${bound(most)} inclusive` };
    },
    show: bound,
  };
}

const UNITS: Record<string, number> = {
  "": 1,
  b: 1,
  k: 1000,
  kb: 1024,
  m: 1000 ** 2,
  mb: 1024 ** 2,
  g: 1000 ** 3,
  gb: 1024 ** 3,
};

/** Bytes as "100", "1kb", "1GB"; null if it is no such text. */
function parseMemory(word: string): number | null {
  const match = /^(\d+)([a-z]*)$/i.exec(word);
  const unit = match === null ? undefined : UNITS[match[2].toLowerCase()];
  if (match === null || unit === undefined) return null;
  return Math.min(Number(match[1]) * unit, MOST);
}

export function memory<N extends string>(
  name: N,
  initial: number,
  options: RowOptions = {},
): Row<N, number> {
  return {
    name,
    initial,
    options,
    parse: ([word]) => {
      const value = parseMemory(word);
      return value === null ? { error: "argument must be a memory value" } : { value };
    },
    show: String,
  };
}

export function choice<N extends string>(
  name: N,
  initial: string,
  choices: readonly string[],
  options: RowOptions = {},
): Row<N, string> {
  return {
    name,
    initial,
    options,
    parse: ([word]) => {
      const value = word.toLowerCase();
      if (choices.includes(value)) return { value };
      return { error: `argument(s) must be one of the following: ${choices.join(", ")}` };
    },
    show: (value) => value,
  };
}

export function text<N extends string>(
  name: N,
  initial: string,
  parse: (words: readonly string[], previous: string) => Parsed<string>,
  options: RowOptions = {},
): Row<N, string> {
  return { name, initial, options, parse, show: (value) => value };
}

export function oneWord([word]: readonly string[]): Parsed<string> {
  return { value: word };
}

export function anyWords(words: readonly string[]): Parsed<string> {
  return { value: words.join(" ") };
}

export function octal([word]: readonly string[]): Parsed<string> {
  if (/^[0-7]{1,4}$/.test(word) && parseInt(word, 8) <= 0o777) return { value: word };
  return { error: "argument must be an octal number between 0 and 777" };
}

export function memoryOrPercent([word]: readonly string[]): Parsed<string> {
  if (/^\d+%$/.test(word)) {
    if (parseInt(word) <= 100) return { value: word };
    return { error: "percentage argument must be less or equal to 100" };
  }
  const value = parseMemory(word);
  return value === null
    ? { error: "argument must be a memory or percent value" }
    : { value: `${value}` };
}

/** "3600 1 300 100": seconds and changes, in pairs; "" for none. */
export function savePoints(words: readonly string[]): Parsed<string> {
  const numbers = words.flatMap((word) => word.split(" ")).filter((word) => word !== "");
  const isFine = numbers.length % 2 === 0 &&
    numbers.every((word, i) => /^\d+$/.test(word) && (i % 2 === 1 || Number(word) >= 1));
  return isFine ? { value: numbers.join(" ") } : { error: "Invalid save parameters" };
}

export function percentiles(words: readonly string[]): Parsed<string> {
  const numbers = words.flatMap((word) => word.split(" ")).filter((word) => word !== "");
  const isFine = numbers.every((word) => Number(word) >= 0 && Number(word) <= 100);
  if (!isFine) return { error: "Invalid latency-tracking-info-percentiles parameters" };
  return { value: numbers.map((word) => `${Number(word)}`).join(" ") };
}

export function adjustments(words: readonly string[]): Parsed<string> {
  const numbers = words.flatMap((word) => word.split(" ")).filter((word) => word !== "");
  if (numbers.length !== 3) return { error: "wrong number of arguments" };
  const isFine = numbers.every((word) => /^-?\d+$/.test(word) && Math.abs(Number(word)) <= 2000);
  if (!isFine) {
    return { error: "Invalid oom-score-adj-values, elements must be between -2000 and 2000." };
  }
  return { value: numbers.join(" ") };
}

export function shutdownOptions(words: readonly string[]): Parsed<string> {
  const known = ["default", "save", "nosave", "now", "force"];
  const given = words.flatMap((word) => word.toLowerCase().split(" "));
  const isFine = given.every((word) => known.includes(word)) &&
    !(given.includes("save") && given.includes("nosave")) &&
    !(given.includes("default") && given.length > 1);
  if (isFine) return { value: known.filter((word) => given.includes(word)).join(" ") };
  return { error: `argument(s) must be one of the following: ${known.join(", ")}` };
}

const EVENT_CLASSES = "Ag$lshzxeKEtmdn";
/** What A stands for, in the order in which Redis shows classes. */
const ALL_EVENTS = "g$lshzxetd";

/** The classes of notify-keyspace-events in Redis's order; all of A's are shown as A. */
export function eventClasses([word]: readonly string[]): Parsed<string> {
  for (const letter of word) {
    if (!EVENT_CLASSES.includes(letter)) {
      return { error: `Invalid event class character. Use '${EVENT_CLASSES}'.` };
    }
  }
  const has = (letter: string): boolean =>
    word.includes(letter) || (word.includes("A") && ALL_EVENTS.includes(letter));
  const shown = [...ALL_EVENTS].every(has) ? "A" : [..."g$lshzxetd"].filter(has).join("");
  return { value: shown + [..."KEmn"].filter(has).join("") };
}

const CLIENT_CLASSES = ["normal", "slave", "pubsub"];

/** "class hard soft seconds" once or more; classes that are not named keep what they have. */
export function bufferLimits(words: readonly string[], previous: string): Parsed<string> {
  const given = words.flatMap((word) => word.split(" ")).filter((word) => word !== "");
  if (given.length === 0 || given.length % 4 !== 0) {
    return { error: "Wrong number of arguments in buffer limit configuration." };
  }
  const limits = new Map<string, string>();
  for (const source of [previous.split(" "), given]) {
    for (let i = 0; i < source.length; i += 4) {
      const name = source[i].toLowerCase() === "replica" ? "slave" : source[i].toLowerCase();
      if (!CLIENT_CLASSES.includes(name)) {
        return { error: "Invalid client class specified in buffer limit configuration." };
      }
      const numbers = [parseMemory(source[i + 1]), parseMemory(source[i + 2])];
      if (numbers.includes(null) || !/^\d+$/.test(source[i + 3])) {
        return {
          error: "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
        };
      }
      limits.set(name, `${name} ${numbers.join(" ")} ${source[i + 3]}`);
    }
  }
  return { value: CLIENT_CLASSES.map((name) => limits.get(name)).join(" ") };
}
