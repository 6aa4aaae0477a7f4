// hot path
/**
 * When keys are evicted: before each command, if more memory is used than `maxmemory` allows. Never in the middle of one: not
 * between the commands of EXEC or of a script.
 *
 * A command evicts until enough is free, but for half a millisecond at most (`maxmemory-eviction-tenacity`); then it runs in
 * any case, and the timer goes on evicting in slices. Only when there is nothing to evict, commands that need memory are
 * refused. How much must go is counted once, before the first key goes: what evicting takes itself, messages to clients and
 * to the log, is the next command's affair.
 *
 * With `maxmemory-eviction-ratio`, a share of all keys goes each time that the limit is reached, so that this happens seldom.
 */
import type { Entries } from "../keyspace/entry.ts";
import type { Client } from "./client.ts";
import type { Engine } from "./engine.ts";

/** How evicting ended: enough is free, the time was over before, or there is nothing to evict. */
const Outcome = { enough: 0, later: 1, impossible: 2 } as const;

/** Between two looks at the clock, at most so many keys go, or so many bytes and one key. */
const KEYS_A_LOOK = 16;
const BYTES_A_LOOK = 64 * 1024;

/** Before so many commands of a pipeline only entries are counted; all else grows little meanwhile. */
const COMMANDS_A_COUNT = 31;

export class Eviction {
  /**
   * Before the command that runs now, too much memory was used, and no key could be evicted. Scripts that it runs, also
   * within EXEC, may not write then: what they use themselves does not matter.
   */
  isOutOfMemory = false;
  /** The timer goes on evicting. */
  isUnfinished = false;
  readonly #engine: Engine;
  /** Keys that are to go whatever memory they take, since a share of all was asked for. */
  #owed = 0;
  /** Bytes of entries at which enough is free. */
  #goal = 0;
  #endUs = 0;
  /** Bytes of what is no entry, and before how many commands that is not counted again. */
  #otherBytes = 0;
  #commandsLeft = 0;
  /** It was counted again in this batch when the limit was first exceeded. */
  #isCountSure = false;
  /** Since when the limit was exceeded although keys were evicted; 0 when it is not. */
  #exceededSinceUs = 0;
  #exceededUs = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Makes room for a command of `client`, which is about to begin; returns whether there is none and can't be made. */
  makeRoom(client: Client): boolean {
    const { parameters: { values }, keyspace } = this.#engine;
    // A script is suspended, and other clients may send what ends it: this says nothing about the script's memory.
    if (keyspace.hooks.isForbidden) return false;
    if (--this.#commandsLeft < 0) this.#count(client);
    let excess = keyspace.entries.usedBytes + this.#otherBytes - values.maxmemory;
    // Before the first key of a batch goes, or much at once, it is made sure that nothing has been given back meanwhile.
    const mayBeWrong = excess > 0 && this.#commandsLeft < COMMANDS_A_COUNT;
    if (mayBeWrong && (excess > BYTES_A_LOOK || !this.#isCountSure)) {
      this.#count(client);
      this.#isCountSure = true;
      excess = keyspace.entries.usedBytes + this.#otherBytes - values.maxmemory;
    }
    if (excess <= 0 && !this.isUnfinished && this.#exceededSinceUs === 0) {
      return this.isOutOfMemory = false;
    }
    // Messages about the keys go out before the command's reply. Without replies they wait for its end.
    if (client.replyMode === "on") client.isRunning = false;
    this.#run(excess);
    if (client.replyMode === "on") client.isRunning = true;
    return this.isOutOfMemory;
  }

  /** What is no entry: tables, clients, and whatever else is counted. */
  #count(client: Client): void {
    this.#otherBytes = this.#engine.usedBytesFor(client) - this.#engine.keyspace.entries.usedBytes;
    this.#commandsLeft = COMMANDS_A_COUNT;
  }

  /** A batch of requests begins, or databases are emptied: before the next command, everything is counted. */
  countSoon(): void {
    this.#commandsLeft = 0;
    this.#isCountSure = false;
  }

  /** Goes on evicting for a slice of time; returns whether more is left to be done. */
  slice(): boolean {
    if (!this.isUnfinished) return false;
    this.#run(this.#engine.usedBytesNow - this.#engine.parameters.values.maxmemory);
    return this.isUnfinished;
  }

  /** `maxmemory` was changed: the timer evicts what it does not allow any more. */
  limitChanged(): void {
    const { parameters: { values }, log } = this.#engine;
    const used = this.#engine.usedBytesNow;
    this.#owed = 0;
    if (values.maxmemory === 0) return this.#over(Outcome.enough);
    if (used <= values.maxmemory) return;
    log.warning(
      `The new maxmemory (${values.maxmemory}) is below the memory in use (${used}): keys are evicted, or writes ` +
        "refused, depending on maxmemory-policy",
    );
    this.isUnfinished = true;
  }

  /** Microseconds for which the limit has been exceeded while keys were evicted, this time. */
  get exceededNowUs(): number {
    return this.#exceededSinceUs === 0
      ? 0
      : this.#engine.clock.monotonicUs() - this.#exceededSinceUs;
  }

  /** As `exceededNowUs`, of all times. */
  get exceededUs(): number {
    return this.#exceededUs + this.exceededNowUs;
  }

  /** CONFIG RESETSTAT. */
  resetStatistics(): void {
    this.#exceededUs = this.#exceededSinceUs = 0;
  }

  /** Evicts `excess` bytes, if it may and can; afterwards the fields say how it ended. */
  #run(excess: number): void {
    if (!this.#isAllowed()) {
      this.isOutOfMemory = this.isUnfinished = false;
      return;
    }
    this.#over(this.#cycle(excess));
  }

  #over(outcome: number): void {
    const { clock } = this.#engine;
    this.isOutOfMemory = outcome === Outcome.impossible;
    this.isUnfinished = outcome === Outcome.later;
    if (outcome !== Outcome.later) this.#owed = 0;
    if (outcome !== Outcome.enough) {
      if (this.#exceededSinceUs === 0) this.#exceededSinceUs = clock.monotonicUs();
    } else if (this.#exceededSinceUs !== 0) {
      this.#exceededUs += this.exceededNowUs;
      this.#exceededSinceUs = 0;
    }
  }

  /** Not while data are loaded, or must stand still: CLIENT PAUSE. */
  #isAllowed(): boolean {
    const { keyspace, pause, clock } = this.#engine;
    return !keyspace.isLoading && !pause.isOn(clock.nowMs());
  }

  #cycle(excess: number): number {
    const { keyspace, clock, latency, propagation } = this.#engine;
    const { victims, entries } = keyspace;
    if (!victims.hasRatio) this.#owed = 0;
    if (excess <= 0 && this.#owed === 0) return Outcome.enough;
    if (!victims.mayEvict) return Outcome.impossible;
    this.#goal = entries.usedBytes - excess;
    if (this.#owed === 0) this.#owed = this.#share();
    const startUs = clock.monotonicUs();
    this.#endUs = startUs + this.#limitUs();
    const { actor } = this.#engine;
    this.#engine.actor = null;
    let outcome: number = Outcome.impossible;
    try {
      outcome = this.#evictUntilEnough(entries);
    } catch (error) {
      // A bug of ours, which must not end the connections of all who send commands.
      this.#engine.logFailure("Evicting keys", error);
    }
    this.#engine.actor = actor;
    propagation.endUnit();
    if (latency.thresholdMs > 0) this.#note("eviction-cycle", startUs);
    return outcome;
  }

  /** How many keys go at once. */
  #share(): number {
    const { keyspace, parameters } = this.#engine;
    const { maxmemoryEvictionRatio } = parameters.values;
    if (maxmemoryEvictionRatio === 0 || !keyspace.victims.hasRatio) return 0;
    return Math.floor(maxmemoryEvictionRatio * keyspace.keyCount);
  }

  #evictUntilEnough(entries: Entries): number {
    const { keyspace, propagation } = this.#engine;
    const { lazyFree, victims } = keyspace;
    let keys = 0;
    let looked = entries.usedBytes;
    while (!this.#isEnough(entries)) {
      // What was removed before is freed first: otherwise more keys would go than must.
      if (lazyFree.hasWork && entries.usedBytes > this.#goal) {
        lazyFree.freeSome(this.#isOver);
        if (this.#isTimeOver()) return Outcome.later;
        continue;
      }
      if (!victims.find()) {
        return entries.usedBytes > this.#goal ? Outcome.impossible : Outcome.enough;
      }
      this.#evict();
      if (this.#owed > 0) this.#owed--;
      if (++keys % KEYS_A_LOOK !== 0 && looked - entries.usedBytes < BYTES_A_LOOK) continue;
      propagation.endUnit();
      looked = entries.usedBytes;
      if (this.#isTimeOver()) return this.#isEnough(entries) ? Outcome.enough : Outcome.later;
    }
    return Outcome.enough;
  }

  #evict(): void {
    const { keyspace: { victims }, clock, latency } = this.#engine;
    const { db, ref } = victims;
    if (latency.thresholdMs === 0) return db.evict(ref);
    const startUs = clock.monotonicUs();
    db.evict(ref);
    this.#note("eviction-del", startUs);
  }

  #isEnough(entries: Entries): boolean {
    return entries.usedBytes <= this.#goal && this.#owed === 0;
  }

  #isTimeOver(): boolean {
    return this.#engine.clock.monotonicUs() >= this.#endUs;
  }

  readonly #isOver = (): boolean =>
    this.#engine.keyspace.entries.usedBytes <= this.#goal || this.#isTimeOver();

  /** How long evicting may take at once. The steps are Redis's. */
  #limitUs(): number {
    const { maxmemoryEvictionTenacity: tenacity } = this.#engine.parameters.values;
    if (tenacity <= 10) return 50 * tenacity;
    return tenacity < 100 ? 500 * 1.15 ** (tenacity - 10) : Infinity;
  }

  #note(event: string, startUs: number): void {
    const { latency, clock } = this.#engine;
    latency.note(event, (clock.monotonicUs() - startUs) / 1000, clock.nowMs());
  }
}
