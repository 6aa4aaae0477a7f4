/** Servers that are measured side by side: each is pinned to core 0, and asked from core 1. */
import { SERVER_PERMISSIONS, serverV8Flags } from "./run.ts";

const SERVER_CORE = "0";
export const CLIENT_CORE = "1";
const START_TRIES = 200;
const START_PAUSE_MS = 50;

/** A server under measurement. */
export interface Peer {
  readonly name: string;
  readonly port: number;
  /** Where it speaks TLS, if it was told to. */
  readonly tlsPort: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts our server from the checkout in `dir`; with `tls`, directives for it, it speaks TLS, too. */
export function startCheckout(
  name: string,
  dir: string,
  tls: readonly string[] = [],
): Promise<Peer> {
  const flags = ["--no-prompt", serverV8Flags(dir), "--no-code-cache", ...SERVER_PERMISSIONS];
  const main = ["--config", `${dir}/deno.json`, `${dir}/main.ts`];
  return startPeer(name, (port) => {
    return [Deno.execPath(), "run", ...flags, ...main, "--port", `${port}`, "--save", ""];
  }, tls);
}

/** Starts a redis-server, which speaks TLS as well if `tls` are directives for it. */
export function startRedisServer(path: string, tls: readonly string[] = []): Promise<Peer> {
  return startPeer("redis", (port) => [path, "--port", `${port}`, "--save", ""], tls);
}

/** Starts a server on the servers' core, and waits until it accepts connections. */
async function startPeer(
  name: string,
  words: (port: number) => string[],
  tls: readonly string[],
): Promise<Peer> {
  const port = freePort();
  const tlsPort = freePort();
  const more = tls.length === 0 ? [] : ["--tls-port", `${tlsPort}`, ...tls];
  const child = pinned(SERVER_CORE, [...words(port), ...more], "null").spawn();
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await child.status;
  };
  for (let tries = 0; tries < START_TRIES; tries++) {
    if (await isListening(port)) return { name, port, tlsPort, pid: child.pid, stop };
    await new Promise((resolve) => setTimeout(resolve, START_PAUSE_MS));
  }
  await stop();
  throw new Error(`${name} could not be started`);
}

function pinned(core: string, words: readonly string[], stdout: "piped" | "null"): Deno.Command {
  // taskset becomes the program: the pid is the server's.
  return new Deno.Command("taskset", { args: ["-c", core, ...words], stdout, stderr: "inherit" });
}

/** What a program writes that runs on the clients' core. */
export async function outputOf(words: readonly string[]): Promise<string> {
  const { code, stdout } = await pinned(CLIENT_CORE, words, "piped").output();
  if (code !== 0) throw new Error(`${words[0]} ended with ${code}`);
  return new TextDecoder().decode(stdout);
}

/** Time that the threads of a server have been on a processor. */
export async function cpuNs(peer: Peer): Promise<number> {
  // Deno lets a script read /proc only with all permissions; `cat` does not need them.
  const text = await outputOf(["sh", "-c", `cat /proc/${peer.pid}/task/*/schedstat`]);
  const lines = text.trim().split("\n");
  return lines.reduce((sum, line) => sum + Number(line.split(" ")[0]), 0);
}

/** Resident memory of a server. */
export async function residentBytes(peer: Peer): Promise<number> {
  return Number(await outputOf(["ps", "-o", "rss=", "-p", `${peer.pid}`])) * 1024;
}

/** The middle one of some figures, which it sorts. */
export function median(figures: number[]): number {
  return figures.sort((a, b) => a - b)[figures.length >> 1];
}

async function isListening(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
