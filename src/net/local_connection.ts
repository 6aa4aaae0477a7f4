/**
 * A client in the same process, without a socket: bytes of requests go in, bytes of replies come out. It takes the same way through
 * decoder and evaluator as all others.
 */
import type { Client, Transport } from "../engine/client.ts";
import { Decoded, RequestDecoder } from "../protocol/request_decoder.ts";
import type { Hub } from "./hub.ts";

/** Where a local client comes from, as CLIENT LIST shows it. */
export type LocalAddress = Partial<Pick<Transport, "address" | "localAddress" | "isUnixSocket">>;

export class LocalConnection implements Transport {
  readonly client: Client;
  readonly address: string;
  readonly localAddress: string;
  readonly isUnixSocket: boolean;
  readonly inFlightBytes = 0;
  readonly sendingBytes = 0;
  readonly queryBytes = 0;
  readonly queryFreeBytes = 0;
  /** See HeldTransport in hub.ts. */
  pendingFlushes = 0;
  isClosed = false;
  #isProcessing = false;
  /** It is closed once its replies so far have been taken. */
  #isClosing = false;
  /** Called when there may be output that `take` has not returned, or when the connection is closed. */
  onOutput: () => void = () => {};
  /** What was sent while a request waits for a pause to end. */
  readonly #unsent: Uint8Array[] = [];
  readonly #hub: Hub;
  readonly #decoder: RequestDecoder;

  constructor(hub: Hub, from: LocalAddress = {}) {
    this.#hub = hub;
    this.address = from.address ?? "127.0.0.1:0";
    this.localAddress = from.localAddress ?? "127.0.0.1:6379";
    this.isUnixSocket = from.isUnixSocket ?? false;
    this.client = hub.newClient(this);
    this.#decoder = new RequestDecoder(hub.limitsFor(this.client), {
      onReadAhead: (pipeline) => hub.evaluator.prefetch(this.client, pipeline),
    });
  }

  /** Feeds bytes as a socket would, and evaluates what is whole. */
  send(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.isClosed;) {
      // Nothing is read while a request waits for a pause to end.
      if (this.client.isPostponed) return void this.#unsent.push(bytes.slice(at));
      const space = this.#decoder.space(this.client.args);
      const count = Math.min(space.length, bytes.length - at);
      space.set(bytes.subarray(at, at + count));
      at += count;
      this.#decoder.received(count);
      this.#batch(false);
    }
  }

  /** The bytes of replies and messages since the last call. They stay as they are. */
  take(): Uint8Array {
    return this.client.reply.take();
  }

  flush(): void {
    if (this.isClosed || this.client.reply.size === 0) return;
    // Of the reply to EXEC nothing is taken before all is there.
    if (this.client.transaction.running !== null) return;
    if (this.#hub.engine.mustCommit) return this.#hub.flushSoon(this);
    if (this.pendingFlushes === 0) this.onOutput();
  }

  released(): void {
    this.flush();
    if (this.#isClosing) this.kill();
  }

  closeAfterReply(): void {
    this.#isClosing = true;
    if (!this.#isProcessing && this.pendingFlushes === 0) this.kill();
  }

  kill(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#hub.remove(this.client);
    this.onOutput();
  }

  resume(): void {
    if (this.isClosed) return;
    if (this.client.isPostponed) {
      this.client.isPostponed = false;
      this.#batch(true);
      for (const bytes of this.#unsent.splice(0)) this.send(bytes);
      return;
    }
    // It is no longer blocked: what it has sent meanwhile follows.
    queueMicrotask(() => this.#batch(false));
  }

  /** Evaluates what has arrived; `again` runs the request that was postponed first. */
  #batch(again: boolean): void {
    const { evaluator } = this.#hub;
    this.#isProcessing = true;
    evaluator.beginBatch(this.client);
    if (again) evaluator.execute(this.client);
    this.#evaluate();
    evaluator.endBatch();
    this.#isProcessing = false;
    this.flush();
    if (this.#isClosing && this.pendingFlushes === 0) this.kill();
  }

  #evaluate(): void {
    const { client } = this;
    while (!client.isPostponed && client.blocked === null && !this.#isClosing && !this.isClosed) {
      const found = this.#decoder.next(client.args);
      if (found === Decoded.more) return;
      if (found === Decoded.request) {
        this.#hub.evaluator.execute(client);
        continue;
      }
      if (found === Decoded.broken) this.#hub.requestBroken(client, this.#decoder.failure);
      else this.#hub.inputLimitReached(client);
      return this.closeAfterReply();
    }
  }
}
