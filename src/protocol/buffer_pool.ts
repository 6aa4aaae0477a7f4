// hot path
/**
 * Buffers for replies, lent to a client from its first reply until the bytes are sent: an idle client holds
 * none, and a busy server uses the same few again and again.
 */

/** 4 KiB hold the replies to 64 GETs of 32 bytes. */
export const POOLED_BYTES = 4096;
const KEPT_MAX = 64;
const kept: Uint8Array[] = [];

export function takeBuffer(): Uint8Array {
  return kept.pop() ?? new Uint8Array(POOLED_BYTES);
}

/** Gives a buffer back that nobody refers to any more; others than pooled ones are left to the collector. */
export function giveBuffer(buffer: Uint8Array): void {
  if (buffer.length === POOLED_BYTES && kept.length < KEPT_MAX) kept.push(buffer);
}
