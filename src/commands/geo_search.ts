/** GEOSEARCH and the older GEORADIUS: the members in a circle or a box. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import { keysAfter } from "../engine/key_spec.ts";
import { Events, type KeyEvent } from "../keyspace/change_hooks.ts";
import { RangeBound, ZsetValue } from "../keyspace/zset_value.ts";
import { ByteList } from "../lib/byte_list.ts";
import { Slice } from "../lib/slice.ts";
import { sortedIndexes } from "../lib/sorted_indexes.ts";
import type { Args } from "../protocol/args.ts";
import { type ErrorReply, errorReply, Errors } from "../protocol/errors.ts";
import {
  decode,
  decodeInto,
  distanceWithin,
  type Point,
  rangesAround,
  type Shape,
} from "../structures/geohash.ts";
import { placeOf, pointAt, replyCoordinates, replyDistance, unitAt } from "./geo.ts";
import { scratch } from "../lib/scratch.ts";

// scratch: lives for one call
const zset = scratch(new ZsetValue());
// scratch: lives for one call
const target = scratch(new ZsetValue());
// scratch: lives for one call
const low = scratch(new RangeBound());
// scratch: lives for one call
const high = scratch(new RangeBound());

/** What a request asks for. */
interface Search {
  center: Point | null;
  radius: number;
  /** Metres; NaN for a circle. */
  width: number;
  height: number;
  unit: number;
  order: "none" | "near first" | "far first";
  /** 0: all. */
  count: number;
  isAny: boolean;
  withCoordinates: boolean;
  withDistance: boolean;
  withHash: boolean;
  /** Index of the key where the result goes; 0 to reply with it. */
  store: number;
  storesDistance: boolean;
}

/** The members in the shape, in three lists, and the indexes of those that are shown. */
interface Found {
  readonly members: ByteList;
  readonly scores: number[];
  readonly metres: number[];
  shown: Int32Array;
}

function newSearch(): Search {
  return {
    center: null,
    radius: NaN,
    width: NaN,
    height: NaN,
    unit: 1,
    order: "none",
    count: 0,
    isAny: false,
    withCoordinates: false,
    withDistance: false,
    withHash: false,
    store: 0,
    storesDistance: false,
  };
}

/** A length in metres at argument `index`, in the unit of argument `unit`. */
function readRadius(args: Args, index: number, unit: number, search: Search): void {
  search.radius = lengthAt(args, index, Errors.geoRadius);
  if (search.radius < 0) args.fail(Errors.geoRadiusNegative);
  search.unit = unitAt(args, unit);
  search.radius *= search.unit;
}

function lengthAt(args: Args, index: number, failure: ErrorReply): number {
  const { error } = args;
  const length = args.double(index);
  if (error === null && args.error !== null) args.error = failure;
  return length;
}

/** Reads an option that all of these commands have, at argument `i`; returns the index of its last argument, 0 if it is none. */
function readCommon(args: Args, i: number, search: Search): number {
  if (args.is(i, "WITHDIST")) search.withDistance = true;
  else if (args.is(i, "WITHHASH")) search.withHash = true;
  else if (args.is(i, "WITHCOORD")) search.withCoordinates = true;
  else if (args.is(i, "ANY")) search.isAny = true;
  else if (args.is(i, "ASC")) search.order = "near first";
  else if (args.is(i, "DESC")) search.order = "far first";
  else if (args.is(i, "COUNT") && i + 1 < args.count) {
    search.count = args.integer(i + 1);
    if (args.error === null && search.count <= 0) args.fail(Errors.geoCount);
    return i + 1;
  } else return 0;
  return i;
}

/** Makes the member at argument `index` the centre; `exists`: whether there is a sorted set to look it up in. */
function readMember(args: Args, index: number, exists: boolean, search: Search): void {
  if (!exists) return;
  search.center = placeOf(zset, args, index);
  if (search.center === null) args.fail(Errors.geoMember);
}

/**
 * Reads GEOSEARCH's arguments behind the sorted set, which is argument `source`. Centre and shape may each be given
 * again, in the same way, and the last time counts.
 */
function readSearch(args: Args, source: number, exists: boolean): Search {
  const search = newSearch();
  let from: "" | "member" | "point" = "";
  let shape: "" | "circle" | "box" = "";
  for (let i = source + 1; i < args.count && args.error === null; i++) {
    const left = args.count - i - 1;
    const common = readCommon(args, i, search);
    if (common > 0) i = common;
    else if (args.is(i, "FROMMEMBER") && left >= 1 && from !== "point") {
      readMember(args, ++i, exists, search);
      from = "member";
    } else if (args.is(i, "FROMLONLAT") && left >= 2 && from !== "member") {
      search.center = pointAt(args, i + 1);
      i += 2;
      from = "point";
    } else if (args.is(i, "BYRADIUS") && left >= 2 && shape !== "box") {
      readRadius(args, i + 1, i + 2, search);
      i += 2;
      shape = "circle";
    } else if (args.is(i, "BYBOX") && left >= 3 && shape !== "circle") {
      readBox(args, i + 1, search);
      i += 3;
      shape = "box";
    } else if (source === 2 && args.is(i, "STOREDIST")) search.storesDistance = true;
    else args.fail(Errors.syntax);
  }
  const name = args.binary(0);
  if (args.error === null && from === "") {
    const text = `exactly one of FROMMEMBER or FROMLONLAT can be specified for ${name}`;
    args.fail(errorReply(`ERR ${text}`));
  }
  if (args.error === null && shape === "") {
    args.fail(errorReply(`ERR exactly one of BYRADIUS and BYBOX can be specified for ${name}`));
  }
  return search;
}

function readBox(args: Args, index: number, search: Search): void {
  search.width = lengthAt(args, index, Errors.geoWidth);
  search.height = lengthAt(args, index + 1, Errors.geoHeight);
  if (search.width < 0 || search.height < 0) args.fail(Errors.geoBoxNegative);
  search.unit = unitAt(args, index + 2);
  search.width *= search.unit;
  search.height *= search.unit;
}

/** Reads GEORADIUS's options behind radius and unit. */
function readOldOptions(args: Args, first: number, mayStore: boolean, search: Search): void {
  for (let i = first; i < args.count && args.error === null; i++) {
    const common = readCommon(args, i, search);
    const stores = args.is(i, "STORE") || args.is(i, "STOREDIST");
    if (common > 0) i = common;
    else if (mayStore && stores && i + 1 < args.count) {
      search.storesDistance = args.is(i, "STOREDIST");
      search.store = ++i;
    } else args.fail(Errors.syntax);
  }
}

/**
 * Finds, sorts, and replies or stores. Callers open the sorted set before they read the arguments behind it, as Redis
 * does: the error for a key of another type or a missing member comes before that for a wrong option.
 */
function run(call: Call, search: Search, exists: boolean, event: KeyEvent): void {
  const { args } = call;
  const shows = search.withCoordinates || search.withDistance || search.withHash;
  if (search.store > 0 && shows && args.error === null) {
    const name = event === Events.geosearchstore ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS";
    const text = `${name} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`;
    args.fail(errorReply(`ERR ${text}`));
  }
  if (search.isAny && search.count === 0) args.fail(Errors.geoAny);
  if (call.failed()) return;
  const found = exists && search.center !== null ? find(search, search.center) : nothingFound();
  if (search.store > 0) store(call, search, found, event);
  else answer(call, search, found);
}

function find(search: Search, center: Point): Found {
  const { radius, width, height, count, isAny } = search;
  const shape: Shape = radius === radius ? { center, radius } : { center, width, height };
  const found = nothingFound();
  const limit = isAny ? count : Infinity;
  const place = { longitude: 0, latitude: 0 };
  for (const [from, to] of rangesAround(shape)) {
    low.score = from;
    high.score = to;
    const first = zset.countBefore(low);
    zset.forEachFrom(first, zset.countBefore(high) - first, false, (member, score) => {
      if (found.members.count >= limit) return;
      decodeInto(score, place);
      const metres = distanceWithin(shape, place);
      if (metres !== metres) return;
      found.members.add(member);
      found.scores.push(score);
      found.metres.push(metres);
    });
  }
  found.shown = orderOf(search, found);
  return found;
}

function nothingFound(): Found {
  return { members: new ByteList(), scores: [], metres: [], shown: new Int32Array(0) };
}

/** The indexes of the members in the reply: sorted by distance if that is asked for, or needed to find the nearest. */
function orderOf({ order, count, isAny }: Search, { members, metres }: Found): Int32Array {
  let sign = 0;
  if (order === "near first" || (order === "none" && count > 0 && !isAny)) sign = 1;
  else if (order === "far first") sign = -1;
  const all = sign === 0
    ? Int32Array.from({ length: members.count }, (_, i) => i)
    : sortedIndexes(Float64Array.from(metres, (one) => sign * one));
  return count > 0 ? all.slice(0, Math.min(count, all.length)) : all;
}

function answer({ reply }: Call, search: Search, found: Found): void {
  const { withDistance, withHash, withCoordinates } = search;
  const parts = 1 + Number(withDistance) + Number(withHash) + Number(withCoordinates);
  const member = new Slice();
  reply.array(found.shown.length);
  for (const i of found.shown) {
    if (parts > 1) reply.array(parts);
    found.members.read(i, member);
    reply.bulkOf(member);
    if (withDistance) replyDistance(reply, found.metres[i], search.unit);
    if (withHash) reply.integer(Math.trunc(found.scores[i]));
    if (withCoordinates) replyCoordinates(reply, decode(found.scores[i]));
  }
}

function store({ args, reply, db }: Call, search: Search, found: Found, event: KeyEvent): void {
  const { shown, members, scores, metres } = found;
  if (shown.length === 0) db.removeAny(args, search.store);
  else {
    const member = new Slice();
    target.cursor.replace(db, args, search.store);
    target.makeRoom(shown.length, 0);
    for (const i of shown) {
      members.read(i, member);
      const { bytes, view, start, end } = member;
      target.set(
        bytes,
        view,
        start,
        end,
        search.storesDistance ? metres[i] / search.unit : scores[i],
      );
    }
    target.cursor.changed(event, shown.length);
  }
  reply.integer(shown.length);
}

function geosearch(call: Call): void {
  const exists = zset.cursor.read(call.db, call.args, 1);
  if (call.failed()) return;
  run(call, readSearch(call.args, 1, exists), exists, Events.geosearchstore);
}

function geosearchstore(call: Call): void {
  const exists = zset.cursor.read(call.db, call.args, 2);
  if (call.failed()) return;
  const search = readSearch(call.args, 2, exists);
  search.store = 1;
  run(call, search, exists, Events.geosearchstore);
}

function byPoint(call: Call, mayStore: boolean): void {
  const { args } = call;
  const exists = zset.cursor.read(call.db, call.args, 1);
  if (call.failed()) return;
  const search = newSearch();
  search.center = pointAt(args, 2);
  readRadius(args, 4, 5, search);
  readOldOptions(args, 6, mayStore, search);
  run(call, search, exists, Events.georadiusstore);
}

function byMember(call: Call, mayStore: boolean): void {
  const { args } = call;
  const exists = zset.cursor.read(call.db, call.args, 1);
  if (call.failed()) return;
  const search = newSearch();
  readMember(args, 2, exists, search);
  // Redis looks at neither radius nor unit if there is no sorted set.
  if (exists) readRadius(args, 3, 4, search);
  readOldOptions(args, 5, mayStore, search);
  run(call, search, exists, Events.georadiusstore);
}

const georadius = (call: Call): void => byPoint(call, true);
const georadiusRo = (call: Call): void => byPoint(call, false);
const georadiusbymember = (call: Call): void => byMember(call, true);
const georadiusbymemberRo = (call: Call): void => byMember(call, false);

/** Rows of the table: see engine/command.ts. */
export const geoSearchCommands: readonly CommandSpec[] = [
  {
    name: "geosearch",
    usage:
      "key from=(FROMMEMBER member | FROMLONLAT fromlonlat=(longitude:double latitude:double)) by=(circle=(BYRADIUS radius:double unit=(M | KM | FT | MI)) | box=(BYBOX width:double height:double unit=(M | KM | FT | MI))) [order=(ASC | DESC)] [count-block=(COUNT count:integer [ANY])] [WITHCOORD] [WITHDIST] [WITHHASH]",
    summary: "Returns the members in a circle or a box.",
    since: "6.2.0",
    complexity: "O(N+log(M))",
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    run: geosearch,
  },
  {
    name: "geosearchstore",
    usage:
      "destination:key source:key from=(FROMMEMBER member | FROMLONLAT fromlonlat=(longitude:double latitude:double)) by=(circle=(BYRADIUS radius:double unit=(M | KM | FT | MI)) | box=(BYBOX width:double height:double unit=(M | KM | FT | MI))) [order=(ASC | DESC)] [count-block=(COUNT count:integer [ANY])] [STOREDIST]",
    summary: "Stores the members in a circle or a box.",
    since: "6.2.0",
    complexity: "O(N+log(M))",
    flags: Flag.write | Flag.denyOom,
    keys: [oneKey("OW update"), oneKey("RO access", 2)],
    run: geosearchstore,
  },
  {
    name: "georadius",
    usage:
      "key longitude:double latitude:double radius:double unit=(M | KM | FT | MI) [WITHCOORD] [WITHDIST] [WITHHASH] [count-block=(COUNT count:integer [ANY]@6.2.0)] [order=(ASC | DESC)] [store=(STORE storekey:key<key> | STOREDIST storedistkey:key<key>)]",
    summary: "Returns or stores the members in a circle.",
    since: "3.2.0",
    complexity: "O(N+log(M))",
    flags: Flag.write | Flag.denyOom,
    keys: [
      oneKey("RO access"),
      keysAfter("OW update", "STORE", 6),
      keysAfter("OW update", "STOREDIST", 6),
    ],
    deprecatedSince: "6.2.0",
    replacedBy: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
    run: georadius,
  },
  {
    name: "georadius_ro",
    usage:
      "key longitude:double latitude:double radius:double unit=(M | KM | FT | MI) [WITHCOORD] [WITHDIST] [WITHHASH] [count-block=(COUNT count:integer [ANY]@6.2.0)] [order=(ASC | DESC)]",
    summary: "Returns the members in a circle.",
    since: "3.2.10",
    complexity: "O(N+log(M))",
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    deprecatedSince: "6.2.0",
    replacedBy: "`GEOSEARCH` with the `BYRADIUS` argument",
    run: georadiusRo,
  },
  {
    name: "georadiusbymember",
    usage:
      "key member radius:double unit=(M | KM | FT | MI) [WITHCOORD] [WITHDIST] [WITHHASH] [count-block=(COUNT count:integer [ANY])] [order=(ASC | DESC)] [store=(STORE storekey:key<key> | STOREDIST storedistkey:key<key>)]",
    summary: "Returns or stores the members in a circle around one of them.",
    since: "3.2.0",
    complexity: "O(N+log(M))",
    flags: Flag.write | Flag.denyOom,
    keys: [
      oneKey("RO access"),
      keysAfter("OW update", "STORE", 5),
      keysAfter("OW update", "STOREDIST", 5),
    ],
    deprecatedSince: "6.2.0",
    replacedBy: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
    run: georadiusbymember,
  },
  {
    name: "georadiusbymember_ro",
    usage:
      "key member radius:double unit=(M | KM | FT | MI) [WITHCOORD] [WITHDIST] [WITHHASH] [count-block=(COUNT count:integer [ANY])] [order=(ASC | DESC)]",
    summary: "Returns the members in a circle around one of them.",
    since: "3.2.10",
    complexity: "O(N+log(M))",
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    deprecatedSince: "6.2.0",
    replacedBy: "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments",
    run: georadiusbymemberRo,
  },
];
