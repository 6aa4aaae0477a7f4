/** Streams: a log of entries, and the groups that consume it. */
import type { Scratch } from "../lib/scratch.ts";
import type { Ref } from "../structures/arena.ts";
import { Int64, subtractInt64 } from "../lib/decimal.ts";
import { type ConsumerGroup, ConsumerGroups, setUnknown } from "../structures/consumer_groups.ts";
import { StreamId } from "../structures/stream_id.ts";
import { StreamLog } from "../structures/stream_log.ts";
import { Cursor } from "./cursor.ts";
import { type Entries, type HeapValue, Type } from "./entry.ts";

/** The object behind a stream, however small. */
export class Stream implements HeapValue {
  readonly encodingName = "stream";
  /** Never: a stream without entries keeps its key. */
  readonly isEmpty = false;
  accountedBytes = 0;

  constructor(
    readonly entries: Entries,
    readonly log = new StreamLog(entries.arena),
    /** Absent until a group is made. */
    public groups: ConsumerGroups | null = null,
  ) {}

  get bytes(): number {
    return this.log.bytes + (this.groups?.bytes ?? 0);
  }

  /** O(consumers). */
  get arenaBytes(): number {
    return this.log.arenaBytes + (this.groups?.arenaBytes ?? 0);
  }

  get effort(): number {
    return this.log.nodeCount + (this.groups?.pendingCount ?? 0);
  }

  clone(): Stream {
    const twin = new Stream(this.entries, this.log.clone());
    if (this.groups !== null) {
      twin.groups = new ConsumerGroups(this.entries.arena, this.entries.hasher);
      this.groups.copyTo(twin.groups);
    }
    return twin;
  }

  release(limit: number): boolean {
    return (this.groups?.release(limit) ?? true) && this.log.release(limit);
  }

  /** The nodes of the log, its tree, pending entries, and their trees: the cursor is the phase and 4 × the place in it. */
  relocate(cursor: number, limit: number): number {
    const { log, groups } = this;
    const at = Math.floor(cursor / 4);
    const phase = cursor % 4;
    if (phase === 0) return log.relocate(at, limit) ? 4 * (at + limit) : 1;
    if (phase === 1) {
      const rest = log.tree.relocate(at, limit);
      if (rest > 0) return 4 * (rest - 1) + 1;
      return groups === null ? 0 : 2;
    }
    if (groups === null) return 0;
    const next = phase === 2 ? groups.relocate(at, limit) : groups.relocateTrees(at, limit);
    if (next < 0) return phase === 2 ? 3 : 0;
    return 4 * next + phase;
  }

  dispose(): void {
    this.log.dispose();
  }
}

// scratch: lives for one call
const scratch = new StreamId();
// scratch: lives for one call
const later = new Int64();
/** Pending entries that are freed at once. */
const SLICE = 64;

/** A cursor over a stream. */
export class StreamValue implements Scratch {
  readonly cursor: Cursor = new Cursor(Type.stream, () => this.#create());

  forget(): void {
    this.cursor.forget();
  }

  get count(): number {
    return this.log.count;
  }

  get stream(): Stream {
    return this.cursor.object as Stream;
  }

  get log(): StreamLog {
    return this.stream.log;
  }

  #create(): Ref {
    const { db, args, index, entries } = this.cursor;
    return db.createObject(args, index, Type.stream, new Stream(entries));
  }

  /** The group with that name, which has one character for each byte. */
  group(name: string): ConsumerGroup | undefined {
    return this.stream.groups?.find(name);
  }

  addGroup(name: string): ConsumerGroup {
    const { stream } = this;
    stream.groups ??= new ConsumerGroups(this.cursor.entries.arena, this.cursor.entries.hasher);
    return stream.groups.add(name);
  }

  /** Removes a group; its pending entries are freed in slices if there are many. */
  removeGroup(group: ConsumerGroup): void {
    const { stream } = this;
    stream.groups?.remove(group);
    if (!group.release(SLICE)) this.cursor.entries.toFree.push(group);
  }

  /** Whether an entry behind the first was deleted at or after `from`: entries can't be counted by their ids then. */
  hasGapsFrom(from: StreamId): boolean {
    const { log } = this;
    if (log.count === 0 || log.maxDeletedId.isZero) return false;
    if (from.compare(log.maxDeletedId) > 0) return false;
    log.readFirstId(scratch);
    return scratch.compare(log.maxDeletedId) <= 0;
  }

  /** Puts into `into` how many entries were ever added up to `id`, or that this is unknown. */
  readAddedUpTo(id: StreamId, into: Int64): void {
    const { log } = this;
    into.copy(log.added);
    if (log.added.isZero) return;
    const toLast = id.compare(log.lastId);
    if (toLast === 0 || (log.count === 0 && toLast < 0)) return;
    if (toLast > 0) return setUnknown(into);
    log.readFirstId(scratch);
    const hasGaps = !log.maxDeletedId.isZero && log.maxDeletedId.compare(scratch) >= 0;
    const toFirst = id.compare(scratch);
    if (hasGaps || toFirst > 0) return setUnknown(into);
    later.setNumber(toFirst === 0 ? log.count - 1 : log.count);
    subtractInt64(log.added, later, into);
  }
}
