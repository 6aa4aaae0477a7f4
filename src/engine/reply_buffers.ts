/**
 * The size of the buffer that each client's replies begin with, which follows what the client is sent: INFO counts how
 * often it grew and shrank, DEBUG REPLYBUFFER sets how quickly a peak is forgotten.
 */
import type { ReplyWriter } from "../protocol/reply_writer.ts";

/** A peak is forgotten after so many milliseconds, as in Redis. */
export const PEAK_RESET_MS = 5000;

export class ReplyBuffers {
  /** DEBUG REPLYBUFFER RESIZING. */
  isResizing = true;
  /** DEBUG REPLYBUFFER PEAK-RESET-TIME; Infinity: never. */
  peakResetMs = PEAK_RESET_MS;
  expands = 0;
  shrinks = 0;
  #forgottenAtMs = 0;

  /** Called ten times a second. */
  tick(clients: Iterable<{ readonly reply: ReplyWriter }>, nowMs: number): void {
    // Not only later, but also earlier by more than the time: the system's clock was set back.
    const forgets = Math.abs(nowMs - this.#forgottenAtMs) >= this.peakResetMs;
    if (forgets) this.#forgottenAtMs = nowMs;
    for (const { reply } of clients) {
      if (this.isResizing) this.#count(reply.adapt());
      if (forgets) reply.forgetPeak();
    }
  }

  #count(step: number): void {
    if (step > 0) this.expands++;
    else if (step < 0) this.shrinks++;
  }

  /** CONFIG RESETSTAT. */
  reset(): void {
    this.expands = this.shrinks = 0;
  }
}
