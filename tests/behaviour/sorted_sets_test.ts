import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Type } from "../../src/keyspace/entry.ts";
import { ZsetValue } from "../../src/keyspace/zset_value.ts";
import { ReplyError, TestServer } from "../support/harness.ts";

/** Throws unless every sorted set of the server is whole. */
function verifyZsets(server: TestServer): void {
  const db = server.engine.keyspace.databases[0];
  db.forEach((ref) => {
    if (db.keyspace.entries.typeOf(ref) !== Type.zset) return;
    const zset = new ZsetValue();
    zset.cursor.openEntry(db, ref);
    zset.verify();
  });
}

/** What a sorted set is: pairs in order. */
class Model {
  readonly scores = new Map<string, number>();

  get sorted(): [string, number][] {
    return [...this.scores].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : a > b ? 1 : 0));
  }

  range(from: number, to: number): [string, number][] {
    return this.sorted.filter(([, score]) => score >= from && score <= to);
  }
}

const flat = (pairs: [string, number][]): string[] =>
  pairs.flatMap(([member, score]) => [member, String(score)]);

const member = fc.oneof(
  fc.integer({ min: 0, max: 30 }).map((n) => `m${n}`),
  fc.integer({ min: 0, max: 30 }).map(String),
  fc.constantFrom("", "x".repeat(65)),
);
const score = fc.integer({ min: -4, max: 12 }).map((n) => n / 2);
const step = fc.tuple(fc.integer({ min: 0, max: 5 }), member, score, score);

Deno.test("a sorted set is what a sorted list of pairs would be, in every encoding", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 90 }), fc.constantFrom(0, 8, 128), (steps, limit) => {
      const server = new TestServer();
      server.run(`CONFIG SET zset-max-ziplist-entries ${limit}`);
      const model = new Model();
      for (const [what, name, low, high] of steps) {
        const [from, to] = low < high ? [low, high] : [high, low];
        if (what < 3) {
          const isNew = !model.scores.has(name);
          assertEquals(server.call("ZADD", "z", String(low), name), isNew ? 1 : 0);
          model.scores.set(name, low);
        } else if (what === 3) {
          assertEquals(server.call("ZREM", "z", name), model.scores.delete(name) ? 1 : 0);
        } else if (what === 4) {
          const expected = (model.scores.get(name) ?? 0) + high;
          assertEquals(server.call("ZINCRBY", "z", String(high), name), String(expected));
          model.scores.set(name, expected);
        } else {
          const gone = model.range(from, from);
          assertEquals(server.run(`ZREMRANGEBYSCORE z ${from} ${from}`), gone.length);
          for (const [one] of gone) model.scores.delete(one);
        }
        assertEquals(server.run(`ZCOUNT z ${from} ${to}`), model.range(from, to).length);
        const place = model.sorted.findIndex(([one]) => one === name);
        assertEquals(server.call("ZRANK", "z", name), place < 0 ? null : place);
      }
      verifyZsets(server);
      const { sorted } = model;
      assertEquals(server.run("ZRANGE z 0 -1 WITHSCORES"), flat(sorted));
      assertEquals(server.run("ZRANGE z 0 -1 REV WITHSCORES"), flat(sorted.toReversed()));
      assertEquals(server.run("ZREVRANGE z 1 2 WITHSCORES"), flat(sorted.toReversed().slice(1, 3)));
      assertEquals(
        server.run("ZRANGEBYSCORE z (0 3 WITHSCORES LIMIT 1 3"),
        flat(model.range(0, 3).filter(([, one]) => one > 0).slice(1, 4)),
      );
      assertEquals(
        server.run("ZREVRANGEBYSCORE z 3 0 WITHSCORES LIMIT 1 3"),
        flat(model.range(0, 3).reverse().slice(1, 4)),
      );
      server.run("COPY z copy");
      server.run("DEL z");
      assertEquals(server.run("ZRANGE copy 0 -1 WITHSCORES"), flat(sorted));
      verifyZsets(server);
    }),
    { numRuns: 80 },
  );
});

Deno.test("ZADD's options decide what changes and what is counted", () => {
  const server = new TestServer();
  assertEquals(server.run("ZADD z XX 1 a"), 0);
  assertEquals(server.run("EXISTS z"), 0);
  assertEquals(server.run("ZADD z NX 1 a 2 b"), 2);
  assertEquals(server.run("ZADD z NX CH 5 a 3 c"), 1);
  assertEquals(server.run("ZADD z XX CH 5 a 9 d"), 1);
  assertEquals(server.run("ZADD z GT CH 4 a 7 b"), 1);
  assertEquals(server.run("ZADD z LT CH 4 a 9 b"), 1);
  assertEquals(server.run("ZADD z INCR 1.5 a"), "5.5");
  assertEquals(server.run("ZADD z NX INCR 1 a"), null);
  assertEquals(server.run("ZADD z GT INCR -1 a"), null);
  for (
    const [line, text] of [
      ["ZADD z NX XX 1 a", "XX and NX options at the same time are not compatible"],
      ["ZADD z GT LT 1 a", "GT, LT, and/or NX options at the same time are not compatible"],
      ["ZADD z INCR 1 a 2 b", "INCR option supports a single increment-element pair"],
      ["ZADD z x a", "value is not a valid float"],
      ["ZADD z nan a", "value is not a valid float"],
      ["ZADD z 1", "wrong number of arguments for 'zadd' command"],
      ["ZADD z 1 a 2", "syntax error"],
    ]
  ) assertEquals(server.run(line), new ReplyError(`ERR ${text}`), line);
  server.run("ZADD z inf i");
  assertEquals(
    server.run("ZINCRBY z -inf i"),
    new ReplyError("ERR resulting score is not a number (NaN)"),
  );
});

Deno.test("ranges by name", () => {
  const server = new TestServer();
  server.run("ZADD z 0 a 0 b 0 c 0 d 0 e");
  assertEquals(server.run("ZRANGEBYLEX z - [c"), ["a", "b", "c"]);
  assertEquals(server.run("ZRANGEBYLEX z (a (d"), ["b", "c"]);
  assertEquals(server.run("ZREVRANGEBYLEX z + [c LIMIT 1 2"), ["d", "c"]);
  assertEquals(server.run("ZRANGE z [b [d BYLEX REV"), []);
  assertEquals(server.run("ZRANGE z [d [b BYLEX REV"), ["d", "c", "b"]);
  assertEquals(server.run("ZLEXCOUNT z [b +"), 4);
  assertEquals(server.run("ZREMRANGEBYLEX z - (c"), 2);
  assertEquals(
    server.run("ZRANGEBYLEX z a b"),
    new ReplyError("ERR min or max not valid string range item"),
  );
  assertEquals(
    server.run("ZRANGE z 0 1 LIMIT 0 1"),
    new ReplyError(
      "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
    ),
  );
});

Deno.test("scores and weights are combined as asked", () => {
  const server = new TestServer();
  server.run("ZADD a 1 x 2 y");
  server.run("ZADD b 10 y 20 z");
  server.run("SADD s x z");
  assertEquals(server.run("ZUNION 2 a b WITHSCORES"), ["x", "1", "y", "12", "z", "20"]);
  assertEquals(server.run("ZUNION 2 a b WEIGHTS 2 1 AGGREGATE MAX WITHSCORES"), [
    "x",
    "2",
    "y",
    "10",
    "z",
    "20",
  ]);
  assertEquals(server.run("ZINTER 2 a s WITHSCORES"), ["x", "2"]);
  assertEquals(server.run("ZDIFF 2 a b WITHSCORES"), ["x", "1"]);
  assertEquals(server.run("ZINTERSTORE a 2 a b"), 1);
  assertEquals(server.run("ZRANGE a 0 -1 WITHSCORES"), ["y", "12"]);
  assertEquals(server.run("ZINTERCARD 2 a b"), 1);
  assertEquals(
    server.run("ZUNION 0 a"),
    new ReplyError("ERR at least 1 input key is needed for 'zunion' command"),
  );
  assertEquals(
    server.run("ZUNION 1 a WEIGHTS x"),
    new ReplyError("ERR weight value is not a float"),
  );
});

Deno.test("ZPOPMIN, ZPOPMAX and ZMPOP take from the ends", () => {
  const server = new TestServer();
  server.run("ZADD z 1 a 2 b 3 c 4 d");
  assertEquals(server.run("ZPOPMIN z"), ["a", "1"]);
  assertEquals(server.run("ZPOPMAX z 2"), ["d", "4", "c", "3"]);
  assertEquals(server.run("ZMPOP 1 z MAX COUNT 10"), ["z", [["b", "2"]]]);
  assertEquals(server.run("EXISTS z"), 0);
  assertEquals(server.run("ZPOPMIN z"), []);
  assertEquals(server.run("ZMPOP 1 z MIN"), null);
});

Deno.test("ZQUERY seeks a pair and steps on", () => {
  const server = new TestServer();
  for (let i = 0; i < 300; i++) server.run(`ZADD z ${Math.floor(i / 3)} n${i % 3}`);
  server.run("DEL z");
  for (let i = 0; i < 300; i++) server.run(`ZADD z ${Math.floor(i / 3)} n${i}`);
  assertEquals(server.run("ZQUERY z 10 n31 0 2"), ["n31", "10", "n32", "10"]);
  assertEquals(server.run("ZQUERY z 10 '' 200 1"), ["n230", "76"]);
  assertEquals(server.run("ZQUERY z 1000 a 0 10"), []);
  assertEquals(server.run("ZQUERY none 0 a 0 10"), null);
});

Deno.test("ZSCAN shows every member that stays, ZRANDMEMBER different ones", () => {
  const server = new TestServer();
  for (let i = 0; i < 500; i++) server.run(`ZADD z ${i} stay${i}`);
  const seen = new Set<string>();
  let cursor = "0";
  let round = 0;
  do {
    const [next, found] = server.run(`ZSCAN z ${cursor} COUNT 9`) as [string, string[]];
    for (let i = 0; i < found.length; i += 2) seen.add(found[i]);
    cursor = next;
    for (let i = 0; i < 40; i++) {
      server.run(round % 2 === 0 ? `ZADD z ${i} go${round}-${i}` : `ZREM z go${round - 1}-${i}`);
    }
    round++;
  } while (cursor !== "0");
  for (let i = 0; i < 500; i++) assert(seen.has(`stay${i}`), `stay${i} was shown`);
  assertEquals(new Set(server.run("ZRANDMEMBER z 100") as string[]).size, 100);
});

Deno.test("in RESP3 scores are doubles and pairs are nested", () => {
  const server = new TestServer();
  server.run("ZADD z 1.5 a");
  const client = server.client();
  client.run("HELLO 3");
  assertEquals(client.run("ZSCORE z a"), 1.5);
  assertEquals(client.run("ZRANGE z 0 -1 WITHSCORES"), [["a", 1.5]]);
  assertEquals(client.run("ZPOPMIN z"), ["a", 1.5]);
});
Deno.test("DEBUG DIGEST of sorted sets is that of redis-server 7.2", () => {
  const server = new TestServer();
  server.run("ZADD a 0.1 m");
  server.run("ZADD b 28e9 m -1e15 n");
  server.run("ZADD c 3 m inf n");
  assertEquals(server.run("DEBUG DIGEST-VALUE a b c"), [
    "7e1bae26d61f35a2675e4748edc8fe0bff072cee",
    "767a40652108e398d38e96cd788d5b345d938b45",
    "0250c68049e5c9e7e5a39779f69c9f000a0c0c81",
  ]);
  assertEquals(server.run("DEBUG DIGEST"), "9897d4581c8c25999b3bffceacd6d2a0875914ff");
});
Deno.test("a range is by name or by score, and reversed once", () => {
  const server = new TestServer();
  server.run("ZADD z 1 a 2 b");
  const lines = [
    "ZRANGE z 0 1 BYLEX BYSCORE",
    "ZRANGE z [a [b BYSCORE BYLEX",
    "ZRANGE z 0 5 BYSCORE BYSCORE",
    "ZRANGE z 5 0 BYSCORE REV REV",
    "ZRANGESTORE d z 0 1 BYLEX BYSCORE",
  ];
  for (const line of lines) {
    assertEquals(server.run(line), new ReplyError("ERR syntax error"), line);
  }
  assertEquals(server.run("ZRANGE z 0 5 BYSCORE WITHSCORES WITHSCORES"), ["a", "1", "b", "2"]);
});
