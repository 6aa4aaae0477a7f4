import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { bytesPerCall } from "../lib/alloc.ts";
import { Int64 } from "../lib/decimal.ts";
import { sameBytes, Slice } from "../lib/slice.ts";
import { BufferSink } from "./byte_sink.ts";
import { BufferSource } from "./byte_source.ts";
import { RdbReader } from "./rdb_reader.ts";
import { RdbWriter } from "./rdb_writer.ts";
import { finish, stringInSteps } from "./long_strings.ts";
import { mixture } from "../../tests/support/bytes.ts";

const encoder = new TextEncoder();

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset);
}

/** A reader of what `write` writes. */
function written(compresses: boolean, write: (writer: RdbWriter) => void): RdbReader {
  const sink = new BufferSink();
  write(new RdbWriter(sink, 10, compresses));
  const source = new BufferSource();
  source.use(sink.bytes, sink.view, 0, sink.at);
  return new RdbReader(source);
}

function shown(slice: Slice): Uint8Array {
  return slice.bytes.slice(slice.start, slice.end);
}

Deno.test("RdbReader reads the lengths that RdbWriter writes, to 2^53 and to 2^64", () => {
  const lengths = fc.oneof(fc.nat(70), fc.nat(20_000), fc.maxSafeNat());
  fc.assert(fc.property(fc.array(lengths), fc.integer(), fc.integer(), (counts, hi, lo) => {
    const reader = written(false, (writer) => {
      for (const count of counts) writer.length(count);
      writer.length64(hi, lo);
    });
    for (const count of counts) assertEquals(reader.length(), count);
    const wide = new Int64();
    reader.length64(wide);
    assertEquals([wide.hi, wide.lo], [hi, lo]);
  }));
});
Deno.test("RdbReader reads the strings that RdbWriter writes: integers, compressed, as they are", () => {
  const text = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.integer().map((number) => encoder.encode(`${number}`)),
    fc.maxSafeInteger().map((number) => encoder.encode(`${number}`)),
    fc.nat(5000).map((length) => encoder.encode("abc".repeat(length))),
  );
  fc.assert(fc.property(fc.array(text), fc.boolean(), (texts, compresses) => {
    const reader = written(compresses, (writer) => {
      for (const bytes of texts) writer.string(bytes, viewOf(bytes), 0, bytes.length);
    });
    const slice = new Slice();
    for (const bytes of texts) {
      reader.string(slice);
      assertEquals(shown(slice), bytes);
    }
    assertEquals(reader.source.left, 0);
  }));
});
Deno.test("RdbReader reads strings that were written in steps, of whatever size they were compressed to", () => {
  const slice = new Slice();
  // LZF makes more of the last one than is kept in memory.
  for (const [size, share] of [[40_000, 0], [1_000_000, 0.5], [300_000, 1], [42_000_000, 0.9]]) {
    const bytes = mixture(size, share);
    for (const compresses of [true, false]) {
      const reader = written(compresses, (writer) => finish(stringInSteps(writer, bytes, 0, size)));
      if (compresses && share < 1) assert(reader.source.left < (share + 0.1) * size);
      reader.string(slice);
      assertEquals([reader.source.left, slice.length], [0, size]);
      const view = new DataView(bytes.buffer);
      assert(sameBytes(view, 0, slice.view, slice.start, size), `${size} bytes come back`);
    }
  }
});
Deno.test("RdbWriter writes the bytes that the format's description shows", () => {
  const sink = new BufferSink();
  const writer = new RdbWriter(sink, 10, true);
  for (const word of ["7", "-1", "300", "70000", "007", "abc"]) writer.textString(word);
  const repeated = encoder.encode("a".repeat(41));
  writer.string(repeated, viewOf(repeated), 0, 41);
  assertEquals(
    sink.bytes.slice(0, sink.at),
    Uint8Array.from([
      ...[0xc0, 7, 0xc0, 0xff, 0xc1, 0x2c, 0x01, 0xc2, 0x70, 0x11, 0x01, 0x00],
      ...[3, 0x30, 0x30, 0x37, 3, 0x61, 0x62, 0x63],
      // A literal, and 40 bytes that stand one byte back.
      ...[0xc3, 5, 0x29, 0x00, 0x61, 0xe0, 0x1f, 0x00],
    ]),
  );
});
Deno.test("RdbWriter keeps times before 1970 and none at all", () => {
  for (const ms of [-1, 0, 1, 2 ** 40 + 5, -12345678901]) {
    assertEquals(written(false, (writer) => writer.milliseconds(ms)).milliseconds(), ms);
  }
});
Deno.test("RdbWriter.string() allocates nothing", () => {
  const sink = new BufferSink(1024);
  const writer = new RdbWriter(sink, 10, true);
  const text = encoder.encode("value:1234567890:value:1234567890");
  const view = viewOf(text);
  assertEquals(
    bytesPerCall(() => {
      sink.at = 0;
      writer.string(text, view, 0, text.length);
      writer.string(text, view, 6, 16);
      writer.length(70_000);
    }),
    0,
  );
});
