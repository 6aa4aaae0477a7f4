/**
 * What a command is, as data: the one source for dispatch, arity errors, COMMAND, ACL categories,
 * propagation, key positions and docs/COMMANDS.md.
 */
import { inLowerCase } from "../lib/letter_case.ts";
import { LatencyHistogram } from "../observe/latency.ts";
import type { Args } from "../protocol/args.ts";
import { arityOf } from "../protocol/usage.ts";
import type { Call } from "./call.ts";
import { type KeySpec, type KeyVisitor, type LegacyRange, legacyRange } from "./key_spec.ts";
import { NameTable } from "./name_table.ts";

export { keyRange, oneKey } from "./key_spec.ts";

/** Facts that the evaluator acts on, combined with `|`. */
export const Flag = {
  write: 1 << 0,
  readonly: 1 << 1,
  denyOom: 1 << 2,
  admin: 1 << 3,
  pubsub: 1 << 4,
  noScript: 1 << 5,
  blocking: 1 << 6,
  loading: 1 << 7,
  stale: 1 << 8,
  skipMonitor: 1 << 9,
  skipSlowlog: 1 << 10,
  asking: 1 << 11,
  fast: 1 << 12,
  noAuth: 1 << 13,
  /** Not shown, as in Redis: a command that is no write, but waits like one while writes are paused. */
  mayReplicate: 1 << 14,
  noAsyncLoading: 1 << 15,
  noMulti: 1 << 16,
  movableKeys: 1 << 17,
  allowBusy: 1 << 18,
  noMandatoryKeys: 1 << 19,
  /** Ours: runs at once inside MULTI instead of being queued. COMMAND doesn't show it. */
  unqueued: 1 << 20,
  /** Ours: a subscriber that speaks RESP2 may send it. COMMAND doesn't show it. */
  whileSubscribed: 1 << 21,
  /** Ours: waits until Lua is loaded. */
  needsLua: 1 << 22,
  /** Ours: gives a password, and waits if others from the same address were wrong. */
  logsIn: 1 << 23,
} as const;

/** The names that COMMAND INFO shows, in Redis's order. */
export const FLAG_NAMES: readonly (readonly [number, string])[] = [
  [Flag.write, "write"],
  [Flag.readonly, "readonly"],
  [Flag.denyOom, "denyoom"],
  [Flag.admin, "admin"],
  [Flag.pubsub, "pubsub"],
  [Flag.noScript, "noscript"],
  [Flag.blocking, "blocking"],
  [Flag.loading, "loading"],
  [Flag.stale, "stale"],
  [Flag.skipMonitor, "skip_monitor"],
  [Flag.skipSlowlog, "skip_slowlog"],
  [Flag.asking, "asking"],
  [Flag.fast, "fast"],
  [Flag.noAuth, "no_auth"],
  [Flag.noMandatoryKeys, "no_mandatory_keys"],
  [Flag.noAsyncLoading, "no_async_loading"],
  [Flag.noMulti, "no_multi"],
  [Flag.movableKeys, "movablekeys"],
  [Flag.allowBusy, "allow_busy"],
];

/** How a command is written down, in the table at the foot of its file. */
export interface CommandSpec {
  readonly name: string;
  /** The grammar of docs/USAGE.md. Arity, COMMAND DOCS and hints follow from it. */
  readonly usage: string;
  readonly summary: string;
  readonly since: string;
  readonly complexity: string;
  readonly flags: number;
  /** Its running time is proportional to the length of its reply, so that one with a short reply was quick: see timing.ts. */
  readonly isTimedByReply?: boolean;
  readonly keys?: readonly KeySpec[];
  /** Visits the keys of a command whose key positions `keys` can't describe (SORT, MIGRATE). */
  readonly keysOf?: (args: Args, visitor: KeyVisitor) => void;
  /** For a command that runs a script: what that declares, bits of ScriptFlag. */
  readonly declared?: (call: Call) => number;
  /** Its arguments from 1 on are channels whose use must be allowed: only the first of them, all, or all as patterns. */
  readonly channels?: "first" | "all" | "patterns";
  /** ACL categories beside those that follow from group and flags; "-keyspace" takes one of these away. */
  readonly acl?: readonly string[];
  /** COMMAND's tips for clients. */
  readonly tips?: readonly string[];
  /** Pairs of a version and what was added in it. */
  readonly history?: readonly (readonly [string, string])[];
  readonly deprecatedSince?: string;
  readonly replacedBy?: string;
  /** Meant for administrators and tests, not for applications. */
  readonly isInternal?: boolean;
  readonly subcommands?: readonly CommandSpec[];
  /** Absent if only its subcommands can be run. */
  readonly run?: (call: Call) => void;
}

/** The commands of one documented group. */
export interface CommandGroup {
  readonly group: string;
  readonly commands: readonly CommandSpec[];
}

/** What INFO commandstats tells of a command. */
class CommandStats {
  calls = 0;
  microseconds = 0;
  rejected = 0;
  failed = 0;
  /** Calls of the running script that have not been counted yet: see script_timing.ts. */
  untimed = 0;
  histogram: LatencyHistogram | null = null;

  reset(): void {
    this.calls =
      this.microseconds =
      this.rejected =
      this.failed =
        0;
    this.histogram = null;
  }
}

/** Every command has this one shape, so that `command.run(call)` is one kind of load to V8. */
export class Command {
  readonly name: string;
  /** "config|get" for a subcommand. */
  readonly fullName: string;
  readonly arity: number;
  readonly flags: number;
  readonly group: string;
  readonly keys: readonly KeySpec[];
  /** The keys that COMMAND's three numbers (first, last, step) describe. */
  readonly range: LegacyRange;
  /** In Redis's order. */
  readonly aclCategories: readonly string[];
  readonly subcommands: ReadonlyMap<string, Command> | null;
  /** Its place in the table, among all commands and subcommands, whatever they are called: see acl_selector.ts. */
  number = 0;
  /** Whether the arguments may hold keys; channels don't count. */
  readonly hasKeys: boolean;
  /** Arguments from 1 to here are channels whose use must be allowed; negative: to the last one. */
  readonly channelsEnd: number;
  readonly hasChannelPatterns: boolean;
  /** Replaced where faults are wanted: see app/library/faults.ts. */
  run: (call: Call) => void;
  /** It reads keys, and clients may cache what it answers. A script does not read: its commands do. */
  readonly isRead: boolean;
  /** Its running time depends on its arguments, so it is timed alone: see timing.ts. */
  readonly isTimedAlone: boolean;
  readonly stats = new CommandStats();
  readonly #lookUp: NameTable<Command> | null;

  constructor(readonly spec: CommandSpec, group: string, parent: string) {
    this.name = spec.name;
    this.fullName = parent === "" ? spec.name : `${parent}|${spec.name}`;
    this.keys = spec.keys ?? [];
    this.range = legacyRange(this.keys);
    this.flags = spec.flags | (this.range.isMovable ? Flag.movableKeys : 0);
    this.group = group;
    this.arity = spec.subcommands === undefined
      ? arityOf(spec.usage, parent === "" ? 1 : 2)
      : spec.run === undefined
      ? -2
      : -1;
    this.hasKeys = spec.keysOf !== undefined || this.keys.some((one) => !one.isNotKey);
    this.channelsEnd = spec.channels === undefined ? 0 : spec.channels === "first" ? 2 : -1;
    this.hasChannelPatterns = spec.channels === "patterns";
    this.isRead = (spec.flags & Flag.readonly) !== 0 && group !== "scripting" && this.hasKeys;
    this.isTimedAlone = (spec.flags & Flag.fast) === 0 && spec.complexity !== "O(1)" &&
      spec.isTimedByReply !== true;
    this.aclCategories = aclCategories(spec, group);
    const subcommands = (spec.subcommands ?? []).map((row) => new Command(row, group, spec.name));
    this.subcommands = subcommands.length === 0 ? null : byOwnName(subcommands);
    this.#lookUp = this.subcommands === null ? null : new NameTable(this.subcommands);
    this.run = spec.run ?? neverRun;
  }

  /** The subcommand that argument 1 names, or null. */
  subcommand(args: Args): Command | null {
    return this.#lookUp?.find(args, 1) ?? null;
  }

  /** Whether it may have so many arguments, its name included. */
  takes(count: number): boolean {
    return this.arity > 0 ? count === this.arity : count >= -this.arity;
  }

  /**
   * Visits each key among the arguments. Returns false if the key positions can't be found, as the arguments are
   * wrong (the command itself will refuse them); some keys may have been visited then. Allocates nothing, except
   * for commands with `keysOf`.
   */
  forEachKey(args: Args, visitor: KeyVisitor): boolean {
    if (this.spec.keysOf !== undefined) {
      this.spec.keysOf(args, visitor);
      return true;
    }
    for (let i = 0; i < this.keys.length; i++) {
      const spec = this.keys[i];
      if (!spec.isNotKey && !spec.visit(args, visitor)) return false;
    }
    return true;
  }
}

/** Only containers lack a function, and a container is only run through its subcommands. */
function neverRun(): void {
  throw new Error("A container of subcommands was run itself");
}

/** All commands, found by their name's bytes in any case. */
export class CommandTable {
  /** By the name under which clients call a command; rename-command changes that. */
  readonly #commands: Map<string, Command>;
  #lookUp: NameTable<Command>;
  /** All commands and subcommands by their own names, in the order of their numbers: rules name them so. */
  readonly #original: ReadonlyMap<string, Command>;
  /** Encoded replies about all commands, by what was asked. */
  readonly keptReplies = new Map<string, Uint8Array>();

  constructor(groups: readonly CommandGroup[]) {
    this.#commands = byOwnName(
      groups.flatMap(({ group, commands }) => commands.map((spec) => new Command(spec, group, ""))),
    );
    this.#lookUp = new NameTable(this.#commands);
    const all = this.all();
    for (const [number, command] of all.entries()) command.number = number;
    this.#original = new Map(all.map((command) => [command.fullName, command]));
  }

  /** All commands and subcommands, also those that rename-command has removed, in the order of their numbers. */
  get original(): readonly Command[] {
    return [...this.#original.values()];
  }

  /** By its own name in lower case, whatever it has been renamed to: "config|get" for a subcommand. */
  byOriginalName(name: string): Command | null {
    return this.#original.get(name) ?? null;
  }

  /**
   * rename-command: a command can only be called by `other` afterwards, or not at all if that is "". Names are
   * bytes, one character each. Only while the server starts. Returns an error's detail or null.
   */
  rename(name: string, other: string): string | null {
    const command = this.#commands.get(inLowerCase(name));
    if (command === undefined) return "No such command in rename-command";
    this.#commands.delete(inLowerCase(name));
    const wanted = inLowerCase(other);
    if (this.#commands.has(wanted)) return "Target command name already exists";
    if (wanted !== "") this.#commands.set(wanted, command);
    this.#lookUp = new NameTable(this.#commands);
    return null;
  }

  /** The command that argument 0 names, or null. */
  find(args: Args): Command | null {
    return this.#lookUp.find(args, 0);
  }

  /** The command or, where argument 1 is that of one with subcommands, the subcommand that the arguments name; or null. */
  findWhole(args: Args): Command | null {
    const command = this.find(args);
    if (command === null || command.subcommands === null || args.count === 1) return command;
    return command.subcommand(args);
  }

  /** By lower-case name, "config|get" for a subcommand. */
  byName(name: string): Command | null {
    const bar = name.indexOf("|");
    if (bar < 0) return this.#commands.get(name) ?? null;
    return this.#commands.get(name.slice(0, bar))?.subcommands?.get(name.slice(bar + 1)) ?? null;
  }

  /** The commands without their subcommands. */
  topLevel(): readonly Command[] {
    return [...this.#commands.values()];
  }

  /** All commands and subcommands. */
  all(): readonly Command[] {
    return this.topLevel().flatMap((command) => [
      command,
      ...(command.subcommands?.values() ?? []),
    ]);
  }
}

function byOwnName(commands: readonly Command[]): Map<string, Command> {
  return new Map(commands.map((command) => [command.name, command]));
}

/** All ACL categories, in Redis's order. */
export const ACL_CATEGORIES: readonly string[] = [
  ...["keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap"],
  ...["hyperloglog", "geo", "stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous"],
  ...["connection", "transaction", "scripting"],
];

/** Groups whose name is an ACL category, and what that category is called. */
const GROUP_CATEGORIES: Record<string, string> = {
  string: "string",
  bitmap: "bitmap",
  generic: "keyspace",
  connection: "connection",
  transactions: "transaction",
  pubsub: "pubsub",
  scripting: "scripting",
  list: "list",
  set: "set",
  "sorted-set": "sortedset",
  hash: "hash",
  stream: "stream",
  hyperloglog: "hyperloglog",
  geo: "geo",
};

/** ACL categories from group and flags, as Redis derives them, then those the row adds. */
function aclCategories(spec: CommandSpec, group: string): readonly string[] {
  const { flags } = spec;
  const isContainer = spec.subcommands !== undefined;
  const own = isContainer ? undefined : GROUP_CATEGORIES[group];
  const categories = new Set(own === undefined ? [] : [own]);
  if ((flags & Flag.write) !== 0) categories.add("write");
  if ((flags & Flag.readonly) !== 0 && own !== "scripting") categories.add("read");
  if ((flags & Flag.admin) !== 0) categories.add("admin").add("dangerous");
  if ((flags & Flag.pubsub) !== 0) categories.add("pubsub");
  categories.add((flags & Flag.fast) !== 0 ? "fast" : "slow");
  if ((flags & Flag.blocking) !== 0) categories.add("blocking");
  for (const category of spec.acl ?? []) {
    if (category.startsWith("-")) categories.delete(category.slice(1));
    else categories.add(category);
  }
  return ACL_CATEGORIES.filter((category) => categories.has(category));
}
