/**
 * Passive counters that any room above writes to and INFO reads; rates come from samples of the last
 * 1.6 seconds, as in Redis (16 samples, ten a second).
 */

const SAMPLES = 16;

/** The rate a second of a growing figure. */
class Rate {
  readonly #samples = new Float64Array(SAMPLES);
  #next = 0;
  #lastValue = 0;
  #lastMs = 0;

  sample(value: number, nowMs: number): void {
    const elapsed = nowMs - this.#lastMs;
    if (this.#lastMs > 0 && elapsed > 0) {
      this.#samples[this.#next] = (value - this.#lastValue) * 1000 / elapsed;
      this.#next = (this.#next + 1) % SAMPLES;
    }
    this.#lastValue = value;
    this.#lastMs = nowMs;
  }

  perSecond(): number {
    return this.#samples.reduce((sum, sample) => sum + sample, 0) / SAMPLES;
  }
}

/** At most so many distinct error prefixes are counted; others are counted together, as in Redis. */
const ERROR_KINDS_MAX = 128;

export class Counters {
  connections = 0;
  rejectedConnections = 0;
  commands = 0;
  errorReplies = 0;
  /** Bytes read from and written to clients. */
  inputBytes = 0;
  outputBytes = 0;
  reads = 0;
  writes = 0;
  /** Times that the timer has fired, and the microseconds of all of them together. */
  timerRuns = 0;
  timerUs = 0;
  /** Microseconds of the longest cycle of the event loop: a batch of requests, or a run of the timer. */
  longestCycleUs = 0;
  /** Microseconds that handing changes to the log took. */
  logUs = 0;
  /** Requests of one read, at most. */
  mostRequests = 0;
  /** What the rights of users (ACL) have refused, by what was refused. */
  readonly denials = { auth: 0, command: 0, key: 0, channel: 0 };
  clientOutputLimitDisconnections = 0;
  clientQueryLimitDisconnections = 0;
  /** Clients that were closed for maxmemory-clients. */
  evictedClients = 0;
  peakMemoryBytes = 0;
  /** Error replies by their first word: "ERR", "WRONGTYPE" … */
  readonly errors = new Map<string, number>();

  readonly commandRate = new Rate();
  readonly inputRate = new Rate();
  readonly outputRate = new Rate();
  readonly cycleRate = new Rate();

  /** Times that the event loop had something to do: a client's bytes, or the timer. */
  get cycles(): number {
    return this.reads + this.timerRuns;
  }

  /** Notes how long a cycle took. */
  cycleOver(microseconds: number): void {
    if (microseconds > this.longestCycleUs) this.longestCycleUs = microseconds;
  }

  /** Counts one error reply by its first word. */
  countError(reply: Uint8Array): void {
    this.errorReplies++;
    let prefix = "";
    for (let i = 1; i < reply.length && reply[i] > 0x20; i++) {
      prefix += String.fromCharCode(reply[i]);
    }
    const kind = this.errors.size < ERROR_KINDS_MAX || this.errors.has(prefix)
      ? prefix
      : "ERRORSTATS_DISABLED";
    this.errors.set(kind, (this.errors.get(kind) ?? 0) + 1);
  }

  /** Called ten times a second. */
  sample(nowMs: number): void {
    this.commandRate.sample(this.commands, nowMs);
    this.inputRate.sample(this.inputBytes, nowMs);
    this.outputRate.sample(this.outputBytes, nowMs);
    this.cycleRate.sample(this.cycles, nowMs);
  }

  /** CONFIG RESETSTAT. */
  reset(): void {
    this.connections =
      this.rejectedConnections =
      this.commands =
      this.errorReplies =
        0;
    this.inputBytes =
      this.outputBytes =
      this.reads =
      this.writes =
        0;
    this.timerRuns = this.timerUs = this.mostRequests = 0;
    this.longestCycleUs = this.logUs = 0;
    const { denials } = this;
    denials.auth =
      denials.command =
      denials.key =
      denials.channel =
        0;
    this.clientOutputLimitDisconnections = this.clientQueryLimitDisconnections = 0;
    this.evictedClients = 0;
    this.errors.clear();
  }
}
