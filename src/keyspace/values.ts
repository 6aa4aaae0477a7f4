// hot path
/**
 * Values of entries: strings as bytes wherever they lie, their encoding, and what must be done for a
 * value that dies or is copied.
 */
import { Int64, parseInt64, writeInt64 } from "../lib/decimal.ts";
import type { Ref } from "../structures/arena.ts";
import { copyBytes, Encoding, type Entries, LargeString } from "./entry.ts";

/** Longest string that OBJECT ENCODING calls embstr; longer ones are raw. */
const EMBSTR_MAX = 44;
/** No 64-bit integer has more characters. */
const INTEGER_TEXT_MAX = 20;

/** A string value, read in place: `bytes[start, end)`. One is reused by each reader. */
export class StringValue {
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  start = 0;
  end = 0;
  readonly #text = new Uint8Array(INTEGER_TEXT_MAX + 4);
  readonly #textView = new DataView(this.#text.buffer);

  get length(): number {
    return this.end - this.start;
  }

  /** Reads the open entry, which is a string; an integer becomes its digits. */
  read(entries: Entries): void {
    if (entries.encoding === Encoding.int) {
      const view = entries.view;
      const at = entries.valueStart;
      this.bytes = this.#text;
      this.view = this.#textView;
      this.start = 0;
      this.end = writeInt64(view.getInt32(at + 4, true), view.getInt32(at, true), this.#text, 0);
    } else if (entries.encoding === Encoding.object) {
      const large = largeString(entries);
      this.bytes = large.content;
      this.view = large.view;
      this.start = 0;
      this.end = large.length;
    } else {
      this.bytes = entries.bytes;
      this.view = entries.view;
      this.start = entries.valueStart;
      this.end = entries.valueEnd;
    }
  }

  /** Makes this the empty string. */
  clear(): void {
    this.start = this.end = 0;
  }
}

/** The large string of the open entry. */
export function largeString(entries: Entries): LargeString {
  return entries.object() as LargeString;
}

const parsed = new Int64();

/** Whether `bytes[start, end)` is the text of a 64-bit integer; then `integerFound` holds it. */
export function isIntegerText(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > INTEGER_TEXT_MAX || end === start) return false;
  const first = bytes[start];
  // Most strings are told apart by their first byte: a digit or a minus.
  if (first > 0x39 || (first < 0x30 && first !== 0x2d)) return false;
  return parseInt64(bytes, start, end, parsed);
}

/** The integer that `isIntegerText` found last. */
export const integerFound: Int64 = parsed;

/** The encoding of a short string that is no integer. */
export function stringEncoding(size: number): number {
  return size <= EMBSTR_MAX ? Encoding.embstr : Encoding.raw;
}

/** What OBJECT ENCODING answers for the open entry. */
export function encodingName(entries: Entries): string {
  switch (entries.encoding) {
    case Encoding.embstr:
      return "embstr";
    case Encoding.int:
      return "int";
    case Encoding.raw:
      return "raw";
    default:
      return entries.object().encodingName;
  }
}

/** Forgets the value of `ref` where it lies outside the arena; the entry's block stays. */
export function releaseValue(entries: Entries, ref: Ref): void {
  entries.open(ref);
  if (entries.encoding !== Encoding.object) return;
  const index = entries.view.getUint32(entries.valueStart, true);
  entries.outsideBytes -= entries.objects.get(index).bytes;
  entries.objects.remove(index);
}

/** A copy of a large value, for COPY. */
export function cloneObject(value: LargeString): LargeString {
  const content = new Uint8Array(value.length);
  copyBytes(value.content, 0, value.length, content, 0);
  return new LargeString(content, value.length);
}

/** Bytes that the open entry takes, its value's object included: MEMORY USAGE. */
export function entryBytes(entries: Entries): number {
  let bytes = entries.arena.blockSize(entries.ref);
  if (entries.keyBytes !== entries.bytes) bytes += entries.keyBytes.length;
  if (entries.encoding === Encoding.object) bytes += entries.object().bytes;
  return bytes;
}
