import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { bytesPerCall } from "./alloc.ts";
import { compress, decompress } from "./lzf.ts";

const encoder = new TextEncoder();

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset);
}

/** Text of few different words, so that much of it repeats. */
const repetitive = fc.array(fc.constantFrom("aaaa", "key:", "value", "\0\0\0", "x", "respite"), {
  maxLength: 400,
}).map((words) => encoder.encode(words.join("")));

Deno.test("decompress() gives back what compress() took", () => {
  fc.assert(
    fc.property(
      fc.oneof(repetitive, fc.uint8Array({ maxLength: 600 })),
      fc.nat(9),
      (text, lead) => {
        const source = new Uint8Array(lead + text.length);
        source.set(text, lead);
        const packed = new Uint8Array(text.length * 2 + 16);
        const size = compress(source, viewOf(source), lead, source.length, packed, packed.length);
        const back = new Uint8Array(text.length);
        assert(decompress(packed, 0, size, back, text.length), "it is LZF");
        assertEquals(back, text);
      },
    ),
  );
});

Deno.test("compress() makes repetitive text small", () => {
  const text = encoder.encode("all work and no play ".repeat(1000));
  const packed = new Uint8Array(text.length);
  const size = compress(text, viewOf(text), 0, text.length, packed, packed.length);
  assert(size > 0 && size < text.length / 50, `${size} bytes`);
});

Deno.test("compress() gives up where the limit is exceeded, and never writes behind it", () => {
  fc.assert(fc.property(repetitive, fc.nat(300), (text, limit) => {
    const packed = new Uint8Array(limit + 8).fill(0xee);
    const size = compress(text, viewOf(text), 0, text.length, packed, limit);
    assert(size <= limit, "the size is within the limit");
    assertEquals(packed.subarray(limit), new Uint8Array(8).fill(0xee));
  }));
});

Deno.test("decompress() reads what redis-server 7.0.15 compressed", () => {
  // The payload of DUMP for 'a' repeated 40 times.
  const packed = new Uint8Array([0x01, 0x61, 0x61, 0xe0, 0x1c, 0x00, 0x01, 0x61, 0x61]);
  const back = new Uint8Array(41);
  assert(decompress(packed, 0, packed.length, back, 41), "it is LZF");
  assertEquals(back, encoder.encode("a".repeat(41)));
});

Deno.test("decompress() refuses what is damaged, and never writes behind the size", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(60), (packed, size) => {
    const back = new Uint8Array(size + 8).fill(0xee);
    decompress(packed, 0, packed.length, back, size);
    assertEquals(back.subarray(size), new Uint8Array(8).fill(0xee));
  }));
});

Deno.test("compress() finds what repeats itself in a large source, also behind what does not", () => {
  const size = 200_000;
  const source = new Uint8Array(size);
  let word = 7;
  for (let i = 0; i < size / 2; i++) {
    word = Math.imul(word, 1103515245) + 12345;
    source[i] = word >>> 16;
  }
  const text = encoder.encode("what repeats itself at length ");
  for (let i = size / 2; i < size; i++) source[i] = text[i % text.length];
  const packed = new Uint8Array(size);
  const count = compress(source, viewOf(source), 0, size, packed, size - 4);
  assert(count > size / 2 && count < 0.53 * size, "half of it, and a little");
  const back = new Uint8Array(size);
  assert(decompress(packed, 0, count, back, size), "it is LZF");
  assertEquals(back, source);
});

Deno.test("compress() and decompress() allocate nothing", () => {
  const text = encoder.encode("value:1234567890:value:1234567890");
  const view = viewOf(text);
  const packed = new Uint8Array(64);
  const back = new Uint8Array(64);
  assertEquals(
    bytesPerCall(() => {
      const size = compress(text, view, 0, text.length, packed, text.length);
      decompress(packed, 0, size, back, text.length);
    }),
    0,
  );
});
