/** Where the log's lines go: standard output, standard error, or a file. */
import type { SyncWriter } from "../lib/write_all.ts";
import { write } from "./output.ts";

/** The standard streams under the names of files that the runtime lets nobody open. */
const STREAMS: Readonly<Record<string, SyncWriter>> = {
  "": Deno.stdout,
  "/dev/stdout": Deno.stdout,
  "/dev/fd/1": Deno.stdout,
  "/proc/self/fd/1": Deno.stdout,
  "/dev/stderr": Deno.stderr,
  "/dev/fd/2": Deno.stderr,
  "/proc/self/fd/2": Deno.stderr,
};

/** Whether `logfile` names a standard stream, where whoever starts the server sees it. */
export function isStream(path: string): boolean {
  return Object.hasOwn(STREAMS, path);
}

/** Takes the log's lines. Throws the system's error if it can't open the file, and later if a line can't be written. */
export function logSink(path: string): (line: string) => void {
  if (isStream(path)) return (line) => write(STREAMS[path], line);
  const file = new LogFile(path);
  return (line) => file.write(line);
}

/**
 * A log file that may be moved away, as logrotate does it, and whose relative path starts at the current directory: each
 * line goes where the path leads then. It is kept open because opening a pipe waits for whoever reads it.
 */
class LogFile {
  readonly #path: string;
  #file: Deno.FsFile | null;

  constructor(path: string) {
    this.#path = path;
    this.#file = openLog(path);
  }

  write(line: string): void {
    if (this.#file !== null && !this.#isInPlace(this.#file)) {
      this.#file.close();
      this.#file = null;
    }
    this.#file ??= openLog(this.#path);
    write(this.#file, line);
  }

  #isInPlace(file: Deno.FsFile): boolean {
    try {
      const { dev, ino } = Deno.statSync(this.#path);
      const own = file.statSync();
      return own.dev === dev && own.ino === ino;
    } catch {
      return false;
    }
  }
}

function openLog(path: string): Deno.FsFile {
  return Deno.openSync(path, { append: true, create: true });
}
