// hot path
/** Ids and ranges of ids, as the commands on streams read them; entries, as they show them. */
import type { Propagation } from "../engine/propagation.ts";
import type { Args } from "../protocol/args.ts";
import { Errors } from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import { Slice } from "../lib/slice.ts";
import { FIRST_ID, idText, LAST_ID, type StreamId } from "../structures/stream_id.ts";
import type { LogCursor } from "../structures/stream_log.ts";
import { scratch } from "../lib/scratch.ts";

const LEFT_PARENTHESIS = 0x28;
const MINUS = 0x2d;
const PLUS = 0x2b;

// scratch: lives for one call
const idTextView = new DataView(idText.buffer);
// scratch: lives for one call
const field = scratch(new Slice());
// scratch: lives for one call
const value = scratch(new Slice());

/** Reads an id; the sequence number may be missing, and is 0 then. */
export function readId(args: Args, index: number, id: StreamId): void {
  if (!id.parse(args.bytesOf(index), args.start(index), args.end(index))) {
    args.fail(Errors.invalidStreamId);
  }
}

function readBound(args: Args, index: number, id: StreamId, isEnd: boolean): boolean {
  const start = args.start(index);
  const isExclusive = args.length(index) > 1 && args.bytesOf(index)[start] === LEFT_PARENTHESIS;
  if (args.isCharacter(index, MINUS)) id.copy(FIRST_ID);
  else if (args.isCharacter(index, PLUS)) id.copy(LAST_ID);
  else if (
    !id.parse(args.bytesOf(index), isExclusive ? start + 1 : start, args.end(index), isEnd)
  ) {
    args.fail(Errors.invalidStreamId);
  }
  return isExclusive;
}

/** Reads where a range begins: `-`, `+`, an id, or `(` and the id before it. */
export function readRangeStart(args: Args, index: number, id: StreamId): void {
  const isExclusive = readBound(args, index, id, false);
  if (args.error !== null) return;
  if (isExclusive && !id.increment()) args.fail(Errors.invalidRangeStart);
}

/** Reads where a range ends: as `readRangeStart`. */
export function readRangeEnd(args: Args, index: number, id: StreamId): void {
  const isExclusive = readBound(args, index, id, true);
  if (args.error !== null) return;
  if (isExclusive && !id.decrement()) args.fail(Errors.invalidRangeEnd);
}

/** Adds an id to a command that is propagated. */
export function propagateId(stream: Propagation | null, id: StreamId): void {
  stream?.bytes(idText, 0, id.writeText());
}

export function replyId(reply: ReplyWriter, id: StreamId): void {
  reply.bulkIn(idText, idTextView, 0, id.writeText());
}

/** Answers the entry that the cursor is on: its id, and its fields with their values. */
export function replyEntry(reply: ReplyWriter, cursor: LogCursor): void {
  reply.array(2);
  replyId(reply, cursor.id);
  reply.array(2 * cursor.fieldCount);
  for (let i = 0; i < cursor.fieldCount; i++) {
    cursor.nextPair(field, value);
    reply.bulkOf(field);
    reply.bulkOf(value);
  }
}
