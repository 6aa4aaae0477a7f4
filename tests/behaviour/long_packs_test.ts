/** Listpacks and intsets that the configuration lets grow beyond what lies in an entry. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { RdbFileLoader, RdbFileWriter } from "../../src/persistence/rdb_file.ts";
import { TestServer } from "../support/harness.ts";
import { dumped } from "../support/payload.ts";

const LIMITS = [
  ...["hash-max-listpack-entries", "set-max-listpack-entries", "zset-max-listpack-entries"],
  ...["hash-max-listpack-value", "set-max-listpack-value", "zset-max-listpack-value"],
  "set-max-intset-entries",
];

function setLimits(server: TestServer, limit: number): void {
  for (const name of LIMITS) assertEquals(server.run(`CONFIG SET ${name} ${limit}`), "OK");
}

function encoding(server: TestServer, key: string): unknown {
  return server.call("OBJECT", "ENCODING", key);
}

function digest(server: TestServer, key: string): string {
  return (server.call("DEBUG", "DIGEST-VALUE", key) as string[])[0];
}

/** Copies, renames, dumps and restores `key`: the results have the same contents and encoding. */
function checkTwins(server: TestServer, key: string): void {
  server.call("COPY", key, "copy");
  server.call("RENAME", "copy", "renamed");
  assertEquals(server.call("RESTORE", "restored", "0", dumped(server, key)), "OK");
  for (const twin of ["renamed", "restored"]) {
    assertEquals(encoding(server, twin), encoding(server, key));
    assertEquals(digest(server, twin), digest(server, key));
    server.call("DEL", twin);
  }
}

/** Saves the data and loads them into another server. */
async function checkFile(server: TestServer, version: number): Promise<void> {
  const path = await Deno.makeTempFile();
  const settings = { isRdb: true, version, compresses: true, withCrc: true, syncsOften: false };
  const rest = { keyDelayUs: 0, aux: [], functions: [], head: "" };
  const { keyspace } = server.engine;
  new RdbFileWriter(keyspace, path, `${path}.temp`, { ...settings, ...rest }).runSync();
  const other = new TestServer();
  setLimits(other, 1_000_000);
  const options = {
    dropsExpired: false,
    checksCrc: true,
    onLoss: () => {},
    onLibrary: () => null,
  };
  const loader = new RdbFileLoader(path, other.engine.keyspace, options);
  loader.slice(() => false);
  loader.close();
  assertEquals(other.run("DEBUG DIGEST"), server.run("DEBUG DIGEST"));
  for (const key of server.run("KEYS *") as string[]) {
    assertEquals(encoding(other, key), encoding(server, key), key);
  }
  await Deno.remove(path);
}

Deno.test("a hash, a set and a sorted set stay listpacks as long as the limits let them", async () => {
  const server = new TestServer();
  setLimits(server, 1_000_000);
  const empty = server.engine.keyspace.entries.usedBytes;
  for (let i = 0; i < 600; i++) {
    const text = `${i}`.padStart(7, "x").repeat(1 + i % 40);
    server.call("HSET", "hash", `field ${i}`, text, "short", `${i}`);
    server.call("SADD", "set", text, `${i}`);
    server.call("ZADD", "zset", `${i * 7 % 600}.5`, text);
  }
  for (const key of ["hash", "set", "zset"]) {
    assertEquals(encoding(server, key), "listpack");
    assertEquals((server.call("MEMORY", "USAGE", key) as number) > 50_000, true);
    checkTwins(server, key);
  }
  assertEquals((server.run("HKEYS hash") as string[]).slice(0, 3), ["field 0", "short", "field 1"]);
  assertEquals((server.run("ZRANGE zset 0 0") as string[])[0], "xxxxxx0");
  await checkFile(server, 10);
  await checkFile(server, 11);
  setLimits(server, 10);
  server.call("HSET", "hash", "one", "more");
  server.call("SADD", "set", "more");
  server.call("ZADD", "zset", "1", "more");
  assertEquals(["hash", "set", "zset"].map((key) => encoding(server, key)), [
    ...["hashtable", "hashtable", "skiplist"],
  ]);
  assertEquals(server.run("HLEN hash"), 602);
  server.run("FLUSHALL SYNC");
  assertEquals(server.engine.keyspace.entries.usedBytes, empty);
});

Deno.test("an intset grows as far as its limit, and becomes a listpack or a table then", async () => {
  const server = new TestServer();
  setLimits(server, 100_000);
  for (let i = 0; i < 9000; i += 100) {
    server.call("SADD", "ints", ...Array.from({ length: 100 }, (_, j) => `${(i + j) * 1_000_003}`));
  }
  assertEquals(encoding(server, "ints"), "intset");
  assertEquals(server.run("SCARD ints"), 9000);
  assertEquals(server.run("SISMEMBER ints 1000003"), 1);
  checkTwins(server, "ints");
  await checkFile(server, 10);
  server.run("COPY ints words");
  server.run("SADD words word");
  assertEquals(encoding(server, "words"), "listpack");
  assertEquals(server.run("SCARD words"), 9001);
  server.run("CONFIG SET set-max-intset-entries 9000");
  server.run("SADD ints 5");
  assertEquals(encoding(server, "ints"), "hashtable");
  assertEquals(server.run("SCARD ints"), 9001);
});

Deno.test("a hash that grows and shrinks across the length of an entry is a plain map", () => {
  const edit = fc.record({
    field: fc.nat(30),
    length: fc.oneof(fc.nat(100), fc.integer({ min: 2000, max: 20_000 })),
    removes: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 60 }), (edits) => {
      const server = new TestServer();
      setLimits(server, 1_000_000);
      const model = new Map<string, string>();
      for (const { field, length, removes } of edits) {
        const name = `f${field}`;
        const value = `${length},`.repeat(length).slice(0, length);
        if (removes) {
          server.call("HDEL", "h", name);
          model.delete(name);
        } else {
          server.call("HSET", "h", name, value);
          model.set(name, value);
        }
      }
      assertEquals(server.run("HGETALL h"), [...model].flat());
      if (model.size > 0) assertEquals(encoding(server, "h"), "listpack");
      server.run("DEL h");
      assertEquals(server.engine.keyspace.entries.usedBytes, 0);
    }),
    { numRuns: 60 },
  );
});
