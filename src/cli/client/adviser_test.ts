import { assertEquals } from "@std/assert";
import { CommandAdviser } from "./adviser.ts";
import { CommandBook } from "./command_book.ts";
import { dangerOf } from "./dangers.ts";
import { KeyNames } from "./key_names.ts";
import type { Reply } from "../../protocol/reply.ts";

const book = new CommandBook();
const keyNames = new KeyNames(book);
const preferences = { showsHints: true };
const adviser = new CommandAdviser(book, keyNames, preferences, true);

Deno.test("a hint shows what may follow, as the usage says", () => {
  const rows: [string, string][] = [
    ["get", " key"],
    ["get ", "key"],
    ["GET k", ""],
    [
      "set k v nx ",
      "[GET] [EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|KEEPTTL]",
    ],
    ["set k v ex ", "seconds [NX|XX] [GET]"],
    ["expire k 10 ", "[NX|XX|GT|LT]"],
    ["zadd z nx 1.5 a 2", " member [score member ...]"],
    ["mget a", " [key ...]"],
    ["zunion 2 a b ", "[WEIGHTS weight [weight ...]] [AGGREGATE SUM|MIN|MAX] [WITHSCORES]"],
    ["zunion 2 a ", "[key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM|MIN|MAX] [WITHSCORES]"],
    ["zunion 2 a b weights 1 2 aggregate ", "SUM|MIN|MAX [WITHSCORES]"],
    ["config ", "GET|HELP|RESETSTAT|REWRITE|SET"],
    ["config get", " parameter [parameter ...]"],
    ["3 get", " key"],
    ["help", " [@group|command]"],
    ["nosuch", ""],
    ["lrange l a b ", ""],
    ["", ""],
  ];
  for (const [text, hint] of rows) assertEquals(adviser.hint(text), hint, text);
});

Deno.test(":set nohints ends hints", () => {
  preferences.showsHints = false;
  assertEquals(adviser.hint("get"), "");
  preferences.showsHints = true;
});

/** The words of a line that are painted, with their colours. */
function painted(text: string): string {
  const pieces = adviser.paint(text);
  assertEquals(pieces.map((piece) => piece.text).join(""), text);
  const names: Record<string, string> = {
    "1;36": "command",
    "35": "token",
    "32": "key",
    "34": "number",
    "31": "wrong",
  };
  return pieces.filter(({ style }) => style !== "").map((piece) =>
    `${piece.text}:${names[piece.style]}`
  )
    .join(" ");
}

Deno.test("colours tell commands, keys, options and what does not belong there", () => {
  const rows: [string, string][] = [
    ["set k v EX 10", "set:command k:key EX:token 10:number"],
    ["set k v bogus x", "set:command k:key bogus:wrong x:wrong"],
    ["set k v bog", "set:command k:key"],
    ["lrange l 0 x ", "lrange:command l:key 0:number x:wrong"],
    ["get a b ", "get:command a:key b:wrong"],
    ["foo x", "foo:wrong"],
    ["ge", ""],
    ["config get x", "config:command get:command"],
    ["config ge", "config:command"],
    ["config bad x", "config:command bad:wrong"],
    ["5 ping", "5:number ping:command"],
    [
      "client kill id 3 skipme yes",
      "client:command kill:command id:token 3:number skipme:token yes:token",
    ],
    ['set "a b" \'c', 'set:command "a b":key'],
    ["sort l by x get # get y desc ", "sort:command l:key by:token get:token get:token desc:token"],
    [
      "xread count 1 block 0 streams a b 0 0",
      "xread:command count:token 1:number block:token 0:number streams:token a:key b:key 0:key 0:key",
    ],
    ["eval s 1 k arg", "eval:command 1:number k:key"],
  ];
  for (const [text, colours] of rows) assertEquals(painted(text), colours, text);
});

Deno.test("without colours a line is one piece", () => {
  const plain = new CommandAdviser(book, keyNames, preferences, false);
  assertEquals(plain.paint("get a"), [{ text: "get a", style: "" }]);
});

function bulk(text: string): Reply {
  return { kind: "string", bytes: new TextEncoder().encode(text) };
}

Deno.test("Tab completes commands, subcommands, options, topics of help, and keys that were seen", () => {
  const names = new KeyNames(book);
  const one = new CommandAdviser(book, names, preferences, true);
  names.note(["keys", "*"], { kind: "array", items: [bulk("user:1"), bulk("a b")] });
  names.note(["scan", "0"], {
    kind: "array",
    items: [bulk("0"), { kind: "array", items: [bulk("user:2")] }],
  });
  names.note(["set", "user:3", "v"], { kind: "status", bytes: new Uint8Array(0) });
  names.note(["get", "wrong"], { kind: "error", bytes: new Uint8Array(0) });
  const rows: [string, string[]][] = [
    ["getd", ["getdel"]],
    ["GETD", ["GETDEL"]],
    ["config re", ["config resetstat", "config rewrite"]],
    ["set k v ke", ["set k v keepttl"]],
    ["set k v K", ["set k v KEEPTTL"]],
    ["get u", ["get user:3", "get user:2", "get user:1"]],
    ['get "', ['get "a b"']],
    ["peek user:1", ["peek user:1"]],
    ["get w", []],
    ["help @hy", ["help @hyperloglog"]],
    ["help client ki", ["help client kill"]],
    [":set no", [":set nohints"]],
    ["nosuch x", []],
    ["2 get user:2", ["2 get user:2"]],
  ];
  for (const [text, texts] of rows) assertEquals(one.complete(text), texts, text);
});

Deno.test("commands that others would notice are asked about", () => {
  assertEquals(dangerOf(["FLUSHALL", "async"]) !== null, true);
  assertEquals(dangerOf(["debug", "SLEEP", "1"]) !== null, true);
  assertEquals(dangerOf(["debug", "object", "k"]), null);
  assertEquals(dangerOf(["config", "get", "save"]), null);
  assertEquals(dangerOf(["constructor"]), null);
});
