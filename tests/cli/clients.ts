/** Runs our client in this process, and redis-cli as a child, with the same arguments and the same standard input. */
import { clientCommand } from "../../src/cli/client/main.ts";
import type { Surroundings } from "../../src/cli/client/surroundings.ts";

export interface Ended {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** What a run may have besides arguments. */
export interface Given {
  /** Standard input. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The redis-cli of the tests: RESPITE_REDIS_CLI, or the one that is installed. */
const REDIS_CLI = Deno.env.get("RESPITE_REDIS_CLI") ?? "redis-cli";

/** The version of redis-cli, "7.2.6"; "" if there is none. */
export const REDIS_CLI_VERSION = await versionOf(REDIS_CLI);

/** A child that does not end by itself is ended: it is waiting for something that will not come. */
const TIMEOUT_MS = 10_000;

async function versionOf(program: string): Promise<string> {
  try {
    const { stdout } = await new Deno.Command(program, { args: ["--version"] }).output();
    return /[\d.]+/.exec(textOf(stdout))?.[0] ?? "";
  } catch {
    return "";
  }
}

export async function runOurs(args: readonly string[], given: Given = {}): Promise<Ended> {
  let rest = new TextEncoder().encode(given.input ?? "");
  const written = { output: "", errors: "" };
  const writer = (name: "output" | "errors") => ({
    writeSync(bytes: Uint8Array): number {
      written[name] += textOf(bytes);
      return bytes.length;
    },
  });
  const surroundings: Surroundings = {
    stdin: {
      read(buffer) {
        const count = Math.min(buffer.length, rest.length);
        buffer.set(rest.subarray(0, count));
        rest = rest.subarray(count);
        return Promise.resolve(count === 0 ? null : count);
      },
      setRaw() {},
    },
    stdout: writer("output"),
    stderr: writer("errors"),
    isInputTerminal: false,
    isOutputTerminal: false,
    isErrorTerminal: false,
    env: (name) => given.env?.[name] ?? null,
    columns: () => 80,
  };
  const code = await clientCommand(args, surroundings, "Respite");
  return { code, ...written };
}

export async function runRedisCli(args: readonly string[], given: Given = {}): Promise<Ended> {
  const child = new Deno.Command(REDIS_CLI, {
    args: [...args],
    env: { HOME: "/nonexistent", ...given.env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(given.input ?? "")).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  return { code, output: textOf(stdout), errors: textOf(stderr) };
}

/** One character a byte. */
function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}
