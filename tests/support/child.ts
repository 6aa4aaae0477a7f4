/** Respite as a process of its own, which a test may kill. */
import { SERVER_PERMISSIONS } from "../../scripts/run.ts";
import { Wire } from "./live.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

const running = new Set<Child>();

export class Child {
  readonly #process: Deno.ChildProcess;
  readonly #output: Promise<Deno.CommandOutput>;

  private constructor(readonly port: number, process: Deno.ChildProcess) {
    this.#process = process;
    this.#output = process.output();
    running.add(this);
    void this.#output.then(() => running.delete(this));
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Starts a server with `dir` as its directory; it may not listen yet. */
  static spawn(port: number, dir: string, ...directives: string[]): Child {
    const [program, ...args] = commandLine(port, dir, directives);
    const child = new Deno.Command(program, { args, stdout: "piped", stderr: "piped" }).spawn();
    return new Child(port, child);
  }

  /** As `spawn`, with redirections as the shell writes them. */
  static spawnRedirected(
    redirections: string,
    port: number,
    dir: string,
    ...directives: string[]
  ): Child {
    const child = new Deno.Command("sh", {
      args: ["-c", `exec "$@" ${redirections}`, "sh", ...commandLine(port, dir, directives)],
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new Child(port, child);
  }

  /** Kills all that still run: a test that has failed leaves its servers behind. */
  static async killAll(): Promise<void> {
    for (const child of running) await child.stop("SIGKILL");
  }

  /** A connection, as soon as the server has loaded its data; null if it ends instead. */
  async ready(): Promise<Wire | null> {
    let hasEnded = false;
    void this.#output.then(() => (hasEnded = true));
    while (!hasEnded) {
      const wire = await Wire.connect(this.port).catch(() => null);
      if (wire !== null) {
        const reply = await wire.roundTrip("ping").catch(() => "");
        // Another test may have taken the port: then the server that answers is another one, and ours ends.
        const isOurs = async (): Promise<boolean> =>
          (await wire.roundTrip("info server")).includes(`process_id:${this.pid}\r\n`);
        if (reply === "+PONG\r\n" && await isOurs().catch(() => false)) return wire;
        wire.close();
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return null;
  }

  /** As `ready`; throws what it has printed if it ends instead. */
  async started(): Promise<Wire> {
    const wire = await this.ready();
    if (wire === null) throw new Error(`the server has ended: ${(await this.ended()).text}`);
    return wire;
  }

  kill(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch {
      // It has ended.
    }
  }

  /** Ends it; returns what it has printed. */
  async stop(signal: Deno.Signal): Promise<string> {
    this.kill(signal);
    return (await this.ended()).text;
  }

  /** What it has printed, once it has ended by itself. */
  async ended(): Promise<{ code: number; text: string }> {
    const { code, stdout, stderr } = await this.#output;
    const decoder = new TextDecoder();
    return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
  }
}

/** A first directive without dashes is the path of a configuration file. */
function commandLine(port: number, dir: string, directives: readonly string[]): string[] {
  const file = directives.length > 0 && !directives[0].startsWith("-") ? 1 : 0;
  return [
    ...[Deno.execPath(), "run", "--no-prompt", ...SERVER_PERMISSIONS, "--config", CONFIG, MAIN],
    ...directives.slice(0, file),
    ...["--port", `${port}`, "--dir", dir, "--enable-debug-command", "yes"],
    ...directives.slice(file),
  ];
}
