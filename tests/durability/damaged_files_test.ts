/** Files with damage, loaded by DEBUG: what is left in memory is whole, and the server goes on. */
import { assert, assertEquals } from "@std/assert";
import { binaryBytes } from "../../src/protocol/args.ts";
import { audit, auditEmptied } from "../support/audit.ts";
import { ReplyError, TestServer } from "../support/harness.ts";
import { payloadOf, signed } from "../support/payload.ts";
import { requestOf } from "../support/requests.ts";

const RELOAD_FAILED = "ERR Error trying to load the RDB dump, check server logs.";
const LOAD_FAILED = "ERR Error trying to load the AOF files, check server logs.";

function dirOf(server: TestServer): string {
  return server.parameters.values.dir;
}

/** Makes a log of these files the one that DEBUG LOADAOF loads. */
function writeLog(server: TestServer, manifest: string, requests: readonly string[][]): void {
  const folder = `${dirOf(server)}/appendonlydir`;
  Deno.mkdirSync(folder, { recursive: true });
  Deno.writeFileSync(`${folder}/appendonly.aof.manifest`, binaryBytes(manifest));
  Deno.writeFileSync(`${folder}/log.aof`, binaryBytes(requests.map(requestOf).join("")));
}

const LARGE: readonly string[] = [
  `RPUSH k ${"element ".repeat(2000)}`,
  `SADD k ${Array.from({ length: 600 }, (_, i) => `m${i}`).join(" ")}`,
  `HSET k ${Array.from({ length: 600 }, (_, i) => `f${i} v`).join(" ")}`,
  `ZADD k ${Array.from({ length: 600 }, (_, i) => `${i} m${i}`).join(" ")}`,
  "XADD k 1-1 f v | XADD k 2-1 f v | XGROUP CREATE k g 0 | XREADGROUP GROUP g c STREAMS k >",
];

for (const lines of LARGE) {
  Deno.test(`a file that ends within what ${lines.slice(0, 4)} made leaves no half of it`, () => {
    const server = new TestServer();
    server.run("SET first 1");
    for (const line of lines.split(" | ")) server.run(line);
    server.run("SAVE");
    const path = `${dirOf(server)}/dump.rdb`;
    const file = Deno.readFileSync(path);
    for (const share of [0.5, 0.8, 0.9, 0.95]) {
      Deno.writeFileSync(path, signed(file.slice(0, Math.floor(share * file.length))));
      assertEquals(server.run("DEBUG RELOAD NOSAVE"), new ReplyError(RELOAD_FAILED));
      audit(server.server);
      assertEquals(server.run("EXISTS k"), 0);
    }
    auditEmptied(server.server);
  });
}

Deno.test("a stream whose ids do not ascend within a node, or from node to node, is refused", () => {
  const server = new TestServer();
  // Two nodes: 1-1 and 2-1, 3-1.
  for (const line of ["CONFIG SET stream-node-max-entries 2", "XADD k 1-1 f v"]) server.run(line);
  for (const id of ["2-1", "3-1", "4-1"]) server.run(`XADD k ${id} f v`);
  const dump = binaryBytes(server.run("DUMP k") as string);
  const body = [...dump.slice(0, -10)];
  const refused = new ReplyError("ERR Bad data format");
  // The milliseconds, relative to those of the node, of its second entry: "2 1 1 1 0 1" are mark, 1 ms, 0.
  const places = body.flatMap((byte, at) =>
    byte === 2 && body[at + 1] === 1 && body[at + 2] === 1 && body[at + 3] === 1 ? [at + 2] : []
  );
  assertEquals(places.length, 2);
  const restore = (at: number, value: number): unknown => {
    const changed = body.with(at, value);
    return server.call("RESTORE", "k2", "0", payloadOf(changed), "REPLACE");
  };
  assertEquals(restore(places[0], 1), "OK");
  // As early as the one before it; after the next node's first.
  assertEquals([restore(places[0], 0), restore(places[0], 5)], [refused, refused]);
  audit(server.server);
});

Deno.test("a field or member that a file has twice is there once when the collection has grown", () => {
  for (const line of ["HSET k a 1 b 2", "ZADD k 1 a 2 b", "SADD k a b x"]) {
    const server = new TestServer();
    server.run(line);
    for (const words of ["rdbcompression no", "rdb-version 11"]) server.run(`CONFIG SET ${words}`);
    server.run("SAVE");
    const path = `${dirOf(server)}/dump.rdb`;
    // In the listpack an "a" has its length and mark in front, and the length of both behind.
    const file = Deno.readFileSync(path);
    const at = file.findIndex((byte, i) =>
      byte === 0x81 && file[i + 1] === 0x62 && file[i + 2] === 2
    );
    file[at + 1] = 0x61;
    Deno.writeFileSync(path, signed(file));
    assertEquals(server.run("DEBUG RELOAD NOSAVE"), "OK");
    audit(server.server);
    for (let i = 0; i < 600; i++) server.run(`${line.split(" ")[0]} k ${i} ${i} ${i} ${i}`);
    audit(server.server);
    auditEmptied(server.server);
  }
});

Deno.test("DEBUG LOADAOF answers an error if the manifest is damaged or names a missing file", () => {
  const server = new TestServer();
  server.run("SET k v");
  for (const manifest of ["nonsense\n", "file gone.aof seq 1 type i\n"]) {
    writeLog(server, manifest, []);
    assertEquals(server.run("DEBUG LOADAOF"), new ReplyError(LOAD_FAILED));
    assertEquals(server.run("GET k"), "v");
  }
  assert(server.logged.some((line) => line.includes("Invalid AOF manifest file format")));
  assert(server.logged.some((line) => line.includes("gone.aof for reading: No such file")));
  assertEquals(server.logged.filter((line) => line.includes("Commands before it")), []);
});

Deno.test("what is appended after a failed DEBUG LOADAOF is in the log", async () => {
  const server = new TestServer({ directives: { appendonly: "yes", appendfsync: "no" } });
  await server.server.persistence.start();
  const folder = `${dirOf(server)}/appendonlydir`;
  const log = `${folder}/appendonly.aof.1.incr.aof`;
  server.run("SET k 1");
  server.engine.commit();
  await Deno.rename(log, `${log}.away`);
  assertEquals(server.run("DEBUG LOADAOF"), new ReplyError(LOAD_FAILED));
  await Deno.rename(`${log}.away`, log);
  server.run("SET k 2");
  server.engine.commit();
  assert((await Deno.readTextFile(log)).endsWith(requestOf(["SET", "k", "2"])));
  server[Symbol.dispose]();
});

Deno.test("what the commands of a log have watched or subscribed to ends with it", () => {
  const server = new TestServer();
  writeLog(server, "file log.aof seq 1 type i\n", [
    ["WATCH", "k"],
    ["SUBSCRIBE", "c"],
    ["CLIENT", "TRACKING", "on", "BCAST"],
  ]);
  assertEquals(server.run("DEBUG LOADAOF"), "OK");
  assertEquals(server.run("PUBSUB CHANNELS"), []);
  auditEmptied(server.server);
});
