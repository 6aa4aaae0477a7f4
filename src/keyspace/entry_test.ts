import { BulkBuffer } from "../protocol/bulk_buffer.ts";
import { assertEquals } from "@std/assert";
import { bytesPerCall } from "../lib/alloc.ts";
import { copyBytes } from "../lib/copy.ts";
import type { Ref } from "../structures/arena.ts";
import { Encoding, Entries, EntryFlag, LargeString, Type } from "./entry.ts";
import { Hasher } from "../lib/hash.ts";

/** Key lengths around each change of the layout. */
const KEY_LENGTHS = [0, 1, 254, 255, 256, 32_768, 32_769, 100_000];

function keyOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255);
}

/** An entry whose key is all of `key`. */
function create(
  entries: Entries,
  type: number,
  encoding: number,
  access: number,
  key: Uint8Array,
  valueSize: number,
  room: number,
): Ref {
  const view = new DataView(key.buffer);
  return entries.create(type, encoding, access, key, view, 0, key.length, valueSize, room);
}

Deno.test("an entry gives back its key, its value and its fields, whatever the key's length", () => {
  for (const length of KEY_LENGTHS) {
    const entries = new Entries(new Hasher(1, 2));
    const key = keyOf(length);
    const ref = create(entries, Type.string, Encoding.embstr, 0xabcdef, key, 5, 5);
    entries.open(ref);
    copyBytes(Uint8Array.of(1, 2, 3, 4, 5), 0, 5, entries.bytes, entries.valueStart);
    entries.setFlag(ref, EntryFlag.epoch, true);
    entries.setAccess(ref, 0xfedcba);
    entries.open(ref);
    assertEquals(entries.keyBytes.slice(entries.keyStart, entries.keyEnd), key);
    assertEquals([...entries.bytes.slice(entries.valueStart, entries.valueEnd)], [1, 2, 3, 4, 5]);
    assertEquals([entries.type, entries.encoding], [Type.string, Encoding.embstr]);
    assertEquals(entries.access(ref), 0xfedcba);
    assertEquals(entries.hasFlag(ref, EntryFlag.epoch), true);
    entries.free(ref);
    assertEquals(entries.usedBytes, 0, `${length}`);
  }
});
Deno.test("matches() tells keys apart in every byte and in length", () => {
  for (const length of KEY_LENGTHS.slice(1)) {
    const entries = new Entries(new Hasher(1, 2));
    const key = keyOf(length);
    const ref = create(entries, 0, 0, 0, key, 0, 0);
    const matches = (other: Uint8Array): boolean =>
      entries.matches(ref, other, new DataView(other.buffer), 0, other.length);
    assertEquals(matches(key.slice()), true);
    assertEquals(matches(key.slice(0, -1)), false);
    for (const at of [0, length >> 1, length - 1]) {
      const other = key.slice();
      other[at] ^= 1;
      assertEquals(matches(other), false, `byte ${at} of ${length}`);
    }
  }
});
Deno.test("setValueHeader() changes type, encoding and length and keeps access, key and flags", () => {
  const entries = new Entries(new Hasher(1, 2));
  const ref = create(entries, Type.string, Encoding.raw, 77, keyOf(10), 100, 100);
  entries.setFlag(ref, EntryFlag.epoch, true);
  entries.open(ref);
  entries.setValueHeader(Type.set, Encoding.object, 4);
  entries.open(ref);
  assertEquals([entries.type, entries.encoding], [Type.set, Encoding.object]);
  assertEquals(entries.valueEnd - entries.valueStart, 4);
  assertEquals([entries.access(ref), entries.hasFlag(ref, EntryFlag.epoch)], [77, true]);
  assertEquals(entries.keyEnd - entries.keyStart, 10);
});
Deno.test("the heap slot lies behind the largest value that the room allows", () => {
  for (const length of [3, 300, 40_000]) {
    const entries = new Entries(new Hasher(1, 2));
    const size = entries.inlineMax(length);
    const ref = create(entries, 0, Encoding.raw, 0, keyOf(length), size, size + 4);
    entries.open(ref);
    assertEquals(entries.hasRoomForSlot(), true);
    entries.bytes.fill(0x61, entries.valueStart, entries.valueEnd);
    entries.setFlag(ref, EntryFlag.ttl, true);
    entries.setHeapSlot(ref, 123456);
    entries.open(ref);
    const value = entries.bytes.slice(entries.valueStart, entries.valueEnd);
    assertEquals([value.length, value.every((byte) => byte === 0x61)], [size, true]);
    assertEquals(entries.heapSlot(ref), 123456);
  }
});
Deno.test("object() is the large value whose index the entry holds", () => {
  const entries = new Entries(new Hasher(1, 2));
  const large = new LargeString(new Uint8Array(100_000), 70_000);
  const ref = create(entries, Type.string, Encoding.object, 0, keyOf(3), 4, 4);
  entries.open(ref);
  entries.view.setUint32(entries.valueStart, entries.objects.add(large), true);
  assertEquals(entries.object(), large);
});
Deno.test("a large string that grows step by step is copied seldom", () => {
  const large = new LargeString(new Uint8Array(100_000).fill(1), 100_000);
  let copies = 0;
  for (let length = 100_000; length <= 30_000_000; length += 20_000) {
    const { content } = large;
    large.resize(length);
    if (large.content !== content) copies++;
  }
  assertEquals(copies <= 15, true);
  assertEquals([large.content[99_999], large.content[100_000]], [1, 0]);
});
Deno.test("a large string that becomes longer has zeros there, whatever its buffer held before", () => {
  for (const isHeld of [false, true]) {
    const bytes = new Uint8Array(70_002).fill(7);
    const large = new LargeString(bytes, 70_000, BulkBuffer.ofValue(bytes));
    const shown = (): number[] => [...large.content.slice(69_990, large.length)];
    if (isHeld) large.hold();
    large.resize(70_002);
    assertEquals(shown(), [7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 0, 0]);
    if (isHeld) large.hold();
    large.resize(69_995);
    assertEquals(shown(), [7, 7, 7, 7, 7]);
    large.resize(70_002);
    assertEquals(shown(), [7, 7, 7, 7, 7, 0, 0, 0, 0, 0, 0, 0]);
  }
});
Deno.test("open() and matches() allocate nothing", () => {
  const entries = new Entries(new Hasher(1, 2));
  const key = keyOf(20);
  const view = new DataView(key.buffer);
  const ref = create(entries, 0, 0, 0, key, 8, 8);
  const cost = bytesPerCall(() => {
    entries.open(ref);
    entries.matches(ref, key, view, 0, 20);
  });
  assertEquals(cost, 0);
});
