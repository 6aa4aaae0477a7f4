/** What the slow log, ACL LOG and MONITOR show of a command's arguments: no passwords, and in the logs only a part. */
import { type Args, binaryBytes, binaryText } from "../protocol/args.ts";
import type { Command } from "./command.ts";
import type { Engine } from "./engine.ts";

/** Replaces a secret. */
export const REDACTED = "(redacted)";
/** Arguments of a command that the slow log keeps, and bytes of each. Of the rest it says how much there is, as Redis does. */
const ARGUMENTS_MAX = 32;
const ARGUMENT_BYTES_MAX = 128;

/** The indexes of the arguments that may not be shown. */
export function secretArguments(engine: Engine, args: Args, command: Command): Set<number> {
  switch (command.fullName) {
    case "auth":
      return from(args, 1);
    case "hello":
      return behind(args, 1, HELLO_OPTIONS);
    case "migrate":
      return behind(args, 6, MIGRATE_OPTIONS);
    case "acl|setuser":
      return from(args, 2);
    case "config|set":
      return sensitiveValues(engine, args);
    default:
      return NONE;
  }
}

/**
 * The arguments as byte strings, shortened for the slow log. Only the part that is shown becomes a string: an argument
 * of a hundred megabytes, made a string as a whole, once took all of the heap.
 */
export function shortArguments(engine: Engine, args: Args, command: Command): string[] {
  const secret = secretArguments(engine, args, command);
  const more = args.count - ARGUMENTS_MAX;
  const shown = more > 0 ? ARGUMENTS_MAX - 1 : args.count;
  const words: string[] = [];
  for (let i = 0; i < shown; i++) {
    words.push(secret.has(i) ? REDACTED : shortArgument(args, i, ARGUMENT_BYTES_MAX));
  }
  if (more > 0) words.push(`... (${more + 1} more arguments)`);
  return words;
}

/** The argument as a byte string. Of one with more than `most` bytes so many, and how many there are more. */
export function shortArgument(args: Args, index: number, most: number): string {
  const text = args.binary(index, most);
  const more = args.length(index) - most;
  return more > 0 ? withMore(text, more) : text;
}

/** As `shortArgument`, of a byte string. A long one is copied: a part of a string keeps all of it in memory. */
export function shortText(text: string, most: number): string {
  if (text.length <= most) return text;
  const part = binaryBytes(text.slice(0, most));
  return withMore(binaryText(part, 0, part.length), text.length - most);
}

function withMore(text: string, more: number): string {
  return `${text}... (${more} more bytes)`;
}

const NONE: Set<number> = new Set();

function from(args: Args, first: number): Set<number> {
  return new Set(Array.from({ length: Math.max(args.count - first, 0) }, (_, i) => first + i));
}

/** An option, how many arguments follow it, and whether they are secret. */
type Option = readonly [word: string, count: number, isSecret: boolean];

const HELLO_OPTIONS: readonly Option[] = [["AUTH", 2, true], ["SETNAME", 1, false]];
/** Behind KEYS there are only keys. */
const MIGRATE_OPTIONS: readonly Option[] = [
  ["AUTH", 1, true],
  ["AUTH2", 2, true],
  ["KEYS", Infinity, false],
];

/** What follows secret options from argument `first` on. Each may be given more than once; the last one counts. */
function behind(args: Args, first: number, options: readonly Option[]): Set<number> {
  const secret = new Set<number>();
  for (let i = first; i < args.count; i++) {
    const found = options.find(([word]) => args.is(i, word));
    if (found === undefined) continue;
    const [, count, isSecret] = found;
    if (isSecret) { for (let k = 1; k <= count; k++) secret.add(i + k); }
    i += count;
  }
  return secret;
}

function sensitiveValues(engine: Engine, args: Args): Set<number> {
  const values = new Set<number>();
  for (let i = 3; i < args.count; i += 2) {
    if (engine.parameters.isSensitive(args.binary(i - 1))) values.add(i);
  }
  return values;
}
