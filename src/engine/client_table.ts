/**
 * The connected clients by id, in order of connection.
 *
 *     slots:  | client 3 | – | client 7 | client 8 | – | free … |
 *             0                                      #end
 *
 * Ids ascend, so a client is found by binary search. A client that leaves makes a hole; the holes are closed when there
 * is no free slot. A Map would serve as well, but keeps garbage alive: after as many deletions as it has room, V8 makes
 * a new table for it and lets the old one point there. Once an old table has reached the old generation, all later
 * tables, and the clients in them, live until the next full collection. With 50,000 clients that came and went, a third
 * of all bytes was copied for that reason, in a fifth of the processor's time.
 *
 * Costs: `add` O(1) amortized, `get` and `delete` O(log n).
 */
import { assert } from "../lib/assert.ts";

const ROOM_MIN = 64;

interface Identified {
  readonly id: number;
}

export class ClientTable<T extends Identified> {
  #slots: (T | null)[] = new Array(ROOM_MIN).fill(null);
  /** The id in each slot. It stays when the client leaves: binary search needs all ids ascending. */
  #ids: number[] = new Array(ROOM_MIN).fill(0);
  #end = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds a client, whose id must be the highest so far. */
  add(client: T): void {
    if (this.#end === this.#slots.length) this.#makeRoom();
    assert(this.#end === 0 || client.id > this.#ids[this.#end - 1], "ids of clients ascend");
    this.#slots[this.#end] = client;
    this.#ids[this.#end] = client.id;
    this.#end++;
    this.#size++;
  }

  get(id: number): T | undefined {
    return this.#slots[this.#find(id)] ?? undefined;
  }

  /** Removes a client, if it is there. */
  delete(client: T): void {
    const at = this.#find(client.id);
    if (this.#slots[at] !== client) return;
    this.#slots[at] = null;
    this.#size--;
  }

  /** All clients, the oldest first. During the walk clients may be removed, but none added. */
  *values(): Generator<T> {
    const end = this.#end;
    for (let i = 0; i < end; i++) {
      const client = this.#slots[i];
      if (client === null) continue;
      yield client;
      assert(end === this.#end, "no client is added while they are visited");
    }
  }

  /** The slot of `id`, or `#end` if there is none. */
  #find(id: number): number {
    let low = 0;
    let high = this.#end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ids[middle] < id) low = middle + 1;
      else high = middle;
    }
    return low < this.#end && this.#ids[low] === id ? low : this.#end;
  }

  /** Closes the holes; doubles the room if fewer than half of the slots were holes. */
  #makeRoom(): void {
    const room = this.#slots.length;
    let end = 0;
    for (let i = 0; i < this.#end; i++) {
      const client = this.#slots[i];
      if (client === null) continue;
      this.#slots[end] = client;
      this.#ids[end] = client.id;
      end++;
    }
    this.#slots.fill(null, end);
    this.#end = end;
    if (2 * end < room) return;
    for (let i = 0; i < room; i++) {
      this.#slots.push(null);
      this.#ids.push(0);
    }
  }
}
