/**
 * Places on earth: members of sorted sets whose scores are geohashes.
 * https://redis.io/docs/latest/commands/?group=geo
 */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import { Events } from "../keyspace/change_hooks.ts";
import { ZsetValue } from "../keyspace/zset_value.ts";
import { fixedText } from "../lib/double_text.ts";
import type { Args } from "../protocol/args.ts";
import { errorReply, Errors } from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import {
  decode,
  distance,
  encode,
  geohashText,
  LATITUDE_MAX,
  LONGITUDE_MAX,
  type Point,
} from "../structures/geohash.ts";
import { scratch } from "../lib/scratch.ts";

// scratch: lives for one call
const zset = scratch(new ZsetValue());

/** Metres of a unit, by its name in lower case. */
const UNITS = new Map([["m", 1], ["km", 1000], ["ft", 0.3048], ["mi", 1609.34]]);

/** Metres of the unit that argument `index` names. */
export function unitAt(args: Args, index: number): number {
  return UNITS.get(args.binary(index).toLowerCase()) ?? args.fail(Errors.geoUnit);
}

/** The point at arguments `index` and `index + 1`; one that is not on the map fails. */
export function pointAt(args: Args, index: number): Point {
  const longitude = args.double(index);
  const latitude = args.double(index + 1);
  if (Math.abs(longitude) > LONGITUDE_MAX || Math.abs(latitude) > LATITUDE_MAX) {
    const pair = `${fixedText(longitude, 6)},${fixedText(latitude, 6)}`;
    args.fail(errorReply(`ERR invalid longitude,latitude pair ${pair}`));
  }
  return args.error === null ? { longitude, latitude } : { longitude: 0, latitude: 0 };
}

/** The place of the member at argument `index` of `from`, or null. */
export function placeOf(from: ZsetValue, args: Args, index: number): Point | null {
  const score = from.scoreOf(
    args.bytesOf(index),
    args.viewOf(index),
    args.start(index),
    args.end(index),
  );
  return score === score ? decode(score) : null;
}

/** A coordinate, with the digits that Redis shows: up to 17 behind the point. */
export function replyCoordinates(reply: ReplyWriter, { longitude, latitude }: Point): void {
  reply.array(2);
  reply.doubleText(coordinateText(longitude));
  reply.doubleText(coordinateText(latitude));
}

function coordinateText(degrees: number): string {
  return degrees.toFixed(17).replace(/\.?0+$/, "");
}

/** A distance, with four digits behind the point. */
export function replyDistance(reply: ReplyWriter, metres: number, unit: number): void {
  reply.bulkText(fixedText(metres / unit, 4));
}

function geoadd(call: Call): void {
  const { args, reply, db } = call;
  let first = 2;
  let isNx = false;
  let isXx = false;
  let countsChanges = false;
  for (; first < args.count; first++) {
    if (args.is(first, "NX")) isNx = true;
    else if (args.is(first, "XX")) isXx = true;
    else if (args.is(first, "CH")) countsChanges = true;
    else break;
  }
  if (first === args.count || (args.count - first) % 3 !== 0 || (isNx && isXx)) {
    return reply.error(Errors.syntax);
  }
  const scores: number[] = [];
  for (let i = first; i < args.count && args.error === null; i += 3) {
    scores.push(encode(pointAt(args, i)));
  }
  if (args.error !== null) return reply.error(args.error);
  const exists = isXx ? zset.cursor.edit(db, args, 1) : zset.cursor.editOrCreate(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  if (!exists) return reply.integer(0);
  if (scores.length > 0) zset.makeRoom(scores.length, args.length(first + 2));
  let added = 0;
  let updated = 0;
  for (const [n, score] of scores.entries()) {
    const index = first + 3 * n + 2;
    const bytes = args.bytesOf(index);
    const view = args.viewOf(index);
    const place = zset.find(bytes, view, args.start(index), args.end(index));
    const isNew = place === 0;
    if ((isNew && isXx) || (!isNew && (isNx || zset.scoreAt(place) === score))) continue;
    zset.put(bytes, view, args.start(index), args.end(index), score, place);
    if (isNew) added++;
    else updated++;
  }
  if (added + updated > 0) {
    zset.cursor.changed(Events.zadd, added + updated);
    propagateScores(call, first, scores);
  } else zset.cursor.discard();
  reply.integer(countsChanges ? added + updated : added);
}

/** Propagates GEOADD as ZADD, so that nobody needs to find the same scores again; the places begin at argument `first`. */
function propagateScores(call: Call, first: number, scores: readonly number[]): void {
  const { args } = call;
  const stream = call.rewrite(first + 2 * scores.length)?.word("zadd");
  for (let i = 1; i < first; i++) stream?.argument(args, i);
  for (const [n, score] of scores.entries()) {
    stream?.integer(score).argument(args, first + 3 * n + 2);
  }
}

function geopos({ args, reply, db }: Call): void {
  const exists = zset.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    const place = exists ? placeOf(zset, args, i) : null;
    if (place === null) reply.nullArray();
    else replyCoordinates(reply, place);
  }
}

function geodist({ args, reply, db }: Call): void {
  const unit = args.count > 4 ? unitAt(args, 4) : 1;
  if (args.count > 5) return reply.error(Errors.syntax);
  if (args.error !== null) return reply.error(args.error);
  const exists = zset.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  const one = exists ? placeOf(zset, args, 2) : null;
  const other = exists ? placeOf(zset, args, 3) : null;
  if (one === null || other === null) return reply.nullBulk();
  replyDistance(reply, distance(one, other), unit);
}

function geohash({ args, reply, db }: Call): void {
  const exists = zset.cursor.read(db, args, 1);
  if (args.error !== null) return reply.error(args.error);
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    const place = exists ? placeOf(zset, args, i) : null;
    if (place === null) reply.nullBulk();
    else reply.bulkText(geohashText(place));
  }
}

/** Rows of the table: see engine/command.ts. */
export const geoCommands: readonly CommandSpec[] = [
  {
    name: "geoadd",
    usage:
      "key [condition=(NX | XX)]@6.2.0 [change=CH]@6.2.0 {data=(longitude:double latitude:double member)}*",
    summary: "Adds members with their places on earth.",
    since: "3.2.0",
    complexity: "O(log(N))",
    flags: Flag.write | Flag.denyOom,
    keys: [oneKey("RW update")],
    run: geoadd,
  },
  {
    name: "geopos",
    usage: "key [{member}*]",
    summary: "Returns the places of members.",
    since: "3.2.0",
    complexity: "O(1)",
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    run: geopos,
  },
  {
    name: "geodist",
    usage: "key member1 member2 [unit=(M | KM | FT | MI)]",
    summary: "Returns the distance between two members.",
    since: "3.2.0",
    complexity: "O(1)",
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    run: geodist,
  },
  {
    name: "geohash",
    usage: "key [{member}*]",
    summary: "Returns the geohashes of members as text.",
    since: "3.2.0",
    complexity: "O(1)",
    flags: Flag.readonly,
    keys: [oneKey("RO access")],
    run: geohash,
  },
];
