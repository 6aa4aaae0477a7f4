/**
 * Geohashes of 52 bits: a longitude and a latitude of 26 bits each, whose bits alternate, so that points with
 * a common prefix lie in one cell. As scores of a sorted set they make a cell a range.
 *
 * A hash of n steps has n bits of each coordinate; 26 steps are a cell of 0.6 m. It is an integer below 2^52 and
 * so exact in a double; JS's bit operators see 32 bits, hence the halves.
 * Source: https://redis.io/docs/latest/commands/geoadd/, https://en.wikipedia.org/wiki/Geohash
 *
 * @module
 */

import { assert } from "../lib/assert.ts";

/** Longitude and latitude in degrees. */
export interface Point {
  longitude: number;
  latitude: number;
}

/** A cell: its prefix as an integer of 2 × steps bits, and the degrees that it covers. */
export interface Cell {
  readonly prefix: number;
  readonly west: number;
  readonly east: number;
  readonly south: number;
  readonly north: number;
}

export const LONGITUDE_MAX = 180;
/** The square of Web Mercator: cells near the poles would be no use. */
export const LATITUDE_MAX = 85.05112878;
const STEPS_MAX = 26;
/** Metres. */
const EARTH_RADIUS = 6372797.560856;
const HALF_EQUATOR = 20037726.37;
const RADIANS = 0.017453292519943295;

const ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz";

/** The hash of a point, with so many steps; `latitudeMax` is 90 in the geohashes of the rest of the world. */
export function encode(
  { longitude, latitude }: Point,
  steps = STEPS_MAX,
  latitudeMax = LATITUDE_MAX,
): number {
  assert(steps > 0 && steps <= STEPS_MAX, "a hash has 1 to 26 bits a side");
  const scale = 2 ** steps;
  const x = Math.floor((longitude + LONGITUDE_MAX) / (2 * LONGITUDE_MAX) * scale);
  const y = Math.floor((latitude + latitudeMax) / (2 * latitudeMax) * scale);
  return interleave(x, y);
}

/** The cell of a hash. */
export function cellOf(prefix: number, steps: number): Cell {
  assert(steps > 0 && steps <= STEPS_MAX, "a cell has 1 to 26 bits a side");
  const scale = 2 ** steps;
  const x = evenBits(prefix, 1);
  const y = evenBits(prefix, 0);
  return {
    prefix,
    west: -LONGITUDE_MAX + x / scale * 2 * LONGITUDE_MAX,
    east: -LONGITUDE_MAX + (x + 1) / scale * 2 * LONGITUDE_MAX,
    south: -LATITUDE_MAX + y / scale * 2 * LATITUDE_MAX,
    north: -LATITUDE_MAX + (y + 1) / scale * 2 * LATITUDE_MAX,
  };
}

/**
 * The middle of the cell of a full hash: what is known of the point that it was made from. Any score may
 * come here; its fraction is cut off.
 */
export function decode(hash: number): Point {
  const point = { longitude: 0, latitude: 0 };
  decodeInto(hash, point);
  return point;
}

/** As `decode`, into a point that is used again and again. */
export function decodeInto(hash: number, into: Point): void {
  assert(hash === hash, "a score is a number");
  const whole = Math.trunc(hash);
  const x = evenBits(whole, 1);
  const y = evenBits(whole, 0);
  into.longitude = middleOf(x, LONGITUDE_MAX);
  into.latitude = middleOf(y, LATITUDE_MAX);
}

/** The middle of the `at`-th of the 2^26 parts of the degrees from −most to most. */
function middleOf(at: number, most: number): number {
  assert(at >= 0, "parts are counted from 0");
  const from = -most + at / 2 ** STEPS_MAX * 2 * most;
  const to = -most + (at + 1) / 2 ** STEPS_MAX * 2 * most;
  return clamp((from + to) / 2, most);
}

function clamp(value: number, most: number): number {
  assert(most > 0, "the bound is positive");
  return Math.min(Math.max(value, -most), most);
}

/** The usual text of eleven characters, of which the last is always "0". */
export function geohashText(point: Point): string {
  const hash = encode(point, STEPS_MAX, 90);
  let text = "";
  for (let i = 1; i < 11; i++) text += ALPHABET[Math.floor(hash / 2 ** (52 - 5 * i)) % 32];
  assert(text.length === 10, "ten characters stand for 50 bits");
  return `${text}0`;
}

/** Metres between two points on a sphere. */
export function distance(one: Point, other: Point): number {
  return arc(one.longitude, one.latitude, other.longitude, other.latitude);
}

/** Metres from a longitude and latitude to another (haversine). */
function arc(fromX: number, fromY: number, toX: number, toY: number): number {
  const south = fromY * RADIANS;
  const north = toY * RADIANS;
  const v = Math.sin((toX * RADIANS - fromX * RADIANS) / 2);
  if (v === 0) return EARTH_RADIUS * Math.abs(north - south);
  const u = Math.sin((north - south) / 2);
  const a = u * u + Math.cos(south) * Math.cos(north) * v * v;
  assert(a >= 0, "the haversine is not negative");
  return 2 * EARTH_RADIUS * Math.asin(Math.sqrt(a));
}

/** The area of a search around a point: a circle or a box; lengths in metres. */
export type Shape =
  & { readonly center: Point }
  & ({ readonly radius: number } | { readonly width: number; readonly height: number });

/** The distance from the shape's centre in metres if `point` lies in it, or NaN. */
export function distanceWithin(shape: Shape, point: Point): number {
  assert(shape.center.latitude === shape.center.latitude, "the latitude is a number");
  if ("radius" in shape) {
    const found = distance(shape.center, point);
    return found <= shape.radius ? found : NaN;
  }
  const { center, width, height } = shape;
  // Along its own parallel for the width: at another latitude a degree is longer or shorter.
  const { longitude, latitude } = point;
  if (arc(center.longitude, center.latitude, center.longitude, latitude) > height / 2) return NaN;
  if (arc(center.longitude, latitude, longitude, latitude) > width / 2) return NaN;
  return distance(center, point);
}

/** Degrees that a shape covers. */
function boundsOf(shape: Shape): Omit<Cell, "prefix"> {
  assert(Math.abs(shape.center.latitude) <= 90, "a centre lies on the sphere");
  const { longitude, latitude } = shape.center;
  const high = "radius" in shape ? shape.radius : shape.height / 2;
  const wide = "radius" in shape ? shape.radius : shape.width / 2;
  const up = high / EARTH_RADIUS / RADIANS;
  const northern = wide / EARTH_RADIUS / Math.cos((latitude + up) * RADIANS) / RADIANS;
  const southern = wide / EARTH_RADIUS / Math.cos((latitude - up) * RADIANS) / RADIANS;
  // A degree is shortest where the shape is nearest to a pole.
  const across = latitude < 0 ? southern : northern;
  return {
    west: longitude - across,
    east: longitude + across,
    south: latitude - up,
    north: latitude + up,
  };
}

/** Steps whose cells are about as large as the shape, so that nine of them cover it. */
function stepsFor(radius: number, latitude: number): number {
  assert(radius >= 0, "a radius is not negative");
  if (radius === 0) return STEPS_MAX;
  let steps = 1;
  for (let reach = radius; reach < HALF_EQUATOR; reach *= 2) steps++;
  steps -= 2;
  // Towards the poles cells are narrow.
  if (Math.abs(latitude) > 66) steps--;
  if (Math.abs(latitude) > 80) steps--;
  return Math.min(Math.max(steps, 1), STEPS_MAX);
}

/** Offsets of a cell and its neighbours, in the order in which Redis visits them. */
const AROUND: readonly (readonly [x: number, y: number])[] = [
  [0, 0],
  [0, 1],
  [0, -1],
  [1, 0],
  [-1, 0],
  [1, 1],
  [-1, 1],
  [1, -1],
  [-1, -1],
];

/**
 * The ranges of full hashes, [from, to), that hold every point of the shape: those of the cell in the
 * middle and of its neighbours, as far as they matter.
 */
export function rangesAround(shape: Shape): [from: number, to: number][] {
  const { center } = shape;
  const radius = "radius" in shape ? shape.radius : Math.hypot(shape.width / 2, shape.height / 2);
  const bounds = boundsOf(shape);
  let steps = stepsFor(radius, center.latitude);
  if (steps > 1 && !reachesFar(center, steps, bounds)) steps--;
  const middle = cellOf(encode(center, steps), steps);
  const cells: number[] = [];
  for (const [x, y] of AROUND) {
    if (steps >= 2 && isUseless(x, y, middle, bounds)) continue;
    const prefix = neighbour(middle.prefix, steps, x, y);
    // With few steps two neighbours may be the same cell.
    if (cells.at(-1) !== prefix) cells.push(prefix);
  }
  const span = 2 ** (2 * (STEPS_MAX - steps));
  assert(cells.length > 0 && span >= 1, "there is at least one range");
  return cells.map((prefix) => [prefix * span, (prefix + 1) * span]);
}

/** Whether the cell of `center` and its neighbours reach as far as the bounds. */
function reachesFar(center: Point, steps: number, bounds: Omit<Cell, "prefix">): boolean {
  assert(steps > 1, "a cell has others beside it");
  const prefix = encode(center, steps);
  const at = (x: number, y: number): Cell => cellOf(neighbour(prefix, steps, x, y), steps);
  return at(0, 1).north >= bounds.north && at(0, -1).south <= bounds.south &&
    at(1, 0).east >= bounds.east && at(-1, 0).west <= bounds.west;
}

/** Whether a neighbour is not needed: the cell in the middle covers the shape on that side. */
function isUseless(x: number, y: number, middle: Cell, bounds: Omit<Cell, "prefix">): boolean {
  assert(middle.west < middle.east && middle.south < middle.north, "a cell has an extent");
  return (y < 0 && middle.south < bounds.south) || (y > 0 && middle.north > bounds.north) ||
    (x < 0 && middle.west < bounds.west) || (x > 0 && middle.east > bounds.east);
}

/** The cell so many steps to the east and to the north; behind the last one the first one follows. */
function neighbour(prefix: number, steps: number, x: number, y: number): number {
  assert(x >= -1 && x <= 1 && y >= -1 && y <= 1, "a neighbour is one of eight");
  return interleave(moved(evenBits(prefix, 1), x, steps), moved(evenBits(prefix, 0), y, steps));
}

/** A point on the eastern or northern edge lies in a cell beyond the last one, and stays there unless it is moved. */
function moved(at: number, by: number, steps: number): number {
  assert(by >= -1 && by <= 1, "a neighbour is one step away");
  const size = 2 ** steps;
  assert(at >= 0 && at <= size, "a place lies on the map");
  return by === 0 ? at : (at + by + size) % size;
}

/** Bits of `y` at even places, of `x` at odd ones. */
function interleave(x: number, y: number): number {
  assert(x >= 0 && y >= 0, "coordinates are not negative");
  const low = spread(y & 0xffff) + 2 * spread(x & 0xffff);
  const high = spread(Math.floor(y / 65536)) + 2 * spread(Math.floor(x / 65536));
  return high * 2 ** 32 + low;
}

/** Puts a zero before each of 16 bits. */
function spread(bits: number): number {
  assert(bits >= 0, "the bits are not negative");
  let spaced = bits;
  spaced = (spaced | (spaced << 8)) & 0x00ff00ff;
  spaced = (spaced | (spaced << 4)) & 0x0f0f0f0f;
  spaced = (spaced | (spaced << 2)) & 0x33333333;
  return (spaced | (spaced << 1)) & 0x55555555;
}

/** Every second bit of a hash, from bit `first` on. */
function evenBits(hash: number, first: number): number {
  assert(first === 0 || first === 1, "every second bit begins at the first or the second");
  // The operator takes the low 32 bits, as `%` would, which V8 leaves to a C function.
  const low = gather(hash >>> first);
  const high = gather(Math.floor(hash / 2 ** 32) >>> first);
  return high * 65536 + low;
}

/** Takes 16 bits with a bit between them together. */
function gather(bits: number): number {
  let packed = bits & 0x55555555;
  packed = (packed | (packed >>> 1)) & 0x33333333;
  packed = (packed | (packed >>> 2)) & 0x0f0f0f0f;
  packed = (packed | (packed >>> 4)) & 0x00ff00ff;
  return (packed | (packed >>> 8)) & 0xffff;
}
