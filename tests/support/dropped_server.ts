/**
 * A process with two servers: one is used in every way and dropped, and what is left of it is counted. To be run with
 * V8's flag --expose-gc, which a test can't set for itself.
 */
import { EVERY_COMMAND } from "../clients/every_command.ts";
import { randomCommands } from "../differential/commands.ts";
import { startRespite, Wire } from "./live.ts";

/** What fills the server that is dropped: the gauge of its memory. */
const FILL = "debug populate 400000 key 200";
const RANDOM_COMMANDS = 5000;
const SEED = 7;

/** How many objects of a dropped server are left, as the process prints it. */
export interface Left {
  readonly engine: boolean;
  readonly keyspace: boolean;
  readonly entries: boolean;
  readonly chunks: number;
  readonly replyOfOther: string;
}

interface Traces {
  readonly engine: WeakRef<object>;
  readonly keyspace: WeakRef<object>;
  readonly entries: WeakRef<object>;
  readonly buffers: WeakRef<ArrayBufferLike>[];
}

/** Starts a server, has it run everything, and stops it; returns what to look for afterwards. */
async function useUp(): Promise<Traces> {
  const dropped = startRespite({ "hash-max-listpack-value": "100000" });
  const wire = await Wire.connect(dropped.port);
  await wire.roundTrip(FILL);
  const lines = EVERY_COMMAND.map(([line]) => line.split(" "));
  const ending =
    /^(shutdown|quit|reset|monitor|sync|psync|flush|subscribe|replicaof|slaveof|debug)/i;
  for (const random of randomCommands(SEED)) {
    if (lines.length === EVERY_COMMAND.length + RANDOM_COMMANDS) break;
    lines.push(random);
  }
  for (const words of lines) {
    if (ending.test(words[0]) || (words[0] === "client" && words[1] !== "list")) continue;
    if (/^(b[lrz]|wait|xread)/.test(words[0]) && words.join(" ").includes("block")) continue;
    if (/^(blpop|brpop|blmove|brpoplpush|bz|blmpop|wait)/.test(words[0])) continue;
    await wire.call(...words);
  }
  // A pipeline whose decoder has read ahead, and never goes on: its client leaves.
  await wire.send("get a\r\nget b\r\nget c\r\n*3\r\n$3\r\nSET");
  for (let i = 0; i < 3; i++) await wire.read();
  wire.close();
  const { engine } = dropped.server;
  const { entries } = engine.keyspace;
  const buffers = entries.arena.chunks.filter((chunk) => chunk.bytes.length > 0)
    .map((chunk) => new WeakRef(chunk.bytes.buffer));
  await dropped.stop();
  return {
    engine: new WeakRef(engine),
    keyspace: new WeakRef(engine.keyspace),
    entries: new WeakRef(entries),
    buffers,
  };
}

if (import.meta.main) {
  const other = startRespite();
  const wire = await Wire.connect(other.port);
  await wire.roundTrip("set k v");
  const traces = await useUp();
  const { gc } = globalThis as unknown as { gc(): void };
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    gc();
  }
  const left: Left = {
    engine: traces.engine.deref() !== undefined,
    keyspace: traces.keyspace.deref() !== undefined,
    entries: traces.entries.deref() !== undefined,
    chunks: traces.buffers.filter((buffer) => (buffer.deref()?.byteLength ?? 0) > 0).length,
    replyOfOther: await wire.roundTrip("get k"),
  };
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(left)));
  wire.close();
  await other.stop();
}
