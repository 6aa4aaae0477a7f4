/** Calls commands without a socket: one client, whose replies come in the order of its calls. */
import type { Hub } from "../../net/hub.ts";
import { LocalConnection } from "../../net/local_connection.ts";
import { binaryOf, type Reply } from "../../protocol/reply.ts";
import { ReplyDecoder } from "../../protocol/reply_decoder.ts";
import { requestOf } from "../../protocol/request.ts";

/** A word of a command: texts are sent as UTF-8. */
export type Word = string | number | bigint | Uint8Array;

const encoder = new TextEncoder();
/** Of these a call can't know which reply is its own: there are several, or none. */
const NOT_ONE_REPLY = /^(?:[ps]?(?:un)?subscribe|monitor|p?sync|client reply)(?: |$)/i;

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

export class LocalCaller {
  readonly #connection: LocalConnection;
  readonly #decoder = new ReplyDecoder();
  readonly #waiting: Waiting[] = [];

  constructor(hub: Hub) {
    this.#connection = new LocalConnection(hub, { address: "local" });
    const { client } = this.#connection;
    client.reply.resp = 3;
    hub.engine.acl.admitOwner(client);
    this.#connection.onOutput = () => this.#takeReplies();
  }

  get isClosed(): boolean {
    return this.#connection.isClosed;
  }

  /** Resolves with the reply, an error as well; rejects if the connection is closed before it comes, or if it would be several. */
  call(words: readonly Word[]): Promise<Reply> {
    if (this.#connection.isClosed) return Promise.reject(closed());
    const parts = words.map(bytesOf);
    const name = parts.slice(0, 2).map(binaryOf).join(" ");
    if (NOT_ONE_REPLY.test(name)) {
      return Promise.reject(new TypeError(`${name} needs a client with a connection of its own`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#connection.send(requestOf(parts));
    });
  }

  close(): void {
    this.#connection.kill();
  }

  #takeReplies(): void {
    this.#decoder.feed(this.#connection.take());
    for (let reply = this.#decoder.next(); reply !== null; reply = this.#decoder.next()) {
      // Invalidations, say: nobody waits for them.
      if (reply.kind !== "push") this.#waiting.shift()?.resolve(reply);
    }
    if (!this.#connection.isClosed) return;
    for (const { reject } of this.#waiting.splice(0)) reject(closed());
  }
}

/** Why a call is rejected whose reply does not come. */
export function closed(): Error {
  return new Error("The connection is closed");
}

function bytesOf(word: Word): Uint8Array {
  return word instanceof Uint8Array ? word : encoder.encode(String(word));
}
