/** Gathers what is printed, so that a reply of a million lines is not a million writes. */
import { type SyncWriter, writeAllSync } from "../../lib/write_all.ts";

const BUFFER_BYTES = 1 << 16;

export class Output {
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #filled = 0;

  constructor(readonly writer: SyncWriter) {}

  /** A text of one character a byte. */
  text(binary: string): void {
    for (let at = 0; at < binary.length; at++) {
      if (this.#filled === BUFFER_BYTES) this.flush();
      this.#buffer[this.#filled++] = binary.charCodeAt(at);
    }
  }

  /** A text of Unicode, as UTF-8. */
  unicode(text: string): void {
    this.bytes(new TextEncoder().encode(text));
  }

  bytes(bytes: Uint8Array): void {
    if (this.#filled + bytes.length > BUFFER_BYTES) this.flush();
    if (bytes.length > BUFFER_BYTES) return writeAllSync(this.writer, bytes);
    this.#buffer.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  flush(): void {
    const filled = this.#filled;
    this.#filled = 0;
    writeAllSync(this.writer, this.#buffer.subarray(0, filled));
  }
}
