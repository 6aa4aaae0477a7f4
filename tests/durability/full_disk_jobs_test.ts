/**
 * A disk that is full while files are written in the background, and when the server is to end: nothing that was
 * acknowledged is lost, errors are clear, no unfinished file stays, and all works again when there is room.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Child } from "../support/child.ts";
import { freePort, type Wire } from "../support/live.ts";
import { fillDisk, makeSmallDisk, removeSmallDisk } from "../support/small_disk.ts";

const disk = makeSmallDisk(8 * 1024 * 1024);
const skips = disk === null ? " (skipped: no file system can be mounted here)" : "";
/** Three times as much fits on the disk. */
const KEYS = 40;
const VALUE_BYTES = 60_000;
const SAVING = ["--save", "3600 1", "--rdbcompression", "no"];
const APPENDING = ["--appendonly", "yes", "--save", "", "--auto-aof-rewrite-percentage", "0"];
const CANNOT_EXIT = "-ERR Errors trying to SHUTDOWN. Check logs.\r\n";

interface Parts {
  readonly dir: string;
  start(...directives: string[]): Promise<{ child: Child; wire: Wire }>;
}

/** Leaves no byte on the disk, or so many. */
function fill(leaving = 0): void {
  Deno.writeFileSync(`${disk}/left`, new Uint8Array(leaving));
  fillDisk(`${disk}`);
  Deno.removeSync(`${disk}/left`);
}

/** Makes room again. */
function empty(): void {
  Deno.removeSync(`${disk}/filling`);
}

function diskTest(name: string, work: (parts: Parts) => Promise<void>): void {
  const fn = async (): Promise<void> => {
    const dir = `${disk}/${name.replaceAll(/\W/g, "-")}`;
    await Deno.mkdir(dir);
    try {
      await work({
        dir,
        async start(...directives) {
          const child = Child.spawn(freePort(), dir, ...directives);
          return { child, wire: await child.started() };
        },
      });
    } finally {
      await Child.killAll();
      for await (const { name } of Deno.readDir(`${disk}`)) {
        await Deno.remove(`${disk}/${name}`, { recursive: true });
      }
    }
  };
  const sanitizers = { sanitizeOps: false, sanitizeResources: false };
  Deno.test({ name: `${name}${skips}`, ignore: disk === null, ...sanitizers, fn });
}

async function write(wire: Wire): Promise<void> {
  for (let i = 0; i < KEYS; i++) {
    assertEquals(await wire.call("set", `${10 + i}`, "x".repeat(VALUE_BYTES)), "+OK\r\n");
  }
}

/** Waits until INFO persistence contains all of `lines`. */
async function until(wire: Wire, ...lines: string[]): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    const info = await wire.roundTrip("info persistence");
    if (lines.every((line) => info.includes(`${line}\r\n`))) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${lines} does not come: ${await wire.roundTrip("info persistence")}`);
}

/** The files of the log whose names end so. */
function logFiles(...ends: string[]): string[] {
  return ends.map((end) => `appendonlydir/appendonly.aof.${end}`);
}

/** Nothing that is unfinished, or that no manifest names, is left. */
function verifyFiles(dir: string, expected: readonly string[]): void {
  const found: string[] = [];
  const visit = (path: string, prefix: string): void => {
    for (const { name, isDirectory } of Deno.readDirSync(path)) {
      if (isDirectory) visit(`${path}/${name}`, `${name}/`);
      else if (name !== "respite.lock") found.push(prefix + name);
    }
  };
  visit(dir, "");
  assertEquals(found.sort(), [...expected].sort());
}

/** Ends the server with SIGTERM, which must work; the next one must have the same data. */
async function verifyRestart(
  { start }: Parts,
  { child, wire }: { child: Child; wire: Wire },
  directives: readonly string[],
): Promise<void> {
  const digest = await wire.roundTrip("debug digest");
  wire.close();
  child.kill("SIGTERM");
  const { code, text } = await child.ended();
  assertEquals(code, 0, text);
  const next = await start(...directives);
  assertEquals(await next.wire.roundTrip("debug digest"), digest);
  next.wire.close();
  await next.child.stop("SIGTERM");
}

for (const whileWriting of [false, true]) {
  const when = whileWriting ? "becomes full during BGSAVE" : "was full before BGSAVE";
  diskTest(`a disk that ${when} refuses writes and the end, until there is room`, async (parts) => {
    const { dir, start } = parts;
    const delay = whileWriting ? ["--rdb-key-save-delay", "5000"] : [];
    const server = await start(...SAVING, ...delay);
    const { child, wire } = server;
    await wire.roundTrip("set first 1");
    assertEquals(await wire.roundTrip("save"), "+OK\r\n");
    const saved = await Deno.readFile(`${dir}/dump.rdb`);
    await write(wire);
    if (!whileWriting) fill(8192);
    assertEquals(await wire.roundTrip("bgsave"), "+Background saving started\r\n");
    if (whileWriting) fill();
    await until(wire, "rdb_bgsave_in_progress:0", "rdb_last_bgsave_status:err");
    verifyFiles(dir, ["dump.rdb"]);
    const kept = await Deno.readFile(`${dir}/dump.rdb`);
    assertEquals(kept, saved);
    assertStringIncludes(await wire.roundTrip("set more 1"), "-MISCONF");
    assertEquals(await wire.roundTrip("get first"), "$1\r\n1\r\n");
    for (const line of ["shutdown", "shutdown save"]) {
      assertEquals(await wire.roundTrip(line), CANNOT_EXIT);
    }
    child.kill("SIGTERM");
    for (const line of ["save", "debug reload"]) {
      assert((await wire.roundTrip(line)).startsWith("-ERR"), line);
    }
    assertEquals(await wire.roundTrip("dbsize"), `:${KEYS + 1}\r\n`);
    verifyFiles(dir, ["dump.rdb"]);
    empty();
    await wire.roundTrip("config set rdb-key-save-delay 0");
    assertEquals(await wire.roundTrip("bgsave"), "+Background saving started\r\n");
    await until(wire, "rdb_bgsave_in_progress:0", "rdb_last_bgsave_status:ok");
    assertEquals(await wire.roundTrip("set more 1"), "+OK\r\n");
    await verifyRestart(parts, server, SAVING);
  });

  const whenRewriting = whileWriting ? "becomes full during" : "was full before";
  diskTest(`a disk that ${whenRewriting} a rewrite leaves the log as it is`, async (parts) => {
    const { dir, start } = parts;
    const delay = whileWriting ? ["--rdb-key-save-delay", "5000"] : [];
    const server = await start(...APPENDING, ...delay);
    const { wire } = server;
    // The log holds more than the data, so that a rewrite fits when there is room.
    await wire.roundTrip("set first 1");
    for (let i = 0; i < 25; i++) await wire.roundTrip(`set k${i} ${"y".repeat(40_000)}`);
    await wire.roundTrip("config set rdbcompression no");
    for (let i = 0; i < 3; i++) {
      if (!whileWriting) fill(100_000);
      const started = "+Background append only file rewriting started\r\n";
      assertEquals(await wire.roundTrip("bgrewriteaof"), started);
      if (whileWriting) {
        assertEquals(await wire.roundTrip("set during 1"), "+OK\r\n");
        fill(20_000);
      }
      await until(wire, "aof_rewrite_in_progress:0", "aof_last_bgrewrite_status:err");
      assertEquals(await wire.roundTrip(`set while:${i} 1`), "+OK\r\n");
      empty();
    }
    const increments = [1, 2, 3, 4].map((i) => `${i}.incr.aof`);
    verifyFiles(dir, logFiles("manifest", "1.base.rdb", ...increments));
    await wire.roundTrip("config set rdb-key-save-delay 0");
    await wire.roundTrip("bgrewriteaof");
    await until(wire, "aof_rewrite_in_progress:0", "aof_last_bgrewrite_status:ok");
    assertEquals(await wire.roundTrip("set more 1"), "+OK\r\n");
    verifyFiles(dir, logFiles("manifest", "2.base.rdb", "5.incr.aof"));
    await verifyRestart(parts, server, APPENDING);
  });
}

diskTest(
  "a rewrite that can't even write its manifest leaves nothing, and the log goes on",
  async (parts) => {
    const { dir, start } = parts;
    const server = await start(...APPENDING, "--appendfsync", "always");
    const { wire } = server;
    await wire.roundTrip("set first 1");
    fill();
    for (let i = 0; i < 2; i++) {
      assertStringIncludes(await wire.roundTrip("bgrewriteaof"), "-ERR Can't execute an AOF");
      verifyFiles(dir, logFiles("manifest", "1.base.rdb", "1.incr.aof"));
    }
    // The last page of the log has room.
    assertEquals(await wire.roundTrip("set more 1"), "+OK\r\n");
    empty();
    assertEquals(await wire.roundTrip("set again 1"), "+OK\r\n");
    await verifyRestart(parts, server, APPENDING);
  },
);

diskTest(
  "a rewrite whose manifest does not fit at the end leaves no base behind",
  async (parts) => {
    const { dir, start } = parts;
    const server = await start(...APPENDING, "--rdb-key-save-delay", "20000");
    const { wire } = server;
    for (let i = 0; i < 20; i++) await wire.roundTrip(`set k${i} 1`);
    assertStringIncludes(await wire.roundTrip("bgrewriteaof"), "+Background");
    // The file has its header, but nothing was written: the base gets the last page, and the manifest none.
    fill(4096);
    await until(wire, "aof_rewrite_in_progress:0", "aof_last_bgrewrite_status:err");
    verifyFiles(dir, logFiles("manifest", "1.base.rdb", "1.incr.aof", "2.incr.aof"));
    empty();
    await verifyRestart(parts, server, APPENDING);
  },
);

diskTest(
  "appending that was switched on while the disk is full begins when there is room",
  async (parts) => {
    const { dir, start } = parts;
    const server = await start("--save", "", "--rdbcompression", "no");
    const { child, wire } = server;
    await write(wire);
    fill(100_000);
    assertEquals(await wire.roundTrip("config set appendonly yes"), "+OK\r\n");
    await until(wire, "aof_rewrite_in_progress:0", "aof_last_bgrewrite_status:err");
    verifyFiles(dir, []);
    // Without a base nothing is in the log: to end now would lose all.
    assertEquals(await wire.roundTrip("shutdown"), CANNOT_EXIT);
    child.kill("SIGTERM");
    assertEquals(await wire.roundTrip("set more 1"), "+OK\r\n");
    empty();
    await until(wire, "aof_pending_rewrite:0", "aof_last_bgrewrite_status:ok");
    await verifyRestart(parts, server, APPENDING);
  },
);

diskTest(
  "a full disk refuses the start with the reason, and leaves nothing unfinished",
  async (parts) => {
    const { dir } = parts;
    fill();
    const { code, text } = await Child.spawn(freePort(), dir, ...APPENDING).ended();
    assertEquals(code, 1, text);
    assertStringIncludes(text, "No space left on device");
    verifyFiles(dir, []);
    empty();
    const server = await parts.start(...APPENDING);
    await server.wire.roundTrip("set k v");
    await verifyRestart(parts, server, APPENDING);
  },
);

diskTest("SHUTDOWN NOSAVE ends on a full disk, and keeps what the log has", async (parts) => {
  const { start } = parts;
  const { child, wire } = await start(...APPENDING, "--appendfsync", "always", "--save", "3600 1");
  await wire.roundTrip("set first 1");
  await write(wire);
  const digest = await wire.roundTrip("debug digest");
  fill();
  assertEquals(await wire.roundTrip("shutdown"), CANNOT_EXIT);
  await wire.send("shutdown nosave\r\n");
  assertEquals((await child.ended()).code, 0);
  wire.close();
  empty();
  const next = await start(...APPENDING);
  assertEquals(await next.wire.roundTrip("debug digest"), digest);
  next.wire.close();
  await next.child.stop("SIGTERM");
});

diskTest("SHUTDOWN FORCE ends on a full disk and leaves the last save whole", async (parts) => {
  const { dir, start } = parts;
  const { child, wire } = await start(...SAVING);
  await wire.roundTrip("set first 1");
  const digest = await wire.roundTrip("debug digest");
  assertEquals(await wire.roundTrip("save"), "+OK\r\n");
  await write(wire);
  fill(8192);
  await wire.send("shutdown save force\r\n");
  const { code, text } = await child.ended();
  assertEquals(code, 0, text);
  verifyFiles(dir, ["dump.rdb"]);
  wire.close();
  empty();
  const next = await start(...SAVING);
  assertEquals(await next.wire.roundTrip("debug digest"), digest);
  next.wire.close();
  await next.child.stop("SIGTERM");
});

diskTest(
  "SYNC on a full disk disconnects the replica, and another one is served when there is room",
  async (parts) => {
    const { dir, start } = parts;
    const server = await start("--save", "", "--rdbcompression", "no");
    const { child, wire } = server;
    await write(wire);
    fill(8192);
    for (const isFull of [true, false]) {
      if (!isFull) empty();
      const replica = await Deno.connect({ port: child.port });
      await replica.write(new TextEncoder().encode("sync\r\n"));
      const buffer = new Uint8Array(100);
      const count = await replica.read(buffer);
      const start = new TextDecoder().decode(buffer.subarray(0, count ?? 0));
      assertEquals(start.startsWith("$"), !isFull, start);
      replica.close();
    }
    verifyFiles(dir, []);
    wire.close();
    await child.stop("SIGTERM");
  },
);

Deno.test.afterAll(() => removeSmallDisk(disk));
