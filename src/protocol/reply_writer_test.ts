import { Slice } from "../lib/slice.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { bytesPerCall } from "../lib/alloc.ts";
import { Int64 } from "../lib/decimal.ts";
import { binaryText } from "./args.ts";
import { Errors } from "./errors.ts";
import { BufferPool, POOLED_MAX_BYTES } from "./buffer_pool.ts";
import { ReplyWriter } from "./reply_writer.ts";

type Write = (reply: ReplyWriter) => void;

const bytes = new TextEncoder().encode("...hello...");
const int64 = (hi: number, lo: number): Int64 => Object.assign(new Int64(), { hi, lo });

function written(resp: number, write: Write): string {
  const reply = new ReplyWriter();
  reply.resp = resp;
  write(reply);
  const taken = reply.take();
  return binaryText(taken, 0, taken.length).replaceAll("\r\n", "~");
}

/** What is written, in RESP2 and in RESP3; ~ stands for CRLF. */
const REPLIES: [write: Write, resp2: string, resp3: string][] = [
  [(r) => r.ok(), "+OK~", "+OK~"],
  [(r) => r.pong(), "+PONG~", "+PONG~"],
  [(r) => r.queued(), "+QUEUED~", "+QUEUED~"],
  [(r) => r.simple("fine"), "+fine~", "+fine~"],
  [(r) => r.simpleBinary("\xe9"), "+\xe9~", "+\xe9~"],
  [(r) => r.error(Errors.syntax), "-ERR syntax error~", "-ERR syntax error~"],
  [(r) => r.errorText("ERR a\r\nb"), "-ERR a  b~", "-ERR a  b~"],
  [(r) => r.integer(0), ":0~", ":0~"],
  [(r) => r.integer(-(2 ** 53)), ":-9007199254740992~", ":-9007199254740992~"],
  [(r) => r.integer(2 ** 63 - 1024), ":9223372036854774784~", ":9223372036854774784~"],
  [(r) => r.int64(int64(-(2 ** 31), 0)), ":-9223372036854775808~", ":-9223372036854775808~"],
  [(r) => r.bigint(2n ** 63n - 1n), ":9223372036854775807~", ":9223372036854775807~"],
  [(r) => r.bulk(bytes, 3, 8), "$5~hello~", "$5~hello~"],
  [(r) => r.bulk(bytes, 3, 3), "$0~~", "$0~~"],
  [(r) => r.bulkText("é"), "$2~\xc3\xa9~", "$2~\xc3\xa9~"],
  [(r) => r.bulkBinary("\xff"), "$1~\xff~", "$1~\xff~"],
  [(r) => r.bulkInteger(-42), "$3~-42~", "$3~-42~"],
  [(r) => r.bulkInt64(1, 0), "$10~4294967296~", "$10~4294967296~"],
  [(r) => r.emptyBulk(), "$0~~", "$0~~"],
  [(r) => r.nullBulk(), "$-1~", "_~"],
  [(r) => r.nullArray(), "*-1~", "_~"],
  [(r) => r.array(2), "*2~", "*2~"],
  [(r) => r.emptyArray(), "*0~", "*0~"],
  [(r) => r.map(2), "*4~", "%2~"],
  [(r) => r.set(2), "*2~", "~2~"],
  [(r) => r.push(3), "*3~", ">3~"],
  [(r) => r.bool(true), ":1~", "#t~"],
  [(r) => r.bool(false), ":0~", "#f~"],
  [(r) => r.double(3.5), "$3~3.5~", ",3.5~"],
  [(r) => r.double(-Infinity), "$4~-inf~", ",-inf~"],
  [(r) => r.bigNumber("123"), "$3~123~", "(123~"],
  [(r) => r.verbatim("txt", "é"), "$2~\xc3\xa9~", "=6~txt:\xc3\xa9~"],
];

for (const [write, resp2, resp3] of REPLIES) {
  const call = String(write).slice("(r) => r.".length);
  Deno.test(`${call} is written in both protocols`, () => {
    assertEquals([written(2, write), written(3, write)], [resp2, resp3]);
  });
}

Deno.test("what is no integer of 64 bits throws, and leaves no byte of a reply", () => {
  for (const value of [NaN, Infinity, 2 ** 63, -(2 ** 64), 0.3, 12.3, -0.2, 1e9 + 0.25]) {
    const reply = new ReplyWriter();
    for (const write of [reply.integer, reply.bulkInteger, reply.array, reply.map]) {
      assertThrows(() => write.call(reply, value), String(value));
      assertEquals(reply.size, 0, String(value));
    }
  }
});
Deno.test("attribute() is written in RESP3", () => {
  assertEquals(written(3, (reply) => reply.attribute(1)), "|1~");
});
Deno.test("arrayFrom(), mapFrom() and setFrom() put the header before what is written", () => {
  const pairs = (close: (reply: ReplyWriter, mark: number) => void): Write => (reply) => {
    reply.ok();
    const mark = reply.mark();
    for (let i = 0; i < 20; i++) reply.integer(7);
    close(reply, mark);
    reply.ok();
  };
  const sevens = ":7~".repeat(20);
  const array = pairs((reply, mark) => reply.arrayFrom(mark, 20));
  const map = pairs((reply, mark) => reply.mapFrom(mark, 10));
  const set = pairs((reply, mark) => reply.setFrom(mark, 20));
  assertEquals(written(2, array), `+OK~*20~${sevens}+OK~`);
  assertEquals(written(2, map), `+OK~*20~${sevens}+OK~`);
  assertEquals(written(3, map), `+OK~%10~${sevens}+OK~`);
  assertEquals(written(2, set), `+OK~*20~${sevens}+OK~`);
  assertEquals(written(3, set), `+OK~~20~${sevens}+OK~`);
});
Deno.test("rewind() forgets what was written since the mark, which since() shows", () => {
  const reply = new ReplyWriter();
  reply.ok();
  const mark = reply.mark();
  reply.integer(5);
  assertEquals(new TextDecoder().decode(reply.since(mark)), ":5\r\n");
  reply.rewind(mark);
  assertEquals(new TextDecoder().decode(reply.take()), "+OK\r\n");
});
Deno.test("errorCount counts errors", () => {
  const reply = new ReplyWriter();
  reply.error(Errors.syntax);
  reply.ok();
  reply.errorText("ERR no");
  assertEquals(reply.errorCount, 2);
});
Deno.test("release() gives the buffer away: later replies leave its bytes alone", () => {
  const reply = new ReplyWriter();
  reply.pong();
  const size = reply.size;
  const sent = reply.release();
  reply.ok();
  assertEquals(new TextDecoder().decode(sent.bytes.slice(0, size)), "+PONG\r\n");
  assertEquals(new TextDecoder().decode(reply.take()), "+OK\r\n");
});
Deno.test("an idle writer holds no buffer, and a growing one keeps what it holds", () => {
  const reply = new ReplyWriter();
  assertEquals(reply.capacity, 0);
  const large = new Uint8Array(100_000).fill(0x61);
  for (let i = 0; i < 1000; i++) reply.integer(i);
  reply.bulk(large, 0, large.length);
  assert(reply.capacity >= reply.size);
  const numbers = Array.from({ length: 1000 }, (_, i) => `:${i}\r\n`).join("");
  const expected = `${numbers}$100000\r\n${"a".repeat(100_000)}\r\n`;
  assertEquals(new TextDecoder().decode(reply.take()), expected);
});

const COMMON: Write[] = [
  (r) => r.ok(),
  (r) => r.error(Errors.syntax),
  (r) => r.integer(123456),
  (r) => r.bulk(bytes, 0, 11),
  (r) => r.nullBulk(),
  (r) => r.array(12),
  (r) => r.bulkInteger(77),
];
for (const write of COMMON) {
  Deno.test(`${String(write).slice("(r) => r.".length)} allocates nothing`, () => {
    const reply = new ReplyWriter();
    const cost = bytesPerCall(() => {
      write(reply);
      reply.rewind(0);
    });
    assertEquals(cost, 0);
  });
}

Deno.test("a slice of any length is written as the bulk string of its bytes", () => {
  const source = Uint8Array.from({ length: 400 }, (_, i) => i);
  const slice = new Slice();
  const one = new ReplyWriter();
  const other = new ReplyWriter();
  for (let size = 0; size < 200; size++) {
    slice.set(source, new DataView(source.buffer), 3, 3 + size);
    one.bulkOf(slice);
    other.bulk(source, 3, 3 + size);
  }
  assertEquals(one.take(), other.take());
});

Deno.test("a cursor goes before the elements that were found", () => {
  for (const cursor of [0, 9, 10, 123456789, 1234567890, 2 ** 42]) {
    for (const size of [0, 5, 4000, 4090]) {
      const writer = new ReplyWriter();
      const mark = writer.mark();
      const bytes = new Uint8Array(size).fill(0x61);
      writer.bulk(bytes, 0, size);
      writer.arrayFrom(mark, 1);
      writer.scanFrom(mark, cursor);
      const text = new TextDecoder().decode(writer.take());
      const digits = String(cursor);
      const found = `*1\r\n$${size}\r\n${"a".repeat(size)}\r\n`;
      assertEquals(text, `*2\r\n$${digits.length}\r\n${digits}\r\n${found}`);
    }
  }
});

Deno.test("after a reply of megabytes the next one takes no more than what the pool keeps", () => {
  const reply = new ReplyWriter();
  const large = new Uint8Array(3 * 1024 * 1024);
  reply.bulk(large, 0, large.length);
  reply.release();
  reply.ok();
  assertEquals(reply.capacity <= POOLED_MAX_BYTES, true);
});

Deno.test("a writer whose owner may hold no more takes no more memory, whatever is written", () => {
  const most = 1_000_000;
  const reply = new ReplyWriter(new BufferPool(), { mayHold: (bytes) => bytes < most });
  const element = new Uint8Array(1000).fill(0x61);
  const value = new Uint8Array(300_000).fill(0x62);
  for (let i = 0; i < 900; i++) reply.bulk(element, 0, element.length);
  assertEquals([reply.isOver, reply.size], [false, 900 * 1009]); // nothing is lost below the limit
  const mark = reply.mark();
  let largest = 0;
  for (let i = 0; i < 20_000; i++) {
    reply.bulk(element, 0, element.length);
    if (i % 1000 === 0) reply.bulk(value, 0, value.length);
    if (i % 77 === 0) reply.integer(i);
    largest = Math.max(largest, reply.capacity);
  }
  assertEquals(reply.since(mark).length >= 0, true);
  reply.arrayFrom(mark, 20_000);
  reply.scanFrom(mark, 12);
  reply.error(Errors.syntax);
  assertEquals(reply.isOver, true);
  assert(reply.size > 16_384, "it is still seen to have much to send");
  assert(largest <= 2 * (most + value.length), String(largest));
  // A single value larger than all that takes what it needs, and no more.
  const huge = new Uint8Array(5_000_000);
  for (let i = 0; i < 5; i++) reply.bulk(huge, 0, huge.length);
  assert(reply.capacity < 4 * huge.length, String(reply.capacity));
});
