/**
 * The server's log: lines "pid:role date level message", as Redis writes them, to a sink that the app
 * gives it (standard output, or the file of `logfile`).
 */

export const LEVELS = ["debug", "verbose", "notice", "warning", "nothing"] as const;
export type Level = (typeof LEVELS)[number];

const SIGNS: Record<Level, string> = {
  debug: ".",
  verbose: "-",
  notice: "*",
  warning: "#",
  nothing: "",
};
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

export class Log {
  level: Level = "notice";
  /** Lines that could not be written: the disk is full, or nobody reads them any more. */
  lostLines = 0;
  /** How many of the lost lines the log has mentioned since. */
  #mentionedLines = 0;
  readonly #pid: number;
  readonly #sink: (line: string) => void;

  /** `sink` takes one line with its line feed. It may throw: the line is then counted as lost, and the server goes on. */
  constructor(pid: number, sink: (line: string) => void) {
    this.#pid = pid;
    this.#sink = sink;
  }

  /** Shows a picture of several lines, whatever the level. */
  banner(text: string): void {
    if (!this.#put(text)) this.lostLines++;
  }

  debug(message: string): void {
    this.#write("debug", message);
  }

  verbose(message: string): void {
    this.#write("verbose", message);
  }

  notice(message: string): void {
    this.#write("notice", message);
  }

  warning(message: string): void {
    this.#write("warning", message);
  }

  #write(level: Level, message: string): void {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(this.level)) return;
    if (!this.#mentionsLost() || !this.#put(this.#line(level, message))) this.lostLines++;
  }

  /** Logs how many lines are missing; returns whether the log can be written. */
  #mentionsLost(): boolean {
    const lost = this.lostLines - this.#mentionedLines;
    if (lost === 0) return true;
    if (!this.#put(this.#line("warning", `${lost} lines of this log could not be written`))) {
      return false;
    }
    this.#mentionedLines = this.lostLines;
    return true;
  }

  #line(level: Level, message: string): string {
    return `${this.#pid}:M ${timestamp(new Date())} ${SIGNS[level]} ${message}\n`;
  }

  /** Returns whether it could be written. */
  #put(text: string): boolean {
    try {
      this.#sink(text);
      return true;
    } catch {
      return false;
    }
  }
}

/** "20 Nov 2026 22:45:40.123", local time. */
function timestamp(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${two(date.getDate())} ${MONTHS[date.getMonth()]} ${date.getFullYear()}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
