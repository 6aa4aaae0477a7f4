/**
 * The rules of ACL SETUSER, as they change a selector: keys, channels and commands. A rule that is wrong changes nothing, and
 * why it is wrong is the result.
 *
 * Words are bytes, one character each, as everywhere in configurations.
 */
import { inLowerCase, inUpperCase } from "../lib/letter_case.ts";
import { equalBytes } from "../lib/slice.ts";
import { ACL_CATEGORIES, type Command, type CommandTable } from "./command.ts";
import { binaryBytes, binaryText } from "../protocol/args.ts";
import { type KeyPattern, type Selector } from "./acl_selector.ts";
import { Access } from "./key_spec.ts";

/** Why a rule is refused: the end of SETUSER's error. */
export const RuleError = {
  syntax: "Syntax error",
  unknown: "Unknown command or category name in ACL",
  keysAfterAll: "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and " +
    "does not have any effect. Try 'resetkeys' to start with an empty list of patterns",
  channelsAfterAll: "Adding a pattern after the * pattern (or the 'allchannels' flag) is not " +
    "valid and does not have any effect. Try 'resetchannels' to start with an empty list of " +
    "channels",
  noSuchPassword: "The password you are trying to remove from the user does not exist",
  badHash: "The password hash must be exactly 64 characters and contain only lowercase " +
    "hexadecimal characters",
  firstArgument: "Allowing first-arg of a subcommand is not supported",
  duplicate: "Duplicate user found. A user can only be defined once in config files",
} as const;

/**
 * Commands of Redis that this server lacks, and their subcommands. Rules about them are kept and shown, so that files of
 * Redis can be read; there is nothing that they could allow or forbid.
 */
const ABSENT: Readonly<Record<string, readonly string[]>> = {
  asking: [],
  cluster: [
    ...["addslots", "addslotsrange", "bumpepoch", "count-failure-reports", "countkeysinslot"],
    ...["delslots", "delslotsrange", "failover", "flushslots", "forget", "getkeysinslot", "help"],
    ...["info", "keyslot", "links", "meet", "myid", "myshardid", "nodes", "replicas", "replicate"],
    ...["reset", "saveconfig", "set-config-epoch", "setslot", "shards", "slaves", "slots"],
  ],
  failover: [],
  psync: [],
  readonly: [],
  readwrite: [],
  replicaof: [],
  "restore-asking": [],
  role: [],
  slaveof: [],
  wait: [],
  waitaof: [],
};

/** Blanks as C knows them, and zero bytes, which neither names nor patterns may have. */
export const BLANK = /[ \t\n\v\f\r\0]/;

/** Applies one rule that is about keys, channels or commands. */
export function applyRule(selector: Selector, rule: string, commands: CommandTable): string | null {
  switch (inLowerCase(rule)) {
    case "allkeys":
    case "~*":
      selector.isAllKeys = true;
      selector.keys = [];
      return null;
    case "resetkeys":
      selector.isAllKeys = false;
      selector.keys = [];
      return null;
    case "allchannels":
    case "&*":
      selector.isAllChannels = true;
      selector.channels = [];
      return null;
    case "resetchannels":
      selector.isAllChannels = false;
      selector.channels = [];
      return null;
    case "allcommands":
    case "+@all":
      return allowAll(selector, true);
    case "nocommands":
    case "-@all":
      return allowAll(selector, false);
  }
  switch (rule[0]) {
    case "~":
      return addKeys(selector, rule.slice(1), Access.read | Access.write);
    case "%":
      return addKeysFor(selector, rule);
    case "&":
      return addChannels(selector, rule.slice(1));
    case "+":
    case "-":
      return ruleOfCommands(selector, rule[0], inLowerCase(rule.slice(1)), commands);
    default:
      return RuleError.syntax;
  }
}

function allowAll(selector: Selector, isAllowed: boolean): null {
  selector.allows.fill(isAllowed ? 1 : 0);
  selector.startsWithAll = isAllowed;
  selector.rules = [];
  selector.firstArguments = null;
  return null;
}

/** "%R~pattern", "%W~pattern" or "%RW~pattern". */
function addKeysFor(selector: Selector, rule: string): string | null {
  if (selector.isAllKeys) return RuleError.keysAfterAll;
  // Redis accepts a lone "%", and ends when it is to show it.
  const parts = /^%(r|w|rw|wr)(?:~|$)/i.exec(rule);
  if (parts === null) return RuleError.syntax;
  const letters = inLowerCase(parts[1]);
  const access = (letters.includes("r") ? Access.read : 0) |
    (letters.includes("w") ? Access.write : 0);
  return addKeys(selector, rule.slice(parts[0].length), access);
}

function addKeys(selector: Selector, pattern: string, access: number): string | null {
  if (selector.isAllKeys) return RuleError.keysAfterAll;
  if (BLANK.test(pattern)) return RuleError.syntax;
  const bytes = binaryBytes(pattern);
  const known = selector.keys.find((key) => isSame(key.bytes, bytes));
  if (known === undefined) selector.keys.push({ bytes, access });
  else known.access |= access;
  return null;
}

function addChannels(selector: Selector, pattern: string): string | null {
  if (selector.isAllChannels) return RuleError.channelsAfterAll;
  if (BLANK.test(pattern)) return RuleError.syntax;
  const bytes = binaryBytes(pattern);
  if (!selector.channels.some((channel) => isSame(channel, bytes))) selector.channels.push(bytes);
  return null;
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return equalBytes(one, 0, one.length, other);
}

/** "+get", "-config|set", "+@read" or "+select|0", whose sign is `sign`; `name` is in lower case. */
function ruleOfCommands(
  selector: Selector,
  sign: string,
  name: string,
  commands: CommandTable,
): string | null {
  const isAllowed = sign === "+";
  if (name.startsWith("@")) {
    const category = name.slice(1);
    if (!ACL_CATEGORIES.includes(category)) return RuleError.unknown;
    for (const command of commands.original) {
      if (command.aclCategories.includes(category)) allow(selector, command, isAllowed);
    }
  } else if (!isAbsent(name)) {
    const command = commands.byOriginalName(name);
    if (command === null) {
      const detail = isAllowed ? allowFirstArgument(selector, name, commands) : RuleError.unknown;
      if (detail !== null) return detail;
    } else allow(selector, command, isAllowed);
  }
  addRule(selector, sign, name);
  return null;
}

/** Allows or forbids a command and its subcommands. */
function allow(selector: Selector, command: Command, isAllowed: boolean): void {
  selector.allows[command.number] = isAllowed ? 1 : 0;
  selector.firstArguments?.delete(command.number);
  for (const sub of command.subcommands?.values() ?? []) allow(selector, sub, isAllowed);
}

/** "select|0": allows a command with this first argument only. */
function allowFirstArgument(
  selector: Selector,
  name: string,
  commands: CommandTable,
): string | null {
  const bar = name.lastIndexOf("|");
  const command = bar < 0 ? null : commands.byOriginalName(name.slice(0, bar));
  if (command === null || command.subcommands !== null) return RuleError.unknown;
  if (command.fullName !== command.name) return RuleError.firstArgument;
  const word = name.slice(bar + 1);
  if (word === "") return RuleError.syntax;
  selector.firstArguments ??= new Map();
  const words = selector.firstArguments.get(command.number) ?? [];
  const bytes = binaryBytes(inUpperCase(word));
  if (!words.some((other) => isSame(other, bytes))) words.push(bytes);
  selector.firstArguments.set(command.number, words);
  return null;
}

/** Appends a rule, which replaces earlier ones about the same command or category, and about the command's subcommands. */
function addRule(selector: Selector, sign: string, name: string): void {
  selector.rules = selector.rules.filter((rule) => {
    const other = rule.slice(1);
    return other !== name && !other.startsWith(`${name}|`);
  });
  selector.rules.push(sign + name);
}

function isAbsent(name: string): boolean {
  const [container, ...words] = name.split("|");
  if (!Object.hasOwn(ABSENT, container)) return false;
  return words.length === 0 || (words.length === 1 && ABSENT[container].includes(words[0]));
}

/** A selector's rules about commands, as ACL GETUSER shows them. */
export function commandWords({ startsWithAll, rules }: Selector): string[] {
  return [startsWithAll ? "+@all" : "-@all", ...rules];
}

export function keyWords({ isAllKeys, keys }: Selector): string[] {
  return isAllKeys ? ["~*"] : keys.map(keyText);
}

function keyText({ bytes, access }: KeyPattern): string {
  const sign = access === Access.read ? "%R~" : access === Access.write ? "%W~" : "~";
  return sign + binaryOf(bytes);
}

export function channelWords({ isAllChannels, channels }: Selector): string[] {
  return isAllChannels ? ["&*"] : channels.map((bytes) => `&${binaryOf(bytes)}`);
}

/** All of a selector's rules, as ACL LIST shows them. */
export function selectorWords(selector: Selector): string[] {
  return [
    ...keyWords(selector),
    ...selector.isAllChannels ? [] : ["resetchannels"],
    ...channelWords(selector),
    ...commandWords(selector),
  ];
}

function binaryOf(bytes: Uint8Array): string {
  return binaryText(bytes, 0, bytes.length);
}
