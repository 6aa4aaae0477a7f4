/**
 * From arguments to a running server: configuration, log, addresses, banner; and what only the app can
 * know of the process.
 */
import { commandTable } from "../commands/table.ts";
import {
  applyDirectives,
  binaryOf,
  environmentName,
  parseCommandLine,
  parseConf,
  parseEnvironment,
  type PlacedDirective,
  rewriteConf,
  unicodeOf,
  withIncludes,
} from "../config/conf_file.ts";
import { Parameters } from "../config/parameters.ts";
import type { CommandTable } from "../engine/command.ts";
import type { Host } from "../engine/engine.ts";
import { Log } from "../observe/log.ts";
import { binaryBytes, binaryText } from "../protocol/args.ts";
import { endpointsOf } from "./endpoints.ts";
import { write, writeQuietly } from "./output.ts";
import { Server } from "./server.ts";
import { Shutdown } from "./shutdown.ts";
import { REDIS_VERSION, RESPITE_VERSION } from "./version.ts";

/** Starts a server as the arguments say. Ends the process with 1 if it can't. */
export function startServer(argv: readonly string[]): Server {
  const parameters = new Parameters();
  const commands = commandTable();
  const configFile = readConfiguration(argv, parameters, commands);
  const dangers = parameters.dangers();
  if (dangers.length > 0) fail(`Can't start with\n${dangers.join("\n")}`);
  const { values } = parameters;
  const log = new Log(Deno.pid, logSink(unicodeOf(values.logfile)));
  enterDirectory(unicodeOf(values.dir));
  values.dir = binaryOf(Deno.cwd());
  const host = new ProcessHost(parameters, configFile);
  const server = new Server({ parameters, log, host, commands });
  host.shutdownOf = new Shutdown(server);
  listen(server, log);
  if (writePidFile(unicodeOf(values.pidfile), log)) host.shutdownOf.removesPidFile = true;
  announce(server, log);
  server.start();
  host.shutdownOf.listenToSignals();
  void load(server, log);
  return server;
}

/** Loads the saved data; meanwhile clients are answered -LOADING. */
async function load(server: Server, log: Log): Promise<void> {
  try {
    await server.persistence.start();
    log.notice("Ready to accept connections");
  } catch (error) {
    log.warning(`Fatal error loading the data: ${reasonOf(error)}`);
    fail(reasonOf(error));
  }
}

/** Reads file, standard input, environment and command line, later ones winning; returns the path. */
function readConfiguration(
  argv: readonly string[],
  parameters: Parameters,
  commands: CommandTable,
): string {
  try {
    const commandLine = parseCommandLine(argv);
    const { file, stdin } = commandLine;
    let path = "";
    const directives: PlacedDirective[] = [];
    if (file !== null) {
      directives.push(...parseConf(readBinary(file), file, readIncluded));
      path = Deno.realPathSync(file);
    }
    if (stdin) directives.push(...parseConf(readStandardInput(), "standard input", readIncluded));
    directives.push(...parseEnvironment(environment(parameters)));
    directives.push(...withIncludes(commandLine.directives, readIncluded));
    applyDirectives(parameters, directives, {
      "rename-command": ([name, other, ...more]) =>
        other === undefined || more.length > 0
          ? "Bad directive or wrong number of arguments"
          : commands.rename(name, other),
    });
    return path;
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
}

/** The RESPITE_… variables that name a parameter; none where the environment may not be read. */
function environment(parameters: Parameters): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of parameters.names()) {
    const variable = environmentName(name);
    const value = allowed(() => Deno.env.get(variable), undefined);
    if (value !== undefined) found[variable] = value;
  }
  return found;
}

/** What `ask` returns, or `otherwise` where the permission or the platform's support is missing. */
function allowed<T>(ask: () => T, otherwise: T): T {
  try {
    return ask();
  } catch {
    return otherwise;
  }
}

/** Configuration is text of bytes (Latin-1): what isn't UTF-8 survives, too. */
function readBinary(path: string): string {
  try {
    const bytes = Deno.readFileSync(path);
    return binaryText(bytes, 0, bytes.length);
  } catch (error) {
    throw new Error(`Fatal error, can't open config file '${path}': ${reasonOf(error)}`);
  }
}

function readIncluded(path: string): string {
  return readBinary(unicodeOf(path));
}

function readStandardInput(): string {
  const parts: number[] = [];
  const buffer = new Uint8Array(4096);
  for (;;) {
    const count = Deno.stdin.readSync(buffer);
    if (count === null) return binaryText(Uint8Array.from(parts), 0, parts.length);
    for (let i = 0; i < count; i++) parts.push(buffer[i]);
  }
}

function logSink(path: string): (line: string) => void {
  if (path === "") return (line) => write(Deno.stdout, line);
  try {
    const file = Deno.openSync(path, { append: true, create: true });
    return (line) => write(file, line);
  } catch (error) {
    fail(`Can't open the log file ${path}: ${reasonOf(error)}`);
  }
}

function enterDirectory(dir: string): void {
  try {
    if (dir !== ".") Deno.chdir(dir);
  } catch (error) {
    fail(`Can't chdir to '${dir}': ${reasonOf(error)}`);
  }
}

function listen(server: Server, log: Log): void {
  const { values } = server.engine.parameters;
  const error = server.listenOn(endpointsOf(values.bind, values.port));
  if (error !== null) fail(error);
  if (values.unixsocket !== "") {
    const mode = values.unixsocketperm === "0" ? null : parseInt(values.unixsocketperm, 8);
    const failed = server.listenOn([{ path: unicodeOf(values.unixsocket), mode }]);
    if (failed !== null) fail(failed);
    log.notice(`The server is listening at ${values.unixsocket}`);
  }
}

/** Returns whether the file is there, and ours to remove. */
function writePidFile(path: string, log: Log): boolean {
  if (path === "") return false;
  try {
    Deno.writeTextFileSync(path, `${Deno.pid}\n`);
    return true;
  } catch (error) {
    log.warning(`Can't write the pid file ${path}: ${reasonOf(error)}`);
    return false;
  }
}

function announce(server: Server, log: Log): void {
  const { values } = server.engine.parameters;
  const ports = server.listeners.map((listener) => listener.port).filter((port) => port > 0);
  const port = values.port === 0 ? 0 : ports[0];
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

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function fail(message: string): never {
  writeQuietly(Deno.stderr, `${message}\n`);
  Deno.exit(1);
}

/** What of Node's process is used: µs. */
interface NodeProcess {
  cpuUsage(): { user: number; system: number };
}

/** What the commands may know of this process. */
class ProcessHost implements Host {
  readonly pid = Deno.pid;
  readonly runId = randomHex(40);
  readonly executable = Deno.execPath();
  readonly version = REDIS_VERSION;
  readonly os = Deno.build.os;
  readonly architecture = Deno.build.arch;
  shutdownOf: Shutdown | null = null;

  constructor(readonly parameters: Parameters, readonly configFile: string) {}

  residentBytes(): number {
    return Deno.memoryUsage().rss;
  }

  systemBytes(): number {
    return allowed(() => Deno.systemMemoryInfo().total, 0);
  }

  cpuSeconds(): { user: number; system: number } | null {
    // Importing node:process takes 9 MB of memory. The global is loaded only when it is first read.
    const { process } = globalThis as { process?: NodeProcess };
    if (process === undefined) return null;
    const { user, system } = process.cpuUsage();
    return { user: user / 1e6, system: system / 1e6 };
  }

  enterDirectory(path: string): string {
    Deno.chdir(path);
    return Deno.cwd();
  }

  rewriteConfig(withDefaults: boolean): string | null {
    if (this.configFile === "") return "The server is running without a config file";
    try {
      const old = readBinary(this.configFile);
      const text = rewriteConf(old, this.parameters, { all: withDefaults });
      const temporary = `${this.configFile}.${Deno.pid}.tmp`;
      Deno.writeFileSync(temporary, binaryBytes(text));
      Deno.renameSync(temporary, this.configFile);
      return null;
    } catch (error) {
      return `Rewriting config file: ${reasonOf(error)}`;
    }
  }

  shutdown({ now, force, save }: { now: boolean; force: boolean; save: boolean | null }): boolean {
    return this.shutdownOf?.begin(now ? "SHUTDOWN NOW" : "SHUTDOWN", save, force) ?? false;
  }

  /** Nothing makes a shutdown wait, so there never is one to undo. */
  abortShutdown(): boolean {
    return false;
  }
}

function randomHex(digits: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(digits / 2));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
