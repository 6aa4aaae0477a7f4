import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  cellOf,
  decode,
  distance,
  distanceWithin,
  encode,
  geohashText,
  LATITUDE_MAX,
  type Point,
  rangesAround,
  type Shape,
} from "./geohash.ts";

const point = fc.record({
  longitude: fc.double({ min: -179.99, max: 179.99, noNaN: true }),
  latitude: fc.double({ min: -LATITUDE_MAX + 0.01, max: LATITUDE_MAX - 0.01, noNaN: true }),
});

Deno.test("a hash is an integer whose cell holds the point", () => {
  fc.assert(fc.property(point, fc.integer({ min: 1, max: 26 }), (place, steps) => {
    const hash = encode(place, steps);
    assert(Number.isSafeInteger(hash) && hash >= 0 && hash < 4 ** steps);
    const { west, east, south, north } = cellOf(hash, steps);
    assert(west - 1e-9 <= place.longitude && place.longitude <= east + 1e-9);
    assert(south - 1e-9 <= place.latitude && place.latitude <= north + 1e-9);
  }));
});

Deno.test("what is decoded is a metre off at most", () => {
  fc.assert(fc.property(point, (place) => {
    assert(distance(place, decode(encode(place))) < 1);
  }));
});

Deno.test("hashes and texts of known places", () => {
  const palermo: Point = { longitude: 13.361389, latitude: 38.115556 };
  const catania: Point = { longitude: 15.087269, latitude: 37.502669 };
  assertEquals(encode(palermo), 3479099956230698);
  assertEquals(encode(catania), 3479447370796909);
  assertEquals(geohashText(decode(encode(palermo))), "sqc8b49rny0");
  assertAlmostEquals(
    distance(decode(3479099956230698), decode(3479447370796909)),
    166274.1516,
    1e-3,
  );
});

Deno.test("the ranges around a shape hold every point in it, once", () => {
  const shape: fc.Arbitrary<Shape> = fc.oneof(
    fc.record({ center: point, radius: fc.double({ min: 1, max: 3_000_000, noNaN: true }) }),
    fc.record({
      center: point,
      width: fc.double({ min: 1, max: 3_000_000, noNaN: true }),
      height: fc.double({ min: 1, max: 3_000_000, noNaN: true }),
    }),
  );
  const near = fc.tuple(
    fc.double({ min: -1, max: 1, noNaN: true }),
    fc.double({
      min: -1,
      max: 1,
      noNaN: true,
    }),
  );
  fc.assert(
    fc.property(shape, fc.array(near, { minLength: 20, maxLength: 20 }), (around, offsets) => {
      if (Math.abs(around.center.latitude) > 60) return;
      const ranges = rangesAround(around);
      const reach = "radius" in around ? around.radius : Math.max(around.width, around.height);
      for (const [x, y] of offsets) {
        const latitude = around.center.latitude + y * reach / 111_000;
        const longitude = around.center.longitude + x * reach / 50_000;
        if (Math.abs(latitude) > 80 || Math.abs(longitude) > 179) continue;
        const hash = encode({ longitude, latitude });
        const within = distanceWithin(around, decode(hash));
        const holding = ranges.filter(([from, to]) => hash >= from && hash < to).length;
        assert(holding <= 1 || reach > 1_000_000);
        if (within === within) assert(holding > 0, `${JSON.stringify(around)} ${x} ${y}`);
      }
    }),
    { numRuns: 500 },
  );
});
