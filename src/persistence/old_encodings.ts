/**
 * Ziplists and zipmaps, the small collections of Redis before listpacks. Each walk shows the elements in
 * order and returns whether the bytes were valid.
 *
 * ```
 * ziplist  u32 bytes · u32 tail · u16 count · element* · 0xff
 * element  bytes of the one before (u8, or 0xfe u32) · encoding · content
 *          00nnnnnn | 01nnnnnn n | 10000000 n:4 big-endian: a string
 *          c0 int16 | d0 int32 | e0 int64 | f0 int24 | fe int8 | f1 to fd: 0 to 12
 * zipmap   u8 count · (length · key · length · u8 free · value · free bytes)* · 0xff
 * length   u8 below 254, or 0xfe u32
 * ```
 *
 * Source: https://github.com/sripathikrishnan/redis-rdb-tools/wiki/Redis-RDB-Dump-File-Format
 */
import { assert } from "../lib/assert.ts";
import type { Slice } from "../lib/slice.ts";

const HEADER_BYTES = 10;
const TAIL_AT = 4;
const COUNT_AT = 8;
/** The stored count if there are more elements than it can express. */
const COUNT_UNKNOWN = 0xffff;
const END = 0xff;
const BIG = 0xfe;

/** Shows the ziplist `bytes` of `of`; `visit` returns false to stop, which makes the walk fail. */
export function walkZiplist(of: Slice, into: Slice, visit: () => boolean): boolean {
  const { bytes, view, start, end } = of;
  assert(start <= end, "a string does not end before it begins");
  assert(end <= bytes.length, "a string lies in its bytes");
  if (end - start < HEADER_BYTES + 1 || view.getUint32(start, true) !== end - start) return false;
  let at = start + HEADER_BYTES;
  let last = at;
  let previousBytes = 0;
  let count = 0;
  while (at < end - 1 && bytes[at] !== END) {
    last = at;
    const isBig = bytes[at] === BIG;
    if (isBig && at + 5 > end) return false;
    if ((isBig ? view.getUint32(at + 1, true) : bytes[at]) !== previousBytes) return false;
    const next = readElement(bytes, view, at + (isBig ? 5 : 1), end - 1, into);
    if (next === 0 || !visit()) return false;
    assert(next > at, "an element takes some bytes");
    assert(next < end, "an element ends before the mark");
    previousBytes = next - at;
    count++;
    at = next;
  }
  if (at !== end - 1 || bytes[at] !== END) return false;
  const stored = view.getUint16(start + COUNT_AT, true);
  const isCounted = stored === COUNT_UNKNOWN || stored === count;
  return isCounted && view.getUint32(start + TAIL_AT, true) === last - start;
}

/** Reads the element whose encoding is at `at`; returns its end, 0 if that is beyond `end`. */
function readElement(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  into: Slice,
): number {
  assert(end <= bytes.length, "what is read lies in its bytes");
  if (at >= end) return 0;
  const first = bytes[at];
  if (first >= 0xc0) return readInteger(view, at, end, into);
  let length = first & 63;
  let from = at + 1;
  if (first >= 0x80) {
    if (at + 5 > end) return 0;
    length = view.getUint32(at + 1);
    from = at + 5;
  } else if (first >= 0x40) {
    if (at + 2 > end) return 0;
    length = (length << 8) | bytes[at + 1];
    from = at + 2;
  }
  if (length > end - from) return 0;
  assert(length >= 0, "a length is not negative");
  assert(from + length <= end, "an element ends before the mark");
  into.set(bytes, view, from, from + length);
  return from + length;
}

/** Bytes of an integer behind its encoding. */
const INTEGER_BYTES: Record<number, number> = { 0xc0: 2, 0xd0: 4, 0xe0: 8, 0xf0: 3, 0xfe: 1 };

function readInteger(view: DataView, at: number, end: number, into: Slice): number {
  const first = view.getUint8(at);
  assert(first >= 0xc0, "a lower code is a string's");
  if (first >= 0xf1 && first <= 0xfd) {
    into.setInt64(0, first - 0xf1);
    return at + 1;
  }
  const size = INTEGER_BYTES[first];
  if (size === undefined || at + 1 + size > end) return 0;
  assert(size <= 8, "an integer has 64 bits at most");
  let lo = 0;
  for (let i = 0; i < Math.min(size, 4); i++) lo |= view.getUint8(at + 1 + i) << (8 * i);
  if (size < 4) lo = lo << (32 - 8 * size) >> (32 - 8 * size);
  into.setInt64(size === 8 ? view.getInt32(at + 5, true) : lo >> 31, lo);
  return at + 1 + size;
}

/** Shows the zipmap `of`: keys and values in turn. */
export function walkZipmap(of: Slice, into: Slice, visit: () => boolean): boolean {
  const { bytes, view, start, end } = of;
  assert(start <= end, "a string does not end before it begins");
  assert(end <= bytes.length, "a string lies in its bytes");
  let at = start + 1;
  let isValue = false;
  let count = 0;
  while (at < end - 1 && bytes[at] !== END) {
    let length = bytes[at++];
    if (length === BIG) {
      if (at + 4 > end) return false;
      length = view.getUint32(at, true);
      at += 4;
    }
    const free = isValue && at < end ? bytes[at++] : 0;
    if (length > end - at) return false;
    assert(at + length <= end, "an element lies in the map");
    into.set(bytes, view, at, at + length);
    if (!visit()) return false;
    at += length + free;
    if (isValue) count++;
    isValue = !isValue;
  }
  const isCounted = bytes[start] === BIG || bytes[start] === count;
  return isCounted && !isValue && at === end - 1 && bytes[at] === END;
}
