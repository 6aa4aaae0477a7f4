import { assertEquals } from "@std/assert";
import { splitWords } from "../../config/words.ts";
import { Output } from "./output.ts";
import { type Format, printReply } from "./print_reply.ts";
import { binaryOf } from "../../protocol/reply.ts";
import { ReplyDecoder } from "../../protocol/reply_decoder.ts";

/** What a reply looks like; one character a byte. */
function printed(wire: string, format: Format, between = "\n"): string {
  const decoder = new ReplyDecoder();
  const text = splitWords(`"${wire.replaceAll('"', '\\"')}"`)?.[0] ?? "";
  decoder.feed(Uint8Array.from(text, (char) => char.charCodeAt(0)));
  const reply = decoder.next();
  if (reply === null) throw new Error(`Not a whole reply: ${wire}`);
  let written = "";
  const output = new Output({
    writeSync(bytes) {
      written += binaryOf(bytes);
      return bytes.length;
    },
  });
  printReply(output, reply, format, between);
  output.flush();
  return written;
}

/** A reply, and what redis-cli 7.2.6 prints with --no-raw, --raw, --csv and --json, without the last line end. */
const ROWS: readonly (readonly [string, string, string, string, string])[] = [
  ["+OK\\r\\n", "OK", "OK", '"OK"', '"OK"'],
  ["-ERR x\\r\\n", "(error) ERR x", "ERR x\n", 'ERROR,"ERR x"', 'error:"ERR x"'],
  [":5\\r\\n", "(integer) 5", "5", "5", "5"],
  ["$-1\\r\\n", "(nil)", "", "NULL", "null"],
  [",1e3\\r\\n", "(double) 1e3", "1e3", "1e3", "1e3"],
  ["#t\\r\\n", "(true)", "(true)", "true", "true"],
  ["#f\\r\\n", "(false)", "(false)", "false", "false"],
  ["$0\\r\\n\\r\\n", '""', "", '""', '""'],
  ["*0\\r\\n", "(empty array)", "", "", "[]"],
  ["%0\\r\\n", "(empty hash)", "", "", "{}"],
  ["~0\\r\\n", "(empty set)", "", "", "[]"],
  ["=7\\r\\ntxt:a\\nb\\r\\n", "a\nb", "a\nb", '"a\\nb"', '"a\\nb"'],
  [
    '$9\\r\\na\\t\\x00\\xff"\\\\\\a\\b\\x7f\\r\\n',
    '"a\\t\\x00\\xff\\"\\\\\\a\\b\\x7f"',
    'a\t\x00\xff"\\\x07\b\x7f',
    '"a\\t\\x00\\xff\\"\\\\\\a\\b\\x7f"',
    '"a\\t\\u0000\xff\\"\\\\\\u0007\\b\x7f"',
  ],
  [
    "*2\\r\\n*2\\r\\n:1\\r\\n*2\\r\\n:2\\r\\n*0\\r\\n$1\\r\\na\\r\\n",
    '1) 1) (integer) 1\n   2) 1) (integer) 2\n      2) (empty array)\n2) "a"',
    "1\n2\n\na",
    '1,2,,"a"',
    '[[1,[2,[]]],"a"]',
  ],
  [
    "%2\\r\\n+a\\r\\n*2\\r\\n:1\\r\\n:2\\r\\n+b\\r\\n%1\\r\\n+c\\r\\n~2\\r\\n:1\\r\\n:2\\r\\n",
    "1# a => \n   1) (integer) 1\n   2) (integer) 2\n" +
    "2# b => \n   1# c => \n      1~ (integer) 1\n      2~ (integer) 2",
    "a 1\n2\nb c 1\n2",
    '"a",1,2,"b","c",1,2',
    '{"a":[1,2],"b":{"c":[1,2]}}',
  ],
  [
    "%1\\r\\n*2\\r\\n:1\\r\\n:2\\r\\n*2\\r\\n:3\\r\\n:4\\r\\n",
    "1# 1) (integer) 1\n   2) (integer) 2 => \n   1) (integer) 3\n   2) (integer) 4",
    "1\n2 3\n4",
    "1,2,3,4",
    '{"[1,2]":[3,4]}',
  ],
  [
    "*10\\r\\n" + ":1\\r\\n".repeat(9) + "*2\\r\\n:1\\r\\n:2\\r\\n",
    [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => ` ${n}) (integer) 1\n`).join("") +
    "10) 1) (integer) 1\n    2) (integer) 2",
    "1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n2",
    "1,1,1,1,1,1,1,1,1,1,2",
    "[1,1,1,1,1,1,1,1,1,[1,2]]",
  ],
  [
    "%2\\r\\n+a\\r\\n%1\\r\\n+b\\r\\n*1\\r\\n+c\\r\\n+d\\r\\n~1\\r\\n~2\\r\\n:1\\r\\n:2\\r\\n",
    "1# a => 1# b => 1) c\n2# d => \n   1~ 1~ (integer) 1\n      2~ (integer) 2",
    "a b c\nd 1\n2",
    '"a","b","c","d",1,2',
    '{"a":{"b":["c"]},"d":[[1,2]]}',
  ],
  ["*1\\r\\n-ERR x\\r\\n", "1) (error) ERR x", "ERR x\n", 'ERROR,"ERR x"', '[error:"ERR x"]'],
];

Deno.test("printReply writes each type as redis-cli does", () => {
  for (const [wire, ...expected] of ROWS) {
    const formats = ["standard", "raw", "csv", "json"] as const;
    assertEquals(formats.map((format) => printed(wire, format)), expected, wire);
  }
});

Deno.test("printReply puts a delimiter between raw values, and a space behind the key of a map", () => {
  assertEquals(printed("*3\\r\\n:1\\r\\n:2\\r\\n:3\\r\\n", "raw", ";"), "1;2;3");
  assertEquals(printed("%2\\r\\n+a\\r\\n:1\\r\\n+b\\r\\n:2\\r\\n", "raw", ";"), "a 1;b 2");
});

Deno.test("printReply prints big numbers, which redis-cli can't", () => {
  assertEquals(printed("(12345678901234567890\\r\\n", "standard"), "(bignum) 12345678901234567890");
});

Deno.test("printReply's quoted JSON is JSON, whatever the bytes are", () => {
  const text = printed('$6\\r\\n"\\n\\xff\\\\a\\x00\\r\\n', "quoted-json");
  assertEquals(JSON.parse(text), '\\"\\n\\xff\\\\a\\x00');
});

Deno.test("printReply prints deeply nested replies", () => {
  const wire = `${"*1\\r\\n".repeat(20_000)}:7\\r\\n`;
  assertEquals(printed(wire, "json"), `${"[".repeat(20_000)}7${"]".repeat(20_000)}`);
});
