/** Commands that are given: on the command line, or as lines of standard input. */
import { splitWords } from "../../config/words.ts";
import { ClientFailure } from "./connection.ts";
import { type Context, pause } from "./context.ts";
import { LineReader, readAll } from "./lines.ts";
import { isLocalCommand, runLocalCommand } from "./local_commands.ts";
import { unquoted, UsageError } from "./options.ts";
import { binaryOf, textOf } from "../../protocol/reply.ts";
import type { Word } from "../../protocol/request.ts";
import { isProse, isSubscribing } from "./special_commands.ts";

/** Runs the command that the arguments are; returns the exit code. */
export async function runGivenCommand(context: Context): Promise<number> {
  const { options, runner, warn, client } = context;
  const words = await givenWords(context);
  const name = textOfWord(words[0]).toLowerCase();
  if (name === "help" || name === "?") {
    await runLocalCommand(context, words.map(textOfWord));
    return 0;
  }
  // Without a server, the message is that of connecting.
  await client.connect();
  if (name === "peek" && words.length === 2) {
    await (await import("./peek.ts")).peek(context, textOfWord(words[1]));
    context.output.flush();
    return 0;
  }
  if (/^p?sync$/.test(name)) return await (await import("./snapshot.ts")).follow(context, words);
  for (let count = 0; options.repeat < 0 || count < options.repeat; count++) {
    if (count > 0) await pause(options.intervalMs);
    const reply = await runner.run(words, !options.failsOnError);
    if (options.failsOnError && reply !== null && !isSubscribing(name)) {
      if (reply.kind === "error") {
        warn(textOf(reply));
        return 1;
      }
      runner.print(reply, isProse(words.map(textOfWord)));
    }
    if (reply?.kind === "error") continue;
    if (name === "monitor" || client.subscriptions > 0) await runner.listen();
  }
  return 0;
}

async function givenWords(context: Context): Promise<Word[]> {
  const { options, surroundings } = context;
  const { words, isQuoted, standardInput, tag, script } = options;
  const plain = isQuoted ? words.map((word) => unquoted(word)) : words;
  if (plain.includes(null)) {
    context.output.text("Invalid quoted string\n");
    context.output.flush();
    throw new UsageError("");
  }
  const given: Word[] = plain.map((word) => word ?? "");
  if (script !== "") return scriptWords(script, plain.map((word) => word ?? ""));
  if (standardInput === "") return given;
  if (standardInput === "last") return [...given, await readAll(surroundings.stdin)];
  const at = given.indexOf(tag);
  if (at < 0) throw new UsageError("Using -X option but stdin tag not match.");
  return given.with(at, await readAll(surroundings.stdin));
}

/** EVAL with the script of a file; a comma stands between the keys and the other arguments. */
function scriptWords(path: string, words: readonly string[]): Word[] {
  const comma = words.indexOf(",");
  const keys = comma < 0 ? words : words.slice(0, comma);
  const others = comma < 0 ? [] : words.slice(comma + 1);
  return ["EVAL", readScript(path), String(keys.length), ...keys, ...others];
}

function readScript(path: string): Uint8Array {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound ? "No such file or directory" : String(error);
    throw new UsageError(`Can't open file '${path}': ${why}`);
  }
}

/** Runs each line of standard input; returns the exit code. */
export async function runLines(context: Context): Promise<number> {
  const { client, runner, surroundings } = context;
  const lines = new LineReader(surroundings.stdin);
  for (;;) {
    await messagesUntil(context, lines);
    const line = await lines.next();
    if (line === null) return 0;
    if (line.trim() === "") continue;
    const words = splitWords(line);
    if (words === null) say(context, "Invalid argument(s)");
    else if (words.length > 0) {
      if (/^(quit|exit)$/i.test(words[0])) return 0;
      await runLine(context, words);
      if (words[0].toLowerCase() === "monitor" && client.connection !== null) await runner.listen();
    }
  }
}

/** Prints messages until there is a line to read. */
async function messagesUntil({ client, runner }: Context, lines: LineReader): Promise<void> {
  while (client.subscriptions > 0) {
    let hasLine = false;
    const line = lines.arrival().then(() => (hasLine = true));
    await Promise.race([client.arrival(), line]);
    if (hasLine) return;
    runner.message(await client.receiveAny());
  }
}

/** Runs one line, as often as a number before it says. */
async function runLine(context: Context, words: readonly string[]): Promise<void> {
  if (isLocalCommand(words)) return await runLocalCommand(context, words);
  const [repeat, command] = repeatOf(words);
  if (repeat <= 0) return say(context, "Invalid redis-cli repeat command option value.");
  for (let count = 0; count < repeat; count++) {
    if (count > 0) await pause(context.options.intervalMs);
    await runOnce(context, command);
  }
}

/** How often a line is to run, as a number before it says, and the command alone. */
export function repeatOf(words: readonly string[]): [number, readonly string[]] {
  const isRepeated = words.length > 1 && /^[+-]?\d+$/.test(words[0]);
  return isRepeated ? [Number(words[0]), words.slice(1)] : [1, words];
}

/** A connection that broke since the last command is made anew, once. */
async function runOnce(context: Context, words: readonly string[]): Promise<void> {
  const { client, runner, warn } = context;
  const isOld = client.connection !== null;
  try {
    await runner.run(words);
  } catch (error) {
    if (!(error instanceof ClientFailure)) throw error;
    if (!isOld) return warn(error.message);
    try {
      await runner.run(words);
    } catch (again) {
      if (!(again instanceof ClientFailure)) throw again;
      warn(again.message);
    }
  }
}

function say({ output }: Context, line: string): void {
  output.text(`${line}\n`);
  output.flush();
}

function textOfWord(word: Word): string {
  return typeof word === "string" ? word : binaryOf(word);
}
