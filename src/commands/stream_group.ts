/** XGROUP and XACK: groups and consumers that read a stream, and acknowledged entries. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import { Events } from "../keyspace/change_hooks.ts";
import { StreamValue } from "../keyspace/stream_value.ts";
import { Int64 } from "../lib/decimal.ts";
import type { Args } from "../protocol/args.ts";
import { type ErrorReply, Errors, noSuchGroup, unknownOrArity } from "../protocol/errors.ts";
import { type ConsumerGroup, isUnknown, setUnknown } from "../structures/consumer_groups.ts";
import { FIRST_ID, LAST_ID, StreamId } from "../structures/stream_id.ts";
import { replyHelp } from "./help.ts";
import { readId } from "./stream_args.ts";
import { scratch } from "../lib/scratch.ts";

const DOLLAR = 0x24;
const MINUS = 0x2d;
const PLUS = 0x2b;
/** The most words of a command: options may be given twice, but not more of them than there are. */
const CREATE_COUNT_MAX = 8;
const SETID_COUNT_MAX = 7;

// scratch: lives for one call
const stream = scratch(new StreamValue());
// scratch: lives for one call
const id = new StreamId();

/** What CREATE and SETID take behind the id. */
interface GroupOptions {
  makesStream: boolean;
  entriesRead: Int64;
}

/** The refusal of options that the subcommand does not know, or of too many of them. */
function refused(args: Args): ErrorReply {
  return unknownOrArity(args);
}

/** Reads the options of CREATE, which may make a stream, or of SETID. */
function readOptions(args: Args, mayMakeStream: boolean): GroupOptions {
  const options: GroupOptions = { makesStream: false, entriesRead: new Int64() };
  const { entriesRead } = options;
  setUnknown(entriesRead);
  for (let at = 5; at < args.count && args.error === null; at++) {
    if (mayMakeStream && args.is(at, "MKSTREAM")) options.makesStream = true;
    else if (args.is(at, "ENTRIESREAD") && at + 1 < args.count) {
      const isInteger = args.int64(++at, entriesRead);
      if (isInteger && entriesRead.hi < 0 && !isUnknown(entriesRead)) {
        args.fail(Errors.entriesReadNegative);
      }
    } else args.fail(refused(args));
  }
  return options;
}

/** Opens the stream for a change; a missing one fails `args` unless it may be made. */
function openStream({ args, db }: Call, makesStream: boolean): boolean {
  const exists = stream.cursor.edit(db, args, 2);
  if (!exists && args.error === null && !makesStream) args.fail(Errors.groupNeedsStream);
  return exists;
}

/** The group that argument 3 names, which fails `args` if it is missing. */
function openGroup(call: Call): ConsumerGroup | null {
  const { args } = call;
  openStream(call, false);
  if (args.error !== null) return null;
  const group = stream.group(args.binary(3));
  if (group === undefined) args.fail(noSuchGroup(args.binary(3), args.binary(2)));
  return group ?? null;
}

/** Reads the id at argument 4; `$` is the stream's last. */
function readGroupId(args: Args, exists: boolean): void {
  if (!args.isCharacter(4, DOLLAR)) return readId(args, 4, id);
  if (exists) id.copy(stream.log.lastId);
  else id.clear();
}

/** Reads `-` or `+` at argument 4; returns whether it is one. */
function readInfinite(args: Args): boolean {
  if (args.isCharacter(4, MINUS)) id.copy(FIRST_ID);
  else if (args.isCharacter(4, PLUS)) id.copy(LAST_ID);
  else return false;
  return true;
}

/** XGROUP CREATE key group id | $ [MKSTREAM] [ENTRIESREAD entries-read] */
function xgroupCreate(call: Call): void {
  const { args, reply, db } = call;
  const { makesStream, entriesRead } = readOptions(args, true);
  if (args.error !== null) return reply.error(args.error);
  const exists = openStream(call, makesStream);
  if (args.count > CREATE_COUNT_MAX) args.fail(refused(args));
  if (args.error === null) readGroupId(args, exists);
  if (args.error !== null) return reply.error(args.error);
  const name = args.binary(3);
  if (!exists) stream.cursor.editOrCreate(db, args, 2);
  else if (stream.group(name) !== undefined) return reply.error(Errors.groupExists);
  const group = stream.addGroup(name);
  group.lastId.copy(id);
  group.entriesRead.copy(entriesRead);
  if (exists) stream.cursor.changedBeside(Events.xgroupCreate);
  else stream.cursor.changed(Events.xgroupCreate);
  reply.ok();
}

/** XGROUP SETID key group id | $ [ENTRIESREAD entries-read] */
function xgroupSetid(call: Call): void {
  const { args, reply } = call;
  const { entriesRead } = readOptions(args, false);
  const group = args.error === null ? openGroup(call) : null;
  if (args.count > SETID_COUNT_MAX) args.fail(refused(args));
  if (args.error === null && group !== null && !readInfinite(args)) readGroupId(args, true);
  if (args.error !== null || group === null) return reply.error(args.error ?? Errors.syntax);
  group.lastId.copy(id);
  group.entriesRead.copy(entriesRead);
  stream.cursor.changedBeside(Events.xgroupSetid);
  reply.ok();
}

function xgroupDestroy(call: Call): void {
  const { args, reply, db, engine } = call;
  openStream(call, false);
  if (args.error !== null) return reply.error(args.error);
  const group = stream.group(args.binary(3));
  if (group === undefined) return reply.integer(0);
  stream.removeGroup(group);
  stream.cursor.changedBeside(Events.xgroupDestroy);
  // Clients that wait for the group's entries hear that it is gone.
  engine.blocking.changed(db.index, args.bytesOf(2), args.start(2), args.end(2));
  reply.integer(1);
}

function xgroupCreateconsumer(call: Call): void {
  const { args, reply, nowMs } = call;
  const group = openGroup(call);
  if (group === null) return reply.error(args.error ?? Errors.syntax);
  if (group.consumer(args.binary(4)) !== undefined) return reply.integer(0);
  group.addConsumer(args.binary(4), nowMs);
  stream.cursor.changedBeside(Events.xgroupCreateconsumer);
  reply.integer(1);
}

function xgroupDelconsumer(call: Call): void {
  const { args, reply } = call;
  const group = openGroup(call);
  if (group === null) return reply.error(args.error ?? Errors.syntax);
  const consumer = group.consumer(args.binary(4));
  if (consumer === undefined) return reply.integer(0);
  const pending = consumer.pending.count;
  group.removeConsumer(consumer);
  stream.cursor.changedBeside(Events.xgroupDelconsumer);
  reply.integer(pending);
}

function xgroupHelp(call: Call): void {
  replyHelp(call, [
    [
      "CREATE <key> <groupname> <id|$> [option]",
      "Make a group that reads from the id on. Options are:",
      "* MKSTREAM",
      "  Make the stream if it is missing.",
      "* ENTRIESREAD entries_read",
      "  How many entries the group has read (default: unknown).",
    ],
    ["CREATECONSUMER <key> <groupname> <consumer>", "Make a consumer of the group."],
    ["DELCONSUMER <key> <groupname> <consumer>", "Remove a consumer of the group."],
    ["DESTROY <key> <groupname>", "Remove the group."],
    [
      "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
      "Set the id after which the group reads.",
    ],
  ]);
}

/** XACK key group id …: returns how many were pending. */
function xack({ args, reply, db }: Call): void {
  const exists = stream.cursor.readToEdit(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  const group = exists ? stream.group(args.binary(2)) : undefined;
  if (group === undefined) return reply.integer(0);
  for (let i = 3; i < args.count && args.error === null; i++) readId(args, i, id);
  if (args.error !== null) return reply.error(args.error);
  let acknowledged = 0;
  for (let i = 3; i < args.count; i++) {
    readId(args, i, id);
    const ref = group.pending.find(id);
    if (ref === 0) continue;
    group.remove(ref);
    acknowledged++;
  }
  if (acknowledged > 0) stream.cursor.changedBeside(null, acknowledged);
  reply.integer(acknowledged);
}

/** Rows of the table: see engine/command.ts. */
export const streamGroupCommands: readonly CommandSpec[] = [
  {
    name: "xgroup",
    usage: "",
    summary: "Looks after the consumer groups of streams.",
    since: "5.0.0",
    complexity: "Depends on the subcommand",
    flags: 0,
    subcommands: [
      {
        name: "create",
        usage:
          "key group id-selector=(id | new-id='$') [MKSTREAM] [ENTRIESREAD entries-read:integer]",
        summary: "Makes a consumer group.",
        since: "5.0.0",
        complexity: "O(1)",
        flags: Flag.write | Flag.denyOom,
        keys: [oneKey("RW insert", 2)],
        run: xgroupCreate,
      },
      {
        name: "createconsumer",
        usage: "key group consumer",
        summary: "Makes a consumer of a group.",
        since: "6.2.0",
        complexity: "O(1)",
        flags: Flag.write | Flag.denyOom,
        keys: [oneKey("RW insert", 2)],
        run: xgroupCreateconsumer,
      },
      {
        name: "delconsumer",
        usage: "key group consumer",
        summary: "Removes a consumer of a group.",
        since: "5.0.0",
        complexity: "O(1)",
        flags: Flag.write,
        keys: [oneKey("RW delete", 2)],
        run: xgroupDelconsumer,
      },
      {
        name: "destroy",
        usage: "key group",
        summary: "Removes a consumer group.",
        since: "5.0.0",
        complexity: "O(N)",
        flags: Flag.write,
        keys: [oneKey("RW delete", 2)],
        run: xgroupDestroy,
      },
      {
        name: "help",
        usage: "",
        summary: "Lists the subcommands.",
        since: "5.0.0",
        complexity: "O(1)",
        flags: Flag.loading | Flag.stale,
        run: xgroupHelp,
      },
      {
        name: "setid",
        usage:
          "key group id-selector=(id | new-id='$') [ENTRIESREAD entriesread:integer<entries-read>]",
        summary: "Sets the id after which a group reads.",
        since: "5.0.0",
        complexity: "O(1)",
        flags: Flag.write,
        keys: [oneKey("RW update", 2)],
        run: xgroupSetid,
      },
    ],
  },
  {
    name: "xack",
    usage: "key group {id}*",
    summary: "Acknowledges entries that were delivered to a group.",
    since: "5.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW update")],
    run: xack,
  },
];
