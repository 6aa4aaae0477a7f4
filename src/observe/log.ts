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
  /** Takes one line with its line feed. */
  sink: (line: string) => void;
  readonly #pid: number;

  constructor(pid: number, sink: (line: string) => void) {
    this.#pid = pid;
    this.sink = sink;
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
    this.sink(`${this.#pid}:M ${timestamp(new Date())} ${SIGNS[level]} ${message}\n`);
  }
}

/** "20 Nov 2026 22:45:40.123", local time. */
function timestamp(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${two(date.getDate())} ${MONTHS[date.getMonth()]} ${date.getFullYear()}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
