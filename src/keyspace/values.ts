// hot path
/**
 * Values of entries: strings as bytes wherever they lie, their encoding, and how values are freed and
 * measured.
 */
import { Int64, parseInt64 } from "../lib/decimal.ts";
import { Slice } from "../lib/slice.ts";
import type { Ref } from "../structures/arena.ts";
import { Encoding, type Entries, type LargeString } from "./entry.ts";

/** Longest string that OBJECT ENCODING calls embstr; longer ones are raw. */
const EMBSTR_MAX = 44;
/** No 64-bit integer has more characters. */
const INTEGER_TEXT_MAX = 20;

/** A value with more elements than this is freed in slices. */
const EFFORT_AT_ONCE = 64;

/** A string value, read in place: `bytes[start, end)`. One is reused by each reader. */
export class StringValue extends Slice {
  /** Reads the open entry, which is a string; an integer becomes its digits. */
  read(entries: Entries): void {
    if (entries.encoding === Encoding.int) {
      const view = entries.view;
      const at = entries.valueStart;
      this.setInt64(view.getInt32(at + 4, true), view.getInt32(at, true));
    } else if (entries.encoding === Encoding.object) {
      const large = largeString(entries);
      this.set(large.content, large.view, 0, large.length);
    } else {
      this.set(entries.bytes, entries.view, entries.valueStart, entries.valueEnd);
    }
  }
}

/** The large string of the open entry. */
export function largeString(entries: Entries): LargeString {
  return entries.object() as LargeString;
}

// scratch: lives for one call
const parsed = new Int64();

/** Whether `bytes[start, end)` is the text of a 64-bit integer; then `integerFound` holds it. */
export function isIntegerText(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > INTEGER_TEXT_MAX || end === start) return false;
  const first = bytes[start];
  // The first byte rules most strings out: it is no digit and no minus.
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
    case Encoding.listpack:
      return "listpack";
    case Encoding.intset:
      return "intset";
    default:
      return entries.object().encodingName;
  }
}

/** Frees the value of `ref` if it is an object; the entry's block stays. */
export function releaseValue(entries: Entries, ref: Ref): void {
  entries.open(ref);
  if (entries.encoding === Encoding.object) releaseObjectAt(entries, entries.objectIndex());
}

/** Frees the object at `index` of the side table, which no entry refers to: at once, or in slices if it is large. */
export function releaseObjectAt(entries: Entries, index: number): void {
  const object = entries.objects.get(index);
  entries.objects.remove(index);
  entries.outsideBytes -= object.accountedBytes;
  object.accountedBytes = 0;
  if (object.effort > EFFORT_AT_ONCE) entries.toFree.push(object);
  else object.release(Infinity);
}

/** Bytes that the open entry takes, its value's object included: MEMORY USAGE. */
export function entryBytes(entries: Entries): number {
  let bytes = entries.arena.blockSize(entries.ref);
  if (entries.keyBytes !== entries.bytes) bytes += entries.keyBytes.length;
  if (entries.encoding === Encoding.object) {
    const object = entries.object();
    bytes += object.bytes + object.arenaBytes;
  }
  return bytes;
}
