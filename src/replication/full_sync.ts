/**
 * SYNC: a client gets a snapshot of all data as an RDB, and then every change since, as commands. `redis-cli --rdb`
 * and replicas without PSYNC use it.
 *
 * The snapshot is first written to a temporary file, so that a slow reader costs no memory.
 */
import type { Client } from "../engine/client.ts";
import type { Engine } from "../engine/engine.ts";
import { type PropagationTaker, Reader } from "../engine/propagation.ts";
import { BufferSink } from "../persistence/byte_sink.ts";

const CHUNK_BYTES = 64 * 1024;
/** Sending the file pauses while more than this is unsent. */
const UNSENT_MAX_BYTES = 512 * 1024;
const LOOK_EVERY_MS = 2;

class Feed implements PropagationTaker {
  readonly #engine: Engine;
  readonly #client: Client;
  /** Changes since the snapshot, until all of it is sent. */
  readonly #waiting = new BufferSink();
  #isLive = false;

  constructor(engine: Engine, client: Client) {
    this.#engine = engine;
    this.#client = client;
  }

  take(bytes: Uint8Array, end: number): void {
    if (this.#client.isClosing) return queueMicrotask(() => this.#leave());
    if (this.#isLive) this.#send(bytes, end);
    else this.#waiting.write(bytes, 0, end);
  }

  #send(bytes: Uint8Array, end: number): void {
    this.#client.reply.raw(new Uint8Array(bytes.buffer, 0, end));
    this.#engine.toFlush.add(this.#client);
  }

  #leave(): void {
    this.#engine.propagation.removeTaker(this);
  }

  async run(persistence: NonNullable<Engine["persistence"]>): Promise<void> {
    const client = this.#client;
    const { propagation, log } = this.#engine;
    try {
      const begun = (): void => propagation.addTaker(this, Reader.replica);
      const path = await persistence.snapshotToFile(begun, client.snapshotContents);
      const file = await Deno.open(path, { read: true });
      // An open file can be read after it was removed, and so it never stays behind.
      await Deno.remove(path);
      await this.#sendFile(file).finally(() => file.close());
    } catch (error) {
      log.warning(`SYNC of client ${client.id} failed: ${error}`);
      client.transport.kill();
    }
    if (client.isClosing || client.wantsSnapshotOnly) return this.#leave();
    this.#isLive = true;
    if (this.#waiting.at > 0) this.#send(this.#waiting.bytes, this.#waiting.at);
    this.#waiting.clear(0);
    this.#engine.flushOthers();
  }

  async #sendFile(file: Deno.FsFile): Promise<void> {
    const client = this.#client;
    const { size } = await file.stat();
    client.reply.raw(new TextEncoder().encode(`$${size}\r\n`));
    const chunk = new Uint8Array(CHUNK_BYTES);
    for (let left = size; left > 0 && !client.isClosing;) {
      const count = await file.read(chunk);
      if (count === null) break;
      left -= count;
      client.reply.raw(chunk.subarray(0, count));
      client.transport.flush();
      while (client.outputWaiting > UNSENT_MAX_BYTES && !client.isClosing) {
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      }
    }
  }
}

/** Sends `client` all data, and all changes from then on. */
export function beginFullSync(engine: Engine, client: Client): void {
  const { persistence } = engine;
  if (persistence === null) return client.transport.kill();
  engine.becomesReplica(client);
  void new Feed(engine, client).run(persistence);
}
