/** What the client has of the process that it runs in; tests give it others. */
import type { SyncWriter } from "../../lib/write_all.ts";

export interface Input {
  read(buffer: Uint8Array): Promise<number | null>;
  /** Bytes as they are typed, without the terminal's own line editing. */
  setRaw(isRaw: boolean): void;
}

export interface Surroundings {
  readonly stdin: Input;
  readonly stdout: SyncWriter;
  readonly stderr: SyncWriter;
  readonly isInputTerminal: boolean;
  readonly isOutputTerminal: boolean;
  readonly isErrorTerminal: boolean;
  /** A variable of the environment; null if it is not set, or may not be read. */
  env(name: string): string | null;
  /** The width of the terminal. */
  columns(): number;
}

export function processSurroundings(): Surroundings {
  return {
    stdin: Deno.stdin,
    stdout: Deno.stdout,
    stderr: Deno.stderr,
    isInputTerminal: Deno.stdin.isTerminal(),
    isOutputTerminal: Deno.stdout.isTerminal(),
    isErrorTerminal: Deno.stderr.isTerminal(),
    env: readEnv,
    columns: readColumns,
  };
}

function readEnv(name: string): string | null {
  try {
    return Deno.env.get(name) ?? null;
  } catch {
    // The permission is missing.
    return null;
  }
}

function readColumns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    // Nothing of this process is a terminal.
    return 80;
  }
}
