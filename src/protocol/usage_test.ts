import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { arityOf, parseUsage, type UsageNode } from "./usage.ts";

/** What the nodes of a line have beyond a name, for comparing without the fields that are empty. */
type Brief = { [field in keyof UsageNode]?: UsageNode[field] | Brief[] };

function brief(usage: string): Brief[] {
  return parseUsage(usage).map(briefNode);
}

function briefNode(node: UsageNode): Brief {
  const set = Object.entries(node).filter(([, value]) => value !== null && value !== false);
  const { children: _, ...fields } = Object.fromEntries(set) as Brief;
  return node.children.length === 0
    ? fields
    : { ...fields, children: node.children.map(briefNode) };
}

Deno.test("A name is a string argument, and a key or pattern if so named", () => {
  assertEquals(brief("value key pattern"), [
    { name: "value", type: "string" },
    { name: "key", type: "key", keySpec: 0 },
    { name: "pattern", type: "pattern" },
  ]);
});

Deno.test("A colon names the type", () => {
  assertEquals(brief("start:integer source:key"), [
    { name: "start", type: "integer" },
    { name: "source", type: "key", keySpec: 0 },
  ]);
});

Deno.test("A word in upper case is a literal, or the token of the argument that follows", () => {
  assertEquals(brief("NX EX seconds:integer 'PERSIST' value"), [
    { name: "nx", type: "pure-token", token: "NX" },
    { name: "seconds", type: "integer", token: "EX" },
    { name: "persist", type: "pure-token", token: "PERSIST" },
    { name: "value", type: "string" },
  ]);
});

Deno.test("Literals may be signs and have names of their own", () => {
  assertEquals(brief("change=CH equal='=' auto-id='*' low=BY-LOW"), [
    { name: "change", type: "pure-token", token: "CH" },
    { name: "equal", type: "pure-token", token: "=" },
    { name: "auto-id", type: "pure-token", token: "*" },
    { name: "low", type: "pure-token", token: "BY-LOW" },
  ]);
});

Deno.test("Brackets make optional, braces repeat, with the token once or each time", () => {
  assertEquals(brief("[COUNT count:integer] [{GET pattern}*] [ID {id}*]"), [
    { name: "count", type: "integer", token: "COUNT", isOptional: true },
    {
      name: "pattern",
      type: "pattern",
      token: "GET",
      isOptional: true,
      isMultiple: true,
      isMultipleToken: true,
    },
    { name: "id", type: "string", token: "ID", isOptional: true, isMultiple: true },
  ]);
});

Deno.test("A bar makes a choice, a sequence in parentheses a group", () => {
  assertEquals(brief("condition=(NX | XX) LIMIT limit=(offset:integer count:integer)"), [
    {
      name: "condition",
      type: "oneof",
      children: [
        { name: "nx", type: "pure-token", token: "NX" },
        { name: "xx", type: "pure-token", token: "XX" },
      ],
    },
    {
      name: "limit",
      type: "block",
      token: "LIMIT",
      children: [{ name: "offset", type: "integer" }, { name: "count", type: "integer" }],
    },
  ]);
});

Deno.test("Marks tell since when, until when, how it is shown and which key spec finds it", () => {
  assertEquals(brief("[GET]@6.2.0 addr<ip:port>@-2.8.12 {key2:key#0}*@7.0.0"), [
    { name: "get", type: "pure-token", token: "GET", isOptional: true, since: "6.2.0" },
    { name: "addr", type: "string", display: "ip:port", deprecatedSince: "2.8.12" },
    { name: "key2", type: "key", keySpec: 0, isMultiple: true, since: "7.0.0" },
  ]);
});

Deno.test("Keys have the key specs 0, 1, 2 unless told otherwise", () => {
  const specs = (usage: string): (number | null)[] => parseUsage(usage).map((node) => node.keySpec);
  assertEquals(specs("destination:key {key}*"), [0, 1]);
  assertEquals(specs("key1:key key2:key#0"), [0, 0]);
  assertEquals(specs("key BY by:pattern#1 GET get:pattern#1 STORE destination:key"), [0, 1, 1, 2]);
});

Deno.test("A line that is none throws a SyntaxError", () => {
  for (const usage of ["[key", "key]", "{key}", "a=(b | c", "key:", "a=", "a=(b", "Name"]) {
    assertThrows(() => parseUsage(usage), SyntaxError, undefined, usage);
  }
});

Deno.test("arityOf() counts what must be there, and is negative when more may follow", () => {
  const cases: [string, number, number][] = [
    ["", 1, 1],
    ["key", 1, 2],
    ["key start:integer end:integer", 1, 4],
    ["key value [condition=(NX | XX)]", 1, -3],
    ["{data=(key value)}*", 1, -3],
    ["{key}*", 1, -2],
    ["enabled=(ON | OFF)", 2, 3],
    ["attr=(LIB-NAME libname | LIB-VER libver)", 2, 4],
    ["filter=(old-format | {new-format=(ID id:integer | TYPE type)}*)", 2, -3],
    ["MATCH pattern key", 1, 4],
  ];
  for (const [usage, words, arity] of cases) assertEquals(arityOf(usage, words), arity, usage);
});

/** A tree as the grammar can write it, and the line that writes it. */
const argument = fc.record({
  name: fc.stringMatching(/^[a-z][a-z0-9-]{0,6}$/).filter((n) => n !== "key" && n !== "pattern"),
  type: fc.constantFrom("integer", "double", "unix-time", "string"),
  token: fc.option(fc.stringMatching(/^[A-Z][A-Z0-9-]{0,5}$/), { nil: null }),
  since: fc.option(fc.constantFrom("1.0.0", "7.2.4"), { nil: null }),
  isOptional: fc.boolean(),
  isMultiple: fc.boolean(),
});

Deno.test("What a line writes down, parseUsage() reads", () => {
  fc.assert(fc.property(fc.array(argument, { maxLength: 6 }), (nodes) => {
    const usage = nodes.map((node) => {
      let text = `${node.name}:${node.type}`;
      if (node.token !== null) text = `${node.token} ${text}`;
      if (node.isMultiple) text = `{${text}}*`;
      if (node.isOptional) text = `[${text}]`;
      return node.since === null ? text : `${text}@${node.since}`;
    }).join(" ");
    const read = parseUsage(usage).map(({ name, type, token, since, isOptional, isMultiple }) => ({
      name,
      type,
      token,
      since,
      isOptional,
      isMultiple,
    }));
    assertEquals(read, nodes);
  }));
});
