// hot path
/**
 * The memory of all clients, as sums that are kept up to date: maxmemory is compared with them before every command that
 * may need memory, and to visit thousands of idle clients each time would take longer than the command.
 *
 * A client is counted anew whenever its buffers may have changed: at the end of its batch, when others have added to its
 * output, when a write of its replies begins or is over, and when it asks for memory itself. The cron counts all of them, so that
 * whatever changes at another moment is counted a tenth of a second later.
 *
 * With `maxmemory-clients`, clients that may be closed to save memory stand in buckets by the power of two of their bytes, as
 * in Redis: the largest are found at once. Those with CLIENT NO-EVICT and replicas stand in none.
 *
 * Invariant: the sums are those of `countedBytes` over the clients that were added and not removed.
 */
import { assert } from "../lib/assert.ts";
import { ClientBuckets, type Placed } from "./client_buckets.ts";

export interface Measured<T> extends Placed<T> {
  /** Bytes of memory that it takes now. */
  readonly memoryBytes: number;
  /** It receives all changes: neither its memory nor itself is the concern of `maxmemory-clients`. */
  readonly isReplica: boolean;
  /** CLIENT NO-EVICT. */
  readonly noEvict: boolean;
  /** What the sums hold of it; −1: it is not included. */
  countedBytes: number;
}

export class ClientMemory<T extends Measured<T>> {
  #normalBytes = 0;
  #replicaBytes = 0;
  #limitBytes = Infinity;
  #buckets: ClientBuckets<T> | null = null;

  /** Bytes of all clients, each as it was when it was last counted. */
  get bytes(): number {
    return this.#normalBytes + this.#replicaBytes;
  }

  /** Those of clients that are no replicas. */
  get normalBytes(): number {
    return this.#normalBytes;
  }

  get replicaBytes(): number {
    return this.#replicaBytes;
  }

  /** Whether clients other than replicas take more than `maxmemory-clients`. */
  get isOver(): boolean {
    return this.#normalBytes > this.#limitBytes;
  }

  /** Null without `maxmemory-clients`. */
  get buckets(): ClientBuckets<T> | null {
    return this.#buckets;
  }

  /** Sets what `clients`, all that were added, may take. Null: as much as they like. */
  limit(bytes: number | null, clients: Iterable<T>): void {
    this.#limitBytes = bytes ?? Infinity;
    if ((bytes !== null) === (this.#buckets !== null)) return;
    if (this.#buckets !== null) { for (const client of clients) this.#buckets.leave(client); }
    this.#buckets = bytes === null ? null : new ClientBuckets();
    for (const client of clients) this.#place(client);
  }

  /** Adds a client, with 0 bytes: its connection is still being made, and its buffers can't be asked for. */
  add(client: T): void {
    assert(client.countedBytes < 0, "a client is added once");
    client.countedBytes = 0;
    this.#place(client);
  }

  /** Counts a client anew; one that has gone is left out. */
  recount(client: T): void {
    const before = client.countedBytes;
    if (before < 0) return;
    const bytes = client.memoryBytes;
    if (bytes === before) return;
    client.countedBytes = bytes;
    if (client.isReplica) this.#replicaBytes += bytes - before;
    else this.#normalBytes += bytes - before;
    assert(this.#replicaBytes + this.#normalBytes >= bytes, "a sum has all of each part");
    if (this.#buckets !== null) this.#place(client);
  }

  /** Forgets a client that has gone, or, before `isReplica` changes, one that is added again afterwards. */
  remove(client: T): void {
    if (client.countedBytes < 0) return;
    if (client.isReplica) this.#replicaBytes -= client.countedBytes;
    else this.#normalBytes -= client.countedBytes;
    client.countedBytes = -1;
    this.#buckets?.leave(client);
    assert(this.#normalBytes >= 0 && this.#replicaBytes >= 0, "a count of bytes is not negative");
  }

  /** `noEvict` has changed. */
  evictabilityChanged(client: T): void {
    this.#place(client);
  }

  #place(client: T): void {
    if (this.#buckets === null || client.countedBytes < 0) return;
    if (client.noEvict || client.isReplica) this.#buckets.leave(client);
    else this.#buckets.place(client, client.countedBytes);
  }
}
