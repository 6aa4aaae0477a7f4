/** Where the server is: host and port, a socket's path, or a redis:// URI. */

export interface TlsSettings {
  /** Files whose certificates are trusted besides the system's. */
  readonly authorities: readonly string[];
  /** The client's own certificate and its key; "" without one. */
  readonly certificate: string;
  readonly key: string;
  /** The name that the server is asked to show a certificate for; "" is the host. */
  readonly serverName: string;
}

export interface Address {
  readonly host: string;
  readonly port: number;
  /** A Unix socket, instead of host and port; "" if it is none. */
  readonly path: string;
  readonly tls: TlsSettings | null;
}

/** "127.0.0.1:6379", "[::1]:6379" or "/run/redis.sock". */
export function addressText({ host, port, path }: Address): string {
  if (path !== "") return path;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether the server is on this machine, as far as its name tells. */
export function isLocal({ host, path }: Address): boolean {
  return path !== "" || host === "localhost" || host === "::1" || /^127\./.test(host);
}

/** What a URI says; what it does not say is absent. */
export interface UriParts {
  readonly isTls: boolean;
  readonly user?: string;
  readonly password?: string;
  readonly host?: string;
  readonly port?: number;
  readonly db?: number;
}

/**
 * Reads redis://[[user:]password@][host][:port][/db]. Returns what is wrong as a text.
 *
 * A name before "@" without a colon is the password, as in redis-cli.
 */
export function parseUri(uri: string): UriParts | string {
  const scheme = /^(redis|rediss):\/\//i.exec(uri);
  if (scheme === null) return "Invalid URI scheme";
  const [before, path = ""] = divided(uri.slice(scheme[0].length), uri.lastIndexOf("@"), scheme[0]);
  const at = before.lastIndexOf("@");
  const place = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(before.slice(at + 1));
  if (place === null) return "Invalid URI: host and port are not readable";
  const [, host, port = ""] = place;
  const db = path.replace(/\?.*$/, "");
  const credentials = at < 0 ? null : before.slice(0, at);
  const colon = credentials?.indexOf(":") ?? -1;
  try {
    return {
      isTls: scheme[1].toLowerCase() === "rediss",
      ...credentials === null ? {} : { password: decodeURIComponent(credentials.slice(colon + 1)) },
      ...credentials === null || colon <= 0
        ? {}
        : { user: decodeURIComponent(credentials.slice(0, colon)) },
      ...host === "" ? {} : { host: host.replace(/^\[|\]$/g, "") },
      ...port === "" ? {} : { port: Number(port) },
      ...db === "" ? {} : { db: Number.parseInt(db) || 0 },
    };
  } catch {
    return "Invalid URI: a % is followed by no number";
  }
}

/** Splits at the first "/" behind the credentials, which may have one of their own. */
function divided(rest: string, at: number, scheme: string): string[] {
  const from = Math.max(0, at - scheme.length);
  const slash = rest.indexOf("/", from);
  return slash < 0 ? [rest] : [rest.slice(0, slash), rest.slice(slash + 1)];
}
