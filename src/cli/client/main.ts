/** `respite cli`: talks to a server as redis-cli does, with one command, with lines of a file, or with a person. */
import { binaryOf as utf8Of } from "../../config/words.ts";
import { Client } from "./client.ts";
import { CommandRunner } from "./command_runner.ts";
import { ClientFailure } from "./connection.ts";
import type { Context } from "./context.ts";
import { runGivenCommand, runLines } from "./given_commands.ts";
import { HELP } from "./help_text.ts";
import { addressOf, type Options, parseOptions, UsageError } from "./options.ts";
import { Output } from "./output.ts";
import { askPassword } from "./password.ts";
import { printPush } from "./pushes.ts";
import { ProtocolError } from "../../protocol/reply_decoder.ts";
import { processSurroundings, type Surroundings } from "./surroundings.ts";

/** The client as a program: returns the exit code. */
export function runClient(argv: readonly string[], version: string): Promise<number> {
  return clientCommand(argv, processSurroundings(), version);
}

/** Returns the exit code. `version` is the line that --version shows. */
export async function clientCommand(
  argv: readonly string[],
  surroundings: Surroundings,
  version: string,
): Promise<number> {
  const warn = (line: string): void => {
    if (line === "") return;
    const errors = new Output(surroundings.stderr);
    errors.text(`${line}\n`);
    errors.flush();
  };
  try {
    const secret = surroundings.env("REDISCLI_AUTH");
    const options = parseOptions(argv, secret === null ? null : utf8Of(secret));
    for (const remark of options.remarks) warn(utf8Of(remark));
    return await runMode(options, surroundings, version, warn);
  } catch (error) {
    // Whoever reads our output has gone, as `head` does.
    if (error instanceof Deno.errors.BrokenPipe) return 141;
    if (error instanceof UsageError) warn(utf8Of(error.message));
    else if (error instanceof ProtocolError) warn(`Error: ${error.message}`);
    else if (error instanceof ClientFailure) warn(error.message);
    else throw error;
    return 1;
  }
}

async function runMode(
  options: Options,
  surroundings: Surroundings,
  version: string,
  warn: (line: string) => void,
): Promise<number> {
  const output = new Output(surroundings.stdout);
  if (options.mode === "help" || options.mode === "version") {
    output.text(options.mode === "help" ? HELP : `${version}\n`);
    output.flush();
    return 0;
  }
  if (options.asksPassword) options.password = await askPassword(surroundings, output);
  else if (options.isPasswordShown && options.warnsOfPassword) warn(PASSWORD_WARNING);
  const context = contextOf(options, surroundings, output, warn);
  try {
    if (options.mode !== "command") return await (await import("./modes.ts")).runMode(context);
    if (options.words.length > 0 || options.script !== "") return await runGivenCommand(context);
    // Drawn lines would be of no use in a file.
    if (surroundings.isInputTerminal && surroundings.isOutputTerminal) {
      return await (await import("./interactive.ts")).runInteractive(context);
    }
    return await runLines(context);
  } finally {
    context.client.disconnect();
  }
}

const PASSWORD_WARNING = "Warning: Using a password with '-a' or '-u' option on the command line " +
  "interface may not be safe.";

function contextOf(
  options: Options,
  surroundings: Surroundings,
  output: Output,
  warn: (line: string) => void,
): Context {
  const { user, password, db, format, between, behind, showsPushes } = options;
  const isJson = format === "json" || format === "quoted-json";
  // JSON tells maps from arrays, which only RESP3 does.
  const resp = options.resp === 0 && isJson ? 3 : options.resp;
  const { isOutputTerminal } = surroundings;
  const printing = {
    format: format ?? (isOutputTerminal ? "standard" as const : "raw" as const),
    between,
    behind,
    showsPushes: showsPushes ?? isOutputTerminal,
  };
  const login = { user, password, db, resp };
  const client = new Client(addressOf(options), login, warn, (push) => {
    if (printing.showsPushes) printPush(runner, push);
  });
  const runner = new CommandRunner(client, output, printing);
  const preferences = { showsHints: true };
  return { options, surroundings, output, client, runner, preferences, warn };
}
