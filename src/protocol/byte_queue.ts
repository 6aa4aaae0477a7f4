/** Bytes that are put in at one end, piece by piece, and taken out at the other. */
import { binaryBytes } from "./args.ts";

const SIZE_MIN = 256;
/** A buffer beyond this goes when it has been emptied. */
const KEPT_MAX = 64 * 1024;

export class ByteQueue {
  #bytes = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  add(bytes: Uint8Array): void {
    const at = this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Adds a text whose characters are bytes. */
  addText(text: string): void {
    this.add(binaryBytes(text));
  }

  addByte(byte: number): void {
    const at = this.#makeRoom(1);
    this.#bytes[at] = byte;
  }

  addU32(value: number): void {
    const at = this.#makeRoom(4);
    this.#view.setUint32(at, value, true);
  }

  addI64(value: bigint): void {
    const at = this.#makeRoom(8);
    this.#view.setBigInt64(at, value, true);
  }

  addF64(value: number): void {
    const at = this.#makeRoom(8);
    this.#view.setFloat64(at, value, true);
  }

  /** Writes over four bytes that lie `at` behind the start. */
  setU32(at: number, value: number): void {
    this.#view.setUint32(this.#start + at, value, true);
  }

  /** The number in the four bytes `at` behind the start. */
  u32(at: number): number {
    return this.#view.getUint32(this.#start + at, true);
  }

  byte(at: number): number {
    return this.#bytes[this.#start + at];
  }

  /** Where `byte` lies behind the start, from `from` on; −1 if it does not. */
  indexOf(byte: number, from = 0): number {
    // To look on behind the end costs less than to make an array that ends there.
    const at = this.#bytes.indexOf(byte, this.#start + from);
    return at < 0 || at >= this.#end ? -1 : at - this.#start;
  }

  /** Some of its bytes, which stay until more are added. */
  view(start = 0, end = this.length): Uint8Array {
    return this.#bytes.subarray(this.#start + start, this.#start + end);
  }

  /** Takes `count` bytes out. */
  skip(count: number): void {
    this.#start += count;
    if (this.#start < this.#end) return;
    this.#start = this.#end = 0;
    if (this.#bytes.length > KEPT_MAX) this.#use(new Uint8Array(0));
  }

  /** Fills `into` as far as it goes; returns how many bytes those were. */
  take(into: Uint8Array): number {
    const count = Math.min(into.length, this.length);
    into.set(this.view(0, count));
    this.skip(count);
    return count;
  }

  /** Makes room for `size` bytes more; returns where they go. */
  #makeRoom(size: number): number {
    if (this.#end + size > this.#bytes.length) this.#grow(this.length + size);
    this.#end += size;
    return this.#end - size;
  }

  #grow(needed: number): void {
    const old = this.view();
    // Half of the room in front may be free: then moving is enough.
    const isHalfFree = 2 * needed <= this.#bytes.length;
    const to = isHalfFree ? this.#bytes : new Uint8Array(Math.max(SIZE_MIN, 2 * needed));
    if (isHalfFree) to.copyWithin(0, this.#start, this.#end);
    else to.set(old);
    this.#use(to);
    this.#start = 0;
    this.#end = old.length;
  }

  #use(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}
