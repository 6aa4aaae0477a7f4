/** --scan, and the walk over all keys that other modes share. */
import type { Client } from "./client.ts";
import { type Context, pause } from "./context.ts";
import type { Options } from "./options.ts";
import { QUOTED, writeQuoted } from "./quoting.ts";
import { itemsOf, type Scalar, textOf } from "../../protocol/reply.ts";

/** The keys that the server has, in the batches in which SCAN returns them. */
export async function* keyBatches(client: Client, options: Options): AsyncGenerator<Uint8Array[]> {
  const { pattern, count } = options;
  const words = [
    ...pattern === "" ? [] : ["MATCH", pattern],
    ...count === null ? [] : ["COUNT", String(count)],
  ];
  let cursor = "0";
  do {
    const reply = await client.demand("SCAN error", "SCAN", cursor, ...words);
    const [next, keys] = itemsOf(reply);
    cursor = textOf(next);
    yield itemsOf(keys).map((key) => (key as Scalar).bytes);
  } while (cursor !== "0");
}

/** Prints all keys, one a line. */
export async function scanKeys({ client, options, output, runner }: Context): Promise<void> {
  const { format } = runner.printing;
  const isQuoted = format === "standard" || format === "csv";
  for await (const keys of keyBatches(client, options)) {
    for (const bytes of keys) {
      if (isQuoted) writeQuoted(output, bytes, QUOTED);
      else output.bytes(bytes);
      output.text("\n");
    }
    output.flush();
    if (options.intervalMs > 0) await pause(options.intervalMs);
  }
}
