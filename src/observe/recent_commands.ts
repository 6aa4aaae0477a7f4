// hot path
/**
 * The commands that ran last. They are logged when an assertion fails, since one of them may have broken the invariant.
 * Equal commands that one client sends in a row are one entry.
 */
const ROOM = 32;

export class RecentCommands {
  readonly #names: string[] = new Array(ROOM).fill("");
  readonly #clients = new Float64Array(ROOM);
  readonly #databases = new Int32Array(ROOM);
  readonly #counts = new Int32Array(ROOM);
  /** Entries that were ever written. */
  #written = 0;

  /** `count` calls of the command `name` ran for a client that has selected `database`. */
  note(name: string, client: number, database: number, count: number): void {
    const at = this.#written++ % ROOM;
    this.#names[at] = name;
    this.#clients[at] = client;
    this.#databases[at] = database;
    this.#counts[at] = count;
  }

  /** The entries, oldest first: "set ×3 (client 7, database 0), …". */
  toString(): string {
    const texts: string[] = [];
    for (let n = Math.max(0, this.#written - ROOM); n < this.#written; n++) {
      const at = n % ROOM;
      const times = this.#counts[at] === 1 ? "" : ` ×${this.#counts[at]}`;
      texts.push(
        `${this.#names[at]}${times} (client ${this.#clients[at]}, database ${this.#databases[at]})`,
      );
    }
    return texts.length === 0 ? "none" : texts.join(", ");
  }
}
