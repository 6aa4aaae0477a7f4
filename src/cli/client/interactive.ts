/** The client with a person at the terminal. */
import { binaryOf as utf8Of, splitWords } from "../../config/words.ts";
import { addressText, isLocal } from "./address.ts";
import { CommandAdviser } from "./adviser.ts";
import { CommandBook } from "./command_book.ts";
import { ClientFailure } from "./connection.ts";
import { type Context, pause } from "./context.ts";
import { dangerOf } from "./dangers.ts";
import { type Background, Editor, END, KeyReader, type Terminal } from "./editor/editor.ts";
import { History, historyPath } from "./editor/history.ts";
import { repeatOf } from "./given_commands.ts";
import { KeyNames } from "./key_names.ts";
import { isLocalCommand, runLocalCommand } from "./local_commands.ts";
import { peek } from "./peek.ts";
import { ProtocolError } from "../../protocol/reply_decoder.ts";
import type { Reply } from "../../protocol/reply.ts";
import type { Surroundings } from "./surroundings.ts";

/** A reply that took longer is followed by how long. */
const SLOW_MS = 500;
const READING = "Reading messages... (press Ctrl-C to quit or any key to type command)\r\n";
const LINE_AGAIN = "\x1b[1A\r\x1b[K";

/** Returns the exit code. */
export async function runInteractive(context: Context): Promise<number> {
  await new Session(context).run();
  return 0;
}

class Session {
  readonly #book = new CommandBook();
  readonly #keyNames = new KeyNames(this.#book);
  readonly #history: History;
  readonly #terminal: Terminal;
  readonly #editor: Editor;

  constructor(readonly context: Context) {
    const { surroundings, preferences } = context;
    this.#history = new History(historyPath(surroundings.env));
    this.#history.load();
    this.#terminal = terminalOf(surroundings, (text) => {
      context.output.unicode(text);
      context.output.flush();
    });
    const hasColours = surroundings.env("NO_COLOR") === null;
    const adviser = new CommandAdviser(this.#book, this.#keyNames, preferences, hasColours);
    this.#editor = new Editor(new KeyReader(this.#terminal), this.#history, adviser);
  }

  async run(): Promise<void> {
    const { client, warn } = this.context;
    try {
      await client.connect();
    } catch (error) {
      if (!(error instanceof ClientFailure)) throw error;
      warn(error.message);
    }
    for (;;) {
      if (client.subscriptions > 0 && !await this.#readMessages()) continue;
      const text = await this.#editor.readLine(() => this.#prompt(), this.#background());
      if (text === END) return;
      this.#history.add(text.replaceAll("\n", " "));
      // Pasted lines run one after another.
      for (const line of text.split("\n")) {
        const words = splitWords(utf8Of(line));
        if (words === null) this.#say("Invalid argument(s)");
        else if (words.length > 0) {
          if (/^(quit|exit)$/i.test(words[0])) return;
          await this.#runLine(words);
        }
      }
    }
  }

  /** "127.0.0.1:6379[3](TX)> " */
  #prompt(): string {
    const { client } = this.context;
    if (client.connection === null) return "not connected> ";
    const place = client.address.path === ""
      ? addressText(client.address)
      : `redis ${client.address.path}`;
    const db = client.db === 0 ? "" : `[${client.db}]`;
    const state = client.isInTransaction
      ? "(TX)"
      : client.subscriptions > 0
      ? "(subscribed mode)"
      : "";
    return `${place}${db}${state}> `;
  }

  /** While a line is typed, what the server pushes is shown above it, and that the connection broke is in the prompt. */
  #background(): Background {
    const { client, runner } = this.context;
    return {
      arrival: () => client.connection === null ? null : client.arrival(),
      handle: async () => {
        try {
          const reply = await client.receiveAny();
          if (client.subscriptions > 0) runner.message(reply);
          else if (reply.kind === "push") client.onPush(reply);
        } catch (error) {
          // The prompt tells it; the next command connects again.
          if (!(error instanceof ClientFailure || error instanceof ProtocolError)) throw error;
        }
      },
    };
  }

  async #runLine(words: readonly string[]): Promise<void> {
    const { context } = this;
    if (isLocalCommand(words)) return await runLocalCommand(context, words);
    const [repeat, command] = repeatOf(words);
    if (repeat <= 0) return this.#say("Invalid redis-cli repeat command option value.");
    if (!await this.#isWanted(command)) return;
    for (let count = 0; count < repeat; count++) {
      if (count > 0) await pause(context.options.intervalMs);
      if (!await this.#runOnce(command)) return;
    }
  }

  /** Asks about a command that harms others, on a server that is not the person's own. */
  async #isWanted(words: readonly string[]): Promise<boolean> {
    const { client } = this.context;
    const danger = dangerOf(words);
    if (danger === null || isLocal(client.address)) return true;
    const name = words[0].toUpperCase();
    const answer = await this.#ask(`${name} ${danger}. Run it on ${client.name}? [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  }

  async #ask(question: string): Promise<string> {
    const plain = {
      paint: (text: string) => [{ text, style: "" }],
      hint: () => "",
      complete: () => [],
    };
    const editor = new Editor(this.#editor.keys, new History(null), plain);
    const answer = await editor.readLine(() => question, {
      arrival: () => null,
      handle: async () => {},
    });
    return answer === END ? "" : answer;
  }

  /** Returns whether the connection holds. */
  async #runOnce(words: readonly string[]): Promise<boolean> {
    try {
      if (words[0].toLowerCase() === "monitor") await this.#monitor(words);
      else await this.#runTimed(words);
      return true;
    } catch (error) {
      const { warn } = this.context;
      if (error instanceof ProtocolError) warn(`Error: ${error.message}`);
      else if (error instanceof ClientFailure) warn(error.message);
      else throw error;
      return false;
    }
  }

  async #runTimed(words: readonly string[]): Promise<void> {
    const { client, runner, output } = this.context;
    const began = performance.now();
    try {
      const name = words[0].toLowerCase();
      if (name === "peek" && words.length === 2) {
        await client.connect();
        await peek(this.context, words[1]);
      } else {
        const reply = await runner.run(words);
        this.#keyNames.note(words, reply);
      }
    } finally {
      const ms = performance.now() - began;
      const isShown = ms > SLOW_MS && runner.printing.format === "standard";
      if (isShown) output.text(`(${(ms / 1000).toFixed(2)}s)\n`);
      output.flush();
    }
  }

  /** Shows commands of others until Ctrl-C, which makes a new connection: MONITOR has no end. */
  async #monitor(words: readonly string[]): Promise<void> {
    const { client, runner } = this.context;
    const reply: Reply | null = await runner.run(words);
    if (reply === null || reply.kind === "error") return;
    if (await this.#listen((message) => runner.print(message), true)) return;
    client.disconnect();
    await client.connect();
  }

  /** Shows messages until a key is pressed. False if that was Ctrl-C, which ends the subscriptions. */
  async #readMessages(): Promise<boolean> {
    const { client, runner, warn } = this.context;
    this.#terminal.write(READING);
    try {
      const isKey = await this.#listen((message) => {
        this.#terminal.write(LINE_AGAIN);
        runner.message(message);
        this.#terminal.write(READING);
      }, false);
      this.#terminal.write(LINE_AGAIN);
      if (isKey) return true;
      client.disconnect();
      await client.connect();
    } catch (error) {
      if (!(error instanceof ClientFailure)) throw error;
      warn(error.message);
    }
    return false;
  }

  /**
   * Passes on what comes. Returns true if a key was pressed, which stays for the editor, and false after Ctrl-C. If
   * `onlyInterrupts`, other keys are dropped.
   */
  async #listen(pass: (message: Reply) => void, onlyInterrupts: boolean): Promise<boolean> {
    const { client } = this.context;
    const { keys } = this.#editor;
    this.#terminal.setRaw(true);
    try {
      for (;;) {
        let isKey = false;
        await Promise.race([client.arrival(), keys.arrival().then(() => (isKey = true))]);
        if (!isKey) {
          pass(await client.receiveAny());
          continue;
        }
        const key = keys.peek();
        if (key === null || (key.kind === "key" && key.name === "ctrl-c")) {
          await keys.next();
          return false;
        }
        if (!onlyInterrupts) return true;
        await keys.next();
      }
    } finally {
      this.#terminal.setRaw(false);
    }
  }

  #say(line: string): void {
    const { output } = this.context;
    output.text(`${line}\n`);
    output.flush();
  }
}

function terminalOf({ stdin, columns }: Surroundings, write: (text: string) => void): Terminal {
  const buffer = new Uint8Array(1 << 12);
  return {
    async read() {
      const count = await stdin.read(buffer);
      return count === null ? null : buffer.slice(0, count);
    },
    write,
    columns,
    setRaw: (isRaw) => stdin.setRaw(isRaw),
  };
}
