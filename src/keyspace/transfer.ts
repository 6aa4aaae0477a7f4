/**
 * Moves and copies keys to other names or databases: RENAME, COPY, MOVE, and RESTORE, which reads a value aside first.
 * The databases share one arena, so a block may stay where it is when its key moves to another database.
 */
import { assert } from "../lib/assert.ts";
import { copyBytes } from "../lib/copy.ts";
import { Int64 } from "../lib/decimal.ts";
import type { Args } from "../protocol/args.ts";
import type { Ref } from "../structures/arena.ts";
import { Events } from "./change_hooks.ts";
import type { Database } from "./database.ts";
import { Encoding, EntryFlag, LargeString, Type } from "./entry.ts";
import type { Placement } from "./placement.ts";

// scratch: lives for one call
const moved = new Int64();

/** Moves the value and deadline at argument `from`, which exists, to the key at argument `to`, which is replaced. */
export function renameKey(db: Database, args: Args, from: number, to: number): void {
  const { placement, keyspace } = db;
  const { entries } = placement;
  const source = db.find(args, from);
  assert(source !== 0, "a key that is renamed exists");
  keyspace.hooks.willChange(db.index, source);
  const deadline = placement.readDeadline(source, moved) ? moved : null;
  const renamed = withOtherKey(placement, source, args, to, deadline !== null);
  // Free the block alone: a value that is an object belongs to the new entry now.
  placement.unlink(source);
  entries.free(source);
  adopt(db, renamed, args, to, deadline, db.find(args, to));
  db.changed(args, from, Events.renameFrom);
  db.changed(args, to, Events.renameTo);
  keyspace.hooks.dirty--;
}

/** Copies the value and deadline at argument `from`, which exists, to the key at argument `to` of `target`. */
export function copyKey(
  db: Database,
  args: Args,
  from: number,
  to: number,
  target: Database,
): void {
  const source = db.find(args, from);
  assert(source !== 0, "a key that is copied exists");
  const copy = copyOf(db.placement, source, args, to);
  const deadline = db.placement.readDeadline(source, moved) ? moved : null;
  adopt(target, copy, args, to, deadline, target.find(args, to));
  target.changed(args, to, Events.copyTo);
}

/** Moves the key at argument `index`, which exists, to `target`, where it is missing. */
export function moveKey(db: Database, args: Args, index: number, target: Database): void {
  const { placement, keyspace } = db;
  const ref = db.find(args, index);
  assert(ref !== 0, "a key that is moved exists");
  keyspace.hooks.willChange(db.index, ref);
  const deadline = placement.readDeadline(ref, moved) ? moved : null;
  placement.unlink(ref);
  target.link(ref, args, index, deadline);
  target.created(args, index);
  db.changed(args, index, Events.moveFrom);
  target.changed(args, index, Events.moveTo);
  keyspace.hooks.dirty--;
}

/** Moves the key at argument `index`, which exists, from `source` to `target`, replacing the key there. */
export function takeKey(target: Database, source: Database, args: Args, index: number): void {
  const ref = source.find(args, index);
  assert(ref !== 0, "a key that is taken over exists");
  source.placement.unlink(ref);
  // As in Redis, RESTORE does not look whether what it replaces has expired.
  adopt(target, ref, args, index, null, target.findAny(args, index));
}

/**
 * Adds an unlinked entry under the key at argument `index`, replacing the entry `previous` if that is not 0. To Redis the
 * key is new in any case.
 */
function adopt(
  db: Database,
  ref: Ref,
  args: Args,
  index: number,
  deadline: Int64 | null,
  previous: Ref,
): void {
  if (previous !== 0) {
    db.keyspace.hooks.willChange(db.index, previous);
    db.placement.discard(previous);
  }
  db.link(ref, args, index, deadline);
  db.created(args, index);
}

/** A new, unlinked entry with the key of argument `to` and a value of its own, equal to that of `source`. */
function copyOf(placement: Placement, source: Ref, args: Args, to: number): Ref {
  const { entries } = placement;
  const hasDeadline = entries.hasFlag(source, EntryFlag.ttl);
  entries.open(source);
  if (entries.encoding !== Encoding.object) {
    return withOtherKey(placement, source, args, to, hasDeadline);
  }
  const { type } = entries;
  const access = entries.access(source);
  return placement.createObject(args, to, type, access, entries.object().clone(), hasDeadline);
}

/**
 * A new, unlinked entry with the key of argument `to` and the value of `source`. A value that is an object is shared by
 * both entries until the caller frees the block of `source`, which is not changed here.
 */
function withOtherKey(
  placement: Placement,
  source: Ref,
  args: Args,
  to: number,
  hasDeadline: boolean,
): Ref {
  const { entries } = placement;
  entries.open(source);
  const { type, encoding, bytes, valueStart, valueEnd } = entries;
  const access = entries.access(source);
  const size = valueEnd - valueStart;
  if (encoding !== Encoding.object && size > entries.inlineMax(args.length(to))) {
    assert(type === Type.string, "collections that lie inline fit beside every key");
    const large = LargeString.of(bytes, valueStart, valueEnd);
    return placement.createObject(args, to, type, access, large, hasDeadline);
  }
  const ref = placement.create(args, to, type, encoding, access, size, hasDeadline);
  entries.open(ref);
  copyBytes(bytes, valueStart, valueEnd, entries.bytes, entries.valueStart);
  return ref;
}
