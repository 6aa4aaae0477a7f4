/**
 * client-output-buffer-limit: closes clients that do not read what they are sent, and those that ask for too much at once.
 *
 * Hard limits act at once, soft ones when they have been exceeded for so many seconds. They are checked ten times a
 * second, whenever other clients' commands add to a client's output, and after each command with a long reply: as in
 * Redis, a reply beyond the hard limit is not sent at all, however fast its client reads. While such a reply is written,
 * its writer asks before it takes more memory (`allows`), and keeps none of it beyond the limit.
 */
import type { Client } from "../engine/client.ts";
import type { Engine } from "../engine/engine.ts";

interface Limit {
  readonly hardBytes: number;
  readonly softBytes: number;
  readonly softSeconds: number;
}

export class OutputLimits {
  readonly #engine: Engine;
  /** Since when (Unix ms) a client has been over its soft limit. */
  readonly #overSince = new WeakMap<Client, number>();
  #text = "";
  #limits = new Map<string, Limit>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Closes `client` if it is over its limit. */
  enforce(client: Client): void {
    if (client.isClosing) return;
    this.#readLimits();
    if (this.#isOver(client)) this.#close(client);
  }

  /** Whether `bytes` of replies that wait to be sent are below the client's hard limit. */
  allows(client: Client, bytes: number): boolean {
    this.#readLimits();
    const limit = this.#limitOf(client);
    const inFlight = client.transport.inFlightBytes;
    return limit === undefined || limit.hardBytes === 0 || bytes + inFlight < limit.hardBytes;
  }

  #limitOf(client: Client): Limit | undefined {
    const { type } = client;
    return this.#limits.get(client.isMonitor || type === "replica" ? "slave" : type);
  }

  #isOver(client: Client): boolean {
    if (client.reply.isOver) return true;
    const limit = this.#limitOf(client);
    const bytes = client.outputWaiting;
    if (limit === undefined) return false;
    if (limit.hardBytes > 0 && bytes >= limit.hardBytes) return true;
    if (limit.softBytes === 0 || bytes < limit.softBytes) {
      this.#overSince.delete(client);
      return false;
    }
    const now = this.#engine.clock.nowMs();
    const since = this.#overSince.get(client) ?? now;
    this.#overSince.set(client, since);
    // Whole seconds, as Redis counts them: never sooner than the limit says.
    return Math.floor(now / 1000) - Math.floor(since / 1000) > limit.softSeconds;
  }

  #close(client: Client): void {
    this.#engine.counters.clientOutputLimitDisconnections++;
    this.#engine.log.warning(
      `Client id=${client.id} addr=${client.transport.address} closed for overcoming of output buffer limits.`,
    );
    client.transport.kill();
  }

  #readLimits(): void {
    const text = this.#engine.parameters.values.clientOutputBufferLimit;
    if (text === this.#text) return;
    this.#text = text;
    this.#limits = new Map();
    const words = text.split(" ");
    for (let i = 0; i + 3 < words.length; i += 4) {
      const [hardBytes, softBytes, softSeconds] = words.slice(i + 1, i + 4).map(Number);
      this.#limits.set(words[i], { hardBytes, softBytes, softSeconds });
    }
  }
}
