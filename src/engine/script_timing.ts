// hot path
/**
 * How long the commands of a script took: as timing.ts does it, but commands of different kinds share a reading of the clock.
 *
 * Scripts seldom run equal commands in a row, and two readings cost as much as a GET. Those that are O(1) or fast are counted
 * with their common mean; the others are timed alone. What Lua does between two commands counts as theirs, for at most the
 * instructions between two calls of the hook.
 */
import type { Client } from "./client.ts";
import type { Command } from "./command.ts";
import type { Engine } from "./engine.ts";
import { countCalls, isFineTiming, LONG_REPLY_BYTES } from "./timing.ts";

/** Calls that share a reading of the clock, at most. */
const CALLS_MAX = 64;

export class ScriptTimer {
  readonly #engine: Engine;
  /** The run under way: which commands it has, as the first `#kindCount` of these, and how many calls. */
  readonly #kinds: (Command | null)[] = new Array(CALLS_MAX).fill(null);
  #kindCount = 0;
  #calls = 0;
  #client: Client | null = null;
  #startUs = 0;
  #isFine = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** A script begins to run commands as `client`. */
  beginScript(client: Client): void {
    this.#client = client;
    this.#startUs = this.#engine.clock.monotonicUs();
    this.#isFine = isFineTiming(this.#engine);
  }

  /** Called before a command; returns whether it is timed alone. */
  begin(command: Command): boolean {
    // Without a key it may be INFO, which shows these figures.
    const isAlone = this.#isFine || command.isTimedAlone || command.keys.length === 0;
    if (isAlone || this.#calls === CALLS_MAX) this.close();
    if (command.stats.untimed++ === 0) this.#kinds[this.#kindCount++] = command;
    this.#calls++;
    return isAlone;
  }

  /** Called after the command that `begin` was called for; its reply has `replyBytes` bytes. */
  end(isAlone: boolean, command: Command, replyBytes: number): void {
    if (isAlone) this.close();
    else if (replyBytes >= LONG_REPLY_BYTES) this.#closeAfterLong(command);
  }

  /** Ends the run, and counts all of its time for its last command. */
  #closeAfterLong(command: Command): void {
    const now = this.#engine.clock.monotonicUs();
    command.stats.untimed--;
    this.#calls--;
    this.#count(0);
    if (this.#client !== null) {
      countCalls(this.#engine, this.#client, command, now - this.#startUs, 1, false);
    }
    this.#startUs = now;
  }

  /** Ends the run, and counts its commands with the time that has passed since it began. */
  close(): void {
    if (this.#calls === 0) return;
    const now = this.#engine.clock.monotonicUs();
    this.#count((now - this.#startUs) / this.#calls);
    this.#startUs = now;
  }

  /** Counts the calls of the run with so many microseconds each. */
  #count(microseconds: number): void {
    const client = this.#client;
    for (let i = 0; i < this.#kindCount; i++) {
      const command = this.#kinds[i];
      if (command === null || client === null) continue;
      const { stats } = command;
      const calls = stats.untimed;
      stats.untimed = 0;
      if (calls > 0) countCalls(this.#engine, client, command, microseconds * calls, calls, false);
    }
    this.#kindCount = 0;
    this.#calls = 0;
  }
}
