/** MONITOR: every command that runs, as a line to whoever watches; and what such lines may not show. */
import { type Args, binaryText } from "../protocol/args.ts";
import type { Client } from "./client.ts";
import { type Command, Flag } from "./command.ts";
import type { Engine } from "./engine.ts";

const REDACTED = "(redacted)";

/** Sends the command that `client` has run to all monitors; administrative ones are not shown. */
export function feedMonitors(engine: Engine, client: Client, command: Command): void {
  if ((command.flags & (Flag.skipMonitor | Flag.admin)) !== 0) return;
  const micros = Math.floor(engine.clock.nowMs() * 1000);
  const time = `${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, "0")}`;
  const shown = redactedArguments(engine, client.call.args, command).map(quote).join(" ");
  const line = `${time} [${client.database} ${client.transport.address}] ${shown}`;
  for (const monitor of engine.monitors) {
    monitor.reply.simpleBinary(line);
    engine.toFlush.add(monitor);
  }
}

/** The arguments as byte strings, with secrets blotted out. */
export function redactedArguments(engine: Engine, args: Args, command: Command): string[] {
  const words: string[] = [];
  for (let i = 0; i < args.count; i++) {
    words.push(binaryText(args.bytesOf(i), args.start(i), args.end(i)));
  }
  switch (command.fullName) {
    case "auth":
      return words.map((word, i) => i === 0 ? word : REDACTED);
    case "hello":
      return redactAfter(words, "AUTH", 2);
    case "migrate":
      return redactAfter(redactAfter(words, "AUTH", 1), "AUTH2", 2);
    case "acl|setuser":
    case "acl|deluser":
      return words.map((word, i) => i < 2 ? word : REDACTED);
    case "config|set":
      return words.map((word, i) =>
        i >= 3 && i % 2 === 1 && engine.parameters.isSensitive(words[i - 1]) ? REDACTED : word
      );
    default:
      return words;
  }
}

function redactAfter(words: readonly string[], option: string, count: number): string[] {
  const at = words.findIndex((word, i) => i > 0 && word.toUpperCase() === option);
  return words.map((word, i) => at > 0 && i > at && i <= at + count ? REDACTED : word);
}

const ESCAPES: Record<string, string> = {
  "\\": "\\\\",
  '"': '\\"',
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\x07": "\\a",
  "\b": "\\b",
};

/** A byte string in double quotes with the escapes of redis-cli. */
function quote(binary: string): string {
  let text = '"';
  for (const char of binary) {
    const code = char.charCodeAt(0);
    if (char in ESCAPES) text += ESCAPES[char];
    else if (code >= 0x20 && code < 0x7f) text += char;
    else text += `\\x${code.toString(16).padStart(2, "0")}`;
  }
  return text + '"';
}
