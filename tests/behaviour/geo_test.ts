import { assertEquals } from "@std/assert";
import { ReplyError, TestServer } from "../support/harness.ts";

function sicily(): TestServer {
  const server = new TestServer();
  server.run("GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania");
  return server;
}

Deno.test("places are kept, compared and found", () => {
  const server = sicily();
  assertEquals(server.run("GEODIST g Palermo Catania"), "166274.1516");
  assertEquals(server.run("GEODIST g Palermo Catania mi"), "103.3182");
  assertEquals(server.run("GEODIST g Palermo none"), null);
  assertEquals(server.run("GEOPOS g Palermo none"), [
    ["13.36138933897018433", "38.11555639549629859"],
    null,
  ]);
  assertEquals(server.run("GEOHASH g Palermo Catania"), ["sqc8b49rny0", "sqdtr74hyu0"]);
  assertEquals(server.run("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km DESC"), [
    "Palermo",
    "Catania",
  ]);
  assertEquals(
    server.run("GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km ASC COUNT 1 WITHDIST WITHHASH"),
    [["Catania", "56.4413", 3479447370796909]],
  );
  assertEquals(server.run("TYPE g"), "zset");
});

Deno.test("NX, XX and CH decide what GEOADD changes and counts", () => {
  const server = sicily();
  assertEquals(server.run("GEOADD g NX 1 1 Palermo"), 0);
  assertEquals(server.run("GEOADD g XX CH 1 1 Palermo 2 2 none"), 1);
  assertEquals(server.run("GEOADD none XX 1 1 a"), 0);
  assertEquals(server.run("EXISTS none"), 0);
  assertEquals(server.run("ZCARD g"), 2);
});

Deno.test("what was found can be stored, with hashes or distances", () => {
  const server = sicily();
  assertEquals(server.run("GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST"), 2);
  assertEquals(server.run("ZRANGE d 0 -1"), ["Catania", "Palermo"]);
  assertEquals(server.run("GEORADIUS g 15 37 200 km STORE d"), 2);
  assertEquals(server.run("ZSCORE d Palermo"), "3479099956230698");
  assertEquals(server.run("GEORADIUSBYMEMBER g Palermo 1 km STORE d"), 1);
  assertEquals(server.run("GEORADIUS g 0 0 1 km STORE d"), 0);
  assertEquals(server.run("EXISTS d"), 0);
});

Deno.test("geo commands say what is wrong", () => {
  const server = sicily();
  for (
    const [line, text] of [
      ["GEOADD g 200 10 x", "invalid longitude,latitude pair 200.000000,10.000000"],
      ["GEODIST g a b yd", "unsupported unit provided. please use M, KM, FT, MI"],
      ["GEORADIUS g 1 1 x m", "need numeric radius"],
      ["GEORADIUS g 1 1 -5 m", "radius cannot be negative"],
      ["GEORADIUS g 1 1 5 m COUNT 0", "COUNT must be > 0"],
      ["GEORADIUS g 1 1 5 m ANY", "the ANY argument requires COUNT argument"],
      ["GEORADIUSBYMEMBER g none 5 m", "could not decode requested zset member"],
      [
        "GEOSEARCH g BYRADIUS 1 m ASC WITHDIST",
        "exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH",
      ],
      [
        "GEORADIUS g 1 1 5 m WITHDIST STORE d",
        "STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
      ],
    ]
  ) assertEquals(server.run(line), new ReplyError(`ERR ${text}`), line);
});

Deno.test("a point on the edge of the map is found where it is", () => {
  const server = new TestServer();
  server.run("GEOADD g 180 85.05112878 corner");
  assertEquals(server.run("GEOSEARCH g FROMMEMBER corner BYRADIUS 10 m"), ["corner"]);
});

Deno.test("an error about the key comes before errors about later arguments", () => {
  const server = sicily();
  server.run("SET s v");
  const wrongType = "WRONGTYPE Operation against a key holding the wrong kind of value";
  assertEquals(server.run("GEORADIUS s 1 1 x m"), new ReplyError(wrongType));
  assertEquals(
    server.run("GEORADIUSBYMEMBER g none x m"),
    new ReplyError("ERR could not decode requested zset member"),
  );
  assertEquals(server.run("GEORADIUSBYMEMBER missing none x yd"), []);
});
