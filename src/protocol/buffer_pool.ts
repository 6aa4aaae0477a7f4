// hot path
/**
 * Buffers for replies, lent to a client from its first reply until the bytes are sent: an idle client holds
 * none, and a busy server uses the same few again and again.
 *
 * They come in six sizes. 1 KiB holds a reply of usual length, 4 KiB the replies to 64 GETs of 32 bytes, 256 KiB
 * those to 64 LRANGEs of 100 such elements; a larger buffer is made when it is needed, and not kept.
 */
import { detach } from "../lib/detach.ts";

/** The size of the largest buffers that are kept. */
export const POOLED_MAX_BYTES = 262_144;
/** Sizes of the buffer that a client's replies begin with: see `ReplyWriter.adapt`. */
export const FIRST_SIZES = [1024, 4096, 16_384];
const SIZES = [...FIRST_SIZES, 32_768, 65_536, POOLED_MAX_BYTES];
/** How many of each size are kept: some 10 MiB in all, at most. */
const KEPT_MAX = [64, 64, 64, 64, 48, 16];

/** Bytes, and the view that writes several of them at once. */
export class ReplyBuffer {
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }
}

/** Memory of a buffer of which `used` bytes are written: pages of a large one take none until they are. */
export function memoryOf({ bytes }: ReplyBuffer, used: number): number {
  return bytes.length <= POOLED_MAX_BYTES ? bytes.length : used;
}

export const NO_BUFFER = new ReplyBuffer(0);

/** The buffers of one server. */
export class BufferPool {
  /** By size. */
  readonly #kept: readonly ReplyBuffer[][] = SIZES.map(() => []);

  /** Bytes of buffers that several outputs refer to: see SharedBytes, which counts them. */
  sharedBytes = 0;

  /** A buffer of at least `size` bytes, with what it held before. */
  take(size: number): ReplyBuffer {
    for (let i = 0; i < SIZES.length; i++) {
      if (size <= SIZES[i]) return this.#kept[i].pop() ?? new ReplyBuffer(SIZES[i]);
    }
    return new ReplyBuffer(size);
  }

  /** Takes back a buffer that is not referred to any more; frees it if enough of its size are kept. */
  give(buffer: ReplyBuffer): void {
    if (buffer === NO_BUFFER) return;
    const i = SIZES.indexOf(buffer.bytes.length);
    if (i >= 0 && this.#kept[i].length < KEPT_MAX[i]) this.#kept[i].push(buffer);
    else detach(buffer.bytes);
  }

  /** Frees all buffers that are kept. */
  release(): void {
    for (const buffers of this.#kept) {
      for (const { bytes } of buffers) detach(bytes);
      buffers.length = 0;
    }
  }
}
