/** Runs Deno itself with other arguments: what the scripts share. */
import { LUA_PACKAGE } from "../src/scripting/lua_code.ts";

/** Where our TypeScript lies. */
export const CHECKED_FOLDERS = ["src", "tests", "scripts", "bench"] as const;

/**
 * The versions of the npm packages that tests and scripts import. The configuration does not name this file: `deno task`
 * would download all that it lists, and the server, which needs none of it, could not start where one can't be had.
 */
export const LOCK = "--lock=tests/deno.lock";

/**
 * The flags for V8 that the task `start` of the checkout in `dir` has. Maglev is V8's middle compiler: it took 5 MiB of memory
 * and gained nothing. With the larger budgets for inlining, functions that assert what they expect are inlined as before.
 */
export function serverV8Flags(dir = "."): string {
  const flags = taskStart(dir).split(" ").find((word) => word.startsWith("--v8-flags="));
  if (flags === undefined) throw new Error(`The task start in ${dir}/deno.json has no --v8-flags`);
  return flags;
}

/** The options of the task `start`, for Deno itself. */
export const START_OPTIONS: readonly string[] = taskStart().split(" ").slice(1, -1);

/**
 * The server's permissions, those of the task `start`. It gives up most of them when it has read its configuration
 * (src/app/sandbox.ts), which takes "/": --allow-read without a path can't be given up in part.
 */
export const SERVER_PERMISSIONS: readonly string[] = START_OPTIONS.filter((option) =>
  option.startsWith("--allow-")
);

function taskStart(dir = "."): string {
  return String(JSON.parse(Deno.readTextFileSync(`${dir}/deno.json`)).tasks.start);
}

/** The options of `deno compile` for the server, which is then written to `output`. */
export function compileOptions(output: string): string[] {
  return [
    // Not deno.json's `unstable`: an executable's import of text or bytes reads any file, whatever the permissions.
    "--no-config",
    "--no-prompt",
    serverV8Flags(),
    ...SERVER_PERMISSIONS,
    // Scripts load it when they need it, by a name that the compiler does not see.
    ...["--include", LUA_PACKAGE],
    ...["--output", output],
  ];
}

/** How a run ended, and what it wrote, without colours. */
export interface Ended {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** Runs `deno args…`, showing what it writes as it comes. */
export async function run(args: readonly string[]): Promise<Ended> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [output, errors, { code }] = await Promise.all([
    shown(child.stdout, Deno.stdout),
    shown(child.stderr, Deno.stderr),
    child.status,
  ]);
  return { code, output, errors };
}

async function shown(
  stream: ReadableStream<Uint8Array>,
  target: { writeSync(bytes: Uint8Array): number },
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of stream) {
    for (let at = 0; at < bytes.length;) at += target.writeSync(bytes.subarray(at));
    text += decoder.decode(bytes, { stream: true });
  }
  // deno-lint-ignore no-control-regex -- colours are what is taken out here
  return text.replaceAll(/\x1b\[[0-9;]*m/g, "");
}

/** Writes a line to standard output at once. */
export function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
