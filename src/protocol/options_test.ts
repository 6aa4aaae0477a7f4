import { assertEquals } from "@std/assert";
import { bytesPerCall } from "../lib/alloc.ts";
import { argsOf } from "./args.ts";
import { Errors } from "./errors.ts";
import { Options } from "./options.ts";

const NX = 1 << 0;
const EX = 1 << 2;
const GET = 1 << 3;

const options = new Options(
  { word: "NX", excludes: ["XX"] },
  { word: "XX" },
  { word: "EX", takes: 1, excludes: ["EX"] },
  { word: "GET" },
);

/** The options given after two words, or null if they are refused. */
function given(...words: string[]): number | null {
  const args = argsOf("SET", "k", ...words);
  options.read(args, 2);
  if (args.error !== null) assertEquals(args.error, Errors.syntax);
  return args.error === null ? options.given : null;
}

Deno.test("read() notes options in any order and any case, and where their arguments are", () => {
  assertEquals(given("get", "Ex", "10", "NX"), NX | EX | GET);
  assertEquals(options.value[2], 4);
  assertEquals(given(), 0);
});
Deno.test("read() takes an option's word as the argument of another", () => {
  assertEquals(given("EX", "NX"), EX);
});
Deno.test("read() refuses what is unknown, lacks its argument or is excluded, either way round", () => {
  for (const words of ["FOO", "EX", "NX XX", "XX NX", "EX 1 EX 2", "NX 1"]) {
    assertEquals(given(...words.split(" ")), null, words);
  }
});
Deno.test("read() takes an option twice unless it excludes itself", () => {
  assertEquals(given("GET", "GET"), GET);
});
Deno.test("read() allocates nothing", () => {
  const args = argsOf("SET", "k", "ex", "10", "nx");
  assertEquals(bytesPerCall(() => options.read(args, 2)), 0);
});
