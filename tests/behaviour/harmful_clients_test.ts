/** Clients that hold others up: that send a byte now and then, that come in crowds, that never read, that have vanished. */
import { assert, assertEquals } from "@std/assert";
import { startRespite, Wire } from "../support/live.ts";
import { requestOf } from "../support/requests.ts";
import { pause, until } from "../support/waiting.ts";

const MB = 2 ** 20;

/** The value of a field for each client but the one that asks. */
async function fieldOfOthers(wire: Wire, name: string): Promise<number[]> {
  const list = await wire.roundTrip("client list");
  const lines = list.split("\n").filter((line) =>
    line.includes("id=") && !line.includes("client|list")
  );
  return lines.map((line) => Number(new RegExp(` ${name}=(\\d+)`).exec(line)?.[1]));
}

Deno.test("clients that send a byte at a time hold nobody up, and are answered in the end", async () => {
  const server = startRespite();
  const fast = await Wire.connect(server.port);
  const slow = await Promise.all(Array.from({ length: 50 }, () => Wire.connect(server.port)));
  const request = requestOf(["SET", "key", "v".repeat(30)]);
  assertEquals(await fast.roundTrip("ping"), "+PONG\r\n");
  const idleBytes = Math.max(...await fieldOfOthers(fast, "tot-mem"));
  let answered = 0;
  for (let at = 0; at < request.length; at++) {
    const byte = request[at];
    await Promise.all(slow.map((wire) => wire.send(byte)));
    for (let i = 0; i < 5; i++) if (await fast.roundTrip("ping") === "+PONG\r\n") answered++;
    if (at === request.length - 1) break;
    // What has arrived of their requests takes no more memory than an idle client.
    const bytes = await fieldOfOthers(fast, "tot-mem");
    assertEquals(bytes.filter((each) => each > idleBytes), []);
  }
  assertEquals(answered, 5 * request.length);
  const replies = await Promise.all(slow.map((wire) => wire.read()));
  assertEquals(replies, slow.map(() => "+OK\r\n"));
  for (const wire of [fast, ...slow]) wire.close();
  await server.stop();
});

Deno.test("a length that is announced and never sent takes no memory", async () => {
  const server = startRespite();
  const wire = await Wire.connect(server.port);
  const before = server.server.engine.usedBytes;
  const liars = await Promise.all(Array.from({ length: 100 }, () => Wire.connect(server.port)));
  for (const [i, liar] of liars.entries()) {
    const head = i % 2 === 0
      ? "*2147483647\r\n$3\r\nSET\r\n"
      : "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n";
    await liar.send(`${head}abc`);
  }
  await until(() => server.server.engine.clients.size === liars.length + 1);
  assertEquals(await wire.roundTrip("ping"), "+PONG\r\n");
  const each = (server.server.engine.usedBytes - before) / liars.length;
  assert(each < 20_000, `${each} bytes a client`);
  for (const one of [wire, ...liars]) one.close();
  await until(() => server.server.engine.clients.size === 0);
  await server.stop();
});

Deno.test("a storm of connections beyond maxclients is turned away, and those that are in are served", async () => {
  const server = startRespite({ maxclients: "20" });
  const inside = await Promise.all(Array.from({ length: 20 }, () => Wire.connect(server.port)));
  for (const wire of inside) assertEquals(await wire.roundTrip("ping"), "+PONG\r\n");
  let refused = 0;
  const storm = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      const wire = await Wire.connect(server.port);
      if (await wire.read() === "-ERR max number of clients reached\r\n") refused++;
      wire.close();
    }
  };
  const storms = Array.from({ length: 20 }, storm);
  for (const wire of inside) assertEquals(await wire.roundTrip("echo served"), "$6\r\nserved\r\n");
  await Promise.all(storms);
  const { counters, clients } = server.server.engine;
  assertEquals([refused, counters.rejectedConnections, clients.size], [400, 400, 20]);
  inside[0].close();
  await until(() => clients.size === 19);
  const next = await Wire.connect(server.port);
  assertEquals(await next.roundTrip("ping"), "+PONG\r\n");
  for (const wire of [next, ...inside]) wire.close();
  await server.stop();
});

Deno.test("clients that ask for much and never read get one reply at a time, and hold nobody up", async () => {
  const server = startRespite();
  const { engine } = server.server;
  const fast = await Wire.connect(server.port);
  await fast.roundTrip("setrange large 104857599 x");
  const before = engine.usedBytes;
  const slow = await Promise.all(Array.from({ length: 3 }, () => Wire.connect(server.port)));
  for (const wire of slow) await wire.send("get large\r\n".repeat(20));
  await until(() =>
    [...engine.clients.values()].filter((one) => one.outputWaiting > MB).length === 3
  );
  for (let i = 0; i < 100; i++) assertEquals(await fast.roundTrip("ping"), "+PONG\r\n");
  const each = (engine.usedBytes - before) / slow.length / MB;
  // The buffer of a reply grows in steps.
  assert(each < 250, `${each.toFixed(0)} MB a client`);
  // One begins to read: it gets all of its replies.
  let bytes = 0;
  const buffer = new Uint8Array(4 * MB);
  const total = 20 * (100 * MB + "$104857600\r\n\r\n".length);
  while (bytes < total / 10) bytes += await slow[0].conn.read(buffer) ?? total;
  assert(bytes < total);
  for (const wire of slow) wire.close();
  await until(() => engine.clients.size === 1);
  assert(engine.usedBytes - before < MB, "their memory is given back");
  assertEquals(await fast.roundTrip("ping"), "+PONG\r\n");
  fast.close();
  await server.stop();
});

Deno.test("a client that is cut off and does not read its last replies counts, and is given up", async () => {
  for (const last of ["*x\r\n", "quit\r\n", ""]) {
    const server = startRespite({ maxclients: "10" });
    const { hub, engine } = server.server;
    hub.lingerMs = 300;
    const peer = await Wire.connect(server.port);
    await peer.roundTrip("setrange value 99999 x");
    const [client] = engine.clients.values();
    // Until the system takes no more. With a megabyte waiting, the server would not look at what it is sent.
    while (client.outputWaiting < 200_000) {
      await peer.send("get value\r\n");
      await pause(2);
    }
    if (last === "") await peer.conn.closeWrite();
    else await peer.send(last);
    await until(() => engine.clients.size === 0);
    assertEquals([hub.lingering, hub.room], [1, 9], last);
    await until(() => hub.lingering === 0);
    assertEquals(hub.room, 10);
    peer.close();
    await server.stop();
  }
});

Deno.test("a client that has fallen silent is closed after timeout, one that waits for a key is not", async () => {
  const server = startRespite({ timeout: "1" });
  const [silent, half, waiting] = await Promise.all(
    Array.from({ length: 3 }, () => Wire.connect(server.port)),
  );
  await half.send("*2\r\n$3\r\nGET\r\n$100\r\nabc");
  await waiting.send("blpop key 0\r\n");
  assertEquals([await silent.read(), await half.read()], ["", ""]);
  const fourth = await Wire.connect(server.port);
  await fourth.roundTrip("rpush key value");
  assertEquals(await waiting.read(), "*2\r\n$3\r\nkey\r\n$5\r\nvalue\r\n");
  for (const wire of [silent, half, waiting, fourth]) wire.close();
  await server.stop();
});

Deno.test({
  name: "the system probes whether a silent client is still there, unless tcp-keepalive is 0",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    for (const [seconds, timer] of [["300", "02"], ["0", "00"]]) {
      const server = startRespite({ "tcp-keepalive": seconds });
      const wire = await Wire.connect(server.port);
      await wire.roundTrip("ping");
      assertEquals(await timersOf(server.port), [timer]);
      wire.close();
      await server.stop();
    }
  },
});

/** Which timers run for the connections that were accepted on a port: "02" is the one that sends probes. */
async function timersOf(port: number): Promise<string[]> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const { stdout } = await new Deno.Command("cat", { args: ["/proc/net/tcp"] }).output();
  const rows = new TextDecoder().decode(stdout).split("\n").map((line) => line.trim().split(/\s+/));
  const established = rows.filter(([, address, , state]) =>
    address?.endsWith(local) && state === "01"
  );
  return established.map((row) => row[5].slice(0, 2));
}
