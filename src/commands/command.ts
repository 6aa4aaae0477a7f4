/** COMMAND and its subcommands: the table of commands as clients see it. */
import type { Call } from "../engine/call.ts";
import { type Command, type CommandSpec, Flag, FLAG_NAMES } from "../engine/command.ts";
import type { KeySpec } from "../engine/key_spec.ts";
import { globMatches } from "../lib/glob.ts";
import { Args } from "../protocol/args.ts";
import { type ErrorReply, Errors } from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import { parseUsage, type UsageNode } from "../protocol/usage.ts";
import { replyHelp } from "./help.ts";

function command(call: Call): void {
  replyKept(call, "INFO", (reply, commands) => {
    reply.array(commands.length);
    for (const one of commands) replyInfo(reply, one);
  });
}

/**
 * Replies with what `write` says of all commands. It is written once and kept, because it never changes, and many
 * clients ask for it when they connect.
 */
function replyKept(
  { reply, engine }: Call,
  name: string,
  write: (reply: ReplyWriter, commands: readonly Command[]) => void,
): void {
  const { keptReplies } = engine.commands;
  const key = `${name} RESP${reply.resp}`;
  const kept = keptReplies.get(key);
  if (kept !== undefined) return reply.raw(kept);
  const mark = reply.mark();
  write(reply, engine.commands.topLevel());
  if (!reply.isOver) keptReplies.set(key, reply.since(mark).slice());
}

function commandCount({ reply, engine }: Call): void {
  reply.integer(engine.commands.topLevel().length);
}

function commandInfo(call: Call): void {
  const { args, reply, engine } = call;
  if (args.count === 2) return command(call);
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    const found = engine.commands.byName(args.binary(i).toLowerCase());
    if (found === null) reply.nullBulk();
    else replyInfo(reply, found);
  }
}

function commandList({ args, reply, engine }: Call): void {
  let commands = engine.commands.all();
  if (args.count > 2) {
    const filter = args.count === 5 && args.is(2, "FILTERBY") ? listFilter(args) : null;
    if (filter === null) return reply.error(Errors.syntax);
    commands = commands.filter(filter);
  }
  reply.array(commands.length);
  for (const one of commands) reply.bulkText(one.fullName);
}

/** What argument 3 filters by and argument 4 asks for; null if it is no filter. */
function listFilter(args: Args): ((one: Command) => boolean) | null {
  if (args.is(3, "MODULE")) return () => false; // there are no modules
  const value = args.binary(4);
  if (args.is(3, "ACLCAT")) return (one) => one.aclCategories.includes(value.toLowerCase());
  if (!args.is(3, "PATTERN")) return null;
  const pattern = new TextEncoder().encode(value);
  return (one) => {
    const name = new TextEncoder().encode(one.fullName);
    return globMatches(pattern, 0, pattern.length, name, 0, name.length, true);
  };
}

function commandDocs(call: Call): void {
  const { args, reply, engine } = call;
  if (args.count === 2) return replyKept(call, "DOCS", replyAllDocs);
  const named: Command[] = [];
  for (let i = 2; i < args.count; i++) {
    const found = engine.commands.byName(args.binary(i).toLowerCase());
    if (found !== null) named.push(found);
  }
  replyAllDocs(reply, named);
}

function replyAllDocs(reply: ReplyWriter, commands: readonly Command[]): void {
  reply.map(commands.length);
  for (const one of commands) {
    reply.bulkText(one.fullName);
    replyDocs(reply, one);
  }
}

function commandGetkeys(call: Call): void {
  const inner = innerArgs(call.args);
  const found = keysOf(call, inner);
  if (found === null) return;
  const { args, reply } = call;
  reply.array(found.length);
  for (const { index } of found) {
    reply.bulk(args.bytesOf(index), args.start(index), args.end(index));
  }
}

function commandGetkeysandflags(call: Call): void {
  const inner = innerArgs(call.args);
  const found = keysOf(call, inner);
  if (found === null) return;
  const { args, reply } = call;
  reply.array(found.length);
  for (const { index, spec } of found) {
    reply.array(2);
    reply.bulk(args.bytesOf(index), args.start(index), args.end(index));
    replyWords(reply, (spec.flagsOf?.(inner) ?? spec.flags).split(" "));
  }
}

/** The full command that stands from argument 2 on. */
function innerArgs(args: Args): Args {
  const inner = new Args();
  inner.referTo(args, 2, args.count - 1);
  return inner;
}

/** The keys among the arguments of `inner`, as indexes of all arguments; null after an error. */
function keysOf(
  { reply, engine }: Call,
  inner: Args,
): { index: number; spec: KeySpec }[] | null {
  const found = engine.commands.findWhole(inner);
  const refuse = (error: ErrorReply): null => {
    reply.error(error);
    return null;
  };
  if (found === null) return refuse(Errors.invalidCommand);
  if (!found.hasKeys) return refuse(Errors.noKeyArguments);
  if (!found.takes(inner.count)) return refuse(Errors.invalidArgumentCount);
  const keys: { index: number; spec: KeySpec }[] = [];
  const isTold = found.forEachKey(inner, (index, spec) => keys.push({ index: index + 2, spec }));
  if (isTold && keys.length > 0) return keys;
  return (found.flags & Flag.noMandatoryKeys) !== 0 ? [] : refuse(Errors.invalidArguments);
}

/** The ten elements of COMMAND INFO. */
function replyInfo(reply: ReplyWriter, one: Command): void {
  reply.array(10);
  reply.bulkText(one.fullName);
  reply.integer(one.arity);
  replyWords(reply, FLAG_NAMES.filter(([bit]) => (one.flags & bit) !== 0).map(([, name]) => name));
  reply.integer(one.range.first);
  reply.integer(one.range.last);
  reply.integer(one.range.step);
  replyWords(reply, one.aclCategories.map((category) => `@${category}`));
  const tips = one.spec.tips ?? [];
  reply.set(tips.length);
  for (const tip of tips) reply.bulkText(tip);
  reply.set(one.keys.length);
  for (const spec of one.keys) replyKeySpec(reply, spec);
  if (one.subcommands === null) return reply.set(0);
  reply.array(one.subcommands.size);
  for (const sub of one.subcommands.values()) replyInfo(reply, sub);
}

/** A set of simple strings, as Redis writes flags. */
function replyWords(reply: ReplyWriter, words: readonly string[]): void {
  reply.set(words.length);
  for (const word of words) reply.simple(word);
}

function replyKeySpec(reply: ReplyWriter, spec: KeySpec): void {
  reply.map(spec.notes === "" ? 3 : 4);
  if (spec.notes !== "") {
    reply.bulkText("notes");
    reply.bulkText(spec.notes);
  }
  reply.bulkText("flags");
  replyWords(reply, spec.flags.split(" "));
  reply.bulkText("begin_search");
  if (spec.first === 0) replyTyped(reply, "unknown", []);
  else if (spec.keyword === "") replyTyped(reply, "index", [["index", spec.first]]);
  else {
    replyTyped(reply, "keyword", [["keyword", spec.keyword], ["startfrom", spec.first]]);
  }
  reply.bulkText("find_keys");
  const { last, step, limit } = spec;
  if (spec.find === "unknown") replyTyped(reply, "unknown", []);
  else if (spec.find === "range") {
    replyTyped(reply, "range", [["lastkey", last], ["keystep", step], ["limit", limit]]);
  } else replyTyped(reply, "keynum", [["keynumidx", 0], ["firstkey", 1], ["keystep", step]]);
}

/** A map of a type and its parameters. */
function replyTyped(
  reply: ReplyWriter,
  type: string,
  parameters: readonly (readonly [string, string | number])[],
): void {
  reply.map(2);
  reply.bulkText("type");
  reply.bulkText(type);
  reply.bulkText("spec");
  reply.map(parameters.length);
  for (const [name, value] of parameters) {
    reply.bulkText(name);
    if (typeof value === "number") reply.integer(value);
    else reply.bulkText(value);
  }
}

function replyDocs(reply: ReplyWriter, one: Command): void {
  const { spec } = one;
  const mark = reply.mark();
  let fields = 0;
  const field = (name: string, write: () => void): void => {
    reply.bulkText(name);
    write();
    fields++;
  };
  field("summary", () => reply.bulkText(spec.summary));
  field("since", () => reply.bulkText(spec.since));
  field("group", () => reply.bulkText(one.group));
  field("complexity", () => reply.bulkText(spec.complexity));
  const { deprecatedSince, replacedBy, history } = spec;
  if (deprecatedSince !== undefined) {
    field("doc_flags", () => replyWords(reply, ["deprecated"]));
    field("deprecated_since", () => reply.bulkText(deprecatedSince));
  } else if (spec.isInternal) field("doc_flags", () => replyWords(reply, ["syscmd"]));
  if (replacedBy !== undefined) field("replaced_by", () => reply.bulkText(replacedBy));
  if (history !== undefined) field("history", () => replyHistory(reply, history));
  const nodes = parseUsage(spec.usage);
  if (nodes.length > 0) field("arguments", () => replyNodes(reply, nodes));
  const { subcommands } = one;
  if (subcommands !== null) {
    field("subcommands", () => {
      reply.map(subcommands.size);
      for (const sub of subcommands.values()) {
        reply.bulkText(sub.fullName);
        replyDocs(reply, sub);
      }
    });
  }
  reply.mapFrom(mark, fields);
}

function replyHistory(
  reply: ReplyWriter,
  history: readonly (readonly [string, string])[],
): void {
  reply.set(history.length);
  for (const [version, change] of history) {
    reply.array(2);
    reply.bulkText(version);
    reply.bulkText(change);
  }
}

function replyNodes(reply: ReplyWriter, nodes: readonly UsageNode[]): void {
  reply.array(nodes.length);
  for (const node of nodes) replyNode(reply, node);
}

function replyNode(reply: ReplyWriter, node: UsageNode): void {
  const mark = reply.mark();
  let fields = 0;
  const field = (name: string, value: string | number | null): void => {
    if (value === null) return;
    reply.bulkText(name);
    if (typeof value === "number") reply.integer(value);
    else reply.bulkText(value);
    fields++;
  };
  field("name", node.name);
  field("type", node.type);
  if (node.children.length === 0) field("display_text", node.display ?? node.name);
  field("key_spec_index", node.keySpec);
  field("token", node.token);
  field("since", node.since);
  field("deprecated_since", node.deprecatedSince);
  const flags: string[] = [];
  if (node.isOptional) flags.push("optional");
  if (node.isMultiple) flags.push("multiple");
  if (node.isMultipleToken) flags.push("multiple_token");
  if (flags.length > 0) {
    reply.bulkText("flags");
    replyWords(reply, flags);
    fields++;
  }
  if (node.children.length > 0) {
    reply.bulkText("arguments");
    replyNodes(reply, node.children);
    fields++;
  }
  reply.mapFrom(mark, fields);
}

function commandHelp(call: Call): void {
  replyHelp(call, [
    ["(no subcommand)", "All commands as COMMAND INFO describes them."],
    ["COUNT", "How many commands there are."],
    ["DOCS [<command-name> [...]]", "Documentation of the commands named, or of all."],
    ["GETKEYS <full-command>", "The keys of a full command."],
    ["GETKEYSANDFLAGS <full-command>", "The same with what the command does to each."],
    ["INFO [<command-name> ...]", "The commands named, or all."],
    [
      "LIST [FILTERBY (MODULE <module-name>|ACLCAT <category>|PATTERN <pattern>)]",
      "The names of commands.",
    ],
  ]);
}

/** Rows of the table: see engine/command.ts. */
export const commandCommands: readonly CommandSpec[] = [
  {
    name: "command",
    usage: "",
    summary: "Describes all commands.",
    since: "2.8.13",
    complexity: "O(N)",
    flags: Flag.loading | Flag.stale,
    acl: ["connection"],
    tips: ["nondeterministic_output_order"],
    subcommands: [
      {
        name: "count",
        usage: "",
        summary: "Returns the number of commands.",
        since: "2.8.13",
        complexity: "O(1)",
        flags: Flag.loading | Flag.stale,
        acl: ["connection"],
        run: commandCount,
      },
      {
        name: "docs",
        usage: "[{command-name}*]",
        summary: "Returns documentation of commands.",
        since: "7.0.0",
        complexity: "O(N)",
        flags: Flag.loading | Flag.stale,
        acl: ["connection"],
        tips: ["nondeterministic_output_order"],
        run: commandDocs,
      },
      {
        name: "getkeys",
        usage: "command [{arg}*]",
        summary: "Returns the keys of a full command.",
        since: "2.8.13",
        complexity: "O(N)",
        flags: Flag.loading | Flag.stale,
        acl: ["connection"],
        run: commandGetkeys,
      },
      {
        name: "getkeysandflags",
        usage: "command [{arg}*]",
        summary: "Returns the keys of a full command, and what it does to each.",
        since: "7.0.0",
        complexity: "O(N)",
        flags: Flag.loading | Flag.stale,
        acl: ["connection"],
        run: commandGetkeysandflags,
      },
      {
        name: "help",
        usage: "",
        summary: "Lists the subcommands.",
        since: "5.0.0",
        complexity: "O(1)",
        flags: Flag.loading | Flag.stale,
        acl: ["connection"],
        run: commandHelp,
      },
      {
        name: "info",
        usage: "[{command-name}*]",
        summary: "Describes the commands named, or all.",
        since: "2.8.13",
        complexity: "O(N)",
        flags: Flag.loading | Flag.stale,
        acl: ["connection"],
        tips: ["nondeterministic_output_order"],
        history: [["7.0.0", "Without names, all commands."]],
        run: commandInfo,
      },
      {
        name: "list",
        usage: "[FILTERBY filterby=(MODULE module-name | ACLCAT category | PATTERN pattern)]",
        summary: "Returns the names of all commands, or of some.",
        since: "7.0.0",
        complexity: "O(N)",
        flags: Flag.loading | Flag.stale,
        acl: ["connection"],
        tips: ["nondeterministic_output_order"],
        run: commandList,
      },
    ],
    run: command,
  },
];
