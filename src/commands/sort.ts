/**
 * SORT: elements as texts of characters 0 to 255, which compare as their bytes do.
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
import { parseDouble } from "../lib/double_text.ts";
import { Slice } from "../lib/slice.ts";
import { type Args, binaryBytes, binaryText } from "../protocol/args.ts";
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

/** An element, and what it is compared by. */
interface Item {
  readonly element: string;
  readonly weight: number;
  readonly text: string | null;
}

function readRequest(args: Args, mayStore: boolean): Request {
  const request: Request = {
    by: null,
    gets: [],
    isDescending: false,
    isAlpha: false,
    offset: 0,
    count: -1,
    store: 0,
  };
  for (let i = 2; i < args.count && args.error === null; i++) {
    const left = args.count - i - 1;
    if (args.is(i, "ASC")) request.isDescending = false;
    else if (args.is(i, "DESC")) request.isDescending = true;
    else if (args.is(i, "ALPHA")) request.isAlpha = true;
    else if (args.is(i, "LIMIT") && left >= 2) {
      request.offset = args.integer(++i);
      request.count = args.integer(++i);
    } else if (mayStore && args.is(i, "STORE") && left >= 1) request.store = ++i;
    else if (args.is(i, "BY") && left >= 1) request.by = args.binary(++i);
    else if (args.is(i, "GET") && left >= 1) request.gets.push(args.binary(++i));
    else args.fail(Errors.syntax);
  }
  return request;
}

function sort(call: Call): void {
  run(call, readRequest(call.args, true));
}

function sortRo(call: Call): void {
  run(call, readRequest(call.args, false));
}

function run(call: Call, request: Request): void {
  const { args, db } = call;
  if (call.failed()) return;
  const isUnsorted = request.by !== null && !request.by.includes("*");
  const elements = readElements(call, isUnsorted && request.isDescending);
  if (elements === null) return;
  const isSet = db.find(args, 1) !== 0 &&
    db.keyspace.entries.typeOf(db.find(args, 1)) === Type.set;
  let sorted = elements;
  // A set has no order: what is stored is sorted all the same, so that replicas store the same.
  if (isUnsorted && isSet && request.store > 0) sorted = elements.toSorted();
  else if (!isUnsorted) {
    const items = itemsOf(db, elements, request);
    if (items === null) return call.reply.error(Errors.sortScores);
    sorted = items.sort((one, other) => {
      const order = compare(one, other, request);
      return request.isDescending ? -order : order;
    }).map(({ element }) => element);
  }
  const from = Math.max(request.offset, 0);
  const to = request.count < 0 ? sorted.length : from + request.count;
  const results = sorted.slice(from, to).flatMap((element) =>
    request.gets.length === 0
      ? [element]
      : request.gets.map((pattern) => lookUp(db, pattern, element))
  );
  if (request.store > 0) store(call, request.store, results);
  else answer(call, results);
}

/** The elements of the key in its order; null after answering an error. */
function readElements({ args, reply, db }: Call, isReversed: boolean): string[] | null {
  const ref = db.read(args, 1);
  if (ref === 0) return [];
  const elements: string[] = [];
  const keep = (slice: Slice): void => {
    elements.push(textOf(slice));
  };
  const type = db.keyspace.entries.typeOf(ref);
  if (type === Type.list) {
    const list = new ListValue();
    list.cursor.openEntry(db, ref);
    list.forEachRange(0, list.count - 1, new Slice(), keep);
  } else if (type === Type.set) {
    const set = new SetValue();
    set.cursor.openEntry(db, ref);
    set.forEach(keep);
  } else if (type === Type.zset) {
    const zset = new ZsetValue();
    zset.cursor.openEntry(db, ref);
    zset.forEachFrom(isReversed ? zset.count - 1 : 0, zset.count, isReversed, keep);
  } else {
    reply.error(Errors.wrongType);
    return null;
  }
  return elements;
}

/** What each element is compared by; null if it should be a number and isn't. */
function itemsOf(db: Database, elements: string[], { by, isAlpha }: Request): Item[] | null {
  const items: Item[] = [];
  for (const element of elements) {
    const text = by === null ? element : lookUp(db, by, element);
    const weight = isAlpha || text === null ? 0 : numberOf(text);
    if (weight !== weight) return null;
    items.push({ element, weight, text });
  }
  return items;
}

function numberOf(text: string): number {
  if (text === "") return 0;
  const bytes = binaryBytes(text.trimStart());
  return parseDouble(bytes, 0, bytes.length);
}

function compare(one: Item, other: Item, { isAlpha }: Request): number {
  if (!isAlpha) {
    if (one.weight !== other.weight) return one.weight < other.weight ? -1 : 1;
    return compareTexts(one.element, other.element);
  }
  if (one.text === null || other.text === null) {
    return Number(one.text !== null) - Number(other.text !== null);
  }
  return compareTexts(one.text, other.text);
}

function compareTexts(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/**
 * What a pattern of BY or GET leads to for an element: "#" to itself, "weight_*" to a string, "object_*->name" to
 * a field of a hash; null if that is not there.
 */
function lookUp(db: Database, pattern: string, element: string): string | null {
  if (pattern === "#") return element;
  const star = pattern.indexOf("*");
  if (star < 0) return null;
  const arrow = pattern.indexOf("->", star + 1);
  const hasField = arrow > 0 && arrow + 2 < pattern.length;
  const end = hasField ? arrow : pattern.length;
  const key = binaryBytes(pattern.slice(0, star) + element + pattern.slice(star + 1, end));
  const ref = db.findKey(key, new DataView(key.buffer), 0, key.length);
  if (ref === 0) return null;
  const { entries } = db.keyspace;
  const type = entries.typeOf(ref);
  if (hasField) return type === Type.hash ? fieldOf(db, ref, pattern.slice(arrow + 2)) : null;
  if (type !== Type.string) return null;
  const value = new StringValue();
  entries.open(ref);
  value.read(entries);
  return textOf(value);
}

function fieldOf(db: Database, ref: number, field: string): string | null {
  const hash = new HashValue();
  const value = new Slice();
  const bytes = binaryBytes(field);
  hash.cursor.openEntry(db, ref);
  const isThere = hash.get(bytes, new DataView(bytes.buffer), 0, bytes.length, value);
  return isThere ? textOf(value) : null;
}

function textOf({ bytes, start, end }: Slice): string {
  return binaryText(bytes, start, end);
}

function answer({ reply }: Call, results: (string | null)[]): void {
  reply.array(results.length);
  for (const result of results) {
    if (result === null) reply.nullBulk();
    else reply.bulkBinary(result);
  }
}

/** The results become the list at argument `index`; what is missing becomes an empty string. */
function store({ args, reply, db }: Call, index: number, results: (string | null)[]): void {
  if (results.length === 0) db.remove(args, index);
  else {
    const target = new ListValue();
    target.cursor.replace(db, args, index);
    for (const result of results) {
      const bytes = binaryBytes(result ?? "");
      target.makeRoomFor(bytes, 0, bytes.length);
      target.pushTail(bytes, new DataView(bytes.buffer), 0, bytes.length);
    }
    target.cursor.changed(Events.sortstore, results.length);
  }
  reply.integer(results.length);
}

/** The key and the destination: those of BY and GET can't be told. */
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
      "key [BY by-pattern:pattern#1] [LIMIT limit=(offset:integer count:integer)] [{GET get-pattern:pattern#1}*] [order=(ASC | DESC)] [sorting=ALPHA] [STORE destination:key]",
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
      "key [BY by-pattern:pattern#1] [LIMIT limit=(offset:integer count:integer)] [{GET get-pattern:pattern#1}*] [order=(ASC | DESC)] [sorting=ALPHA]",
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
