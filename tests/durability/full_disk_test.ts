/** A disk that takes nothing any more: writes are refused, reads go on, and all is well when there is room again. */
import { assert, assertEquals } from "@std/assert";
import { Child } from "../support/child.ts";
import { freePort, type Wire } from "../support/live.ts";
import { makeSmallDisk, removeSmallDisk } from "../support/small_disk.ts";

const SIZE_BYTES = 3 * 1024 * 1024;

const disk = makeSmallDisk(SIZE_BYTES);
const skips = disk === null ? " (skipped: no file system can be mounted here)" : "";
const VALUE = "x".repeat(60_000);

/** Writes keys until that fails; returns how many were acknowledged, and the failure. */
async function writeUntilFull(
  connect: () => Promise<Wire>,
  prefix: string,
): Promise<{ count: number; failure: string }> {
  const wire = await connect();
  for (let count = 0;; count++) {
    assert(count < 200, "the disk is small");
    const reply = await wire.roundTrip(`set ${prefix}:${count} ${VALUE}`);
    if (reply === "+OK\r\n") continue;
    wire.close();
    return { count, failure: reply };
  }
}

async function verify(policy: string, dir: string): Promise<void> {
  const port = freePort();
  const directives = ["--appendonly", "yes", "--appendfsync", policy, "--save", "900 1"];
  const child = Child.spawn(port, dir, ...directives, "--auto-aof-rewrite-percentage", "0");
  const wire = await child.ready();
  if (wire === null) throw new Error((await child.ended()).text);
  const connect = async (): Promise<Wire> => {
    const other = await child.ready();
    if (other === null) throw new Error("the server has ended");
    return other;
  };
  assertEquals(await wire.roundTrip("set first 1"), "+OK\r\n");
  const { count } = await writeUntilFull(connect, "before");
  assert((await wire.roundTrip("set more 1")).startsWith("-MISCONF Errors writing"), policy);
  assertEquals(await wire.roundTrip("get first"), "$1\r\n1\r\n");
  // BGSAVE fails, too, and leaves nothing behind.
  await wire.roundTrip("bgsave");
  for (;;) {
    const info = await wire.roundTrip("info persistence");
    if (info.includes("rdb_bgsave_in_progress:1")) continue;
    assert(
      info.includes("rdb_last_bgsave_status:err") && info.includes("aof_last_write_status:err"),
    );
    break;
  }
  for await (const { name } of Deno.readDir(dir)) assert(!name.startsWith("temp-"), name);

  // Room again: what had come is written, and everybody may go on.
  await Deno.remove(`${dir}/filler`);
  for (;;) {
    const reply = await wire.roundTrip("info persistence");
    if (reply.includes("aof_last_write_status:ok")) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assertEquals(await wire.roundTrip("save"), "+OK\r\n");
  assertEquals(await wire.roundTrip("set more 1"), "+OK\r\n");
  const digest = await wire.roundTrip("debug digest");
  wire.close();
  await child.stop("SIGKILL");
  const next = Child.spawn(port, dir, ...directives);
  const reader = await next.ready();
  if (reader === null) throw new Error((await next.ended()).text);
  assertEquals(await reader.roundTrip("debug digest"), digest, policy);
  assertEquals(await reader.roundTrip(`strlen before:${count - 1}`), `:${VALUE.length}\r\n`);
  reader.close();
  await next.stop("SIGTERM");
}

for (const policy of ["always", "everysec"]) {
  Deno.test({
    name: `a full disk refuses writes and nothing else, with appendfsync ${policy}${skips}`,
    ignore: disk === null,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      const dir = `${disk}/${policy}`;
      await Deno.mkdir(dir);
      await Deno.writeFile(`${dir}/filler`, new Uint8Array(SIZE_BYTES / 2));
      await verify(policy, dir);
      await Deno.remove(dir, { recursive: true });
    },
  });
}

Deno.test.afterAll(() => removeSmallDisk(disk));
