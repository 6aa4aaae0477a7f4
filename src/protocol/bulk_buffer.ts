/**
 * A large argument in a buffer of its own, which the socket has read straight into: a command that stores the argument
 * takes the buffer over instead of copying it.
 */
import { detach } from "../lib/detach.ts";

export class BulkBuffer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Whether another object owns the bytes: `free` leaves them alone then. */
  isShared = false;
  /** Whether the bytes may still be read as an argument: of a request that runs, or is queued. */
  #isArgument = true;

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

  /** Hands the bytes over to the caller; returns false if another object owns them already. */
  take(): boolean {
    if (this.isShared) return false;
    this.isShared = true;
    return true;
  }

  /**
   * The object that has taken the bytes needs them no more. They stay while they are an argument, because a command is
   * propagated and logged after it has run, and it may have deleted its own value: MSET may name one key twice.
   */
  giveBack(): void {
    this.isShared = false;
    if (!this.#isArgument) detach(this.bytes);
  }

  /** The bytes are no argument any more: frees the memory, unless another object owns it. */
  free(): void {
    this.#isArgument = false;
    if (!this.isShared) detach(this.bytes);
  }
}
