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

  /** Microseconds since an arbitrary moment; never runs backwards. */
  monotonicUs(): number {
    return performance.now() * 1000;
  }
}
