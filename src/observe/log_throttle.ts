/** Keeps a line that others can cause at will from filling the log. */
export class LogThrottle {
  readonly #everyMs: number;
  #loggedMs = -Infinity;

  /** Lets one line through in so many milliseconds. */
  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** Whether a line may be logged at `nowMs`; if so, it counts as logged. */
  take(nowMs: number): boolean {
    const elapsedMs = nowMs - this.#loggedMs;
    // A clock that was set back must not silence the log.
    if (elapsedMs >= 0 && elapsedMs < this.#everyMs) return false;
    this.#loggedMs = nowMs;
    return true;
  }
}
