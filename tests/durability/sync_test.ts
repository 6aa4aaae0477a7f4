/** SYNC and MIGRATE: data that go to another. */
import { assert, assertEquals } from "@std/assert";
import { startRespite, Wire } from "../support/live.ts";

const options = { sanitizeOps: false, sanitizeResources: false };

/** Reads until `text` has come; returns all that came. */
async function readUntil(conn: Deno.Conn, text: string): Promise<string> {
  let all = "";
  const buffer = new Uint8Array(65536);
  while (!all.includes(text)) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error(`the connection ended after ${all.length} bytes`);
    all += new TextDecoder("latin1").decode(buffer.subarray(0, count));
  }
  return all;
}

Deno.test({
  name: "SYNC sends a snapshot and then what changes, as it is to be run elsewhere",
  ...options,
  fn: async () => {
    const server = startRespite();
    const writer = await Wire.connect(server.port);
    await writer.roundTrip("set before 1");
    const { conn } = await Wire.connect(server.port);
    await conn.write(new TextEncoder().encode("SYNC\r\n"));
    const snapshot = await readUntil(conn, "before");
    assert(/^\$\d+\r\nREDIS0010/.test(snapshot), "an RDB with its length before it");
    assert((await writer.roundTrip("client list")).includes("flags=S"), "it is a replica");
    await writer.roundTrip("set soon v ex 100");
    await writer.roundTrip("sadd set a b c");
    await writer.roundTrip("spop set 3");
    await writer.roundTrip("publish news hello");
    await writer.roundTrip("set end 1");
    const changes = await readUntil(conn, "end\r\n$1\r\n1\r\n");
    assert(changes.includes("SELECT\r\n$1\r\n0"), changes);
    assert(/SET\r\n\$4\r\nsoon\r\n\$1\r\nv\r\n\$4\r\nPXAT\r\n\$13\r\n\d+/.test(changes), changes);
    assert(changes.includes("DEL\r\n$3\r\nset\r\n"), changes);
    assert(changes.includes("*3\r\n$7\r\npublish\r\n$4\r\nnews\r\n$5\r\nhello\r\n"), changes);
    conn.close();
    writer.close();
    await server.stop();
  },
});
Deno.test({
  name: "MIGRATE moves keys with their deadlines, and keeps them where the other server refuses",
  ...options,
  fn: async () => {
    const [from, to] = [startRespite(), startRespite({ requirepass: "secret" })];
    const wire = await Wire.connect(from.port);
    const other = await Wire.connect(to.port);
    await other.roundTrip("auth secret");
    await wire.roundTrip("set a 1 ex 100");
    await wire.roundTrip("rpush b x y");
    const address = `127.0.0.1 ${to.port}`;
    const refused = await wire.roundTrip(`migrate ${address} a 0 1000`);
    assert(refused.startsWith("-ERR Target instance replied with error: NOAUTH"), refused);
    assertEquals(await wire.roundTrip("exists a b"), ":2\r\n");
    const line = `migrate ${address} "" 0 1000 auth secret keys a b missing`;
    assertEquals(await wire.roundTrip(line), "+OK\r\n");
    assertEquals(await wire.roundTrip("exists a b"), ":0\r\n");
    assertEquals(await other.roundTrip("lrange b 0 -1"), "*2\r\n$1\r\nx\r\n$1\r\ny\r\n");
    assert(/^:(9\d|100)\r/.test(await other.roundTrip("ttl a")), "the deadline came, too");
    assertEquals(await wire.roundTrip(line), "+NOKEY\r\n");
    assertEquals(
      await wire.roundTrip("migrate 127.0.0.1 1 a 0 100"),
      "+NOKEY\r\n",
    );
    await wire.roundTrip("set c 1");
    assert(
      (await wire.roundTrip("migrate 127.0.0.1 1 c 0 100")).startsWith("-IOERR error or timeout"),
      "nobody is there",
    );
    assertEquals(await wire.roundTrip("get c"), "$1\r\n1\r\n");
    for (const one of [wire, other]) one.close();
    await Promise.all([from.stop(), to.stop()]);
  },
});
