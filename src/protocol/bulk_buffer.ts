/**
 * A large argument in a buffer of its own, which the socket has read straight into: whoever keeps the argument takes
 * the buffer over instead of copying it.
 */
import { detach } from "../lib/detach.ts";

export class BulkBuffer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Whether another object owns the bytes: `free` leaves them alone then. */
  isShared = false;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  /** Another object over the same bytes, which this one goes on to own. */
  alias(): BulkBuffer {
    const alias = new BulkBuffer(this.bytes);
    alias.isShared = true;
    return alias;
  }

  /** Hands the bytes over to the caller; null if another object owns them already. */
  take(): Uint8Array | null {
    if (this.isShared) return null;
    this.isShared = true;
    return this.bytes;
  }

  /** Frees the memory, unless another object owns it. */
  free(): void {
    if (!this.isShared) detach(this.bytes);
  }
}
