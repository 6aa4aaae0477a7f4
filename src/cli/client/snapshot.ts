/** --rdb, --functions-rdb and --replica: what the server sends to its replicas. */
import { quoteWord } from "../../config/words.ts";
import { joined } from "../../lib/joined.ts";
import { systemText } from "../../lib/system_error.ts";
import { type SyncWriter, writeAllSync } from "../../lib/write_all.ts";
import { ClientFailure, type Connection } from "./connection.ts";
import type { Context } from "./context.ts";
import { Progress } from "./progress.ts";
import { binaryBytes } from "../../protocol/args.ts";
import { binaryOf, itemsOf, textOf } from "../../protocol/reply.ts";
import type { Word } from "../../protocol/request.ts";

const LF = 0x0a;
const EOF_PREFIX = "$EOF:";
const ACKNOWLEDGE_EVERY_MS = 1000;
const ACKNOWLEDGEMENT = ["REPLCONF", "ACK", "0"];

/** How long the snapshot is, or which bytes end it. */
interface Extent {
  readonly size: number;
  /** Empty if `size` says it. */
  readonly mark: Uint8Array;
}

/** Writes a snapshot to the file that the options name. */
export async function saveSnapshot(context: Context): Promise<void> {
  const { client, options, warn, surroundings } = context;
  const connection = await client.connect();
  await configure(context, "capa", "eof");
  await configure(context, "rdb-only", "1");
  if (options.mode === "functions-rdb") await configure(context, "rdb-filter-only", "functions");
  const extent = await begin(context, ["SYNC"]);
  const what = isMarked(extent)
    ? "bytes of bulk transfer until EOF marker"
    : `${extent.size} bytes`;
  warn(`SYNC sent to master, writing ${what} to '${options.file}'`);
  const file = options.file === "-" ? null : create(options.file);
  const progress = new Progress(surroundings);
  const size = await copy(connection, extent, file ?? surroundings.stdout, progress);
  progress.clear();
  file?.close();
  warn(`Transfer finished with success${isMarked(extent) ? ` after ${size} bytes` : "."}`);
}

/** --replica: prints the commands that the server propagates. */
export async function followPrimary(context: Context): Promise<never> {
  await configure(context, "capa", "eof");
  await configure(context, "rdb-filter-only", "");
  return await follow(context, ["SYNC"]);
}

/** Prints commands from a snapshot on, which is left out. */
export async function follow(context: Context, words: readonly Word[]): Promise<never> {
  const { client, output, warn } = context;
  const extent = await begin(context, words);
  const connection = await client.connect();
  const what = isMarked(extent)
    ? "bytes of bulk transfer until EOF marker"
    : `${extent.size} bytes of bulk transfer`;
  warn(`Full resync with master, discarding ${what}...`);
  const size = await copy(connection, extent, null, null);
  warn(
    `Full resync done${
      isMarked(extent) ? ` after ${size} bytes` : ""
    }. Logging commands from master.`,
  );
  if (isMarked(extent)) {
    // The server holds back what it propagates until the replica says that it has loaded the snapshot.
    warn("sending REPLCONF ACK 0");
    await connection.send(ACKNOWLEDGEMENT);
  }
  const timer = setInterval(() => {
    connection.send(ACKNOWLEDGEMENT).catch(() => clearInterval(timer));
  }, ACKNOWLEDGE_EVERY_MS);
  try {
    for (;;) {
      const words = itemsOf(await client.receive());
      output.text(`${words.map((word) => quoteWord(textOf(word))).join(",")}\n`);
      output.flush();
    }
  } finally {
    clearInterval(timer);
  }
}

async function configure({ client, warn }: Context, name: string, value: string): Promise<void> {
  warn(`sending REPLCONF ${name} ${value}`);
  const reply = await client.call("REPLCONF", name, value);
  if (reply.kind !== "error") return;
  throw new ClientFailure(`REPLCONF ${name} error: ${textOf(reply)}`);
}

function isMarked({ mark }: Extent): boolean {
  return mark.length > 0;
}

function create(path: string): Deno.FsFile {
  try {
    return Deno.createSync(path);
  } catch (error) {
    throw new ClientFailure(`Error opening '${path}': ${systemText(error)}`);
  }
}

/** Asks for a snapshot; reads the line before it. The server sends empty lines while it prepares one. */
async function begin(context: Context, words: readonly Word[]): Promise<Extent> {
  const connection = await context.client.connect();
  await connection.send(words);
  let line = "";
  for (;;) {
    const bytes = await connection.read();
    const end = bytes.indexOf(LF);
    line += binaryOf(bytes.subarray(0, end < 0 ? bytes.length : end));
    if (end < 0) continue;
    connection.putBack(bytes.slice(end + 1));
    line = line.trim();
    if (line.startsWith("+")) {
      context.warn(`PSYNC replied ${line}`);
      line = "";
    }
    if (line !== "") break;
  }
  if (line.startsWith("-")) throw new ClientFailure(`SYNC with master failed: ${line}`);
  if (line.startsWith(EOF_PREFIX)) {
    return { size: 0, mark: binaryBytes(line.slice(EOF_PREFIX.length)) };
  }
  return { size: Number(line.slice(1)), mark: new Uint8Array(0) };
}

/** Copies the snapshot; what follows it is left for the decoder of replies. Returns its size. */
async function copy(
  connection: Connection,
  { size, mark }: Extent,
  to: SyncWriter | null,
  progress: Progress | null,
): Promise<number> {
  let written = 0;
  const write = (bytes: Uint8Array): void => {
    if (to !== null) writeAllSync(to, bytes);
    written += bytes.length;
    progress?.show(() => size > 0 ? `${written} of ${size} bytes` : `${written} bytes`);
  };
  if (mark.length === 0) {
    while (written < size) {
      const bytes = await connection.read();
      const own = bytes.subarray(0, size - written);
      write(own);
      connection.unread(bytes.subarray(own.length));
    }
    return written;
  }
  // The last bytes may be the beginning of the mark: they are kept until more have come.
  for (let kept: Uint8Array = new Uint8Array(0);;) {
    const bytes = joined([kept, await connection.read()]);
    const at = find(bytes, mark);
    if (at >= 0) {
      write(bytes.subarray(0, at));
      connection.unread(bytes.subarray(at + mark.length));
      return written;
    }
    const end = Math.max(0, bytes.length - mark.length + 1);
    write(bytes.subarray(0, end));
    kept = bytes.slice(end);
  }
}

/** Where `part` begins in `bytes`; −1 if it is not there. */
function find(bytes: Uint8Array, part: Uint8Array): number {
  for (let at = bytes.indexOf(part[0]); at >= 0; at = bytes.indexOf(part[0], at + 1)) {
    let length = 1;
    while (length < part.length && bytes[at + length] === part[length]) length++;
    if (length === part.length) return at;
  }
  return -1;
}
