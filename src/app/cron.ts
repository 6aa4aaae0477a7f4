/**
 * The one timer: expiry, deadlines of clients, and what Redis does `hz` times a second.
 *
 * It sleeps until the earliest of the next tick, the next deadline and the next key to expire, so that it notices within
 * a tick that the system's clock was set. Work on
 * many keys is done in slices of half a millisecond with a `setTimeout(0)` between them: setImmediate
 * and message channels would starve the sockets.
 */
import type { Engine } from "../engine/engine.ts";
import { Errors } from "../protocol/errors.ts";
import { forgetScratch } from "../lib/scratch.ts";

const SLICE_US = 500;
const TICK_MS = 100;
/** A timer that fires this soon is not replaced by one that would fire sooner. */
const CLOSE_ENOUGH_MS = 4;
/** Keys removed between two looks at the clock. */
const KEYS_A_LOOK = 16;

export class Cron {
  readonly #engine: Engine;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #firesAtMs = Infinity;
  #nextTickMs = 0;
  #isRunning = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  start(): void {
    this.#isRunning = true;
    this.#arm(0);
  }

  stop(): void {
    this.#isRunning = false;
    clearTimeout(this.#timer);
  }

  /** Called after each batch of requests, which may have set a deadline before the timer's: arms the timer for it. */
  afterBatch(): void {
    const { clock, deadlines, keyspace, eviction } = this.#engine;
    const soonest = eviction.isUnfinished
      ? 0
      : this.#mayExpire()
      ? keyspace.soonestNewDeadline
      : Infinity;
    // Not earlier than now: otherwise each batch would arm a timer anew that is already due, and it would never fire.
    const wanted = Math.max(Math.min(deadlines.next, soonest) + 1, clock.nowMs());
    const isSoonEnough = wanted >= this.#firesAtMs - CLOSE_ENOUGH_MS;
    if ((isSoonEnough && !this.#isSetBack(this.#firesAtMs)) || !this.#isRunning) return;
    clearTimeout(this.#timer);
    this.#arm(Math.min(wanted - clock.nowMs(), TICK_MS));
  }

  /** Does all that is due now; returns whether keys are left over for another slice. */
  run(): boolean {
    const { clock, deadlines, counters, keyspace } = this.#engine;
    // While a script is suspended nothing may change: what is due is done when it is over.
    if (keyspace.hooks.isForbidden) return false;
    clock.refresh();
    const begin = clock.monotonicUs();
    this.#guarded("A deadline of a client", () => deadlines.run());
    const now = clock.nowMs();
    if (now >= this.#nextTickMs || this.#isSetBack(this.#nextTickMs)) {
      this.#nextTickMs = now + TICK_MS;
      if (!this.#engine.pausesCron) {
        this.#guarded("The work of every tick", () => this.#tick(now));
      }
    }
    const end = clock.monotonicUs() + SLICE_US;
    const isOver = (): boolean => clock.monotonicUs() >= end;
    let isMoreLeft = false;
    // A key whose removal fails has already left the heap of deadlines: the next slice goes on with the others.
    this.#guarded(
      "Expiring keys",
      () => isMoreLeft = this.#expire(now, isOver),
      () => isMoreLeft = true,
    );
    this.#guarded("Evicting keys", () => {
      if (this.#engine.eviction.slice()) isMoreLeft = true;
    });
    this.#guarded("Serving clients that wait", () => this.#serve());
    const { lazyFree, chunks } = this.#engine.keyspace;
    this.#guarded("Moving data together", () => this.#defragment(isOver));
    this.#guarded("Forgetting tracked keys", () => {
      if (this.#engine.tracking?.forgetSome(isOver) === true) isMoreLeft = true;
    });
    this.#guarded("Freeing memory", () => {
      if (lazyFree.freeSome(isOver)) isMoreLeft = true;
      if (chunks.releaseNext()) isMoreLeft = true;
    });
    counters.timerRuns++;
    const elapsed = clock.monotonicUs() - begin;
    counters.timerUs += elapsed;
    counters.cycleOver(elapsed);
    return isMoreLeft;
  }

  /** Whether the system's clock was set back since something was due at `dueMs`: nothing is put off for longer than a tick. */
  #isSetBack(dueMs: number): boolean {
    return dueMs - this.#engine.clock.nowMs() > TICK_MS;
  }

  /**
   * Does `work`. If an assertion fails in it, that is a bug of ours: it is logged together with the last commands, and
   * the timer goes on, since ending the server would lose more than the one thing that is broken.
   */
  #guarded(what: string, work: () => void, failed: () => void = () => {}): void {
    try {
      work();
    } catch (error) {
      this.#engine.logFailure(what, error);
      failed();
    }
  }

  #defragment(isOver: () => boolean): void {
    const { keyspace: { defragmenter }, parameters, clock, pausesCron } = this.#engine;
    if (pausesCron || clock.monotonicUs() < defragmenter.dueUs) return;
    defragmenter.slice(isOver, parameters.values);
  }

  /** When moving data goes on, in Unix ms. */
  get #nextMoveMs(): number {
    const { keyspace: { defragmenter }, clock, pausesCron } = this.#engine;
    if (pausesCron) return Infinity;
    return clock.nowMs() + (defragmenter.dueUs - clock.monotonicUs()) / 1000;
  }

  #serve(): void {
    if (this.#engine.blocking.hasReady) this.#engine.blocking.serve();
  }

  readonly #fire = (): void => {
    const more = this.run();
    this.#engine.flushOthers();
    if (!this.#isRunning) return;
    const { clock, deadlines, keyspace } = this.#engine;
    // What is due stays due while a script is suspended: the timer would fire without end.
    if (keyspace.hooks.isForbidden) return this.#arm(TICK_MS);
    const nextKey = this.#mayExpire() ? keyspace.takeNextDeadline() : Infinity;
    const next = Math.min(
      this.#nextTickMs,
      deadlines.next + 1,
      nextKey + 1,
      this.#nextMoveMs,
    );
    this.#arm(more ? 0 : Math.max(0, next - clock.nowMs()));
  };

  #arm(delayMs: number): void {
    this.#firesAtMs = this.#engine.clock.nowMs() + delayMs;
    this.#timer = setTimeout(this.#fire, delayMs);
  }

  #mayExpire(): boolean {
    const { activeExpiry, pausesCron, keyspace } = this.#engine;
    return activeExpiry && !pausesCron && !keyspace.mayNotExpire;
  }

  /** Removes expired keys until `isOver`; returns whether some are left. */
  #expire(now: number, isOver: () => boolean): boolean {
    if (!this.#mayExpire()) return false;
    for (const db of this.#engine.keyspace.databases) {
      while (db.deadlines.next < now) {
        for (let i = 0; i < KEYS_A_LOOK && db.deadlines.expireNext(now); i++);
        this.#engine.propagation.endUnit();
        if (isOver()) {
          this.#engine.keyspace.stats.expiryTimeouts++;
          return true;
        }
      }
    }
    return false;
  }

  #tick(now: number): void {
    const { counters, gates, keyspace, parameters } = this.#engine;
    counters.sample(now);
    gates.full = keyspace.entries.arena.isNearlyFull ? Errors.arenaFull : null;
    counters.peakMemoryBytes = Math.max(counters.peakMemoryBytes, this.#engine.usedBytes);
    for (const client of this.#engine.clients.values()) this.#engine.limitOutput?.(client);
    this.#engine.evictClients();
    this.#engine.replyBuffers.tick(this.#engine.clients.values(), now);
    this.#closeIdle(now, parameters.values.timeout * 1000);
    this.#engine.persistence?.tick();
    this.#engine.keptLinks.tick(now);
    this.#engine.logins.tick();
    this.#engine.keyspace.chunks.age();
    keyspace.defragmenter.tick(parameters.values);
    forgetScratch();
  }

  #closeIdle(now: number, timeoutMs: number): void {
    if (timeoutMs === 0) return;
    for (const client of this.#engine.clients.values()) {
      const waits = client.blocked !== null || client.subscriptions !== null;
      if (waits || client.isMonitor || client.isReplica) continue;
      if (now - client.lastActiveMs > timeoutMs) client.transport.kill();
    }
  }
}
