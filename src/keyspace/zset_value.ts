// hot path
/**
 * Sorted sets: a listpack of member, score, member, score … in order, or a table of members beside an
 * order tree. The order is by score, among equal scores by the members' bytes.
 */
import { assert } from "../lib/assert.ts";
import { doubleText, parseDouble } from "../lib/double_text.ts";
import type { Scratch } from "../lib/scratch.ts";
import { compareBytes, Slice } from "../lib/slice.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import type { Ref } from "../structures/arena.ts";
import { LISTPACK_MAX_BYTES } from "../structures/listpack.ts";
import { MemberTable, sampleMembers } from "../structures/member_table.ts";
import { type Bound, type Order, OrderTree } from "../structures/order_tree.ts";
import { Cursor } from "./cursor.ts";
import { type Entries, type HeapValue, Type } from "./entry.ts";

/** Called with a slice that is good until it returns. */
export type ScoredVisitor = (member: Slice, score: number) => void;

/** Integers that Redis stores as such in a listpack. */
const INTEGER_SCORE_MAX = 2 ** 52;
const SCORE_BYTES = 8;

/** A bound of a range of a sorted set: it separates the elements before it from the others. */
export class RangeBound implements Scratch {
  /** By score, by member (all scores are equal then), or by score and then member. */
  by: "score" | "member" | "pair" = "score";
  score = 0;
  /** The member; before `-` (−1) lies nothing, before `+` (1) everything. */
  readonly member = new Slice();
  infinite = 0;
  /** Whether elements that are equal to the bound lie before it. */
  includesEqual = false;

  forget(): void {
    this.member.forget();
  }

  precedes(score: number, member: Slice): boolean {
    if (this.by === "score") {
      return score < this.score || (this.includesEqual && score === this.score);
    }
    if (this.by === "pair" && score !== this.score) return score < this.score;
    if (this.infinite !== 0) return this.infinite > 0;
    const { bytes, start, end } = this.member;
    const difference = compareBytes(member, bytes, start, end);
    return difference < 0 || (this.includesEqual && difference === 0);
  }
}

/** A large sorted set. */
export class SortedSet implements HeapValue, Order, Bound {
  readonly encodingName = "skiplist";
  accountedBytes = 0;
  readonly members: MemberTable;
  readonly tree: OrderTree;
  /** What `isBefore` compares with. */
  bound = new RangeBound();
  readonly #slice = new Slice();

  constructor(readonly entries: Entries, members: MemberTable) {
    this.members = members;
    this.tree = new OrderTree(entries.arena, this);
  }

  get bytes(): number {
    return this.members.bytes + this.tree.bytes;
  }

  get arenaBytes(): number {
    return this.members.arenaBytes + this.tree.arenaBytes;
  }

  get effort(): number {
    return this.members.count;
  }

  get isEmpty(): boolean {
    return this.members.count === 0;
  }

  keyOf(ref: Ref): number {
    return this.members.score(ref);
  }

  compare(a: Ref, b: Ref): number {
    return this.members.compareKeys(a, b);
  }

  isBefore(ref: Ref, score: number): boolean {
    if (this.bound.by !== "score") this.members.key(ref, this.#slice);
    return this.bound.precedes(score, this.#slice);
  }

  clone(): SortedSet {
    const twin = new SortedSet(this.entries, this.members.emptyTwin());
    this.tree.forEachFrom(0, this.tree.count, false, (ref) => {
      twin.tree.append(twin.members.addCopy(this.members, ref));
    });
    return twin;
  }

  /** Adds a member behind all others, unless it is there: a damaged file may hold a listpack with one twice. */
  append(bytes: Uint8Array, view: DataView, start: number, end: number, score: number): void {
    const { members } = this;
    const before = members.count;
    const ref = members.findOrAdd(bytes, view, start, end, SCORE_BYTES);
    if (members.count === before) return;
    members.setScore(ref, score);
    this.tree.append(ref);
  }

  release(limit: number): boolean {
    return this.tree.release(limit) && this.members.release(limit);
  }

  /** First the members, by cursors of their table, then the tree: −1 − rank. */
  relocate(cursor: number, limit: number): number {
    const { members, tree } = this;
    if (cursor < 0) return -tree.relocate(-1 - cursor, limit);
    const next = members.relocate(cursor, limit, (ref, copy) => tree.replace(ref, copy));
    return next === 0 ? -1 : next;
  }

  dispose(): void {
    this.members.dispose();
  }

  verify(): void {
    this.members.verify();
    this.tree.verify();
  }
}

/** A cursor over a sorted set. */
export class ZsetValue implements Scratch {
  readonly cursor = new Cursor(Type.zset);
  readonly pack = this.cursor.pack;
  readonly #member = new Slice();
  readonly #score = new Slice();
  /** Where the walk is: the element whose score `stepScore` returns. */
  #stepAt = 0;

  forget(): void {
    this.cursor.forget();
    this.#member.forget();
    this.#score.forget();
  }

  get #set(): SortedSet | null {
    return this.cursor.object as SortedSet | null;
  }

  get count(): number {
    return this.#set === null ? this.pack.count >>> 1 : this.#set.members.count;
  }

  /** The score of the member `bytes[start, end)`, NaN if there is none. */
  scoreOf(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    return this.scoreAt(this.find(bytes, view, start, end));
  }

  /**
   * Where the member `bytes[start, end)` is: its position in the listpack, or its ref; 0 if it is not there. Good until
   * the set changes.
   */
  find(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const set = this.#set;
    if (set !== null) return set.members.find(bytes, view, start, end);
    return this.pack.find(this.pack.first(), bytes, start, end, 1);
  }

  /** The score of the member that `find` has found, NaN for 0. */
  scoreAt(place: number): number {
    if (place === 0) return NaN;
    const set = this.#set;
    return set === null ? this.#packScore(this.pack.next(place)) : set.members.score(place);
  }

  /**
   * Called before `added` members are added, the first of `size` bytes: converts a listpack for which they are too
   * many.
   */
  makeRoom(added: number, size: number): void {
    if (this.#set !== null) return;
    const { limits } = this.cursor.db.keyspace;
    const isLong = this.count === 0 && size > limits.zsetMaxListpackValue;
    if (isLong || added > limits.zsetMaxListpackEntries) this.#convert();
  }

  /**
   * Gives the member `bytes[start, end)` a score; returns whether it is new. The bytes must not lie in the set itself.
   */
  set(bytes: Uint8Array, view: DataView, start: number, end: number, score: number): boolean {
    return this.put(bytes, view, start, end, score, this.find(bytes, view, start, end));
  }

  /** As `set`, where `find` has found the member at `place`. */
  put(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    score: number,
    place: number,
  ): boolean {
    if (this.#set === null && !this.#fits(place !== 0, start, end)) {
      this.#convert();
      place = this.find(bytes, view, start, end);
    }
    if (this.#set !== null) {
      return this.#setLarge(this.#set, bytes, view, start, end, score, place);
    }
    if (this.scoreAt(place) === score) return false;
    if (place !== 0) this.pack.remove(place, 2);
    this.#insertInPack(bytes, start, end, score);
    return place === 0;
  }

  #setLarge(
    set: SortedSet,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    score: number,
    place: number,
  ): boolean {
    const { members, tree } = set;
    if (place === 0) {
      const ref = members.findOrAdd(bytes, view, start, end, SCORE_BYTES);
      members.setScore(ref, score);
      tree.insert(ref);
      return true;
    }
    if (members.score(place) === score) return false;
    tree.remove(place);
    members.setScore(place, score);
    tree.insert(place);
    return false;
  }

  #insertInPack(bytes: Uint8Array, start: number, end: number, score: number): void {
    const { pack } = this;
    let at = pack.first();
    while (at !== 0) {
      const scoreAt = pack.next(at);
      const other = this.#packScore(scoreAt);
      if (other > score) break;
      if (other === score) {
        pack.read(at, this.#member);
        if (compareBytes(this.#member, bytes, start, end) > 0) break;
      }
      at = pack.next(scoreAt);
    }
    const text = this.#scoreText(score);
    if (at === 0) {
      pack.append(bytes, start, end);
      if (text === null) pack.appendNumber(score + 0);
      else pack.append(text, 0, text.length);
      return;
    }
    if (text === null) pack.insertNumber(at, score + 0);
    else pack.insert(at, text, 0, text.length);
    pack.insert(at, bytes, start, end);
  }

  /** How a score is written that is no integer; null for an integer. */
  #scoreText(score: number): Uint8Array | null {
    const isInteger = Number.isInteger(score) && Math.abs(score) < INTEGER_SCORE_MAX;
    return isInteger ? null : encoder.encode(doubleText(score));
  }

  #packScore(at: number): number {
    const { pack } = this;
    if (pack.isInteger(at)) return pack.readNumber(at);
    pack.read(at, this.#score);
    return parseDouble(this.#score.bytes, this.#score.start, this.#score.end);
  }

  #fits(isThere: boolean, start: number, end: number): boolean {
    const { limits } = this.cursor.db.keyspace;
    if (!isThere) {
      const isLong = end - start > limits.zsetMaxListpackValue;
      if (isLong || this.count >= limits.zsetMaxListpackEntries) return false;
    }
    return this.pack.size + (end - start) <= LISTPACK_MAX_BYTES;
  }

  /** Removes the member `bytes[start, end)`; returns whether it was there. */
  remove(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    const place = this.find(bytes, view, start, end);
    if (place === 0) return false;
    const set = this.#set;
    if (set === null) this.pack.remove(place, 2);
    else {
      set.tree.remove(place);
      set.members.remove(place);
    }
    return true;
  }

  /** How many elements come before the member `bytes[start, end)`; -1 if it is not there. */
  rankOf(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const place = this.find(bytes, view, start, end);
    if (place === 0) return -1;
    if (this.#set !== null) return this.#set.tree.rankOf(place);
    let rank = 0;
    for (let at = this.pack.first(); at !== place; rank++) {
      at = this.pack.next(this.pack.next(at));
    }
    return rank;
  }

  /** How many elements come before the bound. */
  countBefore(bound: RangeBound): number {
    const set = this.#set;
    if (set !== null) {
      set.bound = bound;
      return set.tree.countBefore(set);
    }
    const { pack } = this;
    let count = 0;
    for (let at = pack.first(); at !== 0; count++) {
      const scoreAt = pack.next(at);
      pack.read(at, this.#member);
      if (!bound.precedes(this.#packScore(scoreAt), this.#member)) break;
      at = pack.next(scoreAt);
    }
    return count;
  }

  /** Calls `visit` with `count` elements from rank `from` on, upwards or downwards; they exist. */
  forEachFrom(from: number, count: number, isDownwards: boolean, visit: ScoredVisitor): void {
    if (count <= 0) return;
    const set = this.#set;
    if (set !== null) {
      set.tree.forEachFrom(from, count, isDownwards, (ref) => this.#showRef(set, ref, visit));
      return;
    }
    this.walkFrom(from, count, isDownwards);
    for (let left = count; left > 0; left--) {
      this.step(this.#member);
      visit(this.#member, this.stepScore);
    }
  }

  // A walk without callbacks, for frequent commands: `walkFrom`, then `step` for each element, or
  // `answerWalk` for all names.

  #walkAt = 0;
  #walksDownwards = false;
  /** Elements still to come, apart from those in `#ahead`. */
  #walkLeft = 0;
  /** The next refs of the walk, read ahead: those from `#next` to `#nextEnd`. */
  readonly #ahead = new Uint32Array(64);
  #next = 0;
  #nextEnd = 0;

  /** Begins a walk over `count` elements from rank `from` on, which exist, upwards or downwards. */
  walkFrom(from: number, count: number, isDownwards: boolean): void {
    this.#walksDownwards = isDownwards;
    this.#walkLeft = count;
    this.#next = this.#nextEnd = 0;
    const set = this.#set;
    if (set !== null) set.tree.seek(from);
    else this.#walkAt = this.pack.at(2 * from);
  }

  /** Points `into` at the walk's next element, which exists; `stepScore` is then its score. */
  step(into: Slice): void {
    const set = this.#set;
    if (set !== null) {
      if (this.#next === this.#nextEnd) this.#lookAhead(set);
      this.#stepAt = this.#ahead[this.#next++];
      return set.members.key(this.#stepAt, into);
    }
    const { pack } = this;
    const at = this.#walkAt;
    pack.read(at, into);
    this.#stepAt = pack.next(at);
    if (!this.#walksDownwards) this.#walkAt = pack.next(this.#stepAt);
    else this.#walkAt = at === pack.first() ? 0 : pack.previous(pack.previous(at));
  }

  /** Reads the next refs of the walk ahead, and prefetches their blocks together. */
  #lookAhead(set: SortedSet): void {
    const count = set.tree.take(this.#ahead, this.#walkLeft, this.#walksDownwards);
    this.#walkLeft -= count;
    this.#next = 0;
    this.#nextEnd = count;
    set.entries.arena.prefetch(this.#ahead, count);
  }

  /** Answers with the names of all elements of the walk, bulk strings. */
  answerWalk(reply: ReplyWriter): void {
    const set = this.#set;
    const member = this.#member;
    if (set === null) {
      for (; this.#walkLeft > 0; this.#walkLeft--) {
        this.step(member);
        reply.bulkOf(member);
      }
      return;
    }
    const { members } = set;
    const ahead = this.#ahead;
    while (this.#walkLeft > 0) {
      this.#lookAhead(set);
      const count = this.#nextEnd;
      for (let i = 0; i < count; i++) {
        members.key(ahead[i], member);
        reply.bulkOf(member);
      }
    }
  }

  get stepScore(): number {
    const set = this.#set;
    return set === null ? this.#packScore(this.#stepAt) : set.members.score(this.#stepAt);
  }

  /** Removes `count` elements from rank `from` on, which exist. */
  removeRange(from: number, count: number): void {
    const set = this.#set;
    if (count <= 0) return;
    if (set === null) {
      this.pack.remove(this.pack.at(2 * from), 2 * count);
      return;
    }
    set.tree.removeRange(from, count, (ref) => set.members.remove(ref));
  }

  /** As DashTable.scan; a small set is visited whole. */
  scan(cursor: number, count: number, visit: ScoredVisitor): number {
    const set = this.#set;
    if (set === null) {
      this.forEachFrom(0, this.count, false, visit);
      return 0;
    }
    return set.members.scan(cursor, count, (ref) => this.#showRef(set, ref, visit));
  }

  /** Calls `visit` with one element picked at random; the set is not empty. */
  random(visit: ScoredVisitor): void {
    const set = this.#set;
    if (set === null) this.#showAt(this.pack.at(2 * Math.floor(Math.random() * this.count)), visit);
    else this.#showRef(set, set.members.randomRef(), visit);
  }

  /** Calls `visit` with `wanted` different elements picked at random; the set has at least as many. */
  sample(wanted: number, visit: ScoredVisitor): void {
    const set = this.#set;
    if (set !== null) {
      return sampleMembers(set.members, wanted, (ref) => this.#showRef(set, ref, visit));
    }
    // All subsets are equally likely: Knuth's algorithm S.
    let left = this.count;
    for (let index = 0; wanted > 0; index++, left--) {
      if (Math.random() * left >= wanted) continue;
      this.#showAt(this.pack.at(2 * index), visit);
      wanted--;
    }
  }

  /** Throws if an invariant of the encoding does not hold. O(n). */
  verify(): void {
    this.#set?.verify();
    if (this.#set === null) this.pack.verify();
  }

  #showAt(at: number, visit: ScoredVisitor): void {
    this.pack.read(at, this.#member);
    visit(this.#member, this.#packScore(this.pack.next(at)));
  }

  #showRef(set: SortedSet, ref: Ref, visit: ScoredVisitor): void {
    const score = set.members.keyAndScore(ref, this.#member);
    visit(this.#member, score);
  }

  /** Converts the listpack to a table with a tree. */
  #convert(): void {
    const { keyspace } = this.cursor.db;
    const members = new MemberTable(keyspace.entries.arena, keyspace.hasher);
    const set = new SortedSet(keyspace.entries, members);
    this.forEachFrom(0, this.count, false, ({ bytes, view, start, end }, score) => {
      set.append(bytes, view, start, end, score);
    });
    this.cursor.toObject(set);
  }

  /** Whether it has a table, not a listpack. */
  get isLarge(): boolean {
    return this.#set !== null;
  }

  /** Whether `count` elements are too many for a listpack. */
  isLong(count: number): boolean {
    return count > this.cursor.db.keyspace.limits.zsetMaxListpackEntries;
  }

  /** A large set of `count` elements from rank `from` on, which exist. */
  rangeCopy(from: number, count: number): SortedSet {
    const { keyspace } = this.cursor.db;
    const members = new MemberTable(keyspace.entries.arena, keyspace.hasher);
    members.reserve(count);
    const copy = new SortedSet(keyspace.entries, members);
    this.forEachFrom(from, count, false, ({ bytes, view, start, end }, score) => {
      copy.append(bytes, view, start, end, score);
    });
    return copy;
  }

  /** Makes `set` the value of the set, which is empty. */
  become(set: SortedSet): void {
    assert(this.count === 0, "only an empty set is replaced by another");
    this.cursor.toObject(set);
  }
}

const encoder = new TextEncoder();
