/**
 * From arguments to a running server: configuration, log, addresses, banner; and what only the app can
 * know of the process.
 */
import { commandTable } from "../commands/table.ts";
import { rewriteConf, unicodeOf } from "../config/conf_file.ts";
import { Parameters } from "../config/parameters.ts";
import type { Acl } from "../engine/acl.ts";
import type { Host } from "../engine/engine.ts";
import { Log } from "../observe/log.ts";
import { failureText, systemText } from "../lib/system_error.ts";
import { modeOf, writeFileWhole } from "../persistence/files.ts";
import { binaryBytes } from "../protocol/args.ts";
import { BasicHost, NO_CONFIG_FILE } from "./basic_host.ts";
import {
  changeDirectory,
  type Configuration,
  readBinary,
  readConfiguration,
} from "./configuration.ts";
import { isStream } from "./log_sink.ts";
import { writeQuietly } from "./output.ts";
import { confine } from "./sandbox.ts";
import { Server } from "./server.ts";
import { Shutdown } from "./shutdown.ts";
import { REDIS_VERSION, RESPITE_VERSION } from "./version.ts";

const CONFIG_MODE = 0o600;

/** The process has given up its permission for other directories (sandbox.ts). */
const DIRECTORY_REFUSED =
  "A running server may use only the dir that it was started with, and those in it: restart it with this dir";

/**
 * Starts a server as the arguments say. Ends the process with 1 if it can't. `subcommands` are what the executable can do
 * besides; a first word that is like one of them was meant to be it.
 */
export function startServer(argv: readonly string[], subcommands: readonly string[]): Server {
  const parameters = new Parameters();
  const commands = commandTable();
  const { file, sink, warnings, users } = configure(() =>
    readConfiguration(argv, parameters, commands, subcommands)
  );
  const log = new Log(Deno.pid, sink);
  const host = new ProcessHost(parameters, file);
  const open = confine(parameters, file);
  const server = new Server({ parameters, log, host, commands });
  host.shutdownOf = new Shutdown(server);
  host.acl = server.engine.acl;
  for (const warning of warnings) log.warning(warning);
  if (open !== null) log.warning(open);
  loadUsers(server, users);
  listen(server);
  lockDirectory(server);
  if (writePidFile(unicodeOf(parameters.values.pidfile), log)) {
    host.shutdownOf.removesPidFile = true;
  }
  announce(server, log);
  server.start();
  host.shutdownOf.listenToSignals();
  void load(server);
  return server;
}

/** Ends the process if the users' rights can't be had: nobody may have more of them than was meant. */
function loadUsers(server: Server, users: ReadonlyMap<string, readonly string[]>): void {
  const { acl, log, parameters: { values } } = server.engine;
  if (values.aclfile !== "") {
    if (users.size > 0) abort(server, TWO_SOURCES);
    const error = acl.load();
    if (error !== null) abort(server, `Aborting startup because of ACL errors: ${error}`);
  } else {
    const error = acl.configure(users);
    if (error !== null) abort(server, error, "Critical error while loading ACLs. Exiting.");
  }
  if (values.requirepass !== "" && acl.defaultUser.needsNoPassword) {
    log.warning(
      "requirepass has no effect: the default user's own rules say that it needs no password",
    );
  }
}

const TWO_SOURCES = "Configuring users in the configuration file and an ACL file at the same " +
  "time is invalid: it leads to errors and security holes. Define users either in the ACL file " +
  "or in the configuration file";

/** Loads the saved data; meanwhile clients are answered -LOADING. */
async function load(server: Server): Promise<void> {
  try {
    await server.persistence.start();
    server.engine.log.notice("Ready to accept connections");
  } catch (error) {
    abort(server, `Fatal error loading the data: ${failureText(error)}`);
  }
}

/** Before the log is there, errors are written to standard error. */
function configure(read: () => Configuration): Configuration {
  try {
    return read();
  } catch (error) {
    writeQuietly(Deno.stderr, `${failureText(error)}\n`);
    Deno.exit(1);
  }
}

/** Ends the process: the server can't start. Whoever started it is told, also where the log is a file. */
function abort(server: Server, ...lines: string[]): never {
  const { log, parameters } = server.engine;
  const isSeen = isStream(unicodeOf(parameters.values.logfile)) && log.level !== "nothing";
  for (const line of lines) {
    log.warning(line);
    if (!isSeen) writeQuietly(Deno.stderr, `${line}\n`);
  }
  server.persistence.close();
  Deno.exit(1);
}

function listen(server: Server): void {
  const { listening } = server;
  const { values } = server.engine.parameters;
  const { port, tlsPort, unixsocket } = values;
  try {
    listening.loadTls();
  } catch (error) {
    abort(server, failureText(error), "Failed to configure TLS. Check logs for more info.");
  }
  const error = listening.openPort("port");
  if (error !== null) abort(server, error, `Failed listening on port ${port} (tcp), aborting.`);
  const tlsError = listening.openPort("tls-port");
  if (tlsError !== null) {
    abort(server, tlsError, `Failed listening on port ${tlsPort} (tls), aborting.`);
  }
  const dialectError = listening.openDialects();
  if (dialectError !== null) {
    abort(server, dialectError, "Failed listening on a port of dialect-port, aborting.");
  }
  if (unixsocket !== "") {
    const mode = values.unixsocketperm === "0" ? null : parseInt(values.unixsocketperm, 8);
    const failed = listening.open([{ path: unicodeOf(unixsocket), mode }]);
    if (failed !== null) abort(server, failed);
    server.engine.log.notice(`The server is listening at ${unixsocket}`);
  }
  if (listening.listeners.length === 0) {
    abort(server, "Configured to not listen anywhere, exiting.");
  }
}

function lockDirectory(server: Server): void {
  try {
    server.persistence.lockDirectory();
  } catch (error) {
    abort(server, failureText(error));
  }
}

/** Returns whether the file is there, and ours to remove. */
function writePidFile(path: string, log: Log): boolean {
  if (path === "") return false;
  try {
    Deno.writeTextFileSync(path, `${Deno.pid}\n`);
    return true;
  } catch (error) {
    log.warning(`Can't write the pid file ${path}: ${systemText(error)}`);
    return false;
  }
}

function announce(server: Server, log: Log): void {
  const { values } = server.engine.parameters;
  const port = values.port === 0 ? values.tlsPort : values.port;
  log.notice(`Respite ${RESPITE_VERSION} (Redis ${REDIS_VERSION} compatible) is starting`);
  const banner = [
    "",
    "      ___",
    "     / _ \\ ___ ___ ___  (_) /____     Respite " + RESPITE_VERSION,
    "    / , _/ -_|_-</ _ \\/ / __/ -_)    Running in standalone mode",
    `   /_/|_|\\__/___/ .__/_/\\__/\\__/     Port: ${port}`,
    `               /_/                    PID: ${Deno.pid}`,
    "",
    "",
  ].join("\n");
  log.banner(banner);
  const lacks = server.engine.parameters.lacks();
  if (lacks !== null) log.warning(lacks);
  // Redis's own tests wait for this line.
  log.notice("Server initialized");
}

/** What of Node's process is used: µs. */
interface NodeProcess {
  cpuUsage(): { user: number; system: number };
}

/** What the commands may know of this process. */
class ProcessHost extends BasicHost implements Host {
  readonly executable = Deno.execPath();
  shutdownOf: Shutdown | null = null;
  acl: Acl | null = null;

  constructor(readonly parameters: Parameters, readonly configFile: string) {
    super();
  }

  systemBytes(): number {
    try {
      return Deno.systemMemoryInfo().total;
    } catch {
      // The permission is missing, or the platform's support.
      return 0;
    }
  }

  cpuSeconds(): { user: number; system: number } | null {
    // Importing node:process takes 9 MB of memory. The global is loaded only when it is first read.
    const { process } = globalThis as { process?: NodeProcess };
    if (process === undefined) return null;
    const { user, system } = process.cpuUsage();
    return { user: user / 1e6, system: system / 1e6 };
  }

  enterDirectory(path: string): string {
    try {
      return changeDirectory(path);
    } catch (error) {
      throw error instanceof Deno.errors.NotCapable ? new Error(DIRECTORY_REFUSED) : error;
    }
  }

  rewriteConfig(withDefaults: boolean): string | null {
    if (this.configFile === "") return NO_CONFIG_FILE;
    try {
      const old = readBinary(this.configFile);
      const text = rewriteConf(old, this.parameters, {
        all: withDefaults,
        others: { user: this.acl?.configurationLines ?? [] },
      });
      // It may hold a password: only those may read it afterwards who could do so before.
      writeFileWhole(this.configFile, binaryBytes(text), modeOf(this.configFile, CONFIG_MODE));
      return null;
    } catch (error) {
      return `Rewriting config file: ${systemText(error)}`;
    }
  }

  shutdown({ now, force, save }: { now: boolean; force: boolean; save: boolean | null }): boolean {
    return this.shutdownOf?.begin(now ? "SHUTDOWN NOW" : "SHUTDOWN", save, force) ?? false;
  }
}
