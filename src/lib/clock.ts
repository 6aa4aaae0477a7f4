/** Time, read once a batch; tests move it. */

export class Clock {
  #nowMs = Date.now();

  /** Unix time in ms, as of the last `refresh`. */
  nowMs(): number {
    return this.#nowMs;
  }

  /** Looks at the clock. */
  refresh(): void {
    this.#nowMs = Date.now();
  }

  /** Unix time in microseconds, now. */
  unixUs(): number {
    return Date.now() * 1000 + (performance.now() * 1000) % 1000;
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

  constructor(startMs: number) {
    super();
    this.#ms = startMs;
  }

  advance(ms: number): void {
    this.#ms += ms;
  }

  override nowMs(): number {
    return this.#ms;
  }

  override refresh(): void {}

  override sleep(ms: number): void {
    this.advance(ms);
  }

  override unixUs(): number {
    return this.#ms * 1000;
  }

  override monotonicUs(): number {
    return this.#ms * 1000;
  }
}
