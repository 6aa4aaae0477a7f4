import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { argsOf } from "../protocol/args.ts";
import { NameTable } from "./name_table.ts";

const NAMES = ["get", "set", "zrangebyscore", "client|list", "mget", "setrange", "a", "bf.add"];

function table(): NameTable<string> {
  return new NameTable(new Map(NAMES.map((name) => [name, name])));
}

Deno.test("names are found in any case, again and again", () => {
  const names = table();
  for (let round = 0; round < 2; round++) {
    for (const name of NAMES) {
      assertEquals(names.find(argsOf(name), 0), name);
      assertEquals(names.find(argsOf("x", name.toUpperCase()), 1), name);
      assertEquals(names.find(argsOf(name[0].toUpperCase() + name.slice(1), "more"), 0), name);
    }
  }
});

Deno.test("words that are no names are not found, however similar to a cached spelling", () => {
  const names = table();
  for (const name of NAMES) names.find(argsOf(name, "more"), 0);
  const others = [
    "",
    "ge",
    "gets",
    "get\0",
    "setr",
    "mgetmget",
    "setsetrange",
    "GE\x14",
    "a\0",
    "_",
  ];
  for (const other of others) assertEquals(names.find(argsOf(other, "more"), 0), null);
});

Deno.test("any words are found or not as a map in lower case finds them", () => {
  const names = table();
  const word = fc.oneof(
    fc.constantFrom(...NAMES),
    fc.constantFrom(...NAMES).map((name) => name.toUpperCase()),
    fc.string({ unit: fc.constantFrom(..."getsmGET\0."), maxLength: 9 }),
  );
  fc.assert(fc.property(fc.array(word, { minLength: 1, maxLength: 40 }), (words) => {
    for (const one of words) {
      const lower = one.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
      assertEquals(names.find(argsOf(one), 0), NAMES.includes(lower) ? lower : null);
    }
  }));
});
