/** Writes all bytes to a file or a stream, each call of which may take only some of them. */
import { assert } from "./assert.ts";
import { NO_BYTES } from "./slice.ts";

export interface SyncWriter {
  writeSync(bytes: Uint8Array): number;
}

export interface AsyncWriter {
  write(bytes: Uint8Array): Promise<number>;
}

/** Throws the system's error; some of the bytes may have been written then. */
export function writeAllSync(to: SyncWriter, bytes: Uint8Array): void {
  for (let rest = bytes; rest.length > 0;) rest = behind(rest, to.writeSync(rest));
}

/** As `writeAllSync`, beside the event loop. */
export async function writeAll(to: AsyncWriter, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) rest = behind(rest, await to.write(rest));
}

/** What is left when `count` bytes were written. */
function behind(bytes: Uint8Array, count: number): Uint8Array {
  assert(count > 0, "a write takes some of what it is given");
  assert(count <= bytes.length, "a write takes no more than it is given");
  return count === bytes.length ? NO_BYTES : bytes.subarray(count);
}
