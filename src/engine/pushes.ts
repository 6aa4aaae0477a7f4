// hot path
/**
 * Messages that are no replies: what is published, and which cached keys are no longer valid. There is one way for all of
 * them to a client's output.
 *
 * A message to a client that is running a command itself (it publishes to its own channel, or changes a key that it has
 * cached) is held back until the command's reply is complete: behind EXEC's array, and not within it. Keys that it has
 * changed itself come last, in the protocol that it has by then. CLIENT REPLY OFF and SKIP silence replies only. A message to any other client follows what that one has been sent so far, and the
 * client is flushed at the end of the batch.
 */
import { ReplyWriter } from "../protocol/reply_writer.ts";
import type { Client } from "./client.ts";

/** Whoever has more than this waiting is compared with the limits of memory at the end of the turn. */
const PROMPT_BYTES = 64 * 1024;

export class Pushes {
  readonly #toFlush: Set<Client>;

  /** `toFlush` are the clients that will be flushed at the end of the batch. */
  constructor(toFlush: Set<Client>) {
    this.#toFlush = toFlush;
  }

  /** Where a message to `client` is written, as a whole and at once. */
  to(client: Client): ReplyWriter {
    if (client.isRunning) return held(client);
    // With something in its output it is to be flushed already, or will be when what it is being sent has gone. Much of it
    // must be compared with the limits.
    const { size } = client.reply;
    if (size === 0 || size > PROMPT_BYTES) this.#toFlush.add(client);
    return client.reply;
  }

  /** As `to`, for the message that keys which `client` has cached are no longer valid. */
  ofKeysTo(client: Client): ReplyWriter {
    if (!client.isRunning) return this.to(client);
    client.heldKeys ??= new ReplyWriter(client.engine.buffers, client);
    client.heldKeys.resp = client.reply.resp;
    return client.heldKeys;
  }

  /** As `to`, for a command that answers with messages (SUBSCRIBE): they stand where its reply would, if it has one. */
  answering(client: Client): ReplyWriter {
    return client.replyMode === "on" ? client.call.reply : this.to(client);
  }

  /** The command that `client` was running is over: what was held back follows its reply. */
  end(client: Client): void {
    client.isRunning = false;
    if (client.heldPushes !== null && client.heldPushes.size > 0) {
      client.heldPushes.moveTo(client.reply);
      this.#toFlush.add(client);
    }
    if (client.heldKeys !== null && client.heldKeys.size > 0) {
      this.#endKeys(client, client.heldKeys);
    }
  }

  #endKeys(client: Client, keys: ReplyWriter): void {
    // HELLO 2 in the transaction: a client of RESP2 is not told of keys.
    if (keys.resp > client.reply.resp) return keys.drop();
    keys.moveTo(client.reply);
    this.#toFlush.add(client);
  }
}

function held(client: Client): ReplyWriter {
  client.heldPushes ??= new ReplyWriter(client.engine.buffers, client);
  client.heldPushes.resp = client.reply.resp;
  return client.heldPushes;
}
