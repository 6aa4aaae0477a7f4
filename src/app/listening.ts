/**
 * Where the server listens: on the addresses of `bind`, at `port`, `tls-port` and the ports of `dialect-port`, and at a Unix socket.
 * CONFIG SET changes `bind`, `port` and `tls-port`, or keeps what there was and says why.
 */
import type { Hub } from "../net/hub.ts";
import { type Endpoint, Listener } from "../net/listener.ts";
import type { TlsSettings } from "../net/tls.ts";
import { DIALECTS } from "../protocol/dialects/dialects.ts";
import { systemText } from "../lib/system_error.ts";
import { assert } from "../lib/assert.ts";
import { binaryOf } from "../config/words.ts";
import { endpointsOf, nameOf } from "./endpoints.ts";
import { readTlsSettings, TlsFailure } from "./tls_settings.ts";

/** The backlog unless `tcp-backlog` is set. */
const BACKLOG = 4_096;

/** Errors of the system where an address does not exist: these make an optional address be left out. */
const UNAVAILABLE = [
  ...["EADDRNOTAVAIL", "EAFNOSUPPORT", "EPFNOSUPPORT"],
  ...["ENOPROTOOPT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT"],
];

const PORT_REFUSED = "Unable to listen on this port. Check server logs.";
const ADDRESSES_REFUSED = "Failed to bind to specified addresses.";
const TLS_REFUSED = "Unable to update TLS configuration";

/** Directives of which a change brings other certificates, or other demands on clients. */
const TLS_DIRECTIVES = [
  ...["tls-cert-file", "tls-key-file", "tls-key-file-pass", "tls-ca-cert-file", "tls-ca-cert-dir"],
  ...["tls-auth-clients", "tls-protocols"],
];

export class Listening {
  readonly listeners: Listener[] = [];
  readonly #hub: Hub;
  /** Null while there is no `tls-port`. */
  #tls: TlsSettings | null = null;

  constructor(hub: Hub) {
    this.#hub = hub;
    const { parameters } = hub.engine;
    parameters.onChange("port", () => this.#listenAgain(PORT_REFUSED));
    parameters.onChange("tls-port", () => this.#listenAgain(PORT_REFUSED));
    parameters.onChange("bind", () => this.#listenAgain(ADDRESSES_REFUSED));
    const changed = (): string | null => this.#tlsChanged();
    for (const name of TLS_DIRECTIVES) parameters.onChange(name, changed);
  }

  /** Reads the files of the tls-* directives. Throws an error whose text is for the log. */
  loadTls(): void {
    const { values } = this.#hub.engine.parameters;
    this.#tls = values.tlsPort === 0 ? null : readTlsSettings(values);
  }

  /** Listens on the addresses of `bind` at `port`, or at `tls-port`; returns why one can't be had, or null. */
  openPort(directive: "port" | "tls-port"): string | null {
    return this.open(this.#endpoints(directive));
  }

  /** Listens on the endpoints; returns why one can't be had, or null. Optional ones need not exist on this machine. */
  open(endpoints: readonly (Endpoint & { isOptional?: boolean })[]): string | null {
    let count = 0;
    for (const endpoint of endpoints) {
      try {
        this.listeners.push(new Listener(endpoint, this.#backlog(), this.#hub));
        count++;
      } catch (error) {
        const isTolerated = endpoint.isOptional === true && isUnavailable(error);
        if (!isTolerated) return describe(endpoint, error);
        this.#hub.engine.log.verbose(describe(endpoint, error));
      }
    }
    if (count > 0 || endpoints.length === 0) return null;
    return "Could not listen on any of the configured addresses";
  }

  /** Listens on the ports of `dialect-port`; returns why one can't be had, or null. */
  openDialects(): string | null {
    return this.open(this.#dialectEndpoints());
  }

  start(): void {
    for (const listener of this.listeners) void listener.run();
  }

  close(): void {
    for (const listener of this.listeners) listener.close();
  }

  /** Resolves when all connections that were accepted have ended. */
  async drained(): Promise<void> {
    await Promise.all(this.listeners.map((listener) => listener.drained()));
  }

  #endpoints(directive: "port" | "tls-port"): (Endpoint & { isOptional?: boolean })[] {
    const { bind, port, tlsPort } = this.#hub.engine.parameters.values;
    if (directive === "port") return endpointsOf(bind, port);
    const settings = (): TlsSettings => {
      assert(this.#tls !== null, "the settings are there before anything listens");
      return this.#tls;
    };
    return endpointsOf(bind, tlsPort).map((endpoint) => ({ ...endpoint, tls: settings }));
  }

  #dialectEndpoints(): (Endpoint & { isOptional?: boolean })[] {
    const { bind, dialectPort } = this.#hub.engine.parameters.values;
    return dialectPort.matchAll(/(\S+) (\d+) (\d+)/g).toArray().flatMap(([, name, port, bytes]) => {
      const dialect = DIALECTS.find((one) => one.name === name);
      assert(dialect !== undefined, "the configuration knows the names of dialects");
      const maxMessage = Number(bytes) === 0 ? dialect.maxMessage : Number(bytes);
      return endpointsOf(bind, Number(port)).map((endpoint) => ({
        ...endpoint,
        dialect: { dialect, maxMessage },
      }));
    });
  }

  /** Connections that may wait to be accepted. */
  #backlog(): number {
    const { parameters } = this.#hub.engine;
    // Redis's default of 511 stalls a burst of 1,000 connections for a second.
    return parameters.isDefault("tcp-backlog") ? BACKLOG : parameters.values.tcpBacklog;
  }

  /** Takes over the files and demands in force. If they are no good, keeps what there was and says why. */
  #tlsChanged(): string | null {
    const before = this.#tls;
    const refusal = this.#tryLoadingTls();
    if (refusal !== null) return refusal;
    if (this.#tls === null || JSON.stringify(this.#tls) === JSON.stringify(before)) return null;
    this.#hub.holdReplies(Promise.all(this.listeners.map((listener) => listener.renew())));
    return null;
  }

  #tryLoadingTls(): string | null {
    try {
      this.loadTls();
      return null;
    } catch (error) {
      if (!(error instanceof TlsFailure)) throw error;
      this.#hub.engine.log.warning(error.message);
      const why = error.isUnsupported ? `: ${binaryOf(error.message)}` : ". Check server logs.";
      return TLS_REFUSED + why;
    }
  }

  /** Listens on the ports and addresses in force instead of the old ones; if it can't, keeps those and returns `refusal`. */
  #listenAgain(refusal: string): string | null {
    const { values } = this.#hub.engine.parameters;
    if (values.tlsPort !== 0 && this.#tls === null) {
      const unusable = this.#tryLoadingTls();
      if (unusable !== null) return unusable;
    }
    const old = this.listeners.filter((listener) => "hostname" in listener.endpoint);
    const known = old.map((listener) => identityOf(listener.endpoint));
    const wanted = [
      ...this.#endpoints("port"),
      ...this.#endpoints("tls-port"),
      ...this.#dialectEndpoints(),
    ];
    const missing = wanted.filter((endpoint) => !known.includes(identityOf(endpoint)));
    // The new addresses are opened first: if one fails, the old ones are still open.
    const count = this.listeners.length;
    const error = this.open(missing);
    const fresh = this.listeners.slice(count);
    if (error !== null) {
      for (const listener of fresh) listener.close();
      this.listeners.length = count;
      this.#hub.engine.log.warning(error);
      return refusal;
    }
    const asked = wanted.map(identityOf);
    const gone = old.filter((listener) => !asked.includes(identityOf(listener.endpoint)));
    for (const listener of gone) listener.close();
    for (const listener of fresh) void listener.run();
    this.listeners.splice(0, Infinity, ...this.listeners.filter((one) => !gone.includes(one)));
    if (values.tlsPort === 0) this.#tls = null;
    const settled = [...fresh.map(({ ready }) => ready), ...gone.map(({ ended }) => ended)];
    this.#hub.holdReplies(Promise.all(settled));
    return null;
  }
}

/** Equal for what one listener serves. */
function identityOf(endpoint: Endpoint): string {
  return "tls" in endpoint ? `tls ${nameOf(endpoint)}` : nameOf(endpoint);
}

/** The machine has no such address, or knows no addresses of this kind. Another server at the address is something else. */
function isUnavailable(error: unknown): boolean {
  return error instanceof Error && "code" in error && UNAVAILABLE.includes(String(error.code));
}

/** An error's text, as redis-server writes it. */
function describe(endpoint: Endpoint, error: unknown): string {
  const why = systemText(error);
  if ("path" in endpoint) return `Failed opening Unix socket ${endpoint.path}: bind: ${why}`;
  return `Warning: Could not create server TCP listening socket ${nameOf(endpoint)}: bind: ${why}`;
}
