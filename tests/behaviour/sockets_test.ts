import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type LiveServer, startRespite, Wire } from "../support/live.ts";
import { requestOf } from "../support/requests.ts";

/** Runs `work` against a server of its own. */
async function withServer(
  directives: Record<string, string>,
  work: (server: LiveServer) => Promise<void>,
): Promise<void> {
  const server = startRespite(directives);
  try {
    await work(server);
  } finally {
    await server.stop();
  }
}

Deno.test("a pipeline is answered in order, however large", async () => {
  await withServer({}, async ({ port }) => {
    const wire = await Wire.connect(port);
    let request = "";
    for (let i = 0; i < 5000; i++) request += `SET key:${i} ${i}\r\nGET key:${i}\r\n`;
    const sent = wire.send(request);
    for (let i = 0; i < 5000; i++) {
      assertEquals(await wire.read(), "+OK\r\n");
      assertEquals(await wire.read(), `$${String(i).length}\r\n${i}\r\n`);
    }
    await sent;
    wire.close();
  });
});
Deno.test("a monitor that never reads is cut off, and nobody else", async () => {
  await withServer({ "client-output-buffer-limit": "slave 1mb 0 0" }, async ({ port }) => {
    const monitor = await Wire.connect(port);
    await monitor.roundTrip("MONITOR");
    const wire = await Wire.connect(port);
    const value = "x".repeat(500_000);
    let info = "";
    // The sockets' own buffers hold some megabytes before the server notices.
    for (let i = 0; i < 200 && !info.includes("limit_disconnections:1"); i++) {
      await wire.send(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000\r\n${value}\r\n`);
      assertEquals(await wire.read(), "+OK\r\n");
      const stats = await wire.roundTrip("INFO stats");
      info = /client_output_buffer_limit_disconnections:\d+/.exec(stats)?.[0] ?? "";
      info = info.replace("client_output_buffer_", "");
    }
    assertEquals(info, "limit_disconnections:1");
    assertEquals(await wire.roundTrip("PING"), "+PONG\r\n");
    monitor.close();
    wire.close();
  });
});
Deno.test("a reply beyond client-output-buffer-limit is not sent, and what follows it does not run", async () => {
  await withServer({ "client-output-buffer-limit": "normal 200000 0 0" }, async ({ port }) => {
    const wire = await Wire.connect(port);
    assertEquals(await wire.roundTrip("SETRANGE big 299999 x"), ":300000\r\n");
    const long = await wire.roundTrip("GETRANGE big 0 150000");
    assert(long.startsWith("$150001\r\n"));
    await wire.send("GET big\r\nSET after 1\r\n");
    assertEquals(await wire.read(), "");
    const other = await Wire.connect(port);
    // Two replies of one batch count together.
    await other.send("GETRANGE big 0 110000\r\nGETRANGE big 0 110000\r\nSET after 1\r\n");
    assertEquals(await other.read(), "");
    const third = await Wire.connect(port);
    assertEquals(await third.roundTrip("EXISTS after"), ":0\r\n");
    const stats = await third.roundTrip("INFO stats");
    assertStringIncludes(stats, "client_output_buffer_limit_disconnections:2\r\n");
    for (const one of [wire, other, third]) one.close();
  });
});

Deno.test("a reply beyond client-output-buffer-limit takes no more memory than that while it is written", async () => {
  const own = startRespite({ "client-output-buffer-limit": "normal 2mb 0 0" });
  const { engine } = own.server;
  const most = (): number =>
    [...engine.clients.values()].reduce((most, { reply }) => Math.max(most, reply.capacity), 0);
  const wire = await Wire.connect(own.port);
  try {
    await wire.roundTrip("CONFIG SET list-max-listpack-size 128 proto-max-bulk-len 1gb");
    for (let i = 0; i < 20; i++) {
      const values = Array.from({ length: 5000 }, () => "y".repeat(100));
      await wire.send(requestOf(["RPUSH", "long", ...values]));
      await wire.read();
      await wire.roundTrip(`SETRANGE big${i} 999999 x`);
    }
    const keys = Array.from({ length: 20 }, (_, i) => `big${i}`).join(" ");
    const requests = ["LRANGE long 0 -1", `MGET ${keys}`, "MULTI\r\nLRANGE long 0 -1\r\nEXEC"];
    for (const [n, request] of requests.entries()) {
      const reader = await Wire.connect(own.port);
      let largest = 0;
      // The connection looks after each command; the client's memory is largest then.
      const { limitOutput } = engine;
      engine.limitOutput = (client) => {
        largest = Math.max(largest, most());
        limitOutput?.(client);
      };
      await reader.send(`${request}\r\nSET after 1\r\n`);
      let read = await reader.read();
      while (read === "+OK\r\n" || read === "+QUEUED\r\n") read = await reader.read();
      assertEquals(read, "");
      assert(largest > 1_000_000 && largest < 8_000_000, `${request}: ${largest}`);
      engine.limitOutput = limitOutput;
      assertEquals(engine.counters.clientOutputLimitDisconnections, n + 1);
      reader.close();
    }
    assertEquals(await wire.roundTrip("EXISTS after"), ":0\r\n");
    // CLIENT REPLY OFF drops the reply anyway, and so nobody is disconnected.
    await wire.send("CLIENT REPLY OFF\r\nLRANGE long 0 -1\r\nCLIENT REPLY ON\r\nPING\r\n");
    assertEquals([await wire.read(), await wire.read()], ["+OK\r\n", "+PONG\r\n"]);
  } finally {
    wire.close();
    await own.stop();
  }
});
Deno.test("a billion random elements are not looked for any longer than client-output-buffer-limit lets", async () => {
  await withServer({ "client-output-buffer-limit": "normal 1000000 0 0" }, async ({ port }) => {
    const wire = await Wire.connect(port);
    await wire.roundTrip("HSET h a b");
    await wire.roundTrip("SADD s a");
    await wire.roundTrip("ZADD z 1 a");
    const requests = ["HRANDFIELD h -999999999", "SRANDMEMBER s -999999999"];
    for (const request of [...requests, "ZRANDMEMBER z -9223372036854775807"]) {
      const reader = await Wire.connect(port);
      await reader.send(`${request}\r\n`);
      assertEquals(await reader.read(), "");
      reader.close();
    }
    await wire.roundTrip('CONFIG SET client-output-buffer-limit "normal 0 0 0"');
    const answer = await wire.roundTrip("SRANDMEMBER s -999999999");
    assertEquals(answer, "-ERR value is out of range\r\n");
    wire.close();
  });
});
Deno.test("omem of CLIENT LIST is what waits beyond 16 KiB, in flight or not", async () => {
  await withServer({}, async ({ port }) => {
    const wire = await Wire.connect(port);
    const reader = await Wire.connect(port);
    await reader.roundTrip("CLIENT SETNAME reader");
    await reader.roundTrip("SUBSCRIBE channel");
    const message = "x".repeat(1000);
    let omem = 0;
    let obl = 0;
    // The sockets' own buffers hold some megabytes before anything waits.
    for (let i = 0; i < 100_000 && omem < 200_000; i += 100) {
      await wire.send(`PUBLISH channel ${message}\r\n`.repeat(100));
      for (let j = 0; j < 100; j++) await wire.read();
      const list = await wire.roundTrip("CLIENT LIST");
      [, obl, omem] = (/name=reader.* obl=(\d+) .*omem=(\d+)/.exec(list) ?? []).map(Number);
      assert(obl <= 16_384, list);
    }
    assert(omem >= 200_000 && omem < 1_000_000, String(omem));
    for (const one of [wire, reader]) one.close();
  });
});
Deno.test("COMMAND DOCS beyond the limit does not spoil what is kept for others", async () => {
  await withServer({ "client-output-buffer-limit": "normal 250000 0 0" }, async ({ port }) => {
    const reader = await Wire.connect(port);
    await reader.roundTrip("SETRANGE big 130000 x");
    await reader.send("GET big\r\nCOMMAND DOCS\r\n");
    assertEquals(await reader.read(), "");
    const other = await Wire.connect(port);
    await other.roundTrip('CONFIG SET client-output-buffer-limit "normal 0 0 0"');
    const docs = await other.roundTrip("COMMAND DOCS");
    assert(docs.startsWith("*") && docs.length > 100_000, `${docs.length}`);
    for (const name of ["lpop", "slowlog|reset"]) assert(docs.includes(`\r\n${name}\r\n`), name);
    for (const one of [reader, other]) one.close();
  });
});
Deno.test("what clients' buffers take counts towards maxmemory, and no longer when they are gone", async () => {
  const own = startRespite();
  const { engine } = own.server;
  const sum = (): number =>
    [...engine.clients.values()].reduce((bytes, { memoryBytes }) => bytes + memoryBytes, 0);
  const wires = await Promise.all([1, 2, 3, 4].map(() => Wire.connect(own.port)));
  const [wire, monitor, reader, sender] = wires;
  try {
    await monitor.roundTrip("MONITOR");
    await wire.roundTrip("SETRANGE big 3000000 x");
    // Nobody reads what the monitor and the reader get; the sender's request stays incomplete.
    await reader.send("GET big\r\nGET big\r\nGET big\r\nGET big\r\nGET big\r\n");
    await sender.send(`*2\r\n$3\r\nGET\r\n$3000000\r\n${"x".repeat(1_000_000)}`);
    for (let i = 0; i < 200; i++) await wire.roundTrip(`SET k ${"y".repeat(1000)}`);
    const counted = engine.clientMemory.bytes;
    assert(counted > 2_000_000, `${counted}`);
    assertEquals(counted, sum());
    await wire.roundTrip("CONFIG SET maxmemory 4mb");
    assertStringIncludes(await wire.roundTrip("SET k v"), "-OOM");
    for (const other of wires.splice(1)) other.close();
    while (engine.clients.size > 1) await new Promise((resolve) => setTimeout(resolve, 1));
    await wire.roundTrip("DEL big");
    assertEquals(await wire.roundTrip("SET k v"), "+OK\r\n");
    assertEquals(engine.clientMemory.bytes, sum());
  } finally {
    for (const wire of wires) wire.close();
    await own.stop();
  }
});
Deno.test("a request beyond client-query-buffer-limit closes that client alone", async () => {
  await withServer({ "client-query-buffer-limit": "1mb" }, async ({ port }) => {
    const wire = await Wire.connect(port);
    const other = await Wire.connect(port);
    await wire.send("*2\r\n$3\r\nGET\r\n$100000000\r\n");
    await wire.send("x".repeat(3_000_000)).catch(() => {});
    assertEquals(await wire.read(), "");
    assertEquals(await other.roundTrip("PING"), "+PONG\r\n");
    wire.close();
    other.close();
  });
});
Deno.test("client-query-buffer-limit is compared with each argument, not with the whole request", async () => {
  await withServer({ "client-query-buffer-limit": "1mb" }, async ({ port }) => {
    const reply = async (request: string): Promise<string> => {
      const wire = await Wire.connect(port);
      await wire.send(request).catch(() => {});
      const answer = await wire.read();
      wire.close();
      return answer;
    };
    const word = (size: number): string => `$${size}\r\n${"x".repeat(size)}\r\n`;
    // Its CRLF counts, too.
    assertEquals(
      await reply(`*3\r\n${word(3).replace("xxx", "SET")}${word(1)}${word(1048574)}`),
      "+OK\r\n",
    );
    assertEquals(
      await reply(`*3\r\n${word(3).replace("xxx", "SET")}${word(1)}${word(1048575)}`),
      "",
    );
    const small = word(6).repeat(300_000);
    assertEquals(await reply(`*300001\r\n${word(4).replace("xxxx", "MSET")}${small}`), "+OK\r\n");
    const large = word(6).repeat(99_999) + word(1048575);
    assertEquals(await reply(`*100001\r\n${word(4).replace("xxxx", "MSET")}${large}`), "");
  });
});
Deno.test("clients beyond maxclients get an error and are disconnected", async () => {
  await withServer({ maxclients: "1" }, async ({ port }) => {
    const first = await Wire.connect(port);
    assertEquals(await first.roundTrip("PING"), "+PONG\r\n");
    const second = await Wire.connect(port);
    assertStringIncludes(await second.read(), "max number of clients reached");
    first.close();
    second.close();
  });
});
Deno.test("bytes that break the protocol close that connection after the error", async () => {
  await withServer({}, async ({ port }) => {
    const wire = await Wire.connect(port);
    await wire.send("*1\r\nfoo\r\n");
    assertStringIncludes(await wire.read(), "expected '$', got 'f'");
    assertEquals(await wire.read(), "");
    wire.close();
  });
});
Deno.test("QUIT and EXIT answer before the connection closes", async () => {
  await withServer({}, async ({ port }) => {
    for (const word of ["QUIT", "EXIT"]) {
      const wire = await Wire.connect(port);
      assertEquals(await wire.roundTrip(word), "+OK\r\n");
      assertEquals(await wire.read(), "");
      wire.close();
    }
  });
});
Deno.test("stopping answers what was executed and closes all clients", async () => {
  const server = startRespite();
  const wire = await Wire.connect(server.port);
  assertEquals(await wire.roundTrip("SET k v"), "+OK\r\n");
  await server.stop();
  assertEquals(await wire.read(), "");
  wire.close();
});
Deno.test("CONFIG SET port goes over to another port, or keeps the old one", async () => {
  await withServer({}, async ({ port }) => {
    const wire = await Wire.connect(port);
    const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const refusal = await wire.roundTrip(`CONFIG SET port ${taken.addr.port}`);
    assertStringIncludes(refusal, "Unable to listen on this port");
    taken.close();
    const other = await Wire.connect(port);
    assertEquals(await other.roundTrip("PING"), "+PONG\r\n");
    wire.close();
    other.close();
  });
});
Deno.test("a client whose block ends while it lets others read gets all of its replies", async () => {
  const server = startRespite();
  const [one, other] = [await Wire.connect(server.port), await Wire.connect(server.port)];
  const turn = Promise.withResolvers<void>();
  let isWaiting = false;
  Object.assign(server.server.hub.rounds, {
    isCrowded: () => !isWaiting && [...server.server.engine.clients.values()][0].blocked !== null,
    turn: () => {
      isWaiting = true;
      return turn.promise;
    },
  });
  await one.send("blpop key 0\r\nping\r\n");
  while (!isWaiting) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(await other.roundTrip("rpush key value"), ":1\r\n");
  turn.resolve();
  assertEquals(await one.read(), "*2\r\n$3\r\nkey\r\n$5\r\nvalue\r\n");
  const nothing = new Promise<string>((resolve) => setTimeout(() => resolve("nothing"), 3000));
  assertEquals(await Promise.race([one.read(), nothing]), "+PONG\r\n");
  one.close();
  other.close();
  await server.stop();
});
