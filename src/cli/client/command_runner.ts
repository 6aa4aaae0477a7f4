/** Runs one command: sends it, prints what comes back, and notes what it changed of the session. */
import type { Client } from "./client.ts";
import { ConnectionLost } from "./connection.ts";
import type { Output } from "./output.ts";
import { type Format, printReply } from "./print_reply.ts";
import { isGroup, itemsOf, type Reply, textOf } from "../../protocol/reply.ts";
import type { Word } from "../../protocol/request.ts";
import { isProse, isSubscribing, isUnsubscribing } from "./special_commands.ts";

export interface Printing {
  format: Format;
  /** Between the values of a raw reply, and behind each raw reply. */
  between: string;
  behind: string;
  showsPushes: boolean;
}

export class CommandRunner {
  /** The database that a transaction in progress will leave the session in; null: it stays. */
  #queuedDb: number | null = null;

  constructor(
    readonly client: Client,
    readonly output: Output,
    readonly printing: Printing,
  ) {}

  /**
   * Runs a command; returns its reply, the last one if there were several, or null if it has none: SHUTDOWN, and what
   * CLIENT REPLY silences. Of MONITOR and subscriptions, what comes later is left to the caller. Throws a ClientFailure.
   */
  async run(words: readonly Word[], prints = true): Promise<Reply | null> {
    const names = words.map((word) => typeof word === "string" ? word : "");
    const name = names[0].toLowerCase();
    const { client } = this;
    const connection = await client.connect();
    await connection.send(words);
    if (!this.#isAnswered(names)) return null;
    try {
      if (isSubscribing(name) || isUnsubscribing(name)) return await this.#confirmations(names);
      const reply = await client.receive();
      if (prints) this.print(reply, isProse(names));
      this.#note(name, names, reply);
      return reply;
    } catch (error) {
      if (name === "shutdown" && error instanceof ConnectionLost) return null;
      throw error;
    }
  }

  /** Whether the server will answer: it does not after CLIENT REPLY OFF, for which redis-cli waits for ever. */
  #isAnswered(names: readonly string[]): boolean {
    const { client } = this;
    const [first, second, mode] = names.map((name) => name.toLowerCase());
    const isReply = first === "client" && second === "reply" && names.length === 3;
    if (isReply && mode === "on") client.replies = "on";
    else if (isReply && (mode === "off" || (mode === "skip" && client.replies === "on"))) {
      client.replies = mode;
      return false;
    } else if (client.replies === "skip") {
      client.replies = "on";
      return false;
    }
    return client.replies === "on";
  }

  /** Prints a reply; one that is prose as it is, which ends its lines itself. */
  print(reply: Reply, isProse = false): void {
    const { format, between, behind } = this.printing;
    printReply(this.output, reply, isProse ? "raw" : format, between);
    if (!isProse) this.output.text(format === "raw" ? behind : "\n");
    this.output.flush();
  }

  /** Prints a push if that is wanted. */
  push(reply: Reply): void {
    if (this.printing.showsPushes) this.print(reply);
  }

  /** Prints what comes, until the connection breaks. */
  async listen(): Promise<never> {
    for (;;) this.print(await this.client.receiveAny());
  }

  /** Prints a message, and notes how many subscriptions are left. */
  message(reply: Reply): void {
    const [kind, , count] = itemsOf(reply);
    const name = textOf(kind).toLowerCase();
    if (isSubscribing(name) || isUnsubscribing(name)) {
      this.client.subscriptions = Number(textOf(count)) || 0;
    }
    this.print(reply);
  }

  /** A reply for each channel; one that names no channel has one for each that was subscribed to. */
  async #confirmations(names: readonly string[]): Promise<Reply> {
    const { client } = this;
    const isAll = names.length === 1;
    let last = await client.receiveAny();
    this.message(last);
    for (let count = 2; isGroup(last); count++) {
      if (isAll ? client.subscriptions === 0 : count >= names.length) break;
      last = await client.receiveAny();
      this.message(last);
    }
    return last;
  }

  /** Keeps what a new connection would have to do again. */
  #note(name: string, names: readonly string[], reply: Reply): void {
    const { client } = this;
    if (reply.kind === "error") {
      if (name === "exec") this.#endTransaction(null);
      return;
    }
    if (name === "select") this.#select(Number(names[1]), textOf(reply));
    else if (name === "auth") this.#signedIn(names.slice(1));
    else if (name === "hello") this.#greeted(names);
    else if (name === "multi") client.isInTransaction = true;
    else if (name === "discard") this.#endTransaction(null);
    else if (name === "exec") this.#endTransaction(this.#queuedDb);
    else if (name === "reset") {
      this.#endTransaction(0);
      client.resp = 2;
      client.login.resp = 2;
      client.subscriptions = 0;
    }
  }

  #select(db: number, reply: string): void {
    if (reply === "QUEUED") this.#queuedDb = db;
    else this.client.db = this.client.login.db = db;
  }

  #endTransaction(db: number | null): void {
    this.client.isInTransaction = false;
    this.#queuedDb = null;
    if (db !== null) this.client.db = this.client.login.db = db;
  }

  #signedIn(names: readonly string[]): void {
    const { login } = this.client;
    if (names.length === 0 || names.includes("")) return;
    login.user = names.length > 1 ? names[0] : "";
    login.password = names[names.length - 1];
  }

  #greeted(names: readonly string[]): void {
    const { client } = this;
    const resp = names[1] === "3" ? 3 : names[1] === "2" ? 2 : client.resp;
    client.resp = client.login.resp = resp;
    const auth = names.findIndex((word, i) => i > 1 && word.toLowerCase() === "auth");
    if (auth > 0) this.#signedIn(names.slice(auth + 1, auth + 3));
  }
}
