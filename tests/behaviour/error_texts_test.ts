/** Errors that quote a client's bytes: as they are, to the first zero byte, cut where Redis cuts. */
import { assertEquals } from "@std/assert";
import { binaryBytes } from "../../src/protocol/args.ts";
import { ReplyError, TestServer } from "../support/harness.ts";

/** Words whose characters stand for one byte each. */
function call(server: TestServer, words: readonly string[]): unknown {
  return server.call(
    ...words.map(binaryBytes),
  );
}

const LONG = "x".repeat(300);

const RECORDED: readonly (readonly [words: readonly string[], text: string])[] = [
  [["\xff"], "ERR unknown command '\xff', with args beginning with: "],
  [["a\0b", "c\0d"], "ERR unknown command 'a', with args beginning with: 'c' "],
  [["\r\n", "\n"], "ERR unknown command '  ', with args beginning with: ' ' "],
  [
    [LONG, LONG, "y"],
    `ERR unknown command '${"x".repeat(128)}', with args beginning with: '${"x".repeat(128)}' `,
  ],
  [
    ["nosuch", "\xc3\xbc", LONG, "y"],
    `ERR unknown command 'nosuch', with args beginning with: '\xc3\xbc' '${"x".repeat(123)}' `,
  ],
  [
    ["nosuch", ...Array<string>(60).fill("")],
    `ERR unknown command 'nosuch', with args beginning with: ${"'' ".repeat(43)}`,
  ],
  [["CONFIG", `\xe4${LONG}`], `ERR unknown subcommand '\xe4${"x".repeat(127)}'. Try CONFIG HELP.`],
  [["OBJECT", "a\0b", "k"], "ERR unknown subcommand 'a'. Try OBJECT HELP."],
  [
    ["DEBUG", LONG],
    `ERR unknown subcommand or wrong number of arguments for '${"x".repeat(128)}'. Try DEBUG HELP.`,
  ],
  [
    ["Xinfo", "Stream", "stream", "x"],
    "ERR unknown subcommand or wrong number of arguments for 'Stream'. Try XINFO HELP.",
  ],
  [
    ["XGROUP", "Create", "k", "g", "0", "x"],
    "ERR unknown subcommand or wrong number of arguments for 'Create'. Try XGROUP HELP.",
  ],
  [
    ["SLOWLOG", "Get", "1", "2"],
    "ERR unknown subcommand or wrong number of arguments for 'Get'. Try SLOWLOG HELP.",
  ],
  [["EXPIRE", "k", "1", "\xc5\r\n"], "ERR Unsupported option \xc5"],
  [["HELLO", "3", "\xc5\0b"], "ERR Syntax error in HELLO option '\xc5'"],
  [["CLIENT", "KILL", "TYPE", "\xdf"], "ERR Unknown client type '\xdf'"],
  [["CLIENT", "KILL", "USER", "a\0b"], "ERR No such user 'a'"],
  [
    ["CLIENT", "SETINFO", "Lib-Name", " "],
    "ERR Lib-Name cannot contain spaces, newlines or special characters.",
  ],
  [["LATENCY", "GRAPH", "\xff\n"], "ERR No samples available for event '\xff '"],
  [["REPLCONF", "\xff\n", "x"], "ERR Unrecognized REPLCONF option: \xff"],
  [
    ["CONFIG", "SET", "\xff\0x", "1"],
    "ERR Unknown option or number of arguments for CONFIG SET - '\xff'",
  ],
  [
    ["XPENDING", "\xff", "a\0b"],
    "NOGROUP No such key '\xff' or consumer group 'a'",
  ],
  [["DEBUG", "ERROR", "\xff\n\0x"], "\xff \0x"],
];

Deno.test("errors quote a client's bytes as they are, cut where Redis cuts", () => {
  const server = new TestServer();
  server.run("XADD stream 1-1 f v");
  for (const [words, text] of RECORDED) {
    assertEquals(call(server, words), new ReplyError(text), words.join(" ").slice(0, 60));
  }
});
Deno.test("words that name what every JavaScript object has are unknown", () => {
  const server = new TestServer();
  const lines: readonly (readonly [string, string])[] = [
    ["GEODIST g a b constructor", "ERR unsupported unit provided. please use M, KM, FT, MI"],
    ["SHUTDOWN constructor", "ERR syntax error"],
    [
      "CONFIG SET maxmemory 1constructor",
      "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value",
    ],
    [
      "DEBUG PROTOCOL constructor",
      "ERR Wrong protocol type name. Please use one of the following: string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
    ],
  ];
  for (const [line, text] of lines) assertEquals(server.run(line), new ReplyError(text), line);
});
Deno.test("CLIENT KILL of an empty address kills nobody", () => {
  const server = new TestServer();
  const other = server.client();
  assertEquals(server.run(`CLIENT KILL ""`), new ReplyError("ERR No such client"));
  assertEquals(server.run(`CLIENT KILL ADDR ""`), 0);
  assertEquals(server.run(`CLIENT KILL LADDR ""`), 0);
  assertEquals(other.isClosed, false);
});
Deno.test("a client's name ends at a zero byte where names are checked and listed", () => {
  const server = new TestServer();
  assertEquals(call(server, ["CLIENT", "SETNAME", "a\0 b"]), "OK");
  assertEquals(server.run("CLIENT GETNAME"), "a\0 b");
  assertEquals(call(server, ["CLIENT", "SETINFO", "lib-name", "c\0 d"]), "OK");
  const info = String(server.run("CLIENT INFO"));
  assertEquals(/ name=(\S*) /.exec(info)?.[1], "a");
  assertEquals(/ lib-name=(\S*) /.exec(info)?.[1], "c");
  assertEquals(call(server, ["HELLO", "3", "SETNAME", "\0 "]) instanceof Map, true);
});
