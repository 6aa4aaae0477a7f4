/**
 * SORT: the elements are copied into one buffer, and their indexes are sorted.
 * Source: https://redis.io/docs/latest/commands/sort/
 */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import { type KeySpec, type KeyVisitor, unknownKeys } from "../engine/key_spec.ts";
import { Events } from "../keyspace/change_hooks.ts";
import type { Database } from "../keyspace/database.ts";
import { Type } from "../keyspace/entry.ts";
import { HashValue } from "../keyspace/hash_value.ts";
import { ListValue } from "../keyspace/list_value.ts";
import { SetValue } from "../keyspace/set_value.ts";
import { StringValue } from "../keyspace/values.ts";
import { ZsetValue } from "../keyspace/zset_value.ts";
import { assert } from "../lib/assert.ts";
import { ByteList } from "../lib/byte_list.ts";
import { copyIn } from "../lib/copy.ts";
import { parseDouble } from "../lib/double_text.ts";
import { Slice } from "../lib/slice.ts";
import { sortedIndexes } from "../lib/sorted_indexes.ts";
import { type Args, binaryBytes } from "../protocol/args.ts";
import { Errors } from "../protocol/errors.ts";

/** What a request asks for. */
interface Request {
  by: string | null;
  gets: string[];
  isDescending: boolean;
  isAlpha: boolean;
  offset: number;
  /** Negative: all. */
  count: number;
  /** Index of the argument that names the destination; 0 without one. */
  store: number;
}

function readRequest(call: Call, mayStore: boolean): Request {
  const { args, client, command, engine } = call;
  const request: Request = {
    by: null,
    gets: [],
    isDescending: false,
    isAlpha: false,
    offset: 0,
    count: -1,
    store: 0,
  };
  const mayReadAll = (): boolean =>
    command !== null && engine.acl.mayReadAll(client, command, args);
  for (let i = 2; i < args.count && args.error === null; i++) {
    const left = args.count - i - 1;
    if (args.is(i, "ASC")) request.isDescending = false;
    else if (args.is(i, "DESC")) request.isDescending = true;
    else if (args.is(i, "ALPHA")) request.isAlpha = true;
    else if (args.is(i, "LIMIT") && left >= 2) {
      request.offset = args.integer(++i);
      request.count = args.integer(++i);
    } else if (mayStore && args.is(i, "STORE") && left >= 1) request.store = ++i;
    else if (args.is(i, "BY") && left >= 1) {
      request.by = args.binary(++i);
      if (request.by.includes("*") && !mayReadAll()) args.fail(Errors.sortByDenied);
    } else if (args.is(i, "GET") && left >= 1) {
      request.gets.push(args.binary(++i));
      if (!mayReadAll()) args.fail(Errors.sortGetDenied);
    } else args.fail(Errors.syntax);
  }
  return request;
}

function sort(call: Call): void {
  run(call, readRequest(call, true));
}

function sortRo(call: Call): void {
  run(call, readRequest(call, false));
}

function run(call: Call, request: Request): void {
  const { args, db } = call;
  if (call.failed()) return;
  const ref = db.read(args, 1);
  const type = ref === 0 ? Type.list : db.keyspace.entries.typeOf(ref);
  if (type !== Type.list && type !== Type.set && type !== Type.zset) {
    return call.reply.error(Errors.wrongType);
  }
  const isUnsorted = request.by !== null && !request.by.includes("*");
  // A set has no order. With STORE, or for a script, it is sorted even if BY says not to, so that replicas store the same list.
  if (isUnsorted && type === Type.set && (request.store > 0 || call.client.isScript)) {
    request.by = null;
    request.isAlpha = true;
  }
  const elements = new ByteList();
  const keepsOrder = isUnsorted && request.by !== null;
  if (ref !== 0) readElements(db, ref, type, keepsOrder ? request : null, elements);
  const isBackwards = type === Type.list && request.isDescending;
  const order = keepsOrder
    ? orderAsRead(elements.count, isBackwards)
    : orderOf(db, elements, request);
  if (order === null) return call.reply.error(Errors.sortScores);
  // Of what keeps its order, only the range was read, unless it is a set.
  const isWhole = !keepsOrder || type === Type.set;
  const from = isWhole ? Math.min(Math.max(request.offset, 0), elements.count) : 0;
  const size = isWhole ? sizeOf(elements.count - from, request) : elements.count;
  const results = new Results(db, elements, order, from, size, request.gets);
  if (request.store > 0) store(call, request.store, results);
  else answer(call, results);
}

/** How many of `left` elements LIMIT lets through. */
function sizeOf(left: number, { count }: Request): number {
  return count < 0 ? left : Math.min(count, left);
}

function orderAsRead(count: number, isBackwards: boolean): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => isBackwards ? count - 1 - i : i);
}

/**
 * Reads the elements of a list, a set or a sorted set in its order; of the former and the latter those of `range`, which
 * counts from the end if it is descending.
 */
function readElements(
  db: Database,
  ref: number,
  type: number,
  range: Request | null,
  into: ByteList,
): void {
  const keep = (slice: Slice): void => into.add(slice);
  const from = range === null ? 0 : Math.max(range.offset, 0);
  if (type === Type.list) {
    const list = new ListValue();
    list.cursor.openEntry(db, ref);
    const size = range === null ? list.count : sizeOf(list.count - from, range);
    const isFromEnd = range !== null && range.isDescending;
    const first = isFromEnd ? list.count - from - size : from;
    if (size > 0) list.forEachRange(first, first + size - 1, new Slice(), keep);
  } else if (type === Type.set) {
    const set = new SetValue();
    set.cursor.openEntry(db, ref);
    set.forEach(keep);
  } else {
    const zset = new ZsetValue();
    zset.cursor.openEntry(db, ref);
    const isReversed = range !== null && range.isDescending;
    const size = range === null ? zset.count : sizeOf(zset.count - from, range);
    zset.forEachFrom(isReversed ? zset.count - 1 - from : from, size, isReversed, keep);
  }
}

/** The elements' indexes, sorted; null if what they are compared by should be a number and isn't. */
function orderOf(db: Database, elements: ByteList, request: Request): Int32Array | null {
  const { by, isAlpha, isDescending } = request;
  const texts = isAlpha && by !== null ? textsOf(db, elements, by) : elements;
  const keys = isAlpha ? texts.prefixKeys() : weightsOf(db, elements, by);
  if (keys === null) return null;
  if (isDescending) { for (let i = 0; i < keys.length; i++) keys[i] = -keys[i]; }
  const sign = isDescending ? -1 : 1;
  // Elements of one weight are sorted as texts; a missing text equals no other but a missing one.
  return sortedIndexes(
    keys,
    (one, other) => texts.isMissing(one) ? 0 : sign * texts.compare(one, other),
  );
}

function textsOf(db: Database, elements: ByteList, by: string): ByteList {
  const texts = new ByteList();
  const pattern = new Pattern(db, by);
  const element = new Slice();
  for (let i = 0; i < elements.count; i++) {
    elements.read(i, element);
    const found = pattern.lookUp(element);
    if (found === null) texts.addMissing();
    else texts.add(found);
  }
  return texts;
}

/** The number of each element, or of the value that `by` refers to; null if one is not a number. A missing one counts as 0. */
function weightsOf(db: Database, elements: ByteList, by: string | null): Float64Array | null {
  const pattern = by === null ? null : new Pattern(db, by);
  const weights = new Float64Array(elements.count);
  const element = new Slice();
  let areNumbers = true;
  for (let i = 0; i < elements.count; i++) {
    elements.read(i, element);
    const found = pattern === null ? element : pattern.lookUp(element);
    const weight = found === null ? 0 : numberOf(found);
    weights[i] = weight;
    // As in Redis, all keys are looked up even so: what is missing is an event.
    if (weight !== weight) areNumbers = false;
  }
  return areNumbers ? weights : null;
}

/**
 * The number in a text, read as C's strtod does: white space may precede it, it ends at a zero byte, an empty text is 0.
 */
function numberOf({ bytes, start, end: endOfBytes }: Slice): number {
  let end = start;
  while (end < endOfBytes && bytes[end] !== 0) end++;
  if (start === end) return 0;
  let at = start;
  while (at < end && (bytes[at] === SPACE || (bytes[at] >= TAB && bytes[at] <= CARRIAGE_RETURN))) {
    at++;
  }
  return parseDouble(bytes, at, end);
}

const SPACE = 0x20;
const TAB = 0x09;
const CARRIAGE_RETURN = 0x0d;

/**
 * A pattern of BY or GET: "#" leads to the element itself, "weight_*" to a string, "object_*->name" to a field of
 * a hash.
 */
class Pattern {
  readonly #db: Database;
  readonly #isElement: boolean;
  readonly #hasStar: boolean;
  readonly #before: Uint8Array;
  readonly #after: Uint8Array;
  /** The name of a field, or null. */
  readonly #field: Uint8Array | null;
  #key = new Uint8Array(KEY_BYTES_MIN);
  #keyView = new DataView(this.#key.buffer);
  readonly #found = new Slice();
  readonly #string = new StringValue();
  readonly #hash = new HashValue();

  constructor(db: Database, pattern: string) {
    this.#db = db;
    this.#isElement = pattern === "#";
    const star = pattern.indexOf("*");
    this.#hasStar = star >= 0;
    const arrow = pattern.indexOf("->", star + 1);
    const hasField = arrow > 0 && arrow + 2 < pattern.length;
    this.#before = binaryBytes(pattern.slice(0, Math.max(star, 0)));
    this.#after = binaryBytes(pattern.slice(star + 1, hasField ? arrow : pattern.length));
    this.#field = hasField ? binaryBytes(pattern.slice(arrow + 2)) : null;
  }

  /** The value that the pattern refers to for an element, valid until the next call; null if it is missing. */
  lookUp(element: Slice): Slice | null {
    if (this.#isElement) return element;
    if (!this.#hasStar) return null;
    const end = this.#makeKey(element);
    const db = this.#db;
    const ref = db.readKey(this.#key, this.#keyView, 0, end);
    if (ref === 0) return null;
    const { entries } = db.keyspace;
    const type = entries.typeOf(ref);
    if (this.#field !== null) return type === Type.hash ? this.#fieldOf(ref, this.#field) : null;
    if (type !== Type.string) return null;
    entries.open(ref);
    this.#string.read(entries);
    return this.#string;
  }

  /** Puts the element between what stands before and after the star; returns where the key ends. */
  #makeKey({ bytes, view, start, end }: Slice): number {
    const size = this.#before.length + this.#after.length + end - start;
    if (size + HASH_READS_BEHIND > this.#key.length) {
      this.#key = new Uint8Array(2 * size + HASH_READS_BEHIND);
      this.#keyView = new DataView(this.#key.buffer);
    }
    const at = this.#before.length;
    this.#key.set(this.#before);
    copyIn(bytes, view, start, end, this.#key, this.#keyView, at);
    this.#key.set(this.#after, at + end - start);
    return size;
  }

  #fieldOf(ref: number, field: Uint8Array): Slice | null {
    const hash = this.#hash;
    hash.cursor.openEntry(this.#db, ref);
    const view = new DataView(field.buffer);
    return hash.get(field, view, 0, field.length, this.#found) ? this.#found : null;
  }
}

const KEY_BYTES_MIN = 256;
/** Hashing reads four bytes at a time, and so up to three behind the last one. */
const HASH_READS_BEHIND = 4;

/** The results: `size` elements from `from` on in their order, or the values that GET refers to for each of them. */
class Results {
  readonly #patterns: Pattern[];
  readonly #element = new Slice();

  constructor(
    db: Database,
    readonly elements: ByteList,
    readonly order: Int32Array,
    readonly from: number,
    readonly size: number,
    gets: readonly string[],
  ) {
    this.#patterns = gets.map((pattern) => new Pattern(db, pattern));
  }

  get count(): number {
    return this.size * Math.max(this.#patterns.length, 1);
  }

  /** The same with what GET has found copied, since it may be in the key that is replaced. What is missing becomes empty. */
  withoutGets(db: Database): Results {
    if (this.#patterns.length === 0) return this;
    const found = new ByteList();
    const nothing = new Slice();
    this.forEach((result) => found.add(result ?? nothing));
    return new Results(db, found, orderAsRead(found.count, false), 0, found.count, []);
  }

  /** Shows each; null for what is not there. */
  forEach(visit: (result: Slice | null) => void): void {
    const element = this.#element;
    for (let i = this.from; i < this.from + this.size; i++) {
      this.elements.read(this.order[i], element);
      if (this.#patterns.length === 0) visit(element);
      else for (const pattern of this.#patterns) visit(pattern.lookUp(element));
    }
  }
}

function answer({ reply }: Call, results: Results): void {
  reply.array(results.count);
  results.forEach((result) => {
    if (result === null) reply.nullBulk();
    else reply.bulkOf(result);
  });
}

/** The results become the list at argument `index`; what is missing becomes an empty string. */
function store({ args, reply, db }: Call, index: number, results: Results): void {
  const { count } = results;
  if (count === 0) {
    db.removeAny(args, index);
    return reply.integer(0);
  }
  const target = new ListValue();
  const kept = results.withoutGets(db);
  target.cursor.replace(db, args, index);
  kept.forEach((element) => {
    assert(element !== null, "what is missing has become an empty string");
    const { bytes, view, start, end } = element;
    target.makeRoomFor(bytes, start, end);
    target.pushTail(bytes, view, start, end);
  });
  target.cursor.changed(Events.sortstore, count);
  reply.integer(count);
}

/** Visits the key and the destination. The keys of BY and GET depend on the elements. */
function sortKeys(args: Args, visitor: KeyVisitor): void {
  visitor(1, SORT_KEYS[0]);
  let store = 0;
  for (let i = 2; i < args.count; i++) {
    if (args.is(i, "LIMIT")) i += 2;
    else if (args.is(i, "BY") || args.is(i, "GET")) i++;
    else if (args.is(i, "STORE") && i + 1 < args.count) store = ++i;
  }
  if (store > 0) visitor(store, SORT_KEYS[1]);
}

const SORT_KEYS: readonly KeySpec[] = [oneKey("RO access"), oneKey("OW update")];

/** Rows of the table: see engine/command.ts. */
export const sortCommands: readonly CommandSpec[] = [
  {
    name: "sort",
    usage:
      "key [BY by-pattern:pattern#1<pattern>] [LIMIT limit=(offset:integer count:integer)] [{GET get-pattern:pattern#1<pattern>}*] [order=(ASC | DESC)] [sorting=ALPHA] [STORE destination:key]",
    summary: "Sorts a list, a set or a sorted set, and may store the result.",
    since: "1.0.0",
    complexity: "O(N+M*log(M))",
    flags: Flag.write | Flag.denyOom,
    keys: [
      oneKey("RO access"),
      unknownKeys("RO access", "The keys of BY and GET follow from the elements"),
      unknownKeys("OW update", "STORE may stand anywhere"),
    ],
    acl: ["-keyspace", "dangerous", "list", "set", "sortedset"],
    keysOf: sortKeys,
    run: sort,
  },
  {
    name: "sort_ro",
    usage:
      "key [BY by-pattern:pattern#1<pattern>] [LIMIT limit=(offset:integer count:integer)] [{GET get-pattern:pattern#1<pattern>}*] [order=(ASC | DESC)] [sorting=ALPHA]",
    summary: "Sorts a list, a set or a sorted set.",
    since: "7.0.0",
    complexity: "O(N+M*log(M))",
    flags: Flag.readonly,
    keys: [
      oneKey("RO access"),
      unknownKeys("RO access", "The keys of BY and GET follow from the elements"),
    ],
    acl: ["-keyspace", "dangerous", "list", "set", "sortedset"],
    keysOf: (_, visitor) => visitor(1, SORT_KEYS[0]),
    run: sortRo,
  },
];
