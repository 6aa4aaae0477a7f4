/** What connections need of a socket, whichever listener it comes from. */

export interface Socket extends Pick<Deno.Conn, "read" | "write" | "close"> {
  readonly remoteAddr: Deno.Addr;
  readonly localAddr: Deno.Addr;
  /** TLS: settles when it is known whether client and server understand each other. */
  handshake?(): Promise<unknown>;
  /** Ends the connection at once, whatever the peer does. Where it is missing, `close` does. But see `waitsForPeer`. */
  abort?(): void;
}

/**
 * Whether `close` can't end the connection: Deno's TLS then waits, for ever, until its peer has finished the handshake or
 * taken what is being sent. Such a socket takes a descriptor meanwhile, so it is kept and counted instead.
 */
export function waitsForPeer(socket: Socket): boolean {
  return socket.handshake !== undefined && socket.abort === undefined;
}

export function closeQuietly(socket: Pick<Socket, "close">): void {
  try {
    socket.close();
  } catch {
    // The runtime has closed it already.
  }
}

/** "127.0.0.1:50000" or "[::1]:50000". */
export function addressText(address: Deno.Addr): string {
  if (!("hostname" in address)) return "unknown:0";
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
