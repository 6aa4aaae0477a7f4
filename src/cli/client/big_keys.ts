/** --bigkeys, --memkeys and --hotkeys: which of all keys stand out. */
import { quoteWord } from "../../config/words.ts";
import { ClientFailure } from "./connection.ts";
import { type Context, pause } from "./context.ts";
import { Progress } from "./progress.ts";
import { binaryOf, type Reply, textOf } from "../../protocol/reply.ts";
import type { Word } from "../../protocol/request.ts";
import { keyBatches } from "./scan.ts";

/** With -i, the walk rests after so many batches. */
const BATCHES_BETWEEN_PAUSES = 100;
const HOT_KEYS_MAX = 16;

/** How the size of a type's values is asked for, and what it counts. */
const SIZES: Readonly<Record<string, readonly [command: string, unit: string]>> = {
  string: ["STRLEN", "bytes"],
  list: ["LLEN", "items"],
  set: ["SCARD", "members"],
  zset: ["ZCARD", "members"],
  hash: ["HLEN", "fields"],
  stream: ["XLEN", "entries"],
};

/** What was found of one type. */
class TypeTotal {
  keys = 0;
  size = 0;
  biggest = -1;
  biggestKey = "";

  constructor(readonly name: string, readonly unit: string) {}
}

/** A walk over all keys, with what was seen so far. */
class Walk {
  sampled = 0;
  readonly progress: Progress;
  #batches = 0;

  private constructor(readonly context: Context, readonly total: number) {
    this.progress = new Progress(context.surroundings);
  }

  static async begin(context: Context, what: string): Promise<Walk> {
    const { client, output } = context;
    const total = Number(textOf(await client.demand("DBSIZE error", "DBSIZE")));
    output.text(
      `\n# Scanning the entire keyspace to find ${what} keys as well as\n` +
        "# average sizes per key type.  You can use -i 0.1 to sleep 0.1 sec\n" +
        "# per 100 SCAN commands (not usually needed).\n\n",
    );
    output.flush();
    return new Walk(context, total);
  }

  async *batches(): AsyncGenerator<Uint8Array[]> {
    const { client, options, output } = this.context;
    for await (const keys of keyBatches(client, options)) {
      if (keys.length > 0) yield keys;
      this.sampled += keys.length;
      output.flush();
      this.progress.show(() => `[${this.percent()}] ${this.sampled} keys`);
      const isTime = ++this.#batches % BATCHES_BETWEEN_PAUSES === 0;
      if (isTime && options.intervalMs > 0) await pause(options.intervalMs);
    }
    this.progress.clear();
    output.text("\n-------- summary -------\n\n");
    output.text(`Sampled ${this.sampled} keys in the keyspace!\n`);
  }

  /** A line about a key. */
  report(text: string): void {
    this.progress.clear();
    this.context.output.text(`[${this.percent()}] ${text}\n`);
  }

  /** How far the walk is, as far as the number of keys at its beginning tells. */
  percent(): string {
    return percentOf(this.sampled, this.total);
  }
}

export async function findBigKeys(context: Context): Promise<void> {
  const { client, output } = context;
  const walk = await Walk.begin(context, "biggest");
  const usesMemory = context.options.mode === "mem-keys";
  const totals = new Map(
    Object.entries(SIZES).map(([type, [, unit]]) => {
      return [type, new TypeTotal(type, usesMemory ? "bytes" : unit)];
    }),
  );
  let keyBytes = 0;
  for await (const keys of walk.batches()) {
    const types = (await client.callAll(keys.map((key) => ["TYPE", key]))).map(textOf);
    const sizes = await client.callAll(keys.map((key, i) => sizeRequest(context, types[i], key)));
    for (const [i, key] of keys.entries()) {
      keyBytes += key.length;
      const total = totals.get(types[i]) ?? new TypeTotal(types[i], usesMemory ? "bytes" : "?");
      // The key has been removed meanwhile.
      if (types[i] === "none") continue;
      totals.set(types[i], total);
      add(walk, total, key, sizeIn(sizes[i]));
    }
  }
  output.text(
    `Total key length in bytes is ${keyBytes} (avg len ${mean(keyBytes, walk.sampled)})\n\n`,
  );
  for (const { name, unit, biggest, biggestKey } of totals.values()) {
    if (biggest < 0) continue;
    output.text(`Biggest ${name.padStart(6)} found '${biggestKey}' has ${biggest} ${unit}\n`);
  }
  output.text("\n");
  for (const { name, keys, size, unit } of totals.values()) {
    const share = percentOf(keys, walk.sampled);
    output.text(
      `${keys} ${name}s with ${size} ${unit} (${share} of keys, avg size ${mean(size, keys)})\n`,
    );
  }
  output.flush();
}

/** What is asked for the size of a key; of a type that has no command for it, something that answers with nil. */
function sizeRequest({ options }: Context, type: string, key: Uint8Array): Word[] {
  if (options.mode !== "mem-keys") return type in SIZES ? [SIZES[type][0], key] : ["ECHO", ""];
  const samples = options.samples > 0 ? ["SAMPLES", String(options.samples)] : [];
  return ["MEMORY", "USAGE", key, ...samples];
}

/** A key may be gone, or be of another type, since its type was asked for. */
function sizeIn(reply: Reply): number {
  return reply.kind === "integer" ? Number(textOf(reply)) : 0;
}

function add(walk: Walk, total: TypeTotal, key: Uint8Array, size: number): void {
  total.keys++;
  total.size += size;
  if (size <= total.biggest) return;
  total.biggest = size;
  total.biggestKey = quoteWord(binaryOf(key));
  const { name, unit, biggestKey } = total;
  walk.report(`Biggest ${name.padEnd(6)} found so far '${biggestKey}' with ${size} ${unit}`);
}

export async function findHotKeys(context: Context): Promise<void> {
  const { client, output } = context;
  const walk = await Walk.begin(context, "hot");
  const hottest: { key: string; counter: number }[] = [];
  for await (const keys of walk.batches()) {
    const replies = await client.callAll(keys.map((key) => ["OBJECT", "FREQ", key]));
    for (const [i, reply] of replies.entries()) {
      // A key that has been removed meanwhile is nil.
      if (reply.kind === "error" && !/no such key/.test(textOf(reply))) {
        throw new ClientFailure(`Error: ${textOf(reply)}`);
      }
      const counter = sizeIn(reply);
      const least = hottest.length < HOT_KEYS_MAX ? 0 : hottest[HOT_KEYS_MAX - 1].counter;
      if (counter <= least) continue;
      const key = quoteWord(binaryOf(keys[i]));
      walk.report(`Hot key '${key}' found so far with counter ${counter}`);
      hottest.push({ key, counter });
      hottest.sort((a, b) => b.counter - a.counter);
      hottest.length = Math.min(hottest.length, HOT_KEYS_MAX);
    }
  }
  for (const { key, counter } of hottest) {
    output.text(`hot key found with counter: ${counter}\tkeyname: ${key}\n`);
  }
  output.flush();
}

/** "05.20%", "100.00%". */
function percentOf(part: number, whole: number): string {
  const percent = whole === 0 ? 0 : 100 * part / whole;
  return `${percent.toFixed(2).padStart(5, "0")}%`;
}

function mean(sum: number, count: number): string {
  return (count === 0 ? 0 : sum / count).toFixed(2);
}
