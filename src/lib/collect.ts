/** Has V8 collect garbage, in a process that is idle and would not do so by itself. */

/** V8 counts the buffers that it has given out since the last collection: so much makes it look which are still in use. */
const COUNT = 8;
const BYTES = 64 * 1024 * 1024;

/** For memory outside V8's heap that can't be freed explicitly, as that of WebAssembly. The buffers are never touched. */
export function provokeCollection(): void {
  try {
    for (let i = 0; i < COUNT; i++) new ArrayBuffer(BYTES);
  } catch {
    // There is no room for one: V8 has collected what it could before it said so.
  }
}
