/** A connection to another server: sends requests, reads simple replies, each within a time. */
import type { Link } from "../engine/kept_links.ts";
import { writeAll } from "../lib/write_all.ts";

const BUFFER_BYTES = 4096;
const LF = 0x0a;

/** The other server could not be reached in time. */
export class LinkError extends Error {
  override name = "LinkError";
}

export class PeerLink implements Link {
  /** The database that it has selected. */
  database = 0;
  lastUsedMs = 0;
  readonly #conn: Deno.TcpConn;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #at = 0;
  #end = 0;

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  static async connect(hostname: string, port: number, timeoutMs: number): Promise<PeerLink> {
    const connecting = Deno.connect({ hostname, port });
    // A connection that is made after the timeout is closed.
    const conn = await within(connecting, timeoutMs, () => {
      connecting.then((late) => late.close(), () => {});
    });
    conn.setNoDelay(true);
    return new PeerLink(conn);
  }

  async send(bytes: Uint8Array, timeoutMs: number): Promise<void> {
    await within(writeAll(this.#conn, bytes), timeoutMs, () => this.close());
  }

  /** Reads a simple reply, with its first character: `+OK`, `-ERR …`, `:1`. */
  async readLine(timeoutMs: number): Promise<string> {
    return await within(this.#readLine(), timeoutMs, () => this.close());
  }

  async #readLine(): Promise<string> {
    let line = "";
    for (;;) {
      while (this.#at < this.#end) {
        const byte = this.#buffer[this.#at++];
        if (byte === LF) return line.replace(/\r$/, "");
        line += String.fromCharCode(byte);
      }
      const count = await this.#conn.read(this.#buffer);
      if (count === null) throw new LinkError("closed by the other server");
      this.#at = 0;
      this.#end = count;
    }
  }

  close(): void {
    try {
      this.#conn.close();
    } catch {
      // It has been closed already.
    }
  }
}

/** The result of `work`; if that takes longer than `timeoutMs`, calls `giveUp` and throws. */
async function within<T>(work: Promise<T>, timeoutMs: number, giveUp: () => void): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      giveUp();
      reject(new LinkError("timeout"));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    work.catch(() => {});
    throw error instanceof LinkError ? error : new LinkError(String(error));
  } finally {
    clearTimeout(timer);
  }
}
