/** Long strings in snapshots: they go out in steps, compressed, and may change meanwhile. */
import { assert, assertEquals } from "@std/assert";
import type { LargeString } from "../../src/keyspace/entry.ts";
import type { Keyspace } from "../../src/keyspace/keyspace.ts";
import { BufferSink } from "../../src/persistence/byte_sink.ts";
import { CommandEntryWriter, RdbEntryWriter } from "../../src/persistence/entry_writer.ts";
import { STEP_BYTES } from "../../src/persistence/long_strings.ts";
import { Snapshotter } from "../../src/persistence/snapshotter.ts";
import { argsOf } from "../../src/protocol/args.ts";
import { TestServer } from "../support/harness.ts";
import { Events } from "../../src/keyspace/change_hooks.ts";
import { mixture } from "../support/bytes.ts";
import { load } from "../support/loading.ts";

const SIZE = 3_000_000;
/** A step writes no more than this: a part of a string, or a few short keys. */
const STEP_MAX_BYTES = STEP_BYTES + 4096;

function set(server: TestServer, key: string, value: Uint8Array): void {
  const { strings } = server.engine.keyspace.databases[0];
  const args = argsOf("SET", key, value);
  strings.setArgument(args, 1, 2, false, Events.set);
}

function contentOf({ engine }: TestServer, key: string): Uint8Array {
  const { databases, entries } = engine.keyspace;
  return (entries.objectOf(databases[0].find(argsOf(key), 0)) as LargeString).content;
}

/** A snapshot of all of a server into a buffer. */
class Snapshot {
  readonly sink = new BufferSink();
  readonly snapshotter: Snapshotter;
  /** The most that one step, or one call of `during`, has written. */
  most = 0;

  constructor(server: TestServer, compresses: boolean, readonly isRdb = true) {
    if (isRdb) this.sink.text("REDIS0011");
    this.snapshotter = new Snapshotter(
      server.engine.keyspace,
      this.sink,
      (keyspace: Keyspace, sink) =>
        isRdb
          ? new RdbEntryWriter(keyspace, sink, 11, compresses)
          : new CommandEntryWriter(sink, 11, compresses),
    );
  }

  during(work: () => void): void {
    const before = this.sink.at;
    work();
    this.most = Math.max(this.most, this.sink.at - before);
  }

  /** Takes so many steps; returns whether something is left. */
  steps(count = Infinity): boolean {
    let isMore = true;
    for (let i = 0; i < count && isMore; i++) {
      this.during(() => (isMore = this.snapshotter.slice(() => true)));
    }
    return isMore;
  }

  get size(): number {
    return this.sink.at;
  }

  /** A server that has loaded it. */
  load(): TestServer {
    // The end, and a checksum of zeros: there is none.
    if (this.isRdb) this.sink.write(Uint8Array.from([0xff, 0, 0, 0, 0, 0, 0, 0, 0]), 0, 9);
    const path = Deno.makeTempFileSync();
    Deno.writeFileSync(path, this.sink.bytes.subarray(0, this.sink.at));
    return load(path, this.isRdb);
  }
}

for (
  const [what, share, compresses, least, most] of [
    ["that can't be compressed", 1, true, 1, 1.001],
    ["that LZF halves", 0.5, true, 0.5, 0.6],
    ["of letters", 0, true, 0, 0.02],
    ["with rdbcompression no", 0, false, 1, 1.001],
  ] as const
) {
  Deno.test(`a long string ${what} is written in short steps`, () => {
    const server = new TestServer();
    set(server, "long", mixture(SIZE, share));
    const snapshot = new Snapshot(server, compresses);
    assertEquals(snapshot.steps(), false);
    assert(snapshot.most <= STEP_MAX_BYTES, `${snapshot.most} bytes`);
    assert(snapshot.size >= least * SIZE && snapshot.size <= most * SIZE, `${snapshot.size} bytes`);
  });
}

Deno.test("long elements of collections are written in short steps, and compressed", () => {
  const server = new TestServer();
  const halved = new TextDecoder("latin1").decode(mixture(500_000, 0.5).map((byte) => byte & 127));
  server.call("RPUSH", "list", halved, "short");
  server.call("SADD", "set", halved, "short");
  server.call("HSET", "hash", "field", halved, "other", "short");
  server.call("ZADD", "zset", "1", halved, "2", "short");
  server.call("XADD", "stream", "1-1", "field", halved);
  const snapshot = new Snapshot(server, true);
  assertEquals(snapshot.steps(), false);
  assert(snapshot.size < 0.65 * 5 * 500_000, `${snapshot.size} bytes`);
  assert(snapshot.most <= STEP_MAX_BYTES, `${snapshot.most} bytes`);
});

const CHANGES = [
  "SET long short",
  "DEL long",
  "APPEND long tail",
  "SETRANGE long 17 x",
  "SETBIT long 100 1",
  "BITFIELD long SET u8 0 1",
  "BITOP NOT long other",
  "BITOP AND long long other",
  "RENAME long other",
  "COPY other long REPLACE",
  "GETDEL long",
  "FLUSHDB",
  "FLUSHALL",
  "SWAPDB 0 1",
];

for (const isRdb of [true, false]) {
  Deno.test(`a change of a long string writes nothing of it at once: ${isRdb ? "RDB" : "commands"}`, () => {
    const whole = new TestServer();
    set(whole, "long", mixture(SIZE, 0.5));
    const digest = whole.run("DEBUG DIGEST");
    for (const change of CHANGES) {
      for (const steps of [0, 1, 5]) {
        const server = new TestServer();
        set(server, "long", mixture(SIZE, 0.5));
        const snapshot = new Snapshot(server, true, isRdb);
        snapshot.steps(steps);
        set(server, "other", mixture(SIZE, 0));
        snapshot.during(() => server.run(change));
        assertEquals(snapshot.steps(), false, change);
        assert(snapshot.most <= STEP_MAX_BYTES, `${change}: ${snapshot.most} bytes`);
        assertEquals(snapshot.load().run("DEBUG DIGEST"), digest, `${change} after ${steps} steps`);
      }
    }
  });
}

Deno.test("the buffer of a long string that was removed or changed goes when it is written, or given up", () => {
  for (const change of ["DEL long", "SET long short", "SETBIT long 100 1", "FLUSHALL"]) {
    for (const isGivenUp of [false, true]) {
      const server = new TestServer();
      for (const key of ["before", "long"]) set(server, key, mixture(SIZE, 0.5));
      const snapshot = new Snapshot(server, true);
      snapshot.steps(3);
      const content = contentOf(server, "long");
      server.run(change);
      assertEquals(content.length, SIZE, change);
      if (isGivenUp) snapshot.snapshotter.abandon();
      else snapshot.steps();
      for (let i = 0; i < 20; i++) server.advance(100);
      assertEquals(content.length, 0, change);
      for (const key of ["before", "long"]) server.run(`SET ${key} again`);
      assertEquals(server.run("MGET before long"), ["again", "again"]);
    }
  }
});

Deno.test("a long string that is not changed stays where it is, and can be changed in place after", () => {
  const server = new TestServer();
  set(server, "long", mixture(SIZE, 0.5));
  const content = contentOf(server, "long");
  new Snapshot(server, true).steps();
  server.run("SETBIT long 100 1");
  assert(contentOf(server, "long") === content && content.length === SIZE);
});

Deno.test("changes beside a long string pay for it step by step, and keep little aside", () => {
  const server = new TestServer();
  const value = "v".repeat(20_000);
  for (let i = 0; i < 300; i++) server.run(`SET key:${i} ${value}`);
  set(server, "long", mixture(SIZE, 1));
  const snapshot = new Snapshot(server, false);
  // Walk until the long string is under way.
  while (snapshot.size < 100_000) snapshot.steps(1);
  for (let i = 0; i < 300; i++) snapshot.during(() => server.run(`DEL key:${i}`));
  assertEquals(server.run("DBSIZE"), 1);
  // What is kept aside, a megabyte and a little, follows the string at once.
  assert(snapshot.steps() === false && snapshot.size > 2 * SIZE - 100_000);
});
