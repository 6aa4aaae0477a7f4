/** --stat: the server's figures, a line every second. */
import { humanBytes } from "../../lib/human_bytes.ts";
import { type Context, pause } from "./context.ts";
import { textOf } from "../../protocol/reply.ts";

const LINES_BETWEEN_HEADS = 20;
const HEAD = "------- data ------ --------------------- load -------------------- - child -\n" +
  "keys       mem      clients blocked requests            connections          \n";

/** Goes on until the connection breaks. */
export async function showStatistics({ client, options, output }: Context): Promise<never> {
  let before = -1;
  for (let line = 0;; line++) {
    const info = textOf(await client.demand("ERROR", "INFO"));
    if (line % LINES_BETWEEN_HEADS === 0) output.text(HEAD);
    const requests = number(info, "total_commands_processed");
    output.text(lineOf(info, requests, before < 0 ? 0 : requests - before));
    output.flush();
    before = requests;
    await pause(options.intervalMs > 0 ? options.intervalMs : 1000);
  }
}

function lineOf(info: string, requests: number, more: number): string {
  let keys = 0;
  for (const [, count] of info.matchAll(/^db\d+:keys=(\d+)/gm)) keys += Number(count);
  const children = [
    number(info, "rdb_bgsave_in_progress") > 0 || number(info, "loading") > 0 ? "SAVE" : "",
    number(info, "aof_rewrite_in_progress") > 0 ? "AOF" : "",
  ];
  return String(keys).padEnd(11) +
    humanBytes(number(info, "used_memory")).padEnd(9) +
    String(number(info, "connected_clients")).padEnd(8) +
    String(number(info, "blocked_clients")).padEnd(8) +
    `${requests} (+${more})`.padEnd(20) +
    String(number(info, "total_connections_received")).padEnd(12) +
    `${children.filter((name) => name !== "").join("+")}\n`;
}

/** A field of INFO; 0 if it is missing. */
function number(info: string, field: string): number {
  return Number(new RegExp(`^${field}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
}
