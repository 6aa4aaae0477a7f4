/**
 * Gives the memory of a large buffer back at once. Nobody may look at it any more: it is empty from now on. The collector
 * would free it too, but when it runs is chance, and until then hundreds of megabytes may be resident. A write of the
 * runtime that is under way holds the memory by itself.
 */
export function detach({ buffer }: ArrayBufferView): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
