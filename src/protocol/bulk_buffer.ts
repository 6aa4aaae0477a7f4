/**
 * A large argument in a buffer of its own, which the socket has read straight into: whoever keeps the argument takes the
 * buffer over instead of copying it.
 */
import { detach } from "../lib/detach.ts";

export class BulkBuffer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Whether somebody else keeps the bytes, too: then `free` leaves them. */
  isShared = false;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  /** The same bytes, which stay this one's. */
  alias(): BulkBuffer {
    const alias = new BulkBuffer(this.bytes);
    alias.isShared = true;
    return alias;
  }

  /** The bytes, which are the caller's from now on; null if they are somebody's already. */
  take(): Uint8Array | null {
    if (this.isShared) return null;
    this.isShared = true;
    return this.bytes;
  }

  /** Gives the memory back, unless somebody has taken it. */
  free(): void {
    if (!this.isShared) detach(this.bytes);
  }
}
