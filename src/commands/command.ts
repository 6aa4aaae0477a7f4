/** COMMAND and its subcommands: the table of commands as clients see it. */
import type { Call } from "../engine/call.ts";
import {
  type Command,
  type CommandSpec,
  Flag,
  FLAG_NAMES,
  type KeySpec,
} from "../engine/command.ts";
import { globMatches } from "../lib/glob.ts";
import { Args } from "../protocol/args.ts";
import { Errors } from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import { parseUsage, type UsageNode } from "../protocol/usage.ts";
import { replyHelp } from "./help.ts";

function command({ reply, engine }: Call): void {
  const commands = engine.commands.topLevel();
  reply.array(commands.length);
  for (const one of commands) replyInfo(reply, one);
}

function commandCount({ reply, engine }: Call): void {
  reply.integer(engine.commands.topLevel().length);
}

function commandInfo({ args, reply, engine }: Call): void {
  if (args.count === 2) {
    const commands = engine.commands.topLevel();
    reply.array(commands.length);
    for (const one of commands) replyInfo(reply, one);
    return;
  }
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    const found = engine.commands.byName(args.text(i).toLowerCase());
    if (found === null) reply.nullBulk();
    else replyInfo(reply, found);
  }
}

function commandList({ args, reply, engine }: Call): void {
  let commands = engine.commands.all();
  if (args.count > 2) {
    if (args.count !== 5 || !args.is(2, "FILTERBY")) return reply.error(Errors.syntax);
    const value = args.text(4).toLowerCase();
    if (args.is(3, "MODULE")) commands = [];
    else if (args.is(3, "ACLCAT")) {
      commands = commands.filter((one) => one.aclCategories.includes(value));
    } else if (args.is(3, "PATTERN")) {
      const pattern = new TextEncoder().encode(args.text(4));
      commands = commands.filter((one) => {
        const name = new TextEncoder().encode(one.fullName);
        return globMatches(pattern, 0, pattern.length, name, 0, name.length, true);
      });
    } else return reply.error(Errors.syntax);
  } else commands = engine.commands.topLevel();
  reply.set(commands.length);
  for (const one of commands) reply.bulkText(one.fullName);
}

function commandDocs({ args, reply, engine }: Call): void {
  let commands = engine.commands.topLevel();
  if (args.count > 2) {
    const named: Command[] = [];
    for (let i = 2; i < args.count; i++) {
      const found = engine.commands.byName(args.text(i).toLowerCase());
      if (found !== null) named.push(found);
    }
    commands = named;
  }
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
  for (const { index } of found) reply.bulk(args.bytes, args.start(index), args.end(index));
}

function commandGetkeysandflags(call: Call): void {
  const inner = innerArgs(call.args);
  const found = keysOf(call, inner);
  if (found === null) return;
  const { args, reply } = call;
  reply.array(found.length);
  for (const { index, spec } of found) {
    reply.array(2);
    reply.bulk(args.bytes, args.start(index), args.end(index));
    const flags = (spec.flagsOf?.(inner) ?? spec.flags).split(" ");
    reply.set(flags.length);
    for (const flag of flags) reply.simple(flag);
  }
}

/** The full command that stands from argument 2 on. */
function innerArgs(args: Args): Args {
  const inner = new Args();
  inner.use(args.bytes, args.view);
  for (let i = 2; i < args.count; i++) inner.push(args.start(i), args.end(i));
  return inner;
}

/** The keys among the arguments of `inner`, as indexes of all arguments; null after an error. */
function keysOf(
  { reply, engine }: Call,
  inner: Args,
): { index: number; spec: KeySpec }[] | null {
  let found = engine.commands.find(inner);
  if (found !== null && found.subcommands !== null && inner.count > 1) {
    found = found.subcommand(inner) ?? null;
  }
  if (found === null) {
    reply.error(Errors.invalidCommand);
    return null;
  }
  if (found.keys.length === 0) {
    reply.error(Errors.noKeyArguments);
    return null;
  }
  const { arity } = found;
  if (arity > 0 ? inner.count !== arity : inner.count < -arity) {
    reply.error(Errors.invalidArgumentCount);
    return null;
  }
  const keys: { index: number; spec: KeySpec }[] = [];
  found.forEachKey(inner, (index, spec) => keys.push({ index: index + 2, spec }));
  return keys;
}

/** The ten elements of COMMAND INFO. */
function replyInfo(reply: ReplyWriter, one: Command): void {
  reply.array(10);
  reply.bulkText(one.fullName);
  reply.integer(one.arity);
  const flags = FLAG_NAMES.filter(([bit]) => (one.flags & bit) !== 0);
  reply.set(flags.length);
  for (const [, name] of flags) reply.simple(name);
  const first = one.keys.at(0);
  const last = one.keys.at(-1);
  reply.integer(first?.first ?? 0);
  reply.integer(last === undefined ? 0 : last.last < 0 ? last.last : last.first + last.last);
  reply.integer(first?.step ?? 0);
  reply.set(one.aclCategories.length);
  for (const category of one.aclCategories) reply.simple(`@${category}`);
  const tips = one.spec.tips ?? [];
  reply.array(tips.length);
  for (const tip of tips) reply.bulkText(tip);
  reply.array(one.keys.length);
  for (const spec of one.keys) replyKeySpec(reply, spec);
  const subcommands = [...one.subcommands?.values() ?? []];
  reply.array(subcommands.length);
  for (const sub of subcommands) replyInfo(reply, sub);
}

function replyKeySpec(reply: ReplyWriter, spec: KeySpec): void {
  reply.map(3);
  reply.bulkText("flags");
  const flags = spec.flags.split(" ");
  reply.set(flags.length);
  for (const flag of flags) reply.simple(flag);
  reply.bulkText("begin_search");
  reply.map(2);
  reply.bulkText("type");
  reply.bulkText("index");
  reply.bulkText("spec");
  reply.map(1);
  reply.bulkText("index");
  reply.integer(spec.first);
  reply.bulkText("find_keys");
  reply.map(2);
  reply.bulkText("type");
  reply.bulkText("range");
  reply.bulkText("spec");
  reply.map(3);
  reply.bulkText("lastkey");
  reply.integer(spec.last);
  reply.bulkText("keystep");
  reply.integer(spec.step);
  reply.bulkText("limit");
  reply.integer(0);
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
  if (spec.deprecatedSince !== undefined) {
    const { deprecatedSince, replacedBy = "" } = spec;
    field("doc_flags", () => {
      reply.set(1);
      reply.simple("deprecated");
    });
    field("deprecated_since", () => reply.bulkText(deprecatedSince));
    field("replaced_by", () => reply.bulkText(replacedBy));
  }
  const nodes = parseUsage(spec.usage);
  if (nodes.length > 0) field("arguments", () => replyNodes(reply, nodes, { next: 0 }));
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

/** Keys are numbered in the order in which they are met. */
function replyNodes(reply: ReplyWriter, nodes: readonly UsageNode[], keys: { next: number }): void {
  reply.array(nodes.length);
  for (const node of nodes) replyNode(reply, node, keys);
}

function replyNode(reply: ReplyWriter, node: UsageNode, keys: { next: number }): void {
  const mark = reply.mark();
  let fields = 0;
  const text = (name: string, value: string): void => {
    reply.bulkText(name);
    reply.bulkText(value);
    fields++;
  };
  text("name", node.name);
  text("type", node.type);
  if (node.children.length === 0) text("display_text", node.name);
  if (node.type === "key") {
    reply.bulkText("key_spec_index");
    reply.integer(keys.next++);
    fields++;
  }
  if (node.token !== null) text("token", node.token);
  if (node.since !== null) text("since", node.since);
  const flags: string[] = [];
  if (node.isOptional) flags.push("optional");
  if (node.isMultiple) flags.push("multiple");
  if (node.isMultipleToken) flags.push("multiple_token");
  if (flags.length > 0) {
    reply.bulkText("flags");
    reply.set(flags.length);
    for (const flag of flags) reply.simple(flag);
    fields++;
  }
  if (node.children.length > 0) {
    reply.bulkText("arguments");
    replyNodes(reply, node.children, keys);
    fields++;
  }
  reply.mapFrom(mark, fields);
}

function commandHelp({ reply }: Call): void {
  replyHelp(reply, "COMMAND", [
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
