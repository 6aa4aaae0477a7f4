/** `peek KEY`: what is at a key, of whichever type, with its size and time to live. */
import { quoteWord } from "../../config/words.ts";
import { humanBytes } from "../../lib/human_bytes.ts";
import type { Context } from "./context.ts";
import { type Reply, textOf } from "../../protocol/reply.ts";
import type { Word } from "../../protocol/request.ts";

/** How much of a value is shown. */
const BYTES_MAX = 1024;
const ITEMS_MAX = 10;

/** The command that says how large a value is, the unit, and the command that shows its beginning. */
interface Look {
  readonly size: string;
  readonly unit: string;
  readonly show: (key: string) => Word[];
}

const LOOKS: Readonly<Record<string, Look>> = {
  string: {
    size: "STRLEN",
    unit: "bytes",
    show: (key) => ["GETRANGE", key, "0", `${BYTES_MAX - 1}`],
  },
  list: { size: "LLEN", unit: "items", show: (key) => ["LRANGE", key, "0", `${ITEMS_MAX - 1}`] },
  set: { size: "SCARD", unit: "members", show: (key) => ["SRANDMEMBER", key, `${ITEMS_MAX}`] },
  zset: {
    size: "ZCARD",
    unit: "members",
    show: (key) => ["ZRANGE", key, "0", `${ITEMS_MAX - 1}`, "WITHSCORES"],
  },
  hash: {
    size: "HLEN",
    unit: "fields",
    show: (key) => ["HRANDFIELD", key, `${ITEMS_MAX}`, "WITHVALUES"],
  },
  stream: {
    size: "XLEN",
    unit: "entries",
    show: (key) => ["XREVRANGE", key, "+", "-", "COUNT", `${ITEMS_MAX}`],
  },
};

export async function peek({ client, output, runner }: Context, key: string): Promise<void> {
  const [type, ttl, encoding, memory] = await client.callAll([
    ["TYPE", key],
    ["PTTL", key],
    ["OBJECT", "ENCODING", key],
    ["MEMORY", "USAGE", key],
  ]);
  if (type.kind === "error") return runner.print(type);
  const name = textOf(type);
  if (name === "none") return output.text(`${quoteWord(key)} does not exist\n`);
  const look = Object.hasOwn(LOOKS, name) ? LOOKS[name] : null;
  const [size, value] = look === null
    ? [null, null]
    : await client.callAll([[look.size, key], look.show(key)]);
  const facts = [
    `${name}${encoding.kind === "string" ? ` (${textOf(encoding)})` : ""}`,
    ...size?.kind === "integer" && look !== null ? [`${textOf(size)} ${look.unit}`] : [],
    ...memory.kind === "integer" ? [`${humanBytes(Number(textOf(memory)))} of memory`] : [],
    ttlText(ttl),
  ];
  output.text(`${quoteWord(key)}: ${facts.join(", ")}\n`);
  if (value !== null) runner.print(value);
  const shown = name === "string" ? BYTES_MAX : ITEMS_MAX;
  if (size !== null && Number(textOf(size)) > shown) output.text("...\n");
}

function ttlText(reply: Reply): string {
  const ms = Number(textOf(reply));
  if (ms < 0) return "does not expire";
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `expires in ${(ms / 1000).toFixed(1)} s`;
  const units = [[86_400, "d"], [3600, "h"], [60, "min"], [1, "s"]] as const;
  const first = units.findIndex(([size]) => seconds >= size);
  const [large, small] = [units[first], units[first + 1]];
  const left = Math.floor((seconds % large[0]) / small[0]);
  const most = `${Math.floor(seconds / large[0])} ${large[1]}`;
  return `expires in ${most}${left > 0 ? ` ${left} ${small[1]}` : ""}`;
}
