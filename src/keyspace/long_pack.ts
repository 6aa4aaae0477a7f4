/** A listpack or an intset that is too long to lie in its entry: its bytes in a buffer of their own. */
import { detach } from "../lib/detach.ts";
import { Encoding, type HeapValue } from "./entry.ts";

/** Memory of the object and its buffer, beside the bytes. */
const OVERHEAD_BYTES = 200;

export class LongPack implements HeapValue {
  readonly arenaBytes = 0;
  readonly effort = 1;
  /** Never: an empty listpack lies in its entry. */
  readonly isEmpty = false;
  accountedBytes = 0;
  content: Uint8Array;
  view: DataView;

  /** Takes a copy of `bytes[start, start + used)`, with room for `size` bytes; `encoding` is that of an inline value. */
  constructor(
    readonly encoding: number,
    bytes: Uint8Array,
    start: number,
    used: number,
    size: number,
  ) {
    this.content = new Uint8Array(size);
    this.content.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, used));
    this.view = new DataView(this.content.buffer);
  }

  get encodingName(): string {
    return this.encoding === Encoding.intset ? "intset" : "listpack";
  }

  get bytes(): number {
    return this.content.length + OVERHEAD_BYTES;
  }

  /** Gets room for `size` bytes, keeping what fits of its content. */
  resize(size: number): void {
    const { content } = this;
    this.content = new Uint8Array(size);
    this.content.set(new Uint8Array(content.buffer, 0, Math.min(size, content.length)));
    this.view = new DataView(this.content.buffer);
  }

  clone(): LongPack {
    const { content } = this;
    return new LongPack(this.encoding, content, 0, content.length, content.length);
  }

  release(): boolean {
    this.dispose();
    return true;
  }

  dispose(): void {
    detach(this.content);
  }
}
