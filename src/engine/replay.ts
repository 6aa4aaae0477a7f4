/** Runs the commands of the append-only file for a client that is never refused and whose replies are dropped. */
import type { Args } from "../protocol/args.ts";
import { Client, NOWHERE } from "./client.ts";
import type { Engine } from "./engine.ts";

export class Replay {
  readonly #engine: Engine;
  #client: Client | null = null;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get isInTransaction(): boolean {
    return this.#client?.transaction.isOpen ?? false;
  }

  isReadyFor(args: Args): boolean {
    const { scripts, commands } = this.#engine;
    if (scripts === null || scripts.isLoaded) return true;
    return commands.find(args)?.group !== "scripting";
  }

  /** Runs one command; returns an error text if there is no such command, else null. */
  apply(args: Args): string | null {
    const engine = this.#engine;
    this.#client ??= this.#newClient();
    const client = this.#client;
    const command = engine.commands.find(args);
    if (command === null) {
      return `Unknown command '${args.text(0)}' reading the append only file`;
    }
    // For this command the client's arguments refer to the file's buffer: nothing is copied.
    client.args.referTo(args, 0, args.count - 1);
    engine.blocking.denied++;
    engine.evaluator.replay(client);
    engine.blocking.denied--;
    client.reply.rewind(0);
    return null;
  }

  abandonTransaction(): void {
    this.#client?.transaction.reset();
  }

  /** Begins a file: its commands start in database 0, as those of a new client. */
  begin(): void {
    this.end();
  }

  /** Ends a file. What its commands have subscribed to, watched or begun ends with the client. */
  end(): void {
    if (this.#client !== null) this.#engine.removeClient(this.#client);
    this.#client = null;
  }

  #newClient(): Client {
    const client = new Client(this.#engine, this.#engine.takeClientId(), NOWHERE);
    client.isReplay = true;
    client.isUnrestricted = true;
    return client;
  }
}
