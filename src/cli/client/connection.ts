/** A connection to the server: sends requests, receives replies. */
import { joined } from "../../lib/joined.ts";
import { writeAll } from "../../lib/write_all.ts";
import { systemText } from "../../lib/system_error.ts";
import { type Address, addressText, type TlsSettings } from "./address.ts";
import { ReplyDecoder } from "../../protocol/reply_decoder.ts";
import type { Reply } from "../../protocol/reply.ts";
import { requestOf, type Word } from "../../protocol/request.ts";

/** What the user is told before the program ends or goes on. */
export class ClientFailure extends Error {
  override readonly name = "ClientFailure";
}

/** The server closed the connection, or it broke. */
export class ConnectionLost extends ClientFailure {}

const READ_BYTES = 1 << 16;

export class Connection {
  readonly #decoder = new ReplyDecoder();
  readonly #buffer = new Uint8Array(READ_BYTES);
  #returned: Uint8Array = new Uint8Array(0);
  #isClosed = false;

  private constructor(readonly conn: Deno.Conn) {}

  /** Throws a ClientFailure. */
  static async open(address: Address): Promise<Connection> {
    try {
      return new Connection(await dial(address));
    } catch (error) {
      const why = systemText(error).replace(/^failed to lookup address information: /, "");
      throw new ClientFailure(`Could not connect to Redis at ${addressText(address)}: ${why}`);
    }
  }

  send(words: readonly Word[]): Promise<void> {
    return this.sendBytes(requestOf(words));
  }

  /** Several requests in one write. */
  sendAll(requests: readonly (readonly Word[])[]): Promise<void> {
    return this.sendBytes(joined(requests.map(requestOf)));
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    try {
      await writeAll(this.conn, bytes);
    } catch (error) {
      throw new ConnectionLost(`Error: ${systemText(error)}`);
    }
  }

  /** The next reply or push. Throws ConnectionLost or a ProtocolError. */
  async receive(): Promise<Reply> {
    for (;;) {
      const reply = this.#decoder.next();
      if (reply !== null) return reply;
      this.#decoder.feed(await this.read());
    }
  }

  /** Gives back bytes that `read` returned: they are the beginning of replies. */
  unread(bytes: Uint8Array): void {
    this.#decoder.feed(bytes);
  }

  /** Bytes that the next `read` returns. */
  putBack(bytes: Uint8Array): void {
    this.#returned = bytes;
  }

  /** Bytes that are no replies, as those of a snapshot. They are valid until the next call. */
  async read(): Promise<Uint8Array> {
    if (this.#returned.length > 0) {
      const bytes = this.#returned;
      this.#returned = new Uint8Array(0);
      return bytes;
    }
    let count: number | null;
    try {
      count = await this.conn.read(this.#buffer);
    } catch (error) {
      throw new ConnectionLost(
        this.#isClosed ? "Error: closed" : `Error: ${systemText(error)}`,
      );
    }
    if (count === null) throw new ConnectionLost("Error: Server closed the connection");
    return this.#buffer.subarray(0, count);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.conn.close();
  }
}

async function dial({ host, port, path, tls }: Address): Promise<Deno.Conn> {
  if (path !== "") return await Deno.connect({ transport: "unix", path });
  if (tls === null) {
    const conn = await Deno.connect({ hostname: host, port });
    conn.setNoDelay();
    return conn;
  }
  return await dialTls(host, port, tls);
}

async function dialTls(host: string, port: number, tls: TlsSettings): Promise<Deno.Conn> {
  const caCerts = await Promise.all(tls.authorities.map((path) => Deno.readTextFile(path)));
  const own = tls.certificate === "" ? {} : {
    cert: await Deno.readTextFile(tls.certificate),
    key: await Deno.readTextFile(tls.key),
  };
  const conn = tls.serverName === ""
    ? await Deno.connectTls({ hostname: host, port, caCerts, ...own })
    : await Deno.startTls(await Deno.connect({ hostname: host, port }), {
      hostname: tls.serverName,
      caCerts,
    });
  try {
    await conn.handshake();
    return conn;
  } catch (error) {
    conn.close();
    throw error;
  }
}
