/** Lines that are for the client itself: help, clear, connect, :set. */
import type { Context } from "./context.ts";
import { ClientFailure } from "./connection.ts";
import { unicodeOf } from "../../config/words.ts";

const CLEAR_SCREEN = "\x1b[H\x1b[2J";

export function isLocalCommand(words: readonly string[]): boolean {
  const name = words[0].toLowerCase();
  return Object.hasOwn(COMMANDS, name) && (name !== "connect" || words.length === 3);
}

export async function runLocalCommand(context: Context, words: readonly string[]): Promise<void> {
  await COMMANDS[words[0].toLowerCase()](context, words);
  context.output.flush();
}

type Run = (context: Context, words: readonly string[]) => void | Promise<void>;

const COMMANDS: Readonly<Record<string, Run>> = {
  "help": help,
  "?": help,
  "clear": ({ output }) => output.text(CLEAR_SCREEN),
  ":set": setPreference,
  "connect": connect,
  "restart": ({ output }) => output.text("Use 'restart' only in Lua debugging mode.\n"),
};

async function help({ output }: Context, words: readonly string[]): Promise<void> {
  // The table of commands is large, and nothing else of this program needs it.
  const { printHelp } = await import("./help.ts");
  printHelp(output, words.slice(1));
}

function setPreference({ output, preferences }: Context, words: readonly string[]): void {
  const name = words[1]?.toLowerCase() ?? "";
  if (name === "hints") preferences.showsHints = true;
  else if (name === "nohints") preferences.showsHints = false;
  else output.text(`unknown redis-cli preference '${words[1] ?? ""}'\n`);
}

async function connect({ client, warn }: Context, words: readonly string[]): Promise<void> {
  client.disconnect();
  client.address = {
    ...client.address,
    host: unicodeOf(words[1]),
    port: Number.parseInt(words[2]) || 0,
    path: "",
  };
  try {
    await client.connect();
  } catch (error) {
    if (!(error instanceof ClientFailure)) throw error;
    warn(error.message);
  }
}
