/**
 * Actions that are due at a time: the end of a pause, the timeout of a blocked client. All of them lie in one heap;
 * the app's timer sleeps until `next` and then calls `run`.
 */
import type { Clock } from "../lib/clock.ts";
import { Int64 } from "../lib/decimal.ts";
import { DeadlineHeap } from "../structures/deadline_heap.ts";

/** The last double that 64 bits hold: later times, which never come, are rounded to it. */
const LAST_MS = 2 ** 63 - 1024;

// scratch: lives for one call
const due = new Int64();

export class Deadlines {
  readonly #clock: Clock;
  /** Slot of the heap by handle. */
  readonly #slots: number[] = [0];
  readonly #actions: ((() => void) | null)[] = [null];
  readonly #free: number[] = [];
  readonly #heap = new DeadlineHeap({ moved: (handle, slot) => (this.#slots[handle] = slot) });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The earliest deadline in Unix ms, or Infinity. */
  get next(): number {
    return this.#heap.minDeadline;
  }

  /** Calls `action` once `deadlineMs` (Unix time) has come; returns a handle for `cancel`. */
  at(deadlineMs: number, action: () => void): number {
    const handle = this.#free.pop() ?? this.#actions.length;
    this.#actions[handle] = action;
    due.setNumber(Math.min(deadlineMs, LAST_MS));
    this.#heap.push(handle, due);
    return handle;
  }

  /** Undoes `at`. The action must not have run or been cancelled already. */
  cancel(handle: number): void {
    this.#heap.removeAt(this.#slots[handle]);
    this.#release(handle);
  }

  /** Runs what is due. */
  run(): void {
    while (this.#heap.minDeadline <= this.#clock.nowMs()) {
      const handle = this.#heap.minRef;
      const action = this.#actions[handle];
      this.cancel(handle);
      action?.();
    }
  }

  #release(handle: number): void {
    this.#actions[handle] = null;
    this.#free.push(handle);
  }
}
