/** Writes to standard output and standard error, such that a failure does not end the server. */
import { type SyncWriter, writeAllSync } from "../lib/write_all.ts";

const encoder = new TextEncoder();

/** Writes all of `text`; throws the system's error. */
export function write(output: SyncWriter, text: string): void {
  writeAllSync(output, encoder.encode(text));
}

/** As `write`, but drops what can't be written (the disk is full, the reader of a pipe has gone). */
export function writeQuietly(output: SyncWriter, text: string): void {
  try {
    write(output, text);
  } catch {
    // There is nowhere left to report it.
  }
}
