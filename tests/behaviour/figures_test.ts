/** Figures of INFO and MEMORY STATS, and what is counted as a change. */
import { assert, assertEquals } from "@std/assert";
import { binaryText } from "../../src/protocol/args.ts";
import { TestServer } from "../support/harness.ts";
import { type LiveServer, startRespite, Wire } from "../support/live.ts";

/** Changes of each command, as redis-server 7.2.6 counts them. */
const CHANGES: readonly [line: string, changes: number][] = [
  ["ZADD z 1 a 2 b 3 c", 3],
  ["ZADD y 2 b 5 x", 2],
  ["ZRANGESTORE d z 0 -1", 1],
  ["ZRANGESTORE d z 9 9", 1],
  ["ZRANGESTORE d z 9 9", 0],
  ["ZUNIONSTORE d 2 z y", 1],
  ["ZDIFFSTORE d 2 z y", 1],
  ["PFADD p a b c", 4],
  ["PFADD p c", 0],
  ["PFADD p x y", 2],
  ["XADD s 1-1 a 1", 1],
  ["XADD s 2-1 a 1", 1],
  ["XGROUP CREATE s g 0", 1],
  ["XREADGROUP GROUP g c STREAMS s >", 2],
  ["XREADGROUP GROUP g c STREAMS s >", 0],
  ["XREADGROUP GROUP g c STREAMS s 0", 1],
  ["XREADGROUP GROUP g d STREAMS s 0", 2],
  ["XREADGROUP GROUP g d STREAMS s s 0 0", 2],
  ["FLUSHALL", 5],
  ["FLUSHALL", 0],
  ["FLUSHDB ASYNC", 0],
];

Deno.test("changes are counted as Redis counts them", () => {
  const server = new TestServer();
  const { hooks } = server.engine.keyspace;
  for (const [line, changes] of CHANGES) {
    const before = hooks.dirty;
    server.run(line);
    assertEquals([line, hooks.dirty - before], [line, changes]);
  }
});

/** What a replica receives after a SYNC, without the snapshot. */
async function replicated(
  server: LiveServer,
  lines: readonly string[],
  options: readonly string[] = [],
): Promise<{ size: number; commands: string }> {
  const replica = await Wire.connect(server.port);
  const wire = await Wire.connect(server.port);
  for (const option of options) assertEquals(await replica.roundTrip(option), "+OK\r\n");
  await replica.send("SYNC\r\n");
  let bytes = "";
  // A snapshot has no line end behind it, so that it is no reply that a Wire could read.
  const receive = async (): Promise<void> => {
    const buffer = new Uint8Array(65536);
    const count = await replica.conn.read(buffer) ?? 0;
    assert(count > 0, "the server keeps the connection open");
    bytes += binaryText(buffer, 0, count);
  };
  const header = /^\$(\d+)\r\n/;
  const sizeOf = (): number => Number(header.exec(bytes)?.[1] ?? NaN);
  while (!(bytes.length >= sizeOf() + 3 + String(sizeOf()).length)) await receive();
  const size = sizeOf();
  for (const line of [...lines, "SET end 1"]) await wire.roundTrip(line);
  while (!bytes.includes("$3\r\nend\r\n$1\r\n1\r\n")) await receive();
  replica.close();
  wire.close();
  const commands = bytes.slice(size + 3 + String(size).length)
    .replaceAll(/[*$]\d+\r\n/g, "").replaceAll("\r\n", " ").replaceAll(/\d{13}/g, "TIME");
  return { size, commands };
}

Deno.test("XREADGROUP is propagated as in Redis: its consumer and group only with NOACK", async () => {
  const server = startRespite();
  try {
    await replicated(server, ["XADD s 1-1 a 1", "XADD s 2-1 b 2", "XGROUP CREATE s g 0"]);
    const claim = (id: string): string =>
      `XCLAIM s g c 0 ${id} TIME TIME RETRYCOUNT 1 FORCE JUSTID LASTID ${id} `;
    const first = await replicated(server, [
      "XREADGROUP GROUP g c COUNT 1 STREAMS s >",
      "XREADGROUP GROUP g d STREAMS s 0",
      "XREADGROUP GROUP g e NOACK STREAMS s >",
      "XREADGROUP GROUP g f NOACK STREAMS s 0",
      "FLUSHALL",
      "FLUSHALL",
    ]);
    assertEquals(
      first.commands,
      `SELECT 0 ${claim("1-1")}MULTI XGROUP CREATECONSUMER s g e ` +
        "XGROUP SETID s g 2-1 ENTRIESREAD 2 EXEC XGROUP CREATECONSUMER s g f FLUSHALL FLUSHALL SET end 1 ",
    );
  } finally {
    await server.stop();
  }
});

Deno.test("REPLCONF RDB-FILTER-ONLY leaves all keys out of the snapshot, and not out of what follows", async () => {
  const server = startRespite();
  try {
    const wire = await Wire.connect(server.port);
    await wire.roundTrip(`SETRANGE large 99999 x`);
    assertEquals(
      await wire.roundTrip('REPLCONF rdb-filter-only "functions keys"'),
      "-ERR Unsupported rdb-filter-only option: keys\r\n",
    );
    assertEquals(
      await wire.roundTrip("*3\r\n$8\r\nREPLCONF\r\n$15\r\nrdb-filter-only\r\n$2\r\n'a"),
      "-ERR Missing rdb-filter-only values\r\n",
    );
    for (const filter of ["functions", '""']) {
      const { size, commands } = await replicated(server, ["SET a 1"], [
        `REPLCONF rdb-filter-only ${filter}`,
      ]);
      assert(size < 500);
      assertEquals(commands, "SELECT 0 SET a 1 SET end 1 ");
    }
    assertEquals(await wire.roundTrip("STRLEN large"), ":100000\r\n");
    wire.close();
  } finally {
    await server.stop();
  }
});

Deno.test("REPLCONF RDB-ONLY says what it takes, and GETACK has no reply", () => {
  const server = new TestServer();
  assertEquals(
    server.raw("REPLCONF rdb-only 2"),
    "-ERR value is out of range, value must between 0 and 1\r\n",
  );
  assertEquals(
    server.raw("REPLCONF rdb-only x"),
    "-ERR value is not an integer or out of range\r\n",
  );
  assertEquals(server.raw("REPLCONF getack *"), "");
});

Deno.test("the figures of fragmentation in INFO and MEMORY STATS fit together", () => {
  // The process may have more memory the next time that somebody asks.
  let resident = 100_000_000;
  const server = new TestServer({ host: { residentBytes: () => resident += 4096 } });
  server.run("SET k v");
  const info = server.run("INFO memory stats") as string;
  const figure = (name: string): number => Number(new RegExp(`${name}:(.*)\r`).exec(info)?.[1]);
  assertEquals(
    figure("allocator_frag_bytes"),
    figure("allocator_active") - figure("allocator_allocated"),
  );
  assertEquals(
    figure("allocator_rss_bytes"),
    figure("allocator_resident") - figure("allocator_active"),
  );
  assertEquals([figure("rss_overhead_ratio"), figure("rss_overhead_bytes")], [1, 0]);
  assertEquals(figure("eventloop_duration_sum") >= figure("eventloop_duration_cmd_sum"), true);
  const stats = server.run("MEMORY STATS") as unknown[];
  const names = stats.filter((_, i) => i % 2 === 0);
  assertEquals(names.slice(-11), [
    ...["allocator.allocated", "allocator.active", "allocator.resident"],
    ...["allocator-fragmentation.ratio", "allocator-fragmentation.bytes"],
    ...["allocator-rss.ratio", "allocator-rss.bytes", "rss-overhead.ratio", "rss-overhead.bytes"],
    ...["fragmentation", "fragmentation.bytes"],
  ]);
});

Deno.test("INFO has no section debug unless it is asked for", () => {
  const server = new TestServer();
  for (const sections of ["", " all", " everything"]) {
    const info = server.run(`INFO${sections}`) as string;
    assertEquals([info.includes("# Modules\r\n"), info.includes("# Debug")], [true, false]);
  }
  assert(
    (server.run("INFO debug") as string).startsWith("# Debug\r\neventloop_duration_aof_sum:"),
  );
});

Deno.test("COMMAND GETKEYS finds the keys of MIGRATE wherever they stand", () => {
  const server = new TestServer();
  const keys = (...words: string[]) =>
    server.call("COMMAND", "GETKEYS", "MIGRATE", "h", "1", ...words);
  const invalid = "-ERR Invalid arguments specified for command\r\n";
  assertEquals(keys("k", "0", "1"), ["k"]);
  assertEquals(keys("", "0", "1", "AUTH", "KEYS", "KEYS", "a", "b"), ["a", "b"]);
  assertEquals(keys("", "0", "1", "AUTH2", "KEYS", "KEYS", "keys", "keys"), ["keys"]);
  assertEquals(keys("KEYS", "0", "1"), ["KEYS"]);
  assertEquals(server.raw("COMMAND GETKEYS MIGRATE h 1 k 0 1 KEYS a"), invalid);
});

Deno.test("DEBUG LISTPACK, QUICKLIST, HTSTATS-KEY and PAUSE-CRON answer as Redis", () => {
  const server = new TestServer();
  server.run("RPUSH l a b");
  server.run("SET s x");
  server.run("CONFIG SET list-max-listpack-size 1");
  server.run("RPUSH q a b");
  server.run("SADD t a");
  server.run("CONFIG SET set-max-listpack-entries 0");
  server.run("SADD h a");
  const answers: [string, string][] = [
    ["LISTPACK l", "+Listpack structure printed on stdout\r\n"],
    ["LISTPACK q", "-ERR Not a listpack encoded object.\r\n"],
    ["LISTPACK none", "-ERR no such key\r\n"],
    ["QUICKLIST q", "+Quicklist structure printed on stdout\r\n"],
    ["QUICKLIST q 1", "+Quicklist structure printed on stdout\r\n"],
    ["QUICKLIST l", "-ERR Not a quicklist encoded object.\r\n"],
    [
      "HTSTATS-KEY t",
      "-ERR The value stored at the specified key is not represented using an hash table\r\n",
    ],
    ["HTSTATS 99", "-ERR Out of range database\r\n"],
    ["PAUSE-CRON 1", "+OK\r\n"],
  ];
  for (const [line, answer] of answers) assertEquals(server.raw(`DEBUG ${line}`), answer);
  assert((server.run("DEBUG HTSTATS-KEY h") as string).startsWith("Member table: 1 members"));
  assertEquals(server.engine.pausesCron, true);
  const before = server.engine.replicationId;
  assertEquals(server.raw("DEBUG CHANGE-REPL-ID"), "+OK\r\n");
  assert(server.engine.replicationId !== before);
  for (const line of ["LISTPACK l 1", "QUICKLIST q 0 1", "CHANGE-REPL-ID x", "PAUSE-CRON"]) {
    assert(server.raw(`DEBUG ${line}`).startsWith("-ERR unknown subcommand or wrong number"));
  }
});

Deno.test("the first buffer of a client's replies follows the longest of them, and DEBUG REPLYBUFFER sets how", () => {
  const server = new TestServer();
  const busy = server.client();
  busy.run("CLIENT SETNAME busy");
  server.call("SET", "k", "x".repeat(20_000));
  const figures = (): string =>
    /name=busy.* (rbs=\d+ rbp=\d+) /.exec(server.run("CLIENT LIST") as string)?.[1] ?? "";
  server.advance(100);
  busy.client.reply.forgetPeak();
  assertEquals(figures(), "rbs=1024 rbp=0");
  const grown: string[] = [];
  for (let i = 0; i < 3; i++) {
    busy.run("GET k");
    server.advance(100);
    grown.push(figures());
  }
  assertEquals(grown, ["rbs=4096 rbp=16384", "rbs=16384 rbp=16384", "rbs=16384 rbp=16384"]);

  // The peak is forgotten after five seconds; the buffer then shrinks step by step.
  server.advance(5000);
  server.advance(100);
  assertEquals(figures(), "rbs=4096 rbp=0");
  server.advance(100);
  assertEquals(figures(), "rbs=1024 rbp=0");

  server.run("DEBUG REPLYBUFFER PEAK-RESET-TIME NEVER");
  busy.run("GET k");
  server.advance(60_000);
  assertEquals(figures(), "rbs=4096 rbp=16384");
  server.run("DEBUG REPLYBUFFER RESIZING 0");
  server.run("DEBUG REPLYBUFFER PEAK-RESET-TIME 50");
  for (let i = 0; i < 3; i++) server.advance(100);
  assertEquals(figures(), "rbs=4096 rbp=0");
  server.run("DEBUG REPLYBUFFER RESIZING 1");
  server.run("DEBUG REPLYBUFFER PEAK-RESET-TIME RESET");
  server.advance(100);
  assertEquals(figures(), "rbs=1024 rbp=0");

  const counted = server.run("INFO stats") as string;
  assert(counted.includes("reply_buffer_shrinks:3\r\n"), counted);
  assert(counted.includes("reply_buffer_expands:3\r\n"), counted);
  server.run("CONFIG RESETSTAT");
  assert((server.run("INFO stats") as string).includes("reply_buffer_expands:0\r\n"));

  const unknown =
    "-ERR unknown subcommand or wrong number of arguments for 'REPLYBUFFER'. Try DEBUG HELP.\r\n";
  for (const rest of ["", " x", " x y", " PEAK-RESET-TIME", " RESIZING 1 2"]) {
    assertEquals(server.raw(`DEBUG REPLYBUFFER${rest}`), unknown);
  }
  assertEquals(
    server.raw("DEBUG REPLYBUFFER PEAK-RESET-TIME soon"),
    "-ERR value is not an integer or out of range\r\n",
  );
});

Deno.test("DEBUG SDSLEN shows a string's bytes and the room behind it", () => {
  const server = new TestServer();
  server.run("SET key abcdefgh");
  const text = server.run("DEBUG SDSLEN key") as string;
  const form =
    /^key_sds_len:3, key_sds_avail:0, key_zmalloc: 3, val_sds_len:8, val_sds_avail:(\d+), val_zmalloc: (\d+)$/;
  const [, room, memory] = form.exec(text) ?? [];
  assertEquals(Number(memory) - Number(room), 8 + 8, text); // header and bytes
  // A string that has its own buffer has room after APPEND, and none after SET.
  server.call("SET", "long", "x".repeat(100_000));
  assert((server.run("DEBUG SDSLEN long") as string).includes("val_sds_len:100000"));
  server.run("SET i 12");
  server.run("RPUSH l a");
  for (const key of ["i", "l"]) {
    assertEquals(server.raw(`DEBUG SDSLEN ${key}`), "-ERR Not an sds encoded string.\r\n");
  }
  assertEquals(server.raw("DEBUG SDSLEN none"), "-ERR no such key\r\n");
});

Deno.test("INFO debug knows the longest cycle, and the time of the log", () => {
  const server = new TestServer({ directives: { appendonly: "yes" } });
  using _ = server;
  server.run("DEBUG SLEEP 0.25");
  const fields = server.run("INFO debug") as string;
  const names = fields.split("\r\n").map((line) => line.split(":")[0]);
  assertEquals(names.slice(0, 5), [
    "# Debug",
    "eventloop_duration_aof_sum",
    "eventloop_duration_cron_sum",
    "eventloop_duration_max",
    "eventloop_cmd_per_cycle_max",
  ]);
  assert(Number(/duration_max:(\d+)/.exec(fields)?.[1]) >= 250_000, fields);
});
