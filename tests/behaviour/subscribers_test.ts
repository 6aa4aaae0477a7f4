/** Subscribers on real sockets: many of them, and some that do not read. */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { startRespite, Wire } from "../support/live.ts";
import { requestOf } from "../support/requests.ts";

const SUBSCRIBERS = 1000;
const MESSAGES = 10_000;
const PIPELINE = 100;
const READ_BYTES = 16_384;

/** What a subscriber by channel is sent; the pattern's adds its name. */
function stream(hasPattern: boolean): Uint8Array {
  const parts: string[] = [];
  for (let n = 0; n < MESSAGES; n++) {
    const words = hasPattern ? ["pmessage", "new?", "news", `${n}`] : ["message", "news", `${n}`];
    parts.push(requestOf(words));
  }
  return new TextEncoder().encode(parts.join(""));
}

/** Reads what is sent to `wire`, and returns how many bytes were as expected before the end or the first difference. */
async function hears(wire: Wire, expected: Uint8Array): Promise<number> {
  const buffer = new Uint8Array(READ_BYTES);
  let at = 0;
  while (at < expected.length) {
    const count = await wire.conn.read(buffer);
    if (count === null) break;
    const isSame = at + count <= expected.length &&
      Buffer.compare(buffer.subarray(0, count), expected.subarray(at, at + count)) === 0;
    if (!isSame) return at;
    at += count;
  }
  return at;
}

Deno.test("a thousand subscribers get ten thousand messages each, all of them in order", async () => {
  const { port, stop, server } = startRespite();
  const wires: Wire[] = [];
  const heard: Promise<number>[] = [];
  const streams = [stream(false), stream(true)];
  for (let i = 0; i < SUBSCRIBERS; i++) {
    const wire = await Wire.connect(port);
    wires.push(wire);
    const byPattern = i % 10 === 0;
    await wire.roundTrip(byPattern ? "PSUBSCRIBE new?" : "SUBSCRIBE news");
    heard.push(hears(wire, streams[byPattern ? 1 : 0]));
  }
  const publisher = await Wire.connect(port);
  for (let n = 0; n < MESSAGES; n += PIPELINE) {
    const requests = Array.from({ length: PIPELINE }, (_, i) => `PUBLISH news ${n + i}\r\n`);
    await publisher.send(requests.join(""));
    for (let i = 0; i < PIPELINE; i++) assertEquals(await publisher.read(), `:${SUBSCRIBERS}\r\n`);
  }
  const bytes = await Promise.all(heard);
  bytes.forEach((count, i) => assertEquals(count, streams[i % 10 === 0 ? 1 : 0].length, `${i}`));
  assertEquals(server.engine.counters.clientOutputLimitDisconnections, 0);
  for (const wire of [...wires, publisher]) wire.close();
  await stop();
});

Deno.test("a subscriber that does not read is cut off at its limit, and nobody else notices", async () => {
  const directives = { "client-output-buffer-limit": "pubsub 1mb 0 0" };
  const { port, stop, server } = startRespite(directives);
  const [deaf, reader, publisher] = await Promise.all([1, 2, 3].map(() => Wire.connect(port)));
  await deaf.roundTrip("SUBSCRIBE news");
  await reader.roundTrip("SUBSCRIBE news");
  const { counters } = server.engine;
  const text = "x".repeat(100_000);
  let most = 0;
  let receivers = "";
  // The sockets' own buffers hold some megabytes before the server notices.
  for (let i = 0; i < 500 && counters.clientOutputLimitDisconnections === 0; i++) {
    receivers = await publisher.call("PUBLISH", "news", text);
    assertEquals(receivers, ":2\r\n");
    assertEquals(await reader.read(), requestOf(["message", "news", text]));
    most = Math.max(most, server.engine.clientMemory.bytes);
  }
  assertEquals(counters.clientOutputLimitDisconnections, 1);
  assert(most < 2 ** 21, `${most} bytes waited`);
  assertEquals(await publisher.call("PUBLISH", "news", "last"), ":1\r\n");
  assertEquals(await reader.read(), requestOf(["message", "news", "last"]));
  for (const wire of [deaf, reader, publisher]) wire.close();
  await stop();
});

Deno.test("a transaction of large messages does not fill the memory for one that does not read", async () => {
  const directives = { "client-output-buffer-limit": "pubsub 1mb 0 0" };
  const { port, stop, server } = startRespite(directives);
  const [deaf, publisher] = await Promise.all([1, 2].map(() => Wire.connect(port)));
  await deaf.roundTrip("SUBSCRIBE news");
  await publisher.roundTrip("MULTI");
  const text = "x".repeat(100_000);
  for (let i = 0; i < 20; i++) {
    assertEquals(await publisher.call("PUBLISH", "news", text), "+QUEUED\r\n");
  }
  const replies = await publisher.roundTrip("EXEC");
  // It was cut off between two of them.
  assert(/^\*20\r\n(:1\r\n)+(:0\r\n)+$/.test(replies), replies);
  assertEquals(server.engine.counters.clientOutputLimitDisconnections, 1);
  for (const wire of [deaf, publisher]) wire.close();
  await stop();
});
