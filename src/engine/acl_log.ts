/** ACL LOG: what has been refused to whom, the latest first. Equal refusals within a minute are one entry with a count. */

/** Why a request was refused. */
export type LogReason = "command" | "key" | "channel" | "auth";
/** Where it came from. */
export type LogContext = "toplevel" | "multi" | "lua" | "module";

/** What was refused. */
export interface Refusal {
  readonly reason: LogReason;
  readonly context: LogContext;
  /** The command's name, the key or the channel. */
  readonly object: string;
  readonly user: string;
  /** The client as CLIENT LIST shows it. */
  readonly client: string;
}

export interface LogEntry extends Refusal {
  readonly id: number;
  readonly count: number;
  readonly createdMs: number;
  readonly updatedMs: number;
}

const MERGED_MS = 60_000;
/** Entries that a new refusal is compared with. */
const COMPARED_MAX = 10;

export class AclLog {
  #entries: LogEntry[] = [];
  #nextId = 0;

  get entries(): readonly LogEntry[] {
    return this.#entries;
  }

  /** Adds a refusal; at most `max` entries stay. */
  add(refusal: Refusal, nowMs: number, max: number): void {
    const place = this.#entries.slice(0, COMPARED_MAX).findIndex((entry) =>
      isEqual(entry, refusal) && nowMs - entry.updatedMs <= MERGED_MS
    );
    if (place >= 0) {
      const [{ id, count, createdMs }] = this.#entries.splice(place, 1);
      this.#entries.unshift({ ...refusal, id, count: count + 1, createdMs, updatedMs: nowMs });
    } else {
      const id = this.#nextId++;
      this.#entries.unshift({ ...refusal, id, count: 1, createdMs: nowMs, updatedMs: nowMs });
    }
    if (this.#entries.length > max) this.#entries.length = max;
  }

  reset(): void {
    this.#entries = [];
  }
}

function isEqual(one: Refusal, other: Refusal): boolean {
  return one.reason === other.reason && one.context === other.context &&
    one.object === other.object && one.user === other.user;
}
