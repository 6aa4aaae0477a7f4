/** Writes to standard output and standard error, such that a failure does not end the server. */

const encoder = new TextEncoder();

interface Output {
  writeSync(bytes: Uint8Array): number;
}

/** Writes all of `text`; throws the system's error. */
export function write(output: Output, text: string): void {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length;) at += output.writeSync(bytes.subarray(at));
}

/** As `write`, but drops what can't be written (the disk is full, the reader of a pipe has gone). */
export function writeQuietly(output: Output, text: string): void {
  try {
    write(output, text);
  } catch {
    // There is nowhere left to report it.
  }
}
