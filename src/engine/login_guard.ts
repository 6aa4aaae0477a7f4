/**
 * Slows those who guess passwords. Where logins have failed repeatedly, each further one waits before it is looked at, whether it is right or
 * wrong: if only the failures waited, those who guess would not wait for the answer, and begin anew.
 *
 * What is counted belongs to an address, so that a new connection gains nothing. Others, and those at the same address who
 * are logged in, notice nothing. A right password waits no longer than any other: half a second at most.
 *
 * Times are of the monotonic clock, and the timer's ticks end the waits: it doesn't matter if somebody sets the system's clock.
 */
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../observe/log.ts";
import { LogThrottle } from "../observe/log_throttle.ts";
import type { Client } from "./client.ts";

/** So many failures have no consequences: people mistype, and applications are started with an old password. */
const FREE = 10;
/** Each failure beyond those makes the next login wait for so much longer … */
const STEP_US = 100_000;
/** … but not beyond this. */
const WAIT_MAX_US = 500_000;
/** A failure is forgotten after this long, one after the other. */
const FORGOTTEN_US = 1_000_000;
/** More are not counted: an address is as new again after a minute without failures. */
const COUNT_MAX = 60;
/** Of so many addresses failures are counted; beyond that, the address is forgotten whose last one is the longest ago. */
const ORIGINS_MAX = 4096;
const LOG_EVERY_MS = 10_000;

/** The failures of an address, as of a moment. */
interface Failures {
  readonly count: number;
  readonly atUs: number;
}

export class LoginGuard {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #throttle = new LogThrottle(LOG_EVERY_MS);
  /** By address, in the order of the last failures. */
  readonly #failures = new Map<string, Failures>();
  /** Clients whose login waits, and until when. */
  readonly #waiting = new Map<Client, number>();
  /** Clients whose login has waited long enough, and will be looked at next. */
  readonly #admitted = new WeakSet<Client>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Of how many addresses failures are remembered. */
  get originCount(): number {
    return this.#failures.size;
  }

  /** Whether the login that the client is about to try must wait. If so, the client is postponed: `tick` resumes it. */
  delays(client: Client): boolean {
    if (this.#failures.size === 0 || this.#admitted.delete(client)) return false;
    if (!this.#waiting.has(client)) {
      const nowUs = this.#clock.monotonicUs();
      const waitUs = (this.#countOf(originOf(client), nowUs) - FREE + 1) * STEP_US;
      if (waitUs <= 0) return false;
      this.#waiting.set(client, nowUs + Math.min(waitUs, WAIT_MAX_US));
    }
    client.isPostponed = true;
    return true;
  }

  /** A login of the client has failed. */
  failed(client: Client): void {
    const origin = originOf(client);
    const nowUs = this.#clock.monotonicUs();
    const count = Math.min(this.#countOf(origin, nowUs) + 1, COUNT_MAX);
    // Deleted first, since the map keeps the order in which its keys came.
    this.#failures.delete(origin);
    this.#failures.set(origin, { count, atUs: nowUs });
    if (this.#failures.size > ORIGINS_MAX) this.#forgetOldest();
    if (count < FREE || !this.#throttle.take(this.#clock.nowMs())) return;
    this.#log.warning(`Logins from ${origin} keep failing: each further one waits for a moment`);
  }

  /** Resumes clients that have waited long enough, and forgets addresses without failures. */
  tick(): void {
    if (this.#failures.size === 0 && this.#waiting.size === 0) return;
    const nowUs = this.#clock.monotonicUs();
    for (const [client, dueUs] of this.#waiting) {
      if (dueUs > nowUs && !client.isClosing) continue;
      this.#waiting.delete(client);
      if (client.isClosing) continue;
      this.#admitted.add(client);
      client.transport.resume();
    }
    for (const origin of this.#failures.keys()) {
      if (this.#countOf(origin, nowUs) > 0) return;
      this.#failures.delete(origin);
    }
  }

  #countOf(origin: string, nowUs: number): number {
    const failures = this.#failures.get(origin);
    if (failures === undefined) return 0;
    return Math.max(0, failures.count - Math.floor((nowUs - failures.atUs) / FORGOTTEN_US));
  }

  #forgetOldest(): void {
    for (const origin of this.#failures.keys()) {
      this.#failures.delete(origin);
      return;
    }
  }
}

/**
 * The address of a client without its port, or the path of its Unix socket. Of an IPv6 address that is the first half, because
 * who has one such address usually has all that begin like it.
 */
function originOf({ transport: { address } }: Client): string {
  const host = address.slice(0, address.lastIndexOf(":"));
  if (!host.startsWith("[")) return host;
  const text = host.slice(1, -1);
  // IPv4 over a socket for both.
  if (text.includes(".")) return text.slice(text.lastIndexOf(":") + 1);
  const [before, after = []] = text.split("::").map((part) => part === "" ? [] : part.split(":"));
  const zeros = Array<string>(8 - before.length - after.length).fill("0");
  return [...before, ...zeros, ...after].slice(0, 4).join(":");
}
