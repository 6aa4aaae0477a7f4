/**
 * Accepts connections on the configured addresses and hands each to a `Connection`.
 */
import { LogThrottle } from "../observe/log_throttle.ts";
import { Errors } from "../protocol/errors.ts";
import { Connection, type Socket } from "./connection.ts";
import type { Hub } from "./hub.ts";

/** Where to listen: a TCP address or the path of a Unix socket. */
export type Endpoint = { hostname: string; port: number } | { path: string; mode: number | null };

const encoder = new TextEncoder();
const PROTECTED = encoder.encode(
  "-DENIED Redis is running in protected mode because protected mode is enabled and no password is set" +
    " for the default user. In this mode connections are only accepted from the loopback interface. If" +
    " you want to connect from external computers to Redis you may adopt one of the following solutions:" +
    " 1) Just disable protected mode sending the command 'CONFIG SET protected-mode no' from the loopback" +
    " interface by connecting to Redis from the same host the server is running, however MAKE SURE Redis" +
    " is not publicly accessible from internet if you do so. Use CONFIG REWRITE to make this change" +
    " permanent. 2) Alternatively you can just disable the protected mode by editing the Redis" +
    " configuration file, and setting the protected mode option to 'no', and then restarting the server." +
    " 3) If you started the server manually just for testing, restart it with the '--protected-mode no'" +
    " option. 4) Set up an authentication password for the default user. NOTE: You only need to do one of" +
    " the above things in order for the server to start accepting connections from the outside.\r\n",
);
/**
 * The system has no descriptor or memory for one more connection: to try again at once would fail again at once. Other
 * errors concern the one connection that was to be accepted (a peer that has reset it, say), and not the next.
 */
const EXHAUSTED = ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"];
/** How long accepting pauses then. */
const RETRY_MS = 50;
const LOG_EVERY_MS = 1000;

/** What `Listener` needs of the runtime's listeners. */
export type SocketListener = Pick<Deno.Listener<Socket>, "accept" | "addr" | "close">;

export class Listener {
  readonly #listener: SocketListener;
  readonly #hub: Hub;
  readonly #throttle = new LogThrottle(LOG_EVERY_MS);
  /** Connections that were accepted here and have not ended. */
  #running = 0;
  #drained: (() => void) | null = null;

  /** Throws the operating system's error if the address cannot be had. */
  constructor(
    readonly endpoint: Endpoint,
    backlog: number,
    hub: Hub,
    listen: (endpoint: Endpoint, backlog: number) => SocketListener = listenOn,
  ) {
    this.#hub = hub;
    this.#listener = listen(endpoint, backlog);
  }

  /** The port that was given, also when 0 was asked for; 0 for a Unix socket. */
  get port(): number {
    return "port" in this.#listener.addr ? this.#listener.addr.port : 0;
  }

  /** Accepts until `close`. Never rejects. */
  async run(): Promise<void> {
    for (;;) {
      let socket: Socket;
      try {
        socket = await this.#listener.accept();
      } catch (error) {
        if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
          return;
        }
        this.#logFailure(error);
        // A timer of its own, not the engine's wall clock: if that is set back, nobody would be accepted for long.
        if (isExhaustion(error)) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        continue;
      }
      this.#accepted(socket);
    }
  }

  #logFailure(error: unknown): void {
    // The peer left before it was accepted. That is no failure of ours: nothing is logged.
    if (error instanceof Deno.errors.NotConnected) return;
    const { clock, log } = this.#hub.engine;
    if (!this.#throttle.take(clock.nowMs())) return;
    log.warning(`Accepting a client connection failed: ${String(error)}`);
  }

  close(): void {
    try {
      this.#listener.close();
    } catch {
      // Closed already.
    }
    if ("path" in this.endpoint) removeQuietly(this.endpoint.path);
  }

  /** Resolves when all connections that were accepted here have ended. */
  async drained(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#drained = resolve));
  }

  async #serve(connection: Connection): Promise<void> {
    await connection.run();
    if (--this.#running === 0) this.#drained?.();
  }

  #accepted(socket: Socket): void {
    const refusal = this.#refusal(socket);
    if (refusal !== null) {
      this.#hub.engine.counters.rejectedConnections++;
      void refuse(socket, refusal);
      return;
    }
    if ("setNoDelay" in socket) prepare(socket, this.#hub.engine.parameters.values.tcpKeepalive);
    const path = "path" in this.endpoint ? this.endpoint.path : null;
    this.#running++;
    void this.#serve(new Connection(socket, this.#hub, path));
  }

  #refusal(socket: Socket): Uint8Array | null {
    const { engine } = this.#hub;
    const { values } = engine.parameters;
    if (engine.clients.size >= values.maxclients) return Errors.maxClients;
    const address = socket.remoteAddr;
    if (values.protectedMode && values.requirepass === "" && "hostname" in address) {
      if (!isLoopback(address.hostname)) return PROTECTED;
    }
    return null;
  }
}

function isExhaustion(error: unknown): boolean {
  return error instanceof Error && "code" in error && EXHAUSTED.includes(String(error.code));
}

function listenOn(endpoint: Endpoint, backlog: number): SocketListener {
  if ("path" in endpoint) return listenUnix(endpoint);
  return Deno.listen({ hostname: endpoint.hostname, port: endpoint.port, tcpBacklog: backlog });
}

function listenUnix(endpoint: { path: string; mode: number | null }): Deno.UnixListener {
  removeQuietly(endpoint.path);
  const listener = Deno.listen({ transport: "unix", path: endpoint.path });
  if (endpoint.mode !== null) Deno.chmodSync(endpoint.path, endpoint.mode);
  return listener;
}

function prepare(socket: Deno.TcpConn | Deno.TlsConn, keepAliveSeconds: number): void {
  if (!("setKeepAlive" in socket)) return;
  socket.setNoDelay(true);
  socket.setKeepAlive(keepAliveSeconds > 0);
}

async function refuse(socket: Socket, message: Uint8Array): Promise<void> {
  try {
    await socket.write(message);
    socket.close();
  } catch {
    // The client has gone already.
  }
}

function isLoopback(hostname: string): boolean {
  return hostname === "::1" || hostname.startsWith("127.") || hostname.startsWith("::ffff:127.");
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // Nothing was there.
  }
}
