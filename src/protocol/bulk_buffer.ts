/**
 * A large argument in a buffer of its own, which the socket has read straight into: a command that stores the argument
 * takes the buffer over instead of copying it. A snapshot that writes the value part by part holds the buffer meanwhile.
 */
import { assert } from "../lib/assert.ts";
import { detach } from "../lib/detach.ts";

export class BulkBuffer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Whether another object owns the bytes: `free` leaves them alone then. */
  isShared = false;
  /** Whether the bytes may still be read as an argument: of a request that runs, or is queued. */
  #isArgument = true;
  /** How many read the bytes over several turns of the event loop. */
  #holders = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  /** The buffer of a value that was never an argument; the value owns it. */
  static ofValue(bytes: Uint8Array): BulkBuffer {
    const buffer = new BulkBuffer(bytes);
    buffer.isShared = true;
    buffer.#isArgument = false;
    return buffer;
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
    this.#freeIfUnused();
  }

  /** The bytes are no argument any more: frees the memory, unless another object owns it. */
  free(): void {
    this.#isArgument = false;
    this.#freeIfUnused();
  }

  /** Keeps the bytes as they are until `letGo`, whatever becomes of the value. */
  hold(): void {
    this.#holders++;
  }

  letGo(): void {
    assert(this.#holders > 0, "what is let go of was held");
    this.#holders--;
    this.#freeIfUnused();
  }

  /** Whether the bytes must not change. */
  get isHeld(): boolean {
    return this.#holders > 0;
  }

  #freeIfUnused(): void {
    if (!this.isShared && !this.#isArgument && this.#holders === 0) detach(this.bytes);
  }
}
