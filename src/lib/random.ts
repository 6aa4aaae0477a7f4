// hot path
/**
 * Numbers for samples and picks, not for secrets: xorshift (Marsaglia, 2003). Math.random gives doubles, for which V8 allocates
 * wherever it does not inline the call.
 */
export class Random {
  #state: number;

  /** Without a seed, each generator begins elsewhere. */
  constructor(seed = Math.random() * 4294967296) {
    this.#state = seed | 1;
  }

  /** 32 bits, signed, never 0. */
  bits(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x;
  }

  /** A whole number from 0 to `limit` − 1. */
  below(limit: number): number {
    return Math.floor((this.bits() >>> 0) / 4294967296 * limit);
  }
}
