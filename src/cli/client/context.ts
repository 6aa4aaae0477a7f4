/** What all modes of the client share. */
import type { Client } from "./client.ts";
import type { CommandRunner } from "./command_runner.ts";
import type { Options } from "./options.ts";
import type { Output } from "./output.ts";
import type { Surroundings } from "./surroundings.ts";

/** What `:set` changes. */
export interface Preferences {
  showsHints: boolean;
}

export interface Context {
  readonly options: Options;
  readonly surroundings: Surroundings;
  readonly output: Output;
  readonly client: Client;
  readonly runner: CommandRunner;
  readonly preferences: Preferences;
  /** A line on standard error. */
  readonly warn: (line: string) => void;
}

/** Waits, for -i and the like. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
