/** Saves, rewrites and snapshots for replicas that overlap, are given up, or meet the end of the server. */
import { assert, assertEquals } from "@std/assert";
import { Child } from "../support/child.ts";
import { freePort, type Wire, Wire as Connection } from "../support/live.ts";

const options = { sanitizeOps: false, sanitizeResources: false };
const SAVING = ["--save", "3600 1", "--enable-protected-configs", "yes"];
const APPENDING = ["--save", "", "--appendonly", "yes"];
/** Keys of a snapshot that takes long enough for something to happen meanwhile. */
const KEYS = 20_000;
/** A key takes so many µs: all of them take ten seconds. */
const SLOW = "500";

/** A server in a directory of its own, begun again as often as the test likes. */
class Host {
  readonly dir = Deno.makeTempDirSync();
  #child: Child | null = null;

  get port(): number {
    return this.#running.port;
  }

  get #running(): Child {
    if (this.#child === null) throw new Error("the server has been started");
    return this.#child;
  }

  async start(...directives: string[]): Promise<Wire> {
    this.#child = Child.spawn(freePort(), this.dir, ...directives);
    return await this.#child.started();
  }

  get pid(): number {
    return this.#running.pid;
  }

  async stop(signal: Deno.Signal): Promise<string> {
    return await this.#running.stop(signal);
  }

  async ended(): Promise<{ code: number; text: string }> {
    return await this.#running.ended();
  }

  /** Waits until the server's log file, `log`, says `text`. */
  async logs(text: string): Promise<void> {
    while (!(await Deno.readTextFile(`${this.dir}/log`)).includes(text)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Names in the directory that should not be there. */
  leftovers(): string[] {
    return [...Deno.readDirSync(this.dir)].map(({ name }) => name).filter((name) =>
      name.startsWith("temp-")
    );
  }
}

function jobTest(name: string, work: (host: Host) => Promise<void>): void {
  const fn = async (): Promise<void> => {
    const host = new Host();
    await work(host);
    await Deno.remove(host.dir, { recursive: true });
  };
  Deno.test({ name, ...options, fn });
}

/** Waits until INFO persistence says `text`, and returns it all. */
async function until(wire: Wire, text: string): Promise<string> {
  for (;;) {
    const info = await wire.roundTrip("info persistence");
    if (info.includes(text)) return info;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function populate(wire: Wire, keys = KEYS): Promise<void> {
  assertEquals(await wire.roundTrip(`debug populate ${keys}`), "+OK\r\n");
}

jobTest(
  "BGSAVE after a FLUSHALL that gave up another one saves what there is now",
  async (host) => {
    const wire = await host.start(...SAVING);
    for (let round = 0; round < 5; round++) {
      await populate(wire, 100_000);
      await wire.send(`bgsave\r\nflushall\r\nset x ${round}\r\nbgsave\r\n`);
      for (let i = 0; i < 3; i++) await wire.read();
      assertEquals(await wire.read(), "+Background saving started\r\n");
      const info = await until(wire, "rdb_bgsave_in_progress:0");
      assert(info.includes("rdb_last_bgsave_status:ok"), `round ${round}`);
    }
    wire.close();
    await host.stop("SIGKILL");
    const next = await host.start(...SAVING);
    assertEquals(await next.roundTrip("keys *"), "*1\r\n$1\r\nx\r\n");
    next.close();
    await host.stop("SIGTERM");
    assertEquals(host.leftovers(), []);
  },
);

for (
  const [what, directives, begin] of [
    ["BGSAVE", SAVING, "bgsave"],
    ["BGREWRITEAOF", SAVING, "bgrewriteaof"],
    ["SYNC", SAVING, "sync"],
  ] as const
) {
  jobTest(`the last save holds every key although ${what} was under way`, async (host) => {
    const wire = await host.start(...directives, "--rdb-key-save-delay", SLOW);
    await populate(wire);
    const other = await Connection.connect(host.port);
    await other.send(`${begin}\r\n`);
    await until(wire, `current_save_keys_total:${KEYS}`);
    await wire.roundTrip("config set rdb-key-save-delay 0");
    await host.stop("SIGTERM");
    const next = await host.start(...directives);
    assertEquals(await next.roundTrip("dbsize"), `:${KEYS}\r\n`);
    next.close();
    other.close();
    await host.stop("SIGTERM");
    assertEquals(host.leftovers(), []);
  });
}

jobTest("a save after a refused shutdown holds every key", async (host) => {
  const wire = await host.start(...SAVING, "--rdb-key-save-delay", SLOW);
  await populate(wire);
  await Deno.mkdir(`${host.dir}/folder`);
  await wire.roundTrip("bgsave");
  await until(wire, `current_save_keys_total:${KEYS}`);
  await wire.roundTrip("config set rdb-key-save-delay 0 dbfilename folder");
  const refused = await wire.roundTrip("shutdown save");
  assertEquals(refused, "-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
  await wire.roundTrip("config set dbfilename dump.rdb");
  assertEquals(await wire.roundTrip("bgsave"), "+Background saving started\r\n");
  const info = await until(wire, "rdb_bgsave_in_progress:0");
  assert(info.includes("rdb_last_bgsave_status:ok"), info);
  wire.close();
  await host.stop("SIGKILL");
  const next = await host.start(...SAVING);
  assertEquals(await next.roundTrip("dbsize"), `:${KEYS}\r\n`);
  next.close();
  await host.stop("SIGTERM");
  assertEquals(host.leftovers(), []);
});

jobTest("a shutdown that was refused may be tried again, and saves then", async (host) => {
  const wire = await host.start(...SAVING, "--logfile", `${host.dir}/log`);
  await Deno.mkdir(`${host.dir}/folder`);
  await wire.roundTrip("config set dbfilename folder");
  await wire.roundTrip("set early 1");
  const { pid } = host;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.kill(pid, signal);
    await host.logs(`${signal} received but errors`);
  }
  await wire.roundTrip("config set dbfilename dump.rdb");
  assertEquals(await wire.roundTrip("save"), "+OK\r\n");
  assertEquals(await wire.roundTrip("set late 1"), "+OK\r\n");
  Deno.kill(pid, "SIGTERM");
  const { code, text } = await host.ended();
  assertEquals(code, 0, text);
  wire.close();
  const next = await host.start(...SAVING);
  assertEquals(await next.roundTrip("dbsize"), ":2\r\n");
  next.close();
  await host.stop("SIGTERM");
});

jobTest("an older save does not take the place of a newer one", async (host) => {
  const wire = await host.start(...SAVING, "--rdb-key-save-delay", "50");
  await populate(wire);
  await wire.roundTrip("bgsave");
  await wire.roundTrip("set newer 1");
  await wire.roundTrip("config set rdb-key-save-delay 0");
  assertEquals(await wire.roundTrip("debug reload"), "+OK\r\n");
  await until(wire, "rdb_bgsave_in_progress:0");
  await until(wire, "current_save_keys_total:0");
  // Waits until the older save has done whatever it does at its end.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  wire.close();
  await host.stop("SIGKILL");
  const next = await host.start(...SAVING);
  assertEquals(await next.roundTrip("get newer"), "$1\r\n1\r\n");
  assertEquals(await next.roundTrip("dbsize"), `:${KEYS + 1}\r\n`);
  next.close();
  await host.stop("SIGTERM");
});

jobTest("a file that can't take its place leaves nothing beside it", async (host) => {
  const wire = await host.start(...SAVING);
  await Deno.mkdir(`${host.dir}/folder`);
  await wire.roundTrip("set k v");
  await wire.roundTrip("config set dbfilename folder");
  assertEquals(await wire.roundTrip("save"), "-ERR\r\n");
  assertEquals(host.leftovers(), []);
  await wire.roundTrip("bgsave");
  const info = await until(wire, "rdb_bgsave_in_progress:0");
  assert(info.includes("rdb_last_bgsave_status:err"), info);
  assertEquals(host.leftovers(), []);
  await wire.roundTrip("config set dbfilename dump.rdb");
  assertEquals(await wire.roundTrip("save"), "+OK\r\n");
  wire.close();
  await host.stop("SIGTERM");
});

jobTest(
  "what was begun when a server was killed is gone when the next one starts",
  async (host) => {
    const wire = await host.start(...SAVING, "--rdb-key-save-delay", SLOW);
    await populate(wire);
    await wire.roundTrip("bgsave");
    await until(wire, `current_save_keys_total:${KEYS}`);
    await host.stop("SIGKILL");
    wire.close();
    assert(host.leftovers().length > 0, "it was killed while it saved");
    const next = await host.start(...SAVING);
    assertEquals(host.leftovers(), []);
    next.close();
    await host.stop("SIGTERM");
  },
);

jobTest("a log that was begun and never listed is not appended to", async (host) => {
  const wire = await host.start("--save", "", "--rdb-key-save-delay", SLOW);
  await populate(wire);
  assertEquals(await wire.roundTrip("config set appendonly yes"), "+OK\r\n");
  await wire.roundTrip("set of-an-attempt 1");
  await host.stop("SIGKILL");
  wire.close();
  const next = await host.start(...APPENDING);
  await next.roundTrip("set k v");
  next.close();
  await host.stop("SIGKILL");
  const last = await host.start(...APPENDING);
  assertEquals(await last.roundTrip("keys *"), "*1\r\n$1\r\nk\r\n");
  last.close();
  await host.stop("SIGTERM");
});

jobTest(
  "appending that is switched off and on during its first rewrite begins anew",
  async (host) => {
    const wire = await host.start("--save", "", "--rdb-key-save-delay", "50");
    await populate(wire, 2000);
    for (const value of ["yes", "no", "yes"]) {
      assertEquals(await wire.roundTrip(`config set appendonly ${value}`), "+OK\r\n");
    }
    await wire.roundTrip("set k v");
    await wire.roundTrip("config set rdb-key-save-delay 0");
    await until(wire, "aof_pending_rewrite:0");
    await wire.roundTrip("set l w");
    const digest = await wire.roundTrip("debug digest");
    wire.close();
    await host.stop("SIGKILL");
    const next = await host.start(...APPENDING);
    assertEquals(await next.roundTrip("debug digest"), digest);
    next.close();
    await host.stop("SIGTERM");
  },
);

jobTest("a directory that a server still appends to is not another's", async (host) => {
  const wire = await host.start(...APPENDING, "--enable-protected-configs", "yes");
  const elsewhere = `${host.dir}/elsewhere`;
  await Deno.mkdir(elsewhere);
  assertEquals(await wire.roundTrip(`config set dir ${elsewhere}`), "+OK\r\n");
  await wire.roundTrip("set k v");
  for (const dir of [host.dir, elsewhere]) {
    const { code, text } = await Child.spawn(freePort(), dir, ...APPENDING).ended();
    assertEquals(code, 1);
    assert(text.includes(`Another server uses ${dir}`), text);
  }
  wire.close();
  await host.stop("SIGTERM");
  const next = await host.start(...APPENDING);
  assertEquals(await next.roundTrip("get k"), "$1\r\nv\r\n");
  next.close();
  await host.stop("SIGTERM");
});
