/**
 * What snapshots and files cost: an entry written, a value dumped and restored, LZF and CRC-64 over what they are
 * given. Each iteration takes 64 keys or 64 KiB.
 */
import { bench } from "./bench.ts";
import { Events } from "../src/keyspace/change_hooks.ts";
import { Keyspace } from "../src/keyspace/keyspace.ts";
import { Clock } from "../src/lib/clock.ts";
import { Crc64 } from "../src/lib/crc.ts";
import { compress } from "../src/lib/lzf.ts";
import { BufferSink } from "../src/persistence/byte_sink.ts";
import { RdbEntryWriter } from "../src/persistence/entry_writer.ts";
import { PayloadReader, PayloadWriter } from "../src/persistence/payload.ts";
import { argsOf } from "../src/protocol/args.ts";
import { Hasher } from "../src/lib/hash.ts";

const BATCH = 64;
const KEYS = Deno.args.includes("--smoke") ? 100 : 100_000;
const VERSION = 10;

const encoder = new TextEncoder();
const keyspace = new Keyspace(new Clock(), new Hasher(20261121, 2), 1);
const db = keyspace.databases[0];
const value = encoder.encode("value:0123456789:abcdefghijklmno");
const keys = Array.from({ length: KEYS }, (_, i) => argsOf(`key:${i}`));
const valueView = new DataView(value.buffer, value.byteOffset);
for (const key of keys) {
  db.strings.set(key, 0, value, valueView, 0, value.length, false, Events.set);
}

let checksum = 0;
let turn = 0;
const next = (): number => (turn = (turn + 1) % KEYS);

const sink = new BufferSink(64 * 1024);
for (const compresses of [false, true]) {
  const writer = new RdbEntryWriter(keyspace, sink, VERSION, compresses);
  const contents = db.contents();
  bench(`64 strings written${compresses ? ", compressed" : ""}`, { group: "write" }, () => {
    sink.at = 0;
    for (let n = 0; n < BATCH; n++) writer.write(contents, db.find(keys[next()], 0));
    checksum += sink.at;
  });
}

const payload = new BufferSink();
const payloads = new PayloadWriter(payload, VERSION, true);
const reader = new PayloadReader();
bench("64 strings dumped", { group: "payload" }, () => {
  for (let n = 0; n < BATCH; n++) {
    payload.at = 0;
    keyspace.entries.open(db.find(keys[next()], 0));
    payloads.write(keyspace.entries);
    checksum += payload.at;
  }
});
keyspace.entries.open(db.find(keys[0], 0));
payload.at = 0;
payloads.write(keyspace.entries);
const restored = argsOf("restored", payload.bytes.slice(0, payload.at));
const restoredKey = argsOf("restored");
bench("64 strings restored", { group: "payload" }, () => {
  for (let n = 0; n < BATCH; n++) {
    db.removeQuietly(restoredKey, 0);
    if (reader.read(restored, 1, db, restoredKey)) checksum++;
  }
});

const text = encoder.encode(
  "the quick brown fox jumps over the lazy dog, ".repeat(1500).slice(0, 65536),
);
const packed = new Uint8Array(text.length);
const crc = new Crc64();
const view = new DataView(text.buffer);
bench("64 KiB of text compressed", { group: "bytes" }, () => {
  checksum += compress(text, view, 0, text.length, packed, packed.length);
});
bench("64 KiB summed up", { group: "bytes" }, () => {
  crc.update(text, view, 0, text.length);
  checksum += crc.lo;
});

addEventListener("unload", () => {
  Deno.stdout.writeSync(encoder.encode(`rdb: checksum ${checksum % 1_000_003}\n`));
});
