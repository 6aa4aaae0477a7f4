/** Connections to other servers that are kept open for a while, since MIGRATE sends key after key to the same one. */

/** What the engine knows of such a connection; replication/peer_link.ts makes them. */
export interface Link {
  /** The database that it has selected. */
  database: number;
  lastUsedMs: number;
  send(bytes: Uint8Array, timeoutMs: number): Promise<void>;
  /** Reads a simple reply, with its first character: `+OK`, `-ERR …`, `:1`. */
  readLine(timeoutMs: number): Promise<string>;
  close(): void;
}

const KEPT_MAX = 64;
const KEPT_MS = 10_000;

/** Links that may be used again for ten seconds, by address. */
export class KeptLinks {
  readonly #links = new Map<string, Link>();

  get size(): number {
    return this.#links.size;
  }

  get(address: string): Link | undefined {
    return this.#links.get(address);
  }

  set(address: string, link: Link): void {
    this.#links.set(address, link);
    if (this.#links.size <= KEPT_MAX) return;
    const [oldest] = this.#links.keys();
    this.delete(oldest);
  }

  delete(address: string): void {
    this.#links.get(address)?.close();
    this.#links.delete(address);
  }

  /** Closes those that nobody has used for a while. */
  tick(nowMs: number): void {
    for (const [address, { lastUsedMs }] of this.#links) {
      if (nowMs - lastUsedMs > KEPT_MS) this.delete(address);
    }
  }

  /** Closes all of them when the server ends. */
  closeAll(): void {
    for (const address of this.#links.keys()) this.delete(address);
  }
}
