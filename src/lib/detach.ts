/**
 * Gives the memory of a large buffer back at once. It is empty from now on and must not be used any more. The collector
 * would free it too, but nobody knows when, and until then hundreds of megabytes may be resident. A write to a socket
 * that is under way keeps the memory until it is over.
 */
export function detach({ buffer }: ArrayBufferView): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
