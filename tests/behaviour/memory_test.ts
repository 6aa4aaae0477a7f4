/** Unused memory goes back to the system, at once or within a second. Tests the mechanism, not the process's size. */
import { assert, assertEquals } from "@std/assert";
import type { LargeString } from "../../src/keyspace/entry.ts";
import { argsOf } from "../../src/protocol/args.ts";
import { SMALL_BYTES } from "../../src/structures/chunk_pool.ts";
import { loadMachinery } from "../../src/scripting/machinery.ts";
import { type Reply, TestServer } from "../support/harness.ts";
import { startRespite, Wire } from "../support/live.ts";

const LARGE = "x".repeat(1_000_000);
const SECOND_MS = 1000;

function keyspaceOf({ engine }: TestServer) {
  return engine.keyspace;
}

/** The buffer of a large string. */
function bufferOf(server: TestServer, key: string): Uint8Array {
  const { databases, entries } = keyspaceOf(server);
  return (entries.objectOf(databases[0].find(argsOf(key), 0)) as LargeString).content;
}

/** Runs the timer's ticks of one second. */
function passASecond(server: TestServer): void {
  for (let ms = 0; ms <= SECOND_MS; ms += 100) server.advance(100);
}

Deno.test("the buffer of a large value goes with DEL, SET and growth, and stays with RENAME", () => {
  const server = new TestServer();
  for (const key of ["a", "b", "c", "d"]) server.call("SET", key, LARGE);
  const [a, b, c, d] = ["a", "b", "c", "d"].map((key) => bufferOf(server, key));
  server.run("DEL a");
  server.run("SET b small");
  server.call("APPEND", "c", LARGE);
  server.run("RENAME d e");
  assertEquals([a, b, c].map((buffer) => buffer.length), [0, 0, 0]);
  assert(d.length >= LARGE.length);
  assertEquals(server.run("STRLEN c"), 2 * LARGE.length);
  assertEquals(server.run("GET e"), LARGE);
});

Deno.test("FLUSHALL leaves no more than a little of a spare chunk after a second", () => {
  const server = new TestServer();
  for (let i = 0; i < 8; i++) server.call("SET", `large:${i}`, LARGE);
  server.run("DEBUG POPULATE 200000 key 400");
  const buffers = Array.from({ length: 8 }, (_, i) => bufferOf(server, `large:${i}`));
  server.run("FLUSHALL");
  const { entries, chunks } = keyspaceOf(server);
  assertEquals([entries.arena.reservedBytes, entries.usedBytes], [0, 0]);
  assert(chunks.spareBytes > 80_000_000, "what comes at once finds memory that was touched");
  passASecond(server);
  assert(chunks.spareBytes <= SMALL_BYTES);
  assertEquals(buffers.map((buffer) => buffer.length), buffers.map(() => 0));
});

Deno.test("keys that are removed one by one leave no more than FLUSHALL does", () => {
  const server = new TestServer();
  server.run("DEBUG POPULATE 50000 key 400");
  server.run("FLUSHDB");
  passASecond(server);
  const { entries, chunks } = keyspaceOf(server);
  assertEquals([entries.usedBytes, entries.arena.reservedBytes], [0, 0]);
  assert(chunks.spareBytes <= SMALL_BYTES);
});

Deno.test("FLUSHALL of little keeps its chunk for what comes next", () => {
  const server = new TestServer();
  server.run("SET k v");
  const { entries } = keyspaceOf(server);
  const [chunk] = entries.arena.chunks;
  server.run("FLUSHALL");
  passASecond(server);
  server.run("SET k v");
  assertEquals([entries.arena.chunks[0] === chunk, keyspaceOf(server).entries === entries], [
    true,
    true,
  ]);
});

Deno.test("large collections are freed in slices, and FLUSHALL stops that for the next ones", () => {
  const server = new TestServer();
  const members = Array.from({ length: 5000 }, (_, i) => `member:${i}`);
  for (const command of ["SADD", "RPUSH", "PFADD"]) server.call(command, command, ...members);
  server.call("ZADD", "z", ...members.flatMap((member, i) => [`${i}`, member]));
  server.call("HSET", "h", ...members);
  server.call("HSET", "h", "large", LARGE);
  server.call("RPUSH", "l", LARGE, LARGE);
  server.call("XADD", "x", "*", "field", LARGE);
  server.call("BF.RESERVE", "bf", "0.01", "100000");
  server.run("DEL z");
  server.run("FLUSHALL");
  server.call("SADD", "SADD", ...members);
  passASecond(server);
  assertEquals(server.run("SCARD SADD"), 5000);
  server.run("DEL SADD");
  passASecond(server);
  assertEquals(keyspaceOf(server).entries.usedBytes, 0);
});

Deno.test("replies to a client that left without reading them take no memory", async () => {
  const { server, port, stop } = startRespite();
  try {
    const wire = await Wire.connect(port);
    await wire.send(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${LARGE.length}\r\n${LARGE}\r\n`);
    await wire.read();
    const slow = await Wire.connect(port);
    await slow.send("GET k\r\n".repeat(20));
    await wire.roundTrip("PING");
    const client = [...server.engine.clients.values()].find((one) => one.outputWaiting > 0);
    assert(client !== undefined, "a megabyte after another waits for a client that does not read");
    slow.close();
    while (server.engine.clients.size > 1) await wire.roundTrip("PING");
    assertEquals([client?.reply.capacity, client?.outputWaiting], [0, 0]);
    wire.close();
  } finally {
    await stop();
  }
});

Deno.test("used_memory counts tables, clients, what they are sent, tracking, channels and scripts", async () => {
  const lua = await loadMachinery();
  const server = new TestServer({ lua });
  const { engine } = server;
  const client = server.client();
  let before = engine.usedBytes;
  const grown = (): number => {
    const bytes = engine.usedBytes - before;
    before += bytes;
    return bytes;
  };
  client.client.reply.bulkBinary("x".repeat(100_000));
  assert(grown() >= 100_000);
  client.client.reply.drop();
  grown();
  client.run("CLIENT TRACKING ON");
  for (let i = 0; i < 1000; i++) client.run(`GET key:${i}`);
  assert(grown() >= 30_000);
  for (let i = 0; i < 100; i++) client.run(`WATCH key:${i}`);
  assert(grown() >= 15_000);
  for (let i = 0; i < 100; i++) client.run(`SUBSCRIBE channel:${i}`);
  assert(grown() >= 60_000);
  for (let i = 0; i < 100; i++) server.run(`EVAL 'return ${i}' 0`);
  assert(grown() >= 100_000);
  for (let i = 0; i < 100; i++) server.run(`SADD set member:${i}`);
  grown();
  server.run("SADD set " + "x".repeat(65));
  assert(grown() > 2000, "a table of members is several objects");
  const info = String(server.run("INFO memory"));
  const stats = server.run("MEMORY STATS") as Reply[];
  const shown = Number(info.match(/used_memory:(\d+)/)?.[1]);
  assert(Math.abs(shown - Number(stats[3])) < 10_000, `${shown} ${stats[3]}`);
});

Deno.test("what waits for replicas and the log is used, but not compared with maxmemory", () => {
  const server = new TestServer();
  const { engine } = server;
  const replica = server.client();
  engine.becomesReplica(replica.client);
  const compared = engine.usedBytesFor(replica.client);
  replica.client.reply.bulkBinary("x".repeat(1_000_000));
  assertEquals(engine.usedBytesFor(replica.client), compared);
  assert(engine.usedBytes > compared + 1_000_000);
  const info = String(server.run("INFO memory"));
  assert(Number(info.match(/mem_not_counted_for_evict:(\d+)/)?.[1]) > 1_000_000);
  assertEquals(
    info.match(/mem_clients_slaves:(\d+)/)?.[1],
    info.match(/mem_total_replication_buffers:(\d+)/)?.[1],
  );
  server.run(`CONFIG SET maxmemory ${compared + 200_000}`);
  assertEquals(server.run("SET k v"), "OK");
});
