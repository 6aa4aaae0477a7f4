/** maxmemory-clients: who is closed when clients take too much memory, as Redis's own tests of it ask (unit/client-eviction). */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ReplyError, TestServer } from "../support/harness.ts";
import { freePort, startRespite, Wire } from "../support/live.ts";

const MEGABYTE = 1024 * 1024;
type Live = ReturnType<typeof startRespite>;

/** Runs `test` with a server whose clients may take `limit`, and with a client of it that is never evicted. */
async function withServer(
  directives: Record<string, string>,
  test: (server: Live, control: Wire) => Promise<void>,
): Promise<void> {
  const server = startRespite({ port: `${freePort()}`, ...directives });
  try {
    const control = await Wire.connect(server.port);
    await control.roundTrip("client no-evict on");
    await test(server, control);
    control.close();
  } finally {
    await server.stop();
  }
}

/** A client of this name. */
async function named(server: Live, name: string): Promise<Wire> {
  const wire = await Wire.connect(server.port);
  await wire.roundTrip(`client setname ${name}`);
  return wire;
}

async function namesOf(control: Wire): Promise<string[]> {
  const list = await control.roundTrip("client list");
  return [...list.matchAll(/name=([^ ]+)/g)].map(([, name]) => name);
}

async function fieldOf(control: Wire, name: string, field: string): Promise<number> {
  const line = (await control.roundTrip("client list")).split("\n").find((one) =>
    one.includes(`name=${name} `)
  );
  return Number(line?.match(` ${field}=([0-9]+)`)?.[1] ?? NaN);
}

async function eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) if (await isSo()) return;
  throw new Error(`never: ${what}`);
}

/** Leaves an argument of `size` bytes unfinished, and waits until it has arrived. */
async function fill(control: Wire, wire: Wire, name: string, size: number): Promise<void> {
  await wire.send(`*2\r\n$${size}\r\n${"v".repeat(size)}`);
  await eventually("arrived", async () => await fieldOf(control, name, "qbuf") === size);
}

/** Whether the server closes the connection, whatever it sends before. */
async function isClosed(wire: Wire): Promise<boolean> {
  const buffer = new Uint8Array(65_536);
  try {
    while (await wire.conn.read(buffer) !== null);
  } catch (error) {
    return error instanceof Deno.errors.ConnectionReset;
  }
  return true;
}

async function evictedClients(control: Wire): Promise<number> {
  return Number((await control.roundTrip("info stats")).match(/evicted_clients:(\d+)/)?.[1]);
}

Deno.test("a client is evicted before its request runs, for its size, and before it is complete", async () => {
  await withServer({ "maxmemory-clients": "3000000" }, async (server, control) => {
    const one = await named(server, "one");
    assertEquals(await one.call("mset", "k", "v", "k2", "v".repeat(1_000_000)), "+OK\r\n");
    one.call("mset", "k", "w", "k2", "v".repeat(3_000_000)).catch(() => {});
    await eventually("evicted", async () => !(await namesOf(control)).includes("one"));
    assertEquals(await control.roundTrip("get k"), "$1\r\nv\r\n");
    // Of several arguments, those that have arrived count, too.
    const two = await named(server, "two");
    const argument = `$1000000\r\n${"v".repeat(1_000_000)}\r\n`;
    two.send(`*6\r\n${argument.repeat(4)}`).catch(() => {});
    await eventually("evicted", async () => !(await namesOf(control)).includes("two"));
    assertEquals(await evictedClients(control), 2);
    assertMatch(
      server.logged.join("\n"),
      /Evicting client: id=\d+ addr=127.* name=one .* tot-mem=\d+/,
    );
    await control.roundTrip("config resetstat");
    assertEquals(await evictedClients(control), 0);
    for (const wire of [one, two]) wire.close();
  });
});

Deno.test("a client is evicted for its queue, its watches, subscriptions and prefixes", async () => {
  await withServer({ "maxmemory-clients": "3mb" }, async (server, control) => {
    const queue = await named(server, "queue");
    const value = "v".repeat(700_000);
    await queue.call("multi");
    for (let i = 0; i < 2; i++) assertEquals(await queue.call("set", "k", value), "+QUEUED\r\n");
    assertEquals(await queue.call("exec"), "*2\r\n+OK\r\n+OK\r\n");
    await queue.call("multi");
    for (let i = 0; i < 5; i++) {
      await queue.send(`*3\r\n$3\r\nset\r\n$1\r\nk\r\n$700000\r\n${value}\r\n`).catch(() => {});
    }
    assert(await isClosed(queue));
    // Less than 128 KiB for all clients is taken for 128 KiB: otherwise nobody could set it back.
    await control.roundTrip("config set maxmemory-clients 1");
    assertEquals(
      await control.roundTrip("config get maxmemory-clients"),
      "*2\r\n$17\r\nmaxmemory-clients\r\n$1\r\n1\r\n",
    );
    const commands = [
      "watch",
      "subscribe",
      "psubscribe",
      "ssubscribe",
      "client tracking on bcast prefix",
    ];
    for (const command of commands) {
      const wire = await named(server, "many");
      const lines = Array.from(
        { length: 3000 },
        (_, i) => `${command} name:${String(i).padStart(8, "0")}\r\n`,
      );
      wire.send(lines.join("")).catch(() => {});
      assert(await isClosed(wire), command);
      wire.close();
    }
    assertEquals(await evictedClients(control), 6);
    queue.close();
  });
});

Deno.test("a client that does not read is evicted for what others, or it itself, let it be sent", async () => {
  await withServer({ "maxmemory-clients": "1mb" }, async (server, control) => {
    // Nothing but the commands may notice it.
    await control.roundTrip("debug pause-cron 1");
    await control.call("set", "k", "v".repeat(2 * MEGABYTE));
    const asking = await named(server, "asking");
    await asking.send("get k\r\n");
    await eventually("evicted", async () => !(await namesOf(control)).includes("asking"));
    const deaf = await named(server, "deaf");
    await deaf.send("subscribe channel\r\n");
    const changing = await named(server, "changing");
    const key = "k".repeat(200_000);
    const told = await named(server, "told");
    await told.send("subscribe __redis__:invalidate\r\n");
    const toldId = Number(
      (await control.roundTrip("client list")).match(/id=(\d+) .*name=told /)?.[1],
    );
    assertEquals(
      await changing.roundTrip(`client tracking on bcast redirect ${toldId}`),
      "+OK\r\n",
    );
    await eventually("evicted", async () => {
      await changing.call("incr", key);
      return !(await namesOf(control)).includes("told");
    });
    await eventually("evicted", async () => {
      await control.call("publish", "channel", key);
      return !(await namesOf(control)).includes("deaf");
    });
    assert((await namesOf(control)).includes("changing"));
    for (const wire of [asking, deaf, told, changing]) wire.close();
  });
});

Deno.test("clients are evicted from the largest on, each power of two in order, and no more than needed", async () => {
  await withServer({}, async (server, control) => {
    const wires: Wire[] = [];
    for (const [name, size] of [["a", 130_000], ["b", MEGABYTE], ["c", 3 * MEGABYTE]] as const) {
      for (let i = 0; i < 3; i++) {
        const wire = await named(server, `${name}${i}`);
        wires.push(wire);
        await fill(control, wire, `${name}${i}`, size);
      }
    }
    const left = async (limit: number): Promise<string> => {
      assertEquals(await control.roundTrip(`config set maxmemory-clients ${limit}`), "+OK\r\n");
      return (await namesOf(control)).join(" ");
    };
    assertEquals(await left(14 * MEGABYTE), "a0 a1 a2 b0 b1 b2 c0 c1 c2");
    assertEquals(await left(10 * MEGABYTE), "a0 a1 a2 b0 b1 b2 c1 c2");
    assertEquals(await left(3 * MEGABYTE + 700_000), "a0 a1 a2 b0 b1 b2");
    assertEquals(await left(MEGABYTE + 600_000), "a0 a1 a2 b2");
    const report = await control.roundTrip("debug client-eviction");
    assertMatch(report, /bucket {5}131072 - {5}262143: tot-mem: {5}\d{6}, clients: 3\n/);
    assertMatch(report, /bucket {4}1048576 - {4}2097151: tot-mem: {4}\d{7}, clients: 1\n/);
    assertMatch(report, /bucket 4294967296\+ {12}: tot-mem: {10}0, clients: 0\n\r\n$/);
    for (const wire of wires) wire.close();
  });
});

Deno.test("maxmemory-clients in percent is a part of maxmemory, whichever of them is set last", async () => {
  await withServer({ "maxmemory-clients": "10%" }, async (server, control) => {
    const wire = await named(server, "one");
    await fill(control, wire, "one", MEGABYTE);
    await control.roundTrip("config set maxmemory 20mb");
    assertEquals(await namesOf(control), ["one"]);
    await control.roundTrip("config set maxmemory 9mb");
    assertEquals(await namesOf(control), []);
    wire.close();
    const other = await named(server, "other");
    await fill(control, other, "other", 700_000);
    await control.roundTrip("config set maxmemory-clients 9%");
    assertEquals(await namesOf(control), ["other"]);
    await control.roundTrip("config set maxmemory-clients 7%");
    assertEquals(await namesOf(control), []);
    other.close();
  });
});

Deno.test("CLIENT NO-EVICT keeps a client, until it says otherwise", async () => {
  await withServer({ "maxmemory-clients": "1mb" }, async (server, control) => {
    const kept = await named(server, "kept");
    assertEquals(await kept.roundTrip("client no-evict on"), "+OK\r\n");
    await control.call("set", "k", "v".repeat(100));
    await fill(control, kept, "kept", 2 * MEGABYTE);
    // Others are closed in its place, the smallest, too.
    const other = await named(server, "other");
    await eventually("evicted", async () => !(await namesOf(control)).includes("other"));
    assertEquals(await namesOf(control), ["kept"]);
    assert(await fieldOf(control, "kept", "tot-mem") > 2 * MEGABYTE);
    await control.roundTrip("config set maxmemory-clients 4mb");
    await kept.send("\r\n$1\r\nx\r\n");
    assertMatch(await kept.read(), /^-ERR unknown command/);
    assertEquals(await kept.roundTrip("client no-evict off"), "+OK\r\n");
    await fill(control, kept, "kept", 2 * MEGABYTE);
    await control.roundTrip("config set maxmemory-clients 1mb");
    assertEquals(await namesOf(control), []);
    kept.close();
    other.close();
  });
});

Deno.test("a client over its own limit of output is closed first, and so nobody else", async () => {
  const directives = {
    "maxmemory-clients": "10mb",
    "client-output-buffer-limit": `normal ${3 * MEGABYTE} 0 0`,
  };
  await withServer(directives, async (server, control) => {
    await control.roundTrip(`setrange k ${4 * MEGABYTE} v`);
    const large = await named(server, "large");
    await fill(control, large, "large", 6 * MEGABYTE);
    const asking = [await named(server, "asking"), await named(server, "asking")];
    for (const wire of asking) await wire.send("get k\r\n");
    for (const wire of asking) assert(await isClosed(wire));
    assertEquals(await namesOf(control), ["large"]);
    assertEquals(await evictedClients(control), 0);
    for (const wire of [large, ...asking]) wire.close();
  });
});

Deno.test("a replica's output counts apart, and is no reason to evict it or others", () => {
  const server = new TestServer({ directives: { "maxmemory-clients": "1mb" } });
  const replica = server.client();
  server.engine.becomesReplica(replica.client);
  replica.client.reply.bulkBinary("v".repeat(2 * MEGABYTE));
  server.advance(200);
  assertEquals(replica.isClosed, false);
  const info = server.run("INFO memory") as string;
  assertMatch(info, /mem_clients_slaves:2\d{6}\r\n/);
  assertMatch(info, /mem_clients_normal:\d{4,5}\r\n/);
  assertMatch(
    server.run("DEBUG CLIENT-EVICTION") as string,
    /32767: tot-mem: +\d{4,5}, clients: 1\n/,
  );
});

Deno.test("DEBUG CLIENT-EVICTION says that nothing is limited, and takes no arguments", () => {
  const server = new TestServer();
  assertEquals(
    server.run("DEBUG CLIENT-EVICTION"),
    new ReplyError("ERR maxmemory-clients is disabled."),
  );
  server.run("CONFIG SET maxmemory-clients 50%");
  assertEquals((server.run("DEBUG CLIENT-EVICTION") as string).split("\n").length, 20);
  assertEquals(
    server.run("DEBUG CLIENT-EVICTION x"),
    new ReplyError(
      "ERR unknown subcommand or wrong number of arguments for 'CLIENT-EVICTION'. Try DEBUG HELP.",
    ),
  );
});
