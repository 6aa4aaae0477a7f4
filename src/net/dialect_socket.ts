/**
 * A socket whose peer speaks an older protocol. To the connection that reads and writes it, it speaks RESP: it translates what passes.
 */
import { ByteQueue } from "../protocol/byte_queue.ts";
import type { Dialect, RequestTranslator } from "../protocol/dialects/dialect.ts";
import { ReplyDecoder } from "../protocol/reply_decoder.ts";
import { closeQuietly, type Socket } from "./socket.ts";

/** How long a peer has time to take the last words. */
const FAREWELL_MS = 1000;

export class DialectSocket implements Socket {
  readonly #socket: Socket;
  readonly #input = new ByteQueue();
  readonly #requests = new ByteQueue();
  readonly #output = new ByteQueue();
  readonly #translator: RequestTranslator;
  readonly #replies = new ReplyDecoder();
  readonly #dialect: Dialect;
  readonly #maxMessage: number;
  #isSending = false;
  /** Not null once no more is read. */
  #lastWords: Uint8Array | null = null;

  constructor(socket: Socket, dialect: Dialect, maxMessage: number) {
    this.#socket = socket;
    this.#translator = dialect.requests(this.#input, maxMessage);
    this.#dialect = dialect;
    this.#maxMessage = maxMessage;
  }

  get remoteAddr(): Deno.Addr {
    return this.#socket.remoteAddr;
  }

  get localAddr(): Deno.Addr {
    return this.#socket.localAddr;
  }

  /** Fills `into` with requests in RESP; null when there are no more, because the peer has gone or has made a mistake. */
  async read(into: Uint8Array): Promise<number | null> {
    while (this.#requests.length === 0) {
      if (this.#lastWords !== null) return null;
      const count = await this.#socket.read(into);
      if (count === null) return null;
      this.#input.add(into.subarray(0, count));
      this.#lastWords = this.#translator.read(this.#requests);
    }
    return this.#requests.take(into);
  }

  /** Sends replies in RESP 3. */
  async write(resp: Uint8Array): Promise<number> {
    const replies = this.#replies;
    replies.feed(resp);
    for (let reply = replies.next(); reply !== null; reply = replies.next()) {
      this.#dialect.writeReply(reply, this.#output, this.#maxMessage);
    }
    await this.#send();
    return resp.length;
  }

  /** Says the last words, if there are any, and closes. */
  close(): void {
    const words = this.#lastWords;
    // In the middle of what is being sent they would be no words.
    if (words === null || words.length === 0 || this.#isSending) return this.#socket.close();
    this.#output.add(words);
    void this.#sendAndClose();
  }

  async #sendAndClose(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tooLate = new Promise<void>((resolve) => (timer = setTimeout(resolve, FAREWELL_MS)));
    // A peer that has gone is told nothing.
    await Promise.race([this.#send().catch(() => {}), tooLate]);
    clearTimeout(timer);
    closeQuietly(this.#socket);
  }

  async #send(): Promise<void> {
    const output = this.#output;
    this.#isSending = true;
    while (output.length > 0) output.skip(await this.#socket.write(output.view()));
    this.#isSending = false;
  }
}
