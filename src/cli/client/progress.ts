/** How far long work has come, in one line that is written again and again: on standard error, at a terminal only. */
import { Output } from "./output.ts";
import type { Surroundings } from "./surroundings.ts";

const INTERVAL_MS = 200;
const CLEAR_LINE = "\r\x1b[K";

export class Progress {
  readonly #output: Output | null;
  #shownAt = -Infinity;
  #isShown = false;

  constructor({ isErrorTerminal, stderr }: Surroundings) {
    this.#output = isErrorTerminal ? new Output(stderr) : null;
  }

  /** Shows what `text` gives, if something was shown longer ago. */
  show(text: () => string): void {
    if (this.#output === null || performance.now() - this.#shownAt < INTERVAL_MS) return;
    this.#shownAt = performance.now();
    this.#isShown = true;
    this.#output.text(`${CLEAR_LINE}${text()}`);
    this.#output.flush();
  }

  /** Takes the line away, before others are written. */
  clear(): void {
    if (this.#output === null || !this.#isShown) return;
    this.#isShown = false;
    this.#output.text(CLEAR_LINE);
    this.#output.flush();
  }
}
