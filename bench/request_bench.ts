/**
 * The parts of a request's way without its socket: decode, dispatch, reply, and whole commands. Each
 * iteration takes a batch of 64, so a figure divided by 64 is that of one request.
 */
import { bench } from "./bench.ts";
import { Server } from "../src/app/server.ts";
import { Parameters } from "../src/config/parameters.ts";
import { NOWHERE } from "../src/engine/client.ts";
import { testHost } from "../tests/support/host.ts";
import { Log } from "../src/observe/log.ts";
import { Args, argsOf } from "../src/protocol/args.ts";
import { ReplyWriter } from "../src/protocol/reply_writer.ts";
import { Decoded, RequestDecoder } from "../src/protocol/request_decoder.ts";
import { Hasher } from "../src/lib/hash.ts";
import { Events } from "../src/keyspace/change_hooks.ts";

const BATCH = 64;
const KEYS = Deno.args.includes("--smoke") ? 100 : 100_000;

const { engine, evaluator, hub } = new Server({
  parameters: new Parameters(),
  log: new Log(1, () => {}),
  host: testHost,
  hasher: new Hasher(20261120, 2),
});
const table = engine.commands;
const client = hub.newClient(NOWHERE);
const decoder = new RequestDecoder({ bulkMax: 1024, queryMax: 1024 ** 2, authenticated: true }, {
  onReadAhead: (pipeline) => evaluator.prefetch(client, pipeline),
});
const encoder = new TextEncoder();

/** A pipeline of BATCH requests; `words` makes the words of the n-th. */
function batch(words: (n: number) => readonly string[]): Uint8Array {
  let text = "";
  for (let n = 0; n < BATCH; n++) {
    const parts = words(n);
    text += `*${parts.length}\r\n${parts.map((part) => `$${part.length}\r\n${part}\r\n`).join("")}`;
  }
  return encoder.encode(text);
}

function feed(bytes: Uint8Array, args: Args, each: () => void): void {
  for (let at = 0; at < bytes.length;) {
    const space = decoder.space(args);
    const count = Math.min(space.length, bytes.length - at);
    space.set(bytes.subarray(at, at + count));
    at += count;
    decoder.received(count);
    while (decoder.next(args) === Decoded.request) each();
  }
}

function key(n: number): string {
  return `key:${(n * 7919) % KEYS}`;
}

const value = "x".repeat(32);
const sets = batch((n) => ["SET", key(n), value]);
const args = new Args();
let decoded = 0;
bench("decode 64 SETs", {}, () => feed(sets, args, () => decoded += args.count));

const names = ["get", "SET", "Incr", "expire", "nosuch"].map((name) => argsOf(name));
let found = 0;
bench("look up 64 commands by their bytes", {}, () => {
  for (let n = 0; n < BATCH; n++) if (table.find(names[n % names.length]) !== null) found++;
});

const writer = new ReplyWriter();
const source = encoder.encode(value);
let written = 0;
bench("write 64 bulk strings of 32 bytes", {}, () => {
  for (let n = 0; n < BATCH; n++) writer.bulk(source, 0, source.length);
  written += writer.size;
  writer.rewind(0);
});
bench("write 64 integers", {}, () => {
  for (let n = 0; n < BATCH; n++) writer.integer(n * 12345);
  written += writer.size;
  writer.rewind(0);
});

for (let n = 0; n < KEYS; n++) {
  engine.keyspace.databases[0].strings.set(
    argsOf("SET", `key:${n}`),
    1,
    source,
    new DataView(source.buffer, source.byteOffset),
    0,
    source.length,
    false,
    Events.set,
  );
}
const whole: Record<string, Uint8Array> = {
  PING: batch(() => ["PING"]),
  GET: batch((n) => ["GET", key(n)]),
  SET: sets,
  INCR: batch((n) => ["INCR", `counter:${n}`]),
};
for (const [name, bytes] of Object.entries(whole)) {
  bench(`run 64 ${name}s, decode to reply`, {}, () => {
    evaluator.beginBatch(client);
    feed(bytes, client.args, () => evaluator.execute(client));
    evaluator.endBatch();
    written += client.reply.size;
    client.reply.rewind(0);
  });
}
addEventListener("unload", () => {
  const checksum = (decoded + found + written) % 1_000_003;
  Deno.stdout.writeSync(encoder.encode(`request: checksum ${checksum}\n`));
});
