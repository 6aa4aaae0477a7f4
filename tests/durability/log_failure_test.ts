/** A log that can't be written: the lines are lost, the data are not. */
import { assertEquals, assertMatch } from "@std/assert";
import { Child } from "../support/child.ts";
import { freePort, type Wire } from "../support/live.ts";
import { fillDisk, makeSmallDisk, removeSmallDisk } from "../support/small_disk.ts";

const disk = makeSmallDisk(64 * 1024);
const skips = disk === null ? " (skipped: no file system can be mounted here)" : "";
const options = { sanitizeOps: false, sanitizeResources: false };
const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** Has the server log something, checks the count of lost lines, and ends it by a signal: it must save. */
async function verify(child: Child, dir: string, wire: Wire): Promise<void> {
  await wire.roundTrip("set key value");
  for (let i = 0; i < 3; i++) {
    assertEquals(await wire.roundTrip(`debug log line-${i}`), "+OK\r\n");
  }
  assertMatch(await wire.roundTrip("info server"), /\r\nlog_lines_lost:[1-9]\d*\r\n/);
  // Its terminal may go as well.
  child.kill("SIGHUP");
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(await wire.roundTrip("get key"), "$5\r\nvalue\r\n");
  wire.close();
  child.kill("SIGTERM");
  assertEquals((await child.ended()).code, 0);
  const again = Child.spawn(freePort(), dir);
  const reader = await again.started();
  assertEquals(await reader.roundTrip("get key"), "$5\r\nvalue\r\n");
  reader.close();
  await again.stop("SIGTERM");
}

/** Makes a FIFO whose reader takes one line and goes; `isGone` resolves then. */
async function makeFifo(path: string): Promise<{ isGone: Promise<unknown> }> {
  await new Deno.Command("mkfifo", { args: [path] }).output();
  const head = new Deno.Command("head", { args: ["-n", "1", path], stdout: "null" });
  return { isGone: head.output() };
}

Deno.test({
  name: "a server whose standard output and error are full goes on, and saves when it ends",
  ...options,
  fn: async () => {
    const dir = await Deno.makeTempDir();
    const child = Child.spawnRedirected("> /dev/full 2>&1", freePort(), dir);
    await verify(child, dir, await child.started());
  },
});
Deno.test({
  name: "a server whose output is no longer read goes on: respite | head -1",
  ...options,
  fn: async () => {
    const dir = await Deno.makeTempDir();
    const { isGone } = await makeFifo(`${dir}/pipe`);
    const child = Child.spawnRedirected(`> ${dir}/pipe 2>&1`, freePort(), dir);
    const wire = await child.started();
    await isGone;
    await verify(child, dir, wire);
  },
});
Deno.test({
  name: "a server whose log file is a FIFO without a reader goes on",
  ...options,
  fn: async () => {
    const dir = await Deno.makeTempDir();
    const { isGone } = await makeFifo(`${dir}/pipe`);
    const child = Child.spawn(freePort(), dir, "--logfile", `${dir}/pipe`);
    const wire = await child.started();
    await isGone;
    await verify(child, dir, wire);
  },
});
Deno.test({
  name: `a server whose log's disk is full goes on, and the log says so afterwards${skips}`,
  ignore: disk === null,
  ...options,
  fn: async () => {
    const dir = await Deno.makeTempDir();
    fillDisk(`${disk}`);
    const files = ["--logfile", `${disk}/log`, "--pidfile", `${disk}/pid`];
    const child = Child.spawn(freePort(), dir, ...files);
    const wire = await child.started();
    await wire.roundTrip("debug log unwritten");
    await Deno.remove(`${disk}/filling`);
    await wire.roundTrip("debug log written");
    const text = await Deno.readTextFile(`${disk}/log`);
    assertMatch(text, /# \d+ lines of this log could not be written\n.*# DEBUG LOG: written\n$/s);
    assertEquals(text.includes("unwritten"), false);
    fillDisk(`${disk}`);
    await verify(child, dir, wire);
  },
});
Deno.test({
  name: "a server without standard output and error, whose pid file can't be written, serves",
  ...options,
  fn: async () => {
    const dir = await Deno.makeTempDir();
    await Deno.mkdir(`${dir}/pid`);
    const pidfile = ["--pidfile", `${dir}/pid`];
    const child = Child.spawnRedirected(">&- 2>&-", freePort(), dir, ...pidfile);
    const wire = await child.started();
    assertEquals(await wire.roundTrip("debug log line"), "+OK\r\n");
    wire.close();
    child.kill("SIGINT");
    assertEquals((await child.ended()).code, 0);
    // A pid file that the server has not written it must not remove.
    assertEquals((await Deno.stat(`${dir}/pid`)).isDirectory, true);
  },
});
Deno.test({
  name:
    "a refused start exits with 1 even if its message can't be written, and so does a check of a file",
  ...options,
  fn: async () => {
    const dir = await Deno.makeTempDir();
    const refused = Child.spawnRedirected("> /dev/full 2>&1", freePort(), dir, "--nosuch", "1");
    assertEquals((await refused.ended()).code, 1);
    await Deno.writeTextFile(`${dir}/empty.rdb`, "REDIS0010");
    const { code, stderr } = await new Deno.Command("sh", {
      args: ["-c", `"$0" run -A ${MAIN} check-rdb ${dir}/empty.rdb > /dev/full`, Deno.execPath()],
    }).output();
    assertEquals([code, new TextDecoder().decode(stderr)], [1, ""]);
  },
});

Deno.test.afterAll(() => removeSmallDisk(disk));
