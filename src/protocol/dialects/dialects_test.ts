import { assertEquals } from "@std/assert";
import { binaryBytes, binaryText } from "../args.ts";
import { ByteQueue } from "../byte_queue.ts";
import type { Dialect } from "./dialect.ts";
import { book, framedText, nano } from "./framed_dialects.ts";
import { ReplyDecoder } from "../reply_decoder.ts";
import { cdis, plain } from "./text_dialects.ts";

/** What `dialect` makes of requests, in pieces of `step` bytes, and its last words, or null if it reads on. */
function requestsOf(
  dialect: Dialect,
  bytes: string,
  step = bytes.length,
  most = dialect.maxMessage,
) {
  const input = new ByteQueue();
  const requests = new ByteQueue();
  const translator = dialect.requests(input, most);
  let lastWords: Uint8Array | null = null;
  for (let at = 0; at < bytes.length && lastWords === null; at += step) {
    input.add(binaryBytes(bytes.slice(at, at + step)));
    lastWords = translator.read(requests);
  }
  return { requests: textOf(requests.view()), lastWords: lastWords && textOf(lastWords) };
}

/** What `dialect` makes of replies in RESP 3. */
function repliesOf(dialect: Dialect, resp: string, most = dialect.maxMessage) {
  const output = new ByteQueue();
  const decoder = new ReplyDecoder();
  decoder.feed(binaryBytes(resp));
  for (let reply = decoder.next(); reply !== null; reply = decoder.next()) {
    dialect.writeReply(reply, output, most);
  }
  return textOf(output.view());
}

function textOf(bytes: Uint8Array): string {
  return binaryText(bytes, 0, bytes.length);
}

/** Four bytes. */
function u32(value: number): string {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return textOf(bytes);
}

/** A text behind its length. */
const counted = (text: string) => u32(text.length) + text;
const message = (...words: string[]) => counted(u32(words.length) + words.map(counted).join(""));

const GET = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";

Deno.test("a request is the same however its bytes are cut", () => {
  const spellings: [Dialect, string][] = [
    [plain, "GET k\r\nGET k\n"],
    [cdis, "GET k\r\n\r\n\nGET k\n"],
    [book, message("GET", "k").repeat(2)],
    [nano, message("GET", "k").repeat(2)],
    [framedText, counted("GET  k\n").repeat(2)],
  ];
  for (const [dialect, bytes] of spellings) {
    for (let step = 1; step <= bytes.length; step++) {
      const expected = { requests: GET + GET, lastWords: null };
      assertEquals(requestsOf(dialect, bytes, step), expected, `${dialect.name}, ${step}`);
    }
  }
});

Deno.test("KEYS without a pattern lists all", () => {
  const all = "*2\r\n$4\r\nkeys\r\n$1\r\n*\r\n";
  assertEquals(requestsOf(book, message("keys")).requests, all);
  assertEquals(requestsOf(plain, "keys\n").requests, all);
});

Deno.test("EXIT ends a connection without a word", () => {
  assertEquals(requestsOf(plain, "GET k\nEXIT\nGET k\n"), { requests: GET, lastWords: "" });
  assertEquals(requestsOf(cdis, "exit\n"), { requests: "", lastWords: "" });
});

Deno.test("a request that is too long is refused before it has arrived", () => {
  const long = u32(4097);
  const failures: [Dialect, string, string][] = [
    [book, u32(32 * 1024 * 1024 + 1), counted("\x01" + u32(2) + counted("message too long"))],
    [nano, long, counted("\x01" + u32(0) + counted("message too long"))],
    [framedText, long, counted("\x01" + counted("Message too long"))],
    [plain, "x".repeat(65_537), "ERR too long a line\n"],
    [cdis, "x".repeat(65_537), "-ERR too long a line\n"],
  ];
  for (const [dialect, bytes, lastWords] of failures) {
    assertEquals(requestsOf(dialect, bytes), { requests: "", lastWords }, dialect.name);
  }
});

Deno.test("a message whose lengths don't fit ends the connection", () => {
  const malformed = counted("\x01" + u32(4) + counted("malformed message"));
  const messages = [
    counted(""),
    counted(u32(2) + counted("GET")),
    counted(u32(1) + counted("GET") + "x"),
    counted(u32(1) + u32(4) + "GET"),
    counted(u32(1) + u32(0xffff_ffff) + "GET"),
    counted(u32(200_001) + u32(0).repeat(200_001)),
  ];
  for (const bytes of messages) {
    assertEquals(requestsOf(book, bytes), { requests: "", lastWords: malformed });
  }
});

Deno.test("a message without words asks for a command without a name", () => {
  assertEquals(requestsOf(book, counted(u32(0))).requests, "*1\r\n$0\r\n\r\n");
  assertEquals(requestsOf(framedText, counted(" ")).requests, "*1\r\n$0\r\n\r\n");
});

Deno.test("quotes that are not closed are refused in lines", () => {
  const { requests, lastWords } = requestsOf(plain, "GET k\nSET k 'it\n");
  assertEquals(requests, GET);
  assertEquals(lastWords, "ERR unbalanced quotes\n");
});

const REPLIES: readonly [resp: string, plain: string, cdis: string, book: string][] = [
  ["+OK\r\n", "OK\n", "+OK\n", "\x02" + counted("OK")],
  ["$5\r\nal\r\nx\r\n", "al\r\nx\n", "$al\r\nx\n", "\x02" + counted("al\r\nx")],
  ["$0\r\n\r\n", "\n", "$\n", "\x02" + counted("")],
  [":-2\r\n", "-2\n", ":-2\n", "\x03\xfe" + "\xff".repeat(7)],
  [",1.5\r\n", "1.5\n", "$1.5\n", "\x04\0\0\0\0\0\0\xf8\x3f"],
  [",-inf\r\n", "-inf\n", "$-inf\n", "\x04\0\0\0\0\0\0\xf0\xff"],
  ["_\r\n", "(nil)\n", "-ERR key not found\n", "\0"],
  ["$-1\r\n", "(nil)\n", "-ERR key not found\n", "\0"],
  ["#t\r\n", "1\n", ":1\n", "\x03\x01\0\0\0\0\0\0\0"],
  [
    "(12345678901234567890\r\n",
    "12345678901234567890\n",
    "$12345678901234567890\n",
    "\x02" + counted("12345678901234567890"),
  ],
  ["=7\r\ntxt:abc\r\n", "abc\n", "$abc\n", "\x02" + counted("abc")],
  ["*0\r\n", "(empty array)\n", "*0\n", "\x05" + u32(0)],
  ["*2\r\n:1\r\n_\r\n", "1\n(nil)\n", "*2\n:1\n_\n", "\x05" + u32(2) + "\x03\x01" + "\0".repeat(8)],
  [
    "%1\r\n+a\r\n*1\r\n+b\r\n",
    "a\nb\n",
    "*2\n+a\n*1\n+b\n",
    "\x05" + u32(2) + "\x02" + counted("a") + "\x05" + u32(1) + "\x02" + counted("b"),
  ],
  ["|1\r\n+a\r\n*1\r\n+b\r\n+c\r\n", "c\n", "+c\n", "\x02" + counted("c")],
  [
    "-ERR unknown command 'x', with args beginning with: \r\n",
    "ERR unknown command 'x', with args beginning with: \n",
    "-ERR unknown command\n",
    "\x01" + u32(1) + counted("ERR unknown command 'x', with args beginning with: "),
  ],
  ["-WRONGTYPE x\r\n", "WRONGTYPE x\n", "-WRONGTYPE x\n", "\x01" + u32(3) + counted("WRONGTYPE x")],
  [
    "-ERR wrong number of arguments for 'set' command\r\n",
    "ERR wrong number of arguments for 'set' command\n",
    "-ERR SET requires key and value\n",
    "\x01" + u32(4) + counted("ERR wrong number of arguments for 'set' command"),
  ],
];

Deno.test("each kind of reply has its form in each dialect", () => {
  for (const [resp, asPlain, asCdis, asBook] of REPLIES) {
    assertEquals(repliesOf(plain, resp), asPlain);
    assertEquals(repliesOf(cdis, resp), asCdis);
    assertEquals(repliesOf(book, resp), counted(asBook), resp);
  }
  const all = REPLIES.map(([resp]) => resp).join("");
  assertEquals(repliesOf(book, all), REPLIES.map((row) => counted(row[3])).join(""));
});

Deno.test("nano has other numbers for errors and arrays, and no doubles", () => {
  assertEquals(
    repliesOf(nano, "-ERR unknown command 'x'\r\n"),
    counted("\x01" + u32(1) + counted("ERR unknown command 'x'")),
  );
  assertEquals(
    repliesOf(nano, "*1\r\n,1.5\r\n"),
    counted("\x04" + u32(1) + "\x02" + counted("1.5")),
  );
});

Deno.test("errors of framed-text have no number", () => {
  assertEquals(repliesOf(framedText, "-ERR x\r\n"), counted("\x01" + counted("ERR x")));
  assertEquals(
    repliesOf(framedText, "*1\r\n,1.5\r\n"),
    counted("\x05" + u32(1) + "\x04\0\0\0\0\0\0\xf8\x3f"),
  );
});

Deno.test("a reply longer than a message may be is an error, and the next one is right", () => {
  const long = `$5000\r\n${"x".repeat(5000)}\r\n`;
  const tooBig = counted("\x01" + u32(0) + counted("response is too big"));
  const ok = counted("\x02" + counted("OK"));
  assertEquals(repliesOf(nano, `${long}+OK\r\n`), tooBig + ok);
  assertEquals(repliesOf(nano, `*2\r\n${long}:1\r\n+OK\r\n`), tooBig + ok);
  assertEquals(repliesOf(nano, `*1000\r\n${":1\r\n".repeat(1000)}+OK\r\n`), tooBig + ok);
});
