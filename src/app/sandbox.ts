/**
 * What this process may touch. It starts with permission for all files (`--allow-read=/ --allow-write=/`), since only its
 * configuration says which ones it needs. Once that is read, `confine` keeps those and gives up the rest.
 *
 * The runtime asks nobody (`--no-prompt`): what has been given up can't be had back, by no code in this process.
 * docs/SECURITY.md says what that holds, and what it doesn't.
 */
import type { Parameters } from "../config/parameters.ts";
import { unicodeOf } from "../config/words.ts";
import { temporaryOf } from "../persistence/files.ts";
import { isStream } from "./log_sink.ts";

/** The permission that is given up: that of all files. */
const ROOT = "/";
const ROOT_REGEXP = /^(?:[a-z]:)?[/\\]$/i;

/**
 * Gives up the permission for all files but those that the configuration names, and that to import code from other
 * hosts. Returns what keeps that from holding, or null.
 */
export function confine(parameters: Parameters, configFile: string): string | null {
  Deno.permissions.revokeSync({ name: "import" });
  const dir = unicodeOf(parameters.values.dir);
  if (ROOT_REGEXP.test(dir)) return `dir is ${dir}: the server may use all files`;
  const written = [dir, ...writtenFiles(parameters, configFile)];
  keepOnly("read", [...written, ...readFiles(parameters)]);
  keepOnly("write", written);
  if (!mayUseAll("read") && !mayUseAll("write")) return null;
  return "The server may use all files, as it was started with permissions that can't be given up in part " +
    "(-A, --allow-read, --allow-write): `deno task start` has others";
}

/** What is written, renamed or removed besides the files in `dir`. */
function writtenFiles({ values }: Parameters, configFile: string): string[] {
  const logfile = isStream(unicodeOf(values.logfile)) ? "" : values.logfile;
  const replaced = [configFile, unicodeOf(values.aclfile)].filter((path) => path !== "");
  return [
    ...[logfile, values.pidfile, values.unixsocket].filter((path) => path !== "").map(unicodeOf),
    ...replaced,
    ...replaced.map(temporaryOf),
  ];
}

/** What is read only. The files that the executable contains have paths, too, which begin as that of main.ts. */
function readFiles({ values }: Parameters): (string | URL)[] {
  const contained = Deno.build.standalone ? [new URL(".", Deno.mainModule)] : [];
  const files = [
    ...[values.tlsCertFile, values.tlsKeyFile, values.tlsClientCertFile, values.tlsClientKeyFile],
    ...[values.tlsCaCertFile, values.tlsCaCertDir, values.tlsDhParamsFile],
  ];
  return [...contained, ...files.filter((path) => path !== "").map(unicodeOf)];
}

/**
 * Of the permission for all files, keeps the part that concerns `paths`. A request for what is granted already becomes a grant of its
 * own, which stays when the one for all files is revoked.
 */
function keepOnly(name: "read" | "write", paths: readonly (string | URL)[]): void {
  for (const path of paths) {
    // A request for anything else could ask whoever sits at the terminal.
    const { state } = Deno.permissions.querySync({ name, path });
    if (state === "granted") Deno.permissions.requestSync({ name, path });
  }
  Deno.permissions.revokeSync({ name, path: ROOT });
}

function mayUseAll(name: "read" | "write"): boolean {
  return Deno.permissions.querySync({ name, path: ROOT }).state === "granted";
}
