/**
 * Parameters of several words, and texts with a form of their own: how they are read, checked and
 * written. Each returns the detail of an error as CONFIG SET shows it.
 */
import type { Parsed } from "./parameter_kinds.ts";
import { cText } from "../lib/c_text.ts";
import { formatMemory, parseMemory } from "./words.ts";

const WRONG_COUNT = "wrong number of arguments";

/** A whole number as strtoll reads it: blanks before it and a plus are fine. Null if it is none. */
function looseInteger(word: string): number | null {
  return /^\s*[+-]?\d+$/.test(word) ? Number(word) : null;
}

/** "3600 1 300 100": seconds and changes, in pairs; "" for none. */
export function savePoints(words: readonly string[]): Parsed<string> {
  const given = words.length === 1 && words[0] === "" ? [] : words;
  const numbers = given.map(looseInteger);
  const isFine = numbers.length % 2 === 0 &&
    numbers.every((number, i) => number !== null && number >= (i % 2 === 0 ? 1 : 0));
  return isFine ? { value: numbers.join(" ") } : { error: "Invalid save parameters" };
}

/** One line a save point. */
export function writeSavePoints(value: string): string[] {
  return value === "" ? ['""'] : groupsOf(2, value);
}

/** Addresses to listen on; "" for none. */
export function addresses(words: readonly string[]): Parsed<string> {
  if (words.length > 16) return { error: "Too many bind addresses specified." };
  return { value: words.join(" ") };
}

/** "host port"; "no one" for no primary. */
export function primaryAddress(words: readonly string[]): Parsed<string> {
  if (words.length !== 2) return { error: WRONG_COUNT };
  const [host, portText] = words;
  if (host.toLowerCase() === "no" && portText.toLowerCase() === "one") return { value: "" };
  const port = looseInteger(portText);
  if (port === null || port < 0 || port > 65_535) return { error: "Invalid master port" };
  return { value: `${host} ${port}` };
}

/** Percentages, shown with at most six decimals. */
export function percentiles(words: readonly string[]): Parsed<string> {
  const given = words.length === 1 && words[0] === "" ? [] : words;
  const shown: string[] = [];
  for (const word of given) {
    if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(word)) {
      return { error: "Invalid latency-tracking-info-percentiles parameters" };
    }
    const value = Number(word);
    if (value < 0 || value > 100) {
      return {
        error: "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]",
      };
    }
    shown.push(String(Number(value.toFixed(6))));
  }
  return { value: shown.join(" ") };
}

/** Three scores of the system's out-of-memory killer. */
export function adjustments(words: readonly string[]): Parsed<string> {
  if (words.length !== 3) return { error: WRONG_COUNT };
  const numbers = words.map(looseInteger);
  if (numbers.every((number) => number !== null && Math.abs(number) <= 2000)) {
    return { value: numbers.join(" ") };
  }
  return { error: "Invalid oom-score-adj-values, elements must be between -2000 and 2000." };
}

const SHUTDOWN_OPTIONS = ["save", "nosave", "now", "force"];

/** What a signal asks of SHUTDOWN; "default" adds nothing. */
export function shutdownOptions(words: readonly string[]): Parsed<string> {
  const known = ["default", ...SHUTDOWN_OPTIONS];
  const given = words.map((word) => word.toLowerCase());
  if (given.length === 0 || !given.every((word) => known.includes(word))) {
    return { error: `argument(s) must be one of the following: ${known.join(", ")}` };
  }
  if (given.includes("save") && given.includes("nosave")) {
    return { error: "shutdown options SAVE and NOSAVE can't be used simultaneously" };
  }
  const chosen = SHUTDOWN_OPTIONS.filter((word) => given.includes(word));
  return { value: chosen.length === 0 ? "default" : chosen.join(" ") };
}

const CLIENT_CLASSES = ["normal", "slave", "pubsub"];

/** "class hard soft seconds" any number of times; classes that are not named keep what they have. */
export function bufferLimits(words: readonly string[], previous: string): Parsed<string> {
  if (words.length % 4 !== 0) {
    return { error: "Wrong number of arguments in buffer limit configuration." };
  }
  const limits = groupsOf(4, previous);
  for (let i = 0; i < words.length; i += 4) {
    const lower = words[i].toLowerCase();
    const index = CLIENT_CLASSES.indexOf(lower === "replica" ? "slave" : lower);
    if (index < 0) {
      return { error: "Invalid client class specified in buffer limit configuration." };
    }
    const hard = parseMemory(words[i + 1]);
    const soft = parseMemory(words[i + 2]);
    const seconds = looseInteger(words[i + 3]);
    if (hard === null || soft === null || seconds === null || seconds < 0) {
      return {
        error: "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
      };
    }
    limits[index] = `${CLIENT_CLASSES[index]} ${hard} ${soft} ${seconds}`;
  }
  return { value: limits.join(" ") };
}

/** One line a class of clients. */
export function writeBufferLimits(value: string): string[] {
  return groupsOf(4, value).map((limit) => {
    const [name, hard, soft, seconds] = limit.split(" ");
    const sizes = `${sizeText(hard)} ${sizeText(soft)}`;
    return `${name === "slave" ? "replica" : name} ${sizes} ${seconds}`;
  });
}

/** Wire protocols of older servers: protocol/dialects has them. */
const DIALECT_NAMES = ["plain", "cdis", "book", "nano", "framed-text"];
/** A message of a dialect is kept until it is complete. */
const DIALECT_MESSAGE_MAX = 512 * 1024 * 1024;

/** "name port bytes" for each port; 0 bytes: a message may have what its dialect lets it have. A line adds a port. */
export function dialectPorts(words: readonly string[], previous: string): Parsed<string> {
  if (words.length === 1 && words[0] === "") return { value: "" };
  if (words.length < 2 || words.length > 3) return { error: WRONG_COUNT };
  const name = words[0].toLowerCase();
  const port = looseInteger(words[1]);
  const bytes = words.length === 3 ? parseMemory(words[2]) : 0;
  if (!DIALECT_NAMES.includes(name)) {
    return { error: `argument(s) must be one of the following: ${DIALECT_NAMES.join(", ")}` };
  }
  if (port === null || port < 1 || port > 65_535) return { error: "Invalid dialect port" };
  if (bytes === null || bytes > DIALECT_MESSAGE_MAX || (words.length === 3 && bytes < 64)) {
    return { error: "a message of a dialect may have 64 bytes to 512 megabytes" };
  }
  return { value: `${previous} ${name} ${port} ${bytes}`.trim() };
}

/** One line a port. */
export function writeDialectPorts(value: string): string[] {
  return value === "" ? [] : groupsOf(3, value).map((port) => port.replace(/ 0$/, ""));
}

function sizeText(bytes: string): string {
  const number = Number(bytes);
  return Number.isSafeInteger(number) ? formatMemory(number) : bytes;
}

function groupsOf(count: number, text: string): string[] {
  const words = text.split(" ");
  const groups: string[] = [];
  for (let i = 0; i < words.length; i += count) groups.push(words.slice(i, i + count).join(" "));
  return groups;
}

/** What A stands for, in the order in which Redis shows classes; n (new keys) is not part of it. */
export const ALL_EVENT_CLASSES = "g$lshzxetd";

/** The letters of `notify-keyspace-events` in Redis's order. If all letters that A stands for are there, A: "AnKE". */
export function eventClasses(text: string): Parsed<string> {
  const word = cText(text);
  if (!/^[Ag$lshzxeKEtmdn]*$/.test(word)) {
    return { error: "Invalid event class character. Use 'Ag$lshzxeKEtmdn'." };
  }
  const classes = [...ALL_EVENT_CLASSES].filter((letter) =>
    word.includes("A") || word.includes(letter)
  );
  const shown = classes.length === ALL_EVENT_CLASSES.length ? "A" : classes.join("");
  return { value: shown + [..."nKEm"].filter((letter) => word.includes(letter)).join("") };
}

function isBaseName(word: string): boolean {
  return !word.includes("/") && !word.includes("\\");
}

/** A check of a file's name, which must lie in `dir`. */
export function fileName(name: string, what: "filename" | "dirname", mayBeEmpty: boolean) {
  return (word: string): string | null => {
    if (word === "" && !mayBeEmpty) return `${name} can't be empty`;
    return isBaseName(word) ? null : `${name} can't be a path, just a ${what}`;
  };
}

export function hostname(word: string): string | null {
  if (word.length >= 256) return "Hostnames must be less than 256 characters";
  if (/^[A-Za-z0-9.-]*$/.test(word)) return null;
  return "Hostnames may only contain alphanumeric characters, hyphens or dots";
}

export function nodeName(word: string): string | null {
  if (!/[!#$%&()*+:;<>?@[\]^{|}~]/.test(word)) return null;
  return "Announced human node name contained invalid character";
}

const TITLE_VARIABLE = /\{(listen-addr|port|tls-port|unixsocket|config-file)\}/g;

export function titleTemplate(word: string): string | null {
  // "{{" is a brace; the title and the mode of a server that stands alone may be empty.
  const plain = word.replaceAll(/\{\{/g, "}").replaceAll(/\{(server-mode|title)\}/g, "")
    .trim();
  if (plain !== "" && !plain.replaceAll(TITLE_VARIABLE, "").includes("{")) return null;
  return "template format is invalid or contains unknown variables";
}

/** "", "C", "POSIX" or a locale that the runtime can sort by, such as "de_DE.UTF-8". */
export function locale(word: string): string | null {
  if (/^(C(\.UTF-?8)?|POSIX)?$/i.test(word)) return null;
  const name = word.replace(/[.@].*$/, "").replaceAll("_", "-");
  try {
    return Intl.Collator.supportedLocalesOf(name).length > 0 ? null : "Invalid locale name";
  } catch {
    return "Invalid locale name";
  }
}
