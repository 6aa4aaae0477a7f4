/** Which addresses `bind` and `port` mean. */
import type { Endpoint } from "../net/listener.ts";

/** The addresses of `bind`: "*" and "-::*" mean all; "-" before one lets it fail. */
export function endpointsOf(bind: string, port: number): (Endpoint & { isOptional?: boolean })[] {
  if (port === 0) return [];
  return bind.split(" ").filter((word) => word !== "").map((word) => {
    const isOptional = word.startsWith("-");
    const address = isOptional ? word.slice(1) : word;
    const hostname = address === "*" ? "0.0.0.0" : address === "::*" ? "::" : address;
    return { hostname, port, isOptional: isOptional || hostname.includes(":") };
  });
}

/** "127.0.0.1:6379" or a path: equal for equal endpoints. */
export function nameOf(endpoint: Endpoint): string {
  return "path" in endpoint ? endpoint.path : `${endpoint.hostname}:${endpoint.port}`;
}
