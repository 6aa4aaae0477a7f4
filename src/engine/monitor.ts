/** MONITOR: sends every command that runs, as a line of text, to the clients that asked for it. */
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import type { Client } from "./client.ts";
import { type Command, Flag } from "./command.ts";
import type { Engine } from "./engine.ts";
import { REDACTED, secretArguments } from "./shown_arguments.ts";

const encoder = new TextEncoder();
const LINE_END = encoder.encode("\r\n");
const SPACE = encoder.encode(" ");
const QUOTED_REDACTED = encoder.encode(`"${REDACTED}"`);

/** Sends the command that `client` has run to all monitors; administrative ones are not shown. */
export function feedMonitors(engine: Engine, client: Client, command: Command): void {
  if ((command.flags & (Flag.skipMonitor | Flag.admin)) === 0) {
    showOnMonitors(engine, client, command);
  }
}

/** As `feedMonitors`, whatever the command's flags: scripts are shown before the commands that they call. */
export function showOnMonitors(engine: Engine, client: Client, command: Command): void {
  const micros = Math.floor(engine.clock.nowMs() * 1000);
  const time = `${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, "0")}`;
  const head = encoder.encode(`+${time} [${client.database} ${client.transport.address}]`);
  const secret = secretArguments(engine, client.call.args, command);
  for (const monitor of engine.monitors) {
    monitor.reply.raw(head);
    writeArguments(monitor.reply, client, secret);
    monitor.reply.raw(LINE_END);
    engine.toFlush.add(monitor);
  }
}

function writeArguments(reply: ReplyWriter, client: Client, secret: Set<number>): void {
  const { args } = client.call;
  for (let i = 0; i < args.count; i++) {
    reply.raw(SPACE);
    if (secret.has(i)) reply.raw(QUOTED_REDACTED);
    else reply.quoted(args.bytesOf(i), args.start(i), args.end(i));
  }
}
