/** A full disk: writes are refused, reads go on, and everything works again when there is room. */
import { assert, assertEquals } from "@std/assert";
import { Child } from "../support/child.ts";
import { freePort, type Wire, Wire as Connection } from "../support/live.ts";
import { makeSmallDisk, removeSmallDisk } from "../support/small_disk.ts";

const SIZE_BYTES = 3 * 1024 * 1024;

const disk = makeSmallDisk(SIZE_BYTES);
const skips = disk === null ? " (skipped: no file system can be mounted here)" : "";
const FULL = "-MISCONF Errors writing to the AOF file: No space left on device\r\n";
const VALUE = "x".repeat(60_000);

/** Writes keys until that fails; returns how many were acknowledged, and the failure. */
async function writeUntilFull(
  connect: () => Promise<Wire>,
  prefix: string,
  value = VALUE,
): Promise<{ count: number; failure: string }> {
  const wire = await connect();
  for (let count = 0;; count++) {
    assert(count < 200, "the disk is small");
    const key = `${prefix}:${count}`;
    await wire.send(
      `*3\r\n$3\r\nset\r\n$${key.length}\r\n${key}\r\n$${value.length}\r\n${value}\r\n`,
    );
    const reply = await wire.read();
    if (reply === "+OK\r\n") continue;
    wire.close();
    return { count, failure: reply };
  }
}

/** BGSAVE fails, too. */
async function failToSave(wire: Wire): Promise<void> {
  await wire.roundTrip("bgsave");
  for (;;) {
    const info = await wire.roundTrip("info persistence");
    if (info.includes("rdb_bgsave_in_progress:1")) continue;
    assert(info.includes("rdb_last_bgsave_status:err"), info);
    assert(info.includes("aof_last_write_status:err"), info);
    return;
  }
}

/** With `always` nobody may see `key`, whose writer got no answer, or any other data that may not be durable. */
async function verifyUnseen(wire: Wire, key: string): Promise<void> {
  for (const line of [`exists ${key}`, "get first", "dbsize", "keys *", "scan 0", "sync"]) {
    const reply = await wire.roundTrip(line);
    assertEquals(reply, FULL, line);
  }
  // Refusals are answers: a pipeline of them gets them all.
  await wire.send("get first\r\nget first\r\nmulti\r\nget first\r\nexec\r\nconfig get hz\r\n");
  for (const start of ["-MISC", "-MISC", "+OK", "-MISC", "-EXECABORT", "*2"]) {
    const reply = await wire.read();
    assert(reply.startsWith(start), `${start}: ${reply}`);
  }
}

async function verify(policy: string, dir: string): Promise<void> {
  const port = freePort();
  const directives = ["--appendonly", "yes", "--appendfsync", policy, "--save", "900 1"];
  const child = Child.spawn(port, dir, ...directives, "--auto-aof-rewrite-percentage", "0");
  const wire = await child.started();
  const connect = (): Promise<Wire> => Connection.connect(port);
  assertEquals(await wire.roundTrip("set first 1"), "+OK\r\n");
  const { count } = await writeUntilFull(connect, "before");
  for (const line of ["set more 1", "ping", "mset a 1 b 2"]) {
    const reply = await wire.roundTrip(line);
    assertEquals(reply, FULL, policy);
  }
  if (policy === "always") await verifyUnseen(wire, `before:${count}`);
  else assertEquals(await wire.roundTrip("get first"), "$1\r\n1\r\n");
  if (policy === "always") assert((await wire.roundTrip("bgsave")).startsWith("-MISCONF"));
  else await failToSave(wire);
  for await (const { name } of Deno.readDir(dir)) assert(!name.startsWith("temp-"), name);

  // There is room again: the pending changes are written, and commands run again.
  await Deno.remove(`${dir}/filler`);
  for (;;) {
    const reply = await wire.roundTrip("info persistence");
    if (reply.includes("aof_last_write_status:ok")) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  // With always the unanswered write is durable now, and visible; with everysec it was refused.
  const last = policy === "always" ? VALUE.length : 0;
  assertEquals(await wire.roundTrip(`strlen before:${count}`), `:${last}\r\n`);
  assertEquals(await wire.roundTrip("save"), "+OK\r\n");
  assertEquals(await wire.roundTrip("set more 1"), "+OK\r\n");
  const digest = await wire.roundTrip("debug digest");
  wire.close();
  await child.stop("SIGKILL");
  const next = Child.spawn(port, dir, ...directives);
  const reader = await next.started();
  assertEquals(await reader.roundTrip("debug digest"), digest, policy);
  assertEquals(await reader.roundTrip(`strlen before:${count - 1}`), `:${VALUE.length}\r\n`);
  reader.close();
  await next.stop("SIGTERM");
}

/** Starts a server in a folder of the small disk, half of which is taken. */
function diskTest(name: string, work: (dir: string) => Promise<void>): void {
  const fn = async (): Promise<void> => {
    const dir = `${disk}/${name.replaceAll(" ", "-")}`;
    await Deno.mkdir(dir);
    try {
      await Deno.writeFile(`${dir}/filler`, new Uint8Array(SIZE_BYTES / 2));
      await work(dir);
    } finally {
      await Child.killAll();
      await Deno.remove(dir, { recursive: true });
    }
  };
  Deno.test({
    name: `${name}${skips}`,
    ignore: disk === null,
    sanitizeOps: false,
    sanitizeResources: false,
    fn,
  });
}

for (const policy of ["always", "everysec"]) {
  diskTest(
    `a full disk refuses what would be lost, with appendfsync ${policy}`,
    (dir) => verify(policy, dir),
  );
}

diskTest("with always a value of more than a megabyte is not acknowledged either", async (dir) => {
  const port = freePort();
  const directives = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""];
  const child = Child.spawn(port, dir, ...directives);
  const first = await child.started();
  const connect = (): Promise<Wire> => Connection.connect(port);
  const { count, failure } = await writeUntilFull(connect, "large", "y".repeat(1_200_000));
  assertEquals(failure, "", "the writer is disconnected");
  first.close();
  await child.stop("SIGKILL");
  await Deno.remove(`${dir}/filler`);
  const next = Child.spawn(port, dir, ...directives);
  const wire = await next.started();
  assertEquals(await wire.roundTrip("dbsize"), `:${count}\r\n`);
  wire.close();
  await next.stop("SIGTERM");
});

diskTest("a rewrite does not begin while the log before it lacks something", async (dir) => {
  const port = freePort();
  const directives = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""];
  const child = Child.spawn(port, dir, ...directives);
  const wire = await child.started();
  await wire.roundTrip("debug aof-flush-sleep 0");
  // The last acknowledged write is only in memory. There is room for a manifest, but not for that write.
  await writeUntilFull(() => Connection.connect(port), "k");
  const length = await wire.roundTrip("append list x");
  assert(length.startsWith("-MISCONF"), length);
  assertEquals(
    await wire.roundTrip("bgrewriteaof"),
    "-ERR Can't execute an AOF background rewriting. Please check the server logs for more information.\r\n",
  );
  // SHUTDOWN is refused, so that the write is not lost.
  const refused = await wire.roundTrip("shutdown");
  assertEquals(refused, "-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
  const digest = await wire.roundTrip("debug digest");
  await Deno.remove(`${dir}/filler`);
  await wire.send("shutdown\r\n");
  assertEquals((await child.ended()).code, 0);
  wire.close();
  const next = Child.spawn(port, dir, ...directives);
  const reader = await next.started();
  assertEquals(await reader.roundTrip("debug digest"), digest);
  reader.close();
  await next.stop("SIGTERM");
});

Deno.test.afterAll(() => removeSmallDisk(disk));
