/** A clock that tests move. Until it is set it runs with the system's. */
import { Clock } from "../../lib/clock.ts";

export class MovableClock extends Clock {
  /** How far it is ahead of the system's clock while it runs. */
  #aheadMs = 0;
  /** Where it stands; null while it runs. */
  #stoppedMs: number | null = null;

  /** Unix time in ms, also while a script runs, for which time stands still. */
  get ms(): number {
    return this.read();
  }

  /** Stops at `ms`. */
  stopAt(ms: number): void {
    checkTime(ms);
    this.#stoppedMs = ms;
    this.refresh();
  }

  /** Goes forward, whether it runs or stands. */
  advance(ms: number): void {
    checkTime(ms);
    if (this.#stoppedMs === null) this.#aheadMs += ms;
    else this.#stoppedMs += ms;
    this.refresh();
  }

  protected override read(): number {
    return this.#stoppedMs ?? Date.now() + this.#aheadMs;
  }

  override unixUs(): number {
    return this.isHeld || this.#stoppedMs !== null
      ? this.nowMs() * 1000
      : super.unixUs() + this.#aheadMs * 1000;
  }
}

/** A date that can't be parsed is NaN: the timer would fire without end, and no key would expire. */
function checkTime(ms: number): void {
  if (!Number.isFinite(ms)) throw new RangeError(`${ms} is no time`);
}
