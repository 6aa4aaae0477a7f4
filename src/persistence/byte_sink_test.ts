import { assertEquals } from "@std/assert";
import { BufferSink } from "./byte_sink.ts";

Deno.test("a buffer that expects megabytes makes room for them once, and holds what is written", () => {
  const sink = new BufferSink();
  const source = Uint8Array.from({ length: 3_000_000 }, (_, i) => i & 255);
  sink.byte(7);
  sink.expect(source.length);
  const { bytes } = sink;
  sink.write(source, 0, source.length);
  assertEquals(sink.bytes === bytes, true);
  assertEquals([sink.at, sink.bytes[0], sink.bytes[sink.at - 1]], [3_000_001, 7, 2_999_999 & 255]);
  // Room that is there already is not made again.
  sink.clear();
  sink.expect(source.length);
  assertEquals(sink.bytes === bytes, true);
});
