/**
 * Listening for TLS. Deno's own listener serves most servers, since node:tls costs twice as much (docs/MEASUREMENTS.md). Only what
 * Deno's can't do is left to node:tls: certificates of clients, and one version of the protocol alone.
 */
import { NodeTlsListener } from "./node_tls.ts";
import type { SocketListener } from "./listener.ts";

/** How clients are spoken to. Certificates and keys are texts in PEM. */
export interface TlsSettings {
  /** The server's certificate, and those between it and the authority that clients know. */
  readonly certificate: string;
  readonly key: string;
  /** Whether clients show certificates. */
  readonly clients: "no" | "optional" | "yes";
  /** Certificates of those who may have signed the certificates of clients. */
  readonly authorities: readonly string[];
  /** The one version of the protocol; null for 1.2 and 1.3. */
  readonly onlyVersion: "TLSv1.2" | "TLSv1.3" | null;
}

/** `isWary`: clients have shown that they can't be trusted to go, and Deno's own sockets could not be closed. */
export function listenTls(
  hostname: string,
  port: number,
  backlog: number,
  settings: TlsSettings,
  isWary: boolean,
): SocketListener {
  if (needsNode(settings) || isWary) return new NodeTlsListener(hostname, port, backlog, settings);
  return listenByDeno(hostname, port, backlog, settings);
}

/** Throws an error if certificate and key don't fit together, or are none. */
export function tryCertificate(settings: TlsSettings): void {
  listenByDeno("127.0.0.1", 0, 1, settings).close();
}

/** Whether Deno's own listener can't do this. */
export function needsNode({ clients, onlyVersion }: TlsSettings): boolean {
  return clients !== "no" || onlyVersion !== null;
}

/**
 * Whether node:tls does what it is told: before Deno 2.9 it asks clients for no certificates, without a word, and lets
 * everybody in.
 */
export function isNodeTlsSound(version = Deno.version.deno): boolean {
  const [major, minor] = version.split(".").map(Number);
  return major > 2 || (major === 2 && minor >= 9);
}

function listenByDeno(
  hostname: string,
  port: number,
  backlog: number,
  { certificate, key }: TlsSettings,
): Deno.TlsListener {
  return Deno.listenTls({ hostname, port, cert: certificate, key, tcpBacklog: backlog });
}
