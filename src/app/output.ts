/** Standard output, standard error and the log: what can't be written there ends nothing. */

const encoder = new TextEncoder();

interface Output {
  writeSync(bytes: Uint8Array): number;
}

/** Writes all of `text`; throws the system's error. */
export function write(output: Output, text: string): void {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length;) at += output.writeSync(bytes.subarray(at));
}

/** As `write`; what can't be written is dropped: the disk is full, or nobody reads any more. */
export function writeQuietly(output: Output, text: string): void {
  try {
    write(output, text);
  } catch {
    // There is nobody who could be told.
  }
}
