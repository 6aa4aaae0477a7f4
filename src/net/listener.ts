/**
 * Accepts connections on the configured addresses and hands each to a `Connection`.
 */
import { LogThrottle } from "../observe/log_throttle.ts";
import type { Dialect } from "../protocol/dialects/dialect.ts";
import { Errors } from "../protocol/errors.ts";
import { Connection } from "./connection.ts";
import { DialectSocket } from "./dialect_socket.ts";
import { type Hub, isDeparture } from "./hub.ts";
import { addressText, closeQuietly, type Socket, waitsForPeer } from "./socket.ts";
import { isNodeTlsSound, listenTls, needsNode, type TlsSettings } from "./tls.ts";

/**
 * Where to listen: a TCP address, with TLS if there are settings for it, or for clients that speak a dialect, with messages of at most
 * so many bytes; or the path of a Unix socket.
 */
export type Endpoint =
  | {
    hostname: string;
    port: number;
    tls?: () => TlsSettings;
    dialect?: { readonly dialect: Dialect; readonly maxMessage: number };
  }
  | { path: string; mode: number | null };

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
/** How long a client may take to agree on TLS. */
const HANDSHAKE_MS = 10_000;
/** With so many that should be closed and can't be, node:tls serves: it can close them. */
const STUCK_MAX = 16;
/** So many connections beyond maxclients agree on TLS at a time, to be told that they are too many. Others wait. */
const SURPLUS_HANDSHAKES = 64;

/** What `Listener` needs of the runtime's listeners. */
export interface SocketListener extends Pick<Deno.Listener, "addr" | "close"> {
  accept(): Promise<Socket>;
  /** Settles when it listens, if it does not at once. */
  readonly ready?: Promise<void>;
  /** Uses other settings of TLS from the next connection on. */
  renew?(settings: TlsSettings): void;
}

export class Listener {
  #listener: SocketListener;
  readonly #hub: Hub;
  readonly #backlog: number;
  readonly #listen: typeof listenOn;
  readonly #throttle = new LogThrottle(LOG_EVERY_MS);
  /** Connections that were accepted here and have not ended. */
  #running = 0;
  #drained: (() => void) | null = null;
  /** Connections that never agreed on TLS, and can't be closed. */
  #stuck = 0;
  #isWary = false;
  #isRenewing = false;
  /** Called when it listens anew, or could not at the first try. */
  #renewals: (() => void)[] = [];
  readonly #ended = Promise.withResolvers<void>();
  #isClosed = false;

  /** Throws the operating system's error if the address cannot be had. */
  constructor(
    readonly endpoint: Endpoint,
    backlog: number,
    hub: Hub,
    listen: typeof listenOn = listenOn,
  ) {
    this.#hub = hub;
    this.#backlog = backlog;
    this.#listen = listen;
    this.#listener = listen(endpoint, backlog, false);
  }

  /** The port that was given, also when 0 was asked for; 0 for a Unix socket. */
  get port(): number {
    return "port" in this.#listener.addr ? this.#listener.addr.port : 0;
  }

  get isTls(): boolean {
    return "tls" in this.endpoint;
  }

  /** Resolves when clients can connect. */
  get ready(): Promise<void> {
    return this.#listener.ready ?? Promise.resolve();
  }

  /** Resolves when it accepts no more after `close`, and the address is free. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Accepts until `close`. Never rejects. */
  async run(): Promise<void> {
    await this.#acceptAll();
    this.#renewed();
    this.#ended.resolve();
  }

  async #acceptAll(): Promise<void> {
    for (;;) {
      let socket: Socket;
      try {
        if (this.isTls) await this.#room();
        socket = await this.#listener.accept();
      } catch (error) {
        if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
          if (!this.#isRenewing) return;
          await this.#listenAgain();
          continue;
        }
        this.#logFailure(error);
        // A timer of its own, not the engine's wall clock: if that is set back, nobody would be accepted for long.
        if (isExhaustion(error)) await pause();
        continue;
      }
      if (socket.handshake === undefined) this.#accepted(socket);
      else void this.#shakeHands(socket);
    }
  }

  /**
   * Has new connections served with the settings of TLS that are in force now. With Deno's own listener there is no other way
   * than to listen anew: for less than a millisecond nobody does. Resolves when clients can connect again.
   */
  async renew(): Promise<void> {
    if (!("tls" in this.endpoint) || this.endpoint.tls === undefined) return;
    const settings = this.endpoint.tls();
    if (this.#listener.renew !== undefined && (needsNode(settings) || this.#isWary)) {
      return this.#listener.renew(settings);
    }
    this.#isRenewing = true;
    closeQuietly(this.#listener);
    await new Promise<void>((resolve) => this.#renewals.push(resolve));
    await this.ready;
  }

  #renewed(): void {
    for (const resolve of this.#renewals.splice(0)) resolve();
  }

  /** The listener has been closed, and is replaced by another one. */
  async #listenAgain(): Promise<void> {
    this.#isRenewing = false;
    while (!this.#isClosed) {
      try {
        this.#listener = this.#listen(this.endpoint, this.#backlog, this.#isWary);
        return this.#renewed();
      } catch (error) {
        this.#log(`Listening anew failed, and is tried again: ${String(error)}`);
        this.#renewed();
        await pause();
      }
    }
  }

  /** Waits while too many connections agree on TLS: they can't be refused before that is over. */
  async #room(): Promise<void> {
    while (!this.#isClosed && this.#hub.room <= -SURPLUS_HANDSHAKES) await pause();
  }

  /** Agrees on TLS with a client before it is one. */
  async #shakeHands(socket: Socket): Promise<void> {
    const hub = this.#hub;
    let isLate = false;
    let isStuck = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#logHandshake(socket, new Error("the handshake takes too long"));
      // Deno's own socket would stay open, and nobody would count it: it is closed when its peer has moved.
      if (waitsForPeer(socket)) {
        isStuck = true;
        this.#countStuck(1);
      } else closeQuietly(socket);
    }, HANDSHAKE_MS);
    hub.handshakes++;
    try {
      await socket.handshake?.();
    } catch (error) {
      if (!isLate) this.#logHandshake(socket, error);
      isLate = true;
    }
    hub.handshakes--;
    clearTimeout(timer);
    if (isStuck) this.#countStuck(-1);
    if (isLate || this.#isClosed) closeQuietly(socket);
    else this.#accepted(socket);
  }

  /** Has node:tls serve when too many are stuck, where it is any good, and Deno's own listener again when none is left. */
  #countStuck(change: 1 | -1): void {
    this.#stuck += change;
    const isWary = this.#isWary ? this.#stuck > 0 : this.#stuck >= STUCK_MAX && isNodeTlsSound();
    if (isWary === this.#isWary || this.#isClosed) return;
    this.#isWary = isWary;
    this.#hub.engine.log.warning(
      isWary
        ? `${this.#stuck} connections never agreed on TLS and can't be closed: node:tls, which is slower, ` +
          "serves until they have gone"
        : "The connections that could not be closed have gone: TLS is served as before",
    );
    void this.renew();
  }

  #logHandshake({ remoteAddr, localAddr }: Socket, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    const addresses = `addr=${addressText(remoteAddr)} laddr=${addressText(localAddr)}`;
    const text = `Error accepting a client connection: ${why} (${addresses})`;
    // Those who only look whether somebody listens go without a word.
    if (isDeparture(error)) this.#hub.engine.log.verbose(text);
    else this.#log(text);
  }

  #logFailure(error: unknown): void {
    // The peer left before it was accepted. That is no failure of ours: nothing is logged.
    if (error instanceof Deno.errors.NotConnected) return;
    this.#log(`Accepting a client connection failed: ${String(error)}`);
  }

  /** Logs what others can cause at will: one line a second. */
  #log(text: string): void {
    const { clock, log } = this.#hub.engine;
    if (this.#throttle.take(clock.nowMs())) log.warning(text);
  }

  close(): void {
    this.#isClosed = true;
    closeQuietly(this.#listener);
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

  #accepted(accepted: Socket): void {
    const { endpoint } = this;
    const spoken = "dialect" in endpoint ? endpoint.dialect : undefined;
    const socket = spoken === undefined
      ? accepted
      : new DialectSocket(accepted, spoken.dialect, spoken.maxMessage);
    const refusal = this.#refusal(socket);
    if (refusal !== null) {
      this.#hub.engine.counters.rejectedConnections++;
      void refuse(socket, refusal);
      return;
    }
    prepare(accepted, this.#hub.engine.parameters.values.tcpKeepalive);
    const path = "path" in endpoint ? endpoint.path : null;
    this.#running++;
    const connection = new Connection(socket, this.#hub, path);
    // RESP 3 says more of what a value is.
    if (spoken !== undefined) connection.client.reply.resp = 3;
    void this.#serve(connection);
  }

  #refusal(socket: Socket): Uint8Array | null {
    const { engine } = this.#hub;
    const { values } = engine.parameters;
    if (this.#hub.isFull) return Errors.maxClients;
    const address = socket.remoteAddr;
    if (values.protectedMode && engine.acl.defaultUser.needsNoPassword && "hostname" in address) {
      if (!isLoopback(address.hostname)) return PROTECTED;
    }
    return null;
  }
}

function isExhaustion(error: unknown): boolean {
  return error instanceof Error && "code" in error && EXHAUSTED.includes(String(error.code));
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, RETRY_MS));
}

function listenOn(endpoint: Endpoint, backlog: number, isWary: boolean): SocketListener {
  if ("path" in endpoint) return listenUnix(endpoint);
  const { hostname, port, tls } = endpoint;
  if (tls !== undefined) return listenTls(hostname, port, backlog, tls(), isWary);
  return Deno.listen({ hostname, port, tcpBacklog: backlog });
}

function listenUnix(endpoint: { path: string; mode: number | null }): Deno.UnixListener {
  removeQuietly(endpoint.path);
  const listener = Deno.listen({ transport: "unix", path: endpoint.path });
  if (endpoint.mode !== null) Deno.chmodSync(endpoint.path, endpoint.mode);
  return listener;
}

/** Sets what the kind of socket has. */
function prepare(
  socket: Socket & Partial<Pick<Deno.TcpConn, "setNoDelay" | "setKeepAlive">>,
  keepAliveSeconds: number,
): void {
  socket.setNoDelay?.(true);
  socket.setKeepAlive?.(keepAliveSeconds > 0);
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
