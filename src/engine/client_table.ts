/**
 * The connected clients by id, in order of connection.
 *
 *     slots:  | client 3 | – | client 7 | client 8 | – | free … |
 *             0                                      #end
 *
 * Ids ascend, so that a client is found by halving; who has gone leaves a hole, and the holes are closed up when there
 * is no free slot. A Map would do the same, but keeps garbage alive: each time it has seen as many deletions as it
 * has room for it makes a new table, to which the one before points. Once one of them has outlived the young
 * generation, all later ones live on, with the clients in them, until the next full collection: of 50,000 clients that came
 * and went a third of the bytes were copied so, which took a fifth of the processor's time.
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
  /** The id in each slot; that of who has gone stays, so that halving finds its way. */
  #ids: number[] = new Array(ROOM_MIN).fill(0);
  #end = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds a client whose id is higher than that of all before. */
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

  /** All clients, the eldest first. Meanwhile any of them may be removed, and none added. */
  *values(): Generator<T> {
    const end = this.#end;
    for (let i = 0; i < end; i++) {
      const client = this.#slots[i];
      if (client === null) continue;
      yield client;
      assert(end === this.#end, "no client is added while they are visited");
    }
  }

  /** The slot of `id`, or the one behind the last. */
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

  /** Closes up the holes; doubles the room if few of them were there. */
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
