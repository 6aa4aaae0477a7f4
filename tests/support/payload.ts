/** Payloads as bytes: the harness gives replies as text. */
import { Crc64 } from "../../src/lib/crc.ts";
import { BufferSink } from "../../src/persistence/byte_sink.ts";
import { PayloadWriter } from "../../src/persistence/payload.ts";
import { argsOf } from "../../src/protocol/args.ts";
import type { TestServer } from "./harness.ts";

/** The payload that DUMP gives. */
export function dumped(server: TestServer, key: string | Uint8Array): Uint8Array {
  const { keyspace } = server.engine;
  const { entries } = keyspace;
  entries.open(keyspace.databases[0].find(argsOf(key), 0));
  const sink = new BufferSink();
  new PayloadWriter(sink, 10, true).write(entries);
  return sink.bytes.slice(0, sink.at);
}

/** The payload, of version 10, with these bytes: a type and a value. */
export function payloadOf(bytes: readonly number[]): Uint8Array {
  return signed(Uint8Array.from([...bytes, 10, 0, ...new Uint8Array(8)]));
}

/** Writes the right checksum to the end of a payload. */
export function signed(payload: Uint8Array): Uint8Array {
  const view = new DataView(payload.buffer, payload.byteOffset);
  const crc = new Crc64();
  crc.update(payload, view, 0, payload.length - 8);
  view.setInt32(payload.length - 8, crc.lo, true);
  view.setInt32(payload.length - 4, crc.hi, true);
  return payload;
}
