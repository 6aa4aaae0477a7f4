// hot path
/**
 * The memory of all clients, as a sum that is kept up to date: maxmemory is compared with it before every command that
 * may need memory, and to visit thousands of idle clients each time would take longer than the command.
 *
 * A client is counted anew whenever its buffers may have changed: at the end of its batch, when others have added to its
 * output, when a write of its replies begins or is over, and when it asks for memory itself. The cron counts all of them, so that
 * whatever changes at another moment is counted a tenth of a second later.
 *
 * Invariant: the sum is that of `countedBytes` over the clients that were added and not removed.
 */
import { assert } from "../lib/assert.ts";

interface Measured {
  /** Bytes of memory that it takes now. */
  readonly memoryBytes: number;
  /** What the sum holds of it; −1: it is not included. */
  countedBytes: number;
}

export class ClientMemory {
  #bytes = 0;

  /** Bytes of all clients, each as it was when it was last counted. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a client, with 0 bytes: its connection is still being made, and its buffers can't be asked for. */
  add(client: Measured): void {
    assert(client.countedBytes < 0, "a client is added once");
    client.countedBytes = 0;
  }

  /** Counts a client anew; one that has gone is left out. */
  recount(client: Measured): void {
    const before = client.countedBytes;
    if (before < 0) return;
    const bytes = client.memoryBytes;
    if (bytes === before) return;
    client.countedBytes = bytes;
    this.#bytes += bytes - before;
    assert(this.#bytes >= bytes, "a sum has all of each part");
  }

  remove(client: Measured): void {
    if (client.countedBytes < 0) return;
    this.#bytes -= client.countedBytes;
    client.countedBytes = -1;
    assert(this.#bytes >= 0, "a count of bytes is not negative");
  }
}
