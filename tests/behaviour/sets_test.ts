import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Reply, ReplyError, TestServer } from "../support/harness.ts";

const sorted = (reply: Reply): string[] => (reply as string[]).toSorted();

Deno.test("SADD counts new members, SREM those that were there", () => {
  const server = new TestServer();
  assertEquals(server.run("SADD s a b a"), 2);
  assertEquals(server.run("SADD s b c"), 1);
  assertEquals(server.run("SCARD s"), 3);
  assertEquals(server.run("SISMEMBER s a"), 1);
  assertEquals(server.run("SMISMEMBER s a x c"), [1, 0, 1]);
  assertEquals(server.run("SMISMEMBER none a"), [0]);
  assertEquals(sorted(server.run("SMEMBERS s")), ["a", "b", "c"]);
  assertEquals(server.run("SREM s a x c"), 2);
  assertEquals(server.run("SREM s b"), 1);
  assertEquals(server.run("EXISTS s"), 0);
});

Deno.test("a set's encoding follows its members", () => {
  const server = new TestServer();
  const encoding = (key: string): Reply => server.run(`OBJECT ENCODING ${key}`);
  server.run("SADD ints 1 2 -9223372036854775808");
  assertEquals(encoding("ints"), "intset");
  server.run("SADD ints a");
  assertEquals(encoding("ints"), "listpack");
  server.run(`SADD ints ${"x".repeat(65)}`);
  assertEquals(encoding("ints"), "hashtable");
  assertEquals(server.run("SCARD ints"), 5);
  for (let i = 0; i < 512; i++) server.run(`SADD many ${i}`);
  assertEquals(encoding("many"), "intset");
  server.run("SADD many 512");
  assertEquals(encoding("many"), "hashtable");
  for (let i = 0; i < 128; i++) server.run(`SADD words w${i}`);
  assertEquals(encoding("words"), "listpack");
  server.run("SADD words w128");
  assertEquals(encoding("words"), "hashtable");
  server.run(`SADD atonce ${Array.from({ length: 129 }, (_, i) => `w${i}`).join(" ")}`);
  assertEquals(encoding("atonce"), "hashtable");
  server.run("CONFIG SET set-max-intset-entries 0");
  server.run("SADD noints 1");
  assertEquals(encoding("noints"), "listpack");
});

Deno.test("sets do what Sets would, in every encoding", () => {
  const member = fc.oneof(
    fc.integer({ min: -20, max: 20 }).map(String),
    fc.constantFrom("9223372036854775807", "40000", "3000000000"),
    fc.constantFrom("a", "b", "", "x".repeat(65), "y".repeat(40_000)),
  );
  const step = fc.tuple(fc.boolean(), fc.constantFrom("s", "t", "u"), member);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const server = new TestServer();
      const model: Record<string, Set<string>> = { s: new Set(), t: new Set(), u: new Set() };
      for (const [adds, key, text] of steps) {
        if (adds) {
          assertEquals(server.call("SADD", key, text), model[key].has(text) ? 0 : 1);
          model[key].add(text);
        } else assertEquals(server.call("SREM", key, text), model[key].delete(text) ? 1 : 0);
      }
      const { s, t, u } = model;
      assertEquals(sorted(server.run("SMEMBERS s")), [...s].sort());
      assertEquals(sorted(server.run("SINTER s t")), [...s.intersection(t)].sort());
      assertEquals(sorted(server.run("SUNION s t u")), [...s.union(t).union(u)].sort());
      assertEquals(sorted(server.run("SDIFF s t u")), [...s.difference(t).difference(u)].sort());
      const all = s.intersection(t).intersection(u);
      assertEquals(sorted(server.run("SINTER s t u")), [...all].sort());
      assertEquals(server.run("SINTERCARD 2 s t"), s.intersection(t).size);
      assertEquals(server.run("SINTERCARD 3 s t u LIMIT 1"), Math.min(all.size, 1));
      assertEquals(server.run("SINTERCARD 1 s LIMIT 3"), Math.min(s.size, 3));
      assertEquals(server.run("SUNIONSTORE s s t"), s.union(t).size);
      assertEquals(sorted(server.run("SMEMBERS s")), [...s.union(t)].sort());
      server.run("COPY t copy");
      server.run("DEL t");
      assertEquals(sorted(server.run("SMEMBERS copy")), [...t].sort());
    }),
    { numRuns: 60 },
  );
});

Deno.test("results that are stored replace what was there", () => {
  const server = new TestServer();
  server.run("SADD a 1 2 3 x");
  server.run("SADD b 2 3 4");
  server.run("SET d text EX 100");
  assertEquals(server.run("SINTERSTORE d a b"), 2);
  assertEquals(server.run("TTL d"), -1);
  assertEquals(server.run("OBJECT ENCODING d"), "intset");
  assertEquals(server.run("SDIFFSTORE d b b"), 0);
  assertEquals(server.run("EXISTS d"), 0);
  assertEquals(server.run("SINTERCARD 2 a b LIMIT 1"), 1);
  assertEquals(
    server.run("SINTERCARD 0 a"),
    new ReplyError("ERR numkeys should be greater than 0"),
  );
  assertEquals(
    server.run("SINTERCARD 3 a b"),
    new ReplyError("ERR Number of keys can't be greater than number of args"),
  );
  assertEquals(
    server.run("SINTERCARD 1 a LIMIT -1"),
    new ReplyError("ERR LIMIT can't be negative"),
  );
});

Deno.test("SPOP and SRANDMEMBER pick different members", () => {
  const server = new TestServer();
  assertEquals(server.run("SPOP s"), null);
  assertEquals(server.run("SPOP s 3"), []);
  assertEquals(server.run("SRANDMEMBER s"), null);
  assertEquals(server.run("SRANDMEMBER s 3"), []);
  for (const members of [["1", "2", "3"], ["a", "b", "3"], ["a", "b", "c".repeat(70)]]) {
    server.run(`SADD s ${members.join(" ")}`);
    assertEquals(new Set(server.run("SRANDMEMBER s 2") as string[]).size, 2);
    assertEquals((server.run("SRANDMEMBER s -50") as string[]).length, 50);
    assertEquals(sorted(server.run("SRANDMEMBER s 50")), members.toSorted());
    const popped = [server.run("SPOP s"), ...(server.run("SPOP s 2") as string[])] as string[];
    assertEquals(popped.sort(), members.toSorted());
    assertEquals(server.run("EXISTS s"), 0);
  }
  assertEquals(
    server.run("SPOP s -1"),
    new ReplyError("ERR value is out of range, must be positive"),
  );
});

Deno.test("SMOVE moves a member that is there", () => {
  const server = new TestServer();
  server.run("SADD a 1 x");
  assertEquals(server.run("SMOVE a b x"), 1);
  assertEquals(server.run("SMOVE a b x"), 0);
  assertEquals(server.run("SMOVE a a 1"), 1);
  assertEquals(server.run("SMOVE a b 1"), 1);
  assertEquals(server.run("EXISTS a"), 0);
  assertEquals(sorted(server.run("SMEMBERS b")), ["1", "x"]);
});

Deno.test("SSCAN shows every member that stays", () => {
  const server = new TestServer();
  for (let i = 0; i < 900; i++) server.run(`SADD s stay${i}`);
  const seen = new Set<string>();
  let cursor = "0";
  let round = 0;
  do {
    const [next, found] = server.run(`SSCAN s ${cursor} COUNT 7`) as [string, string[]];
    for (const member of found) seen.add(member);
    cursor = next;
    round++;
    for (let i = 0; i < 30; i++) {
      server.run(round % 3 === 0 ? `SREM s go${round - 1}-${i}` : `SADD s go${round}-${i}`);
    }
  } while (cursor !== "0");
  for (let i = 0; i < 900; i++) assert(seen.has(`stay${i}`), `stay${i} was shown`);
});

Deno.test("Of a key that isn't there any number of random elements is none", () => {
  const server = new TestServer();
  const most = "-9223372036854775807";
  const pairs = "-4611686018427387903";
  for (const name of ["SRANDMEMBER", "HRANDFIELD", "ZRANDMEMBER"]) {
    assertEquals(server.run(`${name} none ${most}`), []);
    assert(server.run(`${name} none -9223372036854775808`) instanceof ReplyError);
  }
  for (const words of ["HRANDFIELD none % WITHVALUES", "ZRANDMEMBER none % WITHSCORES"]) {
    assertEquals(server.run(words.replace("%", pairs)), []);
    const refused = server.run(words.replace("%", "-4611686018427387904")) as ReplyError;
    assertEquals(refused.message, "ERR value is out of range");
  }
});
