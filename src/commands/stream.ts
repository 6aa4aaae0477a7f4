// hot path
/** Commands on a stream's entries: https://redis.io/docs/latest/commands/?group=stream */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import type { Propagation } from "../engine/propagation.ts";
import { Events } from "../keyspace/change_hooks.ts";
import { StreamValue } from "../keyspace/stream_value.ts";
import { Int64 } from "../lib/decimal.ts";
import type { Slice } from "../lib/slice.ts";
import type { Args } from "../protocol/args.ts";
import { Errors, wrongArity } from "../protocol/errors.ts";
import { LAST_ID, StreamId } from "../structures/stream_id.ts";
import {
  type EntrySource,
  LogCursor,
  type NodeLimits,
  type StreamLog,
  type TrimBound,
} from "../structures/stream_log.ts";
import {
  propagateId,
  readId,
  readRangeEnd,
  readRangeStart,
  replyEntry,
  replyId,
} from "./stream_args.ts";
import { type Scratch, scratch } from "../lib/scratch.ts";

const STAR = 0x2a;
const EQUAL = 0x3d;
const TILDE = 0x7e;
/** No entry is larger than a listpack may be. */
const ENTRY_BYTES_MAX = 2 ** 30;
/** No argument has this index. */
const NO_ARGUMENT = -1;
/** Entries that one command trims at most, if LIMIT is not given. */
const LIMIT_MAX = 1_000_000;

// scratch: lives for one call
const stream = scratch(new StreamValue());
// scratch: lives for one call
const cursor = scratch(new LogCursor());
// scratch: lives for one call
const id = new StreamId();
// scratch: lives for one call
const added = new Int64();
// scratch: lives for one call
const from = new StreamId();
// scratch: lives for one call
const to = new StreamId();

/** The fields and values of XADD. */
class ArgsSource implements EntrySource, Scratch {
  count = 0;
  size = 0;
  #args: Args | null = null;
  #first = 0;

  forget(): void {
    this.#args = null;
  }

  use(args: Args, first: number): void {
    this.#args = args;
    this.#first = first;
    this.count = args.count - first;
    this.size = 0;
    for (let i = first; i < args.count; i++) this.size += args.length(i);
  }

  read(index: number, into: Slice): void {
    const args = this.#args;
    if (args === null) return;
    const at = this.#first + index;
    into.set(args.bytesOf(at), args.viewOf(at), args.start(at), args.end(at));
  }
}

// scratch: lives for one call
const source = scratch(new ArgsSource());

/** The trimming options of XADD and XTRIM. */
class Trim implements TrimBound {
  by: "none" | "length" | "id" = "none";
  length = 0;
  readonly id = new StreamId();
  isRough = false;
  /** Index of the argument `~`, if `isRough`. */
  roughAt = 0;
  /** Negative: not given. */
  limit = -1;

  takesNode(log: StreamLog, live: number): boolean {
    if (this.by === "length") return log.count - live >= this.length;
    return log.endsBefore(this.id);
  }

  takesEntry(log: StreamLog, entry: StreamId): boolean {
    return this.by === "length" ? log.count > this.length : entry.compare(this.id) < 0;
  }

  reset(): void {
    this.by = "none";
    this.isRough = false;
    this.limit = -1;
  }

  /** Trims the log; returns how many entries were removed. */
  apply(log: StreamLog, limits: NodeLimits): number {
    if (this.by === "none") return 0;
    if (this.by === "length" && log.count <= this.length) return 0;
    let limit = this.isRough ? this.limit : 0;
    if (limit < 0) {
      limit = 100 * limits.streamNodeMaxEntries;
      limit = limit === 0 ? 10_000 : Math.min(limit, LIMIT_MAX);
    }
    return log.trim(this, this.isRough, limit);
  }
}

// scratch: lives for one call
const trim = new Trim();

/** Reads MAXLEN or MINID at argument `index`; returns where it ends. */
function readTrim(args: Args, index: number, isLength: boolean): number {
  if (trim.by !== "none") args.fail(Errors.twoTrims);
  trim.by = isLength ? "length" : "id";
  let at = index + 1;
  const hasMore = at + 1 < args.count;
  trim.isRough = hasMore && args.isCharacter(at, TILDE);
  trim.roughAt = at;
  if (trim.isRough || (hasMore && args.isCharacter(at, EQUAL))) at++;
  if (args.error !== null) return at;
  if (isLength) {
    trim.length = args.integer(at);
    if (args.error === null && trim.length < 0) args.fail(Errors.trimLengthNegative);
  } else readId(args, at, trim.id);
  return at;
}

/** Reads a trimming option at argument `index`; returns where it ends, or 0 if there is none. */
function readTrimOption(args: Args, index: number): number {
  if (index + 1 >= args.count) return 0;
  if (args.is(index, "MAXLEN")) return readTrim(args, index, true);
  if (args.is(index, "MINID")) return readTrim(args, index, false);
  if (!args.is(index, "LIMIT")) return 0;
  trim.limit = args.integer(index + 1);
  if (args.error === null && trim.limit < 0) args.fail(Errors.trimLimitNegative);
  return index + 1;
}

function checkTrim({ args, client }: Call): void {
  if (args.error !== null || trim.limit < 0) return;
  // Redis replaces `~ N LIMIT n` by `= N` in its log, and leaves LIMIT: it is accepted here, and ignored.
  if (client.isReplay) {
    trim.limit = 0;
    return;
  }
  if (trim.by === "none" && trim.limit > 0) args.fail(Errors.limitNeedsTrim);
  else if (trim.by !== "none" && !trim.isRough) args.fail(Errors.limitNeedsRough);
}

/** How much of the id XADD was given: all of it, its time only, nothing. */
type IdKind = "whole" | "time" | "none";

/** Reads XADD's id into `id`. */
function readNewId(args: Args, index: number): IdKind {
  if (args.isCharacter(index, STAR)) return "none";
  if (id.parseOpen(args.bytesOf(index), args.start(index), args.end(index))) return "time";
  readId(args, index, id);
  return "whole";
}

/** Completes `id` for the new entry; returns false if it would not be greater than the last id. */
function chooseId(log: StreamLog, kind: IdKind, nowMs: number): boolean {
  const { lastId } = log;
  if (kind === "whole") return id.compare(lastId) > 0;
  if (kind === "none") {
    id.setTime(nowMs);
    if (id.compare(lastId) > 0) return true;
    id.copy(lastId);
    return id.increment();
  }
  if (id.hasTimeOf(lastId)) {
    id.copy(lastId);
    return id.incrementSequence();
  }
  return id.compare(lastId) > 0;
}

/** XADD key [NOMKSTREAM] [MAXLEN | MINID [= | ~] threshold [LIMIT count]] * | id field value … */
function xadd(call: Call): void {
  const { args, reply, db, command } = call;
  let makesStream = true;
  trim.reset();
  let at = 2;
  for (; at < args.count && !args.isCharacter(at, STAR); at++) {
    const end = readTrimOption(args, at);
    if (args.error !== null) return reply.error(args.error);
    if (end > 0) at = end;
    else if (args.is(at, "NOMKSTREAM")) makesStream = false;
    else break;
  }
  const kind = at < args.count ? readNewId(args, at) : "none";
  checkTrim(call);
  if (args.error !== null) return reply.error(args.error);
  source.use(args, Math.min(at + 1, args.count));
  if (source.count < 2 || source.count % 2 === 1) {
    return reply.error(wrongArity(command?.name ?? ""));
  }
  if (kind === "whole" && id.isZero) return reply.error(Errors.streamIdZero);
  if (makesStream) stream.cursor.editOrCreate(db, args, 1);
  else if (!stream.cursor.edit(db, args, 1) && args.error === null) return reply.nullBulk();
  if (args.error !== null) return reply.error(args.error);

  const { log } = stream;
  if (log.lastId.isMax) return reply.error(Errors.streamExhausted);
  if (!chooseId(log, kind, call.nowMs)) return reply.error(Errors.streamIdTooSmall);
  if (source.size > ENTRY_BYTES_MAX) return reply.error(Errors.streamEntryTooLarge);
  log.append(id, source, db.keyspace.limits);
  const trimmed = trim.apply(log, db.keyspace.limits);
  stream.cursor.changed(Events.xadd);
  if (trimmed > 0) db.notify(args, 1, Events.xtrim);
  replyId(reply, id);
  propagateTrimmed(call, kind === "whole" ? NO_ARGUMENT : at);
}

/**
 * Propagates XADD or XTRIM as it was sent, but for the id of the new entry, which stands at argument `idAt`, and for rough
 * trimming, which becomes an exact one: with another node size it would leave other entries.
 */
function propagateTrimmed(call: Call, idAt: number): void {
  const { args } = call;
  const to = call.rewrite(args.count);
  if (to === null) return;
  const roughAt = trim.isRough ? trim.roughAt : args.count;
  for (let i = 0; i < args.count; i++) {
    if (i === idAt) propagateId(to, id);
    else if (i === roughAt) to.word("=");
    else if (i === roughAt + 1) propagateBound(to);
    else to.argument(args, i);
  }
}

/** Propagates what trimming has left, as the bound that leaves just that. */
function propagateBound(to: Propagation): void {
  if (trim.by === "length") return void to.integer(stream.count);
  if (stream.count > 0) stream.log.readFirstId(from);
  else from.copy(LAST_ID);
  propagateId(to, from);
}

/** XTRIM key MAXLEN | MINID [= | ~] threshold [LIMIT count] */
function xtrim(call: Call): void {
  const { args, reply, db } = call;
  trim.reset();
  for (let at = 2; at < args.count && args.error === null; at++) {
    const end = readTrimOption(args, at);
    if (end > 0) at = end;
    else args.fail(Errors.syntax);
  }
  if (args.error === null && trim.by === "none" && trim.limit <= 0) args.fail(Errors.noTrim);
  checkTrim(call);
  if (args.error !== null) return reply.error(args.error);
  const exists = stream.cursor.edit(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  if (!exists) return reply.integer(0);
  const trimmed = trim.apply(stream.log, db.keyspace.limits);
  reply.integer(trimmed);
  if (trimmed === 0) return;
  stream.cursor.changed(Events.xtrim, trimmed);
  propagateTrimmed(call, NO_ARGUMENT);
}

function xlen({ args, reply, db }: Call): void {
  const exists = stream.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  reply.integer(exists ? stream.count : 0);
}

function xdel({ args, reply, db }: Call): void {
  const exists = stream.cursor.edit(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  if (!exists) return reply.integer(0);
  for (let i = 2; i < args.count && args.error === null; i++) readId(args, i, id);
  if (args.error !== null) return reply.error(args.error);
  const { log } = stream;
  let removed = 0;
  for (let i = 2; i < args.count; i++) {
    readId(args, i, id);
    if (log.remove(id)) removed++;
  }
  if (removed > 0) stream.cursor.changed(Events.xdel, removed);
  reply.integer(removed);
}

function range({ args, reply, db }: Call, isReversed: boolean): void {
  readRangeStart(args, isReversed ? 3 : 2, from);
  if (args.error === null) readRangeEnd(args, isReversed ? 2 : 3, to);
  let limit = -1;
  for (let at = 4; at < args.count && args.error === null; at += 2) {
    if (at + 1 >= args.count || !args.is(at, "COUNT")) args.fail(Errors.syntax);
    else limit = Math.max(args.integer(at + 1), 0);
  }
  if (args.error !== null) return reply.error(args.error);
  const exists = stream.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  if (!exists) return reply.emptyArray();
  if (limit === 0) return reply.nullArray();
  const begin = reply.mark();
  let count = 0;
  cursor.seek(stream.log, from, to, isReversed);
  while (count !== limit && cursor.next()) {
    replyEntry(reply, cursor);
    count++;
  }
  reply.arrayFrom(begin, count);
}

const xrange = (call: Call): void => range(call, false);
const xrevrange = (call: Call): void => range(call, true);

/** XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id] */
function xsetid({ args, reply, db }: Call): void {
  const deleted = from;
  let hasDeleted = false;
  let hasAdded = false;
  readId(args, 2, id);
  for (let at = 3; at < args.count && args.error === null; at += 2) {
    if (at + 1 < args.count && args.is(at, "ENTRIESADDED")) {
      hasAdded = true;
      if (args.int64(at + 1, added) && added.hi < 0) args.fail(Errors.entriesAddedNegative);
    } else if (at + 1 < args.count && args.is(at, "MAXDELETEDID")) {
      readId(args, at + 1, deleted);
      hasDeleted = true;
      if (args.error === null && id.compare(deleted) < 0) {
        args.fail(Errors.lastIdBelowGivenDeleted);
      }
    } else args.fail(Errors.syntax);
  }
  if (args.error !== null) return reply.error(args.error);
  const exists = stream.cursor.edit(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  if (!exists) return reply.error(Errors.noSuchKey);
  const { log } = stream;
  if (id.compare(log.maxDeletedId) < 0) return reply.error(Errors.lastIdBelowDeleted);
  log.readTopId(to);
  if (log.count > 0 && id.compare(to) < 0) return reply.error(Errors.lastIdBelowTop);
  if (hasAdded && added.rounded < log.count) return reply.error(Errors.entriesAddedBelowLength);
  log.lastId.copy(id);
  if (hasAdded) log.added.copy(added);
  if (hasDeleted && !deleted.isZero) log.maxDeletedId.copy(deleted);
  stream.cursor.changedBeside(Events.xsetid);
  reply.ok();
}

/** Rows of the table: see engine/command.ts. */
export const streamCommands: readonly CommandSpec[] = [
  {
    name: "xadd",
    usage:
      "key [NOMKSTREAM]@6.2.0 [trim=(strategy=(MAXLEN | MINID@6.2.0) [operator=(equal='=' | approximately='~')] threshold [LIMIT count:integer]@6.2.0)] id-selector=(auto-id='*' | id) {data=(field value)}*",
    summary: "Appends an entry to a stream.",
    since: "5.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW update")],
    tips: ["nondeterministic_output"],
    run: xadd,
  },
  {
    name: "xtrim",
    usage:
      "key trim=(strategy=(MAXLEN | MINID@6.2.0) [operator=(equal='=' | approximately='~')] threshold [LIMIT count:integer]@6.2.0)",
    summary: "Removes entries from the beginning of a stream.",
    since: "5.0.0",
    complexity: "O(N)",
    flags: Flag.write,
    keys: [oneKey("RW delete")],
    tips: ["nondeterministic_output"],
    run: xtrim,
  },
  {
    name: "xlen",
    usage: "key",
    summary: "Returns how many entries a stream has.",
    since: "5.0.0",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO")],
    run: xlen,
  },
  {
    name: "xdel",
    usage: "key {id}*",
    summary: "Removes entries from a stream.",
    since: "5.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.fast,
    keys: [oneKey("RW delete")],
    run: xdel,
  },
  {
    name: "xrange",
    usage: "key start end [COUNT count:integer]",
    summary: "Returns the entries of a stream with ids in a range.",
    since: "5.0.0",
    complexity: "O(N)",
    isTimedByReply: true,
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    run: xrange,
  },
  {
    name: "xrevrange",
    usage: "key end start [COUNT count:integer]",
    summary: "Returns the entries of a stream with ids in a range, the last first.",
    since: "5.0.0",
    complexity: "O(N)",
    isTimedByReply: true,
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    run: xrevrange,
  },
  {
    name: "xsetid",
    usage:
      "key last-id [ENTRIESADDED entries-added:integer]@7.0.0 [MAXDELETEDID max-deleted-id]@7.0.0",
    summary: "Sets a stream's last id.",
    since: "5.0.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom | Flag.fast,
    keys: [oneKey("RW update")],
    run: xsetid,
  },
];
