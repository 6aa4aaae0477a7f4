// hot path
/**
 * Serves busy clients in turn, where there are more of them than one poll of the runtime can serve.
 *
 * The runtime (tokio) lets a task complete 128 operations in a poll. What is ready beyond them is put off until
 * the runtime looks at the sockets again, and then comes behind those that became ready meanwhile. So a client that
 * is read again as soon as it was answered overtakes others without end. Here it waits in a queue: each poll lets
 * the first of the queue read, fewer than the runtime serves in a poll, and none while the runtime still has
 * others that it put off. Figures: docs/MEASUREMENTS.md, "Fairness among busy clients".
 */
import { setImmediate } from "node:timers";
import { assert } from "../lib/assert.ts";
import { Deque } from "../structures/deque.ts";

/** Reads that the runtime completes in one poll, at most: tokio's budget of a task. */
const POLL_BUDGET = 128;
/** Connections that waited and may read at a time. The rest of the budget is for writes that could not be done at once. */
export const ROUND_SIZE = POLL_BUDGET - 16;
/** So many reads in one poll: others were put off, or nearly. */
const FULL_POLL = POLL_BUDGET - 8;
/** When nobody has read for so long, the next may. */
const SILENCE_MS = 1;
/** Those who were let go and are silent for so many times `SILENCE_MS` lose their place to others. */
const PATIENCE = 16;

export class Rounds {
  /** Reads that brought something, since the start. */
  #reads = 0;
  /** `#reads` when the poll began of which `#endOfPoll` will be the end. */
  #readsBefore = 0;
  /** Those who wait, first come first. */
  readonly #waiting = new Deque<() => void>();
  /** Those who were let go and have not read since, but for those who are silent for long. */
  #reading = 0;
  /** How many were let go, and how often time was up, since such were looked for. */
  #letGo = 0;
  #ticks = 0;
  #isEndAwaited = false;
  #isTimed = false;
  /** `#reads` when the timer was set. */
  #readsAtTimer = 0;

  /** Reads that were counted. */
  get reads(): number {
    return this.#reads;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Counts a read, by a connection that waited for its turn before or did not; returns its number. */
  countRead(hadTurn: boolean): number {
    if (hadTurn && this.#reading > 0) this.#reading--;
    return ++this.#reads;
  }

  /** Whether a connection has to wait for its turn when `others` reads were counted between its last two. */
  isCrowded(others: number): boolean {
    assert(others >= 0, "a connection's reads are counted in their order");
    return others >= ROUND_SIZE || this.#waiting.length > 0;
  }

  /** Resolves when it is the caller's turn to read. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.insert(this.#waiting.length, resolve);
      if (!this.#isEndAwaited) this.#awaitEnd(this.#reads - 1);
    });
  }

  #awaitEnd(readsBefore: number): void {
    this.#isEndAwaited = true;
    this.#readsBefore = readsBefore;
    // Callbacks of setImmediate run at the end of a poll, when all whose reads it completed have been served.
    setImmediate(this.#endOfPoll);
  }

  readonly #endOfPoll = (): void => {
    this.#isEndAwaited = false;
    const reads = this.#reads - this.#readsBefore;
    // Nobody has read for a while: those who were let go have nothing to say.
    if (reads === 0) this.#reading = 0;
    // After a full poll the next one brings those who were put off.
    if (reads < FULL_POLL) this.#release();
    if (this.#waiting.length > 0) this.#setTimer();
  };

  #release(): void {
    const count = Math.min(this.#waiting.length, ROUND_SIZE - this.#reading);
    this.#reading += count;
    this.#letGo += count;
    assert(this.#reading <= ROUND_SIZE, "more are reading than one poll can serve");
    for (let i = 0; i < count; i++) this.#waiting.remove(0)();
  }

  #setTimer(): void {
    if (this.#isTimed) return;
    this.#isTimed = true;
    this.#readsAtTimer = this.#reads;
    setTimeout(this.#timeIsUp, SILENCE_MS);
  }

  readonly #timeIsUp = (): void => {
    this.#isTimed = false;
    if (this.#waiting.length === 0) return;
    if (++this.#ticks === PATIENCE) this.#forgetSilent();
    if (this.#isEndAwaited) return this.#setTimer();
    // Timers run before the reads of a poll are served: only its end shows whether there were any.
    if (this.#reads === this.#readsAtTimer) this.#awaitEnd(this.#reads);
    else this.#setTimer();
  };

  /** Makes room for others: those who were let go before this was last done, and have not read, may be silent for hours. */
  #forgetSilent(): void {
    this.#reading = Math.min(this.#reading, this.#letGo);
    this.#letGo = 0;
    this.#ticks = 0;
  }
}
