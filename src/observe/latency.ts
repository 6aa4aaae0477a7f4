/**
 * Latency by event (LATENCY HISTORY, LATEST, DOCTOR) and by command (LATENCY HISTOGRAM, INFO
 * latencystats).
 */

const HISTORY = 160;

/** One spike: the worst of its second. */
export interface LatencySample {
  /** Unix time in seconds. */
  time: number;
  ms: number;
}

export class LatencySeries {
  readonly samples: LatencySample[] = [];
  /** All-time worst, in ms. */
  max = 0;
  /** Sum and count of all spikes, for LATEST's later fields. */
  sum = 0;
  count = 0;

  add(time: number, ms: number): void {
    this.max = Math.max(this.max, ms);
    this.sum += ms;
    this.count++;
    const last = this.samples.at(-1);
    if (last !== undefined && last.time === time) {
      last.ms = Math.max(last.ms, ms);
      return;
    }
    this.samples.push({ time, ms });
    if (this.samples.length > HISTORY) this.samples.shift();
  }
}

/** Spikes of at least `latency-monitor-threshold` ms, by event. */
export class LatencyMonitor {
  readonly events = new Map<string, LatencySeries>();
  /** 0 switches it off. */
  thresholdMs = 0;

  /** Notes a spike if it is one. */
  note(event: string, ms: number, nowMs: number): void {
    if (this.thresholdMs === 0 || ms < this.thresholdMs) return;
    let series = this.events.get(event);
    if (series === undefined) this.events.set(event, series = new LatencySeries());
    series.add(Math.floor(nowMs / 1000), Math.round(ms));
  }

  /** Forgets the named events, or all; returns how many there were. */
  reset(events: readonly string[]): number {
    if (events.length === 0) {
      const count = this.events.size;
      this.events.clear();
      return count;
    }
    return events.filter((event) => this.events.delete(event)).length;
  }
}

const BUCKETS = 31 * 8;

/**
 * A command's latencies in 248 buckets: eight a power of two, from 1 µs up to an hour. Percentiles are
 * upper bounds of a bucket, at most 12.5 % too high.
 */
export class LatencyHistogram {
  readonly #counts = new Float64Array(BUCKETS);
  total = 0;

  record(microseconds: number, count: number): void {
    this.#counts[bucketOf(microseconds)] += count;
    this.total += count;
  }

  /** The latency in µs that `percent` of the calls did not exceed. */
  percentile(percent: number): number {
    const rank = Math.ceil(this.total * percent / 100);
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.#counts[i];
      if (seen >= rank && seen > 0) return upperBound(i);
    }
    return 0;
  }

  /** Calls that took at most 2^k µs, cumulative, for each k at which the count rises. */
  powersOfTwo(): [number, number][] {
    const rows: [number, number][] = [];
    let seen = 0;
    // The eight buckets of a power of two end within it, the last of them at the next one.
    for (let first = 0; first < BUCKETS; first += 8) {
      const before = seen;
      for (let i = first; i < first + 8; i++) seen += this.#counts[i];
      if (seen > before) rows.push([2 ** (first / 8 + 1), seen]);
    }
    return rows;
  }

  reset(): void {
    this.#counts.fill(0);
    this.total = 0;
  }
}

function bucketOf(microseconds: number): number {
  const value = Math.max(1, microseconds);
  const power = Math.floor(Math.log2(value));
  const step = Math.floor((value / 2 ** power - 1) * 8);
  return Math.min(power * 8 + step, BUCKETS - 1);
}

function upperBound(bucket: number): number {
  const power = bucket >>> 3;
  return 2 ** power * (1 + ((bucket & 7) + 1) / 8);
}
