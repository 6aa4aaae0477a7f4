/** Payloads as bytes: the harness gives replies as text. */
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
