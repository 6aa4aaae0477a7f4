import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { requestOf } from "../../tests/support/requests.ts";
import { bytesPerCall } from "../lib/alloc.ts";
import { Args, binaryBytes } from "./args.ts";
import { Decoded, RequestDecoder, type RequestLimits } from "./request_decoder.ts";

const LIMITS: RequestLimits = {
  bulkMax: 512 * 1024 * 1024,
  queryMax: 2 ** 30,
  authenticated: true,
};

/** A decoder, and the requests that came out of it as words of characters 0 to 255. */
class Reader {
  readonly decoder: RequestDecoder;
  readonly args = new Args();
  readonly requests: string[][] = [];
  failure: string | null = null;

  constructor(limits = LIMITS) {
    this.decoder = new RequestDecoder(limits);
  }

  /** Feeds bytes as one socket read would, or as several where the buffer ends. */
  feed(bytes: Uint8Array): this {
    for (let at = 0; at < bytes.length && this.failure === null;) {
      const space = this.decoder.space(this.args);
      const count = Math.min(space.length, bytes.length - at);
      space.set(bytes.subarray(at, at + count));
      this.decoder.received(count);
      at += count;
      this.#decode();
    }
    return this;
  }

  /** The room for the next read. */
  get room(): number {
    return this.decoder.space(this.args).length;
  }

  #decode(): void {
    for (;;) {
      const found = this.decoder.next(this.args);
      if (found === Decoded.more) return;
      if (found === Decoded.broken) {
        this.failure = new TextDecoder().decode(this.decoder.failure).trim();
        return;
      }
      this.requests.push(Array.from({ length: this.args.count }, (_, i) => this.args.binary(i)));
    }
  }
}

const SESSION = requestOf(["SET", "k", "a\r\n\0\xff"]) + "PING 'a b'\r\n" + "*0\r\n\r\n" +
  requestOf(["GET", ""]) + "*-1\r\nEXISTS k\n" + requestOf(["ECHO", "x".repeat(20)]);
const REQUESTS = [
  ["SET", "k", "a\r\n\0\xff"],
  ["PING", "a b"],
  ["GET", ""],
  ["EXISTS", "k"],
  ["ECHO", "x".repeat(20)],
];

Deno.test("next() yields the same requests wherever the bytes are split in two", () => {
  const bytes = binaryBytes(SESSION);
  for (let at = 0; at <= bytes.length; at++) {
    const reader = new Reader().feed(bytes.slice(0, at)).feed(bytes.slice(at));
    assertEquals(reader.requests, REQUESTS, `split at ${at}`);
  }
});
Deno.test("next() yields the same requests byte by byte", () => {
  const reader = new Reader();
  for (const byte of binaryBytes(SESSION)) reader.feed(Uint8Array.of(byte));
  assertEquals(reader.requests, REQUESTS);
});
Deno.test("next() yields what was encoded, in reads of any size", () => {
  const word = fc.oneof(
    fc.string({ maxLength: 20 }).map((text) => text.replaceAll(/[^\0-\xff]/g, "?")),
    fc.integer({ min: 0, max: 40_000 }).map((size) => "z".repeat(size)),
  );
  const requests = fc.array(fc.array(word, { minLength: 1, maxLength: 6 }), { maxLength: 8 });
  const reads = fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(requests, reads, (sent, sizes) => {
      const bytes = binaryBytes(sent.map(requestOf).join(""));
      const reader = new Reader();
      let at = 0;
      for (let i = 0; at < bytes.length; i++) {
        const size = sizes[i % sizes.length];
        reader.feed(bytes.slice(at, at + size));
        at += size;
      }
      assertEquals(reader.requests, sent);
    }),
    { numRuns: 50 },
  );
});
Deno.test("space() is 512 bytes while idle, 16 KiB after a full read, and small again later", () => {
  const reader = new Reader();
  assertEquals(reader.room, 512);
  const ping = binaryBytes("PING\r\n");
  for (let i = 0; i < 100; i++) reader.feed(ping);
  assertEquals(reader.room, 512);
  reader.feed(binaryBytes("PING aa\r\n".repeat(512)));
  assertEquals(reader.room, 16 * 1024);
  for (let i = 0; i < 66; i++) reader.feed(ping);
  assertEquals(reader.room, 512);
});
Deno.test("space() grows as bytes arrive and gives a large buffer back after the request", () => {
  const reader = new Reader().feed(binaryBytes("*1000000\r\n$3\r\nDEL"));
  assert(reader.room < 16_384, "an announcement takes no memory");
  const word = binaryBytes(`\r\n$1000\r\n${"x".repeat(1000)}`);
  for (let i = 0; i < 100; i++) reader.feed(word);
  assert(reader.room > 20_000, "it has grown with what arrived");
  const rest = binaryBytes("\r\n$1\r\nx".repeat(1_000_000 - 101) + "\r\n");
  reader.feed(rest);
  assertEquals([reader.room, reader.args.count], [16_384, 0]);
  assertEquals(reader.args.bounds.length < 4096, true);
  assertEquals(reader.requests.length, 1);
});
Deno.test("pendingBytes and freeBytes tell of the buffer what CLIENT LIST shows", () => {
  const reader = new Reader().feed(binaryBytes("*2\r\n$4\r\n"));
  assertEquals([reader.decoder.pendingBytes, reader.decoder.freeBytes], [8, 504]);
});
Deno.test("next() says what breaks the protocol in Redis's words", () => {
  const cases: [sent: string, failure: string][] = [
    ["*x\r\n", "invalid multibulk length"],
    ["*2147483648\r\n", "invalid multibulk length"],
    ["*1\r\n:1\r\n", "expected '$', got ':'"],
    ["*1\r\n$x\r\n", "invalid bulk length"],
    ["*1\r\n$-1\r\n", "invalid bulk length"],
    ["*1\r\n$01\r\n", "invalid bulk length"],
    ["*1\r\n$536870913\r\n", "invalid bulk length"],
    ["ECHO 'a\r\n", "unbalanced quotes in request"],
    ["x".repeat(70_000), "too big inline request"],
    ["*".padEnd(70_000, "1"), "too big mbulk count string"],
    ["*1\r\n$".padEnd(70_000, "1"), "too big bulk count string"],
  ];
  for (const [sent, failure] of cases) {
    const reader = new Reader().feed(binaryBytes(sent));
    assertEquals(reader.failure, `-ERR Protocol error: ${failure}`, sent.slice(0, 20));
  }
});
Deno.test("an unauthenticated client may send 10 arguments of 16 KiB", () => {
  const limits = { ...LIMITS, authenticated: false };
  const most = Array.from({ length: 10 }, () => "x".repeat(16384));
  assertEquals(new Reader(limits).feed(binaryBytes(requestOf(most))).requests, [most]);
  assertEquals(
    new Reader(limits).feed(binaryBytes("*11\r\n")).failure,
    "-ERR Protocol error: unauthenticated multibulk length",
  );
  assertEquals(
    new Reader(limits).feed(binaryBytes("*1\r\n$16385\r\n")).failure,
    "-ERR Protocol error: unauthenticated bulk length",
  );
});
Deno.test("space(), received() and next() allocate nothing", () => {
  const { decoder, args } = new Reader();
  const bytes = binaryBytes(requestOf(["SET", "key", "value"]).repeat(3));
  const cost = bytesPerCall(() => {
    decoder.space(args).set(bytes);
    decoder.received(bytes.length);
    while (decoder.next(args) === Decoded.request);
  });
  assertEquals(cost, 0);
});

Deno.test("a listener hears of four requests and more, sixteen at a time, before they are taken", () => {
  const heard: number[] = [];
  let taken = 0;
  const decoder = new RequestDecoder(LIMITS, {
    onReadAhead: (pipeline) => heard.push(taken, pipeline.count),
  });
  const args = new Args();
  const feed = (requests: number) => {
    const bytes = binaryBytes(requestOf(["PING"]).repeat(requests));
    decoder.space(args).set(bytes);
    decoder.received(bytes.length);
    while (decoder.next(args) === Decoded.request) taken++;
  };
  feed(3);
  assertEquals(heard, []);
  feed(21);
  assertEquals(heard, [3, 16, 19, 5]);
  assertEquals(taken, 24);
});

Deno.test("decoders whose pipelines are interrupted by each other lose no request", () => {
  const readers = [0, 1, 2].map(() => ({ decoder: new RequestDecoder(LIMITS), args: new Args() }));
  const seen: string[][] = readers.map(() => []);
  const sent: string[][] = readers.map(() => []);
  for (const [i, { decoder, args }] of readers.entries()) {
    for (let n = 0; n < 20; n++) sent[i].push(`ECHO ${i}:${n}`);
    const bytes = binaryBytes(sent[i].map((line) => requestOf(line.split(" "))).join(""));
    decoder.space(args);
    // More bytes than the first room holds: they come in two reads.
    for (let at = 0; at < bytes.length;) {
      const space = decoder.space(args);
      const count = Math.min(space.length, bytes.length - at);
      space.set(bytes.subarray(at, at + count));
      decoder.received(count);
      at += count;
    }
  }
  for (let left = 60; left > 0;) {
    for (const [i, { decoder, args }] of readers.entries()) {
      for (let n = 0; n <= 2 * i; n++) {
        if (decoder.next(args) !== Decoded.request) break;
        seen[i].push(`${args.text(0)} ${args.text(1)}`);
        left--;
      }
    }
  }
  assertEquals(seen, sent);
});

Deno.test("a large argument is read into a buffer of its own, which can be taken", () => {
  const reader = new Reader();
  const { decoder, args } = reader;
  const size = 1_000_000;
  reader.feed(binaryBytes(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${size}\r\nabc`));
  // At most what one read should take, and never beyond the end of the argument.
  assertEquals(reader.room, 256 * 1024);
  assertEquals(decoder.pendingBytes, 3);
  reader.feed(new Uint8Array(size - 3 - 10).fill(0x78));
  assertEquals(reader.room, 12);
  decoder.space(args).set(binaryBytes("y".repeat(10) + "\r\n"));
  decoder.received(12);
  assertEquals(decoder.next(args), Decoded.request);
  const bytes = args.bytesOf(2);
  assertEquals([args.start(2), args.end(2), bytes.length], [0, size, size + 2]);
  assert(args.take(2)?.bytes === bytes, "the buffer that was read into");
  assertEquals(args.take(2), null);
  assertEquals(decoder.next(args), Decoded.more);
  assertEquals([args.count, bytes.length], [0, size + 2]);
});
Deno.test("an announced argument takes a megabyte until so much has arrived, and then its size", () => {
  const size = 50_000_000;
  const reader = new Reader().feed(binaryBytes(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${size}\r\n`));
  const asked = () => reader.decoder.space(reader.args).buffer.byteLength;
  assertEquals(asked(), 1024 * 1024);
  reader.feed(new Uint8Array(1024 * 1024 - 1).fill(0x78));
  assertEquals(asked(), 1024 * 1024);
  reader.feed(binaryBytes("y"));
  assertEquals(asked(), size + 2);
  assertEquals(reader.decoder.pendingBytes, 1024 * 1024);
});
Deno.test("a very large argument arrives as it was sent, with the requests around it", () => {
  const value = "abcdefg".repeat(600_000);
  const sent = [["PING"], ["SET", "k", value, "x"], ["GET", "k"]];
  const bytes = binaryBytes(sent.map(requestOf).join(""));
  for (const step of [1_000_003, 40_000, 5_000_000]) {
    const reader = new Reader();
    for (let at = 0; at < bytes.length; at += step) reader.feed(bytes.slice(at, at + step));
    assert(reader.requests.length === 3 && reader.requests[1][2] === value, "nothing is lost");
    assertEquals(reader.requests[2], sent[2]);
    assertEquals(reader.requests[1][3], "x");
  }
});
Deno.test("what a read that is under way brings is kept, though requests are decoded meanwhile", () => {
  for (const size of [10, 5000, 32 * 1024, 100_000, 1_000_000, 2_500_000]) {
    const value = Uint8Array.from({ length: size }, (_, i) => i % 251);
    const header = binaryBytes(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${size}\r\n`);
    const all = new Uint8Array(header.length + size + 2);
    all.set(header);
    all.set(value, header.length);
    all.set(binaryBytes("\r\n"), header.length + size);
    const { decoder, args } = new Reader();
    let found: number = Decoded.more;
    for (let at = 0; at < all.length;) {
      const space = decoder.space(args);
      // A client that was blocked is released now: what it has sent before is decoded.
      assertEquals(decoder.next(args), Decoded.more);
      const count = Math.min(space.length, all.length - at, at === 0 ? 100 : 20_000);
      space.set(all.subarray(at, at + count));
      at += count;
      decoder.received(count);
      if (at === all.length) found = decoder.next(args);
    }
    assertEquals(found, Decoded.request);
    assert(
      args.bytesOf(2).subarray(args.start(2), args.end(2)).every((b, i) => b === value[i]),
    );
  }
});

Deno.test("a large argument that nobody takes, or whose client goes, gives its memory back at once", () => {
  const reader = new Reader();
  const { decoder, args } = reader;
  const header = binaryBytes("*1\r\n$50000\r\n");
  const body = new Uint8Array(50_002);
  reader.feed(header);
  decoder.space(args).set(body);
  decoder.received(body.length);
  assertEquals(decoder.next(args), Decoded.request);
  const bytes = args.bytesOf(0);
  assertEquals(decoder.next(args), Decoded.more);
  assertEquals(bytes.length, 0);
  reader.feed(header).feed(new Uint8Array(20_000));
  const space = decoder.space(args);
  assertEquals(space.length, 30_002);
  decoder.close(args);
  assertEquals(space.length, 0);
});
Deno.test("an argument of 512 MB that is announced and never sent takes no memory", () => {
  const before = Deno.memoryUsage().rss;
  const readers = Array.from({ length: 20 }, () => new Reader());
  for (const reader of readers) {
    reader.feed(binaryBytes(`*2\r\n$3\r\nGET\r\n$${512 * 1024 * 1024}\r\nabc`));
  }
  assertEquals(readers[0].room, 256 * 1024);
  assertEquals(readers[0].decoder.freeBytes < 2 * 1024 * 1024, true);
  assertEquals(Deno.memoryUsage().rss - before < 256 * 1024 * 1024, true);
  for (const { decoder, args } of readers) decoder.close(args);
});
