/** Time, read once a batch; tests move it. */

export class Clock {
  #nowMs = Date.now();
  /** A script runs: until it is over, time stands still, so that no key expires under it. */
  isHeld = false;

  /** Unix time in ms, as of the last `refresh`. */
  nowMs(): number {
    return this.#nowMs;
  }

  /** Looks at the clock, unless time stands still. */
  refresh(): void {
    if (!this.isHeld) this.#nowMs = this.read();
  }

  /** Unix time in ms, now. */
  protected read(): number {
    return Date.now();
  }

  /** Unix time in microseconds, now. */
  unixUs(): number {
    return this.isHeld ? this.#nowMs * 1000 : Date.now() * 1000 + (performance.now() * 1000) % 1000;
  }

  /** Stops the thread, and so the server. */
  sleep(ms: number): void {
    sleep(ms);
    this.refresh();
  }

  /** Microseconds since an arbitrary moment; never runs backwards. */
  monotonicUs(): number {
    return performance.now() * 1000;
  }
}

/** Stops the thread, and so the server: Atomics.wait is the only way to do so without using the processor. */
export function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** A clock that stands still until a test moves it. */
export class ManualClock extends Clock {
  #ms: number;
  /** What is shown: an earlier time while time stands still. */
  #shownMs: number;
  /** Of the monotonic clock, which nobody sets back. */
  #monotonicMs: number;

  constructor(startMs: number) {
    super();
    this.#ms = this.#shownMs = this.#monotonicMs = startMs;
  }

  advance(ms: number): void {
    this.#ms += ms;
    this.#monotonicMs += Math.max(0, ms);
    if (!this.isHeld) this.#shownMs = this.#ms;
  }

  override nowMs(): number {
    return this.#shownMs;
  }

  override refresh(): void {
    if (!this.isHeld) this.#shownMs = this.#ms;
  }

  override sleep(ms: number): void {
    this.advance(ms);
  }

  override unixUs(): number {
    return this.#shownMs * 1000;
  }

  override monotonicUs(): number {
    return this.#monotonicMs * 1000;
  }
}
