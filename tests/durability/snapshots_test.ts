/** Snapshots while everything changes: the file must hold the instant in which it began. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { RdbFileLoader, RdbFileWriter, type RdbSettings } from "../../src/persistence/rdb_file.ts";
import { binaryBytes } from "../../src/protocol/args.ts";
import { randomCommands } from "../differential/commands.ts";
import { ReplyError, TestServer } from "../support/harness.ts";
import { mixture } from "../support/bytes.ts";
import { LOAD, load } from "../support/loading.ts";
import { dumped, payloadOf, signed } from "../support/payload.ts";

const SETTINGS: RdbSettings = {
  isRdb: true,
  version: 10,
  compresses: true,
  withCrc: true,
  syncsOften: false,
  keyDelayUs: 0,
  aux: [],
  functions: [],
  head: "",
};

/** Random commands that are left out here: transactions, SELECT, and commands that block. */
const LEFT_OUT =
  /^(multi|exec|discard|watch|select|blpop|brpop|bl?mpop|blmove|bzpop|bzmpop|brpoplpush)/;

/** Runs `count` random commands, some of which empty, exchange and move databases. */
function change(server: TestServer, commands: Iterator<string[]>, count: number): void {
  for (let left = count; left > 0;) {
    const words = commands.next().value as string[];
    if (LEFT_OUT.test(words[0])) continue;
    server.call(...words.map(binaryBytes));
    left--;
  }
}

/** Strings that can't be compressed: their length in bytes, some of them beyond what a sink takes at once. */
const STRING_SIZES = [60_000, 70_000, 300_000, 1_100_000];

/** A few collections that are too large to be written in one step. */
function addLarge(server: TestServer): void {
  for (const size of STRING_SIZES) {
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; at += 65_536) {
      crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    }
    server.call("set", `large:string${size}`, bytes);
  }
  server.call("set", "large:text", mixture(1_300_000, 0.9));
  server.call("hset", "large:deep", "f", mixture(200_000, 0.5), "g", mixture(200_000, 1));
  const numbers = Array.from({ length: 3000 }, (_, i) => `${i}`);
  server.call("rpush", "large:list", ...numbers.map((n) => n.repeat(20)));
  server.call("sadd", "large:set", ...numbers.map((n) => `m${n}`));
  server.call("hset", "large:hash", ...numbers.flatMap((n) => [`f${n}`, n]));
  server.call("zadd", "large:zset", ...numbers.flatMap((n) => [n, `m${n}`]));
  for (const n of numbers.slice(0, 1500)) server.call("xadd", "large:stream", "*", "field", n);
}

const CHANGES_OF_LARGE = [
  "append large:string60000 tail",
  "setrange large:string70000 5 x",
  "bitop not large:string70000 large:string70000",
  "bitop xor large:string300000 large:string300000 large:string60000",
  "del large:string300000",
  "copy large:string300000 large:string1100000 replace",
  "rename large:string1100000 large:string70000",
  "setbit large:text 9 1",
  "append large:text tail",
  "getset large:text short",
  "hset large:deep f other",
  "rpush large:list x",
  "lpop large:list",
  "srem large:set m7",
  "del large:hash",
  "hset large:hash f1 other",
  "zadd large:zset 5 new",
  "xdel large:stream 1-1",
  "xtrim large:stream maxlen 10",
  "rename large:set large:other",
  "flushdb",
  "flushall",
  "swapdb 0 1",
  "move large:zset 1",
  "expire large:zset 100",
  "copy large:list copied replace",
];

/** Saves `server`'s data while `between` is called after every step; returns the file's path. */
async function save(
  server: TestServer,
  settings: RdbSettings,
  between: () => void,
): Promise<string> {
  const path = await Deno.makeTempFile();
  const writer = new RdbFileWriter(server.engine.keyspace, path, `${path}.temp`, settings);
  while (writer.snapshot.slice(() => true)) between();
  await writer.run();
  return path;
}

/** Begins to save, with `between` called after every one of `slices` steps, and gives it up. */
function abandon(
  server: TestServer,
  settings: RdbSettings,
  slices: number,
  between: () => void,
): void {
  const path = Deno.makeTempFileSync();
  const writer = new RdbFileWriter(server.engine.keyspace, path, `${path}.temp`, settings);
  for (let i = 0; i < slices && writer.snapshot.slice(() => true); i++) between();
  writer.cancel();
  // run() notices that the file was given up.
  void writer.run().catch(() => {});
  Deno.removeSync(path);
}

async function verify(settings: RdbSettings, runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.integer({ min: 0, max: 6 }),
      fc.array(fc.constantFrom(...CHANGES_OF_LARGE), { maxLength: 12 }),
      fc.nat({ max: 60 }),
      async (seed, rate, changes, slices) => {
        const server = new TestServer();
        const commands = randomCommands(seed);
        change(server, commands, 300);
        addLarge(server);
        abandon(server, settings, slices, () => change(server, commands, rate));
        const expected = server.run("debug digest");
        let step = 0;
        const path = await save(server, settings, () => {
          change(server, commands, rate);
          if (step++ % 5 === 0 && changes.length > 0) server.run(changes.shift() ?? "ping");
        });
        assertEquals(load(path, settings.isRdb).run("debug digest"), expected);
        // The next one finds every key marked.
        const now = server.run("debug digest");
        const again = await save(server, settings, () => {});
        assertEquals(load(again, settings.isRdb).run("debug digest"), now);
      },
    ),
    { numRuns: runs },
  );
}

Deno.test("a snapshot holds the instant in which it began, whatever changes meanwhile", async () => {
  await verify(SETTINGS, 12);
});
Deno.test("a snapshot in the format of Redis 7.2 does, too", async () => {
  await verify({ ...SETTINGS, version: 11, compresses: false }, 4);
});
Deno.test("a snapshot in the format of Redis 6 does, too", async () => {
  await verify({ ...SETTINGS, version: 9 }, 4);
});
Deno.test("a snapshot that consists of commands does, too", async () => {
  await verify({ ...SETTINGS, isRdb: false, head: "#TS:1\r\n" }, 4);
});
Deno.test("a deadline of 64 bits is saved exactly, as data and as a command", async () => {
  const server = new TestServer();
  server.run("set last v");
  server.run("pexpireat last 9223372036854775807");
  server.run("set odd v pxat 9007199254740993");
  for (const settings of [SETTINGS, { ...SETTINGS, isRdb: false, head: "#TS:1\r\n" }]) {
    const reader = load(await save(server, settings, () => {}), settings.isRdb);
    assertEquals(reader.run("pexpiretime last"), 9223372036854775807n);
    assertEquals(reader.run("pexpiretime odd"), 9007199254740993n);
  }
});
Deno.test("a snapshot leaves keys past their deadline to the reader", async () => {
  const server = new TestServer();
  server.run("set soon v px 10");
  server.run("set late v px 100000");
  const path = await save(server, SETTINGS, () => {});
  const reader = new TestServer();
  reader.advance(50);
  const file = new RdbFileLoader(path, reader.engine.keyspace, { ...LOAD, dropsExpired: true });
  file.slice(() => false);
  file.close();
  await Deno.remove(path);
  assertEquals(file.loader.keysExpired, 1);
  assertEquals(reader.run("keys *"), ["late"]);
  assertEquals(reader.run("pttl late"), 100_000 - 50);
});
Deno.test("DUMP and RESTORE give back every value, and refuse what was damaged", () => {
  const server = new TestServer();
  const commands = randomCommands(11);
  change(server, commands, 2000);
  addLarge(server);
  for (const key of server.run("keys *") as string[]) {
    const name = binaryBytes(key);
    // A payload has no deadline, and the digest tells whether there is one.
    server.call("persist", name);
    const before = server.call("debug", "digest-value", name);
    const payload = dumped(server, name);
    assertEquals(server.call("restore", "again", "0", payload, "replace"), "OK", key);
    assertEquals(server.call("debug", "digest-value", "again"), before, key);
    payload[payload.length >> 1] ^= 0x55;
    const failed = server.call("restore", "damaged", "0", payload);
    assert(failed instanceof ReplyError, "the sum tells");
  }
});
Deno.test("RESTORE of damaged bytes with a valid checksum changes nothing and fails no assertion", () => {
  const server = new TestServer();
  addLarge(server);
  server.run("rpush list a 1 b 2 c");
  server.run("zadd zset 1 a 2 b");
  server.run("hset hash f v g w");
  server.run("sadd ints 1 2 3");
  server.run("xadd stream 1-1 f v");
  server.run("xgroup create stream g 0");
  server.run("xreadgroup group g ann streams stream >");
  server.run("bf.add bloom x");
  const keys = ["list", "zset", "hash", "ints", "stream", "bloom"];
  const payloads = keys.map((key) => dumped(server, key));
  const before = server.run("debug digest");
  fc.assert(
    fc.property(
      fc.constantFrom(...payloads),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      (payload, edits) => {
        const broken = Uint8Array.from(payload);
        const size = Math.min(broken.length - 10, 300);
        for (const [at, byte] of edits) broken[at % size] = byte;
        const reply = server.call("restore", "target", "0", signed(broken));
        if (reply === "OK") { for (const line of READ_ALL) server.run(line); }
        assertEquals(server.run("ping"), "PONG");
      },
    ),
    { numRuns: 2000 },
  );
  assertEquals(server.run("debug digest"), before);
  assertEquals(server.logged.filter((line) => line.includes("failed:")), []);
});

Deno.test("RESTORE of Bloom filters whose layers can't be is refused", () => {
  const server = new TestServer();
  server.run("bf.add bloom x");
  const payload = dumped(server, "bloom");
  // No capacity, a rate of error that can't be halved, a layer without bits.
  const cases: readonly [at: number, bytes: number[]][] = [
    [11, [0x40, 0]],
    [16, [1, 0, 0, 0, 0, 0, 0, 0]],
    [29, [0x40, 0]],
  ];
  for (const [at, bytes] of cases) {
    const broken = payload.slice();
    broken.set(bytes, at);
    const reply = server.call("restore", "target", "0", signed(broken)) as ReplyError;
    assertEquals(reply.message, "ERR Bad data format");
  }
  assertEquals(server.logged.filter((line) => line.includes("failed:")), []);
});

/** Commands that look at every part of a value. */
const READ_ALL = [
  "debug digest-value target",
  "xinfo stream target full",
  "xrevrange target + -",
  "xclaim target g bob 0 1-1 force",
  "zrange target 0 -1 rev",
  "lrange target 0 -1",
  "spop target 2",
  "copy target copied replace",
  "del target copied",
];

Deno.test("a stream whose stored number of entries is wrong, as in old files, is loaded with its actual entries", () => {
  const server = new TestServer();
  for (const id of ["1-1", "1-2", "1-3"]) server.run(`xadd stream ${id} f v`);
  const payload = dumped(server, "stream");
  // Entries, last id, first id, greatest deleted id, entries ever added.
  const counters = [3, 1, 3, 1, 1, 0, 0, 3];
  const at = payload.findIndex((_, i) => counters.every((byte, j) => payload[i + j] === byte));
  assert(at > 0, "the counters are in the payload");
  payload[at] = 5;
  assertEquals(server.call("restore", "twin", "0", signed(payload)), "OK");
  assertEquals(server.run("xlen twin"), 3);
});

/** Payloads without version and checksum, and what redis-server 7.2.6 with `sanitize-dump-payload yes` answers. */
const JUDGED: readonly (readonly [what: string, bytes: readonly number[], isFine: boolean])[] = [
  ["a plain node of a list", [18, 1, 1, 1, 97], true],
  ["an empty plain node", [18, 1, 1, 0], false],
  ["an empty plain node behind another", [18, 2, 1, 1, 97, 1, 0], false],
  ["a list without nodes", [18, 0], false],
  ["a packed node", [18, 1, 2, ...packOf([0x81, 97, 2])], true],
  ["an unknown encoding of an element", [18, 1, 2, ...packOf([0xf5, 1, 0, 0, 0, 97, 6])], false],
  ["an unknown encoding, short", [17, ...packOf([0xf5, 1], [1, 1])], false],
  ["a length to go back that is too long by a zero", [18, 1, 2, ...packOf([0, 0x80])], false],
  ["a length to go back that is wrong", [18, 1, 2, ...packOf([0x81, 97, 1])], false],
  ["a set with twins", [20, ...packOf([1, 1], [0x81, 49, 2])], false],
  ["a hash with twins", [16, ...packOf([1, 1], [1, 1], [1, 1], [2, 1])], false],
  ["a sorted set with twins", [17, ...packOf([1, 1], [1, 1], [1, 1], [2, 1])], false],
  ["a zipmap", [9, 8, 1, 1, 97, 1, 0, 49, 255, 0].slice(0, 9), false],
  ["a zipmap that is whole", [9, 7, 1, 1, 97, 1, 0, 49, 255], true],
  ["a zipmap with another count", [9, 7, 2, 1, 97, 1, 0, 49, 255], false],
  ["a zipmap with an unknown count", [9, 7, 254, 1, 97, 1, 0, 49, 255], true],
  ["a zipmap whose count is the mark of its end", [9, 7, 255, 1, 97, 1, 0, 49, 255], false],
  ["bytes behind the value", [0, 1, 97, 1, 2, 3], true],
];

/** A listpack with these elements as a string. */
function packOf(...elements: readonly (readonly number[])[]): number[] {
  const content = elements.flat();
  const size = content.length + 7;
  return [size, size, 0, 0, 0, elements.length, 0, ...content, 0xff];
}

Deno.test("RESTORE refuses a checksum of zeros", () => {
  const server = new TestServer();
  const payload = payloadOf([0, 1, 97]).fill(0, -8);
  assertEquals(
    server.call("restore", "k", "0", payload),
    new ReplyError("ERR DUMP payload version or checksum are wrong"),
  );
});
Deno.test("RESTORE refuses what Redis refuses", () => {
  const server = new TestServer();
  for (const [what, bytes, isFine] of JUDGED) {
    const payload = payloadOf(bytes);
    const expected = isFine ? "OK" : new ReplyError("ERR Bad data format");
    assertEquals(server.call("restore", "k", "0", payload, "replace"), expected, what);
  }
});
Deno.test("RESTORE leaves a small set of integers a listpack, if it is one", () => {
  const server = new TestServer();
  const payload = payloadOf([20, ...packOf([3, 1], [1, 1])]);
  assertEquals(server.call("restore", "k", "0", payload), "OK");
  assertEquals(server.run("object encoding k"), "listpack");
  assertEquals(server.run("smembers k"), ["3", "1"]);
});
