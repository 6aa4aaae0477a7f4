/**
 * TLS by node:tls, with the interface of Deno's listeners and sockets: for what Deno's own can't do.
 *
 * node:tls pushes what it has read. It is told to pause when more waits here than a connection reads at once.
 */
import type { Server as TcpServer, Socket as TcpSocket } from "node:net";
import type { Server, TLSSocket } from "node:tls";
import { builtinModule } from "../lib/builtin_module.ts";
import type { SocketListener } from "./listener.ts";
import type { Socket } from "./socket.ts";
import type { TlsSettings } from "./tls.ts";

/** With so much unread, nothing more is taken from the peer. */
const UNREAD_MAX_BYTES = 64 * 1024;
/** How long a peer may take to close its side after ours is closed. */
const LINGER_MS = 1000;
/** How long it takes until an address that another process had is tried again. */
const RETRY_MS = 50;

interface Waiting<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

export class NodeTlsListener implements SocketListener {
  readonly addr: Deno.Addr;
  readonly ready: Promise<void>;
  readonly #server: TcpServer;
  /** Agrees on TLS with the clients that `#server` accepts; it does not listen itself. */
  #tls: Server;
  readonly #ready: NodeTlsSocket[] = [];
  /** Connections by the peer's address: node:tls does not say which of them a finished handshake belongs to. */
  readonly #byPeer = new Map<string, NodeTlsSocket>();
  #waiting: Waiting<Socket> | null = null;
  #isClosed = false;

  /** Throws the operating system's error if the address can't be had. */
  constructor(hostname: string, port: number, backlog: number, settings: TlsSettings) {
    // node:tls tells errors of the address only later, when nobody waits for them any more.
    const probe = Deno.listen({ hostname, port });
    this.addr = probe.addr;
    const host = { host: hostname, port: probe.addr.port, backlog, ipv6Only: true };
    probe.close();
    this.#tls = this.#makeServer(settings);
    const { createServer } = builtinModule<typeof import("node:net")>("node:net");
    this.#server = createServer((raw) => this.#connected(raw));
    this.#server.on("error", () => {
      setTimeout(() => {
        if (!this.#isClosed) this.#server.listen(host);
      }, RETRY_MS);
    });
    this.ready = new Promise((resolve) => {
      this.#server.once("listening", resolve);
      this.#server.once("close", resolve);
    });
    this.#server.listen(host);
  }

  /** Uses other settings from the next connection on. */
  renew(settings: TlsSettings): void {
    this.#tls = this.#makeServer(settings);
  }

  accept(): Promise<Socket> {
    const socket = this.#ready.shift();
    if (socket !== undefined) return Promise.resolve(socket);
    if (this.#isClosed) return Promise.reject(new Deno.errors.BadResource("Listener is closed"));
    return new Promise((resolve, reject) => this.#waiting = { resolve, reject });
  }

  close(): void {
    this.#isClosed = true;
    this.#server.close();
    this.#waiting?.reject(new Deno.errors.BadResource("Listener is closed"));
    this.#waiting = null;
    for (const socket of this.#ready) socket.abort();
  }

  #connected(raw: TcpSocket): void {
    const peer = peerOf(raw);
    // It may have gone meanwhile.
    if (raw.remotePort === undefined || this.#isClosed) return void raw.destroy();
    const socket = new NodeTlsSocket(raw);
    this.#byPeer.set(peer, socket);
    raw.once("close", () => {
      this.#byPeer.delete(peer);
      socket.fail(new Deno.errors.UnexpectedEof("The connection was closed"));
    });
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) this.#ready.push(socket);
    else waiting.resolve(socket);
    this.#tls.emit("connection", raw);
  }

  #makeServer(settings: TlsSettings): Server {
    const server = makeServer(settings);
    server.on("secureConnection", (socket) => this.#secured(socket, settings));
    server.on("tlsClientError", (error, socket) => {
      // It does not know its peer any more. Its socket does.
      const { _parent: raw = socket } = socket as TLSSocket & { _parent?: TcpSocket };
      this.#byPeer.get(peerOf(raw))?.fail(error);
    });
    return server;
  }

  #secured(tls: TLSSocket, { clients }: TlsSettings): void {
    const socket = this.#byPeer.get(peerOf(tls));
    if (socket === undefined) return void tls.destroy();
    const hasCertificate = Object.keys(tls.getPeerCertificate() ?? {}).length > 0;
    // The runtime is asked to refuse them itself. This is what counts if it does not.
    const isMissing = clients === "yes" && !hasCertificate;
    const isWrong = clients !== "no" && hasCertificate && !tls.authorized;
    if (!isMissing && !isWrong) return socket.secure(tls);
    const why = isMissing ? "peer sent no certificates" : `${tls.authorizationError}`;
    socket.fail(new Error(`client certificate refused: ${why}`));
    tls.destroy();
  }
}

function makeServer({ certificate, key, clients, authorities, onlyVersion }: TlsSettings): Server {
  const { createServer } = builtinModule<typeof import("node:tls")>("node:tls");
  return createServer({
    cert: certificate,
    key,
    // A peer that has closed its side is still sent the replies to what it has asked.
    allowHalfOpen: true,
    ...clients === "no"
      ? {}
      : { requestCert: true, rejectUnauthorized: clients === "yes", ca: [...authorities] },
    ...onlyVersion === null ? {} : { minVersion: onlyVersion, maxVersion: onlyVersion },
  });
}

function peerOf(socket: TcpSocket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

/** One connection. `handshake` settles when `secure` or `fail` is called. */
class NodeTlsSocket implements Socket {
  readonly remoteAddr: Deno.NetAddr;
  readonly localAddr: Deno.NetAddr;
  readonly #raw: TcpSocket;
  readonly #shaken = Promise.withResolvers<void>();
  #tls: TLSSocket | null = null;
  #chunks: Uint8Array[] = [];
  #unread = 0;
  #reading: Waiting<number | null> & { readonly buffer: Uint8Array } | null = null;
  /** Not undefined when nothing more will be read: null at the peer's end, or an error. */
  #end: Error | null | undefined = undefined;

  constructor(raw: TcpSocket) {
    this.#raw = raw;
    this.remoteAddr = netAddr(raw.remoteAddress, raw.remotePort);
    this.localAddr = netAddr(raw.localAddress, raw.localPort);
    // Nobody may be waiting for it.
    this.#shaken.promise.catch(() => {});
  }

  handshake(): Promise<void> {
    return this.#shaken.promise;
  }

  setNoDelay(isOn: boolean): void {
    this.#raw.setNoDelay(isOn);
  }

  setKeepAlive(isOn: boolean): void {
    this.#raw.setKeepAlive(isOn);
  }

  secure(tls: TLSSocket): void {
    this.#tls = tls;
    tls.on("data", (chunk: Uint8Array) => this.#arrived(chunk));
    tls.on("end", () => this.#over(null));
    tls.on("error", (error) => this.#over(error));
    tls.on("close", () => this.#over(new Deno.errors.Interrupted("The connection was closed")));
    this.#shaken.resolve();
  }

  /** The handshake has failed, or the connection has ended. */
  fail(error: Error): void {
    this.#shaken.reject(error);
    this.#over(error);
  }

  read(buffer: Uint8Array): Promise<number | null> {
    if (this.#unread > 0) return Promise.resolve(this.#take(buffer));
    const end = this.#end;
    if (end === null) return Promise.resolve(null);
    if (end !== undefined) return Promise.reject(end);
    return new Promise((resolve, reject) => this.#reading = { buffer, resolve, reject });
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      const tls = this.#tls;
      if (tls === null || tls.destroyed) {
        return reject(new Deno.errors.BadResource("The connection is closed"));
      }
      tls.write(bytes, (error) => error ? reject(error) : resolve(bytes.length));
    });
  }

  /** Tells the peer that this is the end, and does not wait long for its answer. */
  close(): void {
    if (this.#tls === null) return this.abort();
    this.#tls.end();
    const timer = setTimeout(() => this.abort(), LINGER_MS);
    this.#raw.once("close", () => clearTimeout(timer));
    this.#over(new Deno.errors.Interrupted("The connection was closed"));
  }

  abort(): void {
    this.#tls?.destroy();
    this.#raw.destroy();
    this.fail(new Deno.errors.Interrupted("The connection was closed"));
  }

  #arrived(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#unread += chunk.length;
    const reading = this.#reading;
    if (reading !== null) {
      this.#reading = null;
      reading.resolve(this.#take(reading.buffer));
    }
    if (this.#unread > UNREAD_MAX_BYTES) this.#tls?.pause();
  }

  /** Moves as much as there is room for to `buffer`; returns how much. */
  #take(buffer: Uint8Array): number {
    let count = 0;
    while (this.#chunks.length > 0 && count < buffer.length) {
      const [chunk] = this.#chunks;
      const part = chunk.subarray(0, buffer.length - count);
      buffer.set(part, count);
      count += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    const wasPaused = this.#unread > UNREAD_MAX_BYTES;
    this.#unread -= count;
    if (wasPaused && this.#unread <= UNREAD_MAX_BYTES) this.#tls?.resume();
    return count;
  }

  #over(end: Error | null): void {
    if (this.#end === undefined) this.#end = end;
    const reading = this.#reading;
    if (reading === null) return;
    this.#reading = null;
    if (this.#end === null) reading.resolve(null);
    else reading.reject(this.#end);
  }
}

function netAddr(hostname = "unknown", port = 0): Deno.NetAddr {
  return { transport: "tcp", hostname, port };
}
