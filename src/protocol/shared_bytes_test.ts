import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { BufferPool, ReplyBuffer } from "./buffer_pool.ts";
import { ReplyWriter } from "./reply_writer.ts";
import { type SharedBytes, SharedStream } from "./shared_bytes.ts";

const encoder = new TextEncoder();

/** Writes a message as it is. */
function write(stream: SharedStream, message: Uint8Array): SharedBytes {
  const source = new ReplyBuffer(message.length);
  source.bytes.set(message);
  return stream.write(source, message.length, message[0]);
}

/** What a socket would send: without a copy where the writer has shared it all. */
function sent(writer: ReplyWriter): string {
  const { shared, size } = writer;
  if (shared === null) {
    const { bytes } = writer.release();
    return new TextDecoder().decode(bytes.subarray(0, size));
  }
  const part = shared.part(writer.sharedStart, writer.sharedStart + size);
  writer.releaseShared();
  const text = new TextDecoder().decode(part);
  shared.release();
  return text;
}

const step = fc.oneof(
  fc.record({ kind: fc.constant("share" as const), size: fc.oneof(fc.nat(60), fc.nat(20_000)) }),
  fc.record({ kind: fc.constantFrom("reply", "rewound", "elsewhere", "send", "drop") }),
);

Deno.test("what is shared comes in its place among replies, whatever is sent when", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const pool = new BufferPool();
      const stream = new SharedStream(pool);
      const writer = new ReplyWriter(pool);
      let expected = "";
      let n = 0;
      for (const one of steps) {
        const text = `${n++}:${"x".repeat("size" in one ? one.size : 0)};`;
        if (one.kind === "share" || one.kind === "elsewhere") {
          const message = encoder.encode(text);
          const shared = write(stream, message);
          // Other clients get other messages: then there is a gap.
          if (one.kind === "share") {
            writer.share(shared, shared.end - message.length);
            expected += text;
          }
          stream.over();
        } else if (one.kind === "reply") {
          writer.raw(encoder.encode(text));
          expected += text;
        } else if (one.kind === "rewound") {
          const mark = writer.mark();
          writer.raw(encoder.encode(text));
          assertEquals(new TextDecoder().decode(writer.since(mark)), text);
          writer.rewind(mark);
        } else if (one.kind === "drop") {
          writer.drop();
          expected = "";
        } else {
          assertEquals(sent(writer), expected);
          expected = "";
        }
        assertEquals(writer.size, expected.length);
      }
      assertEquals(new TextDecoder().decode(writer.take()), expected);
    }),
  );
});

Deno.test("clients that follow the same messages are sent the same bytes, without a copy", () => {
  const pool = new BufferPool();
  const stream = new SharedStream(pool);
  const writers = [new ReplyWriter(pool), new ReplyWriter(pool)];
  for (const text of ["one", "two", "three"]) {
    const message = encoder.encode(text);
    const shared = write(stream, message);
    for (const writer of writers) writer.share(shared, shared.end - message.length);
  }
  const parts = writers.map((writer) => writer.shared?.part(writer.sharedStart, writer.size));
  assert(parts[0] !== undefined && parts[0] === parts[1]);
  assertEquals(new TextDecoder().decode(parts[0]), "onetwothree");
});

Deno.test("a buffer is used again when the last client is done with it, and not before", () => {
  const pool = new BufferPool();
  const stream = new SharedStream(pool);
  const writer = new ReplyWriter(pool);
  const message = new Uint8Array(3000);
  const first = write(stream, message);
  writer.share(first, 0);
  // The buffer is full after some more, and another one is begun.
  let latest = first;
  while (latest === first) latest = write(stream, message);
  assert(latest.buffer !== first.buffer);
  const bytes = writer.size;
  assertEquals(bytes, 3000);
  writer.drop();
  assertEquals(pool.take(16 * 1024), first.buffer);
});

Deno.test("a long message gets a buffer of its own, which nothing is added to", () => {
  const pool = new BufferPool();
  const stream = new SharedStream(pool);
  const long = write(stream, new Uint8Array(100_000));
  new ReplyWriter(pool).share(long, 0);
  stream.over();
  assertEquals(long.buffer.bytes.length, 100_000);
  assert(write(stream, new Uint8Array(1)) !== long);
});
